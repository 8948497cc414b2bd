/**
 * Writing answers: headers that all of them get, bodies as fast as the client reads.
 *
 * @module
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { isStorageFull } from "../../platform/storage_errors.ts";
import { diskFull, HttpError, type WebRequest } from "./types.ts";

/** Milliseconds that a client may leave an answer unread. */
const writeTimeout = 60_000;
/** Milliseconds that the rest of a refused request is read and dropped. */
const lingerTime = 2_000;

/** Header fields of every answer that doesn't set them itself. */
const common: Record<string, string> = {
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  // Names in mail are looked up for nobody who only reads it.
  "X-DNS-Prefetch-Control": "off",
  "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
  "Cross-Origin-Opener-Policy": "same-origin",
};

/** Plain text answer. */
export function textResponse(
  status: number,
  text: string,
  headers: Record<string, string> = {},
): Response {
  return new Response(text.endsWith("\n") ? text : `${text}\n`, {
    status,
    headers: {
      "Content-Type": "text/plain; charset=utf-8",
      "Cache-Control": "no-store",
      ...headers,
    },
  });
}

/** JSON answer, never cached. */
export function jsonResponse(
  status: number,
  value: unknown,
  headers: Record<string, string> = {},
): Response {
  return new Response(JSON.stringify(value), {
    status,
    headers: {
      "Content-Type": "application/json; charset=utf-8",
      "Cache-Control": "no-store",
      ...headers,
    },
  });
}

/** Sends the client elsewhere. The place may be relative to the request. */
export function redirect(status: 301 | 302 | 303 | 307 | 308, location: string): Response {
  return new Response(null, { status, headers: { Location: location } });
}

/** The answer that stands for an error of a handler; undefined if nobody expects it. */
export function errorResponse(e: unknown): Response | undefined {
  if (isStorageFull(e)) e = diskFull();
  return e instanceof HttpError ? textResponse(e.status, e.message, e.headers) : undefined;
}

/** Sends an answer. Never throws: what fails destroys the connection. Returns the bytes of its body. */
export async function sendResponse(
  req: WebRequest | undefined,
  response: Response,
  to: ServerResponse,
): Promise<number> {
  const headers: Record<string, string | string[]> = {};
  response.headers.forEach((value, name) => {
    if (name !== "set-cookie") headers[name] = value;
  });
  const cookies = response.headers.getSetCookie();
  if (cookies.length > 0) headers["set-cookie"] = cookies;
  for (const [name, value] of Object.entries(common)) {
    if (!response.headers.has(name)) headers[name] = value;
  }
  if (req?.stopping.aborted) headers["connection"] = "close";
  const body = response.body;
  if (body === null || req?.method === "HEAD") {
    if (body === null && ![204, 304].includes(response.status) && req?.method !== "HEAD") {
      headers["content-length"] = "0";
    }
    to.writeHead(response.status, headers).end();
    await body?.cancel();
    return 0;
  }
  return await sendBody(req, body, to, response.status, headers);
}

async function sendBody(
  req: WebRequest | undefined,
  body: ReadableStream<Uint8Array>,
  to: ServerResponse,
  status: number,
  headers: Record<string, string | string[]>,
): Promise<number> {
  const reader = body.getReader();
  let sent = 0;
  try {
    let next = await reader.read();
    let pending = next.done ? undefined : reader.read();
    // A body of one piece gets its length, so that it needs no chunks.
    const whole = pending === undefined || (await Promise.race([pending, nextTurn()]))?.done;
    if (whole && headers["content-length"] === undefined) {
      headers["content-length"] = String(next.value?.length ?? 0);
    }
    to.writeHead(status, headers);
    while (!next.done) {
      if (to.destroyed) throw new Error("client went away");
      sent += next.value.length;
      if (!to.write(next.value)) await drained(to);
      next = await (pending ?? reader.read());
      pending = undefined;
    }
    if (req !== undefined && !req.raw.complete) await restDropped(req.raw);
    to.end();
    // Who still sends after that has had its answer; the rest is not waited for.
    if (req !== undefined && !req.raw.complete) req.raw.socket.end();
  } catch {
    await reader.cancel().catch(() => {});
    // Cutting the connection is the one way to tell that an answer isn't whole.
    to.destroy();
  }
  return sent;
}

function nextTurn(): Promise<undefined> {
  return new Promise((resolve) => setTimeout(() => resolve(undefined), 0));
}

/**
 * Reads and drops, for a moment, what still comes of a request that is answered before its end: if the
 * connection were closed with bytes unread, TCP would reset it, and the client lose the answer.
 */
function restDropped(raw: IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(done, lingerTime);
    raw.on("end", done);
    raw.on("close", done);
    raw.resume();
  });
}

function drained(to: ServerResponse): Promise<void> {
  return new Promise((resolve, reject) => {
    const done = (e?: Error) => {
      clearTimeout(timer);
      to.off("drain", ok);
      to.off("close", gone);
      if (e) reject(e);
      else resolve();
    };
    const ok = () => done();
    const gone = () => done(new Error("client went away"));
    const timer = setTimeout(() => done(new Error("client does not read")), writeTimeout);
    to.on("drain", ok);
    to.on("close", gone);
    if (to.destroyed) gone();
  });
}
