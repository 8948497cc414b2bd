/** Texts of parts (RFC 8621 §4.1.4, EmailBodyValue). @module */
import { decodeCharset, isKnownCharset } from "../../mail/text/charset.ts";
import type { Part } from "../../mail/structure/structure.ts";
import { decodedPieces, type MessageSource, type Turns } from "./message_source.ts";

/** Most bytes of a text that are returned. */
const maxValue = 8 * 1024 * 1024;

export interface BodyValue {
  value: string;
  isEncodingProblem: boolean;
  isTruncated: boolean;
}

const knownEncodings = ["", "7bit", "8bit", "binary", "base64", "quoted-printable"];

function isMalformed(bytes: Uint8Array, charset: string): boolean {
  if (!isKnownCharset(charset)) return true;
  const lower = charset.toLowerCase();
  if (lower === "us-ascii" || lower === "ascii") return bytes.some((b) => b > 127);
  try {
    new TextDecoder(charset, { fatal: true }).decode(bytes);
    return false;
  } catch (err) {
    // With a charset known only to the other library, errors are not reported.
    return err instanceof TypeError;
  }
}

/** The text of a part. @param limit bytes of UTF-8, 0 for no limit */
export async function bodyValue(
  source: MessageSource,
  part: Part,
  limit: number,
  turns: Turns,
): Promise<BodyValue> {
  const most = limit > 0 ? Math.min(limit, maxValue) : maxValue;
  const pieces: Uint8Array[] = [];
  let size = 0;
  let cut = false;
  for (const b of decodedPieces(source, part)) {
    pieces.push(b.slice());
    size += b.length;
    // No charset needs more than 4 bytes where UTF-8 needs 1.
    if (size > most * 4 + 16) {
      cut = true;
      break;
    }
    await turns.next();
  }
  const bytes = new Uint8Array(size);
  let at = 0;
  for (const b of pieces) {
    bytes.set(b, at);
    at += b.length;
  }
  const charset = part.params.charset ?? "us-ascii";
  const text = decodeCharset(bytes, charset).replaceAll("\r\n", "\n");
  const isEncodingProblem = !knownEncodings.includes(part.encoding.toLowerCase()) ||
    (!cut && isMalformed(bytes, charset));
  const value = truncated(text, most, part.subtype === "html");
  return { value, isEncodingProblem, isTruncated: cut || value.length < text.length };
}

/** The text cut to `most` bytes of UTF-8, without splitting a character or an HTML tag. */
export function truncated(text: string, most: number, isHtml: boolean): string {
  if (text.length * 3 <= most) return text;
  const bytes = new TextEncoder().encode(text);
  if (bytes.length <= most) return text;
  let end = most;
  while (end > 0 && (bytes[end] & 0xc0) === 0x80) end--;
  let value = new TextDecoder().decode(bytes.subarray(0, end));
  if (isHtml) {
    const open = value.lastIndexOf("<");
    if (open > value.lastIndexOf(">")) value = value.slice(0, open);
  }
  return value;
}
