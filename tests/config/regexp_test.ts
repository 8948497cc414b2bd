import assert from "node:assert/strict";
import { fc } from "../support/fast_check.ts";
import { processorMs } from "../support/processor.ts";
import { compileRegExp, RegExpSyntaxError } from "../../src/config/sconf/regexp.ts";

Deno.test("patterns of configuration files match as in RE2", () => {
  const table: [string, string, string | undefined][] = [
    ["^(junk|spam)", "junk/2024", "junk"],
    ["^(junk|spam)", "my junk", undefined],
    ["^user(|\\+.*)@forward\\.example$", "user+x@forward.example", "user+x@forward.example"],
    ["^user(|\\+.*)@forward\\.example$", "user@forwardxexample", undefined],
    ["<name\\.lists\\.example\\.org>", "Name <name.lists.example.org>", "<name.lists.example.org>"],
    ["a*", "baaa", ""],
    ["a+?", "aaa", "a"],
    ["a{2,3}", "aaaa", "aaa"],
    ["a{2}", "a", undefined],
    ["a{,2}", "a{,2}", "a{,2}"],
    ["x{", "x{", "x{"],
    ["(?i)HeLLo", "hello", "hello"],
    ["(?i:h)ello", "Hello", "Hello"],
    ["(?i:h)ello", "HELLO", undefined],
    ["a.c", "a\nc", undefined],
    ["(?s)a.c", "a\nc", "a\nc"],
    ["^b$", "a\nb\nc", undefined],
    ["(?m)^b$", "a\nb\nc", "b"],
    ["\\Qa.b\\E", "a.b", "a.b"],
    ["\\Qa.b\\E", "axb", undefined],
    ["[[:alpha:]]+", "12ab3", "ab"],
    ["[^[:digit:]x]+", "1xab3", "ab"],
    ["[\\w-]+", "--a_1!", "--a_1"],
    ["[]a]+", "]a]b", "]a]"],
    ["[a-]+", "-a-", "-a-"],
    ["\\bcat\\b", "a cat!", "cat"],
    ["\\bcat\\b", "concat", undefined],
    ["\\Bcat", "concat", "cat"],
    ["\\p{Greek}+", "abc\u03b1\u03b2", "\u03b1\u03b2"],
    ["\\PL+", "ab12", "12"],
    ["\\x41\\x{1F600}", "A\u{1F600}", "A\u{1F600}"],
    ["^.$", "\u{1F600}", "\u{1F600}"],
    ["\\101", "A", "A"],
    ["(a|ab)(c|bcd)", "abcd", "abcd"],
    ["a|b|", "zzz", ""],
    ["\\Aab\\z", "ab", "ab"],
    ["", "x", ""],
  ];
  for (const [pattern, text, expected] of table) {
    const re = compileRegExp(pattern);
    assert.equal(re.exec(text)?.groups[0], expected, `${pattern} on ${JSON.stringify(text)}`);
    assert.equal(re.test(text), expected !== undefined, pattern);
  }
});

Deno.test("groups, and replacement with them", () => {
  const re = compileRegExp("^/old/(?P<rest>.*)");
  assert.deepEqual(re.exec("/old/a/b"), { start: 0, end: 8, groups: ["/old/a/b", "a/b"] });
  assert.equal(re.replace("/old/a/b", "/new/$1"), "/new/a/b");
  assert.equal(re.replace("/old/a/b", "/new/${rest}?$$"), "/new/a/b?$");
  assert.equal(re.replace("/other", "/new/$1"), "/other");
  assert.equal(compileRegExp("a").replace("banana", "<${0}>"), "b<a>n<a>n<a>");
  assert.equal(compileRegExp("x*").replace("ab", "-"), "-a-b-");
  assert.deepEqual(compileRegExp("(a)|(b)").exec("b")?.groups, ["b", undefined, "b"]);
});

Deno.test("what is no regular expression is refused with the reason", () => {
  const table: [string, RegExp][] = [
    ["(", /without a \)/],
    [")", /without a \(/],
    ["[a", /without a \]/],
    ["*a", /nothing before a \*/],
    ["a**", /two quantifiers/],
    ["a\\", /ends with a backslash/],
    ["(?=a)", /look-around/],
    ["(?<=a)b", /look-around/],
    ["(a)\\1", /backreference/],
    ["\\y", /means nothing/],
    ["[b-a]", /backwards/],
    ["a{3,2}", /below its minimum/],
    ["a{1001}", /repeats more/],
    ["((a{100}){100}){100}", /too large/],
    ["(".repeat(200), /nested too deep/],
    ["[[:foo:]]", /unknown class/],
    ["\\p{Foo}", /unknown class/],
    ["(?P<a>x)(?P<a>y)", /two groups named a/],
    ["a".repeat(5000), /longer than/],
  ];
  for (const [pattern, message] of table) {
    assert.throws(() => compileRegExp(pattern), (err: unknown) => {
      assert.ok(err instanceof RegExpSyntaxError, pattern);
      assert.match(err.message, message);
      return true;
    });
  }
});

