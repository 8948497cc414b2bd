/**
 * Decodes content transfer encodings (RFC 2045 §6), skipping common errors.
 *
 * @module
 */

import { decodeUuencode } from "./uuencode.ts";

/** The decoded bytes, or undefined for an unknown encoding. */
export function decodeTransferEncoding(
  bytes: Uint8Array,
  encoding: string,
): Uint8Array | undefined {
  switch (encoding.toLowerCase()) {
    case "":
    case "7bit":
    case "8bit":
    case "binary":
      return bytes;
    case "base64":
      return decodeBase64(bytes);
    case "quoted-printable":
      return decodeQuotedPrintable(bytes);
    case "x-uuencode":
      return decodeUuencode(bytes);
    default:
      return undefined;
  }
}

/** Whether there is a decoder for an encoding. */
export function isKnownEncoding(encoding: string): boolean {
  return decodeTransferEncoding(new Uint8Array(0), encoding) !== undefined;
}

const values = new Int8Array(256).fill(-1);
for (
  const [i, c] of [..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"].entries()
) {
  values[c.charCodeAt(0)] = i;
}

/**
 * A decoder that takes base64 in pieces. Characters that aren't base64 are skipped; decoding continues after
 * padding, as in concatenated texts.
 */
export function base64Decoder(): (bytes: Uint8Array) => Uint8Array {
  let bits = 0;
  let have = 0;
  return (bytes) => {
    const out = new Uint8Array(Math.ceil(bytes.length * 3 / 4) + 3);
    let n = 0;
    for (let i = 0; i < bytes.length; i++) {
      const c = bytes[i];
      const v = values[c];
      if (v < 0) {
        if (c === 61) have = 0;
        continue;
      }
      bits = (bits << 6 | v) & 0xffffff;
      have += 6;
      if (have >= 8) {
        have -= 8;
        out[n++] = bits >> have & 0xff;
      }
    }
    return out.subarray(0, n);
  };
}

/** Base64 in one go. */
export function decodeBase64(bytes: Uint8Array): Uint8Array {
  return base64Decoder()(bytes);
}

/** The value of a hexadecimal digit, or -1. */
export function hexValue(c: number): number {
  if (c >= 48 && c <= 57) return c - 48;
  if (c >= 65 && c <= 70) return c - 55;
  if (c >= 97 && c <= 102) return c - 87;
  return -1;
}

/**
 * An "=" that starts no escape stays; spaces at a line's end are dropped, except those written as escapes or
 * before a soft line break (RFC 2045 §6.7).
 */
export function decodeQuotedPrintable(bytes: Uint8Array): Uint8Array {
  const out = new Uint8Array(bytes.length);
  let n = 0;
  // Output up to here stays, whatever follows.
  let kept = 0;
  for (let i = 0; i < bytes.length; i++) {
    const c = bytes[i];
    if (c === 61) {
      const a = hexValue(bytes[i + 1]);
      const b = hexValue(bytes[i + 2]);
      if (a >= 0 && b >= 0) {
        out[n++] = a << 4 | b;
        kept = n;
        i += 2;
        continue;
      }
      // A soft line break; spaces before its end are allowed.
      let k = i + 1;
      while (bytes[k] === 32 || bytes[k] === 9) k++;
      if (bytes[k] === 13 && bytes[k + 1] === 10) {
        i = k + 1;
        kept = n;
        continue;
      }
      if (bytes[k] === 10) {
        i = k;
        kept = n;
        continue;
      }
      if (k >= bytes.length) break;
    } else if (c === 10 || c === 13 && bytes[i + 1] === 10) {
      while (n > kept && (out[n - 1] === 32 || out[n - 1] === 9)) n--;
    }
    out[n++] = c;
  }
  return out.subarray(0, n);
}
