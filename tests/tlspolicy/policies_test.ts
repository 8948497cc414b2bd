/** MTA-STS: records, policies, the cache; over a scripted resolver and a scripted web. */
import assert from "node:assert/strict";
import { fc } from "../support/fast_check.ts";
import { scriptedResolver } from "../../src/dns/mod.ts";
import { Log, setLevel } from "../../src/log/mod.ts";
import {
  type Fetch,
  matchesPattern,
  parsePolicy,
  Policies,
  recordId,
  StsError,
} from "../../src/tlspolicy/mod.ts";

setLevel("mtasts", "error");

const policyText =
  "version: STSv1\r\nmode: enforce\r\nmx: mail.example.com\r\nmx: *.example.net\r\nmax_age: 604800\r\n";

Deno.test("RFC 8461 §3.2: the example's policy", () => {
  const p = parsePolicy(policyText);
  assert.equal(p.mode, "enforce");
  assert.equal(p.maxAge, 604_800);
  assert.deepEqual(p.mx, ["mail.example.com", "*.example.net"]);
  assert.deepEqual(p.lines, policyText.trimEnd().split("\r\n"));
});

Deno.test("policies that are none are refused, and say why", () => {
  const wrong: [string, RegExp][] = [
    ["", /empty/],
    ["mode: none\nmax_age: 1\n", /no version/],
    ["version: STSv2\nmode: none\nmax_age: 1\n", /no version/],
    ["version: STSv1\nmode: maybe\nmax_age: 1\nmx: a\n", /mode/],
    ["version: STSv1\nmode: enforce\nmx: a.example\n", /max_age/],
    ["version: STSv1\nmode: enforce\nmax_age: -1\nmx: a.example\n", /max_age/],
    ["version: STSv1\nmode: enforce\nmax_age: 86400\n", /no host/],
    ["version: STSv1\nmode: enforce\nmax_age: 86400\nmx: a b\n", /line 4/],
    ["version: STSv1\nnonsense\n", /line 2/],
  ];
  for (const [text, why] of wrong) assert.throws(() => parsePolicy(text), why);
  assert.equal(parsePolicy("version: STSv1\nmode: none\nmax_age: 0\n").mode, "none");
  assert.equal(parsePolicy(`version: STSv1\nmode: none\nmax_age: 9999999999\n`).maxAge, 31_557_600);
  assert.equal(parsePolicy("max_age: 1\nmode: none\nversion: STSv1").mode, "none");
  const twice = "version: STSv1\nmode: testing\nmode: enforce\nmax_age: 1\nmx: a.example\nnew: x\n";
  assert.equal(parsePolicy(twice).mode, "testing");
});

Deno.test("any text is a policy or an StsError", () => {
  fc.assert(fc.property(fc.string({ maxLength: 500 }), fc.boolean(), (text, prefix) => {
    try {
      const p = parsePolicy(prefix ? `version: STSv1\n${text}` : text);
      assert.ok(p.maxAge >= 0);
    } catch (err) {
      assert.ok(err instanceof StsError);
    }
  }));
});

Deno.test("records: one of ours with an id", () => {
  assert.equal(recordId(["v=spf1 -all", "v=STSv1; id=20260101T000000;"]), "20260101T000000");
  assert.equal(recordId(["v=STSv1;id=1; other=x"]), "1");
  assert.equal(recordId(["v=STSv10; id=1"]), undefined);
  assert.equal(recordId([]), undefined);
  for (const wrong of [["v=STSv1;"], ["v=STSv1; id=a-b;"], ["v=STSv1; id=1", "v=STSv1; id=2"]]) {
    assert.throws(() => recordId(wrong), StsError);
  }
});

Deno.test("a star stands for one label", () => {
  assert.ok(matchesPattern("*.example.net", "mx1.example.net"));
  assert.ok(!matchesPattern("*.example.net", "example.net"));
  assert.ok(!matchesPattern("*.example.net", "a.b.example.net"));
  assert.ok(!matchesPattern("mail.example.com", "mail.example.com.evil.example"));
});

interface World {
  policies: Policies;
  clock: { now: number };
  web: { text: string; status: number; type: string; asked: string[]; fail?: Error };
  dns: ReturnType<typeof scriptedResolver>;
  ask(domain?: string): ReturnType<Policies["policyFor"]>;
  reopen(): Promise<void>;
}

async function withPolicies(fn: (w: World) => Promise<void>): Promise<void> {
  const dir = await Deno.makeTempDir();
  const clock = { now: Date.UTC(2026, 0, 1) };
  const web: World["web"] = { text: policyText, status: 200, type: "text/plain", asked: [] };
  const dns = scriptedResolver({ "_mta-sts.example.com": { TXT: ["v=STSv1; id=1;"] } });
  const fetch: Fetch = (url, init) => {
    web.asked.push(url);
    assert.equal(init.redirect, "manual");
    if (web.fail) return Promise.reject(web.fail);
    return Promise.resolve(
      new Response(web.text, { status: web.status, headers: { "Content-Type": web.type } }),
    );
  };
  const open = () =>
    Policies.open({
      dataDir: dir,
      resolver: dns,
      log: new Log("mtasts"),
      fetch,
      now: () => clock.now,
    });
  const w: World = {
    policies: await open(),
    clock,
    web,
    dns,
    ask: (domain = "example.com") => w.policies.policyFor(domain, new AbortController().signal),
    async reopen() {
      await w.policies.close();
      w.policies = await open();
    },
  };
  try {
    await fn(w);
  } finally {
    await w.policies.close();
    await Deno.remove(dir, { recursive: true });
  }
}

