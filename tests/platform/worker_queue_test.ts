/** Workers that accounts share: turns, limits, one request's end apart from the others. */
import assert from "node:assert/strict";
import { workerQueue, type WorkerQueueOptions } from "../../src/platform/workers/worker_queue.ts";

/** Answers after so many milliseconds; hangs for -1. */
const source = `
self.onmessage = (e) => {
  const { id, request } = e.data;
  if (request < 0) { for (;;); }
  setTimeout(() => self.postMessage({ id, answer: request }), request);
};`;
const url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));

const queue = (o: Partial<WorkerQueueOptions> = {}) =>
  workerQueue<number, number>({
    name: "test",
    start: () => new Worker(url, { type: "module" }),
    idleTimeout: 60_000,
    workers: 2,
    timeLimit: 2000,
    maxWaitingOfOne: 5,
    maxWaiting: 8,
    ...o,
  });

Deno.test("a request that never ends fails alone; other accounts are served meanwhile, and it later", async () => {
  const q = queue();
  const order: string[] = [];
  const bad = q.ask("mallory", -1).catch((e: Error) => order.push(e.message));
  const later = q.ask("mallory", 1).then(() => order.push("mallory"));
  await Promise.all(["ann", "bob", "cas"].map((a) => q.ask(a, 1).then(() => order.push(a))));
  await Promise.all([bad, later]);
  assert.deepEqual(order.slice(0, 3), ["ann", "bob", "cas"]);
  assert.deepEqual(order.slice(3), ["test worker: it takes too long", "mallory"]);
  q.stop("end");
});

Deno.test("accounts take turns, whoever asked more", async () => {
  const q = queue({ workers: 1 });
  const order: string[] = [];
  const ask = (a: string) => q.ask(a, 1).then(() => order.push(a));
  await Promise.all([ask("a"), ask("a"), ask("a"), ask("b"), ask("c"), ask("b")]);
  // The second and third of "a" don't come before the first of the others.
  assert.ok(
    order.indexOf("b") < order.lastIndexOf("a") && order.indexOf("c") < order.lastIndexOf("a"),
  );
  q.stop("end");
});

Deno.test("too many that wait are refused at once, of one account and in all", async () => {
  const q = queue();
  const asked = [...Array(6)].map(() => q.ask("a", 50));
  await assert.rejects(q.ask("a", 1), /too many requests wait/);
  const others = [...Array(4)].map((_, i) => q.ask(`x${i}`, 50));
  await assert.rejects(q.ask("y", 1), /too many requests wait/);
  q.stop("stopped");
  for (const r of await Promise.allSettled([...asked, ...others])) {
    assert.equal(r.status, "rejected");
  }
});
