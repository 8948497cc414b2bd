/**
 * The running server: accounts, queue and listeners, put together from the configuration.
 *
 * @module
 */
import type { Config, Listener } from "../config/mod.ts";
import { makeResolver } from "../dns/mod.ts";
import { Trainer } from "../delivery/training.ts";
import { imapBackend } from "./imap_backend.ts";
import { type ImapBackend, serveImap } from "../imap/server/mod.ts";
import { clearLevel, currentLevels, isLevel, Log, setLevel } from "../log/mod.ts";
import {
  ConnectionLimiter,
  connectionRate,
  FailedAuthLimiter,
  type OpenConnection,
  openConnectionLimits,
  RateLimiter,
  type ServerTls,
  serveSecured,
  serveTcp,
  type TcpServer,
} from "../net/mod.ts";
import { ensureDir } from "../platform/files.ts";
import { Queue } from "../queue/mod.ts";
import type { SaslBackend } from "../sasl/mod.ts";
import {
  makeFilesAhead,
  misbehaving,
  removeLeftovers,
  serveSmtp,
  serveSmtpConnection,
  type SmtpBackend,
  type SmtpServerOptions,
} from "../smtp/server/mod.ts";
import { Accounts } from "../store/accounts.ts";
import { LoginLog } from "../store/login_attempts.ts";
import { Shares } from "../store/shares.ts";
import { TlsKeys } from "../store/tls_keys.ts";
import { adminHandlers } from "./admin_commands.ts";
import {
  controlAnswers,
  ControlError,
  type ControlHandler,
  ControlServer,
  inUse,
  type Json,
} from "./control.ts";
import { accountOfLogin, saslBackend } from "./logins.ts";
import { catchPanics } from "./panics.ts";
import { type MetricsListener, serveMetrics } from "./metrics_http.ts";
import { queueHandlers } from "./queue_control.ts";
import { type OutgoingOptions, outgoingOptions, queueServices } from "./queue_services.ts";
import { watchRemovals } from "./removals.ts";
import { accountRules } from "./rules.ts";
import { openSrs } from "./onward/srs_key.ts";
import { Receiving, type ReceivingOptions, type ReportDatabases } from "./receiving.ts";
import { retrainHandler } from "./receiving_retrain.ts";
import { submissionBackend } from "./smtp_backend.ts";
import { Sockets } from "./sockets.ts";
import { submitFromProgram } from "./submit.ts";
import { startReports } from "./reports/mod.ts";
import { ServerCertificates } from "./tls.ts";
import type { Patience } from "../acme/mod.ts";
import { ServerWebhooks } from "./webhooks.ts";
import { webhookHandlers } from "./webhook_control.ts";
import {
  type AlpnHandler,
  type Endpoint,
  serveWebPort,
  type WebHandlers,
  webPorts,
} from "./web.ts";
import { openWebPages, type WebPages } from "./web_pages.ts";

/** How a server is started. */
export interface ServerOptions {
  config: Config;
  /** Localserve: mail never leaves, special localparts misbehave, loopback has no limits. */
  local: boolean;
  /** How mail leaves; of no use with `local`. */
  outgoing?: OutgoingOptions;
  /** Of receiving: the resolver, and what tests choose. */
  receiving?: ReceivingOptions;
  /**
   * Runs when all sockets are bound and private keys are read, before anything is written and the first
   * byte of a connection is read: becomes the user that the server runs as.
   */
  becomeUser?: () => Promise<void>;
  /** How long an ACME authority is waited for; tests have little time. */
  acmePatience?: Patience;
  /** Runs when the folder is this process's, before anything listens. */
  prepare?: (accounts: Accounts) => Promise<void>;
}

export type { Endpoint } from "./web.ts";
/** Milliseconds that connections get to finish when the server stops. */
const stopGrace = 5_000;

export class MailServer {
  readonly config: Config;
  readonly accounts: Accounts;
  readonly queue: Queue;
  readonly endpoints: Endpoint[] = [];
  webhooks: ServerWebhooks | undefined;
  loginLog: LoginLog | undefined;
  readonly #log: Log;
  readonly #local: boolean;
  readonly #listeners: TcpServer[] = [];
  readonly #metrics: MetricsListener[] = [];
  readonly #control: ControlServer;
  readonly #trainer: Trainer;
  #receiving: Receiving | undefined;
  #certificates: ServerCertificates | undefined;
  #tlsKeys: TlsKeys | undefined;
  #shares: Shares | undefined;
  #pages: WebPages | undefined;
  #closePolicies: (() => Promise<void>) | undefined;
  readonly #sasl: SaslBackend;
  readonly #tempDir: string;
  #endReports: (() => Promise<void>) | undefined;
  /** Ends the making of temporary files ahead. */
  #noMoreFiles: (() => Promise<void>) | undefined;
  readonly #authLimiter: FailedAuthLimiter;
  readonly #sockets: Sockets;
  #unwatch: (() => void) | undefined;
  #stopping: Promise<void> | undefined;
  readonly #stopped = Promise.withResolvers<void>();

