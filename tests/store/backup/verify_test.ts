/** Each fault that is planted in a copy of a data folder is found and named; -fix mends without losing. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { join } from "node:path";
import { backupData } from "../../../src/store/backup/copy.ts";
import { type Fault, verifyData } from "../../../src/store/backup/verify.ts";
import { Flag } from "../../../src/store/types.ts";
import { withStore } from "../setup.ts";

const text = (n: number) =>
  `From: a@example.org\r\nSubject: number ${n}\r\nMessage-ID: <${n}@example.org>\r\n\r\nbody ${n}\r\n`;

/** Runs with a copy of an account of six messages. */
async function withCopy(
  fn: (c: { dir: string; account: string; outside: string }) => void,
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
  fixed?: boolean;
}

const msg = (account: string, id: number) => join(account, "msg", "0", String(id));
/** Replaces a file: it shares its content with the original. */
function rewrite(path: string, content: string): void {
  Deno.removeSync(path);
  Deno.writeTextFileSync(path, content);
}

const faults: Planted[] = [
  { what: "a missing file", plant: (a) => Deno.removeSync(msg(a, 3)), found: /msg.0.3: missing/ },
  {
    what: "an additional file",
    plant: (a) => Deno.writeTextFileSync(msg(a, 77), "x"),
    found: /msg.0.77: no row names this file/,
    fixed: true,
  },
  {
    what: "a truncated file",
    plant: (a) => rewrite(msg(a, 2), "short"),
    found: /msg.0.2: truncated/,
  },
  {
    what: "an oversized file",
    plant: (a) => rewrite(msg(a, 2), text(2) + "more"),
    found: /msg.0.2: too large/,
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
    fixed: true,
  },
  {
    what: "a uid given twice",
    plant: (a) => sql(a, "DROP INDEX messages_uid", "UPDATE messages SET uid = 2 WHERE uid = 3"),
    found: /uid 2 is given to 2 messages/,
  },
  {
    what: "a uidnext that was given",
    plant: (a) => sql(a, "UPDATE mailboxes SET uidnext = 3 WHERE name = 'Inbox'"),
    found: /uidnext is 3, but uid 6 is given/,
    fixed: true,
  },
  {
    what: "a modseq out of order",
    plant: (a) => sql(a, "UPDATE messages SET modseq = 100000 WHERE uid = 1"),
    found: /message 1: modseq 100000/,
  },
  {
    what: "missing threading",
    plant: (a) => sql(a, "DELETE FROM threads WHERE email_id = 2"),
    found: /email 2 has no threading/,
  },
  {
    what: "training that disagrees",
    plant: (a) => sql(a, "UPDATE messages SET trained = 2 WHERE uid = 1"),
    found: /message 1 is trained as junk, but has neither flag/,
  },
  {
    what: "a wrong usage",
    plant: (a) => sql(a, "UPDATE state SET message_size = 5"),
    found: /usage is 5, should be/,
    fixed: true,
  },
  {
    what: "an email in no mailbox",
    plant: (a) => sql(a, "UPDATE messages SET expunged = 1 WHERE uid = 5"),
    found: /email 5 is in no mailbox/,
  },
  {
    what: "a damaged database",
    plant: (a) => {
      const path = join(a, "index.db");
      const bytes = Deno.readFileSync(path);
      bytes.fill(0x5a, 4096, 4096 * 4);
      Deno.writeFileSync(path, bytes);
    },
    found: /damaged|can't be read|malformed/,
  },
  {
    what: "a missing database",
    plant: (a) => Deno.removeSync(join(a, "index.db")),
    found: /is missing, but there are message files/,
  },
];

for (const f of faults) {
  Deno.test(`verify finds ${f.what}, and names the database${f.fixed ? "; -fix mends it" : ""}`, async () => {
    await withCopy(({ dir, account }) => {
      f.plant(account);
      const told = (list: Fault[]) => list.map((x) => `${x.path}: ${x.text}`).join("\n");
      const found = verify(dir);
      assert.match(told(found), f.found);
      for (const x of found) assert.equal(x.path, join(account, "index.db"));
      if (!f.fixed) return;
      const mended = verify(dir, true);
      assert.ok(mended.every((x) => x.fixed !== undefined), told(mended));
      assert.deepEqual(verify(dir), []);
    });
  });
}

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
