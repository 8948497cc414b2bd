/**
 * Opens all parts of a server, in the required order: unfinished work of a stopped server is
 * settled before anything listens, and nothing is written before the data folder belongs to this process.
 *
 * @module
 */
import { join } from "node:path";
import { AuditLog, serverHealth, worstState } from "../admin/mod.ts";
import { takenOverFile } from "../admin/original/take_over.ts";
import type { Config } from "../config/mod.ts";
import { JunkFigures } from "../delivery/junk_figures.ts";
import { ScanLearning } from "../delivery/scan_learning.ts";
import { seal } from "../delivery/sealing.ts";
import { SieveDatabase } from "../delivery/sieve/database.ts";
import { SiteScripts } from "../delivery/sieve/site_scripts.ts";
import { Trainer } from "../delivery/training.ts";
import { makeResolver, type Resolver } from "../dns/mod.ts";
import { ListsDatabase } from "../lists/database.ts";
import { Log } from "../log/mod.ts";
import { LoginGuard, type Outbound } from "../net/mod.ts";
import { ensureDir, removeFile } from "../platform/files.ts";
import { lowOpenFilesText } from "../platform/open_files.ts";
import { Queue } from "../queue/mod.ts";
import type { Scanners } from "../scanning/mod.ts";
import { makeFilesAhead, removeLeftovers } from "../smtp/server/mod.ts";
import { Accounts } from "../store/account/accounts.ts";
import { keepTimes } from "../store/logins/kept_times.ts";
import { wrongTime } from "../store/logins/secrets.ts";
import { settleLastBackup } from "../store/backup/last_backup.ts";
import { LoginLog } from "../store/logins/attempts.ts";
import { LoginDirectory } from "../store/logins/directory.ts";
import { TlsKeys } from "../store/logins/tls_keys.ts";
import { Shares } from "../store/mailboxes/shares.ts";
import { watchUnused } from "../store/unused.ts";
import { defaultDeveloper } from "./catcher/developer.ts";
import { audited } from "./control/audited.ts";
import { ControlServer } from "./control/control.ts";
import { queueHandlers } from "./control/queue.ts";
import { serverCommands } from "./server_commands.ts";
import { webhookHandlers } from "./control/webhook.ts";
import { type RotationOptions, watchRotations } from "./dns/rotation.ts";
import { DnsWatch } from "./dns/watch.ts";
import { monitorDnsbls } from "./dnsbl_monitor.ts";
import type { Identities } from "./identities.ts";
import { Journal } from "./journal/journal.ts";
import { Listeners } from "./listeners.ts";
import { MailingLists } from "./lists/mod.ts";
import { accountOfLogin, type LoginServices, saslBackend } from "./logins.ts";
import { authHttp } from "./nodes/auth_http.ts";
import { MonthCounts } from "./months/counts.ts";
import { MonthReports } from "./months/report.ts";
import { askNode, loginChecker } from "./nodes/login_check.ts";
import { openNodes } from "./nodes/nodes.ts";
import { refuseCopy } from "./nodes/succession.ts";
import { keyFor, openServerSecret, srsOf } from "./onward/srs_key.ts";
import { OpenLogins } from "./open_logins.ts";
import { catchPanics } from "./panics.ts";
import type { ServerOptions } from "./options.ts";
import { endParts, type ServerParts } from "./parts.ts";
import { outgoingOptions, queueServices } from "./queue_services.ts";
import { Receiving } from "./receiving/receiving.ts";
import { QuotaWarnings } from "./quota_warnings.ts";
import { Retention } from "./retention.ts";
import { watchRemovals } from "./removals.ts";
import { startReports } from "./reports/mod.ts";
import { accountRules } from "./rules.ts";
import { watchSent } from "./sending/outgoing.ts";
import { ServerWebhooks } from "./sending/webhooks.ts";
import { ImapEvents } from "./sieve/imap_events.ts";
import type { Sockets } from "./sockets.ts";
import type { ServerCertificates } from "./tls/tls.ts";
import { startUpdateChecks } from "./updates.ts";
import type { WebShared } from "./web/page_server.ts";
import { openWebPages } from "./web/pages.ts";

/** What was obtained while the process had more permissions: bound sockets, keys. */
export interface Bound {
  sockets: Sockets;
  certificates: ServerCertificates;
  outbound: Outbound;
  identities: Identities;
  scanners: Scanners | undefined;
}

