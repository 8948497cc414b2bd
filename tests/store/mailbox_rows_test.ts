import assert from "node:assert/strict";
import { fc } from "../support/fast_check.ts";
import { asMailboxId } from "../../src/store/ids.ts";
import { MailboxRows } from "../../src/store/messages/mailbox_rows.ts";
import { Flag } from "../../src/store/types.ts";
import { type TestStore, withStore } from "./setup.ts";

async function add(s: TestStore, subject: string): Promise<void> {
  await s.account.deliver("Inbox", await s.message(`Subject: ${subject}\n\nx\n`));
}

Deno.test("rows in memory are those of the database after any changes", async () => {
  const step = fc.oneof(
    fc.record({ op: fc.constant("add" as const) }),
    fc.record({
      op: fc.constantFrom("flag" as const, "unflag" as const, "expunge" as const, "move" as const),
      at: fc.nat(20),
      n: fc.integer({ min: 1, max: 5 }),
    }),
    fc.record({ op: fc.constant("look" as const) }),
    fc.record({ op: fc.constant("keyword" as const), at: fc.nat(20) }),
  );
  await fc.assert(
    fc.asyncProperty(
      fc.array(step, { minLength: 5, maxLength: 40 }),
      (steps) =>
        withStore(async (store) => {
          const { account } = store;
          const inbox = account.mailboxByName("Inbox")!.id;
          const other = account.mailboxByName("Archive")!.id;
          for (let i = 0; i < 3; i++) await add(store, String(i));
          await account.prepareRows(inbox);
          await account.prepareRows(other);
          for (const s of steps) {
            const uids = account.db.all(
              "SELECT uid FROM messages WHERE mailbox_id = ? AND expunged = 0 ORDER BY uid",
              inbox,
            ).map((r) => r[0] as number);
            const some = "n" in s
              ? uids.slice(s.at, s.at + s.n)
              : "at" in s
              ? uids.slice(s.at)
              : [];
            if (s.op === "add") await add(store, "new");
            else if (s.op === "flag") {
              await account.storeFlags(inbox, some, "add", Flag.Flagged, []);
            } else if (s.op === "unflag") {
              await account.storeFlags(inbox, some, "set", 0, []);
            } else if (s.op === "keyword") {
              await account.storeFlags(inbox, some, "add", 0, ["word"]);
            } else if (s.op === "move") {
              await account.move(inbox, some, other);
            } else if (s.op === "expunge") {
              // At the same time as another change: both are in one transaction.
              await Promise.all([
                account.storeFlags(inbox, uids.slice(-1), "add", Flag.Seen, []),
                account.storeFlags(inbox, some, "add", Flag.Deleted, []),
                account.expunge(inbox, some),
              ]);
            } else {
              assert.ok(account.rows.get(inbox), "in memory");
            }
            assert.deepEqual(account.rows.differences(), []);
            assert.deepEqual(
              [...account.uids(inbox)],
              account.db.all(
                "SELECT uid FROM messages WHERE mailbox_id = ? AND expunged = 0 ORDER BY uid",
                inbox,
              ).map((r) => r[0]),
            );
          }
        }),
    ),
    { numRuns: 12 },
  );
});

Deno.test("changes while a mailbox is being taken into memory are in the rows", () =>
  withStore(async (store) => {
    const { account } = store;
    const inbox = account.mailboxByName("Inbox")!.id;
    for (let i = 0; i < 4; i++) await add(store, String(i));
    const prepared = account.prepareRows(inbox);
    await Promise.all([
      prepared,
      account.storeFlags(inbox, [1, 2], "add", Flag.Flagged, []),
      add(store, "late"),
    ]);
    assert.ok(account.rows.get(inbox));
    assert.deepEqual(account.rows.differences(), []);
    const flagged: number[] = [];
    account.eachWithFlags(inbox, Flag.Flagged, 0, (uid) => flagged.push(uid));
    assert.deepEqual(flagged, [1, 2]);
  }));

Deno.test("rows of a large mailbox grow by an eighth, and keep what they hold", () => {
  const count = 120_000;
  const rows = new MailboxRows(asMailboxId(1), 1, 1, 0);
  for (let i = 0; i < count; i++) {
    rows.put([
      i * 2 + 1,
      i,
      i % 7,
      i % 1000 === 0 ? "work" : "",
      i + 5,
      i + 6,
      i + 7,
      i + 8,
      i + 9,
    ]);
  }
  assert.equal(rows.count, count);
  assert.ok(rows.uids.length <= count * 9 / 8 + 1, `${rows.uids.length}`);
  for (let i = 0; i < count; i += 997) {
    const at = rows.indexOf(i * 2 + 1);
    assert.deepEqual(
      [at, rows.flags[at], rows.emailIds[at], rows.sizes[at]],
      [i, i % 7, i + 6, i + 9],
    );
  }
  assert.equal(rows.keywords.filter((k) => k === "work").length, count / 1000);
});
