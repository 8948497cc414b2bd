/** How tests start the program: with the flags that are shipped, and no others. */
import { fileURLToPath } from "node:url";
import {
  lockFlags,
  narrowedFlags,
  runtimeEnvironment,
  runtimeFlags,
} from "../../src/commands/runtime_flags.ts";

const main = fileURLToPath(new URL("../../main.ts", import.meta.url));
const sources = fileURLToPath(new URL("../..", import.meta.url));

/** The environment that it is shipped with; others' is kept. */
export const programEnvironment = runtimeEnvironment;

/** Arguments of the runtime for a subcommand, as a developer starts it. */
export function programArgs(args: readonly string[]): string[] {
  return ["run", "--no-check", ...lockFlags(main), ...runtimeFlags, main, ...args];
}

/** The same where all files of the server are below a folder: nothing else is read but the sources and /etc. */
export function programArgsIn(dir: string, args: readonly string[]): string[] {
  const flags = narrowedFlags({ read: [dir, sources, "/etc"], write: [dir] });
  return ["run", "--no-check", ...lockFlags(main), ...flags, main, ...args];
}
