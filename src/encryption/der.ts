/** DER (X.690), as far as CMS needs it. @module */
import { joined } from "../platform/bytes.ts";

/** The head of a value: its tag and its length. */
export function head(tag: number, length: number): Uint8Array {
  if (length < 128) return new Uint8Array([tag, length]);
  const bytes: number[] = [];
  for (let n = length; n > 0; n = Math.floor(n / 256)) bytes.unshift(n % 256);
  return new Uint8Array([tag, 0x80 | bytes.length, ...bytes]);
}

/** A value of parts. */
export function value(tag: number, ...parts: Uint8Array[]): Uint8Array {
  const length = parts.reduce((n, p) => n + p.length, 0);
  return joined([head(tag, length), ...parts]);
}

/** An object identifier, from dots. */
export function oid(text: string): Uint8Array {
  const [a, b, ...rest] = text.split(".").map(Number);
  const bytes = [a * 40 + b];
  for (const n of rest) {
    const part = [n % 128];
    for (let m = Math.floor(n / 128); m > 0; m = Math.floor(m / 128)) part.unshift(128 + m % 128);
    bytes.push(...part);
  }
  return value(0x06, new Uint8Array(bytes));
}

/** The values within a constructed one. @throws RangeError for what is cut off */
export function within(bytes: Uint8Array): { tag: number; content: Uint8Array; all: Uint8Array }[] {
  const found = [];
  for (let at = 0; at < bytes.length;) {
    const start = at;
    const tag = bytes[at++];
    let length = bytes[at++];
    if (length > 0x80) {
      let n = length & 0x7f;
      if (n > 4) throw new RangeError("length too long");
      for (length = 0; n > 0; n--) length = length * 256 + bytes[at++];
    } else if (length === 0x80) throw new RangeError("length is not given");
    if (!(at + length <= bytes.length)) throw new RangeError("value is cut off");
    found.push({
      tag,
      content: bytes.subarray(at, at + length),
      all: bytes.subarray(start, at + length),
    });
    at += length;
  }
  return found;
}
