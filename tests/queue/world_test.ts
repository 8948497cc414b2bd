/** Delivery to a small world of hosts, each misbehaving in its own way. */
import assert from "node:assert/strict";
import type { Zone } from "../../src/dns/mod.ts";
import { type KeyCert, selfSignedCertificate } from "../../src/net/mod.ts";
import { noPolicy } from "../../src/tlspolicy/opportunistic.ts";
import type { DanePolicy, DomainPolicy, TlsPolicy, TlsResult } from "../../src/tlspolicy/types.ts";
import type { FakeOptions } from "../smtp/fake_host.ts";
import { World } from "./world.ts";

const untrusted = await selfSignedCertificate({ names: ["elsewhere.example"] });
const trusted = await selfSignedCertificate({ names: ["mx.example"] });

/** A host of the table. */
interface Row {
  domain: string;
  host?: FakeOptions;
  /** In place of an MX record to the host. */
  zone?: (ip: string) => Zone;
  to?: string[];
  body?: string;
  /** Of each recipient: "delivered", or the bounce. */
  ends: string[];
  /** Attempts that the first recipient takes, at most 9. */
  attempts?: number;
}

const once = (answer: string) => {
  let first = true;
  return () => {
    if (!first) return undefined;
    first = false;
    return answer;
  };
};

const rows: Row[] = [
  { domain: "good.example", host: {}, ends: ["delivered"] },
  {
    domain: "grey.example",
    host: { rcpt: once("451 4.7.1 greylisted, come again") },
    ends: ["delivered"],
    attempts: 2,
  },
  {
    domain: "busy.example",
    host: { greeting: once("421 4.3.2 too busy") },
    ends: ["delivered"],
    attempts: 2,
  },
  { domain: "gone.example", host: { rcpt: () => "550 5.1.1 no such user" }, ends: ["550 5.1.1"] },
  { domain: "refuses.example", host: { message: () => "554 5.7.1 spam" }, ends: ["554 5.7.1"] },
  {
    domain: "noservice.example",
    host: { greeting: () => "554 5.3.2 no mail here" },
    ends: ["554 5.3.2"],
  },
  {
    domain: "dropgreeting.example",
    host: { greeting: once("drop") },
    ends: ["delivered"],
    attempts: 2,
  },
  { domain: "dropehlo.example", host: { ehlo: once("drop") }, ends: ["delivered"], attempts: 2 },
  { domain: "dropmail.example", host: { mail: once("drop") }, ends: ["delivered"], attempts: 2 },
  { domain: "droprcpt.example", host: { rcpt: once("drop") }, ends: ["delivered"], attempts: 2 },
  { domain: "dropdata.example", host: { data: once("drop") }, ends: ["delivered"], attempts: 2 },
  {
    domain: "dropmiddle.example",
    host: { during: once("drop") },
    ends: ["delivered"],
    attempts: 2,
  },
  {
    domain: "never.example",
    host: { data: () => "451 4.3.0 never" },
    ends: ["451 4.3.0"],
    attempts: 9,
  },
  { domain: "silent.example", host: { greeting: once("hang") }, ends: ["delivered"], attempts: 2 },
  {
    domain: "garbage.example",
    host: { mail: () => "HTTP/1.1 400" },
    ends: ["451 4.5.0"],
    attempts: 9,
  },
  { domain: "badcert.example", host: { certificate: untrusted }, ends: ["delivered"] },
  {
    domain: "brokentls.example",
    host: { certificate: untrusted, starttls: () => "drop" },
    ends: ["delivered"],
  },
  {
    domain: "stripped.example",
    host: {},
    ends: ["451 4.7.4"],
    attempts: 9,
  },
  {
    domain: "nullmx.example",
    zone: () => ({ "nullmx.example": { MX: ["0 ."] } }),
    ends: ["556 5.1.10"],
  },
  {
    domain: "cname.example",
    host: {},
    zone: (ip) => ({
      "cname.example": { MX: ["10 alias.cname.example"] },
      "alias.cname.example": { CNAME: "real.cname.example" },
      "real.cname.example": { A: [ip] },
    }),
    ends: ["delivered"],
  },
  {
    domain: "cnameloop.example",
    zone: () => ({ "cnameloop.example": { CNAME: "cnameloop.example" } }),
    ends: ["451 4.4.3"],
    attempts: 9,
  },
  {
    domain: "implicit.example",
    host: {},
    zone: (ip) => ({ "implicit.example": { A: [ip] } }),
    ends: ["delivered"],
  },
  { domain: "nowhere.example", ends: ["550 5.1.2"], zone: () => ({}) },
  {
    domain: "noaddress.example",
    zone: () => ({ "noaddress.example": { MX: ["10 mx.noaddress.example"] } }),
    ends: ["550 5.4.4"],
  },
  {
    domain: "servfail.example",
    zone: () => ({ "servfail.example": { fail: "servfail" } }),
    ends: ["451 4.4.3"],
    attempts: 9,
  },
  {
    domain: "loop.example",
    zone: () => ({ "loop.example": { MX: ["10 mail.mox.example", "20 other.example"] } }),
    ends: ["550 5.4.6"],
  },
  {
    domain: "fallback.example",
    host: {},
    // At the first address nobody listens.
    zone: (ip) => ({
      "fallback.example": { MX: ["10 dead.fallback.example", "20 mx.fallback.example"] },
      "dead.fallback.example": { A: ["127.9.9.9"] },
      "mx.fallback.example": { AAAA: ["::1"], A: [ip] },
    }),
    ends: ["delivered"],
  },
  {
    domain: "dead.example",
    zone: () => ({ "dead.example": { A: ["127.9.9.8"] } }),
    ends: ["451 4.4.1"],
    attempts: 9,
  },
  {
    domain: "no8bit.example",
    host: { extensions: ["PIPELINING"] },
    body: "gr\u00fc\u00dfe\r\n",
    ends: ["554 5.6.3"],
  },
  {
    domain: "five.example",
    host: { rcpt: (l) => l.includes("c@") ? "550 5.1.1 no such user" : undefined },
    to: ["a", "b", "c", "d", "e"],
    ends: ["delivered", "delivered", "550 5.1.1", "delivered", "delivered"],
  },
  {
    domain: "limits.example",
    host: { extensions: ["PIPELINING", "LIMITS RCPTMAX=2"] },
    to: ["a", "b", "c", "d", "e"],
    ends: new Array(5).fill("delivered"),
  },
  {
    domain: "toomany.example",
    host: {
      rcpt: (() => {
        let n = 0;
        return () => n++ % 3 === 2 ? "452 4.5.3 too many recipients" : undefined;
      })(),
    },
    to: ["a", "b", "c", "d"],
    ends: new Array(4).fill("delivered"),
  },
  {
    domain: "b\u00fccher.example",
    host: {},
    zone: (ip) => ({ "xn--bcher-kva.example": { A: [ip] } }),
    ends: ["delivered"],
  },
];

