/**
 * HTTP/1.1 listeners: connections within limits, TLS, requests to handlers, slow clients cut off.
 *
 * The runtime's HTTP server parses requests; sockets are accepted, limited and secured here, so
 * that web services get certificates, limits and graceful stops the way mail protocols do.
 *
 * @module
 */
import type { EventEmitter } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Log } from "../../log/mod.ts";
import { countPanic, histogram } from "../../metrics/mod.ts";
import {
  type AcceptOptions,
  acceptSockets,
  type Arrival,
  type Secured,
  serverHandshake,
  type ServerTls,
  type Taken,
  type TcpServer,
} from "../../net/mod.ts";
import { forwardedRequest } from "./forwarded.ts";
import { type Framing, RequestGate } from "./gate.ts";
import { webRequest } from "./request.ts";
import { isStorageFull } from "../../platform/storage_errors.ts";
import { errorResponse, sendResponse, textResponse } from "./respond.ts";
import { HttpError, type UpgradeHandler, type WebHandler, type WebRequest } from "./types.ts";

/** A listener of HTTP or, with `tls`, HTTPS. */
export interface HttpOptions extends Omit<AcceptOptions, "protocol" | "pkg" | "refusal"> {
  tls?: ServerTls;
  /**
   * Takes connections that chose another protocol than HTTP when TLS began (ALPN); true if it did.
   * The handler then owns the socket.
   */
  alpn?: (made: Secured, cid: number, log: Log, arrival: Arrival) => Promise<void> | undefined;
  /** Milliseconds between requests on a connection, and for a request's header, for tests. */
  idleTimeout?: number;
  headerTimeout?: number;
}

/** What requests are given to. */
export interface HttpHandlers {
  /** Name of the service that answers, for metrics and logs. */
  service(req: WebRequest): string;
  handle: WebHandler;
  /** Undefined refuses upgrades. */
  upgrade(req: WebRequest): UpgradeHandler | undefined;
}

/** Milliseconds: for a handshake; for a request's header; between requests on a connection. */
const handshakeTimeout = 30_000;
const headerTimeout = 30_000;
/** Longer than programs keep connections themselves (90 seconds and less), so that none is used just as it closes. */
const idleTimeout = 120_000;
/** Bytes of a request's header. */
const maxHeaderSize = 32 * 1024;

const durations = histogram(
  "mox_http_request_duration_seconds",
  "Time to answer HTTP requests, without event streams, by service and class of status.",
  ["service", "code"],
  [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60],
);

/** By the name and labels that the original's alerting rules look at. */
const durationsByCode = histogram(
  "mox_httpserver_request_duration_seconds",
  "Time to answer HTTP requests, without event streams, by service and status.",
  ["handler", "code"],
  [0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10, 60],
);

/** For connections that are turned away. */
const refusal = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 30\r\nConnection: close\r\n" +
  "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 31\r\n\r\n" +
  "server is busy, try again later";

/** How a request's body is framed (RFC 9112 §6.3); the parser has checked the fields. */
function framing(raw: IncomingMessage): Framing {
  if (raw.headers["transfer-encoding"] !== undefined) return "chunked";
  return { length: Number(raw.headers["content-length"] ?? "0") };
}

/** State of one connection that its requests share. */
interface HttpConnection {
  remoteIp: string;
  cid: number;
  log: Log;
  secure: boolean;
  arrival: Arrival;
  /** Requests being answered; 0 or 1, and pipelined ones behind it. */
  active: number;
  gate: RequestGate | undefined;
  timer: ReturnType<typeof setTimeout> | undefined;
}

