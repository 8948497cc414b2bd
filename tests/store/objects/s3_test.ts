/** Requests to an object storage, and what is made of its answers, beside a scripted server. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Outbound, systemAuthorities } from "../../../src/net/mod.ts";
import { Bucket, ObjectsError, signedHeaders } from "../../../src/store/objects/s3.ts";

const outbound = new Outbound({
  authorities: systemAuthorities,
  lookup: () => Promise.resolve(["127.0.0.1"]),
});
const keys = { region: "eu-1", accessKey: "KEY", secretKey: "secret" };

interface Asked {
  method: string;
  /** As it was sent. */
  path: string;
  query: string;
  headers: Headers;
  body: Uint8Array;
}
type Answer = [status: number, body?: string | Uint8Array<ArrayBuffer>];

/** Runs with a bucket at a server that answers in order, and keeps what it was asked. */
async function withServer(
  answers: Answer[],
  fn: (bucket: Bucket, asked: Asked[], host: string) => Promise<void>,
  base = "",
): Promise<void> {
  const asked: Asked[] = [];
  const waiting = answers.values();
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, async (r) => {
    const { pathname, search } = new URL(r.url);
    const body = new Uint8Array(await r.arrayBuffer());
    asked.push({ method: r.method, path: pathname, query: search, headers: r.headers, body });
    const { value: [status, text] = [500] as Answer } = waiting.next() as { value?: Answer };
    return new Response(status === 204 ? null : text ?? "", { status });
  });
  const host = `127.0.0.1:${server.addr.port}`;
  try {
    const bucket = new Bucket(
      { endpoint: `http://${host}${base}`, bucket: "mail", ...keys },
      outbound,
    );
    await fn(bucket, asked, host);
    assert.equal(asked.length, answers.length, "each answer was asked for");
  } finally {
    await server.shutdown();
  }
}

const error = (code: string) => `<?xml version="1.0"?><Error><Code>${code}</Code></Error>`;
const list = (names: string[], token = "") =>
  `<ListBucketResult>${names.map((n) => `<Contents><Key>${n}</Key></Contents>`).join("")}${
    token === "" ? "" : `<NextContinuationToken>${token}</NextContinuationToken>`
  }</ListBucketResult>`;

Deno.test("objects: each request is signed, with the hash of its object, and names are escaped", () =>
  withServer([[200], [200, "content"], [204]], async (bucket, asked, host) => {
    const name = "a b/ü'(1)*!+~.x";
    const path = "/store/mail/a%20b/%C3%BC%27%281%29%2A%21%2B~.x";
    const body = new TextEncoder().encode("content");
    await bucket.put(name, body);
    assert.deepEqual(await bucket.get(name), body);
    await bucket.remove(name);
    assert.deepEqual(asked.map((a) => [a.method, a.path, a.query]), [
      ["PUT", path, ""],
      ["GET", path, ""],
      ["DELETE", path, ""],
    ]);
    assert.deepEqual(asked.map((a) => new TextDecoder().decode(a.body)), ["content", "", ""]);
    for (const a of asked) {
      const bodyHash = createHash("sha256").update(a.body).digest("hex");
      assert.equal(a.headers.get("x-amz-content-sha256"), bodyHash);
      const time = a.headers.get("x-amz-date")!;
      assert.match(time, /^\d{8}T\d{6}Z$/);
      const now = new Date(
        time.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, "$1-$2-$3T$4:$5:$6Z"),
      );
      const signed = signedHeaders(
        keys,
        { method: a.method, host, path: `/store/mail/${name}`, query: [], bodyHash },
        now,
      );
      assert.equal(a.headers.get("authorization"), signed.authorization);
    }
  }, "/store/"));

Deno.test("objects: an endpoint without a path", () =>
  withServer([[200]], async (bucket, asked) => {
    await bucket.put("x", new Uint8Array(3));
    assert.equal(asked[0].path, "/mail/x");
    assert.equal(asked[0].body.length, 3);
  }));

Deno.test("objects: a signature covers the query in its order, however it is given", () => {
  const now = new Date("2026-01-02T03:04:05.678Z");
  const of = (query: [string, string][], over: object = {}) =>
    signedHeaders(
      keys,
      { method: "GET", host: "h.example", path: "/b", query, bodyHash: "00", ...over },
      now,
    );
  const a = of([["prefix", "x/y z"], ["list-type", "2"]]);
  assert.equal(a["x-amz-date"], "20260102T030405Z");
  assert.match(a.authorization, /Credential=KEY\/20260102\/eu-1\/s3\/aws4_request, /);
  assert.match(a.authorization, /SignedHeaders=host;x-amz-content-sha256;x-amz-date, /);
  assert.deepEqual(of([["list-type", "2"], ["prefix", "x/y z"]]), a);
  const others = [
    of([["prefix", "x/y"], ["list-type", "2"]]),
    of([["prefix", "x/y z"], ["list-type", "2"]], { method: "PUT" }),
    of([["prefix", "x/y z"], ["list-type", "2"]], { path: "/c" }),
    of([["prefix", "x/y z"], ["list-type", "2"]], { host: "i.example" }),
    of([["prefix", "x/y z"], ["list-type", "2"]], { bodyHash: "01" }),
  ];
  const all = new Set([a, ...others].map((h) => h.authorization));
  assert.equal(all.size, 6);
});

