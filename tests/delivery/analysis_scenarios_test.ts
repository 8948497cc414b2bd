/**
 * The analysis as a table: history given, message given, decision and reason expected. Each row runs
 * with a history in memory and with one in an account's database.
 */
import { asMailboxId } from "../../src/store/ids.ts";
import assert from "node:assert/strict";
import { analyze } from "../../src/delivery/analysis_decide.ts";
import { accountHistory } from "../../src/store/messages/history.ts";
import { generateSubjectPass } from "../../src/delivery/analysis_subjectpass.ts";
import type { AnalysisContext, Decision } from "../../src/delivery/analysis_types.ts";
import { Db } from "../../src/store/database/database.ts";
import { accountMigrations } from "../../src/store/database/schema.ts";
import type { DeliveryFacts } from "../../src/store/types.ts";
import { fillHistory } from "./history.ts";
import {
  content,
  day,
  facts,
  ham,
  inbox,
  junk,
  lists,
  memoryHistory,
  message,
  now,
  type Past,
  rejects,
  ruleset,
  type Sent,
  sent,
  stranger,
} from "./scenario.ts";

interface Row {
  name: string;
  past?: Past[];
  sent?: Sent[];
  facts?: Partial<DeliveryFacts>;
  message?: Partial<AnalysisContext>;
  /** Decision: in, or temporarily or permanently refused, and why. */
  expect: ["in" | "temp" | "perm", Decision["reason"]];
  also?: (d: Decision) => void;
}

const year = 365 * day;
const key = new Uint8Array(32).fill(7);
const subjectPass = { key, periodMs: 2 * day };
const unverified: Partial<DeliveryFacts> = {
  msgFromValidated: false,
  mailFromValidated: false,
  ehloValidated: false,
  dkimDomains: [],
};
/** Same From domain, other address and everything else. */
const colleague = (n: number): Partial<Past> => ({
  ...stranger,
  msgFromLocalpart: `c${n}`,
  msgFromDomain: "sender.example",
  msgFromOrgDomain: "sender.example",
});
/** Same organizational domain only. */
const sibling: Partial<Past> = {
  ...stranger,
  msgFromLocalpart: "bob",
  msgFromDomain: "news.sender.example",
  msgFromOrgDomain: "sender.example",
};
/** Only the narrow network is the same; or only the middle one; or only the wide one. */
const sameIp: Partial<Past> = { ...stranger, networks: ["192.0.2.10", "192.0.2.0", "192.0.0.0"] };
const sameNet: Partial<Past> = { ...stranger, networks: ["192.0.2.11", "192.0.2.0", "192.0.0.0"] };
const sameWide: Partial<Past> = { ...stranger, networks: ["192.0.7.1", "192.0.7.0", "192.0.0.0"] };
/** Only the signature's domain, or only MAIL FROM, or only EHLO is the same. */
const sameDkim: Partial<Past> = { ...stranger, dkimDomains: ["esp.example", "sender.example"] };
const sameMailFrom: Partial<Past> = {
  ...stranger,
  mailFromLocalpart: "alice",
  mailFromDomain: "sender.example",
};
const sameMailFromDomain: Partial<Past> = { ...sameMailFrom, mailFromLocalpart: "other" };
const sameEhlo: Partial<Past> = { ...stranger, ehloDomain: "mx.sender.example" };
const fillRate = (networks: [string, string, string], times: number, size = 1000, age = 1000) =>
  ham({ ...stranger, networks, times, size, age, mailboxId: 99, notJunk: false });

const failureReport = {
  kind: "dmarc",
  domain: "ours.example",
  sourceIp: "192.0.2.7",
  delivery: "reject",
  dkimDomain: "",
  dkimSelector: "",
  spfDns: "",
  arrival: 0,
  incidents: 1,
  mailFrom: "",
  recipients: [],
  from: "",
  subject: "",
  messageId: "",
};
const dmarcReport = {
  version: "1.0",
  orgName: "",
  email: "",
  extraContactInfo: "",
  reportId: "1",
  begin: now / 1000 - 86400,
  end: now / 1000 - 1,
  errors: [],
  policy: { domain: "ours.example", adkim: "", aspf: "", p: "", sp: "", pct: 100, fo: "" } as const,
  records: [],
};
const tlsReport = {
  organizationName: "",
  begin: 0,
  end: 1,
  contactInfo: "",
  reportId: "1",
  policies: [{
    policyType: "sts" as const,
    policyString: [],
    policyDomain: "ours.example",
    mxHost: [],
    totalSuccessfulSessionCount: 1,
    totalFailureSessionCount: 0,
    failures: [],
  }],
};
const to = (over: Partial<AnalysisContext["destination"]>) => ({
  mailbox: "",
  rulesets: [],
  dmarcReports: false,
  tlsReports: false,
  ...over,
});
const header = (d: Decision, re: RegExp) => assert.match(d.headers.replaceAll("\r\n\t", " "), re);

