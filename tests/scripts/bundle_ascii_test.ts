/** Bundles in ASCII mean what they meant. */
import assert from "node:assert/strict";
import { escapeOthers } from "../../scripts/build/bundle.ts";

Deno.test("characters beyond ASCII are escaped where a bundle has them: comments, regular expressions, strings", async () => {
  const source =
    "// §7 — 😀\nexport const found = [/[Øı]$/.test('RØ'), /^[€-₿]$/u.test('₽'), /^😀$/u.test(`😀`)];\n" +
    "export const text = '\\u{1f600}é' + `é${1}`;";
  const escaped = escapeOthers(source);
  assert.ok([...escaped].every((c) => c <= "\x7f"), escaped);
  const m = await import(`data:text/javascript,${encodeURIComponent(escaped)}`);
  assert.deepEqual(m.found, [true, true, true]);
  assert.equal(m.text, "😀éé1");
});
