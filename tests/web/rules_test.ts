/** Rules of the webmail as scripts, and back. */
import assert from "node:assert/strict";
import type { Rule } from "../../webmail/api/mod.ts";
import { compileSieve } from "../../src/sieve/mod.ts";
import { readRules } from "../../src/web/webmail/rules/read.ts";
import { writeRules } from "../../src/web/webmail/rules/write.ts";

const rules: Rule[] = [
  {
    name: "Lists",
    enabled: true,
    all: true,
    conditions: [{
      field: "list",
      op: "contains",
      not: false,
      value: "dev.example.org",
      header: "",
    }],
    actions: [{ kind: "move", value: "Lists/Dev" }, { kind: "stop", value: "" }],
  },
  {
    name: `Big "ones" \\ and more`,
    enabled: false,
    all: false,
    conditions: [
      { field: "size", op: "over", not: false, value: "5M", header: "" },
      { field: "attachment", op: "has", not: true, value: "", header: "" },
      { field: "book", op: "has", not: false, value: "", header: "" },
      { field: "from", op: "is", not: true, value: "a@example.org", header: "" },
      { field: "to", op: "contains", not: false, value: "me", header: "" },
      { field: "subject", op: "matches", not: false, value: "*\\* sale*", header: "" },
      { field: "header", op: "is", not: false, value: "x", header: "x-mailer" },
    ],
    actions: [
      { kind: "label", value: "big" },
      { kind: "star", value: "" },
      { kind: "read", value: "" },
      { kind: "copy", value: `A "box"` },
      { kind: "forwardCopy", value: "b@example.org" },
      { kind: "reply", value: "I am away.\n\n.hidden\nBye" },
      { kind: "trash", value: "" },
    ],
  },
  {
    name: "",
    enabled: true,
    all: true,
    conditions: [],
    actions: [{ kind: "refuse", value: "no" }],
  },
];

Deno.test("rules are written as a script, and read from it as they were", () => {
  const text = writeRules(rules.map((rule) => ({ rule })), []);
  compileSieve(text);
  assert.deepEqual(readRules(text).items, rules.map((rule) => ({ rule })));
  // People can read it.
  assert.match(
    text,
    /# rule:\[Lists\]\nif header :contains "list-id" "dev\.example\.org" \{\n {2}fileinto "Lists\/Dev";\n {2}stop;\n\}/,
  );
});

Deno.test("what is no rule stays as it is, with what it requires", () => {
  const script = `require ["fileinto", "variables", "body"];

# A comment of mine.
set "x" "1";
if body :contains "sale" { discard; }

# rule:[Mine]
if header :contains "subject" "x" {
  fileinto "X";
}
if true { keep; } else { discard; }
`;
  const { items, required } = readRules(script);
  assert.deepEqual(required, ["fileinto", "variables", "body"]);
  assert.deepEqual(items, [
    { text: `# A comment of mine.\nset "x" "1";\nif body :contains "sale" { discard; }` },
    {
      rule: {
        name: "Mine",
        enabled: true,
        all: true,
        conditions: [{ field: "subject", op: "contains", not: false, value: "x", header: "" }],
        actions: [{ kind: "move", value: "X" }],
      },
    },
    { text: "if true { keep; } else { discard; }" },
  ]);
  const again = writeRules(items, required);
  compileSieve(again);
  assert.deepEqual(readRules(again).items, items);
});

/** As Roundcube's plugin (1.6.5) saved it here. */
const roundcube = `require ["copy","fileinto","imap4flags","reject","relational","vacation"];
# rule:[Lists]
if anyof (header :contains "subject" "[list]", header :contains "from" "announce@")
{
\tfileinto "Archive";
}
# rule:[Away]
if false # allof (header :is "from" "boss@example.org", not size :over 100)
{
\tdiscard;
}
# rule:[All]
if false # true
{
\treject text:
no, "thanks"
..dot
.
;
}
# rule:[Käse]
if allof (header :contains "subject" "Käse \\"quoted\\"")
{
\tredirect "other@example.org";
}
# rule:[Vac]
if false # allof (header :value "ge" "subject" "5")
{
\tvacation :days 3 :subject "Weg ü" "ich bin weg";
}
`;

Deno.test("rules of Roundcube's plugin are rules here, off where they are off there, and stay so", () => {
  compileSieve(roundcube);
  const { items, required } = readRules(roundcube);
  const shown = items.map((i) =>
    "rule" in i
      ? [i.rule.name, i.rule.enabled, i.rule.conditions.length, i.rule.actions[0].value]
      : i.text
  );
  assert.deepEqual(shown, [
    ["Lists", true, 2, "Archive"],
    ["Away", false, 2, ""],
    ["All", false, 0, 'no, "thanks"\n.dot'],
    ["Käse", true, 1, "other@example.org"],
    // What the editor has no field for stays text, and off.
    `# rule:[Vac]\nif false # allof (header :value "ge" "subject" "5")\n` +
    `{\n\tvacation :days 3 :subject "Weg ü" "ich bin weg";\n}`,
  ]);
  const again = writeRules(items, required);
  compileSieve(again);
  assert.deepEqual(readRules(again).items, items);
  assert.match(
    again,
    /^if false # allof \(header :is "from" "boss@example\.org", not size .+\)\n\{$/m,
  );
  assert.match(again, /^if false # true\n\{$/m);
});

Deno.test("a rule that is off and can't be a comment of one line is off all the same", () => {
  const rule: Rule = {
    ...rules[0],
    enabled: false,
    conditions: [{ ...rules[0].conditions[0], value: "two\r\nlines" }],
  };
  const text = writeRules([{ rule }], []);
  compileSieve(text);
  assert.deepEqual(readRules(text).items, [{ rule }]);
  assert.deepEqual(readRules('if false # header :is "a" "b") # {\n{ stop; }').items, [
    { text: 'if false # header :is "a" "b") # {\n{ stop; }' },
  ]);
});

Deno.test("a script with errors is shown as text", () => {
  assert.deepEqual(readRules("if { nonsense").items, [{ text: "if { nonsense" }]);
  assert.deepEqual(readRules("").items, []);
});
