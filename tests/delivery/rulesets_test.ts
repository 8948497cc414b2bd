/** Rulesets: what matches, and what list and forward rules ask for. */
import assert from "node:assert/strict";
import { analyze } from "../../src/delivery/analysis_decide.ts";
import {
  forwardedFacts,
  fromAllowedList,
  matchingRuleset,
} from "../../src/delivery/analysis_rulesets.ts";
import type { AnalysisContext, Ruleset } from "../../src/delivery/analysis_types.ts";
import type { DeliveryFacts } from "../../src/store/types.ts";
import { facts, message, ruleset } from "./scenario.ts";

const nothing: Partial<DeliveryFacts> = {
  ehloValidated: false,
  mailFromValidated: false,
  msgFromValidated: false,
  dkimDomains: [],
};

/** The message as this destination's rules find it. */
function withRules(rulesets: Ruleset[], over: Partial<AnalysisContext> = {}): AnalysisContext {
  return message({
    destination: { mailbox: "", rulesets, dmarcReports: false, tlsReports: false },
    ...over,
  });
}

Deno.test("VerifiedDomain: the domain, or one in it, passed SPF or DKIM", () => {
  const cases: [what: string, f: Partial<DeliveryFacts>, domain: string, matches: boolean][] = [
    ["MAIL FROM passed SPF", { mailFromValidated: true }, "sender.example", true],
    ["in any case", { mailFromValidated: true }, "SENDER.example", true],
    ["MAIL FROM, not validated", {}, "sender.example", false],
    [
      "a subdomain of it",
      { mailFromValidated: true, mailFromDomain: "lists.sender.example" },
      "sender.example",
      true,
    ],
    [
      "another domain that ends alike",
      { mailFromValidated: true, mailFromDomain: "badsender.example" },
      "sender.example",
      false,
    ],
    ["a parent of it", { mailFromValidated: true }, "lists.sender.example", false],
    ["EHLO passed SPF", { ehloValidated: true }, "mx.sender.example", true],
    ["EHLO, its parent", { ehloValidated: true }, "sender.example", true],
    ["EHLO, not validated", { ehloDomain: "sender.example" }, "sender.example", false],
    ["DKIM", { dkimDomains: ["sender.example"] }, "sender.example", true],
    [
      "DKIM, the second",
      { dkimDomains: ["a.example", "x.sender.example"] },
      "sender.example",
      true,
    ],
    ["DKIM of others", { dkimDomains: ["a.example", "example"] }, "sender.example", false],
    ["From alone says nothing", { msgFromValidated: true }, "sender.example", false],
  ];
  for (const [what, f, VerifiedDomain, matches] of cases) {
    const rule = ruleset({ VerifiedDomain });
    const found = matchingRuleset(withRules([rule], { facts: facts({ ...nothing, ...f }) }));
    assert.equal(found, matches ? rule : undefined, what);
  }
});

Deno.test("a list is believed by SPF of MAIL FROM that passed, or a signature that passed, of its domain", () => {
  const signed = (domain: string, pass = true) => ({
    signatures: [{ domain, pass, partial: false, tlsrptAllowed: false }],
  });
  const unsigned = { signatures: [] };
  const cases: [
    what: string,
    f: Partial<DeliveryFacts>,
    over: Partial<AnalysisContext>,
    believed: boolean,
  ][] = [
    ["SPF passed", { mailFromValidated: true, mailFromDomain: "list.example" }, unsigned, true],
    [
      "SPF of a subdomain",
      { mailFromValidated: true, mailFromDomain: "bounces.list.example" },
      unsigned,
      true,
    ],
    ["forged MAIL FROM", { mailFromDomain: "list.example" }, unsigned, false],
    ["EHLO alone", { ehloValidated: true, ehloDomain: "list.example" }, unsigned, false],
    ["signed", {}, signed("list.example"), true],
    ["signed by a subdomain", {}, signed("a.list.example"), true],
    ["a signature that fails", {}, signed("list.example", false), false],
    ["signed by another", {}, signed("blist.example"), false],
    ["signed by its parent", {}, signed("example"), false],
  ];
  for (const [what, f, over, believed] of cases) {
    const c = message({ facts: facts({ ...nothing, ...f }), ...over });
    assert.equal(fromAllowedList(c, "List.example"), believed, what);
  }
});

Deno.test("a message that only says that it is from the list goes the way of all others", async () => {
  const rule = ruleset({
    HeadersRegexp: { "^list-id$": "<name\\.list\\.example>" },
    ListAllowDomain: "list.example",
    Mailbox: "lists/a",
  });
  const list = { mailFromLocalpart: "bounce", mailFromDomain: "list.example" };
  const decide = (mailFromValidated: boolean) =>
    analyze(withRules([rule], {
      facts: facts({ ...nothing, ...list, mailFromValidated }),
      signatures: [],
      headers: [["List-Id", "<name.list.example>"]],
      dmarc: { use: true, pass: false, reject: true },
    }));
  const verified = await decide(true);
  assert.deepEqual([verified.accept, verified.reason, verified.mailbox, verified.dmarcOverride], [
    true,
    "list-allow",
    "lists/a",
    "mailing_list",
  ]);
  assert.equal(verified.facts.isMailingList, true);
  const forged = await decide(false);
  assert.deepEqual([forged.accept, forged.reason, forged.code, forged.dmarcOverride], [
    false,
    "dmarc-policy",
    550,
    "",
  ]);
  assert.equal(forged.facts.isMailingList, false);
});

