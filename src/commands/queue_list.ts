/** `mox queue list`, `dump`, `retired`. @module */
import { writeStdout } from "../platform/stdio.ts";
import { callControl } from "../serve/control/control.ts";
import { type Command, parseFlags, UsageError } from "./command.ts";
import { findDataDir } from "./datadir.ts";
import {
  columns,
  filterFlags,
  filterHelp,
  filterOf,
  filterUsage,
  parseIds,
  shownTime,
} from "./queue_flags.ts";

/** An attempt, as returned by the server. */
interface ShownAttempt {
  time: number;
  code: number;
  enhanced: string;
  text: string;
  remoteMta?: string;
}

/** An item, as returned by the server. */
interface ShownItem {
  id: number;
  address: string;
  account: string;
  from: string;
  size: number;
  queued: number;
  subject: string;
  attempts: number;
  nextAttempt: number;
  hold: boolean;
  transport?: string;
  requireTls?: string;
  results: ShownAttempt[];
}

interface ShownRetired {
  id: number;
  account: string;
  mailFrom: string;
  address: string;
  outcome: string;
  left: number;
  attempts: number;
  results: ShownAttempt[];
}

function lastResult(results: readonly ShownAttempt[]): string {
  const r = results.at(-1);
  if (!r) return "-";
  return `${r.remoteMta ? `${r.remoteMta}: ` : ""}${r.code} ${r.enhanced} ${r.text}`.slice(0, 200);
}

export const queueList: Command = {
  name: "queue list",
  usage: `queue list ${filterUsage} [-sort next|queued|id] [-desc] [-n count] [-json]`,
  summary: "List what is in the outgoing queue",
  help: `
Lists recipients of messages that are in the queue, those that are tried next first.
${filterHelp}
  -sort, -desc               order: by next attempt, time of arrival or id; the last first
  -n                         how many at most, by default 1000
  -json                      with all that is known, as JSON`,
  async run(args) {
    const { flags } = parseFlags(args, {
      ...filterFlags,
      sort: "next",
      desc: false,
      n: "1000",
      json: false,
    });
    if (!/^[0-9]+$/.test(flags.n)) throw new UsageError(`-n is a number, not ${flags.n}`);
    const items = await callControl(await findDataDir(flags.dir), "queue list", {
      filter: filterOf(flags),
      order: { sort: flags.sort, descending: flags.desc, limit: Number(flags.n) },
    }) as unknown as ShownItem[];
    if (flags.json) return writeStdout(JSON.stringify(items, null, 2) + "\n");
    if (items.length === 0) return writeStdout("nothing is queued\n");
    writeStdout(columns([
      ["id", "queued", "account", "from", "to", "size", "attempts", "next attempt", "last result"],
      ...items.map((item) => [
        String(item.id),
        shownTime(item.queued),
        item.account,
        `<${item.from}>`,
        `<${item.address}>`,
        String(item.size),
        String(item.attempts),
        (item.hold ? "on hold, " : "") + shownTime(item.nextAttempt) +
        (item.transport ? `, by ${item.transport}` : "") +
        (item.requireTls ? `, requiretls ${item.requireTls}` : ""),
        lastResult(item.results),
      ]),
    ]));
  },
};

export const queueDump: Command = {
  name: "queue dump",
  usage: "queue dump [-dir folder] id",
  summary: "Print a queued message",
  help: `
Writes the message of an item of the queue to standard output, as it will be sent.

  -dir   folder of a localserve that is meant`,
  async run(args) {
    const { flags, args: [id] } = parseFlags(args, { dir: "" }, { min: 1, max: 1 });
    await callControl(
      await findDataDir(flags.dir),
      "queue dump",
      { id: parseIds(id)[0] },
      (text) => writeStdout(Uint8Array.from(text, (c) => c.charCodeAt(0))),
    );
  },
};

export const queueRetired: Command = {
  name: "queue retired list",
  usage: "queue retired list [-dir folder] [-account name] [-n count] [-json]",
  summary: "List messages that left the queue",
  help: `
Lists recipients that left the queue, the last first: delivered, failed, or removed. They are kept for the
account's KeepRetiredMessagePeriod, by default not at all.

  -account   only of this account
  -n         how many at most, by default 100
  -json      with all that is known, as JSON
  -dir       folder of a localserve that is meant`,
  async run(args) {
    const { flags } = parseFlags(args, { dir: "", account: "", n: "100", json: false });
    if (!/^[0-9]+$/.test(flags.n)) throw new UsageError(`-n is a number, not ${flags.n}`);
    const items = await callControl(await findDataDir(flags.dir), "queue retired list", {
      account: flags.account === "" ? null : flags.account,
      limit: Number(flags.n),
    }) as unknown as ShownRetired[];
    if (flags.json) return writeStdout(JSON.stringify(items, null, 2) + "\n");
    if (items.length === 0) return writeStdout("none\n");
    writeStdout(columns([
      ["id", "left", "outcome", "account", "from", "to", "attempts", "last result"],
      ...items.map((retired) => [
        String(retired.id),
        shownTime(retired.left),
        retired.outcome,
        retired.account,
        `<${retired.mailFrom}>`,
        `<${retired.address}>`,
        String(retired.attempts),
        lastResult(retired.results),
      ]),
    ]));
  },
};

export const queueRetiredPrint: Command = {
  name: "queue retired print",
  usage: "queue retired print [-dir folder] id",
  summary: "Show a message that left the queue",
  help: `
Prints all that is known of a recipient that left the queue, as JSON.

  -dir   folder of a localserve that is meant`,
  async run(args) {
    const { flags, args: [id] } = parseFlags(args, { dir: "" }, { min: 1, max: 1 });
    const [wanted] = parseIds(id);
    const items = await callControl(await findDataDir(flags.dir), "queue retired list", {
      account: null,
      limit: 1,
      before: wanted + 1,
    }) as unknown as ShownRetired[];
    if (items[0]?.id !== wanted) {
      throw new Error(`no message ${wanted} has left the queue, or not lately`);
    }
    writeStdout(JSON.stringify(items[0], null, 2) + "\n");
  },
};
