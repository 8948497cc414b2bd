/** Each database of a data folder: in what gentestdata makes, packed before its version is raised, checked, refused. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { DatabaseSync } from "node:sqlite";
import { makeTestData } from "../../src/commands/test_data.ts";
import { setLogSink } from "../../src/log/mod.ts";
import { queueMigrations } from "../../src/queue/schema.ts";
import { verifyData } from "../../src/store/backup/verify.ts";
import { queueVersion } from "../../src/store/backup/verify_queue.ts";
import { SchemaError } from "../../src/store/database/database.ts";
import { databases, databasesIn, versionOf } from "./databases.ts";
import { packedFolders, unpackTestData } from "./unpack.ts";

setLogSink(() => {});

async function withTestData(fn: (data: string) => Promise<void> | void): Promise<void> {
  const dir = await Deno.makeTempDir();
  try {
    await makeTestData(join(dir, "made"));
    await fn(join(dir, "made", "data"));
  } finally {
    await Deno.remove(dir, { recursive: true });
  }
}

/** Names of files that are databases, as the program names them. */
function namedInSource(): Set<string> {
  const found = new Set<string>();
  const walk = (dir: string) => {
    for (const e of Deno.readDirSync(dir)) {
      const path = join(dir, e.name);
      // The databases of the Go original are named there.
      if (path.endsWith(join("admin", "original"))) continue;
      if (e.isDirectory) walk(path);
      else if (e.name.endsWith(".ts")) {
        for (const [, name] of Deno.readTextFileSync(path).matchAll(/"([\w-]+\.db)"/g)) {
          found.add(name);
        }
      }
    }
  };
  walk(fileURLToPath(new URL("../../src", import.meta.url)));
  return found;
}

