/** Regular expressions in linear time: the same answers as JavaScript's, and no explosions. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { linearRegexp, RegexpError } from "../../src/config/linear_regexp.ts";

const seed = Number(Deno.env.get("FC_SEED") ?? Date.now() % 1_000_000);

Deno.test("expressions match as those of JavaScript", () => {
  const cases: [string, string[]][] = [
    ["^list-id$", ["list-id", "x-list-id", "list-id2", ""]],
    ["@(a|b)\\.example$", ["x@a.example", "x@c.example", "x@b.example.net", "x@aXexample"]],
    ["<announce\\.", ["my list <announce.deno.example>", "announce."]],
    ["", ["", "x"]],
    ["a{2,3}b?", ["a", "aa", "aaab"]],
    ["^a{2}$", ["a", "aa", "aaa"]],
    ["^(ab)*?c", ["c", "ababc", "abac"]],
    ["[^a-c\\d]", ["abc123", "abcd"]],
    ["^[]x]+$".replace("[]", "[\\]"), ["]x]", "y"]],
    ["\\bspam\\b", ["no spam here", "spammer", "spam"]],
    ["\\Bx", ["ax", "x"]],
    ["größe|日本", ["die größe", "日本語", "grosse"]],
    ["^(|a)$", ["", "a", "b"]],
    ["(a*)*b", ["b", "aaab", "aaac"]],
    ["a\\x41\\u0042", ["aAB", "aab"]],
    ["[a-]z", ["-z", "az", "bz"]],
  ];
  for (const [source, texts] of cases) {
    for (const t of texts) {
      assert.equal(linearRegexp(source).test(t), new RegExp(source, "u").test(t), `${source} ${t}`);
    }
  }
  assert.equal(linearRegexp("(?i)^HELLO[a-c]").test("Hellob"), true);
  assert.equal(linearRegexp("(?i)[A-C]$").test("xb"), true);
});

Deno.test("generated expressions match as those of JavaScript", () => {
  const atom = fc.constantFrom("a", "b", ".", "[ab]", "[^a]", "\\w", "c", "\\b", "^", "$");
  const expression = fc.letrec<{ e: string }>((tie) => ({
    e: fc.oneof(
      { maxDepth: 4 },
      atom,
      fc.tuple(tie("e"), tie("e")).map(([x, y]) => x + y),
      fc.tuple(tie("e"), tie("e")).map(([x, y]) => `(?:${x}|${y})`),
      fc.tuple(tie("e"), fc.constantFrom("*", "+", "?", "{1,2}", "{2}", "{0,}", "*?")).map((
        [x, q],
      ) => `(${x})${q}`),
    ),
  })).e;
  fc.assert(
    fc.property(
      expression,
      fc.string({ unit: fc.constantFrom("a", "b", "c", "-"), maxLength: 8 }),
      (source, text) => {
        assert.equal(
          linearRegexp(source).test(text),
          new RegExp(source, "u").test(text),
          `${source} on ${text}`,
        );
      },
    ),
    { seed, numRuns: 2000 },
  );
});

Deno.test("compiling is total: an expression, or an error that says what", () => {
  for (
    const wrong of [
      "(",
      ")",
      "[",
      "[b-a]",
      "a{2,1}",
      "a{x}",
      "*",
      "\\",
      "(?=a)",
      "\\1",
      "\\p{L}",
      "((a{999}){999}){999}",
      "(((){9999}){9999}){9999}",
      "(".repeat(100),
    ]
  ) {
    assert.throws(() => linearRegexp(wrong), RegexpError, wrong);
  }
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string({ unit: "binary", maxLength: 30 }),
        fc.string({ unit: fc.constantFrom(..."()[]{}|*+?^$\\.-,09abdwx:i"), maxLength: 20 }),
      ),
      (source) => {
        try {
          linearRegexp(source).test("some text 123");
        } catch (err) {
          assert.ok(err instanceof RegexpError, `${source}: ${err}`);
        }
      },
    ),
    { seed, numRuns: 3000 },
  );
});

Deno.test("expressions that explode elsewhere take linear time", () => {
  for (
    const source of [
      "(a+)+$",
      "(a|a)*b",
      "(a|aa)+$",
      "^(([a-z])+.)+[A-Z]([a-z])+$",
      "(.*)*x",
      "(a?){30}a{30}$",
    ]
  ) {
    const re = linearRegexp(source);
    const start = performance.now();
    re.test(`${"a".repeat(2000)}!`);
    assert.ok(performance.now() - start < 1000, source);
  }
});