const rows: Row[] = [
  // The From address.
  {
    name: "good mail from the verified address",
    past: [ham()],
    expect: ["in", "msgfromfull"],
    also: (d) => assert.equal(d.firstTimeSender, false),
  },
  {
    name: "junk from the verified address",
    past: [junk()],
    expect: ["temp", "msgfromfull"],
    also: (d) =>
      assert.deepEqual([d.toRejects, d.destinedMailboxId, d.message], [
        true,
        inbox,
        "error processing",
      ]),
  },
  {
    name: "newest is junk, the one before was good: a mistake may be",
    past: [junk(), ham({ age: 2 * day })],
    expect: ["in", "msgfromfull"],
  },
  {
    name: "newest two are junk, older were good",
    past: [junk(), junk({ age: 2 * day }), ham({ age: 3 * day, times: 5 })],
    expect: ["temp", "msgfromfull"],
  },
  {
    name: "newest is good, older were junk",
    past: [ham(), junk({ age: 2 * day, times: 9 })],
    expect: ["in", "msgfromfull"],
  },
  {
    name: "marked both junk and not junk says nothing",
    past: [junk({ notJunk: true, ...colleague(1) })],
    expect: ["in", "no-bad-signals"],
  },
  {
    name: "unmarked messages say nothing",
    past: [ham({ notJunk: false, times: 5 })],
    expect: ["in", "no-bad-signals"],
    also: (d) => assert.equal(d.firstTimeSender, true),
  },
  {
    name: "expunged messages say nothing",
    past: [junk({ expunged: true })],
    expect: ["in", "no-bad-signals"],
  },
  {
    name: "older than three years says nothing of the address",
    past: [junk({ age: 3 * year + day })],
    expect: ["in", "no-bad-signals"],
  },
  {
    name: "just under three years still does",
    past: [junk({ age: 3 * year - day })],
    expect: ["temp", "msgfromfull"],
  },
  {
    name: "history of another mailbox says nothing",
    past: [junk({ mailboxId: lists })],
    expect: ["in", "no-bad-signals"],
  },
  {
    name: "a message still in Rejects says nothing",
    past: [ham({ mailboxId: rejects })],
    message: { junk: content(0.99) },
    expect: ["temp", "junk-content"],
  },
  {
    name: "moved out of Rejects it counts for the mailbox it was destined for",
    past: [ham({ mailboxId: inbox })],
    message: { junk: content(0.99) },
    expect: ["in", "msgfromfull"],
  },
  {
    name: "unverified history does not speak for a verified message",
    past: [ham({ ...unverified, ...{ networks: ["", "", ""] } })],
    message: { junk: content(0.99) },
    expect: ["temp", "junk-content"],
  },
  {
    name: "good unverified mail like this unverified one is inconclusive",
    past: [ham(unverified)],
    facts: unverified,
    message: { junk: content(0.99) },
    expect: ["temp", "junk-content"],
  },
  {
    name: "junk unverified mail like this one is inconclusive, iprev passes",
    past: [junk(unverified)],
    facts: unverified,
    message: { junk: content(0.1) },
    expect: ["in", "no-bad-signals"],
  },
  {
    name: "unverified though good mail was verified: content decides",
    past: [ham()],
    facts: unverified,
    message: { junk: content(0.1) },
    expect: ["in", "no-bad-signals"],
  },
  {
    name: "unverified, and junk was verified",
    past: [junk()],
    facts: unverified,
    expect: ["temp", "msgfromfull"],
  },
  // Messages the user sent.
  {
    name: "user wrote to the address",
    sent: [sent("alice@sender.example", "sender.example")],
    message: { junk: content(1) },
    expect: ["in", "msgtofull"],
  },
  {
    name: "user wrote to the address, which can't be verified now",
    sent: [sent("alice@sender.example", "sender.example")],
    facts: unverified,
    expect: ["in", "msgtofull"],
  },
  {
    name: "user wrote to the address long ago",
    sent: [sent("alice@sender.example", "sender.example", 4 * year)],
    expect: ["in", "no-bad-signals"],
  },
  {
    name: "junk from the address weighs more than having written to it",
    past: [junk()],
    sent: [sent("alice@sender.example", "sender.example")],
    expect: ["temp", "msgfromfull"],
  },
  {
    name: "user wrote to the address: junk from its domain doesn't matter",
    past: [1, 2, 3, 4].map((n) => junk(colleague(n))),
    sent: [sent("alice@sender.example", "sender.example")],
    expect: ["in", "msgtofull"],
  },
  {
    name: "user wrote to the domain",
    sent: [sent("bob@sender.example", "sender.example")],
    message: { junk: content(1) },
    expect: ["in", "msgtodomain"],
  },
  {
    name: "user wrote to the organizational domain",
    sent: [sent("bob@a.sender.example", "sender.example")],
    message: { junk: content(1) },
    expect: ["in", "msgtoorgdomain"],
  },
  {
    name: "user wrote to the domain more than two years ago",
    sent: [sent("bob@sender.example", "sender.example", 2.5 * year)],
    expect: ["in", "no-bad-signals"],
  },
  // The domain.
  {
    name: "good mail from the domain",
    past: [ham(colleague(1))],
    message: { junk: content(1) },
    expect: ["in", "msgfromdomain"],
  },
  {
    name: "good mail from the domain with a little junk",
    past: [ham({ ...colleague(1), times: 9 }), junk(colleague(2))],
    expect: ["in", "msgfromdomain"],
  },
  {
    name: "good mail and junk from the domain: content decides",
    past: [ham({ ...colleague(1), times: 3 }), junk(colleague(2))],
    message: { junk: content(0.99) },
    expect: ["temp", "junk-content"],
  },
  {
    name: "junk from three addresses of the domain",
    past: [1, 2, 3].map((n) => junk(colleague(n))),
    expect: ["temp", "msgfromdomain"],
  },
  {
    name: "junk from two addresses of the domain is inconclusive",
    past: [1, 2].map((n) => junk(colleague(n))),
    message: { spf: "none" },
    expect: ["in", "no-bad-signals"],
  },
  {
    name: "SPF fail of a domain of which there is only junk, though it decides nothing",
    past: [1, 2].map((n) => junk(colleague(n))),
    message: { spf: "fail" },
    expect: ["temp", "spf-policy"],
  },
  {
    name: "domain's history older than two years says nothing",
    past: [1, 2, 3].map((n) => junk({ ...colleague(n), age: 2 * year + day })),
    expect: ["in", "no-bad-signals"],
  },
  {
    name: "unverified, and all of the domain was verified junk",
    past: [1, 2].map((n) => junk(colleague(n))),
    facts: unverified,
    expect: ["temp", "msgfromdomain"],
  },
  {
    name: "unverified, and the domain's good mail was verified: inconclusive junk",
    past: [ham(colleague(1))],
    facts: unverified,
    message: { junk: content(0.1) },
    expect: ["in", "no-bad-signals"],
  },
  {
    name: "good mail from a subdomain's sibling",
    past: [ham(sibling)],
    message: { junk: content(1) },
    expect: ["in", "msgfromorgdomain"],
  },
  {
    name: "the domain decides before the organizational domain",
    past: [
      ham(colleague(1)),
      ...[1, 2, 3].map((n) => junk({ ...sibling, msgFromLocalpart: `s${n}` })),
    ],
    expect: ["in", "msgfromdomain"],
  },
  {
    name: "junk from three addresses of the organizational domain",
    past: [1, 2, 3].map((n) => junk({ ...sibling, msgFromLocalpart: `s${n}` })),
    expect: ["temp", "msgfromorgdomain"],
  },
  // DKIM and SPF identities.
  {
    name: "good mail with the same signing domain",
    past: [ham(sameDkim)],
    message: { junk: content(1) },
    expect: ["in", "dkimspf"],
    also: (d) => assert.equal(d.firstTimeSender, true),
  },
  {
    name: "one junk message with the same signing domain is inconclusive",
    past: [junk(sameDkim)],
    expect: ["in", "no-bad-signals"],
  },
  {
    name: "two junk messages with the same signing domain",
    past: [junk({ ...sameDkim, times: 2 })],
    expect: ["temp", "dkimspf"],
  },
  {
    name: "good mail with the same MAIL FROM",
    past: [ham(sameMailFrom)],
    message: { junk: content(1) },
    expect: ["in", "dkimspf"],
  },
  {
    name: "junk with the same MAIL FROM domain",
    past: [junk({ ...sameMailFromDomain, times: 2 })],
    expect: ["temp", "dkimspf"],
  },
  {
    name: "the same MAIL FROM goes before its domain",
    past: [ham(sameMailFrom), junk({ ...sameMailFromDomain, times: 9 })],
    expect: ["in", "dkimspf"],
  },
  {
    name: "MAIL FROM that did not pass SPF is no identity",
    past: [junk({ ...sameMailFrom, times: 9 })],
    facts: { mailFromValidated: false, dkimDomains: [] },
    expect: ["in", "no-bad-signals"],
  },
  {
    name: "EHLO counts for the null sender",
    past: [junk({ ...sameEhlo, times: 2 })],
    facts: { mailFromDomain: "", mailFromLocalpart: "" },
    expect: ["temp", "dkimspf"],
  },
  {
    name: "good signature and junk MAIL FROM: content decides",
    past: [ham(sameDkim), junk({ ...sameMailFrom, times: 3 })],
    message: { junk: content(0.99) },
    expect: ["temp", "junk-content"],
  },
  {
    name: "identities are forgotten after half a year",
    past: [junk({ ...sameDkim, times: 5, age: year / 2 + day })],
    expect: ["in", "no-bad-signals"],
  },
  // IP address and networks.
  {
    name: "one good message from the IP is inconclusive",
    past: [ham(sameIp)],
    message: { junk: content(0.99) },
    expect: ["temp", "junk-content"],
  },
  {
    name: "two good messages from the IP",
    past: [ham({ ...sameIp, times: 2 })],
    message: { junk: content(0.99) },
    expect: ["in", "ip1"],
  },
  {
    name: "two junk messages from the IP",
    past: [junk({ ...sameIp, times: 2 })],
    expect: ["temp", "ip1"],
  },
  {
    name: "good mail and junk from the IP is inconclusive",
    past: [junk({ ...sameIp, times: 2 }), ham({ ...sameIp, times: 2 })],
    expect: ["in", "no-bad-signals"],
  },
  {
    name: "four junk messages from the network are too few",
    past: [junk({ ...sameNet, times: 4 })],
    expect: ["in", "no-bad-signals"],
  },
  {
    name: "five junk messages from the network",
    past: [junk({ ...sameNet, times: 5 })],
    expect: ["temp", "ip2"],
  },
  {
    name: "nine junk messages from the wider network are too few",
    past: [junk({ ...sameWide, times: 9 })],
    expect: ["in", "no-bad-signals"],
  },
  {
    name: "ten junk messages from the wider network",
    past: [junk({ ...sameWide, times: 10 })],
    expect: ["temp", "ip3"],
  },
  {
    name: "the IP decides before its network",
    past: [ham({ ...sameIp, times: 2 }), junk({ ...sameNet, times: 9 })],
    expect: ["in", "ip1"],
  },
  {
    name: "IPs are forgotten after a quarter of a year",
    past: [junk({ ...sameIp, times: 9, age: year / 4 + day })],
    expect: ["in", "no-bad-signals"],
  },
  // SPF and iprev of strangers.
  {
    name: "stranger whose DMARC policy can't be looked up",
    message: { dmarc: { use: true, pass: false, reject: false, temporary: true } },
    expect: ["temp", "dns-temporary"],
  },
  {
    name: "stranger whose SPF can't be looked up",
    message: { spf: "temperror", signatures: [] },
    expect: ["temp", "dns-temporary"],
  },
  { name: "stranger with SPF fail", message: { spf: "fail" }, expect: ["temp", "spf-policy"] },
  {
    name: "stranger with SPF softfail",
    message: { spf: "softfail" },
    expect: ["temp", "spf-policy"],
  },
  {
    name: "stranger with SPF neutral",
    message: { spf: "neutral" },
    expect: ["in", "no-bad-signals"],
  },
  {
    name: "SPF fail of a known domain with mixed history: content decides",
    past: [ham(colleague(1)), junk(colleague(2))],
    message: { spf: "fail" },
    expect: ["in", "no-bad-signals"],
  },
  {
    name: "bad iprev and a mild junk signal",
    past: [junk(sameIp)],
    message: { iprevPass: false },
    expect: ["temp", "iprev"],
  },
  { name: "bad iprev alone", message: { iprevPass: false }, expect: ["in", "no-bad-signals"] },
  // Subject pass.
  {
    name: "valid subject pass",
    message: {
      subjectPass,
      junk: content(1),
      subject: `hello ${generateSubjectPass("alice@sender.example", key, now - day)}`,
    },
    expect: ["in", "subjectpass"],
  },
  {
    name: "expired subject pass",
    message: {
      subjectPass,
      junk: content(1),
      subject: `hello ${generateSubjectPass("alice@sender.example", key, now - 3 * day)}`,
    },
    expect: ["temp", "junk-content"],
  },
  {
    name: "subject pass of someone else",
    message: {
      subjectPass,
      junk: content(1),
      subject: `hello ${generateSubjectPass("bob@sender.example", key, now)}`,
    },
    expect: ["temp", "junk-content"],
  },
  {
    name: "subject pass does not outweigh bad reputation",
    past: [junk()],
    message: { subjectPass, subject: generateSubjectPass("alice@sender.example", key, now) },
    expect: ["temp", "msgfromfull"],
  },
  {
    name: "subject pass is offered in a block list's rejection",
    message: { subjectPass, dnsbls: [{ zone: "bl.example", listed: () => Promise.resolve(true) }] },
    expect: ["perm", "give-subjectpass"],
    also: (d) => assert.match(d.message, /add.*subject: \(pass:[A-Za-z0-9_-]{22}\)$/),
  },
  {
    name: "subject pass is not offered without DMARC pass",
    message: {
      subjectPass,
      dmarc: { use: true, pass: false, reject: false },
      dnsbls: [{ zone: "bl.example", listed: () => Promise.resolve(true) }],
    },
    expect: ["temp", "dns-blocklisted"],
  },
  {
    name: "subject pass is not offered for what is surely junk",
    message: { subjectPass, junk: content(1) },
    expect: ["temp", "junk-content"],
  },
  // Content.
  {
    name: "junk content",
    message: { junk: content(0.96) },
    expect: ["temp", "junk-content"],
    also: (d) =>
      header(
        d,
        /^X-Mox-Reason: junk-content; dmarc ok; .*content: junk, spamscore 0.96, threshold 0.95 /,
      ),
  },
  {
    name: "content below the threshold",
    message: { junk: content(0.94) },
    expect: ["in", "no-bad-signals"],
  },
  {
    name: "jitter lowers the threshold",
    message: { junk: content(0.94), random: () => 0 },
    expect: ["temp", "junk-content"],
  },
  {
    name: "too little training is not significant",
    message: { junk: content(1, false) },
    expect: ["in", "no-bad-signals"],
  },
  {
    name: "too little training, but bad iprev",
    message: { junk: content(1, false), iprevPass: false },
    expect: ["temp", "junk-content-strict"],
  },
  {
    name: "stricter without TLS",
    message: { junk: content(0.96), tls: false },
    expect: ["temp", "junk-content-strict"],
  },
  {
    name: "stricter with bad iprev",
    message: { junk: content(0.96), iprevPass: false },
    expect: ["temp", "junk-content-strict"],
  },
  {
    name: "stricter without own address in To or Cc",
    message: { junk: content(0.96), toCc: ["list@else.example"] },
    expect: ["temp", "junk-content-strict"],
  },
  {
    name: "content that says nothing refuses nothing, however it came",
    message: { junk: content(0.5, true, 0), tls: false, iprevPass: false, toCc: [] },
    expect: ["in", "no-bad-signals"],
  },
  {
    name: "content that says little is not junk, with the strict threshold too",
    message: { junk: content(0.55), tls: false },
    expect: ["in", "no-bad-signals"],
  },
  {
    name: "junk that isn't certain goes to the junk mailbox",
    message: { junk: content(0.999), junkMailbox: "Junk" },
    expect: ["in", "junk-mailbox"],
    also: (d) =>
      assert.deepEqual([d.mailbox, d.isReject, d.firstTimeSender], ["Junk", false, true]),
  },
  {
    name:
      "junk that comes in a way of junk goes there too, while it isn't above the usual threshold",
    message: { junk: content(0.8), junkMailbox: "Junk", tls: false },
    expect: ["in", "junk-mailbox"],
  },
  {
    name: "what is certain is refused",
    message: { junk: content(0.99999), junkMailbox: "Junk" },
    expect: ["temp", "junk-content"],
  },
  {
    name: "and what is junk in any case and comes in a way of junk",
    message: { junk: content(0.96), junkMailbox: "Junk", tls: false },
    expect: ["temp", "junk-content-strict"],
  },
  {
    name: "signs of phishing send a stranger's message to the junk mailbox, untrained",
    message: {
      junk: content(0.5, false, 0),
      junkMailbox: "Junk",
      signals: () => [{ kind: "lookalike", text: "looks like another", weight: 4 }],
    },
    expect: ["in", "phishing-signals"],
    also: (d) => {
      assert.equal(d.mailbox, "Junk");
      assert.match(d.headers.replace(/\s+/g, " "), /phishing signals: lookalike, weight 4 of 4/);
    },
  },
  {
    name: "few of them don't",
    message: {
      junk: content(0.5, false, 0),
      junkMailbox: "Junk",
      signals: () => [{ kind: "html-only", text: "no plain text", weight: 1 }],
    },
    expect: ["in", "no-bad-signals"],
  },
  {
    name: "nor do they where a trained filter knows the content to be good",
    message: {
      junk: content(0.01),
      junkMailbox: "Junk",
      signals: () => [{ kind: "lookalike", text: "looks like another", weight: 4 }],
    },
    expect: ["in", "no-bad-signals"],
  },
  {
    name: "without a junk mailbox they refuse nothing",
    message: { signals: () => [{ kind: "lookalike", text: "looks like another", weight: 4 }] },
    expect: ["in", "no-bad-signals"],
  },
  {
    name: "own address in To in other case",
    message: { junk: content(0.5), toCc: ["ME@Ours.Example"] },
    expect: ["in", "no-bad-signals"],
  },
  {
    name: "the strict threshold still lets good content in",
    message: { junk: content(0.2), tls: false, iprevPass: false, toCc: [] },
    expect: ["in", "no-bad-signals"],
  },
  {
    name: "a filter that fails",
    message: {
      junk: {
        threshold: 0.95,
        refuseThreshold: 0.9999,
        classify: () => {
          throw new Error("disk");
        },
      },
    },
    expect: ["temp", "junk-classify-error"],
    also: (d) =>
      assert.deepEqual([d.userError, d.toRejects, (d.error as Error).message], [
        false,
        false,
        "disk",
      ]),
  },
  // Block lists.
  {
    name: "in a DNS block list",
    message: {
      dnsbls: [{ zone: "a.example", listed: () => Promise.resolve(false) }, {
        zone: "b.example",
        listed: () => Promise.resolve(true),
      }],
    },
    expect: ["temp", "dns-blocklisted"],
    also: (d) => header(d, /ip is listed in dnsbl b\.example/),
  },
  {
    name: "block lists aren't asked for known senders",
    past: [ham()],
    message: { dnsbls: [{ zone: "b.example", listed: () => Promise.reject(new Error("asked")) }] },
    expect: ["in", "msgfromfull"],
  },
  // DMARC.
  {
    name: "DMARC reject",
    past: [ham()],
    message: { dmarc: { use: true, pass: false, reject: true } },
    expect: ["perm", "dmarc-policy"],
    also: (d) => assert.deepEqual([d.code, d.enhancedCode], [550, "5.7.26"]),
  },
  {
    name: "DMARC reject where it isn't used",
    message: { dmarc: { use: false, pass: false, reject: true } },
    expect: ["in", "no-bad-signals"],
  },
  // Rulesets.
  {
    name: "list allowed by SPF domain, in spite of DMARC",
    message: {
      dmarc: { use: true, pass: false, reject: true },
      destination: to({
        rulesets: [
          ruleset({
            SMTPMailFromRegexp: "@sender\\.example$",
            ListAllowDomain: "sender.example",
            Mailbox: "lists/a",
          }),
        ],
      }),
    },
    expect: ["in", "list-allow"],
    also: (d) =>
      assert.deepEqual([d.mailbox, d.facts.isMailingList, d.dmarcOverride, d.firstTimeSender], [
        "lists/a",
        true,
        "mailing_list",
        false,
      ]),
  },
  {
    name: "list allowed by signature",
    facts: { mailFromValidated: false },
    message: {
      destination: to({
        rulesets: [
          ruleset({
            HeadersRegexp: { "^list-id$": "<a\\.sender" },
            ListAllowDomain: "sender.example",
            Mailbox: "lists/a",
          }),
        ],
      }),
      headers: [["List-Id", "My List <A.sender.example>"]],
    },
    expect: ["in", "list-allow"],
  },
  {
    name: "list that doesn't verify goes through the analysis for its mailbox",
    past: [junk({ mailboxId: lists })],
    message: {
      destination: to({
        rulesets: [
          ruleset({
            MsgFromRegexp: "^alice@",
            ListAllowDomain: "lists.example",
            Mailbox: "lists/a",
          }),
        ],
      }),
    },
    expect: ["temp", "msgfromfull"],
    also: (d) => assert.deepEqual([d.mailbox, d.destinedMailboxId], ["lists/a", lists]),
  },
  {
    name: "ruleset that doesn't match is no rule",
    message: {
      destination: to({
        rulesets: [
          ruleset({ MsgFromRegexp: "^bob@", VerifiedDomain: "sender.example", Mailbox: "lists/a" }),
        ],
      }),
    },
    expect: ["in", "no-bad-signals"],
    also: (d) => assert.equal(d.mailbox, "Inbox"),
  },
  {
    name: "ruleset without conditions matches nothing",
    message: { destination: to({ rulesets: [ruleset({ Mailbox: "lists/a" })] }) },
    expect: ["in", "no-bad-signals"],
    also: (d) => assert.equal(d.mailbox, "Inbox"),
  },
  {
    name: "forwarded: no DMARC, SPF of the forwarder says nothing, its history neither",
    past: [junk({ ...sameIp, times: 9 }), junk({ ...sameMailFrom, times: 9 })],
    facts: { dkimDomains: ["sender.example"] },
    message: {
      spf: "fail",
      dmarc: { use: true, pass: false, reject: true },
      toCc: ["old@else.example"],
      junk: content(0.5),
      destination: to({
        rulesets: [ruleset({ VerifiedDomain: "sender.example", IsForward: true })],
      }),
    },
    expect: ["in", "no-bad-signals"],
    also: (d) =>
      assert.deepEqual([
        d.facts.isForward,
        d.facts.networks,
        d.facts.dkimDomains,
        d.facts.mailFromDomain,
        d.dmarcOverride,
      ], [true, ["", "", ""], [], "", "forwarded"]),
  },
  {
    name: "forwarded: the original sender's history counts",
    past: [junk()],
    message: {
      destination: to({
        rulesets: [ruleset({ VerifiedDomain: "mx.sender.example", IsForward: true })],
      }),
    },
    expect: ["temp", "msgfromfull"],
  },
  {
    name: "rejects accepted to a mailbox",
    past: [junk()],
    message: {
      destination: to({
        rulesets: [ruleset({ VerifiedDomain: "sender.example", AcceptRejectsToMailbox: "Maybe" })],
      }),
    },
    expect: ["in", "msgfromfull"],
    also: (d) =>
      assert.deepEqual([d.mailbox, d.isReject, d.toRejects, d.destinedMailboxId], [
        "Maybe",
        true,
        false,
        inbox,
      ]),
  },
  // Reports.
  {
    name: "authenticated DMARC report",
    message: {
      dmarcReport: () => dmarcReport,
      junk: content(1),
      destination: to({ dmarcReports: true }),
    },
    expect: ["in", "reporting"],
    also: (d) => assert.equal(d.dmarcReport, dmarcReport),
  },
  {
    name: "authenticated DMARC failure report",
    message: {
      failureReport: () => failureReport,
      junk: content(1),
      destination: to({ dmarcReports: true }),
    },
    expect: ["in", "reporting"],
    also: (d) => assert.deepEqual([d.failureReport, d.dmarcReport], [failureReport, undefined]),
  },
  {
    name: "DMARC failure report without DMARC pass",
    message: {
      failureReport: () => failureReport,
      dmarc: { use: true, pass: false, reject: false },
      destination: to({ dmarcReports: true }),
    },
    expect: ["in", "no-bad-signals"],
    also: (d) => assert.equal(d.failureReport, undefined),
  },
  {
    name: "DMARC failure report for another domain",
    message: {
      failureReport: () => ({ ...failureReport, domain: "else.example" }),
      destination: to({ dmarcReports: true }),
    },
    expect: ["in", "no-bad-signals"],
    also: (d) => header(d, /failure report for unknown domain/),
  },
  {
    name: "DMARC report without DMARC pass",
    message: {
      dmarcReport: () => dmarcReport,
      dmarc: { use: true, pass: false, reject: false },
      destination: to({ dmarcReports: true }),
    },
    expect: ["in", "no-bad-signals"],
    also: (d) => {
      assert.equal(d.dmarcReport, undefined);
      header(d, /X-Mox-DMARCReport-Error: no DMARC pass\r\n/);
    },
  },
  {
    name: "DMARC report for another domain",
    message: {
      dmarcReport: () => ({
        ...dmarcReport,
        policy: { ...dmarcReport.policy, domain: "else.example" },
      }),
      destination: to({ dmarcReports: true }),
    },
    expect: ["in", "no-bad-signals"],
    also: (d) => header(d, /published policy domain unrecognized/),
  },
  {
    name: "DMARC report from the future",
    message: {
      dmarcReport: () => ({ ...dmarcReport, end: now / 1000 + 3600 }),
      destination: to({ dmarcReports: true }),
    },
    expect: ["in", "no-bad-signals"],
    also: (d) => header(d, /end date in the future/),
  },
  {
    name: "DMARC report of a sender of junk",
    past: [junk()],
    message: { dmarcReport: () => dmarcReport, destination: to({ dmarcReports: true }) },
    expect: ["temp", "msgfromfull"],
    also: (d) => assert.equal(d.dmarcReport, undefined),
  },
  {
    name: "signed TLS report",
    message: { tlsReport: () => tlsReport, destination: to({ tlsReports: true }) },
    expect: ["in", "reporting"],
    also: (d) => assert.equal(d.tlsReport, tlsReport),
  },
  {
    name: "TLS report with a partial signature",
    message: {
      tlsReport: () => tlsReport,
      signatures: [{ domain: "sender.example", pass: true, partial: true, tlsrptAllowed: true }],
      destination: to({ tlsReports: true }),
    },
    expect: ["in", "no-bad-signals"],
    also: (d) => header(d, /X-Mox-TLSReport-Error: no acceptable DKIM signature/),
  },
  {
    name: "TLS report signed by the top-level domain",
    message: {
      tlsReport: () => tlsReport,
      signatures: [{ domain: "example", pass: true, partial: false, tlsrptAllowed: true }],
      destination: to({ tlsReports: true }),
    },
    expect: ["in", "no-bad-signals"],
  },
  // Rates.
  {
    name: "too many messages from the IP in a minute",
    past: [fillRate(facts().networks, 500)],
    expect: ["temp", "high-rate"],
    also: (d) =>
      assert.deepEqual([
        d.code,
        d.enhancedCode,
        d.toRejects,
        /500 messages in the past minute/.test(d.message),
      ], [452, "4.2.2", false, true]),
  },
  {
    name: "one fewer is let in",
    past: [fillRate(facts().networks, 499)],
    expect: ["in", "no-bad-signals"],
  },
  {
    name: "the same number an hour ago",
    past: [fillRate(facts().networks, 500, 1000, 3600_000)],
    expect: ["in", "no-bad-signals"],
  },
  {
    name: "too many bytes from the network in a day",
    past: [fillRate(["192.0.2.99", "192.0.2.0", "192.0.0.0"], 9, 1000 * 1024 * 1024, day / 2)],
    expect: ["temp", "high-rate"],
    also: (d) => assert.match(d.message, /bytes in the past day/),
  },
  {
    name: "high rate goes before list rules and isn't accepted as a reject",
    past: [fillRate(facts().networks, 500)],
    message: {
      destination: to({
        rulesets: [
          ruleset({
            VerifiedDomain: "sender.example",
            ListAllowDomain: "sender.example",
            AcceptRejectsToMailbox: "Maybe",
          }),
        ],
      }),
    },
    expect: ["temp", "high-rate"],
  },
  // Odd messages.
  {
    name: "no valid From: identities decide",
    past: [ham({ ...stranger, dkimDomains: ["sender.example"] })],
    facts: {
      msgFromLocalpart: "",
      msgFromDomain: "",
      msgFromOrgDomain: "",
      msgFromValidated: false,
    },
    message: { from: undefined },
    expect: ["in", "dkimspf"],
  },
  {
    name: "nothing known at all",
    facts: {
      ...unverified,
      msgFromLocalpart: "",
      msgFromDomain: "",
      msgFromOrgDomain: "",
      mailFromDomain: "",
      mailFromLocalpart: "",
      ehloDomain: "",
      networks: ["", "", ""],
    },
    message: { from: undefined, spf: "none", toCc: [] },
    expect: ["in", "no-bad-signals"],
  },
  {
    name: "mailbox that doesn't exist has no history but the user's own mail",
    past: [junk({ mailboxId: 0 })],
    sent: [sent("bob@sender.example", "sender.example")],
    message: { destination: to({ mailbox: "New" }), mailboxId: () => asMailboxId(77) },
    expect: ["in", "msgtodomain"],
    also: (d) => assert.equal(d.mailbox, "New"),
  },
  {
    name: "a database that fails is our failure",
    message: {
      mailboxId: () => {
        throw new Error("disk");
      },
    },
    expect: ["temp", "reputation-error"],
    also: (d) => assert.deepEqual([d.userError, d.toRejects], [false, false]),
  },
];

