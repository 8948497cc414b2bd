/** Steps of the analysis at their edges, each with what it says and what becomes of the message. */
import assert from "node:assert/strict";
import { strictBecause } from "../../src/delivery/analysis_content.ts";
import { analyze, sortOnly } from "../../src/delivery/analysis_decide.ts";
import type { AnalysisState } from "../../src/delivery/analysis_steps.ts";
import { generateSubjectPass, verifySubjectPass } from "../../src/delivery/analysis_subjectpass.ts";
import type { AnalysisContext, Decision } from "../../src/delivery/analysis_types.ts";
import {
  content,
  day,
  facts,
  ham,
  junk,
  memoryHistory,
  message,
  now,
  ruleset,
  stranger,
} from "./scenario.ts";

/** Decision as `reason code`, or `reason` for what is accepted. */
const shown = (d: Decision) => d.accept ? d.reason : `${d.reason} ${d.code} ${d.enhancedCode}`;
const result = async (over: Partial<AnalysisContext>) => shown(await analyze(message(over)));

const signed = [{ domain: "sender.example", pass: true, partial: false, tlsrptAllowed: false }];
const broken = signed.map((s) => ({ ...s, pass: false }));
const known = memoryHistory([ham()], []);

Deno.test("what the DNS can't tell now is asked for again, unless the message is signed or its sender known", async () => {
  const dmarc = { use: true, pass: false, reject: false };
  const wait = "dns-temporary 451 4.4.3";
  const cases: [what: string, over: Partial<AnalysisContext>, want: string][] = [
    ["SPF, unsigned", { spf: "temperror", signatures: [] }, wait],
    ["SPF, broken signature", { spf: "temperror", signatures: broken }, wait],
    ["SPF, signed", { spf: "temperror", signatures: signed }, "no-bad-signals"],
    [
      "SPF, one of two signatures",
      { spf: "temperror", signatures: [...broken, ...signed] },
      "no-bad-signals",
    ],
    ["SPF, known", { spf: "temperror", signatures: [], history: known }, "msgfromfull"],
    ["another error of SPF", { spf: "permerror", signatures: [] }, "no-bad-signals"],
    ["DMARC, signed", { dmarc: { ...dmarc, temporary: true }, signatures: signed }, wait],
    ["DMARC, known", { dmarc: { ...dmarc, temporary: true }, history: known }, "msgfromfull"],
  ];
  for (const [what, over, want] of cases) assert.equal(await result(over), want, what);
  const d = await analyze(message({ spf: "temperror", signatures: [] }));
  // Not kept in Rejects: it comes again.
  assert.deepEqual([d.toRejects, d.userError, d.spamScore], [false, true, undefined]);
});

Deno.test("SPF that fails speaks against senders that aren't known", async () => {
  const suspicious = { ...stranger, msgFromValidated: false };
  const cases: [AnalysisContext["spf"], Partial<AnalysisContext>, string][] = [
    ["fail", {}, "spf-policy 451 4.3.0"],
    ["softfail", {}, "spf-policy 451 4.3.0"],
    ["neutral", {}, "no-bad-signals"],
    ["none", {}, "no-bad-signals"],
    ["permerror", {}, "no-bad-signals"],
    ["fail", { history: known }, "msgfromfull"],
    // Junk that decided nothing doesn't make a sender known.
    [
      "fail",
      {
        history: memoryHistory([junk({ msgFromValidated: false })], []),
        facts: facts({ msgFromValidated: false }),
      },
      "spf-policy 451 4.3.0",
    ],
    ["fail", { facts: facts(suspicious) }, "spf-policy 451 4.3.0"],
  ];
  for (const [spf, over, want] of cases) assert.equal(await result({ spf, ...over }), want, spf);
  const forward = ruleset({
    MsgFromRegexp: ".",
    IsForward: true,
    VerifiedDomain: "sender.example",
  });
  const destination = { mailbox: "", rulesets: [forward], dmarcReports: false, tlsReports: false };
  for (const spf of ["fail", "temperror"] as const) {
    assert.equal(await result({ spf, signatures: [], destination }), "no-bad-signals", spf);
  }
});

