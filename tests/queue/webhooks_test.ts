/** Calls of webhooks: receivers that misbehave, retries, history, restarts. */
import assert from "node:assert/strict";
import { createServer as createTcp } from "node:net";
import { Log, setLevel } from "../../src/log/mod.ts";
import { hookBackoff, type NewHook, signPayload, Webhooks } from "../../src/queue/webhooks/mod.ts";
import { type Receiver, receiver } from "../support/hook_receiver.ts";
import { outboundTo } from "../support/outbound.ts";

setLevel("webhook", "error");

const hookFor = (url: string, more: Partial<NewHook> = {}): NewHook => ({
  account: "ann",
  url,
  authorization: "",
  event: "delivered",
  queueMsgId: 7,
  fromId: "",
  messageId: "<m@mox.example>",
  subject: "Hello",
  payload: '{"Event":"delivered"}',
  ...more,
});

interface World {
  hooks: Webhooks;
  /** Milliseconds that pass. */
  pass(ms: number): void;
  reopen(): Promise<void>;
}

async function withHooks(
  fn: (w: World) => Promise<void>,
  o: { period?: number; timeout?: number } = {},
): Promise<void> {
  const dir = await Deno.makeTempDir();
  let now = 1_000_000;
  let timers: { at: number; fn: () => void }[] = [];
  const open = async () => {
    const hooks = await Webhooks.open(dir, {
      log: new Log("webhook"),
      outbound: outboundTo(),
      retiredPeriod: () => o.period ?? 3600_000,
      timeout: o.timeout ?? 5000,
      clock: {
        now: () => now,
        random: () => 0.5,
        after(ms, run) {
          const timer = { at: now + ms, fn: run };
          timers.push(timer);
          return () => {
            timers = timers.filter((t) => t !== timer);
          };
        },
      },
    });
    hooks.start();
    return hooks;
  };
  const w: World = {
    hooks: await open(),
    pass(ms) {
      now += ms;
      const due = timers.filter((t) => t.at <= now);
      timers = timers.filter((t) => t.at > now);
      for (const t of due) t.fn();
    },
    async reopen() {
      await w.hooks.stop();
      w.hooks = await open();
    },
  };
  try {
    await fn(w);
  } finally {
    await w.hooks.stop();
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("a call is a signed POST with the payload, and is kept as done", () =>
  withHooks(async ({ hooks }) => {
    await using r = await receiver();
    const id = await hooks.add(hookFor(r.url, { authorization: "Bearer x" }));
    await r.calls(1);
    await hooks.idle();
    const [{ headers, body }] = r.received;
    assert.equal(body, '{"Event":"delivered"}');
    assert.equal(headers["content-type"], "application/json; charset=utf-8");
    assert.equal(headers.authorization, "Bearer x");
    assert.equal(headers["x-mox-webhook-id"], String(id));
    assert.equal(headers["x-mox-webhook-attempt"], "1");
    const [, t, v1] = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(
      headers["x-mox-webhook-signature"] as string,
    )!;
    assert.equal(v1, signPayload(hooks.secret("ann"), Number(t), body));
    assert.equal(hooks.count(), 0);
    const [done] = hooks.retired();
    assert.deepEqual([done.outcome, done.attempts, done.results[0].response], ["done", 1, "fine"]);
    assert.doesNotMatch(JSON.stringify(done), /Bearer/);
  }));

Deno.test("a call that fails is made again on the schedule, and given up after it", () =>
  withHooks(async ({ hooks, pass }) => {
    await using r = await receiver((_n, res) => {
      res.statusCode = 500;
      res.end("broken");
    });
    await hooks.add(hookFor(r.url));
    for (const [i, wait] of hookBackoff.entries()) {
      await r.calls(i + 1);
      await hooks.idle();
      const [h] = hooks.list();
      assert.deepEqual([h.attempts, h.results.at(-1)!.code, h.results.at(-1)!.response], [
        i + 1,
        500,
        "broken",
      ]);
      pass(wait);
    }
    await r.calls(hookBackoff.length + 1);
    await hooks.idle();
    assert.equal(hooks.count(), 0);
    assert.equal(hooks.retired()[0].outcome, "failed");
    assert.deepEqual(hookBackoff.slice(0, 4), [60_000, 120_000, 240_000, 450_000]);
  }));

Deno.test("receivers that misbehave: each failure is told, and none is followed elsewhere", async () => {
  const tcp = createTcp((s) => {
    s.on("error", () => {});
    s.write("this is not HTTP\r\n\r\n");
  });
  await new Promise<void>((resolve) => tcp.listen(0, "127.0.0.1", resolve));
  try {
    await using elsewhere = await receiver();
    const cases: [string, Receiver["answer"], RegExp][] = [
      ["redirect", (_n, res) => {
        res.writeHead(302, { Location: elsewhere.url });
        res.end();
      }, /status 302/],
      ["no answer", () => {}, /no answer in/],
      ["connection cut", (_n, res) => res.destroy(), /./],
      ["answer cut", (_n, res) => {
        res.writeHead(200, { "Content-Length": "100" });
        res.write("ab");
        setTimeout(() => res.destroy(), 20);
      }, /./],
      ["not found", (_n, res) => {
        res.statusCode = 404;
        res.end();
      }, /status 404/],
    ];
    await withHooks(async ({ hooks }) => {
      for (const [name, answer, error] of cases) {
        await using r = await receiver(answer);
        const id = await hooks.add(hookFor(r.url));
        await r.calls(1);
        await hooks.idle();
        const [h] = hooks.list({ ids: [id!] });
        assert.ok(h, name);
        assert.match(h.results[0].error, error, name);
        await hooks.cancel({ ids: [id!] });
      }
      const { port } = tcp.address() as { port: number };
      for (const url of [`http://127.0.0.1:${port}/`, "http://127.0.0.1:1/", "http://x.invalid/"]) {
        await hooks.add(hookFor(url));
        await hooks.idle();
        const [h] = hooks.list();
        assert.notEqual(h.results[0].error, "", url);
        await hooks.cancel({});
      }
      assert.equal(elsewhere.received.length, 0);
    }, { timeout: 300 });
  } finally {
    tcp.close();
  }
});

Deno.test("an endless answer is not read on, 403 ends a call", () =>
  withHooks(async ({ hooks }) => {
    await using endless = await receiver((_n, res) => {
      const timer = setInterval(() => res.write("x".repeat(1000)), 5);
      res.on("close", () => clearInterval(timer));
      res.on("error", () => {});
    });
    await hooks.add(hookFor(endless.url));
    await endless.calls(1);
    await hooks.idle();
    const [done] = hooks.retired();
    assert.deepEqual([done.outcome, done.results[0].response.length], ["done", 1024]);
    await using refusing = await receiver((_n, res) => {
      res.statusCode = 403;
      res.end();
    });
    await hooks.add(hookFor(refusing.url));
    await refusing.calls(1);
    await hooks.idle();
    assert.deepEqual([hooks.count(), hooks.retired()[0].outcome], [0, "failed"]);
  }));

Deno.test("a host that hangs holds up no other, and gets four calls at a time", () =>
  withHooks(async ({ hooks }) => {
    await using hanging = await receiver(() => {});
    await using fine = await receiver();
    for (let i = 0; i < 10; i++) await hooks.add(hookFor(hanging.url));
    await hooks.add(hookFor(fine.url));
    await fine.calls(1);
    await hanging.calls(4);
    assert.equal(hanging.received.length, 4);
    assert.ok(hooks.count() >= 10);
  }));

Deno.test("calls that wait survive a restart; commands move and cancel them", () =>
  withHooks(async (w) => {
    await using r = await receiver((n, res) => {
      res.statusCode = n === 1 ? 503 : 200;
      res.end();
    });
    const id = await w.hooks.add(hookFor(r.url));
    await r.calls(1);
    await w.hooks.idle();
    const { secret } = { secret: w.hooks.secret("ann") };
    await w.reopen();
    assert.equal(w.hooks.secret("ann"), secret);
    assert.equal(w.hooks.list({ account: "ann" })[0].attempts, 1);
    assert.equal(await w.hooks.schedule({ ids: [id!] }, { time: 0 }), 1);
    await r.calls(2);
    await w.hooks.idle();
    assert.equal(r.received[1].headers["x-mox-webhook-attempt"], "2");
    assert.equal(w.hooks.retired({ event: "delivered" })[0].attempts, 2);
    w.pass(3 * 3600_000);
    await w.hooks.add(hookFor(r.url));
    await w.hooks.idle();
    assert.deepEqual(w.hooks.retired().map((h) => h.id), [id! + 1]);
  }));

Deno.test("addresses that no webhook is at are not called", async () => {
  await withHooks(async ({ hooks }) => {
    const r = await hooks.example(hookFor("http://169.254.169.254/latest/meta-data/"));
    assert.match(r.error, /can.t be reached, or is not on the internet/);
  });
});
