/** The queue's rules, called directly: schedules, limits, holds, filters, suppressions, hosts, what TLS must prove. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { DnsError, scriptedResolver, type Zone } from "../../src/dns/mod.ts";
import { addHoldRule, holdRules, isHeld, removeHoldRule } from "../../src/queue/hold_rules.ts";
import { countAgainstLimits, sentInDay } from "../../src/queue/limits.ts";
import { countItems, findIds, findItems, type QueueFilter } from "../../src/queue/list.ts";
import {
  addSuppression,
  baseAddress,
  forgetRetired,
  isHardBounce,
  removeSuppression,
  retire,
  retiredByFromId,
  retiredByMessageId,
  retiredItems,
  suppressAfterFailure,
  suppressed,
  suppressions,
} from "../../src/queue/retired.ts";
import {
  domainOf,
  insertMessage,
  readMessage,
  releaseAll,
  updateDestination,
} from "../../src/queue/rows.ts";
import { nextTime } from "../../src/queue/scheduling/due.ts";
import { Runs } from "../../src/queue/scheduling/runs.ts";
import {
  backoff,
  delayedAfter,
  maxAttempts,
  nextWait,
  remaining,
} from "../../src/queue/scheduling/schedule.ts";
import { queueMigrations } from "../../src/queue/schema.ts";
import { HostMemory } from "../../src/queue/sending/host_memory.ts";
import { mxHosts } from "../../src/queue/sending/mx.ts";
import {
  type TlsDemand,
  tlsDemand,
  tlsOutcomes,
  type TlsTrial,
} from "../../src/queue/sending/tls_demand.ts";
import { type Attempt, type NewQueueMessage, QueueLimitError } from "../../src/queue/types.ts";
import { hookBackoff, nextHookWait } from "../../src/queue/webhooks/schedule.ts";
import { Db } from "../../src/store/database/database.ts";
import { noPolicy } from "../../src/tlspolicy/opportunistic.ts";
import { TestClock } from "./clock.ts";

const minute = 60_000;
const day = 24 * 60 * minute;

async function withDb(fn: (db: Db) => void | Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  const db = await Db.open(join(dir, "index.db"), queueMigrations);
  try {
    await fn(db);
  } finally {
    await db.close();
    await Deno.remove(dir, { recursive: true });
  }
}

function newMessage(to: string[], over: Partial<NewQueueMessage> = {}): NewQueueMessage {
  return {
    senderAccount: "ann",
    mailFrom: "ann@x.example",
    recipients: to.map((address) => ({ address })),
    file: "",
    fileSize: 100,
    prefix: new Uint8Array(5),
    smtputf8: false,
    has8bit: false,
    requireTls: false,
    ...over,
  };
}

Deno.test("delivery is tried nine times in two days, and webhooks are called twelve times", () => {
  assert.deepEqual(backoff.map((w) => w / minute), [7.5, 15, 30, 60, 120, 240, 480, 960]);
  assert.deepEqual([maxAttempts, delayedAfter], [9, 6]);
  for (const [i, wait] of backoff.entries()) {
    assert.deepEqual(
      [0, 0.5, 1].map((r) => nextWait(i + 1, r)),
      [wait * 0.9, wait, wait * 1.1].map(Math.round),
    );
  }
  assert.deepEqual([nextWait(0, 0), nextWait(9, 0)], [undefined, undefined]);
  assert.deepEqual([1, 7, 8, 9].map((n) => remaining(n) / minute), [1912.5, 1440, 960, 0]);
  assert.deepEqual(hookBackoff.map((w) => w / minute), [
    1,
    2,
    4,
    7.5,
    15,
    30,
    60,
    120,
    240,
    480,
    960,
  ]);
  assert.deepEqual([0, 0.5, 1].map((r) => nextHookWait(2, 500, r)), [108_000, 120_000, 132_000]);
  assert.equal(nextHookWait(11, 0, 0.5), 960 * minute);
  for (const [n, code] of [[12, 500], [0, 500], [1, 403], [1, 410]]) {
    assert.equal(nextHookWait(n, code, 0.5), undefined);
  }
  assert.equal(nextHookWait(1, 404, 0.5), minute);
});

Deno.test("hold rules: what is given must fit, domains in any form", () =>
  withDb((db) => {
    const none = { account: undefined, senderDomain: undefined, recipientDomain: undefined };
    const first = addHoldRule(db, { ...none, account: "ann", recipientDomain: "Bücher.example" });
    const second = addHoldRule(db, { ...none, senderDomain: "S.example" });
    const rules = holdRules(db);
    assert.deepEqual(rules, [
      { ...none, id: first, account: "ann", recipientDomain: "xn--bcher-kva.example" },
      { ...none, id: second, senderDomain: "s.example" },
    ]);
    const held = (account: string, from: string, to: string) => isHeld(rules, account, from, to);
    assert.equal(held("ann", "x.example", "bücher.example"), true);
    assert.equal(held("ann", "x.example", "XN--BCHER-KVA.example"), true);
    assert.equal(held("bob", "x.example", "bücher.example"), false);
    assert.equal(held("ann", "x.example", "y.example"), false);
    assert.equal(held("bob", "S.Example", "y.example"), true);
    assert.equal(isHeld([], "a", "b", "c"), false);
    assert.equal(isHeld([{ ...none, id: 1 }], "a", "b", "c"), true);
    assert.deepEqual([removeHoldRule(db, first), removeHoldRule(db, first)], [true, false]);
    assert.deepEqual(holdRules(db).map((r) => r.id), [second]);
  }));

Deno.test("limit of an hour: to the last recipient and to the millisecond, beside that of the day", () =>
  withDb((db) => {
    const hour = 3600_000;
    const limits = {
      messages: 4,
      messagesPerHour: 2,
      firstTimeRecipients: 100,
      counts: (a: string) => a.endsWith("@out.example"),
    };
    const limitAt = (now: number, ...to: string[]) => {
      try {
        db.transaction(() =>
          countAgainstLimits(db, newMessage(to, { senderAccount: "ann", limits }), now)
        );
        return undefined;
      } catch (err) {
        return (err as QueueLimitError).limit;
      }
    };
    const t = 1_000_000_000;
    assert.equal(limitAt(t, "a@out.example", "a@in.example"), undefined);
    assert.equal(limitAt(t + 1, "a@out.example", "b@out.example"), "messagesPerHour");
    assert.equal(limitAt(t + 1, "b@out.example"), undefined);
    assert.equal(limitAt(t + hour - 1, "c@out.example"), "messagesPerHour");
    assert.equal(limitAt(t + hour, "c@out.example"), undefined, "the first is an hour ago");
    assert.equal(limitAt(t + hour, "c@out.example"), "messagesPerHour");
    assert.equal(limitAt(t + 3 * hour, "d@out.example"), undefined);
    assert.equal(limitAt(t + 6 * hour, "e@out.example"), "messages");
    assert.match(
      new QueueLimitError("messagesPerHour", 2).message,
      /more than 2 messages in an hour/,
    );
  }));

Deno.test("limits of a day: messages and new recipients, to the last one and to the millisecond", () =>
  withDb((db) => {
    const add = (
      to: string[],
      now: number,
      messages = 3,
      firstTimeRecipients = 100,
      account = "ann",
    ) => {
      const limits = {
        messages,
        firstTimeRecipients,
        counts: (a: string) => a.endsWith("@out.example"),
      };
      try {
        db.transaction(() =>
          countAgainstLimits(db, newMessage(to, { senderAccount: account, limits }), now)
        );
        return "";
      } catch (err) {
        assert.ok(err instanceof QueueLimitError, String(err));
        return err.message;
      }
    };
    db.transaction(() => countAgainstLimits(db, newMessage(["a@out.example"]), 0));
    assert.equal(sentInDay(db, "ann", 1), 0, "no limits, not counted");
    const t = 1_000_000_000;
    assert.equal(add(["own@in.example"], t), "");
    assert.equal(sentInDay(db, "ann", t), 0);
    assert.equal(add(["a@out.example", "B@OUT.example", "own@in.example"], t), "");
    assert.equal(sentInDay(db, "ann", t), 2);
    assert.notEqual(add(["a@out.example", "c@out.example"], t + 1), "", "one too many");
    assert.equal(sentInDay(db, "ann", t + 1), 2, "nothing of it is counted");
    assert.equal(add(["a@out.example"], t + 1), "");
    assert.notEqual(add(["a@out.example"], t + day - 1), "");
    assert.equal(sentInDay(db, "ann", t + day - 1), 3);
    assert.equal(sentInDay(db, "ann", t + day), 1, "a day later");
    assert.equal(add(["a@out.example"], t, 3, 100, "bob"), "", "each account has its own");
    // New recipients; those that are known cost nothing.
    const u = t + 10 * day;
    assert.equal(add(["d@out.example", "e@out.example"], u, 100, 2), "");
    assert.equal(add(["a@out.example", "b@out.example", "D@out.example"], u + 1, 100, 2), "");
    assert.notEqual(add(["f@out.example"], u + 2, 100, 2), "");
    assert.equal(add(["f@out.example"], u + day, 100, 2), "");
    assert.equal(add(["d@out.example"], u + day, 100, 0), "", "none of them is new");
  }));

Deno.test("recipients are found by each condition, and all together", () =>
  withDb((db) => {
    const hold = (d: string) => d === "held.example";
    db.transaction(() => {
      insertMessage(db, 1, newMessage(["a@x.example", "b_1@held.example"]), 100, hold);
      insertMessage(
        db,
        2,
        newMessage(["c@X.example"], {
          senderAccount: "bob",
          mailFrom: "bob@y.example",
          notBefore: 500,
          priority: 1,
        }),
        200,
        hold,
      );
      db.run("UPDATE recipients SET transport = 'smart' WHERE id = 3");
    });
    const ids = (f: QueueFilter, o = {}) => findItems(db, f, { sort: "id", ...o }).map((i) => i.id);
    const cases: [QueueFilter, number[]][] = [
      [{}, [1, 2, 3]],
      [{ ids: [2, 3, 9] }, [2, 3]],
      [{ ids: [] }, []],
      [{ account: "bob" }, [3]],
      [{ from: "ANN" }, [1, 2]],
      [{ from: "@y.example" }, [3]],
      [{ from: "@y" }, []],
      [{ to: "@x.example" }, [1, 3]],
      [{ to: "b_1" }, [2]],
      [{ to: "b%" }, []],
      [{ to: "_" }, [2]],
      [{ hold: true }, [2]],
      [{ hold: false }, [1, 3]],
      [{ transport: "smart" }, [3]],
      [{ transport: "" }, [1, 2]],
      [{ queuedBefore: 200 }, [1, 2]],
      [{ queuedAfter: 100 }, [3]],
      [{ dueBefore: 500 }, [1, 2]],
      [{ dueAfter: 100 }, [3]],
      [{ account: "ann", hold: false }, [1]],
    ];
    for (const [f, want] of cases) {
      assert.deepEqual(ids(f), want, JSON.stringify(f));
      assert.equal(countItems(db, f), want.length, JSON.stringify(f));
    }
    assert.deepEqual(ids({}, { descending: true }), [3, 2, 1]);
    assert.deepEqual(ids({}, { limit: 1, offset: 1 }), [2]);
    assert.deepEqual(findItems(db, {}, { descending: true }).map((i) => i.id), [3, 2, 1]);
    assert.deepEqual(findItems(db, {}, { sort: "queued" }).map((i) => i.id), [1, 2, 3]);
    db.run("UPDATE recipients SET leased = 1 WHERE id = 2");
    assert.deepEqual(findIds(db, {}, 0, 3, 10), [1, 3]);
    assert.deepEqual(findIds(db, {}, 1, 3, 10), [3]);
    assert.deepEqual(findIds(db, {}, 0, 2, 10), [1]);
    assert.deepEqual(findIds(db, {}, 0, 3, 1), [1]);
    // What a process was delivering when it ended is due again.
    assert.deepEqual(db.all("SELECT domain, priority, due FROM destinations ORDER BY priority"), [
      ["x.example", 0, 100],
      ["x.example", 1, 500],
    ]);
    db.run("UPDATE recipients SET leased = 1 WHERE id = 1");
    updateDestination(db, "x.example", 0);
    assert.equal(nextTime(db, 0), 500);
    releaseAll(db);
    assert.equal(nextTime(db, 0), 100);
    assert.equal(nextTime(db, 100), 500);
    assert.equal(nextTime(db, 500), undefined);
    updateDestination(db, "x.example", 0, true);
    assert.deepEqual(db.all("SELECT failing FROM destinations ORDER BY priority"), [[1], [0]]);
    assert.equal(domainOf("a@b@C.Example"), "c.example");
    const m = readMessage(db, 2, (id) => `path ${id}`)!;
    assert.deepEqual([m.senderAccount, m.mailFrom, m.path, m.fileSize, m.queued], [
      "bob",
      "bob@y.example",
      "path 2",
      100,
      200,
    ]);
    assert.deepEqual(
      [m.smtputf8, m.has8bit, m.requireTls, m.isDsn, m.tlsOptional, m.binary],
      Array(6).fill(false),
    );
    assert.equal(readMessage(db, 9, () => ""), undefined);
  }));

Deno.test("what is queued comes back as it was", () =>
  withDb((db) => {
    const full = newMessage([], {
      recipients: [{
        address: "a@x.example",
        notify: ["success", "delay"],
        originalRecipient: { type: "rfc822", address: "o@x.example" },
        fromId: "id1",
      }],
      smtputf8: true,
      has8bit: true,
      requireTls: true,
      tlsOptional: true,
      binary: true,
      isDsn: true,
      ret: "hdrs",
      envelopeId: "env",
      messageId: "<1@x>",
      subject: "s",
      extra: { k: "v" },
    });
    const [id] = db.transaction(() => insertMessage(db, 1, full, 7, () => true));
    const m = readMessage(db, 1, String)!;
    assert.deepEqual(
      [m.smtputf8, m.has8bit, m.requireTls, m.tlsOptional, m.binary, m.isDsn],
      Array(6).fill(true),
    );
    assert.deepEqual([m.ret, m.envelopeId, m.messageId, m.subject, m.extra], [
      "hdrs",
      "env",
      "<1@x>",
      "s",
      { k: "v" },
    ]);
    const [item] = findItems(db, {});
    assert.deepEqual(item, {
      id,
      messageId: 1,
      address: "a@x.example",
      domain: "x.example",
      notify: ["success", "delay"],
      originalRecipient: { type: "rfc822", address: "o@x.example" },
      attempts: 0,
      nextAttempt: 7,
      hold: true,
      results: [],
      dsnOwed: 0,
      priority: 0,
      transport: undefined,
      requireTls: undefined,
      fromId: "id1",
    });
    assert.equal(nextTime(db, 0), undefined, "held: nothing is due");
  }));

Deno.test("addresses that fail for good are suppressed at once, others after two failures in a row", () =>
  withDb((db) => {
    for (
      const [address, base] of [
        ["Ann+x@X.example", "ann@x.example"],
        ["+x@x.example", "+x@x.example"],
        ["a+b+c@x.example", "a@x.example"],
        ["a@x+y.example", "a@x+y.example"],
      ]
    ) assert.equal(baseAddress(address), base);
    for (const code of ["5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"]) {
      assert.ok(isHardBounce(code));
    }
    for (const code of ["4.1.1", "5.2.2", "5.7.1", ""]) assert.ok(!isHardBounce(code));
    db.transaction(() =>
      insertMessage(db, 1, newMessage(["Ann+x@x.example", "bob@x.example"]), 0, () => false)
    );
    const message = readMessage(db, 1, String)!;
    const [ann, bob] = findItems(db, {}, { sort: "id" });
    const attempt = (
      kind: Attempt["kind"],
      enhanced: string,
    ): Attempt => ({ kind, code: 550, enhanced, text: "no", time: 1 });
    const fail = (item: typeof ann, kind: Attempt["kind"], enhanced: string) =>
      suppressAfterFailure(db, "ann", item, attempt(kind, enhanced), 5);
    assert.equal(fail(ann, "temporary", "5.1.1"), undefined);
    assert.equal(fail(ann, "permanent", "5.7.1"), undefined, "the first");
    retire(db, message, ann, "delivered", 10, 100);
    assert.equal(fail(ann, "permanent", "5.7.1"), undefined, "the last one was delivered");
    retire(db, message, { ...ann, id: 3 }, "failed", 11, 100);
    assert.match(fail(ann, "permanent", "5.7.1")!, /^two failures in a row: 550 5\.7\.1 no$/);
    assert.match(fail(bob, "permanent", "5.1.1")!, /^address is refused: 550 5\.1\.1 no$/);
    assert.equal(
      suppressed(db, "ann", "ANN@x.example")!.reason,
      "two failures in a row: 550 5.7.1 no",
    );
    assert.equal(suppressed(db, "other", "ann@x.example"), undefined);
    assert.equal(
      addSuppression(db, { account: "ann", address: "ann@x.example", manual: true, reason: "" }, 6),
      false,
    );
    assert.equal(
      addSuppression(
        db,
        { account: "bob", address: "ann@x.example", manual: true, reason: "mine" },
        6,
      ),
      true,
    );
    assert.deepEqual(suppressions(db, "bob"), [{
      id: suppressions(db, "bob")[0].id,
      account: "bob",
      baseAddress: "ann@x.example",
      address: "ann@x.example",
      manual: true,
      reason: "mine",
      created: 6,
    }]);
    assert.deepEqual(suppressions(db).map((s) => [s.account, s.address, s.manual]), [
      ["ann", "Ann+x@x.example", false],
      ["ann", "bob@x.example", false],
      ["bob", "ann@x.example", true],
    ]);
    assert.deepEqual([
      removeSuppression(db, "ann", "Ann+y@X.example"),
      removeSuppression(db, "ann", "ann@x.example"),
    ], [true, false]);
    // What has left the queue is kept for its time.
    assert.deepEqual(retiredItems(db).map((r) => [r.id, r.outcome, r.left, r.keepUntil, r.size]), [
      [3, "failed", 11, 111, 105],
      [ann.id, "delivered", 10, 110, 105],
    ]);
    assert.deepEqual(retiredItems(db, { account: "bob" }), []);
    assert.deepEqual(retiredItems(db, { before: 3, limit: 1, account: "ann" }).map((r) => r.id), [
      ann.id,
    ]);
    retire(db, { ...message, messageId: "<k@x>" }, { ...bob, fromId: "f" }, "failed", 12, 100);
    retire(db, { ...message, messageId: "k@x" }, { ...bob, id: 9 }, "failed", 12, 100);
    assert.equal(retiredByFromId(db, "f")!.id, bob.id);
    assert.equal(retiredByFromId(db, "g"), undefined);
    assert.deepEqual(retiredByMessageId(db, "k@x").map((r) => r.id), [bob.id, 9]);
    forgetRetired(db, 110);
    assert.deepEqual(retiredItems(db).map((r) => r.id).sort(), [bob.id, 3, 9].sort());
    forgetRetired(db, 111);
    assert.deepEqual(retiredItems(db).map((r) => r.id).sort(), [bob.id, 9].sort());
  }));

Deno.test("a delivery that hears nothing ceases to count, and may have to make room", () => {
  const clock = new TestClock();
  let stalled = 0;
  const runs = new Runs(clock, () => stalled++);
  const places = () => {
    const { all, working, failing, byDestination } = runs.places();
    return [all, working, failing, [...byDestination].map(([d, n]) => `${d} ${n}`).join()];
  };
  const start = clock.time;
  const pass = (ms: number) => {
    const until = clock.time + ms;
    for (;;) {
      const timer = clock.after(until - clock.time, () => {});
      const before = clock.time;
      clock.next();
      if (clock.time >= until || clock.time === before && clock.time >= until) break;
      timer();
    }
  };
  const a = runs.begin("x", false);
  const b = runs.begin("x", true);
  assert.deepEqual(places(), [2, 2, 1, "x 2"]);
  b.end();
  b.end();
  assert.deepEqual(places(), [1, 1, 0, "x 1"]);
  pass(499);
  assert.deepEqual([places()[1], stalled], [1, 0]);
  pass(1);
  assert.deepEqual([places()[1], stalled], [0, 1], "it never answered");
  a.progress("alive");
  assert.equal(places()[1], 1);
  pass(1999);
  assert.equal(places()[1], 1);
  pass(1);
  assert.deepEqual([places()[1], stalled], [0, 2]);
  const heard = start + 500;
  assert.equal(runs.makeRoom(heard + 59_999), heard + 60_000);
  assert.equal(runs.makeRoom(heard + 60_000, () => false), Infinity);
  const c = runs.begin("y", false);
  const begun = clock.time;
  assert.equal(runs.makeRoom(begun + 9_999), begun + 10_000, "one that never answered goes sooner");
  c.progress("committed");
  assert.equal(runs.makeRoom(heard + 59_999), heard + 60_000, "one whose message is taken stays");
  assert.equal(runs.makeRoom(heard + 60_000), undefined);
  assert.deepEqual([a.madeRoom, a.signal.aborted, c.madeRoom], [true, true, false]);
  assert.equal(runs.makeRoom(heard + 900_000), undefined, "room is on its way");
  a.end();
  runs.abort();
  assert.equal(c.signal.aborted, true);
  c.end();
  assert.deepEqual(places(), [0, 0, 0, ""]);
  assert.equal(runs.makeRoom(0), Infinity);
});

Deno.test("addresses that can't be reached rest for a minute; families take turns", () => {
  let now = 0;
  const m = new HostMemory(() => now, () => 0.5);
  m.unreachable("192.0.2.1", 25, "refused");
  assert.equal(m.whyNot("192.0.2.1", 25), "refused");
  assert.equal(m.whyNot("192.0.2.1", 26), undefined);
  assert.equal(m.whyNot("192.0.2.2", 25), undefined);
  now = 59_999;
  assert.equal(m.whyNot("192.0.2.1", 25), "refused");
  now = 60_000;
  assert.equal(m.whyNot("192.0.2.1", 25), undefined);
  const ips = ["1.1.1.1", "2.2.2.2", "3.3.3.3", "::1", "::2"];
  assert.deepEqual(m.order("h", ips), ["::1", "1.1.1.1", "::2", "2.2.2.2", "3.3.3.3"]);
  m.used("h", "::2", false);
  assert.deepEqual(m.order("h", ips), ["::2", "::1", "1.1.1.1", "2.2.2.2", "3.3.3.3"]);
  m.used("h", "::1", true);
  assert.deepEqual(m.order("h", ips), ["1.1.1.1", "2.2.2.2", "::2", "3.3.3.3", "::1"]);
  m.used("h", "2.2.2.2", false);
  assert.deepEqual(m.order("h", ips)[0], "2.2.2.2");
  m.used("h", "2.2.2.2", true);
  assert.deepEqual(m.order("h", ips), ["::1", "1.1.1.1", "::2", "3.3.3.3", "2.2.2.2"]);
  m.used("h", "9.9.9.9", false);
  assert.deepEqual(m.order("h", ips), ["1.1.1.1", "::1", "2.2.2.2", "::2", "3.3.3.3"]);
  assert.deepEqual(m.order("other", ips)[0], "::1");
  let key = 3;
  const shuffled = new HostMemory(() => 0, () => key--);
  assert.deepEqual(shuffled.order("h", ["1.1.1.1", "2.2.2.2", "3.3.3.3"]), [
    "3.3.3.3",
    "2.2.2.2",
    "1.1.1.1",
  ]);
});

Deno.test("the hosts of a domain: MX, without them itself, none at all, or a way back here", async () => {
  const mx = (...records: string[]) => ({ MX: records });
  const zone: Zone = {
    "x.example": mx("20 b.example", "10 a.example", "10 a2.example", "20 b.example"),
    "null.example": mx("0 ."),
    "two.example": mx("0 .", "5 a.example"),
    "plain.example": { A: ["192.0.2.1"] },
    "loop.example": mx("10 us.example", "5 a.example", "10 b.example", "20 c.example"),
    "ours.example": mx("10 us.example"),
  };
  let n = 0;
  const options = {
    resolver: scriptedResolver(zone),
    signal: new AbortController().signal,
    random: () => n--,
    isOwnHost: (h: string) => h === "us.example",
    isOwnDomain: (d: string) => d === "ours.example",
  };
  const hosts = async (domain: string) => {
    try {
      return (await mxHosts(domain, options)).hosts;
    } catch (err) {
      const { failure } = err as { failure: { kind: string; code: number; enhanced: string } };
      return `${failure.kind} ${failure.code} ${failure.enhanced}`;
    }
  };
  assert.deepEqual(await hosts("X.example"), ["a2.example", "a.example", "b.example"]);
  assert.deepEqual(await hosts("plain.example"), ["plain.example"]);
  assert.equal(await hosts("null.example"), "permanent 556 5.1.10");
  assert.deepEqual(await hosts("two.example"), ["a.example"]);
  assert.equal(await hosts("none.example"), "permanent 550 5.1.2");
  assert.deepEqual(await hosts("loop.example"), ["a.example"]);
  assert.deepEqual(await hosts("ours.example"), ["us.example"]);
  assert.equal(
    await mxHosts("ours.example", { ...options, isOwnDomain: () => false }).catch((e) =>
      e.failure.enhanced
    ),
    "5.4.6",
  );
  assert.deepEqual(await hosts("[192.0.2.1]"), ["192.0.2.1"]);
  assert.deepEqual(await hosts("[IPv6:2001:db8::1]"), ["2001:db8::1"]);
  assert.equal(await hosts("[1.2.3]"), "permanent 550 5.1.2");
  assert.equal(await hosts("a b"), "permanent 550 5.1.2");
  const failing = {
    ...options,
    resolver: {
      ...options.resolver,
      lookup: () => Promise.reject(new DnsError("timeout", "x.example", "MX")),
    },
  };
  assert.equal(
    await mxHosts("x.example", failing as typeof options).catch((e) => e.failure.enhanced),
    "4.4.3",
  );
  const broken = {
    ...options,
    resolver: { ...options.resolver, lookup: () => Promise.reject(new Error("bug")) },
  };
  await assert.rejects(mxHosts("x.example", broken as typeof options), /bug/);
});

Deno.test("what TLS must prove, by DANE, policy and wishes", () => {
  const verify = () => undefined;
  const dane = {
    kind: "verify",
    verify,
    serverName: "d.example",
    policyString: [] as string[],
  } as const;
  const encrypt = { kind: "encrypt", policyString: [] } as const;
  const policy = (mode: "none" | "testing" | "enforce") => ({ ...noPolicy("x.example"), mode });
  const of = (over: Partial<Parameters<typeof tlsDemand>[0]>): string[] => {
    const names: string[] = [];
    let d: TlsDemand | undefined = tlsDemand({
      host: "h.example",
      policy: policy("none"),
      dane: { kind: "none" },
      required: false,
      authorities: undefined,
      ...over,
    });
    for (; d; d = d.fallback) {
      names.push(`${d.name} ${d.use} ${d.clientTls?.serverName} ${d.clientTls?.verify}`);
    }
    return names;
  };
  const opportunistic = [
    "opportunistic offered h.example false",
    "plain never undefined undefined",
  ];
  const verified = ["verified required h.example true"];
  assert.deepEqual(of({}), opportunistic);
  assert.deepEqual(of({ policy: policy("enforce") }), verified);
  assert.deepEqual(of({ required: true }), verified);
  assert.deepEqual(of({ policy: policy("testing") }), [
    "testing offered h.example true",
    ...opportunistic,
  ]);
  assert.deepEqual(of({ dane: encrypt }), ["encrypted required h.example false"]);
  assert.deepEqual(of({ dane: encrypt, required: true }), verified);
  assert.deepEqual(of({ dane: encrypt, policy: policy("testing") }), [
    "encrypted required h.example false",
  ]);
  assert.deepEqual(of({ dane, required: true, policy: policy("enforce") }), [
    "dane d.example required d.example false",
  ]);
  const failure = { resultType: "validation-failure", reasonCode: "x", information: "" } as const;
  const refusing = tlsDemand({
    host: "h",
    policy: policy("none"),
    dane: { ...dane, verify: () => failure },
    required: false,
    authorities: undefined,
  });
  assert.equal(refusing.refusedFor!(), undefined);
  assert.equal(refusing.clientTls!.verifyChain!([] as never), false);
  assert.equal(refusing.refusedFor!(), failure);
  const trial = (over: Partial<TlsTrial>) =>
    tlsOutcomes({
      policy: policy("none"),
      dane: { kind: "none" },
      mismatch: undefined,
      ended: {} as never,
      byDane: false,
      ...over,
    })
      .map((o) => `${o.policyType} ${o.failure?.resultType ?? "ok"}`);
  assert.deepEqual(trial({}), ["no-policy-found ok"]);
  assert.deepEqual(trial({ ended: undefined }), ["no-policy-found starttls-not-supported"]);
  assert.deepEqual(trial({ ended: failure, policy: policy("testing") }), [
    "sts validation-failure",
  ]);
  assert.deepEqual(trial({ ended: failure, policy: policy("enforce"), dane }), [
    "tlsa validation-failure",
    "sts validation-failure",
  ]);
  assert.deepEqual(trial({ ended: failure, policy: policy("enforce"), dane, byDane: true }), [
    "tlsa validation-failure",
  ]);
  assert.deepEqual(trial({ policy: policy("enforce"), mismatch: failure }), [
    "sts validation-failure",
  ]);
  assert.deepEqual(trial({ policy: policy("enforce"), dane }), ["tlsa ok", "sts ok"]);
});
