/** Each fault that is planted in a copy of a data folder is found and named; -fix mends without losing. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { backupData } from "../../../src/store/backup/copy.ts";
import { type Fault, verifyData } from "../../../src/store/backup/verify.ts";
import { Log, setLevel } from "../../../src/log/mod.ts";
import { Queue } from "../../../src/queue/mod.ts";
import { Accounts } from "../../../src/store/account/accounts.ts";
import { Flag } from "../../../src/store/types.ts";
import { testRules, withStore } from "../setup.ts";

for (const pkg of ["store", "queue"]) setLevel(pkg, "error");

const text = (n: number) =>
  `From: a@example.org\r\nSubject: number ${n}\r\nMessage-ID: <${n}@example.org>\r\n\r\nbody ${n}\r\n`;

/** Runs with a copy of an account of six messages. */
async function withCopy(
  fn: (c: { dir: string; account: string; outside: string }) => void | Promise<void>,
): Promise<void> {
  await withStore(async (s) => {
    const inbox = s.account.mailboxByName("Inbox")!;
    for (let i = 1; i <= 6; i++) {
      await s.account.append(inbox.id, [{
        ...await s.message(text(i)),
        flags: i % 2 === 0 ? Flag.Seen : 0,
      }]);
    }
    await s.account.expunge(inbox.id, [6], undefined, { force: true });
    const outside = await Deno.makeTempDir();
    const dir = join(outside, "copy");
    const lines: string[] = [];
    const counts = await backupData({ from: s.dir, to: dir }, (l) => lines.push(l));
    assert.equal(counts.linked + counts.copied, 5);
    assert.match(lines.join("\n"), /accounts.test: 5 messages/);
    try {
      await fn({ dir, account: join(dir, "accounts", "test"), outside });
    } finally {
      await Deno.remove(outside, { recursive: true });
    }
  });
}

function sql(account: string, ...statements: string[]): void {
  const db = new DatabaseSync(join(account, "index.db"));
  for (const s of statements) db.exec(s);
  db.close();
}

const verify = (dir: string, fix = false) => verifyData(dir, fix, () => {});

Deno.test("a copy of a healthy account has no faults, and its content", async () => {
  await withCopy(({ dir, account }) => {
    assert.deepEqual(verify(dir), []);
    assert.equal(Deno.readTextFileSync(join(account, "msg", "0", "2")), text(2));
    assert.throws(() => Deno.statSync(join(account, "msg", "0", "6")));
    assert.throws(() => Deno.statSync(join(account, "fulltext.db")));
  });
});

interface Planted {
  what: string;
  plant: (account: string) => void;
  found: RegExp;
  /** What `-fix` leaves, where it can't mend all; there is nothing to lose then. */
  open?: RegExp;
}

const msg = (account: string, id: number) => join(account, "msg", "0", String(id));
/** Replaces a file: it shares its content with the original. */
function rewrite(path: string, content: string): void {
  Deno.removeSync(path);
  Deno.writeTextFileSync(path, content);
}

/** Overwrites pages of a database. */
function damagePages(path: string): void {
  const bytes = Deno.readFileSync(path);
  bytes.fill(0x5a, 4096, 4096 * 4);
  Deno.writeFileSync(path, bytes);
}

