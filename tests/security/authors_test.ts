/** Author addresses: what programs could read differently is refused at submission, and never passes from outside. */
import assert from "node:assert/strict";
import { fc } from "../support/fast_check.ts";
import { flattenAddresses, parseAddressList } from "../../src/mail/address/address.ts";
import type { Config } from "../../src/config/mod.ts";
import { splitHeader } from "../../src/mail/header/header.ts";
import { limits } from "../../src/mail/structure/structure.ts";
import { checkAuthors } from "../../src/serve/sending/authors.ts";
import type { SmtpError } from "../../src/smtp/server/mod.ts";
import { strictAuthors } from "../../src/mail/address/author.ts";
import { scanHeader } from "../../src/senderauth/header_fields.ts";
import { authorDomain } from "../../src/senderauth/author.ts";
import { authorHeaders } from "./author_headers.ts";
import { startWorld } from "./world.ts";

const me = "bob@mox.example";
const { refused, taken } = authorHeaders(me, "ann@mox.example");

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

Deno.test("who is author isn't known of a header that is not looked at as a whole", () => {
  for (
    const filler of ["a:\r\n".repeat(6000), `a: ${"x".repeat(900)}\r\n`.repeat(1200)]
  ) {
    const text = `From: <${me}>\r\n${filler}From: <ann@mox.example>\r\n\r\n`;
    const header = new TextEncoder().encode(text).subarray(0, limits.header);
    assert.throws(
      () => checkAuthors({} as Config, "bob", header, splitHeader(header)),
      (e: SmtpError) => e.code === 552,
    );
  }
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
