/**
 * PARTIAL ranges (RFC 9394).
 *
 * @module
 */
import type { Cursor } from "./cursor.ts";

/** Places in a result, from 1, or with `fromEnd` counted from its end. First is at most last. */
export interface PartialRange {
  fromEnd: boolean;
  first: number;
  last: number;
  /** As written in the answer. */
  label: string;
}

export function parsePartialRange(cursor: Cursor): PartialRange {
  const fromEnd = cursor.at("-");
  const read = () => {
    if (fromEnd) cursor.expect("-");
    return cursor.nzNumber("place in the result");
  };
  const a = read();
  cursor.expect(":");
  const b = read();
  const [first, last] = [Math.min(a, b), Math.max(a, b)];
  // RFC 5267 §4.4: a range and its reverse are the same.
  return { fromEnd, first, last, label: fromEnd ? `-${first}:-${last}` : `${first}:${last}` };
}

/** The part of a result; lists counted from the end keep their order. */
export function slicePartial<T extends { length: number; slice(a: number, b: number): T }>(
  list: T,
  range: PartialRange,
): T {
  if (!range.fromEnd) return list.slice(range.first - 1, range.last);
  const n = list.length;
  return list.slice(Math.max(0, n - range.last), Math.max(0, n - range.first + 1));
}
