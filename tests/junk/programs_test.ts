/** Signs of the program that wrote a message, and of how its text is laid out. */
import assert from "node:assert/strict";
import { junkParams, messageWords, wordName } from "../../src/junk/mod.ts";
import { programSigns } from "../../src/junk/programs.ts";
import { Sizes, sizeSigns } from "../../src/junk/sizes.ts";

const sizes = (...texts: string[]) => {
  const s = new Sizes();
  for (const text of texts) s.add(text);
  return s.signs();
};

Deno.test("a program's name counts by its words, its first three together, and its form", () => {
  assert.deepEqual(
    programSigns([["X-Mailer", "Microsoft Outlook Express 6.00.2600"]]).slice(0, 5),
    [
      "mailer:microsoft outlook express",
      "mailer:microsoft",
      "mailer:outlook",
      "mailer:express",
      "mailer:~a a a 0.0.0",
    ],
  );
  // At most six words, and not those of a single letter.
  const many = programSigns([["User-Agent", "aa b cc dd ee ff gg hh"]]);
  assert.ok(
    many.includes("mailer:gg") && !many.includes("mailer:hh") && !many.includes("mailer:b"),
  );
});

Deno.test("fields of MIME count as they are spelled, without quoted values and boundaries", () => {
  const mime = programSigns([
    ["Content-Type", 'multipart/mixed;\r\n  boundary=abc123; charset="utf-8"'],
    ["MIME-Version", "1.0 (produced by x)"],
    ["content-transfer-encoding", "7BIT"],
    ["Subject", "text/html"],
  ]).filter((s) => s.startsWith("mime:"));
  assert.deepEqual(mime, [
    'mime:content-type: multipart/mixed; boundary charset="x"',
    "mime:mime-version: 1.0 (produced by x)",
    "mime:content-transfer-encoding: 7BIT",
  ]);
});

Deno.test("the host of the Message-ID is compared with the sender's and with the way", () => {
  const signs = (id: string | undefined, from: string, route: string) =>
    programSigns([
      ["Received", `from ${route} by mx.own.example`],
      ...(id === undefined ? [] : [["Message-ID", id] as const]),
      ["From", from],
    ]);
  assert.deepEqual(signs("<1@Mail.Shop.example>", "a@shop.example", "out.shop.example"), [
    "idhost:shop.example",
    "idhost:~sender",
    "idhost:~senderroute",
  ]);
  assert.deepEqual(signs("<1@out.isp.example>", "a@shop.example", "relay.isp.example"), [
    "idhost:isp.example",
    "idhost:~route",
    "idhost:~senderelsewhere",
  ]);
  assert.deepEqual(signs("<1@x.test>", "a@shop.example", "relay.isp.example"), [
    "idhost:x.test",
    "idhost:~other",
    "idhost:~senderelsewhere",
  ]);
  assert.deepEqual(signs(undefined, "a@shop.example", "relay.isp.example"), [
    "idhost:none",
    "idhost:~other",
    "idhost:~senderelsewhere",
  ]);
});

Deno.test("of fields that stand there a thousand times the first counts, so that they can't crowd out the text", () => {
  const headers = Array.from(
    { length: 3000 },
    (_, i) => ["X-Mailer", `mailer number${i} x${i}`] as const,
  );
  assert.ok(programSigns(headers).length < 12);
  const words = messageWords(
    { headers, texts: [{ html: false, text: "cheap pills" }] },
    junkParams(),
  );
  assert.ok(words.has("pills"));
});

Deno.test("length, lines, the longest, blank ones, capitals and foreign letters are steps of scales", () => {
  assert.deepEqual(sizes(), []);
  assert.deepEqual(sizes(""), []);
  // 12 characters with 4 lines, of which 2 are blank; 3 capitals, 3 small letters.
  assert.deepEqual(sizes("ABC\n\n \nabc\u00e9"), [
    "size:length4",
    "size:lines2",
    "size:longest2",
    "size:blank5",
    "size:capitals10",
    "size:foreign1",
  ]);
  // Several texts are one.
  assert.deepEqual(sizes("aaaa", "bbbb").slice(0, 2), ["size:length3", "size:lines2"]);
  for (const sign of sizes("A".repeat(2 ** 20), "\n".repeat(2 ** 18), "\u4e00".repeat(2 ** 20))) {
    assert.ok(sizeSigns.includes(sign), sign);
  }
});

Deno.test("signs of the program have names for people", () => {
  assert.equal(wordName("mailer:outlook"), "the program that wrote it (outlook)");
  assert.equal(wordName("mailer:~a 0.0"), "the form of its program's name");
  assert.equal(wordName("idhost:shop.example"), "a Message-ID of shop.example");
  assert.equal(wordName("idhost:none"), "no Message-ID");
  assert.equal(wordName("idhost:~other"), "a Message-ID of neither sender nor way");
  assert.equal(wordName("mime:content-type: text/html"), "the form of content-type");
});
