/**
 * Sequence sets (RFC 9051 §9 sequence-set): parsed, resolved against existing messages, written compactly.
 *
 * @module
 */
import type { Cursor } from "./cursor.ts";

/** A parsed set. `*` is 0. */
export interface NumSet {
  /** "$": the saved result (RFC 5182). */
  saved: boolean;
  /** Pairs, in the order given; first and last may be in any order. */
  ranges: [number, number][];
}

/** Ranges that a set may have. */
export const maxRanges = 250_000;

/** Reads a sequence set. */
export function parseNumSet(cursor: Cursor, what = "sequence set", allowSaved = true): NumSet {
  if (allowSaved && cursor.take("$")) return { saved: true, ranges: [] };
  const ranges: [number, number][] = [];
  do {
    const from = cursor.take("*") ? 0 : cursor.nzNumber(what);
    const to = cursor.take(":") ? (cursor.take("*") ? 0 : cursor.nzNumber(what)) : from;
    ranges.push([from, to]);
    if (ranges.length > maxRanges) cursor.fail(`at most ${maxRanges} ranges`);
  } while (cursor.take(","));
  return { saved: false, ranges };
}

/** Ranges ascending and without overlap, `*` being the highest number; [from, to] both inclusive. */
export function normalRanges(set: NumSet, highest: number): [number, number][] {
  const list = set.ranges.map(([a, b]): [number, number] => {
    const from = a === 0 ? highest : a;
    const to = b === 0 ? highest : b;
    return from <= to ? [from, to] : [to, from];
  });
  if (list.length > 1) list.sort((x, y) => x[0] - y[0]);
  const out: [number, number][] = [];
  for (const r of list) {
    const last = out[out.length - 1];
    if (last && r[0] <= last[1] + 1) {
      if (r[1] > last[1]) last[1] = r[1];
    } else out.push(r);
  }
  return out;
}

/** Index of the first element that isn't less than the value. */
export function lowerBound(
  sorted: ArrayLike<number>,
  value: number,
  length = sorted.length,
): number {
  let lo = 0;
  let hi = length;
  while (lo < hi) {
    const mid = (lo + hi) >>> 1;
    if (sorted[mid] < value) lo = mid + 1;
    else hi = mid;
  }
  return lo;
}

/** Numbers as a set: 1:3,7,9:10; it keeps an order that isn't ascending (RFC 5267 §3). */
export function formatNumSet(numbers: ArrayLike<number>): string {
  let out = "";
  for (let i = 0; i < numbers.length;) {
    let end = i + 1;
    while (end < numbers.length && numbers[end] === numbers[end - 1] + 1) end++;
    if (out !== "") out += ",";
    out += end - i > 1 ? `${numbers[i]}:${numbers[end - 1]}` : `${numbers[i]}`;
    i = end;
  }
  return out;
}
