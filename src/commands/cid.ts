/** `mox cid`. @module */
import { cidString } from "../log/mod.ts";
import { writeStdout } from "../platform/stdio.ts";
import { type Command, parseFlags, UsageError } from "./command.ts";

export const cid: Command = {
  name: "cid",
  usage: "cid id",
  summary: "Find the log lines that belong to an id in a Received header",
  help: `
The id after "id" in a Received header of this server, and in its SMTP greeting, is that of the connection,
"cid" in log lines. Prints it as log lines have it, and when the connection was about: ids rise with the
time at which the server was started. A number in decimal is taken as well, with a leading "=".`,
  run(args) {
    const { args: [text] } = parseFlags(args, {}, { min: 1 });
    const value = /^=[0-9]{1,15}$/.test(text)
      ? Number(text.slice(1))
      : /^[0-9a-f]{1,13}$/i.test(text)
      ? parseInt(text, 16)
      : NaN;
    if (!Number.isSafeInteger(value)) throw new UsageError(`${JSON.stringify(text)} is no id`);
    // Counting starts at the milliseconds of the start, times 16.
    const start = new Date(value / 16);
    writeStdout(`cid=${cidString(value)}\nat or after the start around ${start.toISOString()}\n`);
    return Promise.resolve();
  },
};
