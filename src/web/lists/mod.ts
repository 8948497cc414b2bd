/**
 * Pages of mailing lists: subscribing, leaving, the archive, held messages. Plain HTML with forms. GET never changes
 * anything, as mail scanners open links.
 *
 * Imports config, lists and http. Called by serve/, which gives it what the pages do.
 *
 * @module
 */
import type { ResolvedList } from "../../config/mod.ts";
import type { ListsDatabase } from "../../lists/database.ts";
import type { Post } from "../../lists/posts.ts";
import type { RequestKind } from "../../lists/requests.ts";
import { listName } from "../../lists/header.ts";
import type { TokenPurpose } from "../../lists/tokens.ts";
import { parseIp } from "../../dns/ip.ts";
import {
  checkSameSite,
  HttpError,
  redirect,
  type WebHandler,
  type WebRequest,
} from "../http/mod.ts";
import { type Html, html, page } from "./html.ts";
import { messageFile, showMessage } from "./message.ts";
import { readerCookie, readerOf } from "./reader.ts";

/** Services of the pages. Functions throw {@link HttpError} 422 with a message for the user. */
export interface ListPagesOptions {
  db: ListsDatabase;
  /** Key for cookies. */
  key: Uint8Array;
  all(): ResolvedList[];
  list(key: string): ResolvedList | undefined;
  isOwner(list: ResolvedList, address: string): boolean;
  token(list: ResolvedList, token: string): { purpose: TokenPurpose; id: number } | undefined;
  ask(list: ResolvedList, kind: RequestKind, address: string, name: string): Promise<void>;
  /** The outcome as text; or who reads from now on. */
  confirm(
    list: ResolvedList,
    id: number,
  ): Promise<"subscribed" | "waits" | "left" | { reads: string }>;
  leave(list: ResolvedList, member: number): Promise<void>;
  decide(list: ResolvedList, id: number, verdict: "approve" | "reject" | "discard"): Promise<void>;
  admit(list: ResolvedList, request: number, letIn: boolean): Promise<void>;
  now(): number;
}

/** Messages on a page of the archive. */
const perPage = 50;
/** Forms that a client network may submit in an hour, and bytes of one. */
const maxForms = 20;
const maxForm = 8192;
const hour = 3_600_000;

interface Asked {
  o: ListPagesOptions;
  req: WebRequest;
  list: ResolvedList;
  /** Path of the list's own page. */
  base: string;
  /** A member or owner, shown by the cookie. */
  reader: string | undefined;
  owner: boolean;
}

/** The pages. */
export function listPages(options: ListPagesOptions): WebHandler {
  return async (req) => {
    const post = req.method === "POST";
    if (!post && req.method !== "GET" && req.method !== "HEAD") {
      throw new HttpError(405, "GET, HEAD and POST only", { Allow: "GET, HEAD, POST" });
    }
    if (req.path === "/") return overview(options, req);
    const [, key, what, id, ...more] = decoded(req.path).split("/");
    const list = options.list(key.toLowerCase());
    if (list === undefined || more.length > 1) throw new HttpError(404, "there is no such list");
    const service = req.url.pathname.slice(0, req.url.pathname.length - req.path.length);
    const base = `${service}/${list.key}`;
    const address = readerOf(options.key, list.key, req, options.now());
    const owner = address !== undefined && options.isOwner(list, address);
    const member = address !== undefined && options.db.members.get(list.key, address) !== undefined;
    const reader = owner || member ? address : undefined;
    const asked: Asked = { o: options, req, list, base, reader, owner };
    const file = more[0];
    switch (what) {
      case undefined:
        return post ? await form(asked) : front(asked);
      case "confirm":
        return await confirmPage(asked, id ?? "", post);
      case "leave":
        return await leavePage(asked, id ?? "", post);
      case "archive":
        return await archive(asked, id, file, post);
      case "held":
        return await held(asked, id, file, post);
      default:
        throw new HttpError(404, "there is no such page");
    }
  };
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw new HttpError(404, "there is no such page");
  }
}

