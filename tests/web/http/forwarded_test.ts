/** Requests through reverse proxies: whose word on the client counts, and what can't be read. */
import assert from "node:assert/strict";
import { request } from "node:http";
import { fc } from "../../support/fast_check.ts";
import { Log, setLogSink } from "../../../src/log/mod.ts";
import { ConnectionLimiter, Networks } from "../../../src/net/mod.ts";
import { forwardedRequest } from "../../../src/web/http/forwarded.ts";
import { textResponse } from "../../../src/web/http/respond.ts";
import { serveHttp } from "../../../src/web/http/server.ts";
import { HttpError, type WebRequest } from "../../../src/web/http/types.ts";

setLogSink(() => {});

const trusted = new Networks(["10.0.0.0/8", "2001:db8::/32"]);

function seen(headers: Record<string, string>): WebRequest {
  const url = new URL("http://mail.example:8080/x");
  return forwardedRequest({
    url,
    origin: url.origin,
    headers: new Headers(headers),
    remoteIp: "10.0.0.1",
    secure: false,
  } as WebRequest, trusted);
}

Deno.test("the client is the last address that is no proxy of ours", () => {
  const table: [Record<string, string>, string][] = [
    [{}, "10.0.0.1"],
    [{ "X-Forwarded-For": "192.0.2.1" }, "192.0.2.1"],
    // The first is what the client made up.
    [{ "X-Forwarded-For": "203.0.113.9, 192.0.2.1" }, "192.0.2.1"],
    [{ "X-Forwarded-For": "203.0.113.9, 192.0.2.1, 10.0.0.5" }, "192.0.2.1"],
    [{ "X-Forwarded-For": "10.0.0.7, 10.0.0.5" }, "10.0.0.7"],
    [{ "X-Forwarded-For": "[2001:DB9::1]:4711" }, "2001:db9::1"],
    [{ "X-Forwarded-For": "192.0.2.1:4711, 2001:db8::5" }, "192.0.2.1"],
    [{ "X-Forwarded-For": "::ffff:192.0.2.1" }, "192.0.2.1"],
    [{ "X-Forwarded-For": "192.0.2.1, unknown" }, "10.0.0.1"],
    [{ Forwarded: "for=192.0.2.1" }, "192.0.2.1"],
    [{ Forwarded: 'For="[2001:db9::1]:4711";proto=https, for=10.0.0.5' }, "2001:db9::1"],
    [{ Forwarded: "for=1.1.1.1, for=_hidden" }, "10.0.0.1"],
    [{ Forwarded: "for=192.0.2.1", "X-Forwarded-For": "192.0.2.1" }, "192.0.2.1"],
  ];
  for (const [headers, ip] of table) {
    assert.equal(seen(headers).remoteIp, ip, JSON.stringify(headers));
  }
});

Deno.test("scheme and host of the client's side", () => {
  const x = seen({
    "X-Forwarded-For": "192.0.2.1",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Host": "evil.example, mail.example.org",
  });
  assert.deepEqual([x.secure, x.origin], [true, "https://mail.example.org"]);
  const f = seen({ Forwarded: 'for=192.0.2.1;proto=https;host="mail.example.org:8443"' });
  assert.deepEqual([f.secure, f.origin], [true, "https://mail.example.org:8443"]);
});

Deno.test("what can't be read, or contradicts itself, is 400", () => {
  const bad = [
    { "X-Forwarded-For": "what" },
    { "X-Forwarded-For": "1.2.3" },
    { "X-Forwarded-For": "192.0.2.1 10.0.0.1" },
    { "X-Forwarded-For": Array(60).fill("10.0.0.1").join(",") },
    { Forwarded: "for" },
    { Forwarded: "for=" },
    { Forwarded: 'for="1.2.3.4' },
    { Forwarded: "for=1.2.3.4;for=1.2.3.5" },
    { Forwarded: "for=1.2.3.4 proto=https" },
    { Forwarded: "for=203.0.113.9", "X-Forwarded-For": "192.0.2.1" },
  ];
  for (const headers of bad) {
    assert.throws(
      () => seen(headers as unknown as Record<string, string>),
      (e) => e instanceof HttpError && e.status === 400,
      JSON.stringify(headers),
    );
  }
});

Deno.test("random headers give a request or 400", () => {
  const piece = fc.oneof(
    fc.constantFrom(
      "for=",
      "1.2.3.4",
      "10.0.0.1",
      ",",
      ";",
      '"',
      "\\",
      "[::1]",
      "proto=https",
      " ",
    ),
    fc.string({ unit: fc.integer({ min: 0x20, max: 0x7e }).map((c) => String.fromCharCode(c)) }),
  );
  fc.assert(
    fc.property(fc.array(piece), fc.boolean(), (pieces, x) => {
      try {
        seen({ [x ? "X-Forwarded-For" : "Forwarded"]: pieces.join("") });
      } catch (e) {
        assert.ok(e instanceof HttpError && e.status === 400, String(e));
      }
    }),
    { numRuns: 3000 },
  );
});

function get(port: number, from: string, headers: Record<string, string>) {
  return new Promise<{ status: number; body: string }>((resolve, reject) => {
    const r = request({ port, host: "127.0.0.1", localAddress: from, headers, agent: false });
    r.on("error", reject);
    r.on("response", async (res) => {
      let body = "";
      for await (const chunk of res) body += chunk;
      resolve({ status: res.statusCode ?? 0, body: body.trim() });
    });
    r.end();
  });
}

Deno.test("a server believes its proxies only, and counts their requests for the clients", async () => {
  const hold = Promise.withResolvers<void>();
  const waiting = Promise.withResolvers<void>();
  const server = await serveHttp({
    hostname: "127.0.0.1",
    port: 0,
    log: new Log("http"),
    proxies: { networks: new Networks(["127.0.0.1"]), header: "never" },
    connectionLimiter: new ConnectionLimiter([1, 10, 10]),
  }, {
    service: () => "test",
    upgrade: () => undefined,
    async handle(req) {
      if (req.headers.has("x-hold")) {
        waiting.resolve();
        await hold.promise;
      }
      return textResponse(200, req.remoteIp);
    },
  });
  const { port } = server;
  try {
    const named = { "X-Forwarded-For": "192.0.2.1" };
    assert.deepEqual(await get(port, "127.0.0.1", named), { status: 200, body: "192.0.2.1" });
    assert.deepEqual(await get(port, "127.0.0.2", named), { status: 200, body: "127.0.0.2" });
    const held = get(port, "127.0.0.1", { ...named, "x-hold": "1" });
    await waiting.promise;
    assert.equal((await get(port, "127.0.0.1", named)).status, 503);
    const other = { "X-Forwarded-For": "198.51.100.1" };
    assert.equal((await get(port, "127.0.0.1", other)).status, 200);
    hold.resolve();
    assert.equal((await held).status, 200);
    assert.equal((await get(port, "127.0.0.1", { "X-Forwarded-For": "x" })).status, 400);
  } finally {
    hold.resolve();
    await server.shutdown(1000);
  }
});
