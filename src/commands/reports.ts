/** `mox reports send`. @module */
import { writeStdout } from "../platform/stdio.ts";
import { callControl } from "../serve/control/control.ts";
import { type Command, parseFlags } from "./command.ts";
import { findDataDir } from "./datadir.ts";

export const reportsSend: Command = {
  name: "reports send",
  usage: "reports send",
  summary: "Send the DMARC and TLS reports that are due, now",
  help: `
Has the running server send the aggregate reports (DMARC) and TLS reports whose time has passed, without
waiting for the minute or hour at which it does so by itself. Prints the domains that were reported to. Of
today nothing is sent: reports are about whole days (TLS) and intervals that have ended (DMARC).`,
  async run(args) {
    parseFlags(args, {});
    const lines = await callControl(await findDataDir(""), "reports send") as string[];
    writeStdout(lines.length === 0 ? "none are due\n" : lines.map((d) => `${d}\n`).join(""));
  },
};
