/** Which delivery starts next, when, and which has to make room: by themselves, with a clock that tests move. */
import assert from "node:assert/strict";
import { join } from "node:path";
import {
  maxDeliveries,
  maxFailing,
  maxPerDestination,
  maxRunning,
  nextDue,
  nextTime,
  type Running,
  runningForNew,
} from "../../src/queue/scheduling/due.ts";
import { Runs } from "../../src/queue/scheduling/runs.ts";
import {
  backoff,
  delayedAfter,
  maxAttempts,
  nextWait,
  remaining,
} from "../../src/queue/scheduling/schedule.ts";
import { Tasks } from "../../src/queue/scheduling/tasks.ts";
import { Turns } from "../../src/queue/scheduling/turns.ts";
import { queueMigrations } from "../../src/queue/schema.ts";
import { Db } from "../../src/store/database/database.ts";
import { TestClock } from "./clock.ts";

/** Destinations as the queue keeps them: domain, priority, due, failing. */
async function withDue(
  rows: [string, number, number, boolean][],
  fn: (db: Db) => void,
): Promise<void> {
  const dir = await Deno.makeTempDir();
  const db = await Db.open(join(dir, "index.db"), queueMigrations);
  try {
    for (const [domain, priority, due, failing] of rows) {
      db.run(
        "INSERT INTO destinations VALUES (?, ?, ?, ?)",
        domain,
        priority,
        due,
        failing ? 1 : 0,
      );
    }
    fn(db);
  } finally {
    await db.close();
    await Deno.remove(dir, { recursive: true });
  }
}

const now = 1_000_000;
const none: Running = { byDestination: new Map(), all: 0, working: 0, failing: 0 };
const due = (db: Db, running: Partial<Running> = {}, latest = false) => {
  const d = nextDue(db, now, { ...none, ...running }, latest);
  return d && `${d.domain} ${d.priority} ${d.failing}`;
};

Deno.test("what is due: by priority, living before failing, the longest or the latest due", () =>
  withDue([
    ["old", 0, now - 9000, false],
    ["new", 0, now, false],
    ["later", 0, now + 1, false],
    ["low", -1, 0, false],
    ["dead", 1, 0, true],
  ], (db) => {
    assert.equal(due(db), "old 0 false");
    assert.equal(due(db, {}, true), "new 0 false");
    const full = (...names: string[]) => ({
      byDestination: new Map(names.map((n) => [n, maxPerDestination])),
    });
    assert.equal(due(db, full("old")), "new 0 false");
    assert.equal(due(db, full("old", "new")), "low -1 false");
    assert.equal(due(db, full("old", "new", "low")), "dead 1 true");
    assert.equal(due(db, full("old", "new", "low", "dead")), undefined);
    // One below its limit is not full.
    assert.equal(
      due(db, { byDestination: new Map([["old", maxPerDestination - 1]]) }),
      "old 0 false",
    );
    db.run("INSERT INTO destinations VALUES ('high', 1, ?, 0)", now);
    assert.equal(due(db), "high 1 false");
  }));

Deno.test("places: some are for what got due just now, some not for failing destinations", () =>
  withDue(
    [["old", 0, now - 5000, false], ["fresh", 0, now - 4999, false], ["dead", 0, 1, true]],
    (db) => {
      assert.equal(due(db, { working: maxDeliveries - 1 }), "old 0 false");
      assert.equal(due(db, { working: maxDeliveries }), "fresh 0 false");
      assert.equal(due(db, { working: maxDeliveries + 9 }), "fresh 0 false");
      assert.equal(due(db, { working: maxDeliveries + 10 }), undefined);
      assert.equal(due(db, { all: maxRunning - runningForNew - 1 }), "old 0 false");
      assert.equal(due(db, { all: maxRunning - runningForNew }), "fresh 0 false");
      assert.equal(due(db, { all: maxRunning - 1 }), "fresh 0 false");
      assert.equal(due(db, { all: maxRunning }), undefined);
      db.run("DELETE FROM destinations WHERE failing = 0");
      assert.equal(
        due(db, { working: maxDeliveries - 21, failing: maxFailing - 1 }),
        "dead 0 true",
      );
      assert.equal(due(db, { working: maxDeliveries - 20 }), undefined);
      assert.equal(due(db, { failing: maxFailing }), undefined);
    },
  ));

Deno.test("the next time is the earliest that is not over, of any kind", () =>
  withDue([
    ["a", 0, now, false],
    ["b", -1, now + 30, false],
    ["c", 1, now + 20, true],
  ], (db) => {
    assert.equal(nextTime(db, now), now + 20);
    assert.equal(nextTime(db, now + 20), now + 30);
    assert.equal(nextTime(db, now - 1), now);
    assert.equal(nextTime(db, now + 30), undefined);
  }));