Deno.test("all conditions of a ruleset must hold, and one without any matches nothing", () => {
  const c = (r: Partial<Ruleset>) =>
    matchingRuleset(withRules([ruleset(r)], {
      headers: [["Subject", "Hello"], ["X-A", "1"], ["x-a", " Two "]],
    })) !== undefined;
  const cases: [Partial<Ruleset>, boolean][] = [
    [{}, false],
    [{ Mailbox: "x", IsForward: true, ListAllowDomain: "sender.example" }, false],
    [{ SMTPMailFromRegexp: "^alice@sender\\.example$" }, true],
    [{ SMTPMailFromRegexp: "^bob@" }, false],
    [{ MsgFromRegexp: "^alice@sender\\.example$" }, true],
    [{ MsgFromRegexp: "^bob@" }, false],
    [{ SMTPMailFromRegexp: "alice", MsgFromRegexp: "bob" }, false],
    [{ SMTPMailFromRegexp: "bob", MsgFromRegexp: "alice" }, false],
    [{ SMTPMailFromRegexp: "alice", MsgFromRegexp: "alice" }, true],
    [{ MsgFromRegexp: "alice", VerifiedDomain: "other.example" }, false],
    [{ MsgFromRegexp: "alice", VerifiedDomain: "sender.example" }, true],
    [{ HeadersRegexp: { "^subject$": "^hello$" } }, true],
    [{ HeadersRegexp: { "^x-a$": "^two$" } }, true],
    [{ HeadersRegexp: { "^x-a$": "^two$", "^subject$": "bye" } }, false],
    [{ HeadersRegexp: { "^subject$": "two" } }, false],
    [{ VerifiedDomain: "sender.example", HeadersRegexp: { "^subject$": "bye" } }, false],
  ];
  for (const [rule, matches] of cases) assert.equal(c(rule), matches, JSON.stringify(rule));
});

Deno.test("the null reverse path is empty for an expression, and a message without From matches none", () => {
  const rule = (r: Partial<Ruleset>, f: Partial<DeliveryFacts>) =>
    matchingRuleset(withRules([ruleset(r)], { facts: facts(f) })) !== undefined;
  const bounce = { mailFromLocalpart: "", mailFromDomain: "" };
  assert.equal(rule({ SMTPMailFromRegexp: "^$" }, bounce), true);
  assert.equal(rule({ SMTPMailFromRegexp: "@" }, bounce), false);
  assert.equal(rule({ SMTPMailFromRegexp: "^$" }, {}), false);
  assert.equal(
    rule({ SMTPMailFromRegexp: "^@b" }, { ...bounce, mailFromDomain: "b.example" }),
    true,
  );
  assert.equal(
    rule({ MsgFromRegexp: "" + ".*" }, { msgFromLocalpart: "", msgFromDomain: "" }),
    false,
  );
});

Deno.test("a value is looked at up to its 2048th character, and a header up to its thousandth field", () => {
  const found = (headers: [string, string][]) =>
    matchingRuleset(withRules([ruleset({ HeadersRegexp: { "^x$": "end" } })], { headers })) !==
      undefined;
  assert.equal(found([["X", "a".repeat(2045) + "end"]]), true);
  assert.equal(found([["X", "a".repeat(2046) + "end"]]), false);
  const others = (n: number) => Array.from({ length: n }, (): [string, string] => ["Y", ""]);
  assert.equal(found([...others(999), ["X", "end"]]), true);
  assert.equal(found([...others(1000), ["X", "end"]]), false);
});

Deno.test("an expression that is none matches nothing, and the next rules are tried", () => {
  const good = ruleset({ MsgFromRegexp: "alice", Mailbox: "good" });
  const wrong: Partial<Ruleset>[] = [
    { SMTPMailFromRegexp: "alice(" },
    { MsgFromRegexp: "[a" },
    { HeadersRegexp: { "^(subject$": "x" } },
    { HeadersRegexp: { "^subject$": "*" } },
  ];
  for (const rule of wrong) {
    const c = withRules([ruleset(rule), good], { headers: [["Subject", "x"]] });
    const tooLong = (n: number) => assert.fail(`rule ${n} is not too long`);
    assert.equal(matchingRuleset(c, tooLong), good, JSON.stringify(rule));
  }
});

Deno.test("a rule that takes too many steps ends the search, and its number is passed on", () => {
  const headers: [string, string][] = [["X-Long", "abcd".repeat(512)]];
  const slow = ruleset({ HeadersRegexp: { "^x-long$": `^${"(a?b?c?d?)".repeat(200)}e$` } });
  const first = ruleset({ MsgFromRegexp: "bob" });
  const good = ruleset({ MsgFromRegexp: "alice" });
  const said: number[] = [];
  const found = (rules: Ruleset[]) =>
    matchingRuleset(withRules(rules, { headers }), (n) => said.push(n));
  assert.equal(found([first, slow, good]), undefined);
  assert.deepEqual(said, [2]);
  // Nobody has to ask for it, and what stands before it is found.
  assert.equal(matchingRuleset(withRules([slow, good], { headers })), undefined);
  assert.equal(found([good, slow]), good);
  assert.deepEqual(said, [2]);
});

Deno.test("a forwarder is taken out of the facts of what it forwards", () => {
  const f = facts({ dkimDomains: ["forwarder.example", "sender.example"] });
  assert.deepEqual(forwardedFacts(f, "Forwarder.example"), {
    ...f,
    isForward: true,
    networks: ["", "", ""],
    ehloDomain: "",
    mailFromDomain: "",
    dkimDomains: ["sender.example"],
  });
});
