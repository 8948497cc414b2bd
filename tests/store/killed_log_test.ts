/** The write-ahead log of a database whose processes are killed again and again, each before it has done much. */
import assert from "node:assert/strict";
import { Db } from "../../src/store/database/database.ts";

const rounds = 8;
const migrations = [{ version: 1, sql: "CREATE TABLE t (round INTEGER, data BLOB)" }];

Deno.test("a log that grows over processes that are killed is moved into the database", async () => {
  const top = await Deno.makeTempDir();
  try {
    let dir = `${top}/0`;
    await Deno.mkdir(dir);
    for (let round = 1; round <= rounds; round++) {
      const db = await Db.open(`${dir}/x.db`, migrations);
      db.run("INSERT INTO t VALUES (?, zeroblob(2000000))", round);
      await db.durable();
      await db.checkpointed();
      // From the log's start, if all that it had is in the database.
      db.run("INSERT INTO t VALUES (?, NULL)", round);
      await db.durable();
      // As it is after a kill: what the process would do at its end is not done.
      const next = `${top}/${round}`;
      await Deno.mkdir(next);
      for (const end of ["", "-wal"]) {
        await Deno.copyFile(`${dir}/x.db${end}`, `${next}/x.db${end}`);
      }
      await db.close();
      dir = next;
    }
    const { size } = await Deno.stat(`${dir}/x.db`);
    assert.ok(size > 10_000_000, `${size} bytes in the database`);
    const { size: log } = await Deno.stat(`${dir}/x.db-wal`);
    assert.ok(log < 11_000_000, `${log} bytes in the log`);
    const db = await Db.open(`${dir}/x.db`, migrations);
    assert.deepEqual(
      db.all("SELECT round, length(data) FROM t WHERE data NOTNULL ORDER BY round"),
      Array.from({ length: rounds }, (_, i) => [i + 1, 2_000_000]),
    );
    await db.close();
  } finally {
    await Deno.remove(top, { recursive: true });
  }
});
