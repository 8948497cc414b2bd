/**
 * The trace header fields that this hop puts in front of a message (RFC 5321 §4.4).
 *
 * @module
 */
import { cidString } from "../../log/mod.ts";
import { parseIp } from "../../net/mod.ts";
import type { SmtpSession, Transaction } from "./backend.ts";
import { type Address, addressText, parseDomain } from "./path.ts";

const days = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
const months = [
  ...["Jan", "Feb", "Mar", "Apr", "May", "Jun"],
  ...["Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
];

/** RFC 5322 §3.3, in UTC. */
function dateText(ms: number): string {
  const d = new Date(ms);
  const time = d.toISOString().slice(11, 19);
  return `${days[d.getUTCDay()]}, ${d.getUTCDate()} ${
    months[d.getUTCMonth()]
  } ${d.getUTCFullYear()} ${time} +0000`;
}

/** RFC 5321 §4.4, RFC 3848, RFC 6531 §4.3: the protocol in the "with" clause. */
function protocol(session: SmtpSession, transaction: Transaction): string {
  if (!session.hello.extended) return "SMTP";
  const suffix = (session.tls === undefined ? "" : "S") +
    (session.username === undefined ? "" : "A");
  return `${transaction.smtpUtf8 ? "UTF8SMTP" : "ESMTP"}${suffix}`;
}

/** The name from EHLO if it is a domain or literal, in a form allowed in this message's header. */
function helloName(session: SmtpSession, utf8: boolean): string {
  const name = session.hello.name;
  if (name.startsWith("[")) return name;
  try {
    const d = parseDomain(name, { pedantic: false, utf8: true });
    return utf8 ? d.domain : d.asciiDomain;
  } catch {
    // A word that is not a domain.
    return name.replaceAll(/[^A-Za-z0-9._-]/g, "?");
  }
}

/** A Received field with its CRLF. Submission hides a user's own address. */
export function receivedHeader(
  session: SmtpSession,
  transaction: Transaction,
  hostname: string,
  time: number,
  recipient: Address | undefined,
): string {
  const utf8 = transaction.smtpUtf8;
  let from = `from ${helloName(session, utf8)}`;
  if (!session.submission) {
    const v6 = parseIp(session.remoteIp)?.length === 16;
    from += ` ([${v6 ? "IPv6:" : ""}${session.remoteIp}])`;
  }
  const lines = [
    from,
    `by ${hostname} with ${protocol(session, transaction)} id ${cidString(session.cid)}`,
  ];
  if (session.tls !== undefined) {
    lines.push(`(${session.tls.version.replace("v", "")} ${session.tls.cipher})`);
  }
  if (recipient !== undefined) lines.push(`for <${addressText(recipient, !utf8)}>`);
  lines[lines.length - 1] += ";";
  lines.push(dateText(time));
  return `Received: ${lines.join("\r\n\t")}\r\n`;
}

/** A Return-Path field with its CRLF. */
export function returnPathHeader(transaction: Transaction): string {
  const from = transaction.mailFrom;
  const address = from === undefined ? "" : addressText(from, !transaction.smtpUtf8);
  return `Return-Path: <${address}>\r\n`;
}
