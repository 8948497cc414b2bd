/** Which parent an email gets, and what is kept of it: tables over a bare database. */
import { asEmailId } from "../../src/store/ids.ts";
import assert from "node:assert/strict";
import { join } from "node:path";
import { listedMessage, listedThread } from "../../src/store/messages/listing.ts";
import { withStore } from "./setup.ts";
import { Db } from "../../src/store/database/database.ts";
import { accountMigrations } from "../../src/store/database/schema.ts";
import { noSummary, packSummary } from "../../src/store/messages/summary.ts";
import {
  forgetThreads,
  matchThread,
  subjectMatchAge,
  type ThreadInput,
  threadParents,
} from "../../src/store/messages/threads.ts";

const day = 24 * 3600 * 1000;

/** An account's database without an account. */
async function withDb(fn: (t: Threads) => void): Promise<void> {
  const dir = await Deno.makeTempDir();
  const db = await Db.open(join(dir, "index.db"), accountMigrations);
  try {
    fn(new Threads(db));
  } finally {
    await db.close();
    await Deno.remove(dir, { recursive: true });
  }
}

class Threads {
  readonly db: Db;
  #next = 1;

  constructor(db: Db) {
    this.db = db;
  }

  /** Matches an email from alice to bob; returns its id. */
  add(m: Partial<ThreadInput> & { from?: string; to?: string } = {}): number {
    const emailId = m.emailId ?? this.#next;
    this.#next = Math.max(this.#next, emailId + 1);
    const address = (a: string) => [{ name: "", address: a }];
    this.db.run(
      "INSERT OR REPLACE INTO emails (id, size, prefix, envelope, body, bodystructure, structure, summary) " +
        "VALUES (?, 0, x'', '', '', '', '', ?)",
      emailId,
      packSummary({
        ...noSummary,
        from: address(m.from ?? "alice@x.example"),
        to: address(m.to ?? "bob@x.example"),
      }),
    );
    matchThread(this.db, {
      messageId: `${emailId}@x`,
      references: [],
      subject: "plan",
      isReply: false,
      received: emailId,
      ...m,
      emailId: asEmailId(emailId),
    });
    return emailId;
  }

  row(emailId: number) {
    const [threadId, parentId, missingLink, wanted, muted, collapsed] = this.db.get(
      "SELECT thread_id, parent_id, missing_link, wanted, muted, collapsed FROM threads WHERE email_id = ?",
      emailId,
    )!;
    return { threadId, parentId, missingLink, wanted, muted, collapsed };
  }

  parent(emailId: number): number {
    return this.row(emailId).parentId;
  }
}

const root = { missingLink: 0, parentId: 0, wanted: null, muted: 0, collapsed: 0 };

Deno.test("the parent is the nearest of the references that is here, counted from the end", () =>
  withDb((t) => {
    const [a, b, c] = [t.add(), t.add({ subject: "b" }), t.add({ subject: "c" })];
    // Three emails with one subject, which don't know of each other.
    const [d, e, f] = [t.add(), t.add(), t.add()];
    const id = (n: number) => `${n}@x`;
    const cases: [references: string[], parent: number, wanted: string | null][] = [
      [[id(a), id(d), id(e), id(f)], f, null],
      [[id(f), id(e), id(d), id(a)], a, null],
      [[id(a), id(d), "gone@x"], d, "gone@x"],
      [[id(a), "gone@x", "far@x"], a, "far@x"],
      [["gone@x", id(e)], e, null],
      [["gone@x", "never@x"], 0, "never@x"],
      [["never@x", "nowhere@x"], 0, "nowhere@x"],
      // Another subject is another conversation.
      [[id(a), id(b), id(c)], a, id(c)],
      [[id(b)], 0, id(b)],
    ];
    for (const [references, parent, wanted] of cases) {
      const m = t.add({ references });
      const row = t.row(m);
      assert.deepEqual(
        [row.parentId, row.wanted, row.missingLink],
        [parent, wanted, wanted === null ? 0 : 1],
        references.join(),
      );
      assert.equal(row.threadId, parent === 0 ? m : t.row(parent).threadId, references.join());
    }
  }));

