/**
 * Header blocks: fields, unfolding, decoding of their bytes (RFC 5322 §2.2, RFC 6532).
 *
 * @module
 */

/** A field as it stands in the header. */
export interface HeaderField {
  /** Lower case. */
  name: string;
  /** Unfolded: line ends removed, the blanks after them kept. Bytes as UTF-8, else as windows-1252. */
  value: string;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
const windows1252 = new TextDecoder("windows-1252");

/** Bytes of a header as text: UTF-8 if they are that, otherwise windows-1252. Never fails. */
export function decodeHeaderBytes(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    return windows1252.decode(bytes);
  }
}

/** Fields that are looked at in a header; more is abuse. */
const maxFields = 20_000;

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
    if (name !== undefined) fields.push({ name, value: pieces.join("").trim() });
    name = undefined;
    pieces = [];
  };
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
      const colon = text.indexOf(":", at);
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

/** The same without comments, which fields of single words may have; undefined if nothing is left. */
export function headerText(fields: readonly HeaderField[], name: string): string | undefined {
  const v = headerField(fields, name);
  return v === undefined || v === "" ? undefined : v;
}