Deno.test("the policy of DMARC is followed, but not for what is forwarded or where it is not used", async () => {
  const dmarc = { use: true, pass: false, reject: true };
  assert.equal(await result({ dmarc }), "dmarc-policy 550 5.7.26");
  assert.equal(await result({ dmarc: { ...dmarc, use: false } }), "no-bad-signals");
  assert.equal(await result({ dmarc: { ...dmarc, reject: false } }), "no-bad-signals");
  const forward = ruleset({
    MsgFromRegexp: ".",
    IsForward: true,
    VerifiedDomain: "sender.example",
  });
  const destination = { mailbox: "", rulesets: [forward], dmarcReports: false, tlsReports: false };
  const d = await analyze(message({ dmarc, destination }));
  assert.deepEqual([shown(d), d.dmarcOverride, d.facts.isForward], [
    "no-bad-signals",
    "forwarded",
    true,
  ]);
  assert.equal((await analyze(message({ dmarc }))).dmarcOverride, "");
  const history = memoryHistory([ham()], []);
  assert.equal(await result({ dmarc, history }), "dmarc-policy 550 5.7.26", "before reputation");
});

Deno.test("an address without name is a mild signal: it decides with another one", async () => {
  const iprevPass = false;
  assert.equal(await result({ iprevPass }), "no-bad-signals");
  const once = memoryHistory([junk({ ...stranger, dkimDomains: ["sender.example"] })], []);
  assert.equal(await result({ history: once }), "no-bad-signals");
  assert.equal(await result({ iprevPass, history: once }), "iprev 451 4.3.0");
  assert.equal(await result({ iprevPass, history: known }), "msgfromfull");
});

Deno.test("content is junk above the threshold, which is stricter for what comes in a rare way", async () => {
  const at = (p: number, over: Partial<AnalysisContext> = {}, significant = true, evidence = 20) =>
    result({ junk: content(p, significant, evidence), ...over });
  assert.equal(await at(0.95), "no-bad-signals");
  assert.equal(await at(0.951), "junk-content 451 4.3.0");
  for (
    const over of [{ tls: false }, { iprevPass: false }, { toCc: ["x@ours.example"] }, { toCc: [] }]
  ) {
    assert.equal(await at(0.6, over), "no-bad-signals", JSON.stringify(over));
    assert.equal(await at(0.601, over), "junk-content-strict 451 4.3.0", JSON.stringify(over));
  }
  assert.equal(await at(0.7, { toCc: ["other@x.example", "ME@Ours.Example"] }), "no-bad-signals");
  // Without words that were seen before nothing is said.
  assert.equal(await at(0.99, {}, true, 0), "no-bad-signals");
  assert.equal(await at(0.99, {}, true, 1), "junk-content 451 4.3.0");
  // Too little training counts for suspicious senders only.
  assert.equal(await at(0.99, {}, false), "no-bad-signals");
  assert.equal(await at(0.99, { tls: false }, false), "no-bad-signals");
  assert.equal(await at(0.99, { iprevPass: false }, false), "junk-content-strict 451 4.3.0");
  const d = await analyze(message({ junk: content(0.3) }));
  assert.equal(d.spamScore, 0.3);
  assert.equal((await analyze(message({ history: known }))).spamScore, 0);
  assert.equal((await analyze(message())).spamScore, undefined);
});

Deno.test("the threshold varies by a twentieth up and down, less where it is near certain", async () => {
  const at = (probability: number, threshold: number, random: number) =>
    result({
      random: () => random,
      junk: {
        threshold,
        refuseThreshold: 1,
        classify: () => ({ probability, significant: true, evidence: 9, hams: [], spams: [] }),
      },
    });
  const good = "no-bad-signals";
  const bad = "junk-content 451 4.3.0";
  assert.deepEqual([await at(0.45, 0.5, 0), await at(0.4501, 0.5, 0)], [good, bad]);
  assert.deepEqual([await at(0.549, 0.5, 0.999), await at(0.551, 0.5, 0.999)], [good, bad]);
  assert.deepEqual([await at(0.964, 0.99, 0), await at(0.986, 0.99, 0)], [good, bad]);
  assert.deepEqual([await at(0.0049, 0.01, 0), await at(0.0051, 0.01, 0)], [good, bad]);
  assert.deepEqual([await at(1, 1, 0), await at(0.2, 0.9, 0)], [good, good]);
});