function overview(options: ListPagesOptions, req: WebRequest): Response {
  const lists = options.all().filter((l) =>
    !l.config.Unlisted && options.list(l.key) !== undefined
  );
  const service = req.url.pathname.replace(/\/$/, "");
  return page(
    200,
    "Mailing lists",
    lists.length === 0
      ? html`<p>There are no lists here.</p>`
      : html`<table>${
        lists.map((list) =>
          html`
            <tr>
              <td><a href="${service}/${list.key}">${listName(list)}</a></td>
              <td>${list.config.Description}</td>
            </tr>
          `
        )
      }</table>`,
  );
}

function front({ o, list, base, reader, owner }: Asked): Response {
  const c = list.config;
  const archived = c.Archive !== "none";
  const ask = (kind: RequestKind, text: string, button: string): Html =>
    html`
      <h2>${text}</h2>
      <form method="post" action="${base}"><input type="hidden" name="kind" value="${kind}">
      <label>Address <input name="address" type="email" required maxlength="320" autocomplete="email"></label>
      ${kind === "subscribe"
        ? html`<label>Name (optional) <input name="name" maxlength="100" autocomplete="name"></label>`
        : ""}
      <button>${button}</button></form>
    `;
  return page(
    200,
    listName(list),
    html`<p>${c.Description}</p>
<p>Address of the list: ${list.key}</p>
${reader !== undefined ? html`<p>You read as ${reader}.</p>` : ""}
${archived ? html`<p><a href="${base}/archive">Archive</a></p>` : ""}
${
      owner
        ? html`
          <p><a href="${base}/held">Waiting for an owner: ${o.db.posts.heldCount(
            list.key,
          )} messages, ${o
            .db.requests.inState(list.key, "approve", o.now()).length} people</a></p>
          <p class="small">${o.db.members.count(list.key)} members</p>
        `
        : ""
    }
${c.Subscribing === "closed" ? "" : ask("subscribe", "Subscribe", "Subscribe")}
${ask("unsubscribe", "Leave", "Leave")}
${
      reader === undefined && archived && c.Archive === "members"
        ? ask("read", "Members read the archive", "Send me a link")
        : ""
    }
<p class="small">A message to the address then asks you to confirm.</p>`,
  );
}

async function fields(req: WebRequest): Promise<URLSearchParams> {
  const type = req.headers.get("content-type")?.split(";")[0].trim().toLowerCase();
  if (type !== "application/x-www-form-urlencoded") throw new HttpError(415, "a form is expected");
  return new URLSearchParams(new TextDecoder().decode(await req.body(maxForm)));
}

/** The network that a provider typically assigns to one customer. */
function network(ip: string): string {
  const bytes = parseIp(ip);
  return bytes?.length === 16 ? bytes.subarray(0, 8).toHex() : ip;
}

async function form({ o, req, list, base }: Asked): Promise<Response> {
  checkSameSite(req);
  const f = await fields(req);
  const kind = f.get("kind");
  if (kind !== "subscribe" && kind !== "unsubscribe" && kind !== "read") {
    throw new HttpError(422, "the form has no kind of request");
  }
  if (!o.db.answers.allow(list.key, `net ${network(req.remoteIp)}`, maxForms, hour, o.now())) {
    throw new HttpError(429, "too many requests from your network: try again in an hour", {
      "Retry-After": "3600",
    });
  }
  await o.ask(list, kind, f.get("address") ?? "", f.get("name") ?? "");
  return page(
    200,
    listName(list),
    html`<p>If that can be done, a message is on its way to the address. Follow what it says.</p>
<p><a href="${base}">Back</a></p>`,
  );
}

function button(action: string, text: string, hidden: Record<string, string> = {}): Html {
  return html`<form method="post" action="${action}">${
    Object.entries(hidden).map(([k, v]) => html`<input type="hidden" name="${k}" value="${v}">`)
  }<button>${text}</button></form>`;
}

