/** What pages need from the running server. @module */
import type { AuditLog } from "../../admin/mod.ts";
import type { Resolver } from "../../dns/mod.ts";
import type { SieveServices } from "../arrival/services.ts";
import type { Config } from "../../config/mod.ts";
import type { LoginGuard, OpenConnection, Outbound } from "../../net/mod.ts";
import type { Queue } from "../../queue/mod.ts";
import type { Scanners } from "../../scanning/mod.ts";
import type { Accounts } from "../../store/account/accounts.ts";
import type { Shares } from "../../store/mailboxes/shares.ts";
import type { ImapEvents } from "../sieve/imap_events.ts";
import type { LoginServices } from "../logins.ts";
import type { MailingLists } from "../lists/mod.ts";
import type { OpenLogins } from "../open_logins.ts";
import type { DeveloperOptions } from "../catcher/developer.ts";
import type { ReportDatabases } from "../arrival/services.ts";
import type { SecurityServices } from "../sending/recipient_security.ts";
import type { ServerWebhooks } from "../sending/webhooks.ts";
import type { PagesServer } from "./account_pages.ts";
import type { Endpoint } from "./web.ts";

/** What pages need from the server. */
export interface WebServer {
  readonly config: Config;
  readonly accounts: Accounts;
  readonly queue: Queue;
  readonly scanners: Scanners | undefined;
  readonly webhooks: ServerWebhooks | undefined;
  readonly endpoints: readonly Endpoint[];
  /** Open connections of all listeners. */
  connections(): OpenConnection[];
  readonly reports: ReportDatabases | undefined;
  /** Mailing lists; undefined while the server starts. */
  readonly lists: MailingLists | undefined;
}

/** What they share with the mail protocols. */
export interface WebShared {
  /** Scripts of the accounts, and global ones that all can include. */
  sieve: SieveServices;
  /** Scripts for events in mailboxes. */
  events: ImapEvents;
  limiter: LoginGuard;
  audit: AuditLog;
  logins: LoginServices;
  /** Open event streams of JMAP. */
  openLogins: OpenLogins;
  /** Outgoing connections. */
  outbound: Outbound;
  tempDir: string;
  /** For localserve: what it does for developers. */
  developer?: DeveloperOptions;
  /** A resolver without a cache; undefined if there is no DNS. */
  freshResolver?: () => Resolver;
  /** Undefined where there is no DNS. */
  security: SecurityServices | undefined;
  /** Who shares mailboxes with whom; undefined while the server starts. */
  shares: () => Shares | undefined;
  /** What the pages show, including parts that exist only once the server has started. */
  states: Pick<
    PagesServer,
    | "tlsKeys"
    | "loginLog"
    | "trained"
    | "junkDays"
    | "certificates"
    | "scanners"
    | "standby"
    | "nodes"
    | "stsPolicies"
    | "tlsResults"
  >;
}
