/**
 * Merges two changes of one text by lines, where they don't touch each other.
 *
 * @module
 */

/** Lines `[from, to)` of the base, and what one side replaced them with. */
interface Change {
  from: number;
  to: number;
  lines: readonly string[];
}

/** Lines with their ends. */
function linesOf(text: string): string[] {
  return text.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}

/**
 * The base with the changes of both sides.
 * @returns undefined where both have changed the same line, or adjacent lines, in different ways
 */
export function mergeLines(base: string, ours: string, theirs: string): string | undefined {
  if (ours === theirs || theirs === base) return ours;
  if (ours === base) return theirs;
  const lines = linesOf(base);
  const all = [...changesOf(lines, linesOf(ours)), ...changesOf(lines, linesOf(theirs))]
    .sort((a, b) => a.from - b.from || a.to - b.to);
  const merged: string[] = [];
  let at = 0;
  let last: Change | undefined;
  for (const change of all) {
    if (last !== undefined && change.from <= last.to) {
      // Changes of one side never touch each other.
      if (isSame(change, last)) continue;
      return undefined;
    }
    for (; at < change.from; at++) merged.push(lines[at]);
    for (const line of change.lines) merged.push(line);
    at = change.to;
    last = change;
  }
  for (; at < lines.length; at++) merged.push(lines[at]);
  return merged.join("");
}

function isSame(a: Change, b: Change): boolean {
  return a.from === b.from && a.to === b.to && a.lines.length === b.lines.length &&
    a.lines.every((line, i) => line === b.lines[i]);
}

/**
 * What changed between two texts, in order. Lines that occur exactly once in each are matched, as far as their
 * order allows ("patience diff"). Time grows with n log n.
 */
function changesOf(from: readonly string[], to: readonly string[]): Change[] {
  const changes: Change[] = [];
  const ranges: [number, number, number, number][] = [[0, from.length, 0, to.length]];
  for (let range = ranges.pop(); range !== undefined; range = ranges.pop()) {
    let [a, aEnd, b, bEnd] = range;
    for (; a < aEnd && b < bEnd && from[a] === to[b]; a++) b++;
    for (; a < aEnd && b < bEnd && from[aEnd - 1] === to[bEnd - 1]; aEnd--) bEnd--;
    if (a === aEnd && b === bEnd) continue;
    const anchors = a < aEnd && b < bEnd ? uniqueLines(from, to, [a, aEnd, b, bEnd]) : [];
    if (anchors.length === 0) {
      changes.push({ from: a, to: aEnd, lines: to.slice(b, bEnd) });
      continue;
    }
    for (const [i, j] of anchors) {
      ranges.push([a, i, b, j]);
      [a, b] = [i, j];
    }
    ranges.push([a, aEnd, b, bEnd]);
  }
  return changes.sort((x, y) => x.from - y.from);
}

/**
 * Pairs of positions of lines that occur exactly once in both ranges, both positions ascending: as many as
 * possible.
 */
function uniqueLines(
  from: readonly string[],
  to: readonly string[],
  [a, aEnd, b, bEnd]: readonly [number, number, number, number],
): [number, number][] {
  const places = new Map<string, { count: number; i: number; count2: number; j: number }>();
  for (let i = a; i < aEnd; i++) {
    const p = places.get(from[i]);
    if (p === undefined) places.set(from[i], { count: 1, i, count2: 0, j: 0 });
    else p.count++;
  }
  for (let j = b; j < bEnd; j++) {
    const p = places.get(to[j]);
    if (p === undefined) continue;
    p.count2++;
    p.j = j;
  }
  const pairs = [...places.values()].filter((p) => p.count === 1 && p.count2 === 1);
  // The longest ascending sequence of j: for each length the lowest end, and what precedes it.
  const ends: number[] = [];
  const before = new Array<number>(pairs.length);
  for (const [n, { j }] of pairs.entries()) {
    let [low, high] = [0, ends.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (pairs[ends[middle]].j < j) low = middle + 1;
      else high = middle;
    }
    before[n] = low > 0 ? ends[low - 1] : -1;
    ends[low] = n;
  }
  const found: [number, number][] = [];
  for (let n = ends.at(-1) ?? -1; n >= 0; n = before[n]) found.push([pairs[n].i, pairs[n].j]);
  return found.reverse();
}
