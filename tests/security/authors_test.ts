/** Author addresses: what programs could read differently is refused at submission, and never passes from outside. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { flattenAddresses, parseAddressList } from "../../src/mail/address/address.ts";
import { strictAuthors } from "../../src/mail/address/author.ts";
import { scanHeader } from "../../src/senderauth/header_fields.ts";
import { authorDomain } from "../../src/senderauth/author.ts";
import { startWorld } from "./world.ts";

const me = "bob@mox.example";
const refused: [string, string][] = [
  ["two addresses in angle brackets", `From: <ann@mox.example> <${me}>`],
  ["words around two addresses", `From: x <ann@mox.example> y <${me}>`],
  ["an address behind the address", `From: <${me}> ann@mox.example`],
  ["an address in place of a name", `From: ann@mox.example <${me}>`],
  ["another's address beside one's own", `From: <${me}>, <ann@mox.example>`],
  ["two From fields", `From: <${me}>\r\nFrom: <ann@mox.example>`],
  ["the same From field twice", `From: <${me}>\r\nFrom: <${me}>`],
  ["a first line that is a continuation", ` From: ann@mox.example\r\nFrom: <${me}>`],
  ["a first line that is a continuation, by a tab", `\tFrom: ann@mox.example\r\nFrom: <${me}>`],
  ["a blank before the colon", `From : <ann@mox.example>\r\nFrom: <${me}>`],
  ["a line of mbox", `From ann@mox.example\r\nFrom: <${me}>`],
  ["a line without a colon", `Subject\r\nFrom: <${me}>`],
  ["another's Sender", `From: <${me}>\r\nSender: <ann@mox.example>`],
  ["two Sender fields", `From: <${me}>\r\nSender: <${me}>\r\nSender: <ann@mox.example>`],
  ["two addresses in Sender", `From: <${me}>\r\nSender: <${me}>, <ann@mox.example>`],
  ["a source route", `From: <@ann.example,@x.example:${me}>`],
  ["a group", `From: ann: <${me}>;`],
  ["brackets without end", `From: <${me}`],
  ["a comment without end", `From: <${me}> (ann@mox.example`],
  ["a quoted string without end", `From: "ann@mox.example <${me}>`],
  ["two at signs", "From: <ann@mox.example@bob@mox.example>"],
  ["a NUL", `From: ann@mox.example\0 <${me}>`],
  ["no From at all", "Subject: x"],
  ["an empty From", "From: "],
  ["another domain of ours", "From: <ann@other.example>"],
  ["an encoded address", "From: =?utf-8?q?ann=40mox.example?="],
];
const taken: [string, string][] = [
  ["an address alone", `From: ${me}`],
  ["a name", `From: Bob B. Builder <${me}>`],
  ["a name in quotes with an address in it", `From: "ann@mox.example" <${me}>`],
  ["the address as its own name", `From: ${me} <${me}>`],
  ["a comment", `From: ${me} (Bob (the builder))`],
  ["a folded field", `From: =?utf-8?q?J=C3=B6rg?=\r\n <${me}>`],
  ["own Sender", `From: <${me}>\r\nSender: ${me}`],
  ["one address twice", `From: <${me}>, Bob <${me}>`],
  ["in capitals", "FROM: <Bob@MOX.example>"],
];

Deno.test("submission takes From and Sender of the account alone, in one reading", async () => {
  await using w = await startWorld();
  await using c = await w.submission(me);
  const send = async (header: string) => {
    await c.smtp(`MAIL FROM:<${me}>`);
    await c.smtp("RCPT TO:<joe@remote.example>");
    await c.smtp("DATA");
    return await c.smtp(`${header}\r\nTo: joe@remote.example\r\n\r\nhi\r\n.`);
  };
  // A good one between them, so that refusals don't end the connection.
  for (const [what, header] of refused) {
    assert.match(await send(header), /^550 5\.[67]\.[01] /, what);
    assert.match(await send(taken[0][1]), /^250 /);
  }
  for (const [what, header] of taken) assert.match(await send(header), /^250 /, what);
});

Deno.test("from outside, what can be read differently is aligned with no domain, and all its domains count", () => {
  for (
    const [from, domains] of [
      ["From: <a@one.example> <b@two.example>", ["one.example", "two.example"]],
      ["From: x <a@one.example> y <b@two.example>", ["one.example", "two.example"]],
      ["From: <a@one.example> b@two.example", ["one.example", "two.example"]],
      ["From: a@one.example <b@two.example>", ["one.example", "two.example"]],
      [" From: a@one.example\r\nFrom: <b@two.example>", ["one.example", "two.example"]],
      ["From: <a@one.example>\r\nFrom : <b@two.example>", ["one.example", "two.example"]],
      ["From: <a@one.example>, <b@two.example>", ["one.example", "two.example"]],
    ] as const
  ) {
    const author = authorDomain(scanHeader(new TextEncoder().encode(`${from}\r\n\r\n`)));
    assert.ok("error" in author, from);
    assert.deepEqual([...author.domains ?? []].sort(), domains, from);
  }
});

Deno.test("where the strict reading finds one address, the lenient reading finds the same", () => {
  const piece = fc.constantFrom(
    ...'ab.@<>,;:"()[]\\ \t=?_é',
    "ann@mox.example",
    "<bob@other.example>",
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 12 }).map((p) => p.join("")), (text) => {
      const strict = strictAuthors(text);
      if ("problem" in strict) return;
      const lenient = flattenAddresses(parseAddressList(text));
      assert.deepEqual(
        strict.addresses.map((a) => `${a.localpart}@${a.domain}`),
        lenient.map((a) => `${a.localpart}@${a.domain}`),
        text,
      );
    }),
    { numRuns: 3000 },
  );
});
