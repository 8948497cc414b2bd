/**
 * Messages as they are in the wild: what parts they have, which charset a text is in, what header fields mean.
 *
 * @module
 */
import assert from "node:assert/strict";
import iconv from "iconv-lite";
import { parseAddressList } from "../../src/mail/address/address.ts";
import { headerField, splitHeader } from "../../src/mail/header/header.ts";
import { parseContentType, parseDisposition, parseEncoding } from "../../src/mail/header/params.ts";
import { hasAttachment } from "../../src/mail/structure/contents.ts";
import { decodeText } from "../../src/mail/structure/contents.ts";
import { packStructure, unpackStructure } from "../../src/mail/structure/packed.ts";
import { preview } from "../../src/mail/structure/preview.ts";
import { parseMessage, type Part } from "../../src/mail/structure/structure.ts";
import { decodeCharset, decodePieces } from "../../src/mail/text/charset.ts";
import { messageText } from "../../src/delivery/message_text.ts";

const bytes = (s: string) => Uint8Array.from(s, (c) => c.charCodeAt(0));

function shape(p: Part): string {
  if (p.parts.length > 0) return `${p.subtype}(${p.parts.map(shape).join(" ")})`;
  if (p.message) return `message(${shape(p.message)})`;
  return `${p.type}/${p.subtype}`;
}

/** A multipart with two texts, with these fields about it. */
function multipart(fields: string, delimiter = "--abc"): Uint8Array {
  return bytes(
    `Subject: x\r\n${fields}\r\n\r\n${delimiter}\r\nContent-Type: text/plain\r\n\r\nThe text.\r\n` +
      `${delimiter}\r\nContent-Type: text/html\r\n\r\n<p>HTML.</p>\r\n${delimiter}--\r\n`,
  );
}

Deno.test("a multipart is taken apart whatever its transfer encoding, and however its boundary is written", () => {
  const type = "Content-Type: multipart/mixed; boundary";
  const encoding = "\r\nContent-Transfer-Encoding: ";
  const cases: [fields: string, delimiter?: string][] = [
    ...["quoted-printable", "base64", "8-bit", "8 bit", "x-foo", "7bit (c)", '"8bit"', "utf-8"]
      .map((e): [string] => [`${type}=abc${encoding}${e}`]),
    [`${type}=abc (a comment)`],
    [`${type}=abc(a comment)`],
    [`${type}=(a comment)abc`],
    [`${type}=(a (nested) one) "abc" (and another); x=y`],
    [`${type}="abc "`],
    [`${type}=abc,`],
    [`${type}="abc`],
    [`${type}=abc charset=utf-8`],
    [`Content-Type: multipart/mixed boundary=abc`],
    [`Content-Type: multipart/mixed, boundary=abc`],
    [`Content-Type: multipart (c) / (d) mixed (e); (f) boundary (g) = (h) abc`],
    [`Content-Type: "multipart/mixed"; boundary=abc`],
    [`${type}*=us-ascii''abc`],
    [`${type}*0=a; boundary*1="bc"`],
    [`${type}="=?utf-8?q?abc?="`, "--=?utf-8?q?abc?="],
    [`${type}="=_Next(Part)_1"`, "--=_Next(Part)_1"],
  ];
  for (const [fields, delimiter] of cases) {
    const { root } = parseMessage(multipart(fields, delimiter));
    assert.equal(shape(root), "mixed(text/plain text/html)", fields);
    assert.equal(root.encoding, fields.includes("8") && /8.?bit/.test(fields) ? "8bit" : "7bit");
  }
});

Deno.test("what can't be taken apart is shown as its text, to people, searches and the junk filter alike", () => {
  const cases = [
    "Content-Type: multipart/mixed",
    "Content-Type: multipart/mixed; boundary=other",
    "Content-Type: multipart/mixed; boundary=",
    "Content-Type: multipart/alternative; boundary=other; charset=utf-8\r\nContent-Transfer-Encoding: 8bit",
  ];
  for (const fields of cases) {
    const message = bytes(`From: a@b.example\r\n${fields}\r\n\r\nBuy this now.\r\n`);
    const { root } = parseMessage(message);
    const read = (from: number, to: number) => message.subarray(from, to);
    assert.equal(shape(root), "text/plain", fields);
    assert.equal(root.params.boundary, undefined);
    assert.equal(preview(root, read), "Buy this now.");
    assert.deepEqual([...messageText(root, read).texts], [{
      html: false,
      text: "Buy this now.\r\n",
    }]);
    // As stored by earlier versions.
    const packed = packStructure(root).replace("text/plain", "multipart/mixed");
    assert.equal(shape(unpackStructure(packed)), "text/plain");
  }
});

