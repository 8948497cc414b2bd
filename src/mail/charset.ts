/**
 * Charsets to Unicode: what TextDecoder knows, and the rest of IANA's through iconv-lite.
 *
 * @module
 */
import iconv from "iconv-lite";

const decoders = new Map<string, TextDecoder | string | undefined>();

function find(label: string): TextDecoder | string | undefined {
  const key = label.trim().toLowerCase().replace(/^"|"$/g, "").slice(0, 60);
  if (decoders.has(key)) return decoders.get(key);
  let found: TextDecoder | string | undefined;
  try {
    found = new TextDecoder(key);
    // "replacement" stands for charsets that browsers refuse; iconv-lite may know them.
    if ((found.encoding as string) === "replacement") found = undefined;
  } catch {
    found = undefined;
  }
  if (!found && iconv.encodingExists(key)) found = key;
  // Bounded: labels come from the network.
  if (decoders.size < 500) decoders.set(key, found);
  return found;
}

/** True if text in the charset can be decoded. */
export function isKnownCharset(label: string): boolean {
  return find(label) !== undefined;
}

const utf8 = new TextDecoder("utf-8", { fatal: true });
const windows1252 = new TextDecoder("windows-1252");

/** Bytes as text. An unknown charset is UTF-8 if the bytes are that, else windows-1252. Never fails. */
export function decodeCharset(bytes: Uint8Array, label: string): string {
  const d = find(label);
  const lower = label.toLowerCase();
  // What calls itself ASCII and has high bytes is mostly UTF-8.
  if (d instanceof TextDecoder && lower !== "us-ascii" && lower !== "ascii") return d.decode(bytes);
  if (typeof d === "string") {
    // iconv-lite wants a Buffer; its input is not kept.
    return iconv.decode(bytes as Parameters<typeof iconv.decode>[0], d);
  }
  try {
    return utf8.decode(bytes);
  } catch {
    return windows1252.decode(bytes);
  }
}
