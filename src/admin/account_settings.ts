/** Settings of an account for the administrator only: limits, and what the user may do. @module */
import type { Config } from "../config/mod.ts";
import { AdminError, changing } from "./errors.ts";

export interface AccountSettings {
  fullName: string;
  /** Outside recipients in 24 hours. */
  maxOutgoing: number;
  /** The same in an hour, 0 for no such limit; undefined leaves it as it is. */
  maxHourly?: number;
  /** First-time recipients in 24 hours. */
  maxFirstTime: number;
  /** Bytes of messages; 0 for the server's default, negative for no limit. */
  quota: number;
  noFirstTimeSenderDelay: boolean;
  /** The user can only use generated passwords. */
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
  /** Mailboxes or special uses such as `\\Trash`, with days; 0 for no limit. */
  retention: readonly { mailbox: string; days: number }[];
  /** Nothing is removed because of its age. */
  legalHold: boolean;
}

/** The rules in the form of the configuration. @throws AdminError for a duplicate mailbox */
export function retentionRules(list: KeepingSettings["retention"]): Map<string, number> {
  const rules = new Map<string, number>();
  for (const { mailbox, days } of list) {
    if (rules.has(mailbox)) throw new AdminError(`${mailbox} has two rules`);
    rules.set(mailbox, days);
  }
  return rules;
}

/** Replaces the account's own rules. @throws AdminError, ConfigError */
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
