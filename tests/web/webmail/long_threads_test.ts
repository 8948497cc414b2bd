/** Long threads: the list gets the few messages that a line shows, and the rest when the page asks for them. */
import assert from "node:assert/strict";
import { type Browser, message, query, refused, withWebmail, type World } from "./server.ts";

/** Answers to one message, oldest first; their ids. Thread `name` begins at `from` seconds, a message each second. */
async function deliverThread(
  w: World,
  name: string,
  length: number,
  from: number,
  more: { mailbox?: string } = {},
): Promise<number[]> {
  const ids: number[] = [];
  for (let i = 0; i < length; i++) {
    const text = message({
      from: `p${i}@example.org`,
      subject: i === 0 ? name : `Re: ${name}`,
      id: `${i}.${name}@x`,
      references: i === 0 ? [] : [`0.${name}@x`],
    });
    ids.push(await w.deliver(text, { received: (from + i) * 1000, ...more }));
  }
  return ids;
}

const threaded = (w: World, filter = {}) =>
  query(w.account.mailboxByName("Inbox")!.id, { threading: "on", filter });

async function open(b: Browser, q: ReturnType<typeof query>, count?: number) {
  const e = await b.events(q, count);
  const { sseId } = await e.expect("start");
  return {
    e,
    view: await e.view(),
    whole: async (threadIds: number[], viewId = 1) =>
      (await b.call("ViewThreads", { sseId, viewId, threadIds })).threads,
  };
}

/** Sets flags as another page of the user would. */
const flag = (b: Browser, ids: number[], flag: "seen" | "flagged") =>
  b.call("FlagsSet", {
    target: { ids },
    add: [flag],
    remove: [],
    addKeywords: flag === "flagged" ? ["work"] : [],
    removeKeywords: [],
  });

Deno.test("a long thread comes as its oldest, its newest and what its line says, and whole when asked for", async () => {
  await withWebmail(async (w) => {
    const ids = await deliverThread(w, "plan", 40, 1000);
    const short = await deliverThread(w, "short", 3, 2000);
    const b = await w.login();
    await flag(b, ids.slice(0, 5), "flagged");
    await flag(b, ids.slice(1), "seen");
    const { e, view, whole } = await open(b, threaded(w));
    assert.deepEqual(view.threads.map((t) => t.map((m) => m.id)), [
      short,
      [ids[0], ids[37], ids[38], ids[39]],
    ]);
    const [, [{ threadId }]] = view.threads;
    assert.deepEqual(view.parts, [{
      threadId,
      count: 40,
      found: 40,
      older: false,
      unread: true,
      allFlagged: false,
      flags: ["seen", "flagged"],
      keywords: ["work"],
    }]);
    assert.deepEqual([view.end, view.total], [true, 43]);

    // Another page reads the only unread message, which this page does not have, or has: both are told.
    await flag(b, [ids[0]], "seen");
    const told = await e.change("threads");
    assert.deepEqual(told.threads.map((t) => t.length), [4]);
    assert.equal(told.parts[0].unread, false);
    // One that is not here goes, and a new one comes: the line says so.
    await b.call("Delete", { target: { ids: [ids[10]] }, forever: true });
    assert.equal((await e.change("threads")).parts[0].count, 39);
    const newest = await w.deliver(
      message({ subject: "Re: plan", id: "new@x", references: ["0.plan@x"] }),
      { received: 3_000_000 },
    );
    const came = await e.change("threads");
    assert.deepEqual(came.threads[0].map((m) => m.id), [ids[0], ids[38], ids[39], newest]);
    assert.deepEqual([came.parts[0].count, came.parts[0].unread], [40, true]);

    const [all] = await whole([threadId]);
    assert.deepEqual(all.map((m) => m.id), [...ids.filter((id) => id !== ids[10]), newest]);
    assert.ok(all.slice(1).every((m) => m.level === 1));
    // From now on it is told whole, and flags only by the message.
    const last = await w.deliver(
      message({ subject: "Re: plan", id: "last@x", references: ["0.plan@x"] }),
      { received: 3_001_000 },
    );
    const now = await e.change("threads");
    assert.deepEqual([now.threads[0].length, now.parts], [41, []]);
    await flag(b, [last], "seen");
    assert.deepEqual((await e.change("flags")).items.map((i) => i.id), [last]);

    // Threads that the view does not have, and views that are no more.
    assert.deepEqual(await whole([threadId + 1_000_000]), []);
    await refused(whole([threadId], 9), "missing");
  });
});