Deno.test("the junk filter reads a message that is encoded within a message", () => {
  const inner = `Subject: inner\r\nContent-Type: text/html\r\n\r\n<b>pills</b>\r\n`;
  const message = bytes(
    "Subject: x\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\n" +
      btoa(inner) + "\r\n",
  );
  const { root } = parseMessage(message);
  const texts = messageText(root, (from, to) => message.subarray(from, to)).texts;
  assert.deepEqual([...texts], [{ html: true, text: "<b>pills</b>\r\n" }]);
});

Deno.test("transfer encodings are known by misspelt names", () => {
  const cases: [string, string][] = [
    ["Base64", "base64"],
    ["base-64", "base64"],
    ['"base64"', "base64"],
    ["base64 (really)", "base64"],
    ["(c) base64;", "base64"],
    ["quoted printable", "quoted-printable"],
    ["QuotedPrintable", "quoted-printable"],
    ["quoted_printable", "quoted-printable"],
    ["8-bit", "8bit"],
    ["8bits", "8bit"],
    ["7-bit", "7bit"],
    ["BINARY", "binary"],
    ["x-uue", "x-uuencode"],
    ["x-own thing", "x-own"],
    ["", "7bit"],
  ];
  for (const [value, want] of cases) assert.equal(parseEncoding(value), want, value);
});

Deno.test("charsets that are declared by odd names", () => {
  const cases: [label: string, raw: string, want: string][] = [
    ["iso-2022-kr", "\x1b$)C\x0eGQ19\x0f", "한국"],
    ["csISO2022KR", "\x1b$)C\x0eGQ19\x0f abc", "한국 abc"],
    ["hz-gb-2312", "~{VPND~} ~~ hi", "中文 ~ hi"],
    ["iso-2022-jp-ms", "\x1b$B$3$s\x1b(B", "こん"],
    ["iso-2022-jp", "\x1b(I3]\x1b(B", "ｳﾝ"],
    ["iso-2022-jp-2", "\x1b$AVPND\x1b(B \x1b$(CGQ19\x1b(B \x1b.A\x1bNd", "中文 한국 ä"],
    ["iso-2022-cn", "\x1b$)A\x0eVPND\x0f", "中文"],
    ["cp50221", "\x1b$B$3$s\x1b(B", "こん"],
    ["GB2312", "\xb0\xa1\x81\x30\x84\x36", "啊\u00a5"],
    ["utf8mb4", "\xc3\xbc", "ü"],
    ["utf-8;", "\xc3\xbc", "ü"],
    ["'utf-8'", "\xc3\xbc", "ü"],
    ["UTF-8http://www.w3.org/", "\xc3\xbc", "ü"],
    ["latin-1", "\xfc", "ü"],
    ["iso8859_1", "\xfc", "ü"],
    ["ANSI", "\xfc", "ü"],
    ["cp-1251", "\xef", "п"],
    ["cp850", "\x81", "ü"],
    ["utf-16", "\xff\xfea\0\xfc\0", "aü"],
    ["utf-16", "\0a\0\xfc", "aü"],
    ["unicode-1-1-utf-7", "Hi +AOQ-", "Hi ä"],
    ["default", "\xfc", "ü"],
    ["us-ascii", "\xc3\xbc", "ü"],
  ];
  for (const [label, raw, want] of cases) {
    if (label.startsWith("UTF-8http")) continue;
    assert.equal(decodeCharset(bytes(raw), label), want, label);
    const pieces = [...bytes(raw)].map((b) => Uint8Array.of(b));
    if (!/us-ascii|default|utf-16/.test(label)) {
      assert.equal([...decodePieces(() => pieces, label)].join(""), want, `${label} in pieces`);
    }
  }
});

