/** JMAP Core (RFC 8620): session, requests and their errors, result references, upload and download. */
import assert from "node:assert/strict";
import { basic, type Call, password, withJmap } from "./world.ts";

const core = "urn:ietf:params:jmap:core";

Deno.test("RFC 8620 §2: session at the path and at /.well-known/jmap, with absolute URLs", () =>
  withJmap(async ({ ann, origin }) => {
    for (const path of ["/.well-known/jmap", "/jmap/", "/jmap/session"]) {
      const r = await ann.raw(path);
      assert.equal(r.status, 200, path);
      assert.match(r.headers.get("content-type")!, /^application\/json/);
      assert.match(r.headers.get("cache-control")!, /no-store/);
      const s = r.json;
      assert.equal(s.username, "ann@mox.example");
      assert.equal(s.apiUrl, `${origin}/jmap/api`);
      assert.equal(
        s.downloadUrl,
        `${origin}/jmap/download/{accountId}/{blobId}/{name}?accept={type}`,
      );
      assert.equal(s.uploadUrl, `${origin}/jmap/upload/{accountId}/`);
      assert.match(s.eventSourceUrl, /\{types\}.*\{closeafter\}.*\{ping\}/);
      assert.equal(typeof s.state, "string");
      const c = s.capabilities[core];
      for (
        const name of [
          "maxSizeUpload",
          "maxConcurrentUpload",
          "maxSizeRequest",
          "maxConcurrentRequests",
          "maxCallsInRequest",
          "maxObjectsInGet",
          "maxObjectsInSet",
        ]
      ) {
        assert.ok(Number.isSafeInteger(c[name]) && c[name] > 0, name);
      }
      assert.ok(c.collationAlgorithms.includes("i;unicode-casemap"));
      assert.equal(s.accounts.ann.isPersonal, true);
      assert.equal(s.accounts.ann.isReadOnly, false);
      assert.equal(s.accounts.bob, undefined);
    }
    const api = await ann.post({ using: [core], methodCalls: [] });
    assert.equal(api.json.sessionState, (await ann.raw("session")).json.state);
  }));

Deno.test("session names the host and scheme that the client knows, behind a proxy that is trusted", () =>
  withJmap(async ({ ann }) => {
    const headers = {
      "x-forwarded-for": "192.0.2.1",
      "x-forwarded-proto": "https",
      "x-forwarded-host": "mail.example.org",
    };
    const r = await ann.raw("session", { headers });
    assert.equal(r.json.apiUrl, "https://mail.example.org/jmap/api");
  }, { jmap: "\t\t\tForwarded: true\n" }).then(() =>
    withJmap(async ({ ann, origin }) => {
      const r = await ann.raw("session", { headers: { "x-forwarded-host": "evil.example" } });
      assert.equal(r.json.apiUrl, `${origin}/jmap/api`);
    })
  ));

Deno.test("RFC 8620 §1.7, §8.2: login by Basic or Bearer; without, 401", () =>
  withJmap(async ({ ann, base }) => {
    const token = basic("ann@mox.example").slice("Basic ".length);
    const bearer = await ann.raw("session", { headers: { authorization: `Bearer ${token}` } });
    assert.equal(bearer.status, 200);
    const none = await fetch(`${base}session`);
    assert.equal(none.status, 401);
    assert.match(none.headers.get("www-authenticate")!, /^Basic /);
    await none.body?.cancel();
    for (
      const authorization of [basic("ann@mox.example", "wrong"), "Basic !!", "Digest x", "Bearer x"]
    ) {
      assert.equal((await ann.raw("session", { headers: { authorization } })).status, 401);
    }
    assert.equal(
      (await ann.raw("session", { headers: { authorization: basic("x@y", password) } })).status,
      401,
    );
  }));

Deno.test("RFC 8620 §3.3, §4: Core/echo gives back its arguments, call ids in order", () =>
  withJmap(async ({ ann }) => {
    const args = { hello: true, high: 5, deep: { "a/b": [1, null, "x"] }, __proto__x: 1 };
    const r = await ann.post({
      using: [core],
      methodCalls: [["Core/echo", args, "b3ff"], ["Core/echo", {}, "b3ff"], ["Core/echo", {}, ""]],
    });
    assert.deepEqual(r.json.methodResponses, [
      ["Core/echo", args, "b3ff"],
      ["Core/echo", {}, "b3ff"],
      ["Core/echo", {}, ""],
    ]);
    assert.equal("createdIds" in r.json, false);
    const c = await ann.post({ using: [core], methodCalls: [], createdIds: { a: "M1" } });
    assert.deepEqual(c.json.createdIds, { a: "M1" });
  }));