Deno.test("a few long threads come whole, as short ones leave them room; one that is open always", async () => {
  await withWebmail(async (w) => {
    const long = await deliverThread(w, "long", 40, 1000);
    for (let i = 0; i < 8; i++) await deliverThread(w, `short${i}`, 1, 2000 + i);
    const b = await w.login();
    const { view } = await open(b, threaded(w));
    assert.deepEqual([view.threads.at(-1)!.length, view.parts], [40, []]);
    // Alone it finds no room, but where one of its messages is open.
    const alone = await open(b, threaded(w, { subject: ["long"] }));
    assert.deepEqual(alone.view.threads.map((t) => t.length), [4]);
    const e = await b.events(threaded(w), 1);
    const { sseId } = await e.expect("start");
    await e.view();
    await b.call("ViewSet", {
      sseId,
      view: {
        viewId: 2,
        query: threaded(w, { subject: ["long"] }),
        page: { anchor: null, count: 10, open: long[7] },
      },
    });
    const again = await e.view(2);
    assert.deepEqual([again.threads.map((t) => t.length), again.parts], [[40], []]);
  });
});

Deno.test("what a filter finds in a long thread is among its messages, also where it is very old", async () => {
  await withWebmail(async (w) => {
    const ids = await deliverThread(w, "plan", 120, 1000);
    const b = await w.login();
    await flag(b, [ids[3]], "flagged");
    const old = await open(b, threaded(w, { flags: ["flagged"] }));
    const [thread] = old.view.threads;
    assert.deepEqual(thread.filter((m) => m.matches).map((m) => m.id), [ids[3]]);
    assert.ok(thread.some((m) => m.id === ids[119]));
    const [part] = old.view.parts;
    assert.deepEqual([part.found, part.count, part.older], [1, 101, true]);
    const [whole] = await old.whole([part.threadId]);
    assert.deepEqual([whole.length, whole.filter((m) => m.matches).length], [120, 1]);

    await flag(b, [ids[60], ids[61]], "flagged");
    const { view } = await open(b, threaded(w, { flags: ["flagged"] }));
    assert.deepEqual(
      view.threads[0].map((m) => [m.id, m.matches]),
      [[ids[20], false], [ids[60], true], [ids[61], true], [ids[119], false]],
    );
  });
});

Deno.test("long threads that a message joins become one, and those of hidden mailboxes stay hidden", async () => {
  await withWebmail(async (w) => {
    const one = await deliverThread(w, "one", 30, 1000);
    const two = await deliverThread(w, "two", 30, 2000);
    await deliverThread(w, "one", 3, 1500, { mailbox: "Trash" });
    const b = await w.login();
    const { e, view } = await open(b, threaded(w, { subject: ["one"] }));
    assert.deepEqual(view.parts.map((p) => [p.count, p.found]), [[30, 30]]);
    const all = await open(b, threaded(w));
    assert.deepEqual(all.view.parts.map((p) => p.count), [30, 30]);
    await w.deliver(
      message({ subject: "Re: one", id: "both@x", references: ["0.two@x", "0.one@x"] }),
      { received: 3_000_000 },
    );
    assert.ok((await e.change("threads")).threads[0].some((m) => m.subject === "Re: one"));
    const told = await all.e.change("threads");
    const kept = new Set([...one, ...two]);
    assert.ok(told.threads[0].every((m) => kept.has(m.id) || m.received === 3_000_000));
  });
});

Deno.test("a hundred deep threads come in 300 KB", async () => {
  await withWebmail(async (w) => {
    for (let i = 0; i < 100; i++) await deliverThread(w, `thread${i}`, 6, i * 100);
    const b = await w.login();
    const e = await b.events(threaded(w), 100);
    await e.expect("start");
    const before = e.received;
    const { threads, parts } = await e.view();
    assert.equal(threads.length, 100);
    assert.ok(parts.length >= 85, `${parts.length}`);
    assert.ok(e.received - before < 300_000, `${e.received - before}`);
  });
});
