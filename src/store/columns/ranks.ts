/**
 * Ordering many messages: values become numbers in the same order (ranks), which are sorted together with the
 * messages' positions, as plain numbers.
 *
 * @module
 */
import { giveWay } from "../../platform/turns.ts";

/** Integers from 0 to `max`, ordered like the values. */
export interface Ranks {
  ranks: Float64Array;
  max: number;
}

/** Strings that are sorted between two turns of the event loop. */
const stringsPerSlice = 8192;

/** Ranks of texts, compared by their code units. */
export async function rankTexts(values: readonly string[]): Promise<Ranks> {
  const places = new Map<string, number>();
  const ranks = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) {
    let place = places.get(values[i]);
    if (place === undefined) places.set(values[i], place = places.size);
    ranks[i] = place;
    if (i % stringsPerSlice === 0) await giveWay();
  }
  const sorted = await sortTexts([...places.keys()]);
  const rankOf = new Float64Array(sorted.length);
  for (let r = 0; r < sorted.length; r++) rankOf[places.get(sorted[r])!] = r;
  await giveWay();
  for (let i = 0; i < ranks.length; i++) ranks[i] = rankOf[ranks[i]];
  return { ranks, max: Math.max(0, sorted.length - 1) };
}

/** Sorts texts, in slices that are then merged. */
export async function sortTexts(texts: string[]): Promise<string[]> {
  let runs: string[][] = [];
  for (let at = 0; at < texts.length; at += stringsPerSlice) {
    runs.push(texts.slice(at, at + stringsPerSlice).sort());
    await giveWay();
  }
  while (runs.length > 1) {
    const next: string[][] = [];
    for (let i = 0; i < runs.length; i += 2) {
      next.push(i + 1 < runs.length ? await merge(runs[i], runs[i + 1]) : runs[i]);
    }
    runs = next;
  }
  return runs[0] ?? [];
}

async function merge(a: readonly string[], b: readonly string[]): Promise<string[]> {
  const out: string[] = new Array(a.length + b.length);
  let i = 0;
  let j = 0;
  for (let n = 0; n < out.length; n++) {
    out[n] = j >= b.length || (i < a.length && a[i] <= b[j]) ? a[i++] : b[j++];
    if (n % stringsPerSlice === 0) await giveWay();
  }
  return out;
}

/** Ranks of numbers; times in whole seconds are their own ranks. */
export function rankNumbers(values: Float64Array): Ranks {
  const n = values.length;
  let least = Infinity;
  let most = -Infinity;
  let seconds = true;
  for (let i = 0; i < n; i++) {
    const v = values[i];
    if (v < least) least = v;
    if (v > most) most = v;
    if (v % 1000 !== 0) seconds = false;
  }
  if (n === 0) return { ranks: new Float64Array(0), max: 0 };
  if (seconds && (most - least) / 1000 * n < Number.MAX_SAFE_INTEGER / 2) {
    const ranks = new Float64Array(n);
    for (let i = 0; i < n; i++) ranks[i] = (values[i] - least) / 1000;
    return { ranks, max: (most - least) / 1000 };
  }
  const sorted = values.slice().sort();
  let distinct = 0;
  for (let i = 0; i < n; i++) {
    if (i === 0 || sorted[i] !== sorted[i - 1]) sorted[distinct++] = sorted[i];
  }
  const ranks = new Float64Array(n);
  for (let i = 0; i < n; i++) {
    let lo = 0;
    let hi = distinct - 1;
    while (lo < hi) {
      const mid = (lo + hi) >>> 1;
      if (sorted[mid] < values[i]) lo = mid + 1;
      else hi = mid;
    }
    ranks[i] = lo;
  }
  return { ranks, max: distinct - 1 };
}

export function reversed(ranks: Ranks): Ranks {
  return { ranks: ranks.ranks.map((v) => ranks.max - v), max: ranks.max };
}

/** Ranks by the first, and where those are equal by the second. */
export function combined(a: Ranks, b: Ranks): Ranks {
  const n = a.ranks.length;
  const fits = (x: Ranks, y: Ranks) =>
    (x.max + 1) * (y.max + 1) * (n + 1) < Number.MAX_SAFE_INTEGER;
  const first = fits(a, b) ? a : dense(a);
  const second = fits(first, b) ? b : dense(b);
  const ranks = new Float64Array(n);
  for (let i = 0; i < n; i++) ranks[i] = first.ranks[i] * (second.max + 1) + second.ranks[i];
  const both = { ranks, max: first.max * (second.max + 1) + second.max };
  return both.max * (n + 1) < Number.MAX_SAFE_INTEGER ? both : dense(both);
}

/** Ranks without gaps. */
function dense(ranks: Ranks): Ranks {
  const sorted = ranks.ranks.slice().sort();
  const rankOf = new Map<number, number>();
  for (const v of sorted) if (!rankOf.has(v)) rankOf.set(v, rankOf.size);
  return { ranks: ranks.ranks.map((v) => rankOf.get(v)!), max: Math.max(0, rankOf.size - 1) };
}

/** Positions in the order of the ranks; equal ranks keep their order. */
export function orderOf({ ranks, max }: Ranks): Uint32Array {
  const n = ranks.length;
  const exact = max * (n + 1) < Number.MAX_SAFE_INTEGER ? ranks : dense({ ranks, max }).ranks;
  const keys = new Float64Array(n);
  for (let i = 0; i < n; i++) keys[i] = exact[i] * n + i;
  keys.sort();
  const order = new Uint32Array(n);
  for (let i = 0; i < n; i++) order[i] = keys[i] % n;
  return order;
}
