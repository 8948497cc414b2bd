/** Messages for addresses that other servers have, by Relay of their domain, on their way to these. @module */
import { syncFile } from "../../platform/files.ts";
import type { QueueMessage } from "../../queue/mod.ts";
import { addressText, type IncomingMessage } from "../../smtp/server/mod.ts";
import type { Incoming } from "../arrival/incoming.ts";
import type { Plan } from "../arrival/plan.ts";
import type { ReceivingServices } from "../arrival/services.ts";

/** Marks such messages in the queue; no user can choose it, as names of the web API's fields are "X-...". */
const mark = "mox:relay";

/** True for a message that is relayed, which is nobody's here. */
export function isRelayed(message: Pick<QueueMessage, "extra">): boolean {
  return mark in message.extra;
}

/**
 * Queues a message for the server that has its recipient; durable when it resolves. The sender's address stays, as this
 * server is the way that mail for the domain takes.
 * @param headers what the judge found, before the results of the sender's authentication
 * @throws file and database errors
 */
export async function relay(
  services: ReceivingServices,
  incoming: Incoming,
  plan: Plan,
  headers: string,
  message: IncomingMessage,
): Promise<void> {
  const { arrived, transaction, sender, session } = incoming;
  const { address, notify, originalRecipient } = plan.recipient;
  // A forged sender has nothing to do with it (RFC 5321 §6.2).
  const verified = sender.auth === undefined || sender.auth.spf.result === "pass";
  await (arrived.synced ?? syncFile(arrived.file));
  const ids = await services.queue.add({
    file: arrived.file,
    fileSize: arrived.size,
    prefix: new TextEncoder().encode(headers + sender.headers + message.receivedHeader(address)),
    senderAccount: services.config.static.Postmaster.Account,
    mailFrom: transaction.mailFrom ? addressText(transaction.mailFrom) : "",
    recipients: [{
      address: addressText(address),
      notify: verified ? notify : ["never"],
      originalRecipient,
    }],
    smtputf8: message.headerHas8bit,
    has8bit: message.has8bit,
    binary: transaction.body === "binarymime",
    requireTls: transaction.requireTls,
    ret: transaction.ret,
    envelopeId: transaction.envelopeId,
    messageId: arrived.description.summary.messageId,
    subject: arrived.description.summary.subject,
    extra: { [mark]: "" },
  });
  session.log.info("relayed", { to: addressText(address), ids: ids.join(" ") });
}
