/** `mox setaccountpassword`. @module */
import { readPassword } from "../platform/terminal.ts";
import { writeStdout } from "../platform/stdio.ts";
import { adminCall } from "./admin_call.ts";
import { type Command, parseFlags } from "./command.ts";

export const setaccountpassword: Command = {
  name: "setaccountpassword",
  usage: "setaccountpassword [-dir folder] [-hash | -plain] account",
  summary: "Set a new password for an account",
  help: `
Reads a password from the terminal, twice, or from standard input, and sets it for all ways to log in
(IMAP, submission, web pages). At least 8 characters. With -hash what is read is the hash that another server had of
the password, as "mox import accounts" takes it; what looks like one is refused without -hash or -plain.

  -hash  set a hash: it is replaced by our own at the next login
  -plain set what looks like a hash as the password
  -dir   folder of a localserve; default the server of mox.conf, or localserve's`,
  async run(args) {
    const defaults = { dir: "", hash: false, plain: false };
    const { flags: { dir, hash, plain }, args: [account] } = parseFlags(args, defaults, { min: 1 });
    const what = hash ? "hash of the password" : "new password";
    const password = await readPassword(`${what} for ${account}: `);
    await adminCall("setaccountpassword", { account, password, hash, plain }, dir);
    writeStdout(`password of ${account} set\n`);
  },
};