Deno.test("gentestdata makes every database that the program has, with something in it", () =>
  withTestData((data) => {
    const made = databasesIn(data);
    const names = new Set(made.map((path) => path.slice(path.lastIndexOf("/") + 1)));
    // One is made anew; the other is of a command of its own, and not in the data folder.
    const others = new Set(["fulltext.db", "objects.db"]);
    for (const name of namedInSource()) {
      if (!others.has(name)) assert.ok(names.has(name), `${name} is not in the folder`);
    }
    assert.deepEqual(
      made.filter((path) => !/^accounts\/test[02]\//.test(path)),
      Object.keys(databases).sort(),
    );
    for (const path of Object.keys(databases)) {
      const db = new DatabaseSync(join(data, path), { readOnly: true });
      const tables = db.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all();
      const counts = tables.map(({ name }) =>
        db.prepare(`SELECT count(*) AS n FROM "${name}"`).get()!.n as number
      );
      db.close();
      assert.ok(counts.some((n) => n > 0), `${path} is empty`);
    }
  }));

Deno.test("each version of each database's schema is in a packed folder before the next one comes", () =>
  withTestData(async (data) => {
    const dir = await Deno.makeTempDir();
    try {
      /** Versions that are packed, by database. */
      const packed = new Map<string, number[]>();
      for (const name of packedFolders) {
        await unpackTestData(name, join(dir, name));
        const old = join(dir, name, "data");
        for (const path of databasesIn(old)) {
          packed.set(path, [...packed.get(path) ?? [], versionOf(join(old, path))]);
        }
      }
      for (const path of Object.keys(databases)) {
        const now = versionOf(join(data, path));
        const have = packed.get(path) ?? [];
        for (let v = Math.min(now, ...have); v < now; v++) {
          assert.ok(
            have.includes(v),
            `${path} is at version ${now}, but no folder of version ${v} is packed: ` +
              `pack one with a checkout of before (tests/upgrade/pack.ts)`,
          );
        }
        assert.ok(
          have.length > 0 || now === 1,
          `${path} is at version ${now}, and in no packed folder`,
        );
        assert.ok(Math.max(0, ...have) <= now, `${path} was packed by a newer version`);
      }
    } finally {
      await Deno.remove(dir, { recursive: true });
    }
  }));

Deno.test("verifydata knows the queue's version", () => {
  assert.equal(queueVersion, queueMigrations[queueMigrations.length - 1].version);
});

Deno.test("a database of a newer version is refused by name, and left as it is", () =>
  withTestData(async (data) => {
    for (const [path, open] of Object.entries(databases)) {
      const file = join(data, path);
      const before = await Deno.readFile(file);
      await open(data);
      const db = new DatabaseSync(file);
      db.exec("PRAGMA user_version = 999; PRAGMA wal_checkpoint(TRUNCATE)");
      db.close();
      const newer = await Deno.readFile(file);
      await assert.rejects(
        open(data),
        (err) =>
          err instanceof SchemaError && err.message.includes(file) &&
          /newer version \(schema 999, this program knows \d+\)/.test(err.message),
        path,
      );
      assert.deepEqual(await Deno.readFile(file), newer, path);
      if (/index\.db$/.test(path)) {
        assert.deepEqual(
          verifyData(data, false, () => {}).map((f) => [f.path, f.text]),
          [[file, "written by a newer version: check it with that one"]],
        );
      }
      await Deno.writeFile(file, before);
    }
  }));

Deno.test("verifydata looks at each database: damaged in its header, or in a page", () =>
  withTestData(async (data) => {
    assert.deepEqual(verifyData(data, false, () => {}), []);
    for (const path of databasesIn(data)) {
      const file = join(data, path);
      const before = await Deno.readFile(file);
      // Page 2 is the root of a table.
      for (const at of [0, 4096]) {
        const damaged = before.slice();
        damaged.fill(0xff, at, at + 200);
        await Deno.writeFile(file, damaged);
        for (const fix of [false, true]) {
          const found = verifyData(data, fix, () => {}).filter((f) => f.path === file);
          assert.ok(found.length > 0, `${path}, damaged at ${at}, is not told`);
          for (const f of found) {
            assert.match(f.text, /^(damaged: |can't be read: )/);
            assert.equal(f.fixed, undefined);
          }
        }
        await Deno.writeFile(file, before);
      }
    }
    assert.deepEqual(verifyData(data, false, () => {}), []);
  }));

Deno.test("-fix mends what can be mended of several kinds of damage at once, and leaves the rest", () =>
  withTestData(async (data) => {
    const account = join(data, "accounts", "test1");
    const change = (path: string, sql: string) => {
      const db = new DatabaseSync(path);
      db.exec(sql);
      db.close();
    };
    const index = join(account, "index.db");
    change(index, "UPDATE mailboxes SET total = total + 3, unseen = 99 WHERE name = 'Inbox'");
    change(index, "DELETE FROM threads WHERE email_id IN (SELECT min(email_id) FROM threads)");
    change(join(data, "queue", "index.db"), "DELETE FROM destinations");
    await Deno.writeTextFile(join(account, "msg", "0", "999"), "nobody's");
    await Deno.writeTextFile(join(data, "queue", "msg", "0", "999"), "nobody's");
    const gone = join(account, "msg", "0", "2");
    await Deno.remove(gone);
    const other = join(data, "accounts", "test2", "msg", "0", "1");
    await Deno.truncate(other, 10);
    for (const path of ["sessions.db", join("accounts", "test2", "fulltext.db")]) {
      using file = await Deno.open(join(data, path), { write: true });
      await file.write(new Uint8Array(200).fill(0xff));
    }
    const first = verifyData(data, true, () => {});
    const unfixed = first.filter((f) => f.fixed === undefined).map((f) => f.path);
    const fixed = first.filter((f) => f.fixed !== undefined).map((f) => f.path);
    assert.ok(fixed.length >= 6, JSON.stringify(first));
    assert.ok(fixed.some((p) => p === join(data, "accounts", "test2", "fulltext.db")));
    assert.ok(fixed.some((p) => p === join(data, "queue", "index.db")));
    const left = [index, join(data, "accounts", "test2", "index.db"), join(data, "sessions.db")];
    assert.deepEqual([...new Set(unfixed)].sort(), left.sort());
    // What was mended is not found again, and what was not is.
    const again = verifyData(data, false, () => {});
    assert.deepEqual([...new Set(again.map((f) => f.path))].sort(), left.sort());
    assert.equal(again.length, unfixed.length, JSON.stringify(again));
  }));
