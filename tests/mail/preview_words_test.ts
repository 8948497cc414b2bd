/** The first words of a text: as taken from all of it. */
import assert from "node:assert/strict";
import { fc } from "../support/fast_check.ts";
import { preview, previewLength } from "../../src/mail/structure/preview.ts";
import { StructureParser } from "../../src/mail/structure/structure.ts";

/** What a preview is, said in the plainest way. */
function plainly(text: string): string {
  const lines = text.split("\n");
  const own = lines.filter((l) => !l.startsWith(">") && l.trim() !== "");
  const shown = (own.length > 0 ? own : lines).join("\n")
    .replaceAll(/[\0\u00ad\u034f\u061c\u200b\u200e\u200f\u2060\ufeff]/g, "");
  const words = shown.split(/[\s\u00a0]+/).map((w) =>
    w.replace(/^[\u200c\u200d]+|[\u200c\u200d]+$/g, "")
  );
  const all = words.filter((w) => w !== "").join(" ");
  return [...all.slice(0, previewLength * 2)].slice(0, previewLength).join("").toWellFormed()
    .trim();
}

Deno.test("a preview is made of the first words of a message, its quotes left out", () => {
  const unit = fc.constantFrom(
    ...[
      "a",
      "word",
      "longer-word",
      " ",
      "\n",
      "\n",
      "\n>",
      "\n> quoted",
      "\u200b",
      "\u200d",
      "😀",
      "\u00a0",
      "日本",
    ],
  );
  const head = "Content-Type: text/plain; charset=utf-8\r\n\r\n";
  fc.assert(fc.property(fc.array(unit, { maxLength: 300 }), (units) => {
    const text = units.join("");
    const bytes = new TextEncoder().encode(head + text);
    const parser = new StructureParser();
    parser.write(bytes);
    const root = parser.end().root;
    const found = preview(root, (from, to) => bytes.subarray(from, to));
    assert.equal(found, text === "" ? "" : plainly(text));
  }));
});
