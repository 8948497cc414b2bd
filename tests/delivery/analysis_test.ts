/** Parts of the analysis: subject passes, headers, failures, forwarding. */
import assert from "node:assert/strict";
import { fc } from "../support/fast_check.ts";
import { analyze } from "../../src/delivery/analysis_decide.ts";
import { exceededRate } from "../../src/delivery/analysis_rates.ts";
import { generateSubjectPass, verifySubjectPass } from "../../src/delivery/analysis_subjectpass.ts";
import { reasons } from "../../src/delivery/analysis_types.ts";
import { ReportError } from "../../src/reports/mod.ts";
import { day, memoryHistory, message, now, ruleset } from "./scenario.ts";
import { seedOf } from "../support/seed.ts";

const seed = seedOf("FC_SEED");
const key = new TextEncoder().encode("a key of the account");

Deno.test("a subject pass holds for its address, key and time", () => {
  const from = "alice@sender.example";
  const token = generateSubjectPass(from, key, now);
  assert.match(token, /^\(pass:[A-Za-z0-9_-]{22}\)$/);
  const verify = (subject: string, f: string | undefined = from, k = key, at = now) =>
    verifySubjectPass(subject, f, k, day, at);
  assert.equal(verify(`Re: hello ${token} again`), "ok");
  assert.equal(verify(token, from, key, now + day), "ok");
  assert.equal(verify(token, from, key, now + 2 * day), "expired");
  assert.equal(verify(token, from, key, now - day), "expired"); // from the future
  assert.equal(verify(token, "bob@sender.example"), "wrong");
  assert.equal(verify(token, from, new TextEncoder().encode("another key")), "wrong");
  assert.equal(verifySubjectPass(token, undefined, key, day, now), "invalid");
  assert.equal(verify("hello"), "absent");
  assert.equal(verify("(pass:"), "absent");
  assert.equal(verify("(pass:)"), "invalid");
  assert.equal(verify(`(pass:${"A".repeat(22)})`), "wrong");
  assert.equal(verify(`(pass:${"_".repeat(22)})`), "invalid"); // another version
  // Any changed character makes it void.
  for (let i = 6; i < token.length - 2; i++) {
    const changed = token.slice(0, i) + (token[i] === "A" ? "B" : "A") + token.slice(i + 1);
    assert.notEqual(verify(changed), "ok", changed);
  }
});

Deno.test("verifying a subject pass is total on any subject", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.string(), (a, b) => {
      for (const s of [a, `(pass:${a})${b}`]) {
        assert.notEqual(verifySubjectPass(s, "a@b.example", key, day, now), "ok");
      }
    }),
    { seed, numRuns: 500 },
  );
});

Deno.test("words of the message can't break out of the headers, whatever they are", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.string({ unit: "binary", maxLength: 300 }), { maxLength: 10 }),
      fc.boolean(),
      async (words, smtputf8) => {
        const hams = words.map((word) => ({ word, score: 0.1, ham: 1, spam: 0 }));
        const d = await analyze(message({
          smtputf8,
          junk: {
            threshold: 0.95,
            refuseThreshold: 0.9999,
            classify: () => ({ probability: 0.1, significant: true, evidence: 9, hams, spams: [] }),
          },
          destination: { mailbox: "", rulesets: [], dmarcReports: true, tlsReports: false },
          failureReport: () => undefined,
          dmarcReport: () => {
            throw new ReportError("syntax", `XML: ${words.join("\r\nX-Evil: ")}`);
          },
        }));
        const lines = d.headers.split("\r\n");
        assert.equal(lines.pop(), "");
        for (const line of lines) {
          assert.match(line, /^(\t|X-Mox-Reason:|X-Mox-DMARCReport-Error:)/);
          assert.ok(new TextEncoder().encode(line).length < 998);
          // deno-lint-ignore no-control-regex
          assert.doesNotMatch(line.slice(1), /[\x00-\x1f\x7f]/);
        }
      },
    ),
    { seed, numRuns: 300 },
  );
});

Deno.test("words that aren't ASCII are only shown to who understands UTF-8", async () => {
  const junk = {
    threshold: 0.95,
    refuseThreshold: 0.9999,
    classify: () => ({
      probability: 0.1,
      evidence: 9,
      significant: true,
      hams: [{ word: "größe", score: 0.1, ham: 1, spam: 0 }],
      spams: [],
    }),
  };
  assert.match((await analyze(message({ junk }))).headers, /\(non-ascii\)\s+0\.100/);
  assert.match((await analyze(message({ junk, smtputf8: true }))).headers, /größe\s+0\.100/);
});

