/** `mox licenses`. @module */
import { writeStdout } from "../platform/stdio.ts";
import { runtimeVersions } from "../platform/version.ts";
import { type Command, parseFlags } from "./command.ts";
// By `deno task pages`, from the packages.
import packages from "./licenses.txt" with { type: "text" };

export const licenses: Command = {
  name: "licenses",
  usage: "licenses",
  summary: "Print the licences of this program and of the packages in it",
  help: `
Prints the licence of mox, then those of the npm packages that are in the program and its pages. The runtime
is not among them: Deno has the MIT licence, and https://deno.com has those of what it is made of.`,
  run(args) {
    parseFlags(args, {});
    const { deno } = runtimeVersions();
    writeStdout(`${packages}\nRuntime: Deno ${deno ?? ""}, MIT licence, https://deno.com\n`);
    return Promise.resolve();
  },
};
