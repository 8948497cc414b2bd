/**
 * The Windows executable, from any system, in `dist`. With `--pack-only` just the packing is tried; see
 * build-all.ts.
 *
 * @module
 */
import { build, writeChecksums } from "./build-all.ts";
import { targets } from "./build/compile.ts";

const packOnly = Deno.args.includes("--pack-only");
const paths = await build(targets.filter((t) => t.name === "windows-x64"), packOnly);
if (!packOnly) await writeChecksums(paths);
