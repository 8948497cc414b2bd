/** Parameters of MAIL and RCPT written by a client. @module */
import { domainToASCII } from "node:url";
import type { Extensions } from "./extensions.ts";
import type { Envelope, EnvelopeRecipient } from "./types.ts";

/** True if all characters are ASCII. */
export function isAscii(s: string): boolean {
  for (let i = 0; i < s.length; i++) if (s.charCodeAt(i) > 0x7f) return false;
  return true;
}

/** An address with its domain in ASCII, as it must be without SMTPUTF8; "" stays empty. */
export function asciiDomainAddress(address: string): string {
  const at = address.lastIndexOf("@");
  if (at < 0 || isAscii(address.slice(at))) return address;
  return `${address.slice(0, at)}@${domainToASCII(address.slice(at + 1))}`;
}

/** True if the address has a localpart that only SMTPUTF8 can carry. */
export function needsUtf8(address: string): boolean {
  return !isAscii(address.slice(0, Math.max(0, address.lastIndexOf("@"))));
}

/** RFC 3461 §4: xtext. */
export function xtext(s: string): string {
  let out = "";
  for (const b of new TextEncoder().encode(s)) {
    out += b > 32 && b < 127 && b !== 43 && b !== 61
      ? String.fromCharCode(b)
      : `+${b.toString(16).toUpperCase().padStart(2, "0")}`;
  }
  return out;
}

/** RFC 6533 §3: an address of type utf-8 in ASCII. */
function utf8AddressXtext(s: string): string {
  let out = "";
  for (const c of s) {
    const code = c.codePointAt(0)!;
    out += code > 32 && code < 127 && c !== "+" && c !== "=" && c !== "\\"
      ? c
      : `\\x{${code.toString(16).toUpperCase()}}`;
  }
  return out;
}

/** Whether the transaction needs SMTPUTF8: for the message, or an address in it. */
export function transactionNeedsUtf8(envelope: Envelope): boolean {
  return envelope.smtpUtf8 || needsUtf8(envelope.mailFrom) ||
    envelope.recipients.some((r) => needsUtf8(r.address));
}

/** Whether a server accepts a deliver-by time; one shorter than its minimum is refused (RFC 2852 §4.1.2). */
export function takesBy(extensions: Extensions, by: NonNullable<Envelope["deliverBy"]>): boolean {
  return extensions.deliverBy !== undefined &&
    (by.mode === "notify" || by.seconds >= extensions.deliverBy);
}

/** The MAIL command, without its line end. */
export function mailCommand(envelope: Envelope, extensions: Extensions): string {
  const utf8 = transactionNeedsUtf8(envelope);
  let line = `MAIL FROM:<${utf8 ? envelope.mailFrom : asciiDomainAddress(envelope.mailFrom)}>`;
  if (extensions.size !== undefined) line += ` SIZE=${envelope.size}`;
  if (envelope.body === "binary") line += " BODY=BINARYMIME";
  else if (envelope.body === "8bit") line += " BODY=8BITMIME";
  if (utf8) line += " SMTPUTF8";
  if (envelope.requireTls) line += " REQUIRETLS";
  if (extensions.dsn) {
    if (envelope.ret !== undefined) line += ` RET=${envelope.ret.toUpperCase()}`;
    if (envelope.envelopeId !== undefined) line += ` ENVID=${xtext(envelope.envelopeId)}`;
  }
  if (envelope.deliverBy && takesBy(extensions, envelope.deliverBy)) {
    const { seconds, mode, trace } = envelope.deliverBy;
    line += ` BY=${seconds};${mode === "return" ? "R" : "N"}${trace ? "T" : ""}`;
  }
  return line;
}

/** The RCPT command, without its line end. */
export function rcptCommand(
  recipient: EnvelopeRecipient,
  utf8: boolean,
  extensions: Extensions,
): string {
  let line = `RCPT TO:<${utf8 ? recipient.address : asciiDomainAddress(recipient.address)}>`;
  if (!extensions.dsn) return line;
  if (recipient.notify !== undefined && recipient.notify.length > 0) {
    line += ` NOTIFY=${recipient.notify.map((n) => n.toUpperCase()).join(",")}`;
  }
  if (recipient.originalRecipient !== undefined) {
    const { type, address } = recipient.originalRecipient;
    line += ` ORCPT=${type};${type === "utf-8" ? utf8AddressXtext(address) : xtext(address)}`;
  }
  return line;
}
