/** `mox config account encryption`. @module */
import { readStdinBytes } from "../platform/terminal.ts";
import { adminCall } from "./admin_call.ts";
import { type Command, parseFlags, UsageError } from "./command.ts";

export const configEncryption: Command = {
  name: "config account encryption",
  usage: "config account encryption [-dir folder] [-set | -remove] account",
  summary: "Show or set the key that an account's incoming mail is encrypted to",
  help: `
Prints to which key messages for the account are encrypted before they are stored, if they are. With -set a key is read
from standard input: an OpenPGP public key in armor, or a certificate with an RSA or EC key in PEM for S/MIME. What arrives
from then on can be read with the secret key only; see docs/encryption.md for what is lost by that.

  -set     encrypt to the key on standard input
  -remove  store what arrives as it comes
  -dir     folder of a localserve; default the server of mox.conf, or localserve's`,
  async run(args) {
    const defaults = { dir: "", set: false, remove: false };
    const { flags: { dir, set, remove }, args: [account] } = parseFlags(args, defaults, { min: 1 });
    if (set && remove) throw new UsageError("-set and -remove can't go together");
    const key = set ? new TextDecoder().decode(await readStdinBytes(300_000)) : null;
    await adminCall("config account encryption", { account, key, remove }, dir);
  },
};
