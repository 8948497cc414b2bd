/**
 * `deno task hostile [--settle=seconds] [words of an input's name]`: inputs that mean ill against a server of its own, one after the
 * other, and meanwhile a session on each protocol that asks for next to nothing. Prints for each input how long
 * that session waited at most, and the server's memory before, at its highest, and when it has settled. Fails
 * where a wait or the memory is above its bar, or if an unhandled error was counted.
 *
 * @module
 */
import { startLocalserve } from "../support/localserve.ts";
import { type Bar, measure, type Measured, row, wrong } from "./measure.ts";
import { inputs } from "./inputs.ts";

/** Bars of the whole bench. */
const bar: Bar = { p99: 100, longest: 500, rise: 150, left: 20, settle: 30_000 };

const settle = Deno.args.find((a) => a.startsWith("--settle="))?.slice("--settle=".length);
if (settle !== undefined) bar.settle = Number(settle) * 1000;
const words = Deno.args.filter((a) => !a.startsWith("--"));
const chosen = inputs.filter((i) =>
  words.every((w) => i.name.toLowerCase().includes(w.toLowerCase()))
);
const failed: string[] = [];
console.log(row());
for (const input of chosen) {
  let server = await startLocalserve();
  try {
    if (input.configure !== undefined) {
      const { dir, offset } = server;
      await server.stop();
      await input.configure(dir);
      server = await startLocalserve({ dir, offset });
    }
    const m: Measured = await measure(server, input, bar.settle);
    console.log(row(m));
    failed.push(...wrong(m, bar));
  } finally {
    await server.close();
  }
}
for (const f of failed) console.log(f);
Deno.exit(failed.length === 0 ? 0 : 1);
