/** Addresses, dates, words, parameters, subjects, encodings: tables of what is found in the wild. */
import assert from "node:assert/strict";
import { fc } from "../support/fast_check.ts";
import { simpleParser } from "mailparser";
import { Buffer } from "node:buffer";
import { parseAddressList } from "../../src/mail/address/address.ts";
import { decodeCharset } from "../../src/mail/text/charset.ts";
import { formatDate, parseDate } from "../../src/mail/header/date.ts";
import { composeDsn } from "../../src/mail/dsn/dsn.ts";
import { encodeWord } from "../../src/mail/header/encode.ts";
import { imapBodyStructure, imapEnvelope } from "../../src/mail/structure/envelope.ts";
import { splitHeader } from "../../src/mail/header/header.ts";
import { normalizeMessageId, parseMessageIds } from "../../src/mail/header/messageid.ts";
import { parseContentType, parseDisposition } from "../../src/mail/header/params.ts";
import { preview } from "../../src/mail/structure/preview.ts";
import { parseMessage } from "../../src/mail/structure/structure.ts";
import { collationKey } from "../../src/mail/text/collation.ts";
import { baseSubject, standardBaseSubject } from "../../src/mail/header/subject.ts";
import { decodeBase64, decodeQuotedPrintable } from "../../src/mail/transfer/transfer.ts";
import { decodeWords } from "../../src/mail/header/words.ts";

const utf8 = (s: string) => new TextEncoder().encode(s);
const text = (b: Uint8Array) => new TextDecoder().decode(b);

/** Addresses as `name|localpart|domain`, groups as `group:(...)`. */
function shown(value: string): string {
  return parseAddressList(value).map((a) =>
    "group" in a
      ? `${a.group}:(${a.members.map((m) => `${m.name}|${m.localpart}|${m.domain}`).join(" ; ")})`
      : `${a.name}|${a.localpart}|${a.domain}`
  ).join(" ; ");
}

Deno.test("address lists of all kinds", () => {
  const cases: [string, string][] = [
    ["", ""],
    ["a@b.example", "|a|b.example"],
    ["<a@b.example>", "|a|b.example"],
    ["A B <a@b.example>", "A B|a|b.example"],
    ['"B, A" <a@b.example>', "B, A|a|b.example"],
    ['"quo\\"ted" <a@b.example>', 'quo"ted|a|b.example'],
    ["a@b.example (A B)", "A B|a|b.example"],
    ["A (comment) B <a@b.example>", "A B|a|b.example"],
    ["a@b.example, c@d.example", "|a|b.example ; |c|d.example"],
    ["a@b.example,,, c@d.example,", "|a|b.example ; |c|d.example"],
    ['"a b"@c.example', "|a b|c.example"],
    ['"@"@c.example', "|@|c.example"],
    ["a.b.c@d.example", "|a.b.c|d.example"],
    ["a . b @ c . example", "|a.b|c.example"],
    ["a@[192.0.2.1]", "|a|[192.0.2.1]"],
    ["=?utf-8?q?J=C3=BCrgen?= <j@b.example>", "Jürgen|j|b.example"],
    ["Jürgen <jürgen@exämple.org>", "Jürgen|jürgen|exämple.org"],
    ["friends: a@b.example, C <c@d.example>;", "friends:(|a|b.example ; C|c|d.example)"],
    ["undisclosed-recipients:;", "undisclosed-recipients:()"],
    ["g: a@b.example; , z@y.example", "g:(|a|b.example) ; |z|y.example"],
    ["<@r1.example:u@b.example>", "|u|b.example"],
    ["John Doe a@b.example", "John Doe|a|b.example"],
    ["<a@b.example", "|a|b.example"],
    ["root", "|root|"],
    ["a b c", "a b c||"],
    ['"unclosed <x@y.example>', "unclosed|x|y.example"],
    ["a@b@c.example", "|a@b|c.example"],
    ["<a@b@c.example>", "|a@b|c.example"],
    ["A <>", "A||"],
    ["<>", ""],
  ];
  for (const [value, want] of cases) assert.equal(shown(value), want, value);
});

