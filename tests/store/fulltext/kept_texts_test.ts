/** Blocks of kept texts: what is read is what was packed. */
import { asEmailId } from "../../../src/store/ids.ts";
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { fc } from "../../support/fast_check.ts";
import {
  type Block,
  blockOf,
  type EmailTexts,
  hereOf,
  KeptTexts,
  packBlock,
  unpackBlock,
} from "../../../src/store/fulltext/kept_texts.ts";
import type { Row } from "../../../src/store/database/database.ts";

const text = fc.string({ unit: "binary", maxLength: 60 }).map((t) => t.toWellFormed());
const texts: fc.Arbitrary<EmailTexts | null> = fc.option(fc.record({
  header: text,
  body: fc.oneof(text, fc.constant("\ufeff\n[[0,1]]\n\u{1f600}")),
  shown: fc.option(text),
}, { noNullPrototype: true }));

Deno.test("any texts come out of a block as they went in", () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(3), { maxLength: 4 }), fc.array(texts), (places, list) => {
      const block: Block = new Map(places.map((p, i) => [p, list[i] ?? null]));
      assert.deepEqual(unpackBlock(packBlock(block)), block);
      assert.equal(hereOf(block), places.reduce((bits, p) => bits | 1 << p, 0));
    }),
    { numRuns: 200 },
  );
});

Deno.test("texts are found by email, long ones alone, and damage gives none", () => {
  const t = (n: number): EmailTexts => ({ header: `h${n}`, body: `b${n}`, shown: null });
  const db = new DatabaseSync(":memory:");
  db.exec(
    "CREATE TABLE blocks (n INTEGER PRIMARY KEY, here INTEGER, data BLOB); " +
      "CREATE TABLE long_texts (id INTEGER PRIMARY KEY, data BLOB)",
  );
  const add = db.prepare("INSERT INTO blocks VALUES (?, 0, ?)");
  add.run(0, packBlock(new Map([[1, t(1)], [3, null]])));
  add.run(1, packBlock(new Map([[0, t(4)]])));
  add.run(2, new Uint8Array(50).fill(7));
  db.prepare("INSERT INTO long_texts VALUES (?, ?)").run(3, packBlock(new Map([[0, t(3)]])));
  const kept = new KeptTexts({
    get: (sql, ...p) =>
      Object.values(db.prepare(sql).get(...p as number[]) ?? {}).slice(0, 1) as Row,
    all: () => [],
    run: () => ({ changes: 0, lastInsertRowid: 0 }),
  });
  assert.deepEqual(blockOf(asEmailId(7)), { n: 1, place: 3 });
  assert.deepEqual([1, 3, 4].map((id) => kept.get(asEmailId(id))), [t(1), t(3), t(4)]);
  for (const id of [0, 2, 5, 8, 11]) assert.equal(kept.get(asEmailId(id)), undefined, String(id));
  db.close();
});
