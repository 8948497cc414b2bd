/** Counts of mailboxes: of each combination of flags, and after each change. */
import assert from "node:assert/strict";
import { CountDelta } from "../../src/store/mailboxes/counts.ts";
import { Flag } from "../../src/store/types.ts";
import { withStore } from "./setup.ts";

const { Seen, Deleted, Flagged, Draft, Junk } = Flag;

/** Flags, and whether such a message is deleted, unread and unseen. */
const cases: [flags: number, deleted: number, unread: number, unseen: number][] = [
  [0, 0, 1, 1],
  [Seen, 0, 0, 0],
  [Deleted, 1, 0, 1],
  [Seen | Deleted, 1, 0, 0],
  [Flagged, 0, 1, 1],
  [Draft | Junk, 0, 1, 1],
  [Flagged | Seen, 0, 0, 0],
  [1023, 1, 0, 0],
  [1023 & ~Seen, 1, 0, 1],
  [1023 & ~Deleted, 0, 0, 0],
];

Deno.test("a message counts as deleted, unread and unseen by its flags", () => {
  for (const [flags, deleted, unread, unseen] of cases) {
    const d = new CountDelta();
    d.count(1, flags, 700);
    assert.deepEqual({ ...d }, { total: 1, deleted, unread, unseen, size: 700 }, `flags ${flags}`);
    d.count(1, flags, 50);
    d.count(-1, flags, 700);
    assert.deepEqual({ ...d }, { total: 1, deleted, unread, unseen, size: 50 }, `flags ${flags}`);
    d.countFlags(-1, flags);
    assert.deepEqual({ ...d }, { total: 1, deleted: 0, unread: 0, unseen: 0, size: 50 });
  }
});

Deno.test("counts of a mailbox follow each change of flags", () =>
  withStore(async ({ account, message }) => {
    const m = await account.deliver("Inbox", await message("Subject: x\n\nx\n"));
    for (const [from] of cases) {
      for (const [to, deleted, unread, unseen] of cases) {
        await account.storeFlags(m.mailboxId, [1], "set", from, []);
        await account.storeFlags(m.mailboxId, [1], "set", to, []);
        const { total, size, ...c } = account.mailbox(m.mailboxId)!;
        assert.deepEqual(
          [total, size, c.deleted, c.unread, c.unseen],
          [1, m.size, deleted, unread, unseen],
          `from ${from} to ${to}`,
        );
      }
    }
  }));
