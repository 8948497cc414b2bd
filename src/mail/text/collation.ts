/**
 * The collation i;unicode-casemap (RFC 5051), by which SORT and THREAD compare texts (RFC 5256).
 *
 * @module
 */

/**
 * A key for a text: texts are in the order of their keys, and equal where the keys are. Each character has its
 * simple titlecase mapping (so ß stays as it is), then all are decomposed (NFKD). Keys are compared by UTF-16
 * code units, which differs from octets of UTF-8 for characters beyond U+FFFF against those from U+E000 on only.
 */
export function collationKey(s: string): string {
  // deno-lint-ignore no-control-regex -- all of ASCII
  if (/^[\x00-\x7f]*$/.test(s)) return s.toUpperCase();
  let key = "";
  for (const c of s) {
    const upper = c.toUpperCase();
    key += [...upper].length === 1 ? upper : c;
  }
  return key.normalize("NFKD");
}
