/**
 * The subset of DER (ITU-T X.690) needed to create and read certificates.
 *
 * @module
 */

/** An element with its content as a view into the input. */
export interface DerElement {
  tag: number;
  content: Uint8Array;
  /** Offset of the first byte after the element. */
  end: number;
}

/** Reads the element at an offset; undefined if it is invalid or incomplete. */
export function readDer(bytes: Uint8Array, offset = 0): DerElement | undefined {
  if (offset + 2 > bytes.length) return undefined;
  const tag = bytes[offset];
  let length = bytes[offset + 1];
  let start = offset + 2;
  if (length >= 0x80) {
    const n = length - 0x80;
    if (n === 0 || n > 4 || start + n > bytes.length) return undefined;
    length = 0;
    for (let i = 0; i < n; i++) length = length * 256 + bytes[start + i];
    start += n;
  }
  if (start + length > bytes.length) return undefined;
  return { tag, content: bytes.subarray(start, start + length), end: start + length };
}

/** The sequence of elements in a content; undefined if they don't fill it exactly. */
export function readDerList(bytes: Uint8Array): DerElement[] | undefined {
  const list: DerElement[] = [];
  let offset = 0;
  while (offset < bytes.length) {
    const e = readDer(bytes, offset);
    if (e === undefined) return undefined;
    list.push(e);
    offset = e.end;
  }
  return list;
}

/** Dotted text of an object identifier's content. */
export function oidText(content: Uint8Array): string {
  const arcs: number[] = [];
  let n = 0;
  for (const b of content) {
    n = n * 128 + (b & 0x7f);
    if (b & 0x80) continue;
    if (arcs.length === 0) {
      const first = Math.min(2, Math.floor(n / 40));
      arcs.push(first, n - first * 40);
    } else {
      arcs.push(n);
    }
    n = 0;
  }
  return arcs.join(".");
}

/** An element of the given tag around its parts. */
export function der(tag: number, ...parts: Uint8Array[]): Uint8Array {
  const length = parts.reduce((n, p) => n + p.length, 0);
  const header = [tag];
  if (length < 0x80) {
    header.push(length);
  } else {
    const digits: number[] = [];
    for (let n = length; n > 0; n = Math.floor(n / 256)) digits.unshift(n % 256);
    header.push(0x80 + digits.length, ...digits);
  }
  const out = new Uint8Array(header.length + length);
  out.set(header, 0);
  let at = header.length;
  for (const p of parts) {
    out.set(p, at);
    at += p.length;
  }
  return out;
}

/** Tags of universal types, and of context-specific ones by number. */
export const Tag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  set: 0x31,
  context: (n: number) => 0x80 + n,
  constructedContext: (n: number) => 0xa0 + n,
} as const;

/** An object identifier from its dotted text. */
export function derOid(text: string): Uint8Array {
  const arcs = text.split(".").map(Number);
  const bytes: number[] = [];
  for (let n of [arcs[0] * 40 + arcs[1], ...arcs.slice(2)]) {
    const digits = [n & 0x7f];
    for (n = Math.floor(n / 128); n > 0; n = Math.floor(n / 128)) {
      digits.unshift((n & 0x7f) | 0x80);
    }
    bytes.push(...digits);
  }
  return der(Tag.oid, Uint8Array.from(bytes));
}

/** UTCTime, or GeneralizedTime from 2050 on (RFC 5280 §4.1.2.5), in seconds. */
export function derTime(date: Date): Uint8Array {
  const text = date.toISOString().replaceAll(/[-:T]/g, "").slice(0, 14) + "Z";
  const bytes = new TextEncoder().encode(date.getUTCFullYear() < 2050 ? text.slice(2) : text);
  return der(date.getUTCFullYear() < 2050 ? Tag.utcTime : Tag.generalizedTime, bytes);
}

/** PEM armour around DER. */
export function pem(label: string, bytes: Uint8Array): string {
  const lines = bytes.toBase64().match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
}

/** DER of the first PEM block with that label. */
export function fromPem(text: string, label: string): Uint8Array | undefined {
  const begin = `-----BEGIN ${label}-----`;
  const from = text.indexOf(begin);
  const to = text.indexOf(`-----END ${label}-----`, from);
  if (from < 0 || to < 0) return undefined;
  try {
    return Uint8Array.fromBase64(text.slice(from + begin.length, to).replaceAll(/\s/g, ""));
  } catch {
    return undefined;
  }
}
