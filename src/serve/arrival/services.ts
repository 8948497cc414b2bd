/**
 * Services used by the steps of receiving: created once for the server, by receiving.ts.
 *
 * @module
 */
import type { Config, ListAddress } from "../../config/mod.ts";
import type { JunkFigures } from "../../delivery/junk_figures.ts";
import type { JunkFilters } from "../../delivery/junk_filters.ts";
import type { DnsblChecker, Resolver } from "../../dns/mod.ts";
import type { Queue } from "../../queue/mod.ts";
import type {
  DmarcEvaluations,
  DmarcReports,
  FailureReports,
  TlsReports,
} from "../../reports/mod.ts";
import type { Greylist, GreylistTimes } from "../../delivery/greylist.ts";
import type { Scanners } from "../../scanning/mod.ts";
import type { SieveDatabase } from "../../delivery/sieve/database.ts";
import type { SiteScripts } from "../../delivery/sieve/site_scripts.ts";
import type { Srs } from "../../senderauth/mod.ts";
import type { IncomingMessage, SmtpSession } from "../../smtp/server/mod.ts";
import type { Accounts } from "../../store/account/accounts.ts";
import type { ServerWebhooks } from "../sending/webhooks.ts";
import type { Journaled } from "../journal/report.ts";
import type { Incoming } from "./incoming.ts";

/** Databases of reports: those that arrive, and what is to be reported to others. */
export interface ReportDatabases {
  dmarc: DmarcReports;
  failures: FailureReports;
  tls: TlsReports;
  evaluations: DmarcEvaluations;
}

/**
 * Waits this many milliseconds for a first-time sender. False if the wait was cut short: the peer has gone, or
 * the server stops; the message must not be delivered then, as its sender would get no answer.
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

/** Mailing lists, as receiving knows them. */
export interface ListReceiver {
  /** Called at RCPT. @throws SmtpError for addresses that lead nowhere */
  checkRecipient(at: ListAddress): void;
  /**
   * Accepts a message; it is durable when this resolves.
   * @param suspicious the analysis would put it into a Junk or Rejects mailbox
   * @throws SmtpError if it is refused; errors of files and databases
   */
  take(
    at: ListAddress,
    incoming: Incoming,
    message: IncomingMessage,
    suspicious: boolean,
  ): Promise<void>;
}

/** The copies of a domain's mail. */
export interface JournalOfReceived {
  /** Whether a domain (in ASCII) has a journal. */
  wanted(domain: string): boolean;
  /** Durable when it resolves. @throws errors of files, databases and keys: the message must not be accepted then. */
  copy(domain: string, journaled: Journaled): Promise<void>;
}

/** Services used by the steps of receiving. */
export interface ReceivingServices {
  config: Config;
  accounts: Accounts;
  queue: Queue;
  filters: JunkFilters;
  /** Junk filtering of each account. */
  figures: JunkFigures;
  tempDir: string;
  /** Undefined in localserve, where nothing is refused. */
  resolver: Resolver | undefined;
  dnsbl: DnsblChecker | undefined;
  reports: ReportDatabases | undefined;
  /** Localserve: messages are kept once for all recipients, with their envelope. */
  catching: boolean;
  webhooks?: ServerWebhooks;
  /** Rewrites the senders of forwarded messages. */
  srs: Srs;
  sieve: SieveServices;
  /** Undefined where none is configured. */
  scanners?: Scanners;
  greylist?: Greylist;
  lists: ListReceiver;
  journal?: JournalOfReceived;
  /** Counts messages received for a domain. */
  months?: { received(domain: string, refused: boolean): void };
  wait: SenderWait;
  now: () => number;
  random: () => number;
  stopping: AbortSignal;
}

/** The settings of a listener that matter for receiving. */
export interface ReceivingListener {
  hostname: string;
  dnsblZones: readonly string[];
  linkDnsblZones: readonly string[];
  firstTimeSenderDelay: number;
  /** Names of scanners, in their order. */
  scanners: readonly string[];
  greylist: GreylistTimes | undefined;
}
