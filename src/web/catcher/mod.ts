/**
 * The API of localserve for tests: what programs have sent is listed, searched, waited for, checked and deleted.
 * Its calls and answers are those of Mailpit's /api/v1, so that what was made for that works here; `wait`, `faults`
 * and `scenario` are ours.
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
import { openApi } from "./openapi.ts";
import { parseQuery, QueryError } from "./query.ts";
import {
  chaosRequest,
  deleteRequest,
  faultsRequest,
  readRequest,
  releaseRequest,
  renameRequest,
  scenarioRequest,
  sendRequest,
  tagsRequest,
} from "./schemas.ts";
import { keepSmall } from "./keep_small.ts";
import { sendMessage } from "./send.ts";
import type { CatcherServices } from "./services.ts";
import { cleanTag, keywordsLike, tagKeyword, tagOf, tagsOf } from "./tags.ts";

export { CaughtMail } from "./box.ts";
export type { CatcherServices } from "./services.ts";

/** The steps of a scenario's file. @throws Error that says what is wrong where */
export function parseScenario(text: string): v.InferOutput<typeof scenarioRequest> {
  const result = v.safeParse(scenarioRequest, JSON.parse(text));
  if (result.success) return result.output;
  const issue = result.issues[0];
  throw new Error(`${v.getDotPath(issue) ?? "scenario"}: ${issue.message}`);
}

