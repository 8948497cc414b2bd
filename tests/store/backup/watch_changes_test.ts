/**
 * What happens to a data folder while a copy follows it, other than mail: accounts come and go, databases are
 * migrated, packed, made anew. After each look the copy is whole and what the original is.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { makeTestData } from "../../../src/commands/test_data.ts";
import { Log, setLevel } from "../../../src/log/mod.ts";
import { JunkFilter } from "../../../src/junk/mod.ts";
import { Queue } from "../../../src/queue/mod.ts";
import type { Account } from "../../../src/store/account/account.ts";
import { Accounts } from "../../../src/store/account/accounts.ts";
import { backupData } from "../../../src/store/backup/copy.ts";
import { DataWatch } from "../../../src/store/backup/watch.ts";
import { unpackTestData } from "../../upgrade/unpack.ts";
import { testRules } from "../setup.ts";
import { contents, faults } from "./compare.ts";

setLevel("store", "error");
setLevel("queue", "error");

interface World {
  dir: string;
  data: string;
  copy: string;
  accounts: Accounts;
  watch: DataWatch;
  deliver(a: Account, text: string): Promise<void>;
  /** Looks, and compares the copy with the original. */
  same(): Promise<void>;
  /** As when the command is started again. */
  again(): void;
}

async function withWorld(
  fn: (w: World) => Promise<void>,
  fill: (dir: string) => Promise<void> = (dir) =>
    Deno.mkdir(join(dir, "data"), { recursive: true }),
): Promise<void> {
  const dir = await Deno.makeTempDir();
  let n = 0;
  try {
    await fill(dir);
    const data = join(dir, "data");
    const copy = join(dir, "copy");
    const newWatch = () => new DataWatch(data, copy, { scanInterval: 0 });
    const w: World = {
      dir,
      data,
      copy,
      accounts: new Accounts(join(data, "accounts"), new Log("store"), () => testRules),
      watch: newWatch(),
      async deliver(a, text) {
        const file = join(dir, `in${n++}`);
        await Deno.writeTextFile(file, text);
        await a.deliver("Inbox", { file, fileSize: text.length, prefix: new Uint8Array(0) });
      },
      async same() {
        await w.watch.round();
        assert.deepEqual(faults(copy, dir), []);
        // After some rounds files of messages that went are gone too.
        for (let i = 0; i < 12; i++) await w.watch.round();
        assert.deepEqual(contents(copy, dir), contents(data, dir));
      },
      again() {
        w.watch.close();
        w.watch = newWatch();
      },
    };
    await Deno.mkdir(join(data, "accounts"), { recursive: true });
    try {
      await fn(w);
    } finally {
      w.watch.close();
      await w.accounts.closeAll();
    }
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

const letter = (id: string) => `From: a@x.example\r\nSubject: ${id}\r\n\r\n${id}\r\n`;

/** What `mox config account rm` and hands do: closed, and its folder is taken away. */
async function removeAccount(w: World, name: string, a: Account): Promise<void> {
  a.close();
  await w.accounts.closeAll();
  await Deno.remove(join(w.data, "accounts", name), { recursive: true });
  w.accounts = new Accounts(join(w.data, "accounts"), new Log("store"), () => testRules);
}

Deno.test("watch: accounts that come, and go", () =>
  withWorld(async (w) => {
    await w.same();
    const one = await w.accounts.open("one");
    await w.deliver(one, letter("first"));
    await w.same();
    let two = await w.accounts.open("two");
    await w.deliver(two, letter("second"));
    await w.same();
    one.close();
    await removeAccount(w, "two", two);
    await w.watch.round();
    const one2 = await w.accounts.open("one");
    await w.deliver(one2, letter("third"));
    await w.watch.round();
    // It stays in the copy, whole.
    assert.deepEqual(faults(w.copy, w.dir), []);
    const { length } = Object.keys(contents(w.copy, w.dir)).filter((n) =>
      n.replaceAll("\\", "/").includes("two/msg")
    );
    assert.equal(length, 1);
    two = await w.accounts.open("two");
    await w.same();
    two.close();
    one2.close();
  }));

for (const restarted of [false, true]) {
  for (const linked of [true, false]) {
    Deno.test(
      `watch: an account that is made anew under its name${
        restarted ? ", while nobody looks" : ""
      }, message files ${linked ? "linked" : "copied"}`,
      () =>
        withWorld(async (w) => {
          const { linkSync } = Deno;
          // As to another file system.
          if (!linked) {
            Deno.linkSync = (from, to) => {
              if (String(to).startsWith(w.copy)) throw new Error("cross-device link");
              linkSync(from, to);
            };
          }
          try {
            let a = await w.accounts.open("one");
            for (const id of ["old1", "old2", "old3"]) await w.deliver(a, letter(id));
            const filter = await JunkFilter.open(a.dir);
            filter.train(true, ["word"]);
            await filter.close();
            await w.same();
            await removeAccount(w, "one", a);
            a = await w.accounts.open("one");
            // As long as the old ones, under the same names.
            for (const id of ["new1", "new2"]) await w.deliver(a, letter(id));
            if (restarted) w.again();
            await w.same();
            await w.deliver(a, letter("new3"));
            await w.same();
            // The old one is kept aside, whole.
            const [aside] = [...Deno.readDirSync(join(w.copy, "removed"))];
            assert.match(aside.name, /^accounts-one-/);
            const old = join(w.copy, "removed", aside.name, "msg", "0", "1");
            assert.equal(await Deno.readTextFile(old), letter("old1"));
            a.close();
          } finally {
            Deno.linkSync = linkSync;
          }
        }),
    );
  }
}

Deno.test("watch and backup: accounts may have names of what is left out at the top", () =>
  withWorld(async (w) => {
    for (const name of ["tmp", "removed", "ctl"]) {
      const a = await w.accounts.open(name);
      await w.deliver(a, letter(name));
      a.close();
    }
    await w.same();
    const to = join(w.dir, "backup");
    await backupData({ from: w.data, to }, () => {});
    assert.deepEqual(contents(to, w.dir), contents(w.data, w.dir));
    Deno.removeSync(join(to, "accounts", "tmp", "msg", "0", "1"));
    assert.equal(faults(to, w.dir).length, 1);
  }));

Deno.test("watch: a database is packed, and made anew in its place", () =>
  withWorld(async (w) => {
    const path = join(w.data, "other.db");
    const open = () => {
      const db = new DatabaseSync(path);
      db.exec("PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0");
      return db;
    };
    let db = open();
    db.exec("CREATE TABLE t (v)");
    for (let i = 0; i < 200; i++) db.prepare("INSERT INTO t VALUES (?)").run("x".repeat(500));
    await w.same();
    db.exec("DELETE FROM t WHERE rowid > 20");
    db.exec("VACUUM");
    await w.same();
    db.exec("PRAGMA wal_checkpoint(PASSIVE); INSERT INTO t VALUES ('after')");
    await w.same();
    for (const end of ["moved", "deleted"]) {
      const made = join(w.dir, `made-${end}.db`);
      const other = new DatabaseSync(made);
      other.exec(`PRAGMA journal_mode=WAL; CREATE TABLE t (v); INSERT INTO t VALUES ('${end}')`);
      other.close();
      db.close();
      if (end === "deleted") Deno.removeSync(path);
      Deno.renameSync(made, path);
      db = open();
      db.exec("INSERT INTO t VALUES ('more')");
      await w.same();
    }
    db.close();
    await w.same();
  }));

Deno.test("watch: a database without a log does not keep its server from beginning one", () =>
  withWorld(async (w) => {
    const path = join(w.data, "other.db");
    // As a backup leaves them.
    const db = new DatabaseSync(path, { timeout: 0 });
    db.exec("CREATE TABLE t (v); INSERT INTO t VALUES (1)");
    await w.same();
    db.exec("INSERT INTO t VALUES (2)");
    await w.same();
    const { journal_mode } = db.prepare("PRAGMA journal_mode=WAL").get() as {
      journal_mode: string;
    };
    assert.equal(journal_mode, "wal");
    db.exec("INSERT INTO t VALUES (3)");
    await w.same();
    db.close();
  }));

Deno.test("watch: data of an earlier version is migrated", () =>
  withWorld(async (w) => {
    await w.same();
    for (const name of ["test0", "test1", "test2"]) {
      const a = await w.accounts.open(name);
      await w.same();
      await w.deliver(a, letter("after"));
      a.close();
    }
    await w.same();
  }, (dir) => unpackTestData("data-1.json.gz", dir)));

Deno.test("watch: the search index is made anew", () =>
  withWorld(async (w) => {
    let a = await w.accounts.open("one");
    for (let i = 0; i < 20; i++) await w.deliver(a, letter(`m${i}`));
    await a.fulltext.update();
    await w.same();
    a.close();
    await w.accounts.closeAll();
    for (const end of ["", "-wal", "-shm"]) {
      await Deno.remove(join(w.data, "accounts", "one", `fulltext.db${end}`)).catch(() => {});
    }
    w.accounts = new Accounts(join(w.data, "accounts"), new Log("store"), () => testRules);
    a = await w.accounts.open("one");
    const rebuilt = a.fulltext.update();
    await w.same();
    await rebuilt;
    await w.same();
    a.close();
    // A server that runs on the copy makes its own.
    w.watch.close();
    const restored = new Accounts(join(w.copy, "accounts"), new Log("store"), () => testRules);
    const b = await restored.open("one");
    await b.fulltext.update();
    assert.equal(b.fulltext.behind, 0);
    b.close();
    await restored.closeAll();
  }));

Deno.test("watch: the queue is emptied", () =>
  withWorld(async (w) => {
    await w.same();
    const queue = await Queue.open(w.data, {
      log: new Log("queue"),
      deliverer: { deliver: () => Promise.reject(new Error("not started")) },
      onDsn: () => Promise.resolve(),
    });
    assert.equal(await queue.drop({}), 3);
    for (let i = 0; i < 12; i++) await w.watch.round();
    await w.same();
    await queue.stop();
    await w.same();
    const db = new DatabaseSync(join(w.copy, "queue", "index.db"), { readOnly: true });
    assert.deepEqual(db.prepare("SELECT * FROM recipients").all(), []);
    db.close();
  }, async (dir) => {
    const made = join(dir, "made");
    await makeTestData(made);
    await Deno.rename(join(made, "data"), join(dir, "data"));
  }));
