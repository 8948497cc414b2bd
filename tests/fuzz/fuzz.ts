/** Runs one target on changed inputs, for a time. @module */
import type { Coverage } from "./coverage.ts";
import { mutate, random } from "./mutate.ts";
import type { Target } from "./targets.ts";

/** Bytes of an input. */
const maxLength = 20_000;
/** Milliseconds that one input may take, whatever it is. */
export const maxTime = 1000;
/** Inputs kept as seeds. */
const maxKept = 500;
/** Inputs between two looks at the coverage, at most. */
const maxBatch = 400;

export interface Finding {
  input: Uint8Array;
  error: unknown;
}

export interface Outcome {
  runs: number;
  /** Inputs that reached something new, the seeds left out. */
  kept: Uint8Array[];
  found?: Finding;
}

/** Runs an input; the error that it must not give, or what came of it. */
async function once(
  target: Target,
  input: Uint8Array,
): Promise<{ error?: unknown; outcome: string; took: number }> {
  const start = performance.now();
  let outcome = "value";
  try {
    await target.run(input.slice());
  } catch (err) {
    const took = performance.now() - start;
    if (!target.allowed?.some((t) => err instanceof t)) return { error: err, outcome, took };
    // Words of an error without its numbers stand for the place that it came from.
    outcome = (err as Error).message.replace(/\d+|"[^"]*"/g, "#").slice(0, 80);
  }
  const took = performance.now() - start;
  if (took <= maxTime) return { outcome, took };
  // Once more, as the machine may have been busy.
  const again = performance.now();
  try {
    await target.run(input.slice());
  } catch {
    // Its outcome was looked at before.
  }
  const second = performance.now() - again;
  if (second > maxTime) return { error: new Error(`takes ${second.toFixed(0)} ms`), outcome, took };
  return { outcome, took: second };
}

/**
 * A failure, or how many inputs were tried. Inputs that reach code that none has before are changed further; without
 * coverage, those that have a new outcome or take another time.
 */
export async function fuzz(
  target: Target,
  seed: number,
  ms: number,
  coverage?: Coverage,
  corpus: readonly Uint8Array[] = [],
): Promise<Outcome> {
  const next = random(seed);
  const encoder = new TextEncoder();
  const start = [
    ...target.seeds.map((s) => typeof s === "string" ? encoder.encode(s) : s),
    ...corpus,
  ];
  const pool = [...start];
  const kept: Uint8Array[] = [];
  const outcomes = new Set<string>();
  const end = performance.now() + ms;
  let runs = 0;
  const keep = (input: Uint8Array) => {
    if (kept.length >= maxKept) return;
    pool.push(input);
    kept.push(input);
  };
  let batch: Uint8Array[] = [];
  let size = 1;
  for (let i = 0; performance.now() < end; i++) {
    const pick = () => pool[Math.floor(next() * pool.length)];
    const input = i < start.length ? start[i] : mutate(pick(), pick(), next, maxLength);
    const { error, outcome, took } = await once(target, input);
    if (error !== undefined) return { runs, kept, found: { input, error } };
    runs++;
    if (coverage === undefined) {
      const key = `${outcome} ${Math.floor(Math.log2(1 + input.length))} ${
        Math.floor(Math.log2(1 + took))
      }`;
      if (!outcomes.has(key)) {
        outcomes.add(key);
        if (i >= start.length) keep(input);
      }
      continue;
    }
    if (i < start.length) {
      if (i === start.length - 1) await coverage.look(true);
      continue;
    }
    batch.push(input);
    if (batch.length < size) continue;
    if (await coverage.look(false) > 0) {
      const found = await newOnes(target, batch, coverage);
      found.forEach(keep);
      size = 1 + Math.floor(size / 4);
    } else size = Math.min(maxBatch, size * 2);
    batch = [];
  }
  return { runs, kept };
}

/** Those of the inputs that reach something new, which is noted. */
async function newOnes(
  target: Target,
  inputs: readonly Uint8Array[],
  coverage: Coverage,
): Promise<Uint8Array[]> {
  if (inputs.length === 0) return [];
  for (const input of inputs) await once(target, input);
  if (inputs.length === 1) return await coverage.look(true) > 0 ? [...inputs] : [];
  if (await coverage.look(false) === 0) return [];
  const half = inputs.length >> 1;
  return [
    ...await newOnes(target, inputs.slice(0, half), coverage),
    ...await newOnes(target, inputs.slice(half), coverage),
  ];
}
