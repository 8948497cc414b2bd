/** Settings of an account that only the administrator has: limits, and what the user may do. @module */
import type { Config } from "../config/mod.ts";
import { AdminError, changing } from "./errors.ts";

export interface AccountSettings {
  fullName: string;
  /** Recipients elsewhere in 24 hours. */
  maxOutgoing: number;
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
      a.QuotaMessageSize = settings.quota;
      a.NoFirstTimeSenderDelay = settings.noFirstTimeSenderDelay;
      a.NoCustomPassword = settings.noCustomPassword;
    })
  );
}
