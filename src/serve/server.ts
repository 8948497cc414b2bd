/**
 * The running server: accounts, queue and listeners, put together from the configuration.
 *
 * @module
 */
import { isOriginalData, originalDataText } from "../admin/original/folder.ts";
import type { Config } from "../config/mod.ts";
import { makeResolver, type Resolver } from "../dns/mod.ts";
import { join } from "node:path";
import { SieveDatabase } from "../delivery/sieve/database.ts";
import { ListsDatabase } from "../lists/database.ts";
import { SiteScripts } from "../delivery/sieve/site_scripts.ts";
import { seal } from "../delivery/sealing.ts";
import { ScanLearning } from "../delivery/scan_learning.ts";
import { type JunkDay, JunkFigures } from "../delivery/junk_figures.ts";
import { Trainer } from "../delivery/training.ts";
import { clearLevel, currentLevels, isLevel, Log, setLevel } from "../log/mod.ts";
import { LoginGuard, type OpenConnection, type Outbound } from "../net/mod.ts";
import { ensureDir, removeFile } from "../platform/files.ts";
import { programVersion } from "../platform/version.ts";
import { lowOpenFilesText } from "../platform/open_files.ts";
import { Queue } from "../queue/mod.ts";
import type { Scanners } from "../scanning/mod.ts";
import { type SaslBackend, wantCramMd5 } from "../sasl/mod.ts";
import { makeFilesAhead, removeLeftovers } from "../smtp/server/mod.ts";
import { Accounts } from "../store/account/accounts.ts";
import { LoginDirectory } from "../store/logins/directory.ts";
import { settleLastBackup } from "../store/backup/last_backup.ts";
import { LoginLog } from "../store/logins/attempts.ts";
import { Shares } from "../store/mailboxes/shares.ts";
import { TlsKeys } from "../store/logins/tls_keys.ts";
import { adminHandlers } from "./control/admin_commands.ts";
import {
  controlAnswers,
  ControlError,
  type ControlHandler,
  ControlServer,
  inUse,
  type Json,
} from "./control/control.ts";
import { defaultDeveloper, type DeveloperOptions } from "./catcher/developer.ts";
import { Identities } from "./identities.ts";
import { monitorDnsbls } from "./dnsbl_monitor.ts";
import { watchRotations } from "./dns/rotation.ts";
import { DnsWatch } from "./dns/watch.ts";
import { audited } from "./control/audited.ts";
import { Listeners } from "./listeners.ts";
import { accountOfLogin, type LoginServices, saslBackend } from "./logins.ts";
import { authHttp } from "./nodes/auth_http.ts";
import { askNode, loginChecker } from "./nodes/login_check.ts";
import { openNodes, type RunningNode } from "./nodes/nodes.ts";
import { refuseCopy } from "./nodes/succession.ts";
import { OpenLogins } from "./open_logins.ts";
import { catchPanics } from "./panics.ts";
import { startUpdateChecks } from "./updates.ts";
import { openOutbound } from "./outbound.ts";
import { queueHandlers } from "./control/queue.ts";
import { QuotaWarnings } from "./quota_warnings.ts";
import { Retention } from "./retention.ts";
import { type OutgoingOptions, outgoingOptions, queueServices } from "./queue_services.ts";
import { watchRemovals } from "./removals.ts";
import { accountRules } from "./rules.ts";
import { keyFor, openServerSecret, srsOf } from "./onward/srs_key.ts";
import { MailingLists } from "./lists/mod.ts";
import { Receiving, type ReceivingOptions } from "./receiving/receiving.ts";
import type { JunkDay } from "../delivery/junk_figures.ts";
import type { SieveDatabase } from "../delivery/sieve/database.ts";
import { Log } from "../log/mod.ts";
import type { OpenConnection } from "../net/mod.ts";
import type { Queue } from "../queue/mod.ts";
import { wantCramMd5 } from "../sasl/mod.ts";
import type { Accounts } from "../store/account/accounts.ts";
import type { LoginLog } from "../store/logins/attempts.ts";
import type { Shares } from "../store/mailboxes/shares.ts";
import type { ReportDatabases } from "./arrival/services.ts";
import { controlAnswers, inUse } from "./control/control.ts";
import { Identities } from "./identities.ts";
import type { MailingLists } from "./lists/mod.ts";
import { openParts } from "./opening.ts";
import type { ServerOptions } from "./options.ts";
import { openOutbound } from "./outbound.ts";
import { endParts, type ServerParts } from "./parts.ts";
import { openScanners } from "./scanning.ts";
import type { ServerWebhooks } from "./sending/webhooks.ts";
import { Sockets } from "./sockets.ts";
import { ServerCertificates } from "./tls/tls.ts";
import type { Endpoint } from "./web/web.ts";

