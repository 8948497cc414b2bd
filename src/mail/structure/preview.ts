/**
 * A message's preview (RFC 8970): its first readable words.
 *
 * @module
 */
import { htmlText } from "../text/html_text.ts";
import { decodeText, isAttachment } from "./contents.ts";
import { leaves, type Part } from "./structure.ts";

/** Most characters of a preview (RFC 8970 §3.1). */
export const previewLength = 200;
/** Most bytes of a part that are read. */
const maxBytes = 16 * 1024;

/** Preview of a message; `read` returns its bytes by offset. */
export function preview(root: Part, read: (from: number, to: number) => Uint8Array): string {
  const texts = [...leaves(root)].slice(0, 50).filter((p) =>
    p.type === "text" && !isAttachment(p) && p.endOffset > p.bodyOffset
  );
  const part = texts.find((p) => p.subtype === "plain") ??
    texts.find((p) => p.subtype === "html") ??
    texts[0];
  if (!part) return "";
  const raw = read(part.bodyOffset, Math.min(part.endOffset, part.bodyOffset + maxBytes));
  const text = decodeText(part, raw);
  const words = part.subtype === "html"
    ? firstWords(htmlText(text, { shown: true }).text, () => true)
    : firstWords(text, isOwn) ?? firstWords(text, () => true);
  if (words === undefined) return "";
  return [...words.slice(0, previewLength * 2)].slice(0, previewLength).join("").toWellFormed()
    .trim();
}

/** NUL, and invisible characters within a word: soft hyphens, zero-width characters, marks of direction. */
const invisible = /[\0\u00ad\u034f\u061c\u200b\u200e\u200f\u2060\ufeff]/g;
/** A word without joiners at its ends: they join nothing there, and senders pad previews with them. */
function withoutEdges(word: string): string {
  let from = 0;
  let to = word.length;
  while (from < to && isJoiner(word.charCodeAt(from))) from++;
  while (to > from && isJoiner(word.charCodeAt(to - 1))) to--;
  return word.slice(from, to);
}

const isJoiner = (c: number) => c === 0x200c || c === 0x200d;

/** A line with words that is not quoted. */
const isOwn = (line: string) => !line.startsWith(">") && line.trim() !== "";

/** Enough words of the chosen lines for a preview; undefined if no line is chosen. */
function firstWords(text: string, chosen: (line: string) => boolean): string | undefined {
  let words: string | undefined;
  for (let at = 0; at < text.length;) {
    const end = text.indexOf("\n", at);
    const line = text.slice(at, end < 0 ? text.length : end);
    at += line.length + 1;
    if (!chosen(line)) continue;
    words ??= "";
    for (const word of line.replaceAll(invisible, "").split(/[\s\u00a0]+/)) {
      const w = withoutEdges(word);
      if (w !== "") words += words === "" ? w : ` ${w}`;
    }
    if (words.length >= previewLength * 2) break;
  }
  return words;
}
