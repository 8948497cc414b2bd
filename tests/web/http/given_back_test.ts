/** Bodies of requests: whole however they come, and the memory of their pieces is given back as they are read. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Log } from "../../../src/log/mod.ts";
import { selfSignedCertificate } from "../../../src/net/mod.ts";
import { giveBack, joined } from "../../../src/platform/bytes.ts";
import { textResponse } from "../../../src/web/http/respond.ts";
import { serveHttp } from "../../../src/web/http/server.ts";
import type { WebHandler } from "../../../src/web/http/types.ts";

const encoder = new TextEncoder();
const hash = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");

/** Each byte depends on its position, so that a piece that is missing or doubled shows. */
function patterned(length: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  for (let i = 0; i < length; i++) bytes[i] = (i * 31 + (i >> 8) * 7 + (i >> 16)) & 0xff;
  return bytes;
}

async function withServer(
  handle: WebHandler,
  fn: (port: number) => Promise<void>,
  tls?: { key: string; cert: string },
): Promise<void> {
  const server = await serveHttp({
    hostname: "127.0.0.1",
    port: 0,
    log: new Log("httptest"),
    tls: tls && { certificateFor: () => tls, alpnProtocols: ["h2", "http/1.1"] },
  }, { service: () => "test", handle, upgrade: () => undefined });
  try {
    await fn(server.port);
  } finally {
    await server.shutdown(100);
  }
}

/** Answers with the size and digest of the body, read in one of the ways there are. */
const digests: WebHandler = async (r) => {
  if (r.path === "/whole") {
    const body = await r.body(100_000_000);
    return textResponse(200, `<${body.length} ${hash(body)}>`);
  }
  const digest = createHash("sha256");
  let size = 0;
  for await (const piece of r.stream(100_000_000)) {
    // As if the disk were slow: what comes meanwhile waits.
    if (r.path === "/slow") await new Promise((done) => setTimeout(done, 0));
    digest.update(piece);
    size += piece.length;
    giveBack(piece);
  }
  return textResponse(200, `<${size} ${digest.digest("hex")}>`);
};

/** A body in chunks of so many bytes. */
function chunked(body: Uint8Array, size: number): Uint8Array {
  const out: Uint8Array[] = [];
  for (let at = 0; at < body.length; at += size) {
    const part = body.subarray(at, at + size);
    out.push(encoder.encode(`${part.length.toString(16)}\r\n`), part, encoder.encode("\r\n"));
  }
  out.push(encoder.encode("0\r\n\r\n"));
  return joined(out);
}

Deno.test("bodies one after the other on a connection arrive whole, however they are framed and read", () =>
  withServer(digests, async (port) => {
    const body = patterned(700_001);
    const wanted = `<${body.length} ${hash(body)}>`;
    const requests: Uint8Array[] = [];
    for (const path of ["/whole", "/stream", "/slow"]) {
      requests.push(
        encoder.encode(
          `POST ${path} HTTP/1.1\r\nHost: mail.example\r\nContent-Length: ${body.length}\r\n\r\n`,
        ),
        body,
      );
      for (const size of [100_000, 65_536, 5_003]) {
        requests.push(
          encoder.encode(
            `POST ${path} HTTP/1.1\r\nHost: mail.example\r\nTransfer-Encoding: chunked\r\n\r\n`,
          ),
          chunked(body, size),
        );
      }
    }
    using conn = await Deno.connect({ hostname: "127.0.0.1", port });
    const writing = (async () => {
      for (const r of requests) {
        for (let at = 0; at < r.length;) at += await conn.write(r.subarray(at));
      }
    })();
    let got = "";
    const buffer = new Uint8Array(64 * 1024);
    const answers = () => [...got.matchAll(/<\d+ [0-9a-f]{64}>/g)].map((m) => m[0]);
    while (answers().length < 12) {
      const n = await conn.read(buffer);
      if (n === null) break;
      got += new TextDecoder().decode(buffer.subarray(0, n));
    }
    await writing;
    assert.deepEqual(answers(), Array.from({ length: 12 }, () => wanted));
  }));

// The first request of a connection comes right behind the handshake: before the runtime's parser listens.
Deno.test("bodies by TLS arrive whole, with HTTP/1.1 and HTTP/2, also a connection's first", async () => {
  const tls = await selfSignedCertificate({ names: ["localhost"] });
  const body = patterned(3_000_001);
  const wanted = `<${body.length} ${hash(body)}>`;
  await withServer(digests, async (port) => {
    for (const http2 of [false, true]) {
      using client = Deno.createHttpClient({
        caCerts: [tls.cert],
        http1: !http2,
        http2,
      });
      for (const path of ["/whole", "/stream", "/slow"]) {
        const r = await fetch(`https://localhost:${port}${path}`, {
          method: "POST",
          body,
          client,
        });
        assert.equal((await r.text()).trim(), wanted, `${path} ${http2}`);
      }
    }
  }, tls);
});

/** A client in a thread of its own, so that only the server's memory is this thread's. */
const sender = `onmessage = async ({ data: { port, path, size } }) => {
  const piece = new Uint8Array(1 << 20);
  await Promise.all(Array.from({ length: 10 }, async () => {
    const c = await Deno.connect({ hostname: "127.0.0.1", port });
    await c.write(new TextEncoder().encode(
      "POST " + path + " HTTP/1.1\\r\\nHost: x\\r\\nContent-Length: " + size + "\\r\\n\\r\\n"));
    try {
      for (let n = 0; n < size;) n += await c.write(piece.subarray(0, Math.min(piece.length, size - n)));
      await c.read(piece);
    } catch {
      // The server has refused it.
    }
    c.close();
  }));
  postMessage("done");
};`;

Deno.test("300 MB of bodies leave nothing for the collector of garbage", () =>
  withServer(digests, async (port) => {
    const worker = new Worker(`data:text/javascript,${encodeURIComponent(sender)}`, {
      type: "module",
    });
    const before = Deno.memoryUsage().external;
    let highest = before;
    const timer = setInterval(() => {
      highest = Math.max(highest, Deno.memoryUsage().external);
    }, 5);
    try {
      await new Promise<unknown>((done) => {
        worker.onmessage = done;
        worker.postMessage({ port, path: "/stream", size: 30_000_000 });
      });
    } finally {
      clearInterval(timer);
      worker.terminate();
    }
    // 260 MB if the pieces are left to the collector.
    const rise = (highest - before) / 1e6;
    assert.ok(rise < 60, `${rise.toFixed(0)} MB outside of the heap`);
  }));