/** Listens and answers requests. */
export async function serveHttp(o: HttpOptions, handlers: HttpHandlers): Promise<TcpServer> {
  const connections = new WeakMap<Duplex, HttpConnection>();
  const stopping = new AbortController();
  const http = createServer({ maxHeaderSize, keepAliveTimeout: 0, requestTimeout: 0 });
  // Timeouts are kept here, per connection; the runtime's own would not know sockets that it is given.
  http.headersTimeout = 0;
  http.timeout = 0;
  // It gets its connections from acceptSockets. Of a server that doesn't listen, the runtime would close each
  // connection after an answer, and reset it under a request that is on its way.
  Object.defineProperty(http, "listening", { value: true });

  const idle = (socket: Duplex, c: HttpConnection, ms: number) => {
    clearTimeout(c.timer);
    c.timer = setTimeout(() => socket.destroy(), ms);
  };

  /** Programs open connections ahead: one that has not begun to ask may wait as long as between requests. */
  const firstHeader = (socket: Socket, stream: Duplex, c: HttpConnection) => {
    const [most, whole] = [o.headerTimeout ?? headerTimeout, o.idleTimeout ?? idleTimeout];
    const read = socket.bytesRead;
    c.timer = setTimeout(() => {
      if (socket.bytesRead === read) idle(stream, c, whole - most);
      else stream.destroy();
    }, most);
  };

  http.on("request", (raw: IncomingMessage, to: ServerResponse) => {
    const c = connections.get(raw.socket)!;
    // The gate lets one through at a time; where it and the parser don't agree on a request's end, none is safe.
    if (c.active > 0) return void raw.socket.destroy();
    clearTimeout(c.timer);
    c.active++;
    c.gate!.requestBegan(framing(raw));
    const gone = new AbortController();
    to.on("close", () => {
      c.active--;
      if (!to.writableFinished) gone.abort();
      c.gate!.answered();
      if (stopping.signal.aborted && c.active === 0) raw.socket.end();
      else if (c.active === 0) idle(raw.socket, c, o.idleTimeout ?? idleTimeout);
    });
    answer(raw, to, c, gone.signal);
  });
  http.on("upgrade", (raw: IncomingMessage, socket: Duplex, head: Uint8Array) => {
    const c = connections.get(socket)!;
    clearTimeout(c.timer);
    c.gate!.open();
    upgrade(raw, socket, head, c);
  });
  http.on("clientError", (_e: Error, socket: Duplex) => {
    if (socket.writable) socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
    else socket.destroy();
  });

  async function answer(
    raw: IncomingMessage,
    to: ServerResponse,
    c: HttpConnection,
    signal: AbortSignal,
  ): Promise<void> {
    const start = performance.now();
    let req: WebRequest | undefined;
    let response: Response;
    let service = "none";
    try {
      req = webRequest(raw, { ...c, signal, stopping: stopping.signal });
      if (behindProxy(c)) req = forwardedRequest(req, o.proxies!.networks);
      if (!counted(c, req, to)) throw tooMany();
      service = handlers.service(req);
      response = await handlers.handle(req);
    } catch (e) {
      const known = errorResponse(e);
      if (known === undefined && !signal.aborted) unhandled(e, c.log);
      if (isStorageFull(e)) c.log.error("request can't be carried out", { err: e as Error });
      response = known ?? textResponse(500, "internal error, see the server's log");
    }
    const streaming = response.headers.get("content-type")?.startsWith("text/event-stream");
    const bytes = await sendResponse(req, response, to);
    const seconds = (performance.now() - start) / 1000;
    if (!streaming) {
      durations.observe({ service, code: `${Math.floor(response.status / 100)}xx` }, seconds);
      durationsByCode.observe({ handler: service, code: String(response.status) }, seconds);
    }
    c.log.debug("http request", {
      service,
      method: raw.method ?? "",
      host: raw.headers.host ?? "",
      path: req?.url.pathname ?? "",
      status: response.status,
      bytes,
      ms: Math.round(seconds * 1000),
      remote: req?.remoteIp ?? c.remoteIp,
    });
  }

  /** The other end is a proxy, whose requests come from many clients. */
  function behindProxy(c: HttpConnection): boolean {
    return o.proxies?.networks.has(c.remoteIp) === true;
  }

  /** Requests that a proxy passes on are counted for their client as its connections are; false for too many. */
  function counted(c: HttpConnection, req: WebRequest, until: EventEmitter): boolean {
    if (!behindProxy(c) || o.proxies!.networks.has(req.remoteIp)) return true;
    const { remoteIp } = req;
    if (o.connectionLimiter?.add(remoteIp) === false) return false;
    until.once("close", () => o.connectionLimiter?.remove(remoteIp));
    return true;
  }

  async function upgrade(
    raw: IncomingMessage,
    socket: Duplex,
    head: Uint8Array,
    c: HttpConnection,
  ): Promise<void> {
    const gone = new AbortController();
    socket.on("close", () => gone.abort());
    socket.on("error", () => {});
    try {
      let req = webRequest(raw, { ...c, signal: gone.signal, stopping: stopping.signal });
      if (behindProxy(c)) req = forwardedRequest(req, o.proxies!.networks);
      if (!counted(c, req, socket)) throw tooMany();
      const take = handlers.upgrade(req);
      if (take === undefined) {
        socket.end(
          "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        );
        return;
      }
      await take(req, socket, head);
    } catch (e) {
      if (errorResponse(e) === undefined) unhandled(e, c.log);
      socket.destroy();
    }
  }

  function take(socket: Socket, cid: number, log: Log, arrival: Arrival): Taken {
    const c: HttpConnection = {
      remoteIp: arrival.peer.remoteIp,
      cid,
      log,
      // Also where a proxy has taken TLS off.
      secure: o.tls !== undefined || arrival.tls !== undefined,
      arrival,
      active: 0,
      gate: undefined,
      timer: undefined,
    };
    let current: Duplex = socket;
    const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()));
    socket.on("error", () => {});
    const run = async () => {
      try {
        let stream: Duplex = socket;
        if (o.tls !== undefined) {
          const made = await serverHandshake(socket, o.tls, handshakeTimeout);
          current = stream = made.socket;
          stream.on("error", () => {});
          const other = o.alpn?.(made, cid, log, arrival);
          if (other !== undefined) return await other;
        } else if (arrival.tls !== undefined) {
          const other = o.alpn?.({ socket, info: arrival.tls }, cid, log, arrival);
          if (other !== undefined) return await other;
        }
        const gate = new RequestGate(stream, o.tls !== undefined ? "https" : "http");
        gate.on("error", () => {});
        current = c.gate = gate;
        connections.set(gate, c);
        firstHeader(socket, gate, c);
        gate.on("close", () => clearTimeout(c.timer));
        http.emit("connection", gate);
        await closed;
      } finally {
        clearTimeout(c.timer);
        current.destroy();
      }
    };
    return {
      done: run(),
      stop: () => {
        if (c.active === 0) current.destroy();
      },
      destroy: () => current.destroy(),
    };
  }

  const server = await acceptSockets(
    {
      ...o,
      protocol: o.tls === undefined ? "http" : "https",
      pkg: "webserver",
      refusal: o.tls === undefined ? () => refusal : undefined,
    },
    take,
  );
  return {
    hostname: server.hostname,
    port: server.port,
    get connections() {
      return server.connections;
    },
    open: server.open,
    shutdown(graceMs) {
      stopping.abort();
      return server.shutdown(graceMs);
    },
  };
}

function tooMany(): HttpError {
  return new HttpError(503, "too many requests from your network at a time", {
    "Retry-After": "30",
  });
}

function unhandled(e: unknown, log: Log): void {
  countPanic("webserver");
  log.error("unhandled error in a web handler", {
    err: e instanceof Error ? e : new Error(String(e)),
    stack: e instanceof Error ? e.stack : undefined,
  });
}
