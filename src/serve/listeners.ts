/**
 * The ports of the running server: mail protocols, web and metrics, as configured by its
 * listeners.
 *
 * @module
 */
import { whyNotReady } from "../admin/mod.ts";
import type { Listener } from "../config/mod.ts";
import { serveImap } from "../imap/server/mod.ts";
import { Log } from "../log/mod.ts";
import {
  ConnectionLimiter,
  connectionRate,
  Networks,
  type OpenConnection,
  openConnectionLimits,
  RateLimiter,
  type ServerTls,
  serveSecured,
  type TcpServer,
  type TrustedProxies,
} from "../net/mod.ts";
import type { Queue } from "../queue/mod.ts";
import type { Scanners } from "../scanning/mod.ts";
import {
  serveSmtp,
  serveSmtpConnection,
  type SmtpBackend,
  type SmtpListenOptions,
  type SmtpServerOptions,
} from "../smtp/server/mod.ts";
import type { TlsKeys } from "../store/logins/tls_keys.ts";
import { developerBackends, type DeveloperOptions, developerPort } from "./catcher/developer.ts";
import { type MetricsListener, serveMetrics } from "./web/metrics_http.ts";
import type { Passing } from "./receiving/passing.ts";
import type { Receiving } from "./receiving/receiving.ts";
import { serveAuthHttp } from "./nodes/auth_http.ts";
import { servedAnywhere } from "./nodes/web_elsewhere.ts";
import type { WebLinks } from "../nodes/web_link.ts";
import { type HttpHandlers, routeServices, type WebHandler } from "../web/http/mod.ts";
import { submissionBackend } from "./smtp_backend.ts";
import type { Sockets } from "./sockets.ts";
import {
  serveUserPort,
  type UserPlace,
  UserPorts,
  type UserPortServices,
  type UserProtocol,
} from "./user_ports.ts";
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

/** What the protocols need. */
export interface ListenerServices extends UserPortServices {
  queue: Queue;
  scanners: Scanners | undefined;
  /** Localserve: special localparts cause faults, loopback has no limits. */
  local: boolean;
  /** For localserve: faults on purpose, and what is accepted although real servers refuse it. */
  developer?: DeveloperOptions;
  sockets: Sockets;
  certificates: ServerCertificates;
  receiving: Receiving;
  /** The other nodes, if there are any. */
  passing: Passing | undefined;
  /** Passes on requests for accounts of other nodes. */
  links: () => WebLinks | undefined;
  /** Answers nginx's auth_http. */
  authHttp: WebHandler;
  pages: WebPages;
  tlsKeys: TlsKeys;
}

/** The proxies of a listener, for ports where the server speaks first and for web ports; undefined if there are none. */
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
  /** Open ports, in the order of the configuration. */
  readonly endpoints: Endpoint[] = [];
  readonly #s: ListenerServices;
  readonly #servers: TcpServer[] = [];
  readonly #metrics: MetricsListener[] = [];
  /** What the web ports serve for this node's accounts. */
  readonly #web: { https: boolean; names: string[]; handlers: HttpHandlers }[] = [];
  readonly #userPorts: UserPorts;

  constructor(services: ListenerServices) {
    this.#s = services;
    this.#userPorts = new UserPorts(services);
  }

  /** Ports that are open now. */
  connections(): OpenConnection[] {
    return this.#servers.flatMap((s) => s.open());
  }

  /** The handler of a port with a service for this node's accounts, preferably one of that kind. */
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
      const { imap, pop3, managesieve } = this.#userPorts;
      if (listener.IMAP.Enabled) {
        await this.#user(userPort(listener.IMAP.Port || 143, false), listener, imap);
      }
      if (listener.IMAPS.Enabled && tls) {
        await this.#user(userPort(listener.IMAPS.Port || 993, true), listener, imap);
      }
      if (listener.POP3.Enabled) {
        await this.#user(userPort(listener.POP3.Port || 110, false), listener, pop3);
      }
      if (listener.POP3S.Enabled && tls) {
        await this.#user(userPort(listener.POP3S.Port || 995, true), listener, pop3);
      }
      if (listener.ManageSieve.Enabled) {
        await this.#user(userPort(listener.ManageSieve.Port || 4190, false), listener, managesieve);
      }
      // Lets mail programs connect from networks that allow HTTPS only.
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
        const backend = this.#userPorts.imapBackend(listener, tls, hostname);
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

  /** An address in the form used for listeners, with its socket. */
  async #at(address: string, port: number, service: string) {
    return { address, port, listener: await this.#s.sockets.take(address, port, service) };
  }

  /** TLS for users' programs: asks for a client certificate if anybody logs in with one. */
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

  async #user(
    at: UserPlace,
    listener: Listener,
    protocolOf: (at: UserPlace, listener: Listener) => UserProtocol,
  ): Promise<void> {
    const protocol = protocolOf(at, listener);
    const name = at.implicit ? `${protocol.shown}S` : protocol.shown;
    const socket = await this.#s.sockets.take(at.ip, at.port, name);
    this.#add(at.implicit ? `${name} (TLS)` : name, await serveUserPort(at, protocol, socket));
  }

  #add(protocol: string, server: TcpServer, pages?: readonly WebPage[]): void {
    this.#servers.push(server);
    this.endpoints.push({ protocol, hostname: server.hostname, port: server.port, pages });
  }

  /** Accepts no more connections, and gives existing ones some milliseconds to end. */
  async stop(grace: number): Promise<void> {
    await Promise.all(this.#servers.map((s) => s.shutdown(grace)));
    await Promise.all(this.#metrics.map((m) => m.stop()));
  }
}
