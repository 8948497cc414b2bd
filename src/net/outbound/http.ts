/**
 * The only way to make HTTP and HTTPS requests: names are resolved by the server's resolver, a rule may refuse
 * addresses, certificates are verified by the server's authorities, and everything has a limit.
 *
 * The connection is made here and the runtime's HTTP client uses it: its own HTTPS connections need a
 * permission that isn't granted.
 *
 * @module
 */
import { Agent, type ClientRequest, type IncomingMessage, request as httpRequest } from "node:http";
import { isIP, type Socket } from "node:net";
import type { Duplex, Readable } from "node:stream";
import type { TLSSocket } from "node:tls";
import { connectSocket } from "../connect.ts";
import { beginClientTls, clientHandshake } from "../tls.ts";
import { ConnectionError } from "../types.ts";
import {
  type AddressLookup,
  type AddressRule,
  allowedAddresses,
  bareHost,
  OutboundError,
} from "./addresses.ts";
import { serverAddressRule } from "./user_rule.ts";
import type { Authorities } from "./authorities.ts";

/** Most addresses of a host that are tried. */
const maxAddresses = 4;
/** Milliseconds for a connection with its handshake, unless the caller gives less. */
const connectTimeout = 15_000;
/** Milliseconds for a whole request, if the caller gives none. */
const usualTimeout = 30_000;
/** Most bytes of an answer's body, if the caller gives no limit. */
const usualMaxBytes = 1024 * 1024;

/** Most bytes of an answer besides its body: the header, and interim answers (1xx) before it. */
const maxBesideBody = 128 * 1024;
/** Bytes of a chunked body that are read per allowed byte: chunks of one byte have five more. */
const readPerByte = 8;
/**
 * Pieces that a body may come in, and one more for so many of its bytes. The runtime's parser makes memory of its own for
 * each chunk, some 600 bytes with what describes it: a megabyte in chunks of one byte took 660 MB.
 */
const maxPieces = 60_000;
const bytesPerPiece = 256;

export interface OutboundOptions {
  authorities: Authorities;
  lookup: AddressLookup;
  /** For addresses chosen by users; without it any address that a server can have. */
  forUsers?: AddressRule;
}

/** The destination of a request. */
export interface Target {
  /** http or https. */
  url: URL;
  method?: string;
  /** The Host field is the URL's if not given. */
  headers?: Record<string, string | string[]>;
  /**
   * The rule for its addresses. Undefined only for destinations chosen by the administrator: otherwise at least
   * `forUsers`.
   */
  rule: AddressRule | undefined;
  signal?: AbortSignal;
}

export interface HttpCall extends Target {
  body?: Uint8Array | string;
  /** Milliseconds for the whole request; 30 s if not given. */
  timeout?: number;
  /** Most bytes of the answer's body, 1 MiB if not given: more is an error, or cut off. */
  maxBytes?: number;
  /** Cut longer answers off instead of failing. */
  cutOff?: boolean;
  /** Most redirects followed for GET and HEAD; none if not given. */
  redirects?: number;
}

export interface HttpAnswer {
  status: number;
  headers: Headers;
  body: Uint8Array;
  /** The URL after redirects. */
  url: URL;
}

/** An agent for a single existing connection. */
class OneConnection extends Agent {
  readonly #socket: Duplex;
  constructor(socket: Duplex) {
    super({ keepAlive: false });
    this.#socket = socket;
  }
  override createConnection(): Duplex {
    return this.#socket;
  }
}

/** Requests to other servers. */
export class Outbound {
  readonly authorities: Authorities;
  /** The rule for addresses chosen by users or by messages from others: pass it with each such request. */
  readonly forUsers: AddressRule;
  readonly #lookup: AddressLookup;

  constructor(options: OutboundOptions) {
    this.authorities = options.authorities;
    this.forUsers = options.forUsers ?? serverAddressRule;
    this.#lookup = options.lookup;
  }

