import { asEmailId } from "../../src/store/ids.ts";
import assert from "node:assert/strict";
import { threadParents } from "../../src/store/messages/threads.ts";
import { matchThread } from "../../src/store/messages/threads.ts";
import { Flag } from "../../src/store/types.ts";
import { withStore } from "./setup.ts";

const mail = (id: string, subject: string, refs = "") =>
  `From: a@example.org\nMessage-ID: <${id}>\nSubject: ${subject}\n${
    refs && `References: ${refs}\n`
  }\nx\n`;

Deno.test("an answer joins the thread of what it refers to, if the base subject is the same", () =>
  withStore(async (s) => {
    const root = await s.account.deliver("Inbox", await s.message(mail("1@x", "plan")));
    const answer = await s.account.deliver(
      "Inbox",
      await s.message(mail("2@x", "Re: plan", "<1@x>")),
    );
    const other = await s.account.deliver("Inbox", await s.message(mail("3@x", "else", "<1@x>")));
    assert.equal(answer.threadId, root.threadId);
    assert.notEqual(other.threadId, root.threadId);
    assert.deepEqual(threadParents(s.account.db, answer.emailId), [root.emailId]);
  }));

Deno.test("without references an answer is matched by subject, a new message is not", () =>
  withStore(async (s) => {
    const day = 24 * 3600_000;
    const now = Date.now();
    const at = async (text: string, received: number) =>
      await s.account.deliver("Inbox", { ...await s.message(text), received });
    const root = await at(mail("1@x", "lunch"), now - 10 * day);
    const answer = await at(mail("2@x", "AW: lunch"), now - 5 * day);
    const again = await at(mail("3@x", "lunch"), now);
    const late = await at(mail("4@x", "Re: lunch"), now + 40 * day);
    assert.equal(answer.threadId, root.threadId);
    assert.notEqual(again.threadId, root.threadId);
    assert.notEqual(late.threadId, root.threadId);
  }));

Deno.test("an answer without references by somebody else is not of the conversation", () =>
  withStore(async (s) => {
    const mail = (from: string, to: string, subject: string) =>
      `From: ${from}\nTo: ${to}\nMessage-ID: <${crypto.randomUUID()}@x>\nSubject: ${subject}\n\nx\n`;
    const add = async (from: string, to: string, subject: string) =>
      await s.account.deliver("Inbox", await s.message(mail(from, to, subject)));
    const bob = await add("bob@x.example", "me@x.example, carol@x.example", "Invoice");
    const eve = await add("eve@evil.example", "me@x.example", "Re: Invoice");
    const forwarded = await add("eve@evil.example", "me@x.example", "Fwd: Invoice");
    const carol = await add("carol@x.example", "me@x.example", "Re: Invoice");
    const mine = await add("me@x.example", "bob@x.example", "Re: Invoice");
    assert.notEqual(eve.threadId, bob.threadId);
    // Her own two messages are one conversation.
    assert.equal(forwarded.threadId, eve.threadId);
    assert.equal(carol.threadId, bob.threadId);
    assert.equal(mine.threadId, bob.threadId);
  }));

Deno.test("a parent that arrives after its answers gathers them", () =>
  withStore(async (s) => {
    const c = await s.account.deliver(
      "Inbox",
      await s.message(mail("3@x", "Re: a", "<1@x> <2@x>")),
    );
    const b = await s.account.deliver("Inbox", await s.message(mail("2@x", "Re: a", "<1@x>")));
    const a = await s.account.deliver("Inbox", await s.message(mail("1@x", "a")));
    const ids = [a, b, c].map((m) => s.account.message(m.id)!.threadId);
    assert.equal(new Set(ids).size, 1);
    assert.deepEqual(threadParents(s.account.db, c.emailId), [b.emailId, a.emailId]);
  }));

Deno.test("an answer in a muted thread arrives seen", () =>
  withStore(async (s) => {
    const root = await s.account.deliver("Inbox", await s.message(mail("1@x", "noise")));
    await s.account.writer.write(() => {
      s.account.db.run("UPDATE threads SET muted = 1 WHERE email_id = ?", root.emailId);
    });
    const answer = await s.account.deliver(
      "Inbox",
      await s.message(mail("2@x", "Re: noise", "<1@x>")),
    );
    assert.equal(answer.flags & Flag.Seen, Flag.Seen);
  }));

/** THREAD_CHAIN=20000 shows that the time is linear. */
const chain = Number(Deno.env.get("THREAD_CHAIN") ?? 2000);

Deno.test(`one chain of ${chain} answers in any order becomes one thread`, () =>
  withStore(({ account }) => {
    const n = chain;
    const insert = (count: number, order: (i: number) => number, offset: number) => {
      const start = performance.now();
      account.db.transaction(() => {
        for (let i = 0; i < count; i++) {
          const k = order(i);
          const first = Math.max(0, k - 10);
          matchThread(account.db, {
            emailId: asEmailId(offset + k + 1),
            messageId: `${offset}-${k}@x`,
            references: Array.from({ length: k - first }, (_, j) => `${offset}-${first + j}@x`),
            subject: "chain",
            isReply: k > 0,
            received: k,
          });
        }
      });
      const time = performance.now() - start;
      const [threads] = account.db.get(
        "SELECT count(DISTINCT thread_id) FROM threads WHERE email_id > ? AND email_id <= ?",
        offset,
        offset + count,
      )!;
      assert.equal(threads, 1);
      return time;
    };
    try {
      insert(n, (i) => i, 0);
      insert(n, (i) => n - 1 - i, n);
      insert(n, (i) => (i * 7919) % n, 2 * n);
    } finally {
      // Rows without emails, which the check at the end would not like.
      account.db.transaction(() => account.db.exec("DELETE FROM threads"));
    }
    return Promise.resolve();
  }));
