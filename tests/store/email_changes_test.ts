/** What changed of emails since any state, beside comparing what was there then with what is there now. */
import assert from "node:assert/strict";
import { fc } from "../support/fast_check.ts";
import type { Account } from "../../src/store/account/account.ts";
import {
  changedThreads,
  emailChanges,
  emailState,
  mailboxState,
  parseState,
  pointOf,
  threadState,
  threadWasThere,
} from "../../src/store/emails/changes.ts";
import { type EmailIndex, emailIndex } from "../../src/store/emails/email_index.ts";
import { emailCounts } from "../../src/store/emails/mailbox_counts.ts";
import { emailsOfMessageId } from "../../src/store/emails/message_ids.ts";
import { Flag } from "../../src/store/types.ts";
import { type TestStore, withStore } from "./setup.ts";

/** The visible emails, by id and number of rebirths: their mailboxes, flags and keywords as a text. */
type Seen = Map<string, string>;

/** Read from the rows alone. */
function seenNow(account: Account): Seen {
  const seen = new Map<string, { boxes: Set<number>; flags: number; words: Set<string> }>();
  for (
    const [id, reborn, mailbox, flags, keywords] of account.db.all(
      "SELECT m.email_id, t.reborn, m.mailbox_id, m.flags, m.keywords FROM messages m " +
        "JOIN threads t ON t.email_id = m.email_id WHERE m.expunged = 0",
    )
  ) {
    if (flags & Flag.Deleted) continue;
    const key = `${id}-${reborn}`;
    const e = seen.get(key) ?? { boxes: new Set(), flags: 0, words: new Set<string>() };
    e.boxes.add(mailbox);
    e.flags |= flags;
    for (const w of String(keywords).split(" ")) if (w !== "") e.words.add(w);
    seen.set(key, e);
  }
  const texts = [...seen].map(([key, e]): [string, string] => [
    key,
    JSON.stringify([[...e.boxes].sort(), e.flags, [...e.words].sort()]),
  ]);
  return new Map(texts);
}

/** What a client that knows the emails of a state knows after the changes since, in pages of so many. */
function followed(account: Account, index: EmailIndex, from: string, known: Seen, page: number) {
  const ids = new Set(known.keys());
  const named = new Set<string>();
  const destroyed = new Set<string>();
  let state = from;
  for (;;) {
    const since = pointOf(account, state, emailState(account));
    assert.ok(since !== undefined, `the state ${state} is known`);
    const c = emailChanges(account, index, since, page);
    const keys = (list: typeof c.created) => list.map((k) => `${k.emailId}-${k.reborn}`);
    assert.ok(c.created.length + c.updated.length + c.destroyed.length <= page + 1);
    for (const k of keys(c.created)) ids.add(k);
    for (const k of keys(c.updated)) ids.add(k);
    for (const k of keys(c.destroyed)) {
      ids.delete(k);
      destroyed.add(k);
    }
    for (const k of [...keys(c.created), ...keys(c.updated)]) named.add(k);
    if (!c.hasMore) {
      assert.equal(c.newState, String(emailState(account)));
      return { ids, named, destroyed };
    }
    assert.notEqual(c.newState, state, "each page leads on");
    state = c.newState;
  }
}

async function letters(s: TestStore, n: number): Promise<void> {
  const inbox = s.account.mailboxByName("Inbox")!.id;
  for (let i = 0; i < n; i++) {
    const answers = i % 3 === 2 ? `In-Reply-To: <${i - 1}@x.example>\n` : "";
    const subject = i % 3 === 2 ? `Re: ${i - 1}` : i;
    const m = await s.message(`Message-ID: <${i}@x.example>\n${answers}Subject: ${subject}\n\nx\n`);
    await s.account.append(inbox, [{ ...m, received: 1_700_000_000_000 + i }]);
  }
}

