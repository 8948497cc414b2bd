/** Memory that nothing has used for a while is given back, and what it held is found again. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { Db } from "../../src/store/database/database.ts";
import {
  forgetPages,
  notePages,
  type PagesInMemory,
  shrinkUnused,
} from "../../src/store/database/unused_pages.ts";
import { MessageFiles } from "../../src/store/files/message_files.ts";
import { giveUpUnused } from "../../src/store/files/recent_messages.ts";

/** Runs with a database that counts how often it was shrunk. */
function withPages(work: (database: PagesInMemory & { uses: number; shrunk: number }) => void) {
  const database = {
    uses: 0,
    shrunk: 0,
    shrink() {
      this.shrunk++;
    },
  };
  notePages(database);
  try {
    work(database);
  } finally {
    forgetPages(database);
  }
}

Deno.test("a database in which nothing ran between two looks is shrunk, once", () =>
  withPages((database) => {
    database.uses = 500;
    shrinkUnused();
    assert.equal(database.shrunk, 0, "used since the look before");
    shrinkUnused();
    assert.equal(database.shrunk, 1);
    shrinkUnused();
    assert.equal(database.shrunk, 1, "not used since");
    database.uses += 500;
    shrinkUnused();
    assert.equal(database.shrunk, 1);
    shrinkUnused();
    assert.equal(database.shrunk, 2, "used again, and unused again");
  }));

Deno.test("a database with a few statements now and then is left alone", () =>
  withPages((database) => {
    database.uses = 500;
    shrinkUnused();
    shrinkUnused();
    assert.equal(database.shrunk, 1);
    for (let i = 0; i < 9; i++) {
      database.uses += 10;
      shrinkUnused();
      shrinkUnused();
    }
    assert.equal(database.shrunk, 1);
  }));

Deno.test("a database that was closed is not looked at", () =>
  withPages((database) => {
    database.uses = 500;
    shrinkUnused();
    forgetPages(database);
    shrinkUnused();
    assert.equal(database.shrunk, 0);
  }));

Deno.test("rows are the same before and after their database was shrunk", async () => {
  const dir = await Deno.makeTempDir();
  const db = await Db.open(join(dir, "a.db"), [
    { version: 1, sql: "CREATE TABLE rows (id INTEGER PRIMARY KEY, text TEXT) STRICT" },
  ]);
  try {
    db.transaction(() => {
      for (let i = 1; i <= 2000; i++) {
        db.run("INSERT INTO rows VALUES (?, ?)", i, "text ".repeat(i % 97));
      }
    });
    const before = db.all("SELECT id, text FROM rows ORDER BY id");
    const uses = db.uses;
    // Rows that are being read stay valid.
    let n = 0;
    for (const [id, text] of db.iterate("SELECT id, text FROM rows ORDER BY id")) {
      if (n === 1000) {
        shrinkUnused();
        assert.equal(shrinkUnused() > 0, true);
      }
      assert.deepEqual([id, text], [...before[n++]]);
    }
    assert.equal(n, 2000);
    assert.equal(db.uses, uses, "to be looked at isn't a use");
    assert.deepEqual(db.all("SELECT id, text FROM rows ORDER BY id"), before);
    db.transaction(() => db.run("UPDATE rows SET text = 'changed' WHERE id = 7"));
    assert.deepEqual([...db.get("SELECT text FROM rows WHERE id = 7")!], ["changed"]);
  } finally {
    await db.close();
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("kept message files are given up when nobody has read them for some looks, and then read anew", async () => {
  const dir = await Deno.makeTempDir();
  const files = new MessageFiles(join(dir, "msg"));
  await Deno.mkdir(join(dir, "msg"));
  try {
    const source = join(dir, "source");
    await Deno.writeTextFile(source, "first");
    await files.add(1, source);
    const read = () => {
      const reader = files.open(1, new Uint8Array(0), 5);
      try {
        return new TextDecoder().decode(reader.read(0, 5));
      } finally {
        reader.close();
      }
    };
    assert.equal(read(), "first");
    // Only memory knows the first content now.
    await Deno.writeTextFile(files.path(1), "other");
    for (let i = 0; i < 20; i++) {
      assert.equal(read(), "first", "read between any two looks: it stays");
      giveUpUnused();
    }
    const held = files.open(1, new Uint8Array(0), 5);
    for (let i = 0; i < 20; i++) giveUpUnused();
    assert.equal(new TextDecoder().decode(held.read(0, 5)), "first", "one that is open stays");
    held.close();
    let given = 0;
    for (let i = 0; i < 20; i++) given += giveUpUnused();
    assert.equal(given > 0, true);
    assert.equal(read(), "other");
  } finally {
    files.close();
    await Deno.remove(dir, { recursive: true });
  }
});
