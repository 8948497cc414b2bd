/** A text that is made in pieces is the same as one made in one go. */
import assert from "node:assert/strict";
import { fc } from "../support/fast_check.ts";
import { composePart } from "../../src/mail/compose.ts";
import { textPart, textPieces } from "../../src/mail/text_part.ts";
import { joined } from "../../src/platform/bytes.ts";
import { mimePieces } from "../../src/web/webmail/reading/mime_tree.ts";

async function inPieces(type: string, text: string): Promise<string> {
  const pieces: Uint8Array[] = [];
  for await (const p of mimePieces(await textPart(type, text))) pieces.push(p);
  return new TextDecoder().decode(joined(pieces));
}

function inOneGo(type: string, text: string): string {
  const data = new TextEncoder().encode(text.toWellFormed().replace(/\r\n|\r|\n/g, "\r\n"));
  // deno-lint-ignore no-control-regex
  const charset = type === "text/plain" && /^[\x00-\x7f]*$/.test(text) ? "us-ascii" : "utf-8";
  const e = composePart({ type, params: { charset }, data });
  return `${e.fields.join("")}\r\n${new TextDecoder().decode(e.body)}`;
}

const large: [name: string, text: string][] = [
  ["lines", "a line of text\n".repeat(20_000)],
  ["line ends of two characters", "ab\r\n".repeat(60_000)],
  ["line ends of one CR", "ab\r".repeat(60_000)],
  ["a line without end", "x".repeat(300_000)],
  ["a line without end, then one", `${"x".repeat(200_000)}\nend`],
  ["ends with a line at the end of a piece", `${"x".repeat(65_535)}\n`],
  ["letters of two bytes", "h\u00e9llo\n".repeat(40_000)],
  ["letters of four bytes in long lines", `${"\u{1f600}".repeat(70_000)}\n`.repeat(2)],
  ["halves of a letter", `${"\ud83d".repeat(40_000)}\n${"\ude00".repeat(40_000)}`],
  ["NULs", `a\n${"b\0c\n".repeat(50_000)}`],
];

for (const [name, text] of large) {
  Deno.test(`a large text in pieces is what it is in one go: ${name}`, async () => {
    for (const type of ["text/plain", "text/html"]) {
      assert.equal(await inPieces(type, text), inOneGo(type, text));
    }
  });
}

Deno.test("any text in pieces is what it is in one go", async () => {
  const word = fc.oneof(
    fc.string({ unit: "binary" }),
    fc.constantFrom("\r", "\n", "\r\n", " \n", "=", ".", "\u00e9", "\ud800", "\0"),
  );
  await fc.assert(fc.asyncProperty(fc.array(word), async (words) => {
    const text = words.join("");
    assert.equal(await inPieces("text/plain", text), inOneGo("text/plain", text));
  }));
});

Deno.test("no piece of a text is large while its lines aren't", () => {
  let most = 0;
  for (const p of textPieces("a line of text\n".repeat(100_000))) most = Math.max(most, p.length);
  assert.ok(most < 100_000, `${most}`);
});
