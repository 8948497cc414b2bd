/**
 * `deno task build`: what is offered for download, in `dist`: for each system a portable archive (the runtime,
 * the program and a launcher) and an executable, with checksums and the list of what they are made of.
 *
 * With names of systems as arguments (linux-x64, windows-x64, ...) for just those; with `--portable` or
 * `--executables` just one kind. The compiler's runtime for executables is downloaded from dl.deno.land; where
 * that can't be reached the archives are made all the same. With `--pack-only` the packing of executables
 * is tried without it: Deno executables of the same systems stand in (or the one that the environment variable
 * DENORT_BIN names), and what comes out is removed again, as it can't be run.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { basename, join } from "node:path";
import { bundleProgram, root } from "./build/bundle.ts";
import { compile, CompilerUnavailable, type Target, targets } from "./build/compile.ts";
import { portable } from "./build/portable.ts";
import { runtimeFor } from "./build/runtimes.ts";
import { sbom } from "./build/sbom.ts";
import config from "../deno.json" with { type: "json" };

const dist = join(root, "dist");

/** What is built. */
export interface BuildOptions {
  targets: readonly Target[];
  portable: boolean;
  executables: boolean;
  packOnly: boolean;
}

const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`;

/** Builds into `dist`; returns the paths. @throws CompilerUnavailable when all else is there */
export async function build(options: BuildOptions): Promise<string[]> {
  await Deno.mkdir(dist, { recursive: true });
  const bundle = await bundleProgram(join(dist, "bundle"));
  const paths: string[] = [];
  if (options.packOnly) {
    for (const target of options.targets) {
      const standIn = Deno.env.get("DENORT_BIN") ?? await runtimeFor(target);
      const packed = await compile(bundle, target, executable(target), standIn);
      console.log(`${basename(packed.path)}: ${megabytes(packed.size)}, not runnable, removed`);
      await Deno.remove(packed.path);
    }
    return paths;
  }
  const list = await sbom();
  const sbomPath = join(dist, `mox-${config.version}.cdx.json`);
  await Deno.writeTextFile(sbomPath, list);
  paths.push(sbomPath);
  let failure: unknown;
  try {
    for (const target of options.targets) {
      if (options.portable) {
        const path = await portable(bundle, target, dist, list);
        console.log(`${basename(path)}: ${megabytes((await Deno.stat(path)).size)}`);
        paths.push(path);
      }
    }
    if (options.executables) {
      for (const target of options.targets) {
        const packed = await compile(bundle, target, executable(target));
        console.log(`${basename(packed.path)}: ${megabytes(packed.size)}`);
        paths.push(packed.path);
      }
    }
  } catch (err) {
    failure = err;
  }
  await writeChecksums(paths);
  if (failure !== undefined) throw failure;
  return paths;
}

function executable(target: Target): string {
  return join(dist, `mox-${config.version}-${target.name}`);
}

/** Writes the SHA-256 of each file, as `sha256sum -c` reads them. */
async function writeChecksums(paths: readonly string[]): Promise<void> {
  const lines: string[] = [];
  for (const path of paths) {
    const hash = createHash("sha256");
    using file = await Deno.open(path);
    for await (const chunk of file.readable) hash.update(chunk);
    lines.push(`${hash.digest("hex")}  ${basename(path)}\n`);
  }
  await Deno.writeTextFile(join(dist, "SHA256SUMS"), lines.join(""));
}

/** Reads the command line; ends the process for what it doesn't know. */
export function optionsOf(args: readonly string[]): BuildOptions {
  const flags = ["--pack-only", "--portable", "--executables"];
  const names = args.filter((a) => !flags.includes(a));
  const unknown = names.find((n) => !targets.some((t) => t.name === n));
  if (unknown !== undefined) {
    console.error(
      `no system ${unknown}: ${targets.map((t) => t.name).join(", ")}; or ${flags.join(", ")}`,
    );
    Deno.exit(2);
  }
  const both = !args.includes("--portable") && !args.includes("--executables");
  return {
    targets: targets.filter((t) => names.length === 0 || names.includes(t.name)),
    portable: both || args.includes("--portable"),
    executables: both || args.includes("--executables"),
    packOnly: args.includes("--pack-only"),
  };
}

/** Builds for a command line, and says in one sentence what could not be done. */
export async function buildFor(options: BuildOptions): Promise<void> {
  try {
    await build(options);
  } catch (err) {
    if (!(err instanceof CompilerUnavailable)) throw err;
    console.error(err.message);
    Deno.exit(1);
  }
}

if (import.meta.main) await buildFor(optionsOf(Deno.args));