async function confirmPage(asked: Asked, token: string, post: boolean): Promise<Response> {
  const { o, list, base, req } = asked;
  const given = o.token(list, token);
  if (given?.purpose !== "confirm") throw new HttpError(404, "the link is none of this list");
  const request = o.db.requests.get(list.key, given.id, o.now());
  if (request?.state !== "confirm") {
    return page(
      200,
      listName(list),
      html`<p>This was confirmed before, or is too old.</p>
<p><a href="${base}">To the list</a></p>`,
    );
  }
  const what = {
    subscribe: `Subscribe ${request.address}`,
    unsubscribe: `${request.address} leaves the list`,
    read: `Read as ${request.address}`,
  }[request.kind];
  if (!post) return page(200, listName(list), button(`${base}/confirm/${token}`, what));
  checkSameSite(req);
  const done = await o.confirm(list, given.id);
  if (typeof done === "object") {
    const response = redirect(303, list.config.Archive === "none" ? base : `${base}/archive`);
    const secure = req.url.protocol === "https:" || req.secure;
    response.headers.append(
      "Set-Cookie",
      readerCookie(o.key, list.key, done.reads, { path: base, secure, now: o.now() }),
    );
    return response;
  }
  const text = {
    subscribed: "The address is a member now.",
    waits: "The address is confirmed. An owner of the list decides now.",
    left: "The address is no member any more.",
  }[done];
  return page(
    200,
    listName(list),
    html`
      <p>${text}</p>
      <p><a href="${base}">To the list</a></p>
    `,
  );
}

async function leavePage(asked: Asked, token: string, post: boolean): Promise<Response> {
  const { o, list, base } = asked;
  const given = o.token(list, token);
  if (given?.purpose !== "leave") throw new HttpError(404, "the link is none of this list");
  const member = o.db.members.byId(list.key, given.id);
  // RFC 8058 §3.1: a POST without cookies does it, from any origin.
  if (post) {
    if (member !== undefined) await o.leave(list, given.id);
    return page(200, listName(list), html`<p>You have left the list.</p>`);
  }
  return page(
    200,
    listName(list),
    member === undefined
      ? html`<p>You have left the list.</p>`
      : html`<p>${member.address} gets the messages of this list.</p>${
        button(`${base}/leave/${token}`, "Leave the list")
      }`,
  );
}

function onlyReaders({ list, base }: Asked): Response {
  return page(
    403,
    listName(list),
    html`<p>Members of the list can read this, and you are not known as one here. <a href="${base}">The list's page</a>
sends a link to your address, which opens it.</p>`,
  );
}

const dateText = (ms: number) => new Date(ms).toISOString().slice(0, 16).replace("T", " ");

/** Keeps addresses in public archives from being harvested. */
function authorText(post: Post, all: boolean): string {
  const name = post.authorName || post.author.slice(0, post.author.lastIndexOf("@"));
  return all ? `${post.authorName} <${post.author}>`.trim() : name;
}

function rows(asked: Asked, posts: readonly Post[], at: string): Html {
  const { base } = asked;
  return html`<table>${
    posts.map((post) =>
      html`
        <tr>
          <td><a href="${base}/${at}/${post.id}">${post.subject || "(no subject)"}</a>
        <div class="small">${authorText(post, asked.reader !== undefined)}, ${dateText(
          post.received,
        )} UTC${post.reason === "" ? "" : `: ${post.reason}`}</div></td>
        </tr>
      `
    )
  }</table>`;
}

async function archive(
  asked: Asked,
  id: string | undefined,
  file: string | undefined,
  post: boolean,
): Promise<Response> {
  const { o, list, base, req } = asked;
  const { Archive } = list.config;
  if (Archive === "none") throw new HttpError(404, "the list has no archive");
  if (Archive === "members" && asked.reader === undefined) return onlyReaders(asked);
  if (id === undefined) {
    if (post) throw new HttpError(405, "GET and HEAD only", { Allow: "GET, HEAD" });
    const before = Number(req.url.searchParams.get("before") ?? "") || Number.MAX_SAFE_INTEGER;
    const posts = o.db.posts.before(list.key, ["sending", "sent"], before, perPage);
    const last = posts.at(-1);
    return page(
      200,
      `Archive of ${listName(list)}`,
      html`<nav><a href="${base}">The list</a></nav>${
        posts.length === 0 ? html`<p>Nothing here.</p>` : rows(asked, posts, "archive")
      }${
        posts.length === perPage && last
          ? html`<p><a href="${base}/archive?before=${last.id}">Older</a></p>`
          : ""
      }`,
    );
  }
  const found = numbered(id, (n) => o.db.posts.get(list.key, n));
  if (found.state === "held") throw new HttpError(404, "there is no such message");
  if (post) {
    checkSameSite(req);
    if (!asked.owner) throw new HttpError(403, "owners of the list only");
    if (found.state === "sending") throw new HttpError(422, "the message is still being sent");
    await o.db.posts.remove(list.key, found.id);
    return redirect(303, `${base}/archive`);
  }
  if (file !== undefined) return await messageFile(o.db.files.path(found.id), Number(file));
  return await messagePage(
    asked,
    found,
    "archive",
    asked.owner ? button(`${base}/archive/${found.id}`, "Remove from the archive") : html``,
  );
}

