/** The index of emails where there are thousands: its columns grow, and what is far behind is read in slices. */
import assert from "node:assert/strict";
import {
  emailChanges,
  emailState,
  formatState,
  oldest,
  parseState,
} from "../../src/store/emails/changes.ts";
import { EmailIndex, emailIndex } from "../../src/store/emails/email_index.ts";
import { Flag } from "../../src/store/types.ts";
import { withStore } from "./setup.ts";

Deno.test("four thousand emails: each has its own columns, whoever asks while the index is made", () =>
  withStore(
    async (s) => {
      const { account } = s;
      const inbox = account.mailboxByName("Inbox")!.id;
      const n = 4100;
      for (let from = 0; from < n; from += 1000) {
        const list = [];
        for (let i = from; i < Math.min(n, from + 1000); i++) {
          list.push({
            ...await s.message(
              `Message-ID: <${i}@x.example>\nSubject: ${i}\n\n${"x".repeat(i % 7)}\n`,
            ),
            flags: i % 3 === 0 ? Flag.Seen : 0,
            keywords: i % 5 === 0 ? [`k${i % 10}`] : [],
            received: 1_700_000_000_000 + (i * 7919) % n * 1000,
          });
        }
        await account.append(inbox, list);
      }
      const rows = () =>
        account.db.all(
          "SELECT email_id, flags, keywords, received, size, modseq FROM messages WHERE expunged = 0 ORDER BY id",
        );
      const check = (index: EmailIndex) => {
        const want = rows();
        assert.equal(index.live, want.length);
        for (const [id, flags, keywords, received, size, modseq] of want) {
          const slot = index.slotOf(id)!;
          const have = [
            index.emailId[slot],
            index.flags[slot],
            index.words[index.keywords[slot]],
            index.received[slot],
            index.size[slot],
            index.modseq[slot],
            index.mailbox[slot],
            index.threadId[slot] > 0,
            index.reborn[slot],
          ];
          assert.deepEqual(have, [id, flags, keywords, received, size, modseq, inbox, true, 0]);
        }
        const order = want.toSorted((a, b) => a[3] - b[3] || a[0] - b[0]).map((r) => r[0]);
        assert.deepEqual([...index.order.slots].map((slot) => index.emailId[slot]), order);
      };
      // Three ask at once, and one of them while messages change.
      const [a, b] = await Promise.all([emailIndex(account), emailIndex(account)]);
      assert.equal(a, b);
      check(a);
      const before = emailState(account);
      const uids = [...account.uids(inbox)];
      await account.storeFlags(inbox, uids.slice(0, 2500), "add", Flag.Flagged, ["new"]);
      const behind = emailIndex(account);
      await account.storeFlags(inbox, uids.slice(0, 10), "add", Flag.Answered, []);
      await account.expunge(inbox, uids.slice(3000, 3100), undefined, { force: true });
      check(await behind);
      assert.equal((await emailIndex(account)).count, n, "slots are used once");
      const { created, updated, destroyed, hasMore } = emailChanges(
        account,
        a,
        parseState(String(before))!,
        10_000,
      );
      assert.deepEqual([created.length, updated.length, destroyed.length, hasMore], [
        0,
        2500,
        100,
        false,
      ]);
    },
    {},
    { inMemory: true },
  ));

Deno.test("states as texts", () => {
  const rows: [text: string, modseq: number | undefined, order?: number][] = [
    ["0", 0],
    ["12", 12],
    ["12-345", 12, 345],
    ["12-0", 12, 0],
    ["", undefined],
    ["-1", undefined],
    ["12-", undefined],
    ["1.5", undefined],
    [" 12", undefined],
    ["9".repeat(15), 999_999_999_999_999],
    ["9".repeat(16), undefined],
  ];
  for (const [text, modseq, order] of rows) {
    const point = parseState(text);
    assert.equal(point?.modseq, modseq, text);
    if (point === undefined) continue;
    assert.equal(point.order, order ?? Number.MAX_SAFE_INTEGER, text);
    assert.equal(formatState(point), text);
  }
});

Deno.test("the oldest of many events: pages by modseq and number, what is of one step is not parted", () => {
  const event = (modseq: number, order: number, kind: "created" | "destroyed" = "created") => ({
    modseq,
    order,
    kind,
  });
  const events = [event(7, 1), event(5, 9), event(5, 3, "destroyed"), event(5, 3), event(6, 2)];
  const page = (limit: number, list = events) => {
    const r = oldest(list, limit, 20);
    return [r.events.map((e) => `${e.modseq}-${e.order}`).join(" "), r.newState, r.hasMore];
  };
  assert.deepEqual(page(1), ["5-3 5-3", "5-3", true], "one that goes and comes again is one step");
  assert.deepEqual(page(2), ["5-3 5-3", "5-3", true]);
  assert.deepEqual(page(3), ["5-3 5-3 5-9", "5-9", true]);
  assert.deepEqual(page(4), ["5-3 5-3 5-9 6-2", "6-2", true]);
  assert.deepEqual(page(5), ["7-1 5-9 5-3 5-3 6-2", "20", false]);
  assert.deepEqual(page(1, [event(5, 3, "destroyed"), event(5, 3)]), ["5-3 5-3", "20", false]);
  assert.deepEqual(page(1, []), ["", "20", false]);
});
