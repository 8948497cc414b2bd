/** Queues messages that have arrived and go on to somewhere else. @module */
import { syncFile } from "../../platform/files.ts";
import type { NewQueueMessage } from "../../queue/mod.ts";
import { addressText, type IncomingMessage } from "../../smtp/server/mod.ts";
import type { Incoming } from "./incoming.ts";
import type { Sender } from "./sender.ts";
import type { ReceivingServices } from "./services.ts";

/** What differs between the kinds of messages that go on; fields given here replace those of the arrived message. */
export type ForQueue = Pick<NewQueueMessage, "prefix" | "recipients"> & Partial<NewQueueMessage>;

/**
 * Queues a message that has arrived; durable when it resolves. By default it goes on unchanged: the same
 * file, sender and transaction parameters, with the postmaster's account as the one responsible
 * for it.
 * @returns an id for each recipient
 * @throws file and database errors
 */
export async function queueArrived(
  services: Pick<ReceivingServices, "config" | "queue">,
  { arrived, transaction }: Pick<Incoming, "arrived" | "transaction">,
  message: IncomingMessage,
  given: ForQueue,
): Promise<number[]> {
  if (given.file !== undefined) await syncFile(given.file);
  else await (arrived.synced ?? syncFile(arrived.file));
  return await services.queue.add({
    file: arrived.file,
    fileSize: arrived.size,
    senderAccount: services.config.static.Postmaster.Account,
    mailFrom: transaction.mailFrom ? addressText(transaction.mailFrom) : "",
    smtputf8: message.headerHas8bit,
    has8bit: message.has8bit,
    binary: transaction.body === "binarymime",
    requireTls: transaction.requireTls,
    ret: transaction.ret,
    envelopeId: transaction.envelopeId,
    messageId: arrived.description.summary.messageId,
    subject: arrived.description.summary.subject,
    ...given,
  });
}

/** Whether reports may go to the sender: a forged one has nothing to do with the message (RFC 5321 §6.2). */
export function mayBeTold(sender: Pick<Sender, "auth">): boolean {
  return sender.auth === undefined || sender.auth.spf.result === "pass";
}
