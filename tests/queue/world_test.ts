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
  header?: string;
  body?: string;
  /** Of each recipient: "delivered", or the bounce. */
  ends: string[];
  /** Attempts that the first recipient takes, at most 9. */
  attempts?: number;
  /** How often the host has what was delivered: once, but if nobody can know that it has it. */
  copies?: number;
  /** How it misbehaves, for the table that is printed. */
  what: string;
}

const once = (answer: string) => {
  let first = true;
  return () => {
    if (!first) return undefined;
    first = false;
    return answer;
  };
};

const long = "x".repeat(5000);
const lines = (n: number) =>
  Array.from({ length: n }, (_, i) => `250-line ${i}`).join("\n") + "\n250 ok";
const manners = ["PIPELINING", "8BITMIME"];
const delivered = (n: number) => new Array<string>(n).fill("delivered");

/** Takes a moment for each answer. */
const slow = async () => {
  await new Promise((r) => setTimeout(r, 30));
  return undefined;
};

/** Where a host refuses MAIL for ever. */
const fullForEver = "127.7.1.250";

const rows: Row[] = [
  { what: "well-behaved", domain: "good.example", host: {}, ends: ["delivered"] },
  // ---- refusals
  {
    what: "greylists (4xx to RCPT)",
    domain: "grey.example",
    host: { rcpt: once("451 4.7.1 greylisted, come again") },
    ends: ["delivered"],
    attempts: 2,
  },
  {
    what: "421 as greeting",
    domain: "busy.example",
    host: { greeting: once("421 4.3.2 too busy") },
    ends: ["delivered"],
    attempts: 2,
  },
  {
    what: "421 to RCPT",
    domain: "leaves.example",
    host: { rcpt: once("421 4.3.2 going down") },
    ends: ["delivered"],
    attempts: 2,
  },
  {
    what: "452 to MAIL",
    domain: "full.example",
    host: { mail: once("452 4.3.1 disk full") },
    ends: ["delivered"],
    attempts: 2,
  },
  {
    what: "5xx to RCPT",
    domain: "gone.example",
    host: { rcpt: () => "550 5.1.1 no such user" },
    ends: ["550 5.1.1"],
  },
  {
    what: "5xx to MAIL",
    domain: "sender.example",
    host: { mail: () => "553 5.1.8 not from you" },
    ends: ["553 5.1.8"],
  },
  {
    what: "5xx to DATA",
    domain: "nodata.example",
    host: { data: () => "554 5.5.1 no" },
    ends: ["554 5.5.1"],
  },
  {
    what: "5xx to the message",
    domain: "refuses.example",
    host: { message: () => "554 5.7.1 spam" },
    ends: ["554 5.7.1"],
  },
  {
    what: "5xx as greeting",
    domain: "noservice.example",
    host: { greeting: () => "554 5.3.2 no mail here" },
    ends: ["554 5.3.2"],
  },
  {
    what: "5xx to EHLO and HELO",
    domain: "nohello.example",
    host: { ehlo: () => "502 what?", helo: () => "554 5.7.1 not you" },
    ends: ["554 5.7.1"],
  },
  {
    what: "4xx for ever",
    domain: "never.example",
    host: { data: () => "451 4.3.0 never" },
    ends: ["451 4.3.0"],
    attempts: 9,
  },
  {
    what: "one of five refused",
    domain: "five.example",
    host: { rcpt: (l) => l.includes("c@") ? "550 5.1.1 no such user" : undefined },
    to: ["a", "b", "c", "d", "e"],
    ends: ["delivered", "delivered", "550 5.1.1", "delivered", "delivered"],
  },
  // ---- connections that end
  {
    what: "nobody listens",
    domain: "dead.example",
    zone: () => ({ "dead.example": { A: ["127.9.9.8"] } }),
    ends: ["451 4.4.1"],
    attempts: 9,
  },
  ...(["greeting", "ehlo", "mail", "rcpt", "data", "during"] as const).map((phase): Row => ({
    what: phase === "during" ? "drops within the message" : `drops at ${phase}`,
    domain: `drop${phase}.example`,
    host: { [phase]: once("drop") },
    ends: ["delivered"],
    attempts: 2,
  })),
  {
    what: "drops after the dot, kept nothing",
    domain: "loses.example",
    host: { message: once("lose") },
    ends: ["delivered"],
    attempts: 2,
  },
  {
    what: "drops after the dot, kept it",
    domain: "keeps.example",
    host: { message: once("drop") },
    ends: ["delivered"],
    attempts: 2,
    copies: 2,
  },
  {
    what: "drops at QUIT",
    domain: "dropquit.example",
    host: { quit: () => "drop" },
    ends: ["delivered"],
  },
  {
    what: "silent at QUIT",
    domain: "hangquit.example",
    host: { quit: () => "hang" },
    ends: ["delivered"],
  },
  ...(["greeting", "ehlo", "mail", "rcpt", "data"] as const).map((phase): Row => ({
    what: `silent at ${phase}`,
    domain: `hang${phase}.example`,
    host: { [phase]: once("hang") },
    ends: ["delivered"],
    attempts: 2,
  })),
  {
    what: "silent after the dot, kept nothing",
    domain: "hangmessage.example",
    host: { message: once("hang") },
    ends: ["delivered"],
    attempts: 2,
  },
  {
    what: "slow at each answer",
    domain: "slow.example",
    host: { greeting: slow, ehlo: slow, mail: slow, rcpt: slow, data: slow, message: slow },
    ends: ["delivered"],
  },
  // ---- odd answers
  {
    what: "answers of many lines",
    domain: "lines.example",
    host: {
      greeting: () => "220-good\n220-morning\n220 fake ESMTP",
      mail: () => lines(50),
      rcpt: () => lines(100),
      message: () => lines(10),
    },
    ends: ["delivered"],
  },
  {
    what: "answers without text",
    domain: "bare.example",
    host: { mail: () => "250", rcpt: () => "250" },
    ends: ["delivered"],
  },
  {
    what: "garbage as greeting",
    domain: "http.example",
    host: { greeting: () => "HTTP/1.1 400 Bad Request" },
    ends: ["451 4.5.0"],
    attempts: 9,
  },
  {
    what: "garbage to MAIL",
    domain: "garbage.example",
    host: { mail: () => "HTTP/1.1 400" },
    ends: ["451 4.5.0"],
    attempts: 9,
  },
  {
    what: "overlong line",
    domain: "long.example",
    host: { mail: () => `250 ${long}` },
    ends: ["451 4.5.0"],
    attempts: 9,
  },
  {
    what: "endless answer",
    domain: "endless.example",
    host: { ehlo: () => lines(500) },
    ends: ["451 4.5.0"],
    attempts: 9,
  },
  {
    what: "two codes in one answer",
    domain: "codes.example",
    host: { rcpt: () => "250-yes\n550 no" },
    ends: ["451 4.5.0"],
    attempts: 9,
  },
  {
    what: "354 to RCPT",
    domain: "odd.example",
    host: { rcpt: () => "354 go on" },
    ends: ["451 4.5.0"],
    attempts: 9,
  },
  // ---- extensions that are missing, or have limits
  {
    what: "HELO only",
    domain: "helo.example",
    host: { ehlo: () => "502 5.5.1 what?" },
    ends: ["delivered"],
  },
  {
    what: "no PIPELINING",
    domain: "nopipe.example",
    host: { extensions: ["8BITMIME"] },
    to: ["a", "b"],
    ends: delivered(2),
  },
  {
    what: "no 8BITMIME, 8-bit text",
    domain: "no8bit.example",
    host: { extensions: ["PIPELINING"] },
    body: "gr\u00fc\u00dfe\r\n",
    ends: ["delivered"],
  },
  {
    what: "no 8BITMIME, 8-bit text in a kind that can't be encoded",
    domain: "cannot8bit.example",
    host: { extensions: ["PIPELINING"] },
    header: "Content-Type: message/partial\r\n",
    body: "gr\u00fc\u00dfe\r\n",
    ends: ["554 5.6.3"],
  },
  {
    what: "no SMTPUTF8, one address needs it",
    domain: "noutf8.example",
    host: {},
    to: ["a", "j\u00f6rg"],
    ends: ["delivered", "550 5.6.7"],
  },
  {
    what: "SIZE too small",
    domain: "small.example",
    host: { extensions: ["PIPELINING", "SIZE 20"] },
    ends: ["552 5.3.4"],
  },
  {
    what: "LIMITS RCPTMAX=2",
    domain: "limits.example",
    host: { extensions: ["PIPELINING", "LIMITS RCPTMAX=2"] },
    to: ["a", "b", "c", "d", "e"],
    ends: delivered(5),
  },
  {
    what: "452 to each third RCPT",
    domain: "toomany.example",
    host: {
      rcpt: (() => {
        let n = 0;
        return () => n++ % 3 === 2 ? "452 4.5.3 too many recipients" : undefined;
      })(),
    },
    to: ["a", "b", "c", "d"],
    ends: delivered(4),
  },
  // ---- TLS
  {
    what: "certificate of another name",
    domain: "badcert.example",
    host: { certificate: untrusted },
    ends: ["delivered"],
  },
  {
    what: "certificate of another name, MTA-STS",
    domain: "badcert.enforced.example",
    host: { certificate: untrusted },
    ends: ["451 4.7.5"],
    attempts: 9,
  },
  {
    what: "drops at STARTTLS",
    domain: "brokentls.example",
    host: { certificate: untrusted, starttls: () => "drop" },
    ends: ["delivered"],
  },
  {
    what: "STARTTLS stripped",
    domain: "stripped.example",
    host: {},
    ends: ["delivered"],
  },
  {
    what: "STARTTLS stripped, MTA-STS",
    domain: "stripped.enforced.example",
    host: {},
    ends: ["451 4.7.4"],
    attempts: 9,
  },
  // ---- DNS
  {
    what: "null MX",
    domain: "nullmx.example",
    zone: () => ({ "nullmx.example": { MX: ["0 ."] } }),
    ends: ["556 5.1.10"],
  },
  {
    what: "MX to a CNAME",
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
    what: "CNAME to itself",
    domain: "cnameloop.example",
    zone: () => ({ "cnameloop.example": { CNAME: "cnameloop.example" } }),
    ends: ["451 4.4.3"],
    attempts: 9,
  },
  {
    what: "no MX, A only",
    domain: "implicit.example",
    host: {},
    zone: (ip) => ({ "implicit.example": { A: [ip] } }),
    ends: ["delivered"],
  },
  { what: "no such domain", domain: "nowhere.example", ends: ["550 5.1.2"], zone: () => ({}) },
  {
    what: "MX without address",
    domain: "noaddress.example",
    zone: () => ({ "noaddress.example": { MX: ["10 mx.noaddress.example"] } }),
    ends: ["550 5.4.4"],
  },
  {
    what: "SERVFAIL",
    domain: "servfail.example",
    zone: () => ({ "servfail.example": { fail: "servfail" } }),
    ends: ["451 4.4.3"],
    attempts: 9,
  },
  {
    what: "MX names this host",
    domain: "loop.example",
    zone: () => ({ "loop.example": { MX: ["10 mail.mox.example", "20 other.example"] } }),
    ends: ["550 5.4.6"],
  },
  {
    what: "first MX dead, second without IPv6",
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
    what: "first MX takes no message now",
    domain: "backup.example",
    host: {},
    // The host of the row for MAIL refused for ever, under another name.
    zone: (ip) => ({
      "backup.example": { MX: ["10 first.backup.example", "20 second.backup.example"] },
      "first.backup.example": { A: [fullForEver] },
      "second.backup.example": { A: [ip] },
    }),
    ends: ["delivered"],
  },
  {
    what: "name beyond ASCII",
    domain: "b\u00fccher.example",
    host: {},
    zone: (ip) => ({ "xn--bcher-kva.example": { A: [ip] } }),
    ends: ["delivered"],
  },
];

