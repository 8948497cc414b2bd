/**
 * Encoding with content transfer encodings (RFC 2045 §6.7, §6.8). Lines are at most 76 characters long.
 *
 * @module
 */

const digits = new TextEncoder().encode(
  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
);
const hex = new TextEncoder().encode("0123456789ABCDEF");

/** Base64 in lines, each with CRLF at its end. */
export function encodeBase64(bytes: Uint8Array): Uint8Array {
  const chars = Math.ceil(bytes.length / 3) * 4;
  const out = new Uint8Array(chars + Math.ceil(chars / 76) * 2);
  let n = 0;
  let column = 0;
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i;
    const v = bytes[i] << 16 | (left > 1 ? bytes[i + 1] : 0) << 8 | (left > 2 ? bytes[i + 2] : 0);
    out[n++] = digits[v >> 18];
    out[n++] = digits[v >> 12 & 63];
    out[n++] = left > 1 ? digits[v >> 6 & 63] : 61;
    out[n++] = left > 2 ? digits[v & 63] : 61;
    column += 4;
    if (column === 76 || left <= 3) {
      out[n++] = 13;
      out[n++] = 10;
      column = 0;
    }
  }
  return out;
}

/** Quoted-printable of text whose lines end in CRLF; a bare CR or LF is escaped. */
export function encodeQuotedPrintable(bytes: Uint8Array): Uint8Array {
  // An escape takes 3 bytes, and each 73 or more of them a soft line break of 3.
  const out = new Uint8Array(bytes.length * 3 + Math.ceil(bytes.length * 3 / 73) * 3 + 3);
  let n = 0;
  let column = 0;
  for (let i = 0; i < bytes.length; i++) {
    const c = bytes[i];
    if (c === 13 && bytes[i + 1] === 10) {
      out[n++] = 13;
      out[n++] = 10;
      i++;
      column = 0;
      continue;
    }
    const atEnd = i + 1 === bytes.length || bytes[i + 1] === 13 && bytes[i + 2] === 10;
    const plain = c === 32 || c === 9 ? !atEnd : c > 32 && c < 127 && c !== 61;
    const width = plain ? 1 : 3;
    // The last column is for the "=" of a soft line break.
    if (column + width > 75) {
      out[n++] = 61;
      out[n++] = 13;
      out[n++] = 10;
      column = 0;
    }
    if (plain) {
      out[n++] = c;
    } else {
      out[n++] = 61;
      out[n++] = hex[c >> 4];
      out[n++] = hex[c & 15];
    }
    column += width;
  }
  return out.subarray(0, n);
}
