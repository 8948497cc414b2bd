/** Connections of trusted proxies: their header, their limits, and those that say nothing. */
import assert from "node:assert/strict";
import { connect, createServer, type Socket } from "node:net";
import { Log, setLogSink } from "../../src/log/mod.ts";
import {
  ConnectionError,
  ConnectionLimiter,
  Networks,
  serveTcp,
  type TcpServer,
} from "../../src/net/mod.ts";
import { takeHeader } from "../../src/net/proxied/arrival.ts";
import { text } from "./loopback.ts";

setLogSink(() => {});

/** Answers each line with who sent it. */
function echo(header: "required" | "detected" | "never", most: number): Promise<TcpServer> {
  return serveTcp({
    hostname: "127.0.0.1",
    port: 0,
    log: new Log("test"),
    protocol: "test",
    pkg: "smtpserver",
    proxies: { networks: new Networks(["127.0.0.1"]), header },
    connectionLimiter: new ConnectionLimiter([most, 100, 100]),
    refusal: () => "busy\r\n",
  }, async (conn) => {
    for (;;) {
      const line = text(await conn.readLine(1000));
      if (line.startsWith("i am ") && conn.fromProxy) {
        if (!conn.clientIs({ remoteIp: line.slice(5) })) return conn.write("too many\r\n");
      }
      conn.write(`${line}: ${conn.remoteIp} ${conn.fromProxy}\r\n`);
      await conn.flush();
    }
  });
}

interface Asked {
  socket: Socket;
  answer: string;
}

/** Sends, and waits for a line or the end. */
function ask(port: number, words: string, from = "127.0.0.1"): Promise<Asked> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", localAddress: from });
    let answer = "";
    socket.on("data", (d: Uint8Array) => {
      answer += text(d);
      if (answer.includes("\n")) resolve({ socket, answer: answer.trimEnd() });
    });
    socket.on("end", () => resolve({ socket, answer }));
    socket.on("error", reject);
    socket.write(words);
  });
}

const header = (ip: string) => `PROXY TCP4 ${ip} 127.0.0.1 4711 25\r\n`;

Deno.test("a header that is required: its client is who is counted", async () => {
  const server = await echo("required", 1);
  const { port } = server;
  const sockets: Socket[] = [];
  const said = async (words: string, from?: string) => {
    const { socket, answer } = await ask(port, words, from);
    sockets.push(socket);
    return answer;
  };
  try {
    // In one piece with what follows, and before it.
    assert.equal(await said(`${header("192.0.2.1")}x\r\n`), "x: 192.0.2.1 false");
    assert.equal(await said(`${header("192.0.2.1")}x\r\n`), "busy");
    assert.equal(await said(`${header("192.0.2.2")}x\r\n`), "x: 192.0.2.2 false");
    assert.deepEqual(server.open().map((c) => c.remoteIp), ["192.0.2.1", "192.0.2.2"]);
    // The proxy's own connections are not limited; and it is no proxy that could name a client further on.
    for (let i = 0; i < 3; i++) {
      assert.equal(
        await said("PROXY UNKNOWN\r\ni am 192.0.2.3\r\n"),
        "i am 192.0.2.3: 127.0.0.1 false",
      );
    }
    assert.equal(await said("x\r\n"), "");
    assert.equal(await said("PROXY TCP4 x\r\n"), "");
    assert.equal(await said("x\r\n", "127.0.0.2"), "x: 127.0.0.2 false");
    sockets[0].destroy();
    while (server.open().some((c) => c.remoteIp === "192.0.2.1")) {
      await new Promise((r) => setTimeout(r, 5));
    }
    assert.equal(await said(`${header("192.0.2.1")}x\r\n`), "x: 192.0.2.1 false");
  } finally {
    for (const s of sockets) s.destroy();
    await server.shutdown(1000);
  }
});

Deno.test("a header that may be there, and proxies that name their client later", async () => {
  const server = await echo("detected", 1);
  const later = await echo("never", 1);
  const sockets: Socket[] = [];
  const said = async (s: TcpServer, words: string) => {
    const { socket, answer } = await ask(s.port, words);
    sockets.push(socket);
    return answer;
  };
  try {
    assert.equal(await said(server, `${header("192.0.2.1")}x\r\n`), "x: 192.0.2.1 false");
    assert.equal(await said(server, "x\r\n"), "x: 127.0.0.1 true");
    assert.equal(
      await said(later, `${header("192.0.2.1")}`),
      `${header("192.0.2.1").trim()}: 127.0.0.1 true`,
    );
    assert.equal(await said(later, "i am 192.0.2.1\r\n"), "i am 192.0.2.1: 192.0.2.1 false");
    assert.equal(await said(later, "i am 192.0.2.1\r\n"), "too many");
    assert.ok(later.open().some((c) => c.remoteIp === "192.0.2.1"));
  } finally {
    for (const s of sockets) s.destroy();
    await Promise.all([server.shutdown(1000), later.shutdown(1000)]);
  }
});

Deno.test("a proxy that says nothing, or a byte at a time, has so long for its header", async () => {
  const listener = createServer();
  await new Promise<void>((r) => listener.listen(0, "127.0.0.1", r));
  const { port } = listener.address() as { port: number };
  const accepted = new Promise<Socket>((r) => listener.once("connection", r));
  const peer = connect({ port, host: "127.0.0.1" });
  const socket = await accepted;
  peer.write("PRO");
  await assert.rejects(
    takeHeader(socket, true, 50),
    (e) => e instanceof ConnectionError && e.reason === "timeout",
  );
  peer.destroy();
  socket.destroy();
  await new Promise<void>((r) => listener.close(() => r()));
});

Deno.test("a server that stops doesn't wait for headers", async () => {
  const server = await echo("required", 1);
  const socket = connect({ port: server.port, host: "127.0.0.1" });
  const ended = new Promise<void>((r) => socket.on("close", () => r()));
  socket.on("error", () => {});
  await new Promise<void>((r) => socket.on("connect", () => r()));
  await server.shutdown(60_000);
  await ended;
});
