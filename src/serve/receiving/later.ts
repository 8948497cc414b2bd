/**
 * Members of an alias whose mailbox can't take a message right now, while others have it already: they get it
 * from the queue, which tries again for days and tells the sender if it never works.
 *
 * @module
 */
import { headersNeedUtf8 } from "../../mail/structure/structure.ts";
import { syncFile } from "../../platform/files.ts";
import type { QueueMessage } from "../../queue/mod.ts";
import { addressText, type IncomingMessage } from "../../smtp/server/mod.ts";
import type { Incoming } from "./analysis.ts";
import type { ReceivingServices } from "./receiving.ts";
import type { Plan, Target } from "./targets.ts";

/** Marks such messages in the queue; no user can choose it, as names of the web API's fields are "X-...". */
const mark = "mox:member";

/** True for a message that waits for members' mailboxes of this server. */
export function isForMembers(message: Pick<QueueMessage, "extra">): boolean {
  return mark in message.extra;
}

/**
 * Queues a message for members' own addresses; durable when it resolves.
 * @throws file and database errors
 */
export async function deliverLater(
  s: ReceivingServices,
  m: Incoming,
  plan: Plan,
  members: readonly Target[],
  message: IncomingMessage,
): Promise<void> {
  const { arrived, transaction, sender } = m;
  const recipient = addressText(plan.recipient.address);
  const prefix = new TextEncoder().encode(
    sender.headers + message.receivedHeader(plan.recipient.address),
  );
  await (arrived.synced ?? syncFile(arrived.file));
  // A forged sender has nothing to do with it (RFC 5321 §6.2).
  const verified = sender.auth === undefined || sender.auth.spf.result === "pass";
  const ids = await s.queue.add({
    file: arrived.file,
    fileSize: arrived.size,
    prefix,
    senderAccount: s.config.static.Postmaster.Account,
    mailFrom: transaction.mailFrom ? addressText(transaction.mailFrom) : "",
    recipients: members.map((t) => ({
      address: t.canonical,
      notify: verified ? ["failure" as const] : ["never" as const],
      originalRecipient: { type: "rfc822", address: recipient },
    })),
    smtputf8: headersNeedUtf8(arrived.root.header ?? new Uint8Array(0)),
    has8bit: message.has8bit,
    binary: transaction.body === "binarymime",
    requireTls: false,
    ret: transaction.ret,
    envelopeId: transaction.envelopeId,
    messageId: arrived.description.summary.messageId,
    subject: arrived.description.summary.subject,
    extra: { [mark]: recipient },
  });
  m.session.log.warn("members of an alias get a message later", {
    to: recipient,
    members: members.length,
    ids: ids.slice(0, 10).join(" "),
  });
}