/**
 * Opens the parts, and serves.
 * @param stop starts to stop the server; it may be called before this has resolved
 * @throws ListenError, ControlError if another server has the folder; what was opened is then closed
 */
export async function openParts(
  options: ServerOptions,
  bound: Bound,
  stop: () => void,
): Promise<ServerParts> {
  const opened: Partial<ServerParts> = {};
  try {
    return await open(options, bound, stop, opened);
  } catch (err) {
    await endParts(opened);
    throw err;
  }
}

/** @param opened gets each part as soon as it is open */
async function open(
  options: ServerOptions,
  bound: Bound,
  stop: () => void,
  opened: Partial<ServerParts>,
): Promise<ServerParts> {
  const { config } = options;
  const { sockets, certificates, outbound, identities, scanners } = bound;
  const part = <K extends keyof ServerParts>(name: K, value: ServerParts[K]): ServerParts[K] =>
    opened[name] = value;
  const log = new Log("serve");
  const openFilesWarning = lowOpenFilesText();
  if (openFilesWarning !== undefined) log.warn(openFilesWarning);
  const tempDir = config.dataPath("tmp");
  for (const dir of [config.dataDir, config.dataPath("accounts"), tempDir]) await ensureDir(dir);
  // First: a second server on this folder is refused before it touches anything.
  const control = part("control", new ControlServer(config.dataDir, log.forPackage("control")));
  await control.start();
  await refuseCopy(config.dataDir);
  // Data taken over is in use from here on, and can't be taken over again.
  removeFile(config.dataPath(takenOverFile));
  await removeLeftovers(tempDir);
  await settleLastBackup(config.dataDir);

  const secret = await openServerSecret(config.dataDir);
  const now = options.receiving?.now ?? Date.now;
  const srs = srsOf(secret, now);
  const accounts = part(
    "accounts",
    new Accounts(
      config.dataPath("accounts"),
      new Log("store"),
      (name) => accountRules(config, name),
    ),
  );
  keepTimes(wrongTime, config.dataDir);
  const isAccount = (name: string) => config.account(name) !== undefined;
  const audit = part("audit", new AuditLog(config.dataDir));
  identities.makes = { accounts, audit };
  const outgoing = await outgoingOptions({ ...options, outbound });
  const closePolicies = part("closePolicies", outgoing.close);
  const freshResolver = options.local
    ? undefined
    : options.outgoing?.resolver
    ? () => options.outgoing!.resolver!
    : () => makeResolver();
  const developer = part(
    "developer",
    options.local ? options.developer ?? defaultDeveloper() : undefined,
  );

  // Outgoing mail. The queue's events are for parts opened later.
  const webhooks = part(
    "webhooks",
    await ServerWebhooks.open(config, outbound, () => opened.queue!),
  );
  const scripts = part("sieve", await SieveDatabase.open(config.dataDir, options.receiving?.now));
  const sieve = { db: scripts, site: new SiteScripts(join(config.dir, "sieve"), new Log("sieve")) };
  const queue = part(
    "queue",
    await Queue.open(
      config.dataDir,
      queueServices(
        {
          config,
          accounts,
          local: options.local,
          outbound,
          tempDir,
          queue: () => opened.queue!,
          srs,
          webhooks,
          nodeMail: () => opened.nodes?.mail,
          reports: () => opened.receiving?.reports,
          listReport: (event) => opened.lists!.report(event),
        },
        outgoing,
      ),
    ),
  );
  await scripts.memory.settle((note) => queue.holds({ ...note, since: note.begun - 1000 }));
  const events = part("events", new ImapEvents({ config, accounts, queue, tempDir, sieve }));
  const lists = part(
    "lists",
    new MailingLists({
      config,
      queue,
      db: await ListsDatabase.open(config.dataDir),
      key: keyFor(secret, "mailing lists"),
      tempDir,
      log: new Log("lists"),
      now,
    }),
  );

  // Logins.
  const directory = new LoginDirectory(
    accounts.dir,
    keyFor(secret, "names without account"),
    () => config.dynamic.Accounts.keys(),
  );
  const logins: LoginServices = { config, accounts, directory, identities };
  const tlsKeys = part("tlsKeys", await TlsKeys.open(config.dataDir));
  const shares = part("shares", await Shares.open(config.dataDir));
  const loginLog = part("loginLog", await LoginLog.open(config.dataDir));
  const sasl = saslBackend(logins, () => tlsKeys);
  const openLogins = part(
    "openLogins",
    new OpenLogins({
      config,
      accounts,
      tlsKeys: () => tlsKeys,
      identities,
      log: new Log("auth"),
    }),
  );
  tlsKeys.onRemoved = () => void openLogins.recheckAll();
  const loginGuard = new LoginGuard({
    exemptLoopback: options.local,
    now: options.loginClock,
    accountOf: (login) => accountOfLogin(config, login) || undefined,
    log: new Log("auth"),
  });
  loginGuard.onAttempt = (a) => loginLog.note({ ...a, account: accountOfLogin(config, a.login) });
  for (const p of loginLog.places()) loginGuard.knows(p.account, p.remoteIp, p.last);

  // Incoming mail, and learning from it.
  const trainer = part("trainer", new Trainer(config, new Log("junk")));
  const figures = part("figures", await JunkFigures.open(config.dataDir));
  trainer.onCorrected = (account, event) => figures.note(account, event);
  const learning = part(
    "learning",
    scanners && scanners.learning.length > 0
      ? await ScanLearning.open(config.dataDir, scanners, accounts, isAccount)
      : undefined,
  );
  const quotaWarnings = part(
    "quotaWarnings",
    await QuotaWarnings.open({ config, accounts, tempDir }),
  );
  const retention = part("retention", new Retention({ config, accounts }));
  accounts.onOpen = (account) => {
    trainer.attach(account);
    learning?.attach(account);
    quotaWarnings.attach(account);
    account.onEventChange = async (change) =>
      await opened.pages?.handlers.jmap?.noteEvent(account.name, change);
    account.seal = (m) => seal(account, tempDir, m);
    account.credentials.onChange = (change, keep) =>
      void openLogins.changed(account.name, change, keep);
  };
  const journal = new Journal({ config, accounts, queue, tempDir });
  const months = part("months", await MonthCounts.open(config.dataPath("months.json")));
  const monthReports = part(
    "monthReports",
    new MonthReports({ config, accounts, queue, counts: months, tempDir }),
  );
  watchSent(queue, {
    copy: (domain, m) => journal.sent(domain, m),
    count: (domain, recipients) => {
      const of = config.domain(domain)?.name.ascii;
      if (of !== undefined) months.sent(of, recipients);
    },
  });
  const noMoreFiles = part("noMoreFiles", makeFilesAhead(tempDir));
  const receiving = part(
    "receiving",
    await Receiving.open(
      {
        config,
        accounts,
        queue,
        filters: trainer.filters,
        figures,
        tempDir,
        local: options.local,
        webhooks,
        srs,
        sieve,
        scanners,
        lists,
        journal,
        months,
      },
      options.receiving,
    ),
  );
  await options.prepare?.(accounts);

  const states: WebShared["states"] = {
    tlsKeys: () => tlsKeys,
    loginLog: () => loginLog,
    trained: (account) => trainer.figures(account),
    junkDays: (account, days) => figures.days(account, days),
    certificates: () => certificates.states(),
    scanners: () => scanners?.states() ?? [],
    standby: () => opened.nodes?.standby() ?? "none",
    nodes: () => opened.nodes?.overview,
    stsPolicies: () => outgoing.policies?.remembered() ?? [],
    tlsResults: outgoing.tlsResults,
  };
  const pages = part(
    "pages",
    await openWebPages({
      config,
      accounts,
      queue,
      scanners,
      webhooks,
      lists,
      reports: receiving.reports,
      get endpoints() {
        return opened.listeners?.endpoints ?? [];
      },
      connections: () => opened.listeners?.connections() ?? [],
    }, {
      sieve,
      events,
      limiter: loginGuard,
      audit,
      logins,
      openLogins,
      outbound,
      tempDir,
      developer,
      shares: () => shares,
      states,
      freshResolver,
      security: options.local
        ? undefined
        : { resolver: outgoing.resolver ?? makeResolver(), tlsPolicy: outgoing.tlsPolicy },
    }),
  );
  part("certificates", certificates);
  openLogins.sessions = pages.sessions;

  const checkLogin = loginChecker({ sasl, loginGuard });
  const nodes = part(
    "nodes",
    await openNodes({
      ...{ config, accounts, queue, tempDir, receiving, openLogins, checkLogin, stop },
      health: async () => worstState(await serverHealth({ config, queue, ...states })),
      webHandlers: (service, https) => opened.listeners?.webHandlers(service, https),
      accountCame: (account) => {
        scripts.scripts.forget(account);
        pages.accountCame();
      },
    }),
  );
  if (nodes) logins.askNode = (node, l) => askNode(config, nodes.key, node, l);
  const listeners = part(
    "listeners",
    new Listeners({
      passing: nodes?.passing,
      links: () => nodes?.web,
      authHttp: authHttp({ config, key: nodes?.key, checkLogin }),
      config,
      accounts,
      queue,
      scanners,
      tempDir,
      local: options.local,
      developer,
      sockets,
      certificates,
      receiving,
      pages,
      tlsKeys,
      shares,
      sasl,
      scripts: scripts.scripts,
      events,
      loginGuard,
      openLogins,
    }),
  );
  for (const l of config.static.Listeners.values()) await listeners.open(l);
  const commanded = {
    ...{ config, accounts, queue, tempDir, scanners, sieve: scripts, lists, openLogins, trainer },
    ...{ outbound, certificates, nodes, freshResolver, stop },
    reportSending: () => opened.reportSending,
  };
  control.serve(
    new Map([
      ...audited(audit, [
        ...serverCommands(commanded),
        ...queueHandlers(queue, config),
        ...webhookHandlers(webhooks.hooks, config),
        ...nodes?.commands ?? [],
      ]),
    ]),
  );
  shares.onChange = async (c) => {
    pages.sharesChanged(c.account);
    await pages.handlers.jmap?.noteRights(c);
  };
  const watches = [
    audit.follow(config),
    config.watch(),
    watchRemovals(config, accounts, shares, scripts, log, async () => {
      await pages.handlers.jmap?.forgetRemoved();
      await figures.forgetOthers(isAccount);
    }),
    catchPanics(log),
    watchUnused(),
    startUpdateChecks({
      ...{ config, accounts, queue, tempDir },
      resolver: outgoing.resolver ?? makeResolver(),
    }),
  ];
  const unwatch = part("unwatch", () => watches.forEach((end) => end()));

  quotaWarnings.start();
  retention.start();
  monthReports.start();
  nodes?.start();
  accounts.onStay = (account) => events.resume(account);
  events.resume();
  await queue.start();
  lists.start();
  webhooks.hooks.start();
  learning?.start();
  const { reports } = receiving;
  const reportSending = part(
    "reportSending",
    reports && outgoing.tlsResults && outgoing.resolver
      ? startReports({
        config,
        queue,
        tempDir,
        resolver: outgoing.resolver,
        evaluations: reports.evaluations,
        results: outgoing.tlsResults,
        outbound,
      })
      : undefined,
  );
  const watched = options.local || !outgoing.resolver ? {} : watchDns(
    config,
    { accounts, queue, tempDir, outbound, push: nodes?.push },
    outgoing.resolver,
    freshResolver!,
  );
  Object.assign(opened, watched);
  await certificates.start({
    outbound,
    resolver: options.local ? undefined : outgoing.resolver ?? makeResolver(),
    freshResolver: freshResolver ?? (() => makeResolver()),
    patience: options.acmePatience,
  });
  return {
    ...{ config, tempDir, control, accounts, audit, scanners, learning, webhooks, events, queue },
    ...{ lists, loginLog, openLogins, tlsKeys, shares, trainer, figures, receiving, outbound },
    ...{ certificates, pages, nodes, listeners, developer, freshResolver, reportSending },
    ...{ closePolicies, noMoreFiles, unwatch, quotaWarnings, retention, months, monthReports },
    sieve: scripts,
    endDnsblMonitor: watched.endDnsblMonitor,
    dnsWatch: watched.dnsWatch,
    endRotations: watched.endRotations,
  };
}

/** Watches how the outside sees this server, and rotates keys. */
function watchDns(
  config: Config,
  services: Omit<RotationOptions, "config" | "resolver">,
  resolver: Resolver,
  fresh: () => Resolver,
): Pick<Partial<ServerParts>, "endDnsblMonitor" | "dnsWatch" | "endRotations"> {
  const dnsWatch = new DnsWatch({ config, ...services, resolver });
  dnsWatch.start();
  return {
    endDnsblMonitor: monitorDnsbls(config, resolver),
    dnsWatch,
    endRotations: watchRotations({ config, ...services, resolver: fresh }),
  };
}