Deno.test("why the threshold is strict", () => {
  const s = (c: Partial<AnalysisContext>, over: Partial<AnalysisState> = {}) =>
    strictBecause(
      { c: message(c), facts: facts(), suspiciousIprev: false, ...over } as AnalysisState,
    );
  assert.equal(s({}), undefined);
  assert.equal(s({}, { suspiciousIprev: true }), "reverse ip mismatch");
  assert.equal(s({ tls: false }), "missing tls");
  assert.equal(s({ toCc: [] }), "recipient address not in to/cc");
  assert.equal(s({ toCc: [] }, { facts: facts({ isForward: true }) }), undefined);
});

Deno.test("junk goes to the Junk mailbox, if there is one, up to where it is refused", async () => {
  const at = async (p: number, over: Partial<AnalysisContext> = {}) => {
    const d = await analyze(message({ junk: content(p), junkMailbox: "Junk", ...over }));
    return [shown(d), d.mailbox, d.destinedMailboxId];
  };
  assert.deepEqual(await at(0.97), ["junk-mailbox", "Junk", 1]);
  assert.deepEqual(await at(0.9999), ["junk-mailbox", "Junk", 1]);
  assert.deepEqual(await at(0.99995), ["junk-content 451 4.3.0", "Inbox", 1]);
  assert.deepEqual(await at(0.5), ["no-bad-signals", "Inbox", 0]);
  // In a rare way it is refused above the account's own threshold.
  assert.deepEqual(await at(0.95, { tls: false }), ["junk-mailbox", "Junk", 1]);
  assert.deepEqual(await at(0.951, { tls: false }), ["junk-content-strict 451 4.3.0", "Inbox", 1]);
  assert.deepEqual(await at(0.97, { junkMailbox: undefined }), [
    "junk-content 451 4.3.0",
    "Inbox",
    1,
  ]);
});

Deno.test("a subject pass is offered to who is in From for sure, and whose content is moderate", async () => {
  const key = new Uint8Array(32);
  const subjectPass = { key, periodMs: day };
  const listed = [{ zone: "bl.example", listed: () => Promise.resolve(true) }];
  const offered = "give-subjectpass 550 5.7.1";
  const refused = "dns-blocklisted 451 4.3.0";
  const pass = { use: true, pass: true, reject: false };
  const cases: [what: string, over: Partial<AnalysisContext>, want: string][] = [
    ["listed", {}, offered],
    ["no subject passes", { subjectPass: undefined }, refused],
    ["no DMARC pass", { dmarc: { ...pass, pass: false } }, refused],
    ["nobody in From", { from: undefined }, refused],
    ["known before", {
      history: memoryHistory([
        ham(stranger),
        junk({ ...stranger, networks: ["192.0.2.10", "", ""] }),
      ], []),
    }, refused],
  ];
  for (const [what, over, want] of cases) {
    assert.equal(await result({ subjectPass, dnsbls: listed, ...over }), want, what);
  }
  assert.equal(
    await result({ subjectPass, junk: content(0.99) }),
    "junk-content 451 4.3.0",
    "not moderate",
  );
  const strict = { subjectPass, tls: false };
  assert.equal(await result({ ...strict, junk: content(0.61) }), "junk-content-strict 451 4.3.0");
  const d = await analyze(message({ subjectPass, dnsbls: listed }));
  const token = /\(pass:[\w-]+\)/.exec(d.message)![0];
  assert.equal(verifySubjectPass(token, "alice@sender.example", key, day, now), "ok");
  assert.equal(
    await result({ subjectPass, dnsbls: listed, subject: `hello ${token}` }),
    "subjectpass",
  );
});