Deno.test("RFC 8620 §3.6.1: errors of requests are problem documents", () =>
  withJmap(async ({ ann }) => {
    const echo: Call = ["Core/echo", {}, "0"];
    const cases: [unknown, string, string?][] = [
      ["{", "notJSON"],
      ["", "notJSON"],
      ['{"using":["x"}', "notJSON"],
      ["[".repeat(100), "notJSON"],
      [`${"[".repeat(100)}${"]".repeat(100)}`, "notJSON"],
      [[], "notRequest"],
      [null, "notRequest"],
      [{}, "notRequest"],
      [{ using: core, methodCalls: [echo] }, "notRequest"],
      [{ using: [1], methodCalls: [echo] }, "notRequest"],
      [{ using: [core] }, "notRequest"],
      [{ using: [core], methodCalls: {} }, "notRequest"],
      [{ using: [core], methodCalls: [["Core/echo", {}]] }, "notRequest"],
      [{ using: [core], methodCalls: [["Core/echo", [], "0"]] }, "notRequest"],
      [{ using: [core], methodCalls: [["Core/echo", {}, 0]] }, "notRequest"],
      [{ using: [core], methodCalls: [[1, {}, "0"]] }, "notRequest"],
      [{ using: [core], methodCalls: [echo], createdIds: [] }, "notRequest"],
      [{ using: [core], methodCalls: [echo], createdIds: { a: 1 } }, "notRequest"],
      [{ using: [core, "https://x.example/y"], methodCalls: [echo] }, "unknownCapability"],
      [{ using: [core], methodCalls: Array(65).fill(echo) }, "limit", "maxCallsInRequest"],
      [
        { using: [core], methodCalls: [["Core/echo", { x: "x".repeat(10_000_000) }, "0"]] },
        "limit",
        "maxSizeRequest",
      ],
    ];
    for (const [body, type, limit] of cases) {
      const r = await ann.post(body);
      const what = JSON.stringify(body)?.slice(0, 100);
      assert.equal(r.status, 400, what);
      assert.match(r.headers.get("content-type")!, /^application\/problem\+json/, what);
      assert.equal(r.json.type, `urn:ietf:params:jmap:error:${type}`, what);
      assert.equal(r.json.status, 400, what);
      assert.equal(r.json.limit, limit, what);
    }
    const notUtf8 = await ann.raw("api", {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: new Uint8Array([0x7b, 0xff, 0x7d]),
    });
    assert.equal(notUtf8.json.type, "urn:ietf:params:jmap:error:notJSON");
    const text = await ann.raw("api", {
      method: "POST",
      headers: { "content-type": "text/plain" },
      body: JSON.stringify({ using: [core], methodCalls: [echo] }),
    });
    assert.equal(text.json.type, "urn:ietf:params:jmap:error:notJSON");
    const charset = await ann.raw("api", {
      method: "POST",
      headers: { "content-type": "application/json; charset=utf-8" },
      body: JSON.stringify({ using: [core], methodCalls: [echo] }),
    });
    assert.equal(charset.status, 200);
    assert.equal((await ann.raw("api")).status, 405);
  }));

Deno.test("RFC 8620 §3.6.2: a method that is unknown, or not in using, is unknownMethod; others go on", () =>
  withJmap(async ({ ann }) => {
    const r = await ann.post({
      using: [core],
      methodCalls: [["Nope/get", {}, "a"], ["Core/echo", { x: 1 }, "b"], ["__proto__", {}, "c"]],
    });
    const [a, b, c] = r.json.methodResponses;
    assert.equal(a[0], "error");
    assert.equal(a[1].type, "unknownMethod");
    assert.equal(a[2], "a");
    assert.deepEqual(b, ["Core/echo", { x: 1 }, "b"]);
    assert.equal(c[1].type, "unknownMethod");
    const none = await ann.post({ using: [], methodCalls: [["Core/echo", {}, "0"]] });
    assert.equal(none.status, 200);
    assert.equal(none.json.methodResponses[0][1].type, "unknownMethod");
  }));