Deno.test("an email is no parent of itself, and of many references the last hundred count", () =>
  withDb((t) => {
    const a = t.add();
    const self = t.add({ references: ["1@x", "2@x"] });
    assert.deepEqual(t.row(self), { ...root, threadId: a, parentId: a });
    const gone = (n: number) => Array.from({ length: n }, (_, i) => `gone${i}@x`);
    assert.equal(t.parent(t.add({ references: ["1@x", ...gone(99)] })), a);
    assert.equal(t.parent(t.add({ references: ["1@x", ...gone(100)] })), 0);
  }));

Deno.test("of emails with the same id the newest is the parent", () =>
  withDb((t) => {
    const first = t.add({ messageId: "same@x" });
    const second = t.add({ messageId: "same@x", subject: "other" });
    const third = t.add({ messageId: "same@x" });
    assert.deepEqual(t.row(third), { ...root, threadId: first }, "twins are beside each other");
    assert.equal(t.row(second).threadId, second);
    const answer = t.add({ references: ["same@x"] });
    assert.deepEqual(t.row(answer), { ...root, threadId: first, parentId: third });
    // Emails without an id are no twins.
    const [x, y] = [t.add({ messageId: "" }), t.add({ messageId: "" })];
    assert.deepEqual([t.row(x).threadId, t.row(y).threadId], [x, y]);
  }));

Deno.test("by its subject alone an answer finds the newest of the last four weeks, to the millisecond", () => {
  assert.equal(subjectMatchAge, 28 * day);
  const at = 1_700_000_000_000;
  const cases: [what: string, over: Partial<ThreadInput>, age: number, found: boolean][] = [
    ["an hour", {}, 3600_000, true],
    ["at the same time", {}, 0, true],
    ["just within", {}, 28 * day, true],
    ["just too old", {}, 28 * day + 1, false],
    ["ten times as long", {}, 280 * day, false],
    ["newer than the answer", {}, -1, false],
    ["no answer", { isReply: false }, day, false],
    ["another subject", { subject: "plans" }, day, false],
    ["with references it is matched by those alone", { references: ["gone@x"] }, day, false],
  ];
  return withDb((t) => {
    for (const [what, over, age, found] of cases) {
      t.db.exec("DELETE FROM threads");
      const original = t.add({ received: at - age });
      const answer = t.add({ isReply: true, received: at, ...over });
      assert.equal(t.parent(answer), found ? original : 0, what);
    }
    t.db.exec("DELETE FROM threads");
    const [older, newer, newest] = [3, 1, 2].map((d) => t.add({ received: at - d * day }));
    assert.ok(older && newest);
    assert.equal(t.parent(t.add({ isReply: true, received: at })), newer);
    t.db.exec("DELETE FROM threads");
    t.add({ subject: "", received: at });
    assert.equal(t.parent(t.add({ subject: "", isReply: true, received: at })), 0, "no subject");
  });
});

Deno.test("by its subject alone an answer is matched where somebody took part in both", () =>
  withDb((t) => {
    const cases: [from: string, to: string, found: boolean][] = [
      ["bob", "alice", true],
      ["alice", "carol", true],
      ["bob", "carol", true],
      ["carol", "alice", true],
      ["ALICE", "carol", true],
      ["carol", "bob", false],
      ["carol", "dave", false],
    ];
    for (const [from, to, found] of cases) {
      t.db.exec("DELETE FROM threads");
      const original = t.add({ received: 1 });
      const answer = t.add({
        isReply: true,
        received: 2,
        from: `${from}@x.example`,
        to: `${to}@X.example`,
      });
      assert.equal(t.parent(answer), found ? original : 0, `${from} to ${to}`);
    }
    // Twenty of the same subject are looked at.
    for (const [others, found] of [[19, true], [20, false]] as const) {
      t.db.exec("DELETE FROM threads");
      const original = t.add({ received: 1 });
      for (let i = 0; i < others; i++) {
        t.add({ received: 2 + i, from: "carol@x.example", to: "dave@x.example" });
      }
      const answer = t.add({
        isReply: true,
        received: 100,
        from: "bob@x.example",
        to: "a@x.example",
      });
      assert.equal(t.parent(answer), found ? original : 0, `${others} others`);
    }
  }));

