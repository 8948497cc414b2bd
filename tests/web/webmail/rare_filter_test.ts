/** A filter that finds little in a large mailbox: all that it finds, in order, and what comes afterwards. */
import assert from "node:assert/strict";
import { message, query, withWebmail } from "./server.ts";

Deno.test("a filter that finds one in hundreds shows all of them in order, and what comes later", () =>
  withWebmail(async (w) => {
    const inbox = w.account.mailboxByName("Inbox")!.id;
    const rare = new Set([3, 4, 250, 399]);
    const deliver = (subject: string, i: number) =>
      w.deliver(message({ subject, id: `${i}@x` }), { received: 1_700_000_000_000 + i * 1000 });
    for (let i = 0; i < 420; i += 60) {
      await Promise.all(
        Array.from(
          { length: 60 },
          (_, k) => deliver(rare.has(i + k) ? `needle ${i + k}` : `hay ${i + k}`, i + k),
        ),
      );
    }
    const b = await w.login();
    for (const order of ["newest", "oldest"] as const) {
      for (const threading of ["off", "on"] as const) {
        const found = (n: number) =>
          b.events(query(inbox, { order, threading, filter: { words: ["needle"] } }), n);
        const numbers = [399, 250, 4, 3];
        if (order === "oldest") numbers.reverse();
        const all = numbers.map((n) => `needle ${n}`);
        const few = await found(3);
        await few.expect("start");
        const { threads, end } = await few.view();
        assert.deepEqual(threads.map(([m]) => m.subject), all.slice(0, 3));
        assert.equal(end, false);
        few.close();
        const e = await found(10);
        await e.expect("start");
        const whole = await e.view();
        assert.deepEqual(whole.threads.map(([m]) => m.subject), all);
        assert.deepEqual([whole.end, whole.total], [true, 4]);
        e.close();
      }
    }
    const e = await b.events(query(inbox, { filter: { words: ["nowhere"] } }), 3);
    await e.expect("start");
    const { threads, end, total } = await e.view();
    assert.deepEqual([threads, end, total], [[], true, 0]);
    await deliver("nowhere at last", 100);
    const { threads: came } = await e.change("threads");
    assert.deepEqual(came.map(([m]) => m.subject), ["nowhere at last"]);
    e.close();
  }));
