/**
 * Accepting TCP connections and running a handler for each of them, apart from the others.
 *
 * @module
 */
import type { Server, Socket } from "node:net";
import { Log, newCid } from "../log/mod.ts";
import { countPanic, gauge, type PanicPackage } from "../metrics/mod.ts";
import { acceptConnections, boundPort, closeListener, listenTcp } from "../platform/net.ts";
import { acceptConnection, type SocketConnection } from "./connection.ts";
import type { ConnectionLimiter, RateLimiter } from "./limits.ts";
import { ConnectionError, type ServerTls } from "./types.ts";

const openConnections = gauge(
  "mox_connections_open",
  "Connections open now, by protocol.",
  ["protocol"],
);

/** A listener and what its connections get. */
export interface ServeOptions {
  /** IP address to listen on. */
  hostname: string;
  /** 0 for any free port. */
  port: number;
  /** A listening socket inherited from the process that started this one, in place of the address. */
  fd?: number;
  /** A listener from platform's listenTcp, bound before privileges were dropped, in place of all these. */
  listener?: Server;
  /** TLS from the first byte. */
  tls?: ServerTls;
  log: Log;
  /** For the metric of open connections, e.g. "smtp", "submissions", "imap". */
  protocol: string;
  /** For the count of unhandled errors. */
  pkg: PanicPackage;
  /** At most so many at a time, 10,000 if not given; more are closed at once. */
  maxConnections?: number;
  /** Milliseconds for single reads and flushes at first. */
  readTimeout?: number;
  writeTimeout?: number;
  /** Connections open at a time, per network. */
  connectionLimiter?: ConnectionLimiter;
  /** New connections per time, per network. */
  rateLimiter?: RateLimiter;
  /** A line in plain text for those that a limit turns away, with its CRLF. Not sent where `tls` is set. */
  refusal?: string;
}

/** A running listener. */
export interface TcpServer {
  readonly hostname: string;
  readonly port: number;
  /** Connections open now. */
  readonly connections: number;
  /**
   * Stops accepting, tells the connections (waiting for a line then fails with "shutdown"), waits so
   * many milliseconds for them to end and drops the rest.
   */
  shutdown(graceMs: number): Promise<void>;
}

/**
 * Listens, and runs `handle` for each connection; the connection is closed when it returns or throws.
 * @throws ListenError of the platform layer, if the address can't be had.
 */
export async function serveTcp(
  options: ServeOptions,
  handle: (conn: SocketConnection) => Promise<void>,
): Promise<TcpServer> {
  const { log } = options;
  const open = new Set<SocketConnection>();
  const running = new Set<Promise<void>>();
  const maxConnections = options.maxConnections ?? 10_000;
  let stopping = false;

  function refuse(socket: Socket): void {
    socket.on("error", () => {});
    if (options.refusal !== undefined && options.tls === undefined) {
      socket.end(options.refusal, () => socket.destroy());
    } else {
      socket.destroy();
    }
  }

  function accepted(socket: Socket): void {
    const ip = socket.remoteAddress ?? "";
    if (stopping || open.size >= maxConnections) {
      log.info("refusing connection, too many open", { remote: ip });
      refuse(socket);
      return;
    }
    if (options.rateLimiter?.take(ip) === false) {
      log.info("refusing connection, too many new ones from network", { remote: ip });
      refuse(socket);
      return;
    }
    if (options.connectionLimiter?.add(ip) === false) {
      log.info("refusing connection, too many open from network", { remote: ip });
      refuse(socket);
      return;
    }
    const cid = newCid();
    const conn = acceptConnection(socket, {
      cid,
      log: log.withCid(cid),
      readTimeout: options.readTimeout,
      writeTimeout: options.writeTimeout,
    });
    open.add(conn);
    openConnections.inc({ protocol: options.protocol });
    const run = serve(conn).finally(() => {
      open.delete(conn);
      running.delete(run);
      openConnections.dec({ protocol: options.protocol });
      options.connectionLimiter?.remove(ip);
    });
    running.add(run);
  }

  /** Never rejects: whatever happens ends this connection only. */
  async function serve(conn: SocketConnection): Promise<void> {
    const connLog = log.withCid(conn.cid);
    try {
      if (options.tls !== undefined) await conn.startTlsServer(options.tls);
      await handle(conn);
    } catch (e) {
      if (e instanceof ConnectionError) {
        connLog.debug("connection ended", { err: e, reason: e.reason });
      } else {
        countPanic(options.pkg);
        connLog.error("unhandled error, closing connection", {
          err: e instanceof Error ? e : new Error(String(e)),
          stack: e instanceof Error ? e.stack : undefined,
        });
        conn.destroy();
      }
    }
    await conn.close();
  }

  const server = options.listener ?? await listenTcp({
    hostname: options.hostname,
    port: options.port,
    fd: options.fd,
    backlog: 1024,
    service: options.protocol,
  });
  server.on("error", (e) => log.error("listener failed", { err: e }));
  openConnections.inc({ protocol: options.protocol }, 0);
  acceptConnections(server, accepted);

  return {
    hostname: options.hostname,
    port: boundPort(server),
    get connections() {
      return open.size;
    },
    async shutdown(graceMs: number): Promise<void> {
      stopping = true;
      const closed = closeListener(server);
      for (const conn of open) conn.stop();
      const timer = setTimeout(() => {
        for (const conn of open) conn.destroy();
      }, graceMs);
      await Promise.all(running);
      clearTimeout(timer);
      await closed;
    },
  };
}
