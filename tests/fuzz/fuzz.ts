/** Runs one target on changed inputs, for a time. */
import { mutate, random } from "./mutate.ts";
import type { Target } from "./targets.ts";

/** Bytes of an input. */
const maxLength = 20_000;
/** Milliseconds that one input may take, whatever it is. */
export const maxTime = 1000;
/** Inputs kept as seeds. */
const maxKept = 500;

export interface Finding {
  input: Uint8Array;
  error: unknown;
}

/** A failure, or how many inputs were tried. */
export function fuzz(target: Target, seed: number, ms: number): { runs: number; found?: Finding } {
  const next = random(seed);
  const encoder = new TextEncoder();
  const kept = target.seeds.map((s) => typeof s === "string" ? encoder.encode(s) : s);
  const outcomes = new Set<string>();
  const end = performance.now() + ms;
  let runs = 0;
  for (let i = 0; performance.now() < end; i++) {
    const pick = () => kept[Math.floor(next() * kept.length)];
    const input = i < target.seeds.length ? kept[i] : mutate(pick(), pick(), next, maxLength);
    const start = performance.now();
    let outcome = "value";
    try {
      target.run(input.slice());
    } catch (err) {
      if (!target.allowed?.some((t) => err instanceof t)) {
        return { runs, found: { input, error: err } };
      }
      // Words of an error without its numbers stand for the place that it came from.
      outcome = (err as Error).message.replace(/\d+|"[^"]*"/g, "#").slice(0, 80);
    }
    const took = performance.now() - start;
    if (took > maxTime) {
      // Once more, as the machine may have been busy.
      const again = performance.now();
      try {
        target.run(input.slice());
      } catch {
        // Its outcome was looked at before.
      }
      if (performance.now() - again > maxTime) {
        return { runs, found: { input, error: new Error(`takes ${took.toFixed(0)} ms`) } };
      }
    }
    runs++;
    const key = `${outcome} ${Math.floor(Math.log2(1 + input.length))} ${
      Math.floor(Math.log2(1 + took))
    }`;
    if (!outcomes.has(key) && kept.length < maxKept) {
      outcomes.add(key);
      kept.push(input);
    }
  }
  return { runs };
}
