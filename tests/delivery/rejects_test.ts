/** The Rejects mailbox: kept once, small, and only what was put there as a reject. */
import assert from "node:assert/strict";
import {
  cleanUpRejects,
  dropReject,
  keepReject,
  rejectsMaxAge,
  rejectsMaxCount,
} from "../../src/delivery/rejects.ts";
import { Flag } from "../../src/store/types.ts";
import { deliveryFacts, type TestStore, withStore } from "../store/setup.ts";

const now = Date.UTC(2026, 0, 20);
const day = 24 * 3600_000;

async function reject(s: TestStore, id: string, age = 0, flags = 0) {
  const m = await s.message(`Message-ID: <${id}>\nSubject: ${id}\n\nx\n`);
  const facts = deliveryFacts();
  return await keepReject(s.account, "Rejects", id, { ...m, flags, facts, received: now - age });
}

const uids = (s: TestStore) => [...s.account.uids(s.account.mailboxByName("Rejects")!.id)];

Deno.test("a refused message is kept once, read, and marked as a reject", () =>
  withStore(async (s) => {
    const m = (await reject(s, "1@x", 0, Flag.Flagged))!;
    assert.equal(m.flags, Flag.Flagged | Flag.Seen);
    assert.equal(
      s.account.db.get("SELECT is_reject FROM deliveries WHERE message_id = ?", m.id)![0],
      1,
    );
    assert.equal(await reject(s, "1@x"), undefined, "tried again");
    assert.ok(await reject(s, "2@x"));
    assert.deepEqual(uids(s), [1, 2]);
    // Without an id nothing tells them apart.
    assert.ok(await reject(s, ""));
    assert.ok(await reject(s, ""));
    // What a user moved there is none of them.
    const own = await s.account.deliver("Rejects", await s.message("Message-ID: <own@x>\n\nx\n"));
    assert.ok(await reject(s, "own@x"));
    assert.ok(uids(s).includes(own.uid));
  }));

Deno.test("an accepted message takes its rejects away, and nothing else", () =>
  withStore(async (s) => {
    assert.equal(await dropReject(s.account, "Rejects", "1@x"), 0, "no such mailbox");
    await reject(s, "1@x");
    await reject(s, "2@x");
    await reject(s, "");
    await s.account.deliver("Rejects", await s.message("Message-ID: <1@x>\n\nown\n"));
    assert.equal(await dropReject(s.account, "Rejects", "3@x"), 0);
    assert.equal(await dropReject(s.account, "Rejects", ""), 0);
    assert.equal(await dropReject(s.account, "Rejects", "1@x"), 1);
    assert.deepEqual(uids(s), [2, 3, 4]);
    assert.equal(await dropReject(s.account, "Rejects", "1@x"), 0);
  }));

Deno.test("rejects go when they are too old, to the millisecond, or too many, the oldest first", () =>
  withStore(async (s) => {
    assert.deepEqual([rejectsMaxAge, rejectsMaxCount], [14 * day, 1000]);
    assert.equal(await cleanUpRejects(s.account, "Rejects", now), 0, "no such mailbox");
    await reject(s, "1@x", 14 * day + 1);
    await reject(s, "2@x", 14 * day);
    await reject(s, "3@x");
    const own = await s.message("Message-ID: <own@x>\n\nx\n");
    await s.account.deliver("Rejects", {
      ...own,
      facts: deliveryFacts(),
      received: now - 99 * day,
    });
    assert.equal(await cleanUpRejects(s.account, "Rejects", now), 1);
    assert.deepEqual(uids(s), [2, 3, 4]);
    for (const id of ["5@x", "6@x"]) await reject(s, id);
    // Four are rejects; five messages are there.
    assert.equal(await cleanUpRejects(s.account, "Rejects", now, { maxCount: 5 }), 0);
    assert.equal(await cleanUpRejects(s.account, "Rejects", now, { maxCount: 3 }), 1);
    assert.deepEqual(uids(s), [3, 4, 5, 6]);
    assert.equal(
      await cleanUpRejects(s.account, "Rejects", now + 1, { maxAge: 0, maxCount: 1 }),
      3,
    );
    assert.deepEqual(uids(s), [4]);
  }));

Deno.test("those that are too old and those that are too many go together, whatever their order", () =>
  withStore(async (s) => {
    for (const [id, age] of [["1@x", 0], ["2@x", 0], ["3@x", 99 * day]] as const) {
      await reject(s, id, age);
    }
    assert.equal(await cleanUpRejects(s.account, "Rejects", now, { maxCount: 2 }), 2);
    assert.deepEqual(uids(s), [2]);
  }));
