/**
 * Header blocks: fields, unfolding, decoding of their bytes (RFC 5322 §2.2, RFC 6532).
 *
 * @module
 */

import { decodeCharset, isKnownCharset } from "../text/charset.ts";
import { guessByContent } from "../text/guess.ts";
import { hasIso2022Escape } from "../text/iso2022.ts";
import { joined } from "../../platform/bytes.ts";

/** A header field. */
export interface HeaderField {
  /** Lower case. */
  name: string;
  /**
   * Unfolded, see {@link splitHeader}. Non-ASCII bytes are decoded as UTF-8, or in the charset that they look
   * like.
   */
  value: string;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const latin1 = new TextDecoder("latin1");

/**
 * Bytes of a header as text: as UTF-8 if valid, or ISO 2022 with its escapes, otherwise in the charset that
 * they look like. Never fails.
 */
export function decodeHeaderBytes(bytes: Uint8Array): string {
  try {
    const text = utf8.decode(bytes);
    return text.includes("\x1b") && hasIso2022Escape(bytes)
      ? decodeCharset(bytes, "iso-2022-jp")
      : text;
  } catch {
    return decodeCharset(bytes, guessByContent(bytes));
  }
}

/** Most fields read of a header; more is abuse, and decisions must not be based on the first ones then. */
export const maxFields = 5000;

/**
 * A header as text: each field in its own charset, as programs on the way add theirs without reading the
 * others.
 */
function headerAsText(bytes: Uint8Array): string {
  try {
    const text = utf8.decode(bytes);
    if (!text.includes("\x1b")) return text;
  } catch {
    // Not all of it is UTF-8.
  }
  const fields: Uint8Array[] = [];
  const odd: Uint8Array[] = [];
  for (let from = 0; from < bytes.length;) {
    const to = fields.length < maxFields ? fieldEnd(bytes, from) : bytes.length;
    fields.push(bytes.subarray(from, to));
    from = to;
  }
  const texts = fields.map((f) => {
    try {
      const text = utf8.decode(f);
      return text.includes("\x1b") && hasIso2022Escape(f) ? decodeCharset(f, "iso-2022-jp") : text;
    } catch {
      odd.push(f);
      return f;
    }
  });
  // The sender's fields share one charset; more of them give a better guess.
  const charset = odd.length > 0 ? charsetOf(joined(odd), fields) : "";
  return texts.map((t) => typeof t === "string" ? t : decodeCharset(t, charset)).join("");
}

/** Charsets that are often declared without thought. */
const latin: ReadonlySet<string> = new Set(
  "us-ascii ascii iso-8859-1 iso_8859-1 latin1 iso-8859-15 windows-1252".split(" "),
);
/** Most bytes of a Content-Type that are searched for its charset. */
const maxTypeField = 4096;

/**
 * The charset of header fields that aren't UTF-8: programs that write them raw use the same charset for the
 * text. So it is the Content-Type's charset, if the bytes are valid in it and it isn't just a Latin one, or
 * else the one that they look like.
 */
function charsetOf(odd: Uint8Array, fields: readonly Uint8Array[]): string {
  for (const f of fields) {
    if (f[0] !== 0x43 && f[0] !== 0x63) continue;
    const text = latin1.decode(f.subarray(0, maxTypeField)).toLowerCase();
    if (!/^content-type[ \t]{0,9}:/.test(text)) continue;
    const declared = /[;\s]charset[ \t]{0,9}=[ \t]{0,9}"?([a-z0-9_:.+-]{1,40})/.exec(text)?.[1];
    if (declared === undefined || latin.has(declared) || !isKnownCharset(declared)) break;
    // Bytes in a Unicode encoding would be UTF-8, or have no ASCII.
    if (declared.startsWith("utf")) break;
    if (!decodeCharset(odd, declared).includes("\ufffd")) return declared;
    break;
  }
  return guessByContent(odd);
}

/** The end of the field that begins there, including continuation lines. */
function fieldEnd(bytes: Uint8Array, from: number): number {
  for (let at = from;;) {
    const lf = bytes.indexOf(10, at);
    if (lf < 0) return bytes.length;
    at = lf + 1;
    if (bytes[at] !== 32 && bytes[at] !== 9) return at;
  }
}

const isBlank = (c: number) => c === 32 || c === 9;

/**
 * Splits a header into fields, in order, up to an empty line. Lines that are not fields are skipped, with their
 * continuation lines. Where a field is folded, one space replaces the whitespace: many programs fold with a tab
 * or indent, which is not part of the text.
 */
export function splitHeader(bytes: Uint8Array): HeaderField[] {
  const text = headerAsText(bytes);
  const fields: HeaderField[] = [];
  let name: string | undefined;
  let pieces: string[] = [];
  const flush = () => {
    if (name !== undefined && fields.length < maxFields) {
      fields.push({ name, value: pieces.filter((p) => p !== "").join(" ").trim() });
    }
    name = undefined;
    pieces = [];
  };
  // The next colon, searched once: otherwise each line without one would cause a search to the end.
  let colon = text.indexOf(":");
  for (let at = 0; at < text.length && fields.length < maxFields;) {
    let end = text.indexOf("\n", at);
    if (end < 0) end = text.length;
    let stop = end;
    while (stop > at && text.charCodeAt(stop - 1) === 13) stop--;
    if (stop === at && end < text.length) break;
    if (isBlank(text.charCodeAt(at))) {
      if (name !== undefined) pieces.push(blanksOff(text, at, stop));
    } else {
      flush();
      if (colon >= 0 && colon < at) colon = text.indexOf(":", at);
      if (colon > at && colon < stop) {
        name = text.slice(at, colon).trimEnd().toLowerCase();
        pieces.push(blanksOff(text, colon + 1, stop));
      }
    }
    at = end + 1;
  }
  flush();
  return fields;
}

/** A piece of a text without whitespace at its ends. */
function blanksOff(text: string, from: number, to: number): string {
  while (from < to && isBlank(text.charCodeAt(from))) from++;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--;
  return text.slice(from, to);
}

/** Value of the first field of that name. */
export function headerField(fields: readonly HeaderField[], name: string): string | undefined {
  for (const f of fields) if (f.name === name) return f.value;
  return undefined;
}

/** The same; also undefined if empty. Comments stay: see `withoutComments` in params.ts. */
export function headerText(fields: readonly HeaderField[], name: string): string | undefined {
  const v = headerField(fields, name);
  return v === undefined || v === "" ? undefined : v;
}
