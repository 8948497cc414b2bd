/**
 * How much of a header's addresses and texts goes into the summary of an email.
 *
 * @module
 */
import type { Summary, SummaryAddress } from "../types.ts";

/** Addresses of a field, and characters of a text. */
export const maxSummaryAddresses = 1000;
export const maxSummaryText = 4000;

/** True if something may have been left out of a summary: then only the header has all. */
export function isCutSummary(s: Summary): boolean {
  const long = (a: SummaryAddress) =>
    a.name.length >= maxSummaryText || a.address.length >= maxSummaryText;
  return s.subject.length >= maxSummaryText ||
    [s.from, s.to, s.cc, s.bcc].some((l) => l.length >= maxSummaryAddresses || l.some(long)) ||
    Object.values(s.groups ?? {}).some((g) =>
      g.names.length >= maxSummaryAddresses || g.names.some((n) => n.length >= maxSummaryText)
    );
}
