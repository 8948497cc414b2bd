/** Parameters of MAIL and RCPT as a client writes them. @module */
import { domainToASCII } from "node:url";
import type { Extensions } from "./extensions.ts";
import type { Envelope, EnvelopeRecipient } from "./types.ts";

/** True if all characters are ASCII. */
export function isAscii(s: string): boolean {
  for (let i = 0; i < s.length; i++) if (s.charCodeAt(i) > 0x7f) return false;
  return true;
}

/** An address with its domain in ASCII, as it must be without SMTPUTF8; "" stays. */
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
export function transactionNeedsUtf8(e: Envelope): boolean {
  return e.smtpUtf8 || needsUtf8(e.mailFrom) || e.recipients.some((r) => needsUtf8(r.address));
}

/** Whether a server takes a time to deliver by; one that is shorter than its least is refused (RFC 2852 §4.1.2). */
export function takesBy(x: Extensions, by: NonNullable<Envelope["deliverBy"]>): boolean {
  return x.deliverBy !== undefined && (by.mode === "notify" || by.seconds >= x.deliverBy);
}

/** The MAIL command, without its line end. */
export function mailCommand(e: Envelope, x: Extensions): string {
  const utf8 = transactionNeedsUtf8(e);
  let line = `MAIL FROM:<${utf8 ? e.mailFrom : asciiDomainAddress(e.mailFrom)}>`;
  if (x.size !== undefined) line += ` SIZE=${e.size}`;
  if (e.body === "binary") line += " BODY=BINARYMIME";
  else if (e.body === "8bit") line += " BODY=8BITMIME";
  if (utf8) line += " SMTPUTF8";
  if (e.requireTls) line += " REQUIRETLS";
  if (x.dsn) {
    if (e.ret !== undefined) line += ` RET=${e.ret.toUpperCase()}`;
    if (e.envelopeId !== undefined) line += ` ENVID=${xtext(e.envelopeId)}`;
  }
  if (e.deliverBy && takesBy(x, e.deliverBy)) {
    const { seconds, mode, trace } = e.deliverBy;
    line += ` BY=${seconds};${mode === "return" ? "R" : "N"}${trace ? "T" : ""}`;
  }
  return line;
}

/** The RCPT command, without its line end. */
export function rcptCommand(r: EnvelopeRecipient, utf8: boolean, x: Extensions): string {
  let line = `RCPT TO:<${utf8 ? r.address : asciiDomainAddress(r.address)}>`;
  if (!x.dsn) return line;
  if (r.notify !== undefined && r.notify.length > 0) {
    line += ` NOTIFY=${r.notify.map((n) => n.toUpperCase()).join(",")}`;
  }
  if (r.originalRecipient !== undefined) {
    const { type, address } = r.originalRecipient;
    line += ` ORCPT=${type};${type === "utf-8" ? utf8AddressXtext(address) : xtext(address)}`;
  }
  return line;
}
