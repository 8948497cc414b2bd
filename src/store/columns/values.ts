/**
 * The values of an email that searches, SORT and THREAD compare, made from its summary: one for each column.
 *
 * Texts are folded already, so that they only need comparing. Facts of an email that never change are here;
 * those of a message in a mailbox (flags, dates) are in messages/mailbox_rows.ts.
 *
 * @module
 */
import { standardBaseSubject } from "../../mail/header/subject.ts";
import { collationKey } from "../../mail/text/collation.ts";
import {
  type AddressField,
  isCutSummary,
  type Summary,
  type SummaryAddress,
} from "../messages/summary.ts";
import { addressText, foldCase } from "../search/text.ts";

/** Emails per chunk; a chunk's first id is a multiple of it. */
export const chunkEmails = 1024;

/** Ends an email's value in a chunk's text. */
export const valueEnd = "\x01";
/** Separates several values of an email. */
export const valueSeparator = "\x02";
/** In place of a value that can't be stored: the summary or the message must be read. */
export const unknownValue = "\x03";

/** Columns of texts. */
export const textColumns = [
  // As SEARCH sees the envelope: folded, one value per address.
  "subject",
  "from",
  "to",
  "cc",
  "bcc",
  // As SORT compares (RFC 5256 §3, RFC 5957 §3).
  "sortSubject",
  "sortFrom",
  "sortTo",
  "sortCc",
  "displayFrom",
  "displayTo",
  // As THREAD needs them: "1" for a subject with a reply mark, the message-id, and the ids it refers to.
  "reply",
  "messageId",
  "references",
] as const;
export type TextColumn = (typeof textColumns)[number];

/** Columns of numbers, NaN for none. `sent` in milliseconds, `sentDay` in the zone as written. */
export const numberColumns = ["sent", "sentDay", "attachment"] as const;
export type NumberColumn = (typeof numberColumns)[number];

export type EmailValues =
  & Record<TextColumn, string>
  & Record<NumberColumn, number>;

/** The name of the group that a field begins with; undefined if it begins with an address. */
function firstGroup(summary: Summary, field: AddressField): string | undefined {
  const g = summary.groups?.[field];
  return g?.first ? g.names[0] : undefined;
}

/** RFC 5256 §3: the mailbox of the envelope's first address, for a group the group's name. */
export function sortLocalpart(summary: Summary, field: AddressField): string {
  const a = summary[field][0]?.address ?? "";
  const at = a.lastIndexOf("@");
  return collationKey(firstGroup(summary, field) ?? (at < 0 ? a : a.slice(0, at)));
}

/** RFC 5957 §3: the display name, or else the address; for a group the group's name. */
export function sortDisplay(summary: Summary, field: AddressField): string {
  const a: SummaryAddress | undefined = summary[field][0];
  return collationKey(firstGroup(summary, field) ?? (a ? a.name || a.address : ""));
}

/** True if the subject has a reply or forward mark. Most subjects can't have one, "Re:" or "(fwd)". */
export function isReplySubject(subject: string): boolean {
  return /[:(]/.test(subject) && standardBaseSubject(subject).isReply;
}

/** RFC 5256 §3: the ids of References, or if there are none the first of In-Reply-To. */
export function threadReferences({ references, repliesOnly = 0 }: Summary): string[] {
  const fromReferences = references.length - repliesOnly;
  return references.slice(0, fromReferences > 0 ? fromReferences : 1);
}

// deno-lint-ignore no-control-regex -- characters with a meaning in a chunk, and NUL
const reserved = /[\x00-\x03]/;

/** Joins several values; unknown if one of them has a character with a meaning here. */
function joined(values: readonly string[]): string {
  if (values.some((v) => reserved.test(v))) return unknownValue;
  return values.join(valueSeparator);
}

/** The columns of an email. */
export function valuesOf(summary: Summary): EmailValues {
  const cut = isCutSummary(summary);
  const searched = (field: AddressField) =>
    cut ? unknownValue : joined([
      ...summary[field].map(addressText),
      ...(summary.groups?.[field]?.names ?? []).map(foldCase),
    ]);
  const sent = summary.sent ?? NaN;
  return {
    subject: cut ? unknownValue : joined([foldCase(summary.subject)]),
    from: searched("from"),
    to: searched("to"),
    cc: searched("cc"),
    bcc: searched("bcc"),
    sortSubject: joined([summary.sortSubject]),
    sortFrom: joined([sortLocalpart(summary, "from")]),
    sortTo: joined([sortLocalpart(summary, "to")]),
    sortCc: joined([sortLocalpart(summary, "cc")]),
    displayFrom: joined([sortDisplay(summary, "from")]),
    displayTo: joined([sortDisplay(summary, "to")]),
    reply: isReplySubject(summary.subject) ? "1" : "",
    messageId: joined([summary.messageId]),
    references: joined(threadReferences(summary)),
    sent,
    sentDay: sent + (summary.sentZone ?? 0) * 60_000,
    attachment: summary.hasAttachment ? 1 : 0,
  };
}
