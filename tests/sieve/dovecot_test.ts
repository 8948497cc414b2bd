/** The same scripts on the same messages, here and with Dovecot's `sieve-test`. */
import assert from "node:assert/strict";
import { SieveSyntaxError } from "../../src/sieve/mod.ts";
import { lacks } from "../support/programs.ts";
import { runScript, shortActions } from "./context.ts";
import { dovecotActions, SieveTest } from "./dovecot.ts";
import { expressions, requireLine } from "./expressions.ts";
import { messages } from "./messages.ts";
import { scripts, wrong } from "./scripts.ts";

const ignore = lacks("sieve-test");

/** Where Dovecot 2.3 answers otherwise, and why ours stays. */
const known: Readonly<Record<string, string>> = {
  [`header :matches "subject" "?stars*"`]: "no subject has such a text: theirs is always true",
  [`address :matches "cc" "*"`]: "a group without members has no address that could match",
  [`body :contains "bold world"`]: "words of HTML are divided where elements end",
  [`string "a" "A"`]:
    "RFC 5228 §2.7.3: i;ascii-casemap unless said otherwise; theirs is i;octet here",
  [`string "\${hex:41 42}" "ab"`]: "the same",
  [`string :value "gt" "abc" "ABD"`]: "the same",
  [`string :value "lt" "a_" "aa"`]: "the same; besides, RFC 4790 §9.2 compares upper case",
  [`header :value "lt" "subject" "i"`]: "RFC 4790 §9.2 compares upper case: [ is after I",
  [`string :is :comparator "i;ascii-numeric" "" "x"`]: "RFC 4790 §9.1: both are infinity",
  [`string :matches "ä" "?"`]: "one character; theirs are octets",
  [`header :is "x-folded" "one two\tthree"`]: "RFC 5322 §2.2.3: only the line ends go",
};

/** The same for whole scripts, by a part of them. */
const knownScripts: readonly string[] = [
  `require "ereject"`, // They have reject only.
  `addheader :last "Received"`, // RFC 5293 §6: ours may be added, and none taken out.
  `extracttext :first 5`, // They count octets, and cut a character in two.
  `foreverypart { if header :mime :contains "content-type" "alternative" { foreverypart`, // They fail at it.
  `/* more`, // A name of a mailbox with a line end in it is an error.
  `require "editheader"; deleteheader :last "a";`, // An error for both; sieve-test goes on.
  `fileinto "\${a.b}";`,
];
const isKnown = (s: string) => knownScripts.some((k) => s.includes(k));

Deno.test({
  name: "tests of scripts come to what Dovecot's come to",
  ignore,
  fn() {
    const other = new SieveTest();
    try {
      const requires = requireLine.replace(`"comparator-i;unicode-casemap", `, "");
      const script = requires +
        expressions.map((e, i) => `if ${e} { fileinto :copy "T${i}"; }`).join("\n");
      const differences: string[] = [];
      let pairs = 0;
      for (const [name, message] of Object.entries(messages)) {
        const theirs = new Set(dovecotActions(other.run(script, message).actions));
        assert.ok(theirs.size > 10, `sieve-test did nothing with ${name}`);
        const r = runScript(script, message, { limits: { actions: 1000 } });
        assert.equal(r.error, undefined);
        const ours = new Set(shortActions(r));
        expressions.forEach((e, i) => {
          pairs++;
          const box = `fileinto T${i}`;
          if (ours.has(box) === theirs.has(box) || known[e]) return;
          differences.push(`${name}: ${e}: ${ours.has(box)} here, ${theirs.has(box)} there`);
        });
      }
      assert.deepEqual(differences, []);
      assert.ok(pairs > 800);
    } finally {
      other.close();
    }
  },
});

/** Numbers that are the same each time, from a seed. */
function random(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9 >>> 0;
    return (state >>> 4) % below;
  };
}

Deno.test({
  name: "tests that are put together at random come to the same, and so do their wildcards",
  ignore,
  fn() {
    const seed = Number(Deno.env.get("FUZZ_SEED") ?? 31);
    const next = random(seed);
    // Those that ask for what both do alike.
    const pool = expressions.filter((e) => !known[e] && !e.startsWith("currentdate"));
    const made = (depth: number): string => {
      const kind = depth === 0 ? 3 : next(4);
      if (kind === 0) return `not ${made(depth - 1)}`;
      if (kind === 3) return pool[next(pool.length)];
      const parts = Array.from({ length: 1 + next(3) }, () => made(depth - 1));
      return `${kind === 1 ? "allof" : "anyof"} (${parts.join(", ")})`;
    };
    // With "?" beside "*" theirs ends by a failed assertion.
    const characters = "aab*";
    const text = (length: number, of: string) =>
      Array.from({ length: 1 + next(length) }, () => of[next(of.length)]).join("");
    const lines = Array.from(
      { length: 200 },
      (_, i) =>
        i % 2 === 0
          ? `if ${made(3)} { fileinto :copy "T${i}"; }`
          : `if string :matches "${text(12, "aabc")}" "${
            text(8, characters)
          }" { fileinto :copy "T${i}-\${1}.\${2}.\${3}"; }`,
    );
    const script = requireLine.replace(`"comparator-i;unicode-casemap", `, "") + lines.join("\n");
    const other = new SieveTest();
    try {
      for (const [name, message] of Object.entries(messages)) {
        const { actions, errors } = other.run(script, message);
        const theirs = dovecotActions(actions).sort();
        assert.ok(theirs.length > 0, errors);
        const r = runScript(script, message, { limits: { actions: 1000 } });
        assert.equal(r.error, undefined);
        assert.deepEqual(shortActions(r).sort(), theirs, `seed ${seed}, ${name}`);
      }
    } finally {
      other.close();
    }
  },
});

