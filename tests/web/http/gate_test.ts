/** Requests that come faster than they are answered, and bodies framed to no good end. */
import assert from "node:assert/strict";
import { Log } from "../../../src/log/mod.ts";
import { registry } from "../../../src/metrics/mod.ts";
import { maxHeld } from "../../../src/net/budget.ts";
import { Share } from "../../../src/net/mod.ts";
import { ChunkFraming } from "../../../src/web/http/chunks.ts";
import { textResponse } from "../../../src/web/http/respond.ts";
import { serveHttp } from "../../../src/web/http/server.ts";
import type { WebHandler } from "../../../src/web/http/types.ts";

const encoder = new TextEncoder();

async function withServer(
  handle: WebHandler,
  fn: (port: number) => Promise<void>,
): Promise<void> {
  const server = await serveHttp({ hostname: "127.0.0.1", port: 0, log: new Log("httptest") }, {
    service: () => "test",
    handle,
    upgrade: () => undefined,
  });
  try {
    await fn(server.port);
  } finally {
    await server.shutdown(100);
  }
}

/** Sends, and gives all that comes until the server closes or the text is there. */
async function talk(port: number, send: string, until?: string): Promise<string> {
  using conn = await Deno.connect({ hostname: "127.0.0.1", port });
  const writing = (async () => {
    const all = encoder.encode(send);
    for (let at = 0; at < all.length;) at += await conn.write(all.subarray(at));
  })().catch(() => {});
  let got = "";
  const buffer = new Uint8Array(64 * 1024);
  const decoder = new TextDecoder();
  for (;;) {
    const n = await conn.read(buffer).catch(() => null);
    if (n === null) break;
    got += decoder.decode(buffer.subarray(0, n), { stream: true });
    if (until !== undefined && got.includes(until)) break;
  }
  await writing;
  return got;
}

const get = (path: string, more = "") =>
  `GET ${path} HTTP/1.1\r\nHost: mail.example\r\n${more}\r\n`;

Deno.test("pipelined requests are begun one at a time, and answered in order", async () => {
  let running = 0;
  let most = 0;
  const handle: WebHandler = async (r) => {
    most = Math.max(most, ++running);
    await new Promise((done) => setTimeout(done, 1));
    running--;
    return textResponse(200, `this is ${r.path}!`);
  };
  await withServer(handle, async (port) => {
    let send = "";
    for (let i = 0; i < 200; i++) send += get(`/${i}`);
    const got = await talk(port, send, "/199!");
    const order = [...got.matchAll(/this is \/(\d+)!/g)].map((m) => Number(m[1]));
    assert.deepEqual(order, Array.from({ length: 200 }, (_, i) => i));
    assert.equal(most, 1);
  });
});

Deno.test("pipelined requests that are answered at once leave others their turns", async () => {
  let flooded = 0;
  const handle: WebHandler = (r) => {
    if (r.path === "/flood") {
      flooded++;
      for (const end = performance.now() + 2; performance.now() < end;);
    }
    return textResponse(200, "an answer!");
  };
  await withServer(handle, async (port) => {
    const count = 300;
    const flood = talk(
      port,
      get("/flood").repeat(count - 1) + get("/flood", "Connection: close\r\n"),
    );
    using conn = await Deno.connect({ hostname: "127.0.0.1", port });
    const buffer = new Uint8Array(4096);
    let rounds = 0;
    while (flooded < count) {
      await conn.write(encoder.encode(get("/other")));
      await conn.read(buffer);
      rounds++;
    }
    await flood;
    // 600 ms of work in turns of 8.
    assert.ok(rounds >= 5, `${rounds} rounds`);
  });
});

Deno.test("a peer that leaves its answers unread gets no more of them", async () => {
  let begun = 0;
  const page = "x".repeat(100_000);
  await withServer(() => {
    begun++;
    return Promise.resolve(textResponse(200, page));
  }, async (port) => {
    using conn = await Deno.connect({ hostname: "127.0.0.1", port });
    const all = encoder.encode(get("/").repeat(3000));
    const writing = (async () => {
      for (let at = 0; at < all.length;) at += await conn.write(all.subarray(at));
    })().catch(() => {});
    let last = -1;
    while (begun !== last) {
      last = begun;
      await new Promise((r) => setTimeout(r, 150));
    }
    // As many as the system's buffers hold, not all.
    assert.ok(begun < 300, `${begun} answers`);
    conn.close();
    await writing;
  });
});

