/**
 * Reading delivery status notifications of others (RFC 3464, RFC 6533).
 *
 * @module
 */
import { parseDate } from "../header/date.ts";
import { type HeaderField, headerField, splitHeader } from "../header/header.ts";
import { reportParts } from "./report.ts";

/** An address or host with its type, such as "rfc822" or "dns", in lower case. */
export interface Typed {
  type: string;
  value: string;
}

export interface ParsedDsnRecipient {
  finalRecipient: Typed;
  originalRecipient?: Typed;
  action: "failed" | "delayed" | "delivered" | "relayed" | "expanded";
  /** Enhanced status code, such as "5.1.1". */
  status: string;
  remoteMta?: Typed;
  diagnosticCode?: Typed;
  lastAttempt?: Date;
  willRetryUntil?: Date;
}

export interface ParsedDsn {
  reportingMta?: Typed;
  /** Decoded. */
  originalEnvelopeId?: string;
  arrivalDate?: Date;
  /** Recipients whose address, action and status are readable; at most 1000. */
  recipients: ParsedDsnRecipient[];
  /** Header fields of the original message; empty if it isn't quoted. */
  original: HeaderField[];
}

/** Most recipients read from a delivery status notification (RFC 3464 §2.3). */
const maxRecipients = 1000;
/** Most bytes read of a status part. */
const maxStatus = 4 * 1024 * 1024;
/** Values of report-type, and of the part's subtype. */
const statusTypes = ["delivery-status", "global-delivery-status"];
const actions = ["failed", "delayed", "delivered", "relayed", "expanded"] as const;

/**
 * Parses a report; undefined if the message is not a multipart/report of delivery status with at least one
 * recipient. Never fails, and is linear.
 */
export function parseDsn(message: Uint8Array): ParsedDsn | undefined {
  const report = reportParts(message, statusTypes);
  if (!report) return undefined;
  const blocks = statusBlocks(report.content.subarray(0, maxStatus));
  const [head, ...rest] = blocks;
  // Some programs leave out the fields for the message as a whole.
  const perMessage = head && headerField(head, "final-recipient") === undefined ? head : [];
  const recipients = (perMessage === head ? rest : blocks).slice(0, maxRecipients)
    .flatMap((b) => recipient(b) ?? []);
  if (recipients.length === 0) return undefined;
  const envelopeId = headerField(perMessage, "original-envelope-id");
  return {
    reportingMta: typed(headerField(perMessage, "reporting-mta")),
    originalEnvelopeId: envelopeId === undefined ? undefined : fromXtext(envelopeId),
    arrivalDate: date(perMessage, "arrival-date"),
    recipients,
    original: report.original,
  };
}

/** Fields in blocks separated by empty lines. */
function statusBlocks(bytes: Uint8Array): HeaderField[][] {
  const blocks: HeaderField[][] = [];
  let start = 0;
  const block = (end: number) => {
    // The message's own block comes first.
    if (blocks.length > maxRecipients) return;
    const fields = splitHeader(bytes.subarray(start, end));
    if (fields.length > 0) blocks.push(fields);
  };
  let lineStart = 0;
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] !== 10) continue;
    const length = i - lineStart - (bytes[i - 1] === 13 && i > lineStart ? 1 : 0);
    if (length === 0) {
      if (lineStart > start) block(lineStart);
      start = i + 1;
    }
    lineStart = i + 1;
  }
  if (start < bytes.length) block(bytes.length);
  return blocks;
}

function recipient(fields: HeaderField[]): ParsedDsnRecipient | undefined {
  const finalRecipient = typed(headerField(fields, "final-recipient"));
  const originalRecipient = typed(headerField(fields, "original-recipient"));
  const action = actions.find((a) => a === word(headerField(fields, "action") ?? "").toLowerCase());
  const status = word(headerField(fields, "status") ?? "");
  const who = finalRecipient ?? originalRecipient;
  if (!who || !action || !/^[245]\.\d{1,3}\.\d{1,3}$/.test(status)) return undefined;
  return {
    finalRecipient: address(who),
    originalRecipient: originalRecipient && address(originalRecipient),
    action,
    status,
    remoteMta: typed(headerField(fields, "remote-mta")),
    diagnosticCode: typed(headerField(fields, "diagnostic-code")),
    lastAttempt: date(fields, "last-attempt-date"),
    willRetryUntil: date(fields, "will-retry-until"),
  };
}

/** The first word; comments may follow it. */
function word(s: string): string {
  const end = s.search(/[\s(;]/);
  return end < 0 ? s : s.slice(0, end);
}

function date(fields: HeaderField[], name: string): Date | undefined {
  const v = headerField(fields, name);
  return v === undefined ? undefined : parseDate(v);
}

function typed(value: string | undefined): Typed | undefined {
  if (value === undefined) return undefined;
  const semicolon = value.indexOf(";");
  if (semicolon < 0) return undefined;
  const v = value.slice(semicolon + 1).trim();
  return v === "" ? undefined : { type: value.slice(0, semicolon).trim().toLowerCase(), value: v };
}

/** An address without the brackets that some programs add; the encoding of RFC 6533 §3 is decoded. */
function address(t: Typed): Typed {
  let value = t.value;
  if (value.startsWith("<") && value.endsWith(">")) value = value.slice(1, -1);
  if (t.type === "utf-8") {
    value = value.replace(/\\x\{([0-9A-Fa-f]{2,6})\}/g, (all, hex: string) => {
      const code = parseInt(hex, 16);
      // Surrogates and values beyond Unicode are dropped.
      return code <= 0x10ffff && (code < 0xd800 || code > 0xdfff)
        ? String.fromCodePoint(code)
        : all;
    });
  }
  return { type: t.type, value };
}

/** RFC 3461 §4: "+" and two hexadecimal digits are a byte; everything else stays. */
function fromXtext(s: string): string {
  const raw = new TextEncoder().encode(s);
  const out: number[] = [];
  for (let i = 0; i < raw.length; i++) {
    const digits = String.fromCharCode(raw[i + 1], raw[i + 2]);
    if (raw[i] === 43 && /^[0-9A-Fa-f]{2}$/.test(digits)) {
      out.push(parseInt(digits, 16));
      i += 2;
    } else {
      out.push(raw[i]);
    }
  }
  return new TextDecoder().decode(new Uint8Array(out));
}
