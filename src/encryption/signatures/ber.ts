/**
 * Reads BER (X.690): DER, and the indefinite-length forms that programs write while streaming. Input that is
 * cut off or nested too deeply gives a BerError.
 *
 * @module
 */
import { joined } from "../../platform/bytes.ts";

/** Levels of values within values. */
const maxDepth = 32;
/** Values within one. */
const maxValues = 10_000;

/** Data that can't be read. */
export class BerError extends Error {
  override name = "BerError";
}

/** A value. */
export interface Value {
  /** Its first byte: class, constructed or not, and number. */
  tag: number;
  /** The bytes of a value without parts; for others those between head and end. */
  content: Uint8Array;
  /** With its head. */
  all: Uint8Array;
  /** Of a constructed one. */
  parts: Value[];
}

/** The first value in bytes. @throws BerError */
export function readValue(bytes: Uint8Array): Value {
  return read(bytes, 0, 0).value;
}

function read(bytes: Uint8Array, start: number, depth: number): { value: Value; end: number } {
  if (depth > maxDepth) throw new BerError("values are nested too deeply");
  let at = start;
  const tag = bytes[at++];
  // Numbers from 31 on take more bytes; CMS and X.509 have none.
  if (tag === undefined || (tag & 0x1f) === 0x1f) throw new BerError("no tag");
  let length: number | undefined = bytes[at++];
  if (length === undefined) throw new BerError("no length");
  if (length === 0x80) length = undefined;
  else if (length > 0x80) {
    let n = length & 0x7f;
    if (n > 4) throw new BerError("length is too long");
    for (length = 0; n > 0; n--) length = length * 256 + (bytes[at++] ?? NaN);
    if (Number.isNaN(length)) throw new BerError("length is cut off");
  }
  const from = at;
  const constructed = (tag & 0x20) !== 0;
  if (length === undefined && !constructed) throw new BerError("no length");
  const until = length === undefined ? bytes.length : from + length;
  if (until > bytes.length) throw new BerError("value is cut off");
  const parts: Value[] = [];
  if (!constructed) at = until;
  let ended = length !== undefined;
  while (at < until) {
    if (length === undefined && bytes[at] === 0 && bytes[at + 1] === 0) {
      ended = true;
      break;
    }
    if (parts.length >= maxValues) throw new BerError("too many values");
    const next = read(bytes, at, depth + 1);
    if (next.end > until) throw new BerError("value is longer than what it is in");
    parts.push(next.value);
    at = next.end;
  }
  if (!ended) throw new BerError("value has no end");
  const content = bytes.subarray(from, at);
  if (length === undefined) at += 2;
  return { value: { tag, content, all: bytes.subarray(start, at), parts }, end: at };
}

/** Bytes of an octet string, which may be in pieces. */
export function octets(value: Value): Uint8Array {
  return value.parts.length === 0 ? value.content : joined(value.parts.map(octets));
}

/** An object identifier with dots. */
export function oidText(value: Value): string {
  const numbers: number[] = [];
  let n = 0;
  for (const b of value.content.subarray(0, 64)) {
    n = n * 128 + (b & 0x7f);
    if (b & 0x80) continue;
    numbers.push(n);
    n = 0;
  }
  const [first = 0, ...rest] = numbers;
  const a = Math.min(2, Math.floor(first / 40));
  return [a, first - a * 40, ...rest].join(".");
}

/** Whether two values are the same bytes. */
export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((x, i) => x === b[i]);
}
