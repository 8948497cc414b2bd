/** Operations on an account, each carried out by the store and by the model. */
import { noMailbox } from "../../src/store/ids.ts";
import assert from "node:assert/strict";
import { setThreadState } from "../../src/store/messages/thread_state.ts";
import type { NewMessage } from "../../src/store/types.ts";
import { type Arriving, bit, type Box, junkRule, Model, type Row } from "./model.ts";
import { Comparison } from "./model_compare.ts";
import { Emails } from "./model_emails.ts";
import { deliveryFacts, type TestStore, withStore } from "./setup.ts";

/** One operation: its kind, and numbers from which what it is about is chosen. */
export interface Step {
  kind: number;
  n: readonly number[];
}
/** Numbers that a step has. */
export const numbersPerStep = 8;

const day = 24 * 3600 * 1000;
const begin = Date.UTC(2026, 0, 1);
const people = ["ann@x.example", "bob@x.example", "eve@y.example"];
const names = [
  "Inbox",
  "Inbox",
  "Archive",
  "Junk",
  "Sent",
  "Trash",
  "Rejects",
  "A",
  "A/b",
  "A/b/c",
  "B",
];
const flagSets = [0, 0, 1, 8, 9, 64, 128, 192, 2, 1023];
const words = ["Blue", "blue", "red", "Todo", "zed"];
const ids = ["1@m", "2@m", "3@m", "4@m", "5@m"];

export const kinds = [
  ...["deliver", "deliver", "deliver", "append", "addEmail", "replace", "overQuota"],
  ...["copy", "move", "move", "store", "store", "store", "expunge", "expungeAll", "expungeForced"],
  ...["update", "destroy", "mark", "create", "rename", "remove", "use", "subscribe", "unsubscribe"],
  ...["prepare", "reopen"],
] as const;

class World {
  readonly s: TestStore;
  readonly m = new Model();
  readonly told: number[][] = [];
  readonly comparison: Comparison;
  now = begin;
  limit: number | undefined;
  #n: readonly number[] = [];
  #at = 0;

  constructor(s: TestStore) {
    this.s = s;
    const uses: Record<string, number> = { Archive: 1, Drafts: 2, Junk: 4, Sent: 8, Trash: 16 };
    for (const b of s.account.db.all("SELECT name FROM mailboxes ORDER BY id")) {
      this.m.create(b[0], uses[b[0]] ?? 0);
    }
    this.m.raised.clear();
    this.comparison = new Comparison(s, this.m);
    this.attach();
  }

  attach(): void {
    this.s.account.onTraining = (l) => this.told.push([...l]);
  }

  begin(n: readonly number[]): void {
    this.#n = n;
    this.#at = 0;
    this.now += 1 + n[0] * 1000;
    this.told.length = 0;
  }

