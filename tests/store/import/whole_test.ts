/** Imports that count only as a whole: nothing of them is in the account before all of it was read. */
import assert from "node:assert/strict";
import { join } from "node:path";
import {
  importMessages,
  type ImportOptions,
  type ImportProgress,
  partDone,
} from "../../../src/store/import/import.ts";
import type { Source, SourceMessage } from "../../../src/store/import/sources.ts";
import { Flag, SpecialUse } from "../../../src/store/types.ts";
import { messageFiles, type TestStore, withStore } from "../setup.ts";

/** More than three batches. */
const many = 350;

function message(n: number, more: Partial<SourceMessage> = {}): SourceMessage {
  return {
    place: String(n),
    below: "",
    content: new TextEncoder().encode(
      `From: Ann <ann@example.org>\r\nTo: "B, Ob" <bob@example.org>\r\nSubject: Re: =?utf-8?q?gr=C3=BC?= ${n}\r\n` +
        `Message-ID: <${n}@example.org>\r\nReferences: <${
          n - 1
        }@example.org>\r\nList-Id: <l.example.org>\r\n` +
        `Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\ntext ${n}\r\n--b\r\n` +
        `Content-Disposition: attachment; filename=a.txt\r\n\r\nx\r\n--b--\r\n`,
    ),
    flags: n % 2 === 0 ? Flag.Seen : Flag.Flagged,
    keywords: n % 3 === 0 ? ["work", "Later"] : [],
    received: 1_700_000_000_000 + n * 1000,
    ...more,
  };
}

/** Messages for two mailboxes; `each` is called before each of them, and `end` after the last. */
async function* source(each: (n: number) => void = () => {}, end = () => {}): Source {
  for (let n = 0; n < many; n++) {
    each(n);
    yield await Promise.resolve(message(n, { below: n % 2 === 0 ? "" : "Old/Letters" }));
  }
  end();
}

async function take(s: TestStore, from: Source, more: Partial<ImportOptions> = {}) {
  const tempDir = join(s.dir, "tmp");
  await Deno.mkdir(tempDir, { recursive: true });
  try {
    return await importMessages(s.account, from, { mailbox: "", tempDir, ...more });
  } finally {
    assert.deepEqual([...Deno.readDirSync(tempDir)], []);
  }
}

const count = (s: TestStore, mailbox: string) => s.account.mailboxByName(mailbox)?.total;
const rows = (s: TestStore, sql: string) => s.account.db.all(sql);

Deno.test("nothing of an import is seen, counted or told before all of it was read; then all of it", () =>
  withStore(async (s) => {
    const { account } = s;
    const listener = account.listen();
    const names = account.mailboxes().map((m) => m.name);
    const nothing = () => {
      assert.deepEqual(account.mailboxes().map((m) => m.name), names);
      assert.deepEqual(rows(s, "SELECT count(*) FROM emails"), [[0]]);
      assert.deepEqual(messageFiles(s), []);
      assert.equal(account.quota().messageSize.used, 0);
      assert.equal(listener.pending, false);
    };
    const told: ImportProgress[] = [];
    const progress = (p: ImportProgress) => void told.push({ ...p });
    const r = await take(s, source(nothing, nothing), { progress });
    listener.close();
    assert.deepEqual([r.imported, r.placed, r.warnings], [many, many, []]);
    assert.deepEqual(Object.fromEntries(r.mailboxes), { Inbox: 175, "Old/Letters": 175 });
    for (const name of ["Inbox", "Old/Letters"]) {
      const box = account.mailboxByName(name)!;
      assert.deepEqual([...account.uids(box.id)], Array.from({ length: 175 }, (_, i) => i + 1));
    }
    // Taken by batches, then put in place by batches.
    assert.deepEqual(told.map((p) => p.imported), [100, 200, 300, 350, 350, 350, 350, 350]);
    assert.deepEqual(told.map((p) => p.placed), [0, 0, 0, 0, 100, 175, 275, 350]);
    const parts = told.map((p) => partDone(p, r.bytes));
    assert.deepEqual(parts, parts.toSorted((a, b) => a - b));
    assert.equal(parts.at(-1), 1);
  }));

Deno.test("what waited for the end is stored as what is stored at once", async () => {
  const stored = async (more: Partial<ImportOptions>) => {
    let found: unknown;
    await withStore(async (s) => {
      await take(s, source(), more);
      const emails = rows(
        s,
        "SELECT b.name, m.uid, m.flags, m.keywords, m.received, m.size, e.size, e.prefix, e.envelope, e.body, " +
          "e.bodystructure, e.structure, e.summary, e.listed, t.message_id, t.subject, t.wanted FROM messages m " +
          "JOIN mailboxes b ON b.id = m.mailbox_id JOIN emails e ON e.id = m.email_id " +
          "JOIN threads t ON t.email_id = m.email_id ORDER BY b.name, m.uid",
      );
      const threads = rows(s, "SELECT count(DISTINCT thread_id) FROM threads");
      found = { emails, threads, mailboxes: rows(s, "SELECT name, keywords FROM mailboxes") };
    });
    return found;
  };
  assert.deepEqual(await stored({}), await stored({ keepOnFailure: () => false }));
});

