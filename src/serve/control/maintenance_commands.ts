/** Repairs of accounts, as commands. @module */
import type { Account } from "../../store/account/account.ts";
import {
  bumpUidValidity,
  fixMessageSizes,
  fixUidMeta,
  reassignUids,
  recalculateCounts,
  reparse,
} from "../../store/account/maintenance.ts";
import { agedMail } from "../retention.ts";
import { reassignThreads } from "../../store/messages/rethread.ts";
import type { AdminCommand, AdminContext, Arguments } from "./admin_command.ts";
import { ControlError } from "./control.ts";

type Print = (text: string) => void;

/** Runs for the named account, or for all; a busy account does not hold up the others. */
async function forAccounts(
  { config, accounts }: AdminContext,
  args: Arguments,
  fn: (account: Account) => Promise<void>,
): Promise<void> {
  const named = typeof args.account === "string" ? args.account : "";
  if (named !== "" && !config.account(named)) throw new ControlError(`no account ${named}`);
  for (const name of named !== "" ? [named] : config.accountsHere()) {
    const account = await accounts.open(name);
    try {
      await fn(account);
    } finally {
      account.close();
    }
  }
}

function mailboxOf(args: Arguments): string {
  return typeof args.mailbox === "string" ? args.mailbox : "";
}

function printFixed(print: Print, account: Account, fixed: readonly string[]): void {
  for (const line of fixed) print(`${account.name}: ${line}\n`);
  if (fixed.length === 0) print(`${account.name}: all was right\n`);
}

export const maintenanceCommands: Record<string, AdminCommand> = {
  retention: (context, args, print) =>
    forAccounts(context, args, async (account) => {
      if (context.config.account(account.name)?.LegalHold) {
        print(`${account.name}: LegalHold, nothing is removed\n`);
        return;
      }
      const list = await agedMail({ config: context.config, accounts: context.accounts }, account);
      if (list.length === 0) print(`${account.name}: no rule, nothing is removed\n`);
      for (const { mailbox, days, messages, size } of list) {
        print(
          `${account.name}: ${mailbox}, kept ${days} days: ${messages} messages with ${size} bytes would go\n`,
        );
      }
    }),
  bumpuidvalidity: (context, args, print) =>
    forAccounts(context, args, async (account) => {
      for (const [name, value] of await bumpUidValidity(account, mailboxOf(args))) {
        print(`${account.name}: mailbox ${name} has uidvalidity ${value} now\n`);
      }
    }),
  reassignuids: (context, args, print) =>
    forAccounts(context, args, async (account) => {
      for (const [name, count] of await reassignUids(account, mailboxOf(args))) {
        print(`${account.name}: mailbox ${name}, ${count} messages numbered anew\n`);
      }
    }),
  fixuidmeta: (c, args, print) =>
    forAccounts(c, args, async (a) => printFixed(print, a, await fixUidMeta(a))),
  fixmsgsize: (c, args, print) =>
    forAccounts(c, args, async (a) => printFixed(print, a, await fixMessageSizes(a))),
  recalculatemailboxcounts: (c, args, print) =>
    forAccounts(c, args, async (a) => printFixed(print, a, await recalculateCounts(a))),
  reparse: (c, args, print) => forAccounts(c, args, (a) => reparseAccount(a, false, print)),
  ensureparsed: (c, args, print) =>
    forAccounts(c, args, (a) => reparseAccount(a, args.all !== true, print)),
  reassignthreads: (context, args, print) =>
    forAccounts(context, args, async (account) => {
      const count = await reassignThreads(account, (done) => {
        if (done % 10_000 === 0) print(`${account.name}: ${done} messages\n`);
      });
      print(`${account.name}: ${count} messages matched to threads\n`);
    }),
};

async function reparseAccount(account: Account, missing: boolean, print: Print): Promise<void> {
  const { done, failed } = await reparse(account, {
    missing,
    progress: (n) => {
      if (n % 10_000 === 0) print(`${account.name}: ${n} messages\n`);
    },
  });
  for (const f of failed) print(`${account.name}: ${f}\n`);
  print(`${account.name}: ${done} messages parsed\n`);
}
