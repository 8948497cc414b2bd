/** A webmail over HTTP on loopback, with an account in a temporary folder, and pages that talk to it. */
import assert from "node:assert/strict";
import { join } from "node:path";
import * as v from "valibot";
import { call, CallError, type CallOptions } from "../../../webmail/api/client.ts";
import {
  type CallName,
  type CallRequest,
  type CallResponse,
  type Change,
  type Composition,
  eventsUrl,
  type Query,
  ServerEvent,
  type Thread,
  type ThreadPart,
} from "../../../webmail/api/mod.ts";
import { loadLocalserve } from "../../../src/config/mod.ts";
import { Log, setLevel } from "../../../src/log/mod.ts";
import { LoginGuard } from "../../../src/net/mod.ts";
import { accountRules } from "../../../src/serve/rules.ts";
import { type Account, consistency } from "../../../src/store/account/account.ts";
import { Accounts } from "../../../src/store/account/accounts.ts";
import { ownHost, routeServices, serveHttp, textResponse } from "../../../src/web/http/mod.ts";
import { Login, Sessions } from "../../../src/web/login/mod.ts";
import {
  openWebmail,
  type SubmittedMessage,
  type Webmail,
  type WebmailServices,
} from "../../../src/web/webmail/mod.ts";

consistency.checkAtClose = true;
for (const pkg of ["store", "http", "webmail"]) setLevel(pkg, "error");

export const password = "moxmoxmox";

export interface World {
  dir: string;
  /** Of the webmail, ends with "/". */
  base: string;
  account: Account;
  accounts: Accounts;
  sessions: Sessions;
  /** What was sent, with its text. */
  sent: (SubmittedMessage & { text: string })[];
  services: WebmailServices;
  webmail: Webmail;
  /** Puts a message into a mailbox, made if it is missing. Lines may end in LF. */
  deliver(
    text: string,
    o?: {
      mailbox?: string;
      received?: number;
      flags?: number;
      keywords?: string[];
      prefix?: string;
    },
  ): Promise<number>;
  login(): Promise<Browser>;
}

/** Runs with a webmail. @param dir a folder that another has left, in place of a new one; it is removed */
export async function withWebmail(
  fn: (w: World) => Promise<void>,
  more: Partial<WebmailServices> = {},
  dir?: string,
): Promise<void> {
  dir ??= await Deno.makeTempDir();
  const { config } = await loadLocalserve({
    dir,
    adminPasswordHash: () => Promise.resolve("x"),
  });
  const accounts = new Accounts(
    config.dataPath("accounts"),
    new Log("store"),
    (name) => accountRules(config, name),
  );
  await Deno.mkdir(config.dataPath("accounts"), { recursive: true });
  const sessions = await Sessions.open(config.dataDir);
  const sent: World["sent"] = [];
  const services: WebmailServices = {
    config,
    accounts,
    sessions,
    login: new Login({
      service: "webmail",
      sessions,
      limiter: new LoginGuard(),
      check: (f) =>
        Promise.resolve(
          f.username === "mox@localhost" && f.password === password ? { account: "mox" } : "wrong",
        ),
      allowed: (s) => config.account(s.account) !== undefined,
    }),
    hostname: "localhost",
    version: "0.0.1",
    tempDir: join(dir, "tmp"),
    maxMessageSize: 2_000_000,
    page: (req) => textResponse(req.path === "/" ? 200 : 404, "the page"),
    wasSubmitted: (account, id) => sent.some((m) => m.account === account && m.messageId === id),
    async submit(m) {
      sent.push({ ...m, text: await Deno.readTextFile(m.file) });
    },
    ...more,
  };
  const webmail = await openWebmail(services);
  const server = await serveHttp(
    { hostname: "127.0.0.1", port: 0, log: new Log("http") },
    routeServices([{
      name: "webmail",
      path: "/webmail/",
      host: ownHost("localhost"),
      handle: webmail.handle,
    }]),
  );
  const account = await accounts.open("mox");
  const base = `http://127.0.0.1:${server.port}/webmail/`;
  const browsers: Browser[] = [];
  let n = 0;
  const w: World = {
    dir,
    base,
    account,
    accounts,
    sessions,
    sent,
    services,
    webmail,
    async deliver(text, o = {}) {
      const file = join(dir, `incoming-${n++}`);
      const bytes = new TextEncoder().encode(text.replace(/\r?\n/g, "\r\n"));
      await Deno.writeFile(file, bytes);
      const m = await account.deliver(o.mailbox ?? "Inbox", {
        file,
        fileSize: bytes.length,
        fileSynced: true,
        prefix: new TextEncoder().encode(o.prefix ?? ""),
        received: o.received,
        flags: o.flags,
        keywords: o.keywords,
      });
      return m.id;
    },
    async login() {
      const b = new Browser(base);
      browsers.push(b);
      await b.call("Login", { username: "mox@localhost", password });
      return b;
    },
  };
  try {
    await fn(w);
  } finally {
    for (const b of browsers) b.close();
    await server.shutdown(1000);
    await webmail.close();
    account.close();
    await accounts.closeAll();
    await sessions.close();
    await Deno.remove(dir, { recursive: true });
  }
}

/** What a page does: calls with the cookie, and event streams. */
export class Browser {
  readonly base: string;
  cookie = "";
  readonly #streams: Events[] = [];

  constructor(base: string) {
    this.base = base;
  }

