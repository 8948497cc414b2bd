/**
 * Parts of a message: their header fields, their texts (RFC 5173, RFC 5703).
 *
 * @module
 */
import { decodeCharset } from "../../mail/text/charset.ts";
import { parseContentType, parseDisposition } from "../../mail/header/params.ts";
import type { Part } from "../../mail/structure/structure.ts";
import { decodeTransferEncoding, isKnownEncoding } from "../../mail/transfer/transfer.ts";
import { plainText } from "./html.ts";
import { type MailField, rawValue, type SieveMail, splitFields } from "./mail.ts";

/** Most bytes of a part's header that are read. */
const maxHeader = 64 * 1024;

/** A part and all parts in it, in order, including embedded messages. */
export function* allParts(part: Part): Generator<Part> {
  yield part;
  if (part.message) yield* allParts(part.message);
  for (const c of part.parts) yield* allParts(c);
}

/** Header fields of a part; for the root, those of the message. */
export function partFields(mail: SieveMail, part: Part): readonly MailField[] {
  if (part === mail.root) return mail.fields;
  return splitFields(
    mail.read(part.headerOffset, Math.min(part.bodyOffset, part.headerOffset + maxHeader)),
  );
}

/** Bytes of a part without its transfer encoding; unchanged if the encoding is unknown. */
export function partBytes(mail: SieveMail, part: Part, max: number): Uint8Array {
  const raw = mail.read(part.bodyOffset, Math.min(part.endOffset, part.bodyOffset + max));
  return decodeTransferEncoding(raw, part.encoding) ?? raw;
}

/** Text of a part in Unicode. */
export function partText(mail: SieveMail, part: Part, max: number): string {
  const bytes = partBytes(mail, part, max);
  return decodeCharset(bytes, part.type === "text" ? part.params.charset ?? "utf-8" : "utf-8");
}

/**
 * Whether a part is readable text. An undecodable part is octets, whatever its declared type (RFC 2045 §6.4).
 */
export function isReadable(part: Part): boolean {
  const text = part.type === "text" || part.type === "application" && part.subtype === "xhtml+xml";
  return text && part.parts.length === 0 && isKnownEncoding(part.encoding);
}

/** The same for a readable part: HTML without its markup. */
export function readableText(mail: SieveMail, part: Part, max: number): string {
  const text = partText(mail, part, max);
  return part.subtype === "html" || part.subtype === "xhtml+xml" ? plainText(text) : text;
}

/** Whether a part is of a content type as named by `body :content` (RFC 5173 §5.2). */
export function isOfType(part: Part, wanted: string): boolean {
  if (wanted === "") return true;
  const [type, subtype, more] = wanted.toLowerCase().split("/");
  if (type === "" || subtype === "" || more !== undefined) return false;
  return part.type === type && (subtype === undefined || part.subtype === subtype);
}

/** The piece of a field that `:type`, `:subtype`, `:contenttype` and `:param` select (RFC 5703 §4.1). */
export type FieldPiece = "type" | "subtype" | "contenttype" | { params: readonly string[] };

export function fieldPieces(field: MailField, piece: FieldPiece): string[] {
  const value = rawValue(field);
  let type: string;
  let subtype = "";
  let params: Record<string, string>;
  if (field.name === "content-disposition") {
    const d = parseDisposition(value);
    if (!d) return [];
    ({ type, params } = d);
  } else {
    const t = parseContentType(value);
    if (!t) return [];
    ({ type, subtype, params } = t);
  }
  if (typeof piece === "object") {
    return piece.params.flatMap((p) => Object.hasOwn(params, p) ? [params[p]] : []);
  }
  switch (piece) {
    case "type":
      return [type];
    case "subtype":
      return [subtype];
    case "contenttype":
      return [subtype === "" ? type : `${type}/${subtype}`];
  }
}
