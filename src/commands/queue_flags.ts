/** Flags of queue commands for selecting recipients, and their output. @module */
import { parseDuration } from "../config/mod.ts";
import type { Json } from "../serve/control/control.ts";
import { UsageError } from "./command.ts";

/** Flags of the commands that select queued messages. */
export const filterFlags = {
  dir: "",
  ids: "",
  account: "",
  from: "",
  to: "",
  hold: "",
  transport: "",
  queuedbefore: "",
  queuedafter: "",
  duebefore: "",
  dueafter: "",
};

/** The usage of these flags on one line. */
export const filterUsage =
  "[-ids id,...] [-account name] [-from text] [-to text] [-hold true|false] [-transport name] " +
  "[-queuedbefore time] [-queuedafter time] [-duebefore time] [-dueafter time]";

/** Their help. */
export const filterHelp = `
  -ids                       ids, as queue list shows them
  -account                   of the sender
  -from, -to                 part of the sender's or recipient's address; @ and a domain for all of it
  -hold                      whether it is on hold
  -transport                 name that was set with queue transport; "none" for those without
  -queuedbefore, -queuedafter, -duebefore, -dueafter
                             time of arrival, or of the next attempt: as 2026-01-31T12:00:00Z, or a duration
                             from now such as -1h or 30m
  -dir                       folder of a localserve that is meant`;

/** A time from a flag or argument, in milliseconds since the epoch. @throws UsageError */
export function parseTime(value: string, flag = ""): number {
  const duration = parseDuration(value);
  if (duration !== undefined) return Date.now() + duration;
  const time = /^\d{4}-\d\d-\d\d/.test(value) ? Date.parse(value) : NaN;
  if (Number.isNaN(time)) {
    const what = flag === "" ? value : `-${flag}: ${value}`;
    throw new UsageError(`${what} is no time such as 2026-01-31T12:00:00Z or 1h`);
  }
  return time;
}

/** Ids from the command line. @throws UsageError */
export function parseIds(text: string): number[] {
  return text.split(",").map((t) => {
    const id = Number(t);
    if (!/^[0-9]{1,15}$/.test(t.trim())) throw new UsageError(`${JSON.stringify(t)} is no id`);
    return id;
  });
}

/** The filter in the server's form. @throws UsageError */
export function filterOf(flags: { [K in keyof typeof filterFlags]: string }): Json {
  const f: { [key: string]: Json } = {};
  if (flags.ids !== "") f.ids = parseIds(flags.ids);
  if (flags.account !== "") f.account = flags.account;
  if (flags.from !== "") f.from = flags.from;
  if (flags.to !== "") f.to = flags.to;
  if (flags.hold !== "") {
    if (flags.hold !== "true" && flags.hold !== "false") {
      throw new UsageError(`-hold is true or false, not ${flags.hold}`);
    }
    f.hold = flags.hold === "true";
  }
  if (flags.transport !== "") f.transport = flags.transport === "none" ? "" : flags.transport;
  const times = { queuedbefore: "queuedBefore", queuedafter: "queuedAfter" } as const;
  const dues = { duebefore: "dueBefore", dueafter: "dueAfter" } as const;
  for (const [flag, name] of Object.entries({ ...times, ...dues })) {
    const value = flags[flag as keyof typeof times];
    if (value !== "") f[name] = parseTime(value, flag);
  }
  return f;
}

/** Commands that change queued messages require a selection, or an explicit "all". */
export function neededFilter(
  flags: { [K in keyof typeof filterFlags]: string } & { all: boolean },
): Json {
  const f = filterOf(flags);
  if (!flags.all && Object.keys(f as object).length === 0) {
    throw new UsageError("say which with flags, or use -all");
  }
  return f;
}

/** Rows of text in columns. */
export function columns(rows: readonly (readonly string[])[]): string {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((r) => r[i].length)));
  return rows.map((r) => r.map((c, i) => c.padEnd(widths[i])).join("  ").trimEnd() + "\n").join("");
}

/** Formats a time. */
export function shownTime(ms: number): string {
  return new Date(ms).toISOString().replace(/\.\d+Z$/, "Z");
}
