import assert from "node:assert/strict";
import { Broadcast } from "../../src/store/changes.ts";
import type { Change } from "../../src/store/types.ts";
import { withStore } from "./setup.ts";

const change = (name: string): Change => ({ kind: "subscription", name, subscribed: true });

Deno.test("a change that comes between two waits is not lost", async () => {
  const b = new Broadcast();
  const l = b.listen();
  b.publish([change("a")]);
  await l.wait();
  // Not taken yet: the signal is still set.
  await l.wait();
  assert.equal(l.take().length, 1);
  let woken = false;
  const waiting = l.wait().then(() => woken = true);
  await Promise.resolve();
  assert.equal(woken, false);
  b.publish([change("b")]);
  b.publish([change("c")]);
  await waiting;
  assert.deepEqual(l.take().map((c) => (c as { name: string }).name), ["b", "c"]);
  l.close();
});

Deno.test("every one of many changes arrives, whenever the listener looks", async () => {
  const b = new Broadcast();
  const l = b.listen();
  const total = 2000;
  let got = 0;
  const reader = (async () => {
    while (got < total) {
      await l.wait();
      for (const c of l.take()) {
        assert.equal((c as { name: string }).name, String(got));
        got++;
      }
    }
  })();
  for (let i = 0; i < total; i++) {
    b.publish([change(String(i))]);
    for (let k = 0; k < i % 5; k++) await Promise.resolve();
  }
  await reader;
  assert.equal(got, total);
});

Deno.test("a wait ends when it is aborted", async () => {
  const l = new Broadcast().listen();
  const abort = new AbortController();
  const waiting = l.wait(abort.signal);
  abort.abort();
  await waiting;
  assert.equal(l.pending, false);
});

Deno.test("who makes a change is not told of it, the others are, at the commit", () =>
  withStore(async ({ account }) => {
    const [mine, other] = [account.listen(), account.listen()];
    await account.createMailbox("News", { origin: mine });
    assert.equal(mine.take().length, 0);
    assert.deepEqual(other.take().map((c) => c.kind), ["addMailbox"]);
    mine.close();
    other.close();
  }));
