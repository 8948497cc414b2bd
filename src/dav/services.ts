/** What CardDAV and CalDAV need from the server. @module */
import type { Config } from "../config/mod.ts";
import type { Scheduler } from "../groupware/scheduling.ts";
import type { Accounts } from "../store/account/accounts.ts";
import type { RightsChange } from "../store/mailboxes/shares.ts";
import type { ProgramLogins } from "../web/http/mod.ts";

export interface DavServices extends ProgramLogins {
  config: Config;
  accounts: Accounts;
  /** Who shares something with whom. */
  sharing: {
    owners(user: string): string[];
    add(owner: string, account: string): Promise<void>;
    /** Called with changed rights. */
    changed(change: RightsChange): Promise<void>;
  };
  /** Invitations and answers that follow from written events. */
  scheduler: Scheduler;
}