Deno.test("dates of all kinds", () => {
  const cases: [string, string | undefined][] = [
    ["Mon, 23 Nov 2026 10:11:12 +0100", "2026-11-23T09:11:12.000Z"],
    ["23 Nov 2026 10:11 +0000", "2026-11-23T10:11:00.000Z"],
    ["23 Nov 26 10:11:12 GMT", "2026-11-23T10:11:12.000Z"],
    ["Mon, 3 Jan 99 10:11:12 EST", "1999-01-03T15:11:12.000Z"],
    ["Mon Nov 23 10:11:12 2026", "2026-11-23T10:11:12.000Z"],
    ["2026-11-23T10:11:12Z", "2026-11-23T10:11:12.000Z"],
    ["2026-11-23", "2026-11-23T00:00:00.000Z"],
    ["2026-11-23 10:11:12 +02:00", "2026-11-23T08:11:12.000Z"],
    ["Mon, 23 Nov 2026 10:11:12 (comment) -0800 (PST)", "2026-11-23T18:11:12.000Z"],
    ["Mon, 23 November 2026 10:11:12 -0000", "2026-11-23T10:11:12.000Z"],
    ["23-Nov-2026 10:11:12 +0000", "2026-11-23T10:11:12.000Z"],
    ["Mon, 23 Nov 2026 10:11:60 +0000", "2026-11-23T10:11:59.000Z"],
    ["Mon, 23 Nov 2026", "2026-11-23T00:00:00.000Z"],
    ["Mon, 23 Nov 2026 24:00:00 +0000", "2026-11-24T00:00:00.000Z"],
    ["11/23/2026 10:11:12 PM", "2026-11-23T22:11:12.000Z"],
    ["23/11/2026 10:11", "2026-11-23T10:11:00.000Z"],
    ["2026/11/23 10:11:12", "2026-11-23T10:11:12.000Z"],
    ["11/2/26", "2026-11-02T00:00:00.000Z"],
    ["13/13/2026", undefined],
    ["", undefined],
    ["never", undefined],
    ["32 Nov 2026 10:00:00 +0000", undefined],
    ["23 Nov 2026 99:00:00 +0000", undefined],
  ];
  for (const [value, want] of cases) assert.equal(parseDate(value)?.toISOString(), want, value);
  fc.assert(
    fc.property(fc.date({ min: new Date(0), max: new Date(4e12), noInvalidDate: true }), (d) => {
      d.setUTCMilliseconds(0);
      assert.equal(parseDate(formatDate(d))!.getTime(), d.getTime());
    }),
  );
});

Deno.test("encoded words", () => {
  const cases: [string, string][] = [
    ["plain", "plain"],
    ["=?utf-8?q?a_b=20c?=", "a b c"],
    ["=?UTF-8?B?w7w=?= x", "ü x"],
    ["=?utf-8?b?w7w=?= =?utf-8?b?w7w=?=", "üü"],
    ["=?utf-8?b?ww==?= =?utf-8?b?vA==?=", "ü"],
    ["=?iso-8859-1?q?=FC?=", "ü"],
    ["=?iso-8859-1*de?q?=FC?=", "ü"],
    ["=?iso-2022-jp?b?GyRCRnxLXBsoQg==?=", "日本"],
    ["=?gb2312?b?xOO6ww==?=", "你好"],
    ["=?x-nonsense?q?a?=", "=?x-nonsense?q?a?="],
    ["=?utf-8?x?a?=", "=?utf-8?x?a?="],
    ["=?utf-8?q?unterminated", "=?utf-8?q?unterminated"],
    ["a =?utf-8?q?b?= c", "a b c"],
  ];
  for (const [value, want] of cases) assert.equal(decodeWords(value), want, value);
  fc.assert(fc.property(fc.string({ unit: "grapheme" }), (s) => {
    fc.pre(!s.includes("=?") && s === s.trim());
    assert.equal(decodeWords(encodeWord(s)), s);
  }));
});

Deno.test("parameters, plain, quoted, continued, encoded", () => {
  const name = (s: string) => parseDisposition(s)?.params.filename;
  assert.equal(name("attachment; filename=a.txt"), "a.txt");
  assert.equal(name('attachment; FileName="a b.txt"'), "a b.txt");
  assert.equal(name("attachment; filename=a b.txt"), "a b.txt");
  assert.equal(name("attachment; filename*=utf-8''na%C3%AFve.txt"), "naïve.txt");
  assert.equal(name("attachment; filename*0=a; filename*1=b.txt"), "ab.txt");
  assert.equal(name("attachment; filename*0*=utf-8''na%C3%AF; filename*1=ve.txt"), "naïve.txt");
  assert.equal(name('attachment; filename="=?utf-8?q?na=C3=AFve?="'), "naïve");
  assert.equal(name("attachment; filename*=utf-8''x%"), "x%");
  assert.equal(name("attachment"), undefined);
  assert.deepEqual(parseContentType("Text/HTML; charset=UTF-8;"), {
    type: "text",
    subtype: "html",
    params: { charset: "UTF-8" },
  });
  assert.equal(parseContentType("text"), undefined);
  assert.equal(parseContentType("x (c(o)m) / y")!.subtype, "y");
});