Deno.test("an answer inherits muted and collapsed from its parent, or its twin", () =>
  withDb((t) => {
    const mark = (id: number, muted: number, collapsed: number) =>
      t.db.run(
        "UPDATE threads SET muted = ?, collapsed = ? WHERE email_id = ?",
        muted,
        collapsed,
        id,
      );
    for (const [muted, collapsed] of [[0, 0], [1, 0], [0, 1], [1, 1]]) {
      const a = t.add();
      mark(a, muted, collapsed);
      const of = (id: number) => [t.row(id).muted, t.row(id).collapsed];
      assert.deepEqual(of(t.add({ references: [`${a}@x`] })), [muted, collapsed]);
      assert.deepEqual(of(t.add({ messageId: `${a}@x` })), [muted, collapsed]);
      assert.deepEqual(of(t.add()), [0, 0]);
    }
  }));

Deno.test("what waited for a parent gets it when it comes, and the link is not missing any more", () =>
  withDb((t) => {
    const child = t.add({ references: ["1@x", "late@x"] });
    const other = t.add({ references: ["late@x"] });
    const stranger = t.add({ references: ["late@x"], subject: "other" });
    const grandchild = t.add({ references: ["late@x", `${child}@x`] });
    assert.deepEqual([child, other, stranger].map((m) => t.row(m).missingLink), [1, 1, 1]);
    const late = t.add({ messageId: "late@x", references: [] });
    for (const m of [child, other]) {
      const { parentId, missingLink, wanted } = t.row(m);
      assert.deepEqual([parentId, missingLink, wanted], [late, 0, null]);
    }
    assert.equal(t.row(stranger).missingLink, 1);
    const threads = [child, other, grandchild, late].map((m) => t.row(m).threadId);
    assert.equal(new Set(threads).size, 1);
    assert.notEqual(t.row(stranger).threadId, threads[0]);
    assert.deepEqual(threadParents(t.db, asEmailId(grandchild)), [child, late]);
  }));

Deno.test("those that wait for the same email are in one thread, and it joins them when it comes", () =>
  withDb((t) => {
    const root = t.add({ messageId: "root@x", subject: "other" });
    const [a, b] = [t.add({ references: ["gone@x"] }), t.add({ references: ["gone@x"] })];
    const deeper = t.add({ references: ["root@x", "gone@x"] });
    const otherSubject = t.add({ references: ["gone@x"], subject: "other" });
    const noSubject = [
      t.add({ references: ["gone@x"], subject: "" }),
      t.add({ references: ["gone@x"], subject: "" }),
    ];
    for (const m of [b, deeper]) assert.equal(t.row(m).threadId, a);
    assert.equal(t.row(otherSubject).threadId, otherSubject);
    assert.deepEqual(noSubject.map((m) => t.row(m).threadId), [noSubject[0], noSubject[0]]);
    assert.equal(t.row(root).threadId, root);
    for (const m of [a, b, deeper]) {
      assert.deepEqual([t.parent(m), t.row(m).wanted, t.row(m).missingLink], [0, "gone@x", 1]);
    }
    const parent = t.add({ messageId: "gone@x", createseq: 5 });
    for (const m of [a, b, deeper]) {
      assert.deepEqual(t.row(m), {
        ...t.row(m),
        threadId: a,
        parentId: parent,
        wanted: null,
        missingLink: 0,
      });
    }
    assert.equal(t.row(parent).threadId, a);
    // Nothing was renamed: to JMAP those that were here are what they were.
    assert.equal(t.db.all("SELECT 1 FROM gone_emails").length, 0);
  }));

Deno.test("ids that refer to each other in a circle end somewhere", () =>
  withDb((t) => {
    const a = t.add({ messageId: "a@x", references: ["b@x"] });
    const b = t.add({ messageId: "b@x", references: ["a@x"] });
    assert.equal(t.parent(b), a);
    assert.equal(t.parent(a), 0, "it waits on");
    assert.equal(t.row(a).threadId, t.row(b).threadId);
    assert.deepEqual(threadParents(t.db, asEmailId(b)), [a]);
    assert.deepEqual(threadParents(t.db, asEmailId(a)), []);
  }));

Deno.test("no circle comes of what waited in another thread, which becomes one with this", () =>
  withDb((t) => {
    // Three that wait in a larger thread, and one that the new one says to answer, but that waits for it too.
    const waiting = t.add({ messageId: "w@x", references: ["n@x"] });
    for (let i = 0; i < 3; i++) t.add({ references: ["w@x"] });
    const p = t.add({ messageId: "p@x", references: ["n@x"] });
    const n = t.add({ messageId: "n@x", references: ["p@x"] });
    assert.deepEqual([t.parent(n), t.parent(waiting)], [p, n]);
    assert.equal(t.parent(p), 0);
    assert.deepEqual(threadParents(t.db, asEmailId(waiting)), [n, p]);
  }));

