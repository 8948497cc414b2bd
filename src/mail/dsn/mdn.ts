/**
 * Notifications that a message was read (MDN, RFC 8098): composing them, and reading those of others. @module
 */
import { foldField } from "../compose.ts";
import { formatDate } from "../header/date.ts";
import { encodeWord } from "../header/encode.ts";
import { type HeaderField, headerField, splitHeader } from "../header/header.ts";
import { parseMessage } from "../structure/structure.ts";
import { decodeTransferEncoding } from "../transfer/transfer.ts";
import { reportParts } from "./report.ts";

/** What a reader did with a message. */
export interface Disposition {
  actionMode: "manual-action" | "automatic-action";
  sendingMode: "mdn-sent-manually" | "mdn-sent-automatically";
  type: "deleted" | "dispatched" | "displayed" | "processed";
}

/** An MDN to be written. Values are single lines; line breaks in them become spaces. */
export interface Mdn {
  /** With angle brackets, such as `Ann <ann@x.example>`; already encoded. */
  from: string;
  to: string;
  subject: string;
  date: Date;
  /** Without angle brackets. */
  messageId: string;
  text: string;
  reportingUa: string | undefined;
  disposition: Disposition;
  finalRecipient: string;
  originalRecipient: string | undefined;
  /** With angle brackets. */
  originalMessageId: string | undefined;
  extensionFields: readonly (readonly [string, string])[];
  /** Header of the message that was read, if it should be included. */
  original: Uint8Array | undefined;
}

// deno-lint-ignore no-control-regex -- searches for what could break out of a line
const line = (s: string) => s.replace(/[\x00-\x1f\x7f]+/g, " ").trim().slice(0, 900);
// deno-lint-ignore no-control-regex -- all of ASCII
const isAscii = (s: string) => /^[\x00-\x7f]*$/.test(s);
const field = (name: string, value: string) => foldField(name, value).trimEnd();

/** The complete message; header and body are separate. */
export function composeMdn(mdn: Mdn): { header: Uint8Array; body: Uint8Array } {
  const boundary = `mox-${mdn.messageId.replace(/[^A-Za-z0-9]/g, "").slice(0, 40)}`;
  const subject = line(mdn.subject);
  const head = [
    field("From", line(mdn.from)),
    field("To", line(mdn.to)),
    field("Subject", isAscii(subject) ? subject : encodeWord(subject)),
    `Date: ${formatDate(mdn.date)}`,
    `Message-ID: <${mdn.messageId}>`,
  ];
  if (mdn.originalMessageId !== undefined) {
    head.push(
      `In-Reply-To: ${line(mdn.originalMessageId)}`,
      `References: ${line(mdn.originalMessageId)}`,
    );
  }
  head.push(
    // RFC 3834 §5: no program should answer this.
    "Auto-Submitted: auto-replied",
    "MIME-Version: 1.0",
    `Content-Type: multipart/report; report-type=disposition-notification; boundary="${boundary}"`,
    "",
    "",
  );
  const text = new TextEncoder().encode(mdn.text.replace(/\r\n?|\n/g, "\r\n"));
  const machine = [
    ...(mdn.reportingUa === undefined ? [] : [field("Reporting-UA", line(mdn.reportingUa))]),
    ...(mdn.originalRecipient === undefined
      ? []
      : [`Original-Recipient: ${line(mdn.originalRecipient)}`]),
    `Final-Recipient: ${line(mdn.finalRecipient)}`,
    ...(mdn.originalMessageId === undefined
      ? []
      : [`Original-Message-ID: ${line(mdn.originalMessageId)}`]),
    `Disposition: ${mdn.disposition.actionMode}/${mdn.disposition.sendingMode}; ${mdn.disposition.type}`,
    ...mdn.extensionFields.map(([name, value]) => field(name, line(value))),
  ];
  const parts = [
    `--${boundary}`,
    "Content-Type: text/plain; charset=utf-8",
    "Content-Transfer-Encoding: base64",
    "",
    ...(text.toBase64().match(/.{1,76}/g) ?? []),
    `--${boundary}`,
    "Content-Type: message/disposition-notification",
    "",
    ...machine,
    "",
  ];
  if (mdn.original !== undefined) {
    const eight = mdn.original.some((b) => b > 127);
    parts.push(
      `--${boundary}`,
      `Content-Type: ${eight ? "message/global-headers" : "text/rfc822-headers"}`,
      ...(eight ? ["Content-Transfer-Encoding: 8bit"] : []),
      "",
      new TextDecoder().decode(mdn.original).trimEnd(),
      "",
    );
  }
  parts.push(`--${boundary}--`, "");
  const encoder = new TextEncoder();
  return { header: encoder.encode(head.join("\r\n")), body: encoder.encode(parts.join("\r\n")) };
}

