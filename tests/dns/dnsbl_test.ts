import assert from "node:assert/strict";
import { dnsblChecker, scriptedResolver } from "../../src/dns/mod.ts";

const zone = {
  "2.0.0.127.bl.example": { A: ["127.0.0.2"], TXT: ["test entry"] },
  "7.2.0.192.bl.example": { A: ["127.0.0.4", "127.0.0.11"], TXT: ["open relay"] },
  "8.2.0.192.bl.example": { A: ["127.0.0.4"] },
  "9.2.0.192.bl.example": { fail: "servfail" as const },
  "7.2.0.192.refused.example": { A: ["127.255.255.254"] },
  "7.2.0.192.parked.example": { A: ["198.51.100.1"] },
  "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.bl.example": {
    A: ["127.0.0.2"],
  },
};

Deno.test("an address is listed, not listed, or the list can't tell", async () => {
  const c = dnsblChecker(scriptedResolver(zone));
  assert.deepEqual(await c.check("bl.example", "192.0.2.7"), {
    zone: "bl.example",
    status: "fail",
    explanation: "open relay",
    codes: ["127.0.0.4", "127.0.0.11"],
  });
  assert.equal((await c.check("bl.example", "192.0.2.8")).status, "fail");
  assert.equal((await c.check("bl.example", "2001:db8::1")).status, "fail");
  assert.equal((await c.check("bl.example", "192.0.2.1")).status, "pass");
  assert.equal((await c.check("bl.example", "192.0.2.9")).status, "temperror");
  assert.equal((await c.check("refused.example", "192.0.2.7")).status, "temperror");
  assert.equal((await c.check("parked.example", "192.0.2.7")).status, "temperror");
  assert.equal((await c.check("bl.example", "nonsense")).status, "temperror");
});

Deno.test("outcomes are kept for a while, failures for less", async () => {
  let now = 0;
  const r = scriptedResolver(zone);
  const c = dnsblChecker(r, () => now);
  for (let i = 0; i < 3; i++) {
    await c.check("bl.example", "192.0.2.1");
    await c.check("bl.example", "192.0.2.9");
  }
  assert.equal(r.queries.length, 2);
  now += 31_000;
  await c.check("bl.example", "192.0.2.1");
  await c.check("bl.example", "192.0.2.9");
  assert.equal(r.queries.length, 3);
  now += 5 * 60_000;
  await c.check("bl.example", "192.0.2.1");
  assert.equal(r.queries.length, 4);
});

Deno.test("a list is healthy if it has 127.0.0.2 and not 127.0.0.1", async () => {
  const c = dnsblChecker(scriptedResolver({
    ...zone,
    "2.0.0.127.all.example": { A: ["127.0.0.2"] },
    "1.0.0.127.all.example": { A: ["127.0.0.2"] },
    "2.0.0.127.down.example": { fail: "timeout" },
  }));
  assert.equal(await c.health("bl.example"), undefined);
  assert.match((await c.health("gone.example"))!, /does not have its test entry/);
  assert.match((await c.health("all.example"))!, /has 127\.0\.0\.1/);
  assert.match((await c.health("down.example"))!, /timeout/);
});

Deno.test("a list of domains: entries, and whether it works by TEST and INVALID", async () => {
  const c = dnsblChecker(scriptedResolver({
    "test.dbl.example": { A: ["127.0.1.2"] },
    "evil.test.dbl.example": { A: ["127.0.1.4"], TXT: ["phish"] },
    "test.all.example": { A: ["127.0.1.2"] },
    "invalid.all.example": { A: ["127.0.1.2"] },
  }));
  assert.equal(await c.domainHealth("dbl.example"), undefined);
  assert.match((await c.domainHealth("all.example"))!, /has invalid, which it must not/);
  assert.match((await c.domainHealth("gone.example"))!, /does not have its test entry test/);
  assert.equal((await c.checkDomain("dbl.example", "evil.test")).status, "fail");
  assert.equal((await c.checkDomain("dbl.example", "good.test")).status, "pass");
});
