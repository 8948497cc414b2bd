/** Fairness between connections: turns of the loop, what a flood holds in memory, shedding. */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { Log } from "../../src/log/mod.ts";
import { ConnectionError, serveTcp, Share, type SocketConnection } from "../../src/net/mod.ts";
import { maxHeld, memoryShort } from "../../src/net/budget.ts";
import { registry } from "../../src/metrics/mod.ts";
import { giveWay, nextTurn, turnSpent, turnTime } from "../../src/platform/turns.ts";
import { connectedPair, reasonOf, text } from "./loopback.ts";

async function metric(name: string): Promise<number> {
  const all = await registry.getMetricsAsJSON();
  const m = all.find((x) => x.name === name);
  return m === undefined ? NaN : m.values.reduce((n, v) => n + v.value, 0);
}

function busy(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

Deno.test("a long job that gives way lets sockets and timers be served in between", async () => {
  await using pair = await connectedPair();
  let working = true;
  const job = (async () => {
    for (let i = 0; i < 40; i++) {
      busy(2);
      await giveWay();
    }
    working = false;
  })();
  const serving = (async () => {
    for (;;) {
      pair.server.write(await pair.server.readLine(100));
      pair.server.write("\r\n");
      await pair.server.flush();
    }
  })().catch(() => {});
  let rounds = 0;
  while (working) {
    pair.client.write("ask\r\n");
    await pair.client.flush();
    await pair.client.readLine(100);
    rounds++;
  }
  await job;
  // 80 ms of work in turns of 8 ms.
  assert.ok(rounds >= 3, `${rounds} rounds`);
  pair.client.destroy();
  await serving;
});

Deno.test("those who wait for a turn get it in order, and each starts with a fresh one", async () => {
  const order: number[] = [];
  await Promise.all([1, 2, 3, 4].map(async (i) => {
    await nextTurn();
    assert.equal(turnSpent(), false);
    order.push(i);
    busy(turnTime + 1);
    assert.equal(turnSpent(), true);
  }));
  assert.deepEqual(order, [1, 2, 3, 4]);
});

Deno.test("pipelined commands whose answers nobody reads hold little, and no more are read", async () => {
  await using pair = await connectedPair();
  let answered = 0;
  const serving = (async () => {
    for (;;) {
      await pair.server.readLine(1000);
      answered++;
      pair.server.write(`${"x".repeat(200)}\r\n`);
      await pair.server.flush();
    }
  })().catch((e: ConnectionError) => e.reason);
  const before = await metric("mox_connections_held_bytes");
  const feed = (async () => {
    for (let i = 0; i < 2000; i++) {
      pair.client.write("a NOOP\r\n".repeat(200));
      await pair.client.flush();
    }
  })().catch(() => {});
  let last = -1;
  while (answered !== last) {
    last = answered;
    await new Promise((r) => setTimeout(r, 100));
  }
  assert.ok(answered < 400_000, `${answered} commands were answered`);
  // Both ends of the pair count, with 256 KiB out and 256 KiB in each, and what pieces add to that.
  const held = await metric("mox_connections_held_bytes") - before;
  assert.ok(held < 2_500_000, `${held} bytes held`);
  pair.server.destroy();
  pair.client.destroy();
  assert.equal(await serving, "closed");
  await feed;
});

Deno.test("a thousand small answers go out in few writes, and in order", async () => {
  await using pair = await connectedPair();
  for (let i = 0; i < 1000; i++) {
    pair.server.write(`${i}\r\n`);
    await pair.server.flush();
  }
  for (let i = 0; i < 1000; i++) assert.equal(text(await pair.client.readLine(100)), String(i));
});

Deno.test("above the budget those that hold most are closed, mail under way is spared", () => {
  const closed: string[] = [];
  const mib = 2 ** 20;
  const make = (name: string, bytes: number, mail = false) => {
    const s = new Share("imap", () => closed.push(name));
    s.mail = mail;
    s.add(bytes);
    return s;
  };
  const all = [
    make("mail", 40 * mib, true),
    make("small", 1 * mib),
    make("large", 30 * mib),
    make("middle", 20 * mib),
  ];
  assert.deepEqual(closed, []);
  assert.equal(memoryShort(), false);
  all.push(make("last", 10 * mib));
  assert.equal(memoryShort(), true);
  return Promise.resolve().then(() => {
    assert.deepEqual(closed, ["large", "middle"]);
    assert.equal(memoryShort(), false);
    for (const s of all) s.end();
    // What has ended is no longer counted, whatever is told of it.
    all[0].add(-40 * mib);
    assert.ok(maxHeld > 0);
  });
});

Deno.test("new connections are refused in the protocol's words while memory is short", async () => {
  const server = await serveTcp({
    hostname: "127.0.0.1",
    port: 0,
    log: new Log("test"),
    protocol: "imap",
    pkg: "imapserver",
    refusal: (why) => `* BYE short of ${why}\r\n`,
  }, async (conn: SocketConnection) => {
    try {
      for (;;) {
        await conn.readLine(1000);
        conn.write("ok\r\n");
        await conn.flush();
      }
    } catch {
      // It ends with the test.
    }
  });
  const open = async (): Promise<
    { lines: () => Promise<string>; end: () => void; send: (s: string) => void }
  > => {
    const socket = connect(server.port, "127.0.0.1");
    let got = "";
    socket.on("data", (d: Uint8Array) => got += new TextDecoder().decode(d));
    socket.on("error", () => {});
    await new Promise((r) => socket.on("connect", r));
    return {
      lines: async () => {
        while (!got.endsWith("\n")) await new Promise((r) => setTimeout(r, 5));
        return got;
      },
      end: () => socket.destroy(),
      send: (s) => socket.write(s),
    };
  };
  const hog = new Share("imap", () => {});
  hog.mail = true;
  hog.add(maxHeld + 1);
  const refused = await open();
  assert.equal(await refused.lines(), "* BYE short of memory\r\n");
  hog.end();
  const later = await open();
  later.send("one\r\n");
  assert.equal(await later.lines(), "ok\r\n");
  for (const c of [refused, later]) c.end();
  await server.shutdown(1000);
});

Deno.test("memory that is shed is let go of at once, and reads fail with overload", async () => {
  await using pair = await connectedPair();
  pair.client.write("x".repeat(60_000));
  await pair.client.flush();
  const reading = reasonOf(pair.server.readLine(100_000));
  while (pair.server.buffered < 60_000) await new Promise((r) => setTimeout(r, 5));
  const hog = new Share("imap", () => {});
  hog.mail = true;
  hog.add(maxHeld + 1);
  assert.equal(await reading, "overload");
  assert.equal(pair.server.buffered, 0);
  hog.end();
  pair.server.write("421 busy\r\n");
  await pair.server.close();
  assert.equal(text(await pair.client.readLine(100)), "421 busy");
});