/** As far as both print it. */
function comparable(actions: string[]): string[] {
  return actions.map((a) =>
    a.replace(/^e?(reject|vacation|notify) .*/s, "$1")
      .replace(/ \[[^\]]*\]$/, (flags) => flags.toLowerCase())
  ).sort();
}

function outcome(script: string, message: string): string {
  try {
    const r = runScript(script, message);
    return r.error ? "error" : JSON.stringify(comparable(shortActions(r)));
  } catch (err) {
    if (err instanceof SieveSyntaxError) return "error";
    throw err;
  }
}

Deno.test({
  name: "scripts do what they do with Dovecot",
  ignore,
  fn() {
    const other = new SieveTest();
    try {
      const differences: string[] = [];
      for (const script of scripts) {
        if (isKnown(script)) continue;
        for (const name of ["mime", "list", "plain"]) {
          const { actions, errors } = other.run(script, messages[name]);
          const theirs = /\berror\b/.test(errors)
            ? "error"
            : JSON.stringify(comparable(dovecotActions(actions)));
          const ours = outcome(script, messages[name]);
          if (ours !== theirs) {
            differences.push(`${name}: ${script}\n  ${ours} here\n  ${theirs} there`);
          }
        }
      }
      assert.deepEqual(differences, []);
    } finally {
      other.close();
    }
  },
});

Deno.test({
  name: "scripts that Dovecot refuses are refused",
  ignore,
  fn() {
    const other = new SieveTest();
    try {
      for (const script of wrong) {
        if (isKnown(script)) continue;
        const theirs = /failed to compile/.test(other.run(script, messages.plain).errors);
        let ours: unknown;
        try {
          runScript(script, messages.plain);
        } catch (err) {
          ours = err;
        }
        assert.equal(ours instanceof SieveSyntaxError, theirs, script);
      }
    } finally {
      other.close();
    }
  },
});

/** Regular expressions, a text, and where Dovecot's (glibc's) groups are others than IEEE 1003.1 §9.1 says. */
const regexes: readonly [string, string, string?][] = [
  ["a|ab", "ab"],
  ["(a|ab)(c|bcd)(d*)", "abcd", "the first part is to be as long as it can be"],
  ["(a|ab)(bcd|c)(d*)", "abcd", "the same"],
  ["(ab|a)(c|bcd)(d*)", "abcd"],
  ["(a*)(b|abc)", "abc"],
  ["((a*)(b|abc))(c*)", "abc", "the same"],
  ["(a|ab)(c|bcd)*", "abcd"],
  ["(wee|week)(knights|night)", "weeknights"],
  ["(a+|b+|c+)*c", "aabbabc"],
  ["(a*)*", "aaab"],
  ["(a|ab|c|bcd){2}(d*)", "ababcd"],
  ["(a|ab|c|bcd){0,10}(d*)", "ababcd"],
  ["(a|ab|c|bcd)*(d*)", "ababcd"],
  ["(aba|a*b)*", "ababa"],
  ["(aba|ab|a)*", "ababa"],
  ["^(ab|a(c|d))*$", "abacab", "a group in what is repeated is that of the last time"],
  ["x(.*)y(.*)z", "1x2y3y4z5z"],
  ["(.*)(.*)", "ab"],
  ["(.*)@(.*)", "joe@example.com"],
  ["^(re|fwd?): *(.*)$", "fwd:  hello"],
  ["\\\\[([^]]+)\\\\]", "[list] x"],
  ["([[:alpha:]]+)([[:digit:]]*)", "- ab12"],
  ["(a?)(ab)?", "ab"],
  ["(ab|cd)(e|ef)?g?", "cdefg"],
  ["(a|b)*c|(a|ab)*c", "abc"],
  ["a{0}b", "ab"],
  ["(a{2,3})(a*)", "aaaaa"],
  ["()(a)", "a"],
  ["(a)+?b", "aab"],
  ["[]a]+", "a]"],
  ["[[.a.]-c]+", "abcd"],
  ["[[=a=]x]+([[.-.]]*)", "axa--"],
];

Deno.test({
  name: "groups of regular expressions are Dovecot's, but for what its library does otherwise",
  ignore,
  fn() {
    const other = new SieveTest();
    try {
      for (const [pattern, text, difference] of regexes) {
        const script = `require ["regex", "variables", "fileinto"];
if string :regex "${text}" "${pattern}" { fileinto "R-\${0}|\${1}|\${2}|\${3}"; }`;
        const { actions, errors } = other.run(script, messages.plain);
        assert.doesNotMatch(errors, /failed to compile/, pattern);
        const ours = shortActions(runScript(script, messages.plain));
        const same = JSON.stringify(ours) === JSON.stringify(dovecotActions(actions));
        assert.equal(same, difference === undefined, `${pattern}: ${ours}`);
      }
    } finally {
      other.close();
    }
  },
});
