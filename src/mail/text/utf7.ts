/**
 * Modified UTF-7 of mailbox names (RFC 3501 §5.1.3).
 *
 * @module
 */
const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";
const values = new Int8Array(128).fill(-1);
for (let i = 0; i < 64; i++) values[alphabet.charCodeAt(i)] = i;

/**
 * A name as Unicode; undefined if it isn't valid. Bytes outside ASCII (sent as UTF-8 by some clients without
 * asking) are accepted unchanged.
 */
export function decodeUtf7(s: string): string | undefined {
  if (!s.includes("&")) return s;
  let out = "";
  for (let i = 0; i < s.length; i++) {
    const c = s[i];
    if (c !== "&") {
      out += c;
      continue;
    }
    if (s[i + 1] === "-") {
      out += "&";
      i++;
      continue;
    }
    let bits = 0;
    let n = 0;
    let units = "";
    for (i++; i < s.length && s[i] !== "-"; i++) {
      const code = s.charCodeAt(i);
      const v = code < 128 ? values[code] : -1;
      if (v < 0) return undefined;
      bits = ((bits << 6) | v) & 0xffffff;
      n += 6;
      if (n >= 16) {
        n -= 16;
        units += String.fromCharCode((bits >> n) & 0xffff);
      }
    }
    // Padding is less than a character of the alphabet, and zero.
    if (i >= s.length || n >= 6 || (bits & ((1 << n) - 1)) !== 0 || units === "") return undefined;
    if (!units.isWellFormed()) return undefined;
    out += units;
  }
  return out;
}

/** A name in modified UTF-7. */
export function encodeUtf7(s: string): string {
  let out = "";
  let i = 0;
  while (i < s.length) {
    const c = s.charCodeAt(i);
    if (c >= 0x20 && c < 0x7f) {
      out += c === 0x26 ? "&-" : s[i];
      i++;
      continue;
    }
    let bits = 0;
    let n = 0;
    out += "&";
    for (; i < s.length; i++) {
      const u = s.charCodeAt(i);
      if (u >= 0x20 && u < 0x7f) break;
      bits = ((bits << 16) | u) & 0x3fffff;
      n += 16;
      while (n >= 6) {
        n -= 6;
        out += alphabet[(bits >> n) & 63];
      }
    }
    if (n > 0) out += alphabet[(bits << (6 - n)) & 63];
    out += "-";
  }
  return out;
}
