/** Turns of the loop: long jobs beside connections. */
import assert from "node:assert/strict";
import { giveWay, nextTurn, turnTime } from "../../src/platform/turns.ts";

function busy(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

Deno.test("a connection waits for one long job, however many wait; and jobs go on beside connections", async () => {
  let slices = 0;
  let over = false;
  const job = async () => {
    while (!over) {
      busy(turnTime + 1);
      slices++;
      await giveWay();
    }
  };
  const jobs = Array.from({ length: 20 }, job);
  const waited: number[] = [];
  for (let i = 0; i < 20; i++) {
    const before = slices;
    await nextTurn();
    waited.push(slices - before);
  }
  const before = slices;
  // Connections that always have more to do.
  const flood = Array.from({ length: 5 }, async () => {
    for (let i = 0; i < 20; i++) {
      await nextTurn();
      busy(2);
    }
  });
  await Promise.all(flood);
  over = true;
  await Promise.all(jobs);
  // The first comes when all have just begun.
  assert.deepEqual(waited.slice(1).filter((n) => n > 2), []);
  assert.ok(slices > before);
});
