/** Each fuzz target for a moment, with a seed that is told; `deno task fuzz` does it for long. */
import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { allTargets } from "./all_targets.ts";
import { readCorpus } from "./corpus.ts";
import { Coverage } from "./coverage.ts";
import { fuzz } from "./fuzz.ts";
import { seedOf } from "../support/seed.ts";

const seed = seedOf("FUZZ_SEED");

Deno.test(`parsers take any bytes, seed ${seed}`, async (t) => {
  for (const [name, target] of Object.entries(allTargets)) {
    await t.step(name, async () => {
      const { found } = await fuzz(target, seed, 150, undefined, readCorpus(name));
      if (!found) return;
      const bytes = JSON.stringify(new TextDecoder("latin1").decode(found.input));
      throw new Error(`seed ${seed}, input ${bytes}`, { cause: found.error });
    });
  }
});

Deno.test("inputs that once reached something new, or failed, are taken", async () => {
  for (const [name, target] of Object.entries(allTargets)) {
    for (const input of readCorpus(name)) {
      try {
        await target.run(input);
      } catch (err) {
        if (!target.allowed?.some((e) => err instanceof e)) throw err;
      }
    }
  }
  const dir = join(dirname(fileURLToPath(import.meta.url)), "found");
  let files: Deno.DirEntry[] = [];
  try {
    files = [...Deno.readDirSync(dir)];
  } catch (err) {
    if (!(err instanceof Deno.errors.NotFound)) throw err;
  }
  for (const f of files) {
    const name = f.name.slice(0, f.name.lastIndexOf("-")).replaceAll("-", " ");
    const key = Object.keys(allTargets).find((k) => k.replaceAll("-", " ") === name);
    const target = allTargets[key!];
    try {
      await target.run(Deno.readFileSync(join(dir, f.name)));
    } catch (err) {
      if (!target.allowed?.some((e) => err instanceof e)) throw err;
    }
  }
});

Deno.test("coverage tells which inputs reach something new, and they are kept", async () => {
  // Not what the tests before have left running, such as timers.
  const coverage = await Coverage.start(/\/src\/(?:smtp|mail)\//);
  try {
    const target = { run: allTargets.addresses.run, seeds: ["a"] };
    let runs = 0;
    const kept: Uint8Array[] = [];
    // However long that takes where the machine has other things to do.
    for (let seed = 7; seed < 27 && (runs <= 50 || kept.length === 0); seed++) {
      const r = await fuzz(target, seed, 3000, coverage);
      assert.equal(r.found, undefined);
      runs += r.runs;
      kept.push(...r.kept);
    }
    assert.ok(runs > 50 && kept.length > 0, `${kept.length} of ${runs}`);
    // What is known already is none of the new any more.
    const before = coverage.blocks;
    for (const input of kept) await target.run(input);
    assert.equal(await coverage.look(false), 0);
    assert.ok(before > 10);
  } finally {
    await coverage.stop();
  }
});
