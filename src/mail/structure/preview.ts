/**
 * A message's preview (RFC 8970): the first readable words of it.
 *
 * @module
 */
import { decodeCharset } from "../text/charset.ts";
import { leaves, type Part } from "./structure.ts";
import { decodeTransferEncoding } from "../transfer/transfer.ts";

/** Characters of a preview (RFC 8970 §3.1). */
export const previewLength = 200;
/** Bytes of a part that are looked at. */
const maxBytes = 8 * 1024;

/** Preview of a message; `read` gives its bytes by offset. */
export function preview(root: Part, read: (from: number, to: number) => Uint8Array): string {
  const texts = [...leaves(root)].slice(0, 50).filter((p) =>
    p.type === "text" && p.disposition !== "attachment" && p.endOffset > p.bodyOffset
  );
  const part = texts.find((p) => p.subtype === "plain") ??
    texts.find((p) => p.subtype === "html") ??
    texts[0];
  if (!part) return "";
  const raw = read(part.bodyOffset, Math.min(part.endOffset, part.bodyOffset + maxBytes));
  const bytes = decodeTransferEncoding(raw, part.encoding);
  if (!bytes) return "";
  let text = decodeCharset(bytes, part.params.charset ?? "utf-8");
  if (part.subtype === "html") text = plainText(text);
  else text = withoutQuotes(text);
  const words = text.replace(/[\s\u00a0\u200b-\u200f\ufeff\u034f\u00ad]+/g, " ").replaceAll(
    "\0",
    "",
  ).trim();
  return [...words.slice(0, previewLength * 2)].slice(0, previewLength).join("").toWellFormed()
    .trim();
}

/** Lines that aren't quoted, if there are any. */
function withoutQuotes(text: string): string {
  const own = text.split("\n").filter((l) => !l.startsWith(">") && l.trim() !== "");
  return own.length > 0 ? own.join("\n") : text;
}

const entities: Record<string, string> = {
  amp: "&",
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  nbsp: " ",
};

/** HTML as words: tags, comments, styles and scripts dropped. For previews only, never to be shown as HTML. */
function plainText(html: string): string {
  let out = "";
  for (let at = 0; at < html.length;) {
    const tag = html.indexOf("<", at);
    if (tag < 0) {
      out += html.slice(at);
      break;
    }
    out += html.slice(at, tag);
    if (html.startsWith("<!--", tag)) {
      const end = html.indexOf("-->", tag + 4);
      at = end < 0 ? html.length : end + 3;
      continue;
    }
    const end = html.indexOf(">", tag);
    if (end < 0) break;
    const name = /^<\/?([a-z0-9]{1,10})/i.exec(html.slice(tag, tag + 13))?.[1].toLowerCase() ?? "";
    at = end + 1;
    if (
      html[tag + 1] !== "/" &&
      (name === "style" || name === "script" || name === "title" || name === "head")
    ) {
      if (name === "head") {
        // What is in a head is no text, but is dropped tag by tag.
        continue;
      }
      const close = html.toLowerCase().indexOf(`</${name}`, at);
      at = close < 0 ? html.length : close;
    }
    out += " ";
  }
  return out.replace(/&(?:#(\d{1,7})|#x([0-9a-f]{1,6})|([a-z]{2,6}));/gi, (all, dec, hex, name) => {
    const code = dec ? Number(dec) : hex ? parseInt(hex, 16) : undefined;
    if (code !== undefined) {
      return code > 0 && code <= 0x10ffff && !(code >= 0xd800 && code < 0xe000)
        ? String.fromCodePoint(code)
        : " ";
    }
    return entities[name.toLowerCase()] ?? all;
  });
}
