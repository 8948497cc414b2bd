/** `mox loglevels`. @module */
import { isLevel, levels } from "../log/mod.ts";
import { writeStdout } from "../platform/stdio.ts";
import { callControl } from "../serve/control/control.ts";
import { type Command, parseFlags, UsageError } from "./command.ts";
import { findDataDir } from "./datadir.ts";

export const loglevels: Command = {
  name: "loglevels",
  usage: "loglevels [-dir folder] [level [package]]",
  summary: "Show or change the log levels of the running server",
  help: `
Without arguments prints the levels in force. With a level sets the default, with a package that
package's own; "default" as the level lets a package follow the default again.

Levels, from quiet to loud: ${levels.join(", ")}.
The trace levels print what is said in SMTP and IMAP, of IMAP without what is in literals; passwords are in it
with traceauth, and messages that come by SMTP with tracedata, only.

  -dir   folder of a localserve; default the server of mox.conf, or localserve's`,
  async run(args) {
    const { flags, args: [level, pkg] } = parseFlags(args, { dir: "" }, { max: 2 });
    if (level !== undefined && !isLevel(level) && !(level === "default" && pkg !== undefined)) {
      throw new UsageError(`level is one of ${levels.join(", ")}, not ${JSON.stringify(level)}`);
    }
    const dir = await findDataDir(flags.dir);
    const now = await callControl(dir, "loglevels", { level: level ?? null, pkg: pkg ?? "" });
    for (const [name, l] of Object.entries(now as Record<string, string>)) {
      writeStdout(`${name === "" ? "(default)" : name}: ${l}\n`);
    }
  },
};
