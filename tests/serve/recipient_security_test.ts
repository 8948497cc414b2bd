/** What a writer is told of a recipient's domain. */
import assert from "node:assert/strict";
import { scriptedResolver } from "../../src/dns/mod.ts";
import { recipientSecurity } from "../../src/serve/sending/recipient_security.ts";
import { noPolicy, opportunistic } from "../../src/tlspolicy/opportunistic.ts";

const tlsa = { usage: 3, selector: 1, matchingType: 1, data: new Uint8Array(32) };
const sts = { TXT: ["v=STSv1; id=1"] };
const resolver = scriptedResolver({
  "dane.example": { MX: ["10 mx.dane.example"], authenticated: true },
  "_25._tcp.mx.dane.example": { TLSA: [tlsa], authenticated: true },
  "half.example": { MX: ["10 mx.dane.example", "20 mx2.half.example"], authenticated: true },
  "sts.example": { MX: ["10 mx.sts.example"] },
  "_mta-sts.sts.example": sts,
  "plain.example": { A: ["192.0.2.1"] },
  "bogus.example": { fail: "bogus" },
  "slow.example": { fail: "timeout" },
});
const of = async (domain: string, tlsPolicy = undefined as typeof opportunistic | undefined) => {
  const f = await recipientSecurity({ resolver, tlsPolicy }, domain);
  return [f.startTls, f.mtaSts, f.dane, f.dnssec].join(" ");
};

Deno.test("DANE, MTA-STS and DNSSEC of a domain are told apart", async () => {
  assert.equal(await of("dane.example"), "yes no yes yes");
  assert.equal(await of("half.example"), "unknown no no yes");
  assert.equal(await of("sts.example"), "yes yes no no");
  assert.equal(await of("plain.example"), "unknown no no no");
  assert.equal(await of("bogus.example"), "unknown no error error");
  assert.equal(await of("slow.example"), "unknown no unknown unknown");
  assert.equal(await of("a..b"), "unknown unknown unknown unknown");
});

Deno.test("a policy that is read counts by its mode, and one that can't be read is an error", async () => {
  const policy = (p: Partial<ReturnType<typeof noPolicy>>) => ({
    ...opportunistic,
    policyFor: (d: string) => Promise.resolve({ ...noPolicy(d), ...p }),
  });
  assert.equal(await of("sts.example", policy({ mode: "enforce" })), "yes yes no no");
  assert.equal(await of("sts.example", policy({ mode: "testing" })), "unknown no no no");
  const failure = {
    resultType: "sts-policy-fetch-error",
    reasonCode: "",
    information: "",
  } as const;
  assert.equal(await of("sts.example", policy({ failure })), "unknown error no no");
});
