/**
 * The meaning of a message's parts for its readers: texts, files, pictures in a text.
 *
 * @module
 */
import { decodeCharset, decodePieces } from "../text/charset.ts";
import { transferStream } from "../transfer/stream.ts";
import { decodeTransferEncoding } from "../transfer/transfer.ts";
import { parseMessage, type Part } from "./structure.ts";

/** File name of a part, without folders and control characters; "" if it has none. */
export function fileNameOf(part: Part): string {
  const name = part.dispositionParams?.filename || part.params.name || "";
  return name.slice(Math.max(name.lastIndexOf("/"), name.lastIndexOf("\\")) + 1)
    // deno-lint-ignore no-control-regex -- also marks of the reading direction, which can hide the ending
    .replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, "").trim().slice(0, 255);
}

/** True if the part is meant to be saved, not read with the message (RFC 2183 §2.2). */
export function isAttachment(part: Part): boolean {
  // §2.8: an unknown disposition counts as attachment.
  return part.disposition !== undefined && part.disposition !== "inline";
}

/** Content-ID without its brackets; "" without one. */
export const contentId = (p: Part): string => (p.id ?? "").replace(/^<|>$/g, "").trim();

/** True for a picture shown in a text (RFC 2392), which doesn't count as a file. */
export function isInlineImage(part: Part): boolean {
  return part.type === "image" && contentId(part) !== "" && !isAttachment(part);
}

/** Whether a message has a file to save. Pictures in its HTML don't count; embedded messages are included. */
export function hasAttachment(root: Part): boolean {
  let html = false;
  let files = false;
  let pictures = false;
  const walk = (part: Part): void => {
    if (part.message) return isAttachment(part) ? void (files = true) : walk(part.message);
    if (part.parts.length > 0) return part.parts.forEach(walk);
    if (part.type === "text" && part.subtype === "html" && !isAttachment(part)) html = true;
    if (isInlineImage(part)) pictures = true;
    else if (isAttachment(part) || fileNameOf(part) !== "") files = true;
  };
  walk(root);
  return files || (pictures && !html);
}

/** The bytes of a part without their transfer encoding; unchanged if the encoding is unknown. */
export function decodeBody(part: Part, raw: Uint8Array): Uint8Array {
  return decodeTransferEncoding(raw, part.encoding) ?? raw;
}

/** Decodes a part's raw bytes, or the first of them, to text. */
export function decodeText(part: Part, raw: Uint8Array): string {
  return decodeCharset(decodeBody(part, raw), part.params.charset, {
    html: part.subtype === "html",
  });
}

/** The text of a large part, read in pieces; `raw` yields them from the start each time it is called. */
export function decodeTextPieces(part: Part, raw: () => Iterable<Uint8Array>): Generator<string> {
  function* decoded(): Generator<Uint8Array> {
    const decoder = transferStream(part.encoding);
    for (const piece of raw()) yield decoder.push(piece);
    yield decoder.end();
  }
  return decodePieces(decoded, part.params.charset, { html: part.subtype === "html" });
}

/** Most bytes of an embedded encoded message that is parsed. */
export const maxEncodedMessage = 1024 * 1024;

/** True for an embedded message with a transfer encoding, which RFC 2046 §5.2.1 doesn't allow. */
export function isEncodedMessage(part: Part): boolean {
  return part.type === "message" && (part.subtype === "rfc822" || part.subtype === "global") &&
    !part.message &&
    part.endOffset > part.bodyOffset && part.endOffset - part.bodyOffset <= maxEncodedMessage;
}

/** The message in such a part: its structure, and its bytes. */
export function openEncodedMessage(
  part: Part,
  raw: Uint8Array,
): { root: Part; read: (from: number, to: number) => Uint8Array } {
  const bytes = decodeBody(part, raw);
  return { root: parseMessage(bytes).root, read: (from, to) => bytes.subarray(from, to) };
}
