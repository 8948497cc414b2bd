/**
 * Times of other servers' hashes, kept over restarts in a file of the data folder (see wrong_time.ts). What is lost of
 * it is measured again.
 *
 * @module
 */
import { join } from "node:path";
import * as v from "valibot";
import type { WrongTime } from "./wrong_time.ts";

const fileName = "passwordtimes.json";
/** Milliseconds by cost. */
const schema = v.record(v.string(), v.pipe(v.number(), v.minValue(0), v.maxValue(3_600_000)));
/** Part by which a time must differ from what is kept, to be written. */
const worthKeeping = 0.2;

/** Takes the times that a data folder has, and keeps those there that are measured from now on. */
export function keepTimes(times: WrongTime, dataDir: string): void {
  const path = join(dataDir, fileName);
  let kept: Record<string, number> = {};
  try {
    kept = v.parse(schema, JSON.parse(Deno.readTextFileSync(path)));
  } catch {
    // There is none yet, or it is damaged.
  }
  times.restore(kept);
  const keep = () => {
    const now = times.times;
    const differs = Object.entries(now).some(([cost, ms]) =>
      !(Math.abs(ms - kept[cost]) <= worthKeeping * kept[cost])
    );
    if (!differs) return;
    kept = now;
    try {
      // A few bytes, a few times in a server's life.
      Deno.writeTextFileSync(path, JSON.stringify(now), { mode: 0o600 });
    } catch {
      // The next start does without.
    }
  };
  times.onMeasured = keep;
  // Of another data folder that this process has served before.
  keep();
}