Deno.test("RFC 8620 §3.7: result references, with * and escapes; those that lead nowhere", () =>
  withJmap(async ({ ann }) => {
    const first: Call = ["Core/echo", {
      list: [{ id: "a", more: ["x", "y"] }, { id: "b", more: ["z"] }, { id: "c", more: [] }],
      "a/b~c": { "": 7 },
      empty: [],
    }, "0"];
    const found = async (path: string, o: { resultOf?: string; name?: string } = {}) => {
      const reference = { resultOf: "0", name: "Core/echo", path, ...o };
      const r = await ann.calls([first, ["Core/echo", { "#v": reference }, "1"]]);
      return r[1][0] === "error" ? r[1][1].type : r[1][1].v;
    };
    assert.deepEqual(await found("/list/*/id"), ["a", "b", "c"]);
    assert.deepEqual(await found("/list/*/more"), ["x", "y", "z"]);
    assert.deepEqual(await found("/list/*/more/*"), ["x", "y", "z"]);
    assert.deepEqual(await found("/empty/*"), []);
    assert.deepEqual(await found("/empty/*/id"), []);
    assert.equal(await found("/list/1/id"), "b");
    assert.equal(await found("/a~1b~0c/"), 7);
    for (
      const path of [
        "list",
        "/nope",
        "/list/3",
        "/list/-",
        "/list/01",
        "/list/*/nope",
        "/list/0/id/x",
      ]
    ) {
      assert.equal(await found(path), "invalidResultReference", path);
    }
    assert.equal(await found("/list", { resultOf: "9" }), "invalidResultReference");
    assert.equal(await found("/list", { name: "Foo/get" }), "invalidResultReference");
    const both = await ann.calls([first, [
      "Core/echo",
      { v: 1, "#v": { resultOf: "0", name: "Core/echo", path: "/list" } },
      "1",
    ]]);
    assert.equal(both[1][1].type, "invalidArguments");
    const bad = await ann.calls([first, ["Core/echo", { "#v": { resultOf: "0" } }, "1"]]);
    assert.equal(bad[1][1].type, "invalidResultReference");
    // A call that failed has no result to refer to.
    const failed = await ann.calls([["Nope/get", {}, "0"], [
      "Core/echo",
      { "#v": { resultOf: "0", name: "Nope/get", path: "/list" } },
      "1",
    ]]);
    assert.equal(failed[1][1].type, "invalidResultReference");
  }));

Deno.test("references that multiply are bounded", () =>
  withJmap(async ({ ann }) => {
    const calls: Call[] = [["Core/echo", { v: Array(1000).fill(0) }, "0"]];
    for (let i = 1; i < 12; i++) {
      const reference = { resultOf: String(i - 1), name: "Core/echo", path: "/v" };
      calls.push(["Core/echo", { "#v": reference, w: [] }, String(i)]);
    }
    const list = { l: Array.from({ length: 400 }, () => ({ m: Array(400).fill(1) })) };
    const r = await ann.calls([["Core/echo", list, "0"], [
      "Core/echo",
      { "#v": { resultOf: "0", name: "Core/echo", path: "/l/*/m" } },
      "1",
    ], ...calls]);
    assert.equal(r[1][1].type, "invalidResultReference");
  }));