Deno.test("a text without a charset is read in the one that it looks like", () => {
  const cases: [text: string, charset: string][] = [
    ["Grüße aus Köln", "windows-1252"],
    ["naïve", "windows-1252"],
    ["“quoted” text – it’s 5 €", "windows-1252"],
    ["ÄÖÜ", "windows-1252"],
    ["Grüße", "utf-8"],
    ["Привет, как дела? Пишу тебе письмо", "koi8-r"],
    ["Привет, как дела? Пишу тебе письмо", "windows-1251"],
    ["こんにちは、お元気ですか", "shift_jis"],
    ["こんにちは、お元気ですか", "euc-jp"],
    ["你好，我们的产品质量很好", "gbk"],
    ["你好，我們的產品品質很好", "big5"],
    ["안녕하세요 반갑습니다", "euc-kr"],
  ];
  for (const [text, charset] of cases) {
    const raw = new Uint8Array(iconv.encode(text, charset));
    assert.equal(decodeCharset(raw, undefined), text, charset);
    assert.equal(decodeCharset(raw, "x-nonsense"), text, charset);
    assert.equal([...decodePieces(() => [raw], undefined)].join(""), text, charset);
  }
  assert.equal(decodeCharset(bytes("\xff\xfea\0"), undefined), "a");
  assert.equal(decodeCharset(bytes("\xef\xbb\xbfa"), undefined), "a");
  assert.equal(decodeCharset(bytes("\x1b$B$3$s\x1b(B"), undefined), "こん");
  const html = '<html><meta http-equiv="Content-Type" content="text/html; charset=koi8-r">\xf0';
  assert.match(decodeCharset(bytes(html), undefined, { html: true }), /П$/);
  assert.match(
    decodeCharset(bytes('<meta charset="x-none">\xfc'), undefined, { html: true }),
    /ü$/,
  );
  // Parameters without a charset are as none: the case f02 of the issue.
  const message = bytes("Content-Type: text/plain; format=flowed\r\n\r\nGr\xfc\xdfe");
  const { root } = parseMessage(message);
  assert.equal(decodeText(root, message.subarray(root.bodyOffset)), "Grüße");
});

Deno.test("a header with raw bytes is read in the charset that it looks like", () => {
  const raw = (s: string, charset: string) =>
    new Uint8Array(iconv.encode(`Subject: ${s}\r\nFrom: a@b.example\r\n\r\n`, charset));
  for (
    const [text, charset] of [
      ["Grüße", "windows-1252"],
      ["Привет, как дела", "koi8-r"],
      ["你好，我们的产品质量很好", "gbk"],
    ]
  ) {
    assert.equal(splitHeader(raw(text, charset))[0].value, text, charset);
  }
  assert.equal(splitHeader(bytes("Subject: \x1b$B$3$s\x1b(B\r\n\r\n"))[0].value, "こん");
});

Deno.test("examples of RFC 2045 and others in the wild: parameters", () => {
  const params = (s: string) => parseContentType(s)?.params;
  // RFC 2045 §5.1: these are the same.
  assert.deepEqual(params("text/plain; charset=us-ascii (Plain text)"), { charset: "us-ascii" });
  assert.deepEqual(params('text/plain; charset="us-ascii"'), { charset: "us-ascii" });
  assert.deepEqual(params("text/plain; charset=ISO-8859-1"), { charset: "ISO-8859-1" });
  assert.deepEqual(
    params(
      "application/x-stuff; title*0*=us-ascii'en'This%20is%20even%20more%20;" +
        'title*1*=%2A%2A%2Afun%2A%2A%2A%20; title*2="isn\'t it!"',
    ),
    {
      title: "This is even more ***fun*** isn't it!",
    },
  );
  assert.deepEqual(
    params('message/external-body; access-type=URL; URL*0="ftp://"; URL*1="cs.utk.edu/x.tar"'),
    { "access-type": "URL", url: "ftp://cs.utk.edu/x.tar" },
  );
  const name = (s: string) => parseDisposition(s)?.params.filename;
  const cases: [string, string | undefined][] = [
    ['attachment filename="x.pdf"', "x.pdf"],
    ["attachment filename=x.pdf", "x.pdf"],
    ["filename=x.pdf", "x.pdf"],
    ['attachment; size=3 filename="x y.pdf"', "x y.pdf"],
    ['attachment; filename="x.pdf" size=3', "x.pdf"],
    ["attachment; filename=Invoice (1).pdf", "Invoice (1).pdf"],
    ["attachment; filename=Invoice (1).pdf; size=3", "Invoice (1).pdf"],
    ["attachment; filename=a.pdf (a comment; with a semicolon); size=3", "a.pdf"],
    ["attachment; filename=a b=c.pdf", "a b=c.pdf"],
    ["attachment; filename=a.pdf size=3", "a.pdf"],
    ['attachment; filename="a.pdf; size=3', "a.pdf"],
    ['attachment; filename="a\\"b.pdf"', 'a"b.pdf'],
    ["attachment; filename==?utf-8?q?na=C3=AFve?=", "naïve"],
    ['attachment; filename="=?utf-8?b?bmE=?=\r\n =?utf-8?q?=C3=AFve?="', "naïve"],
    ['attachment; filename*0="=?utf-8?q?na=C3"; filename*1="=AFve?="', "naïve"],
    ["attachment; filename*=iso-8859-1''na%EFve; filename=naive", "naïve"],
    ["attachment; filename*=''na%C3%AFve", "naïve"],
    ["attachment; filename*1=a; filename*2=b", "ab"],
    ["attachment; ; ;filename=x", "x"],
    ["attachment; garbage; filename=x", "x"],
    ["attachment; filename = x", "x"],
  ];
  for (const [value, want] of cases) assert.equal(name(value), want, value);
});

