/** What is noted of a delivery, and what reports tell of it. */
import assert from "node:assert/strict";
import { dmarcEvaluation, reportAddresses } from "../../src/delivery/dmarc_evaluation.ts";
import { analyze } from "../../src/delivery/analysis_decide.ts";
import { deliveryFacts, fromValidation, passedDkimDomains } from "../../src/delivery/facts.ts";
import type { SenderAuth } from "../../src/senderauth/mod.ts";
import { parseDmarcRecord } from "../../src/senderauth/dmarc_record.ts";
import { describeBytes } from "../../src/store/messages/describe.ts";
import { message, ruleset } from "./scenario.ts";

type Dkim = SenderAuth["dkim"][number];
const dkim = (domain: string, status: Dkim["status"] = "pass"): Dkim => ({
  status,
  domain,
  selector: "s",
} as Dkim);

/** Results for a message from sender.example, without a DMARC record and with nothing that passed. */
function auth(over: {
  dkim?: Dkim[];
  spf?: Partial<SenderAuth["spf"]>;
  dmarc?: Partial<SenderAuth["dmarc"]>;
} = {}): SenderAuth {
  return {
    dkim: over.dkim ?? [],
    spf: { result: "none", identity: "mailfrom", domain: "", authenticated: false, ...over.spf },
    dmarc: {
      result: "none",
      fromDomain: "sender.example.com",
      recordAuthenticated: false,
      applied: "none",
      sampledOut: false,
      alignedDkim: [],
      ...over.dmarc,
    },
  } as unknown as SenderAuth;
}

const record = (text: string) => parseDmarcRecord(text)!;

Deno.test("From is verified as its policy says, or by what passed for its domain or organization", () => {
  const cases: [what: string, a: SenderAuth, want: string][] = [
    ["nothing", auth(), "none"],
    ["DKIM", auth({ dkim: [dkim("sender.example.com")] }), "strict"],
    ["DKIM in capitals", auth({ dkim: [dkim("Sender.Example.COM")] }), "strict"],
    ["DKIM that failed", auth({ dkim: [dkim("sender.example.com", "fail")] }), "none"],
    ["DKIM of the organization", auth({ dkim: [dkim("example.com")] }), "relaxed"],
    ["DKIM of a sister", auth({ dkim: [dkim("x.example.com")] }), "relaxed"],
    ["DKIM of another", auth({ dkim: [dkim("example.org")] }), "none"],
    ["DKIM of the public suffix", auth({ dkim: [dkim("com")] }), "none"],
    ["SPF", auth({ spf: { result: "pass", domain: "sender.example.com" } }), "strict"],
    [
      "SPF of the organization",
      auth({ spf: { result: "pass", domain: "example.com" } }),
      "relaxed",
    ],
    ["SPF that failed", auth({ spf: { result: "fail", domain: "sender.example.com" } }), "none"],
    [
      "no author",
      auth({ dmarc: { fromDomain: undefined }, dkim: [dkim("sender.example.com")] }),
      "none",
    ],
    [
      "DMARC pass",
      auth({ dmarc: { record: record("v=DMARC1; p=none"), result: "pass" } }),
      "dmarc",
    ],
    [
      "DMARC fail, whatever passed",
      auth({
        dmarc: { record: record("v=DMARC1; p=none"), result: "fail" },
        dkim: [dkim("sender.example.com")],
      }),
      "none",
    ],
  ];
  for (const [what, a, want] of cases) assert.equal(fromValidation(a), want, what);
  const list = [dkim("a.example"), dkim("b.example", "fail"), dkim("a.example"), dkim("c.example")];
  assert.deepEqual(passedDkimDomains(auth({ dkim: list })), ["a.example", "c.example"]);
});

const envelope = {
  remoteIp: "192.0.2.10",
  ehlo: "mx.sender.example.com",
  mailFrom: { localpart: "bounce", domain: "sender.example.com" },
  rcptTo: { localpart: "me", domain: "ours.example" },
  tlsVersion: "tls1.3",
  requireTls: true,
};
const described = (from: string) =>
  describeBytes(new TextEncoder().encode(`From: ${from}\r\nSubject: x\r\n\r\nx\r\n`));

Deno.test("facts of a delivery: envelope, author, and what was verified of which identity", async () => {
  const d = await described('Ann <"a@b"@News.Example.com>');
  const f = deliveryFacts(
    envelope,
    d,
    auth({
      spf: { result: "pass", identity: "mailfrom", domain: "sender.example.com" },
      dkim: [dkim("news.example.com")],
      dmarc: { fromDomain: "news.example.com" },
    }),
  );
  assert.deepEqual(f, {
    remoteIp: "192.0.2.10",
    networks: ["192.0.2.10/32", "192.0.2.0/26", "192.0.0.0/21"],
    ehloDomain: "mx.sender.example.com",
    mailFromLocalpart: "bounce",
    mailFromDomain: "sender.example.com",
    rcptToLocalpart: "me",
    rcptToDomain: "ours.example",
    msgFromLocalpart: "a@b",
    msgFromDomain: "news.example.com",
    msgFromOrgDomain: "example.com",
    ehloValidated: false,
    mailFromValidated: true,
    msgFromValidated: true,
    ehloValidation: "none",
    mailFromValidation: "pass",
    msgFromValidation: "strict",
    dkimDomains: ["news.example.com"],
    isForward: false,
    isMailingList: false,
    receivedTlsVersion: "tls1.3",
    receivedRequireTls: true,
  });
  const helo = deliveryFacts(
    { ...envelope, mailFrom: undefined },
    d,
    auth({ spf: { result: "pass", identity: "helo" } }),
  );
  assert.deepEqual(
    [helo.ehloValidated, helo.ehloValidation, helo.mailFromValidated, helo.mailFromValidation],
    [true, "pass", false, "none"],
  );
  assert.deepEqual([helo.mailFromLocalpart, helo.mailFromDomain], ["", ""]);
  const soft = deliveryFacts(
    envelope,
    d,
    auth({ spf: { result: "softfail", identity: "mailfrom" } }),
  );
  assert.deepEqual([soft.mailFromValidated, soft.mailFromValidation], [false, "softfail"]);
  const none = deliveryFacts(envelope, await describeBytes(new Uint8Array(0)), undefined);
  assert.deepEqual(
    [
      none.msgFromLocalpart,
      none.msgFromDomain,
      none.msgFromOrgDomain,
      none.msgFromValidation,
      none.dkimDomains,
    ],
    ["", "", "", "none", []],
  );
});

