/**
 * Accepting TCP connections within limits, each one's end and errors kept apart from the others.
 *
 * @module
 */
import type { Server, Socket } from "node:net";
import { type Log, newCid } from "../log/mod.ts";
import { counter, countPanic, gauge, type PanicPackage } from "../metrics/mod.ts";
import { openFilesBudget } from "../platform/open_files.ts";
import { acceptConnections, boundPort, closeListener, listenTcp } from "../platform/net.ts";
import { memoryShort } from "./budget.ts";
import { canonicalIp } from "./ip.ts";
import type { ConnectionLimiter, RateLimiter } from "./limits.ts";
import { ConnectionError } from "./types.ts";

const refused = counter(
  "mox_connections_refused_total",
  "Connections turned away, by reason.",
  { reason: ["limit", "memory", "files"] },
);

const openConnections = gauge(
  "mox_connections_open",
  "Connections open now, by protocol.",
  ["protocol"],
);

/** Connections of all listeners that may be open. */
const { connections: maxSockets } = openFilesBudget();
let sockets = 0;

/** A listener and the limits on its connections. */
export interface AcceptOptions {
  /** IP address to listen on. */
  hostname: string;
  /** 0 for any free port. */
  port: number;
  /** A listening socket inherited from the process that started this one, in place of the address. */
  fd?: number;
  /** A listener from platform's listenTcp, bound before privileges were dropped, in place of all these. */
  listener?: Server;
  log: Log;
  /** For the metric of open connections, e.g. "smtp", "submissions", "imap". */
  protocol: string;
  /** For the count of unhandled errors. */
  pkg: PanicPackage;
  /** At most so many at a time, 10,000 if not given; more are closed at once. */
  maxConnections?: number;
  /** Connections open at a time, per network. */
  connectionLimiter?: ConnectionLimiter;
  /** New connections per time, per network. */
  rateLimiter?: RateLimiter;
  /** What those get to read that are turned away, in the protocol's words, with its CRLF. */
  refusal?: (why: Refused) => string;
}

/** Why a connection is turned away: a limit on connections, or the server is short of memory or open files. */
export type Refused = "limit" | "memory" | "files";

/** A connection that is open. */
export interface OpenConnection {
  cid: number;
  protocol: string;
  remoteIp: string;
  /** Port that it came to. */
  port: number;
  /** Milliseconds since the epoch. */
  since: number;
}

/** A running listener. */
export interface TcpServer {
  readonly hostname: string;
  readonly port: number;
  /** Connections open now. */
  readonly connections: number;
  /** Each of them, the oldest first. */
  open(): OpenConnection[];
  /**
   * Stops accepting, tells the connections (waiting for a line then fails with "shutdown"), waits so
   * many milliseconds for them to end and drops the rest.
   */
  shutdown(graceMs: number): Promise<void>;
}

/** A connection that has been taken on. */
export interface Taken {
  /** Settles when the connection is closed. A rejection is logged, and counted unless it is a ConnectionError. */
  done: Promise<void>;
  /** The server stops: finish what is under way. */
  stop(): void;
  /** Drops the connection at once. */
  destroy(): void;
}

/**
 * Listens, and gives each connection that the limits let in to `take`.
 * @throws ListenError of the platform layer, if the address can't be had.
 */
export async function acceptSockets(
  options: AcceptOptions,
  take: (socket: Socket, cid: number, log: Log) => Taken,
): Promise<TcpServer> {
  const { log } = options;
  const open = new Map<Taken, OpenConnection>();
  const running = new Set<Promise<void>>();
  const maxConnections = options.maxConnections ?? 10_000;
  let stopping = false;

  function refuse(socket: Socket, reason: Refused, why: string): void {
    refused.inc({ reason });
    log.info(`refusing connection, ${why}`, { remote: socket.remoteAddress ?? "" });
    socket.on("error", () => {});
    if (options.refusal === undefined) return void socket.destroy();
    socket.end(options.refusal(reason), () => socket.destroy());
    // A peer that sends without end, or doesn't read, is not waited for.
    setTimeout(() => socket.destroy(), 2000);
  }

  function accepted(socket: Socket): void {
    const ip = socket.remoteAddress ?? "";
    if (stopping || open.size >= maxConnections) return refuse(socket, "limit", "too many open");
    if (sockets >= maxSockets) return refuse(socket, "files", "too many files are open");
    if (memoryShort()) return refuse(socket, "memory", "memory is short");
    if (options.rateLimiter?.take(ip) === false) {
      return refuse(socket, "limit", "too many new ones from network");
    }
    if (options.connectionLimiter?.add(ip) === false) {
      return refuse(socket, "limit", "too many open from network");
    }
    const cid = newCid();
    const connLog = log.withCid(cid);
    const taken = take(socket, cid, connLog);
    open.set(taken, {
      cid,
      protocol: options.protocol,
      remoteIp: canonicalIp(ip),
      port: boundPort(server),
      since: Date.now(),
    });
    openConnections.inc({ protocol: options.protocol });
    sockets++;
    // Never rejects: whatever happens ends this connection only.
    const run = taken.done.catch((e: unknown) => ended(e, connLog)).finally(() => {
      open.delete(taken);
      running.delete(run);
      openConnections.dec({ protocol: options.protocol });
      sockets--;
      options.connectionLimiter?.remove(ip);
    });
    running.add(run);
  }

  function ended(e: unknown, connLog: Log): void {
    if (e instanceof ConnectionError) {
      connLog.debug("connection ended", { err: e, reason: e.reason });
      return;
    }
    countPanic(options.pkg);
    connLog.error("unhandled error, closing connection", {
      err: e instanceof Error ? e : new Error(String(e)),
      stack: e instanceof Error ? e.stack : undefined,
    });
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
    open: () => [...open.values()],
    async shutdown(graceMs: number): Promise<void> {
      stopping = true;
      const closed = closeListener(server);
      for (const taken of open.keys()) taken.stop();
      const timer = setTimeout(() => {
        for (const taken of open.keys()) taken.destroy();
      }, graceMs);
      await Promise.all(running);
      clearTimeout(timer);
      await closed;
    },
  };
}