Deno.test("a subject pass holds for its period and the unit of its time, not longer", () => {
  const key = new Uint8Array(32);
  const unit = 256_000;
  const made = Math.floor(now / unit) * unit;
  const token = generateSubjectPass("a@x.example", key, made);
  const at = (t: number) => verifySubjectPass(token, "a@x.example", key, day, t);
  assert.deepEqual([made - 1, made, made + day + unit, made + day + unit + 1].map(at), [
    "expired",
    "ok",
    "ok",
    "expired",
  ]);
  assert.equal(generateSubjectPass("a@x.example", key, made + unit - 1), token);
  assert.notEqual(generateSubjectPass("a@x.example", key, made + unit), token);
});

Deno.test("block lists are asked in order, until one has the address", async () => {
  const asked: string[] = [];
  const list = (zone: string, is: boolean) => ({
    zone,
    listed: () => {
      asked.push(zone);
      return Promise.resolve(is);
    },
  });
  const dnsbls = [list("a", false), list("b", true), list("c", true)];
  const d = await analyze(message({ dnsbls }));
  assert.deepEqual([shown(d), asked], ["dns-blocklisted 451 4.3.0", ["a", "b"]]);
  assert.match(d.reasonText.join("; "), /ip is listed in dnsbl b$/);
  asked.length = 0;
  assert.equal(await result({ dnsbls, junk: content(0.99) }), "junk-content 451 4.3.0");
  assert.deepEqual(asked, [], "not asked for what is refused anyway");
});

Deno.test("who writes first goes to the introbox, unless a rule, list or forwarder says where", async () => {
  const introbox = "Intro";
  const at = async (over: Partial<AnalysisContext>) => {
    const d = await analyze(message({ introbox, ...over }));
    return [d.mailbox, d.destinedMailboxId, d.firstTimeSender];
  };
  const rule = (over: Parameters<typeof ruleset>[0]) => ({
    mailbox: "",
    rulesets: [ruleset({ MsgFromRegexp: ".", ...over })],
    dmarcReports: false,
    tlsReports: false,
  });
  assert.deepEqual(await at({}), ["Intro", 1, true]);
  assert.deepEqual(await at({ introbox: "" }), ["Inbox", 0, true]);
  assert.deepEqual(await at({ introbox: undefined }), ["Inbox", 0, true]);
  assert.deepEqual(await at({ history: known }), ["Inbox", 0, false]);
  assert.deepEqual(await at({ destination: rule({ Mailbox: "lists/a" }) }), ["lists/a", 0, true]);
  const list = { ListAllowDomain: "sender.example" };
  assert.deepEqual(await at({ destination: rule(list) }), ["Inbox", 0, false]);
});

Deno.test("what is refused is kept in Rejects, or where a rule wants it, but not what floods or failed", async () => {
  const of = async (over: Partial<AnalysisContext>) => {
    const d = await analyze(message(over));
    return [d.accept, d.isReject, d.toRejects, d.userError, d.destinedMailboxId, d.mailbox];
  };
  const spf = "fail" as const;
  assert.deepEqual(await of({ spf }), [false, false, true, true, 1, "Inbox"]);
  const rule = {
    mailbox: "",
    rulesets: [ruleset({ MsgFromRegexp: ".", AcceptRejectsToMailbox: "lists/a" })],
    dmarcReports: false,
    tlsReports: false,
  };
  assert.deepEqual(await of({ spf, destination: rule }), [true, true, false, true, 1, "lists/a"]);
  const flood = {
    ...memoryHistory([], []),
    received: () => ({ count: 1e9, size: 0 }),
  };
  assert.deepEqual(await of({ history: flood, destination: rule }), [
    false,
    false,
    false,
    true,
    1,
    "Inbox",
  ]);
  const failing = {
    ...memoryHistory([], []),
    messages: () => {
      throw new Error("disk");
    },
  };
  assert.deepEqual(await of({ history: failing, destination: rule }), [
    false,
    false,
    false,
    false,
    0,
    "Inbox",
  ]);
  assert.equal(await result({ history: failing }), "reputation-error 451 4.3.0");
  const classify = () => {
    throw new Error("disk");
  };
  const filter = { threshold: 0.9, refuseThreshold: 1, classify };
  assert.equal(await result({ junk: filter }), "junk-classify-error 451 4.3.0");
});

