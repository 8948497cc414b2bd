/** Statements over runs of ids change what was asked for, and nothing between. */
import assert from "node:assert/strict";
import { runsOf, runsOfIds } from "../../src/store/messages/runs.ts";
import { Flag } from "../../src/store/types.ts";
import { messageFiles, type TestStore, withStore } from "./setup.ts";

Deno.test("lists split where a number is missing", () => {
  const runs = (ids: number[]) => [...runsOfIds(ids)].map((r) => ids.slice(r.from, r.end));
  assert.deepEqual(runs([]), []);
  assert.deepEqual(runs([7]), [[7]]);
  assert.deepEqual(runs([1, 2, 3, 5, 7, 8]), [[1, 2, 3], [5], [7, 8]]);
  assert.deepEqual([...runsOf(4, (i) => i !== 2)], [{ from: 0, end: 2 }, { from: 2, end: 4 }]);
});

/** The same numbers each time. */
function random(seed: number) {
  return (n: number) => {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
    return (seed >>> 8) % n;
  };
}

interface Place {
  mailbox: number;
  uid: number;
  email: number;
  size: number;
  flags: number;
}

function places(s: TestStore): Place[] {
  return s.account.db.all(
    "SELECT mailbox_id, uid, email_id, size, flags FROM messages WHERE expunged = 0 ORDER BY mailbox_id, uid",
  ).map(([mailbox, uid, email, size, flags]) => ({ mailbox, uid, email, size, flags }));
}

const column = (s: TestStore, sql: string) => s.account.db.all(sql).map((r) => r[0] as number);

Deno.test("any uids expunged or moved: places, emails, threads, files, quota and remnants as one by one", () =>
  withStore(async (s) => {
    const draw = random(28);
    const inbox = s.account.mailboxByName("Inbox")!.id;
    const archive = s.account.mailboxByName("Archive")!.id;
    for (let i = 0; i < 40; i++) {
      const m = await s.message(
        `Subject: ${i}\nMessage-ID: <${i}@runs>\n\n${"x".repeat(draw(50))}\n`,
      );
      await s.account.append(inbox, [{ ...m, flags: draw(2) ? Flag.Deleted : draw(2) }]);
    }
    // Emails twice in a mailbox, ids out of the order of uids.
    for (const uids of [[3, 4, 5, 20], [30, 31], [4, 9, 10, 11, 12]]) {
      await s.account.copy(inbox, uids, inbox);
      await s.account.copy(inbox, uids, archive);
    }
    await s.account.move(archive, [2, 3, 7], inbox);
    for (let round = 0; round < 12; round++) {
      const before = places(s);
      const from = round % 3 === 2 ? archive : inbox;
      const here = before.filter((p) => p.mailbox === from);
      const uids = here.map((p) => p.uid).filter(() => draw(3) > 0);
      if (round % 2 === 0) {
        const force = draw(3) === 0;
        const goes = (p: Place) =>
          p.mailbox === from && uids.includes(p.uid) && (force || (p.flags & Flag.Deleted) !== 0);
        const r = await s.account.expunge(from, uids, undefined, { force });
        assert.deepEqual(r.uids, before.filter(goes).map((p) => p.uid));
        assert.deepEqual(places(s), before.filter((p) => !goes(p)));
      } else {
        const to = from === inbox ? archive : inbox;
        const next = s.account.mailbox(to)!.uidNext;
        const r = await s.account.move(from, uids, to);
        assert.deepEqual(r.fromUids, uids);
        assert.deepEqual(r.toUids, uids.map((_, i) => next + i));
        const moved = here.filter((p) => uids.includes(p.uid))
          .map((p, i) => ({ ...p, mailbox: to, uid: next + i }));
        const stay = before.filter((p) => p.mailbox !== from || !uids.includes(p.uid));
        const order = (a: Place, b: Place) => a.mailbox - b.mailbox || a.uid - b.uid;
        assert.deepEqual(places(s), [...stay, ...moved].sort(order));
      }
      const now = places(s);
      const emails = new Map(now.map((p) => [p.email, p.size]));
      const ids = [...emails.keys()].sort((a, b) => a - b);
      assert.deepEqual(column(s, "SELECT id FROM emails ORDER BY id"), ids);
      assert.deepEqual(column(s, "SELECT email_id FROM threads ORDER BY email_id"), ids);
      const [used] = column(s, "SELECT message_size FROM state");
      assert.equal(used, [...emails.values()].reduce((sum, size) => sum + size, 0));
      for (const id of [inbox, archive]) {
        const { total, deleted, size } = s.account.mailbox(id)!;
        const own = now.filter((p) => p.mailbox === id);
        const flagged = own.filter((p) => p.flags & Flag.Deleted).length;
        const bytes = own.reduce((sum, p) => sum + p.size, 0);
        assert.deepEqual([total, deleted, size], [own.length, flagged, bytes]);
        // Each uid that there was has one row, alive or expunged: QRESYNC tells of those that are gone.
        const all = column(s, `SELECT uid FROM messages WHERE mailbox_id = ${id} ORDER BY uid`);
        assert.deepEqual(
          all,
          Array.from({ length: s.account.mailbox(id)!.uidNext - 1 }, (_, i) => i + 1),
        );
      }
      assert.equal(messageFiles(s).length, ids.length);
    }
  }));
