/** A copy that follows a data folder, also over restarts of either side and logs that begin anew. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { fc } from "../support/fast_check.ts";
import { FollowedDatabase } from "../../src/store/backup/wal_follow.ts";
import { DataWatch } from "../../src/store/backup/watch.ts";
import { verifyData } from "../../src/store/backup/verify.ts";
import { withStore } from "./setup.ts";

/** What a copy has, looked at in another copy of it, as opening it would change it. */
function rowsOf(path: string, scratch: string): string {
  Deno.mkdirSync(scratch, { recursive: true });
  const at = join(scratch, "look.db");
  for (const end of ["", "-wal", "-shm"]) {
    try {
      Deno.removeSync(at + end);
    } catch {
      // Not there.
    }
    try {
      Deno.copyFileSync(path + end, at + end);
    } catch {
      // The copy has none.
    }
  }
  const db = new DatabaseSync(at);
  try {
    const [{ integrity_check }] = db.prepare("PRAGMA integrity_check").all() as {
      integrity_check: string;
    }[];
    assert.equal(integrity_check, "ok");
    return JSON.stringify(db.prepare("SELECT id, v FROM t ORDER BY id").all());
  } finally {
    db.close();
  }
}

type Step =
  | "write"
  | "big"
  | "delete"
  | "checkpoint"
  | "restart"
  | "follow"
  | "again"
  | "reopen"
  | "rewind";

