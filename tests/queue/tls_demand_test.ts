/** What TLS is demanded of a host by policies, DANE and the message, and what is reported of it. */
import assert from "node:assert/strict";
import { Authorities, type KeyCert, selfSignedCertificate } from "../../src/net/mod.ts";
import { noPolicy } from "../../src/tlspolicy/opportunistic.ts";
import type { DanePolicy, DomainPolicy, TlsPolicy, TlsResult } from "../../src/tlspolicy/types.ts";
import type { FakeOptions } from "../smtp/fake_host.ts";
import { World } from "./world.ts";

const untrusted = await selfSignedCertificate({ names: ["elsewhere.example"] });
const trusted = await selfSignedCertificate({ names: ["mx.example"] });

interface TlsCase {
  name: string;
  certificate?: KeyCert;
  mode?: DomainPolicy["mode"];
  matches?: boolean;
  dane?: DanePolicy;
  requireTls?: boolean;
  tlsOptional?: boolean;
  host?: FakeOptions;
  authenticated?: boolean;
  /** "tls", "plain", or the failure of the first attempt. */
  goes: string;
  /** Results that are reported, as type:result. */
  reported: string[];
}

const good = new Uint8Array(0);
const detail = {
  resultType: "validation-failure",
  reasonCode: "",
  information: "no match",
} as const;
const dane = (right: boolean): DanePolicy => ({
  kind: "verify",
  serverName: "mx.example",
  policyString: ["3 1 1 ab"],
  verify: (chain) => right && chain.length > 0 && chain[0] !== good ? undefined : detail,
});

const tlsCases: TlsCase[] = [
  { name: "no policy, trusted", certificate: trusted, goes: "tls", reported: ["ok"] },
  { name: "no policy, untrusted", certificate: untrusted, goes: "tls", reported: ["ok"] },
  {
    name: "no policy, no TLS",
    goes: "plain",
    reported: ["no-policy-found:starttls-not-supported"],
  },
  {
    name: "no policy, TLS fails",
    certificate: untrusted,
    host: { starttls: () => "454 4.7.0 not now" },
    goes: "plain",
    reported: ["no-policy-found:validation-failure"],
  },
  {
    name: "enforced, trusted",
    certificate: trusted,
    mode: "enforce",
    goes: "tls",
    reported: ["ok"],
  },
  {
    name: "enforced, untrusted",
    certificate: untrusted,
    mode: "enforce",
    goes: "451 4.7.5",
    reported: ["sts:certificate-not-trusted"],
  },
  {
    name: "enforced, other name",
    certificate: await selfSignedCertificate({ names: ["other.example"] }),
    mode: "enforce",
    goes: "451 4.7.5",
    reported: ["sts:certificate-not-trusted"],
  },
  {
    name: "enforced, no TLS",
    mode: "enforce",
    goes: "451 4.7.4",
    reported: ["sts:starttls-not-supported"],
  },
  {
    name: "enforced, host not in policy",
    certificate: trusted,
    mode: "enforce",
    matches: false,
    goes: "451 4.7.5",
    reported: ["sts:validation-failure"],
  },
  {
    name: "testing, untrusted",
    certificate: untrusted,
    mode: "testing",
    goes: "tls",
    reported: ["sts:certificate-not-trusted"],
  },
  {
    name: "testing, no TLS",
    mode: "testing",
    goes: "plain",
    reported: ["sts:starttls-not-supported"],
  },
  { name: "DANE, right", certificate: untrusted, dane: dane(true), goes: "tls", reported: ["ok"] },
  {
    name: "DANE, wrong",
    certificate: trusted,
    dane: dane(false),
    goes: "451 4.7.5",
    reported: ["tlsa:validation-failure"],
  },
  {
    name: "DANE, no TLS",
    dane: dane(true),
    goes: "451 4.7.4",
    reported: ["tlsa:starttls-not-supported"],
  },
  {
    name: "DANE, unusable records",
    certificate: untrusted,
    dane: { kind: "encrypt", policyString: [] },
    goes: "tls",
    reported: ["ok"],
  },
  {
    name: "DANE, lookup fails",
    certificate: trusted,
    dane: { kind: "unavailable", failure: { ...detail, resultType: "dnssec-invalid" } },
    goes: "451 4.7.5",
    reported: ["tlsa:dnssec-invalid"],
  },
  {
    name: "REQUIRETLS, nobody vouches for the host",
    certificate: trusted,
    requireTls: true,
    goes: "550 5.7.30",
    reported: [],
  },
  {
    name: "REQUIRETLS, not offered",
    certificate: trusted,
    requireTls: true,
    authenticated: true,
    goes: "550 5.7.30",
    reported: ["ok"],
  },
  {
    name: "REQUIRETLS, with DNSSEC",
    certificate: trusted,
    requireTls: true,
    authenticated: true,
    host: { extensions: ["REQUIRETLS"] },
    goes: "tls",
    reported: ["ok"],
  },
  {
    name: "REQUIRETLS, untrusted",
    certificate: untrusted,
    requireTls: true,
    mode: "enforce",
    host: { extensions: ["REQUIRETLS"] },
    goes: "451 4.7.5",
    reported: ["sts:certificate-not-trusted"],
  },
  {
    name: "TLS-Required: No",
    mode: "enforce",
    matches: false,
    dane: dane(false),
    tlsOptional: true,
    goes: "plain",
    reported: [],
  },
];

for (const c of tlsCases) {
  Deno.test(`TLS: ${c.name}: ${c.goes}`, async () => {
    const reports: TlsResult[] = [];
    const tlsPolicy: TlsPolicy = {
      policyFor: (domain) =>
        Promise.resolve({
          ...noPolicy(domain),
          mode: c.mode ?? "none",
          matches: () => c.matches ?? true,
        }),
      daneFor: () => Promise.resolve(c.dane ?? { kind: "none" }),
      report: (r) => reports.push(r),
    };
    const { authenticated } = c;
    await using world = await World.make({
      zone: {
        "to.example": { MX: ["10 mx.example"], authenticated },
        "mx.example": { A: ["127.7.1.1"], authenticated },
      },
      deliverer: { tlsPolicy, authorities: Authorities.of(trusted.cert) },
    });
    const host = await world.host("127.7.1.1", { certificate: c.certificate, ...c.host });
    await world.open();
    await world.send(["a@to.example"], { requireTls: c.requireTls, tlsOptional: c.tlsOptional });
    await world.queue.start();
    await world.queue.idle();
    const [mail] = host.mails;
    const failure = world.queue.list()[0]?.results[0];
    const goes = mail
      ? (mail.tls ? "tls" : "plain")
      : failure
      ? `${failure.code} ${failure.enhanced}`
      : world.bounced("a@to.example")[0];
    assert.equal(goes, c.goes);
    const reported = reports.flatMap((r) =>
      r.outcomes.map((o) => o.failure ? `${o.policyType}:${o.failure.resultType}` : "ok")
    );
    assert.deepEqual(reported, c.reported);
  });
}
