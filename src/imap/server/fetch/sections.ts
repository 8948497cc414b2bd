/**
 * Which bytes of a message a section names (RFC 9051 §6.4.5.1).
 *
 * @module
 */
import { chooseFields } from "../../../mail/header/filter.ts";
import type { Part } from "../../../mail/structure/structure.ts";
import { transferStream } from "../../../mail/transfer/stream.ts";
import { decodeTransferEncoding } from "../../../mail/transfer/transfer.ts";
import type { MessageReader } from "../../../store/types.ts";
import type { Section } from "../../parse/fetch.ts";

/** Bytes [from, to) of the message, prefix included. */
export interface Span {
  from: number;
  to: number;
}

/** Bytes of a header that are read to filter fields from. */
const maxHeaderBytes = 4 * 1024 * 1024;

/**
 * The part with these numbers; a part without parts is its own part 1. Offsets
 * count from the start of the prefix.
 */
function findPart(root: Part, numbers: readonly number[]): Part | undefined {
  let p = root;
  for (const [depth, n] of numbers.entries()) {
    // Numbering continues from a message/rfc822 part into its message.
    const holder = depth > 0 && p.message ? p.message : p;
    if (holder.parts.length > 0) {
      if (n > holder.parts.length) return undefined;
      p = holder.parts[n - 1];
    } else if (n === 1 && (depth === 0 || holder !== p)) {
      p = holder;
    } else {
      return undefined;
    }
  }
  return p;
}

/** Where a section lies; undefined if the message has no such part. */
export function sectionSpan(
  root: Part,
  section: Section,
  size: number,
): Span | undefined {
  if (section.part.length === 0) {
    const body = root.bodyOffset;
    if (section.text === "") return { from: 0, to: size };
    if (section.text === "TEXT") return { from: body, to: size };
    return { from: 0, to: body };
  }
  const p = findPart(root, section.part);
  if (!p) return undefined;
  switch (section.text) {
    case "":
      return { from: p.bodyOffset, to: p.endOffset };
    case "MIME":
      // If a message isn't multipart, its part 1 has the message's own header.
      return { from: p === root ? 0 : p.headerOffset, to: p.bodyOffset };
    default: {
      // HEADER and TEXT are of the message that a message/rfc822 part holds.
      const m = p.message;
      if (!m) return undefined;
      return section.text === "TEXT"
        ? { from: m.bodyOffset, to: m.endOffset }
        : { from: m.headerOffset, to: m.bodyOffset };
    }
  }
}

/** The bytes of a section that is small or computed: header fields, or decoded (BINARY). */
export function readSection(
  reader: MessageReader,
  span: Span,
  section: Section,
): Uint8Array {
  if (!section.text.startsWith("HEADER.FIELDS")) return reader.read(span.from, span.to);
  const header = reader.read(span.from, Math.min(span.to, span.from + maxHeaderBytes));
  const names = new Set(section.fields.map((f) => f.toLowerCase()));
  const chosen = chooseFields(header, names, section.text === "HEADER.FIELDS.NOT");
  const out = new Uint8Array(chosen.length + 2);
  out.set(chosen);
  out.set([13, 10], chosen.length);
  return out;
}

/** Encodings that can be decoded piece by piece; others need the whole. */
const streamed = new Set(["", "base64", "quoted-printable", "7bit", "8bit", "binary"]);

/** Bytes decoded in one go. */
const slice = 256 * 1024;

/**
 * A part's decoded body (RFC 3516), as consecutive pieces. Yields after each, so that others are served while a large
 * one is decoded.
 */
export function* binaryPieces(
  reader: MessageReader,
  root: Part,
  section: Section,
): Generator<void, Uint8Array[] | "missing" | "unknown"> {
  const p = section.part.length === 0 ? undefined : findPart(root, section.part);
  if (section.part.length > 0 && !p) return "missing";
  // RFC 3516 §4.3: for multipart and message/rfc822 the body is unchanged.
  const asItIs = !p || p.parts.length > 0 || p.message !== undefined;
  if (!asItIs && !streamed.has(p.encoding.toLowerCase())) {
    const whole = decodeTransferEncoding(reader.read(p.bodyOffset, p.endOffset), p.encoding);
    return whole === undefined ? "unknown" : [whole];
  }
  const stream = transferStream(asItIs ? "binary" : p.encoding);
  const to = p ? p.endOffset : reader.size;
  const pieces: Uint8Array[] = [];
  for (let at = p ? p.bodyOffset : 0; at < to; at += slice) {
    pieces.push(stream.push(reader.read(at, Math.min(to, at + slice))));
    yield;
  }
  pieces.push(stream.end());
  return pieces.filter((b) => b.length > 0);
}
