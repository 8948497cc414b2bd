/**
 * The program as a few files of JavaScript: everything that main.ts imports in one, and one for each
 * Worker and each module that is rarely needed beside it. They need nothing but the runtime: no sources, no npm packages, no folder of their own.
 *
 * @module
 */
import { basename, dirname, join } from "node:path";
import { rootCertificates } from "node:tls";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("../..", import.meta.url));

/** Packages in the versions of the lock file, and no others. The configuration names none: see docs/decisions.md. */
export const locked: readonly string[] = [`--lock=${join(root, "deno.lock")}`, "--frozen"];

/**
 * How bundles are made. What a package asks for without depending on it (debug's supports-color) is left out: the lock
 * file has it through a package of the tests, and whether it is in the cache depends on what ran before.
 */
export const bundling: readonly string[] = [
  "bundle",
  ...locked,
  "--quiet",
  "--external",
  "supports-color",
];

/** Files of a bundle, absolute. */
export interface Bundle {
  main: string;
  /** Workers and modules that are loaded later: what sources name by URL. */
  workers: string[];
  /** Certificate authorities of the runtime, PEM; only Windows needs them (see src/platform/authorities.ts). */
  roots: string;
}

/** How sources name a module that is loaded later: a Worker's, or one of src/platform/rare_modules.ts. */
const workerUrl = /new URL\("(\.[\w./-]*\/[\w-]+)\.ts", import\.meta\.url\)/g;

function* sources(dir: string): Generator<string> {
  for (const e of Deno.readDirSync(dir)) {
    const path = join(dir, e.name);
    if (e.isDirectory) yield* sources(path);
    else if (e.name.endsWith(".ts")) yield path;
  }
}

/** Modules that the sources load later, by their path. */
export function laterModules(): string[] {
  const found = new Set<string>();
  for (const file of sources(join(root, "src"))) {
    for (const [, name] of Deno.readTextFileSync(file).matchAll(workerUrl)) {
      found.add(join(dirname(file), `${name}.ts`));
    }
  }
  const names = [...found].map((f) => basename(f));
  if (new Set(names).size < names.length) {
    throw new Error("two modules that are loaded later have the same file name");
  }
  return [...found].sort();
}

/** Runs this Deno; returns its output, and what it told beside it. @throws Error with both if it fails */
export async function runDeno(
  args: string[],
  options: { cwd?: string; env?: Record<string, string> } = {},
): Promise<{ output: string; told: string }> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args,
    cwd: options.cwd ?? root,
    env: { NO_COLOR: "1", ...options.env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).output();
  const [output, told] = [stdout, stderr].map((b) => new TextDecoder().decode(b));
  if (!success) throw new Error(`deno ${args.join(" ")} failed:\n${output}${told}`);
  return { output, told };
}

/** Runs this Deno; returns its output, without what it tells of downloads. @throws Error if it fails */
export async function deno(args: string[]): Promise<string> {
  return (await runDeno(args)).output;
}

async function bundleOne(entry: string, output: string): Promise<void> {
  await deno([...bundling, "--platform", "deno", "--output", output, entry]);
  // Workers are beside the one file now, as JavaScript.
  const text = await Deno.readTextFile(output);
  const changed = text.replaceAll(
    workerUrl,
    (_, name: string) => `new URL("./${basename(name)}.js", import.meta.url)`,
  );
  const ascii = escapeOthers(changed);
  if (ascii !== text) await Deno.writeTextFile(output, ascii);
}

/**
 * The same program in ASCII: V8 keeps text with a single other character in two bytes for each, 7 MB more. The bundler
 * has escaped those in strings; comments and regular expressions are left.
 */
export function escapeOthers(source: string): string {
  return source.replaceAll(
    /[\u0080-\uffff]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

/** Writes the bundle into a folder, which is made. */
export async function bundleProgram(dir: string): Promise<Bundle> {
  await Deno.mkdir(dir, { recursive: true });
  const main = join(dir, "mox.js");
  await bundleOne(join(root, "main.ts"), main);
  const workers: string[] = [];
  for (const source of laterModules()) {
    const output = join(dir, basename(source).replace(/\.ts$/, ".js"));
    await bundleOne(source, output);
    workers.push(output);
  }
  const roots = join(dir, "roots.pem");
  await Deno.writeTextFile(roots, [...rootCertificates].map((c) => `${c.trim()}\n`).join(""));
  return { main, workers, roots };
}