const day = 86_400_000;

Deno.test("a policy is fetched once, and kept over a restart", async () => {
  await withPolicies(async (w) => {
    const both = await Promise.all([w.ask(), w.ask()]);
    assert.deepEqual(both.map((p) => p.mode), ["enforce", "enforce"]);
    assert.ok(both[0].matches("mail.example.com") && both[0].matches("a.example.net"));
    assert.ok(!both[0].matches("other.example"));
    await w.reopen();
    assert.equal((await w.ask()).mode, "enforce");
    assert.deepEqual(w.web.asked, ["https://mta-sts.example.com/.well-known/mta-sts.txt"]);
    assert.equal((await w.ask("none.example")).mode, "none");
    assert.equal(w.web.asked.length, 1);
  });
});

Deno.test("a new id fetches the policy anew; past half of its age it is, apart from deliveries", async () => {
  await withPolicies(async (w) => {
    await w.ask();
    w.web.text = policyText.replace("enforce", "testing");
    assert.equal((await w.ask()).mode, "enforce");
    w.dns.add({ "_mta-sts.example.com": { TXT: ["v=STSv1; id=2;"] } });
    assert.equal((await w.ask()).mode, "testing");
    w.clock.now += 4 * day;
    w.web.text = policyText;
    assert.equal((await w.ask()).mode, "testing");
    assert.deepEqual(await w.policies.refresh(), ["example.com"]);
    assert.deepEqual(await w.policies.refresh(), []);
    assert.equal((await w.ask()).mode, "enforce");
    assert.equal(w.web.asked.length, 3);
  });
});

Deno.test("a policy lives on by refreshing alone, as long as somebody writes there now and then", async () => {
  await withPolicies(async (w) => {
    await w.ask();
    for (let i = 0; i < 22; i++) {
      w.clock.now += 4 * day;
      // For a while neither record nor server can be had.
      if (i === 5) w.dns.add({ "_mta-sts.example.com": { fail: "servfail" } });
      assert.deepEqual(await w.policies.refresh(), ["example.com"]);
      if (i === 5) {
        w.dns.add({ "_mta-sts.example.com": { TXT: ["v=STSv1; id=1;"] } });
        await w.policies.refresh();
      }
    }
    assert.equal(w.policies.remembered().length, 1);
    w.clock.now += 4 * day;
    assert.deepEqual(await w.policies.refresh(), [], "unused for 90 days");
    w.clock.now += 4 * day;
    assert.deepEqual(w.policies.remembered(), []);
  });
});

Deno.test("what is cached holds while record, web server or DNS are gone, until it expires", async () => {
  await withPolicies(async (w) => {
    await w.ask();
    w.web.fail = new TypeError("connection refused");
    w.dns.add({ "_mta-sts.example.com": { TXT: ["v=STSv1; id=3;"] } });
    const old = await w.ask();
    assert.equal(old.mode, "enforce");
    assert.equal(old.failure?.resultType, "sts-policy-fetch-error");
    w.dns.add({ "_mta-sts.example.com": { fail: "servfail" } });
    assert.equal((await w.ask()).mode, "enforce");
    w.dns.add({ "_mta-sts.example.com": { TXT: [] } });
    assert.equal((await w.ask()).mode, "enforce");
    w.clock.now += 8 * day;
    assert.equal((await w.ask()).mode, "none");
  });
});

Deno.test("a policy that can't be had, redirects, or is of another kind: none, and the reason", async () => {
  const faults: [(w: World) => void, string][] = [
    [(w) => w.web.fail = new TypeError("connection refused"), "sts-policy-fetch-error"],
    [
      (w) => w.web.fail = Object.assign(new Error("expired"), { code: "CERT_HAS_EXPIRED" }),
      "sts-webpki-invalid",
    ],
    [(w) => w.web.status = 301, "sts-policy-fetch-error"],
    [(w) => w.web.status = 404, "sts-policy-fetch-error"],
    [(w) => w.web.type = "text/html", "sts-policy-invalid"],
    [(w) => w.web.text = "<html>", "sts-policy-invalid"],
    [(w) => w.web.text = policyText + "x: y\n".repeat(20_000), "sts-policy-invalid"],
  ];
  for (const [plant, reason] of faults) {
    await withPolicies(async (w) => {
      plant(w);
      const p = await w.ask();
      assert.equal(p.mode, "none");
      assert.equal(p.failure?.resultType, reason);
      // It is not asked for again at once.
      await w.ask();
      assert.equal(w.web.asked.length, 1);
      w.clock.now += 6 * 60_000;
      w.web = Object.assign(w.web, {
        text: policyText,
        status: 200,
        type: "text/plain",
        fail: undefined,
      });
      assert.equal((await w.ask()).mode, "enforce");
    });
  }
});

Deno.test("who gives up waiting gets no policy", async () => {
  await withPolicies(async (w) => {
    w.dns.add({ "_mta-sts.slow.example": { TXT: ["v=STSv1; id=1"], delayMs: 60_000 } });
    const stop = new AbortController();
    const asked = w.policies.policyFor("slow.example", stop.signal);
    stop.abort();
    assert.equal((await asked).mode, "none");
  });
});
