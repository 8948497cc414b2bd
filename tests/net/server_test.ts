import assert from "node:assert/strict";
import { Log, setLevel, setLogSink } from "../../src/log/mod.ts";
import { registry } from "../../src/metrics/mod.ts";
import {
  Authorities,
  ConnectionError,
  ConnectionLimiter,
  connectSocks,
  connectTcp,
  RateLimiter,
  selfSignedCertificate,
  serveTcp,
  type SocketConnection,
} from "../../src/net/mod.ts";
import { boundPort, listenTcp } from "../../src/platform/net.ts";
import { bytes, reasonOf, text } from "./loopback.ts";

setLevel("test", "error");
const log = new Log("test");
const listen = {
  hostname: "127.0.0.1",
  port: 0,
  log,
  protocol: "test",
  pkg: "smtpserver",
} as const;

async function echo(conn: SocketConnection): Promise<void> {
  for (;;) {
    const line = await conn.readLine(1000);
    conn.write(line);
    conn.write("\r\n");
    await conn.flush();
  }
}

const dial = (port: number) => connectTcp({ host: "127.0.0.1", port, readTimeout: 10_000 });

async function panics(): Promise<number> {
  const metric = await registry.getSingleMetric("mox_panic_total")!.get();
  return metric.values.find((v) => v.labels.pkg === "smtpserver")!.value;
}

Deno.test("each connection has its own handler, and ends with it", async () => {
  const server = await serveTcp(listen, echo);
  const [a, b] = await Promise.all([dial(server.port), dial(server.port)]);
  a.write("from a\r\n");
  b.write("from b\r\n");
  await Promise.all([a.flush(), b.flush()]);
  assert.equal(text(await a.readLine(100)), "from a");
  assert.equal(text(await b.readLine(100)), "from b");
  assert.equal(server.connections, 2);
  await a.close();
  await b.close();
  await server.shutdown(1000);
  assert.equal(server.connections, 0);
});

Deno.test("an unhandled error ends one connection, is logged and counted", async () => {
  const lines: string[] = [];
  const previous = setLogSink((l) => lines.push(l));
  const server = await serveTcp(listen, async (conn) => {
    const line = text(await conn.readLine(100));
    if (line === "crash") throw new TypeError("broken handler");
    conn.write(`${line}\r\n`);
    await conn.flush();
  });
  try {
    const before = await panics();
    const [bad, good] = await Promise.all([dial(server.port), dial(server.port)]);
    bad.write("crash\r\n");
    await bad.flush();
    assert.equal(await reasonOf(bad.readLine(100)), "closed");
    good.write("still here\r\n");
    await good.flush();
    assert.equal(text(await good.readLine(100)), "still here");
    assert.equal(await panics(), before + 1);
    assert.ok(lines.some((l) => l.includes("broken handler") && l.includes("l=error")));
    await Promise.all([bad.close(), good.close()]);
  } finally {
    setLogSink(previous);
    await server.shutdown(1000);
  }
});

Deno.test("shutdown lets conversations end, and drops those that don't", async () => {
  const server = await serveTcp(listen, async (conn) => {
    try {
      await echo(conn);
    } catch (e) {
      if (!(e instanceof ConnectionError) || e.reason !== "shutdown") throw e;
      conn.write("421 going away\r\n");
      await conn.flush();
      await conn.readSome(1);
    }
  });
  const conn = await dial(server.port);
  conn.write("hello\r\n");
  await conn.flush();
  assert.equal(text(await conn.readLine(100)), "hello");
  const stopped = server.shutdown(200);
  assert.equal(text(await conn.readLine(100)), "421 going away");
  await stopped;
  await assert.rejects(
    dial(server.port),
    (e: Error) => (e.cause as { code?: string }).code === "ECONNREFUSED",
  );
  await conn.close();
});

Deno.test("too many connections are turned away with a line", async () => {
  const refusal = "421 4.7.0 too many connections\r\n";
  const server = await serveTcp({
    ...listen,
    refusal: () => refusal,
    connectionLimiter: new ConnectionLimiter([2, 4, 8]),
  }, echo);
  const a = await dial(server.port);
  const b = await dial(server.port);
  for (const c of [a, b]) {
    c.write("in\r\n");
    await c.flush();
    assert.equal(text(await c.readLine(100)), "in");
  }
  const third = await dial(server.port);
  assert.equal(text(await third.readLine(100)) + "\r\n", refusal);
  await third.close();
  await a.close();
  // The place of the one that left is free again, once the server has noticed.
  while (server.connections > 1) await new Promise((r) => setTimeout(r, 5));
  const fourth = await dial(server.port);
  fourth.write("in\r\n");
  await fourth.flush();
  assert.equal(text(await fourth.readLine(100)), "in");
  await Promise.all([b.close(), fourth.close()]);
  await server.shutdown(1000);
});