Deno.test("failures of ours give a temporary error without a decision", async () => {
  const failing = () => {
    throw new Error("disk");
  };
  const broken = { messages: failing, sentTo: failing, received: failing };
  const d = await analyze(message({ history: broken }));
  assert.deepEqual([d.accept, d.reason, d.code, d.toRejects, d.userError], [
    false,
    "analysis-error",
    451,
    false,
    false,
  ]);
  const reading = { ...memoryHistory([], []), messages: failing };
  assert.equal((await analyze(message({ history: reading }))).reason, "reputation-error");
  // A block list that fails lists nothing.
  const dnsbls = [{ zone: "x.example", listed: () => Promise.reject(new Error("timeout")) }];
  assert.equal((await analyze(message({ dnsbls }))).reason, "no-bad-signals");
});

Deno.test("wrong and odd expressions in rulesets match nothing", async () => {
  for (const source of ["(", "[", "\\", "*", "(?<=a"]) {
    const destination = {
      mailbox: "",
      dmarcReports: false,
      tlsReports: false,
      rulesets: [ruleset({ MsgFromRegexp: source, Mailbox: "lists/a" })],
    };
    assert.equal((await analyze(message({ destination }))).mailbox, "Inbox");
  }
});

Deno.test("the first ruleset that matches is taken; headers match by name and value", async () => {
  const destination = {
    mailbox: "Main",
    dmarcReports: false,
    tlsReports: false,
    rulesets: [
      ruleset({ HeadersRegexp: { "^subject$": "urgent", "^x-kind$": "^b$" }, Mailbox: "both" }),
      ruleset({ HeadersRegexp: { "^subject$": "urgent" }, Mailbox: "first" }),
      ruleset({ MsgFromRegexp: ".", Mailbox: "second" }),
    ],
  };
  const mailbox = async (headers: [string, string][]) =>
    (await analyze(message({ destination, headers }))).mailbox;
  assert.equal(await mailbox([["SUBJECT", "Very URGENT"], ["X-Kind", " B "]]), "both");
  assert.equal(await mailbox([["Subject", "urgent"], ["X-Kind", "c"]]), "first");
  assert.equal(await mailbox([["X-Subject", "urgent"]]), "second");
});

Deno.test("rulesets that take too many steps on a message end, and its reason says so", async () => {
  const destination = {
    mailbox: "",
    dmarcReports: false,
    tlsReports: false,
    rulesets: [
      ruleset({ MsgFromRegexp: "^nobody@", Mailbox: "first" }),
      ruleset({ HeadersRegexp: { ".": "(?i)([^b]?[^c]?[^d]?){0,800}~" }, Mailbox: "second" }),
      ruleset({ MsgFromRegexp: ".", Mailbox: "third" }),
    ],
  };
  const headers = Array.from({ length: 10 }, (): [string, string] => ["X-Any", "a".repeat(990)]);
  const d = await analyze(message({ destination, headers }));
  assert.equal(d.mailbox, "Inbox");
  assert.match(d.reasonText.join("; "), /ruleset 2 takes too long for this message/);
  // Others of its messages go by the rules.
  assert.equal((await analyze(message({ destination, headers: [] }))).mailbox, "third");
});

Deno.test("each limit of the rates holds for its network and window", () => {
  const at = (count: number, size: number) => ({
    ...memoryHistory([], []),
    received: () => ({ count, size }),
  });
  const nets: [string, string, string] = ["a", "b", "c"];
  assert.equal(exceededRate(at(499, 0), nets, 1, now), undefined);
  assert.match(exceededRate(at(500, 0), nets, 1, now)!, /500 messages in the past minute/);
  assert.match(exceededRate(at(4500, 0), ["", "", "c"], 1, now)!, /4500 messages/);
  assert.match(exceededRate(at(0, 1000 * 1024 * 1024), nets, 1, now)!, /bytes in the past minute/);
  assert.equal(exceededRate(at(1e9, 1e15), ["", "", ""], 1, now), undefined);
});

Deno.test("the reasons are all different", () => {
  assert.equal(new Set(reasons).size, reasons.length);
});

Deno.test("docs/junk.md tells of each reason", async () => {
  const text = await Deno.readTextFile(new URL("../../docs/junk.md", import.meta.url));
  for (const r of reasons) assert.ok(text.includes(`\`${r}\``), r);
});
