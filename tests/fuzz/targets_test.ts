/** Each fuzz target for a moment, with a seed that is told; `deno task fuzz` does it for long. */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { fuzz } from "./fuzz.ts";
import { targets } from "./targets.ts";

const seed = Number(Deno.env.get("FUZZ_SEED") ?? Date.now() % 1_000_000_000);

Deno.test(`parsers take any bytes, seed ${seed}`, async (t) => {
  for (const [name, target] of Object.entries(targets)) {
    await t.step(name, () => {
      const { found } = fuzz(target, seed, 150);
      if (!found) return;
      const bytes = JSON.stringify(new TextDecoder("latin1").decode(found.input));
      throw new Error(`seed ${seed}, input ${bytes}`, { cause: found.error });
    });
  }
});

Deno.test("inputs that once failed do so no more", () => {
  const dir = join(dirname(fileURLToPath(import.meta.url)), "found");
  let files: Deno.DirEntry[] = [];
  try {
    files = [...Deno.readDirSync(dir)];
  } catch (err) {
    if (!(err instanceof Deno.errors.NotFound)) throw err;
  }
  for (const f of files) {
    const name = f.name.slice(0, f.name.lastIndexOf("-")).replaceAll("-", " ");
    const key = Object.keys(targets).find((k) => k.replaceAll("-", " ") === name);
    const target = targets[key!];
    try {
      target.run(Deno.readFileSync(join(dir, f.name)));
    } catch (err) {
      if (!target.allowed?.some((e) => err instanceof e)) throw err;
    }
  }
});