export type { Endpoint } from "./web/web.ts";

export class MailServer {
  readonly config: Config;
  readonly accounts: Accounts;
  readonly queue: Queue;
  /** Other programs that look at mail; undefined where none is configured. */
  scanners: Scanners | undefined;
  #learning: ScanLearning | undefined;
  webhooks: ServerWebhooks | undefined;
  /** Scripts of accounts, and what they did. */
  sieve: SieveDatabase | undefined;
  #events: ImapEvents | undefined;
  /** Mailing lists. */
  lists: MailingLists | undefined;
  loginLog: LoginLog | undefined;
  readonly #log: Log;
  #listeners: Listeners | undefined;
  readonly #control: ControlServer;
  readonly #trainer: Trainer;
  #figures: JunkFigures | undefined;
  #receiving: Receiving | undefined;
  #nodes: RunningNode | undefined;
  #certificates: ServerCertificates | undefined;
  #tlsKeys: TlsKeys | undefined;
  #shares: Shares | undefined;
  #pages: WebPages | undefined;
  #closePolicies: (() => Promise<void>) | undefined;
  readonly #sasl: SaslBackend;
  readonly #tempDir: string;
  #reportSending: ReportSending | undefined;
  #outbound: Outbound | undefined;
  #endDnsblMonitor: (() => void) | undefined;
  #dnsWatch: DnsWatch | undefined;
  #quotaWarnings: QuotaWarnings | undefined;
  #retention: Retention | undefined;
  #freshResolver: (() => Resolver) | undefined;
  #endRotations: (() => Promise<void>) | undefined;
  readonly #developer: DeveloperOptions | undefined;
  /** Ends the making of temporary files ahead. */
  #noMoreFiles: (() => Promise<void>) | undefined;
  readonly #loginGuard: LoginGuard;
  readonly #openLogins: OpenLogins;
  readonly #logins: LoginServices;
  readonly #audit: AuditLog;
  #unwatch: (() => void) | undefined;
  #stopping: Promise<void> | undefined;
  readonly #started = Date.now();
  readonly #parts: ServerParts;
  readonly #log = new Log("serve");
  readonly #stopped = Promise.withResolvers<void>();
  #stopping: Promise<void> | undefined;

  private constructor(parts: ServerParts) {
    this.#parts = parts;
  }

  /**
   * Binds the sockets, becomes the user, takes the data folder for this process alone, opens it, and
   * serves.
   * @throws ListenError, ControlError if another server has the folder, and what the options' functions do
   */
  static async start(o: ServerOptions): Promise<MailServer> {
    const { config } = o;
    wantCramMd5(!config.static.NoCRAMMD5);
    if (await controlAnswers(config.dataDir)) throw inUse(config.dataDir);
    if (isOriginalData(config.dataDir)) throw new Error(originalDataText(config.dataDir));
    const sockets = await Sockets.bind(config.static);
    try {
      const certificates = await ServerCertificates.open(config);
      const outbound = openOutbound(config.static, config.dir, o.outgoing?.resolver, o.local);
      const identities = await Identities.open(config, outbound);
      const scanners = await openScanners(config, outbound);
      await o.becomeUser?.();
      // It may be asked to stop while it starts.
      const asked = Promise.withResolvers<void>();
      const bound = { sockets, certificates, outbound, identities, scanners };
      const server = new MailServer(await openParts(o, bound, asked.resolve));
      asked.promise.then(() => server.stop());
      return server;
    } finally {
      await sockets.close();
    }
  }

