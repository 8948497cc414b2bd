/**
 * Times of other servers' hashes, kept across restarts in a file of the data folder (see wrong_time.ts). Lost
 * times are measured again.
 *
 * @module
 */
import { join } from "node:path";
import * as v from "valibot";
import type { WrongTime } from "./wrong_time.ts";

const fileName = "passwordtimes.json";
/** Milliseconds by cost. */
const schema = v.record(v.string(), v.pipe(v.number(), v.minValue(0), v.maxValue(3_600_000)));
/** A time is written if it differs from the stored one by this fraction. */
const worthKeeping = 0.2;

/** Restores the times stored in a data folder, and stores later measurements there. */
export function keepTimes(times: WrongTime, dataDir: string): void {
  const path = join(dataDir, fileName);
  let kept: Record<string, number> = {};
  try {
    kept = v.parse(schema, JSON.parse(Deno.readTextFileSync(path)));
  } catch {
    // It doesn't exist yet, or is damaged.
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
      // A few bytes, a few times in the life of a server.
      Deno.writeTextFileSync(path, JSON.stringify(now), { mode: 0o600 });
    } catch {
      // The next start works without.
    }
  };
  times.onMeasured = keep;
  // A data folder that this process served before.
  keep();
}
