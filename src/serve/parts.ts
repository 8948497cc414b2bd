/**
 * The parts of a running server, and the order in which they stop.
 *
 * @module
 */
import type { AuditLog } from "../admin/mod.ts";
import type { Config } from "../config/mod.ts";
import type { JunkFigures } from "../delivery/junk_figures.ts";
import type { ScanLearning } from "../delivery/scan_learning.ts";
import type { SieveDatabase } from "../delivery/sieve/database.ts";
import type { Trainer } from "../delivery/training.ts";
import type { Resolver } from "../dns/mod.ts";
import type { Outbound } from "../net/mod.ts";
import type { Queue } from "../queue/mod.ts";
import type { Scanners } from "../scanning/mod.ts";
import type { Accounts } from "../store/account/accounts.ts";
import type { LoginLog } from "../store/logins/attempts.ts";
import type { TlsKeys } from "../store/logins/tls_keys.ts";
import type { Shares } from "../store/mailboxes/shares.ts";
import type { DeveloperOptions } from "./catcher/developer.ts";
import type { ControlServer } from "./control/control.ts";
import type { DnsWatch } from "./dns/watch.ts";
import type { Listeners } from "./listeners.ts";
import type { MailingLists } from "./lists/mod.ts";
import type { RunningNode } from "./nodes/nodes.ts";
import type { OpenLogins } from "./open_logins.ts";
import type { QuotaWarnings } from "./quota_warnings.ts";
import type { MonthCounts } from "./months/counts.ts";
import type { MonthReports } from "./months/report.ts";
import type { Retention } from "./retention.ts";
import type { Receiving } from "./receiving/receiving.ts";
import type { ReportSending } from "./reports/mod.ts";
import type { ServerWebhooks } from "./sending/webhooks.ts";
import type { ImapEvents } from "./sieve/imap_events.ts";
import type { ServerCertificates } from "./tls/tls.ts";
import type { WebPages } from "./web/pages.ts";

/** Milliseconds for connections to finish when the server stops. */
const stopGrace = 5_000;

/** The parts of a running server. */
export interface ServerParts {
  config: Config;
  accounts: Accounts;
  queue: Queue;
  tempDir: string;
  control: ControlServer;
  audit: AuditLog;
  /** External scanners, if there are any; and how they learn from users. */
  scanners: Scanners | undefined;
  learning: ScanLearning | undefined;
  webhooks: ServerWebhooks;
  /** Scripts of accounts, and the log of their actions; scripts run by IMAP. */
  sieve: SieveDatabase;
  events: ImapEvents;
  lists: MailingLists;
  loginLog: LoginLog;
  openLogins: OpenLogins;
  tlsKeys: TlsKeys;
  /** Who shares mailboxes with whom. */
  shares: Shares;
  trainer: Trainer;
  figures: JunkFigures;
  /** Warnings to users of full accounts; removal of old messages. */
  quotaWarnings: QuotaWarnings;
  retention: Retention;
  /** Mail statistics of domains, and their reports. */
  months: MonthCounts;
  monthReports: MonthReports;
  receiving: Receiving;
  outbound: Outbound;
  certificates: ServerCertificates;
  pages: WebPages;
  /** The other nodes, if there are any. */
  nodes: RunningNode | undefined;
  listeners: Listeners;
  /** For localserve. */
  developer: DeveloperOptions | undefined;
  /** The following exist only with DNS. */
  freshResolver: (() => Resolver) | undefined;
  reportSending: ReportSending | undefined;
  endDnsblMonitor: (() => void) | undefined;
  dnsWatch: DnsWatch | undefined;
  endRotations: (() => Promise<void>) | undefined;
  closePolicies: (() => Promise<void>) | undefined;
  /** Stops creating temporary files ahead. */
  noMoreFiles: () => Promise<void>;
  unwatch: () => void;
}

/** Notifies connections, finishes work in progress, closes databases: of a complete server, or of the parts opened. */
export async function endParts(p: Partial<ServerParts>): Promise<void> {
  p.unwatch?.();
  p.openLogins?.close();
  p.receiving?.stop();
  p.certificates?.stop();
  await Promise.all([p.listeners?.stop(stopGrace), p.nodes?.quiesce(stopGrace)]);
  await p.events?.stop();
  await p.noMoreFiles?.();
  await p.reportSending?.end();
  p.endDnsblMonitor?.();
  await p.dnsWatch?.end();
  await p.endRotations?.();
  p.developer?.faults.stop();
  await p.lists?.stop();
  await p.queue?.stop();
  await p.webhooks?.hooks.stop();
  await p.closePolicies?.();
  await p.pages?.close();
  await p.receiving?.close();
  await p.trainer?.stop();
  await p.retention?.end();
  await p.monthReports?.end();
  await p.quotaWarnings?.end();
  await p.figures?.close();
  await p.months?.close();
  await p.learning?.close();
  await p.tlsKeys?.close();
  await p.shares?.close();
  await p.sieve?.close();
  await p.lists?.close();
  await p.loginLog?.close();
  await p.audit?.close();
  await p.accounts?.closeAll();
  await p.nodes?.finish();
  await p.control?.stop();
}