Deno.test("waits grow to a day and a half in all, and are up to a tenth more or less", () => {
  assert.deepEqual(backoff.map((ms) => ms / 60_000), [7.5, 15, 30, 60, 120, 240, 480, 960]);
  assert.deepEqual([maxAttempts, delayedAfter], [9, 6]);
  assert.equal(nextWait(1, 0), 405_000);
  assert.equal(nextWait(1, 0.5), 450_000);
  assert.equal(nextWait(1, 1), 495_000);
  assert.equal(nextWait(8, 0.5), 960 * 60_000);
  assert.equal(nextWait(9, 0.5), undefined);
  assert.equal(remaining(8), 960 * 60_000);
  assert.equal(remaining(7), (480 + 960) * 60_000);
  assert.equal(remaining(9), 0);
});

Deno.test("a silent delivery gives its place back, and works again when it is heard of", () => {
  const clock = new TestClock();
  let stalled = 0;
  const runs = new Runs(clock, () => stalled++);
  const places = () => {
    const { all, working, failing } = runs.places();
    return [all, working, failing];
  };
  const start = clock.now();
  const a = runs.begin("a", false);
  assert.deepEqual(places(), [1, 1, 0]);
  clock.next();
  assert.equal(clock.now() - start, 500);
  assert.deepEqual([places(), stalled], [[1, 0, 0], 1]);
  a.progress("alive");
  assert.deepEqual(places(), [1, 1, 0]);
  // One that has answered has longer.
  clock.next();
  assert.equal(clock.now() - start, 2500);
  assert.deepEqual([places(), stalled], [[1, 0, 0], 2]);
  const b = runs.begin("a", true);
  assert.equal(runs.places().byDestination.get("a"), 2);
  assert.deepEqual(places(), [2, 1, 1]);
  // Heard of in between: it looks again when the time since then is over.
  clock.time += 400;
  b.progress("alive");
  clock.next();
  assert.deepEqual(places(), [2, 1, 1]);
  clock.next();
  assert.equal(clock.now() - start, 2500 + 400 + 2000);
  assert.deepEqual(places(), [2, 0, 1]);
  a.end();
  assert.equal(runs.places().byDestination.get("a"), 1);
  b.end();
  b.end();
  assert.deepEqual(places(), [0, 0, 0]);
  assert.equal(runs.places().byDestination.has("a"), false);
  assert.equal(clock.next(), false);
});

Deno.test("room is made by the one that was silent longest, but for those that are nearly done", () => {
  const clock = new TestClock();
  const runs = new Runs(clock, () => {});
  const start = clock.now();
  assert.equal(runs.makeRoom(start), Infinity);
  const failing = runs.begin("dead", true);
  const answered = runs.begin("b", false);
  answered.progress("alive");
  const silent = runs.begin("c", false);
  assert.equal(runs.makeRoom(start), start + 10_000);
  assert.equal(runs.makeRoom(start + 9_999), start + 10_000);
  assert.equal(runs.makeRoom(start + 9_999, (r) => r !== silent), start + 60_000);
  assert.equal(runs.makeRoom(start + 10_000), undefined);
  assert.deepEqual([silent.signal.aborted, silent.madeRoom], [true, true]);
  // On its way already: no other has to go.
  assert.equal(runs.makeRoom(start + 99_000), undefined);
  assert.deepEqual([failing, answered].map((r) => r.signal.aborted), [false, false]);
  silent.end();
  // A server that has the whole message is waited for.
  answered.progress("committed");
  failing.end();
  assert.equal(runs.makeRoom(start + 99_000), Infinity);
  runs.abort();
  assert.equal(answered.signal.aborted, true);
});

Deno.test("in one turn five deliveries begin and five results are written; the others wait", async () => {
  const tasks = new Tasks();
  let again = 0;
  const turns = new Turns(tasks, () => again++);
  assert.deepEqual(Array.from({ length: 7 }, () => turns.mayLook()), [
    ...Array(5).fill(true),
    false,
    false,
  ]);
  await tasks.idle();
  assert.equal(again, 1);
  assert.equal(turns.mayLook(), true);
  await tasks.idle();
  assert.equal(again, 1);
  const order: number[] = [];
  const results = Array.from({ length: 12 }, (_, i) => turns.forResult().then(() => order.push(i)));
  await Promise.resolve();
  assert.equal(order.length, 5);
  await Promise.all(results);
  assert.deepEqual(order, Array.from({ length: 12 }, (_, i) => i));
  // To dead destinations one, then a pause.
  assert.deepEqual([turns.mayTryDead(), turns.mayTryDead()], [true, false]);
  await tasks.idle();
  assert.equal(again, 2);
  assert.equal(turns.mayTryDead(), true);
  await tasks.idle();
});
