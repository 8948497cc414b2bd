/** How junk went, by account and day. */
import assert from "node:assert/strict";
import { JunkFigures } from "../../src/delivery/junk_figures.ts";

const dayMs = 86_400_000;

Deno.test("counts are kept by account and day, over restarts, and go with their account and with time", async () => {
  const dir = await Deno.makeTempDir();
  const first = Date.UTC(2026, 10, 23, 23, 59);
  let now = first;
  const open = () => JunkFigures.open(dir, () => now);
  let f = await open();
  try {
    f.note("ann", "good");
    f.note("ann", "good");
    f.note("ann", "junk");
    f.note("bob", "refused");
    now += 2 * 60_000;
    f.note("ann", "missed");
    f.note("ann", "falseAlarms");
    await f.close();
    f = await open();
    f.note("ann", "good");
    assert.deepEqual(f.days("ann", 3), [
      { day: Date.UTC(2026, 10, 22), good: 0, junk: 0, refused: 0, missed: 0, falseAlarms: 0 },
      { day: Date.UTC(2026, 10, 23), good: 2, junk: 1, refused: 0, missed: 0, falseAlarms: 0 },
      { day: Date.UTC(2026, 10, 24), good: 1, junk: 0, refused: 0, missed: 1, falseAlarms: 1 },
    ]);
    assert.deepEqual(f.days("nobody", 1).map((d) => d.good), [0]);
    f.note("bob", "refused");
    await f.forgetOthers((name) => name === "ann");
    assert.equal(f.days("bob", 30).reduce((n, d) => n + d.refused, 0), 0);
    assert.equal(f.days("ann", 30).reduce((n, d) => n + d.good, 0), 3);
    // More than a year later.
    now = first + 500 * dayMs;
    f.note("ann", "good");
    assert.equal(f.days("ann", 600).reduce((n, d) => n + d.good, 0), 1);
  } finally {
    await f.close();
    await Deno.remove(dir, { recursive: true });
  }
});
