/** URLAUTH=BINARY (RFC 5524), as transcripts. */
import assert from "node:assert/strict";
import { structureOfPart } from "../../src/imap/server/fetch/plain_structure.ts";
import { type Client, startServer } from "./server.ts";

const inner = "From: a@b.example\r\nContent-Type: text/html\r\n\r\n<p>in</p>\r\n";
const mail = [
  "From: ann@mox.example",
  "Subject: parts",
  "MIME-Version: 1.0",
  "Content-Type: multipart/mixed; boundary=b",
  "",
  "--b",
  "Content-Type: text/plain; charset=utf-8",
  "Content-Transfer-Encoding: quoted-printable",
  "",
  "caf=C3=A9",
  "--b",
  "Content-Type: application/octet-stream",
  "Content-Transfer-Encoding: base64",
  "",
  "AAECAw==",
  "--b",
  "Content-Type: text/plain",
  "Content-Transfer-Encoding: x-strange",
  "",
  "strange",
  "--b",
  "Content-Type: message/rfc822",
  "",
  inner + "--b--",
  "",
].join("\r\n");

async function withUrls(
  fn: (c: Client, url: (rest: string) => Promise<string>) => Promise<void>,
): Promise<void> {
  const server = await startServer({});
  try {
    const c = await server.client();
    await c.append("INBOX", mail);
    await fn(c, async (rest) => {
      const rump = `imap://mjl%40mox.example@mox.example/INBOX/;uid=1${rest};urlauth=authuser`;
      const [line] = await c.ok(`GENURLAUTH "${rump}" INTERNAL`);
      return /"(.*)"/.exec(line)![1];
    });
  } finally {
    await server.stop();
  }
}

Deno.test("§3 a part comes with its encoding undone, and its structure", () =>
  withUrls(async (c, url) => {
    assert.match((await c.ok("CAPABILITY"))[0], / URLAUTH=BINARY(?= |$)/);
    const text = await url("/;section=1");
    assert.deepEqual(await c.ok(`URLFETCH ("${text}" BODYPARTSTRUCTURE BINARY)`), [
      `* URLFETCH "${text}" (BODYPARTSTRUCTURE ("TEXT" "PLAIN" ("CHARSET" "utf-8") NIL NIL ` +
      `"QUOTED-PRINTABLE" 9 1)) (BINARY {5}\r\ncaf\xc3\xa9)`,
    ]);
    assert.deepEqual(await c.ok(`URLFETCH ("${text}" BODY) "${text}"`), [
      `* URLFETCH "${text}" (BODY {9}\r\ncaf=C3=A9)`,
      `* URLFETCH "${text}" {9}\r\ncaf=C3=A9`,
    ]);
    const part = await url("/;section=1/;partial=0.3");
    assert.deepEqual(await c.ok(`URLFETCH ("${part}" BINARY BODYPARTSTRUCTURE)`), [
      `* URLFETCH "${part}" (BODYPARTSTRUCTURE NIL) (BINARY {3}\r\ncaf)`,
    ]);
    const bytes = await url("/;section=2");
    assert.deepEqual(await c.ok(`URLFETCH ("${bytes}" BINARY)`), [
      `* URLFETCH "${bytes}" (BINARY ~{4}\r\n\0\x01\x02\x03)`,
    ]);
    const html = await url("/;section=4.1");
    assert.match(
      (await c.ok(`URLFETCH ("${html}" BODYPARTSTRUCTURE)`))[0],
      /\(BODYPARTSTRUCTURE \("TEXT" "HTML" /,
    );
    const header = await url("/;section=HEADER");
    assert.match(
      (await c.ok(`URLFETCH ("${header}" BINARY BODYPARTSTRUCTURE)`))[0],
      /\(BODYPARTSTRUCTURE NIL\) \(BINARY \{\d+\}\r\nFrom: ann/,
    );
  }));

Deno.test("what isn't there, can't be undone or makes no sense", () =>
  withUrls(async (c, url) => {
    const gone = await url("/;section=9");
    assert.deepEqual(await c.ok(`URLFETCH ("${gone}" BINARY)`), [`* URLFETCH "${gone}" NIL`]);
    const strange = await url("/;section=3");
    const answer = await c.run(`URLFETCH ("${strange}" BINARY)`);
    assert.match(answer.join("\n"), /\(BINARY NIL\)[^]*NO \[UNKNOWN-CTE\]/);
    for (const items of ["BODY BINARY", "ENVELOPE"]) {
      assert.match((await c.run(`URLFETCH ("${strange}" ${items})`)).join("\n"), /^BAD /m);
    }
    // Without items it is the plain form.
    assert.deepEqual(await c.ok(`URLFETCH ("${strange}")`), [
      `* URLFETCH "${strange}" {7}\r\nstrange`,
    ]);
  }));

Deno.test("the structure of a part within that of its message", () => {
  const leaf = '("TEXT" "PLAIN" NIL NIL NIL "7BIT" 1 1)';
  const message = `("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 9 (NIL "a) (b") (${leaf}${leaf} "X") 3)`;
  const whole = `(${leaf}${message}(${leaf} "ALTERNATIVE") "MIXED")`;
  assert.equal(structureOfPart(leaf, [1]), leaf);
  assert.equal(structureOfPart(leaf, [2]), undefined);
  assert.equal(structureOfPart(whole, []), whole);
  assert.equal(structureOfPart(whole, [2]), message);
  assert.equal(structureOfPart(whole, [2, 2]), leaf);
  assert.equal(structureOfPart(whole, [3, 1]), leaf);
  for (const none of [[4], [1, 1], [2, 3], [3, 1, 1]]) {
    assert.equal(structureOfPart(whole, none), undefined, none.join("."));
  }
});
