/** Submitted messages as they may leave: another program reads the same in them. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { fc } from "../support/fast_check.ts";
import { simpleParser } from "mailparser";
import { parseMessage } from "../../src/mail/structure/structure.ts";
import { outgoingMessage } from "../../src/mail/outgoing/outgoing.ts";

const latin1 = (s: string) => Uint8Array.from(s, (c) => c.charCodeAt(0));
const utf8 = (s: string) => new TextEncoder().encode(s);
const text = (b: Uint8Array) => Array.from(b, (c) => String.fromCharCode(c)).join("");

function outgoing(
  message: Uint8Array,
  o: { utf8?: boolean; binary?: boolean; drop?: (name: string, value: string) => boolean } = {},
): Uint8Array | undefined {
  const pieces = outgoingMessage(
    parseMessage(message),
    (from, to) => message.subarray(from, to),
    { utf8: false, ...o },
  );
  return pieces && new Uint8Array(Buffer.concat([...pieces]));
}

async function seen(message: Uint8Array): Promise<unknown> {
  const m = await simpleParser(Buffer.from(message));
  return {
    subject: m.subject,
    from: m.from?.text,
    to: m.to && !Array.isArray(m.to) ? m.to.text : "",
    text: m.text?.trimEnd(),
    html: typeof m.html === "string" ? m.html.trimEnd() : m.html,
    attachments: m.attachments.map((a) => [
      a.contentType,
      a.filename,
      a.contentType === "message/rfc822" ? "" : a.content.toString("latin1").trimEnd(),
    ]),
  };
}

const part = (fields: string, body: string) => `--b\r\n${fields}\r\n\r\n${body}\r\n`;
const mixed = (...parts: string[]) =>
  `From: a@a.example\r\nSubject: x\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n` +
  `${parts.join("")}--b--\r\n`;
const long = "lorem ipsum = ".repeat(200);

const cases: Record<string, Uint8Array> = {
  "a text in one line": utf8(`From: a@a.example\r\nSubject: x\r\n\r\n${long}\r\nnext \r\n`),
  "a text in one line beyond ASCII": utf8(`Subject: x\r\n\r\n${"grüße ".repeat(300)}\r\n`),
  "HTML in one line": utf8(
    mixed(
      part("Content-Type: text/plain", "short"),
      part(
        "Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit",
        `<p>ü${long}</p>`,
      ),
    ),
  ),
  "base64 in one line": utf8(
    mixed(
      part(
        "Content-Type: application/pdf; name=x.pdf\r\nContent-Transfer-Encoding: base64",
        btoa("content ".repeat(400)),
      ),
    ),
  ),
  "quoted-printable in one line": utf8(
    mixed(
      part(
        "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable",
        "gr=C3=BC=C3=9Fe ".repeat(200),
      ),
    ),
  ),
  "a message in a message": utf8(
    mixed(part("Content-Type: message/rfc822", `Subject: inner\r\n\r\n${long}`)),
  ),
  "a long preamble": utf8(
    mixed(part("Content-Type: text/plain", "t")).replace("\r\n\r\n", `\r\n\r\n${long}\r\n`),
  ),
  "a long subject": utf8(`From: a@a.example\r\nSubject: ${"word ".repeat(300)}end\r\n\r\nx\r\n`),
  "a long word": utf8(`From: a@a.example\r\nX-Token: ${"w".repeat(3000)}\r\n\r\nx\r\n`),
  "many recipients": utf8(
    `From: a@a.example\r\nTo: ${
      Array.from({ length: 100 }, (_, i) => `"P, ${i}" <p${i}@a.example>`).join(",")
    }\r\nSubject: x\r\n\r\nx\r\n`,
  ),
  "raw UTF-8 in a header": utf8(
    "From: Jürgen Müller <j@a.example>\r\nSubject: Grüße aus Köln\r\nTo: Zoë <z@a.example>\r\n\r\nx\r\n",
  ),
  "raw Latin-1 in a header": latin1(
    "From: J\xfcrgen <j@a.example>\r\nSubject: Gr\xfc\xdfe\r\n\r\nx\r\n",
  ),
  "raw UTF-8 in a file name": utf8(
    mixed(
      part(
        'Content-Type: application/pdf; name="März.pdf"\r\nContent-Disposition: attachment; filename="März.pdf"',
        "x",
      ),
    ),
  ),
};

for (const [name, message] of Object.entries(cases)) {
  Deno.test(`leaving: ${name}`, async () => {
    const out = outgoing(message)!;
    const parsed = parseMessage(out);
    assert.deepEqual([parsed.longLines, parsed.utf8Headers], [false, false]);
    for (const l of text(out).split("\r\n")) assert.ok(l.length <= 998);
    if (!name.includes("Latin-1")) assert.deepEqual(await seen(out), await seen(message));
    assert.equal(outgoing(out), undefined, "once is enough");
  });
}

Deno.test("blind copies and what only a delivery may say don't leave; all else is as it was", () => {
  const head = "From: a@a.example\r\nX-Odd:  spaces \r\n";
  const m =
    `${head}Bcc: hidden@h.example,\r\n hidden2@h.example\r\nreturn-path: <x@x>\r\nContent-Length: 5\r\n` +
    `RESENT-BCC: y@y.example\r\nSubject: x\r\n\r\nBcc: in the body\r\n`;
  assert.equal(text(outgoing(utf8(m))!), `${head}Subject: x\r\n\r\nBcc: in the body\r\n`);
  const inner = mixed(part("Content-Type: message/rfc822", "Bcc: kept@k.example\r\n\r\nx"));
  assert.equal(outgoing(utf8(inner)), undefined);
  const results = "Authentication-Results: us.example; spf=pass\r\n" +
    "Authentication-Results: other.example; spf=pass\r\nSubject: x\r\n\r\n";
  const drop = (name: string, value: string) =>
    name === "authentication-results" && value.startsWith("us.example");
  assert.doesNotMatch(text(outgoing(utf8(results), { drop })!), /us\.example/);
});

Deno.test("what was signed, or may not be encoded, stays as it is", () => {
  const signed = mixed(part("Content-Type: text/plain", long)).replace(
    "multipart/mixed",
    "multipart/signed",
  );
  assert.equal(text(outgoing(utf8(signed))!), signed);
  // An address that needs SMTPUTF8 can't be written without.
  const m = "From: jürgen@a.example\r\n\r\nx\r\n";
  assert.deepEqual(outgoing(utf8(m)), utf8(m));
  assert.equal(outgoing(utf8("Subject: Grüße\r\n\r\nx\r\n"), { utf8: true }), undefined);
  assert.equal(outgoing(utf8(`Subject: x\r\n\r\n${long}`), { binary: true }), undefined);
});

Deno.test("any text is read the same, whatever the length of its lines", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.string({ maxLength: 30 }), fc.integer({ min: 1, max: 80 })), {
        maxLength: 6,
      }),
      fc.constantFrom("7bit", "8bit", "quoted-printable"),
      async (lines, encoding) => {
        const body = lines.map(([s, n]) => s.replace(/[\r\n=]/g, ".").repeat(n)).join("\r\n");
        const m = utf8(
          `Subject: x\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: ${encoding}\r\n\r\n${body}\r\n`,
        );
        const out = outgoing(m);
        if (out) {
          assert.equal(
            (await simpleParser(Buffer.from(out))).text,
            (await simpleParser(Buffer.from(m))).text,
          );
        }
      },
    ),
    { numRuns: 200 },
  );
});

Deno.test("a text is read in pieces: nothing is lost or changed where one ends", async () => {
  const piece = 192 * 1024;
  const line = `${"x".repeat(70)}\r\n`;
  // What stands at the end of the first piece, and what follows.
  const table = [
    ["\r", "\nlast"],
    [" \r", "\nlast"],
    ["\r\n", "last"],
    ["\r\na", "b last"],
    ["\r\n=", "3D last"],
    ["\r\nab", "c last"],
    ["", "\u00fc last"],
    ["\r\n", "\u00fc last"],
  ];
  for (const [end, next] of table) {
    let start = `${"y".repeat(1500)}\r\n`;
    while (start.length + line.length < piece - 100) start += line;
    start += "z".repeat(piece - end.length - start.length);
    const m = utf8(
      `Subject: x\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n${start}${end}${next}\r\n`,
    );
    const out = outgoing(m)!;
    assert.deepEqual(await seen(out), await seen(m), JSON.stringify([end, next]));
  }
});

Deno.test("the empty line behind a header is written where it was forgotten, as servers on the way would", async () => {
  const cases: [message: string, want: string | undefined][] = [
    ["Subject: x\r\nhello\r\n", "Subject: x\r\n\r\nhello\r\n"],
    ["Subject: x\r\nhello\r\n\r\nmore\r\n", "Subject: x\r\n\r\nhello\r\n\r\nmore\r\n"],
    [
      "Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n--b\r\n\r\nhello\r\n--b--\r\n",
      "Subject: x\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n\r\nhello\r\n--b--\r\n",
    ],
    ["Subject: x\r\n", undefined],
    ["Subject: x\r\n\r\n", undefined],
    ["Subject: x\r\n\r\nhello\r\n", undefined],
    ["Subject: x\n\nhello\n", undefined],
    ["\r\nhello\r\n", undefined],
    ["Subject: x\r\nspoilt\r\nTo: b@b.example\r\n\r\nhello\r\n", undefined],
  ];
  for (const [message, want] of cases) {
    const out = outgoing(utf8(message));
    assert.equal(out && text(out), want, message);
    if (out) assert.equal(outgoing(out), undefined, "once is enough");
  }
  const encoded = outgoing(utf8(`Subject: x\r\n${long}\r\n`))!;
  assert.equal((await simpleParser(Buffer.from(encoded))).text?.trimEnd(), long.trimEnd());
});