Deno.test("charsets", () => {
  assert.equal(decodeCharset(new Uint8Array([0xfc]), "windows-1252"), "ü");
  assert.equal(decodeCharset(new Uint8Array([0xc4, 0xe3]), "gb18030"), "你");
  assert.equal(decodeCharset(new Uint8Array([0xd4]), "koi8-r"), "т");
  assert.equal(decodeCharset(utf8("Hi Mom +Jjo-!"), "utf-7"), "Hi Mom ☺!");
  assert.equal(decodeCharset(utf8("ü"), "x-unknown"), "ü");
  assert.equal(decodeCharset(new Uint8Array([0xfc]), "us-ascii"), "ü");
});

Deno.test("transfer encodings, with what is wrong in the wild", () => {
  assert.equal(text(decodeBase64(utf8("aGVs\r\nbG8="))), "hello");
  assert.equal(text(decodeBase64(utf8("aGVsbG8"))), "hello");
  assert.equal(text(decodeBase64(utf8("aGk=aGk="))), "hihi");
  assert.equal(text(decodeQuotedPrintable(utf8("a=\r\nb=3D c \r\nd"))), "ab= c\r\nd");
  assert.equal(text(decodeQuotedPrintable(utf8("a=20\r\n=zz =4"))), "a \r\n=zz =4");
  fc.assert(fc.property(fc.uint8Array(), (b) => {
    assert.deepEqual([...decodeBase64(utf8(Buffer.from(b).toString("base64")))], [...b]);
    decodeQuotedPrintable(b);
  }));
});

Deno.test("base subjects", () => {
  const cases: [string, string, boolean][] = [
    ["hello", "hello", false],
    ["Re: hello", "hello", true],
    ["RE:  re:hello", "hello", true],
    ["Fwd: Re: hello (fwd)", "hello", true],
    ["[list] Re: hello", "hello", true],
    ["Re: [list] hello", "hello", true],
    ["Re[2]: hello", "hello", true],
    ["[Fwd: hello]", "hello", true],
    ["AW: WG: hello", "hello", true],
    ["[only]", "[only]", false],
    ["Re: hello   world", "hello world", true],
    ["Report: numbers", "Report: numbers", false],
    ["", "", false],
  ];
  for (const [subject, base, isReply] of cases) {
    assert.deepEqual(baseSubject(subject), { base, isReply }, subject);
    if (subject.startsWith("AW")) continue;
    assert.deepEqual(standardBaseSubject(subject), { base, isReply }, subject);
  }
  // RFC 5256 knows no other languages.
  assert.deepEqual(standardBaseSubject("AW: Re: x"), { base: "AW: Re: x", isReply: false });
});

Deno.test("i;unicode-casemap (RFC 5051): letters sort beside those that they are made of", () => {
  const sorted = ["zebra", "Äpfel", "apple", "STRASSE", "bar", "straße", "ﬁn", "äpfel", "fio"];
  sorted.sort((a, b) => collationKey(a) < collationKey(b) ? -1 : 1);
  assert.deepEqual(
    sorted,
    ["apple", "Äpfel", "äpfel", "bar", "ﬁn", "fio", "STRASSE", "straße", "zebra"].toSorted((a, b) =>
      collationKey(a) < collationKey(b) ? -1 : 1
    ),
  );
  assert.equal(collationKey("Äpfel"), collationKey("a\u0308PFEL"));
  assert.equal(collationKey("ǆ"), collationKey("ǅ"));
  assert.notEqual(collationKey("straße"), collationKey("strasse"));
});

Deno.test("message-ids", () => {
  assert.equal(normalizeMessageId(" <a@b> (c)"), "a@b");
  assert.equal(normalizeMessageId("a@b"), "a@b");
  assert.deepEqual(parseMessageIds("<a@b> <c@d>\t<a@b> junk <unfinished"), ["a@b", "c@d"]);
});

