/**
 * A page that follows the events for long shows what a page shows that was just opened: threads, flags,
 * counts and mailboxes, after random actions of several clients.
 */
import assert from "node:assert/strict";
import { fc } from "../../support/fast_check.ts";
import {
  type Change,
  type Mailbox,
  type MessageItem,
  type Query,
  type ServerEvent,
  type Thread,
  type ThreadPart,
} from "../../../webmail/api/mod.ts";
import { type Browser, type Events, message, query, withWebmail, type World } from "./server.ts";

/** What a page keeps of the events. */
class PageModel {
  readonly threads = new Map<number, MessageItem[]>();
  /** Of threads that it has in part. */
  readonly parts = new Map<number, ThreadPart>();
  sseId = "";
  readonly mailboxes = new Map<number, Mailbox>();
  readonly #threaded: boolean;

  constructor(q: Query) {
    this.#threaded = q.threading !== "off";
  }

  apply(e: ServerEvent): void {
    if (e.kind === "start") {
      this.sseId = e.sseId;
      for (const m of e.mailboxes) this.mailboxes.set(m.id, m);
    }
    if (e.kind === "view") this.#putAll(e);
    if (e.kind === "changes") { for (const c of e.changes) this.#change(c); }
  }

  #put(t: Thread): void {
    this.threads.set(this.#threaded ? t[0].threadId : t[0].id, t);
  }

  #putAll(told: { threads: Thread[]; parts: ThreadPart[] }): void {
    for (const t of told.threads) {
      this.#put(t);
      this.parts.delete(t[0].threadId);
    }
    for (const p of told.parts) this.parts.set(p.threadId, p);
  }

  /** Gets whole what it has in part, whose line must have said the truth. */
  async complete(b: Browser): Promise<number> {
    let completed = 0;
    for (const [id, part] of this.parts) {
      const before = this.threads.get(id);
      if (before === undefined) continue;
      completed++;
      const { threads: [whole] } = await b.call("ViewThreads", {
        sseId: this.sseId,
        viewId: 1,
        threadIds: [id],
      });
      const found = whole.filter((m) => m.matches);
      const words = (of: (m: MessageItem) => string[]) => [...new Set(whole.flatMap(of))].sort();
      assert.deepEqual({
        ...part,
        flags: part.flags.toSorted(),
        keywords: part.keywords.toSorted(),
      }, {
        threadId: id,
        count: whole.length,
        found: found.length,
        older: false,
        unread: whole.some((m) => !m.flags.includes("seen")),
        allFlagged: found.every((m) => m.flags.includes("flagged")),
        flags: words((m) => m.flags),
        keywords: words((m) => m.keywords),
      });
      const bare = (m: MessageItem) => ({ ...m, level: 0, parentIds: [] });
      for (const m of before) {
        assert.deepEqual(bare(m), bare(whole.find((w) => w.id === m.id)!));
      }
      const newest = whole.reduce((a, b) => b.received > a.received ? b : a);
      assert.ok(before.some((m) => m.id === newest.id));
      this.#put(whole);
    }
    this.parts.clear();
    return completed;
  }

  #edit(change: (m: MessageItem) => MessageItem | undefined): void {
    for (const [key, items] of this.threads) {
      const left = items.map(change).filter((m) => m !== undefined);
      if (left.length > 0) this.threads.set(key, left);
      else this.threads.delete(key);
    }
  }

  #mailbox(id: number, change: (m: Mailbox) => Mailbox): void {
    const m = this.mailboxes.get(id);
    if (m !== undefined) this.mailboxes.set(id, change(m));
  }

  #change(c: Change): void {
    switch (c.kind) {
      case "threads":
        this.#putAll(c);
        break;
      case "messagesRemove":
        this.#edit((m) => c.ids.includes(m.id) ? undefined : m);
        break;
      case "flags":
        this.#edit((m) => ({ ...m, ...c.items.findLast((i) => i.id === m.id) }));
        break;
      case "threadState":
        this.#edit((m) =>
          c.emailIds.includes(m.emailId)
            ? { ...m, threadMuted: c.muted, threadCollapsed: c.collapsed }
            : m
        );
        break;
      case "mailboxAdd":
        this.mailboxes.set(c.mailbox.id, c.mailbox);
        break;
      case "mailboxRemove":
        this.mailboxes.delete(c.id);
        break;
      case "mailboxRename":
        this.#mailbox(c.id, (m) => ({ ...m, name: c.name, parentId: c.parentId }));
        break;
      case "mailboxCounts":
        this.#mailbox(c.id, (m) => ({ ...m, ...c.counts }));
        break;
      case "mailboxSpecialUse":
        this.#mailbox(c.id, (m) => ({ ...m, specialUse: c.specialUse }));
        break;
      case "mailboxKeywords":
        this.#mailbox(c.id, (m) => ({ ...m, keywords: c.keywords }));
        break;
      case "viewStale":
        assert.fail("so few changes make no view stale");
    }
  }

  /** What it shows, for comparing. Levels are left out: they are told anew only with the thread. */
  shown(): unknown {
    const threads = [...this.threads.values()].map((t) =>
      t.map((m) => ({
        ...m,
        level: 0,
        parentIds: [],
        missingParent: false,
        // Of no use in a list without threads, and not told anew there.
        threadId: this.#threaded ? m.threadId : 0,
      })).sort((a, b) => a.id - b.id)
    );
    return {
      threads: threads.sort((a, b) => a[0].id - b[0].id),
      mailboxes: [...this.mailboxes.values()].sort((a, b) => a.id - b.id),
    };
  }
}

