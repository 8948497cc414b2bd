/** How this program is started again, for unit files and for telling the user. @module */
import { resolve } from "node:path";
import { systemdUnit } from "../admin/systemd_unit.ts";
import type { Config } from "../config/mod.ts";
import { parentDir } from "../platform/paths.ts";
import { executablePath, isCompiled, mainModulePath } from "../platform/process.ts";
import { runtimeFlags } from "./runtime_flags.ts";

/** Program and arguments that stand before a subcommand. */
export function programCommand(): string[] {
  return isCompiled()
    ? [executablePath()]
    : [executablePath(), "run", ...runtimeFlags, mainModulePath()];
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
