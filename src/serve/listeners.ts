/**
 * The ports of the running server: mail protocols, web and metrics, as the listeners of the configuration
 * have them.
 *
 * @module
 */
import { whyNotReady } from "../admin/mod.ts";
import type { Config, Listener } from "../config/mod.ts";
import type { Scripts } from "../delivery/sieve/scripts.ts";
import { type ImapBackend, serveImap } from "../imap/server/mod.ts";
import { Log } from "../log/mod.ts";
import {
  ConnectionLimiter,
  connectionRate,
  type LoginGuard,
  Networks,
  type OpenConnection,
  openConnectionLimits,
  RateLimiter,
  type Refused,
  type ServerTls,
  serveSecured,
  serveTcp,
  type SocketConnection,
  type TcpServer,
  type TrustedProxies,
} from "../net/mod.ts";
import { MaildropLocks, servePop3 } from "../pop3/mod.ts";
import { serveManageSieve } from "../managesieve/mod.ts";
import type { Queue } from "../queue/mod.ts";
import type { Scanners } from "../scanning/mod.ts";
import type { SaslBackend } from "../sasl/mod.ts";
import {
  serveSmtp,
  serveSmtpConnection,
  type SmtpBackend,
  type SmtpListenOptions,
  type SmtpServerOptions,
} from "../smtp/server/mod.ts";
import type { Accounts } from "../store/account/accounts.ts";
import type { Shares } from "../store/mailboxes/shares.ts";
import type { TlsKeys } from "../store/logins/tls_keys.ts";
import { developerBackends, type DeveloperOptions, developerPort } from "./catcher/developer.ts";
import { pop3Backend } from "./pop3_backend.ts";
import { managesieveBackend } from "./managesieve_backend.ts";
import { imapBackend } from "./imap_backend.ts";
import { type MetricsListener, serveMetrics } from "./web/metrics_http.ts";
import type { OpenLogins } from "./open_logins.ts";
import type { Passing } from "./receiving/passing.ts";
import type { Receiving } from "./receiving/receiving.ts";
import { serveAuthHttp } from "./nodes/auth_http.ts";
import { servedAnywhere } from "./nodes/web_elsewhere.ts";
import type { WebLinks } from "../nodes/web_link.ts";
import { type HttpHandlers, routeServices, type WebHandler } from "../web/http/mod.ts";
import { submissionBackend } from "./smtp_backend.ts";
import type { ImapEvents } from "./sieve/imap_events.ts";
import type { Sockets } from "./sockets.ts";
import type { ServerCertificates } from "./tls/tls.ts";
import {
  type AlpnHandler,
  type Endpoint,
  serveWebPort,
  type WebHandlers,
  type WebPage,
  webPorts,
} from "./web/web.ts";
import type { WebPages } from "./web/pages.ts";

/** What the protocols are served with. */
export interface ListenerServices {
  config: Config;
  accounts: Accounts;
  queue: Queue;
  scanners: Scanners | undefined;
  tempDir: string;
  /** Localserve: special localparts misbehave, loopback has no limits. */
  local: boolean;
  /** Of localserve: what goes wrong on purpose, and what is taken that real servers refuse. */
  developer?: DeveloperOptions;
  sockets: Sockets;
  certificates: ServerCertificates;
  receiving: Receiving;
  /** To the other nodes, where there are any. */
  passing: Passing | undefined;
  /** To pass requests for accounts of other nodes on. */
  links: () => WebLinks | undefined;
  /** Answers nginx's auth_http. */
  authHttp: WebHandler;
  pages: WebPages;
  tlsKeys: TlsKeys;
  shares: Shares;
  sasl: SaslBackend;
  /** Sieve scripts of the accounts. */
  scripts: Scripts;
  /** Scripts for what happens in IMAP. */
  events: ImapEvents;
  loginGuard: LoginGuard;
  openLogins: OpenLogins;
}

/** Whom the connections of a port count for, and how many there may be. */
/** Where users' programs reach a protocol. */
interface UserPlace {
  ip: string;
  port: number;
  /** TLS from the first byte. */
  implicit: boolean;
  tls: ServerTls | undefined;
  hostname: string;
  limits: ListenerLimits;
}

/** A protocol by which they reach their mail. */
interface UserProtocol {
  /** As endpoints are listed. */
  shown: string;
  protocol: string;
  /** Of the log. */
  pkg: "imapserver" | "pop3server" | "managesieve";
  /** What a connection that can't be taken is told. */
  refusal: (why: Refused) => string;
  serve: (conn: SocketConnection) => Promise<void>;
}

