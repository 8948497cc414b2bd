/**
 * Header blocks: fields, unfolding, decoding of their bytes (RFC 5322 §2.2, RFC 6532).
 *
 * @module
 */

import { decodeCharset } from "../text/charset.ts";
import { guessByContent } from "../text/guess.ts";
import { hasIso2022Escape } from "../text/iso2022.ts";

/** A field as it stands in the header. */
export interface HeaderField {
  /** Lower case. */
  name: string;
  /** Unfolded: line ends removed, the blanks after them kept. Bytes as {@link decodeHeaderBytes} has it. */
  value: string;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/**
 * Bytes of a header as text: UTF-8 if they are that, or ISO 2022 with its escapes, otherwise in the charset that they
 * look like. Never fails.
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

/** Fields that are looked at in a header; more is abuse, and who decides by fields must not trust the first ones. */
export const maxFields = 5000;

/**
 * Splits a header into fields, in order, up to an empty line. Lines that are no field are skipped, with
 * those that continue them.
 */
export function splitHeader(bytes: Uint8Array): HeaderField[] {
  const text = decodeHeaderBytes(bytes);
  const fields: HeaderField[] = [];
  let name: string | undefined;
  let pieces: string[] = [];
  const flush = () => {
    if (name !== undefined && fields.length < maxFields) {
      fields.push({ name, value: pieces.join("").trim() });
    }
    name = undefined;
    pieces = [];
  };
  // The next colon: looked for once, as lines without one would each be a search to the end.
  let colon = text.indexOf(":");
  for (let at = 0; at < text.length && fields.length < maxFields;) {
    let end = text.indexOf("\n", at);
    if (end < 0) end = text.length;
    const stop = end > at && text.charCodeAt(end - 1) === 13 ? end - 1 : end;
    if (stop === at && end < text.length) break;
    const first = text.charCodeAt(at);
    if (first === 32 || first === 9) {
      if (name !== undefined) pieces.push(text.slice(at, stop));
    } else {
      flush();
      if (colon >= 0 && colon < at) colon = text.indexOf(":", at);
      if (colon > at && colon < stop) {
        name = text.slice(at, colon).trimEnd().toLowerCase();
        pieces.push(text.slice(colon + 1, stop));
      }
    }
    at = end + 1;
  }
  flush();
  return fields;
}

/** Value of the first field of that name. */
export function headerField(fields: readonly HeaderField[], name: string): string | undefined {
  for (const f of fields) if (f.name === name) return f.value;
  return undefined;
}

/** The same; undefined also for an empty one. Comments stay: see `withoutComments` in params.ts. */
export function headerText(fields: readonly HeaderField[], name: string): string | undefined {
  const v = headerField(fields, name);
  return v === undefined || v === "" ? undefined : v;
}