/** Only stripped.example has a policy. */
const policy: TlsPolicy = {
  policyFor: (domain) =>
    Promise.resolve(
      domain === "stripped.example" ? { ...noPolicy(domain), mode: "enforce" } : noPolicy(domain),
    ),
  daneFor: () => Promise.resolve({ kind: "none" }),
  report() {},
};

Deno.test("each message to each host ends exactly once, with a restart in the middle", async () => {
  await using world = await World.make({
    deliverer: { tlsPolicy: policy, timeouts: { greeting: 200 } },
  });
  for (const [i, row] of rows.entries()) {
    const ip = `127.7.0.${i + 1}`;
    if (row.host) await world.host(ip, { extensions: ["PIPELINING", "8BITMIME"], ...row.host });
    world.resolver.add(
      row.zone?.(ip) ??
        { [row.domain]: { MX: [`10 mx.${row.domain}`] }, [`mx.${row.domain}`]: { A: [ip] } },
    );
  }
  await world.open();
  const sent: { address: string; ends: string }[] = [];
  for (const row of rows) {
    const to = (row.to ?? ["x"]).map((l) => `${l}@${row.domain}`);
    await world.send(to, { body: row.body });
    sent.push(...to.map((address, i) => ({ address, ends: row.ends[i] })));
  }
  await world.queue.start();
  await world.queue.idle();
  await world.open();
  await world.queue.start();
  await world.settle();

  assert.equal(world.queue.count(), 0);
  const table = sent.map(({ address }) => {
    const ascii = address.replace("b\u00fccher", "xn--bcher-kva");
    const ends = [...new Array(world.taken(ascii)).fill("delivered"), ...world.bounced(address)];
    return { address, ends: ends.join(" and ") };
  });
  assert.deepEqual(table, sent);
  for (const row of rows) {
    const last = world.events.filter((e) => e.item.domain === row.domain).at(-1)!;
    if (row.domain !== "five.example") {
      assert.equal(last.item.attempts, row.attempts ?? 1, row.domain);
    }
  }
});

// ---- what TLS is demanded

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
      deliverer: { tlsPolicy, ca: [trusted.cert] },
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