Deno.test("patterns that make others run for ever take linear time", () => {
  const text = "a".repeat(20_000) + "!";
  const ms = processorMs(() => {
    for (const pattern of ["^(a+)+$", "^(a|aa)+$", "(a*)*b", "(.*)(.*)(.*)(.*)[b]"]) {
      assert.equal(compileRegExp(pattern).test(text), false);
    }
  });
  assert.ok(ms < 5000, `${ms} ms`);
});

Deno.test("agrees with the language's own on patterns both know", () => {
  const atom = fc.constantFrom("a", "b", ".", "[ab]", "[^a]", "\\b", "^", "$", "(a|b)", "(?:ab)");
  const quantified = fc.tuple(atom, fc.constantFrom("", "", "*", "+", "?", "*?", "{1,2}")).map(
    ([a, q]) => /^(?:\\b|\^|\$)$/.test(a) ? a : a + q,
  );
  const pattern = fc.array(quantified, { minLength: 1, maxLength: 6 }).map((p) => p.join(""));
  const either = fc.array(pattern, { minLength: 1, maxLength: 3 }).map((p) => p.join("|"));
  fc.assert(
    fc.property(
      either,
      fc.string({ unit: fc.constantFrom("a", "b", "c", " "), maxLength: 12 }),
      (p, s) => {
        const mine = compileRegExp(p).exec(s);
        const theirs = new RegExp(p, "u").exec(s);
        assert.equal(mine?.groups[0], theirs?.[0]);
        assert.equal(mine?.start, theirs?.index);
      },
    ),
    { numRuns: 3000 },
  );
});

Deno.test("nested counts of nothing take no time", () => {
  const ms = processorMs(() => {
    assert.ok(compileRegExp("(?:(?:(?:(?:){1000}){1000}){1000}){1000}").test(""));
  });
  assert.ok(ms < 500, `${ms} ms`);
});

Deno.test("any pattern is compiled or refused, and any text matched", () => {
  const unit = fc.constantFrom(..."ab()[]{}*+?|\\.^$-:<>PQEAzdwsp12,i\u00e9\u{1F600}");
  fc.assert(
    fc.property(fc.string({ unit, maxLength: 20 }), fc.string({ unit, maxLength: 20 }), (p, s) => {
      try {
        compileRegExp(p).replace(s, "$1");
      } catch (err) {
        assert.ok(err instanceof RegExpSyntaxError);
      }
    }),
    { numRuns: 3000 },
  );
});

Deno.test("a budget of steps ends replacing, and what begins with ^ is tried at the start only", () => {
  const budget = { left: 100_000 };
  // Each "a" looks for a "z" up to the end.
  const text = "a".repeat(16_000);
  assert.equal(compileRegExp("a(.*z)?").replace(text, "b", budget).length, text.length);
  assert.ok(budget.left < 0 && budget.left > -1000, `${budget.left}`);
  for (const pattern of ["^/x/", "(^/x)/", "^(?:/x/|/y/)"]) {
    const enough = { left: 100 };
    assert.equal(compileRegExp(pattern).exec(text, 0, enough), undefined);
    assert.ok(enough.left > 0, pattern);
    assert.equal(compileRegExp(pattern).exec("/x/", 0)?.start, 0);
  }
  assert.equal(compileRegExp("^a|b").exec("ab", 1)?.start, 1);
  assert.equal(compileRegExp("(?m)^b").exec("a\nb")?.start, 2);
  assert.equal(compileRegExp("^a").replace("aa", "b"), "ba");
});

Deno.test("a budget of steps ends matching, over all texts that share it", () => {
  const slow = compileRegExp("(?i)([^b]?[^c]?[^d]?){0,800}~");
  const budget = { left: 100_000 };
  for (let i = 0; i < 10; i++) assert.equal(slow.test("a".repeat(1000), budget), false);
  // A few steps of the last character may go beyond it, not texts' worth of them.
  assert.ok(budget.left < 0 && budget.left > -20_000, `${budget.left}`);
  const enough = { left: 100_000 };
  assert.equal(compileRegExp("^list-id$").test("list-id", enough), true);
  assert.ok(enough.left > 99_900);
});