/** Parses a number in a path. @throws HttpError 404 */
function numbered<T>(text: string, find: (n: number) => T | undefined): T {
  const found = /^\d{1,15}$/.test(text) ? find(Number(text)) : undefined;
  if (found === undefined) throw new HttpError(404, "there is no such message");
  return found;
}

async function messagePage(asked: Asked, post: Post, at: string, actions: Html): Promise<Response> {
  const { o, base } = asked;
  const m = await showMessage(o.db.files.path(post.id));
  return page(
    200,
    post.subject || "(no subject)",
    html`<nav><a href="${base}/${at}">All messages</a></nav>
<p class="small">${authorText(post, asked.reader !== undefined)}, ${dateText(post.received)} UTC</p>
<pre>${m.text}${m.cut ? "\n[…]" : ""}</pre>
${
      m.files.length === 0 ? "" : html`
        <h2>Files</h2>
        <ul>${m.files.map((f, i) =>
          html`<li><a href="${base}/${at}/${post.id}/${i}">${f.name}</a> <span class="small">${f.bytes} bytes</span></li>`
        )}</ul>
      `
    }${actions}`,
  );
}

async function held(
  asked: Asked,
  id: string | undefined,
  file: string | undefined,
  post: boolean,
): Promise<Response> {
  const { o, list, base, req } = asked;
  if (!asked.owner) return onlyReaders(asked);
  const at = `${base}/held`;
  if (post) {
    checkSameSite(req);
    const f = await fields(req);
    const number = Number(f.get("id"));
    if (!Number.isSafeInteger(number)) throw new HttpError(422, "the form names nothing");
    switch (f.get("verdict")) {
      case "approve":
      case "reject":
      case "discard":
        await o.decide(list, number, f.get("verdict") as "approve" | "reject" | "discard");
        break;
      case "admit":
      case "refuse":
        await o.admit(list, number, f.get("verdict") === "admit");
        break;
      default:
        throw new HttpError(422, "the form has no decision");
    }
    return redirect(303, at);
  }
  if (id !== undefined) {
    const p = numbered(id, (n) => o.db.posts.get(list.key, n));
    if (p.state !== "held") throw new HttpError(404, "there is no such message");
    if (file !== undefined) return await messageFile(o.db.files.path(p.id), Number(file));
    const choice = (verdict: string, text: string) =>
      button(at, text, { id: String(p.id), verdict });
    return await messagePage(
      asked,
      p,
      "held",
      html`<h2>${p.reason}</h2>
${choice("approve", "Send it to the members")}${choice("reject", "Refuse, and tell its author")}${
        choice("discard", "Delete without a word")
      }`,
    );
  }
  const posts = o.db.posts.before(list.key, ["held"], Number.MAX_SAFE_INTEGER, 500);
  const people = o.db.requests.inState(list.key, "approve", o.now());
  return page(
    200,
    `Waiting at ${listName(list)}`,
    html`<nav><a href="${base}">The list</a></nav><h2>Messages</h2>
${posts.length === 0 ? html`<p>None.</p>` : rows(asked, posts, "held")}<h2>People</h2>
${
      people.length === 0 ? html`<p>Nobody.</p>` : html`<table>${
        people.map((request) =>
          html`
            <tr>
              <td>${request.name} ${request.address}</td>
              <td>${button(at, "Let in", { id: String(request.id), verdict: "admit" })}${button(
                at,
                "Refuse",
                { id: String(request.id), verdict: "refuse" },
              )}</td>
            </tr>
          `
        )
      }</table>`
    }`,
  );
}