Deno.test("bodies of all framings are let through whole, and the request behind them is answered", async () => {
  const handle: WebHandler = async (r) => {
    const body = r.method === "POST" ? new TextDecoder().decode(await r.body(1_000_000)) : "";
    return textResponse(200, `${r.path}: ${body.length} ${body.slice(-3)}.`);
  };
  const long = `${"y\r\n\r\n".repeat(20_000)}end`;
  const chunked = (text: string, size: number) => {
    let out = "";
    for (let at = 0; at < text.length; at += size) {
      const part = text.slice(at, at + size);
      out += `${part.length.toString(16)};a=b\r\n${part}\r\n`;
    }
    return `${out}0\r\nTrailer: x\r\n\r\n`;
  };
  const post = (path: string, field: string, body: string) =>
    `POST ${path} HTTP/1.1\r\nHost: mail.example\r\n${field}\r\n\r\n${body}`;
  await withServer(handle, async (port) => {
    const got = await talk(
      port,
      "\r\n" + post("/length", `Content-Length: ${long.length}`, long) + get("/one") +
        post("/chunked", "Transfer-Encoding: chunked", chunked(long, 999)) + get("/two") +
        post("/none", "Content-Length: 0", "") + get("/last"),
      "/last",
    );
    const texts = [...got.matchAll(/(\/[a-z]+: \d+ [a-z]*)\./g)].map((m) => m[1]);
    assert.deepEqual(texts, [
      `/length: ${long.length} end`,
      "/one: 0 ",
      `/chunked: ${long.length} end`,
      "/two: 0 ",
      "/none: 0 ",
      "/last: 0 ",
    ]);
  });
});

Deno.test("framing that holds more than content, or nothing sensible, ends the request", async () => {
  const handle: WebHandler = async (r) => {
    await r.body(1_000_000);
    return textResponse(200, "taken");
  };
  const head = "POST / HTTP/1.1\r\nHost: mail.example\r\nTransfer-Encoding: chunked\r\n\r\n";
  await withServer(handle, async (port) => {
    for (
      const body of [
        `1;${"x".repeat(5_000_000)}`,
        `1;${"x".repeat(200)}\r\nx\r\n`.repeat(200),
        `0\r\nA: ${"x".repeat(100_000)}`,
        "zz\r\n",
        "1\nx\n0\n\n",
        "00000000000001\r\n",
        "1\r\nxx\r\n",
      ]
    ) {
      const got = await talk(port, head + body);
      assert.doesNotMatch(got, /taken/);
    }
  });
});

Deno.test("two Host fields, or another host in the address, are refused", async () => {
  await withServer((r) => Promise.resolve(textResponse(200, r.url.host)), async (port) => {
    const ask = async (request: string) => (await talk(port, request, "\n\r\n")).split("\r\n")[0];
    assert.match(
      await ask("GET / HTTP/1.1\r\nHost: a.example\r\nHost: a.example\r\n\r\n"),
      / 400 /,
    );
    assert.match(
      await ask("GET http://b.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n"),
      / 400 /,
    );
    assert.match(
      await ask("GET http://a.example/ HTTP/1.1\r\nHost: a.example\r\n\r\n"),
      / 200 /,
    );
  });
});

Deno.test("the end of a chunked body is found, however it is cut", () => {
  const body = encoder.encode("5;a=1\r\nhello\r\nA\r\n0123456789\r\n0\r\nX: y\r\n\r\nGET /");
  const end = body.length - 5;
  for (let cut = 0; cut <= end; cut++) {
    const f = new ChunkFraming();
    let n = f.take(body.subarray(0, cut));
    assert.equal(n, cut);
    n += f.take(body.subarray(cut));
    assert.equal(n, end, `cut at ${cut}`);
    assert.ok(f.ended && !f.wrong);
  }
});

async function heldByConnections(): Promise<number> {
  const all = await registry.getMetricsAsJSON();
  return all.find((m) => m.name === "mox_connections_held_bytes")!.values[0].value;
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!await holds()) await new Promise((done) => setTimeout(done, 5));
}

Deno.test("a body that isn't whole yet counts as memory of its connection, which is closed for want of it", async () => {
  const failed = Promise.withResolvers<unknown>();
  const handle: WebHandler = async (r) => {
    try {
      return textResponse(200, `${(await r.body(2_000_000)).length}`);
    } catch (err) {
      failed.resolve(err);
      throw err;
    }
  };
  await withServer(handle, async (port) => {
    const head = encoder.encode(
      "PUT / HTTP/1.1\r\nHost: mail.example\r\nContent-Length: 1000000\r\n\r\n",
    );
    const sendMost = async (conn: Deno.Conn) => {
      await conn.write(head);
      const most = new Uint8Array(900_000);
      for (let at = 0; at < most.length;) at += await conn.write(most.subarray(at));
    };
    const before = await heldByConnections();
    const buffer = new Uint8Array(4096);
    {
      using conn = await Deno.connect({ hostname: "127.0.0.1", port });
      await sendMost(conn);
      await until(async () => await heldByConnections() >= before + 900_000);
      await conn.write(new Uint8Array(100_000));
      const n = await conn.read(buffer);
      assert.match(new TextDecoder().decode(buffer.subarray(0, n!)), /^HTTP\/1\.1 200 /);
      // Whole, it is its handler's.
      await until(async () => await heldByConnections() < before + 100_000);
    }
    // Others hold nearly all that may be held, with mail under way that is spared.
    const others = new Share("smtp", () => assert.fail("mail was not spared"));
    try {
      others.mail = true;
      others.add(maxHeld - before - 500_000);
      using conn = await Deno.connect({ hostname: "127.0.0.1", port });
      await sendMost(conn).catch(() => {});
      assert.match(String(await failed.promise), /closed in the middle of a request/);
      assert.equal(await conn.read(buffer).catch(() => null), null);
    } finally {
      others.end();
    }
  });
});