async function follow(e: Events, model: PageModel, until: (e: ServerEvent) => boolean) {
  for (;;) {
    const event = await e.next();
    assert.ok(event !== undefined, "the stream ended");
    model.apply(event);
    if (until(event)) return;
  }
}

const viewDone = (e: ServerEvent) => e.kind === "view" && e.done;

async function opened(b: Browser, q: Query): Promise<{ events: Events; model: PageModel }> {
  const events = await b.events(q, 1000);
  const model = new PageModel(q);
  await follow(events, model, viewDone);
  return { events, model };
}

type Step =
  | { do: "deliver"; mailbox: number; answers: number }
  | { do: "flags"; pick: number; flag: number }
  | { do: "move" | "delete"; pick: number; mailbox: number }
  | { do: "mute" | "collapse"; pick: number; on: boolean }
  | { do: "undo" }
  /** All pages read what has been told so far. */
  | { do: "read" }
  | { do: "mailbox"; name: number };

const mailboxNames = ["Inbox", "Archive", "Sent", "Trash", "Lists/a"];
const flags = ["seen", "flagged", "answered"] as const;

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("deliver" as const),
      mailbox: fc.nat(4),
      answers: fc.nat(99),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("flags" as const), pick: fc.nat(99), flag: fc.nat(2) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom("move" as const, "delete" as const),
      pick: fc.nat(99),
      mailbox: fc.nat(4),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constantFrom("mute" as const, "collapse" as const),
      pick: fc.nat(99),
      on: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.constantFrom({ do: "undo" as const }, { do: "read" as const }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("mailbox" as const), name: fc.nat(3) }) },
);

/** Acts as a client would; what can't be done is left. */
async function act(
  w: World,
  b: Browser,
  s: Step,
  state: { ids: string[]; undo: string[]; n: number },
) {
  const live = w.account.mailboxes().flatMap((m) =>
    Array.from(w.account.uids(m.id), (uid) => w.account.messageByUid(m.id, uid)!.id)
  );
  const pick = "pick" in s && live.length > 0 ? live[s.pick % live.length] : undefined;
  const target = { ids: [pick ?? 0] };
  switch (s.do) {
    case "deliver": {
      const id = `${++state.n}@x`;
      const parent = s.answers < 70 ? state.ids[s.answers % (state.ids.length || 1)] : undefined;
      // Sometimes the answer comes before what it answers.
      const later = s.answers > 90 ? `${state.n + 1}@x` : undefined;
      const references = parent ?? later;
      await w.deliver(
        message({
          subject: references === undefined ? "plan" : "Re: plan",
          id,
          references: references === undefined ? [] : [references],
        }),
        { mailbox: mailboxNames[s.mailbox], received: 1_700_000_000_000 + state.n * 1000 },
      );
      state.ids.push(id);
      return;
    }
    case "undo": {
      const undo = state.undo.pop();
      if (undo !== undefined) await b.call("Undo", { undo });
      return;
    }
    case "read":
      return;
    case "mailbox":
      await b.call("MailboxCreate", { name: `M${s.name}/${++state.n}` });
      return;
  }
  if (pick === undefined) return;
  const none = { target, add: [], remove: [], addKeywords: [], removeKeywords: [] };
  switch (s.do) {
    case "flags":
      await b.call("FlagsSet", { ...none, add: [flags[s.flag]], addKeywords: [`k${s.flag}`] });
      break;
    case "move":
    case "delete": {
      const to = w.account.mailboxByName(mailboxNames[s.mailbox]);
      if (to === undefined) return;
      const { undo } = s.do === "move"
        ? await b.call("Move", { target, mailboxId: to.id })
        : await b.call("Delete", { target });
      if (undo !== null) state.undo.push(undo);
      break;
    }
    case "mute":
      await b.call("ThreadMute", { target, mute: s.on });
      break;
    case "collapse":
      await b.call("ThreadCollapse", { target, collapse: s.on });
  }
}

Deno.test("a page that follows the events shows what a new page shows", async () => {
  let completed = 0;
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 20, maxLength: 60 }),
      fc.constantFrom(0, 28),
      async (steps, long) => {
        await withWebmail(async (w) => {
          const b = await w.login();
          const inbox = w.account.mailboxByName("Inbox")!.id;
          const queries = [
            query(inbox),
            query(inbox, { threading: "on" }),
            query(null, { threading: "unread", order: "oldest" }),
            query(inbox, { threading: "on", filter: { subject: ["re:"] } }),
          ];
          const pages: { q: Query; events: Events; model: PageModel }[] = [];
          const state = { ids: [], undo: [], n: 0 };
          // A thread that pages have in part.
          for (let i = 0; i < long; i++) {
            await act(w, b, { do: "deliver", mailbox: i % 7 === 6 ? i % 5 : 0, answers: 0 }, state);
          }
          for (const q of queries) pages.push({ q, ...await opened(b, q) });
          /** A change of its own tells where the others end. */
          const readAll = async () => {
            const { mailbox } = await b.call("MailboxCreate", { name: `read ${++state.n}` });
            for (const { events, model } of pages) {
              await follow(events, model, (e) =>
                e.kind === "changes" &&
                e.changes.some((c) => c.kind === "mailboxAdd" && c.mailbox.id === mailbox.id));
            }
          };
          for (const s of steps) {
            if (s.do === "read") await readAll();
            else await act(w, b, s, state);
          }
          await readAll();
          for (const { q, model } of pages) {
            const fresh = await opened(b, q);
            completed += await model.complete(b);
            await fresh.model.complete(b);
            assert.deepEqual(model.shown(), fresh.model.shown(), JSON.stringify(q));
          }
        });
      },
    ),
    { numRuns: 20 },
  );
  assert.ok(completed > 0, "no page had a part of a thread");
});
