/** `mox version`. @module */
import { writeStdout } from "../platform/stdio.ts";
import { programVersion, runtimeVersions } from "../platform/version.ts";
import { type Command, parseFlags } from "./command.ts";

export const version: Command = {
  name: "version",
  usage: "version",
  summary: "Print the version of this program and of what is in it",
  help: "Prints the versions of mox, of the Deno runtime and of SQLite, and the platform.",
  run(args) {
    parseFlags(args, {});
    writeStdout(`mox ${programVersion}\n`);
    for (const [name, v] of Object.entries(runtimeVersions())) writeStdout(`${name} ${v}\n`);
    return Promise.resolve();
  },
};
