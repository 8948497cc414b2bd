/**
 * Encoding non-ASCII text for ASCII headers: encoded words (RFC 2047).
 *
 * @module
 */

/**
 * The text, encoded in UTF-8 words if it has non-ASCII characters. Words are at most 75 bytes long.
 * @param o.room bytes for the first word, if it follows the name of a field
 * @param o.always also encode ASCII, such as text that looks like an encoded word
 */
export function encodeWord(s: string, o: { room?: number; always?: boolean } = {}): string {
  if (!o.always && /^[\t\r\n\x20-\x7e]*$/.test(s)) return s;
  const words: string[] = [];
  let bytes: number[] = [];
  const flush = () => {
    if (bytes.length === 0) return;
    words.push(`=?utf-8?b?${btoa(String.fromCharCode(...bytes))}?=`);
    bytes = [];
  };
  const encoder = new TextEncoder();
  // 75 minus the frame leaves 60 base64 characters: 45 bytes; a character is not split.
  let most = Math.max(6, Math.floor((Math.min(o.room ?? 75, 75) - 12) / 4) * 3);
  for (const c of s.toWellFormed()) {
    const b = encoder.encode(c);
    if (bytes.length + b.length > most) {
      flush();
      most = 45;
    }
    bytes.push(...b);
  }
  flush();
  return words.join(" ");
}