const faults: Planted[] = [
  {
    what: "a missing file",
    plant: (a) => Deno.removeSync(msg(a, 3)),
    found: /msg.0.3: missing/,
    open: /msg.0.3: missing/,
  },
  {
    what: "an additional file",
    plant: (a) => Deno.writeTextFileSync(msg(a, 77), "x"),
    found: /msg.0.77: no row names this file/,
  },
  {
    what: "a truncated file",
    plant: (a) => rewrite(msg(a, 2), "short"),
    found: /msg.0.2: truncated/,
    open: /msg.0.2: truncated/,
  },
  {
    what: "an oversized file",
    plant: (a) => rewrite(msg(a, 2), text(2) + "more"),
    found: /msg.0.2: too large/,
    open: /msg.0.2: too large/,
  },
  {
    what: "a wrong Size",
    plant: (a) => sql(a, "UPDATE messages SET size = size + 1 WHERE uid = 4"),
    found: /message 4: Size is \d+, but/,
  },
  {
    what: "wrong counts",
    plant: (a) => sql(a, "UPDATE mailboxes SET unread = 99 WHERE name = 'Inbox'"),
    found: /mailbox Inbox: count unread is 99, should be 3/,
  },
  {
    what: "a wrong size of a mailbox",
    plant: (a) => sql(a, "UPDATE mailboxes SET size = size - 1 WHERE name = 'Inbox'"),
    found: /mailbox Inbox: count size is/,
  },
  {
    what: "a uid given twice",
    plant: (a) => sql(a, "DROP INDEX messages_uid", "UPDATE messages SET uid = 2 WHERE uid = 3"),
    found: /uid 2 is given twice, to message 3 too/,
  },
  {
    what: "a uid of a message that is there, and of one that was expunged",
    plant: (a) => sql(a, "UPDATE messages SET uid = 6 WHERE uid = 3"),
    found: /uid 6 is given twice, to message 3 too/,
  },
  {
    what: "a missing index",
    plant: (a) => sql(a, "DROP INDEX messages_modseq"),
    found: /messages_modseq is missing/,
  },
  {
    what: "a missing table",
    plant: (a) => sql(a, "DROP TABLE passkeys"),
    found: /passkeys is missing/,
    open: /passkeys is missing/,
  },
  {
    what: "a uidnext that was given",
    plant: (a) => sql(a, "UPDATE mailboxes SET uidnext = 3 WHERE name = 'Inbox'"),
    found: /uidnext is 3, but uid 6 is given/,
  },
  {
    what: "a modseq out of order",
    plant: (a) => sql(a, "UPDATE messages SET modseq = 100000 WHERE uid = 1"),
    found: /message 1: modseq 100000/,
  },
  {
    what: "a createseq after the last change",
    plant: (a) =>
      sql(
        a,
        "UPDATE messages SET createseq = modseq + 1 WHERE uid = 1",
        "UPDATE state SET modseq = modseq + 10",
      ),
    found: /message 1: modseq \d+, createseq/,
  },
  {
    what: "a mailbox that is behind its messages",
    plant: (a) => sql(a, "UPDATE mailboxes SET modseq = 1 WHERE name = 'Inbox'"),
    found: /mailbox Inbox: modseq is 1, but \d+ is given in it/,
  },
  {
    what: "missing threading",
    plant: (a) => sql(a, "DELETE FROM threads WHERE email_id = 2"),
    found: /email 2 has no threading/,
  },
  {
    what: "all threading missing",
    plant: (a) => sql(a, "DELETE FROM threads"),
    found: /email 1 has no threading/,
  },
  {
    what: "threading of nothing",
    plant: (a) =>
      sql(
        a,
        "INSERT INTO threads VALUES (99, 99, 0, 0, 0, 0, 'x@y', 'subject', 0, NULL, 0, 0)",
      ),
    found: /threading of email 99, which does not exist/,
  },
  {
    what: "an answer in another thread",
    plant: (a) => sql(a, "UPDATE threads SET parent_id = 1 WHERE email_id = 2"),
    found: /email 2 is in another thread than its parent 1/,
  },
  {
    what: "training that disagrees",
    plant: (a) => sql(a, "UPDATE messages SET trained = 2 WHERE uid = 1"),
    found: /message 1 is trained as junk, but has neither flag/,
    open: /mox retrain/,
  },
  {
    what: "training that is none",
    plant: (a) => sql(a, "UPDATE messages SET trained = 7 WHERE uid = 1"),
    found: /message 1: junk training state 7 is none/,
  },
  {
    what: "a junk filter that knows of fewer messages",
    plant: (a) => {
      const n = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 150) ";
      sql(
        a,
        // A copy of a message, often.
        "INSERT INTO messages (email_id, mailbox_id, uid, modseq, createseq, flags, keywords, received, " +
          `saved, size, trained) ${n} SELECT email_id, mailbox_id, 100 + i, modseq, createseq, 128, ` +
          "keywords, received, saved, size, 1 FROM messages, n WHERE messages.id = 1",
        "UPDATE mailboxes SET uidnext = 1000 WHERE name = 'Inbox'",
      );
    },
    found: /150 messages are trained as not junk, but the junk filter knows of 0/,
    open: /mox retrain/,
  },
  {
    what: "a wrong usage",
    plant: (a) => sql(a, "UPDATE state SET message_size = 5"),
    found: /usage is 5, should be/,
  },
  {
    what: "an email id that would be given again",
    plant: (a) => sql(a, "UPDATE state SET next_email_id = 2"),
    found: /next email id is 2, should be 6/,
  },
  {
    what: "a UIDVALIDITY that would be given again",
    plant: (a) => sql(a, "UPDATE state SET uidvalidity = 1"),
    found: /the last UIDVALIDITY is 1, should be/,
  },
  {
    what: "an email in no mailbox",
    plant: (a) => sql(a, "UPDATE messages SET expunged = 1 WHERE uid = 5"),
    found: /email 5 is in no mailbox/,
  },
  {
    what: "a message in a mailbox that is gone",
    plant: (a) => sql(a, "UPDATE messages SET mailbox_id = 777 WHERE uid = 5"),
    found: /message 5: its mailbox 777 does not exist/,
  },
  {
    what: "a mailbox below one that is gone",
    plant: (a) => sql(a, "UPDATE mailboxes SET parent_id = 777 WHERE name = 'Archive'"),
    found: /mailbox Archive: the mailbox 777 above it does not exist/,
  },
  {
    what: "a message without its email",
    plant: (a) =>
      sql(a, "DELETE FROM emails WHERE id = 4", "DELETE FROM threads WHERE email_id = 4"),
    found: /message 4: its email 4 does not exist/,
    open: /message 4: its email 4 does not exist/,
  },
  {
    what: "a file that would be removed at the next start",
    plant: (a) => sql(a, "INSERT INTO erased VALUES (2)"),
    found: /email 2: its file is to be removed, but the email is there/,
  },
  {
    what: "a damaged database",
    plant: (a) => damagePages(join(a, "index.db")),
    found: /damaged|can't be read|malformed/,
    open: /damaged|can't be read|malformed/,
  },
  {
    what: "a damaged index",
    plant: (a) => {
      const path = join(a, "index.db");
      const db = new DatabaseSync(path);
      const [{ rootpage }] = db.prepare(
        "SELECT rootpage FROM sqlite_master WHERE name = 'messages_modseq'",
      ).all() as { rootpage: number }[];
      db.close();
      const bytes = Deno.readFileSync(path);
      // The first entry ends its page, with the id of its row.
      bytes[rootpage * 4096 - 1] = 99;
      Deno.writeFileSync(path, bytes);
    },
    found: /damaged: (?:wrong # of entries in|row \d+ missing from) index messages_modseq/,
  },
  {
    what: "a missing database",
    plant: (a) => Deno.removeSync(join(a, "index.db")),
    found: /is missing, but there are message files/,
    open: /is missing, but there are message files/,
  },
  {
    what: "an empty database",
    plant: (a) => Deno.truncateSync(join(a, "index.db")),
    found: /has no tables, but there are message files/,
    open: /has no tables, but there are message files/,
  },
];

