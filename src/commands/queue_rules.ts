/** `mox queue holdrules …` and `mox queue suppress …`. @module */
import { writeStdout } from "../platform/stdio.ts";
import { callControl, type Json } from "../serve/control/control.ts";
import { type Command, parseFlags, UsageError } from "./command.ts";
import { findDataDir } from "./datadir.ts";
import { columns, parseIds, shownTime } from "./queue_flags.ts";

const dirHelp = "  -dir   folder of a localserve that is meant";

export const queueRules: readonly Command[] = [
  {
    name: "queue holdrules list",
    usage: "queue holdrules list [-dir folder]",
    summary: "List the rules by which new messages are held",
    help: `
Lists the rules. A message that fits all that a rule names is put on hold when it is queued.

${dirHelp}`,
    async run(args) {
      const { flags } = parseFlags(args, { dir: "" });
      const rules = await callControl(
        await findDataDir(flags.dir),
        "queue holdrules list",
      ) as unknown as {
        id: number;
        account?: string;
        senderDomain?: string;
        recipientDomain?: string;
      }[];
      if (rules.length === 0) return writeStdout("no rules\n");
      writeStdout(columns([
        ["id", "account", "sender domain", "recipient domain"],
        ...rules.map((r) => [
          String(r.id),
          r.account ?? "any",
          r.senderDomain ?? "any",
          r.recipientDomain ?? "any",
        ]),
      ]));
    },
  },
  {
    name: "queue holdrules add",
    usage:
      "queue holdrules add [-dir folder] [-account name] [-senderdomain domain] [-recipientdomain domain]",
    summary: "Hold new messages that fit",
    help: `
Adds a rule: new messages that fit all that is named are held. Without any flag all new messages are. What
is queued already stays as it is: see queue hold.

${dirHelp}`,
    async run(args) {
      const { flags } = parseFlags(args, {
        dir: "",
        account: "",
        senderdomain: "",
        recipientdomain: "",
      });
      const given = (s: string) => s === "" ? null : s;
      const id = await callControl(await findDataDir(flags.dir), "queue holdrules add", {
        account: given(flags.account),
        senderDomain: given(flags.senderdomain),
        recipientDomain: given(flags.recipientdomain),
      });
      writeStdout(`rule ${id} added\n`);
    },
  },
  {
    name: "queue holdrules remove",
    usage: "queue holdrules remove [-dir folder] id",
    summary: "Remove a hold rule",
    help: `
Removes a rule. What it has held stays on hold: see queue unhold.

${dirHelp}`,
    async run(args) {
      const { flags, args: [id] } = parseFlags(args, { dir: "" }, { min: 1, max: 1 });
      await callControl(await findDataDir(flags.dir), "queue holdrules remove", {
        id: parseIds(id)[0],
      });
    },
  },
  {
    name: "queue suppress list",
    usage: "queue suppress list [-dir folder] [-account name]",
    summary: "List recipients that accounts must not write to",
    help: `
Lists suppressed recipients: messages to them fail at once. They get on the list when messages bounce, if the
account has a KeepRetiredMessagePeriod, or by queue suppress add.

  -account   only of this account
${dirHelp}`,
    async run(args) {
      const { flags } = parseFlags(args, { dir: "", account: "" });
      const list = await callControl(
        await findDataDir(flags.dir),
        "queue suppress list",
        { account: flags.account === "" ? null : flags.account },
      ) as unknown as {
        account: string;
        address: string;
        manual: boolean;
        reason: string;
        created: number;
      }[];
      if (list.length === 0) return writeStdout("none\n");
      writeStdout(columns([
        ["account", "address", "since", "by", "reason"],
        ...list.map((s) => [
          s.account,
          s.address,
          shownTime(s.created),
          s.manual ? "hand" : "bounces",
          s.reason,
        ]),
      ]));
    },
  },
  suppression("add", "Suppress a recipient", "Adds a recipient to the list of an account."),
  suppression(
    "remove",
    "Let an account write to a recipient again",
    "Removes a recipient from the list of an account.",
  ),
  suppression(
    "lookup",
    "Look for a recipient in the list of suppressed ones",
    "Tells whether an account must not write to a recipient, and why. What follows a plus in the part " +
      "before\nthe @ and upper case don't matter. The exit status is 1 if it is not on the list.",
    (found) => {
      if (found === null) {
        writeStdout("not suppressed\n");
        return 1;
      }
      const s = found as { address: string; reason: string; created: number };
      writeStdout(`${s.address} since ${shownTime(s.created)}: ${s.reason}\n`);
      return 0;
    },
  ),
];

/** A command about one suppressed recipient. */
function suppression(
  verb: string,
  summary: string,
  help: string,
  show: (result: Json) => number | void = () => {},
): Command {
  return {
    name: `queue suppress ${verb}`,
    usage: `queue suppress ${verb} [-dir folder] account address`,
    summary,
    help: `
${help}

${dirHelp}`,
    async run(args) {
      const { flags, args: [account, address] } = parseFlags(args, { dir: "" }, {
        min: 2,
        max: 2,
      });
      if (!address.includes("@")) throw new UsageError(`${address} is not an address`);
      const result = await callControl(
        await findDataDir(flags.dir),
        `queue suppress ${verb}`,
        { account, address },
      );
      return show(result);
    },
  };
}
