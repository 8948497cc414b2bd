/** `mox retrain`. @module */
import { writeStdout } from "../platform/stdio.ts";
import { callControl } from "../serve/control/control.ts";
import { type Command, parseFlags } from "./command.ts";
import { findDataDir } from "./datadir.ts";

export const retrain: Command = {
  name: "retrain",
  usage: "retrain [-dir folder] [account]",
  summary: "Make an account's junk filter afresh from its messages",
  help: `
Has the running server make the junk filter of an account, or of all accounts, afresh from all messages
with the flag $Junk or $NotJunk. Needed after a change of the filter's parameters. Meanwhile the old
filter is used.

  -dir   folder of a localserve; default the server of mox.conf, or localserve's`,
  async run(args) {
    const { flags, args: [account] } = parseFlags(args, { dir: "" }, { max: 1 });
    const dir = await findDataDir(flags.dir);
    await callControl(dir, "retrain", { account: account ?? "" }, writeStdout);
  },
};
