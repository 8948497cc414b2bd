/** Dead destinations, however many, don't keep living ones waiting. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Log, setLevel } from "../../src/log/mod.ts";
import {
  maxDeliveries,
  maxRunning,
  type NewQueueMessage,
  type Priority,
  Queue,
  type Result,
} from "../../src/queue/mod.ts";
import { TestClock } from "./clock.ts";

setLevel("queue", "error");

/** A queue whose deliveries to dead* hang until they are let go, and others are done at once. */
class DeadWorld implements AsyncDisposable {
  readonly dir = Deno.makeTempDirSync();
  readonly clock = new TestClock();
  readonly delivered: string[] = [];
  readonly waiting: (() => void)[] = [];
  queue!: Queue;
  #n = 0;

  async open(): Promise<void> {
    this.queue = await Queue.open(this.dir, {
      log: new Log("queue"),
      clock: this.clock,
      onDsn: () => Promise.resolve(),
      deliverer: {
        deliver: async (_m, items, signal, connected) => {
          if (!items[0].domain.startsWith("dead")) {
            connected?.();
            this.delivered.push(...items.map((i) => i.address));
            return items.map(() => ({ kind: "delivered" }));
          }
          await new Promise<void>((resolve, reject) => {
            this.waiting.push(resolve);
            signal.addEventListener("abort", () => reject(new Error("stopped")));
          });
          return items.map((): Result => ({
            kind: "temporary",
            code: 451,
            enhanced: "4.4.1",
            text: "nobody there",
            unreachable: true,
          }));
        },
      },
    });
  }

  /** Puts many recipients, each at a domain of its own, into the queue's tables at once. */
  async fill(count: number, failing: boolean): Promise<void> {
    await this.add("seed@hold.example");
    await this.queue.stop();
    const raw = new DatabaseSync(join(this.dir, "queue", "index.db"));
    raw.exec(`
      WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
      INSERT INTO recipients (message_id, address, domain, next_attempt, unreachable, attempts)
        SELECT 1, 'x@dead' || i || '.example', 'dead' || i || '.example', ${this.clock.time - count}
          + i, ${failing ? 1 : 0}, ${failing ? 3 : 0} FROM n;
      INSERT INTO destinations (domain, priority, due, failing)
        SELECT domain, 0, next_attempt, unreachable FROM recipients WHERE domain LIKE 'dead%';
    `);
    raw.close();
    await this.open();
  }

  async add(address: string, more: Partial<NewQueueMessage> = {}): Promise<number[]> {
    const file = join(this.dir, `m${++this.#n}`);
    await Deno.writeFile(file, new TextEncoder().encode("Subject: x\r\n\r\n"));
    return await this.queue.add({
      senderAccount: "a",
      mailFrom: "",
      recipients: [{ address }],
      file,
      fileSize: 14,
      prefix: new Uint8Array(0),
      smtputf8: false,
      has8bit: false,
      requireTls: false,
      ...more,
    });
  }

  /** Lets what has been started come to rest, without waiting for what hangs. */
  async turn(): Promise<void> {
    for (let i = 0; i < 20; i++) await new Promise((r) => setTimeout(r, 0));
  }

  async [Symbol.asyncDispose]() {
    await this.queue.stop();
    await Deno.remove(this.dir, { recursive: true });
  }
}

Deno.test("100,000 messages to dead destinations: a new one to a living host goes at once", async () => {
  for (const failing of [true, false]) {
    await using w = new DeadWorld();
    await w.open();
    await w.fill(100_000, failing);
    await w.queue.start();
    await w.turn();
    // Without a connection yet, deliveries stop to count after a moment, and others start.
    for (let i = 0; i < maxRunning; i++) w.clock.next();
    await w.turn();
    if (failing) assert.ok(w.waiting.length < maxRunning / 2, `${w.waiting.length} attempts`);
    else assert.ok(w.waiting.length > maxRunning / 2, `${w.waiting.length} attempts`);
    const start = performance.now();
    for (let i = 0; i < 20; i++) await w.add(`x@live${i}.example`);
    // If all places are taken, the next one that gets free is for the latest.
    if (!failing) { for (const done of w.waiting.splice(0, 20)) done(); }
    await w.turn();
    for (let i = 0; i < 20; i++) {
      assert.ok(w.delivered.includes(`x@live${i}.example`), `${i}, failing: ${failing}`);
    }
    assert.ok(performance.now() - start < 2000);
  }
});

Deno.test("a destination that was found dead leaves places for others when it is due again", async () => {
  await using w = new DeadWorld();
  await w.open();
  await w.queue.start();
  for (let i = 0; i < 300; i++) await w.add(`x@dead${i}.example`);
  while (w.waiting.length > 0) {
    for (const done of w.waiting.splice(0)) done();
    await w.turn();
  }
  w.clock.time += 10 * 60_000;
  w.clock.next();
  await w.turn();
  assert.ok(w.waiting.length > 0 && w.waiting.length < maxDeliveries, `${w.waiting.length}`);
  await w.add("x@live.example");
  await w.turn();
  assert.ok(w.delivered.includes("x@live.example"));
});

Deno.test("priorities: urgent before normal before bulk", async () => {
  await using w = new DeadWorld();
  await w.open();
  const order: [string, Priority][] = [["bulk", -1], ["normal", 0], ["urgent", 1]];
  for (const [name, priority] of order) await w.add(`x@${name}.example`, { priority });
  await w.queue.start();
  await w.queue.idle();
  const names = w.delivered.map((a) => a.slice(2, -8));
  assert.deepEqual(names, ["urgent", "normal", "bulk"]);
});
