/** How long mail is kept, and the copies of all mail of a domain, for the administrator. @module */
import * as admin from "../../admin/mod.ts";
import { type AdminCommand, type Arguments, textArgument } from "./admin_command.ts";
import { ControlError } from "./control.ts";

/** Parses rules as typed: mailbox=days, or mailbox=none for no rule. @throws ControlError */
function rulesOf(args: Arguments): [mailbox: string, days: number | undefined][] {
  const given = Array.isArray(args.rules) ? args.rules : [];
  return given.map((rule) => {
    const text = String(rule);
    const at = text.lastIndexOf("=");
    const days = text.slice(at + 1);
    if (at <= 0 || !/^(?:none|[0-9]{1,6})$/.test(days)) {
      throw new ControlError(`${JSON.stringify(text)} is not of the form mailbox=days`);
    }
    return [text.slice(0, at), days === "none" ? undefined : Number(days)];
  });
}

/** Commands on how long mail is kept, all with dry runs. */
export const keepingCommands: Record<string, AdminCommand> = {
  async "account retention"({ config }, args, print) {
    const name = textArgument(args, "account");
    const account = config.account(name);
    if (!account) throw new ControlError(`no account ${name}`);
    const changes = rulesOf(args);
    if (changes.length === 0) {
      for (const [mailbox, days] of account.Retention) print(`${mailbox}=${days}\n`);
      if (account.LegalHold) print("# legal hold: nothing is removed\n");
      return;
    }
    const rules = new Map(account.Retention);
    for (const [mailbox, days] of changes) {
      if (days !== undefined) rules.set(mailbox, days);
      else if (!rules.delete(mailbox)) throw new ControlError(`there is no rule for ${mailbox}`);
    }
    const retention = [...rules].map(([mailbox, days]) => ({ mailbox, days }));
    await admin.setKeeping(config, name, { retention, legalHold: account.LegalHold });
  },
  async "account legalhold"({ config }, args) {
    const name = textArgument(args, "account");
    const account = config.account(name);
    if (!account) throw new ControlError(`no account ${name}`);
    const retention = [...account.Retention].map(([mailbox, days]) => ({ mailbox, days }));
    await admin.setKeeping(config, name, { retention, legalHold: args.on === true });
  },
  async "domain journal"({ config }, args, print) {
    const domain = textArgument(args, "domain");
    const entry = config.domain(domain);
    if (!entry) throw new ControlError(`no domain ${domain}`);
    const before = entry.config.Journal;
    if (args.off === true) {
      if (!before) throw new ControlError(`${domain} has no journal`);
      return await admin.setJournal(config, domain, undefined);
    }
    const text = (name: string) => typeof args[name] === "string" ? args[name] as string : "";
    if (text("address") === "") {
      if (!before) return print(`${domain} has no journal\n`);
      const mailbox = config.accountFor(before.Address) === undefined ? "" : ` ${before.Mailbox}`;
      const key = before.KeyFile === "" ? "" : `, encrypted to the key in ${before.KeyFile}`;
      return print(`copies go to ${before.Address}${mailbox}${key}\n`);
    }
    await admin.setJournal(config, domain, {
      address: text("address"),
      mailbox: text("mailbox"),
      keyFile: args.plain === true ? "" : before?.KeyFile ?? "",
      key: text("key"),
    });
  },
};
