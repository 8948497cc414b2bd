/** A search over a whole mailbox at once finds what looking at each message finds. */
import type { MailboxId } from "../../src/store/ids.ts";
import assert from "node:assert/strict";
import { reparse } from "../../src/store/account/maintenance.ts";
import { unpackText } from "../../src/store/columns/chunk.ts";
import { scanMailbox, Verdict } from "../../src/store/account/search_scan.ts";
import { folded, searchMailbox } from "../../src/store/account/search.ts";
import type { SearchNode } from "../../src/store/search/types.ts";
import { Flag } from "../../src/store/types.ts";
import { type TestStore, withStore } from "./setup.ts";

/** Numbers that are the same each time. */
function sequence(seed: number): (n: number) => number {
  return (n) => {
    seed = (seed * 48271) % 2147483647;
    return seed % n;
  };
}

const subjects = [
  "plain words",
  "Re: PLAIN words",
  "=?utf-8?q?Stra=C3=9Fe_nach_Malm=C3=B6?=",
  "=?utf-8?q?=CE=BA=CF=8C=CF=83=CE=BC=CE=BF=CF=82?=",
  "=?utf-8?q?one=01two=02three=03four?=",
  '"quotes" and \\ back',
  "",
  "=?utf-8?q?e=CC=81_composed?=",
];
const people = [
  "Ann Lee <ann@example.org>",
  "=?utf-8?q?Mar=C3=ADa_N=C3=BA=C3=B1ez?= <m@b\u00fccher.example>",
  "friends: a@example.org, b@example.org;",
  "",
  '"Lee, Ann" <ann.lee@EXAMPLE.org>, other@example.net',
  "=?utf-8?q?odd=01name?= <odd@example.org>",
];
const words = [
  ...["words", "plain", "STRASSE", "malmo", "κόσμοσ", "two", '"', "\\", "ann lee <", "nunez", "@"],
  ...["example.org", "friends", "é", "\u0301", "lee, ann", "o", "\x01", "\x02", "", "nowhere", ">"],
];

function text(next: (n: number) => number, n: number): string {
  const line = (name: string, value: string) => value === "" ? "" : `${name}: ${value}\n`;
  const date = next(5) === 0
    ? ""
    : `${1 + next(28)} Nov 2026 ${10 + next(12)}:00:00 ${["+0000", "-1100", "+1300"][next(3)]}`;
  const cut = n === 7 ? `To: ${Array.from({ length: 1100 }, (_, i) => `p${i}@x.example`)}\n` : "";
  const attached = next(4) === 0
    ? 'Content-Type: application/pdf\nContent-Disposition: attachment; filename="words.pdf"\n'
    : "Content-Type: text/plain; charset=utf-8\n";
  return line("From", people[next(people.length)]) + cut + line("Cc", people[next(people.length)]) +
    line("Subject", subjects[next(subjects.length)]) + line("Date", date) + attached +
    `\nbody ${n} with some ${words[next(8)]}\n`;
}

function tree(next: (n: number) => number, depth: number): SearchNode {
  const day = Date.UTC(2026, 10, 1 + next(28));
  const word = () => words[next(words.length)];
  if (depth > 0 && next(3) > 0) {
    const nodes = Array.from({ length: next(4) }, () => tree(next, depth - 1));
    if (next(4) === 0) return { op: "not", node: tree(next, depth - 1) };
    return { op: next(2) ? "and" : "or", nodes };
  }
  const field = (["from", "to", "cc", "bcc", "subject"] as const)[next(5)];
  const leaves: (() => SearchNode)[] = [
    () => ({ op: "all" }),
    () => ({ op: "none" }),
    () => ({ op: "flag", bit: [Flag.Seen, Flag.Flagged, Flag.Deleted][next(3)] }),
    () => ({ op: "keyword", keyword: ["work", "wor", "none"][next(3)] }),
    () => ({ op: "uid", ranges: [[1 + next(50), 60 + next(100)], [170, 170], [200, 1e9]] }),
    () => ({ op: "modseq", min: next(400) }),
    () => ({ op: next(2) ? "larger" : "smaller", size: 150 + next(200) }),
    () => ({ op: "received", from: day }),
    () => ({ op: "saved", before: Date.now() - next(2) * 1e9 }),
    () => ({ op: "sent", from: day, before: next(2) ? day + 86_400_000 * 5 : undefined }),
    () => ({ op: "summary", field, text: word() }),
    () => ({ op: "summary", field, text: word(), loose: true }),
    () => ({ op: "summary", field: "from", text: word() }),
    () => ({ op: "header", name: ["subject", "x-none", "cc"][next(3)], text: word() }),
    () => ({ op: next(2) ? "text" : "body", text: word() }),
    () => ({ op: "shown", text: word() }),
    () => ({ op: "attachment" }),
    () => ({ op: "emailId", id: 1000 + next(200) }),
    () => ({ op: "threadId", id: 1000 + next(200) }),
  ];
  return leaves[next(leaves.length)]();
}

