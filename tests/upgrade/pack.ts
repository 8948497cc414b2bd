/**
 * Packs a data folder that this version makes, for upgrade_test.ts: `deno run -A tests/upgrade/pack.ts data-5.json.gz`.
 * To be run, and its file added, before a schema version is raised the next time (databases_test.ts tells).
 */
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { makeTestData } from "../../src/commands/test_data.ts";

const name = Deno.args[0];
if (!/^data-\d+\.json\.gz$/.test(name ?? "")) throw new Error("give a name such as data-5.json.gz");
const temporary = await Deno.makeTempDir();
const dir = join(temporary, "made");
await makeTestData(dir);
const files: Record<string, string> = {};
const walk = (path: string) => {
  const entries = [...Deno.readDirSync(join(dir, path))];
  if (entries.length === 0) files[`${path}/`] = "";
  for (const e of entries) {
    const below = path === "" ? e.name : `${path}/${e.name}`;
    if (e.isDirectory) walk(below);
    else files[below] = Deno.readFileSync(join(dir, below)).toBase64();
  }
};
walk("");
const packed = gzipSync(new TextEncoder().encode(JSON.stringify(files)), { level: 9 });
const to = join(dirname(fileURLToPath(import.meta.url)), name);
await Deno.writeFile(to, packed, { createNew: true });
await Deno.remove(temporary, { recursive: true });
console.log(`${to}: ${Object.keys(files).length} files, ${packed.length} bytes`);