  async call<N extends CallName>(
    name: N,
    request: CallRequest<N>,
    o: CallOptions = {},
  ): Promise<CallResponse<N>> {
    return await call(name, request, {
      base: this.base,
      fetch: async (url, init) => {
        const headers = new Headers(init?.headers);
        if (this.cookie !== "") headers.set("cookie", this.cookie);
        const r = await fetch(url, { ...init, headers });
        for (const c of r.headers.getSetCookie()) this.cookie = c.split(";", 1)[0];
        return r;
      },
      ...o,
    });
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Response> {
    return fetch(this.base + path, { headers: { cookie: this.cookie, ...headers } });
  }

  async text(path: string): Promise<string> {
    const r = await this.get(path);
    assert.equal(r.status, 200, path);
    return await r.text();
  }

  async upload(name: string, type: string, bytes: Uint8Array<ArrayBuffer>): Promise<Response> {
    return await fetch(`${this.base}upload?filename=${name}&type=${type}`, {
      method: "POST",
      body: bytes,
      headers: { cookie: this.cookie, "x-mox-request": "1" },
    });
  }

  /** Opens an event stream with a view. */
  async events(query: Query, count = 100): Promise<Events> {
    const url = eventsUrl({ viewId: 1, query, page: { anchor: null, count } });
    const r = await this.get(url);
    assert.equal(r.status, 200);
    const e = new Events(r);
    this.#streams.push(e);
    return e;
  }

  close(): void {
    for (const s of this.#streams) s.close();
  }
}

/** The events of one stream, each checked against its schema. */
export class Events {
  readonly #reader: ReadableStreamDefaultReader<string>;
  #text = "";
  #closed = false;
  /** Characters that have come. */
  received = 0;

  constructor(r: Response) {
    this.#reader = r.body!.pipeThrough(new TextDecoderStream()).getReader();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#reader.cancel().catch(() => {});
  }

  /** The next event; undefined at the stream's end. */
  async next(): Promise<ServerEvent | undefined> {
    for (;;) {
      const end = this.#text.indexOf("\n\n");
      if (end >= 0) {
        const line = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 2);
        assert.ok(line.startsWith("data: "), line);
        return v.parse(ServerEvent, JSON.parse(line.slice(6)));
      }
      const r = await this.#reader.read();
      if (r.done) return undefined;
      this.#text += r.value;
      this.received += r.value.length;
    }
  }

  /** The next event, which must be of this kind; those of progress are passed over. */
  async expect<K extends ServerEvent["kind"]>(
    kind: K,
  ): Promise<Extract<ServerEvent, { kind: K }>> {
    for (;;) {
      const e = await this.next();
      if (e?.kind === "progress" && kind !== "progress") continue;
      assert.equal(e?.kind, kind, JSON.stringify(e));
      return e as Extract<ServerEvent, { kind: K }>;
    }
  }

  /** All of a view until it is done: one that takes its time comes in several events. */
  async view(
    viewId?: number,
  ): Promise<{ threads: Thread[]; parts: ThreadPart[]; end: boolean; total: number | null }> {
    const threads: Thread[] = [];
    const parts: ThreadPart[] = [];
    for (;;) {
      const e = await this.expect("view");
      if (viewId !== undefined) assert.equal(e.viewId, viewId);
      threads.push(...e.threads);
      parts.push(...e.parts);
      if (e.done) return { threads, parts, end: e.end, total: e.total };
    }
  }

  /** Changes until one of this kind has come. */
  async change<K extends Change["kind"]>(kind: K): Promise<Extract<Change, { kind: K }>> {
    for (;;) {
      const e = await this.expect("changes");
      const found = e.changes.find((c) => c.kind === kind);
      if (found !== undefined) return found as Extract<Change, { kind: K }>;
    }
  }
}

/** A query of one mailbox. */
export function query(mailboxId: number | null, more: Partial<Query> = {}): Query {
  return {
    mailboxId,
    withChildren: false,
    filter: {},
    order: "newest",
    threading: "off",
    ...more,
  };
}

/** Asserts that a call is refused with this code. */
export async function refused(p: Promise<unknown>, code: CallError["code"]): Promise<string> {
  try {
    await p;
  } catch (err) {
    assert.ok(err instanceof CallError, String(err));
    assert.equal(err.code, code, err.message);
    return err.message;
  }
  assert.fail("was not refused");
}

/** A message with a header of the usual fields. */
export function message(o: {
  from?: string;
  to?: string;
  subject?: string;
  id?: string;
  references?: string[];
  body?: string;
  more?: string;
}): string {
  const references = o.references ?? [];
  return [
    `From: ${o.from ?? "Ann <ann@example.org>"}`,
    `To: ${o.to ?? "mox@localhost"}`,
    `Subject: ${o.subject ?? "test"}`,
    ...(o.id === undefined ? [] : [`Message-ID: <${o.id}>`]),
    ...(references.length === 0 ? [] : [
      `References: ${references.map((r) => `<${r}>`).join(" ")}`,
      `In-Reply-To: <${references.at(-1)}>`,
    ]),
    ...(o.more === undefined ? [] : [o.more]),
    "",
    o.body ?? "hello",
  ].join("\n");
}

/** What the compose window would hold. */
export function composition(more: Partial<Composition> = {}): Composition {
  return {
    from: { name: "Mox", address: "mox@localhost" },
    to: ["Ann <ann@example.org>"],
    cc: [],
    bcc: [],
    replyTo: "",
    subject: "about this",
    text: "Hello Ann,\nit works.\n",
    html: null,
    attachments: [],
    inReplyTo: null,
    forwards: [],
    ...more,
  };
}
