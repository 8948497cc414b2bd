/** Rules are checked when a script is compiled, and compiled when a message reaches them. */
import assert from "node:assert/strict";
import { compileSieve, executeSieve, SieveSyntaxError } from "../../src/sieve/mod.ts";
import { executeSteps } from "../../src/sieve/run/execute.ts";
import { runScript, shortActions, testContext } from "./context.ts";

const mail = (subject: string, from = "joe@example.com") =>
  `From: ${from}\nTo: me@example.com\nSubject: ${subject}\n\nText\n`;

const rules = (n: number) =>
  'require ["fileinto", "imap4flags", "variables"];\n' +
  Array.from({ length: n }, (_, i) =>
    `if allof (header :contains "subject" "report ${i}.", address :is "from" "p${i}@example.org") {
  addflag "\\\\Seen";
  fileinto "Work/\${nothing}P${i}";
  stop;
}
`).join("");

Deno.test("each of ten thousand rules is found, the same one twice", () => {
  const script = compileSieve(rules(10_000));
  for (const i of [0, 9999, 5000, 9999]) {
    assert.deepEqual(
      shortActions(runScript(script, mail(`report ${i}.`, `p${i}@example.org`))),
      [`fileinto Work/P${i} [\\Seen]`],
    );
  }
  assert.deepEqual(shortActions(runScript(script, mail("report 1."))), ["keep"]);
});

Deno.test("a fault in the block of the last rule is found at once, where it is", () => {
  const text = rules(1000) + `if false {\n  keep;\n  fileinto 5;\n}\nelsif nosuch {\n}\n`;
  assert.throws(
    () => compileSieve(text),
    (err) => {
      assert.ok(err instanceof SieveSyntaxError);
      assert.equal(
        err.message,
        "5004:12: the command fileinto needs a string here, not a number\n" +
          "5006:7: there is no test nosuch",
      );
      return true;
    },
  );
});

Deno.test("branches, blocks in them and loops run as they are written, each time", () => {
  const script = compileSieve(`require ["fileinto", "foreverypart", "mime", "variables"];
set "n" "0";
if header :is "subject" "one" { fileinto "One"; }
# a comment { with braces }
elsif header :matches "subject" "t*" /* } */ {
  if header :is "subject" "two" { fileinto "Two"; } else { fileinto "T\${1}"; }
} elsif header :is "subject" "parts" {
  foreverypart :name "outer" {
    set "n" "\${n}1";
    if header :mime :type "content-type" "text" { break :name "outer"; }
  }
  fileinto "Parts\${n}";
} else {
  set "text" text:
.. }
.
;
  fileinto "Else \${text}";
}
if false { discard; }
if true { stop; }
discard;
`);
  for (let n = 0; n < 2; n++) {
    const of = (subject: string) => shortActions(runScript(script, mail(subject)));
    assert.deepEqual(of("one"), ["fileinto One"]);
    assert.deepEqual(of("two"), ["fileinto Two"]);
    assert.deepEqual(of("three"), ["fileinto Three"]);
    assert.deepEqual(of("parts"), ["fileinto Parts01"]);
    assert.equal(
      runScript(script, mail("x")).error?.message,
      "the name of a mailbox can't have control characters in it",
    );
  }
});

Deno.test("what fails in a rule is told with the line of its command", () => {
  const r = runScript(
    `require ["variables"];\nset "a" "nobody";\nif true {\n  keep;\n    redirect "\${a}";\n}\n`,
    mail("x"),
  );
  assert.deepEqual([r.error?.line, r.error?.column], [5, 5]);
});

Deno.test("two messages that reach the same rule at once both run it", () => {
  const block = Array.from({ length: 3000 }, (_, i) => `set "v" "${i}";`).join("\n");
  const script = compileSieve(`require ["variables", "fileinto"];
if true {
${block}
fileinto "\${v}";
}`);
  const runs = [mail("a"), mail("b")].map((m) => executeSteps([script], testContext(m)));
  const results: string[][] = [];
  while (runs.length > 0) {
    for (const run of [...runs]) {
      const r = run.next();
      if (!r.done) continue;
      results.push(shortActions(r.value));
      runs.splice(runs.indexOf(run), 1);
    }
  }
  assert.deepEqual(results, [["fileinto 2999"], ["fileinto 2999"]]);
});

Deno.test("what ihave enables before a rule counts for it, and not for those before", () => {
  const script = `require "ihave";
if true { keep; }
if ihave "fileinto" { fileinto "A"; }
`;
  assert.deepEqual(shortActions(executeSieve([compileSieve(script)], testContext(mail("x")))), [
    "keep",
    "fileinto A",
  ]);
  assert.throws(
    () => compileSieve(`require "ihave"; if true { fileinto "A"; } if ihave "fileinto" { keep; }`),
    SieveSyntaxError,
  );
});
