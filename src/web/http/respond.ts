/**
 * Writing answers: common headers, and bodies as fast as the client reads.
 *
 * @module
 */
import { isStorageFull } from "../../platform/storage_errors.ts";
import { nextTurn, turnSpent } from "../../platform/turns.ts";
import { writeTimeout } from "./drained.ts";
import { type AnswerSink, diskFull, HttpError, type WebRequest } from "./types.ts";

/** Header fields of every answer that doesn't set them itself. */
const common: Record<string, string> = {
  "X-Content-Type-Options": "nosniff",
  "Referrer-Policy": "no-referrer",
  // Reading mail must not trigger DNS lookups of names in it.
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

/** Redirects the client. The location may be relative to the request. */
export function redirect(status: 301 | 302 | 303 | 307 | 308, location: string): Response {
  return new Response(null, { status, headers: { Location: location } });
}

/** The answer for a handler's error; undefined for unexpected errors. */
export function errorResponse(e: unknown): Response | undefined {
  if (isStorageFull(e)) e = diskFull();
  return e instanceof HttpError ? textResponse(e.status, e.message, e.headers) : undefined;
}

/** Sends an answer. Never throws: a failure destroys the connection. Returns the bytes of its body. */
export async function sendResponse(
  req: WebRequest | undefined,
  response: Response,
  to: AnswerSink,
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
  const body = response.body;
  if (body === null || req?.method === "HEAD") {
    if (body === null && ![204, 304].includes(response.status) && req?.method !== "HEAD") {
      headers["content-length"] = "0";
    }
    to.head(response.status, headers);
    await body?.cancel();
    await to.finish();
    return 0;
  }
  return await sendBody(body, to, response.status, headers);
}

async function sendBody(
  body: ReadableStream<Uint8Array>,
  to: AnswerSink,
  status: number,
  headers: Record<string, string | string[]>,
): Promise<number> {
  const reader = body.getReader();
  let sent = 0;
  try {
    let next = await reader.read();
    let pending = next.done ? undefined : reader.read();
    // A body in one piece gets a Content-Length, so that it needs no chunks.
    const whole = pending === undefined || (await Promise.race([pending, soon()]))?.done;
    if (whole && headers["content-length"] === undefined) {
      headers["content-length"] = String(next.value?.length ?? 0);
    }
    to.head(status, headers);
    while (!next.done) {
      if (!to.ready) await to.drained(writeTimeout);
      if (to.destroyed) throw new Error("client went away");
      sent += next.value.length;
      to.write(next.value);
      if (!to.ready) await to.drained(writeTimeout);
      next = await (pending ?? reader.read());
      pending = undefined;
      // The answers of hundreds of streams would go on in one piece.
      if (!next.done && turnSpent()) await nextTurn();
    }
    await to.finish();
  } catch {
    await reader.cancel().catch(() => {});
    to.destroy();
  }
  return sent;
}

function soon(): Promise<undefined> {
  return new Promise((resolve) => setTimeout(() => resolve(undefined), 0));
}
