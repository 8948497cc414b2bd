/**
 * DANE and MTA-STS from the DNS to the certificate: real policies over a scripted DNS and web, real TLS on
 * loopback.
 */
import assert from "node:assert/strict";
import { createHash, X509Certificate } from "node:crypto";
import type { ScriptedName, TlsaRecord, Zone } from "../../src/dns/mod.ts";
import { Log, setLevel } from "../../src/log/mod.ts";
import { Authorities, type KeyCert, selfSignedCertificate } from "../../src/net/mod.ts";
import { Policies } from "../../src/tlspolicy/policies.ts";
import type { TlsResult } from "../../src/tlspolicy/types.ts";
import { TestCa } from "../support/test_ca.ts";
import type { FakeOptions } from "../smtp/fake_host.ts";
import { World } from "./world.ts";

setLevel("mtasts", "error");

const ca = new TestCa();
const other = new TestCa("Another root");
const middle = new TestCa("In the middle", ca);
const impostor = new TestCa("leaf.example", ca, false);

const selfSigned = await selfSignedCertificate({ names: ["elsewhere.example"] });
const expired = await selfSignedCertificate({ names: ["mx.example"], days: -1 });
const good = ca.pair(["mx.example"], 90, ca);

/** A record for the (first) certificate of a PEM text. */
function tlsa(kind: string, pem: string): TlsaRecord {
  const [usage, selector, matchingType] = kind.split(" ").map(Number);
  const c = new X509Certificate(pem);
  const of = selector === 0
    ? new Uint8Array(c.raw)
    : new Uint8Array(c.publicKey.export({ type: "spki", format: "der" }));
  const hash = ["", "sha256", "sha512"][matchingType];
  const data = hash === "" || hash === undefined
    ? of
    : new Uint8Array(createHash(hash).update(of).digest());
  return { usage, selector, matchingType, data };
}

interface Case {
  name: string;
  certificate?: KeyCert;
  host?: FakeOptions;
  /** Of mx.example. */
  records?: TlsaRecord[];
  /** Added to or put in place of the usual zone. */
  zone?: Zone;
  /** Lines of an MTA-STS policy. */
  sts?: string;
  requireTls?: boolean;
  /** "tls" or "plain" for a delivery, else code and enhanced code. */
  goes: string;
  reported: string[];
  /** What was asked for by SNI, if it matters. */
  sni?: string;
}

const at: ScriptedName = { A: ["127.7.4.1"] };
const enforce = "mode: enforce\nmx: mx.example\nmax_age: 86400\n";
const testing = enforce.replace("enforce", "testing");

