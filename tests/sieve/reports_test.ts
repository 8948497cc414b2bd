/** What people have reported of other servers and rule editors: the same must not happen here. */
import assert from "node:assert/strict";
import { compileSieve, SieveSyntaxError } from "../../src/sieve/mod.ts";
import { readRules } from "../../src/web/webmail/rules/read.ts";
import { writeRules } from "../../src/web/webmail/rules/write.ts";
import { runScript, shortActions } from "./context.ts";
import { messages } from "./messages.ts";

Deno.test("blanks before a value don't matter, wherever they come from (cyrus-imapd #2865, #718)", () => {
  const script = `if header :matches "subject" "foo*" { discard; }`;
  for (
    const subject of [
      "foo",
      "       foo",
      "\n foo",
      "=?UTF-8?B?Zm9v?=",
      "\n =?UTF-8?B?Zm9v?=",
      "=?UTF-8?B?IGZvbw==?=",
    ]
  ) {
    const r = runScript(script, `Subject: ${subject}\n\nbar\n`);
    assert.deepEqual(shortActions(r), ["discard"], JSON.stringify(subject));
  }
});

Deno.test("several addresses in one redirect are an error, several redirects aren't (dbmail #106, stalwart #706)", () => {
  assert.throws(() => compileSieve(`redirect "a@b.example; c@d.example;";`), SieveSyntaxError);
  const r = runScript(
    `require ["editheader", "variables"];
deleteheader "From"; addheader "From" "user@example.org"; addheader "Reply-To" "joe@example.com";
redirect "one@example.net"; redirect "two@example.net"; discard;`,
    messages.plain,
  );
  assert.deepEqual(shortActions(r), [
    "redirect one@example.net",
    "redirect two@example.net",
    "discard",
  ]);
});

Deno.test("rules that an editor can't show are kept whole (roundcubemail #8011, #5540, #5418, #5417, #6642)", () => {
  const parts = [
    `if address :contains ["From"] "domain.net" {
    if address :contains ["From"] "foo" {
        fileinto "Domain.Foo";
    } elsif header :contains "Subject" "bar" {
        fileinto "Domain.Bar";
    } else {
        fileinto "Domain";
    }
}`,
    `# rule:[parse spam flag]
if header :is "X-Spam-Flag" "YES" {
    fileinto "Junk";
    stop;
} else {
    fileinto "Inbox/Sort";
}`,
    `if anyof (true)
{
         redirect "someaddress@example.com";
}`,
  ];
  const tagged =
    `# rule:[Tagged]\nif header :contains "subject" "TAG" {\n  fileinto "Tagged";\n}\n`;
  const script = `require "include";\nrequire "fileinto";\nrequire "envelope";\n${
    parts[0]
  }\n\n${tagged}\n${parts[1]}\n${parts[2]}\n`;
  const { items, required } = readRules(script);
  assert.deepEqual(items.map((i) => "rule" in i ? i.rule.name : "text"), [
    "text",
    "Tagged",
    "text",
  ]);
  const again = writeRules(items, required);
  for (const p of [...parts, tagged]) assert.ok(again.includes(p), p);
  assert.match(again, /^require \["envelope", "fileinto", "include"\];/);
  compileSieve(again);
});

Deno.test("flags of fileinto are a value of their tag, in any order of tags (check-sieve #26)", () => {
  const head = 'require ["fileinto", "imap4flags", "copy"]; ';
  const of = (command: string) => shortActions(runScript(head + command, messages.plain));
  const both = ["fileinto Box [\\Seen]", "keep"];
  assert.deepEqual(of(`fileinto :flags "\\\\Seen" :copy "Box";`), both);
  assert.deepEqual(of(`fileinto :copy :flags ["\\\\Seen"] "Box";`), both);
  assert.throws(() => compileSieve(`${head}fileinto :flags :copy "Box";`), SieveSyntaxError);
});

Deno.test("an empty script, and one of comments, keep the message (roundcubemail #5176)", () => {
  for (const script of ["", "\r\n", "# nothing\r\n", "/* nothing */"]) {
    assert.deepEqual(shortActions(runScript(script, messages.plain)), ["keep"]);
    assert.deepEqual(readRules(script).items.filter((i) => "rule" in i), []);
  }
});

Deno.test("an address that is redirected to twice gets the message once (mailinabox #1847)", () => {
  const r = runScript(
    `require ["copy"];
# rule:[send to people1@something.com]
if true
{
\tredirect :copy "people1@something.com";
}
# rule:[Forward to people2]
if true
{
\tredirect "people2@something.com";
\tredirect :copy "People2@something.com";
}
`,
    messages.plain,
  );
  assert.deepEqual(shortActions(r), [
    "redirect people1@something.com",
    "redirect people2@something.com",
  ]);
});

Deno.test("comments of other editors stay, and rules of one name are two (roundcubemail #9231, #7349)", () => {
  const script = `require ["body", "imap4flags", "fileinto", "copy"];

#SCRIPTNAME: Deel 0 van script
# rule:[DMARC]
if anyof (header :contains "from" "DMARC Report"
, body :text :contains "This is a DMARC aggregate report for nvkh.nl"
)
{
    setflag [ "\\\\Seen" ];
    fileinto "Trash";
}

# rule:[Forwarding]
if false # true
{
     redirect :copy "test2@test.com";
}
# rule:[Forwarding]
if false # true
{
     redirect :copy "test@test.com";
}
`;
  const { items, required } = readRules(script);
  const again = writeRules(items, required);
  assert.match(again, /#SCRIPTNAME: Deel 0 van script/);
  for (const to of ["test2@test.com", "test@test.com"]) assert.ok(again.includes(to), to);
  assert.equal(again.match(/rule:\[Forwarding\]/g)?.length, 2);
  assert.deepEqual(shortActions(runScript(again, messages.plain)), ["keep"]);
  assert.deepEqual(readRules(again), readRules(writeRules(readRules(again).items, required)));
});

Deno.test("requirements that are missing are told with the line of what needs them (Roundcube-Plugins #6, snappymail #276)", () => {
  assert.throws(
    () => compileSieve(`\n\nif currentdate :is "year" "2026" { set "a" "b"; }\nfileinto "x";\n`),
    (err) => {
      assert.ok(err instanceof SieveSyntaxError);
      assert.deepEqual(err.problems.map((p) => `${p.line} ${p.message}`), [
        `3 the test currentdate needs require "date"`,
        `3 the command set needs require "variables"`,
        `4 the command fileinto needs require "fileinto"`,
      ]);
      return true;
    },
  );
});
