/**
 * Stand-ins for the compiler's runtimes, of which the packing just needs the form of the executable: the
 * Deno executables in the npm registry. For trying the packing where the runtimes can't be downloaded.
 *
 * @module
 */
import { join } from "node:path";
import { root } from "./bundle.ts";
import type { Target } from "./compile.ts";

/** Of which there are packages for all systems. */
const version = "2.9.5";

const packages: Record<string, { name: string; executable: string }> = {
  "windows-x64": { name: "win32-x64", executable: "deno.exe" },
  "macos-x64": { name: "darwin-x64", executable: "deno" },
  "macos-arm64": { name: "darwin-arm64", executable: "deno" },
};

async function run(command: string, args: string[], cwd: string): Promise<void> {
  const { success, stderr } = await new Deno.Command(command, { args, cwd, stdout: "null" })
    .output();
  if (!success) {
    throw new Error(`${command} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  }
}

/** Path of an executable for the target's system, kept in `.cache`. */
export async function standInFor(target: Target): Promise<string> {
  const given = Deno.env.get("DENORT_BIN");
  if (given !== undefined) return given;
  const p = packages[target.name];
  // Linux executables have the same form on all processors.
  if (!p) return Deno.execPath();
  const dir = join(root, ".cache", "stand-in", p.name);
  const path = join(dir, "package", p.executable);
  if (await Deno.stat(path).then(() => true, () => false)) return path;
  await Deno.mkdir(dir, { recursive: true });
  await run("npm", ["pack", "--silent", `@deno/${p.name}@${version}`], dir);
  await run("tar", ["xzf", `deno-${p.name}-${version}.tgz`], dir);
  await Deno.remove(join(dir, `deno-${p.name}-${version}.tgz`));
  return path;
}