Deno.test("sorting alone finds the rule's mailbox and refuses nothing", async () => {
  const rulesets = [ruleset({ MsgFromRegexp: "alice", Mailbox: "lists/a" })];
  const destination = { mailbox: "Main", rulesets, dmarcReports: false, tlsReports: false };
  const bad = { spf: "fail", dmarc: { use: true, pass: false, reject: true } } as const;
  const d = await sortOnly(message({ ...bad, destination }));
  assert.deepEqual([d.accept, d.mailbox, d.reason], [true, "lists/a", "no-bad-signals"]);
  assert.equal(
    (await sortOnly(message({ ...bad, destination: { ...destination, rulesets: [] } }))).mailbox,
    "Main",
  );
});

Deno.test("header fields are folded at 78 characters, words cut at 200, the whole at 2000", async () => {
  const spams = ["a".repeat(300), ...Array.from({ length: 300 }, (_, i) => `word${i}`)]
    .map((word) => ({ word, score: 0.9, ham: 0, spam: 1 }));
  const d = await analyze(message({
    junk: {
      threshold: 0.95,
      refuseThreshold: 1,
      classify: () => ({ probability: 0.1, significant: true, evidence: 9, hams: [], spams }),
    },
  }));
  const lines = d.headers.split("\r\n");
  assert.equal(lines.pop(), "");
  assert.ok(lines.slice(1).every((l) => l.startsWith("\t") && !/^\t\s/.test(l)));
  const long = lines.filter((l) => l.length > 78);
  assert.deepEqual(long.map((l) => l.trim().length), [200]);
  const total = lines.join(" ").length;
  assert.ok(total > 1900 && total < 2100, String(total));
  // Lines are filled: no next word would have found room.
  for (const [i, l] of lines.entries()) {
    const next = lines[i + 1]?.trim().split(" ")[0];
    if (next && l.length <= 78) assert.ok(l.length + 1 + next.length > 78, l);
  }
});

Deno.test("the reasons that a user reads say what was found, step by step", async () => {
  const text = async (over: Partial<AnalysisContext>) =>
    (await analyze(message(over))).reasonText.join("; ");
  const listed = (is: boolean) => [{ zone: "bl.example", listed: () => Promise.resolve(is) }];
  const end = "no known reputation and no bad signals";
  const none = "dmarc ok; reputation by none (inconclusive, no history of this sender)";
  assert.equal(await text({}), `${none}; no junk filter configured; ${end}`);
  assert.equal(
    await text({ dnsbls: listed(false) }),
    `${none}; no junk filter configured; ip is not in dns block lists; ${end}`,
  );
  assert.match(
    await text({ history: known }),
    /by msgfromfull \(nonjunk, conclusive, newest messages with this verified/,
  );
  assert.match(
    await text({ history: memoryHistory([junk()], []) }),
    /by msgfromfull \(junk, conclusive, /,
  );
  const net = { ...stranger, networks: ["192.0.2.10", "", ""] as [string, string, string] };
  assert.match(
    await text({ history: memoryHistory([junk(net), ham({ ...net, times: 2 })], []) }),
    /by ip1 \(inconclusive, 33% junk of 3 messages from the same ip\)/,
  );
  const failing = () => {
    throw new Error("disk");
  };
  assert.equal(
    await text({ history: { messages: failing, sentTo: failing, received: failing } }),
    "analysis failed",
  );
  const subjectPass = { key: new Uint8Array(32), periodMs: day };
  assert.match(await text({ subjectPass, subject: "(pass:x)" }), /; subject pass is invalid; /);
  assert.doesNotMatch(await text({ subjectPass }), /subject pass/);
  assert.match(
    await text({ subjectPass, dnsbls: listed(true) }),
    /; asked to send again with a subject pass$/,
  );
  const d = await analyze(message({
    destination: { mailbox: "", rulesets: [], dmarcReports: true, tlsReports: true },
    dmarcReport: failing,
  }));
  assert.deepEqual([d.reason, d.reasonText.at(-1)], ["analysis-error", "analysis failed"]);
});