Deno.test("ENVELOPE: groups, missing fields, encoded and raw names", () => {
  const of = (header: string) => imapEnvelope(splitHeader(utf8(header.replace(/\n/g, "\r\n"))));
  assert.equal(of(""), "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)");
  assert.equal(
    of('From: "A \\"B\\"" <a@b.example>\nTo: g:x@y.example;\nSubject: =?utf-8?q?=C3=BC?=\n'),
    '(NIL "=?utf-8?q?=C3=BC?=" (("A \\"B\\"" NIL "a" "b.example")) (("A \\"B\\"" NIL "a" "b.example")) ' +
      '(("A \\"B\\"" NIL "a" "b.example")) ((NIL NIL "g" NIL)(NIL NIL "x" "y.example")(NIL NIL NIL NIL)) ' +
      "NIL NIL NIL NIL)",
  );
  assert.ok(of("Subject: raw ü\n").includes('"=?utf-8?b?cmF3IMO8?="'));
  // An obsolete route has its place; without a host an address is still no start of a group.
  assert.ok(
    of("To: <@r.example,@s.example:u@b.example>, bare, Only A Name\n").includes(
      ' ((NIL "@r.example,@s.example" "u" "b.example")(NIL NIL "bare" "")("Only A Name" NIL "" "")) ',
    ),
  );
});

Deno.test("BODYSTRUCTURE of a message in a message", () => {
  const m = utf8(
    "Content-Type: message/rfc822\n\nSubject: in\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n--b--\n"
      .replace(/\n/g, "\r\n"),
  );
  assert.equal(
    imapBodyStructure(parseMessage(m).root, false),
    '("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 75 (NIL "in" NIL NIL NIL NIL NIL NIL NIL NIL) ' +
      '(("TEXT" "PLAIN" ("CHARSET" "us-ascii") NIL NIL "7BIT" 1 1) "MIXED") 7)',
  );
});

Deno.test("previews: text before HTML, own words before quoted ones", () => {
  const of = (m: string) => {
    const b = utf8(m.replace(/\n/g, "\r\n"));
    return preview(parseMessage(b).root, (from, to) => b.subarray(from, to));
  };
  assert.equal(of("\n> quoted\nmine\n"), "mine");
  assert.equal(
    of(
      "Content-Type: text/html\n\n<style>p{}</style><!-- no --><p>a&amp;b&#252;</p><script>x</script>",
    ),
    "a&bü",
  );
  assert.equal(of("Content-Type: image/png\n\nxxx"), "");
  assert.equal([...of(`\n${"🎉".repeat(500)}`)].length, 200);
});

Deno.test("a DSN is read by another's parser", async () => {
  const bytes = composeDsn({
    action: "failed",
    reportingMta: "mx.example.org",
    to: "sender@example.org",
    arrival: new Date(0),
    date: new Date(1000),
    messageId: "dsn@mx.example.org",
    envelopeId: "a+b",
    originalMessageId: "orig@example.org",
    originalSubject: "Grüße",
    recipients: [{
      finalRecipient: "gone@example.com",
      originalRecipient: { type: "rfc822", address: "gone@example.com" },
      status: "5.1.1",
      diagnostic: "550 5.1.1 no such user",
      lastAttempt: new Date(2000),
    }],
    original: utf8("Subject: x\r\n"),
    originalIsWhole: false,
    smtputf8: false,
  });
  const parsed = await simpleParser(Buffer.from(bytes));
  assert.equal(parsed.subject, "Message not delivered: Grüße");
  assert.equal(parsed.inReplyTo, "<orig@example.org>");
  assert.match(parsed.text!, /gone@example\.com/);
  const { root } = parseMessage(bytes);
  assert.deepEqual(root.parts.map((p) => `${p.type}/${p.subtype}`), [
    "text/plain",
    "message/delivery-status",
    "text/rfc822-headers",
  ]);
  const status = text(bytes.subarray(root.parts[1].bodyOffset, root.parts[1].endOffset));
  for (const line of ["Original-Envelope-Id: a+b", "Action: failed", "Status: 5.1.1"]) {
    assert.ok(status.includes(line), line);
  }
});

Deno.test("nothing throws on any text, and hostile repetition takes no time", () => {
  const all: ((s: string) => unknown)[] = [
    parseAddressList,
    parseDate,
    decodeWords,
    baseSubject,
    parseMessageIds,
    (s) => parseContentType(`a/b;${s}`),
    (s) => parseDisposition(s),
    (s) => imapEnvelope(splitHeader(utf8(`From: ${s}\r\nTo: ${s}\r\n`))),
    (s) => preview(parseMessage(utf8(`\r\n\r\n${s}`)).root, () => utf8(s)),
  ];
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.nat(all.length - 1), (s, i) => {
      all[i](s);
    }),
    { numRuns: 3000 },
  );
  for (
    const unit of [
      "(",
      "<",
      '"',
      "=?",
      "=?a?q?",
      "[",
      ",",
      ":",
      "@",
      "\\",
      ";a=",
      "re:",
      "<!--",
      "?=",
    ]
  ) {
    for (const f of all) f(unit.repeat(20_000));
  }
});