Deno.test("whatever happens between two looks, the copy is what was committed at the last one", async () => {
  const dir = await Deno.makeTempDir();
  let run = 0;
  try {
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.constantFrom<Step>(
            "write",
            "write",
            "big",
            "delete",
            "checkpoint",
            "restart",
            "follow",
            "follow",
            "again",
            "reopen",
            "rewind",
          ),
          { minLength: 3, maxLength: 40 },
        ),
        async (steps) => {
          const here = join(dir, String(++run));
          Deno.mkdirSync(join(here, "copy"), { recursive: true });
          const from = join(here, "a.db");
          const to = join(here, "copy", "a.db");
          const open = () => {
            const db = new DatabaseSync(from);
            db.exec("PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0");
            return db;
          };
          let db = open();
          db.exec("CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)");
          // Any log is large enough to be made to begin anew.
          let followed = new FollowedDatabase(from, to, 1);
          const follow = async () => {
            const p = followed.pending();
            if (p === undefined) await followed.rebase();
            else if (p !== "nothing") followed.write(p);
            assert.equal(
              rowsOf(to, join(here, "look")),
              JSON.stringify(db.prepare("SELECT id, v FROM t ORDER BY id").all()),
            );
          };
          let n = 0;
          await follow();
          for (const s of [...steps, "follow"]) {
            if (s === "write") {
              db.prepare("INSERT INTO t (v) VALUES (?)").run(`v${++n}`);
              // One that is rolled back leaves frames that are none.
              db.exec("BEGIN; INSERT INTO t (v) VALUES ('x'); ROLLBACK");
            } else if (s === "big") {
              db.exec("BEGIN");
              for (let i = 0; i < 200; i++) {
                db.prepare("INSERT INTO t (v) VALUES (?)").run(`big ${++n} ${"y".repeat(500)}`);
              }
              db.exec("COMMIT");
            } else if (s === "delete") db.exec("DELETE FROM t WHERE id % 3 = 0");
            else if (s === "checkpoint") db.exec("PRAGMA wal_checkpoint(PASSIVE)");
            else if (s === "restart") {
              // A log that is wholly moved and then written to begins anew, if no reader is in the way.
              db.exec("PRAGMA busy_timeout=0");
              try {
                db.exec("PRAGMA wal_checkpoint(RESTART)");
              } catch {
                // A reader was.
              }
              db.prepare("INSERT INTO t (v) VALUES (?)").run(`r${++n}`);
            } else if (s === "follow") await follow();
            else if (s === "rewind") {
              await follow();
              try {
                followed.rewind(() => {}, true);
              } catch (err) {
                // There is no log yet.
                if (!(err instanceof Deno.errors.NotFound)) throw err;
              }
              await follow();
            } else if (s === "again") {
              // Another process goes on, or makes a new base.
              followed.release();
              followed = new FollowedDatabase(from, to, 1);
              followed.resume();
            } else {
              db.close();
              db = open();
            }
          }
          followed.release();
          db.close();
        },
      ),
      { numRuns: 60 },
    );
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("under constant load the log stays bounded", async () => {
  const dir = await Deno.makeTempDir();
  try {
    const from = join(dir, "a.db");
    Deno.mkdirSync(join(dir, "copy"));
    const db = new DatabaseSync(from);
    db.exec(
      "PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; PRAGMA synchronous=NORMAL; " +
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v TEXT)",
    );
    const insert = db.prepare("INSERT INTO t (v) VALUES (?)");
    const maxLog = 100_000;
    const followed = new FollowedDatabase(from, join(dir, "copy", "a.db"), maxLog);
    const follow = async () => {
      const p = followed.pending();
      if (p === undefined) return void await followed.rebase();
      if (p !== "nothing") followed.write(p);
      // As often as it may be tried: the interval is for the sake of writers, whom there is one of here.
      followed.rewind(() => {}, true);
    };
    await follow();
    let largest = 0;
    for (let i = 0; i < 500; i++) {
      insert.run(`row ${i} ${"y".repeat(300)}`);
      // The server's own checkpoints, which never find a moment without a reader.
      if (i % 20 === 0) db.exec("PRAGMA wal_checkpoint(PASSIVE)");
      if (i % 5 === 0) await follow();
      largest = Math.max(largest, Deno.statSync(`${from}-wal`).size);
    }
    await follow();
    assert.equal(
      rowsOf(join(dir, "copy", "a.db"), join(dir, "look")),
      JSON.stringify(db.prepare("SELECT id, v FROM t ORDER BY id").all()),
    );
    assert.ok(largest > maxLog, "the log was never large enough to try");
    assert.ok(largest < 2 * maxLog, `the log grew to ${largest} bytes`);
    followed.release();
    db.close();
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("a data folder is followed: messages, flags, expunges, other files; and goes on later", () =>
  withStore(async (s) => {
    const to = join(s.dir, "copy");
    const from = s.account.dir;
    await Deno.writeTextFile(join(from, "note.txt"), "one");
    const follow = new DataWatch(from, to, { scanInterval: 0 });
    await follow.round();
    const inbox = s.account.mailboxByName("Inbox")!;
    for (let i = 0; i < 30; i++) {
      await s.account.append(inbox.id, [await s.message(`Subject: m${i}\r\n\r\nx\r\n`)]);
      if (i % 7 === 0) await follow.round();
    }
    await s.account.storeFlags(inbox.id, [1, 2], "add", 1, []);
    await s.account.expunge(inbox.id, [3, 4, 5], undefined, { force: true });
    await Deno.writeTextFile(join(from, "note.txt"), "two");
    for (let i = 0; i < 12; i++) await follow.round();
    follow.close();
    assert.deepEqual(verified(to, s.dir), []);
    assert.equal(await Deno.readTextFile(join(to, "note.txt")), "two");
    const again = new DataWatch(from, to);
    await s.account.append(inbox.id, [await s.message("Subject: later\r\n\r\nx\r\n")]);
    await again.round();
    again.close();
    assert.deepEqual(verified(to, s.dir), []);
    const db = new DatabaseSync(join(to, "index.db"));
    const [{ n }] = db.prepare("SELECT count(*) AS n FROM messages WHERE expunged = 0").all() as {
      n: number;
    }[];
    db.close();
    assert.equal(n, 28);
  }));

function verified(dir: string, scratch: string): string[] {
  const to = Deno.makeTempDirSync({ dir: scratch });
  copyTree(dir, to);
  return verifyData(to, false, () => {}).map((f) => f.text);
}

function copyTree(from: string, to: string): void {
  Deno.mkdirSync(to, { recursive: true });
  for (const e of Deno.readDirSync(from)) {
    if (e.isDirectory) copyTree(join(from, e.name), join(to, e.name));
    else Deno.copyFileSync(join(from, e.name), join(to, e.name));
  }
}

Deno.test("a folder with something else in it is refused", async () => {
  const dir = await Deno.makeTempDir();
  try {
    await Deno.mkdir(join(dir, "data"));
    await Deno.mkdir(join(dir, "other"));
    await Deno.writeTextFile(join(dir, "other", "x"), "x");
    assert.throws(() => new DataWatch(join(dir, "data"), join(dir, "other")), /something else/);
    assert.throws(
      () => new DataWatch(join(dir, "data"), join(dir, "data", "copy")),
      /is in the data/,
    );
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
});
