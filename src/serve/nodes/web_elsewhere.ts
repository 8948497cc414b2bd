/**
 * Web pages and services of accounts on other nodes: any node accepts the request, and passes it on to the account's
 * node, which answers as if the client had connected to it. Programs are recognised by their login address; a browser by
 * a cookie, set at login, that names the node and nothing else.
 *
 * @module
 */
import { Readable } from "node:stream";
import type { Config } from "../../config/mod.ts";
import { type Log, newCid } from "../../log/mod.ts";
import { countPanic } from "../../metrics/mod.ts";
import type { SocketConnection } from "../../net/mod.ts";
import { type LinkPeer, NodeAway } from "../../nodes/link.ts";
import { streamOf } from "../../nodes/stream.ts";
import {
  type PassedRequest,
  readPieces,
  readRequest,
  type WebLinks,
  writeAnswer,
} from "../../nodes/web_link.ts";
import {
  credentialsOf,
  errorResponse,
  HttpError,
  type HttpHandlers,
  requestOf,
  textResponse,
  type UpgradeHandler,
  type WebHandler,
  type WebRequest,
  type WebService,
} from "../../web/http/mod.ts";

const cookieName = "mox-node";
/** Seconds that a browser keeps the cookie: longer than any session. */
const cookieAge = 400 * 86_400;
/** Bytes of a login request at the pages, if there are nodes. */
const maxLogin = 64 * 1024;
/** Services whose users are recognised by the cookie; those of programs, by their login. */
const pages = new Set(["account", "webmail"]);
const programs = new Set(["webapi", "jmap", "dav"]);
/** Bytes of an unused body that are read; beyond that the connection is closed. */
const maxRest = 16 * 1024 * 1024;
/** Milliseconds that a connection waits for the next request; the other node closes it earlier. */
const idleTimeout = 5 * 60_000;

export interface ElsewhereOptions {
  config: Config;
  links: () => WebLinks | undefined;
}

/** The same service, passing on requests for accounts of other nodes. */
export function servedAnywhere(
  options: ElsewhereOptions,
  service: WebService,
  https: boolean,
): WebService {
  const isPage = pages.has(service.name);
  if (!isPage && !programs.has(service.name)) return service;
  const { config } = options;
  const pass = async (req: WebRequest, node: string, body?: Uint8Array<ArrayBuffer>) => {
    const place = config.dynamic.Nodes.get(node)!;
    const head = headOf(service.name, https, req);
    const { hasBody } = head;
    const stream = !hasBody
      ? undefined
      : body === undefined
      ? req.stream(Number.MAX_SAFE_INTEGER)
      : new Blob([body]).stream();
    const links = options.links();
    try {
      if (links === undefined) throw new NodeAway(node, new Error("this node is starting"));
      return await links.pass(node, place, head, stream, req.signal);
    } catch (err) {
      if (!(err instanceof NodeAway)) throw err;
      req.log.warn("a request can't be passed on", { node, err });
      throw new HttpError(
        503,
        "the server of this account is away, try again later",
        { "Retry-After": "30" },
        { cause: err },
      );
    }
  };
  const other = (node: string | undefined) =>
    node !== undefined && node !== config.static.Node && config.dynamic.Nodes.has(node)
      ? node
      : undefined;
  const nodeOfLogin = (login: string) => {
    const account = config.accountFor(login);
    return account === undefined ? undefined : config.nodeOf(account);
  };
  /** A login names its user; afterwards the cookie names the node. */
  const login = async (req: WebRequest): Promise<Response> => {
    const bytes = Uint8Array.from(await req.body(maxLogin));
    const node = nodeNamedIn(config, nodeOfLogin, bytes);
    const to = other(node);
    const response = to === undefined
      ? await service.handle({
        ...req,
        body: (limit) => Promise.resolve(withinLimit(bytes, limit)),
        stream: (limit) => new Blob([withinLimit(bytes, limit)]).stream(),
      })
      : await pass(req, to, bytes);
    if (node === undefined || !response.ok) return response;
    const answer = new Response(response.body, response);
    answer.headers.append(
      "Set-Cookie",
      `${cookieName}=${
        encodeURIComponent(node)
      }; Path=/; Max-Age=${cookieAge}; HttpOnly; SameSite=Lax` +
        (req.secure ? "; Secure" : ""),
    );
    return answer;
  };
  const handle: WebHandler = async (req) => {
    if (config.dynamic.Nodes.size === 0) return await service.handle(req);
    if (isPage && req.method === "POST" && /^\/api\/(?:Passkey)?Login$/.test(req.path)) {
      return await login(req);
    }
    const node = other(
      isPage
        ? cookieOf(req)
        : nodeOfLogin(credentialsOf(req.headers.get("authorization"))?.username ?? ""),
    );
    return node === undefined ? await service.handle(req) : await pass(req, node);
  };
  const upgradeHere = service.upgrade;
  if (upgradeHere === undefined) return { ...service, handle };
  const upgrade: UpgradeHandler = async (req, socket, first) => {
    const login = credentialsOf(req.headers.get("authorization"))?.username;
    const node = config.dynamic.Nodes.size === 0 ? undefined : other(nodeOfLogin(login ?? ""));
    if (node === undefined) return await upgradeHere(req, socket, first);
    const links = options.links();
    try {
      if (links === undefined) throw new NodeAway(node, new Error("this node is starting"));
      const place = config.dynamic.Nodes.get(node)!;
      await links.upgrade(node, place, headOf(service.name, https, req), socket, first);
    } catch (err) {
      if (!(err instanceof NodeAway)) throw err;
      req.log.warn("an upgrade can't be passed on", { node, err });
      socket.end(refusedUpgrade("503 Service Unavailable", "Retry-After: 30\r\n"));
    }
  };
  return { ...service, handle, upgrade };
}

