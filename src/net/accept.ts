/**
 * Accepting TCP connections within limits; the end and errors of each one don't affect the others.
 *
 * @module
 */
import type { Server, Socket } from "node:net";
import { type Log, newCid } from "../log/mod.ts";
import { counter, countPanic, gauge, type PanicPackage } from "../metrics/mod.ts";
import { openFilesBudget } from "../platform/open_files.ts";
import { acceptConnections, boundPort, closeListener, listenTcp } from "../platform/net.ts";
import { memoryShort } from "./budget.ts";
import type { ConnectionLimiter, RateLimiter } from "./limits.ts";
import {
  type Arrival,
  peerOf,
  peerThrough,
  takeHeader,
  tlsThrough,
  type TrustedProxies,
} from "./proxied/arrival.ts";
import type { ProxyHeader } from "./proxied/header.ts";
import { ConnectionError } from "./types.ts";

const refused = counter(
  "mox_connections_refused_total",
  "Connections turned away, by reason.",
  { reason: ["limit", "memory", "files", "proxy"] },
);

const openConnections = gauge(
  "mox_connections_open",
  "Connections open now, by protocol.",
  ["protocol"],
);

/** Most connections of all listeners together. */
const { connections: maxSockets } = openFilesBudget();
let sockets = 0;

/** A listener and the limits on its connections. */
export interface AcceptOptions {
  /** IP address to listen on. */
  hostname: string;
  /** 0 for any free port. */
  port: number;
  /** A listening socket inherited from the parent process, in place of the address. */
  fd?: number;
  /** A listener from platform's listenTcp, bound before privileges were dropped, in place of all these. */
  listener?: Server;
  log: Log;
  /** For the metric of open connections, e.g. "smtp", "submissions", "imap". */
  protocol: string;
  /** For the count of unhandled errors. */
  pkg: PanicPackage;
  /** Most connections at a time, 10,000 if not given; more are closed immediately. */
  maxConnections?: number;
  /** Limits open connections per network. */
  connectionLimiter?: ConnectionLimiter;
  /** Limits new connections over time per network. */
  rateLimiter?: RateLimiter;
  /** The line that refused clients get, in the protocol's form, with its CRLF. */
  refusal?: (why: Refused) => string;
  /** Proxies in front of the server, which name their clients. They themselves are not limited. */
  proxies?: TrustedProxies;
}

/** Why a connection is refused: a limit on connections, or the server is short of memory or open files. */
export type Refused = "limit" | "memory" | "files";

/** An open connection. */
export interface OpenConnection {
  cid: number;
  protocol: string;
  /** Address of the client; of the proxy until it has named one. */
  remoteIp: string;
  /** Port that it connected to. */
  port: number;
  /** Milliseconds since the epoch. */
  since: number;
}

/** A running listener. */
export interface TcpServer {
  readonly hostname: string;
  readonly port: number;
  /** Number of open connections. */
  readonly connections: number;
  /** All open connections, oldest first. */
  open(): OpenConnection[];
  /**
   * Stops accepting, notifies the connections (waiting for a line then fails with "shutdown"), waits `graceMs`
   * milliseconds for them to end, and drops the rest.
   */
  shutdown(graceMs: number): Promise<void>;
}

/** A connection that is being served. */
export interface Taken {
  /** Settles when the connection is closed. A rejection is logged, and counted unless it is a ConnectionError. */
  done: Promise<void>;
  /** The server is stopping: finish current work. */
  stop(): void;
  /** Drops the connection immediately. */
  destroy(): void;
}

/**
 * Listens, and passes each connection within the limits to `take`.
 * @throws ListenError of the platform layer, if the address is unavailable.
 */
export async function acceptSockets(
  options: AcceptOptions,
  take: (socket: Socket, cid: number, log: Log, arrival: Arrival) => Taken,
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
    // Don't wait for a peer that never stops sending or doesn't read.
    setTimeout(() => socket.destroy(), 2000);
  }

  /** Connections whose PROXY header is still awaited. */
  const nameless = new Set<Socket>();

  function accepted(socket: Socket): void {
    const ip = socket.remoteAddress ?? "";
    if (stopping || open.size + nameless.size >= maxConnections) {
      return refuse(socket, "limit", "too many open");
    }
    if (sockets >= maxSockets) return refuse(socket, "files", "too many files are open");
    if (memoryShort()) return refuse(socket, "memory", "memory is short");
    const { proxies } = options;
    if (proxies?.networks.has(ip) !== true) return begin(socket, undefined, false);
    if (proxies.header === "never") return begin(socket, undefined, true);
    void named(socket, proxies);
  }

  /** Begins once the proxy has named its client. */
  async function named(socket: Socket, proxies: TrustedProxies): Promise<void> {
    nameless.add(socket);
    sockets++;
    const ignore = () => {};
    socket.on("error", ignore);
    try {
      const header = await takeHeader(socket, proxies.header === "required");
      if (stopping) return void socket.destroy();
      begin(socket, header, true);
    } catch (err) {
      const { message } = err as Error;
      // A proxy's health check only opens and closes a connection.
      const level = err instanceof ConnectionError && socket.bytesRead === 0 ? "debug" : "info";
      log[level]("connection of a trusted proxy refused", {
        remote: socket.remoteAddress ?? "",
        reason: message,
      });
      refused.inc({ reason: "proxy" });
      socket.destroy();
    } finally {
      nameless.delete(socket);
      sockets--;
    }
  }

  function begin(socket: Socket, header: ProxyHeader | undefined, trusted: boolean): void {
    const direct = peerOf(socket);
    const peer = peerThrough(header, direct);
    /** The counted address; undefined while the peer is a proxy that has named no client. */
    let counted: string | undefined;
    const count = (ip: string): boolean => {
      if (options.rateLimiter?.take(ip) === false) return false;
      if (options.connectionLimiter?.add(ip) === false) return false;
      if (counted !== undefined) options.connectionLimiter?.remove(counted);
      counted = ip;
      return true;
    };
    const isClient = !trusted || header?.client !== undefined;
    if (isClient && !count(peer.remoteIp)) {
      return refuse(socket, "limit", `too many from network of ${peer.remoteIp}`);
    }
    const cid = newCid();
    const via = trusted && header !== undefined ? direct.remoteIp : undefined;
    const connLog = via === undefined ? log.withCid(cid) : log.withCid(cid).with({ proxy: via });
    const entry: OpenConnection = {
      cid,
      protocol: options.protocol,
      remoteIp: peer.remoteIp,
      port: boundPort(server),
      since: Date.now(),
    };
    const taken = take(socket, cid, connLog, {
      peer,
      tls: tlsThrough(header),
      via,
      fromProxy: trusted && header === undefined,
      proxies: options.proxies,
      named(ip) {
        if (!count(ip)) return false;
        entry.remoteIp = ip;
        return true;
      },
    });
    open.set(taken, entry);
    openConnections.inc({ protocol: options.protocol });
    sockets++;
    // Never rejects: whatever happens ends this connection only.
    const run = taken.done.catch((e: unknown) => ended(e, connLog)).finally(() => {
      open.delete(taken);
      running.delete(run);
      openConnections.dec({ protocol: options.protocol });
      sockets--;
      if (counted !== undefined) options.connectionLimiter?.remove(counted);
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
      for (const socket of nameless) socket.destroy();
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
