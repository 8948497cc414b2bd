/**
 * A text as a message part, made in pieces: a large one is never encoded as a whole, and others are served
 * meanwhile. The result equals composePart's for the whole.
 *
 * @module
 */
import { giveWay } from "../platform/turns.ts";
import {
  encodingFor,
  foldField,
  isAscii,
  measureContent,
  type Measured,
  parameters,
} from "./compose.ts";

/** UTF-16 units of a piece; it extends to the end of its last line. */
const pieceLength = 64 * 1024;

const encoder = new TextEncoder();

/** A text in UTF-8 with CRLF at the end of its lines. Each piece but the last ends with a line. */
export function* textPieces(text: string): Generator<Uint8Array<ArrayBuffer>> {
  for (let at = 0; at < text.length;) {
    let end = at + pieceLength;
    if (end < text.length) {
      const last = text.lastIndexOf("\n", end - 1);
      end = last >= at ? last + 1 : text.indexOf("\n", end) + 1 || text.length;
    }
    yield encoder.encode(text.slice(at, end).toWellFormed().replace(/\r\n|\r|\n/g, "\r\n"));
    at = end;
  }
}

/** A part whose content is made while writing it. */
export interface TextPart {
  /** Content-Type and Content-Transfer-Encoding, each with CRLF at its end. */
  fields: string[];
  /** The encoding that the pieces still need; "as is" for none. */
  encoding: "as is" | "quoted-printable" | "base64";
  pieces: () => Generator<Uint8Array>;
}

/** A text of a type such as "text/html", in UTF-8; "text/plain" is declared as ASCII if possible. */
export async function textPart(type: string, text: string): Promise<TextPart> {
  const all: Measured = { length: 0, special: 0, nul: false, bare: false, longest: 0 };
  for (const piece of textPieces(text)) {
    const m = measureContent(piece);
    all.length += m.length;
    all.special += m.special;
    all.nul ||= m.nul;
    all.bare ||= m.bare;
    all.longest = Math.max(all.longest, m.longest);
    await giveWay();
  }
  const encoding = encodingFor(all);
  const charset = type === "text/plain" && isAscii(text) ? "us-ascii" : "utf-8";
  return {
    fields: [
      foldField("Content-Type", type + parameters({ charset })),
      foldField("Content-Transfer-Encoding", encoding),
    ],
    encoding: encoding === "7bit" ? "as is" : encoding,
    pieces: () => textPieces(text),
  };
}