const told = (list: Fault[]) => list.map((x) => `${x.path}: ${x.text}`).join("\n");

for (const f of faults) {
  Deno.test(`verify finds ${f.what}, and names the database; -fix ${f.open ? "leaves it" : "mends it"}`, async () => {
    await withCopy(({ dir, account }) => {
      f.plant(account);
      const found = verify(dir);
      assert.match(told(found), f.found);
      for (const x of found) assert.equal(x.path, join(account, "index.db"));
      assert.deepEqual(found.filter((x) => x.fixed !== undefined), []);
      const mended = verify(dir, true);
      assert.match(told(mended), f.found);
      const left = mended.filter((x) => x.fixed === undefined);
      if (f.open) {
        assert.match(told(left), f.open);
        return;
      }
      assert.deepEqual(told(left), "");
      assert.equal(told(verify(dir)), "");
      // What was in it is still: by its text, in whatever mailbox.
      const db = new DatabaseSync(join(account, "index.db"), { readOnly: true });
      const emails = db.prepare(
        "SELECT count(DISTINCT email_id) AS n FROM messages WHERE expunged = 0",
      ).get();
      db.close();
      assert.equal(emails?.n, 5);
    });
  });
}

Deno.test("what -fix has mended, a server reads: a message that was nowhere is in Recovered", async () => {
  await withCopy(async ({ dir, account }) => {
    sql(
      account,
      "UPDATE messages SET expunged = 1 WHERE uid = 5",
      "UPDATE messages SET mailbox_id = 777 WHERE uid = 4",
    );
    verify(dir, true);
    const accounts = new Accounts(join(dir, "accounts"), new Log("store"), () => testRules);
    const a = await accounts.open("test");
    try {
      const box = a.mailboxByName("Recovered")!;
      assert.deepEqual([box.total, box.unseen, box.uidNext], [2, 1, 3]);
      const texts = [...a.uids(box.id)].map((uid) => {
        const reader = a.openMessage(a.messageByUid(box.id, uid)!.emailId);
        const t = new TextDecoder().decode(reader.read(0, reader.size));
        reader.close();
        return t;
      });
      assert.deepEqual(texts.sort(), [text(4), text(5)]);
      assert.ok(a.subscriptions().includes("Recovered"));
    } finally {
      a.close();
      await accounts.closeAll();
    }
    assert.equal(told(verify(dir)), "");
  });
});

