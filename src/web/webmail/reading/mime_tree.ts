/**
 * A message to be written as a tree of parts, whose big leaves are streamed: memory stays small whatever
 * is attached.
 *
 * @module
 */
import { type Entity, foldField, joinMessage, parameters } from "../../../mail/compose.ts";
import { encodeBase64, encodeQuotedPrintable } from "../../../mail/transfer/encode.ts";

/** A part: in memory, made of pieces, or of other parts. */
export type MimeNode =
  | { entity: Entity }
  | {
    fields: string[];
    encoding: "base64" | "quoted-printable" | "as is";
    /** Where they are quoted-printable, each but the last ends with a line. */
    pieces: () => Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
  }
  | { multipart: "mixed" | "alternative" | "related"; parts: MimeNode[] };

const encoder = new TextEncoder();
/** Bytes that are encoded at a time: a whole number of lines of 57. */
const group = 57 * 1024;

/** The part with its fields and the empty line after them; `before` are fields in front of its own. */
export async function* mimePieces(
  node: MimeNode,
  before: readonly string[] = [],
): AsyncGenerator<Uint8Array> {
  if ("entity" in node) {
    yield joinMessage([...before, ...node.entity.fields], node.entity.body);
    return;
  }
  if ("multipart" in node) {
    const boundary = `=_${crypto.randomUUID()}`;
    const type = foldField(
      "Content-Type",
      `multipart/${node.multipart}${parameters({ boundary })}`,
    );
    yield encoder.encode(`${[...before, type].join("")}\r\n`);
    for (const part of node.parts) {
      yield encoder.encode(`--${boundary}\r\n`);
      yield* mimePieces(part);
      yield encoder.encode("\r\n");
    }
    yield encoder.encode(`--${boundary}--\r\n`);
    return;
  }
  yield encoder.encode(`${[...before, ...node.fields].join("")}\r\n`);
  if (node.encoding === "as is") yield* node.pieces();
  else if (node.encoding === "base64") yield* base64Pieces(node.pieces());
  else for await (const piece of node.pieces()) yield encodeQuotedPrintable(piece);
}

async function* base64Pieces(
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const buffer = new Uint8Array(group);
  let n = 0;
  for await (const piece of pieces) {
    for (let at = 0; at < piece.length;) {
      const part = piece.subarray(at, at + group - n);
      buffer.set(part, n);
      n += part.length;
      at += part.length;
      if (n === group) {
        yield encodeBase64(buffer);
        n = 0;
      }
    }
  }
  if (n > 0) yield encodeBase64(buffer.subarray(0, n));
}