const cases: Case[] = [
  // Usage 3: neither names nor dates count, but the certificate or key does.
  {
    name: "3 1 1 of a certificate that has expired",
    certificate: expired,
    records: [tlsa("3 1 1", expired.cert)],
    goes: "tls",
    reported: ["tlsa"],
    sni: "mx.example",
  },
  {
    name: "3 0 2 of a certificate for another name",
    certificate: selfSigned,
    records: [tlsa("3 0 2", selfSigned.cert)],
    goes: "tls",
    reported: ["tlsa"],
  },
  {
    name: "3 1 1 of another key, though authorities trust the certificate",
    certificate: good,
    records: [tlsa("3 1 1", selfSigned.cert)],
    goes: "451 4.7.5",
    reported: ["tlsa validation-failure"],
  },
  {
    name: "old and new key during a change",
    certificate: selfSigned,
    records: [tlsa("3 1 1", expired.cert), tlsa("3 1 1", selfSigned.cert)],
    goes: "tls",
    reported: ["tlsa"],
  },
  {
    name: "SHA-256 right, SHA-512 of the same kind wrong: the stronger digest counts",
    certificate: selfSigned,
    records: [tlsa("3 1 1", selfSigned.cert), tlsa("3 1 2", expired.cert)],
    goes: "451 4.7.5",
    reported: ["tlsa validation-failure"],
  },
  {
    name: "no STARTTLS",
    records: [tlsa("3 1 1", selfSigned.cert)],
    goes: "451 4.7.4",
    reported: ["tlsa starttls-not-supported"],
  },
  // Usage 2: a chain to the authority, dates, and a name.
  {
    name: "2 0 1 of the authority that the server sends along",
    certificate: good,
    records: [tlsa("2 0 1", ca.root)],
    goes: "tls",
    reported: ["tlsa"],
  },
  {
    name: "2 0 0 of an authority that the server does not send",
    certificate: ca.pair(["mx.example"]),
    records: [tlsa("2 0 0", ca.root)],
    goes: "tls",
    reported: ["tlsa"],
  },
  {
    name: "2 1 0 of the key of an authority that the server does not send",
    certificate: ca.pair(["mx.example"]),
    records: [tlsa("2 1 0", ca.root)],
    goes: "tls",
    reported: ["tlsa"],
  },
  {
    name: "2 1 0 of another key",
    certificate: ca.pair(["mx.example"]),
    records: [tlsa("2 1 0", other.root)],
    goes: "451 4.7.5",
    reported: ["tlsa validation-failure"],
  },
  {
    name: "2 1 2 of the root above one in the middle",
    certificate: middle.pair(["mx.example"], 90, middle, ca),
    records: [tlsa("2 1 2", ca.root)],
    goes: "tls",
    reported: ["tlsa"],
  },
  {
    name: "2 0 1 of the one in the middle",
    certificate: middle.pair(["mx.example"], 90, middle),
    records: [tlsa("2 0 1", middle.root)],
    goes: "tls",
    reported: ["tlsa"],
  },
  {
    name: "2 0 1 and a certificate for the recipient domain",
    certificate: ca.pair(["to.example"], 90, ca),
    records: [tlsa("2 0 1", ca.root)],
    goes: "tls",
    reported: ["tlsa"],
  },
  {
    name: "2 0 1 and a certificate for another name",
    certificate: ca.pair(["other.test"], 90, ca),
    records: [tlsa("2 0 1", ca.root)],
    goes: "451 4.7.5",
    reported: ["tlsa certificate-host-mismatch"],
  },
  {
    name: "2 0 1 and a certificate that has expired",
    certificate: ca.pair(["mx.example"], -1, ca),
    records: [tlsa("2 0 1", ca.root)],
    goes: "451 4.7.5",
    reported: ["tlsa certificate-expired"],
  },
  {
    name: "2 0 1 and a certificate signed by one that may not sign",
    certificate: impostor.pair(["mx.example"], 90, impostor, ca),
    records: [tlsa("2 0 1", ca.root)],
    goes: "451 4.7.5",
    reported: ["tlsa validation-failure"],
  },
  {
    name: "one usage matches, the other does not",
    certificate: good,
    records: [tlsa("3 1 1", selfSigned.cert), tlsa("2 0 1", ca.root)],
    goes: "tls",
    reported: ["tlsa"],
  },
  // Records that can't be used: TLS, with any certificate.
  {
    name: "usages 0 and 1",
    certificate: selfSigned,
    records: [tlsa("0 0 1", other.root), tlsa("1 1 1", other.root)],
    goes: "tls",
    reported: ["tlsa"],
  },
  {
    name: "usages 0 and 1, no STARTTLS",
    records: [tlsa("0 0 1", other.root), tlsa("1 1 1", other.root)],
    goes: "451 4.7.4",
    reported: ["tlsa starttls-not-supported"],
  },
  // What the DNS does not vouch for.
  {
    name: "MX records without DNSSEC",
    certificate: selfSigned,
    records: [tlsa("3 1 1", expired.cert)],
    zone: { "to.example": { MX: ["10 mx.example"], authenticated: false } },
    goes: "tls",
    reported: ["no-policy-found"],
  },
  {
    name: "addresses without DNSSEC",
    certificate: selfSigned,
    records: [tlsa("3 1 1", expired.cert)],
    zone: { "mx.example": { ...at, authenticated: false } },
    goes: "tls",
    reported: ["no-policy-found"],
  },
  {
    name: "TLSA records without DNSSEC",
    certificate: selfSigned,
    zone: {
      "_PORT._tcp.mx.example": { TLSA: [tlsa("3 1 1", expired.cert)], authenticated: false },
    },
    goes: "tls",
    reported: ["no-policy-found"],
  },
  {
    name: "AAAA can't be looked up: DANE all the same",
    certificate: selfSigned,
    records: [tlsa("3 1 1", expired.cert)],
    zone: { "mx.example": { ...at, fail: { AAAA: "servfail" } } },
    goes: "451 4.7.5",
    reported: ["tlsa validation-failure"],
  },
  {
    name: "TLSA lookup fails",
    certificate: good,
    zone: { "_PORT._tcp.mx.example": { fail: "servfail" } },
    goes: "451 4.7.5",
    reported: ["tlsa dnssec-invalid"],
  },
  {
    name: "TLSA answer is bogus",
    certificate: good,
    zone: { "_PORT._tcp.mx.example": { fail: "bogus" } },
    goes: "451 4.7.5",
    reported: ["tlsa dnssec-invalid"],
  },
  // Names behind aliases.
  {
    name: "alias, records at its target",
    certificate: ca.pair(["real.example"], 90, ca),
    zone: {
      "mx.example": { CNAME: "real.example" },
      "real.example": at,
      "_PORT._tcp.real.example": { TLSA: [tlsa("2 0 1", ca.root)] },
      "_PORT._tcp.mx.example": { TLSA: [tlsa("3 1 1", expired.cert)] },
    },
    goes: "tls",
    reported: ["tlsa"],
    sni: "real.example",
  },
  {
    name: "alias, records only at itself",
    certificate: selfSigned,
    records: [tlsa("3 1 1", selfSigned.cert)],
    zone: { "mx.example": { CNAME: "real.example" }, "real.example": at },
    goes: "tls",
    reported: ["tlsa"],
    sni: "mx.example",
  },
  {
    name: "alias into a zone without DNSSEC, records at itself",
    certificate: selfSigned,
    records: [tlsa("3 1 1", expired.cert)],
    zone: {
      "mx.example": { CNAME: "real.example" },
      "real.example": { ...at, authenticated: false },
      "_PORT._tcp.real.example": { TLSA: [tlsa("3 1 1", selfSigned.cert)] },
    },
    goes: "451 4.7.5",
    reported: ["tlsa validation-failure"],
  },
  {
    name: "TLSA records behind an alias",
    certificate: selfSigned,
    zone: {
      "_PORT._tcp.mx.example": { CNAME: "_dane.example" },
      "_dane.example": { TLSA: [tlsa("3 1 1", selfSigned.cert)] },
    },
    goes: "tls",
    reported: ["tlsa"],
    sni: "mx.example",
  },
  {
    name: "recipient domain is an alias: certificates may name where it leads",
    certificate: ca.pair(["mail.example"], 90, ca),
    records: [tlsa("2 0 1", ca.root)],
    zone: { "to.example": { CNAME: "mail.example" }, "mail.example": { MX: ["10 mx.example"] } },
    goes: "tls",
    reported: ["tlsa"],
  },
  {
    name: "no MX records: the domain's own",
    certificate: selfSigned,
    zone: {
      "to.example": at,
      "_PORT._tcp.to.example": { TLSA: [tlsa("3 1 1", expired.cert)] },
    },
    goes: "451 4.7.5",
    reported: ["tlsa validation-failure"],
  },
  // MTA-STS.
  { name: "enforced", certificate: good, sts: enforce, goes: "tls", reported: ["sts"] },
  {
    name: "enforced, certificate has expired",
    certificate: ca.pair(["mx.example"], -1),
    sts: enforce,
    goes: "451 4.7.5",
    reported: ["sts certificate-expired"],
  },
  {
    name: "enforced, certificate for another name",
    certificate: ca.pair(["to.example"]),
    sts: enforce,
    goes: "451 4.7.5",
    reported: ["sts certificate-host-mismatch"],
  },
  {
    name: "enforced, unknown authority",
    certificate: other.pair(["mx.example"]),
    sts: enforce,
    goes: "451 4.7.5",
    reported: ["sts certificate-not-trusted"],
  },
  {
    name: "enforced, another host in MX",
    certificate: good,
    sts: enforce.replace("mx.example", "*.mx.example"),
    goes: "451 4.7.5",
    reported: ["sts validation-failure"],
  },
  {
    name: "testing, another host in MX: one session, one result",
    certificate: good,
    sts: testing.replace("mx.example", "real.example"),
    goes: "tls",
    reported: ["sts validation-failure"],
  },
  {
    name: "testing, certificate for another name",
    certificate: ca.pair(["to.example"]),
    sts: testing,
    goes: "tls",
    reported: ["sts certificate-host-mismatch"],
  },
  {
    name: "mode none",
    certificate: selfSigned,
    sts: "mode: none\nmax_age: 86400\n",
    goes: "tls",
    reported: ["no-policy-found"],
  },
  // Both.
  {
    name: "DANE right, authorities don't know it",
    certificate: selfSigned,
    records: [tlsa("3 1 1", selfSigned.cert)],
    sts: enforce,
    goes: "tls",
    reported: ["tlsa", "sts certificate-not-trusted"],
  },
  {
    name: "DANE wrong, authorities know it: MTA-STS must not override",
    certificate: good,
    records: [tlsa("3 1 1", selfSigned.cert)],
    sts: enforce,
    goes: "451 4.7.5",
    reported: ["tlsa validation-failure"],
  },
  {
    name: "both right",
    certificate: good,
    records: [tlsa("2 0 1", ca.root)],
    sts: testing,
    goes: "tls",
    reported: ["tlsa", "sts"],
  },
  // REQUIRETLS.
  {
    name: "REQUIRETLS, testing, another host in MX: nobody vouches for it",
    certificate: good,
    host: { extensions: ["REQUIRETLS"] },
    sts: testing.replace("mx.example", "real.example"),
    zone: { "to.example": { MX: ["10 mx.example"], authenticated: false } },
    requireTls: true,
    goes: "550 5.7.30",
    reported: [],
  },
  {
    name: "REQUIRETLS, by MTA-STS",
    certificate: good,
    host: { extensions: ["REQUIRETLS"] },
    sts: testing,
    zone: { "to.example": { MX: ["10 mx.example"], authenticated: false } },
    requireTls: true,
    goes: "tls",
    reported: ["sts"],
  },
  {
    name: "REQUIRETLS, by DANE",
    certificate: selfSigned,
    host: { extensions: ["REQUIRETLS"] },
    records: [tlsa("3 1 1", selfSigned.cert)],
    requireTls: true,
    goes: "tls",
    reported: ["tlsa"],
  },
];

