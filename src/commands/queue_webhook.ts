/** `mox queue webhook …`: pending and past webhook calls. @module */
import { writeStdout } from "../platform/stdio.ts";
import { parseDuration } from "../config/mod.ts";
import type { Hook, RetiredHook } from "../queue/webhooks/mod.ts";
import { callControl, type Json } from "../serve/control/control.ts";
import { type Command, parseFlags, UsageError } from "./command.ts";
import { findDataDir } from "./datadir.ts";
import { columns, parseIds, parseTime, shownTime } from "./queue_flags.ts";

const choice = { dir: "", ids: "", account: "", event: "" };
const choiceUsage = "[-dir folder] [-ids id,...] [-account name] [-event name]";
const choiceHelp = `
  -ids       ids, as queue webhook list shows them
  -account   only of this account
  -event     incoming, or an event of an outgoing message such as delivered
  -dir       folder of a localserve that is meant`;

function filterOf(flags: { [K in keyof typeof choice]: string }): { [key: string]: Json } {
  return {
    ids: flags.ids === "" ? null : parseIds(flags.ids),
    account: flags.account,
    event: flags.event,
  };
}

function neededFilter(flags: { [K in keyof typeof choice]: string } & { all: boolean }) {
  if (!flags.all && flags.ids === "" && flags.account === "" && flags.event === "") {
    throw new UsageError("say which with flags, or use -all");
  }
  return filterOf(flags);
}

async function show(args: string[], command: string): Promise<void> {
  const { flags, args: [id] } = parseFlags(args, { dir: "" }, { min: 1, max: 1 });
  const hook = await callControl(await findDataDir(flags.dir), command, {
    ids: parseIds(id),
  }) as unknown as Hook;
  writeStdout(`${JSON.stringify({ ...hook, payload: JSON.parse(hook.payload) }, undefined, 2)}\n`);
}

export const queueWebhooks: readonly Command[] = [
  {
    name: "queue webhook list",
    usage: `queue webhook list ${choiceUsage} [-n limit]`,
    summary: "List calls of webhooks that wait",
    help: `
Lists the calls that wait to be made, or to be made again, the next first.
${choiceHelp}
  -n         most lines, 1000 if not given`,
    async run(args) {
      const { flags } = parseFlags(args, { ...choice, n: "1000" });
      const list = await callControl(await findDataDir(flags.dir), "queue webhook list", {
        ...filterOf(flags),
        limit: Number(flags.n),
      }) as unknown as Hook[];
      if (list.length === 0) return writeStdout("no calls wait\n");
      writeStdout(columns([
        ["id", "account", "event", "attempts", "next", "URL", "last result"],
        ...list.map((hook) => [
          String(hook.id),
          hook.account,
          hook.event,
          String(hook.attempts),
          shownTime(hook.nextAttempt),
          hook.url,
          hook.results.at(-1)?.error ?? "",
        ]),
      ]));
    },
  },
  {
    name: "queue webhook print",
    usage: "queue webhook print [-dir folder] id",
    summary: "Show a call of a webhook that waits",
    help: `
Shows a call with what it sends and all that was answered, as JSON.

  -dir   folder of a localserve that is meant`,
    run: (args) => show(args, "queue webhook print"),
  },
  {
    name: "queue webhook schedule",
    usage: `queue webhook schedule ${choiceUsage} [-all] now|time|+duration`,
    summary: "Set when calls of webhooks are made next",
    help: `
Sets the time of the next attempt, or moves it by a duration such as +30m.
${choiceHelp}
  -all       all that wait`,
    async run(args) {
      const { flags, args: [when] } = parseFlags(args, { ...choice, all: false }, {
        min: 1,
        max: 1,
      });
      const by = /^[+-]/.test(when) ? parseDuration(when.replace(/^\+/, "")) : undefined;
      const time = when === "now" ? Date.now() : parseTime(when);
      const changed = await callControl(await findDataDir(flags.dir), "queue webhook schedule", {
        ...neededFilter(flags),
        ...(by === undefined ? { time } : { by }),
      });
      writeStdout(`${changed} changed\n`);
    },
  },
  {
    name: "queue webhook cancel",
    usage: `queue webhook cancel ${choiceUsage} [-all]`,
    summary: "Take calls of webhooks out of the queue",
    help: `
The calls are not made (any more).
${choiceHelp}
  -all       all that wait`,
    async run(args) {
      const { flags } = parseFlags(args, { ...choice, all: false });
      const n = await callControl(
        await findDataDir(flags.dir),
        "queue webhook cancel",
        neededFilter(flags),
      );
      writeStdout(`${n} cancelled\n`);
    },
  },
  {
    name: "queue webhook secret",
    usage: "queue webhook secret [-dir folder] account",
    summary: "Show the key by which calls of webhooks are signed",
    help: `
Shows the key of an account. Each call has a header field X-Mox-Webhook-Signature: t=time,v1=hex, with the
HMAC-SHA-256 of "time.body" under this key.

  -dir   folder of a localserve that is meant`,
    async run(args) {
      const { flags, args: [account] } = parseFlags(args, { dir: "" }, { min: 1, max: 1 });
      const dir = await findDataDir(flags.dir);
      writeStdout(`${await callControl(dir, "queue webhook secret", { account })}\n`);
    },
  },
  {
    name: "queue webhook retired list",
    usage: `queue webhook retired list ${choiceUsage} [-n limit]`,
    summary: "List calls of webhooks that are done",
    help: `
Lists calls that were made, given up or cancelled, the last first. They are kept for the account's
KeepRetiredWebhookPeriod, by default not at all.
${choiceHelp}
  -n         most lines, 1000 if not given`,
    async run(args) {
      const { flags } = parseFlags(args, { ...choice, n: "1000" });
      const list = await callControl(await findDataDir(flags.dir), "queue webhook retired list", {
        ...filterOf(flags),
        limit: Number(flags.n),
      }) as unknown as RetiredHook[];
      if (list.length === 0) return writeStdout("no calls are kept\n");
      writeStdout(columns([
        ["id", "account", "event", "outcome", "attempts", "left", "URL", "last result"],
        ...list.map((hook) => [
          String(hook.id),
          hook.account,
          hook.event,
          hook.outcome,
          String(hook.attempts),
          shownTime(hook.left),
          hook.url,
          hook.results.at(-1)?.error || String(hook.results.at(-1)?.code ?? ""),
        ]),
      ]));
    },
  },
  {
    name: "queue webhook retired print",
    usage: "queue webhook retired print [-dir folder] id",
    summary: "Show a call of a webhook that is done",
    help: `
Shows a call that is done, as JSON.

  -dir   folder of a localserve that is meant`,
    run: (args) => show(args, "queue webhook retired print"),
  },
];