Deno.test("from any state, in pages of any size, a client gets to what is there now", async () => {
  const step = fc.record({
    what: fc.constantFrom(
      "new",
      "flag",
      "unflag",
      "word",
      "delete",
      "undelete",
      "copy",
      "move",
      "gone",
    ),
    mailbox: fc.constantFrom("Inbox", "Archive", "Trash"),
    to: fc.constantFrom("Inbox", "Archive", "Trash"),
    pick: fc.nat(20),
  });
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { maxLength: 25 }),
      fc.integer({ min: 1, max: 4 }),
      (steps, page) =>
        withStore(
          async (s) => {
            const { account } = s;
            await letters(s, 4);
            const states: { state: string; seen: Seen }[] = [];
            const note = () =>
              states.push({ state: String(emailState(account)), seen: seenNow(account) });
            note();
            let n = 100;
            for (const { what, mailbox, to, pick } of steps) {
              const id = account.mailboxByName(mailbox)!.id;
              const target = account.mailboxByName(to)!.id;
              const uids = [...account.uids(id)];
              const uid = uids[pick % Math.max(1, uids.length)];
              if (what === "new") {
                const m = await s.message(
                  `Message-ID: <${++n}@x.example>\nSubject: ${pick % 3}\n\nx\n`,
                );
                await account.append(id, [m]);
              } else if (uid === undefined) continue;
              else if (what === "flag") await account.storeFlags(id, [uid], "add", Flag.Seen, []);
              else if (what === "unflag") {
                await account.storeFlags(
                  id,
                  [uid],
                  "remove",
                  Flag.Seen,
                  [],
                );
              } else if (what === "word") {
                await account.storeFlags(id, [uid], "add", 0, [
                  `w${pick % 3}`,
                ]);
              } else if (what === "delete") {
                await account.storeFlags(
                  id,
                  [uid],
                  "add",
                  Flag.Deleted,
                  [],
                );
              } else if (what === "undelete") {
                await account.storeFlags(id, [uid], "remove", Flag.Deleted, []);
              } else if (what === "copy") await account.copy(id, [uid], target);
              else if (what === "move" && target !== id) await account.move(id, [uid], target);
              else if (what === "gone") {
                await account.expunge(id, [uid], undefined, {
                  force: true,
                });
              }
              note();
              // The index follows a step, or several, or is made at the end.
              if (pick % 3 === 0) await emailIndex(account);
            }
            const index = await emailIndex(account);
            const now = seenNow(account);
            const slots = new Map(
              [...Array(index.count).keys()].filter((slot) => index.mailbox[slot] !== 0).map((
                slot,
              ) => [
                `${index.emailAt(slot)}-${index.reborn[slot]}`,
                JSON.stringify([
                  index.mailboxesOf(slot).sort(),
                  index.flags[slot],
                  index.words[index.keywords[slot]].split(" ").filter((w) => w !== "").sort(),
                ]),
              ]),
            );
            assert.deepEqual(new Map([...slots].sort()), new Map([...now].sort()), "the index");
            assert.equal(index.live, now.size);
            const dated = account.db.all(
              "SELECT email_id, min(received) AS r FROM messages WHERE expunged = 0 AND flags & ? = 0 " +
                "GROUP BY email_id ORDER BY r, email_id",
              Flag.Deleted,
            );
            const order = [...index.order.slots].map((slot) => index.emailAt(slot));
            assert.deepEqual(order, dated.map((r) => r[0]), "the order by date");
            for (const slot of index.order.slots) {
              const boxes = index.mailboxesOf(slot);
              for (const { id } of account.mailboxes()) {
                assert.equal(index.isIn(slot, id), boxes.includes(id));
                assert.equal(index.isInAny(slot, new Set([id, 999])), boxes.includes(id));
              }
            }
            for (const { state, seen } of states) {
              const after = followed(account, index, state, seen, page);
              assert.deepEqual([...after.ids].sort(), [...now.keys()].sort(), `since ${state}`);
              for (const [key, value] of now) {
                if (seen.get(key) !== value) {
                  assert.ok(
                    after.named.has(key),
                    `${key} since ${state}`,
                  );
                }
              }
              for (const key of seen.keys()) {
                if (!now.has(key)) assert.ok(after.destroyed.has(key), `${key} since ${state}`);
              }
            }
            const last = emailChanges(account, index, parseState(states.at(-1)!.state)!, 10);
            assert.deepEqual([last.created, last.updated, last.destroyed], [[], [], []]);
          },
          {},
          { inMemory: true },
        ),
    ),
    { numRuns: 25 },
  );
});

