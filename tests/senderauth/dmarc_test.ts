import assert from "node:assert/strict";
import { type ScriptedName, scriptedResolver, type Zone } from "../../src/dns/mod.ts";
import { authorDomain } from "../../src/senderauth/author.ts";
import { checkDmarc } from "../../src/senderauth/dmarc.ts";
import type { DkimOutcome } from "../../src/senderauth/dkim_verify.ts";
import { scanHeader } from "../../src/senderauth/header_fields.ts";
import { type DmarcMethod, isDmarcRecord, parseDmarcRecord } from "../../src/senderauth/mod.ts";
import type { SpfOutcome } from "../../src/senderauth/spf.ts";
import { message } from "./messages.ts";

const txt = (text: string): ScriptedName => ({ TXT: [text] });

interface Given {
  from: string;
  zone: Zone;
  spf?: string;
  spfResult?: SpfOutcome["result"];
  dkim?: string[];
  dkimStatus?: DkimOutcome["status"];
  method?: DmarcMethod;
  random?: number;
}

async function dmarcOf(given: Given) {
  const resolver = scriptedResolver(given.zone);
  const outcome = await checkDmarc({
    author: { domain: given.from },
    spf: {
      result: given.spfResult ?? (given.spf ? "pass" : "none"),
      identity: "mailfrom",
      domain: given.spf ?? "other.example",
      authenticated: false,
    },
    dkim: (given.dkim ?? []).map((domain) => ({
      status: given.dkimStatus ?? "pass",
      domain,
      testing: false,
      recordAuthenticated: false,
    })),
    resolver,
    method: given.method ?? "psl",
    random: () => given.random ?? 0.5,
  });
  return { ...outcome, queries: resolver.queries };
}

const reject = { "_dmarc.example.com": txt("v=DMARC1; p=reject") };

Deno.test("a second author doesn't switch off the policy of the first", async () => {
  const zone = {
    "_dmarc.bank.example": txt("v=DMARC1; p=reject"),
    "_dmarc.evil.example": txt("v=DMARC1; p=none"),
  };
  const of = (header: string, dkim: string) =>
    checkDmarc({
      author: authorDomain(scanHeader(new TextEncoder().encode(header))),
      spf: { result: "none", identity: "mailfrom", domain: "x.example", authenticated: false },
      dkim: [{ status: "pass", domain: dkim, testing: false, recordAuthenticated: false }],
      resolver: scriptedResolver(zone),
      method: "psl",
      random: () => 0.5,
    });
  const two = (a: string, b: string) => `From: x@${a}\r\nFrom: y@${b}\r\n\r\n`;
  const one = (a: string, b: string) => `From: x@${a}, y@${b}\r\n\r\n`;
  for (const header of [two, one]) {
    for (const [a, b] of [["bank.example", "evil.example"], ["evil.example", "bank.example"]]) {
      const r = await of(header(a, b), "evil.example");
      assert.deepEqual([r.result, r.applied, r.fromDomain], ["fail", "reject", "bank.example"]);
    }
    // Even a message that passes for all its authors is none that a single one vouches for.
    assert.equal(
      (await of(header("evil.example", "evil.example"), "evil.example")).applied,
      "none",
    );
    assert.equal(
      (await of(header("no.example", "none.example"), "evil.example")).result,
      "permerror",
    );
  }
});

