/** Logs of SQLite as a backup reads them: whole transactions, what is half written, what is of before; and its Worker. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { BackupError } from "../../../src/store/backup/copy.ts";
import { copyLog, logPosition, mergeLog, putBase } from "../../../src/store/backup/log_copy.ts";
import {
  copyStretch,
  frameHead,
  headerSize,
  readAt,
  readHeader,
  scanFrames,
} from "../../../src/store/backup/wal_format.ts";
import { backupInWorker, verifyInWorker } from "../../../src/store/backup/worker.ts";
import { withStore } from "../setup.ts";

async function inDir(fn: (dir: string) => void | Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await fn(dir);
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** A database in a log, with rows that its base does not have. */
function database(path: string): DatabaseSync {
  const db = new DatabaseSync(path);
  db.exec("PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0; PRAGMA cache_size=-16");
  db.exec("CREATE TABLE t (n INTEGER PRIMARY KEY, s TEXT)");
  return db;
}

const insert = (db: DatabaseSync, n: number, size = 10) =>
  db.prepare("INSERT INTO t VALUES (?, ?)").run(n, "x".repeat(size));
const rows = (path: string): number => {
  const db = new DatabaseSync(path);
  try {
    return Number(db.prepare("SELECT count(*) AS n FROM t").get()!.n);
  } finally {
    db.close();
  }
};

Deno.test("a log is read to the end of its last whole transaction, from any of their ends on", () =>
  inDir((dir) => {
    const path = join(dir, "a.db");
    const db = database(path);
    const wal = `${path}-wal`;
    const ends: number[] = [];
    for (let n = 1; n <= 5; n++) {
      insert(db, n, n === 3 ? 50_000 : 10);
      ends.push(Deno.statSync(wal).size);
    }
    using file = Deno.openSync(wal);
    const h = readHeader(file)!;
    assert.equal(h.pageSize, 4096);
    const all = scanFrames(file, h, headerSize, h.sum);
    assert.equal(all.end, ends[4]);
    // On from where it was, with the sum of there.
    const half = scanFrames(file, h, headerSize, h.sum, ends[1]);
    assert.equal(half.end, ends[1]);
    assert.deepEqual(scanFrames(file, h, half.end, half.sum), all);
    // Within a transaction it stops at the end of the one before.
    assert.deepEqual(scanFrames(file, h, headerSize, h.sum, ends[2] - 1), half);
    // A transaction that is not at its end yet does not count.
    db.exec("BEGIN");
    for (let n = 10; n < 400; n++) insert(db, n, 4000);
    assert.ok(Deno.statSync(wal).size > ends[4]);
    assert.equal(scanFrames(file, h, headerSize, h.sum).end, ends[4]);
    db.exec("ROLLBACK");
    db.close();
  }));

Deno.test("bytes that were changed, cut off or are of a log before end the reading there", () =>
  inDir(async (dir) => {
    const path = join(dir, "a.db");
    const db = database(path);
    const ends: number[] = [];
    for (let n = 1; n <= 3; n++) {
      insert(db, n);
      ends.push(Deno.statSync(`${path}-wal`).size);
    }
    const good = await Deno.readFile(`${path}-wal`);
    db.close();
    const copy = join(dir, "copy-wal");
    const end = async (change: (b: Uint8Array) => Uint8Array | void) => {
      const bytes = good.slice();
      await Deno.writeFile(copy, change(bytes) ?? bytes);
      using file = Deno.openSync(copy);
      const h = readHeader(file);
      return h && scanFrames(file, h, headerSize, h.sum).end;
    };
    assert.equal(await end(() => {}), ends[2]);
    assert.equal(await end((b) => b.subarray(0, -1)), ends[1]);
    assert.equal(await end((b) => void (b[ends[1] + frameHead + 100] ^= 1)), ends[1]); // a page
    assert.equal(await end((b) => void (b[ends[1] + 3] ^= 1)), ends[1]); // its number
    assert.equal(await end((b) => void (b[ends[1] + 9] ^= 1)), ends[1]); // a salt
    assert.equal(await end((b) => void (b[ends[1] + 17] ^= 1)), ends[1]); // its checksum
    for (const at of [3, 9, 20, 25, 30]) {
      assert.equal(await end((b) => void (b[at] ^= 1)), undefined);
    }
    assert.equal(await end((b) => b.subarray(0, headerSize - 1)), undefined);
    assert.equal(await end((b) => b.subarray(0, headerSize)), headerSize);
  }));

Deno.test("a copy grows with the log that it follows, and is a database at each step", () =>
  inDir(async (dir) => {
    const path = join(dir, "a.db"), to = join(dir, "b.db");
    assert.equal(logPosition(to), undefined);
    const db = database(path);
    db.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    await Deno.copyFile(path, `${dir}/made`);
    putBase(`${dir}/made`, to);
    assert.equal(rows(to), 0);
    let at = 0, sum = { a: 0, b: 0 };
    for (let n = 1; n <= 3; n++) {
      insert(db, n);
      using log = Deno.openSync(`${path}-wal`);
      const header = readHeader(log)!;
      const whole = scanFrames(log, header, at || headerSize, at === 0 ? header.sum : sum);
      copyLog(log, `${to}-wal`, { header, at, ...whole });
      const position = logPosition(to)!;
      assert.deepEqual(position, {
        generation: header.generation,
        size: whole.end,
        last: whole.sum,
      });
      ({ end: at, sum } = whole);
    }
    mergeLog(to);
    assert.equal(rows(to), 3);
    assert.equal(logPosition(to), undefined);
    db.close();
  }));

Deno.test("stretches are copied to their own place; one that is gone is an error", () =>
  inDir(async (dir) => {
    const big = new Uint8Array(2_500_000).map((_, i) => i * 7 + (i >> 8));
    await Deno.writeFile(join(dir, "a"), big);
    using from = Deno.openSync(join(dir, "a"));
    using to = Deno.openSync(join(dir, "b"), { write: true, read: true, create: true });
    copyStretch(from, to, 100, 2_400_000);
    const got = await Deno.readFile(join(dir, "b"));
    assert.equal(got.length, 2_400_000);
    assert.deepEqual(got.subarray(100), big.subarray(100, 2_400_000));
    assert.throws(() => copyStretch(from, to, 0, big.length + 1), /the log has become shorter/);
    const end = new Uint8Array(10);
    assert.equal(readAt(from, end, big.length - 4), 4);
    assert.deepEqual(end.subarray(0, 4), big.subarray(-4));
  }));

Deno.test("a backup and its check in a Worker; what is wrong comes out as it is", () =>
  withStore(async (s) => {
    await s.account.deliver("Inbox", await s.message("Subject: a\r\n\r\na\r\n"));
    await inDir(async (dir) => {
      const to = join(dir, "copy");
      const lines: string[] = [];
      const counts = await backupInWorker({ from: s.dir, to }, (l) => lines.push(l));
      assert.equal(counts.linked + counts.copied, 1);
      assert.ok(counts.databases > 0);
      assert.deepEqual(await verifyInWorker(to, false, () => {}), []);
      await assert.rejects(
        backupInWorker({ from: s.dir, to }, () => {}),
        (err: Error) => err instanceof BackupError && /is not empty/.test(err.message),
      );
      await assert.rejects(
        backupInWorker({ from: join(dir, "none"), to: join(dir, "other") }, () => {}),
        (err: Error) => !(err instanceof BackupError),
      );
    });
  }));
