/** What counts as a word of a message. */
import assert from "node:assert/strict";
import { fc } from "../support/fast_check.ts";
import { decodeEntities, htmlText } from "../../src/mail/text/html_text.ts";
import { junkParams, maxWords, messageWords } from "../../src/junk/mod.ts";
import { seedOf } from "../support/seed.ts";
import { processorMs } from "../support/processor.ts";

const seed = seedOf("FC_SEED");

function words(text: string, html = false, params = {}): string[] {
  return [...messageWords({ headers: [], texts: [{ html, text }] }, junkParams(params))]
    .filter((w) => w !== "part:htmlonly" && !isFrame(w));
}

/** Signs that each message has, whatever its words are. */
const isFrame = (w: string) => /^(?:idhost|size):/.test(w);

Deno.test("words are in lower case, each once, without short ones, numbers and identifiers", () => {
  assert.deepEqual(
    words("The Offer, the offer! It's 20 of 12345678 a1b2c3d4e5 xkcdqwrtzp O'Brien's"),
    [
      "the",
      "offer",
      "it's",
      "o'brien's",
      "shape:offer!",
      "text:exclamations1",
    ],
  );
});

Deno.test("words in other scripts count, in scripts without spaces each pair of characters", () => {
  assert.deepEqual(words("Привет, мир. Größe naïve"), ["привет", "мир", "größe", "naïve"]);
  assert.deepEqual(words("免费中奖"), ["免费", "费中", "中奖"]);
});

Deno.test("zero-width characters, soft hyphens and look-alike letters don't hide a word", () => {
  assert.deepEqual(words("via\u200bgra vi\u00adagra ｖｉａｇｒａ 𝐯𝐢𝐚𝐠𝐫𝐚"), ["viagra"]);
  assert.deepEqual(words("pаypal").sort(), ["pаypal", "text:mixedscript"].sort());
});

Deno.test("headers are counted with their name; fields that vary are not", () => {
  const got = messageWords({
    headers: [
      ["SUBJECT", "Cheap watches for you"],
      ["From", "Rolex <sales@shop.example>"],
      ["Received", "from mail.example"],
    ],
    texts: [],
    attachments: ["Invoice.EXE", "noextension"],
  }, junkParams());
  assert.deepEqual([...got].filter((w) => !isFrame(w)), [
    "hops:1",
    "rcvd:mail.example",
    "subject:for",
    "subject:you",
    "subject:cheap",
    "subject:watches",
    "sender:a",
    "sender:@shop.example",
    "from:rolex",
    "from:sales",
    "from:shop",
    "from:example",
    "file:exe",
  ]);
});

Deno.test("of Received fields hosts and protocols count, not date, encryption, identifier and recipient", () => {
  const received =
    "from mx.shop.example (relay.isp.example [192.0.2.7]) (using TLSv1.3 with cipher TLS_AES (256/256 bits))" +
    " by mail.example.org with ESMTPS id abcdef for <me@own.example>; Mon, 5 May 2025 10:00:00 +0200";
  const got = messageWords({ headers: [["Received", received]], texts: [] }, junkParams());
  assert.deepEqual([...got].filter((w) => !isFrame(w)), [
    "hops:1",
    "rcvd:shop.example",
    "rcvd:isp.example",
    "rcvd:example.org",
    "rcvd:esmtps",
    "ip:192.0",
  ]);
});

Deno.test("the shape of Message-ID, date and sender counts, and shouted words and sums", () => {
  const got = messageWords({
    headers: [
      ["Message-ID", "<20250505.AB12cd@x.example>"],
      ["Date", "Mon, 5 May 2025 10:00:00 +0200"],
      ["From", "Win <big0777@mail.shop.example>"],
    ],
    texts: [{ html: false, text: "Only $1,000 now!! 50% off." }],
  }, junkParams());
  for (
    const word of [
      "id:<0.a0a",
      "zone:+0200",
      "date:a, 0 a 0 0:0:0 +0",
      "sender:a0",
      "sender:digits",
      "sender:@shop.example",
      "shape:$0,000",
      "shape:now!!",
      "shape:00%",
    ]
  ) assert.ok(got.has(word), `${word} in ${[...got]}`);
});

