import assert from "node:assert/strict";
import { sortUids } from "../../src/imap/server/search/kept_orders.ts";
import type { SortKey } from "../../src/imap/parse/sort_keys.ts";
import { sortAnew } from "../../src/imap/server/search/sorting.ts";
import { withStore } from "../store/setup.ts";

const keys = (...names: SortKey["key"][]): SortKey[] =>
  names.map((key) => ({ key, reverse: false }));

Deno.test("a kept order is what sorting anew gives, as messages come and go", () =>
  withStore(async (s) => {
    const { account } = s;
    const inbox = account.mailboxByName("Inbox")!.id;
    let random = 7;
    const next = (n: number) => {
      random = (random * 48271) % 2147483647;
      return random % n;
    };
    const deliver = async (count: number) => {
      for (let i = 0; i < count; i++) {
        const text =
          `From: p${next(5)}@example.org\nSubject: ${["Re: ", ""][next(2)]}s${next(20)}` +
          `\nDate: ${1 + next(28)} Nov 2026 10:00:00 +0000\n\nhi\n`;
        await account.deliver("Inbox", await s.message(text));
      }
    };
    const lists: SortKey[][] = [
      keys("SUBJECT"),
      [{ key: "SUBJECT", reverse: true }],
      keys("DATE", "SIZE"),
      keys("FROM"),
      keys("ARRIVAL"),
      keys("SUBJECT", "FROM"),
    ];
    await deliver(60);
    await account.prepareRows(inbox);
    for (let step = 0; step < 25; step++) {
      const all = [...account.uids(inbox)];
      const half = all.filter(() => next(3) > 0);
      for (const wanted of [all, half, all.slice(-3)]) {
        for (const list of lists) {
          assert.deepEqual(
            await sortUids(account, inbox, wanted, list),
            await sortAnew(account, inbox, wanted, list),
          );
        }
      }
      const gone = [all[next(all.length)], all[all.length - 1]];
      if (step % 2) await account.expunge(inbox, gone, undefined, { force: true });
      if (step % 3) await deliver(1 + next(3));
      // More than are put in one by one.
      if (step === 12) await deliver(120);
    }
  }));