Deno.test("aligned identifiers, relaxed and strict", async () => {
  const strict = { "_dmarc.example.com": txt("v=DMARC1;p=reject;adkim=s;aspf=s") };
  const rows: [Given, string][] = [
    [{ from: "example.com", zone: reject, spf: "example.com" }, "pass"],
    [{ from: "example.com", zone: reject, spf: "mail.example.com" }, "pass"],
    [{ from: "example.com", zone: reject, spf: "notexample.com" }, "fail"],
    [{ from: "example.com", zone: reject, spf: "com" }, "fail"],
    [{ from: "a.example.com", zone: reject, dkim: ["b.example.com"] }, "pass"],
    [{ from: "a.example.com", zone: reject, dkim: ["other.example", "example.com"] }, "pass"],
    [{ from: "example.com", zone: reject, dkim: ["EXAMPLE.com"] }, "pass"],
    [{ from: "example.com", zone: reject }, "fail"],
    [{ from: "example.com", zone: strict, spf: "mail.example.com" }, "fail"],
    [{ from: "example.com", zone: strict, dkim: ["mail.example.com"] }, "fail"],
    [{ from: "example.com", zone: strict, dkim: ["example.com"] }, "pass"],
    [{ from: "example.com", zone: reject, spf: "example.com", spfResult: "softfail" }, "fail"],
    [{ from: "example.com", zone: reject, dkim: ["example.com"], dkimStatus: "fail" }, "fail"],
    [{ from: "example.com", zone: reject, dkim: ["example.com"], dkimStatus: "policy" }, "fail"],
    // A check that may pass later leaves it open, if it would be aligned.
    [
      { from: "example.com", zone: reject, dkim: ["example.com"], dkimStatus: "temperror" },
      "temperror",
    ],
    [{ from: "example.com", zone: reject, dkim: ["x.example"], dkimStatus: "temperror" }, "fail"],
    [
      { from: "example.com", zone: reject, spf: "example.com", spfResult: "temperror" },
      "temperror",
    ],
    // Domains of different customers of one host are not aligned.
    [{
      from: "a.github.io",
      zone: { "_dmarc.a.github.io": txt("v=DMARC1; p=reject") },
      dkim: ["b.github.io"],
    }, "fail"],
    [{
      from: "a.co.uk",
      zone: { "_dmarc.a.co.uk": txt("v=DMARC1; p=reject") },
      dkim: ["b.co.uk"],
    }, "fail"],
  ];
  for (const [given, result] of rows) {
    for (const method of ["psl", "treewalk"] as const) {
      const outcome = await dmarcOf({ ...given, method });
      assert.equal(outcome.result, result, JSON.stringify([method, given]));
      if (result === "fail") assert.equal(outcome.applied, "reject");
      else assert.equal(outcome.applied, "none");
    }
  }
});

Deno.test("which record is found, by the public suffix list", async () => {
  const sub = { "_dmarc.sub.example.com": txt("v=DMARC1; p=quarantine") };
  let d = await dmarcOf({ from: "sub.example.com", zone: { ...reject, ...sub } });
  assert.deepEqual([d.policy, d.recordDomain, d.organizationalDomain], [
    "quarantine",
    "sub.example.com",
    "example.com",
  ]);
  d = await dmarcOf({ from: "a.b.c.example.com", zone: reject });
  assert.deepEqual([d.policy, d.recordDomain], ["reject", "example.com"]);
  assert.deepEqual(d.queries, ["TXT _dmarc.a.b.c.example.com", "TXT _dmarc.example.com"]);
  d = await dmarcOf({ from: "example.com", zone: {} });
  assert.deepEqual([d.result, d.policy, d.applied], ["none", undefined, "none"]);
  // Two records are none.
  const two = { "_dmarc.example.com": { TXT: ["v=DMARC1; p=reject", "v=DMARC1; p=none"] } };
  assert.equal((await dmarcOf({ from: "example.com", zone: two })).result, "none");
  // Other TXT records don't count.
  const mixed = { "_dmarc.example.com": { TXT: ["v=DMARC1; p=reject", "other"] } };
  assert.equal((await dmarcOf({ from: "example.com", zone: mixed })).result, "fail");
  // A suffix speaks only if it says that it is one.
  const suffix = { "_dmarc.com": txt("v=DMARC1; p=none; sp=reject; psd=y") };
  assert.equal((await dmarcOf({ from: "example.com", zone: suffix })).policy, "reject");
  const notSuffix = { "_dmarc.com": txt("v=DMARC1; p=none; sp=reject") };
  assert.equal((await dmarcOf({ from: "example.com", zone: notSuffix })).result, "none");
});