interface ListenerLimits {
  connectionLimiter: ConnectionLimiter;
  rateLimiter: RateLimiter;
  proxies?: TrustedProxies;
}

/** The proxies of a listener, for ports where the server speaks first and for web ports; undefined without any. */
function trustedProxies(
  listener: Listener,
): { mail: TrustedProxies; web: TrustedProxies } | undefined {
  if (listener.TrustedProxies.length === 0) return undefined;
  const networks = new Networks(listener.TrustedProxies);
  return {
    mail: { networks, header: listener.ProxyProtocol ? "required" : "never" },
    web: { networks, header: listener.ProxyProtocol ? "detected" : "never" },
  };
}

export class Listeners {
  /** What is open, in the order of the configuration. */
  readonly endpoints: Endpoint[] = [];
  readonly #s: ListenerServices;
  readonly #servers: TcpServer[] = [];
  readonly #metrics: MetricsListener[] = [];
  /** What the web ports serve of this node's accounts. */
  readonly #web: { https: boolean; names: string[]; handlers: HttpHandlers }[] = [];
  readonly #maildrops = new MaildropLocks();

  constructor(services: ListenerServices) {
    this.#s = services;
  }

  /** Those that are open now. */
  connections(): OpenConnection[] {
    return this.#servers.flatMap((s) => s.open());
  }

  /** What a port serves that has a service of this node's accounts, by preference one of that kind. */
  webHandlers(service: string, https: boolean): HttpHandlers | undefined {
    const having = this.#web.filter((p) => p.names.includes(service));
    return (having.find((p) => p.https === https) ?? having[0])?.handlers;
  }

