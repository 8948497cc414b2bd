/**
 * HTTP listeners: limits on connections, TLS, passing requests to handlers, disconnecting slow clients. HTTP/1.1 is here,
 * HTTP/2 in version2/.
 *
 * The runtime's HTTP server parses requests; sockets are accepted, limited and secured here, so
 * that web services get certificates, limits and graceful stops like mail protocols.
 *
 * @module
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { Log } from "../../log/mod.ts";
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
import {
  Answering,
  type HttpConnection,
  type HttpHandlers,
  unhandledInHandler,
} from "./answering.ts";
import { drainedBy } from "./drained.ts";
import { type Framing, RequestGate } from "./gate.ts";
import { webRequest } from "./request.ts";
import { errorResponse } from "./respond.ts";
import { restDropped } from "./rest_dropped.ts";
import type { AnswerSink } from "./types.ts";
import { Version2Connection } from "./version2/connection.ts";

/** A listener of HTTP or, with `tls`, HTTPS. */
export interface HttpOptions extends Omit<AcceptOptions, "protocol" | "pkg" | "refusal"> {
  /** HTTP/2 is served if its ALPN protocols include "h2". */
  tls?: ServerTls;
  /**
   * Takes connections that negotiated a protocol other than HTTP (ALPN); true if it did.
   * The handler then owns the socket.
   */
  alpn?: (made: Secured, cid: number, log: Log, arrival: Arrival) => Promise<void> | undefined;
  /** Milliseconds between requests on a connection, and for a request's header, for tests. */
  idleTimeout?: number;
  headerTimeout?: number;
}

/** Milliseconds: for a handshake; for a request's header; between requests on a connection. */
const handshakeTimeout = 30_000;
const headerTimeout = 30_000;
/** Longer than clients keep connections (90 seconds or less), so that none is reused just as it closes. */
const idleTimeout = 120_000;
/** Bytes of a request's header. */
const maxHeaderSize = 32 * 1024;

/** The answer to connections that are refused. */
const refusal = "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 30\r\nConnection: close\r\n" +
  "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 31\r\n\r\n" +
  "server is busy, try again later";

/** How a request's body is framed (RFC 9112 §6.3); the parser has checked the fields. */
function framing(raw: IncomingMessage): Framing {
  if (raw.headers["transfer-encoding"] !== undefined) return "chunked";
  return { length: Number(raw.headers["content-length"] ?? "0") };
}

/** A connection by HTTP/1.1. */
interface Version1Connection extends HttpConnection {
  /** Requests being answered: 0 or 1, plus pipelined ones after it. */
  active: number;
  gate: RequestGate | undefined;
  timer: ReturnType<typeof setTimeout> | undefined;
}