for (const c of cases) {
  Deno.test(`${c.name}: ${c.goes}`, async () => {
    const results: TlsResult[] = [];
    const options = {
      zone: { "to.example": { MX: ["10 mx.example"] }, "mx.example": at },
      authenticated: true,
      deliverer: { authorities: Authorities.of(ca.root) } as Record<string, unknown>,
    };
    await using world = await World.make(options);
    const host = await world.host("127.7.4.1", { certificate: c.certificate, ...c.host });
    // TLSA records stand at the port, which the system has chosen.
    const zone = Object.entries(c.zone ?? {}).map(([name, entry]) => [
      name.replace("PORT", String(world.port)),
      entry,
    ]);
    world.resolver.add({
      ...(c.records ? { [`_${world.port}._tcp.mx.example`]: { TLSA: c.records } } : {}),
      ...(c.sts ? { "_mta-sts.to.example": { TXT: ["v=STSv1; id=1"] } } : {}),
      ...Object.fromEntries(zone),
    });
    const policies = await Policies.open({
      dataDir: world.dir,
      resolver: world.resolver,
      log: new Log("mtasts"),
      fetch: () =>
        Promise.resolve(
          new Response(`version: STSv1\n${c.sts}`, { headers: { "Content-Type": "text/plain" } }),
        ),
      onResult: (r) => results.push(r),
    });
    options.deliverer.tlsPolicy = policies;
    try {
      await world.open();
      await world.send(["a@to.example"], { requireTls: c.requireTls });
      await world.queue.start();
      await world.queue.idle();
      const [mail] = host.mails;
      const failure = world.queue.list()[0]?.results[0];
      const goes = mail
        ? (mail.tls ? "tls" : "plain")
        : failure
        ? `${failure.code} ${failure.enhanced}`
        : world.bounced("a@to.example")[0];
      assert.equal(goes, c.goes, failure?.text);
      const reported = results.map((r) => r.outcomes).flat().map((o) =>
        o.failure ? `${o.policyType} ${o.failure.resultType}` : o.policyType
      );
      assert.deepEqual(reported, c.reported);
      if (c.sni !== undefined) assert.equal(mail.serverName, c.sni);
    } finally {
      await policies.close();
    }
  });
}
