/** Groups of regular expressions: the longest of the leftmost matches, and so its parts from the left (IEEE 1003.1 §9.1). */
import assert from "node:assert/strict";
import { type Ast, parsePattern } from "../../src/config/sconf/regexp_syntax.ts";
import { PosixRegExp } from "../../src/sieve/matching/posix.ts";
import { fc } from "../support/fast_check.ts";
import { seedOf } from "../support/seed.ts";

const groups = (pattern: string, text: string) =>
  new PosixRegExp(pattern).exec(text)?.map((g) => g ?? "-");

Deno.test("IEEE 1003.1 §9.1: the longest match, then the longest of each part from the left", () => {
  // From the standard, and from the tests of AT&T's regex that others know as "testregex".
  const rows: [string, string, string[] | undefined][] = [
    ["a|ab", "ab", ["ab"]],
    ["(a|ab)(c|bcd)(d*)", "abcd", ["abcd", "ab", "c", "d"]],
    ["(a|ab)(bcd|c)(d*)", "abcd", ["abcd", "ab", "c", "d"]],
    ["(ab|a)(c|bcd)(d*)", "abcd", ["abcd", "ab", "c", "d"]],
    ["(a*)(b|abc)", "abc", ["abc", "", "abc"]],
    ["(a*)(abc|b)", "abc", ["abc", "", "abc"]],
    ["((a*)(b|abc))(c*)", "abc", ["abc", "abc", "", "abc", ""]],
    ["(a|ab)(c|bcd)*", "abcd", ["abcd", "a", "bcd"]],
    ["(wee|week)(knights|night)", "weeknights", ["weeknights", "wee", "knights"]],
    ["(a+|b+|c+)*c", "aabbabc", ["aabbabc", "b"]],
    ["(a+|b+|c*)", "aabb", ["aa", "aa"]],
    ["(a*)*", "b", ["", ""]],
    ["(a*)*", "aaab", ["aaa", "aaa"]],
    ["(a*)+", "b", ["", ""]],
    ["(a|b)?", "c", ["", "-"]],
    ["(a|ab|c|bcd){2}(d*)", "ababcd", ["abab", "ab", ""]],
    ["(a|ab|c|bcd){0,10}(d*)", "ababcd", ["ababcd", "bcd", ""]],
    ["(a|ab|c|bcd)*(d*)", "ababcd", ["ababcd", "bcd", ""]],
    ["(a|ab|c|bcd)+(d*)", "ababcd", ["ababcd", "bcd", ""]],
    ["(aba|a*b)*", "ababa", ["ababa", "aba"]],
    ["(aba|ab|a)*", "ababa", ["ababa", "aba"]],
    ["^(ab|a(c|d))*$", "abacab", ["abacab", "ab", "-"]],
    ["x(.*)y(.*)z", "1x2y3y4z5z", ["x2y3y4z5z", "2y3", "4z5"]],
    ["(.*)(.*)", "ab", ["ab", "ab", ""]],
    ["(.*?)b", "abab", ["abab", "aba"]],
    ["\\b(\\w+)\\b", "- über den", ["ber", "ber"]],
    ["(.)(.)$", "a😀ß", ["😀ß", "😀", "ß"]],
    ["(?i)(SS|s)(.*)", "sSx", ["sSx", "sS", "x"]],
    ["q", "abc", undefined],
  ];
  for (const [pattern, text, expected] of rows) {
    assert.deepEqual(groups(pattern, text), expected, `${pattern} on ${text}`);
  }
});

