/**
 * Passing requests to another web server, websockets too.
 *
 * @module
 */
import { type ClientRequest, type IncomingMessage, type OutgoingHttpHeaders } from "node:http";
import { type Duplex, Readable } from "node:stream";
import type { WebForward } from "../../config/mod.ts";
import type { Outbound } from "../../net/mod.ts";
import { HttpError, type WebRequest } from "../http/mod.ts";

/** Milliseconds that the other server has to begin its answer. */
const answerTimeout = 5 * 60_000;
/** Most bytes of a request's body. */
const maxBody = 16 * 1024 * 1024 * 1024;

/** Fields of one connection only (RFC 9110 §7.6.1). */
const hopByHop = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

function targetUrl(req: WebRequest, f: WebForward, matched: number): URL {
  const base = new URL(f.URL);
  const path = f.StripPath ? req.path.slice(matched) : req.path;
  const joined = `${base.pathname.replace(/\/$/, "")}/${path.replace(/^\/+/, "")}`;
  return new URL(`${base.origin}${joined}${req.url.search}`);
}

/** The sessions of our pages on the same host are not the other server's business. */
function withoutOurCookies(value: string): string {
  return value.split(";").map((c) => c.trim())
    .filter((c) => !/^(?:__Secure-)?mox-(?:webmail|account|admin)=/.test(c)).join("; ");
}

function requestHeaders(req: WebRequest): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = {};
  const named = new Set(
    (req.headers.get("connection") ?? "").split(",").map((s) => s.trim().toLowerCase()),
  );
  const raw = req.rawHeaders;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i].toLowerCase();
    if (hopByHop.has(name) || named.has(name) || name.startsWith("x-forwarded-")) continue;
    // Made up by the client; ours are below.
    if (name === "forwarded") continue;
    const value = name === "cookie" ? withoutOurCookies(raw[i + 1]) : raw[i + 1];
    if (value === "") continue;
    const before = headers[name] as string[] | undefined;
    headers[name] = [...before ?? [], value];
  }
  // One value, as the runtime's client wants it.
  headers["host"] = req.headers.get("host") ?? "";
  headers["x-forwarded-for"] = [req.remoteIp];
  headers["x-forwarded-host"] = [req.headers.get("host") ?? ""];
  headers["x-forwarded-proto"] = [req.secure ? "https" : "http"];
  return headers;
}

async function open(
  outbound: Outbound,
  req: WebRequest,
  url: URL,
  headers: OutgoingHttpHeaders,
): Promise<ClientRequest> {
  try {
    return await outbound.begin({
      url,
      method: req.method,
      rule: undefined,
      headers: headers as Record<string, string | string[]>,
      signal: req.signal,
    });
  } catch (err) {
    throw unreachable(err);
  }
}

function unreachable(e: unknown): HttpError {
  return new HttpError(502, "the server behind this one can't be reached", {}, { cause: e });
}

/** Passes a request on and its answer back. @throws HttpError 502, 504 */
export async function forward(
  outbound: Outbound,
  req: WebRequest,
  f: WebForward,
  matched: number,
): Promise<Response> {
  const out = await open(outbound, req, targetUrl(req, f, matched), requestHeaders(req));
  const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
  const timer = setTimeout(() => {
    reject(new HttpError(504, "the server behind this one takes too long"));
    out.destroy();
  }, answerTimeout);
  req.signal.addEventListener("abort", () => out.destroy());
  out.on("response", resolve);
  out.on("error", (e) => reject(unreachable(e)));
  out.on("close", () => reject(unreachable(new Error("connection closed"))));
  if (req.hasBody) {
    const body = Readable.fromWeb(req.stream(maxBody) as never);
    body.on("error", () => out.destroy());
    body.pipe(out);
  } else out.end();
  let answer: IncomingMessage;
  try {
    answer = await promise;
  } finally {
    clearTimeout(timer);
  }
  const headers = new Headers();
  for (let i = 0; i + 1 < answer.rawHeaders.length; i += 2) {
    const name = answer.rawHeaders[i].toLowerCase();
    if (!hopByHop.has(name)) headers.append(name, answer.rawHeaders[i + 1]);
  }
  // The other server's pages have policies of their own, or none: "" keeps our strict defaults away.
  for (const name of ["content-security-policy", "referrer-policy", "cross-origin-opener-policy"]) {
    if (!headers.has(name)) headers.set(name, passedOn[name]);
  }
  if (!headers.has("x-dns-prefetch-control")) headers.set("x-dns-prefetch-control", "on");
  for (const [name, value] of f.ResponseHeaders) headers.set(name, value);
  const status = answer.statusCode ?? 502;
  if (status < 200 || [204, 205, 304].includes(status) || req.method === "HEAD") {
    answer.resume();
    return new Response(null, { status: status < 200 ? 502 : status, headers });
  }
  return new Response(Readable.toWeb(answer) as ReadableStream<Uint8Array>, { status, headers });
}

/** What stands for our own strict defaults on pages that aren't ours. */
const passedOn: Record<string, string> = {
  "content-security-policy": "frame-ancestors 'self'",
  "referrer-policy": "strict-origin-when-cross-origin",
  "cross-origin-opener-policy": "unsafe-none",
};

/** Passes an upgrade (websocket) on, and then bytes in both directions. */
export async function forwardUpgrade(
  outbound: Outbound,
  req: WebRequest,
  f: WebForward,
  matched: number,
  socket: Duplex,
  head: Uint8Array,
): Promise<void> {
  const headers = requestHeaders(req);
  headers["connection"] = "Upgrade";
  headers["upgrade"] = req.headers.get("upgrade") ?? "websocket";
  const out = await open(outbound, req, targetUrl(req, f, matched), headers);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const timer = setTimeout(() => out.destroy(new Error("takes too long")), answerTimeout);
  socket.on("close", () => out.destroy());
  out.on("error", (e) => reject(unreachable(e)));
  out.on("response", (answer) => {
    // No upgrade: its answer is passed on as it is, and the connection ended.
    socket.write(statusLines(answer));
    answer.pipe(socket);
    answer.on("end", resolve);
  });
  out.on("upgrade", (answer: IncomingMessage, other: Duplex, first: Uint8Array) => {
    clearTimeout(timer);
    socket.write(statusLines(answer));
    if (first.length > 0) socket.write(first);
    if (head.length > 0) other.write(head);
    const end = () => {
      socket.destroy();
      other.destroy();
      resolve();
    };
    for (const s of [socket, other]) s.on("error", end).on("close", end);
    socket.pipe(other);
    other.pipe(socket);
  });
  out.end();
  try {
    await promise;
  } finally {
    clearTimeout(timer);
  }
}

function statusLines(answer: IncomingMessage): string {
  let text = `HTTP/1.1 ${answer.statusCode} ${answer.statusMessage ?? ""}\r\n`;
  const raw = answer.rawHeaders;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    if (raw[i].toLowerCase() !== "transfer-encoding") text += `${raw[i]}: ${raw[i + 1]}\r\n`;
  }
  return `${text}\r\n`;
}
