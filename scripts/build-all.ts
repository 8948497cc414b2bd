/**
 * `deno task build`: executables for all systems in `dist`, with their checksums.
 *
 * With names of systems as arguments (linux-x64, windows-x64, ...) just those. With `--pack-only` the
 * packing is tried without the compiler's runtimes, which it would download: Deno executables for the same
 * systems stand in for them (or the one that the environment variable DENORT_BIN names), and what comes out
 * is removed again, as it can't be run.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { basename, join } from "node:path";
import { bundleProgram, root } from "./build/bundle.ts";
import { compile, type Target, targets } from "./build/compile.ts";
import { standInFor } from "./build/stand_in.ts";
import config from "../deno.json" with { type: "json" };

/** Builds executables for targets into `dist`; returns their paths. */
export async function build(wanted: readonly Target[], packOnly: boolean): Promise<string[]> {
  const dist = join(root, "dist");
  await Deno.mkdir(dist, { recursive: true });
  const bundle = await bundleProgram(join(dist, "bundle"));
  const paths: string[] = [];
  for (const target of wanted) {
    const output = join(dist, `mox-${config.version}-${target.name}`);
    const standIn = packOnly ? await standInFor(target) : undefined;
    const packed = await compile(bundle, target, output, standIn);
    const size = (packed.size / 1e6).toFixed(0);
    console.log(`${basename(packed.path)}: ${size} MB with ${packed.embedded.join(", ")}`);
    if (packOnly) await Deno.remove(packed.path);
    else paths.push(packed.path);
  }
  return paths;
}

/** Writes the SHA-256 of each file, as `sha256sum -c` reads them. */
export async function writeChecksums(paths: readonly string[]): Promise<void> {
  const lines: string[] = [];
  for (const path of paths) {
    const hash = createHash("sha256");
    using file = await Deno.open(path);
    for await (const chunk of file.readable) hash.update(chunk);
    lines.push(`${hash.digest("hex")}  ${basename(path)}\n`);
  }
  await Deno.writeTextFile(join(root, "dist", "SHA256SUMS"), lines.join(""));
}

if (import.meta.main) {
  const names = Deno.args.filter((a) => !a.startsWith("--"));
  const unknown = names.find((n) => !targets.some((t) => t.name === n));
  if (unknown !== undefined) {
    console.error(`no system ${unknown}: ${targets.map((t) => t.name).join(", ")}`);
    Deno.exit(2);
  }
  const packOnly = Deno.args.includes("--pack-only");
  const wanted = targets.filter((t) => names.length === 0 || names.includes(t.name));
  const paths = await build(wanted, packOnly);
  if (!packOnly) await writeChecksums(paths);
}
