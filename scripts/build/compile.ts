/** Executables from a bundle: one for each operating system, with nothing in it but the bundle. @module */
import { basename, dirname, join } from "node:path";
import { runtimeFlags } from "../../src/commands/runtime_flags.ts";
import { type Bundle, runDeno } from "./bundle.ts";

/** A system that executables are made for. */
export interface Target {
  /** In file names. */
  name: string;
  /** As the compiler calls it. */
  triple: string;
}

export const targets: readonly Target[] = [
  { name: "linux-x64", triple: "x86_64-unknown-linux-gnu" },
  { name: "linux-arm64", triple: "aarch64-unknown-linux-gnu" },
  { name: "windows-x64", triple: "x86_64-pc-windows-msvc" },
  { name: "macos-x64", triple: "x86_64-apple-darwin" },
  { name: "macos-arm64", triple: "aarch64-apple-darwin" },
];

/** Bytes that the program's own files may have; the runtime comes on top, with about 90 MB. */
export const sizeBudget = 16 * 1024 * 1024;

/** The compiler's runtime for a system can't be downloaded; the message says what to do. */
export class CompilerUnavailable extends Error {
  override name = "CompilerUnavailable";
}

/** Whether the compiler says that it can't get its runtime. */
export function isUnavailable(text: string): boolean {
  return /denort|dl\.deno\.land|error sending request|client error \(|Download could not be found/
    .test(text);
}

/** What was packed. */
export interface Packed {
  path: string;
  /** Names of the files in it. */
  embedded: string[];
  /** Bytes of the executable. */
  size: number;
}

/**
 * Packs an executable, and checks that there is nothing in it but the bundle, within its budget.
 * @param standIn a Deno executable in place of the compiler's runtime for the target, for trying the
 * packing where that can't be downloaded; what comes out can't be run.
 */
export async function compile(
  bundle: Bundle,
  target: Target,
  output: string,
  standIn?: string,
): Promise<Packed> {
  const dir = dirname(bundle.main);
  const included = [...bundle.workers, ...target.name.startsWith("windows") ? [bundle.roots] : []];
  const { output: printed, told } = await runDeno([
    "compile",
    "--no-config",
    "--no-lock",
    "--no-check",
    ...runtimeFlags,
    "--target",
    target.triple,
    ...included.flatMap((f) => ["--include", basename(f)]),
    "--output",
    output,
    basename(bundle.main),
  ], { cwd: dir, env: standIn === undefined ? {} : { DENORT_BIN: standIn } }).catch((err) => {
    if (!isUnavailable(String(err))) throw err;
    throw new CompilerUnavailable(
      `The executable for ${target.name} can't be built, as the compiler's runtime for it can't be had from ` +
        "dl.deno.land: build where that can be reached, name a denort file in DENORT_BIN, or take the " +
        'portable archive, which "deno task build --portable" makes without it.',
      { cause: err },
    );
  });
  const path = target.name.startsWith("windows") && !output.endsWith(".exe")
    ? `${output}.exe`
    : output;
  const embedded = embeddedFiles(printed + told);
  const expected = [bundle.main, ...included].map((f) => basename(f)).sort();
  if (JSON.stringify(embedded) !== JSON.stringify(expected)) {
    throw new Error(
      `${basename(path)} has the files ${embedded.join(", ")}, not just ${expected.join(", ")}`,
    );
  }
  let own = 0;
  for (const name of expected) own += (await Deno.stat(join(dir, name))).size;
  if (own > sizeBudget) {
    throw new Error(`the program's files have ${own} bytes, more than ${sizeBudget}`);
  }
  return { path, embedded, size: (await Deno.stat(path)).size };
}

/** Names in the tree that the compiler prints. */
function embeddedFiles(text: string): string[] {
  return [...text.matchAll(/^[│├└─\s]*[├└]──\s+(\S+)(?: \([\d.]+[KMG]?B\))?$/gm)]
    .map((m) => m[1]).sort();
}
