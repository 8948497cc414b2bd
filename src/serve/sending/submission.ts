/** What a submitted message is to the queue. @module */
import { type HeaderField, headerField } from "../../mail/header/header.ts";
import type { Priority } from "../../queue/mod.ts";
import type { OutgoingMessage } from "./outgoing.ts";
import { addressText, type IncomingMessage, type Transaction } from "../../smtp/server/mod.ts";
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
    priority: priorityOf(fields),
    subject: headerField(fields, "subject"),
  };
}

/**
 * What is sent first when not all can be at once: what is urgent (Priority, RFC 2156 §5.3.6) before the
 * rest, and mail to many, as programs mark it, last.
 */
export function priorityOf(fields: readonly HeaderField[]): Priority {
  const of = (name: string) => headerField(fields, name)?.trim().toLowerCase() ?? "";
  if (["bulk", "list", "junk"].includes(of("precedence"))) return -1;
  const priority = of("priority");
  return priority === "urgent" ? 1 : priority === "non-urgent" ? -1 : 0;
}