  /** Serves what a listener has enabled, on its addresses. @throws ListenError */
  async open(listener: Listener): Promise<void> {
    const tls = this.#s.certificates.for(listener);
    const hostname = listener.Hostname || this.#s.config.static.Hostname;
    const smtpLog = new Log("smtpserver");
    const services = {
      config: this.#s.config,
      accounts: this.#s.accounts,
      queue: this.#s.queue,
      log: smtpLog,
      sasl: this.#s.sasl,
      openLogins: this.#s.openLogins,
      scanners: this.#s.scanners,
      hostname,
    };
    const { developer, config, sasl } = this.#s;
    const receiving = this.#s.receiving.backend(listener, this.#s.passing);
    const backendsFor = (queueing: SmtpBackend) =>
      developer
        ? developerBackends(developer, config, this.#s.accounts, sasl, receiving, queueing)
        : { receiving, submission: queueing };
    const backends = backendsFor(submissionBackend(services, listener.Submission.Scanners));
    const secured =
      backendsFor(submissionBackend(services, listener.Submissions.Scanners)).submission;
    const serve = (o: SmtpListenOptions) => serveSmtp(developer ? developerPort(developer, o) : o);
    const proxies = trustedProxies(listener);
    for (const ip of this.#s.sockets.ips(listener)) {
      const limits = () => ({
        proxies: proxies?.mail,
        connectionLimiter: new ConnectionLimiter(openConnectionLimits, {
          exemptLoopback: this.#s.local,
        }),
        rateLimiter: new RateLimiter(connectionRate, { exemptLoopback: this.#s.local }),
      });
      const clientTls = this.#clientTls(listener, tls);
      const smtp: SmtpServerOptions = {
        hostname,
        log: smtpLog,
        backend: backends.receiving,
        tmpDir: this.#s.tempDir,
        tls,
        limits: listener.SMTPMaxMessageSize > 0 ? { size: listener.SMTPMaxMessageSize } : undefined,
        loginGuard: this.#s.loginGuard,
        pedantic: this.#s.config.static.Pedantic,
      };
      const submission: SmtpServerOptions = {
        ...smtp,
        submission: true,
        tls: clientTls,
        backend: backends.submission,
      };
      if (listener.SMTP.Enabled) {
        this.#add(
          "SMTP",
          await serve({
            ...smtp,
            ...limits(),
            ...await this.#at(ip, listener.SMTP.Port || 25, "SMTP"),
            tls: listener.SMTP.NoSTARTTLS ? undefined : tls,
            requireTls: listener.SMTP.RequireSTARTTLS,
            noRequireTls: listener.SMTP.NoRequireTLS,
          }),
        );
      }
      if (listener.Submission.Enabled) {
        this.#add(
          "submission",
          await serve({
            ...submission,
            ...limits(),
            ...await this.#at(ip, listener.Submission.Port || 587, "submission"),
            requireTls: !listener.Submission.NoRequireSTARTTLS,
            allowPlainAuth: listener.Submission.NoRequireSTARTTLS,
          }),
        );
      }
      if (listener.Submissions.Enabled && tls) {
        this.#add(
          "submissions (TLS)",
          await serve({
            ...submission,
            ...limits(),
            ...await this.#at(ip, listener.Submissions.Port || 465, "submissions"),
            backend: secured,
            implicitTls: true,
          }),
        );
      }
      const userPort = (port: number, implicit: boolean): UserPlace => ({
        ip,
        port,
        implicit,
        tls: clientTls,
        hostname,
        limits: limits(),
      });
      if (listener.IMAP.Enabled) {
        await this.#imap(userPort(listener.IMAP.Port || 143, false), listener);
      }
      if (listener.IMAPS.Enabled && tls) {
        await this.#imap(userPort(listener.IMAPS.Port || 993, true), listener);
      }
      if (listener.POP3.Enabled) {
        await this.#pop3(userPort(listener.POP3.Port || 110, false), listener);
      }
      if (listener.POP3S.Enabled && tls) {
        await this.#pop3(userPort(listener.POP3S.Port || 995, true), listener);
      }
      if (listener.ManageSieve.Enabled) {
        await this.#managesieve(userPort(listener.ManageSieve.Port || 4190, false), listener);
      }
      // Where networks let nothing but HTTPS through, mail programs get through this way.
      const alpn = new Map<string, AlpnHandler>();
      if (listener.Submissions.EnabledOnHTTPS) {
        alpn.set("smtp", (made, cid, log, arrival) =>
          serveSecured(
            made,
            { cid, arrival, log: log.forPackage("smtpserver"), protocol: "submissions" },
            (conn) => serveSmtpConnection(conn, { ...submission, backend: secured }),
          ));
      }
      if (listener.IMAPS.EnabledOnHTTPS) {
        const backend = this.#imapBackend(listener, tls, hostname);
        alpn.set("imap", (made, cid, log, arrival) =>
          serveSecured(
            made,
            { cid, arrival, log: log.forPackage("imapserver"), protocol: "imaps" },
            (conn) => serveImap(conn, backend),
          ));
      }
      for (const p of webPorts(this.#s.config, listener, this.#webHandlers())) {
        this.#web.push({
          https: p.https,
          names: p.services.map((s) => s.name),
          handlers: routeServices(p.services),
        });
        p.services = p.services.map((s) => servedAnywhere(this.#s, s, p.https));
        const socket = await this.#s.sockets.take(ip, p.port, "HTTP");
        const server = await serveWebPort(ip, p, {
          tls,
          limits,
          listener: socket,
          proxies: proxies?.web,
          alpn,
        });
        this.#add(p.https ? "HTTPS" : "HTTP", server, p.pages);
      }
      if (listener.AuthHTTP.Enabled) {
        const port = listener.AuthHTTP.Port || 8012;
        const socket = await this.#s.sockets.take(ip, port, "auth_http");
        this.#add(
          "auth_http",
          await serveAuthHttp(ip, port, socket, listener.TrustedProxies, this.#s.authHttp),
        );
      }
      if (listener.MetricsHTTP.Enabled) {
        const m = await serveMetrics(
          await this.#s.sockets.take(ip, listener.MetricsHTTP.Port || 8010, "metrics"),
          new Log("metrics"),
          () => whyNotReady({ config: this.#s.config }),
        );
        this.#metrics.push(m);
        this.endpoints.push({ protocol: "metrics (HTTP)", hostname: ip, port: m.port });
      }
    }
  }

  /** An address in the form that listeners are given it, with its socket. */
  async #at(address: string, port: number, service: string) {
    return { address, port, listener: await this.#s.sockets.take(address, port, service) };
  }

  /** TLS for users' programs: they are asked for a certificate if anybody has one to log in with. */
  #clientTls(listener: Listener, tls: ServerTls | undefined): ServerTls | undefined {
    if (!tls || listener.TLS?.ClientAuthDisabled) return tls;
    const { tlsKeys } = this.#s;
    return {
      certificateFor: (name) => tls.certificateFor(name),
      proof: tls.proof,
      get requestClientCertificate() {
        return tlsKeys.any;
      },
    };
  }

  #webHandlers(): WebHandlers {
    const { proofs } = this.#s.certificates;
    return { ...this.#s.pages.handlers, acme: (req) => proofs.answerHttp(req.url.pathname) };
  }

  #imapBackend(listener: Listener, tls: ServerTls | undefined, hostname: string): ImapBackend {
    return imapBackend({
      config: this.#s.config,
      accounts: this.#s.accounts,
      shares: this.#s.shares,
      sasl: this.#s.sasl,
      log: new Log("imapserver"),
      hostname,
      tempDir: this.#s.tempDir,
      maxMessageSize: listener.SMTPMaxMessageSize > 0
        ? listener.SMTPMaxMessageSize
        : 100 * 1024 * 1024,
      plaintextLogin: listener.IMAP.NoRequireSTARTTLS,
      jmapUrl: jmapUrl(listener, hostname),
      pedantic: this.#s.config.static.Pedantic,
      tls,
      loginGuard: this.#s.loginGuard,
      openLogins: this.#s.openLogins,
      events: this.#s.events,
    });
  }

  #imap(at: UserPlace, listener: Listener): Promise<void> {
    const backend = this.#imapBackend(listener, at.tls, at.hostname);
    return this.#userPort(at, {
      shown: "IMAP",
      protocol: "imap",
      pkg: "imapserver",
      refusal: (why) =>
        why === "limit"
          ? "* BYE too many connections\r\n"
          : `* BYE [UNAVAILABLE] server is short of ${why}, try again later\r\n`,
      serve: (conn) => serveImap(conn, backend),
    });
  }

  #pop3(at: UserPlace, listener: Listener): Promise<void> {
    const backend = pop3Backend({
      ...this.#logins(at, "pop3server"),
      accounts: this.#s.accounts,
      plaintextLogin: listener.POP3.NoRequireSTARTTLS,
      locks: this.#maildrops,
    });
    return this.#userPort(at, {
      shown: "POP3",
      protocol: "pop3",
      pkg: "pop3server",
      refusal: (why) =>
        why === "limit"
          ? "-ERR [SYS/TEMP] too many connections\r\n"
          : `-ERR [SYS/TEMP] server is short of ${why}, try again later\r\n`,
      serve: (conn) => servePop3(conn, backend),
    });
  }

  #managesieve(at: UserPlace, listener: Listener): Promise<void> {
    const backend = managesieveBackend({
      ...this.#logins(at, "managesieve"),
      scripts: this.#s.scripts,
      plaintextLogin: listener.ManageSieve.NoRequireSTARTTLS,
    });
    return this.#userPort(at, {
      shown: "ManageSieve",
      protocol: "managesieve",
      pkg: "managesieve",
      refusal: (why) =>
        why === "limit"
          ? 'BYE (TRYLATER) "too many connections"\r\n'
          : `BYE (TRYLATER) "server is short of ${why}"\r\n`,
      serve: (conn) => serveManageSieve(conn, backend),
    });
  }

  /** What the backends of users' protocols have in common. */
  #logins(at: UserPlace, pkg: string) {
    const { config, sasl, loginGuard, openLogins } = this.#s;
    const { hostname, tls } = at;
    return { config, sasl, loginGuard, openLogins, hostname, tls, log: new Log(pkg) };
  }

  async #userPort(at: UserPlace, protocol: UserProtocol): Promise<void> {
    const name = at.implicit ? `${protocol.shown}S` : protocol.shown;
    const { listener } = await this.#at(at.ip, at.port, name);
    const server = await serveTcp({
      hostname: at.ip,
      port: at.port,
      listener,
      tls: at.implicit ? at.tls : undefined,
      log: new Log(protocol.pkg),
      protocol: at.implicit ? `${protocol.protocol}s` : protocol.protocol,
      pkg: protocol.pkg,
      refusal: protocol.refusal,
      ...at.limits,
    }, protocol.serve);
    this.#add(at.implicit ? `${name} (TLS)` : name, server);
  }

  #add(protocol: string, server: TcpServer, pages?: readonly WebPage[]): void {
    this.#servers.push(server);
    this.endpoints.push({ protocol, hostname: server.hostname, port: server.port, pages });
  }

  /** Takes no more connections, and gives those that there are some milliseconds to end. */
  async stop(grace: number): Promise<void> {
    await Promise.all(this.#servers.map((s) => s.shutdown(grace)));
    await Promise.all(this.#metrics.map((m) => m.stop()));
  }
}

/** URL of the session of JMAP on a listener; the one by TLS if there is one. */
function jmapUrl(listener: Listener, hostname: string): string | undefined {
  const s = listener.JMAPHTTPS.Enabled ? listener.JMAPHTTPS : listener.JMAPHTTP;
  if (!s.Enabled) return undefined;
  const scheme = s === listener.JMAPHTTPS || s.Forwarded ? "https" : "http";
  const usual = scheme === "https" ? 443 : 80;
  const port = s.Forwarded || s.Port === 0 ? usual : s.Port;
  return URL.parse(`${scheme}://${hostname}:${port}/.well-known/jmap`)?.href;
}