/** Messages of a list at most, and seconds that a request waits at most. */
const maxList = 1000;
const maxWait = 300;
/** Bytes of a request; messages to send have their files in base64. */
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
export function openCatcher(s: CatcherServices): Catcher {
  const live = new LiveMail(s.mail, s.version);
  const counters: Counters = { started: Date.now(), deleted: 0 };
  const endPruning = keepSmall(s);
  return {
    async handle(req) {
      try {
        checkSameSite(req);
        return await s.refusal(req) ?? await route(s, live, counters, req);
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
      if (await s.refusal(req) !== undefined) {
        socket.end("HTTP/1.1 401 Unauthorized\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
      } else await live.upgrade(req, socket, head);
    },
    async close() {
      endPruning();
      live.close();
      await s.mail.close();
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
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  const issue = result.issues[0];
  const at = v.getDotPath(issue);
  throw new HttpError(400, `${at === null ? "" : `${at}: `}${issue.message}`);
}

const ok = () => textResponse(200, "ok");

async function route(
  s: CatcherServices,
  live: LiveMail,
  counters: Counters,
  req: WebRequest,
): Promise<Response> {
  const path = req.url.pathname.replace(/^\/\//, "/");
  if (path === "/livez" || path === "/readyz") return ok();
  const shown = /^\/view\/([^/]+)\.(html|txt)$/.exec(path);
  if (shown !== null) {
    const m = await s.mail.find(decodeURIComponent(shown[1]));
    if (m === undefined) return handlers.notFound();
    const framed = req.url.searchParams.has("framed");
    return handlers.view(s, m, shown[2] as "html" | "txt", framed);
  }
  if (path.startsWith("/caught/")) return await s.page(req);
  if (!path.startsWith("/api/v1/")) return textResponse(404, "not found");
  const [name, ...rest] = path.slice("/api/v1/".length).split("/").map(decodeURIComponent);
  const call = `${req.method} ${name}`;
  switch (name) {
    case "message":
      return await messageCall(s, req, rest);
    case "tags":
      return await tagCall(s, req, rest.join("/"));
  }
  if (rest.length > 0) return textResponse(404, "not found");
  switch (call) {
    case "GET info":
      return jsonResponse(200, await info(s, counters));
    case "GET webui":
      return jsonResponse(200, webUi(s));
    case "GET messages":
      return jsonResponse(200, await list(s, req, undefined));
    case "PUT messages":
      return await setRead(s, req);
    case "DELETE messages":
      return await remove(s, counters, await picked(s, (await json(req, deleteRequest)).IDs ?? []));
    case "GET search":
      return jsonResponse(200, await list(s, req, await searched(s, req)));
    case "DELETE search":
      return await remove(s, counters, await searched(s, req));
    case "GET wait":
      return await wait(s, live, req);
    case "POST send":
      return await send(s, req);
    case "GET chaos":
      return jsonResponse(200, chaos(s));
    case "PUT chaos":
      s.faults.set(await json(req, chaosRequest));
      return jsonResponse(200, chaos(s));
    case "GET faults":
      return jsonResponse(200, s.faults.settings);
    case "PUT faults":
      s.faults.set(await json(req, faultsRequest));
      return jsonResponse(200, s.faults.settings);
    case "PUT scenario":
      s.faults.play(await json(req, scenarioRequest));
      return jsonResponse(200, s.faults.settings);
    case "GET openapi.json":
      return jsonResponse(200, openApi(s.version));
  }
  return textResponse(404, "there is no such call; /api/v1/openapi.json lists them");
}

async function messageCall(
  s: CatcherServices,
  req: WebRequest,
  [id, what = "", path, more]: string[],
): Promise<Response> {
  const m = id === undefined ? undefined : await s.mail.find(id);
  if (m === undefined) return handlers.notFound();
  switch (`${req.method} ${what}`) {
    case "GET ":
      return await handlers.message(s, m);
    case "GET headers":
      return handlers.headers(s, m);
    case "GET parts":
      return handlers.parts(s, m);
    case "GET raw":
      return handlers.raw(s, m, req);
    case "GET part":
      // A picture as it is serves for its thumbnail.
      if (path !== undefined && (more === undefined || more === "thumb")) {
        return handlers.part(s, m, path);
      }
      break;
    case "GET html-check":
      return await handlers.htmlCheck(s, m);
    case "GET link-check":
      return await handlers.linkCheck(s, m, req.url.searchParams.get("follow") === "true");
    case "GET check": {
      const ip = req.url.searchParams.get("ip") ?? "";
      if (ip !== "" && isIP(ip) === 0) {
        throw new HttpError(400, `${ip.slice(0, 60)} is not an IP address`);
      }
      return await handlers.check(s, m, ip);
    }
    case "GET sa-check":
      return handlers.spamCheck(s, m);
    case "POST release":
      return await handlers.release(s, m, (await json(req, releaseRequest)).To);
  }
  return textResponse(404, "not found");
}

/** Messages by id; all of them if none is named. */
async function picked(s: CatcherServices, ids: readonly string[]): Promise<Caught[]> {
  if (ids.length === 0) return await s.mail.search({ op: "all" });
  const found: Caught[] = [];
  for (const id of ids) {
    const m = await s.mail.find(id);
    if (m !== undefined) found.push(m);
  }
  return found;
}

async function searched(s: CatcherServices, req: WebRequest): Promise<Found[]> {
  const query = req.url.searchParams.get("query")?.trim() ?? "";
  if (query === "") throw new HttpError(400, "no search: the parameter query is missing");
  const timeZone = req.url.searchParams.get("tz") || undefined;
  return await s.mail.search(parseQuery(query, { keywords: await s.mail.keywords(), timeZone }));
}

function number(req: WebRequest, name: string, otherwise: number, most: number): number {
  const text = req.url.searchParams.get(name);
  if (text === null || text === "") return otherwise;
  const n = Number(text);
  if (!Number.isInteger(n) || n < 0) throw new HttpError(400, `${name} is a number from 0 on`);
  return Math.min(n, most);
}

async function list(s: CatcherServices, req: WebRequest, found: Found[] | undefined) {
  const start = number(req, "start", 0, 10_000_000);
  const limit = number(req, "limit", 50, maxList);
  const { total, unread } = await s.mail.counts();
  const page = found?.slice(start, start + limit) ?? await s.mail.list(start, limit);
  const messages = page.map((m) => summaryForm(s.mail, m)).filter((m): m is MessageSummary =>
    m !== undefined
  );
  return {
    total,
    unread,
    count: messages.length,
    messages_count: found?.length ?? total,
    messages_unread: found?.filter((m) => !m.read).length ?? unread,
    start,
    tags: await allTags(s),
    messages,
  };
}

async function allTags(s: CatcherServices): Promise<string[]> {
  return tagsOf(await s.mail.keywords());
}

async function setRead(s: CatcherServices, req: WebRequest): Promise<Response> {
  const r = await json(req, readRequest);
  const found = r.Search === ""
    ? await picked(s, r.IDs ?? [])
    : await s.mail.search(parseQuery(r.Search, { keywords: await s.mail.keywords() }));
  await s.mail.setRead(found, r.Read);
  return ok();
}

async function remove(s: CatcherServices, c: Counters, found: Caught[]): Promise<Response> {
  await s.mail.remove(found);
  c.deleted += found.length;
  return ok();
}

async function tagCall(s: CatcherServices, req: WebRequest, tag: string): Promise<Response> {
  const all = await s.mail.keywords();
  if (tag === "") {
    if (req.method === "GET") return jsonResponse(200, tagsOf(all));
    if (req.method !== "PUT") return textResponse(404, "not found");
    const { IDs, Tags } = await json(req, tagsRequest);
    const add = (Tags ?? []).map(tagNamed).map((t) => keywordsLike(all, t)[0] ?? tagKeyword(t));
    const had = all.filter((k) => tagOf(k) !== undefined && !add.includes(k));
    if (IDs.length > 0) await s.mail.setKeywords(await picked(s, IDs), add, had);
    return ok();
  }
  const same = keywordsLike(all, tag);
  if (same.length === 0) return textResponse(404, "there is no such tag");
  const found = await s.mail.search({
    op: "or",
    nodes: same.map((keyword) => ({ op: "keyword", keyword })),
  });
  if (req.method === "DELETE") {
    await s.mail.setKeywords(found, [], same);
    return ok();
  }
  if (req.method !== "PUT") return textResponse(404, "not found");
  const name = tagKeyword(tagNamed((await json(req, renameRequest)).Name));
  await s.mail.setKeywords(found, [name], same.filter((k) => k !== name));
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

async function send(s: CatcherServices, req: WebRequest): Promise<Response> {
  try {
    const r = await json(req, sendRequest, maxSendBody);
    return jsonResponse(200, { ID: await sendMessage(s, r, req.remoteIp) });
  } catch (err) {
    if (err instanceof ApiError || (err instanceof HttpError && err.status < 500)) {
      return jsonResponse(400, { Error: err.message });
    }
    throw err;
  }
}

/** The first message that matches: one that is there, or the next that comes. */
async function wait(s: CatcherServices, live: LiveMail, req: WebRequest): Promise<Response> {
  const seconds = number(req, "timeout", 10, maxWait);
  const text = req.url.searchParams.get("query") ?? "";
  const since = number(req, "since", 0, Number.MAX_SAFE_INTEGER);
  const end = performance.now() + seconds * 1000;
  const gone = AbortSignal.any([req.signal, req.stopping]);
  // Followed before it is looked for: what comes in between is not missed.
  await live.follow();
  for (;;) {
    const change = live.next(end - performance.now(), gone);
    const keywords = await s.mail.keywords();
    const found = await s.mail.search(parseQuery(text, { keywords }));
    const first = found.filter((m) => m.received >= since).at(0);
    const form = first && messageForm(s.mail, first);
    if (form) return jsonResponse(200, form);
    if (performance.now() >= end || gone.aborted) {
      return textResponse(408, `no message matched within ${seconds} seconds`);
    }
    await change;
  }
}

function chaos(s: CatcherServices) {
  const { Sender, Recipient, Authentication } = s.faults.settings;
  return { Sender, Recipient, Authentication };
}

function webUi(s: CatcherServices) {
  return {
    Label: "",
    MessageRelay: {
      Enabled: s.release !== undefined,
      SMTPServer: s.release?.server ?? "",
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

async function info(s: CatcherServices, c: Counters) {
  const { total, unread } = await s.mail.counts();
  const tags: Record<string, number> = {};
  for (const keyword of await s.mail.keywords()) {
    const tag = tagOf(keyword);
    if (tag === undefined) continue;
    const n = await s.mail.count({ op: "keyword", keyword });
    if (n > 0) tags[tag] = n;
  }
  return {
    Version: s.version,
    LatestVersion: s.version,
    Database: s.dataDir,
    DatabaseSize: await s.mail.size(),
    Messages: total,
    Unread: unread,
    Tags: tags,
    RuntimeStats: {
      Uptime: Math.round((Date.now() - c.started) / 1000),
      Memory: Deno.memoryUsage().rss,
      MessagesDeleted: c.deleted,
      SMTPAccepted: total + c.deleted,
      SMTPAcceptedSize: await s.mail.size(),
      SMTPRejected: 0,
      SMTPIgnored: 0,
    },
  };
}