/** By the words of the standard, trying each place: for short texts. */
function slow(ast: Ast, count: number, text: string): (string | undefined)[] | undefined {
  const memo = new Map<Ast, Map<string, boolean>>();
  const matches = (a: Ast, i: number, j: number): boolean => {
    const known = memo.get(a) ?? new Map<string, boolean>();
    memo.set(a, known);
    const key = `${i},${j}`;
    let r = known.get(key);
    if (r === undefined) known.set(key, r = compute(a, i, j));
    return r;
  };
  const times = (a: Ast, i: number, j: number, min: number, max: number): boolean => {
    if (min === 0 && i === j) return true;
    if (max === 0) return false;
    for (let k = j; k >= i; k--) {
      if (k === i && min === 0) break;
      if (matches(a, i, k) && times(a, k, j, Math.max(0, min - 1), max - 1)) return true;
    }
    return false;
  };
  const row = (parts: Ast[], i: number, j: number): boolean => {
    if (parts.length === 0) return i === j;
    for (let k = i; k <= j; k++) {
      if (matches(parts[0], i, k) && row(parts.slice(1), k, j)) return true;
    }
    return false;
  };
  const compute = (a: Ast, i: number, j: number): boolean => {
    switch (a.kind) {
      case "empty":
        return i === j;
      case "set": {
        const c = text.charCodeAt(i);
        return j === i + 1 &&
          a.set.ranges.some((r, n) => n % 2 === 0 && c >= r && c <= a.set.ranges[n + 1]);
      }
      case "assert":
        return i === j && (a.what === "textStart" ? i === 0 : i === text.length);
      case "group":
        return matches(a.part, i, j);
      case "either":
        return a.parts.some((p) => matches(p, i, j));
      case "concat":
        return row(a.parts, i, j);
      case "repeat":
        return times(a.part, i, j, a.min, a.max);
    }
  };
  const found: (string | undefined)[] = Array.from({ length: count }, () => undefined);
  const fill = (a: Ast, i: number, j: number): void => {
    switch (a.kind) {
      case "group":
        found[a.index] = text.slice(i, j);
        return fill(a.part, i, j);
      case "either":
        return fill(a.parts.find((p) => matches(p, i, j))!, i, j);
      case "concat": {
        let at = i;
        a.parts.forEach((p, n) => {
          let k = j;
          while (!(matches(p, at, k) && row(a.parts.slice(n + 1), k, j))) k--;
          fill(p, at, k);
          at = k;
        });
        return;
      }
      case "repeat": {
        let last: [number, number] | undefined;
        let at = i;
        for (let n = 0; n < a.max && !(at === j && n >= a.min && last); n++) {
          let k = j;
          const rest = (k: number) =>
            times(a.part, k, j, Math.max(0, a.min - n - 1), a.max - n - 1);
          while (k >= at && !(matches(a.part, at, k) && rest(k))) k--;
          if (k < at) break;
          last = [at, k];
          at = k;
        }
        if (last) fill(a.part, ...last);
      }
    }
  };
  for (let i = 0; i <= text.length; i++) {
    for (let j = text.length; j >= i; j--) {
      if (!matches(ast, i, j)) continue;
      fill(ast, i, j);
      found[0] = text.slice(i, j);
      return found;
    }
  }
  return undefined;
}

/** Patterns of a few characters, with groups in one another. */
const { pattern } = fc.letrec<{ pattern: string; atom: string }>((tie) => ({
  atom: fc.oneof(
    { maxDepth: 4, depthIdentifier: "p" },
    fc.constantFrom("a", "b", "ab", "[ab]", "(a)", "(ab)", "(b|)", "^", "$"),
    tie("pattern").map((p) => `(${p})`),
    fc.tuple(tie("pattern"), fc.constantFrom("*", "+", "?", "{2}", "{1,3}", "{0,2}", "{2,}"))
      .map(([p, q]) => `(${p})${q}`),
  ),
  pattern: fc.oneof(
    { maxDepth: 4, depthIdentifier: "p" },
    tie("atom"),
    fc.array(tie("atom"), { minLength: 1, maxLength: 3 }).map((l) => l.join("")),
    fc.tuple(tie("pattern"), tie("pattern")).map((l) => l.join("|")),
  ),
}));

Deno.test("groups are those that the standard's words come to", () => {
  fc.assert(
    fc.property(
      pattern,
      fc.array(fc.constantFrom("a", "b"), { maxLength: 7 }).map((l) => l.join("")),
      (p, text) => {
        if (p.length > 60) return;
        const { ast, groups: count } = parsePattern(p);
        assert.deepEqual(new PosixRegExp(p).exec(text), slow(ast, count, text), `${p} on ${text}`);
      },
    ),
    { seed: seedOf("FC_SEED"), numRuns: 600 },
  );
});

Deno.test("the work grows with the text and not faster", () => {
  for (const p of ["(a|a*b)*", "((a*)*)*", "(a*)(a*)(a*)(a*)b?", "(a|aa|aaa)*c?", "((a?){20})*"]) {
    const r = new PosixRegExp(p);
    // What was quadratic would take minutes.
    assert.equal(r.exec("a".repeat(20_000))?.[0]?.length, 20_000, p);
  }
});
