/** SORT and THREAD by columns give what going through the summaries gives. */
import assert from "node:assert/strict";
import { sortByColumns } from "../../src/imap/server/search/column_sort.ts";
import { threadsByColumns } from "../../src/imap/server/search/column_threads.ts";
import { type SortKey, sortKeys } from "../../src/imap/parse/sort_keys.ts";
import { rankNumbers, rankTexts, sortTexts } from "../../src/store/columns/ranks.ts";
import {
  formatThreads,
  orderedSubject,
  references,
  refs,
  sortAnew,
} from "../../src/imap/server/search/sorting.ts";
import { withStore } from "../store/setup.ts";

function sequence(seed: number): (n: number) => number {
  return (n) => {
    seed = (seed * 48271) % 2147483647;
    return seed % n;
  };
}

const people = ["a@example.org", "Zoe <b@example.org>", "=?utf-8?q?=C3=84da?= <c@x.example>"];
const groups = ["list: x@example.org, y@example.org;", "", "=?utf-8?q?=C3=84da?= <c@x.example>"];

/** Messages whose references are of all kinds: chains, gaps, circles, ids that are used twice. */
function text(next: (n: number) => number, made: number, chains: boolean): string {
  const id = () => `<m${next(made + 8)}@x.example>`;
  const thread = made % 6;
  const chain = Array.from(
    { length: Math.floor(made / 6) },
    (_, i) => `<m${thread + i * 6}@x.example>`,
  );
  const list = chains && next(4) > 0
    ? chain.slice(next(3) === 0 ? next(chain.length + 1) : 0)
    : Array.from({ length: next(5) }, id);
  const own = next(12) === 0 ? next(3) === 0 ? "" : id() : `<m${made}@x.example>`;
  const line = (name: string, value: string) => value === "" ? "" : `${name}: ${value}\n`;
  const subject = `${["", "Re: ", "Fwd: "][next(3)]}${["", "s", "S", "\u00e4"][next(4)]}${
    next(25)
  }`;
  return line("From", people[next(3)]) + line("To", groups[next(3)]) + line("Cc", people[next(3)]) +
    line("Subject", next(15) === 0 ? "" : subject) + line("Message-ID", own) +
    line("References", list.join(" ")) + line("In-Reply-To", next(3) === 0 ? id() : "") +
    line("Date", next(8) === 0 ? "" : `${1 + next(9)} Nov 2026 10:00:0${next(3)} +0000`) +
    `\n${"hi\n".repeat(1 + next(4))}`;
}

for (const chains of [false, true]) {
  Deno.test(`columns sort and thread as summaries do, ${chains ? "chains" : "any references"}`, () =>
    withStore(async (s) => {
      s.account.db.run("UPDATE state SET next_email_id = 900");
      await s.reopen();
      const { account } = s;
      const inbox = account.mailboxByName("Inbox")!.id;
      const next = sequence(chains ? 5 : 6);
      let made = 0;
      const deliver = async (count: number) => {
        for (let i = 0; i < count; i++) {
          const m = await s.message(text(next, made++, chains));
          await account.deliver("Inbox", { ...m, received: Date.UTC(2026, 10, 1 + next(20)) });
        }
      };
      const compare = async (uids: number[]) => {
        const numbers = uids.map((_, i) => i + 1);
        for (
          const [name, make] of [
            ["REFERENCES", references],
            ["ORDEREDSUBJECT", orderedSubject],
            ["REFS", refs],
          ] as const
        ) {
          assert.equal(
            await threadsByColumns(account, inbox, uids, name, uids),
            formatThreads(await make(account, inbox, uids)),
            name,
          );
          const seqs = await threadsByColumns(account, inbox, uids, name, numbers);
          assert.deepEqual(
            [...seqs!.matchAll(/\d+/g)].map(([n]) => uids[Number(n) - 1]),
            [...(await threadsByColumns(account, inbox, uids, name, uids))!.matchAll(/\d+/g)]
              .map(([n]) => Number(n)),
          );
        }
        for (const key of sortKeys) {
          if (key === "RELEVANCY") continue;
          const keys: SortKey[] = [
            { key, reverse: next(2) === 0 },
            { key: sortKeys[next(9)], reverse: next(2) === 0 },
            { key: sortKeys[next(9)], reverse: next(2) === 0 },
          ].slice(0, 1 + next(3));
          assert.deepEqual(
            await sortByColumns(account, inbox, uids, keys),
            await sortAnew(account, inbox, uids, keys),
            JSON.stringify(keys),
          );
        }
      };
      await deliver(160);
      await account.prepareRows(inbox);
      for (let step = 0; step < 5; step++) {
        const all = [...account.uids(inbox)];
        await compare(all);
        await compare(all.filter(() => next(3) > 0));
        if (step === 1) await account.fulltext.update();
        const gone = [all[next(all.length)], all[next(all.length)]].sort((a, b) => a - b);
        await account.expunge(inbox, gone, undefined, { force: true });
        await deliver(6);
      }
      assert.equal(account.fulltext.db.get("SELECT chunks FROM state")![0], 1);
    }));
}

Deno.test("ranks are in the order of values, of many and of any size", async () => {
  const next = sequence(3);
  const texts = Array.from(
    { length: 30_000 },
    () => String.fromCharCode(65 + next(40)) + next(9000),
  );
  assert.deepEqual(await sortTexts(texts), [...texts].sort());
  const { ranks } = await rankTexts(texts);
  for (let i = 1; i < texts.length; i++) {
    const order = texts[i] < texts[i - 1] ? -1 : texts[i] > texts[i - 1] ? 1 : 0;
    assert.equal(Math.sign(ranks[i] - ranks[i - 1]), order);
  }
  for (const scale of [1, 1000, 1e12 + 1]) {
    const values = Float64Array.from({ length: 5000 }, () => (next(1000) - 500) * scale);
    const { ranks, max } = rankNumbers(values);
    for (let i = 1; i < values.length; i++) {
      assert.equal(Math.sign(ranks[i] - ranks[i - 1]), Math.sign(values[i] - values[i - 1]));
      assert.ok(ranks[i] >= 0 && ranks[i] <= max);
    }
  }
});
