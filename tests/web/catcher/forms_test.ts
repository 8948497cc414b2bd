/** The small parts of the API of caught mail: envelopes, tags, searches, checks. */
import assert from "node:assert/strict";
import { fc } from "../../support/fast_check.ts";
import {
  type Envelope,
  envelopeField,
  hiddenRecipients,
  readEnvelope,
} from "../../../src/web/catcher/envelope.ts";
import { checkHtml } from "../../../src/web/catcher/html_check.ts";
import { linksOf } from "../../../src/web/catcher/links.ts";
import { parseQuery, QueryError } from "../../../src/web/catcher/query.ts";
import { cleanTag, tagKeyword, tagOf, tagsBrought } from "../../../src/web/catcher/tags.ts";
import { normalizeKeywords } from "../../../src/store/mailboxes/keywords.ts";
import { Flag } from "../../../src/store/types.ts";

const envelope: Envelope = {
  From: "jürgen@example.org",
  To: [
    { Address: "a@example.org", Notify: "SUCCESS,DELAY" },
    { Address: '"odd \\" one"@example.org', OriginalRecipient: "rfc822;b@example.org" },
  ],
  Helo: "[127.0.0.1]",
  RemoteIP: "::1",
  TLS: "TLSv1.3",
  Username: "any\r\nX-Evil: 1",
  Parameters: ["BODY=8BITMIME"],
  RepairedLineEnds: true,
};

Deno.test("an envelope is written into a header field and read from it", () => {
  const field = envelopeField(envelope);
  assert.match(field, /^[\x20-\x7e\r\n\t]+$/);
  assert.ok(!/\r\nX-Evil/.test(field), "nothing breaks out of the field");
  assert.match(field, /\r\nX-Mox-Note: line ends/);
  const prefix = new TextEncoder().encode(`Delivered-To: <x@y>\r\n${field}Received: from x\r\n`);
  assert.deepEqual(readEnvelope(prefix), envelope);
  assert.equal(readEnvelope(new TextEncoder().encode("Received: x\r\n")), undefined);
  fc.assert(fc.property(fc.array(fc.string()), fc.string(), (to, username) => {
    const e = { ...envelope, To: to.map((Address) => ({ Address })), Username: username };
    assert.deepEqual(readEnvelope(new TextEncoder().encode(envelopeField(e))), e);
  }));
});

Deno.test("recipients that the header names nowhere are the hidden ones, each once", () => {
  const named = [{ address: "Ann@example.org" }];
  assert.deepEqual(
    hiddenRecipients(["ann@EXAMPLE.org", "bob@x.example", "BOB@x.example"], named),
    ["BOB@x.example"],
  );
});

Deno.test("tags are keywords that IMAP can have, and tags again", () => {
  for (const tag of ["first", "First Mail", "a_b.c-d", "Ünïcode", "x@y.example"]) {
    const keyword = tagKeyword(tag);
    assert.deepEqual(normalizeKeywords([keyword]), [keyword]);
    assert.equal(tagOf(keyword), tag);
  }
  assert.equal(tagOf("$junk"), undefined);
  assert.equal(cleanTag("  two   words "), "two words");
  for (const bad of ["", "   ", "a(b)", "x".repeat(101), "a\nb:"]) {
    assert.equal(cleanTag(bad), undefined);
  }
  assert.deepEqual(
    tagsBrought(["a+one+two@x", "b@x", "c+ONE@x"], "three, (bad)", "me"),
    ["ONE", "two", "three", "me"],
  );
});

Deno.test("searches become conditions", () => {
  const c = { keywords: ["tag:first", "$junk"], timeZone: "Pacific/Auckland" };
  const summary = (field: string, text: string) => ({ op: "summary", field, text });
  assert.deepEqual(parseQuery("", c), { op: "all" });
  assert.deepEqual(parseQuery('subject:"two words"', c), summary("subject", "two words"));
  assert.deepEqual(parseQuery("-from:ann is:unread", c), {
    op: "and",
    nodes: [
      { op: "not", node: summary("from", "ann") },
      { op: "not", node: { op: "flag", bit: Flag.Seen } },
    ],
  });
  assert.deepEqual(parseQuery("to:x", c), {
    op: "or",
    nodes: [summary("to", "x"), summary("cc", "x"), summary("bcc", "x")],
  });
  assert.deepEqual(parseQuery("tag:FIRST", c), {
    op: "or",
    nodes: [{ op: "keyword", keyword: "tag:first" }],
  });
  assert.deepEqual(parseQuery("tag:none", c), { op: "or", nodes: [] });
  // Auckland is 13 hours ahead in January.
  const before = Date.parse("2026-01-30T11:00:00Z");
  assert.deepEqual(parseQuery("before:2026-01-31", c), { op: "received", before });
  assert.deepEqual(parseQuery("larger:1.5k", c), { op: "larger", size: 1536 });
  for (
    const bad of ["is:nothing", "has:legs", "before:yesterday", "larger:big", `${"a ".repeat(101)}`]
  ) {
    assert.throws(() => parseQuery(bad, c), QueryError, bad);
  }
  fc.assert(fc.property(fc.string({ maxLength: 60 }), (text) => {
    try {
      parseQuery(text, { keywords: [] });
    } catch (err) {
      assert.ok(err instanceof QueryError);
    }
  }));
});

Deno.test("HTML is checked against what mail programs support", async () => {
  const r = await checkHtml(
    '<!doctype html><style>p:hover { color: red } @media (max-width:1px) {}</style><p style="display:flex">' +
      '<img src="data:image/png;base64,x"><svg></svg>',
  );
  const slugs = r.Warnings.map((w) => w.Slug);
  for (
    const s of [
      "css-display-flex",
      "css-pseudo-class-hover",
      "css-at-media",
      "html-svg",
      "image-base64",
    ]
  ) {
    assert.ok(slugs.includes(s), s);
  }
  const flex = r.Warnings.find((w) => w.Slug === "css-display-flex")!;
  assert.equal(flex.Score.Found, 1);
  assert.ok(flex.Results.some((x) => x.Family === "Outlook" && x.Support === "no"));
  assert.ok(Math.abs(r.Total.Supported + r.Total.Partial + r.Total.Unsupported - 100) < 0.1);
  assert.deepEqual((await checkHtml("plain")).Total, {
    Tests: 0,
    Nodes: 0,
    Supported: 100,
    Partial: 0,
    Unsupported: 0,
  });
});

Deno.test("links are those of HTML and text, each once", () => {
  assert.deepEqual(
    linksOf(
      "see https://a.example/x, and http://b.example.",
      '<a href="https://a.example/x">x</a><img src="http://c.example/i.png"><a href="mailto:a@b">',
    ),
    ["https://a.example/x", "http://c.example/i.png", "http://b.example"],
  );
});