  /** Addresses of a host that may be connected to. @throws OutboundError */
  addresses(host: string, rule?: AddressRule, signal?: AbortSignal): Promise<string[]> {
    return allowedAddresses(bareHost(host), this.#lookup, rule, signal);
  }

  /**
   * Connects to the host of a URL, with TLS for https. The caller must handle the socket's errors.
   * @throws OutboundError, the signal's reason
   */
  async connect(target: Target): Promise<Socket | TLSSocket> {
    const { url, signal } = target;
    const secure = url.protocol === "https:";
    if (!secure && url.protocol !== "http:") {
      throw new OutboundError("url", `the URL is neither http nor https: ${url.protocol}`);
    }
    const host = bareHost(url.hostname);
    const port = url.port === "" ? (secure ? 443 : 80) : Number(url.port);
    let failure: unknown;
    for (const ip of (await this.addresses(host, target.rule, signal)).slice(0, maxAddresses)) {
      signal?.throwIfAborted();
      let socket: Socket | undefined;
      const abort = () => socket?.destroy();
      try {
        socket = await connectSocket({ host: ip, port, timeout: connectTimeout, signal });
        if (!secure) return socket;
        signal?.addEventListener("abort", abort);
        const tls = { serverName: host, verify: true, authorities: this.authorities };
        return (await clientHandshake(socket, tls, connectTimeout)).socket;
      } catch (err) {
        signal?.throwIfAborted();
        failure = err;
      } finally {
        signal?.removeEventListener("abort", abort);
      }
    }
    throw explained(url, failure);
  }

  /**
   * Begins TLS on an existing connection. Does not wait for the handshake: see the events "secureConnect" and
   * "error".
   * @param host the host whose certificate is expected
   */
  startTls(socket: Socket, host: string): TLSSocket {
    return beginClientTls(socket, {
      serverName: host,
      verify: true,
      authorities: this.authorities,
    });
  }

  /**
   * Begins a request on its own connection, which ends with it: the caller writes the body and calls `end`, and
   * handles "response", "upgrade" and "error".
   * @throws OutboundError, the signal's reason
   */
  async begin(target: Target): Promise<ClientRequest> {
    const socket = await this.connect(target);
    const { url } = target;
    const headers = { ...target.headers };
    if (!Object.keys(headers).some((h) => h.toLowerCase() === "host")) headers["host"] = url.host;
    const request = httpRequest({
      method: target.method ?? "GET",
      // Without effect: the connection already exists.
      host: isIP(bareHost(url.hostname)) ? undefined : url.hostname,
      path: `${url.pathname}${url.search}`,
      headers,
      agent: new OneConnection(socket),
    });
    // Interim answers are not limited otherwise.
    boundRead(request, maxBesideBody, false);
    const end = () => socket.destroy();
    request.on("close", end);
    // The connection continues after the request.
    request.on("upgrade", () => request.off("close", end));
    if (target.signal) {
      const { signal } = target;
      const abort = () => request.destroy(signal.reason as Error);
      signal.addEventListener("abort", abort);
      request.on("close", () => signal.removeEventListener("abort", abort));
      if (signal.aborted) abort();
    }
    return request;
  }

  /** A request with its whole answer. @throws OutboundError, the signal's reason */
  async request(call: HttpCall): Promise<HttpAnswer> {
    const ms = call.timeout ?? usualTimeout;
    const limit = AbortSignal.timeout(ms);
    const signal = call.signal ? AbortSignal.any([call.signal, limit]) : limit;
    let url = call.url;
    try {
      for (let left = call.redirects ?? 0;; left--) {
        const answer = await this.#once({ ...call, url, signal });
        const to = answer.headers.get("location");
        const plain = call.method === undefined || call.method === "GET" || call.method === "HEAD";
        if (
          left <= 0 || to === null || !plain || ![301, 302, 303, 307, 308].includes(answer.status)
        ) {
          return answer;
        }
        const next = URL.parse(to, url);
        if (!next) throw new OutboundError("url", `${url.host} redirects to what is no URL`);
        if (url.protocol === "https:" && next.protocol !== "https:") {
          throw new OutboundError("url", `${url.host} redirects from https to ${next.protocol}`);
        }
        url = next;
      }
    } catch (err) {
      if (limit.aborted && !call.signal?.aborted) {
        throw new OutboundError("timeout", `no answer in ${ms / 1000} seconds`, { cause: err });
      }
      throw err;
    }
  }

  async #once(call: HttpCall): Promise<HttpAnswer> {
    const body = typeof call.body === "string" ? new TextEncoder().encode(call.body) : call.body;
    const headers = { ...call.headers };
    if (body !== undefined) headers["content-length"] = String(body.length);
    const request = await this.begin({ ...call, headers });
    const max = call.maxBytes ?? usualMaxBytes;
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    // Chunk extensions are not limited otherwise.
    boundRead(request, maxBesideBody + readPerByte * max, true);
    request.on("response", resolve);
    request.on("error", reject);
    request.on("close", () => reject(new Error("the connection was closed before the answer")));
    request.end(body);
    try {
      const answer = await promise;
      return {
        status: answer.statusCode ?? 0,
        headers: headersOf(answer),
        body: await wholeBody(answer, max, call.cutOff === true, call.url),
        url: call.url,
      };
    } catch (err) {
      call.signal?.throwIfAborted();
      throw explained(call.url, err);
    } finally {
      request.on("error", () => {});
      request.destroy();
    }
  }
}

