/**
 * Reading complaints about messages: feedback reports (ARF, RFC 5965).
 *
 * @module
 */
import { type HeaderField, headerField, splitHeader } from "../header/header.ts";
import { parseDate } from "../header/date.ts";
import { withoutComments } from "../header/params.ts";
import { reportParts } from "./report.ts";

/** A complaint about a message. */
export interface FeedbackReport {
  /** Such as "abuse" or "not-spam", in lower case. */
  type: string;
  /** Recipients of the message, as far as reported; at most 100. */
  recipients: string[];
  /** The message's sender in SMTP; "" if not reported. */
  mailFrom: string;
  /** Header fields of the message; empty if it isn't quoted. */
  original: HeaderField[];
  /** For a report of type "auth-failure": what failed. */
  failure?: AuthFailure;
}

/** A reported authentication failure (RFC 6591). Texts are unchanged, "" if not reported. */
export interface AuthFailure {
  /** Such as "dmarc", "dkim", "spf", "bodyhash", "signature", "revoked", "adsp"; lower case. */
  kind: string;
  /** The domain concerned. */
  domain: string;
  sourceIp: string;
  /** What happened to the message: "delivered", "spam", "policy", "reject", "other". */
  delivery: string;
  dkimDomain: string;
  dkimSelector: string;
  spfDns: string;
  arrival: Date | undefined;
  /** Number of messages that the report covers. */
  incidents: number;
}

/** Most recipients read from a feedback report (RFC 5965 §3.2). */
const maxRecipients = 100;
/** Most bytes read of the machine-readable part. */
const maxContent = 256 * 1024;

/** Parses a complaint; undefined if the message is not a feedback report. Never fails, and is linear. */
export function parseFeedbackReport(message: Uint8Array): FeedbackReport | undefined {
  const report = reportParts(message, ["feedback-report"]);
  if (!report) return undefined;
  const fields = splitHeader(report.content.subarray(0, maxContent));
  const type = headerField(fields, "feedback-type")?.trim().toLowerCase().split(/[\s(;]/, 1)[0];
  if (!type) return undefined;
  return {
    type,
    recipients: fields.filter((f) => f.name === "original-rcpt-to").slice(0, maxRecipients)
      .map((f) => address(f.value)).filter((a) => a.includes("@")),
    mailFrom: address(headerField(fields, "original-mail-from") ?? ""),
    original: report.original,
    ...(type === "auth-failure" ? { failure: failure(fields) } : {}),
  };
}

function failure(fields: readonly HeaderField[]): AuthFailure {
  const value = (name: string) =>
    withoutComments(headerField(fields, name) ?? "").trim().slice(0, 500);
  return {
    kind: value("auth-failure").toLowerCase(),
    domain: value("reported-domain").toLowerCase() || value("dkim-domain").toLowerCase(),
    sourceIp: value("source-ip"),
    delivery: value("delivery-result").toLowerCase(),
    dkimDomain: value("dkim-domain").toLowerCase(),
    dkimSelector: value("dkim-selector"),
    spfDns: value("spf-dns"),
    arrival: parseDate(value("arrival-date") || value("received-date")),
    incidents: Math.min(1e9, Number.parseInt(value("incidents"), 10) || 1),
  };
}

/** An address without the brackets and the type that some programs add. */
function address(value: string): string {
  const v = value.trim().replace(/^rfc822\s*;\s*/i, "");
  return v.startsWith("<") && v.endsWith(">") ? v.slice(1, -1) : v;
}