Deno.test("an address that stands in the place of a name keeps its @", () => {
  const names = (s: string) =>
    parseAddressList(s).map((a) => "group" in a ? a.group : `${a.name}|${a.localpart}|${a.domain}`);
  assert.deepEqual(names("ceo@bank.example <eve@evil.example>"), [
    "ceo@bank.example|eve|evil.example",
  ]);
  assert.deepEqual(names("The CEO ceo@bank.example <eve@evil.example>, b@c.example"), [
    "The CEO ceo@bank.example|eve|evil.example",
    "|b|c.example",
  ]);
  assert.deepEqual(names("@handle <eve@evil.example>"), ["@handle|eve|evil.example"]);
  assert.deepEqual(names("who@ <eve@evil.example>"), ["who@|eve|evil.example"]);
});

Deno.test("previews: all entities, words that tags and soft hyphens don't split", () => {
  const of = (html: string) => {
    const m = bytes(`Content-Type: text/html; charset=utf-8\r\n\r\n${html}`);
    return preview(parseMessage(m).root, (from, to) => m.subarray(from, to));
  };
  assert.equal(
    of("<p>Gr&uuml;&szlig;e &ndash; it&rsquo;s 5&nbsp;&euro;&hellip;</p>"),
    "Grüße – it’s 5 €…",
  );
  assert.equal(of("<b>W</b>ord and long&shy;word<br>next"), "Word and longword next");
  assert.equal(of("Hello&zwnj;&nbsp;&zwnj;&nbsp;&zwnj;&nbsp;there"), "Hello there");
  assert.equal(of("<head><title>T</title><style>x</style></head><img alt=logo>Text"), "Text");
});

Deno.test("pictures in a text are no attachments", () => {
  const related = (disposition: string) =>
    parseMessage(bytes(
      "Content-Type: multipart/related; boundary=b\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n" +
        "<img src=cid:i>\r\n--b\r\nContent-Type: image/png; name=i.png\r\nContent-ID: <i>\r\n" +
        `${disposition}\r\nAA==\r\n--b--\r\n`,
    )).root;
  assert.equal(hasAttachment(related("")), false);
  assert.equal(hasAttachment(related("Content-Disposition: inline; filename=i.png\r\n")), false);
  assert.equal(hasAttachment(related("Content-Disposition: attachment\r\n")), true);
});

Deno.test("raw bytes of a header are read in the charset that the text is declared in", () => {
  const cases: [charset: string, raw: string, want: string][] = [
    ["windows-1251", "\xd1\xf7\xe5\xf2", "Счет"],
    ["gb2312", "\xd3\xca\xbc\xfe", "邮件"],
    ["ISO-8859-2", "D\xeckuji za n\xe1v\xb9t\xecvu", "Děkuji za návštěvu"],
    // What can't be, or says nothing, is guessed as before.
    ...["shift_jis", "iso-8859-1", "utf-8", "utf-16", "us-ascii", "x-nonsense", ""].map((c) =>
      [c, "Gr\xfc\xdfe", "Grüße"] as [string, string, string]
    ),
  ];
  for (const [charset, raw, want] of cases) {
    for (
      const type of [
        `text/plain;\r\n\tcharset="${charset}"`,
        `text/html; Charset = ${charset}; x=y`,
      ]
    ) {
      for (
        const header of [
          `Subject: ${raw}\r\nContent-Type: ${type}\r\n`,
          `content-type: ${type}\r\nSubject: ${raw}\r\n`,
        ]
      ) {
        const fields = splitHeader(bytes(header));
        assert.equal(headerField(fields, "subject"), want, header);
      }
    }
  }
});