Deno.test("policies for subdomains, and for those that don't exist", async () => {
  const zone = {
    "_dmarc.example.com": txt("v=DMARC1; p=none; sp=quarantine; np=reject"),
    "is.example.com": { A: ["192.0.2.1"] },
    "mx.example.com": { MX: ["10 mail.example.com"] },
  };
  for (const method of ["psl", "treewalk"] as const) {
    const policy = async (from: string) => (await dmarcOf({ from, zone, method })).policy;
    assert.equal(await policy("example.com"), "none");
    assert.equal(await policy("is.example.com"), "quarantine");
    assert.equal(await policy("mx.example.com"), "quarantine");
    assert.equal(await policy("not.example.com"), "reject");
  }
});

Deno.test("pct weakens the policy for those not chosen; the tree walk has t instead", async () => {
  const zone = { "_dmarc.example.com": txt("v=DMARC1; p=reject; pct=30; t=y") };
  const applied = async (method: DmarcMethod, random: number) => {
    const d = await dmarcOf({ from: "example.com", zone, random, method });
    return [d.policy, d.applied, d.sampledOut];
  };
  assert.deepEqual(await applied("psl", 0.29), ["reject", "reject", false]);
  assert.deepEqual(await applied("psl", 0.3), ["reject", "quarantine", true]);
  assert.deepEqual(await applied("treewalk", 0.1), ["reject", "quarantine", true]);
});

Deno.test("RFC 9989 §4.10: the tree walk", async () => {
  const walk = (from: string, zone: Zone, more: Partial<Given> = {}) =>
    dmarcOf({ from, zone, method: "treewalk", ...more });
  // It asks for the name, then for at most seven labels, up to the top.
  let d = await walk("a.b.c.d.e.f.g.h.i.j.mail.example.com", {});
  assert.deepEqual(
    d.queries,
    [
      "TXT _dmarc.a.b.c.d.e.f.g.h.i.j.mail.example.com",
      "TXT _dmarc.g.h.i.j.mail.example.com".replace("g.h", "g.h"),
      "TXT _dmarc.h.i.j.mail.example.com",
      "TXT _dmarc.i.j.mail.example.com",
      "TXT _dmarc.j.mail.example.com",
      "TXT _dmarc.mail.example.com",
      "TXT _dmarc.example.com",
      "TXT _dmarc.com",
    ].filter((q) => q.split(".").length !== 8 || q === "TXT _dmarc.g.h.i.j.mail.example.com"),
  );
  assert.equal(d.queries.length <= 8, true);
  assert.equal(d.organizationalDomain, "a.b.c.d.e.f.g.h.i.j.mail.example.com");
  // The record with fewest labels names the organization; the domain's own record is its policy.
  d = await walk("a.mail.example.com", {
    "_dmarc.a.mail.example.com": txt("v=DMARC1; p=none"),
    "_dmarc.mail.example.com": txt("v=DMARC1; p=quarantine"),
    ...reject,
  });
  assert.deepEqual([d.recordDomain, d.organizationalDomain], ["a.mail.example.com", "example.com"]);
  // Without one of its own it is the organization's, not that in between.
  d = await walk("a.mail.example.com", {
    "_dmarc.mail.example.com": txt("v=DMARC1; p=quarantine"),
    ...reject,
  });
  assert.equal(d.recordDomain, "example.com");
  // psd=n ends the walk and names the organization.
  const own = { "_dmarc.mail.example.com": txt("v=DMARC1; p=quarantine; psd=n"), ...reject };
  d = await walk("a.mail.example.com", own);
  assert.deepEqual([d.recordDomain, d.organizationalDomain], [
    "mail.example.com",
    "mail.example.com",
  ]);
  assert.equal(d.queries.includes("TXT _dmarc.example.com"), false);
  // So another part of the same company is not aligned with it.
  assert.equal((await walk("a.mail.example.com", own, { dkim: ["example.com"] })).result, "fail");
  assert.equal(
    (await walk("a.mail.example.com", own, { dkim: ["b.mail.example.com"] })).result,
    "pass",
  );
  // psd=y: the organization is one label below; its policy is the suffix's for subdomains.
  const bank = { "_dmarc.bank": txt("v=DMARC1; p=none; sp=reject; psd=y") };
  d = await walk("mail.good.bank", bank);
  assert.deepEqual([d.recordDomain, d.organizationalDomain, d.policy], [
    "bank",
    "good.bank",
    "reject",
  ]);
  assert.equal((await walk("mail.good.bank", bank, { spf: "good.bank" })).result, "pass");
  assert.equal((await walk("mail.good.bank", bank, { spf: "evil.bank" })).result, "fail");
});

