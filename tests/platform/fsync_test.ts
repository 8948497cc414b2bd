import assert from "node:assert/strict";
import { SharedSync } from "../../src/platform/fsync.ts";

/** A sync whose end the test decides. */
function controlled() {
  const runs: { resolve: () => void; reject: (e: Error) => void }[] = [];
  const shared = new SharedSync(() => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    runs.push({ resolve, reject });
    return promise;
  });
  return { shared, runs };
}

Deno.test("calls during a sync wait for the next one, and share it", async () => {
  const { shared, runs } = controlled();
  const first = shared.sync();
  const second = shared.sync();
  const third = shared.sync();
  assert.equal(runs.length, 1);
  runs[0].resolve();
  await first;
  // One turn for the waiting sync to start.
  await Promise.resolve();
  assert.equal(runs.length, 2);
  let done = 0;
  second.then(() => done++);
  third.then(() => done++);
  await Promise.resolve();
  assert.equal(done, 0);
  runs[1].resolve();
  await Promise.all([second, third]);
  assert.equal(runs.length, 2);
});

Deno.test("a failed sync is told to those who waited for it, and not to the next", async () => {
  const { shared, runs } = controlled();
  const first = shared.sync();
  const second = shared.sync();
  runs[0].reject(new Error("EIO"));
  await assert.rejects(first, /EIO/);
  await Promise.resolve();
  runs[1].resolve();
  await second;
});

Deno.test("never two syncs at a time, whenever calls come", async () => {
  let running = 0;
  let most = 0;
  let count = 0;
  const shared = new SharedSync(async () => {
    most = Math.max(most, ++running);
    count++;
    await Promise.resolve();
    running--;
  });
  const all: Promise<void>[] = [];
  for (let i = 0; i < 500; i++) {
    all.push(shared.sync());
    for (let j = 0; j < i % 7; j++) await Promise.resolve();
  }
  await Promise.all(all);
  assert.equal(most, 1);
  assert.ok(count < 500);
});
