/** `mox setadminpassword`. @module */
import { readPassword } from "../platform/terminal.ts";
import { writeStdout } from "../platform/stdio.ts";
import { adminCall } from "./admin_call.ts";
import { type Command, parseFlags } from "./command.ts";

export const setadminpassword: Command = {
  name: "setadminpassword",
  usage: "setadminpassword [-nosecondfactor] [-dir folder]",
  summary: "Set a new password for the administrator",
  help: `
Reads a password from the terminal, twice, or from standard input, and writes its hash to the file that
AdminPasswordFile in mox.conf names. It is for the admin page. At least 8 characters. Logins to the admin page end.

  -nosecondfactor
         turn the administrator's second factor off, whose device and recovery codes are lost
  -dir   folder of a localserve; default the server of mox.conf, or localserve's`,
  async run(args) {
    const { flags } = parseFlags(args, { dir: "", nosecondfactor: false });
    const password = await readPassword("new password for the administrator: ");
    await adminCall(
      "setadminpassword",
      { password, noSecondFactor: flags.nosecondfactor },
      flags.dir,
    );
    writeStdout("password of the administrator set\n");
  },
};
