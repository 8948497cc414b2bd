/** What is composed is read back the same by our parsers and by another's. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { fc } from "../support/fast_check.ts";
import { simpleParser } from "mailparser";
import { parseAddressList } from "../../src/mail/address/address.ts";
import { AddressError, formatAddress, formatAddressList } from "../../src/mail/address/format.ts";
import {
  addressField,
  chooseEncoding,
  composeMultipart,
  composePart,
  composeText,
  foldField,
  joinMessage,
  textField,
} from "../../src/mail/compose.ts";
import { splitHeader } from "../../src/mail/header/header.ts";
import { parseDisposition } from "../../src/mail/header/params.ts";
import { decodeBase64, decodeQuotedPrintable } from "../../src/mail/transfer/transfer.ts";
import { encodeBase64, encodeQuotedPrintable } from "../../src/mail/transfer/encode.ts";
import { decodeWords } from "../../src/mail/header/words.ts";

const utf8 = (s: string) => new TextEncoder().encode(s);
const text = (b: Uint8Array) => new TextDecoder().decode(b);
const seven = { smtputf8: false };
const eight = { smtputf8: true };
// deno-lint-ignore no-control-regex
const tidy = (s: string) => s.toWellFormed().replace(/[\x00-\x20\x7f]+/g, " ").trim();

Deno.test("addresses are quoted and encoded where needed", () => {
  const a = (name: string, localpart = "a", domain = "b.example") => ({ name, localpart, domain });
  assert.equal(formatAddress(a(""), seven), "a@b.example");
  assert.equal(formatAddress(a("A B"), seven), "A B <a@b.example>");
  assert.equal(formatAddress(a('B, "A"'), seven), '"B, \\"A\\"" <a@b.example>');
  assert.equal(formatAddress(a("Jürgen"), seven), "=?utf-8?b?SsO8cmdlbg==?= <a@b.example>");
  assert.equal(formatAddress(a("Jürgen"), eight), "Jürgen <a@b.example>");
  assert.equal(formatAddress(a("", "a b"), seven), '"a b"@b.example');
  assert.equal(formatAddress(a("", "a", "exämple.org"), seven), "a@xn--exmple-cua.org");
  assert.equal(formatAddress(a("", "ü", "exämple.org"), eight), "ü@exämple.org");
  assert.equal(formatAddress(a("", "a", "[192.0.2.1]"), seven), "a@[192.0.2.1]");
  assert.throws(() => formatAddress(a("", "ü"), seven), AddressError);
  assert.throws(() => formatAddress(a("", "a", "b> , <c@d"), seven), AddressError);
  assert.equal(formatAddressList([{ group: "none", members: [] }], seven), "none:;");
});

Deno.test("an obsolete route with several hosts is no part of the address", () => {
  assert.deepEqual(
    parseAddressList("<@a.example,@b.example:u@c.example>, x@y.example").map((a) =>
      "group" in a ? a.group : `${a.localpart}@${a.domain}`
    ),
    ["u@c.example", "x@y.example"],
  );
});

Deno.test("any name and localpart come back from a field, in lines of any length", () => {
  const name = fc.string({ unit: "grapheme" }).map(tidy);
  const local = fc.string({ unit: "grapheme-ascii", minLength: 1 });
  fc.assert(
    fc.property(fc.array(fc.record({ name, localpart: local }), { maxLength: 8 }), (list) => {
      fc.pre(list.every((a) => !/ {2}|^ | $/.test(a.localpart)));
      const addresses = list.map((a) => ({ ...a, domain: "b.example" }));
      for (const o of [seven, eight]) {
        const field = addressField("To", addresses, o);
        const [{ value }] = splitHeader(utf8(field));
        assert.deepEqual(
          parseAddressList(value).map((a) =>
            "group" in a ? a : { name: a.name, localpart: a.localpart, domain: a.domain }
          ),
          addresses,
        );
      }
    }),
  );
});

Deno.test("any subject comes back, and can't start another field", () => {
  fc.assert(fc.property(fc.string({ unit: "binary", maxLength: 300 }), fc.boolean(), (s, o) => {
    const field = textField("Subject", s, { smtputf8: o });
    const fields = splitHeader(utf8(field));
    assert.equal(fields.length, 1);
    const same = (t: string) => t.replace(/\s+/g, " ").trim();
    assert.equal(same(decodeWords(fields[0].value)), same(tidy(s)));
    if (!o) {
      assert.match(field, /^[\r\n\x20-\x7e]*$/);
      for (const line of field.split("\r\n")) {
        if (line.includes("=?")) assert.ok(line.length <= 78, line);
      }
    }
  }));
  assert.equal(
    textField("Subject", "a\r\nBcc: x@y.example", seven),
    "Subject: a Bcc: x@y.example\r\n",
  );
  assert.equal(
    decodeWords(textField("X", "=?utf-8?q?a?=", seven).slice(3).trim()),
    "=?utf-8?q?a?=",
  );
});

Deno.test("fields fold at 78 characters; words beyond 998 bytes are divided", () => {
  const words = Array.from({ length: 60 }, (_, i) => `word${i}`).join(" ");
  const folded = foldField("X-Words", words);
  assert.ok(folded.split("\r\n").every((l) => l.length <= 78));
  assert.equal(folded.replace(/\r\n /g, " "), `X-Words: ${words}\r\n`);
  for (const unit of ["x", "ü", "🎉"]) {
    for (const line of foldField("X", unit.repeat(5000)).split("\r\n")) {
      assert.ok(utf8(line).length <= 998);
    }
  }
  assert.equal(foldField("X", ""), "X:\r\n");
});

Deno.test("transfer encodings come back, in lines of at most 76 characters", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 500 }), (b) => {
    const base64 = encodeBase64(b);
    assert.deepEqual([...decodeBase64(base64)], [...b]);
    const qp = encodeQuotedPrintable(b);
    assert.deepEqual([...decodeQuotedPrintable(qp)], [...b]);
    for (const line of `${text(base64)}${text(qp)}`.split("\r\n")) assert.ok(line.length <= 76);
  }));
  assert.equal(text(encodeQuotedPrintable(utf8("a=b \r\nü\n"))), "a=3Db=20\r\n=C3=BC=0A");
});

Deno.test("the encoding follows the content", () => {
  assert.equal(chooseEncoding(utf8("plain\r\n")), "7bit");
  assert.equal(chooseEncoding(utf8("x".repeat(998))), "7bit");
  assert.equal(chooseEncoding(utf8("x".repeat(999))), "quoted-printable");
  assert.equal(chooseEncoding(utf8("mostly ASCII, ü")), "quoted-printable");
  assert.equal(chooseEncoding(utf8("üüü")), "base64");
  assert.equal(chooseEncoding(utf8("bare\nline end")), "base64");
  assert.equal(chooseEncoding(new Uint8Array([0])), "base64");
});

Deno.test("a message with text and attachments is read by another's parser", async () => {
  const data = crypto.getRandomValues(new Uint8Array(1000));
  const long = `${"naïve ".repeat(30)}.txt`;
  const body = composeMultipart("mixed", [
    composeText("Grüße\nund mehr\n"),
    composePart({ type: "application/gzip", fileName: "r!a.example!1!2.xml.gz", data }),
    composePart({ type: "text/plain", fileName: long, data: utf8("x\r\n") }),
  ]);
  const bytes = joinMessage([
    addressField("From", [{ name: "Jürgen, X", localpart: "a", domain: "exämple.org" }], seven),
    textField("Subject", "ü ".repeat(100), seven),
    "MIME-Version: 1.0\r\n",
    ...body.fields,
  ], body.body);
  const m = await simpleParser(Buffer.from(bytes));
  assert.equal(m.subject, "ü ".repeat(100).trim());
  assert.deepEqual(m.from!.value, [{ name: "Jürgen, X", address: "a@exämple.org" }]);
  assert.equal(m.text!.trim(), "Grüße\nund mehr");
  assert.deepEqual(m.attachments.map((a) => a.filename), ["r!a.example!1!2.xml.gz", long]);
  assert.deepEqual([...m.attachments[0].content], [...data]);
});

Deno.test("any file name comes back", () => {
  fc.assert(fc.property(fc.string({ unit: "grapheme", minLength: 1, maxLength: 200 }), (s) => {
    const name = tidy(s);
    fc.pre(name !== "" && name === s);
    const [, disposition] = composePart({ type: "a/b", fileName: name, data: utf8("") }).fields
      .filter((f) => !f.startsWith("Content-Transfer"));
    const [{ value }] = splitHeader(utf8(disposition));
    assert.equal(parseDisposition(value)!.params.filename, name);
  }));
});