  #next(): number {
    return this.#n[this.#at++ % this.#n.length];
  }
  one<T>(list: readonly T[]): T {
    return list[this.#next() % list.length];
  }
  some<T>(list: readonly T[]): T[] {
    const mask = this.#next();
    return list.filter((_, i) => (mask >> (i % 10)) & 1);
  }
  boxName(): string {
    return this.one(names);
  }
  /** A mailbox that is there. */
  aBox(): Box {
    return this.one(this.m.boxes.filter((b) => b.live));
  }
  uids(box: Box): Row[] {
    return this.some(this.m.live(box.id));
  }

  /** A message for the store, and for the model. */
  async message(): Promise<{ store: NewMessage; model: Arriving }> {
    const subject = this.one(["plan", "plan", "lunch", ""]);
    const isReply = subject !== "" && this.#next() % 2 === 1;
    const messageId = this.one([...ids, "", `${this.now}@unique`]);
    const references = this.some(ids);
    const from = this.one(people);
    const to = this.some(people);
    const list = this.some(words);
    const flags = this.one(flagSets);
    const received = begin + (this.#next() % 80) * day;
    const destined = this.one([noMailbox, this.aBox().id]);
    const facts = this.#next() % 2 === 0;
    const prefix = new TextEncoder().encode(this.one(["", "X-Prefix: yes\r\n"]));
    const text = `From: ${from}\n` + (to.length > 0 ? `To: ${to.join(", ")}\n` : "") +
      (subject === "" ? "" : `Subject: ${isReply ? "Re: " : ""}${subject}\n`) +
      (messageId === "" ? "" : `Message-ID: <${messageId}>\n`) +
      (references.length === 0
        ? ""
        : `References: ${references.map((r) => `<${r}>`).join(" ")}\n`) +
      `\n${"x".repeat(flags)}\n`;
    const file = await this.s.message(text);
    const isReject = facts && this.#next() % 4 === 0;
    return {
      store: {
        ...file,
        fileSynced: true,
        prefix,
        flags,
        keywords: list,
        received,
        isReject,
        destinedMailboxId: destined,
        facts: facts ? deliveryFacts() : undefined,
      },
      model: {
        flags,
        words: list,
        received,
        saved: this.now,
        size: file.fileSize + prefix.length,
        messageId,
        subject,
        isReply,
        references,
        from,
        to,
        facts,
        reject: isReject,
        destined,
      },
    };
  }
}

const code = (want: string) => (e: unknown) => {
  assert.equal((e as { code?: string }).code, want);
  return true;
};

async function run(w: World, kind: (typeof kinds)[number]): Promise<void> {
  const { m, s } = w;
  const { account } = s;
  switch (kind) {
    case "deliver": {
      const name = w.boxName();
      const { store, model } = await w.message();
      const got = await account.deliver(name, store);
      if (!m.box(name)) m.create(name);
      m.arrive(got.emailId, [m.box(name)!], model);
      return;
    }
    case "append": {
      const box = w.aBox();
      const list = [await w.message(), await w.message()];
      const got = await account.append(box.id, list.map((l) => l.store));
      list.forEach((l, i) => m.arrive(got[i].emailId, [box], l.model));
      return;
    }
    case "addEmail": {
      const boxes = [...new Set([w.aBox(), w.aBox(), w.aBox()])];
      const { store, model } = await w.message();
      const got = await account.addEmail(boxes.map((b) => b.id), store);
      m.arrive(got.emailId, boxes, model);
      return;
    }
    case "replace": {
      const box = w.aBox();
      const to = w.aBox();
      const rows = m.live(box.id);
      const { store, model } = await w.message();
      if (rows.length === 0) {
        await assert.rejects(account.replace(box.id, 1, to.id, store), code("mailboxMissing"));
        return;
      }
      const row = w.one(rows);
      const got = await account.replace(box.id, row.uid, to.id, store);
      m.arrive(got.message.emailId, [to], model);
      m.expunge([row]);
      assert.deepEqual(got.expunged, [row.uid]);
      return;
    }
    case "overQuota": {
      const { store } = await w.message();
      w.limit = m.used() + store.fileSize + store.prefix.length - 1;
      await assert.rejects(account.deliver("New/box", store), code("overQuota"));
      w.limit = undefined;
      return;
    }
    case "copy":
    case "move": {
      const from = w.aBox();
      const to = w.aBox();
      const rows = w.uids(from);
      const uids = rows.map((r) => r.uid);
      const first = to.uidNext;
      const got = await account[kind](from.id, [...uids, from.uidNext + 3], to.id);
      assert.deepEqual([got.fromUids, got.toUids], [uids, uids.map((_, i) => first + i)]);
      m[kind](rows, to, w.now);
      return;
    }
    case "store": {
      const box = w.aBox();
      const rows = w.uids(box);
      const op = w.one(["set", "add", "remove"] as const);
      const flags = w.one(flagSets);
      const list = w.some(words);
      const seqs = rows.map((r) => r.modseq!).sort((a, b) => a - b);
      const unchangedSince = w.one([undefined, undefined, seqs[seqs.length >> 1]]);
      const late = (r: Row) => unchangedSince !== undefined && r.modseq! > unchangedSince;
      const uids = rows.map((r) => r.uid);
      const r = await account.storeFlags(box.id, [...uids, box.uidNext + 2], op, flags, list, {
        unchangedSince,
      });
      assert.deepEqual(r.modified, rows.filter(late).map((row) => row.uid));
      assert.deepEqual(r.missing, [box.uidNext + 2]);
      const taken = rows.filter((row) => !late(row));
      m.store(taken, op, flags, list);
      assert.deepEqual(
        r.changed.map((c) => [c.uid, c.flags, c.keywords]),
        taken.map((row) => [row.uid, row.flags, row.words]),
      );
      return;
    }
    case "expunge":
    case "expungeAll":
    case "expungeForced": {
      const box = w.aBox();
      const chosen = w.uids(box);
      const rows = (kind === "expungeAll" ? m.live(box.id) : chosen).filter((r) =>
        kind === "expungeForced" || r.flags & bit.deleted
      );
      const uids = kind === "expungeAll" ? undefined : chosen.map((r) => r.uid);
      const force = kind === "expungeForced";
      const r = await account.expunge(box.id, uids, undefined, { force });
      assert.deepEqual(r.uids, rows.map((row) => row.uid));
      m.expunge(rows);
      return;
    }
    case "update": {
      const emails = [...m.emails.keys()];
      if (emails.length === 0) return;
      const id = w.one(emails);
      const add = w.one(flagSets) & ~bit.deleted;
      const list = w.some(["blue", "later"]);
      const boxes = [...new Set([w.aBox(), w.aBox()])];
      const visible = m.places(id).some((r) => !(r.flags & bit.deleted));
      const change = account.updateEmail(id, {
        keywords: ({ flags, words }) => ({ flags: flags | add, words: [...words, ...list] }),
        mailboxes: () => boxes.map((b) => b.id),
      });
      if (!visible) return await assert.rejects(change, code("emailMissing"));
      await change;
      m.update(id, add, list, boxes, w.now);
      return;
    }
    case "destroy": {
      const emails = [...m.emails.keys()];
      if (emails.length === 0) return;
      const id = w.one(emails);
      const kept = w.aBox();
      const rows = m.places(id).filter((r) => r.box !== kept.id);
      const gone = account.destroyEmail(id, (box) => box !== kept.id);
      if (rows.length === 0) return await assert.rejects(gone, code("emailMissing"));
      await gone;
      m.expunge(rows);
      return;
    }
    case "mark": {
      const emails = w.some([...m.emails.keys()]);
      const state = w.one([
        { muted: true },
        { collapsed: true },
        { muted: false, collapsed: true },
        { muted: false },
      ]) as { muted?: boolean; collapsed?: boolean };
      await setThreadState(account, emails, state);
      m.mark(emails, state.muted, state.collapsed);
      return;
    }
    default:
      await mailboxStep(w, kind);
  }
}

async function mailboxStep(w: World, kind: (typeof kinds)[number]): Promise<void> {
  const { m, s } = w;
  const { account } = s;
  switch (kind) {
    case "create": {
      const name = w.boxName();
      if (m.box(name)) {
        await assert.rejects(account.createMailbox(name), code("mailboxExists"));
        return;
      }
      await account.createMailbox(name);
      m.create(name);
      return;
    }
    case "rename": {
      const from = w.aBox();
      const to = w.one(["A", "B/new", "C", "A/b", from.name + "/x"]);
      const renamed = account.renameMailbox(from.name, to);
      if (m.box(to)) return await assert.rejects(renamed, code("mailboxExists"));
      if (from.name !== "Inbox" && to.startsWith(`${from.name}/`)) {
        return await assert.rejects(renamed, code("mailboxName"));
      }
      await renamed;
      m.rename(from, to, w.now);
      return;
    }
    case "remove": {
      const box = w.aBox();
      const gone = account.deleteMailbox(box.name);
      if (box.name === "Inbox") return await assert.rejects(gone, code("inbox"));
      if (m.boxes.some((b) => b.live && b.name.startsWith(`${box.name}/`))) {
        return await assert.rejects(gone, code("mailboxHasChildren"));
      }
      await gone;
      m.remove(box);
      return;
    }
    case "use": {
      const box = w.aBox();
      const use = w.one([0, 1, 8, 16]);
      const given = account.setSpecialUse(box.id, use);
      if (m.boxes.some((b) => b.live && b !== box && b.specialUse & use)) {
        return await assert.rejects(given, code("specialUse"));
      }
      await given;
      if (box.specialUse !== use) m.raised.add(box.id);
      box.specialUse = use;
      return;
    }
    case "subscribe":
      // Names that no mailbox ever has: subscriptions that were asked for outlive their mailboxes.
      await account.subscribe("Elsewhere");
      m.subscriptions.add("Elsewhere");
      return;
    case "unsubscribe": {
      const name = w.one([...m.subscriptions, "Elsewhere"]);
      await account.unsubscribe(name);
      m.subscriptions.delete(name);
      return;
    }
    case "prepare":
      await account.prepareRows(w.aBox().id);
      return;
    case "reopen":
      await s.reopen();
      w.attach();
      w.comparison.reopened();
      return;
  }
}

/** Carries out the steps on a new account, and compares it with the model after each. */
export async function runSteps(steps: readonly Step[]): Promise<void> {
  let w: World | undefined;
  const real = Date.now;
  try {
    await withStore(async (s) => {
      w = new World(s);
      const emails = new Emails();
      Date.now = () => w!.now;
      for (const [i, step] of steps.entries()) {
        const kind = kinds[step.kind % kinds.length];
        w.begin(step.n);
        await run(w, kind);
        w.comparison.check(`step ${i}, ${kind}`, w.told);
        await emails.check(s.account, w.m, `step ${i}, ${kind}`);
      }
    }, {
      junkFlags: ({ name }) => junkRule(name),
      quotaMessageSize: () => w?.limit,
    }, { inMemory: true });
  } finally {
    Date.now = real;
  }
}