Deno.test("threads change when emails of theirs come, go or are hidden, and not by flags", () =>
  withStore(
    async (s) => {
      const { account } = s;
      await letters(s, 6);
      const inbox = account.mailboxByName("Inbox")!.id;
      const threadOf = (messageId: string) => {
        const [id] = emailsOfMessageId(account, messageId);
        return account.db.get("SELECT thread_id FROM threads WHERE email_id = ?", id)![0] as number;
      };
      // 2 answers 1, 5 answers 4; the others are alone.
      assert.equal(threadOf("1@x.example"), threadOf("2@X.EXAMPLE"));
      assert.notEqual(threadOf("0@x.example"), threadOf("1@x.example"));
      assert.deepEqual(emailsOfMessageId(account, "none@x.example"), []);
      const [first, pair, other] = ["0@x.example", "1@x.example", "4@x.example"].map(threadOf);
      const changed = async (fn: () => Promise<unknown>) => {
        const index = await emailIndex(account);
        const before = { threads: threadState(account, index), emails: emailState(account) };
        const boxes = mailboxState(account);
        await fn();
        const later = await emailIndex(account);
        const since = pointOf(account, String(before.threads), threadState(account, later))!;
        const ids = changedThreads(account, later, since).map((t) => t.threadId).sort();
        return {
          ids,
          threads: threadState(account, later) > before.threads,
          emails: emailState(account) > before.emails,
          mailboxes: mailboxState(account) > boxes,
        };
      };
      const all = { threads: true, emails: true, mailboxes: true };
      assert.deepEqual(
        await changed(() => account.storeFlags(inbox, [1], "add", Flag.Seen, ["x"])),
        { ids: [], threads: false, emails: true, mailboxes: true },
      );
      assert.deepEqual(
        await changed(() => account.storeFlags(inbox, [2], "add", Flag.Deleted, [])),
        { ids: [pair], ...all },
      );
      const before = pointOf(account, String(emailState(account)), emailState(account))!;
      assert.deepEqual(
        await changed(() => account.expunge(inbox, [1], undefined, { force: true })),
        {
          ids: [first],
          ...all,
        },
      );
      const answer = await s.message(
        "Message-ID: <7@x.example>\nIn-Reply-To: <5@x.example>\nSubject: Re: 4\n\nx\n",
      );
      assert.deepEqual(await changed(() => account.append(inbox, [answer])), {
        ids: [other],
        ...all,
      });
      const index = await emailIndex(account);
      const alone = await s.message("Message-ID: <8@x.example>\nSubject: new\n\nx\n");
      await account.append(inbox, [alone]);
      const there = [first, pair, other, threadOf("8@x.example"), 9999].map((thread) =>
        threadWasThere(account, index, thread, before)
      );
      assert.deepEqual(there, [true, true, true, false, false]);
      const nowPoint = pointOf(account, String(emailState(account)), emailState(account))!;
      const latest = await emailIndex(account);
      assert.equal(threadWasThere(account, latest, first, nowPoint), false, "it has gone");
      assert.equal(threadWasThere(account, latest, threadOf("8@x.example"), nowPoint), true);
      // States of the future, and texts that are none, are known of nobody.
      assert.equal(
        pointOf(account, String(emailState(account) + 1), emailState(account)),
        undefined,
      );
      assert.equal(pointOf(account, "x", emailState(account)), undefined);
    },
    {},
    { inMemory: true },
  ));