  private constructor(
    o: ServerOptions,
    log: Log,
    accounts: Accounts,
    queue: Queue,
    control: ControlServer,
    sockets: Sockets,
  ) {
    this.config = o.config;
    this.#sockets = sockets;
    this.#local = o.local;
    this.#log = log;
    this.accounts = accounts;
    this.queue = queue;
    this.#control = control;
    this.#trainer = new Trainer(o.config, new Log("junk"));
    accounts.onOpen = (a) => this.#trainer.attach(a);
    this.#tempDir = o.config.dataPath("tmp");
    this.#sasl = saslBackend(o.config, accounts, () => this.#tlsKeys);
    this.#authLimiter = new FailedAuthLimiter({ exemptLoopback: o.local });
  }

  /**
   * Binds the sockets, becomes the user, takes the data folder for this process alone, opens it, and
   * serves.
   * @throws ListenError, ControlError if another server has the folder, and what the options' functions do
   */
  static async start(o: ServerOptions): Promise<MailServer> {
    const { config } = o;
    if (await controlAnswers(config.dataDir)) throw inUse(config.dataDir);
    const sockets = await Sockets.bind(config.static);
    try {
      const certificates = await ServerCertificates.open(config);
      await o.becomeUser?.();
      return await MailServer.#open(o, sockets, certificates);
    } finally {
      await sockets.close();
    }
  }

