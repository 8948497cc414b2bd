/** Values and line ends that a comparison with Dovecot on odd messages has shown to be read badly, by one or the other. */
import assert from "node:assert/strict";
import { addressLimits, parseAddressList } from "../../src/mail/address/address.ts";
import { splitHeader } from "../../src/mail/header/header.ts";
import { normalizeMessageId, parseMessageIds } from "../../src/mail/header/messageid.ts";
import { parseContentType, parseDisposition, parseEncoding } from "../../src/mail/header/params.ts";
import { decodeText } from "../../src/mail/structure/contents.ts";
import { imapEnvelope } from "../../src/mail/structure/envelope.ts";
import { leaves, parseMessage, StructureParser } from "../../src/mail/structure/structure.ts";

const bytes = (s: string) => Uint8Array.from(s, (c) => c.charCodeAt(0));

/** Addresses as "name|localpart|domain", groups as their names with what is in them. */
const addresses = (value: string) =>
  parseAddressList(value).map((a) =>
    "group" in a
      ? `${a.group}: ${a.members.map((m) => `${m.name}|${m.localpart}|${m.domain}`).join(" ")}`
      : `${a.name}|${a.localpart}|${a.domain}`
  );

Deno.test("what stands behind an address is none of its domain", () => {
  const cases: [value: string, ...found: string[]][] = [
    ["A <a@b> B", "A|a|b"],
    ["<a@b> A", "|a|b"],
    ["A <a@b>.", "A|a|b"],
    ["A <a@b>:", "A|a|b"],
    ["A <a@b c>", "A|a|b"],
    ["A <a@b . c>", "A|a|b.c"],
    ["a@b c", "|a|b"],
    ["a@b )", "|a|b"],
    ["A <a@b> (c), d@e", "A|a|b", "|d|e"],
    ["g: A <a@b> x, c@d;", "g: A|a|b |c|d"],
    ["a . b @ c . d", "|a.b|c.d"],
  ];
  for (const [value, ...found] of cases) assert.deepEqual(addresses(value), found, value);
});

Deno.test("addresses between which the comma was forgotten are all there", () => {
  const cases: [value: string, ...found: string[]][] = [
    ["A <a@b> C <c@d>", "A|a|b", "C|c|d"],
    ["<a@b> <c@d>", "|a|b", "|c|d"],
    ["<a@b><c@d>", "|a|b", "|c|d"],
    ["a@b c@d", "|a|b", "|c|d"],
    ["a@b\tc@d e@f", "|a|b", "|c|d", "|e|f"],
    ["<a@b> c@d", "|a|b", "|c|d"],
    ["Ann a@b Bob c@d", "Ann|a|b", "Bob|c|d"],
    // One that stands in the place of a name is a name.
    ["a@b <c@d>", "a@b|c|d"],
    ["Jane @ Company <j@c>", "Jane @ Company|j|c"],
  ];
  for (const [value, ...found] of cases) assert.deepEqual(addresses(value), found, value);
});

Deno.test("a quote without an end hides no address, and an encoded list is a name", () => {
  const cases: [value: string, ...found: string[]][] = [
    ['"A <a@b>', "A|a|b"],
    ['A" <a@b>', "A|a|b"],
    ['"A <a@b>, C <c@d>', "A|a|b", "C|c|d"],
    ['"A" <a@b>, "C <c@d>', "A|a|b", "C|c|d"],
    ["=?utf-8?q?A_=3Ca=40b=3E?=", "A <a@b>||"],
    ["root", "|root|"],
  ];
  for (const [value, ...found] of cases) assert.deepEqual(addresses(value), found, value);
  // Each is looked for an end of once.
  const many = parseAddressList('\\"'.repeat(100_000) + " <a@b>");
  assert.equal(many.length, 1);
});

Deno.test("a name with a comma, without its quotes, is one name in what was received", () => {
  const received = (value: string) =>
    parseAddressList(value, addressLimits, true).map((a) =>
      "group" in a
        ? `${a.group}: ${a.members.map((m) => m.name).join()}`
        : `${a.name}|${a.localpart}|${a.domain}`
    );
  const cases: [value: string, ...found: string[]][] = [
    // python/cpython 143938
    ["John Smith, Jr <johnsmith@example.com>", "John Smith, Jr|johnsmith|example.com"],
    ["Doe, John <j@x>, Ann <a@b>", "Doe, John|j|x", "Ann|a|b"],
    ["=?utf-8?q?M=C3=BCller?=, Jo <j@x>", "Müller, Jo|j|x"],
    ["g: Doe, John <j@x>;", "g: Doe, John"],
    // Addresses stay.
    ["root, a@b", "|root|", "|a|b"],
    ["<root>, A <a@b>", "|root|", "A|a|b"],
    ["ceo@bank, X <evil@x>", "|ceo|bank", "X|evil|x"],
    ["Doe, <j@x>", "|Doe|", "|j|x"],
    ["root; Ann <a@b>", "|root|", "Ann|a|b"],
  ];
  for (const [value, ...found] of cases) assert.deepEqual(received(value), found, value);
  // What is typed may be an address that isn't complete.
  assert.deepEqual(addresses("bob, Ann <a@b>"), ["|bob|", "Ann|a|b"]);
});

