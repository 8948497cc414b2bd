/**
 * Recipients, and members of an alias, whose mailbox can't take a message right now, while others have it already:
 * they get it from the queue, which tries again for days and notifies the sender if it never succeeds.
 *
 * @module
 */
import type { QueueMessage } from "../../queue/mod.ts";
import {
  addressText,
  type IncomingMessage,
  type Outcome,
  type SmtpError,
} from "../../smtp/server/mod.ts";
import { notifyFailures, RefusedMessage } from "./dsn.ts";
import { storeFailure } from "./failure.ts";
import type { Incoming } from "../arrival/incoming.ts";
import type { ReceivingServices } from "../arrival/services.ts";
import type { Plan, Target } from "../arrival/plan.ts";
import { mayBeTold, queueArrived } from "../arrival/queue_arrived.ts";

/** Marks such messages in the queue; no user can choose it, as names of the web API's fields are "X-...". */
const mark = "mox:member";

/** Whether a message waits for mailboxes of this server. */
export function isForMembers(message: Pick<QueueMessage, "extra">): boolean {
  return mark in message.extra;
}

/**
 * Queues a message for accounts' own addresses; durable when it resolves.
 * @throws file and database errors
 */
export async function deliverLater(
  services: ReceivingServices,
  incoming: Incoming,
  plan: Plan,
  targets: readonly Target[],
  message: IncomingMessage,
): Promise<void> {
  const { sender } = incoming;
  const recipient = addressText(plan.recipient.address);
  const prefix = new TextEncoder().encode(
    sender.headers + message.receivedHeader(plan.recipient.address),
  );
  const ids = await queueArrived(services, incoming, message, {
    prefix,
    recipients: targets.map((target) => ({
      address: target.canonical,
      notify: mayBeTold(sender) ? ["failure" as const] : ["never" as const],
      originalRecipient: { type: "rfc822", address: recipient },
    })),
    requireTls: false,
    extra: { [mark]: recipient },
  });
  incoming.session.log.warn("accounts get a message later", {
    to: recipient,
    accounts: targets.length,
    ids: ids.slice(0, 10).join(" "),
  });
}

/** An account that failed to get the message, other than by refusing it. */
export interface Failed {
  target: Target;
  error: SmtpError;
}

/**
 * Handles the members of an alias that could not get a message that others have: it is queued for those where
 * trying again may help, and the sender is notified about the others.
 * @returns the answer if that is not possible: then the sender tries again, for all
 */
export async function takeUp(
  services: ReceivingServices,
  incoming: Incoming,
  plan: Plan,
  failed: readonly Failed[],
  message: IncomingMessage,
): Promise<Outcome> {
  try {
    const later = failed.filter((f) => f.error.temporary).map((f) => f.target);
    if (later.length > 0) await deliverLater(services, incoming, plan, later, message);
    const never = failed.filter((f) => !f.error.temporary);
    if (never.length > 0) {
      incoming.session.log.warn("members of an alias can't get a message", {
        to: addressText(plan.recipient.address),
        accounts: never.map((f) => f.target.account).join(" "),
        err: never[0].error,
      });
      // As for messages refused for their content: unverified senders get no report.
      const { code, message: text } = never[0].error;
      await notifyFailures(services, incoming.session, incoming.transaction, message, [{
        recipient: plan.recipient,
        error: new RefusedMessage(code, "2.4", `${never.length} of its members: ${text}`),
      }]);
    }
    return undefined;
  } catch (err) {
    return storeFailure(err, incoming.session.log);
  }
}

/**
 * Queues a message for recipients that could not get it for now, while others of the same transaction have it: SMTP has
 * one answer for all, and the sender would not retry for these. The sender is notified about those that can't be queued.
 * @param untaken the failure of each
 * @returns the recipients that get it from the queue
 */
export async function queueUntaken(
  services: ReceivingServices,
  incoming: Incoming,
  untaken: ReadonlyMap<Plan, readonly Failed[]>,
  message: IncomingMessage,
): Promise<Plan[]> {
  const queued: Plan[] = [];
  if (incoming.session.lmtp) return queued;
  for (const [plan, failed] of untaken) {
    if (failed.length === 0 || !failed.every((f) => f.error.temporary)) continue;
    try {
      await deliverLater(services, incoming, plan, failed.map((f) => f.target), message);
      queued.push(plan);
    } catch (err) {
      storeFailure(err, incoming.session.log);
    }
  }
  return queued;
}