Deno.test("a thread's change has its first and its last modseq; counts follow changes and the place of Trash", () =>
  withStore(
    async (s) => {
      const { account } = s;
      await letters(s, 3);
      const inbox = account.mailboxByName("Inbox")!.id;
      const [trash, archive] = ["Trash", "Archive"].map((n) => account.mailboxByName(n)!.id);
      const before = pointOf(account, String(emailState(account)), emailState(account))!;
      const index = await emailIndex(account);
      const none = { totalEmails: 0, unreadEmails: 0, totalThreads: 0, unreadThreads: 0 };
      const all = { totalEmails: 3, unreadEmails: 3, totalThreads: 2, unreadThreads: 2 };
      assert.deepEqual(emailCounts(index, trash)(inbox), all);
      assert.deepEqual(emailCounts(index, trash)(trash), none);
      await account.expunge(inbox, [2], undefined, { force: true });
      const middle = emailState(account);
      await account.expunge(inbox, [3], undefined, { force: true });
      const after = await emailIndex(account);
      const [change, ...others] = changedThreads(account, after, before);
      assert.deepEqual(others, []);
      assert.deepEqual([change.first, change.last], [middle, emailState(account)]);
      const counts = emailCounts(after, trash)(inbox);
      const one = { totalEmails: 1, unreadEmails: 1, totalThreads: 1, unreadThreads: 1 };
      assert.deepEqual(counts, one);
      assert.equal(emailCounts(after, trash)(inbox), counts, "nothing is counted again");
      // An unread email that is in Trash alone counts there only: which mailbox that is matters.
      await account.storeFlags(inbox, [1], "add", Flag.Seen, []);
      const answer = await s.message(
        "Message-ID: <9@x.example>\nIn-Reply-To: <0@x.example>\nSubject: Re: 0\n\nx\n",
      );
      await account.append(archive, [answer]);
      const now = await emailIndex(account);
      assert.equal(emailCounts(now, trash)(inbox).unreadThreads, 1);
      assert.equal(emailCounts(now, archive)(inbox).unreadThreads, 0);
      assert.equal(emailCounts(now, archive)(archive).unreadThreads, 1);
      assert.equal(emailCounts(now, trash)(inbox).unreadThreads, 1);
    },
    {},
    { inMemory: true },
  ));

Deno.test("an email that leaves one of its mailboxes has changed; a thread's changes are sorted by time", () =>
  withStore(
    async (s) => {
      const { account } = s;
      await letters(s, 6);
      const inbox = account.mailboxByName("Inbox")!.id;
      const archive = account.mailboxByName("Archive")!.id;
      await account.copy(inbox, [1], archive);
      const id = account.db.get("SELECT email_id FROM messages WHERE uid = 1 LIMIT 1")![0];
      for (const fresh of [false, true]) {
        const before = pointOf(account, String(emailState(account)), emailState(account))!;
        if (!fresh) await emailIndex(account);
        await (fresh
          ? account.storeFlags(archive, [1], "add", Flag.Flagged, [])
          : account.expunge(inbox, [1], undefined, { force: true }));
        const { created, updated, destroyed } = emailChanges(
          account,
          await emailIndex(account),
          before,
          10,
        );
        assert.deepEqual([created, updated.map((k) => k.emailId), destroyed], [[], [id], []]);
      }
      // The second letter goes before its answer is hidden.
      const before = pointOf(account, String(emailState(account)), emailState(account))!;
      await account.expunge(inbox, [2], undefined, { force: true });
      const first = emailState(account);
      await account.storeFlags(inbox, [3], "add", Flag.Deleted, []);
      const last = emailState(account);
      const changed = changedThreads(account, await emailIndex(account), before);
      assert.deepEqual(changed.map((t) => [t.first, t.last]), [[first, last]]);
    },
    {},
    { inMemory: true },
  ));
