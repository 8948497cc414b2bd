/** The columns of a mailbox in memory: growing, rows in any order, removing, finding. */
import { asMailboxId } from "../../src/store/ids.ts";
import assert from "node:assert/strict";
import { fc } from "../support/fast_check.ts";
import { MailboxRows } from "../../src/store/messages/mailbox_rows.ts";
import { FetchRow } from "../../src/store/messages/row.ts";

/** A row whose values all tell its uid and version. */
const row = (
  uid: number,
  v = 0,
) => [
  uid,
  100 + uid + v,
  uid % 1024,
  `k${uid}`,
  1000 + uid,
  2000 + uid,
  3e12 + uid,
  4e12 + uid + v,
  5000 + uid,
];

function shown(rows: MailboxRows): unknown[] {
  return Array.from({ length: rows.count }, (_, i) => {
    const r = new FetchRow();
    rows.fill(r, i);
    return [r.uid, r.modseq, r.flags, r.keywords, r.id, r.emailId, r.received, r.saved, r.size];
  });
}

Deno.test("rows stay whole and in their order, however many there are and however they come", () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.record({
          uid: fc.integer({ min: 1, max: 400 }),
          gone: fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 20 }),
        }),
        { minLength: 150, maxLength: 300 },
      ),
      (steps) => {
        const rows = new MailboxRows(asMailboxId(7), 8, 9, 0);
        const model = new Map<number, unknown[]>();
        for (const [i, { uid, gone }] of steps.entries()) {
          rows.put(row(uid, i));
          model.set(uid, row(uid, i));
          if (i % 10 === 0) {
            const list = [...new Set(gone)].sort((a, b) => a - b);
            rows.remove(list);
            for (const g of list) model.delete(g);
          }
        }
        const want = [...model].sort(([a], [b]) => a - b).map(([, r]) => r);
        assert.deepEqual(shown(rows), want);
        const uids = want.map((r) => r[0] as number);
        for (const uid of [0, 1, 200, 400, 401, ...uids.slice(0, 5)]) {
          const at = uids.findIndex((u) => u >= uid);
          assert.equal(rows.indexOf(uid), at < 0 ? uids.length : at);
        }
      },
    ),
    { numRuns: 20 },
  );
});

Deno.test("columns grow past what was expected, and keep what is in them", () => {
  for (const n of [63, 64, 65, 128, 129, 1000]) {
    const rows = new MailboxRows(asMailboxId(1), 2, 3, 10);
    for (let uid = 1; uid <= n; uid++) rows.put(row(uid));
    assert.deepEqual(shown(rows), Array.from({ length: n }, (_, i) => row(i + 1)), String(n));
    rows.remove([]);
    rows.remove([n + 5]);
    assert.equal(rows.count, n);
    rows.remove([1, n]);
    assert.deepEqual([rows.count, rows.uids[0], rows.keywords.length], [n - 2, 2, n - 2]);
  }
});
