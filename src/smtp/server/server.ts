/**
 * SMTP listeners.
 *
 * @module
 */
import type { Server } from "node:net";
import {
  type ConnectionLimiter,
  type RateLimiter,
  serveTcp,
  type SocketConnection,
  type TcpServer,
  type TrustedProxies,
} from "../../net/mod.ts";
import type { SmtpServerOptions } from "./options.ts";
import { commandTable, lmtpCommands } from "./command_table.ts";
import { Session } from "./session.ts";

const lmtpTable = lmtpCommands();

/** An SMTP listener: behaviour and where to listen. */
export interface SmtpListenOptions extends SmtpServerOptions {
  /** IP address. */
  address: string;
  port: number;
  /** An inherited listening socket, in place of the address. */
  fd?: number;
  /** A listener bound before privileges were dropped, in place of the address. */
  listener?: Server;
  /** TLS from the first byte (465); `tls` must be set. */
  implicitTls?: boolean;
  maxConnections?: number;
  connectionLimiter?: ConnectionLimiter;
  rateLimiter?: RateLimiter;
  /** Proxies in front; see AcceptOptions. */
  proxies?: TrustedProxies;
}

/** Serves one connection to its end. For listeners made elsewhere, and for tests. */
export async function serveSmtpConnection(
  conn: SocketConnection,
  options: SmtpServerOptions,
): Promise<void> {
  await serveSmtpSession(conn, options);
}

/**
 * Serves a session, which others may follow on the same connection.
 * @returns whether the client ended it by QUIT
 */
export async function serveSmtpSession(
  conn: SocketConnection,
  options: SmtpServerOptions,
): Promise<boolean> {
  return await new Session(conn, options, options.lmtp ? lmtpTable : commandTable).run();
}

/** Starts a listener. */
export function serveSmtp(options: SmtpListenOptions): Promise<TcpServer> {
  const protocol = !options.submission
    ? "smtp"
    : options.implicitTls
    ? "submissions"
    : "submission";
  return serveTcp({
    hostname: options.address,
    port: options.port,
    fd: options.fd,
    listener: options.listener,
    tls: options.implicitTls ? options.tls : undefined,
    log: options.log,
    protocol,
    pkg: "smtpserver",
    maxConnections: options.maxConnections,
    connectionLimiter: options.connectionLimiter,
    rateLimiter: options.rateLimiter,
    proxies: options.proxies,
    refusal: (why) =>
      why === "limit"
        ? "421 4.7.0 too many connections\r\n"
        : `421 4.3.2 server is short of ${why}, try again later\r\n`,
  }, (conn) => serveSmtpConnection(conn, options));
}
