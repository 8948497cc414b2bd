/** A submitted message in the form for the queue. @module */
import { type HeaderField, headerField } from "../../mail/header/header.ts";
import type { Priority } from "../../queue/mod.ts";
import type { OutgoingMessage } from "./outgoing.ts";
import { addressText, type IncomingMessage, type Transaction } from "../../smtp/server/mod.ts";
import { asksForNoTls } from "./tls_required.ts";

/**
 * Everything from the transaction and the message itself.
 * @param utf8Headers whether a header, including those of parts, has non-ASCII bytes
 */
export function submittedMessage(
  transaction: Transaction,
  message: IncomingMessage,
  fields: readonly HeaderField[],
  utf8Headers: boolean,
): Omit<OutgoingMessage, "senderAccount" | "fromDomain" | "prefix"> {
  return {
    mailFrom: transaction.mailFrom ? addressText(transaction.mailFrom) : "",
    recipients: transaction.recipients.map((recipient) => ({
      address: addressText(recipient.address),
      notify: recipient.notify,
      originalRecipient: recipient.originalRecipient,
    })),
    file: message.file,
    fileSize: message.size,
    // Programs give SMTPUTF8 for any message: only one with UTF-8 in a header really needs it. That
    // may be the header of a part, too; old programs that don't know SMTPUTF8 use other charsets there.
    smtputf8: message.headerHas8bit || (transaction.smtpUtf8 && utf8Headers),
    has8bit: message.has8bit,
    binary: transaction.body === "binarymime",
    requireTls: transaction.requireTls,
    tlsOptional: asksForNoTls(fields, transaction.requireTls),
    ret: transaction.ret,
    envelopeId: transaction.envelopeId,
    notBefore: transaction.holdUntil,
    holdRequest: transaction.holdRequest,
    priority: priorityOf(fields),
    subject: headerField(fields, "subject"),
  };
}

/**
 * The order of sending when not everything can be sent immediately: urgent mail (Priority, RFC 2156 §5.3.6) first,
 * and bulk mail, as marked by programs, last.
 */
export function priorityOf(fields: readonly HeaderField[]): Priority {
  const of = (name: string) => headerField(fields, name)?.trim().toLowerCase() ?? "";
  if (["bulk", "list", "junk"].includes(of("precedence"))) return -1;
  const priority = of("priority");
  return priority === "urgent" ? 1 : priority === "non-urgent" ? -1 : 0;
}
