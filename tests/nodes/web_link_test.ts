/** Requests that are passed on: connections that are used again, also after a body that nobody has read. */
import { Duplex, PassThrough } from "node:stream";
import assert from "node:assert/strict";
import { Log, setLevel } from "../../src/log/mod.ts";
import type { SocketConnection } from "../../src/net/mod.ts";
import { openNodeKey } from "../../src/nodes/key.ts";
import { NodeAway, serveNodeLinks } from "../../src/nodes/link.ts";
import { WebLinks } from "../../src/nodes/web_link.ts";
import { servePassedWeb } from "../../src/serve/nodes/web_elsewhere.ts";
import type { HttpHandlers } from "../../src/web/http/mod.ts";

setLevel("node", "error");
const log = new Log("node");

async function withLinks(
  fn: (
    pass: (method: string, body?: string) => Promise<string>,
    conns: readonly SocketConnection[],
    /** Has the node die when it has the next request. */
    die: () => void,
  ) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir();
  const [own, theirs] = await Promise.all(["one", "two"].map((n) => openNodeKey(dir, n)));
  const conns: SocketConnection[] = [];
  let deadly = false;
  const handlers = {
    // Nobody who posts is let in, so their bodies are not read.
    handle: (req) => {
      if (deadly) conns.at(-1)!.destroy();
      deadly = false;
      return Promise.resolve(
        new Response(req.method, { status: req.method === "POST" ? 401 : 200 }),
      );
    },
  } as HttpHandlers;
  const server = await serveNodeLinks({
    ...{ address: "127.0.0.1", port: 0, key: theirs, log },
    peerWith: () => ({ node: "one", standby: false }),
    serve: {
      http: async (conn, peer) => {
        conns.push(conn);
        const stopping = new AbortController().signal;
        await servePassedWeb({ log, handlers: () => handlers, stopping }, conn, peer);
      },
    },
  });
  const links = new WebLinks(own);
  const place = { Address: "127.0.0.1", Port: server.port, Key: theirs.hash };
  const pass = async (method: string, body?: string) => {
    const head = {
      ...{ service: "webapi", https: false, method, target: "/x", host: "mail.mox.example" },
      ...{ origin: "http://mail.mox.example", remoteIp: "192.0.2.1", secure: false, headers: [] },
      hasBody: body !== undefined,
    };
    const stream = body === undefined ? undefined : new Blob([body]).stream();
    const r = await links.pass("two", place, head, stream, new AbortController().signal);
    return `${r.status} ${await r.text()}`;
  };
  try {
    await fn(pass, conns, () => deadly = true);
  } finally {
    links.close();
    await server.shutdown(0);
    await Deno.remove(dir, { recursive: true });
  }
}

Deno.test("a body that nobody has read does not end the connection on which the next request comes", async () => {
  await withLinks(async (pass) => {
    for (let round = 0; round < 40; round++) {
      assert.equal(await pass("POST", "x".repeat(round * 1000 + 1)), "401 POST");
    }
  });
});

Deno.test("on a connection that has died what only reads is tried again, and nothing else", async () => {
  await withLinks(async (pass, conns, die) => {
    assert.equal(await pass("GET"), "200 GET");
    die();
    assert.equal(await pass("GET"), "200 GET");
    assert.equal(conns.length, 2);
    // Nobody can know whether it was carried out.
    die();
    await assert.rejects(pass("DELETE"), NodeAway);
    assert.equal(conns.length, 2);
    // A new connection that fails is the end.
    die();
    await assert.rejects(pass("GET"), NodeAway);
    assert.equal(conns.length, 3);
    assert.equal(await pass("PROPFIND"), "200 PROPFIND");
  });
});

Deno.test("an upgrade is passed on with its bytes in both directions, and ends with either side", async () => {
  const dir = await Deno.makeTempDir();
  const [own, theirs] = await Promise.all(["one", "two"].map((n) => openNodeKey(dir, n)));
  const handlers = {
    upgrade: (req) =>
      req.path !== "/echo" ? undefined : (_req, socket) => {
        socket.write(`HTTP/1.1 101 ${req.remoteIp} ${req.headers.get("upgrade")}\r\n\r\n`);
        socket.pipe(socket);
      },
  } as HttpHandlers;
  const stopping = new AbortController().signal;
  const server = await serveNodeLinks({
    ...{ address: "127.0.0.1", port: 0, key: theirs, log },
    peerWith: () => ({ node: "one", standby: false }),
    serve: {
      http: (conn, peer) => servePassedWeb({ log, handlers: () => handlers, stopping }, conn, peer),
    },
  });
  const links = new WebLinks(own);
  const place = { Address: "127.0.0.1", Port: server.port, Key: theirs.hash };
  /** A client's connection: what it sends is written to `to`, what it gets is read from `from`. */
  const talk = (target: string, first: string) => {
    const from = new PassThrough();
    const to = new PassThrough();
    const socket = Duplex.from({ readable: to, writable: from });
    const head = {
      ...{ service: "jmap", https: false, method: "GET", target, host: "mail.mox.example" },
      ...{ origin: "http://mail.mox.example", remoteIp: "192.0.2.1", secure: false },
      ...{ headers: ["Upgrade", "websocket"], hasBody: false },
    };
    const done = links.upgrade("two", place, head, socket, new TextEncoder().encode(first));
    let text = "";
    let wake = () => {};
    from.on("data", (b: Uint8Array) => {
      text += new TextDecoder().decode(b);
      wake();
    });
    const seen = async (wanted: string) => {
      while (!text.endsWith(wanted)) await new Promise<void>((go) => wake = go);
      return text;
    };
    return { to, socket, done, seen };
  };
  try {
    const a = talk("/echo", "first ");
    const hello = "HTTP/1.1 101 192.0.2.1 websocket\r\n\r\nfirst ";
    assert.equal(await a.seen("first "), hello);
    const large = "x".repeat(3_000_000);
    a.to.write(`${large}.`);
    assert.equal((await a.seen("x.")).length, hello.length + large.length + 1);
    a.socket.destroy();
    await a.done;
    const b = talk("/other", "");
    assert.match(await b.seen("\r\n\r\n"), /^HTTP\/1\.1 400 /);
    await b.done;
    // Nothing was sent to the client: whoever passes it on answers.
    await server.shutdown(0);
    await assert.rejects(talk("/echo", "").done, NodeAway);
  } finally {
    links.close();
    await server.shutdown(0);
    await Deno.remove(dir, { recursive: true });
  }
});