/**
 * Ends a request when more bytes have arrived on its connection.
 * @param all including the body; otherwise up to the answer's header
 */
function boundRead(request: ClientRequest, bytes: number, all: boolean): void {
  request.on("socket", (socket: Socket) => {
    let size = 0;
    const count = (piece: Uint8Array) => {
      size += piece.length;
      if (size > bytes) request.destroy(new Error("the answer has no end"));
    };
    socket.on("data", count);
    if (all) return;
    const stop = () => void socket.off("data", count);
    request.on("response", stop);
    request.on("upgrade", stop);
  });
}

function headersOf(answer: IncomingMessage): Headers {
  const headers = new Headers();
  for (let i = 0; i + 1 < answer.rawHeaders.length; i += 2) {
    headers.append(answer.rawHeaders[i], answer.rawHeaders[i + 1]);
  }
  return headers;
}

async function wholeBody(
  answer: Readable & { complete?: boolean },
  max: number,
  cutOff: boolean,
  url: URL,
): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  answer.on("data", (piece: Uint8Array) => {
    pieces.push(piece.subarray(0, Math.max(0, max - size)));
    size += piece.length;
    if (pieces.length > maxPieces + size / bytesPerPiece) {
      answer.destroy();
      reject(new OutboundError("answer", `the answer of ${url.host} comes in too many pieces`));
    }
    if (size <= max) return;
    if (cutOff) resolve();
    else {
      reject(
        new OutboundError("answer", `the answer of ${url.host} is larger than ${max} bytes`),
      );
    }
  });
  answer.on("end", resolve);
  answer.on("error", reject);
  answer.on("close", () => reject(new Error("the answer breaks off")));
  await promise;
  const body = new Uint8Array(Math.min(size, max));
  let at = 0;
  for (const p of pieces) {
    body.set(p, at);
    at += p.length;
  }
  return body;
}

/** A readable failure that names the host, with the runtime's error as its cause. */
function explained(url: URL, err: unknown): unknown {
  if (err instanceof OutboundError) return err;
  const text = err instanceof Error ? err.message : String(err);
  if (err instanceof ConnectionError) {
    const reason = err.reason === "tls" || err.reason === "timeout" ? err.reason : "connect";
    const detail = err.cause instanceof Error ? `${text}: ${err.cause.message}` : text;
    const whole = text.includes((err.cause as Error | undefined)?.message ?? "\0") ? text : detail;
    return new OutboundError(reason, `${url.host}: ${whole}`, { cause: err });
  }
  return new OutboundError("answer", `${url.host}: ${text}`, { cause: err });
}
