/** The API of caught mail over an account in a temporary folder, called without a socket. */
import { join } from "node:path";
import { Log } from "../../../src/log/mod.ts";
import type { Account } from "../../../src/store/account/account.ts";
import { describeFile } from "../../../src/store/messages/describe.ts";
import { CaughtMail } from "../../../src/web/catcher/box.ts";
import { envelopeField, hiddenRecipients } from "../../../src/web/catcher/envelope.ts";
import { openCatcher } from "../../../src/web/catcher/mod.ts";
import type { CatcherServices } from "../../../src/web/catcher/services.ts";
import { tagKeyword } from "../../../src/web/catcher/tags.ts";
import type { WebRequest } from "../../../src/web/http/types.ts";
import { withStore } from "../../store/setup.ts";

/** What came with a message. */
export interface Came {
  from?: string;
  to?: string[];
  helo?: string;
  username?: string;
  tags?: string[];
  /** Milliseconds since the epoch. */
  received?: number;
}

export interface Answer {
  status: number;
  text: string;
  // deno-lint-ignore no-explicit-any -- answers are compared with what they have to be
  json: any;
  headers: Headers;
}

export interface World {
  account: Account;
  mail: CaughtMail;
  services: CatcherServices;
  /** Stores a message as localserve does; lines end in LF here. Its id in the API. */
  catches(text: string, came?: Came): Promise<string>;
  call(method: string, path: string, body?: unknown, over?: Partial<WebRequest>): Promise<Answer>;
  /** Subjects that a search finds, in the order of the answer. */
  found(query: string): Promise<string[]>;
}

/** Runs with an empty account. */
export async function withCatcher(
  fn: (w: World) => Promise<void>,
  over: Partial<CatcherServices> = {},
): Promise<void> {
  await withStore(async (s) => {
    const mail = new CaughtMail(s.accounts, "test", () => ["test"]);
    const services: CatcherServices = {
      mail,
      account: "test",
      tempDir: join(s.dir),
      hostname: "localhost",
      version: "1.2.3",
      maxMessageSize: 10_000_000,
      dataDir: s.dir,
      faults: { settings: {} as never, set: () => {}, play: () => {} },
      page: () => new Response("the page"),
      keep: { messages: undefined, age: undefined },
      checkLink: () => Promise.reject(new Error("no link is asked here")),
      authenticate: () => Promise.reject(new Error("nothing is authenticated here")),
      refusal: () => Promise.resolve(undefined),
      ...over,
    };
    const catcher = openCatcher(services);
    const call = async (method: string, path: string, body?: unknown, over = {}) => {
      const url = new URL(path, "http://localhost:1080");
      const never = new AbortController().signal;
      const bytes = body === undefined
        ? new Uint8Array(0)
        : new TextEncoder().encode(JSON.stringify(body));
      const req = {
        method,
        url,
        origin: url.origin,
        path: url.pathname,
        headers: new Headers({ accept: "*/*" }),
        remoteIp: "127.0.0.1",
        secure: false,
        signal: never,
        stopping: never,
        log: new Log("test"),
        body: () => Promise.resolve(bytes),
        ...over,
      } as unknown as WebRequest;
      const r = await catcher.handle(req);
      const text = await r.text();
      const isJson = r.headers.get("content-type")?.includes("json") === true;
      const json = isJson ? JSON.parse(text) : undefined;
      return { status: r.status, text, json, headers: r.headers };
    };
    try {
      await fn({
        account: s.account,
        mail,
        services,
        call,
        async catches(text, came = {}) {
          const { from = "app@example.org", to = ["ann@example.org"] } = came;
          const m = await s.message(text.replaceAll("\n", "\r\n"));
          const description = await describeFile(m.file);
          const named = [...description.summary.to, ...description.summary.cc];
          const bcc = hiddenRecipients(to, named).map((address) => ({ name: "", address }));
          const prefix = envelopeField({
            From: from,
            To: to.map((Address) => ({ Address })),
            Helo: came.helo ?? "app",
            RemoteIP: "127.0.0.1",
            TLS: "",
            Username: came.username ?? "",
            Parameters: [],
            RepairedLineEnds: false,
          });
          const { id } = await s.account.deliver("Inbox", {
            ...m,
            prefix: new TextEncoder().encode(prefix),
            description: { ...description, summary: { ...description.summary, bcc } },
            keywords: (came.tags ?? []).map(tagKeyword),
            ...came.received === undefined ? {} : { received: came.received },
          });
          return `m${id}`;
        },
        async found(query) {
          const { json } = await call("GET", `/api/v1/search?query=${encodeURIComponent(query)}`);
          return json.messages.map((m: { Subject: string }) => m.Subject);
        },
      });
    } finally {
      await catcher.close();
    }
  });
}
