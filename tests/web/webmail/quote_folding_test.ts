/** Quotes in HTML that are folded where an answer is read. */
import assert from "node:assert/strict";
import { fc } from "../../support/fast_check.ts";
import { withFoldedQuotes } from "../../../src/web/webmail/html/quote_folding.ts";
import { sanitizeMessageHtml } from "../../../src/web/webmail/html/sanitize.ts";

const long = "what was said before ".repeat(20);

Deno.test("the outermost long quotes are folded, short ones are not", () => {
  const html = `<p>a</p><blockquote>${long}<blockquote>${long}</blockquote></blockquote>` +
    "<p>b</p><blockquote>short</blockquote>";
  const folded = withFoldedQuotes(html);
  assert.equal(folded.match(/<details/g)?.length, 1);
  assert.match(
    folded,
    /^<p>a<\/p><details class="mail-quote"><summary[^>]*>•••<\/summary><blockquote>/,
  );
  assert.match(folded, /<\/blockquote><\/details><p>b<\/p><blockquote>short<\/blockquote>$/);
});

Deno.test("nothing but marks is added, whatever the message was", () => {
  const piece = fc.constantFrom(
    "<blockquote>",
    "</blockquote>",
    "<p>",
    `<b title="<blockquote>">`,
    long,
  );
  fc.assert(fc.property(fc.array(piece), (parts) => {
    const { html } = sanitizeMessageHtml(parts.join(""), {
      external: false,
      inline: () => undefined,
    });
    const folded = withFoldedQuotes(html);
    const plain = folded.replace(
      /<details class="mail-quote"><summary title="…">•••<\/summary>|<\/details>/g,
      "",
    );
    assert.equal(plain, html);
    const count = (m: RegExp) => folded.match(m)?.length ?? 0;
    assert.equal(count(/<details/g), count(/<\/details>/g));
  }));
});
