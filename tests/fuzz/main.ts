/**
 * `deno task fuzz [minutes [target [seed]]]`: all targets in turns, or one, until the time is over; a part of it
 * goes to a running server's sockets (the target "sockets"). What fails is written to tests/fuzz/found, from where
 * the test takes it; inputs that reached code that no earlier one had are kept in tests/fuzz/corpus.
 *
 * @module
 */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { startLocalserve } from "../support/localserve.ts";
import { allTargets } from "./all_targets.ts";
import { addToCorpus, readCorpus } from "./corpus.ts";
import { Coverage } from "./coverage.ts";
import { fuzz } from "./fuzz.ts";
import { fuzzSockets } from "./sockets.ts";

const minutes = Number(Deno.args[0] ?? 10);
const only = Deno.args[1];
let seed = Number(Deno.args[2] ?? Date.now() % 1_000_000_000);
/** Milliseconds that a target has before the next one's turn. */
const turn = 2000;
/** Share of the time for sockets. */
const socketShare = 0.15;
const found = join(dirname(fileURLToPath(import.meta.url)), "found");
const begin = Date.now();
const end = begin + minutes * 60_000;
const runs = new Map<string, number>();
let failures = 0;

async function failed(name: string, error: unknown, input?: Uint8Array): Promise<void> {
  failures++;
  let where = "";
  if (input) {
    await Deno.mkdir(found, { recursive: true });
    const path = join(found, `${name.replaceAll(" ", "-")}-${seed}`);
    await Deno.writeFile(path, input);
    where = `\n  input: ${path}`;
  }
  console.error(`${name}, seed ${seed}: ${(error as Error).stack}${where}`);
}

console.log(`seed ${seed}`);
if (only === undefined || only === "sockets") {
  const until = begin + (end - begin) * (only === undefined ? socketShare : 1);
  const server = await startLocalserve();
  try {
    runs.set("sockets", await fuzzSockets(server, seed, () => Date.now() < until));
  } catch (err) {
    await failed("sockets", err);
  } finally {
    await server.close();
  }
}
const coverage = await Coverage.start();
while (Date.now() < end) {
  for (const [name, target] of Object.entries(allTargets)) {
    if (only !== undefined && name !== only) continue;
    const r = await fuzz(target, seed, turn, coverage, readCorpus(name));
    runs.set(name, (runs.get(name) ?? 0) + r.runs);
    if (r.kept.length > 0) addToCorpus(name, r.kept);
    if (r.found) await failed(name, r.found.error, r.found.input);
    if (Date.now() >= end) break;
  }
  if (only === "sockets") break;
  seed++;
}
for (const [name, n] of runs) {
  const corpus = name === "sockets" ? "" : `, ${readCorpus(name).length} kept`;
  console.log(`${name.padEnd(30)} ${String(n).padStart(9)} inputs${corpus}`);
}
const total = [...runs.values()].reduce((a, b) => a + b, 0);
console.log(`${total} inputs, ${coverage.blocks} blocks of code reached`);
await coverage.stop();
console.log(failures === 0 ? "nothing found" : `${failures} found`);
Deno.exit(failures === 0 ? 0 : 1);
