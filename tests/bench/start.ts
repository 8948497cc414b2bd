/**
 * How long the server takes to be ready with many accounts, beside one: from the start of the process until IMAP
 * answers, and CPU time and memory by then. Accounts have their folders already.
 *
 * usage: deno run -A tests/bench/start.ts [accounts [rounds [offset of ports]]]
 *
 * @module
 */
import { join } from "node:path";
import { programArgs } from "../support/program.ts";
import { processCpu, processMemory, waitForPort } from "./peers/types.ts";

const count = Number(Deno.args[0] ?? 1000);
const rounds = Number(Deno.args[1] ?? 3);
const offset = Number(Deno.args[2] ?? 21_000);

/** Adds accounts to domains.conf, before those there are. */
async function addAccounts(dir: string, n: number): Promise<void> {
  const path = join(dir, "domains.conf");
  const text = await Deno.readTextFile(path);
  const more = Array.from(
    { length: n },
    (_, i) => `\ta${i}:\n\t\tDomain: localhost\n\t\tDestinations:\n\t\t\ta${i}@localhost: nil\n`,
  );
  await Deno.writeTextFile(path, text.replace("Accounts:\n", `Accounts:\n${more.join("")}`));
}

const run = (dir: string, ...more: string[]) =>
  new Deno.Command(Deno.execPath(), {
    args: programArgs(["localserve", "-dir", dir, "-ports", String(offset), ...more]),
    stdout: "null",
    stderr: "inherit",
    stdin: "null",
  });

for (const n of [0, count]) {
  const dir = await Deno.makeTempDir({ prefix: "mox-bench-" });
  try {
    await run(dir, "-initonly").output();
    if (n > 0) {
      await addAccounts(dir, n);
      await run(dir, "-initonly").output();
    }
    for (let i = 0; i < rounds; i++) {
      const begun = performance.now();
      const child = run(dir).spawn();
      await waitForPort(1143 + offset, 120_000);
      const ready = performance.now() - begun;
      const [cpu, memory] = [await processCpu(child.pid), await processMemory(child.pid)];
      console.log(
        `${n + 1} accounts: ready after ${ready.toFixed(0)} ms, CPU ${cpu.toFixed(0)} ms, ` +
          `${memory.toFixed(0)} MB`,
      );
      child.kill("SIGTERM");
      await child.status;
    }
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}
