/** The command line of this program, for unit files and messages to the user. @module */
import { resolve } from "node:path";
import { systemdUnit } from "../admin/systemd_unit.ts";
import type { Config } from "../config/mod.ts";
import { baseName, joinPath, parentDir } from "../platform/paths.ts";
import {
  executablePath,
  isCompiled,
  mainModulePath,
  portableLauncher,
} from "../platform/process.ts";
import { lockFlags, runtimeEnvironment, runtimeFlags } from "./runtime_flags.ts";

/** The launcher of a portable archive, if this runs from one: its runtime and program are in folders next to it. */
function launcher(): string | undefined {
  const folder = parentDir(parentDir(executablePath()));
  const main = mainModulePath();
  if (baseName(main) !== "mox.js" || parentDir(parentDir(main)) !== folder) return undefined;
  return joinPath([folder, portableLauncher]);
}

/** Program and arguments before a subcommand. */
export function programCommand(): string[] {
  if (isCompiled()) return [executablePath()];
  const portable = launcher();
  return portable === undefined
    ? [executablePath(), "run", ...lockFlags(mainModulePath()), ...runtimeFlags, mainModulePath()]
    : [portable];
}

/** The unit for a configuration; or the template unit for the nodes of one machine. */
export function unitFor(config: Config, nodes = false): string {
  const dir = parentDir(resolve(config.dir));
  const portable = launcher();
  const readable = isCompiled()
    ? []
    : portable === undefined
    ? [parentDir(mainModulePath())]
    : [parentDir(portable)];
  return systemdUnit({
    dir,
    program: [...programCommand(), "-config", config.staticPath],
    environment: runtimeEnvironment,
    user: config.static.User,
    nodes,
    writable: [
      resolve(config.dir),
      nodes ? parentDir(resolve(config.dataDir)) : resolve(config.dataDir),
    ],
    readable: [parentDir(executablePath()), ...readable],
  });
}
