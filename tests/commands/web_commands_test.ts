/** `mox rdap domainage` and `mox webapi`, each as a process of its own. */
import assert from "node:assert/strict";
import { mox, startLocalserve } from "../support/localserve.ts";

/** A registry: its table and its answers, by path. */
function registry(answers: (base: string) => Record<string, unknown>) {
  const server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (req) => {
    const { pathname, origin } = new URL(req.url);
    const answer = answers(origin)[pathname];
    return answer === undefined
      ? new Response("no", { status: 404 })
      : new Response(typeof answer === "string" ? answer : JSON.stringify(answer));
  });
  const base = `http://127.0.0.1:${(server.addr as Deno.NetAddr).port}`;
  return { base, [Symbol.asyncDispose]: () => server.shutdown() };
}

Deno.test("rdap domainage: of the registered domain, by the registry of the longest ending", async () => {
  await using r = registry((base) => ({
    "/dns.json": {
      services: [
        [["uk"], [`${base}/uk`]],
        [["test", "co.uk"], ["ftp://x", `${base}/rdap/`]],
        "odd",
      ],
    },
    "/rdap/domain/shop.co.uk": {
      events: [null, { eventAction: "expiration", eventDate: "2030-01-01T00:00:00Z" }, {
        eventAction: "registration",
        eventDate: "2001-02-03T04:05:06Z",
      }],
    },
    "/rdap/domain/new.test": { events: [] },
    "/rdap/domain/odd.test": "not JSON",
  }));
  const age = (...args: string[]) =>
    mox(["rdap", "domainage", "-bootstrap", `${r.base}/dns.json`, ...args]);
  const found = await age("www.shop.co.uk");
  assert.match(
    found.stdout,
    /^shop\.co\.uk: registered 2001-02-03, \d{4,5} days ago\n$/,
    found.stderr,
  );
  for (
    const [domain, code, text] of [
      ["new.test", 1, /does not say when it was registered/],
      ["odd.test", 1, /does not answer with JSON/],
      ["gone.test", 1, /answers with 404/],
      ["x.example", 1, /the registry of \.example has no RDAP server/],
      ["a b", 2, /not a domain: a b/],
    ] as const
  ) {
    const failed = await age(domain);
    assert.deepEqual([failed.code, text.test(failed.stderr)], [code, true], failed.stderr);
  }
});

Deno.test("webapi: lists the methods, describes one, and calls it", async () => {
  const list = await mox(["webapi"]);
  assert.match(list.stdout, /^Send: /m, list.stderr);
  const one = await mox(["webapi", "MessageGet"]);
  assert.match(one.stdout, /^request: \{$/m);
  assert.match(one.stdout, /"MsgID"/);
  assert.equal((await mox(["webapi", "Nothing"])).code, 2);
  const s = await startLocalserve();
  try {
    const host = `127.0.0.1:${s.http}/webapi/v0/`;
    const base = `http://mox%40localhost:moxmoxmox@${host}`;
    const called = await mox(["webapi", "MessageGet", base], '{"MsgID": 12345}');
    assert.equal(called.code, 1, called.stdout);
    assert.match(called.stdout, /"Code":\s*"messageNotFound"/);
    assert.match(called.stderr, /the server answers with 400/);
    const sent = await mox(
      ["webapi", "Send", base],
      '{"To": [{"Address": "mox@localhost"}], "Subject": "from a shell", "Text": "hi"}',
    );
    assert.equal(sent.code, 0, sent.stderr);
    assert.match(sent.stdout, /"MessageID":/);
    const wrong = await mox(["webapi", "Send", `http://${host}`], "{}");
    assert.match(wrong.stderr, /the server answers with 401/);
  } finally {
    await s.close();
  }
});