function check(row: Row, d: Decision): void {
  const how = d.accept ? "in" : d.code < 500 ? "temp" : "perm";
  assert.deepEqual([how, d.reason], row.expect, d.reasonText.join("; "));
  assert.ok(d.headers.startsWith(`X-Mox-Reason: ${d.reason}`), d.headers);
  row.also?.(d);
}

Deno.test(`the analysis decides as expected in ${rows.length} scenarios`, async (t) => {
  assert.ok(rows.length >= 60);
  assert.equal(new Set(rows.map((r) => r.name)).size, rows.length);
  for (const row of rows) {
    await t.step(row.name, async () => {
      const c = message({ facts: facts(row.facts), ...row.message });
      c.history = memoryHistory(row.past ?? [], row.sent ?? []);
      check(row, await analyze(c));
    });
  }
});

Deno.test("an account's database answers as the history in memory does, in all scenarios", async () => {
  const dir = await Deno.makeTempDir();
  const db = await Db.open(`${dir}/index.db`, accountMigrations);
  try {
    for (const row of rows) {
      fillHistory(db, row.past ?? [], row.sent ?? []);
      const c = message({ facts: facts(row.facts), ...row.message, history: accountHistory(db) });
      try {
        check(row, await analyze(c));
      } catch (err) {
        throw new Error(row.name, { cause: err });
      }
    }
  } finally {
    await db.close();
    await Deno.remove(dir, { recursive: true });
  }
});