/** Only *.enforced.example have a policy. */
const policy: TlsPolicy = {
  policyFor: (domain) =>
    Promise.resolve(
      domain.endsWith(".enforced.example")
        ? { ...noPolicy(domain), mode: "enforce" }
        : noPolicy(domain),
    ),
  daneFor: () => Promise.resolve({ kind: "none" }),
  report() {},
};

/** Milliseconds after which a silent host is given up: far above what others take. */
const patience = 2_000;
const timeouts = {
  greeting: patience,
  hello: patience,
  mail: patience,
  rcpt: patience,
  data: patience,
};

/** What the table says, as text. */
function shown(rows: readonly string[][]): string {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((r) => r[i].length)));
  return rows.map((r) => r.map((c, i) => c.padEnd(widths[i])).join("  ").trimEnd()).join("\n");
}

Deno.test("each message to each host ends exactly once, with a restart in the middle", async () => {
  await using world = await World.make({
    deliverer: { tlsPolicy: policy, timeouts: { ...timeouts, message: patience } },
  });
  await world.host(fullForEver, { mail: () => "452 4.3.1 disk full" });
  for (const [i, row] of rows.entries()) {
    const ip = `127.7.0.${i + 1}`;
    if (row.host) await world.host(ip, { extensions: manners, ...row.host });
    world.resolver.add(
      row.zone?.(ip) ??
        { [row.domain]: { MX: [`10 mx.${row.domain}`] }, [`mx.${row.domain}`]: { A: [ip] } },
    );
  }
  await world.open();
  const sent: { address: string; ends: string; copies: number }[] = [];
  for (const row of rows) {
    const to = (row.to ?? ["x"]).map((l) => `${l}@${row.domain}`);
    await world.send(to, { header: row.header, body: row.body });
    sent.push(
      ...to.map((address, i) => ({
        address,
        ends: row.ends[i],
        copies: row.ends[i] === "delivered" ? row.copies ?? 1 : 0,
      })),
    );
  }
  await world.queue.start();
  await world.queue.idle();
  await world.open();
  await world.queue.start();
  await world.settle();

  const queued = world.queue.list().map((i) => i.address);
  const ends = sent.map(({ address }) => {
    const all = [
      ...world.events.filter((e) => e.kind === "delivered" && e.item.address === address)
        .map(() => "delivered"),
      ...world.bounced(address),
      ...queued.filter((q) => q === address).map(() => "queued"),
    ];
    const ascii = address.replace("b\u00fccher", "xn--bcher-kva");
    return { address, ends: all.join(" and "), copies: world.taken(ascii) };
  });
  const attempts = new Map(world.events.map((e) => [e.item.domain, e.item.attempts]));
  console.log(shown([
    ["host", "ends", "attempts", "copies"],
    ...rows.map((row) => {
      const of = ends.filter((e) => e.address.endsWith(`@${row.domain}`));
      return [
        row.what,
        [...new Set(of.map((e) => e.ends))].join(", "),
        String(attempts.get(row.domain)),
        of.map((e) => e.copies).join(" "),
      ];
    }),
  ]));
  const count = (what: RegExp) => ends.filter((e) => what.test(e.ends)).length;
  console.log(
    `${sent.length} recipients: ${count(/^delivered$/)} delivered, ${
      count(/^\d+ [\d.]+$/)
    } bounced, ` +
      `${count(/^queued$/)} queued, ${count(/ and |^$/)} otherwise`,
  );
  assert.deepEqual(ends, sent);
  for (const row of rows) {
    if (row.ends.every((e) => e === row.ends[0])) {
      assert.equal(attempts.get(row.domain), row.attempts ?? 1, row.domain);
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
