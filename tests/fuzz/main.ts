/**
 * `deno task fuzz [minutes [target [seed]]]`: all targets in turns, or one, until the time is over. What
 * fails is written to tests/fuzz/found, from where the test takes it.
 *
 * @module
 */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { fuzz } from "./fuzz.ts";
import { targets } from "./targets.ts";

const minutes = Number(Deno.args[0] ?? 10);
const only = Deno.args[1];
let seed = Number(Deno.args[2] ?? Date.now() % 1_000_000_000);
const found = join(dirname(fileURLToPath(import.meta.url)), "found");
const end = Date.now() + minutes * 60_000;
const runs = new Map<string, number>();
let failures = 0;

while (Date.now() < end) {
  for (const [name, target] of Object.entries(targets)) {
    if (only !== undefined && name !== only) continue;
    const r = fuzz(target, seed, 1000);
    runs.set(name, (runs.get(name) ?? 0) + r.runs);
    if (r.found) {
      failures++;
      await Deno.mkdir(found, { recursive: true });
      const path = join(found, `${name.replaceAll(" ", "-")}-${seed}`);
      await Deno.writeFile(path, r.found.input);
      console.error(`${name}, seed ${seed}: ${(r.found.error as Error).stack}\n  input: ${path}`);
    }
    if (Date.now() >= end) break;
  }
  seed++;
}
for (const [name, n] of runs) console.log(`${name.padEnd(22)} ${n} inputs`);
console.log(failures === 0 ? "nothing found" : `${failures} found`);
Deno.exit(failures === 0 ? 0 : 1);
