/** Warnings, the current date, actions that are asked for twice, and signs that no script has. */
import assert from "node:assert/strict";
import { compileSieve, SieveSyntaxError } from "../../src/sieve/mod.ts";
import { runScript, shortActions } from "./context.ts";

const message = "From: joe@example.com\nSubject: x\n\nbody\n";
const does = (script: string) => shortActions(runScript(script, message));

Deno.test("what can match nothing is warned of, at its place", () => {
  const script = `require ["date"];
if header :is ["subject", "no field"] "y" { discard; }
if currentdate :is "nopart" "1" { discard; }
if date :is "date" "year" "1" { discard; }
`;
  assert.deepEqual(
    compileSieve(script).warnings.map((w) => `${w.line}:${w.column}: ${w.message}`),
    [
      `2:27: "no field" can't be the name of a header field`,
      `3:20: a date has no part "nopart"`,
    ],
  );
  assert.deepEqual(does(script), ["keep"]);
});

Deno.test("the current date by its parts (RFC 5260 §5)", () => {
  // The context's time is 2026-11-30T01:02:03Z, a Monday.
  const parts: [part: string, value: string][] = [
    ["year", "2026"],
    ["month", "11"],
    ["day", "30"],
    ["date", "2026-11-30"],
    ["hour", "01"],
    ["minute", "02"],
    ["second", "03"],
    ["time", "01:02:03"],
    ["weekday", "1"],
    ["zone", "+0000"],
  ];
  for (const [part, value] of parts) {
    const test = (v: string) => `require "date"; if currentdate :is "${part}" "${v}" { discard; }`;
    assert.deepEqual(does(test(value)), ["discard"], part);
    assert.deepEqual(does(test(`${value}0`)), ["keep"], part);
  }
  const zoned = `require "date"; if currentdate :zone "-0230" :is "iso8601" ` +
    `"2026-11-29T22:32:03-02:30" { discard; }`;
  assert.deepEqual(does(zoned), ["discard"]);
});

Deno.test("the same action twice is one, with the flags of the last (RFC 5228 §2.10.3)", () => {
  const head = `require ["fileinto", "imap4flags", "copy"]; `;
  assert.deepEqual(does(`${head} fileinto "A"; fileinto "A";`), ["fileinto A"]);
  assert.deepEqual(does(`${head} fileinto "A"; fileinto "B"; fileinto "A";`), [
    "fileinto A",
    "fileinto B",
  ]);
  assert.deepEqual(does("keep; keep;"), ["keep"]);
  assert.deepEqual(does(`redirect "a@example.org"; redirect "a@example.org"; keep;`), [
    "redirect a@example.org",
    "keep",
  ]);
  const { actions } = runScript(
    `${head} fileinto :flags "\\\\Seen" "A"; fileinto :flags "\\\\Flagged" "A";`,
    message,
  );
  assert.deepEqual(
    actions.map((a) => a.kind === "fileinto" ? [a.line, a.filing.flags] : a.kind),
    [[1, ["\\Flagged"]]],
  );
});

Deno.test("signs that no script has, and flags in variables of others, are errors at their place", () => {
  const problems = (script: string): string => {
    try {
      compileSieve(script);
    } catch (err) {
      if (err instanceof SieveSyntaxError) return err.message;
      throw err;
    }
    return "";
  };
  assert.match(problems("keep; \u20ac keep;"), /^1:7: unexpected "\u20ac"$/m);
  assert.match(problems("keep; \u0001"), /^1:7: unexpected control character 1$/m);
  assert.match(
    problems("\u{1F600}\nkeep; \u007f"),
    /^1:1: unexpected "\u{1F600}"\n(?:.*\n)*?2:7: unexpected control character 127$/mu,
  );
  const global = (extensions: string) =>
    problems(`require [${extensions}]; setflag "global.x" "\\\\Seen";`);
  assert.equal(
    global(`"imap4flags", "variables"`),
    `1:46: a global variable needs require "include"`,
  );
  assert.equal(global(`"imap4flags", "variables", "include"`), "");
  assert.match(
    problems(`require "imap4flags"; setflag "x" "\\\\Seen";`),
    /need require "variables"/,
  );
});

Deno.test("the part of a long value that a regular expression is matched against has no end there", () => {
  const matches = (pattern: string, length: number) =>
    shortActions(
      runScript(
        `require ["regex"]; if header :regex "subject" "${pattern}" { discard; }`,
        `Subject: ${"a".repeat(length)}\n\nx\n`,
      ),
    )[0] === "discard";
  // Fewer than 200 characters of a value are looked at with the first one, and all of it with the others.
  assert.deepEqual([matches("^((a?){25}){8}$", 900), matches("^((a?){25}){8}$", 100)], [
    false,
    true,
  ]);
  assert.deepEqual([matches("^((a?){25}){8}", 900), matches("^a*$", 900)], [true, true]);
  assert.deepEqual([matches("^a*$", 40_000), matches("^a*", 40_000)], [false, true]);
});