/** What the other node is told of a request. */
function headOf(service: string, https: boolean, req: WebRequest): PassedRequest {
  const { method, url, origin, remoteIp, secure, rawHeaders, hasBody } = req;
  const target = `${url.pathname}${url.search}`;
  return {
    ...{ service, https, method, target, host: url.host },
    ...{ origin, remoteIp, secure, headers: [...rawHeaders], hasBody },
  };
}

const refusedUpgrade = (status: string, fields = "") =>
  `HTTP/1.1 ${status}\r\n${fields}Connection: close\r\nContent-Length: 0\r\n\r\n`;

function withinLimit(bytes: Uint8Array<ArrayBuffer>, limit: number): Uint8Array<ArrayBuffer> {
  if (bytes.length > limit) {
    throw new HttpError(413, `request is too large, the limit is ${limit} bytes`);
  }
  return bytes;
}

/** The node of the user who logs in, by the address, or a passkey's account; undefined if there is no such user. */
function nodeNamedIn(
  config: Config,
  nodeOfLogin: (login: string) => string | undefined,
  body: Uint8Array,
): string | undefined {
  try {
    const form = JSON.parse(new TextDecoder().decode(body)) as Record<string, unknown> | null;
    if (typeof form?.username === "string") return nodeOfLogin(form.username);
    if (typeof form?.userHandle !== "string") return undefined;
    const account = Uint8Array.fromBase64(form.userHandle, { alphabet: "base64url" });
    return config.nodeOf(new TextDecoder().decode(account));
  } catch {
    // The handler reports what is wrong with it.
    return undefined;
  }
}

function cookieOf(req: WebRequest): string | undefined {
  for (const pair of (req.headers.get("cookie") ?? "").split(";")) {
    const [name, value] = pair.trim().split("=", 2);
    if (name !== cookieName) continue;
    try {
      return decodeURIComponent(value ?? "");
    } catch {
      return undefined;
    }
  }
  return undefined;
}

export interface PassedWebOptions {
  log: Log;
  /** The handler of a port that has the service; undefined if none has. */
  handlers: (service: string, https: boolean) => HttpHandlers | undefined;
  stopping: AbortSignal;
}

