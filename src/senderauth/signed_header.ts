/** The header bytes that a signature covers (RFC 6376 §3.7, §5.4.2). @module */
import { Buffer } from "node:buffer";
import { canonicalField, type Canonicalization } from "./canonical.ts";
import type { HeaderField, HeaderFields } from "./header_fields.ts";

/** Canonical fields of one header, each computed once. */
export interface SignedHeader {
  readonly header: HeaderFields;
  /** A field in canonical form. */
  canonical(field: HeaderField, form: Canonicalization): Uint8Array;
  /** The fields that the names select: each name takes the last one not yet taken. */
  select(names: readonly string[]): HeaderField[];
  /** How many fields have this name (in lower case). */
  count(name: string): number;
}

/** Prepares a header for several signatures. */
export function signedHeader(header: HeaderFields): SignedHeader {
  const byName = new Map<string, HeaderField[]>();
  for (const field of header.fields) {
    const list = byName.get(field.name);
    if (list) list.push(field);
    else byName.set(field.name, [field]);
  }
  const cache = { simple: new Map(), relaxed: new Map() } as Record<
    Canonicalization,
    Map<HeaderField, Uint8Array>
  >;
  return {
    header,
    canonical(field, form) {
      let bytes = cache[form].get(field);
      if (!bytes) {
        bytes = canonicalField(header, field, form);
        cache[form].set(field, bytes);
      }
      return bytes;
    },
    select(names) {
      const taken = new Map<string, number>();
      const chosen: HeaderField[] = [];
      for (const name of names) {
        const list = byName.get(name);
        const n = taken.get(name) ?? 0;
        taken.set(name, n + 1);
        // A name with no field left signs that there is none (RFC 6376 §5.4.2).
        if (list && n < list.length) chosen.push(list[list.length - 1 - n]);
      }
      return chosen;
    },
    count: (name) => byName.get(name)?.length ?? 0,
  };
}

/**
 * A signature field without the value of its b= and without its CRLF: the last part of the signed bytes (RFC
 * 6376 §3.5). The field is already in canonical form.
 */
export function withoutSignatureValue(canonical: Uint8Array): Uint8Array {
  const bytes = Buffer.from(canonical.buffer, canonical.byteOffset, canonical.length);
  let end = bytes.length;
  if (end >= 2 && bytes[end - 1] === 0x0a) end -= bytes[end - 2] === 0x0d ? 2 : 1;
  // Tags start at the colon and after each semicolon; this one's name is just "b".
  for (let i = bytes.indexOf(0x3a) + 1; i > 0 && i < end;) {
    const semicolon = bytes.indexOf(0x3b, i);
    const stop = semicolon < 0 || semicolon > end ? end : semicolon;
    let at = i;
    while (at < stop && isSpace(bytes[at])) at++;
    if (bytes[at] === 0x62) {
      at++;
      while (at < stop && isSpace(bytes[at])) at++;
      if (bytes[at] === 0x3d && at < stop) {
        return Buffer.concat([bytes.subarray(0, at + 1), bytes.subarray(stop, end)]);
      }
    }
    i = stop + 1;
  }
  return bytes.subarray(0, end);
}

function isSpace(c: number): boolean {
  return c === 0x20 || c === 0x09 || c === 0x0d || c === 0x0a;
}