Deno.test("aborted while it is read, an import leaves nothing; once it is put in place, it comes to its end", () =>
  withStore(async (s) => {
    const stop = new AbortController();
    const enough = () => stop.abort(new Error("enough"));
    await assert.rejects(
      take(s, source((n) => n === 340 && enough()), { signal: stop.signal }),
      /enough/,
    );
    assert.deepEqual([count(s, "Inbox"), count(s, "Old/Letters")], [0, undefined]);
    assert.deepEqual(messageFiles(s), []);
    const late = new AbortController();
    const progress = (p: ImportProgress) => p.placed > 0 && late.abort(new Error("too late"));
    const r = await take(s, source(), { signal: late.signal, progress });
    assert.ok(late.signal.aborted);
    assert.deepEqual([r.placed, count(s, "Inbox"), count(s, "Old/Letters")], [many, 175, 175]);
  }));

Deno.test("copies within an import are known while they wait: by Message-ID and size, or time and content", () =>
  withStore(async (s) => {
    const plain = (text: string, more: Partial<SourceMessage> = {}) =>
      message(0, { content: new TextEncoder().encode(`Subject: x\r\n\r\n${text}\r\n`), ...more });
    const longer = (n: number) => {
      const m = message(n);
      return { ...m, content: Uint8Array.of(...m.content, 13, 10) };
    };
    const all = async function* (): Source {
      for (let n = 0; n < 120; n++) yield await Promise.resolve(message(n));
      yield plain("one");
      for (let n = 120; n < 240; n++) yield message(n);
      // All of these are far behind what they are copies of.
      yield message(5);
      yield plain("one");
      // These are none.
      yield longer(5);
      yield plain("two");
      yield plain("one", { received: 1_700_000_001_000 });
      yield message(5, { below: "Old" });
      yield plain("one", { below: "Old" });
    };
    const first = await take(s, all(), { skipDuplicates: true });
    assert.deepEqual([first.imported, first.duplicates], [246, 2]);
    assert.deepEqual([count(s, "Inbox"), count(s, "Old")], [244, 2]);
    const again = await take(s, all(), { skipDuplicates: true });
    assert.deepEqual([again.imported, again.duplicates], [0, 248]);
  }));

Deno.test("an account that would be over its quota: refused before the rest is read, with nothing left", async () => {
  let limit: { size?: number; messages?: number } = {};
  const refused = async (text: RegExp) => {
    await withStore(async (s) => {
      const usage: boolean[] = [];
      s.account.onUsage = (refused) => usage.push(refused);
      let read = 0;
      await assert.rejects(take(s, source(() => read++)), text);
      assert.equal(read, 200);
      assert.deepEqual([count(s, "Inbox"), count(s, "Old/Letters")], [0, undefined]);
      assert.equal(s.account.quota().messageSize.used, 0);
      assert.deepEqual(usage, [true]);
    }, { quotaMessageSize: () => limit.size, quotaMessages: () => limit.messages });
  };
  limit = { size: 150 * message(100).content.length };
  await refused(/over its quota of \d+ bytes/);
  limit = { messages: 150 };
  await refused(/over its quota of 150 messages/);
});

Deno.test("mailboxes that are made, renamed or removed by others while an import is read", () =>
  withStore(async (s) => {
    const { account } = s;
    for (const name of ["Renamed", "Removed"]) await account.createMailbox(name);
    const changed = Promise.withResolvers<void>();
    const all = async function* (): Source {
      for (const below of ["Renamed", "Removed", "Made"]) {
        for (let n = 0; n < 60; n++) yield message(n, { below });
      }
      await account.renameMailbox("Renamed", "Other");
      await account.deleteMailbox("Removed");
      await account.createMailbox("Made");
      changed.resolve();
    };
    await take(s, all());
    await changed.promise;
    assert.equal(count(s, "Renamed"), undefined);
    assert.deepEqual(["Other", "Removed", "Made"].map((name) => count(s, name)), [60, 60, 60]);
  }));

Deno.test("a mailbox that is meant by its use and by its name is one, also while there is none", () =>
  withStore(async (s) => {
    await s.account.setSpecialUse(s.account.mailboxBySpecialUse(SpecialUse.Sent)!.id, 0);
    const all = async function* (): Source {
      yield { below: "Gesendet", use: SpecialUse.Sent, unsubscribed: true };
      for (let n = 0; n < 60; n++) {
        yield await Promise.resolve(message(n, { below: "Gesendet", use: SpecialUse.Sent }));
        yield message(n, { below: "gesendet/../x" });
        yield message(n, { below: "Sent Items", use: SpecialUse.Sent });
        yield message(n, { below: "Gesendet" });
      }
    };
    const r = await take(s, all());
    assert.equal(r.warnings.length, 1);
    const box = s.account.mailboxBySpecialUse(SpecialUse.Sent)!;
    assert.deepEqual([box.name, box.total, count(s, "Inbox")], ["Gesendet", 180, 60]);
    assert.equal(s.account.mailboxByName("Sent Items"), undefined);
    assert.ok(!s.account.subscriptions().includes("Gesendet"));
  }));
