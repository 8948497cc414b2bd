/** Large JSON values that are passed on in pieces are the same afterwards, and their parts leave turns to others. */
import assert from "node:assert/strict";
import { fc } from "../../support/fast_check.ts";
import { joinedPieces, piecesOf } from "../../../src/web/http/json_pieces.ts";
import { parseJsonBody } from "../../../src/web/http/mod.ts";

const filler = "x".repeat(30_000);

/** Values whose containers are large at any level. */
const values = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, depthSize: "small" },
    fc.constantFrom<unknown>(null, true, 0, 1.5, -7e-9, "", "é\u2028\ud800", filler, []),
    fc.array(tie("value"), { maxLength: 6 }),
    fc.array(
      fc.tuple(
        fc.oneof(fc.constantFrom("__proto__", "constructor", "0", "7", "a/b", ""), fc.string()),
        tie("value"),
      ),
      { maxLength: 6 },
    ).map((entries) =>
      JSON.parse(`{${entries.map(([k, v]) => `${JSON.stringify(k)}:${JSON.stringify(v)}`).join()}}`)
    ),
  ),
})).value;

Deno.test("any value is the same after it was divided and put together", async () => {
  let divided = 0;
  await fc.assert(
    fc.asyncProperty(values, values, values, async (a, b, c) => {
      const text = JSON.stringify({ a, b, filler, c: [c, filler, a], __proto: b });
      const pieces = piecesOf(JSON.parse(text));
      if (pieces === undefined) return;
      divided++;
      const joined = await joinedPieces(structuredClone(pieces));
      // With the names in their order.
      assert.equal(JSON.stringify(joined), JSON.stringify(JSON.parse(text)));
      assert.deepEqual(joined, JSON.parse(text));
    }),
    { numRuns: 150 },
  );
  assert.ok(divided > 50, `${divided}`);
});

Deno.test("names that are an object's own, in each of the pieces", async () => {
  const members = Array.from({ length: 5000 }, (_, i) => `"n${i}":{"v":"${"y".repeat(30)}"}`);
  members.splice(4000, 0, '"__proto__":{"a":1}');
  members.push(
    `"toString":[${members.join().replace(/"n\d+":/g, "").replace(/"__proto__":/, "")}]`,
  );
  const value = JSON.parse(`{${members.join()}}`);
  const pieces = piecesOf(value)!;
  assert.ok(pieces.length > 4);
  const joined = await joinedPieces(pieces) as Record<string, unknown>;
  assert.equal(Object.getPrototypeOf(joined), Object.prototype);
  assert.deepEqual(Object.keys(joined), Object.keys(value));
  assert.equal(JSON.stringify(joined), JSON.stringify(value));
});

Deno.test("numbers that have no text go as they are", () => {
  assert.equal(piecesOf(JSON.parse(`{"a":1e400,"b":"${"z".repeat(100_000)}"}`)), undefined);
  assert.equal(piecesOf(JSON.parse(`{"a":[-0],"b":"${"z".repeat(100_000)}"}`)), undefined);
  assert.equal(piecesOf({ small: true }), undefined);
});

Deno.test("a body of 30,000 objects comes in turns", async () => {
  const value = Object.fromEntries(
    Array.from(
      { length: 30_000 },
      (_, i) => [`k${i}`, { to: `mailto:p${i}@x`, roles: { a: true } }],
    ),
  );
  const body = new TextEncoder().encode(JSON.stringify(value));
  let turns = 0;
  const timer = setInterval(() => turns++, 0);
  try {
    assert.deepEqual(await parseJsonBody(body), value);
  } finally {
    clearInterval(timer);
  }
  assert.ok(turns >= 3, `${turns}`);
});
