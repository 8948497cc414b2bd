/**
 * The API of localserve for tests: lists, searches, awaits, checks and deletes what programs have sent.
 * Its calls and answers are those of Mailpit's /api/v1, so that its clients work here; `wait`, `faults`
 * and `scenario` are our own.
 *
 * May import the store, mail and config below it, and http/, webapi/ and webmail/ beside it; serve/ starts it in
 * localserve.
 *
 * @module
 */
import { isIP } from "node:net";
import type { Duplex } from "node:stream";
import * as v from "valibot";
import { ApiError } from "../webapi/mod.ts";
import {
  checkSameSite,
  HttpError,
  jsonResponse,
  parseJson,
  textResponse,
  type WebRequest,
} from "../http/mod.ts";
import type { Caught, Found } from "./box.ts";
import * as handlers from "./handlers.ts";
import { LiveMail } from "./live.ts";
import { messageForm, type MessageSummary, summaryForm } from "./message.ts";
import { mailhogList } from "./mailhog.ts";
import { openApi } from "./openapi.ts";
import { parseQuery, QueryError, textQuery } from "./query.ts";
import {
  chaosRequest,
  deleteRequest,
  faultsRequest,
  readRequest,
  releaseRequest,
  renameRequest,
  scenarioRequest,
  sendRequest,
  spelled,
  tagsRequest,
} from "./schemas.ts";
import { keepSmall } from "./keep_small.ts";
import { sendMessage } from "./send.ts";
import type { CatcherServices } from "./services.ts";
import { cleanTag, keywordsLike, tagKeyword, tagOf, tagsOf } from "./tags.ts";

export { CaughtMail } from "./box.ts";
export type { CatcherServices } from "./services.ts";

/** The steps of a scenario file. @throws Error with the mistake and its place */
export function parseScenario(text: string): v.InferOutput<typeof scenarioRequest> {
  const result = v.safeParse(scenarioRequest, JSON.parse(text));
  if (result.success) return result.output;
  const issue = result.issues[0];
  throw new Error(`${v.getDotPath(issue) ?? "scenario"}: ${issue.message}`);
}

/** Most messages of a list, and most seconds that a request waits. */
const maxList = 1000;
const maxWait = 300;
/** Most messages that a list may leave out, and characters of a text that MailHog's search looks for; more are cut. */
const maxStart = 10_000_000;
const maxText = 4000;
/** Bytes of a request; messages to send contain their files in base64. */
const maxBody = 1024 * 1024;
const maxSendBody = 64 * 1024 * 1024;

/** Figures of a running server. */
interface Counters {
  started: number;
  deleted: number;
}

