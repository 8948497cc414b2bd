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
