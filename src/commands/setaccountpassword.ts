/** `mox setaccountpassword`. @module */
import { readPassword } from "../platform/terminal.ts";
import { writeStdout } from "../platform/stdio.ts";
import { adminCall } from "./admin_call.ts";
import { type Command, parseFlags } from "./command.ts";

export const setaccountpassword: Command = {
  name: "setaccountpassword",
  usage: "setaccountpassword [-dir folder] account",
  summary: "Set a new password for an account",
  help: `
Reads a password from the terminal, twice, or from standard input, and sets it for all ways to log in
(IMAP, submission, web pages). At least 8 characters.

  -dir   folder of a localserve; default the server of mox.conf, or localserve's`,
  async run(args) {
    const { flags, args: [account] } = parseFlags(args, { dir: "" }, { min: 1 });
    const password = await readPassword(`new password for ${account}: `);
    await adminCall("setaccountpassword", { account, password }, flags.dir);
    writeStdout(`password of ${account} set\n`);
  },
};
