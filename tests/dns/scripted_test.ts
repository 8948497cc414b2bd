import assert from "node:assert/strict";
import { DnsError, lookupNames, scriptedResolver } from "../../src/dns/mod.ts";

Deno.test("a scripted zone answers, denies, fails and follows CNAMEs", async () => {
  const r = scriptedResolver({
    "www.example.com": { CNAME: "web.example.com" },
    "web.example.com": { A: ["192.0.2.1"], authenticated: false },
    "loop.example.com": { CNAME: "loop.example.com" },
    "slow.example.com": { A: ["192.0.2.2"], delayMs: 5 },
    "bad.example.com": { A: ["192.0.2.2"], fail: { TXT: "servfail" } },
    "1.2.0.192.in-addr.arpa": { PTR: ["Web.example.com."] },
  }, { authenticated: true });
  const answer = await r.lookup("WWW.example.com.", "A");
  assert.deepEqual(answer.records, ["192.0.2.1"]);
  assert.deepEqual(answer.cnames, ["web.example.com"]);
  assert.equal(answer.authenticated, false);
  assert.equal((await r.lookup("slow.example.com", "A")).authenticated, true);
  assert.deepEqual(await lookupNames(r, "192.0.2.1"), {
    names: ["web.example.com"],
    authenticated: true,
  });
  const kinds: [string, "A" | "TXT", string][] = [
    ["example.com", "A", "nodata"],
    ["none.example.com", "A", "nxdomain"],
    ["web.example.com", "TXT", "nodata"],
    ["loop.example.com", "A", "malformed"],
    ["bad.example.com", "TXT", "servfail"],
    ["a..b", "A", "badname"],
  ];
  for (const [name, type, kind] of kinds) {
    await assert.rejects(
      r.lookup(name, type),
      (err) => err instanceof DnsError && err.kind === kind,
      name,
    );
  }
  assert.equal(r.queries[0], "A www.example.com");
});
