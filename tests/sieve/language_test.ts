/** Scripts that are wrong, and bounds of those that are right (RFC 5228). */
import assert from "node:assert/strict";
import { compileSieve, executeSieve, SieveSyntaxError } from "../../src/sieve/mod.ts";
import { runScript, shortActions, testContext } from "./context.ts";
import { messages } from "./messages.ts";
import { wrong } from "./scripts.ts";

function problemsOf(script: string | Uint8Array): string[] {
  try {
    compileSieve(script);
  } catch (err) {
    if (err instanceof SieveSyntaxError) return err.message.split("\n");
    throw err;
  }
  return [];
}

Deno.test("all errors are told at once, each with its line and column", () => {
  const script = `require ["fileinto", "nosuch"];
if header :is :contains "subject" "x" {
  fileinto 5;
  kep;
  redirect "nobody";
}
if anyof (true {
  keep;
}
vacation "gone";
`;
  assert.deepEqual(problemsOf(script), [
    `1:22: there is no extension "nosuch"`,
    `2:15: :is and :contains exclude each other: a test has one match type`,
    `3:12: the command fileinto needs a string here, not a number`,
    `4:3: there is no command kep`,
    `5:12: "nobody" is no address to redirect to`,
    `7:16: expected , or ) between tests, found {`,
    `10:1: the command vacation needs require "vacation"`,
  ]);
});

Deno.test("columns count characters, and lines end as they do", () => {
  assert.deepEqual(problemsOf(`# äöü 😀\r\n/* 😀 */ nosuch;\r\n`), [
    "2:9: there is no command nosuch",
  ]);
});

Deno.test("each script that is wrong is refused", () => {
  for (const script of wrong) {
    // Unknown parts of dates and zones are warned of: they may come from elsewhere.
    if (/"nosuch" "1"|:zone "x"/.test(script)) continue;
    assert.notDeepEqual(problemsOf(script), [], script);
  }
});

Deno.test("bytes that are no UTF-8 are an error at their place", () => {
  const bytes = new Uint8Array([...new TextEncoder().encode("keep;\n# "), 0xff, 0x0a]);
  assert.deepEqual(problemsOf(bytes), ["2:3: the script is not in UTF-8 here"]);
});

Deno.test("hostile scripts end with an error or a result, and soon", () => {
  const long = `Subject: ${"a".repeat(60_000)}\n\nx\n`;
  const hostile: Record<string, string> = {
    regex: `require "regex"; if header :regex "subject" "^(((a?){30}){30})+$" { keep; }`,
    wildcards: `if header :matches "subject" "${"*a?".repeat(5000)}b" { keep; }`,
    doubling: `require "variables"; set "a" "x"; ${'set "a" "${a}${a}";'.repeat(20_000)}`,
    blocks: "if true { ".repeat(5000) + "}".repeat(5000),
    tests: `if ${"not ".repeat(50_000)}true {}`,
    lists: `keep ${"[".repeat(500_000)}`,
    open: `redirect "${"\\".repeat(900_000)}`,
    signs: "@".repeat(500_000),
    comments: "/*".repeat(500_000),
    references: `require "variables"; redirect "${"${".repeat(400_000)}";`,
    large: "#".repeat(3_000_000),
  };
  for (const [name, script] of Object.entries(hostile)) {
    let steps = 0;
    try {
      const r = executeSieve([compileSieve(script)], testContext(long));
      steps = r.steps;
      assert.deepEqual(shortActions(r), ["keep"], name);
    } catch (err) {
      assert.ok(err instanceof SieveSyntaxError, `${name}: ${err}`);
      assert.ok(err.problems.length <= 100);
    }
    assert.ok(steps <= 510_000, `${name}: ${steps} steps`);
  }
});

Deno.test("includes end at themselves, and at their depth", () => {
  const loop = runScript(`require "include"; include "a";`, messages.plain, {
    scripts: { a: `require "include"; include "b";`, b: `require "include"; include "a";` },
  });
  assert.match(loop.error?.message ?? "", /includes itself/);
  const scripts = Object.fromEntries(
    Array.from({ length: 20 }, (_, i) => [`s${i}`, `require "include"; include "s${i + 1}";`]),
  );
  const deep = runScript(`require "include"; include "s0";`, messages.plain, { scripts });
  assert.match(deep.error?.message ?? "", /deeper than 10 levels/);
});

Deno.test("what fails while it runs keeps the message, and does nothing else", () => {
  const r = runScript(
    `require ["variables", "fileinto"]; fileinto "A"; redirect "b@example.org"; set "x" "nobody";\nredirect "\${x}";`,
    messages.plain,
  );
  assert.deepEqual(shortActions(r), ["keep"]);
  assert.deepEqual(r.error, {
    script: "",
    line: 2,
    column: 1,
    message: `"nobody" is no address to redirect to`,
  });
});

Deno.test("scripts follow each other until one doesn't keep the message", () => {
  const run = (...scripts: string[]) =>
    shortActions(executeSieve(scripts.map((s) => compileSieve(s)), testContext(messages.plain)));
  const file = (box: string) => `require "fileinto"; fileinto "${box}";`;
  assert.deepEqual(run("keep;", file("B")), ["fileinto B"]);
  assert.deepEqual(run(file("A"), file("B")), ["fileinto A"]);
  assert.deepEqual(run("stop;", file("B")), ["fileinto B"]);
  assert.deepEqual(run(`require "imap4flags"; addflag "x";`, "keep;"), ["keep [x]"]);
  assert.deepEqual(run(file("A") + "keep;", "discard;"), ["fileinto A", "discard"]);
});