Deno.test("failures of the DNS are temporary", async () => {
  const zone: Zone = { "_dmarc.example.com": { fail: "servfail" } };
  for (const method of ["psl", "treewalk"] as const) {
    const d = await dmarcOf({ from: "sub.example.com", zone, method, spf: "example.com" });
    assert.equal(d.result, "temperror");
    assert.equal(d.applied, "none");
  }
});

Deno.test("records: what is one, and what is in it", () => {
  assert(isDmarcRecord("v=DMARC1; p=none") && isDmarcRecord("v = DMARC1 ;p=none"));
  for (const text of ["v=DMARC10; p=none", "v=dmarc1; p=none", "p=none; v=DMARC1", ""]) {
    assert(!isDmarcRecord(text), text);
  }
  const full = parseDmarcRecord(
    "v=DMARC1; p=Quarantine; sp=none; np=reject; adkim=s; aspf=r; pct=5; fo=1:d:x; psd=n; t=y;" +
      " rua=mailto:a@example.com!10m, mailto:b@example.com; ruf=mailto:c@example.com; ri=3600; x=y",
  )!;
  assert.equal(full.policy, "quarantine");
  assert.equal(full.subdomainPolicy, "none");
  assert.equal(full.nonexistentPolicy, "reject");
  assert.deepEqual([full.strictDkim, full.strictSpf], [true, false]);
  assert.deepEqual([full.percentage, full.psd, full.testing, full.reportInterval], [
    5,
    "n",
    true,
    3600,
  ]);
  assert.deepEqual(full.failureOptions, ["1", "d"]);
  assert.deepEqual(full.aggregateReports, [
    { uri: "mailto:a@example.com", maxSize: 10 * 1024 * 1024 },
    { uri: "mailto:b@example.com" },
  ]);
  assert.deepEqual(full.failureReports, [{ uri: "mailto:c@example.com" }]);
  // Without a policy it is none if reports are asked for, else there is no record.
  assert.equal(parseDmarcRecord("v=DMARC1; rua=mailto:a@example.com")?.policy, "none");
  assert.equal(parseDmarcRecord("v=DMARC1; p=what; rua=mailto:a@example.com")?.policy, "none");
  assert.equal(parseDmarcRecord("v=DMARC1; p=what"), undefined);
  assert.equal(parseDmarcRecord("v=DMARC1; p=none; pct=101")?.percentage, 100);
});

Deno.test("the author's domain, and From fields that have none", () => {
  const of = (header: string) => authorDomain(scanHeader(message(header)));
  for (
    const [from, domain] of [
      ["a@example.com", "example.com"],
      ["A B <a@Example.COM>", "example.com"],
      ['"x@evil.example" <a@example.com>', "example.com"],
      ["a@example.com (b@evil.example)", "example.com"],
      ['"a@b"@example.com', "example.com"],
      ["<a@example.com>, b@example.com", "example.com"],
      ["list: a@example.com, b@example.com;", "example.com"],
      ["Jörg <j@bücher.example>", "xn--bcher-kva.example"],
      ["a\n <a@example.com>", "example.com"],
    ]
  ) assert.deepEqual(of(`From: ${from}\n\n`), { domain }, from);
  for (
    const header of [
      "Subject: x\n\n",
      "From: a@example.com\nFrom: a@example.com\n\n",
      "From: a@example.com, b@example.org\n\n",
      "From: \n\n",
      "From: undisclosed:;\n\n",
      "From: nobody\n\n",
      "From: <a@example.com\n\n",
      "From: <a@example.com> <b@evil.example>\n\n",
      'From: "a@example.com\n\n',
      "From: a@localhost\n\n",
      "From: a@exa mple.com\n\n",
    ]
  ) assert("error" in of(header), header);
});
