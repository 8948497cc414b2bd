/** What SORT sorts by (RFC 5256 §3, RFC 5957). @module */

export const sortKeys = [
  "ARRIVAL",
  "CC",
  "DATE",
  "FROM",
  "SIZE",
  "SUBJECT",
  "TO",
  "DISPLAYFROM",
  "DISPLAYTO",
  // RFC 6203 §5.
  "RELEVANCY",
] as const;

export interface SortKey {
  key: (typeof sortKeys)[number];
  reverse: boolean;
}