/** Answers requests that another node passes on over a connection. */
export async function servePassedWeb(
  options: PassedWebOptions,
  conn: SocketConnection,
  peer: LinkPeer,
): Promise<void> {
  conn.readTimeout = idleTimeout;
  let next = readRequest(conn);
  for (;;) {
    const head = await next;
    const gone = new AbortController();
    const cid = newCid();
    const log = options.log.with({ cid, node: peer.node, remote: head.remoteIp });
    if (head.upgrade) return await upgradePassed(options, conn, head, cid, log);
    let bodyRead = !head.hasBody;
    /** Input after the request: the next one, or the end of the connection, at any time. */
    const listen = () => {
      bodyRead = true;
      conn.readTimeout = 2 ** 31 - 1;
      next = readRequest(conn);
      next.catch(() => gone.abort());
    };
    if (bodyRead) listen();
    const incoming = Readable.from(
      (async function* () {
        if (!head.hasBody) return;
        yield* readPieces(conn);
        listen();
      })(),
      { objectMode: false },
    );
    incoming.on("error", () => gone.abort());
    await writeAnswer(
      conn,
      head.method,
      await answerPassed(options, head, incoming, gone.signal, cid, log),
    );
    // The other node has sent it all, and will reuse the connection: closing it now would fail the next request.
    if (!bodyRead && !incoming.destroyed) await readRest(incoming);
    if (!bodyRead || options.stopping.aborted) return;
  }
}

/** Reads the rest of a body that the handler left, such as after refusing the login. */
async function readRest(incoming: Readable): Promise<void> {
  let size = 0;
  for await (const piece of incoming) {
    size += (piece as Uint8Array).length;
    if (size > maxRest) return;
  }
}

/** @throws HttpError */
function passedRequest(
  options: PassedWebOptions,
  request: PassedRequest,
  incoming: Readable,
  signal: AbortSignal,
  cid: number,
  log: Log,
): WebRequest {
  const { method, target, host, headers: rawHeaders, hasBody, remoteIp, secure, origin } = request;
  const parts = { method, target, host, rawHeaders, hasBody, incoming, raw: undefined };
  const { stopping } = options;
  return { ...requestOf(parts, { remoteIp, secure, signal, stopping, cid, log }), origin };
}

/** Serves a connection that another node passes on with its request; never throws. */
async function upgradePassed(
  options: PassedWebOptions,
  conn: SocketConnection,
  request: PassedRequest,
  cid: number,
  log: Log,
): Promise<void> {
  const socket = streamOf(conn);
  const gone = new AbortController();
  const closed = new Promise<void>((resolve) => {
    socket.on("close", () => {
      gone.abort();
      resolve();
    });
  });
  socket.on("error", () => {});
  try {
    const req = passedRequest(options, request, Readable.from([]), gone.signal, cid, log);
    const take = options.handlers(request.service, request.https)?.upgrade(req);
    if (take === undefined) socket.end(refusedUpgrade("400 Bad Request"));
    else await take(req, socket, new Uint8Array(0));
  } catch (err) {
    if (errorResponse(err) === undefined) {
      countPanic("webserver");
      log.error("unhandled error in an upgrade", { err: err as Error });
    }
    socket.destroy();
  }
  await closed;
}

/** The answer to a passed request; never throws. */
async function answerPassed(
  options: PassedWebOptions,
  request: PassedRequest,
  incoming: Readable,
  signal: AbortSignal,
  cid: number,
  log: Log,
): Promise<Response> {
  try {
    const req = passedRequest(options, request, incoming, signal, cid, log);
    const handlers = options.handlers(request.service, request.https);
    if (handlers === undefined) throw new HttpError(404, `this node has no ${request.service}`);
    return await handlers.handle(req);
  } catch (err) {
    const expected = errorResponse(err);
    if (expected !== undefined) return expected;
    countPanic("webserver");
    log.error("unhandled error in a request", { err: err as Error });
    return textResponse(500, "something went wrong in the server; its log says more");
  }
}