Deno.test("a thread whose first message was expunged is none of the faults", async () => {
  await withStore(async (s) => {
    const inbox = s.account.mailboxByName("Inbox")!;
    await s.account.append(inbox.id, [await s.message(text(1))]);
    const answer = text(1).replace("Subject: ", "Subject: Re: ").replace("<1@", "<2@")
      .replace("\r\n\r\n", "\r\nIn-Reply-To: <1@example.org>\r\n\r\n");
    await s.account.append(inbox.id, [await s.message(answer)]);
    assert.deepEqual(
      s.account.db.all("SELECT thread_id, parent_id FROM threads ORDER BY email_id"),
      [
        [1, 0],
        [1, 1],
      ],
    );
    await s.account.expunge(inbox.id, [1], undefined, { force: true });
    await s.reopen(() => assert.deepEqual(verify(s.dir), []));
  });
});

Deno.test("a damaged search index is told; -fix removes it, as it is made anew", async () => {
  await withCopy(({ dir, account }) => {
    const path = join(account, "fulltext.db");
    const db = new DatabaseSync(path);
    db.exec("CREATE TABLE a (b); CREATE TABLE c (d); CREATE TABLE e (f)");
    db.close();
    damagePages(path);
    assert.match(told(verify(dir)), /fulltext.db: (?:damaged|can't be read)/);
    assert.ok(verify(dir, true).every((f) => /removed/.test(f.fixed!)));
    assert.deepEqual(verify(dir), []);
  });
});

/** Runs with a queue of two messages for three recipients. */
async function withQueue(
  fn: (q: { dir: string; sql: (s: string) => void }) => void,
): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    const queue = await Queue.open(dir, {
      log: new Log("queue"),
      deliverer: { deliver: () => Promise.reject(new Error("not started")) },
      onDsn: () => Promise.resolve(),
    });
    for (const to of [["a@x.example"], ["b@x.example", "c@y.example"]]) {
      const file = join(dir, "in");
      await Deno.writeTextFile(file, text(to.length));
      await queue.add({
        senderAccount: "test",
        mailFrom: "me@example.org",
        recipients: to.map((address) => ({ address })),
        file,
        fileSize: text(to.length).length,
        prefix: new Uint8Array(0),
        smtputf8: false,
        has8bit: false,
        requireTls: false,
      });
      await Deno.remove(file);
    }
    await queue.stop();
    const run = (statements: string) => {
      const db = new DatabaseSync(join(dir, "queue", "index.db"));
      db.exec(statements);
      db.close();
    };
    await fn({ dir, sql: run });
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

const queueFaults: [string, string, RegExp][] = [
  [
    "a recipient without a message",
    "UPDATE recipients SET message_id = 77 WHERE id = 2",
    /recipient 2, b@x.example: its message does not/,
  ],
  [
    "a message without recipients",
    "DELETE FROM recipients WHERE message_id = 1",
    /message 1 has no recipients/,
  ],
  [
    "a destination that is forgotten",
    "DELETE FROM destinations WHERE domain = 'y.example'",
    /destination y.example would not be tried/,
  ],
  [
    "a destination that is tried too late",
    "UPDATE destinations SET due = due + 1000000",
    /destination x.example would not be tried/,
  ],
  [
    "a file that would be removed",
    "INSERT INTO erased VALUES (1)",
    /message 1: its file is to be removed/,
  ],
];
for (const [what, plant, expected] of queueFaults) {
  Deno.test(`verify finds in the queue ${what}; -fix mends it`, () =>
    withQueue(({ dir, sql }) => {
      assert.deepEqual(verify(dir), []);
      sql(plant);
      assert.match(told(verify(dir)), expected);
      const mended = verify(dir, true);
      assert.match(told(mended), expected);
      assert.deepEqual(mended.filter((f) => f.fixed === undefined), []);
      assert.deepEqual(verify(dir), []);
    }));
}

Deno.test("verify finds files of the queue that are missing, truncated, or nobody's", () =>
  withQueue(({ dir }) => {
    const file = (n: number) => join(dir, "queue", "msg", "0", String(n));
    Deno.removeSync(file(1));
    Deno.writeTextFileSync(file(2), "x");
    Deno.writeTextFileSync(file(9), "x");
    const found = told(verify(dir, true));
    assert.match(found, /msg.0.1: missing/);
    assert.match(found, /msg.0.2: truncated/);
    assert.match(found, /msg.0.9: no row names/);
    assert.doesNotMatch(told(verify(dir)), /msg.0.9/);
  }));

Deno.test("a backup goes into an empty folder outside of the data", async () => {
  await withCopy(async ({ dir, outside }) => {
    // The base stands in for files on another file system: same content, other inodes.
    const base = join(outside, "base");
    const counts = await backupData({ from: dir, to: base }, () => {});
    assert.equal(counts.linked, 5);
    await assert.rejects(() => backupData({ from: dir, to: base }, () => {}), /not empty/);
    const within = join(dir, "accounts", "inside");
    await assert.rejects(
      () => backupData({ from: dir, to: within }, () => {}),
      /in the data folder/,
    );
  });
});
