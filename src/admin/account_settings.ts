/** Settings of an account that only the administrator has: limits, and what the user may do. @module */
import type { Config } from "../config/mod.ts";
import { AdminError, changing } from "./errors.ts";

export interface AccountSettings {
  fullName: string;
  /** Recipients elsewhere in 24 hours. */
  maxOutgoing: number;
  /** The same in an hour, 0 for no such limit; undefined leaves it as it is. */
  maxHourly?: number;
  /** Recipients that it never wrote to before, in 24 hours. */
  maxFirstTime: number;
  /** Bytes of messages; 0 for the server's default, negative for no limit. */
  quota: number;
  noFirstTimeSenderDelay: boolean;
  /** The user can have random passwords only. */
  noCustomPassword: boolean;
}

/** @throws AdminError */
export async function setAccount(
  config: Config,
  name: string,
  settings: AccountSettings,
): Promise<void> {
  await changing(() =>
    config.writeDynamic((value) => {
      const a = value.Accounts.get(name);
      if (!a) throw new AdminError(`no account ${name}`);
      a.FullName = settings.fullName;
      a.MaxOutgoingMessagesPerDay = settings.maxOutgoing;
      a.MaxFirstTimeRecipientsPerDay = settings.maxFirstTime;
      a.MaxOutgoingMessagesPerHour = settings.maxHourly ?? a.MaxOutgoingMessagesPerHour;
      a.QuotaMessageSize = settings.quota;
      a.NoFirstTimeSenderDelay = settings.noFirstTimeSenderDelay;
      a.NoCustomPassword = settings.noCustomPassword;
    })
  );
}

/** How long an account's messages are kept. */
export interface KeepingSettings {
  /** Mailboxes or special uses such as `\\Trash`, with days; 0 for ever. */
  retention: readonly { mailbox: string; days: number }[];
  /** Nothing is removed by its age. */
  legalHold: boolean;
}

/** The rules as the configuration has them. @throws AdminError for a mailbox that is there twice */
export function retentionRules(list: KeepingSettings["retention"]): Map<string, number> {
  const rules = new Map<string, number>();
  for (const { mailbox, days } of list) {
    if (rules.has(mailbox)) throw new AdminError(`${mailbox} has two rules`);
    rules.set(mailbox, days);
  }
  return rules;
}

/** Sets the account's own rules in place of those it had. @throws AdminError, ConfigError */
export async function setKeeping(
  config: Config,
  name: string,
  settings: KeepingSettings,
): Promise<void> {
  const rules = retentionRules(settings.retention);
  await changing(() =>
    config.writeDynamic((value) => {
      const a = value.Accounts.get(name);
      if (!a) throw new AdminError(`no account ${name}`);
      a.Retention = rules;
      a.LegalHold = settings.legalHold;
    })
  );
}