Deno.test("rate limits turn new connections away, but not on exempted loopback", async () => {
  for (const exemptLoopback of [false, true]) {
    const limits = [{ window: 3600_000, limits: [1, 1, 1] as const }];
    const now = () => 1_000_000;
    const server = await serveTcp({
      ...listen,
      rateLimiter: new RateLimiter(limits, { exemptLoopback, now }),
    }, echo);
    const a = await dial(server.port);
    const b = await dial(server.port);
    b.write("in\r\n");
    if (exemptLoopback) {
      await b.flush();
      assert.equal(text(await b.readLine(100)), "in");
    } else {
      assert.equal(await reasonOf(b.readLine(100)), "closed");
    }
    await Promise.all([a.close(), b.close()]);
    await server.shutdown(1000);
  }
});

Deno.test("TLS from the first byte", async () => {
  const pair = await selfSignedCertificate({ names: ["mail.example"] });
  const server = await serveTcp({ ...listen, tls: { certificateFor: () => pair } }, echo);
  const conn = await dial(server.port);
  await conn.startTlsClient({
    serverName: "mail.example",
    verify: true,
    authorities: Authorities.of(pair.cert),
  });
  conn.write("secret\r\n");
  await conn.flush();
  assert.equal(text(await conn.readLine(100)), "secret");
  await conn.close();
  await server.shutdown(1000);
});

Deno.test("a listener bound earlier: connections that came meanwhile are served, with TLS too", async () => {
  const pair = await selfSignedCertificate({ names: ["mail.example"] });
  for (const tls of [undefined, { certificateFor: () => pair }]) {
    const listener = await listenTcp({ hostname: "127.0.0.1", port: 0 });
    const conn = await dial(boundPort(listener));
    const begun = tls === undefined ? Promise.resolve() : conn.startTlsClient({
      serverName: "mail.example",
      verify: true,
      authorities: Authorities.of(pair.cert),
    });
    if (tls === undefined) {
      conn.write("early\r\n");
      await conn.flush();
    }
    await new Promise((r) => setTimeout(r, 100));
    const server = await serveTcp({ ...listen, listener, tls }, echo);
    await begun;
    conn.write("more\r\n");
    await conn.flush();
    if (tls === undefined) assert.equal(text(await conn.readLine(100)), "early");
    assert.equal(text(await conn.readLine(100)), "more");
    await conn.close();
    await server.shutdown(1000);
  }
});

Deno.test("hundreds of connections that come and go at once leave nothing behind", async () => {
  const server = await serveTcp(listen, echo);
  await Promise.all(Array.from({ length: 200 }, async (_, i) => {
    const conn = await dial(server.port);
    conn.write(`${i}\r\n`);
    await conn.flush();
    if (i % 3 === 0) return conn.destroy();
    assert.equal(text(await conn.readLine(100)), String(i));
    await conn.close();
  }));
  await server.shutdown(2000);
  assert.equal(server.connections, 0);
});

Deno.test("a SOCKS5 proxy is asked with name and password for a host name", async () => {
  const seen: number[] = [];
  const proxy = await serveTcp(listen, async (conn) => {
    const take = async (n: number) => {
      for (let k = 0; k < n;) {
        const part = await conn.readSome(n - k);
        seen.push(...part);
        k += part.length;
      }
    };
    await take(4);
    conn.write(Uint8Array.of(5, 2));
    await conn.flush();
    await take(1 + 1 + 4 + 1 + 6);
    conn.write(Uint8Array.of(1, 0));
    await conn.flush();
    await take(4 + 1 + 10 + 2);
    conn.write(Uint8Array.of(5, 0, 0, 1, 192, 0, 2, 1, 0, 25));
    conn.write("220 mx.example ESMTP\r\n");
    await conn.flush();
    await conn.readLine(100);
  });
  const conn = await connectSocks({
    host: "127.0.0.1",
    port: proxy.port,
    targetHost: "mx.example",
    targetPort: 25,
    username: "user",
    password: "secret",
  });
  assert.equal(text(await conn.readLine(100)), "220 mx.example ESMTP");
  assert.deepEqual(seen, [
    ...[5, 2, 0, 2],
    ...[1, 4, ...bytes("user"), 6, ...bytes("secret")],
    ...[5, 1, 0, 3, 10, ...bytes("mx.example"), 0, 25],
  ]);
  await conn.close();
  await proxy.shutdown(1000);
});

Deno.test("a SOCKS5 proxy's refusal says why", async () => {
  const proxy = await serveTcp(listen, async (conn) => {
    await conn.readSome(3);
    conn.write(Uint8Array.of(5, 0));
    await conn.flush();
    await conn.readSome(100);
    conn.write(Uint8Array.of(5, 5, 0, 1, 0, 0, 0, 0, 0, 0));
    await conn.flush();
  });
  await assert.rejects(
    connectSocks({
      host: "127.0.0.1",
      port: proxy.port,
      targetHost: "2001:db8::1",
      targetPort: 25,
    }),
    /socks: connect to 2001:db8::1:25: connection refused/,
  );
  await proxy.shutdown(1000);
});
