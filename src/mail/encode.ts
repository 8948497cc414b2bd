/**
 * Text beyond ASCII in headers of ASCII: encoded words (RFC 2047).
 *
 * @module
 */

/** The text, encoded in UTF-8 words if it has anything beyond ASCII. Words are at most 75 bytes long. */
export function encodeWord(s: string): string {
  if (/^[\t\r\n\x20-\x7e]*$/.test(s)) return s;
  const words: string[] = [];
  let bytes: number[] = [];
  const flush = () => {
    if (bytes.length === 0) return;
    words.push(`=?utf-8?b?${btoa(String.fromCharCode(...bytes))}?=`);
    bytes = [];
  };
  const encoder = new TextEncoder();
  for (const c of s.toWellFormed()) {
    const b = encoder.encode(c);
    // 75 less the frame leaves 60 base64 characters: 45 bytes; a character is not split.
    if (bytes.length + b.length > 45) flush();
    bytes.push(...b);
  }
  flush();
  return words.join(" ");
}
