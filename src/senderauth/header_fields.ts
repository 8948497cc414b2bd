/** The raw header of a message, split into fields. @module */
import { MAX_HEADER_BYTES, MAX_HEADER_FIELDS } from "./limits.ts";

/** A header field as bytes of the header, including its CRLF. */
export interface HeaderField {
  /** In lower case, without trailing white space. */
  name: string;
  /** Start of the field, and start of the next one. */
  start: number;
  end: number;
  /** The first byte after the colon. */
  value: number;
}

/** Fields of a header in order. */
export interface HeaderFields {
  bytes: Uint8Array;
  fields: HeaderField[];
  /** True if the header exceeds the limits (limits.ts): no signature is valid then. */
  overflow: boolean;
}

/** Where the body starts: after the first empty line; at the end if there is none. */
export function bodyStart(message: Uint8Array): number {
  if (message[0] === 0x0d && message[1] === 0x0a) return 2;
  for (let i = message.indexOf(0x0a); i >= 0; i = message.indexOf(0x0a, i + 1)) {
    if (message[i + 1] === 0x0d && message[i + 2] === 0x0a) return i + 3;
  }
  return message.length;
}

/**
 * Splits a header into fields. Lines that are neither a field nor a continuation are skipped; the scan ends at
 * an empty line, or at the limits, which are those of limits.ts unless given.
 */
export function scanHeader(
  header: Uint8Array,
  maxFields = MAX_HEADER_FIELDS,
  maxBytes = MAX_HEADER_BYTES,
): HeaderFields {
  const bytes = header.length > maxBytes ? header.subarray(0, maxBytes) : header;
  const fields: HeaderField[] = [];
  let overflow = bytes.length < header.length;
  let i = 0;
  while (i < bytes.length) {
    let end = lineEnd(bytes, i);
    const first = bytes[i];
    if (end - i === 2 && first === 0x0d) break;
    const folded = first === 0x20 || first === 0x09;
    // RFC 5322 §2.2.3: a line that starts with white space belongs to the one before it.
    while (end < bytes.length && (bytes[end] === 0x20 || bytes[end] === 0x09)) {
      end = lineEnd(bytes, end);
    }
    const colon = folded ? -1 : bytes.subarray(i, end).indexOf(0x3a);
    if (colon > 0) {
      if (fields.length >= maxFields) {
        overflow = true;
        break;
      }
      const name = latin1(bytes, i, i + colon).trimEnd().toLowerCase();
      fields.push({ name, start: i, end, value: i + colon + 1 });
    }
    i = end;
  }
  return { bytes, fields, overflow };
}

function lineEnd(bytes: Uint8Array, from: number): number {
  const lf = bytes.indexOf(0x0a, from);
  return lf < 0 ? bytes.length : lf + 1;
}

const latin1Decoder = new TextDecoder("latin1");
const utf8Decoder = new TextDecoder();

/** Bytes as text, one character for each byte above 0x7f (windows-1252, as in the platform). */
export function latin1(bytes: Uint8Array, start = 0, end = bytes.length): string {
  return latin1Decoder.decode(bytes.subarray(start, end));
}

/** The value of a field as UTF-8 text with its line breaks removed and white space trimmed. */
export function fieldText(header: HeaderFields, field: HeaderField): string {
  return unfold(utf8Decoder.decode(header.bytes.subarray(field.value, field.end)));
}

/** Removes CR and LF, and the white space at both ends. */
export function unfold(text: string): string {
  return text.replaceAll("\r", "").replaceAll("\n", "").trim();
}
