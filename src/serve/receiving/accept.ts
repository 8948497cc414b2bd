/** Delivers to an account: by its scripts or into a mailbox, forwards, and does what follows from that. */
import { goesToJunk } from "../../delivery/analysis_types.ts";
import { dropReject } from "../../delivery/rejects.ts";
import { type IncomingMessage, SmtpError } from "../../smtp/server/mod.ts";
import type { Account } from "../../store/account/account.ts";
import { Flag } from "../../store/types.ts";
import type { Incoming } from "../arrival/incoming.ts";
import type { Plan } from "../arrival/plan.ts";
import type { ReceivingServices } from "../arrival/services.ts";
import { forward, type Onward, onwardOf } from "../onward/forward.ts";
import { replyIfAway } from "../onward/vacation.ts";
import { carryOutScripts } from "../sieve/deliver.ts";
import { scriptsFor } from "../sieve/running.ts";
import { noteEvent, noteReport, storeReports } from "./after.ts";
import type { Decided } from "./decided.ts";
import { deliveries } from "./deliveries.ts";
import { logFields, newMessage } from "./stored.ts";

const keepOnly: Onward = { to: [], keep: true };

/** For the administrator's pages, not for anybody's mailbox. */
function isReport({ decision: d, target }: Decided): boolean {
  return target.reports !== undefined || d.dmarcReport !== undefined ||
    d.failureReport !== undefined || d.tlsReport !== undefined;
}

/** @param kept gets the plan if the message is in a mailbox; otherwise the next server reports success */
export async function accept(
  services: ReceivingServices,
  incoming: Incoming,
  plan: Plan,
  decided: Decided,
  account: Account,
  message: IncomingMessage,
  kept: Set<Plan>,
): Promise<SmtpError | undefined> {
  const { decision, conf } = decided;
  const ordinary = !decision.isReject && !isReport(decided);
  const own = ordinary ? onwardOf(services, incoming, plan, account.name, conf) : keepOnly;
  const scripts = ordinary
    ? scriptsFor(services.sieve, account.name, plan.recipient.address.domain)
    : undefined;
  if (decided.decision.isReject) services.figures.note(account.name, "refused");
  else if (ordinary) {
    services.figures.note(account.name, goesToJunk(decision.reason) ? "junk" : "good");
  }
  let answered = false, discarded = false;
  if (scripts) {
    const stored = newMessage(services, incoming, decided, account, message);
    const of = { plan, account, conf, decision, prefix: decided.prefix, message, stored };
    const carried = await carryOutScripts(services, incoming, of, scripts, own.keep);
    if (carried.refusal) {
      deliveries.inc({ result: "refused" });
      return carried.refusal;
    }
    ({ answered, discarded } = carried);
    if (carried.delivered) {
      kept.add(plan);
      const added = await noteReport(services, incoming, plan, decided);
      await noteEvent(services, incoming, decided, account);
      await services.webhooks?.incoming(account, carried.delivered, added > 0);
    }
    deliveries.inc({ result: "delivered" });
    incoming.session.log.info("delivered by scripts", logFields(incoming, plan, decided));
  } else if (own.keep) {
    const delivered = await account.deliver(decision.mailbox, {
      ...newMessage(services, incoming, decided, account, message),
      // Draws no attention.
      flags: decision.isReject ? Flag.Seen : 0,
      isReject: decision.isReject,
      destinedMailboxId: decision.destinedMailboxId,
    });
    kept.add(plan);
    deliveries.inc({ result: decision.isReject ? "reject" : "delivered" });
    incoming.session.log.info("delivered", logFields(incoming, plan, decided));
    if (!decision.isReject) {
      const added = await noteReport(services, incoming, plan, decided);
      await noteEvent(services, incoming, decided, account);
      await services.webhooks?.incoming(account, delivered, added > 0);
    }
  }
  // Even after delivery: if this fails, a duplicate message is better than a lost one.
  if (own.to.length > 0 && !discarded) {
    await forward(services, incoming, plan, account.name, own, message);
  }
  if (!own.keep && !scripts) deliveries.inc({ result: "forwarded" });
  try {
    if (ordinary && !answered && !discarded) {
      await replyIfAway(services, incoming, plan, account, conf);
    }
    const { messageId } = incoming.arrived.description.summary;
    if (!decision.isReject && conf.RejectsMailbox !== "" && messageId !== "") {
      await dropReject(account, conf.RejectsMailbox, messageId);
    }
    await storeReports(services, incoming, decision, decided.target, message.received);
  } catch (err) {
    // It is delivered, and must not be sent again.
    incoming.session.log.error("after delivery", {
      err: err as Error,
      account: decided.target.account,
    });
  }
}