Deno.test("addresses that reports go to", () => {
  const of = (...uris: string[]) =>
    reportAddresses(uris.map((uri) => ({ uri, maxSize: 5 }))).map((a) => a.address);
  assert.deepEqual(of("mailto:a@x.example", "MAILTO:b@x.example?subject=x"), [
    "a@x.example",
    "b@x.example",
  ]);
  assert.deepEqual(of("mailto:a%2Bb@x.example"), ["a+b@x.example"]);
  assert.deepEqual(
    of("https://x.example", "mailto:x.example", "mailto:%ff@x", "mailto:", "mailto:a@"),
    [],
  );
  assert.deepEqual(reportAddresses([{ uri: "mailto:a@x.example", maxSize: 7 }]), [
    { address: "a@x.example", maxSize: 7 },
  ]);
});

Deno.test("reports tell of what was accepted, or refused by DMARC, and nothing else", async () => {
  const reported = {
    record: record("v=DMARC1; p=reject; sp=none; adkim=s; pct=50; ri=7200; rua=mailto:a@x.example"),
  };
  const m = {
    remoteIp: "192.0.2.10",
    mailFromDomain: "bounce.example",
    rcptToDomain: "ours.example",
    received: 5,
    isReport: false,
  };
  const accepted = await analyze(message());
  const rejected = await analyze(message({ dmarc: { use: true, pass: false, reject: true } }));
  const refused = await analyze(message({ spf: "fail" }));
  const pass = auth({
    dmarc: {
      ...reported,
      result: "pass",
      alignedDkim: ["sender.example.com"],
      recordDomain: "example.com",
    },
    spf: { result: "softfail", domain: "bounce.example", identity: "helo" },
    dkim: [dkim("sender.example.com"), { status: "permerror", error: "bad" } as Dkim],
  });
  assert.deepEqual(dmarcEvaluation(pass, accepted, m), {
    policyDomain: "example.com",
    evaluated: 5,
    optional: false,
    intervalHours: 2,
    addresses: [{ address: "a@x.example", maxSize: undefined }],
    policy: {
      domain: "example.com",
      adkim: "s",
      aspf: "r",
      p: "reject",
      sp: "none",
      pct: 50,
      fo: "0",
    },
    sourceIp: "192.0.2.10",
    disposition: "none",
    alignedDkimPass: true,
    alignedSpfPass: false,
    reasons: [],
    envelopeTo: "ours.example",
    envelopeFrom: "bounce.example",
    headerFrom: "sender.example.com",
    dkimResults: [{ domain: "sender.example.com", selector: "s", result: "pass", humanResult: "" }],
    spfResults: [{ domain: "bounce.example", scope: "helo", result: "softfail" }],
  });
  const of = (over: Partial<SenderAuth["dmarc"]>, decision = accepted, extra = {}) =>
    dmarcEvaluation(auth({ dmarc: { ...reported, result: "fail", ...over } }), decision, {
      ...m,
      ...extra,
    });
  assert.equal(of({}, rejected)!.disposition, "reject");
  assert.equal(of({}, refused), undefined, "refused for another reason");
  assert.equal(of({ record: undefined }), undefined);
  assert.equal(of({ result: "temperror" }), undefined);
  assert.equal(of({ fromDomain: undefined }), undefined);
  assert.equal(of({ record: record("v=DMARC1; p=none") }), undefined, "nobody to report to");
  assert.equal(of({})!.policyDomain, "sender.example.com");
  assert.equal(of({ alignedSpf: "x" })!.alignedSpfPass, true);
  assert.equal(of({}, accepted, { isReport: true })!.optional, true);
  assert.deepEqual(of({ sampledOut: true })!.reasons, [{ type: "sampled_out", comment: "" }]);
  const testing = {
    record: record("v=DMARC1; p=reject; rua=mailto:a@x.example"),
    sampledOut: true,
  };
  assert.deepEqual(of(testing)!.reasons, [{ type: "policy_test_mode", comment: "" }]);
  const forward = await analyze(message({
    destination: {
      mailbox: "",
      rulesets: [
        ruleset({ MsgFromRegexp: ".", IsForward: true, VerifiedDomain: "sender.example" }),
      ],
      dmarcReports: false,
      tlsReports: false,
    },
  }));
  assert.deepEqual(of({}, forward)!.reasons, [{ type: "forwarded", comment: "" }]);
  const toMailbox = await analyze(message({
    spf: "fail",
    destination: {
      mailbox: "",
      rulesets: [ruleset({ MsgFromRegexp: ".", AcceptRejectsToMailbox: "lists/a" })],
      dmarcReports: false,
      tlsReports: false,
    },
  }));
  assert.equal(of({}, toMailbox), undefined, "kept by the user's rule, and refused all the same");
});
