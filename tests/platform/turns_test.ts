/** Turns of the loop: long jobs beside connections, and floods beside who has not sent ahead. */
import assert from "node:assert/strict";
import { giveWay, maxPrompt, nextTurn, turnTime } from "../../src/platform/turns.ts";

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

Deno.test("who has not sent ahead waits for one flood, however many there are; and floods go on beside them", async () => {
  let commands = 0;
  let over = false;
  const flood = async () => {
    while (!over) {
      busy(turnTime + 1);
      commands++;
      await nextTurn(maxPrompt + 1);
    }
  };
  const floods = Array.from({ length: 20 }, flood);
  const waited: number[] = [];
  for (let i = 0; i < 20; i++) {
    const before = commands;
    await nextTurn(maxPrompt);
    waited.push(commands - before);
  }
  const before = commands;
  // Sessions that always have one more command, and never many.
  const busyOnes = Array.from({ length: 5 }, async () => {
    for (let i = 0; i < 20; i++) {
      await nextTurn(0);
      busy(2);
    }
  });
  await Promise.all(busyOnes);
  over = true;
  await Promise.all(floods);
  // The first comes when all have just begun.
  assert.deepEqual(waited.slice(1).filter((n) => n > 2), []);
  assert.ok(commands > before);
});
