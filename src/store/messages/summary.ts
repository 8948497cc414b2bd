/**
 * The summary of an email: the data for lists, SORT and THREAD that saves opening it, its stored form, and the
 * limits for a header's addresses and texts.
 *
 * @module
 */
import { standardBaseSubject } from "../../mail/header/subject.ts";
import { collationKey } from "../../mail/text/collation.ts";

/** The data of an email that lists, SORT and THREAD need without opening it. Texts are decoded. */
export interface Summary {
  /** Normalised, without <>; "" if none. */
  messageId: string;
  /** References then In-Reply-To, oldest first, at most 100. */
  references: string[];
  /** How many of the last ones are only in In-Reply-To; undefined for none. */
  repliesOnly: number | undefined;
  subject: string;
  /** Collation key of the base subject (RFC 5256 §2.1). */
  sortSubject: string;
  /** Date header in milliseconds; undefined without a valid one. */
  sent: number | undefined;
  /** Time zone of the Date header in minutes east of Greenwich; undefined for 0. */
  sentZone: number | undefined;
  from: SummaryAddress[];
  to: SummaryAddress[];
  cc: SummaryAddress[];
  bcc: SummaryAddress[];
  replyTo: SummaryAddress[];
  preview: string;
  hasAttachment: boolean;
  /** Names of groups in the address fields (RFC 5322 §3.4), which searches include. */
  groups?: Partial<Record<AddressField, GroupNames>>;
}
/** Address fields whose groups are stored. */
export type AddressField = "from" | "to" | "cc" | "bcc";
export interface GroupNames {
  names: string[];
  /** The field begins with the first group: it is sorted by that (RFC 5256 §3, RFC 5957 §3). */
  first: boolean;
}
export interface SummaryAddress {
  name: string;
  /** localpart@domain, domain in Unicode and lower case. */
  address: string;
}

/** Most addresses of a field, and most characters of a text. */
export const maxSummaryAddresses = 1000;
export const maxSummaryText = 4000;

/** True if a summary may be incomplete: then only the header has everything. */
export function isCutSummary(summary: Summary): boolean {
  const long = (a: SummaryAddress) =>
    a.name.length >= maxSummaryText || a.address.length >= maxSummaryText;
  return summary.subject.length >= maxSummaryText ||
    [summary.from, summary.to, summary.cc, summary.bcc].some((l) =>
      l.length >= maxSummaryAddresses || l.some(long)
    ) ||
    Object.values(summary.groups ?? {}).some((g) =>
      g.names.length >= maxSummaryAddresses || g.names.some((n) => n.length >= maxSummaryText)
    );
}

/** A summary with all fields empty. */
export const noSummary: Summary = {
  messageId: "",
  references: [],
  repliesOnly: undefined,
  subject: "",
  sortSubject: "",
  sent: undefined,
  sentZone: undefined,
  from: [],
  to: [],
  cc: [],
  bcc: [],
  replyTo: [],
  preview: "",
  hasAttachment: false,
};

/** Parses a stored summary, which has only fields that aren't empty. */
export function parseSummary(text: string): Summary {
  const s = { ...noSummary, ...JSON.parse(text) };
  // From before the collation was that of the RFC.
  if ("baseSubject" in s) s.sortSubject = sortSubject(s.subject);
  return s;
}

/** The key of a decoded subject that SORT and THREAD compare. */
export function sortSubject(subject: string): string {
  return collationKey(standardBaseSubject(subject).base);
}

/**
 * Single fields of a stored summary, for sorting without the cost of parsing all of it. Quotes in values are
 * escaped, so what looks like a key is one, and no other object in a summary has these.
 */
export function storedSent(text: string): number | undefined {
  const at = text.indexOf('"sent":');
  return at < 0 ? undefined : Number.parseInt(text.slice(at + 7, at + 30));
}
export function storedSortSubject(text: string): string {
  const start = text.indexOf('"sortSubject":"');
  if (start < 0) return text.includes('"baseSubject":"') ? parseSummary(text).sortSubject : "";
  const end = text.indexOf('"', start + 15);
  const value = text.slice(start + 15, end < 0 ? undefined : end);
  return value.includes("\\") ? parseSummary(text).sortSubject : value;
}

/** The stored form of a summary. */
export function packSummary(summary: Summary): string {
  const r: Record<string, unknown> = {};
  for (const [k, v] of Object.entries(summary)) {
    if (v === undefined || v === "" || v === false || (Array.isArray(v) && v.length === 0)) {
      continue;
    }
    r[k] = v;
  }
  return JSON.stringify(r);
}