Deno.test("parents are told from the direct one up, so many as are asked for", () =>
  withDb((t) => {
    for (let i = 1; i <= 6; i++) t.add({ references: i === 1 ? [] : [`${i - 1}@x`] });
    assert.deepEqual(threadParents(t.db, asEmailId(6)), [5, 4, 3, 2, 1]);
    assert.deepEqual(threadParents(t.db, asEmailId(6), 2), [5, 4]);
    assert.deepEqual(threadParents(t.db, asEmailId(1)), []);
  }));

Deno.test("two threads become one under the id of the larger", () =>
  withDb((t) => {
    // The first has one more.
    for (const [sizes, kept] of [[[4, 2], 0], [[2, 4], 1], [[12, 40], 1], [[3, 3], 0]] as const) {
      t.db.exec("DELETE FROM threads; DELETE FROM gone_emails");
      // Both wait for one email, as they may since versions that didn't put them together.
      const heads = sizes.map((n) => {
        t.db.exec("UPDATE threads SET wanted = NULL");
        const head = t.add({ references: ["bridge@x"] });
        for (let i = 1; i < n; i++) t.add({ references: [`${head}@x`] });
        return head;
      });
      for (const h of heads) {
        t.db.run("UPDATE threads SET wanted = 'bridge@x' WHERE email_id = ?", h);
      }
      const ids = heads.map((h) => t.row(h).threadId);
      const bridge = t.add({ messageId: "bridge@x", createseq: 5 });
      const want = ids[kept];
      assert.deepEqual(
        t.db.all("SELECT DISTINCT thread_id FROM threads").map((r) => r[0]),
        [want],
        sizes.join(),
      );
      assert.equal(t.row(bridge).threadId, want);
      // To JMAP those that were renamed are others than before, the new one isn't.
      const reborn = t.db.all("SELECT email_id FROM threads WHERE reborn != 0").length;
      assert.equal(reborn, sizes[1 - kept], sizes.join());
      assert.equal(t.db.all("SELECT 1 FROM gone_emails").length, reborn);
    }
  }));

Deno.test("a forgotten email is gone for JMAP with the thread that it had; the rest stays a thread", () =>
  withDb((t) => {
    const a = t.add({ createseq: 3 });
    const b = t.add({ references: ["1@x"], createseq: 4 });
    const c = t.add({ references: ["2@x"], createseq: 5 });
    forgetThreads(t.db, asEmailId(b), asEmailId(b), 9);
    assert.deepEqual(
      t.db.all("SELECT email_id, reborn, thread_id, createseq, modseq FROM gone_emails"),
      [[b, 0, a, 4, 9]],
    );
    assert.equal(t.db.get("SELECT 1 FROM threads WHERE email_id = ?", b), undefined);
    assert.equal(t.row(c).threadId, a);
    assert.deepEqual(threadParents(t.db, asEmailId(c)), []);
  }));

Deno.test("lists say that the link to the parent is missing, when it never came and when it is gone", () =>
  withStore(async (s) => {
    const add = async (id: string, references: string) =>
      await s.account.deliver(
        "Inbox",
        await s.message(`Message-ID: <${id}>\nReferences: ${references}\nSubject: Re: a\n\nx\n`),
      );
    const root = await add("1@x", "");
    const answer = await add("2@x", "<1@x>");
    const far = await add("3@x", "<1@x> <gone@x>");
    const link = (id: number) => listedMessage(s.account.db, id)!.missingLink;
    assert.deepEqual([root, answer, far].map((m) => link(m.id)), [false, false, true]);
    assert.deepEqual(
      listedThread(s.account.db, root.threadId, 10).map((m) => m.missingLink),
      [false, false, true],
    );
    const { mailboxId } = root;
    await s.account.copy(mailboxId, [root.uid], s.account.mailboxByName("Archive")!.id);
    await s.account.expunge(mailboxId, [root.uid], undefined, { force: true });
    assert.equal(link(answer.id), false, "a copy remains");
    await s.account.deleteMailbox("Archive");
    assert.equal(link(answer.id), true);
  }));
