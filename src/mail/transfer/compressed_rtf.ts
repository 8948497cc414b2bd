/**
 * Rich text as packed by Outlook (MS-OXRTFCP): a dictionary of 4 KiB, initialised with the usual beginning of
 * such texts.
 *
 * @module
 */

/** Initial contents of the dictionary (§2.1.2.1). */
const beginning = new TextEncoder().encode(
  "{\\rtf1\\ansi\\mac\\deff0\\deftab720{\\fonttbl;}{\\f0\\fnil \\froman \\fswiss \\fmodern \\fscript \\fdecor " +
    "MS Sans SerifSymbolArialTimes New RomanCourier{\\colortbl\\red0\\green0\\blue0\r\n\\par " +
    "\\pard\\plain\\f0\\fs20\\b\\i\\u\\tab\\tx",
);
const compressed = 0x75465a4c;
const plain = 0x414c454d;
const dictionary = 4096;

/**
 * The text; for a damaged one the part before the damage; undefined if it is not packed text, or too large.
 * @param max most bytes of the text
 */
export function unpackRtf(bytes: Uint8Array, max: number): Uint8Array | undefined {
  if (bytes.length < 16) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const size = view.getUint32(4, true);
  const kind = view.getUint32(8, true);
  if (size > max) return undefined;
  if (kind === plain) return bytes.slice(16, 16 + size);
  if (kind !== compressed) return undefined;
  // A byte with flags for eight steps, each of at most 17 bytes: the result can't exceed this.
  const out = new Uint8Array(Math.min(size, (bytes.length - 16) * 9));
  const window = new Uint8Array(dictionary);
  window.set(beginning);
  let at = 16, n = 0, end = beginning.length;
  const put = (byte: number) => {
    window[end] = byte;
    end = (end + 1) % dictionary;
    if (n < out.length) out[n++] = byte;
  };
  while (at < bytes.length && n < out.length) {
    const flags = bytes[at++];
    for (let bit = 0; bit < 8 && n < out.length; bit++) {
      if (!(flags >> bit & 1)) {
        if (at >= bytes.length) break;
        put(bytes[at++]);
        continue;
      }
      if (at + 2 > bytes.length) return out.slice(0, n);
      const reference = bytes[at] << 8 | bytes[at + 1];
      at += 2;
      const from = reference >> 4;
      // §2.2.1.3: a reference to the position of the next byte ends the text.
      if (from === end) return out.slice(0, n);
      for (let i = 0; i < (reference & 15) + 2; i++) put(window[(from + i) % dictionary]);
    }
  }
  return out.slice(0, n);
}
