/**
 * The collation i;unicode-casemap (RFC 5051), by which SORT and THREAD compare texts (RFC 5256).
 *
 * @module
 */

/**
 * The sort key of a text: texts sort by their keys, and are equal if their keys are. Each character gets its
 * simple titlecase mapping (so ß is unchanged), then all are decomposed (NFKD). Keys are compared by UTF-16
 * code units, which differs from UTF-8 octets only for characters beyond U+FFFF compared with those from U+E000
 * on.
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
