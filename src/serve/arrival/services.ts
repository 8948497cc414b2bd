/**
 * What the steps of receiving work with: made once for the server, by receiving.ts.
 *
 * @module
 */
import type { Config } from "../../config/mod.ts";
import type { JunkFilters } from "../../delivery/junk_filters.ts";
import type { DnsblChecker, Resolver } from "../../dns/mod.ts";
import type { Queue } from "../../queue/mod.ts";
import type {
  DmarcEvaluations,
  DmarcReports,
  FailureReports,
  TlsReports,
} from "../../reports/mod.ts";
import type { SieveDatabase } from "../../delivery/sieve/database.ts";
import type { SiteScripts } from "../../delivery/sieve/site_scripts.ts";
import type { Srs } from "../../senderauth/mod.ts";
import type { SmtpSession } from "../../smtp/server/mod.ts";
import type { Accounts } from "../../store/account/accounts.ts";
import type { ServerWebhooks } from "../sending/webhooks.ts";

/** Databases of reports: those that arrive, and what is to be reported to others. */
export interface ReportDatabases {
  dmarc: DmarcReports;
  failures: FailureReports;
  tls: TlsReports;
  evaluations: DmarcEvaluations;
}

/**
 * Waits so many milliseconds for a first-time sender. False if the wait was ended: the peer has gone, or
 * the server stops; the message must not be delivered then, as nobody would be told.
 */
export type SenderWait = (
  session: SmtpSession,
  ms: number,
  stopping: AbortSignal,
) => Promise<boolean>;

/** Scripts of accounts and of the administrator. */
export interface SieveServices {
  db: SieveDatabase;
  site: SiteScripts;
}

/** What the steps of receiving work with. */
export interface ReceivingServices {
  config: Config;
  accounts: Accounts;
  queue: Queue;
  filters: JunkFilters;
  tempDir: string;
  /** Undefined in localserve, where nothing is refused. */
  resolver: Resolver | undefined;
  dnsbl: DnsblChecker | undefined;
  reports: ReportDatabases | undefined;
  /** Localserve: messages are kept once for all recipients, with their envelope. */
  catching: boolean;
  webhooks?: ServerWebhooks;
  /** Rewrites the senders of what is forwarded. */
  srs: Srs;
  sieve: SieveServices;
  wait: SenderWait;
  now: () => number;
  random: () => number;
  stopping: AbortSignal;
}

/** A listener as far as it matters for receiving. */
export interface ReceivingListener {
  hostname: string;
  dnsblZones: readonly string[];
  linkDnsblZones: readonly string[];
  firstTimeSenderDelay: number;
}
