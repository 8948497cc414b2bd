/**
 * Folding what an answer quotes: the messages before it say the same. What is folded opens by a click,
 * without scripts.
 *
 * @module
 */

/** Characters of text from which a quote is folded. */
const foldFrom = 160;
/** Quotes folded in one message. */
const maxFolded = 200;

const mark = /<(\/?)blockquote\b[^>]*>/g;

const before = '<details class="mail-quote"><summary title="…">•••</summary>';
const after = "</details>";

/** How much text HTML has, as far as it matters here. */
function textLength(html: string): number {
  return html.replace(/<[^>]*>/g, " ").replace(/\s+/g, " ").trim().length;
}

/** Folds the outermost quotes of HTML that sanitize.ts has written: its elements are balanced. */
export function withFoldedQuotes(html: string): string {
  let out = "";
  let at = 0;
  let depth = 0;
  let start = 0;
  let folded = 0;
  for (const m of html.matchAll(mark)) {
    if (m[1] === "") {
      if (depth++ === 0) start = m.index;
      continue;
    }
    if (depth === 0 || --depth > 0) continue;
    const end = m.index + m[0].length;
    const quote = html.slice(start, end);
    if (folded >= maxFolded || textLength(quote) < foldFrom) continue;
    folded++;
    out += html.slice(at, start) + before + quote + after;
    at = end;
  }
  return out + html.slice(at);
}