/** A received MDN. */
export interface ParsedMdn {
  subject: string | undefined;
  text: string | undefined;
  reportingUa: string | undefined;
  mdnGateway: string | undefined;
  disposition: Disposition;
  originalRecipient: string | undefined;
  finalRecipient: string | undefined;
  originalMessageId: string | undefined;
  errors: string[];
  extensionFields: [string, string][];
  includesOriginal: boolean;
  /** Fields of the message that was read. */
  original: HeaderField[];
}

/** Most bytes read of the machine-readable part, and most of its fields. */
const maxStatus = 64 * 1024;
const maxFields = 200;
const types = ["deleted", "dispatched", "displayed", "processed"] as const;
const known = new Set([
  "reporting-ua",
  "mdn-gateway",
  "original-recipient",
  "final-recipient",
  "original-message-id",
  "disposition",
  "error",
]);

/** "manual-action/MDN-sent-manually; displayed" (RFC 8098 §3.2.6). */
function disposition(value: string): Disposition | undefined {
  const m =
    /^\s*(manual-action|automatic-action)\s*\/\s*(mdn-sent-manually|mdn-sent-automatically)\s*;\s*([a-z]+)/i
      .exec(value);
  const type = m && types.find((t) => t === m[3].toLowerCase());
  if (!m || !type) return undefined;
  return {
    actionMode: m[1].toLowerCase() as Disposition["actionMode"],
    sendingMode: m[2].toLowerCase() as Disposition["sendingMode"],
    type,
  };
}

/** Parses an MDN; undefined for other messages. Never fails, and is linear. */
export function parseMdn(message: Uint8Array): ParsedMdn | undefined {
  const report = reportParts(message, [
    "disposition-notification",
    "global-disposition-notification",
  ]);
  if (report === undefined) return undefined;
  const fields = splitHeader(report.content.subarray(0, maxStatus)).slice(0, maxFields);
  const said = disposition(headerField(fields, "disposition") ?? "");
  if (said === undefined) return undefined;
  const { root } = parseMessage(message);
  const first = root.parts[0];
  const raw = first?.type === "text"
    ? message.subarray(first.bodyOffset, Math.min(first.endOffset, first.bodyOffset + maxStatus))
    : undefined;
  const text = raw && new TextDecoder().decode(decodeTransferEncoding(raw, first.encoding) ?? raw);
  const get = (name: string) => headerField(fields, name)?.trim() || undefined;
  return {
    subject: headerField(splitHeader(message.subarray(0, root.bodyOffset)), "subject")?.trim(),
    text,
    reportingUa: get("reporting-ua"),
    mdnGateway: get("mdn-gateway"),
    disposition: said,
    originalRecipient: get("original-recipient"),
    finalRecipient: get("final-recipient"),
    originalMessageId: get("original-message-id"),
    errors: fields.filter((f) => f.name === "error").map((f) => f.value.trim()),
    extensionFields: fields.filter((f) => !known.has(f.name)).map((f) => [f.name, f.value.trim()]),
    includesOriginal: report.original.length > 0,
    original: report.original,
  };
}
