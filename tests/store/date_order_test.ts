/** Slots in the order of their dates, beside plain sorting, for any sequence of changes. */
import assert from "node:assert/strict";
import { fc } from "../support/fast_check.ts";
import { DateOrder } from "../../src/store/emails/date_order.ts";
import { seedOf } from "../support/seed.ts";

const seed = seedOf("FC_SEED");

Deno.test("any additions, removals and changes of dates give the order that sorting gives", () => {
  const step = fc.record({
    slot: fc.nat(90),
    at: fc.nat(20),
    what: fc.constantFrom("add", "add", "remove", "change"),
    sort: fc.integer({ min: 0, max: 4 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const dates = new Map<number, number>();
      const order = new DateOrder((slot) => dates.get(slot)!, (slot) => slot);
      // Dates of slots that were removed are still asked for until the order is made anew.
      const live = new Set<number>();
      const check = () => {
        order.sortIfNeeded(91, (slot) => live.has(slot));
        const wanted = [...live].sort((a, b) => dates.get(a)! - dates.get(b)! || a - b);
        assert.deepEqual([...order.slots], wanted);
      };
      for (const { slot, at, what, sort } of steps) {
        if (what === "remove" && live.delete(slot)) order.remove(slot);
        else if (what === "change" && live.has(slot)) {
          order.remove(slot);
          dates.set(slot, at);
          order.add(slot);
        } else if (what === "add" && !live.has(slot)) {
          // A slot is given again only after the order knows that it was removed.
          check();
          live.add(slot);
          dates.set(slot, at);
          order.add(slot);
        }
        if (sort === 0) check();
      }
      check();
    }),
    { seed, numRuns: 60 },
  );
});

Deno.test("many at once are sorted anew, a few are put into their places", () => {
  for (const n of [63, 64, 65, 200]) {
    const order = new DateOrder((slot) => (slot * 37) % 101, (slot) => slot);
    for (let slot = 0; slot < n; slot++) order.add(slot);
    order.sortIfNeeded(n, () => true);
    const wanted = Array.from({ length: n }, (_, i) => i)
      .sort((a, b) => (a * 37) % 101 - (b * 37) % 101 || a - b);
    assert.deepEqual([...order.slots], wanted, String(n));
    // One that is in stays once.
    order.add(5);
    order.sortIfNeeded(n, () => true);
    assert.deepEqual([...order.slots], wanted, String(n));
    order.remove(5);
    order.sortIfNeeded(n, (slot) => slot !== 5);
    assert.deepEqual([...order.slots], wanted.filter((s) => s !== 5), String(n));
  }
});
