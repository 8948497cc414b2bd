/** What a submitted message is to the queue. @module */
import { type HeaderField, headerField } from "../mail/header.ts";
import type { OutgoingMessage } from "./outgoing.ts";
import { addressText, type IncomingMessage, type Transaction } from "../smtp/server/mod.ts";
import { asksForNoTls } from "./tls_required.ts";

/**
 * All that the transaction and the message itself say.
 * @param utf8Headers whether a header, be it of a part, has bytes beyond ASCII
 */
export function submittedMessage(
  t: Transaction,
  m: IncomingMessage,
  fields: readonly HeaderField[],
  utf8Headers: boolean,
): Omit<OutgoingMessage, "senderAccount" | "fromDomain" | "prefix"> {
  return {
    mailFrom: t.mailFrom ? addressText(t.mailFrom) : "",
    recipients: t.recipients.map((r) => ({
      address: addressText(r.address),
      notify: r.notify,
      originalRecipient: r.originalRecipient,
    })),
    file: m.file,
    fileSize: m.size,
    // Programs say SMTPUTF8 for any message: only one that has UTF-8 in a header may not go without. That
    // may be the header of a part, too; of old programs that don't know SMTPUTF8 that is no UTF-8.
    smtputf8: m.headerHas8bit || (t.smtpUtf8 && utf8Headers),
    has8bit: m.has8bit,
    binary: t.body === "binarymime",
    requireTls: t.requireTls,
    tlsOptional: asksForNoTls(fields, t.requireTls),
    ret: t.ret,
    envelopeId: t.envelopeId,
    notBefore: t.holdUntil,
    subject: headerField(fields, "subject"),
  };
}
