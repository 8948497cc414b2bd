/**
 * The runtime for each system, from the npm registry: for portable archives, and as stand-ins for the compiler's
 * runtimes where the packing of executables is tried without those. Kept in `.cache`.
 *
 * @module
 */
import { join } from "node:path";
import { root } from "./bundle.ts";
import type { Target } from "./compile.ts";

/** The version that the program is built for and tested with. */
export const denoVersion = "2.9.6";

const packages: Record<string, string> = {
  "linux-x64": "linux-x64-glibc",
  "linux-arm64": "linux-arm64-glibc",
  "windows-x64": "win32-x64",
  "macos-x64": "darwin-x64",
  "macos-arm64": "darwin-arm64",
};

/** Name of the runtime's file on a system. */
export function runtimeFile(target: Target): string {
  return target.name.startsWith("windows") ? "deno.exe" : "deno";
}

/** The npm package with the runtime of a system. */
export function runtimePackage(target: Target): string {
  return `@deno/${packages[target.name]}`;
}

/** The system that this runs on, in the names of the targets. */
function thisSystem(): string {
  const os = Deno.build.os === "darwin" ? "macos" : Deno.build.os;
  return `${os}-${Deno.build.arch === "x86_64" ? "x64" : "arm64"}`;
}

async function run(command: string, args: string[], cwd: string): Promise<void> {
  const { success, stderr } = await new Deno.Command(command, { args, cwd, stdout: "null" })
    .output();
  if (!success) {
    throw new Error(`${command} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  }
}

/** Path of the runtime for a system; the one that runs this, if it is for that. @throws Error if npm fails */
export async function runtimeFor(target: Target): Promise<string> {
  if (target.name === thisSystem() && Deno.version.deno === denoVersion) return Deno.execPath();
  const name = packages[target.name];
  const dir = join(root, ".cache", "runtimes", `${name}-${denoVersion}`);
  const path = join(dir, "package", runtimeFile(target));
  if (await Deno.stat(path).then(() => true, () => false)) return path;
  await Deno.mkdir(dir, { recursive: true });
  await run("npm", ["pack", "--silent", `@deno/${name}@${denoVersion}`], dir);
  await run("tar", ["xzf", `deno-${name}-${denoVersion}.tgz`], dir);
  await Deno.remove(join(dir, `deno-${name}-${denoVersion}.tgz`));
  return path;
}
