/** How this program is started again, for unit files and for telling the user. @module */
import { resolve } from "node:path";
import { systemdUnit } from "../admin/systemd_unit.ts";
import type { Config } from "../config/mod.ts";
import { parentDir } from "../platform/paths.ts";
import { executablePath, isCompiled, mainModulePath } from "../platform/process.ts";

/** Permissions that a server needs; what files it may touch is up to the operating system. */
export const servePermissions: readonly string[] = [
  "--no-prompt",
  "--allow-net",
  "--allow-read",
  "--allow-write",
  "--allow-env",
  "--allow-sys",
  "--allow-ffi",
];

/** Program and arguments that stand before a subcommand. */
export function programCommand(): string[] {
  return isCompiled()
    ? [executablePath()]
    : [executablePath(), "run", ...servePermissions, mainModulePath()];
}

/** The unit for a configuration. */
export function unitFor(config: Config): string {
  const dir = parentDir(resolve(config.dir));
  const readable = isCompiled() ? [] : [parentDir(mainModulePath())];
  return systemdUnit({
    dir,
    program: [...programCommand(), "-config", config.staticPath],
    user: config.static.User,
    writable: [resolve(config.dir), resolve(config.dataDir)],
    readable: [parentDir(executablePath()), ...readable],
  });
}
