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
export async function setAccount(config: Config, name: string, s: AccountSettings): Promise<void> {
  await changing(() =>
    config.writeDynamic((d) => {
      const a = d.Accounts.get(name);
      if (!a) throw new AdminError(`no account ${name}`);
      a.FullName = s.fullName;
      a.MaxOutgoingMessagesPerDay = s.maxOutgoing;
      a.MaxFirstTimeRecipientsPerDay = s.maxFirstTime;
      a.QuotaMessageSize = s.quota;
      a.NoFirstTimeSenderDelay = s.noFirstTimeSenderDelay;
      a.NoCustomPassword = s.noCustomPassword;
    })
  );
}
