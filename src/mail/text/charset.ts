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

/** True for charsets whose text is taken as UTF-8 where it is that: ASCII, which mostly isn't, and unknown ones. */
function isGuessed(label: string, d: TextDecoder | string | undefined): boolean {
  const lower = label.toLowerCase();
  return d === undefined ||
    (d instanceof TextDecoder && (lower === "us-ascii" || lower === "ascii"));
}

/**
 * Decodes text that comes in pieces, with the result that {@link decodeCharset} has of the whole.
 * @param pieces gives all of it, from the start, each time it is called
 */
export function* decodePieces(
  pieces: () => Iterable<Uint8Array>,
  label: string,
): Generator<string> {
  const d = find(label);
  if (typeof d === "string") {
    const decoder = iconv.getDecoder(d);
    for (const p of pieces()) yield decoder.write(p as Parameters<typeof decoder.write>[0]);
    yield decoder.end() ?? "";
    return;
  }
  const name = isGuessed(label, d)
    ? (isUtf8(pieces()) ? "utf-8" : "windows-1252")
    : (d as TextDecoder).encoding;
  const decoder = new TextDecoder(name);
  for (const p of pieces()) yield decoder.decode(p, { stream: true });
  yield decoder.decode();
}

function isUtf8(pieces: Iterable<Uint8Array>): boolean {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  try {
    for (const p of pieces) decoder.decode(p, { stream: true });
    decoder.decode();
    return true;
  } catch {
    return false;
  }
}

/** Bytes as text. An unknown charset is UTF-8 if the bytes are that, else windows-1252. Never fails. */
export function decodeCharset(bytes: Uint8Array, label: string): string {
  const d = find(label);
  if (d instanceof TextDecoder && !isGuessed(label, d)) return d.decode(bytes);
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