/** The API's handlers. */
export interface Catcher {
  handle(req: WebRequest): Promise<Response>;
  upgrade(req: WebRequest, socket: Duplex, head: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

/** Makes the API. */
export function openCatcher(services: CatcherServices): Catcher {
  const live = new LiveMail(services.mail, services.version);
  const counters: Counters = { started: Date.now(), deleted: 0 };
  const endPruning = keepSmall(services);
  return {
    async handle(req) {
      try {
        // For health checks, which have no password.
        if (/^\/\/?(?:livez|readyz)$/.test(req.url.pathname)) return ok();
        checkSameSite(req);
        return await services.refusal(req) ?? await route(services, live, counters, req);
      } catch (err) {
        if (err instanceof QueryError || err instanceof v.ValiError) {
          return textResponse(400, err.message);
        }
        if (err instanceof HttpError && err.status < 500) {
          return textResponse(err.status, err.message);
        }
        throw err;
      }
    },
    async upgrade(req, socket, head) {
      checkSameSite(req);
      if (await services.refusal(req) !== undefined) {
        socket.end("HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
      } else await live.upgrade(req, socket, head);
    },
    async close() {
      endPruning();
      live.close();
      await services.mail.close();
    },
  };
}

async function json<T extends v.GenericSchema>(
  req: WebRequest,
  schema: T,
  limit = maxBody,
): Promise<v.InferOutput<T>> {
  const bytes = await req.body(limit);
  let value: unknown;
  try {
    value = bytes.length === 0 ? {} : parseJson(bytes);
  } catch (cause) {
    throw new HttpError(400, (cause as Error).message, {}, { cause });
  }
  if (Array.isArray(value) && schema.type !== "array") {
    throw new HttpError(400, "the body must be a JSON object");
  }
  const result = v.safeParse(schema, spelled(schema, value));
  if (result.success) return result.output;
  const issue = result.issues[0];
  const at = v.getDotPath(issue);
  throw new HttpError(400, `${at === null ? "" : `${at}: `}${issue.message}`);
}

const ok = () => textResponse(200, "ok");
const empty = () => new Response(null, { headers: { "Cache-Control": "no-store" } });

async function route(
  services: CatcherServices,
  live: LiveMail,
  counters: Counters,
  req: WebRequest,
): Promise<Response> {
  const path = req.url.pathname.replace(/^\/\//, "/");
  const shown = /^\/view\/([^/]+)\.(html|txt)$/.exec(path);
  if (shown !== null) {
    const m = await services.mail.find(decodeURIComponent(shown[1]));
    if (m === undefined) return handlers.notFound();
    const framed = req.url.searchParams.has("framed");
    return handlers.view(services, m, shown[2] as "html" | "txt", framed);
  }
  if (path.startsWith("/caught/")) return await services.page(req);
  if (path.startsWith("/api/v2/") && req.method === "GET") {
    return await mailhogCall(services, req, path.slice("/api/v2/".length));
  }
  if (!path.startsWith("/api/v1/")) return textResponse(404, "not found");
  const [name, ...rest] = path.slice("/api/v1/".length).split("/").map(decodeURIComponent);
  const call = `${req.method} ${name}`;
  switch (name) {
    case "message":
      return await messageCall(services, req, rest);
    case "tags":
      return await tagCall(services, req, rest.join("/"));
  }
  if (call === "DELETE messages" && rest.length === 1) {
    // MailHog's way of deleting one.
    const m = await services.mail.find(rest[0]);
    if (m === undefined) return handlers.notFound();
    await remove(services, counters, [m]);
    return empty();
  }
  if (rest.length > 0) return textResponse(404, "not found");
  switch (call) {
    case "GET info":
      return jsonResponse(200, await info(services, counters));
    case "GET webui":
      return jsonResponse(200, webUi(services));
    case "GET messages":
      return jsonResponse(200, await list(services, req, undefined));
    case "PUT messages":
      return await setRead(services, req);
    case "DELETE messages": {
      const { IDs } = await json(req, deleteRequest);
      const answer = await remove(services, counters, await picked(services, IDs ?? []));
      // MailHog's client for node, which names no types and not itself, takes "ok" for broken JSON.
      return req.headers.has("accept") || req.headers.has("user-agent") ? answer : empty();
    }
    case "GET search":
      return jsonResponse(200, await list(services, req, await searched(services, req)));
    case "DELETE search":
      return await remove(services, counters, await searched(services, req));
    case "GET wait":
      return await wait(services, live, req);
    case "POST send":
      return await send(services, req);
    case "GET chaos":
      return jsonResponse(200, chaos(services));
    case "PUT chaos":
      services.faults.set(await json(req, chaosRequest));
      return jsonResponse(200, chaos(services));
    case "GET faults":
      return jsonResponse(200, services.faults.settings);
    case "PUT faults":
      services.faults.set(await json(req, faultsRequest));
      return jsonResponse(200, services.faults.settings);
    case "PUT scenario":
      services.faults.play(await json(req, scenarioRequest));
      return jsonResponse(200, services.faults.settings);
    case "GET openapi.json":
      return jsonResponse(200, openApi(services.version));
  }
  return textResponse(404, "there is no such call; /api/v1/openapi.json lists them");
}

/** Lists and searches of MailHog's second API. */
async function mailhogCall(
  { mail }: CatcherServices,
  req: WebRequest,
  call: string,
): Promise<Response> {
  const start = number(req, "start", 0, maxStart);
  const limit = number(req, "limit", 50, maxList);
  if (call === "messages") {
    const { total } = await mail.counts();
    return jsonResponse(200, await mailhogList(mail, await mail.list(start, limit), start, total));
  }
  if (call !== "search") return textResponse(404, "not found");
  const kind = req.url.searchParams.get("kind") ?? "";
  if (kind !== "from" && kind !== "to" && kind !== "containing") {
    throw new HttpError(400, "kind is from, to or containing");
  }
  const text = (req.url.searchParams.get("query") ?? "").slice(0, maxText);
  const found = await mail.search(textQuery(kind === "containing" ? "anywhere" : kind, text));
  const page = found.slice(start, start + limit);
  return jsonResponse(200, await mailhogList(mail, page, start, found.length));
}

async function messageCall(
  services: CatcherServices,
  req: WebRequest,
  [id, what = "", path, more]: string[],
): Promise<Response> {
  const m = id === undefined ? undefined : await services.mail.find(id);
  if (m === undefined) return handlers.notFound();
  switch (`${req.method} ${what}`) {
    case "GET ":
      return await handlers.message(services, m);
    case "GET headers":
      return handlers.headers(services, m);
    case "GET parts":
      return await handlers.parts(services, m);
    case "GET raw":
      return handlers.raw(services, m, req);
    case "GET part":
      // A picture is its own thumbnail.
      if (path !== undefined && (more === undefined || more === "thumb")) {
        return handlers.part(services, m, path);
      }
      break;
    case "GET html-check":
      return await handlers.htmlCheck(services, m);
    case "GET link-check":
      return await handlers.linkCheck(services, m, req.url.searchParams.get("follow") === "true");
    case "GET check": {
      const ip = req.url.searchParams.get("ip") ?? "";
      if (ip !== "" && isIP(ip) === 0) {
        throw new HttpError(400, `${ip.slice(0, 60)} is not an IP address`);
      }
      return await handlers.check(services, m, ip);
    }
    case "GET sa-check":
      return handlers.spamCheck(services, m);
    case "POST release":
      return await handlers.release(services, m, (await json(req, releaseRequest)).To);
  }
  return textResponse(404, "not found");
}

/** Messages by id; all if no id is given. */
async function picked(services: CatcherServices, ids: readonly string[]): Promise<Caught[]> {
  if (ids.length === 0) return await services.mail.search({ op: "all" });
  const found: Caught[] = [];
  for (const id of ids) {
    const m = await services.mail.find(id);
    if (m !== undefined) found.push(m);
  }
  return found;
}

async function searched(services: CatcherServices, req: WebRequest): Promise<Found[]> {
  const query = req.url.searchParams.get("query")?.trim() ?? "";
  if (query === "") throw new HttpError(400, "no search: the parameter query is missing");
  const timeZone = req.url.searchParams.get("tz") || undefined;
  return await services.mail.search(
    parseQuery(query, { keywords: await services.mail.keywords(), timeZone }),
  );
}

function number(req: WebRequest, name: string, otherwise: number, most: number): number {
  const text = req.url.searchParams.get(name);
  if (text === null || text === "") return otherwise;
  const n = Number(text);
  if (!Number.isInteger(n) || n < 0) throw new HttpError(400, `${name} is a number from 0 on`);
  return Math.min(n, most);
}

async function list(services: CatcherServices, req: WebRequest, found: Found[] | undefined) {
  const start = number(req, "start", 0, maxStart);
  const limit = number(req, "limit", 50, maxList);
  const { total, unread } = await services.mail.counts();
  const page = found?.slice(start, start + limit) ?? await services.mail.list(start, limit);
  const messages = page.map((m) => summaryForm(services.mail, m)).filter((m): m is MessageSummary =>
    m !== undefined
  );
  return {
    total,
    unread,
    count: messages.length,
    messages_count: found?.length ?? total,
    messages_unread: found?.filter((m) => !m.read).length ?? unread,
    start,
    tags: await allTags(services),
    messages,
  };
}

async function allTags(services: CatcherServices): Promise<string[]> {
  return tagsOf(await services.mail.keywords());
}

async function setRead(services: CatcherServices, req: WebRequest): Promise<Response> {
  const r = await json(req, readRequest);
  const found = r.Search === "" ? await picked(services, r.IDs ?? []) : await services.mail.search(
    parseQuery(r.Search, { keywords: await services.mail.keywords() }),
  );
  await services.mail.setRead(found, r.Read);
  return ok();
}

async function remove(
  services: CatcherServices,
  counters: Counters,
  found: Caught[],
): Promise<Response> {
  await services.mail.remove(found);
  counters.deleted += found.length;
  return ok();
}

async function tagCall(services: CatcherServices, req: WebRequest, tag: string): Promise<Response> {
  const all = await services.mail.keywords();
  if (tag === "") {
    if (req.method === "GET") return jsonResponse(200, tagsOf(all));
    if (req.method !== "PUT") return textResponse(404, "not found");
    const { IDs, Tags } = await json(req, tagsRequest);
    const add = (Tags ?? []).map(tagNamed).map((t) => keywordsLike(all, t)[0] ?? tagKeyword(t));
    const had = all.filter((k) => tagOf(k) !== undefined && !add.includes(k));
    if (IDs.length > 0) await services.mail.setKeywords(await picked(services, IDs), add, had);
    return ok();
  }
  const same = keywordsLike(all, tag);
  if (same.length === 0) return textResponse(404, "there is no such tag");
  const found = await services.mail.search({
    op: "or",
    nodes: same.map((keyword) => ({ op: "keyword", keyword })),
  });
  if (req.method === "DELETE") {
    await services.mail.setKeywords(found, [], same);
    return ok();
  }
  if (req.method !== "PUT") return textResponse(404, "not found");
  const name = tagKeyword(tagNamed((await json(req, renameRequest)).Name));
  await services.mail.setKeywords(found, [name], same.filter((k) => k !== name));
  return ok();
}

function tagNamed(text: string): string {
  const tag = cleanTag(text);
  if (tag === undefined) {
    throw new HttpError(
      400,
      `${JSON.stringify(text)} can't be a tag: letters, digits, blanks, - . _ @`,
    );
  }
  return tag;
}

async function send(services: CatcherServices, req: WebRequest): Promise<Response> {
  try {
    const r = await json(req, sendRequest, maxSendBody);
    return jsonResponse(200, { ID: await sendMessage(services, r, req.remoteIp) });
  } catch (err) {
    if (err instanceof ApiError || (err instanceof HttpError && err.status < 500)) {
      return jsonResponse(400, { Error: err.message });
    }
    throw err;
  }
}

/** The first matching message: an existing one, or the next to arrive. */
async function wait(services: CatcherServices, live: LiveMail, req: WebRequest): Promise<Response> {
  const seconds = number(req, "timeout", 10, maxWait);
  const text = req.url.searchParams.get("query") ?? "";
  const since = number(req, "since", 0, Number.MAX_SAFE_INTEGER);
  const end = performance.now() + seconds * 1000;
  const gone = AbortSignal.any([req.signal, req.stopping]);
  // Starts following before the search, so that messages in between are not missed.
  await live.follow();
  for (;;) {
    const change = live.next(end - performance.now(), gone);
    const keywords = await services.mail.keywords();
    const found = await services.mail.search(parseQuery(text, { keywords }));
    const first = found.filter((m) => m.received >= since).at(0);
    const form = first && await messageForm(services.mail, first);
    if (form) return jsonResponse(200, form);
    if (performance.now() >= end || gone.aborted) {
      return textResponse(408, `no message matched within ${seconds} seconds`);
    }
    await change;
  }
}

function chaos(services: CatcherServices) {
  const { Sender, Recipient, Authentication } = services.faults.settings;
  return { Sender, Recipient, Authentication };
}

function webUi(services: CatcherServices) {
  return {
    Label: "",
    MessageRelay: {
      Enabled: services.release !== undefined,
      SMTPServer: services.release?.server ?? "",
      ReturnPath: "",
      AllowedRecipients: "",
      BlockedRecipients: "",
      OverrideFrom: "",
      PreserveMessageIDs: true,
    },
    SpamAssassin: true,
    ChaosEnabled: true,
    DuplicatesIgnored: false,
    HideDeleteAllButton: false,
  };
}

async function info(services: CatcherServices, counters: Counters) {
  const { total, unread } = await services.mail.counts();
  const tags: Record<string, number> = {};
  for (const keyword of await services.mail.keywords()) {
    const tag = tagOf(keyword);
    if (tag === undefined) continue;
    const n = await services.mail.count({ op: "keyword", keyword });
    if (n > 0) tags[tag] = n;
  }
  return {
    Version: services.version,
    LatestVersion: services.version,
    Database: services.dataDir,
    DatabaseSize: await services.mail.size(),
    Messages: total,
    Unread: unread,
    Tags: tags,
    RuntimeStats: {
      Uptime: Math.round((Date.now() - counters.started) / 1000),
      Memory: Deno.memoryUsage().rss,
      MessagesDeleted: counters.deleted,
      SMTPAccepted: total + counters.deleted,
      SMTPAcceptedSize: await services.mail.size(),
      SMTPRejected: 0,
      SMTPIgnored: 0,
    },
  };
}