Deno.test("what a mailing list puts into all of its messages does not count", () => {
  const text =
    "buy this\nhttp://pills.example/x\n-- \nUsers mailing list\nhttp://lists.example.org/users\n";
  const headers: [string, string][] = [
    ["Received", "from lists.example.org by mx.own.example with SMTP"],
    ["List-Id", "Users of it <users.lists.example.org>"],
    ["Subject", "[Users] offer"],
    ["To", "users@lists.example.org"],
  ];
  const got = messageWords({ headers, texts: [{ html: false, text }] }, junkParams());
  assert.deepEqual([...got].filter((w) => !isFrame(w)).sort(), [
    "buy",
    "hops:1",
    "rcvd:own.example",
    "rcvd:smtp",
    "subject:offer",
    "this",
    "url:pills.example",
  ]);
  // Lines that don't name the list are the author's own.
  const signed = messageWords(
    { headers, texts: [{ html: false, text: "hello\n-- \nJane Doe\n" }] },
    junkParams(),
  );
  assert.ok(signed.has("jane"));
});

Deno.test("links are counted by host and its parents, in text and in HTML", () => {
  assert.deepEqual(words("see https://user:x@www.pills.example:8080/a/b?c=d now"), [
    "see",
    "url:userinfo",
    "url:www.pills.example",
    "url:pills.example",
    "now",
  ]);
  assert.deepEqual(words(`<a href="http://192.0.2.7/x">buy</a>`, true), [
    "url:192.0.2.7",
    "url:0.2.7",
    "url:2.7",
    "url:address",
    "buy",
  ]);
});

Deno.test("n-grams join consecutive words", () => {
  assert.deepEqual(words("buy cheap pills", false, { Twograms: true, Threegrams: true }), [
    "buy",
    "cheap",
    "buy cheap",
    "pills",
    "cheap pills",
    "buy cheap pills",
  ]);
});

Deno.test("HTML: tags in a line don't break words, blocks do; scripts, styles, comments are left out", () => {
  assert.deepEqual(
    words(
      `<style>.hidden{}</style><p>via<b></b>gra<!-- x>y -->tabs</p><p>next</p><script>var evil;</script ><img alt="logo text">caf&eacute;`,
      true,
    ),
    ["viagratabs", "next", "logo", "text", "café"],
  );
  assert.equal(
    decodeEntities("&lt;&#65;&#x42;&bogus; & &#xd800; &amp;amp;"),
    "<AB&bogus; & \ufffd &amp;",
  );
  assert.equal(htmlText("a < b <3 c").text, "a < b <3 c");
});

Deno.test("words and HTML are total on any text, and bounded", () => {
  fc.assert(
    fc.property(
      fc.array(
        fc.oneof(
          fc.constantFrom(
            "<",
            ">",
            "</",
            "<!--",
            "-->",
            '"',
            "'",
            "&",
            "&#x",
            ";",
            "script",
            "=",
            " ",
            "://",
            "http",
          ),
          fc.string({ unit: "binary", maxLength: 12 }),
        ),
        { maxLength: 60 },
      ),
      fc.boolean(),
      (parts, html) => {
        const text = parts.join("");
        htmlText(text);
        const got = messageWords(
          {
            headers: [["Subject", text], [text, text]],
            texts: [{ html, text }],
            attachments: [text],
          },
          junkParams({ Twograms: true, Threegrams: true }),
        );
        for (const w of got) assert.ok(w.length > 0 && w.length <= 300, JSON.stringify(w));
      },
    ),
    { seed, numRuns: 500 },
  );
});

Deno.test("work for a message is bounded, also for texts made to be slow", () => {
  const hostile = [
    "<".repeat(1e6),
    "<!--".repeat(3e5),
    "<a b='".repeat(2e5),
    "<script>".repeat(2e5),
    "&".repeat(1e6),
    "<p a=b ".repeat(2e5),
    "a'".repeat(5e5),
    "a\u200b".repeat(5e5),
    "http://".repeat(2e5),
    "</script".repeat(2e5),
    Array.from({ length: 2e5 }, (_, i) => `word${i.toString(26).replace(/[0-9]/g, "q")}`).join(" "),
  ];
  for (const text of hostile) {
    for (const html of [false, true]) {
      const ms = processorMs(() => {
        const got = messageWords(
          { headers: [["Subject", text]], texts: [{ html, text }, { html, text }] },
          junkParams({ Twograms: true }),
        );
        assert.ok(got.size <= maxWords);
      });
      assert.ok(ms < 2000, `${ms} ms for ${JSON.stringify(text.slice(0, 10))} html=${html}`);
    }
  }
});
