/**
 * A request as handlers see it, made of what the runtime has read.
 *
 * @module
 */
import type { IncomingMessage } from "node:http";
import type { Log } from "../../log/mod.ts";
import { Share } from "../../net/mod.ts";
import { giveBack } from "../../platform/bytes.ts";
import { giveWay } from "../../platform/turns.ts";
import { HttpError, type Incoming, type WebRequest } from "./types.ts";

/** Milliseconds that a body may stand still, and that one may be late that comes at the slowest rate. */
const bodyTimeout = 60_000;
/** Bytes that must come in each millisecond, over the whole of a body. */
const slowestBody = 1;

/** What the connection knows of a request. */
export interface RequestOrigin {
  remoteIp: string;
  secure: boolean;
  signal: AbortSignal;
  stopping: AbortSignal;
  cid: number;
  log: Log;
}

/** What the runtime has read of a request, by whichever version of HTTP. */
export interface RequestParts {
  method: string;
  target: string;
  /** Of the Host header, or ":authority". */
  host: string | undefined;
  /** Names and values in turn, without pseudo-header fields. */
  rawHeaders: readonly string[];
  hasBody: boolean;
  incoming: Incoming;
  raw: IncomingMessage | undefined;
}

/**
 * A request by HTTP/1.1.
 * @throws HttpError 400 for an address or header that is none.
 */
export function webRequest(raw: IncomingMessage, origin: RequestOrigin): WebRequest {
  const { rawHeaders, headers } = raw;
  // RFC 9112 §3.2: exactly one.
  let hosts = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    if (rawHeaders[i].toLowerCase() === "host") hosts++;
  }
  if (hosts > 1) throw new HttpError(400, "more than one Host header");
  return requestOf({
    method: raw.method ?? "GET",
    target: raw.url ?? "/",
    host: headers.host,
    rawHeaders,
    hasBody: headers["content-length"] !== undefined ||
      headers["transfer-encoding"] !== undefined,
    incoming: raw,
    raw,
  }, origin);
}

/**
 * Reads the parts of a request that routing needs.
 * @throws HttpError 400 for an address or header that is none.
 */
export function requestOf(parts: RequestParts, origin: RequestOrigin): WebRequest {
  const { host, target, rawHeaders, hasBody, incoming, raw } = parts;
  if (host === undefined || !hostForm(host)) throw new HttpError(400, "bad or missing Host header");
  // RFC 9112 §3.2: origin form is what clients of servers send; absolute form is taken too.
  const absolute = /^https?:\/\//i.test(target);
  if (!absolute && !target.startsWith("/")) throw new HttpError(400, "bad request target");
  const url = URL.parse(
    absolute ? target : `${origin.secure ? "https" : "http"}://${host}${target}`,
  );
  if (url === null || url.username !== "" || url.password !== "") {
    throw new HttpError(400, "bad request target");
  }
  // RFC 9112 §3.2: the same as in an address in absolute form.
  if (absolute && url.host !== URL.parse(`${url.protocol}//${host}`)?.host) {
    throw new HttpError(400, "the request target has another host than the Host header");
  }
  const headers = new Headers();
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    try {
      headers.append(rawHeaders[i], rawHeaders[i + 1]);
    } catch {
      throw new HttpError(400, "bad header field");
    }
  }
  const length = Number(headers.get("content-length") ?? "0");
  return {
    method: parts.method.toUpperCase(),
    url,
    origin: url.origin,
    path: url.pathname,
    headers,
    ...origin,
    sibling: () => undefined,
    rawHeaders,
    hasBody,
    raw,
    body: (limit) => readBody(incoming, length, limit, origin.secure ? "https" : "http"),
    stream: (limit) => streamBody(incoming, length, limit),
  };
}

/** The same request with the path below a service's own. */
export function below(req: WebRequest, path: string): WebRequest {
  return { ...req, path: path === "" ? "/" : path };
}

/** True for a host with an optional port, as far as its characters go. */
export function hostForm(host: string): boolean {
  return host.length <= 300 && /^[a-z0-9._:[\]-]+$/i.test(host);
}

function tooLarge(limit: number): HttpError {
  return new HttpError(413, `request is too large, the limit is ${limit} bytes`);
}

/** Bytes that a body gets room for before any of it has come, whatever it announces. */
const firstRoom = 64 * 1024;

/** Until it is whole, a body counts as memory that its connection holds: its end may be long in coming. */
async function readBody(
  raw: Incoming,
  length: number,
  limit: number,
  protocol: string,
): Promise<Uint8Array> {
  const chunks = streamBody(raw, length, limit);
  let all = new Uint8Array(Math.min(length || firstRoom, firstRoom));
  const share = new Share(protocol, () => raw.destroy());
  share.add(all.length);
  let size = 0;
  try {
    for await (const chunk of chunks) {
      const needed = size + chunk.length;
      if (needed > all.length) {
        // Not more than was announced; nothing is left behind of the smaller one.
        const twice = needed <= length ? Math.min(2 * all.length, length) : 2 * all.length;
        const room = Math.max(needed, twice);
        share.add(room - all.length);
        all = new Uint8Array(all.buffer.transfer(room));
      }
      all.set(chunk, size);
      size = needed;
      giveBack(chunk);
      // Bytes that come as fast as they are read leave no turn to others.
      await giveWay();
    }
  } catch (err) {
    giveBack(all);
    throw err;
  } finally {
    share.end();
  }
  return size === all.length ? all : new Uint8Array(all.buffer.transfer(size));
}

/** `length` is the one that was announced, or 0. */
function streamBody(raw: Incoming, length: number, limit: number): ReadableStream<Uint8Array> {
  if (length > limit) throw tooLarge(limit);
  let size = 0;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let ended = false;
  /** Since when it is held back here, and for how long it was before. */
  let pausedAt: number | undefined;
  let held = 0;
  return new ReadableStream<Uint8Array>({
    start(controller) {
      const began = performance.now();
      const fail = (err: Error) => {
        if (ended) return;
        ended = true;
        clearTimeout(timer);
        raw.pause();
        controller.error(err);
      };
      const wait = () => {
        clearTimeout(timer);
        timer = setTimeout(
          () => fail(new HttpError(408, "the request stopped coming in")),
          bodyTimeout,
        );
      };
      raw.on("data", (chunk: Uint8Array) => {
        if (ended) return;
        size += chunk.length;
        if (size > limit) return fail(tooLarge(limit));
        if (performance.now() - began - held > bodyTimeout + size / slowestBody) {
          return fail(new HttpError(408, "the request comes in too slowly"));
        }
        // A view: the runtime's parsers give each piece memory of its own.
        controller.enqueue(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length));
        if ((controller.desiredSize ?? 0) <= 0) {
          clearTimeout(timer);
          raw.pause();
          pausedAt = performance.now();
        } else wait();
      });
      raw.on("end", () => {
        if (ended) return;
        ended = true;
        clearTimeout(timer);
        controller.close();
      });
      const gone = () =>
        fail(new HttpError(400, "the connection was closed in the middle of a request"));
      raw.on("error", gone);
      raw.on("aborted", gone);
      raw.on("close", gone);
      wait();
    },
    pull() {
      if (pausedAt !== undefined) held += performance.now() - pausedAt;
      pausedAt = undefined;
      raw.resume();
    },
    cancel() {
      ended = true;
      clearTimeout(timer);
      raw.pause();
    },
  }, new ByteLengthQueuingStrategy({ highWaterMark: 256 * 1024 }));
}
