/**
 * Comparators of Sieve (RFC 4790, 5051, 5228 §2.7.3).
 *
 * @module
 */
import { collationKey } from "../../mail/text/collation.ts";

export type Comparator = "i;octet" | "i;ascii-casemap" | "i;ascii-numeric" | "i;unicode-casemap";

/** Each comparator, and whether it supports substrings. */
export const comparators: ReadonlyMap<string, { substring: boolean }> = new Map([
  ["i;octet", { substring: true }],
  ["i;ascii-casemap", { substring: true }],
  ["i;ascii-numeric", { substring: false }],
  ["i;unicode-casemap", { substring: true }],
]);

/** a to z in upper case, everything else unchanged. */
export function asciiUpper(s: string): string {
  // deno-lint-ignore no-control-regex -- all of ASCII
  return /^[\x00-\x7f]*$/.test(s)
    ? s.toUpperCase()
    : s.replace(/[a-z]+/g, (letters) => letters.toUpperCase());
}

/** The form of a text for comparing and searching substrings. */
export function folded(comparator: Comparator, s: string): string {
  switch (comparator) {
    case "i;ascii-casemap":
      return asciiUpper(s);
    case "i;unicode-casemap":
      return collationKey(s);
    default:
      return s;
  }
}

/** RFC 4790 §9.1: the digits at the start without leading zeros; undefined for infinity. */
function numeric(s: string): string | undefined {
  const digits = /^[0-9]+/.exec(s)?.[0];
  return digits === undefined ? undefined : digits.replace(/^0+(?=.)/, "");
}

/** By the octets of UTF-8, which is the order of the code points. */
function compareText(a: string, b: string): number {
  const n = Math.min(a.length, b.length);
  for (let i = 0; i < n; i++) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x === y) continue;
    // Surrogates stand for characters above all others.
    const surrogates = (x >= 0xd800 && x < 0xe000 ? 1 : 0) - (y >= 0xd800 && y < 0xe000 ? 1 : 0);
    return surrogates !== 0 ? surrogates : x - y;
  }
  return a.length - b.length;
}

/** Below, at or above 0 if the first is before, equal to or after the second. */
export function compare(comparator: Comparator, a: string, b: string): number {
  if (comparator !== "i;ascii-numeric") {
    return compareText(folded(comparator, a), folded(comparator, b));
  }
  const x = numeric(a);
  const y = numeric(b);
  if (x === undefined || y === undefined) {
    return (x === undefined ? 1 : 0) - (y === undefined ? 1 : 0);
  }
  return x.length - y.length || compareText(x, y);
}

export function equal(comparator: Comparator, a: string, b: string): boolean {
  return comparator === "i;octet" ? a === b : compare(comparator, a, b) === 0;
}
