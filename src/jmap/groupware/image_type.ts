/** The type of a picture, by its first bytes. @module */

const startsWith = (bytes: Uint8Array, at: number, text: string) =>
  bytes.length >= at + text.length &&
  [...text].every((c, i) => bytes[at + i] === c.charCodeAt(0));

/** Bytes in which an SVG has its root element. */
const headOfSvg = 4096;

/** The media type of a picture that browsers show; undefined for anything else. */
export function imageType(bytes: Uint8Array): string | undefined {
  if (startsWith(bytes, 0, "\x89PNG\r\n\x1a\n")) return "image/png";
  if (startsWith(bytes, 0, "\xff\xd8\xff")) return "image/jpeg";
  if (startsWith(bytes, 0, "GIF87a") || startsWith(bytes, 0, "GIF89a")) return "image/gif";
  if (startsWith(bytes, 0, "RIFF") && startsWith(bytes, 8, "WEBP")) return "image/webp";
  if (startsWith(bytes, 0, "BM")) return "image/bmp";
  if (startsWith(bytes, 0, "II*\0") || startsWith(bytes, 0, "MM\0*")) return "image/tiff";
  if (startsWith(bytes, 0, "\0\0\x01\0")) return "image/x-icon";
  if (startsWith(bytes, 4, "ftyp")) {
    const brand = new TextDecoder("latin1").decode(bytes.subarray(8, 12));
    if (/^avi[fs]$/.test(brand)) return "image/avif";
    if (/^(?:hei[cxms]|hev[cx]|mif1|msf1)$/.test(brand)) return "image/heic";
    return undefined;
  }
  const head = new TextDecoder().decode(bytes.subarray(0, headOfSvg));
  return /^\s*(?:<\?xml|<!--|<!doctype svg|<svg)/i.test(head) && /<svg[\s>]/i.test(head)
    ? "image/svg+xml"
    : undefined;
}
