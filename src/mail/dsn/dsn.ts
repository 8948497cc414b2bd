/**
 * Delivery status notifications (RFC 3461, 3464; RFC 6533 for addresses beyond ASCII).
 *
 * @module
 */
import { foldField } from "../compose.ts";
import { formatDate } from "../header/date.ts";
import { advice } from "./advice.ts";
import { encodeWord } from "../header/encode.ts";

export interface DsnRecipient {
  /** localpart@domain */
  finalRecipient: string;
  originalRecipient?: { type: string; address: string };
  /** Enhanced status code, such as "5.1.1". */
  status: string;
  /** Host that gave the answer. */
  remoteMta?: string;
  /** SMTP answer of the last attempt, if there was one. */
  diagnostic?: string;
  lastAttempt?: Date;
  /** For delays. */
  retryUntil?: Date;
}

export interface Dsn {
  action: "failed" | "delayed" | "delivered" | "relayed";
  /** Name of this server. */
  reportingMta: string;
  /** Sender of the original message: the recipient of this one. */
  to: string;
  arrival: Date;
  date: Date;
  messageId: string;
  /** ENVID of the original, decoded. */
  envelopeId?: string;
  /** The request to hold the original: "for;SECONDS" or "until;DATE" (RFC 4865 §5.1.2). */
  holdRequest?: string;
  /** Message-ID and subject of the original, for people and threads. */
  originalMessageId: string;
  originalSubject: string;
  recipients: readonly DsnRecipient[];
  /** The original: its header, or the whole of it. */
  original: Uint8Array;
  originalIsWhole: boolean;
  smtputf8: boolean;
}

const subjects = {
  failed: "Message not delivered",
  delayed: "Message delayed",
  delivered: "Message delivered",
  relayed: "Message passed on",
};

const explanations = {
  failed:
    "Your message could not be delivered to the recipients below. It will not be tried again.",
  delayed:
    "Your message has not been delivered to the recipients below yet. You don't have to do " +
    "anything: it will be tried again until the time given.",
  delivered: "Your message has been delivered to the recipients below.",
  relayed:
    "Your message has been passed on for the recipients below to a server that doesn't report about " +
    "delivery. You will hear of it again only if it tells of a failure.",
};

/** Text in a form allowed in a header line. */
function line(s: string): string {
  // deno-lint-ignore no-control-regex
  return s.replace(/[\x00-\x1f\x7f]+/g, " ").slice(0, 900);
}

/** A field, over as many lines as needed, without the last line end. */
function field(name: string, value: string): string {
  return foldField(name, value).trimEnd();
}

/** The end of the header: at its empty line, or at the end of the bytes. */
function headerEnd(message: Uint8Array): number {
  for (let at = 0; at < message.length;) {
    if (message[at] === 10 || (message[at] === 13 && message[at + 1] === 10)) return at;
    const end = message.indexOf(10, at);
    if (end < 0) break;
    at = end + 1;
  }
  return message.length;
}

function wrap(text: string): string {
  const lines = [""];
  for (const word of text.split(" ")) {
    const last = lines[lines.length - 1];
    if (last !== "" && last.length + word.length > 71) lines.push(word);
    else lines[lines.length - 1] = last === "" ? word : `${last} ${word}`;
  }
  return lines.join("\r\n");
}

// deno-lint-ignore no-control-regex
const isAscii = (s: string) => /^[\x00-\x7f]*$/.test(s);