  static async #open(
    o: ServerOptions,
    sockets: Sockets,
    certificates: ServerCertificates,
  ): Promise<MailServer> {
    const log = new Log("serve");
    const { config } = o;
    const tempDir = config.dataPath("tmp");
    for (const dir of [config.dataDir, config.dataPath("accounts"), tempDir]) await ensureDir(dir);
    // First of all: a second server on this folder is refused before it touches anything.
    const handlers = new Map<string, ControlHandler>();
    const control = new ControlServer(config.dataDir, log.forPackage("control"), handlers);
    await control.start();
    let server: MailServer | undefined;
    try {
      await removeLeftovers(tempDir);
      const accounts = new Accounts(
        config.dataPath("accounts"),
        new Log("store"),
        (name) => accountRules(config, name),
      );
      const outgoing = await outgoingOptions(o);
      const webhooks = await ServerWebhooks.open(config, () => server!.queue);
      const srs = await openSrs(config.dataDir, o.receiving?.now ?? Date.now);
      const queue = await Queue.open(
        config.dataDir,
        queueServices(
          { config, accounts, local: o.local, tempDir, queue: () => server!.queue, srs, webhooks },
          outgoing,
        ),
      );
      server = new MailServer(o, log, accounts, queue, control, sockets);
      server.webhooks = webhooks;
      server.#noMoreFiles = makeFilesAhead(tempDir);
      const { filters } = server.#trainer;
      server.#receiving = await Receiving.open(
        { config, accounts, queue, filters, tempDir, local: o.local, webhooks, srs },
        o.receiving,
      );
      await o.prepare?.(accounts);
      server.#pages = await openWebPages(server, {
        limiter: server.#authLimiter,
        tempDir,
        states: {
          tlsKeys: () => server!.#tlsKeys,
          loginLog: () => server!.loginLog,
          certificates: () => certificates.states(),
          stsPolicies: () => outgoing.policies?.remembered() ?? [],
          tlsResults: outgoing.tlsResults,
        },
        security: o.local
          ? undefined
          : { resolver: outgoing.resolver ?? makeResolver(), tlsPolicy: outgoing.tlsPolicy },
      });
      server.#certificates = certificates;
      server.#tlsKeys = await TlsKeys.open(config.dataDir);
      server.#shares = await Shares.open(config.dataDir);
      const loginLog = server.loginLog = await LoginLog.open(config.dataDir);
      server.#authLimiter.onAttempt = (a) =>
        loginLog.note({ ...a, account: accountOfLogin(config, a.login) });
      for (const l of config.static.Listeners.values()) {
        await server.#listen(l, certificates.for(l));
      }
      for (const [command, handler] of server.#handlers()) handlers.set(command, handler);
      for (const [command, handler] of queueHandlers(queue, config)) handlers.set(command, handler);
      for (const [name, handler] of webhookHandlers(webhooks.hooks)) handlers.set(name, handler);
      const unwatch = [
        config.watch(),
        watchRemovals(config, accounts, server.#shares, log),
        catchPanics(log),
      ];
      server.#closePolicies = outgoing.close;
      server.#unwatch = () => unwatch.forEach((end) => end());
      await queue.start();
      webhooks.hooks.start();
      const { reports } = server;
      if (reports && outgoing.tlsResults && outgoing.resolver) {
        server.#endReports = startReports({
          config,
          queue,
          tempDir,
          resolver: outgoing.resolver,
          evaluations: reports.evaluations,
          results: outgoing.tlsResults,
        });
      }
      await certificates.start({
        resolver: o.local ? undefined : outgoing.resolver ?? makeResolver(),
        patience: o.acmePatience,
      });
      return server;
    } catch (err) {
      await (server ? server.stop() : control.stop());
      throw err;
    }
  }

  async #listen(l: Listener, tls: ServerTls | undefined): Promise<void> {
    const hostname = l.Hostname || this.config.static.Hostname;
    const smtpLog = new Log("smtpserver");
    const services = {
      config: this.config,
      accounts: this.accounts,
      queue: this.queue,
      log: smtpLog,
      sasl: this.#sasl,
      hostname,
    };
    const wrap = (b: SmtpBackend) => this.#local ? misbehaving(b) : b;
    for (const ip of this.#sockets.ips(l)) {
      const limits = () => ({
        connectionLimiter: new ConnectionLimiter(openConnectionLimits, {
          exemptLoopback: this.#local,
        }),
        rateLimiter: new RateLimiter(connectionRate, { exemptLoopback: this.#local }),
      });
      const clientTls = this.#clientTls(l, tls);
      const smtp: SmtpServerOptions = {
        hostname,
        log: smtpLog,
        backend: wrap(this.#receiving!.backend(l)),
        tmpDir: this.#tempDir,
        tls,
        limits: l.SMTPMaxMessageSize > 0 ? { size: l.SMTPMaxMessageSize } : undefined,
        authLimiter: this.#authLimiter,
      };
      const submission: SmtpServerOptions = {
        ...smtp,
        submission: true,
        tls: clientTls,
        backend: wrap(submissionBackend(services)),
      };
      if (l.SMTP.Enabled) {
        this.#add(
          "SMTP",
          await serveSmtp({
            ...smtp,
            ...limits(),
            ...await this.#at(ip, l.SMTP.Port || 25, "SMTP"),
            tls: l.SMTP.NoSTARTTLS ? undefined : tls,
            requireTls: l.SMTP.RequireSTARTTLS,
          }),
        );
      }
      if (l.Submission.Enabled) {
        this.#add(
          "submission",
          await serveSmtp({
            ...submission,
            ...limits(),
            ...await this.#at(ip, l.Submission.Port || 587, "submission"),
            requireTls: !l.Submission.NoRequireSTARTTLS,
            allowPlainAuth: l.Submission.NoRequireSTARTTLS,
          }),
        );
      }
      if (l.Submissions.Enabled && tls) {
        this.#add(
          "submissions (TLS)",
          await serveSmtp({
            ...submission,
            ...limits(),
            ...await this.#at(ip, l.Submissions.Port || 465, "submissions"),
            implicitTls: true,
          }),
        );
      }
      if (l.IMAP.Enabled) {
        await this.#imap(ip, l, l.IMAP.Port || 143, clientTls, false, hostname, limits());
      }
      if (l.IMAPS.Enabled && tls) {
        await this.#imap(ip, l, l.IMAPS.Port || 993, clientTls, true, hostname, limits());
      }
      // Where networks let nothing but HTTPS through, mail programs get through this way.
      const alpn = new Map<string, AlpnHandler>();
      if (l.Submissions.EnabledOnHTTPS) {
        alpn.set("smtp", (made, cid, log) =>
          serveSecured(
            made,
            { cid, log: log.forPackage("smtpserver") },
            (conn) => serveSmtpConnection(conn, submission),
          ));
      }
      if (l.IMAPS.EnabledOnHTTPS) {
        const backend = this.#imapBackend(l, tls, hostname);
        alpn.set("imap", (made, cid, log) =>
          serveSecured(
            made,
            { cid, log: log.forPackage("imapserver") },
            (conn) => serveImap(conn, backend),
          ));
      }
      for (const p of webPorts(this.config, l, this.#webHandlers())) {
        const socket = await this.#sockets.take(ip, p.port, "HTTP");
        const server = await serveWebPort(ip, p, { tls, limits, listener: socket, alpn });
        this.#add(`${p.https ? "HTTPS" : "HTTP"} (${p.names.join(", ")})`, server);
      }
      if (l.MetricsHTTP.Enabled) {
        const m = await serveMetrics(
          await this.#sockets.take(ip, l.MetricsHTTP.Port || 8010, "metrics"),
          new Log("metrics"),
        );
        this.#metrics.push(m);
        this.endpoints.push({ protocol: "metrics (HTTP)", hostname: ip, port: m.port });
      }
    }
  }

  /** An address in the form that listeners are given it, with its socket. */
  async #at(address: string, port: number, service: string) {
    return { address, port, listener: await this.#sockets.take(address, port, service) };
  }

  /** TLS for users' programs: they are asked for a certificate if anybody has one to log in with. */
  #clientTls(l: Listener, tls: ServerTls | undefined): ServerTls | undefined {
    if (!tls || l.TLS?.ClientAuthDisabled) return tls;
    const keys = () => this.#tlsKeys;
    return {
      certificateFor: (name) => tls.certificateFor(name),
      proof: tls.proof,
      get requestClientCertificate() {
        return keys()?.any === true;
      },
    };
  }

  #webHandlers(): WebHandlers {
    const { proofs } = this.#certificates!;
    return { ...this.#pages?.handlers, acme: (req) => proofs.answerHttp(req.path) };
  }

  #imapBackend(l: Listener, tls: ServerTls | undefined, hostname: string): ImapBackend {
    return imapBackend({
      config: this.config,
      accounts: this.accounts,
      shares: this.#shares!,
      sasl: this.#sasl,
      log: new Log("imapserver"),
      hostname,
      tempDir: this.#tempDir,
      maxMessageSize: l.SMTPMaxMessageSize > 0 ? l.SMTPMaxMessageSize : 100 * 1024 * 1024,
      plaintextLogin: l.IMAP.NoRequireSTARTTLS,
      tls,
      authLimiter: this.#authLimiter,
    });
  }

  async #imap(
    ip: string,
    l: Listener,
    port: number,
    tls: ServerTls | undefined,
    implicit: boolean,
    hostname: string,
    limits: { connectionLimiter: ConnectionLimiter; rateLimiter: RateLimiter },
  ): Promise<void> {
    const log = new Log("imapserver");
    const backend = this.#imapBackend(l, tls, hostname);
    const { listener } = await this.#at(ip, port, implicit ? "IMAPS" : "IMAP");
    const server = await serveTcp({
      hostname: ip,
      port,
      listener,
      tls: implicit ? tls : undefined,
      log,
      protocol: implicit ? "imaps" : "imap",
      pkg: "imapserver",
      refusal: "* BYE too many connections\r\n",
      ...limits,
    }, (conn) => serveImap(conn, backend));
    this.#add(implicit ? "IMAPS (TLS)" : "IMAP", server);
  }

  #add(protocol: string, server: TcpServer): void {
    this.#listeners.push(server);
    this.endpoints.push({ protocol, hostname: server.hostname, port: server.port });
  }

  /** Commands that come over the control socket. */
  #handlers(): Map<string, ControlHandler> {
    const fields = (args: Json) => (args ?? {}) as Record<string, Json>;
    return new Map<string, ControlHandler>([
      ...adminHandlers({ config: this.config, accounts: this.accounts, log: this.#log }),
      ["stop", () => {
        // After the answer, which goes over a connection that the stop closes.
        setTimeout(() => this.stop(), 0);
      }],
      ["loglevels", (args) => {
        const { level, pkg } = fields(args) as { level: string | null; pkg: string };
        if (level === "default") clearLevel(pkg);
        else if (level !== null && isLevel(level)) setLevel(pkg, level);
        else if (level !== null) throw new ControlError(`no log level ${level}`);
        return currentLevels();
      }],
      ["retrain", retrainHandler(this.config, this.accounts, this.#trainer)],
      ["sendmail", async (args) => {
        const m = fields(args) as {
          from: string;
          recipients: string[];
          fromHeader: boolean;
          message: string;
        };
        return await submitFromProgram(
          { config: this.config, queue: this.queue, tempDir: this.#tempDir },
          m,
        );
      }],
    ]);
  }

  /** Open connections of all listeners. */
  connections(): OpenConnection[] {
    return this.#listeners.flatMap((l) => l.open());
  }

  /** Databases of reports; none in localserve. */
  get reports(): ReportDatabases | undefined {
    return this.#receiving?.reports;
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
    this.#receiving?.stop();
    this.#certificates?.stop();
    await Promise.all(this.#listeners.map((l) => l.shutdown(stopGrace)));
    await Promise.all(this.#metrics.map((m) => m.stop()));
    await this.#noMoreFiles?.();
    await this.#endReports?.();
    await this.queue.stop();
    await this.webhooks?.hooks.stop();
    await this.#closePolicies?.();
    await this.#pages?.close();
    await this.#receiving?.close();
    await this.#trainer.stop();
    await this.#tlsKeys?.close();
    await this.#shares?.close();
    await this.loginLog?.close();
    await this.accounts.closeAll();
    await this.#control.stop();
    this.#log.info("stopped");
    this.#stopped.resolve();
  }
}