Deno.test("objects: a list in several answers is one, in the order of names", () =>
  withServer(
    [[200, list(["p/3", "p/1"], "a+b/c==")], [200, list(["p/2"], "x&amp;y")], [200, list([])]],
    async (bucket, asked) => {
      assert.deepEqual(await bucket.list("p/ä"), ["p/1", "p/2", "p/3"]);
      assert.ok(asked.every((a) => a.method === "GET" && a.path === "/mail"));
      assert.deepEqual(asked.map((a) => a.query), [
        "?list-type=2&prefix=p%2F%C3%A4",
        "?continuation-token=a%2Bb%2Fc%3D%3D&list-type=2&prefix=p%2F%C3%A4",
        "?continuation-token=x%26y&list-type=2&prefix=p%2F%C3%A4",
      ]);
    },
  ));

Deno.test("objects: names in a list are read with all entities that XML has for characters", () =>
  withServer(
    [[
      200,
      list([
        "p/a&amp;b",
        "p/&lt;&gt;&quot;&apos;",
        "p/it&#39;s",
        "p/&#34;&#x2F;&#x1F600;",
        "p/&amp;lt;",
        "p/&other;",
      ]),
    ]],
    async (bucket) => {
      assert.deepEqual(
        await bucket.list("p/"),
        ["p/a&b", "p/<>\"'", "p/it's", 'p/"/\u{1F600}', "p/&lt;", "p/&other;"].sort(),
      );
    },
  ));

Deno.test("objects: a storage that never ends its list, or answers with a page of something else, is refused", async () => {
  await withServer(
    [[200, list(["p/1"], "again")], [200, list(["p/2"], "again")]],
    async (bucket) => {
      await assert.rejects(bucket.list("p/"), {
        name: "ObjectsError",
        message: "the list of objects does not end: the object storage names the same place again",
      });
    },
  );
  await withServer([[200, "<html>welcome</html>"]], async (bucket) => {
    await assert.rejects(bucket.list("p/"), {
      name: "ObjectsError",
      message: "the list of objects: the answer is none of an object storage",
    });
  });
});

Deno.test("objects: what the storage refuses is passed on with its status and code", async () => {
  const calls: [what: string, fn: (b: Bucket) => Promise<unknown>][] = [
    ["x/1", (b) => b.put("x/1", new Uint8Array(1))],
    ["x/1", (b) => b.get("x/1")],
    ["x/1", (b) => b.remove("x/1")],
    ["the list of objects", (b) => b.list("x/")],
  ];
  const answers: [Answer, string][] = [
    [[403, error("SignatureDoesNotMatch")], "403 SignatureDoesNotMatch"],
    [[503, "busy"], "503"],
    [[500, ""], "500"],
    // Not that something was stored, or is what was asked for.
    [[202, ""], "202"],
  ];
  for (const [what, fn] of calls) {
    for (const [answer, said] of answers) {
      await withServer([answer], async (bucket) => {
        await assert.rejects(fn(bucket), (err) => {
          assert.ok(err instanceof ObjectsError);
          assert.equal(err.message, `${what}: the object storage answers ${said}`);
          return true;
        });
      });
    }
  }
});

Deno.test("objects: removing what is not there succeeds; reading it does not", async () => {
  for (const status of [200, 204, 404]) {
    await withServer([[status, error("NoSuchKey")]], async (bucket) => await bucket.remove("x"));
  }
  await withServer([[404, error("NoSuchKey")]], async (bucket) => {
    await assert.rejects(
      bucket.get("x"),
      /^ObjectsError: x: the object storage answers 404 NoSuchKey$/,
    );
  });
});

Deno.test("objects: a storage that can't be reached is named", async () => {
  const nowhere = new Outbound({
    authorities: systemAuthorities,
    lookup: () => Promise.reject(new Error("no such name")),
  });
  const bucket = new Bucket(
    { endpoint: "http://s3.example:9000", bucket: "mail", ...keys },
    nowhere,
  );
  await assert.rejects(bucket.get("x"), (err) => {
    assert.ok(err instanceof ObjectsError && err.cause instanceof Error);
    assert.ok(err.message.startsWith("s3.example:9000: "), err.message);
    return true;
  });
});
