/** Comparing texts with the collations that the session announces (RFC 8620 §5.5, RFC 4790). @module */
import { collationKey } from "../../../mail/text/collation.ts";

const collations = ["i;ascii-casemap", "i;unicode-casemap", "i;octet"];

export function isCollation(name: string): boolean {
  return collations.includes(name);
}

function asciiUpper(s: string): string {
  return s.replace(/[a-z]+/g, (c) => c.toUpperCase());
}

/** The sort key of a text; `i;unicode-casemap` if no collation is given. */
export function sortKey(text: string, collation = "i;unicode-casemap"): string {
  switch (collation) {
    case "i;octet":
      return text;
    case "i;ascii-casemap":
      return asciiUpper(text);
    default:
      return collationKey(text);
  }
}

export function compareTexts(a: string, b: string, collation?: string): number {
  const [x, y] = [sortKey(a, collation), sortKey(b, collation)];
  return x < y ? -1 : x > y ? 1 : 0;
}
