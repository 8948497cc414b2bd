/**
 * The ports for users' programs to access mail and scripts: IMAP, POP3, ManageSieve.
 *
 * @module
 */
import type { Server } from "node:net";
import type { Config, Listener } from "../config/mod.ts";
import type { Scripts } from "../delivery/sieve/scripts.ts";
import { type ImapBackend, serveImap } from "../imap/server/mod.ts";
import { Log } from "../log/mod.ts";
import { serveManageSieve } from "../managesieve/mod.ts";
import {
  type ConnectionLimiter,
  type LoginGuard,
  type RateLimiter,
  type Refused,
  type ServerTls,
  serveTcp,
  type SocketConnection,
  type TcpServer,
  type TrustedProxies,
} from "../net/mod.ts";
import { MaildropLocks, servePop3 } from "../pop3/mod.ts";
import type { SaslBackend } from "../sasl/mod.ts";
import type { Accounts } from "../store/account/accounts.ts";
import type { Shares } from "../store/mailboxes/shares.ts";
import { imapBackend } from "./imap_backend.ts";
import { managesieveBackend } from "./managesieve_backend.ts";
import type { OpenLogins } from "./open_logins.ts";
import { pop3Backend } from "./pop3_backend.ts";
import type { ImapEvents } from "./sieve/imap_events.ts";

/** What these protocols need. */
export interface UserPortServices {
  config: Config;
  accounts: Accounts;
  tempDir: string;
  shares: Shares;
  sasl: SaslBackend;
  /** Sieve scripts of the accounts. */
  scripts: Scripts;
  /** Scripts for events in IMAP. */
  events: ImapEvents;
  loginGuard: LoginGuard;
  openLogins: OpenLogins;
}

/** An endpoint of a protocol for users' programs. */
export interface UserPlace {
  ip: string;
  port: number;
  /** TLS from the first byte. */
  implicit: boolean;
  tls: ServerTls | undefined;
  hostname: string;
  limits: {
    connectionLimiter: ConnectionLimiter;
    rateLimiter: RateLimiter;
    proxies?: TrustedProxies;
  };
}

/** A protocol for access to mail. */
export interface UserProtocol {
  /** Its name in lists of endpoints. */
  shown: string;
  protocol: string;
  /** Its name in the log. */
  pkg: "imapserver" | "pop3server" | "managesieve";
  /** The answer to a connection that can't be accepted. */
  refusal: (why: Refused) => string;
  serve: (conn: SocketConnection) => Promise<void>;
}

/** Largest message in bytes that IMAP accepts, if the listener sets no limit. */
const maxAppend = 100 * 1024 * 1024;

/** The protocols for users' programs, as configured by listeners. */
export class UserPorts {
  readonly #s: UserPortServices;
  readonly #maildrops = new MaildropLocks();

  constructor(services: UserPortServices) {
    this.#s = services;
  }

  imapBackend(listener: Listener, tls: ServerTls | undefined, hostname: string): ImapBackend {
    const { config, accounts, shares, sasl, tempDir, loginGuard, openLogins, events } = this.#s;
    return imapBackend({
      config,
      accounts,
      shares,
      sasl,
      log: new Log("imapserver"),
      hostname,
      tempDir,
      maxMessageSize: listener.SMTPMaxMessageSize > 0 ? listener.SMTPMaxMessageSize : maxAppend,
      plaintextLogin: listener.IMAP.NoRequireSTARTTLS,
      jmapUrl: jmapUrl(listener, hostname),
      pedantic: config.static.Pedantic,
      tls,
      loginGuard,
      openLogins,
      events,
    });
  }

  readonly imap = (at: UserPlace, listener: Listener): UserProtocol => {
    const backend = this.imapBackend(listener, at.tls, at.hostname);
    return {
      shown: "IMAP",
      protocol: "imap",
      pkg: "imapserver",
      refusal: (why) =>
        why === "limit"
          ? "* BYE too many connections\r\n"
          : `* BYE [UNAVAILABLE] server is short of ${why}, try again later\r\n`,
      serve: (conn) => serveImap(conn, backend),
    };
  };

  readonly pop3 = (at: UserPlace, listener: Listener): UserProtocol => {
    const backend = pop3Backend({
      ...this.#logins(at, "pop3server"),
      accounts: this.#s.accounts,
      plaintextLogin: listener.POP3.NoRequireSTARTTLS,
      locks: this.#maildrops,
    });
    return {
      shown: "POP3",
      protocol: "pop3",
      pkg: "pop3server",
      refusal: (why) =>
        why === "limit"
          ? "-ERR [SYS/TEMP] too many connections\r\n"
          : `-ERR [SYS/TEMP] server is short of ${why}, try again later\r\n`,
      serve: (conn) => servePop3(conn, backend),
    };
  };

  readonly managesieve = (at: UserPlace, listener: Listener): UserProtocol => {
    const backend = managesieveBackend({
      ...this.#logins(at, "managesieve"),
      scripts: this.#s.scripts,
      plaintextLogin: listener.ManageSieve.NoRequireSTARTTLS,
    });
    return {
      shown: "ManageSieve",
      protocol: "managesieve",
      pkg: "managesieve",
      refusal: (why) =>
        why === "limit"
          ? 'BYE (TRYLATER) "too many connections"\r\n'
          : `BYE (TRYLATER) "server is short of ${why}"\r\n`,
      serve: (conn) => serveManageSieve(conn, backend),
    };
  };

  /** What the backends have in common. */
  #logins({ hostname, tls }: UserPlace, pkg: string) {
    const { config, sasl, loginGuard, openLogins } = this.#s;
    return { config, sasl, loginGuard, openLogins, hostname, tls, log: new Log(pkg) };
  }
}

/** Serves one of them on a bound socket. */
export function serveUserPort(
  at: UserPlace,
  protocol: UserProtocol,
  listener: Server,
): Promise<TcpServer> {
  return serveTcp({
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
}

/** URL of the JMAP session on a listener, over TLS if there is a choice. */
function jmapUrl(listener: Listener, hostname: string): string | undefined {
  const s = listener.JMAPHTTPS.Enabled ? listener.JMAPHTTPS : listener.JMAPHTTP;
  if (!s.Enabled) return undefined;
  const scheme = s === listener.JMAPHTTPS || s.Forwarded ? "https" : "http";
  const usual = scheme === "https" ? 443 : 80;
  const port = s.Forwarded || s.Port === 0 ? usual : s.Port;
  return URL.parse(`${scheme}://${hostname}:${port}/.well-known/jmap`)?.href;
}
