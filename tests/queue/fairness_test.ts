/** Dead destinations, however many, and however dead, don't keep living ones waiting. */
import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setImmediate } from "node:timers";
import { Log, setLevel } from "../../src/log/mod.ts";
import {
  maxDeliveries,
  maxPerDestination,
  maxRunning,
  type NewQueueMessage,
  type Priority,
  Queue,
  type Result,
  runningForNew,
} from "../../src/queue/mod.ts";
import type { FakeOptions } from "../smtp/fake_host.ts";
import { until } from "../support/listening.ts";
import { TestClock } from "./clock.ts";
import { World } from "./world.ts";

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
        deliver: async (_m, items, signal) => {
          if (!items[0].domain.startsWith("dead")) {
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

/** Messages to destinations that don't answer; DEAD_MESSAGES=100000 is the long form. */
const dead = Number(Deno.env.get("DEAD_MESSAGES") ?? 10_000);

Deno.test(`${dead} messages to dead destinations: a new one to a living host goes at once`, async () => {
  for (const failing of [true, false]) {
    await using w = new DeadWorld();
    await w.open();
    await w.fill(dead, failing);
    await w.queue.start();
    await w.turn();
    // Without a connection yet, deliveries stop to count after a moment, and others start.
    const end = w.clock.time + 10_000;
    while (w.clock.time < end && w.clock.next()) {
      await new Promise((r) => setImmediate(r));
    }
    await w.turn();
    if (failing) assert.ok(w.waiting.length < maxRunning / 2, `${w.waiting.length} attempts`);
    else assert.ok(w.waiting.length > maxRunning / 2, `${w.waiting.length} attempts`);
    for (let i = 0; i < 20; i++) await w.add(`x@live${i}.example`);
    // If all places are taken, those that get free as others turn out to be silent are for the latest.
    const then = w.clock.time;
    while (w.delivered.length < 21 && w.clock.time - then < 5_000 && w.clock.next()) await w.turn();
    for (let i = 0; i < 20; i++) {
      assert.ok(w.delivered.includes(`x@live${i}.example`), `${i}, failing: ${failing}`);
    }
  }
});

Deno.test("300 messages to a host found dead: a few in each turn of the loop, the living before them", async () => {
  let started = 0;
  let written = 0;
  let living = 0;
  await using w = new DeadWorld();
  const unreachable: Result = {
    kind: "temporary",
    code: 451,
    enhanced: "4.4.1",
    text: "refused",
    unreachable: true,
  };
  // Nothing here ever waits for anything.
  w.queue = await Queue.open(w.dir, {
    log: new Log("queue"),
    clock: w.clock,
    onDsn: () => Promise.resolve(),
    onEvent: () => Promise.resolve(void written++),
    deliverer: {
      deliver: (_m, items) => {
        started++;
        if (items[0].domain === "dead.example") return Promise.resolve([unreachable]);
        living = started;
        return Promise.resolve([{ kind: "delivered" }]);
      },
    },
  });
  for (let i = 0; i < 300; i++) await w.add(`x${i}@dead.example`);
  await w.queue.start();
  const turn = () => new Promise<void>((r) => setImmediate(r));
  for (let turns = 0; written < 301; turns++) {
    const before = [started, written];
    await turn();
    // A turn of ours may see the end of one of the queue's and the beginning of the next. Most have not been
    // tried yet; after the first few they count all the same as what is known to be dead: one in a turn.
    const most = turns < 10 ? 10 : 2;
    assert.ok(started - before[0] <= most, `${started - before[0]} began in turn ${turns}`);
    assert.ok(written - before[1] <= 10, `${written - before[1]} results in turn ${turns}`);
    if (turns !== 20) continue;
    await w.add("x@living.example");
    const added = started;
    while (living === 0) await turn();
    assert.ok(living - added <= 2, `${living - added} went before it`);
  }
  await w.queue.idle();
  assert.equal(w.queue.count(), 300);
  assert.ok(w.queue.list().every((i) => i.attempts === 1));
});

Deno.test("an administrator's change of thousands of recipients holds up nobody", async () => {
  await using w = new DeadWorld();
  await w.open();
  await w.fill(5_000, false);
  assert.equal(await w.queue.schedule({ to: "dead" }, w.clock.time + 3600_000), 5_000);
  await w.queue.start();
  await w.turn();
  let turns = 0;
  const other = setInterval(() => turns++, 0);
  const held = w.queue.hold({}, true);
  // What comes meanwhile is not held.
  await w.add("x@live.example");
  assert.equal(await held, 5_000);
  clearInterval(other);
  // Others had their turn after each 500 at least.
  assert.ok(turns >= 10, `${turns}`);
  await w.turn();
  assert.ok(w.delivered.includes("x@live.example"));
  assert.equal(w.queue.list({ hold: true }, { limit: 10_000 }).length, 5_000);
  assert.equal(await w.queue.drop({ hold: true }), 5_000);
  assert.equal(w.queue.count(), 0);
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

Deno.test("among destinations that were dead, those that are silent still make room for the others", async () => {
  await using w = new DeadWorld();
  await w.open();
  await w.fill(150, true);
  await w.queue.start();
  await w.turn();
  const start = w.clock.time;
  // All that were started so far are waiting, or were until they had to go.
  while (w.waiting.length < 150 && w.clock.time - start < 10 * 60_000 && w.clock.next()) {
    await w.turn();
  }
  assert.equal(w.waiting.length, 150);
  const gone = w.queue.list({ to: "dead" }).filter((i) => i.attempts > 3);
  assert.ok(gone.length >= 50 && gone.every((i) => i.results[0].enhanced === "4.4.1"));
});

/** A port at which connections are never made: its backlog is full. */
class FullPort implements Disposable {
  readonly #listener: Deno.TcpListener;
  readonly #sockets: Socket[] = [];

  constructor(hostname: string, port: number) {
    const options: Deno.TcpListenOptions & { tcpBacklog: number } = {
      hostname,
      port,
      tcpBacklog: 1,
    };
    this.#listener = Deno.listen(options);
  }

  async fill(): Promise<void> {
    const { hostname, port } = this.#listener.addr as Deno.NetAddr;
    for (let i = 0; i < 2; i++) {
      const s = connect({ host: hostname, port });
      this.#sockets.push(s);
      await new Promise((resolve) => s.on("connect", resolve));
    }
  }

  [Symbol.dispose]() {
    for (const s of this.#sockets) s.destroy();
    this.#listener.close();
  }
}

const hang = () => "hang";
const hanging: Record<string, FakeOptions> = {
  greeting: { greeting: hang },
  EHLO: { ehlo: hang },
  MAIL: { mail: hang },
  RCPT: { rcpt: hang },
  DATA: { data: hang },
  "the whole message": { message: hang },
};

/** A queue that delivers to living hosts, and dead.example with so many subdomains at a dead one. */
async function deadAndAlive(dead: number, host: FakeOptions | undefined): Promise<World> {
  const w = await World.make();
  await w.host("127.7.5.1");
  if (host) await w.host("127.7.5.2", host);
  for (let i = 0; i < dead; i++) w.resolver.add({ [`dead${i}.example`]: { A: ["127.7.5.2"] } });
  for (let i = 0; i < 20; i++) w.resolver.add({ [`live${i}.example`]: { A: ["127.7.5.1"] } });
  await w.open();
  for (let i = 0; i < dead; i++) await w.send([`x@dead${i}.example`]);
  await w.queue.start();
  return w;
}

/** Runs all timers of the next milliseconds. */
async function pass(w: World, ms: number): Promise<void> {
  const end = w.clock.time + ms;
  while (w.clock.time < end && w.clock.next()) await new Promise((r) => setTimeout(r, 0));
  w.clock.time = Math.max(w.clock.time, end);
}

/**
 * Waits until a host has got no mail for a moment: what can be delivered without the clock is. Sockets and the disk
 * don't go by the clock of the test.
 */
async function quiet(host: { mails: readonly unknown[] }, enough: number): Promise<void> {
  let before = -1;
  for (let still = 0; still < 20 && host.mails.length < enough; still++) {
    if (host.mails.length !== before) still = 0;
    before = host.mails.length;
    await new Promise((r) => setTimeout(r, 5));
  }
}

for (const phase of ["connect", ...Object.keys(hanging)]) {
  Deno.test(`100 hosts hang at ${phase}: others get their mail in a moment`, async () => {
    await using w = await deadAndAlive(0, hanging[phase]);
    using full = phase === "connect" ? new FullPort("127.7.5.2", w.port) : undefined;
    await full?.fill();
    for (let i = 0; i < 100; i++) {
      w.resolver.add({ [`dead${i}.example`]: { A: ["127.7.5.2"] } });
      await w.send([`x@dead${i}.example`]);
    }
    const before = w.clock.time;
    // Each is as far as it will get: up to there they are at work, and rightly so.
    const dead = w.hosts[1];
    if (dead) await until(() => dead.connections >= maxDeliveries, () => Promise.resolve(phase));
    for (let i = 0; i < 20; i++) await w.send([`x@live${i}.example`]);
    const live = w.hosts[0];
    while (live.mails.length < 20 && w.clock.time - before < 60_000) {
      await pass(w, 500);
      await quiet(live, 20);
    }
    assert.equal(live.mails.length, 20);
    assert.ok(w.clock.time - before < 10_000, `after ${w.clock.time - before} ms`);
    // The last one is noted as delivered once the host's answer is read.
    await until(() => w.queue.count() === 100, () => Promise.resolve(`${w.queue.count()} left`));
  });
}

Deno.test("where all places are taken by silent hosts, the one that waited longest makes room", async () => {
  await using w = await deadAndAlive(maxRunning + 100, { greeting: hang });
  const [live, dead] = w.hosts;
  const start = w.clock.time;
  while (dead.connections < maxRunning - runningForNew) {
    await pass(w, 100);
    assert.ok(w.clock.time - start < 60_000, `${dead.connections} connections`);
  }
  const full = w.clock.time;
  for (let i = 0; i < 20; i++) await w.send([`x@live${i}.example`]);
  while (live.mails.length < 20) {
    await pass(w, 100);
    await quiet(live, 20);
    assert.ok(w.clock.time - full < 15_000, `${live.mails.length} after ${w.clock.time - full} ms`);
  }
  // Those had places of their own; the dead that were due before them wait for room.
  let gone;
  while (!(gone = w.queue.list().find((i) => i.attempts > 0))) {
    await pass(w, 100);
    assert.ok(w.clock.time - full < 15_000, "nobody made room");
  }
  const [{ kind, text }] = gone.results;
  assert.equal(`${kind}: ${text}`, "temporary: the server was silent while other messages waited");
});

Deno.test("a silent host is asked once a minute, not once for each message", async () => {
  await using w = await World.make({
    zone: { "to.example": { A: ["127.7.5.2"] } },
    deliverer: { timeouts: { greeting: 200 } },
  });
  const host = await w.host("127.7.5.2", { greeting: hang });
  await w.open();
  await w.queue.start();
  for (let i = 0; i < 50; i++) await w.send(["x@to.example"]);
  await w.queue.idle();
  assert.ok(host.connections <= maxPerDestination, `${host.connections}`);
  assert.ok(w.queue.list().every((i) => i.attempts === 1));
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
