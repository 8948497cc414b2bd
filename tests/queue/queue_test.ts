/** The queue over a clock that the tests move. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { Log, setLevel } from "../../src/log/mod.ts";
import {
  type Deliverer,
  type DsnEvent,
  localDeliverer,
  maxPerDestination,
  type NewQueueMessage,
  Queue,
  type Result,
} from "../../src/queue/mod.ts";
import { TestClock } from "./clock.ts";
import { delayedAfter, maxAttempts } from "../../src/queue/scheduling/schedule.ts";

setLevel("queue", "error");
const minute = 60_000;

interface World {
  dir: string;
  clock: TestClock;
  queue: Queue;
  dsns: DsnEvent[];
  /** What was asked to be delivered: addresses of each call. */
  calls: string[][];
  answer: (address: string) => Result | Promise<Result>;
  onDsn: (e: DsnEvent) => Promise<void>;
  message(to: string[], more?: Partial<NewQueueMessage>): Promise<NewQueueMessage>;
  reopen(): Promise<void>;
  files(): string[];
}

const temporary: Result = { kind: "temporary", code: 451, enhanced: "4.3.0", text: "later" };
const permanent: Result = { kind: "permanent", code: 550, enhanced: "5.1.1", text: "gone" };

async function withQueue(fn: (w: World) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  const clock = new TestClock();
  let n = 0;
  const deliverer: Deliverer = {
    async deliver(_message, items, signal) {
      w.calls.push(items.map((i) => i.address));
      return await Promise.race([
        Promise.all(items.map((i) => w.answer(i.address))),
        new Promise<never>((_, reject) => {
          signal.addEventListener("abort", () => reject(new Error("aborted")));
        }),
      ]);
    },
  };
  const open = () =>
    Queue.open(dir, { log: new Log("queue"), deliverer, clock, onDsn: (e) => w.onDsn(e) });
  const w: World = {
    dir,
    clock,
    queue: undefined as unknown as Queue,
    dsns: [],
    calls: [],
    answer: () => ({ kind: "delivered" }),
    onDsn: (e) => {
      w.dsns.push(e);
      return Promise.resolve();
    },
    async message(to, more = {}) {
      const file = join(dir, `m${n++}`);
      const bytes = new TextEncoder().encode("Subject: x\r\n\r\nbody\r\n");
      await Deno.writeFile(file, bytes);
      return {
        senderAccount: "test",
        mailFrom: "me@example.org",
        recipients: to.map((address) => ({ address })),
        file,
        fileSize: bytes.length,
        prefix: new Uint8Array(0),
        smtputf8: false,
        has8bit: false,
        requireTls: false,
        ...more,
      };
    },
    async reopen() {
      await w.queue.stop();
      w.queue = await open();
    },
    files() {
      const root = join(dir, "queue", "msg");
      const found: string[] = [];
      for (const shard of Deno.readDirSync(root)) {
        for (const f of Deno.readDirSync(join(root, shard.name))) found.push(f.name);
      }
      return found.sort();
    },
  };
  w.queue = await open();
  try {
    await fn(w);
  } finally {
    await w.queue.stop();
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("a message is delivered at once, and its file goes with its last recipient", () =>
  withQueue(async (w) => {
    await w.queue.start();
    await w.queue.add(await w.message(["a@x.example", "b@x.example", "c@y.example"]));
    await w.queue.idle();
    assert.deepEqual(w.calls, [["a@x.example", "b@x.example"], ["c@y.example"]]);
    assert.equal(w.queue.count(), 0);
    assert.deepEqual(w.files(), []);
    assert.equal(w.dsns.length, 0);
  }));

Deno.test("the schedule: 9 attempts, the delay told after the sixth, the failure after the last", () =>
  withQueue(async (w) => {
    w.answer = () => temporary;
    const times: number[] = [];
    const start = w.clock.time;
    const answer = w.answer;
    w.answer = (a) => {
      times.push((w.clock.time - start) / minute);
      return answer(a);
    };
    await w.queue.start();
    await w.queue.add(await w.message(["a@x.example"]));
    await w.queue.idle();
    while (w.queue.count() > 0 && w.clock.next()) await w.queue.idle();
    assert.equal(times.length, maxAttempts);
    const waits = times.slice(1).map((t, i) => t - times[i]);
    assert.deepEqual(waits, [7.5, 15, 30, 60, 120, 240, 480, 960]);
    assert.deepEqual(w.dsns.map((d) => d.action), ["delayed", "failed"]);
    assert.equal(w.dsns[0].recipients[0].item.attempts >= delayedAfter, true);
    assert.equal(w.queue.count(), 0);
    assert.deepEqual(w.files(), []);
  }));

Deno.test("who is told what: NOTIFY, the null sender, and never for a DSN", () =>
  withQueue(async (w) => {
    await w.queue.start();
    const told = async (
      result: Result,
      notify: NonNullable<NewQueueMessage["recipients"][0]["notify"]> | undefined,
      more: Partial<NewQueueMessage> = {},
    ) => {
      w.dsns = [];
      w.answer = () => result;
      await w.queue.add(
        await w.message([], { recipients: [{ address: "a@x.example", notify }], ...more }),
      );
      await w.queue.idle();
      return w.dsns.map((d) => d.action).join();
    };
    assert.equal(await told(permanent, undefined), "failed");
    assert.equal(await told(permanent, ["never"]), "");
    assert.equal(await told(permanent, ["success"]), "");
    assert.equal(await told(permanent, ["failure", "delay"]), "failed");
    assert.equal(await told({ kind: "delivered" }, ["success"]), "delivered");
    assert.equal(await told({ kind: "delivered" }, undefined), "");
    assert.equal(await told(permanent, undefined, { mailFrom: "" }), "");
    assert.equal(await told(permanent, undefined, { isDsn: true }), "");
  }));

Deno.test("a failure whose DSN can't be made stays, isn't delivered again, and is told later", () =>
  withQueue(async (w) => {
    w.answer = () => permanent;
    let broken = true;
    const onDsn = w.onDsn;
    w.onDsn = (e) => broken ? Promise.reject(new Error("disk full")) : onDsn(e);
    await w.queue.start();
    await w.queue.add(await w.message(["a@x.example"]));
    await w.queue.idle();
    assert.equal(w.queue.count(), 1);
    broken = false;
    w.clock.next();
    await w.queue.idle();
    assert.equal(w.calls.length, 1);
    assert.equal(w.dsns.length, 1);
    assert.equal(w.dsns[0].recipients[0].result.text, "gone");
    assert.equal(w.queue.count(), 0);
  }));

Deno.test("what is queued survives a restart; what was under way is tried again, exactly one end each", () =>
  withQueue(async (w) => {
    const { promise, resolve } = Promise.withResolvers<Result>();
    w.answer = () => promise;
    await w.queue.start();
    await w.queue.add(await w.message(["a@x.example"]));
    await w.queue.add(await w.message(["b@y.example"], { notBefore: w.clock.time + 5 * minute }));
    assert.equal(w.calls.length, 1);
    await w.reopen();
    resolve({ kind: "delivered" });
    assert.equal(w.queue.count(), 2);
    w.answer = () => ({ kind: "delivered" });
    await w.queue.start();
    await w.queue.idle();
    assert.deepEqual(w.calls, [["a@x.example"], ["a@x.example"]]);
    w.clock.next();
    await w.queue.idle();
    assert.deepEqual(w.calls[2], ["b@y.example"]);
    assert.equal(w.queue.count(), 0);
    assert.deepEqual(w.files(), []);
  }));

Deno.test("files that a crash left without a row are removed, others are not", () =>
  withQueue(async (w) => {
    await w.queue.add(await w.message(["a@x.example"]));
    await Deno.writeTextFile(join(w.dir, "queue", "msg", "0", "5"), "half");
    await w.reopen();
    assert.deepEqual(w.files(), ["1"]);
  }));

Deno.test("a message that can't be taken leaves nothing", () =>
  withQueue(async (w) => {
    const m = await w.message(["a@x.example"]);
    await assert.rejects(w.queue.add({ ...m, fileSize: 1 }), /bytes/);
    assert.deepEqual([w.queue.count(), w.files().length], [0, 0]);
  }));

Deno.test("a destination gets so many deliveries at a time, and others don't wait for it", () =>
  withQueue(async (w) => {
    const { promise, resolve } = Promise.withResolvers<Result>();
    w.answer = (a) => a.endsWith("@slow.example") ? promise : { kind: "delivered" };
    await w.queue.start();
    // Deliveries begin in turns of the loop, some time after their messages were queued.
    const until = async (is: () => boolean) => {
      while (!is()) await new Promise((r) => setTimeout(r, 1));
    };
    for (let i = 0; i < 30; i++) await w.queue.add(await w.message([`u${i}@slow.example`]));
    await until(() => w.calls.length >= maxPerDestination);
    await w.queue.add(await w.message(["a@fast.example"]));
    await until(() => w.calls.some(([to]) => to === "a@fast.example"));
    assert.equal(w.calls.length, maxPerDestination + 1);
    resolve({ kind: "delivered" });
    await w.queue.idle();
    assert.equal(w.queue.count(), 0);
    assert.equal(w.calls.length, 31);
  }));

Deno.test("a deliverer that throws, or forgets a recipient, is a temporary failure", () =>
  withQueue(async (w) => {
    w.answer = () => Promise.reject(new Error("broken"));
    await w.queue.start();
    await w.queue.add(await w.message(["a@x.example"]));
    await w.queue.idle();
    assert.equal(w.queue.list()[0].results[0].kind, "temporary");
    assert.equal(w.queue.list()[0].results[0].text, "broken");
  }));

Deno.test("hold, schedule, drop and fail", () =>
  withQueue(async (w) => {
    const [id] = await w.queue.add(await w.message(["a@x.example"]));
    await w.queue.hold({ ids: [id] }, true);
    await w.queue.start();
    await w.queue.idle();
    assert.equal(w.calls.length, 0);
    await w.queue.schedule({ ids: [id] }, w.clock.time + 60 * minute);
    await w.queue.hold({ ids: [id] }, false);
    assert.equal(w.calls.length, 0);
    assert.equal(await w.queue.fail({ ids: [id] }), 1);
    await w.queue.idle();
    assert.deepEqual(w.dsns.map((d) => d.action), ["failed"]);
    assert.equal(w.calls.length, 0);
    assert.equal(w.queue.count(), 0);
    const later = { notBefore: w.clock.time + minute };
    const [other] = await w.queue.add(await w.message(["b@x.example"], later));
    assert.equal(await w.queue.drop({ ids: [other, 999] }), 1);
    await w.queue.idle();
    assert.deepEqual([w.queue.count(), w.files().length, w.dsns.length], [0, 0, 1]);
  }));

Deno.test("localserve's addresses fail as asked, in the queue", async () => {
  const local = localDeliverer(() => Promise.resolve({ kind: "delivered" }));
  const item = (address: string) => ({ address }) as Parameters<Deliverer["deliver"]>[1][0];
  const results = await local.deliver(
    {} as Parameters<Deliverer["deliver"]>[0],
    [
      "a@x",
      "queuetemperror@x",
      "queuepermerror@x",
      "queue452@x",
      "queue554@x",
      "queuetimeout@x",
      "temperror@x",
    ]
      .map(item),
    new AbortController().signal,
  );
  assert.deepEqual(results.map((r) => r.kind === "delivered" ? 250 : r.code), [
    250,
    451,
    550,
    452,
    554,
    451,
    250,
  ]);
});