/** Listens and answers requests. */
export async function serveHttp(options: HttpOptions, handlers: HttpHandlers): Promise<TcpServer> {
  const connections = new WeakMap<Duplex, Version1Connection>();
  const stopping = new AbortController();
  const answering = new Answering(options, handlers);
  const http = createServer({ maxHeaderSize, keepAliveTimeout: 0, requestTimeout: 0 });
  // Timeouts are kept here, per connection; the runtime's own don't cover sockets passed to it.
  http.headersTimeout = 0;
  http.timeout = 0;
  // It gets its connections from acceptSockets. If the server doesn't listen, the runtime closes each
  // connection after an answer, and resets it when a request is on its way.
  Object.defineProperty(http, "listening", { value: true });

  const idle = (socket: Duplex, connection: Version1Connection, ms: number) => {
    clearTimeout(connection.timer);
    connection.timer = setTimeout(() => socket.destroy(), ms);
  };

  /** Programs open connections in advance: one without a request yet may wait as long as between requests. */
  const firstHeader = (socket: Socket, stream: Duplex, connection: Version1Connection) => {
    const [most, whole] = [
      options.headerTimeout ?? headerTimeout,
      options.idleTimeout ?? idleTimeout,
    ];
    const read = socket.bytesRead;
    connection.timer = setTimeout(() => {
      if (socket.bytesRead === read) idle(stream, connection, whole - most);
      else stream.destroy();
    }, most);
  };

  http.on("request", (raw: IncomingMessage, to: ServerResponse) => {
    const c = connections.get(raw.socket)!;
    // The gate lets one through at a time; if it and the parser disagree about a request's end, neither is safe.
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
      else if (c.active === 0) idle(raw.socket, c, options.idleTimeout ?? idleTimeout);
    });
    const { signal } = gone;
    answering.answer({
      version: "1.1",
      read: () => webRequest(raw, { ...c, signal, stopping: stopping.signal }),
      method: raw.method ?? "",
      host: raw.headers.host ?? "",
      to: sinkOf(raw, to, stopping.signal),
      until: to,
      signal,
    }, c);
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

  async function upgrade(
    raw: IncomingMessage,
    socket: Duplex,
    head: Uint8Array,
    connection: HttpConnection,
  ): Promise<void> {
    const gone = new AbortController();
    socket.on("close", () => gone.abort());
    socket.on("error", () => {});
    try {
      const made = webRequest(raw, {
        ...connection,
        signal: gone.signal,
        stopping: stopping.signal,
      });
      const req = answering.ofClient(made, connection, socket);
      const take = handlers.upgrade(req);
      if (take === undefined) {
        socket.end(
          "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        );
        return;
      }
      await take(req, socket, head);
    } catch (e) {
      if (errorResponse(e) === undefined) unhandledInHandler(e, connection.log);
      socket.destroy();
    }
  }

  function take(socket: Socket, cid: number, log: Log, arrival: Arrival): Taken {
    const c: Version1Connection = {
      remoteIp: arrival.peer.remoteIp,
      cid,
      log,
      // Also if a proxy has terminated TLS.
      secure: options.tls !== undefined || arrival.tls !== undefined,
      arrival,
      active: 0,
      gate: undefined,
      timer: undefined,
    };
    let current: Duplex = socket;
    let second: Version2Connection | undefined;
    const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()));
    socket.on("error", () => {});
    // An answer is written in several pieces: without this each waits for the acknowledgement of the one before, which
    // clients delay by up to 40 ms.
    socket.setNoDelay(true);
    const run = async () => {
      try {
        let made: Secured | undefined;
        if (options.tls !== undefined) {
          made = await serverHandshake(socket, options.tls, handshakeTimeout);
        } else if (arrival.tls !== undefined) made = { socket, info: arrival.tls };
        const stream: Duplex = current = made?.socket ?? socket;
        if (stream !== socket) stream.on("error", () => {});
        const other = made && options.alpn?.(made, cid, log, arrival);
        if (other !== undefined) return await other;
        const protocol = options.tls !== undefined ? "https" : "http";
        if (made?.info.alpn === "h2") {
          second = new Version2Connection(stream, {
            protocol,
            connection: c,
            answering,
            stopping: stopping.signal,
            idleTimeout: options.idleTimeout ?? idleTimeout,
            headerTimeout: options.headerTimeout ?? headerTimeout,
          });
          return await second.done;
        }
        const gate = new RequestGate(stream, protocol);
        gate.on("error", () => {});
        current = c.gate = gate;
        connections.set(gate, c);
        firstHeader(socket, gate, c);
        gate.on("close", () => clearTimeout(c.timer));
        http.emit("connection", gate);
        gate.parserReads();
        await closed;
      } finally {
        clearTimeout(c.timer);
        current.destroy();
      }
    };
    return {
      done: run(),
      stop: () => {
        if (second !== undefined) second.stop();
        else if (c.active === 0) current.destroy();
      },
      destroy: () => current.destroy(),
    };
  }

  const server = await acceptSockets(
    {
      ...options,
      protocol: options.tls === undefined ? "http" : "https",
      pkg: "webserver",
      refusal: options.tls === undefined ? () => refusal : undefined,
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

/** An answer by HTTP/1.1. */
function sinkOf(raw: IncomingMessage, to: ServerResponse, stopping: AbortSignal): AnswerSink {
  return {
    get destroyed() {
      return to.destroyed;
    },
    head(status, headers) {
      to.writeHead(status, stopping.aborted ? { ...headers, connection: "close" } : headers);
    },
    get ready() {
      return !to.writableNeedDrain;
    },
    write: (bytes) => void to.write(bytes),
    drained: (timeout) => drainedBy(to, timeout),
    async finish() {
      if (!raw.complete) await restDropped(raw);
      to.end();
      // A client still sending after that has its answer; the rest is not awaited.
      if (!raw.complete) raw.socket.end();
    },
    // Cutting the connection is the only way to show that an answer is incomplete.
    destroy: () => to.destroy(),
  };
}
