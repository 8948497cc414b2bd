/** One event stream for all pages of a browser: who may join, what each is told, and what a slow browser costs. */
import assert from "node:assert/strict";
import { sharedEventsUrl } from "../../../webmail/api/urls.ts";
import { type Browser, message, query, refused, withWebmail } from "./server.ts";

interface Value {
  stream?: string;
  page?: string;
  event?: { kind: string; [name: string]: unknown };
  ended?: boolean;
}

/** The stream of a browser, read value after value. */
class Shared {
  readonly #reader: ReadableStreamDefaultReader<string>;
  #text = "";
  id = "";

  constructor(r: Response) {
    assert.equal(r.status, 200);
    this.#reader = r.body!.pipeThrough(new TextDecoderStream()).getReader();
  }

  static async open(b: Browser): Promise<Shared> {
    const s = new Shared(await b.get(sharedEventsUrl));
    s.id = (await s.next())!.stream!;
    return s;
  }

  /** Undefined at the end. */
  async next(): Promise<Value | undefined> {
    for (;;) {
      const end = this.#text.indexOf("\n\n");
      if (end >= 0) {
        const line = this.#text.slice(0, end);
        this.#text = this.#text.slice(end + 2);
        return JSON.parse(line.slice("data: ".length));
      }
      const r = await this.#reader.read();
      if (r.done) return undefined;
      this.#text += r.value;
    }
  }

  /** The next one of a page and kind; undefined if the stream ends before. */
  async until(page: string, kind: string): Promise<Value["event"] | undefined> {
    for (;;) {
      const value = await this.next();
      if (value === undefined) return undefined;
      if (value.page === page && value.event?.kind === kind) return value.event;
    }
  }

  async close(): Promise<void> {
    await this.#reader.cancel().catch(() => {});
  }
}

const view = (mailboxId: number, viewId = 1) => ({
  viewId,
  query: query(mailboxId),
  page: { anchor: null, count: 10 },
});

Deno.test("pages of a browser share a stream, each with its view; one that leaves takes nothing from others", async () => {
  await withWebmail(async (w) => {
    await w.deliver(message({ subject: "one" }));
    const inbox = w.account.mailboxByName("Inbox")!.id;
    const archive = w.account.mailboxByName("Archive")!.id;
    const b = await w.login();
    const s = await Shared.open(b);
    for (const [page, mailbox] of [["a", inbox], ["b", archive]] as const) {
      await b.call("EventsJoin", { stream: s.id, page, view: view(mailbox) });
    }
    const sseId = (await s.until("a", "start"))!.sseId as string;
    await b.call("ViewSet", { sseId, view: view(archive, 2) });
    assert.ok((await s.until("a", "view"))!.threads);
    await b.call("ViewSet", { sseId, view: view(inbox, 3) });
    for (let viewId = 0; viewId !== 3;) viewId = (await s.until("a", "view"))!.viewId as number;
    await b.call("EventsLeave", { stream: s.id, page: "b" });
    await w.deliver(message({ subject: "two" }));
    const changes = (await s.until("a", "changes"))!.changes as { kind: string }[];
    assert.ok(changes.some((c) => c.kind === "threads" || c.kind === "arrived"));
    await s.close();
    while (w.account.broadcast.count > 0) await new Promise((r) => setTimeout(r, 5));
  });
});

Deno.test("a stream is joined by its own session alone, and by no page once it has ended", async () => {
  await withWebmail(async (w) => {
    const inbox = w.account.mailboxByName("Inbox")!.id;
    const [b, other] = [await w.login(), await w.login()];
    const s = await Shared.open(b);
    const join = (who: Browser, stream = s.id) =>
      who.call("EventsJoin", { stream, page: "a", view: view(inbox) });
    await refused(join(other), "missing");
    await refused(join(b, crypto.randomUUID()), "missing");
    // Leaving another's does nothing.
    await join(b);
    await other.call("EventsLeave", { stream: s.id, page: "a" });
    assert.ok(await s.until("a", "view"));
    await s.close();
    // The server hears of it a little later.
    for (;;) {
      try {
        await join(b);
      } catch (err) {
        assert.equal((err as { code?: string }).code, "missing");
        break;
      }
    }
  });
});

Deno.test("the end of the session is told to each page, then the stream ends", async () => {
  await withWebmail(async (w) => {
    const inbox = w.account.mailboxByName("Inbox")!.id;
    const b = await w.login();
    const s = await Shared.open(b);
    for (const page of ["a", "b"]) {
      await b.call("EventsJoin", { stream: s.id, page, view: view(inbox) });
    }
    await b.call("Logout", {});
    const ended = new Set<string>();
    for (let v = await s.next(); v !== undefined; v = await s.next()) {
      if (v.event?.kind === "end") ended.add(v.page!);
    }
    assert.deepEqual(ended, new Set(["a", "b"]));
  });
});

Deno.test("a page that joins again by its name is told once, and all pages of an account have a bound", async () => {
  await withWebmail(async (w) => {
    const inbox = w.account.mailboxByName("Inbox")!.id;
    const b = await w.login();
    const s = await Shared.open(b);
    const join = (page: string) => b.call("EventsJoin", { stream: s.id, page, view: view(inbox) });
    for (let i = 0; i < 3; i++) await join("a");
    assert.equal(w.account.broadcast.count, 1);
    for (let i = 0; i < 51; i++) await join(`page ${i}`);
    const reading = s.until("a", "end");
    assert.match((await reading)!.reason as string, /too many windows/);
    await s.close();
  });
});
