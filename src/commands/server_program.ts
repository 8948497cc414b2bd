/** How this program is started again, for unit files and for telling the user. @module */
import { resolve } from "node:path";
import { systemdUnit } from "../admin/systemd_unit.ts";
import type { Config } from "../config/mod.ts";
import { parentDir } from "../platform/paths.ts";
import { executablePath, isCompiled, mainModulePath } from "../platform/process.ts";

/**
 * Flags of the runtime, compiled into the executable: what the program may do, and its memory. Which files and addresses
 * it may touch is up to its configuration, and so to the operating system (see the systemd unit). The
 * permission for foreign functions is for dropping root's privileges, and is given back right after.
 *
 * New objects get 4 MB at a time, not 16: a page that is touched for the first time costs more than all that is
 * done in it where the machine is virtual (18 microseconds, a third of a FETCH), and memory that is used again none.
 */
export const programFlags: readonly string[] = [
  "--no-prompt",
  "--v8-flags=--max-semi-space-size=4",
  "--allow-net",
  "--allow-read",
  "--allow-write",
  "--allow-env=MOXCONF,MOX_DNS_SERVERS,HOME,XDG_CONFIG_HOME,APPDATA,TMPDIR,TEMP,TMP,LISTEN_PID,LISTEN_FDS,LISTEN_FDNAMES",
  // Other variables, which libraries ask for, count as not set.
  "--ignore-env",
  "--allow-sys=hostname,networkInterfaces,statfs,uid,gid",
  "--allow-ffi",
];

/** Program and arguments that stand before a subcommand. */
export function programCommand(): string[] {
  return isCompiled()
    ? [executablePath()]
    : [executablePath(), "run", ...programFlags, mainModulePath()];
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
