/** Requests to a Worker: answers, errors, and when it starts and ends. */
import assert from "node:assert/strict";
import { renewedWorker } from "../../src/platform/workers/renewed_worker.ts";
import {
  type WorkerClient,
  workerClient,
  type WorkerOptions,
} from "../../src/platform/workers/worker.ts";

interface Watched {
  client: WorkerClient<string, string>;
  /** Workers started so far. */
  started(): number;
  running(): number;
  /** Resolves when the Worker that runs now, or the next, is ended. */
  ended(): Promise<void>;
}

async function withClient(
  options: Partial<WorkerOptions>,
  test: (w: Watched) => Promise<void>,
): Promise<void> {
  let started = 0;
  let running = 0;
  let end = Promise.withResolvers<void>();
  const client = workerClient<string, string>({
    name: "echo",
    start: () => {
      const w = new Worker(new URL("./worker_echo.ts", import.meta.url), { type: "module" });
      started++;
      running++;
      const terminate = w.terminate.bind(w);
      w.terminate = () => {
        running--;
        terminate();
        end.resolve();
        end = Promise.withResolvers();
      };
      return w;
    },
    idleTimeout: 600_000,
    ...options,
  });
  try {
    await test({
      client,
      started: () => started,
      running: () => running,
      ended: () => end.promise,
    });
  } finally {
    client.fail("test is over");
  }
  assert.equal(running, 0);
}

Deno.test("requests to a Worker get their own answers, from one Worker", async () => {
  await withClient({}, async ({ client, started }) => {
    assert.equal(started(), 0);
    const texts = ["a", "b", "c"].map((t) => client.ask(t));
    assert.equal(client.waiting(), 3);
    assert.deepEqual(await Promise.all(texts), ["A", "B", "C"]);
    assert.equal(client.waiting(), 0);
    assert.equal(started(), 1);
  });
});

Deno.test("an error in a request is its own; the Worker goes on", async () => {
  await withClient({}, async ({ client, started }) => {
    const [bad, good] = await Promise.allSettled([client.ask("refuse"), client.ask("b")]);
    assert.equal(bad.status === "rejected" && bad.reason.message, "refused");
    assert.equal(good.status === "fulfilled" && good.value, "B");
    assert.equal(started(), 1);
  });
});

Deno.test("a Worker that breaks fails all that wait; the next request starts a new one", async () => {
  await withClient({}, async ({ client, started, running }) => {
    const waiting = await Promise.allSettled([client.ask("hang"), client.ask("break")]);
    for (const w of waiting) {
      assert.match(w.status === "rejected" ? w.reason.message : "", /^echo worker: .*broken/);
    }
    assert.equal(running(), 0);
    assert.equal(await client.ask("again"), "AGAIN");
    assert.equal(started(), 2);
  });
});

Deno.test("a stopped Worker answers those that wait, then ends", async () => {
  await withClient({}, async ({ client, started, running }) => {
    const answer = client.ask("a");
    client.stop();
    assert.equal(await answer, "A");
    assert.equal(running(), 0);
    assert.equal(await client.ask("b"), "B");
    assert.equal(started(), 2);
    client.stop();
    assert.equal(running(), 0);
  });
});

Deno.test("a request after stop keeps the Worker that still has work", async () => {
  await withClient({}, async ({ client, started, running }) => {
    const first = client.ask("a");
    client.stop();
    const second = client.ask("b");
    assert.deepEqual([await first, await second], ["A", "B"]);
    assert.equal(started(), 1);
    assert.equal(running(), 1);
  });
});

Deno.test("an idle Worker is let go, unless it is kept", async () => {
  await withClient({ idleTimeout: 1 }, async ({ client, ended, running }) => {
    const end = ended();
    // The timer for it doesn't keep the program running: this one does.
    const alive = setInterval(() => {}, 1000);
    assert.equal(await client.ask("a"), "A");
    await end;
    clearInterval(alive);
    assert.equal(running(), 0);

    client.keep();
    assert.equal(await client.ask("b"), "B");
    await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal(running(), 1);
  });
});

Deno.test("an answer that takes too long ends the Worker", async () => {
  await withClient({ answerTimeout: 1 }, async ({ client, running }) => {
    const alive = setInterval(() => {}, 1000);
    await assert.rejects(client.ask("hang"), { message: "echo worker: it takes too long" });
    clearInterval(alive);
    assert.equal(running(), 0);
  });
});

Deno.test("ending a Worker at once fails those that wait", async () => {
  await withClient({}, async ({ client }) => {
    const answer = client.ask("hang");
    client.fail("closed");
    await assert.rejects(answer, { message: "closed" });
    assert.equal(client.waiting(), 0);
  });
});

Deno.test("a Worker for large requests is replaced after so many bytes; what it was asked it answers", async () => {
  const running = new Set<Worker>();
  let started = 0;
  const client = renewedWorker<Uint8Array, number>({
    name: "length",
    start: () => {
      const w = new Worker(new URL("./worker_length.ts", import.meta.url), { type: "module" });
      started++;
      running.add(w);
      const terminate = w.terminate.bind(w);
      w.terminate = () => {
        running.delete(w);
        terminate();
      };
      return w;
    },
    idleTimeout: 600_000,
    mostBytes: 1000,
  });
  const ask = (n: number) => {
    const bytes = new Uint8Array(n);
    return { bytes, answer: client.ask(bytes, bytes) };
  };
  const first = ask(600);
  const second = ask(600);
  const third = ask(10);
  assert.equal(client.waiting(), 3);
  assert.deepEqual(await Promise.all([first, second, third].map((a) => a.answer)), [600, 600, 10]);
  assert.equal(started, 2);
  // The first had its bytes; the second goes on.
  assert.equal(running.size, 1);
  assert.equal(client.waiting(), 0);
  // A buffer of one's own is handed over, part of another isn't.
  assert.equal(first.bytes.length, 0);
  const part = new Uint8Array(20).subarray(5, 15);
  assert.equal(await client.ask(part, part), 10);
  assert.equal(part.length, 10);
  await ask(2000).answer;
  assert.equal(started, 2);
  assert.equal(running.size, 0);
});