/** As the search does it for a few messages: each is looked at. */
async function oneByOne(s: TestStore, inbox: MailboxId, node: SearchNode): Promise<number[]> {
  const uids = s.account.uids(inbox);
  const found: number[] = [];
  for (let at = 0; at < uids.length; at += 100) {
    const part = uids.slice(at, at + 100);
    found.push(...(await searchMailbox(s.account, inbox, node, { uids: part })).uids);
  }
  return found;
}

Deno.test("a scan of a mailbox finds what looking at each message does, before, while and after they are indexed", () =>
  withStore(async (s) => {
    // The first chunk of columns is soon full.
    s.account.db.run("UPDATE state SET next_email_id = 900");
    await s.reopen();
    const next = sequence(28);
    const inbox = s.account.mailboxByName("Inbox")!.id;
    let made = 0;
    const add = async (count: number) => {
      for (let i = 0; i < count; i++, made++) {
        await s.account.deliver("Inbox", {
          ...await s.message(text(next, made)),
          flags: [0, Flag.Seen, Flag.Flagged | Flag.Seen][next(3)],
          keywords: next(3) === 0 ? ["work"] : [],
          received: Date.UTC(2026, 10, 1 + next(28)),
        });
      }
    };
    let scanned = 0;
    const compare = async (runs: number) => {
      for (let i = 0; i < runs; i++) {
        const node = tree(next, 2);
        const found = (await searchMailbox(s.account, inbox, node)).uids;
        const what = JSON.stringify(node);
        assert.deepEqual(found, await oneByOne(s, inbox, node), what);
        // Among some of them, and nothing that came to the mailbox since.
        const some = s.account.uids(inbox).filter((u) => u % 7 !== 0).slice(0, -3);
        const of = new Set(some);
        assert.deepEqual(
          (await searchMailbox(s.account, inbox, node, { uids: some })).uids,
          found.filter((u) => of.has(u)),
          what,
        );
        const scan = await scanMailbox(s.account, inbox, folded(node));
        if (scan && !scan.verdicts.includes(Verdict.Unknown)) scanned++;
      }
    };
    await add(240);
    await compare(60);
    await s.account.fulltext.update();
    await compare(60);
    await add(30);
    await s.account.expunge(inbox, [3, 9, 150, 260], undefined, { force: true });
    await compare(40);
    await s.account.fulltext.update();
    await compare(40);
    await s.reopen();
    await compare(40);
    assert.ok(scanned > 60, `only ${scanned} were decided by the scan`);
    const { db } = s.account.fulltext;
    assert.equal(db.get("SELECT chunks FROM state")![0], 1);
    // What is gone is in no column either.
    const [data] = db.get("SELECT data FROM columns WHERE chunk = 0 AND name = 'to'")!;
    assert.deepEqual([902, 908, 907].map((id) => unpackText(data).values()[id] === ""), [
      true,
      true,
      false,
    ]);
  }));

Deno.test("columns are made anew when what is kept of messages is", () =>
  withStore(async (s) => {
    s.account.db.run("UPDATE state SET next_email_id = 1022");
    await s.reopen();
    for (const subject of ["one", "two", "three"]) {
      await s.account.deliver("Inbox", await s.message(`Subject: ${subject}\n\nhi\n`));
    }
    s.account.db.exec("UPDATE emails SET summary = '{}'");
    const subjects = async () => {
      assert.ok(await s.account.columns.follow());
      return [0, 1].flatMap((n) =>
        s.account.columns.text(n, "subject")!.values().filter((v) => v !== "")
      );
    };
    await s.account.fulltext.update();
    assert.deepEqual(await subjects(), []);
    await reparse(s.account);
    assert.deepEqual(await subjects(), ["ONE", "TWO", "THREE"]);
    await s.account.fulltext.update();
    assert.equal(s.account.fulltext.db.get("SELECT chunks FROM state")![0], 1);
    assert.deepEqual(await subjects(), ["ONE", "TWO", "THREE"]);
    await s.reopen();
    assert.deepEqual(await subjects(), ["ONE", "TWO", "THREE"]);
  }));