  static async #open(
    o: ServerOptions,
    sockets: Sockets,
    certificates: ServerCertificates,
    outbound: Outbound,
    identities: Identities,
    scanners: Scanners | undefined,
  ): Promise<MailServer> {
    const log = new Log("serve");
    const { config } = o;
    const openFilesWarning = lowOpenFilesText();
    if (openFilesWarning !== undefined) log.warn(openFilesWarning);
    const tempDir = config.dataPath("tmp");
    for (const dir of [config.dataDir, config.dataPath("accounts"), tempDir]) await ensureDir(dir);
    // First of all: a second server on this folder is refused before it touches anything.
    const control = new ControlServer(config.dataDir, log.forPackage("control"));
    await control.start();
    let server: MailServer | undefined;
    try {
      await refuseCopy(config.dataDir);
      // What was taken over is in use from here on, and can't be taken over anew.
      removeFile(config.dataPath(takenOverFile));
      await removeLeftovers(tempDir);
      await settleLastBackup(config.dataDir);
      const accounts = new Accounts(
        config.dataPath("accounts"),
        new Log("store"),
        (name) => accountRules(config, name),
      );
      const outgoing = await outgoingOptions({ ...o, outbound });
      const webhooks = await ServerWebhooks.open(config, outbound, () => server!.queue);
      const secret = await openServerSecret(config.dataDir);
      const srs = srsOf(secret, o.receiving?.now ?? Date.now);
      const sieve = {
        db: await SieveDatabase.open(config.dataDir, o.receiving?.now),
        site: new SiteScripts(join(config.dir, "sieve"), new Log("sieve")),
      };
      const queue = await Queue.open(
        config.dataDir,
        queueServices(
          {
            config,
            accounts,
            local: o.local,
            outbound,
            tempDir,
            queue: () => server!.queue,
            srs,
            webhooks,
            reports: () => server?.reports,
            listReport: (event) => server!.lists!.report(event),
          },
          outgoing,
        ),
      );
      server = new MailServer(o, log, accounts, queue, control, secret, identities);
      identities.makes = { accounts, audit: server.#audit };
      server.scanners = scanners;
      server.#quotaWarnings = await QuotaWarnings.open({ config, accounts, tempDir });
      if (scanners && scanners.learning.length > 0) {
        const isAccount = (name: string) => config.account(name) !== undefined;
        server.#learning = await ScanLearning.open(config.dataDir, scanners, accounts, isAccount);
      }
      server.#outbound = outbound;
      server.sieve = sieve.db;
      server.#events = new ImapEvents({ config, queue, tempDir, sieve });
      await sieve.db.memory.settle((note) => queue.holds({ ...note, since: note.begun - 1000 }));
      server.webhooks = webhooks;
      const lists = server.lists = new MailingLists({
        config,
        queue,
        db: await ListsDatabase.open(config.dataDir),
        key: keyFor(secret, "mailing lists"),
        tempDir,
        log: new Log("lists"),
        now: o.receiving?.now ?? Date.now,
      });
      server.#noMoreFiles = makeFilesAhead(tempDir);
      const { filters } = server.#trainer;
      const figures = server.#figures = await JunkFigures.open(config.dataDir);
      server.#trainer.onCorrected = (account, event) => figures.note(account, event);
      server.#receiving = await Receiving.open(
        {
          config,
          accounts,
          queue,
          filters,
          figures,
          tempDir,
          local: o.local,
          webhooks,
          srs,
          sieve,
          scanners,
          lists,
        },
        o.receiving,
      );
      await o.prepare?.(accounts);
      server.#pages = await openWebPages(server, {
        sieve,
        limiter: server.#loginGuard,
        audit: server.#audit,
        logins: server.#logins,
        openLogins: server.#openLogins,
        outbound,
        tempDir,
        developer: server.#developer,
        shares: () => server!.#shares,
        states: {
          tlsKeys: () => server!.#tlsKeys,
          loginLog: () => server!.loginLog,
          trained: (account) => server!.#trainer.figures(account),
          junkDays: (account, days) => server!.junkDays(account, days),
          certificates: () => certificates.states(),
          scanners: () => scanners?.states() ?? [],
          standby: () => server!.#nodes?.standby() ?? "none",
          stsPolicies: () => outgoing.policies?.remembered() ?? [],
          tlsResults: outgoing.tlsResults,
        },
        freshResolver: o.local
          ? undefined
          : o.outgoing?.resolver
          ? () => o.outgoing!.resolver!
          : () => makeResolver(),
        security: o.local
          ? undefined
          : { resolver: outgoing.resolver ?? makeResolver(), tlsPolicy: outgoing.tlsPolicy },
      });
      server.#certificates = certificates;
      server.#openLogins.sessions = server.#pages.sessions;
      const tlsKeys = server.#tlsKeys = await TlsKeys.open(config.dataDir);
      tlsKeys.onRemoved = () => void server!.#openLogins.recheckAll();
      server.#shares = await Shares.open(config.dataDir);
      const loginLog = server.loginLog = await LoginLog.open(config.dataDir);
      server.#loginGuard.onAttempt = (a) =>
        loginLog.note({ ...a, account: accountOfLogin(config, a.login) });
      for (const p of loginLog.places()) server.#loginGuard.knows(p.account, p.remoteIp, p.last);
      const checkLogin = loginChecker({ sasl: server.#sasl, loginGuard: server.#loginGuard });
      const nodes = server.#nodes = await openNodes({
        config,
        tempDir,
        receiving: server.#receiving,
        checkLogin,
        stop: () => void server!.stop(),
      });
      if (nodes) server.#logins.askNode = (node, l) => askNode(config, nodes.key, node, l);
      const listeners = server.#listeners = new Listeners({
        passing: nodes?.passing,
        authHttp: authHttp({ config, key: nodes?.key, checkLogin }),
        config,
        accounts,
        queue,
        scanners,
        tempDir,
        local: o.local,
        developer: server.#developer,
        sockets,
        certificates,
        receiving: server.#receiving,
        pages: server.#pages,
        tlsKeys: server.#tlsKeys,
        shares: server.#shares,
        sasl: server.#sasl,
        scripts: sieve.db.scripts,
        events: server.#events!,
        loginGuard: server.#loginGuard,
        openLogins: server.#openLogins,
      });
      for (const l of config.static.Listeners.values()) await listeners.open(l);
      control.serve(
        new Map([
          ...audited(server.#audit, [
            ...server.#handlers(),
            ...queueHandlers(queue, config),
            ...webhookHandlers(webhooks.hooks, config),
            ...nodes?.commands ?? [],
          ]),
        ]),
      );
      const unwatch = [
        server.#audit.follow(config),
        config.watch(),
        watchRemovals(
          config,
          accounts,
          server.#shares,
          sieve.db,
          log,
          async () => {
            await server!.#pages!.handlers.jmap?.forgetRemoved();
            await server!.#figures!.forgetOthers((name) => config.account(name) !== undefined);
          },
        ),
        catchPanics(log),
        startUpdateChecks({
          config,
          accounts,
          tempDir,
          resolver: outgoing.resolver ?? makeResolver(),
        }),
      ];
      server.#closePolicies = outgoing.close;
      server.#unwatch = () => unwatch.forEach((end) => end());
      server.#quotaWarnings.start();
      server.#retention = new Retention({ config, accounts });
      server.#retention.start();
      nodes?.start();
      await queue.start();
      lists.start();
      webhooks.hooks.start();
      server.#learning?.start();
      const { reports } = server;
      if (reports && outgoing.tlsResults && outgoing.resolver) {
        server.#reportSending = startReports({
          config,
          queue,
          tempDir,
          resolver: outgoing.resolver,
          evaluations: reports.evaluations,
          results: outgoing.tlsResults,
          outbound,
        });
      }
      if (!o.local && outgoing.resolver) {
        server.#endDnsblMonitor = monitorDnsbls(config, outgoing.resolver);
        const { resolver } = outgoing;
        const fresh = o.outgoing?.resolver ? () => resolver : () => makeResolver();
        const common = { config, accounts, tempDir, outbound };
        server.#freshResolver = fresh;
        server.#dnsWatch = new DnsWatch({ ...common, resolver });
        server.#dnsWatch.start();
        server.#endRotations = watchRotations({ ...common, resolver: fresh });
      }
      await certificates.start({
        outbound,
        resolver: o.local ? undefined : outgoing.resolver ?? makeResolver(),
        freshResolver: o.outgoing?.resolver ? () => o.outgoing!.resolver! : () => makeResolver(),
        patience: o.acmePatience,
      });
      return server;
    } catch (err) {
      await (server ? server.stop() : control.stop());
      throw err;
    }
  get config(): Config {
    return this.#parts.config;
  }
  get accounts(): Accounts {
    return this.#parts.accounts;
  }
  get queue(): Queue {
    return this.#parts.queue;
  }
  get webhooks(): ServerWebhooks {
    return this.#parts.webhooks;
  }
  /** Scripts of accounts, and what they did. */
  get sieve(): SieveDatabase {
    return this.#parts.sieve;
  }
  /** Mailing lists. */
  get lists(): MailingLists {
    return this.#parts.lists;
  }
  get loginLog(): LoginLog {
    return this.#parts.loginLog;
  }
  /** Who shares mailboxes with whom. */
  get shares(): Shares {
    return this.#parts.shares;
  }
  /** Databases of reports; none in localserve. */
  get reports(): ReportDatabases | undefined {
    return this.#parts.receiving.reports;
  }

  /** Open connections of all listeners. */
  connections(): OpenConnection[] {
    return this.#parts.listeners.connections();
  }

  /** Where it can be reached. */
  get endpoints(): readonly Endpoint[] {
    return this.#parts.listeners.endpoints;
  }

  /** How junk went for an account on the last days. */
  junkDays(account: string, days: number): JunkDay[] {
    return this.#parts.figures.days(account, days);
  }

  /** Resolves when the server has stopped. */
  get stopped(): Promise<void> {
    return this.#stopped.promise;
  }

  /** Tells connections, finishes what is under way, closes databases. */
  stop(): Promise<void> {
    return this.#stopping ??= this.#stop();
  }

  async #stop(): Promise<void> {
    this.#log.info("stopping");
    this.#unwatch?.();
    this.#openLogins.close();
    this.#receiving?.stop();
    this.#certificates?.stop();
    await Promise.all([this.#listeners?.stop(stopGrace), this.#nodes?.quiesce(stopGrace)]);
    await this.#events?.idle();
    await this.#noMoreFiles?.();
    await this.#reportSending?.end();
    this.#endDnsblMonitor?.();
    await this.#dnsWatch?.end();
    await this.#endRotations?.();
    this.#developer?.faults.stop();
    await this.lists?.stop();
    await this.queue.stop();
    await this.webhooks?.hooks.stop();
    await this.#closePolicies?.();
    await this.#pages?.close();
    await this.#receiving?.close();
    await this.#trainer.stop();
    await this.#retention?.end();
    await this.#quotaWarnings?.end();
    await this.#figures?.close();
    await this.#learning?.close();
    await this.#tlsKeys?.close();
    await this.#shares?.close();
    await this.sieve?.close();
    await this.lists?.close();
    await this.loginLog?.close();
    await this.#audit.close();
    await this.accounts.closeAll();
    await this.#nodes?.finish();
    await this.#control.stop();
    await endParts(this.#parts);
    this.#log.info("stopped");
    this.#stopped.resolve();
  }
}