Deno.test("encoded words where types stand, and a file that has a name but no type", () => {
  // nodemailer/mailparser 244: the message's HTML was a file to be saved.
  assert.equal(parseDisposition("=?utf-8?Q?inline?=")?.type, "inline");
  assert.equal(parseContentType("=?utf-8?q?text/html?=; charset=utf-8")?.subtype, "html");
  assert.equal(parseEncoding("=?utf-8?q?base64?="), "base64");
  // nodemailer/mailparser 159
  const type = parseContentType('; name="test.pdf"');
  assert.deepEqual([type?.type, type?.subtype, type?.params.name], [
    "application",
    "octet-stream",
    "test.pdf",
  ]);
  assert.equal(parseContentType("; charset=utf-8"), undefined);
});

Deno.test("message ids in encoded words, and with marks that are too many", () => {
  // neomutt 2315, nextcloud/mail 12558
  const cases: [value: string, ...ids: string[]][] = [
    [
      "=?utf-8?Q?=3CAM6PR01=40eurprd01.prod.exchangelabs.com=3E?=",
      "AM6PR01@eurprd01.prod.exchangelabs.com",
    ],
    ["=?utf-8?q?=3Ca=40b=3E_=3Cc?= =?utf-8?q?=40d=3E?= <e@f>", "a@b", "c@d", "e@f"],
    ["< <VI1@x.example>", "VI1@x.example"],
    ["<<a@b>>", "a@b"],
  ];
  for (const [value, ...ids] of cases) assert.deepEqual(parseMessageIds(value), ids, value);
  assert.equal(normalizeMessageId("=?utf-8?Q?=3Ca=40b=3E?="), "a@b");
});

Deno.test("a field is unfolded with one blank, whatever it was folded with", () => {
  const cases: [header: string, value: string][] = [
    ["Subject: quarterly\r\n\treport\r\n", "quarterly report"],
    ["Subject: quarterly\r\n        report\r\n", "quarterly report"],
    ["Subject: quarterly \r\n report\r\n", "quarterly report"],
    ["Subject:\r\n report\r\n", "report"],
    ["Subject: quarterly\r\n \r\n report\r\n", "quarterly report"],
    ["Subject: quarterly\r\r\n report\r\r\n", "quarterly report"],
    ["Subject: two  blanks\tand a tab\r\n", "two  blanks\tand a tab"],
  ];
  for (const [header, value] of cases) {
    assert.deepEqual(splitHeader(bytes(header)), [{ name: "subject", value }], header);
  }
});

Deno.test("fields of one header may be in several charsets", () => {
  const header =
    "Subject: f\xfcr dich und sch\xf6ne Gr\xfc\xdfe\r\nFrom: J\xfcrgen M\xfcller <a@b>\r\n" +
    "X-Spam-Report: gr\xc3\xbcn\r\n\tbl\xc3\xa4ulich\r\nX-Subject: \x1b$BF|K\\\x1b(B\r\n";
  assert.deepEqual(splitHeader(bytes(header)).map((f) => f.value), [
    "für dich und schöne Grüße",
    "Jürgen Müller <a@b>",
    "grün bläulich",
    "日本",
  ]);
  assert.equal(
    splitHeader(bytes("Subject: gr\xc3\xbcn\r\nTo: \x1b$BF|K\\\x1b(B <a@b>\r\n"))[0].value,
    "grün",
  );
});

Deno.test("a message whose lines end in CR CR LF has its header and parts", () => {
  const plain = "Subject: a\r\r\nTo: a@b\r\r\n\r\r\nbody\r\r\n";
  assert.equal(parseMessage(bytes(plain)).root.bodyOffset, plain.indexOf("body"));
  const parts = "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\none\r\n--b\r\n" +
    "Content-Type: text/html\r\n\r\ntwo\r\n--b--\r\n";
  const message = bytes(parts.replaceAll("\r\n", "\r\r\n"));
  for (const size of [1, 2, 3, 7, message.length]) {
    const parser = new StructureParser();
    for (let at = 0; at < message.length; at += size) parser.write(message.subarray(at, at + size));
    const found = [...leaves(parser.end().root)].map((p) =>
      `${p.subtype} ${decodeText(p, message.subarray(p.bodyOffset, p.endOffset)).trim()}`
    );
    assert.deepEqual(found, ["plain one", "html two"], `${size} bytes at a time`);
  }
});

Deno.test("a boundary with a blank at its end, and a charset with a comma behind it", () => {
  const m = bytes(
    'Content-Type: multipart/mixed; boundary="b "\r\n\r\n--b \r\n\r\none\r\n--b --\r\nepilogue\r\n',
  );
  const [part] = leaves(parseMessage(m).root);
  assert.equal(decodeText(part, m.subarray(part.bodyOffset, part.endOffset)), "one");
  assert.deepEqual(
    { ...parseContentType("text/plain;charset=utf-8,name=a")?.params },
    { charset: "utf-8" },
  );
});

Deno.test("ENVELOPE has names of groups as they are written, and message ids as others refer to them", () => {
  const envelope = imapEnvelope(
    splitHeader(bytes("To: =?utf-8?q?g=C3=BC?=: a@b;\r\nMessage-ID: <\xc3\xbc@b>\r\n")),
  );
  assert.match(envelope, /\(NIL NIL "=\?utf-8\?q\?g=C3=BC\?=" NIL\)\(NIL NIL "a" "b"\)/);
  assert.ok(envelope.endsWith(" {6}\r\n<ü@b>)"), envelope);
});
