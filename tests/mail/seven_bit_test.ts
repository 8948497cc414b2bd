/** Messages encoded for servers that take only 7-bit text: another program reads the same in them. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { fc } from "../support/fast_check.ts";
import { simpleParser } from "mailparser";
import { toSevenBit } from "../../src/mail/outgoing/seven_bit.ts";

const utf8 = (s: string) => new TextEncoder().encode(s.replaceAll("\n", "\r\n"));
const latin1 = (s: string) => Uint8Array.from(s.replaceAll("\n", "\r\n"), (c) => c.charCodeAt(0));
const text = (b: Uint8Array) => new TextDecoder().decode(b);

interface Seen {
  subject: string | undefined;
  text: string | undefined;
  html: string | false | undefined;
  attachments: unknown[][];
}

/** What a person sees. */
async function seen(message: Uint8Array): Promise<Seen> {
  const m = await simpleParser(Buffer.from(message));
  return {
    subject: m.subject,
    text: m.text,
    html: m.html,
    attachments: await Promise.all(m.attachments.map(async (a) => [
      a.contentType,
      a.filename,
      a.contentType === "message/rfc822" ? await seen(a.content) : a.content.toString("hex"),
    ])),
  };
}

const cases: Record<string, Uint8Array> = {
  "a text": utf8(
    "MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\nSubject: x\n\ngrüße\n.\n",
  ),
  "a text with its encoding named": utf8(
    "MIME-Version: 1.0\nContent-Transfer-Encoding: 8bit\nContent-Type: text/plain;\n charset=utf-8\n\nä = ü \n",
  ),
  "Latin-1": latin1(
    "MIME-Version: 1.0\nContent-Type: text/plain; charset=iso-8859-1\n\ngr\xfc\xdfe\n",
  ),
  "parts, one of them as it was": utf8(
    `MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

preamble
--b
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

grüße

--b
Content-Type: text/html; charset=utf-8

<p>plain</p>
--b
Content-Type: application/pdf; name=x.pdf
Content-Disposition: attachment; filename=x.pdf
Content-Transfer-Encoding: binary

%PDF ü ÿ
--b--
epilogue
`,
  ),
  "a message in a message": utf8(
    `MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=b

--b

see below
--b
Content-Type: message/rfc822

Subject: inner
MIME-Version: 1.0
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

grüße
--b--
`,
  ),
  "overlong lines": utf8(
    `MIME-Version: 1.0\nContent-Type: text/plain; charset=utf-8\n\n${"long ".repeat(500)}\n`,
  ),
  "bytes of any kind": latin1(
    "MIME-Version: 1.0\nContent-Type: application/octet-stream\nContent-Disposition: attachment; filename=b\n" +
      "Content-Transfer-Encoding: binary\n\na\0b\rc\xff",
  ),
};

for (const [name, message] of Object.entries(cases)) {
  Deno.test(`${name}: the same is read afterwards, in 7 bits and short lines`, async () => {
    const out = toSevenBit(message)!;
    assert.match(text(out), /^[\r\n\t\x20-\x7e]*$/);
    for (const l of text(out).split("\r\n")) {
      assert.ok(l.length <= 998 && !/[\r\n]/.test(l), JSON.stringify(l));
    }
    assert.deepEqual(await seen(out), await seen(message));
    assert.deepEqual(toSevenBit(out), out);
  });
}

Deno.test("a text without MIME gets what it takes", async () => {
  const out = text(toSevenBit(utf8("Subject: x\n\ngrüße\n"))!);
  assert.equal(
    out,
    "Subject: x\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n" +
      "Content-Transfer-Encoding: quoted-printable\r\n\r\ngr=C3=BC=C3=9Fe\r\n",
  );
  assert.equal((await seen(new TextEncoder().encode(out))).text, "grüße\n");
  assert.match(text(toSevenBit(latin1("Subject: x\n\n\xfc\n"))!), /charset=unknown-8bit/);
});

Deno.test("what fits stays byte by byte", () => {
  for (const m of ["Subject: x\n\nhello\n", "Subject: x\n\n", "", "\n", "x"]) {
    assert.deepEqual(toSevenBit(utf8(m)), utf8(m));
  }
});

Deno.test("what must not be touched is refused", () => {
  const signed = (type: string) =>
    utf8(
      `MIME-Version: 1.0\nContent-Type: multipart/${type}; boundary=b\n\n--b\n\ngrüße\n--b\n` +
        `Content-Type: application/pgp-signature\n\nx\n--b--\n`,
    );
  assert.equal(toSevenBit(signed("signed")), undefined);
  assert.notEqual(toSevenBit(signed("mixed")), undefined);
  assert.equal(toSevenBit(utf8("Subject: grüße\n\nx\n")), undefined);
  assert.equal(toSevenBit(utf8("Content-Type: message/partial\n\nü\n")), undefined);
  assert.equal(toSevenBit(utf8("Content-Transfer-Encoding: x-odd\n\nü\n")), undefined);
});

Deno.test("any bytes: 7-bit text comes out, or nothing", () => {
  const piece = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom(
      "\r\n",
      "\r\n\r\n",
      "--b\r\n",
      "--b--\r\n",
      "Content-Type: multipart/mixed; boundary=b\r\n",
      "Content-Type: message/rfc822\r\n",
      "Content-Transfer-Encoding: base64\r\n",
    ),
  );
  fc.assert(fc.property(fc.array(piece), (pieces) => {
    const message = Uint8Array.from(pieces.join(""), (c) => c.charCodeAt(0) & 255);
    const out = toSevenBit(message);
    if (out) assert.ok(out.every((b) => b < 128));
  }));
});
