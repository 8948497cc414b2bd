/**
 * A message for servers that accept only lines of 7-bit text: its parts encoded (RFC 6152 §3, RFC 2045 §6).
 *
 * @module
 */
import { headerField, splitHeader } from "../header/header.ts";
import { parseContentType } from "../header/params.ts";
import { parseMessage, type Part } from "../structure/structure.ts";
import { decodeTransferEncoding } from "../transfer/transfer.ts";
import { encodeBase64, encodeQuotedPrintable } from "../transfer/encode.ts";

/** Most bytes of a line, without its end (RFC 5322 §2.1.1). */
const maxLine = 998;

/**
 * The message with parts encoded as needed and everything else unchanged; undefined if impossible: a header has
 * non-ASCII bytes, or a part must not be changed, as it is signed or of an unusual kind.
 */
export function toSevenBit(message: Uint8Array): Uint8Array | undefined {
  const { root, utf8Headers } = parseMessage(message);
  if (utf8Headers) return undefined;
  const pieces: Uint8Array[] = [];
  if (!entity(message, root, true, pieces)) return undefined;
  const all = new Uint8Array(pieces.reduce((n, p) => n + p.length, 0));
  let at = 0;
  for (const p of pieces) {
    all.set(p, at);
    at += p.length;
  }
  return all;
}

/** Adds a part in the form to be sent. False if impossible. */
function entity(message: Uint8Array, p: Part, isMessage: boolean, out: Uint8Array[]): boolean {
  const header = message.subarray(p.headerOffset, p.bodyOffset);
  const body = message.subarray(p.bodyOffset, p.endOffset);
  if (!isAscii(header)) return false;
  if (fits(body)) {
    out.push(header, body);
    return true;
  }
  if (p.parts.length > 0) {
    // RFC 1847 §2.1: signed content stays unchanged.
    if (p.subtype === "signed") return false;
    out.push(withEncoding(header, "7bit", isMessage));
    let at = p.bodyOffset;
    for (const part of p.parts) {
      out.push(between(message.subarray(at, part.headerOffset)));
      if (!entity(message, part, false, out)) return false;
      at = part.endOffset;
    }
    out.push(between(message.subarray(at, p.endOffset)));
    return true;
  }
  if (p.message && p.subtype !== "global") {
    out.push(withEncoding(header, "7bit", isMessage));
    return entity(message, p.message, true, out);
  }
  return leaf(header, body, p, isMessage, out);
}

function leaf(
  header: Uint8Array,
  body: Uint8Array,
  part: Part,
  isMessage: boolean,
  out: Uint8Array[],
): boolean {
  // RFC 2046 §5.2: other kinds of messages may not be encoded; those of RFC 6532 and 6533 may.
  const internationalized = part.type === "message" && part.subtype.startsWith("global");
  if (part.type === "message" && !internationalized) return false;
  // A multipart whose parts weren't found.
  if (headerType(header) === "multipart") return false;
  const content = decodeTransferEncoding(body, part.encoding);
  if (!content) return false;
  if (part.type === "text" || internationalized) {
    out.push(
      withEncoding(header, "quoted-printable", isMessage, content),
      encodeQuotedPrintable(content),
    );
  } else {
    out.push(withEncoding(header, "base64", isMessage, content), encodeBase64(content));
  }
  return true;
}

function headerType(header: Uint8Array): string | undefined {
  return parseContentType(headerField(splitHeader(header), "content-type"))?.type;
}

function isAscii(bytes: Uint8Array): boolean {
  for (const b of bytes) if (b >= 128) return false;
  return true;
}

/** Whether the bytes already are lines of 7-bit text. */
function fits(bytes: Uint8Array): boolean {
  let line = 0;
  for (let i = 0; i < bytes.length; i++) {
    const b = bytes[i];
    if (b >= 128 || b === 0) return false;
    if (b === 13 && bytes[i + 1] === 10) {
      line = 0;
      i++;
    } else if (b === 13 || b === 10 || ++line > maxLine) {
      return false;
    }
  }
  return true;
}

/** The bytes between parts: boundaries, and invisible texts. */
function between(bytes: Uint8Array): Uint8Array {
  return isAscii(bytes) ? bytes : bytes.map((b) => b < 128 ? b : 63);
}

/**
 * The header with this encoding instead of its own, and with the fields that MIME then needs.
 * @param content of a leaf, to name its charset if the header doesn't
 */
function withEncoding(
  header: Uint8Array,
  encoding: string,
  isMessage: boolean,
  content?: Uint8Array,
): Uint8Array {
  const text = new TextDecoder().decode(header);
  const names = new Set(splitHeader(header).map((f) => f.name));
  const lines = text.split(/(?<=\n)/);
  const kept: string[] = [];
  let dropping = false;
  for (const l of lines) {
    if (!/^[ \t]/.test(l)) dropping = /^content-transfer-encoding[ \t]*:/i.test(l);
    if (!dropping) kept.push(l);
  }
  const end = kept.at(-1)?.trim() === "" ? kept.pop()! : "\r\n";
  if (isMessage && !names.has("mime-version")) kept.push("MIME-Version: 1.0\r\n");
  if (content && !names.has("content-type")) {
    kept.push(
      `Content-Type: text/plain; charset=${isUtf8(content) ? "utf-8" : "unknown-8bit"}\r\n`,
    );
  }
  kept.push(`Content-Transfer-Encoding: ${encoding}\r\n`, end);
  return new TextEncoder().encode(kept.join(""));
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}
