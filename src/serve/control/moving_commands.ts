/** Commands that take over users, aliases and mail of other servers. @module */
import { carryOut, setPasswords } from "../../admin/moving/carry_out.ts";
import type { Plan } from "../../admin/moving/plan.ts";
import { cyrusScripts } from "../../admin/moving/cyrus_sieve.ts";
import { homeScripts, moveScripts } from "../../admin/moving/sieve.ts";
import { SieveDatabase } from "../../delivery/sieve/database.ts";
import { planAliases } from "../../admin/moving/plan_aliases.ts";
import { planUsers } from "../../admin/moving/plan_users.ts";
import { readPostfixMap } from "../../admin/moving/postfix_map.ts";
import {
  formatOf,
  type LineProblem,
  readUsers,
  type UserFormat,
} from "../../admin/moving/users.ts";
import type { AdminCommand, Arguments, Print } from "./admin_command.ts";
import { textArgument } from "./admin_command.ts";
import { ControlError } from "./control.ts";

const formats: readonly UserFormat[] = ["passwd", "csv", "json"];

function optionalText(args: Arguments, name: string): string {
  const value = args[name];
  return typeof value === "string" ? value : "";
}

/** Prints a plan; `done` tells whether it has been carried out. */
function report(plan: Plan, problems: readonly LineProblem[], print: Print): void {
  for (const domain of plan.domains) print(`domain ${domain}\n`);
  for (const line of plan.changes) print(`${line}\n`);
  const all = [...problems, ...plan.problems].sort((a, b) => a.line - b.line);
  for (const p of all) print(p.line > 0 ? `line ${p.line}: ${p.message}\n` : `${p.message}\n`);
}

export const movingCommands: Record<string, AdminCommand> = {
  async "import accounts"({ config, accounts }, args, print, signal) {
    const text = textArgument(args, "text");
    const format = optionalText(args, "format") || formatOf(text);
    if (!formats.includes(format as UserFormat)) {
      throw new ControlError(`the format ${format} is unknown: ${formats.join(", ")}`);
    }
    const read = readUsers(text, format as UserFormat, optionalText(args, "domain"));
    const plan = planUsers(config.dynamic, read.users);
    report(plan, read.problems, print);
    const problems = read.problems.length + plan.problems.length;
    if (args.dryRun === true) {
      print(
        `${plan.changes.length} changes would be made, ${plan.passwords.length} passwords looked at\n`,
      );
      return { problems };
    }
    await carryOut(config, plan);
    const set = await setPasswords(accounts, plan.passwords, {
      replace: args.replace === true,
      tell: (line) => print(`${line}\n`),
      signal,
    });
    print(`${plan.changes.length} changes made, ${set} passwords set\n`);
    return { problems };
  },

  async "import sieve"({ config, sieve }, args, print) {
    const names = Array.isArray(args.accounts)
      ? args.accounts.filter((x) => typeof x === "string")
      : [];
    const sievedir = optionalText(args, "sievedir");
    const source = sievedir === ""
      ? homeScripts(config, textArgument(args, "home"), names)
      : cyrusScripts(config, {
        sievedir,
        spool: optionalText(args, "spool"),
        domain: optionalText(args, "domain"),
      }, names);
    const db = sieve ?? await SieveDatabase.open(config.dataDir);
    try {
      const { stored, failed } = await moveScripts({
        scripts: db.scripts,
        replace: args.replace === true,
        dryRun: args.dryRun === true,
        tell: (line) => print(`${line}\n`),
      }, source);
      const done = args.dryRun === true ? "would be taken over" : "taken over";
      print(`${stored} scripts ${done}, ${failed} not\n`);
      return { problems: failed };
    } finally {
      if (sieve === undefined) await db.close();
    }
  },

  async "import aliases"({ config }, args, print) {
    const read = readPostfixMap(textArgument(args, "text"), optionalText(args, "domain"));
    const plan = planAliases(config.dynamic, read.entries);
    report(plan, read.problems, print);
    const problems = read.problems.length + plan.problems.length;
    const count = plan.changes.length + plan.domains.length;
    if (args.dryRun === true) {
      print(`${count} changes would be made\n`);
      return { problems };
    }
    await carryOut(config, plan);
    print(`${count} changes made\n`);
    return { problems };
  },
};