/** The complete message. */
export function composeDsn(dsn: Dsn): Uint8Array {
  // Only non-ASCII content needs the types of RFC 6533, which few programs know.
  const utf8 = !isAscii(dsn.to) || (dsn.smtputf8 && !isAscii(dsn.envelopeId ?? "")) ||
    dsn.recipients.some((r) =>
      !isAscii(r.finalRecipient) || !isAscii(r.originalRecipient?.address ?? "") ||
      (dsn.smtputf8 && !isAscii(r.diagnostic ?? ""))
    );
  const boundary = `mox-${dsn.messageId.replace(/[^A-Za-z0-9]/g, "").slice(0, 40)}`;
  const charset = utf8 ? "utf-8" : "us-ascii";
  const word = (s: string) => isAscii(s) ? s : encodeWord(s);
  const ascii = (s: string) => utf8 ? s : word(s);
  // deno-lint-ignore no-control-regex
  const plain = (s: string) => utf8 ? s : s.replace(/[^\x00-\x7f]/g, "?");
  const out: string[] = [
    `From: Mail Delivery System <postmaster@${dsn.reportingMta}>`,
    `To: <${line(dsn.to)}>`,
    // Whatever it contains, the message must not need SMTPUTF8 because of its subject.
    field(
      "Subject",
      `${subjects[dsn.action]}: ${word(line(dsn.originalSubject)) || "(no subject)"}`,
    ),
    `Date: ${formatDate(dsn.date)}`,
    `Message-ID: <${dsn.messageId}>`,
  ];
  if (dsn.originalMessageId !== "") {
    const id = line(dsn.originalMessageId).replace(/^<?/, "<").replace(/>?$/, ">");
    out.push(`In-Reply-To: ${id}`, `References: ${id}`);
  }
  out.push(
    // RFC 3834 §5: no program should answer this.
    "Auto-Submitted: auto-replied",
    "MIME-Version: 1.0",
    `Content-Type: multipart/report; report-type="delivery-status"; boundary="${boundary}"`,
    "",
    `--${boundary}`,
    `Content-Type: text/plain; charset=${charset}`,
    `Content-Transfer-Encoding: ${utf8 ? "8bit" : "7bit"}`,
    "",
    wrap(explanations[dsn.action]),
    "",
  );
  for (const r of dsn.recipients) {
    out.push(`  ${line(r.finalRecipient)}`);
    if (r.diagnostic && dsn.action !== "delivered") {
      const by = r.remoteMta ? `${line(r.remoteMta)}: ` : "";
      out.push(...wrap(`${by}${plain(line(r.diagnostic))}`).split("\r\n").map((l) => `    ${l}`));
    }
    if (r.retryUntil) out.push(`    tried until ${formatDate(r.retryUntil)}`);
    if (dsn.action === "failed") {
      out.push("", ...wrap(advice(r.status)).split("\r\n").map((l) => `    ${l}`), "");
    }
  }
  out.push(
    "",
    `--${boundary}`,
    // RFC 6533 §3: non-ASCII addresses need another type.
    `Content-Type: message/${utf8 ? "global-delivery-status" : "delivery-status"}`,
    `Content-Transfer-Encoding: ${utf8 ? "8bit" : "7bit"}`,
    "",
    `Reporting-MTA: dns; ${dsn.reportingMta}`,
    `Arrival-Date: ${formatDate(dsn.arrival)}`,
  );
  // RFC 3461 §6.3: unchanged, without the encoding of the ENVID parameter.
  if (dsn.envelopeId !== undefined) out.push(field("Original-Envelope-Id", line(dsn.envelopeId)));
  if (dsn.holdRequest !== undefined) {
    out.push(field("Future-Release-Request", line(dsn.holdRequest)));
  }
  for (const r of dsn.recipients) {
    out.push("");
    if (r.originalRecipient) {
      const { type, address } = r.originalRecipient;
      out.push(field("Original-Recipient", `${line(type)}; ${line(address)}`));
    }
    const type = isAscii(r.finalRecipient) ? "rfc822" : "utf-8";
    out.push(
      `Final-Recipient: ${type}; ${line(r.finalRecipient)}`,
      `Action: ${dsn.action}`,
      `Status: ${r.status}`,
    );
    if (r.remoteMta) out.push(`Remote-MTA: dns; ${line(r.remoteMta)}`);
    if (r.diagnostic) out.push(field("Diagnostic-Code", `smtp; ${ascii(line(r.diagnostic))}`));
    if (r.lastAttempt) out.push(`Last-Attempt-Date: ${formatDate(r.lastAttempt)}`);
    if (r.retryUntil) out.push(`Will-Retry-Until: ${formatDate(r.retryUntil)}`);
  }
  const eightBit = dsn.original.some((b) => b >= 128);
  // RFC 6533 §6: the types for internationalised messages, which messages with only 8-bit text are not.
  const utf8Header = eightBit &&
    dsn.original.subarray(0, headerEnd(dsn.original)).some((b) => b >= 128);
  const type = dsn.originalIsWhole
    ? (utf8Header ? "message/global" : "message/rfc822")
    : utf8Header
    ? "message/global-headers"
    : "text/rfc822-headers";
  out.push(
    "",
    `--${boundary}`,
    `Content-Type: ${type}`,
    `Content-Transfer-Encoding: ${eightBit ? "8bit" : "7bit"}`,
    "",
    "",
  );
  const head = new TextEncoder().encode(out.join("\r\n"));
  const tail = new TextEncoder().encode(`\r\n--${boundary}--\r\n`);
  const all = new Uint8Array(head.length + dsn.original.length + tail.length);
  all.set(head);
  all.set(dsn.original, head.length);
  all.set(tail, head.length + dsn.original.length);
  return all;
}