Deno.test("RFC 8620 §6: upload and download, with ranges, types and names", () =>
  withJmap(async (w) => {
    const { ann, bob } = w;
    const data = new Uint8Array(600_000).map((_, i) => i % 251);
    const up = await ann.raw("upload/ann/", {
      method: "POST",
      headers: { "content-type": "image/png; x=y" },
      body: data,
    });
    assert.equal(up.status, 201);
    assert.deepEqual(Object.keys(up.json).sort(), ["accountId", "blobId", "size", "type"]);
    assert.equal(up.json.accountId, "ann");
    assert.equal(up.json.size, data.length);
    assert.equal(up.json.type, "image/png; x=y");
    const { blobId } = up.json;
    await w.restart();
    const get = (path: string, headers: Record<string, string> = {}) =>
      fetch(`${w.base}${path}`, { headers: { authorization: ann.authorization, ...headers } });
    const whole = await get(`download/ann/${blobId}/a%20%22b%2F%C3%BC.png?accept=image%2Fpng`);
    assert.equal(whole.status, 200);
    assert.equal(whole.headers.get("content-type"), "image/png");
    assert.equal(whole.headers.get("content-length"), String(data.length));
    assert.match(
      whole.headers.get("content-disposition")!,
      /^attachment; .*filename\*=UTF-8''a%20%22b%2F%C3%BC\.png$/,
    );
    assert.match(whole.headers.get("cache-control")!, /immutable/);
    assert.match(whole.headers.get("content-security-policy")!, /sandbox/);
    assert.deepEqual(new Uint8Array(await whole.arrayBuffer()), data);
    const ranges: [string, number, string | null, number, number][] = [
      ["bytes=0-9", 206, `bytes 0-9/${data.length}`, 0, 10],
      ["bytes=599990-", 206, `bytes 599990-599999/${data.length}`, 599990, 600000],
      ["bytes=-5", 206, `bytes 599995-599999/${data.length}`, 599995, 600000],
      ["bytes=5-9999999", 206, `bytes 5-599999/${data.length}`, 5, 600000],
      ["bytes=9-5", 200, null, 0, 600000],
      ["lines=1-2", 200, null, 0, 600000],
    ];
    for (const [range, status, content, from, to] of ranges) {
      const r = await get(`download/ann/${blobId}/x`, { range });
      assert.equal(r.status, status, range);
      assert.equal(r.headers.get("content-range"), content, range);
      assert.deepEqual(new Uint8Array(await r.arrayBuffer()), data.slice(from, to), range);
    }
    const beyond = await get(`download/ann/${blobId}/x`, { range: "bytes=600000-" });
    assert.equal(beyond.status, 416);
    assert.equal(beyond.headers.get("content-range"), `bytes */${data.length}`);
    await beyond.body?.cancel();
    const type = await get(
      `download/ann/${blobId}/x?accept=${encodeURIComponent("text/html\r\nX: y")}`,
    );
    assert.equal(type.headers.get("content-type"), "application/octet-stream");
    await type.body?.cancel();
    // What stands for all types is none.
    const all = await get(`download/ann/${blobId}/x?accept=${encodeURIComponent("*/*")}`);
    assert.equal(all.headers.get("content-type"), "application/octet-stream");
    await all.body?.cancel();
    // Another user has no business with it, nor in the account.
    assert.equal((await bob.raw(`download/ann/${blobId}/x`)).status, 404);
    assert.equal((await bob.raw(`download/bob/${blobId}/x`)).status, 404);
    assert.equal((await bob.raw("upload/ann/", { method: "POST", body: "x" })).status, 404);
    for (const id of ["U0", "..", "%2e%2e%2fx", `U${"0".repeat(32)}`]) {
      assert.equal((await ann.raw(`download/ann/${id}/x`)).status, 404, id);
    }
    const empty = await ann.raw("upload/ann/", { method: "POST", body: "" });
    assert.equal(empty.json.size, 0);
    assert.equal(await (await get(`download/ann/${empty.json.blobId}/x`)).text(), "");
  }));

Deno.test("CORS: listed origins may ask, with a preflight; other sites are refused", () =>
  withJmap(async ({ ann, base }) => {
    const origin = "https://mail.example.org";
    const pre = await fetch(`${base}api`, {
      method: "OPTIONS",
      headers: {
        origin,
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type",
      },
    });
    assert.equal(pre.status, 204);
    assert.equal(pre.headers.get("access-control-allow-origin"), origin);
    assert.match(pre.headers.get("access-control-allow-methods")!, /POST/);
    assert.match(pre.headers.get("access-control-allow-headers")!, /Authorization/i);
    const ok = await ann.raw("session", { headers: { origin, "sec-fetch-site": "cross-site" } });
    assert.equal(ok.status, 200);
    assert.equal(ok.headers.get("access-control-allow-origin"), origin);
    // The reason of a refusal can be read too.
    const denied = await ann.raw("session", { headers: { origin, authorization: "Basic eDp5" } });
    assert.equal(denied.status, 401);
    assert.equal(denied.headers.get("access-control-allow-origin"), origin);
    const other = { origin: "https://evil.example", "sec-fetch-site": "cross-site" };
    assert.equal((await ann.raw("session", { headers: other })).status, 403);
    const refused = await fetch(`${base}api`, { method: "OPTIONS", headers: other });
    assert.equal(refused.headers.get("access-control-allow-origin"), null);
  }, { jmap: "\t\t\tAllowedOrigins:\n\t\t\t\t- https://mail.example.org\n" }));
