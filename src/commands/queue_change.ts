/** Subcommands that change queued messages: hold, unhold, schedule, transport, requiretls, fail, drop. @module */
import { writeStdout } from "../platform/stdio.ts";
import { parseDuration } from "../config/mod.ts";
import { callControl, type Json } from "../serve/control/control.ts";
import { type Command, parseFlags, UsageError } from "./command.ts";
import { findDataDir } from "./datadir.ts";
import { filterFlags, filterHelp, filterUsage, neededFilter, parseTime } from "./queue_flags.ts";

/** The request to the server. */
type Fields = { [key: string]: Json };

/** A command that changes the messages selected by its flags. */
function change(c: {
  name: string;
  argument?: string;
  summary: string;
  help: string;
  /** Arguments besides the filter. */
  more?(argument: string): Fields;
  /** Has the flag -now, passed to `more` as an argument without plus. */
  now?: boolean;
}): Command {
  const argument = c.argument === undefined ? "" : ` ${c.argument}`;
  return {
    name: `queue ${c.name}`,
    usage: `queue ${c.name} ${filterUsage} [-all]${argument}`,
    summary: c.summary,
    help: `
${c.help} Deliveries that are under way are left alone.
${filterHelp}
  -all                       all that is queued`,
    async run(args) {
      const n = c.argument === undefined ? 0 : 1;
      const { flags, args: [value] } = parseFlags(
        args,
        { ...filterFlags, all: false, ...c.now ? { now: false } : {} },
        { min: n, max: n },
      );
      const changed = await callControl(await findDataDir(flags.dir), `queue ${c.name}`, {
        filter: neededFilter(flags),
        ...c.more?.(value),
      });
      writeStdout(`${changed} changed\n`);
    },
  };
}

export const queueChanges: readonly Command[] = [
  change({
    name: "hold",
    summary: "Put queued messages on hold",
    help: "Puts messages on hold: they are not tried until queue unhold lets them go.",
  }),
  change({
    name: "unhold",
    summary: "Let messages on hold go",
    help: "Lets messages that are on hold go: they are tried at the time that was due.",
  }),
  change({
    name: "schedule",
    now: true,
    argument: "now|time|+duration",
    summary: "Set when queued messages are tried next",
    help: `
Sets the time of the next attempt: now, a time such as 2026-01-31T12:00:00Z, a duration from now such as 1h,
or with a plus a duration after the attempt that is due. -now is accepted for scripts: a duration is from now.`
      .trim(),
    more(value): Fields {
      if (value === "now") return { time: Date.now() };
      if (!value.startsWith("+")) return { time: parseTime(value) };
      const by = parseDuration(value.slice(1));
      if (by === undefined) throw new UsageError(`${value} is not a duration such as +1h`);
      return { by };
    },
  }),
  change({
    name: "transport",
    argument: "name|default",
    summary: "Set the transport of queued messages",
    help: "Sets by which transport of mox.conf messages are sent, whatever the routes say.",
    more: (value): Fields => value === "default" ? {} : { transport: value },
  }),
  change({
    name: "requiretls",
    argument: "yes|no|default",
    summary: "Set whether queued messages need TLS",
    help: `
With yes, messages are only sent over verified TLS to servers that keep that up (REQUIRETLS). With no, they
are sent in clear text if need be, whatever the policies of the recipients' domains. default goes back to what
the sender and these policies say.`.trim(),
    more: (value) => ({ value }),
  }),
  change({
    name: "fail",
    summary: "Give up on queued messages and tell their senders",
    help: "Gives up on messages: their senders get a report that they could not be delivered.",
  }),
  change({
    name: "drop",
    summary: "Remove queued messages without telling anyone",
    help: "Removes messages from the queue. Their senders are not told.",
  }),
];
