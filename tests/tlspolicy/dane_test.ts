/** DANE: which records count, and certificates against them. */
import assert from "node:assert/strict";
import { createHash, X509Certificate } from "node:crypto";
import { fc } from "../support/fast_check.ts";
import { selfSignedCertificate } from "../../src/net/mod.ts";
import { scriptedResolver, type TlsaRecord } from "../../src/dns/mod.ts";
import { danePolicy, tlsaText, usable, verifyChain } from "../../src/tlspolicy/mod.ts";

const selfSigned = async () =>
  new X509Certificate(
    (await selfSignedCertificate({ names: ["mail.example.com"], days: 30, authority: true })).cert,
  );
const made = await selfSigned();
const other = await selfSigned();
const der = (c: X509Certificate) => new Uint8Array(c.raw);
const spki = (c: X509Certificate) =>
  new Uint8Array(c.publicKey.export({ type: "spki", format: "der" }));

/** A record for a certificate. */
function tlsa(usage: number, selector: number, matchingType: number, c = made): TlsaRecord {
  const of = selector === 0 ? der(c) : spki(c);
  const hash = matchingType === 1 ? "sha256" : "sha512";
  const data = matchingType === 0 ? of : new Uint8Array(createHash(hash).update(of).digest());
  return { usage, selector, matchingType, data };
}

const names = ["mail.example.com"];

Deno.test("every selector and matching type of usage 3 finds its certificate and no other", () => {
  for (const selector of [0, 1]) {
    for (const matchingType of [0, 1, 2]) {
      const r = tlsa(3, selector, matchingType);
      assert.ok(usable(r));
      assert.equal(verifyChain([r], [der(made)], names), undefined, tlsaText(r));
      assert.equal(verifyChain([r], [der(other)], names)?.resultType, "validation-failure");
    }
  }
});

Deno.test("with usage 3 names and dates don't count; with usage 2 they do", () => {
  const year = Date.now() + 365 * 86_400_000;
  assert.equal(verifyChain([tlsa(3, 1, 1)], [der(made)], ["other.example"], year), undefined);
  assert.equal(verifyChain([tlsa(2, 0, 1)], [der(made)], names), undefined);
  assert.equal(
    verifyChain([tlsa(2, 0, 1)], [der(made)], ["other.example"])?.resultType,
    "certificate-host-mismatch",
  );
  assert.equal(
    verifyChain([tlsa(2, 0, 1)], [der(made)], names, year)?.resultType,
    "certificate-expired",
  );
  assert.equal(
    verifyChain([tlsa(2, 0, 1, other)], [der(made), der(other)], names)?.resultType,
    "validation-failure",
  );
});

Deno.test("one record that matches is enough; no certificate never is", () => {
  assert.equal(verifyChain([tlsa(3, 1, 1, other), tlsa(3, 1, 1)], [der(made)], names), undefined);
  assert.equal(verifyChain([tlsa(3, 1, 1)], [], names)?.resultType, "validation-failure");
});

Deno.test("any bytes as a certificate are refused without an error", () => {
  fc.assert(fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 4 }), (chain) => {
    assert.ok(verifyChain([tlsa(3, 1, 1), tlsa(2, 0, 0)], chain, names) !== undefined);
  }));
});

const signal = new AbortController().signal;
const host = "mail.example.com";
const mx = { host, port: 25, names: [host], domains: [] };

Deno.test("records count only if both the host and they were authenticated", async () => {
  const zone = { "_25._tcp.mail.example.com": { TLSA: [tlsa(3, 1, 1)] } };
  const secure = scriptedResolver(zone, { authenticated: true });
  const p = await danePolicy(secure, mx, signal);
  assert.equal(p.kind, "verify");
  assert.ok(p.kind === "verify" && p.serverName === "mail.example.com");
  assert.equal((await danePolicy(secure, { ...mx, names: [] }, signal)).kind, "none");
  assert.equal((await danePolicy(scriptedResolver(zone), mx, signal)).kind, "none");
  assert.equal(
    (await danePolicy(scriptedResolver({}, { authenticated: true }), mx, signal)).kind,
    "none",
  );
});

Deno.test("a lookup that fails delays the delivery: an attacker must not get plain text by it", async () => {
  const failing = scriptedResolver(
    { "_25._tcp.mail.example.com": { fail: "servfail" } },
    { authenticated: true },
  );
  const p = await danePolicy(failing, mx, signal);
  assert.equal(p.kind, "unavailable");
});

Deno.test("records that can't be used demand TLS with any certificate", async () => {
  const odd = [tlsa(0, 0, 1), tlsa(1, 1, 1), { ...tlsa(3, 1, 1), matchingType: 9 }, {
    ...tlsa(3, 1, 1),
    data: new Uint8Array(5),
  }];
  const resolver = scriptedResolver(
    { "_25._tcp.mail.example.com": { TLSA: odd } },
    { authenticated: true },
  );
  assert.equal((await danePolicy(resolver, mx, signal)).kind, "encrypt");
});

Deno.test("RFC 7672 §2.2.3: where a CNAME leads to comes first, then the host itself", async () => {
  const resolver = scriptedResolver({
    "_25._tcp.mail.example.com": { TLSA: [tlsa(3, 1, 1)] },
    "_25._tcp.real.example.net": { TLSA: [tlsa(3, 0, 1)] },
  }, { authenticated: true });
  const first = await danePolicy(resolver, { ...mx, names: ["real.example.net", host] }, signal);
  assert.ok(first.kind === "verify" && first.serverName === "real.example.net");
  const second = await danePolicy(resolver, { ...mx, names: ["none.example.net", host] }, signal);
  assert.ok(second.kind === "verify" && second.serverName === "mail.example.com");
});
