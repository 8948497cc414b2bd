/**
 * A submitted message in a form that may be sent: without private fields, in lines that SMTP can carry, with
 * ASCII header fields if its client didn't request SMTPUTF8 (RFC 5321 §4.5.3.1.6, RFC 6409 §8, RFC 2047).
 *
 * Otherwise servers on the way would make these changes and break our signatures; so they are made before
 * signing. Parts signed by their author (RFC 1847) stay unchanged.
 *
 * @module
 */
import { splitHeader } from "../header/header.ts";
import { maxLine, type ParsedMessage, type Part } from "../structure/structure.ts";
import { encodeBase64, encodeQuotedPrintable } from "../transfer/encode.ts";
import { outgoingHeader } from "./header.ts";
import { transferStream } from "../transfer/stream.ts";
import { joined } from "../../platform/bytes.ts";

/** How a message must be sent. */
export interface OutgoingOptions {
  /** Header fields may contain UTF-8. */
  utf8: boolean;
  /** The message is sent in binary (RFC 3030): only its header is changed. */
  binary?: boolean;
  /** Further fields of the message's own header to leave out, besides those that always are. */
  drop?: (name: string, value: string) => boolean;
}

/** Bytes read at a time. */
const pieceBytes = 192 * 1024;
/** Bytes that make a line of base64; a multiple of it is encoded at a time. */
const base64Line = 57;

const encoder = new TextEncoder();

/**
 * The message in pieces, in a form that may be sent; undefined if it may be sent unchanged.
 * @param read returns bytes of the message; the header of any part is read in one go
 */
export function outgoingMessage(
  message: ParsedMessage,
  read: (from: number, to: number) => Uint8Array,
  options: OutgoingOptions,
): Generator<Uint8Array> | undefined {
  const header = read(message.root.headerOffset, message.root.bodyOffset);
  const ownHeader = outgoingHeader(header, { ...options, isMessage: true });
  const same = !ownHeader && (options.binary || !message.longLines) &&
    (options.utf8 || !message.utf8Headers) &&
    (message.root.bodyOffset === message.size || endsWithEmptyLine(header));
  if (same) return undefined;
  return new Rewriter(read, options).entity(message.root, true, message.size);
}

class Rewriter {
  readonly #read: (from: number, to: number) => Uint8Array;
  readonly #o: OutgoingOptions;

  constructor(read: (from: number, to: number) => Uint8Array, options: OutgoingOptions) {
    this.#read = read;
    this.#o = options;
  }

  /** A part, or the message, up to `end`. */
  *entity(part: Part, isRoot: boolean, end: number): Generator<Uint8Array> {
    const header = this.#read(part.headerOffset, part.bodyOffset);
    const encoding = this.#encodingFor(part);
    yield outgoingHeader(header, {
      utf8: this.#o.utf8,
      drop: isRoot ? this.#o.drop : undefined,
      isMessage: isRoot,
      encoding,
      charset: encoding === undefined ? undefined : () => this.#charset(part),
    }) ?? header;
    // Servers on the way would also add a missing one.
    if (part.bodyOffset < end && !endsWithEmptyLine(header)) yield lineEnd;
    if (encoding !== undefined) {
      yield* this.#encoded(part, encoding);
      if (part.endOffset < end) yield* this.#plain(part.endOffset, end);
    } else if (part.parts.length > 0 && part.subtype !== "signed") {
      let at = part.bodyOffset;
      for (const c of part.parts) {
        yield* this.#between(at, c.headerOffset);
        yield* this.entity(c, false, c.endOffset);
        at = c.endOffset;
      }
      yield* this.#between(at, end);
    } else if (part.message) {
      yield* this.entity(part.message, false, part.message.endOffset);
      yield* this.#plain(part.message.endOffset, end);
    } else {
      yield* this.#plain(part.bodyOffset, end);
    }
  }

  /** The transfer encoding that a part needs in place of its own; undefined if it can stay unchanged. */
  #encodingFor(part: Part): "quoted-printable" | "base64" | undefined {
    if (
      this.#o.binary || !part.longLine || part.parts.length > 0 || part.message ||
      !hasLongBody(part, this.#read)
    ) {
      return undefined;
    }
    // RFC 2046 §5.2: other kinds of messages may not be encoded.
    if (part.type === "message" || isMultipart(this.#read(part.headerOffset, part.bodyOffset))) {
      return undefined;
    }
    const known = ["7bit", "8bit", "binary", "base64", "quoted-printable"].includes(part.encoding);
    if (!known) return undefined;
    return part.type === "text" && part.encoding !== "base64" ? "quoted-printable" : "base64";
  }

  /** The charset of a text whose header names none. */
  #charset(part: Part): string {
    let ascii = true;
    const decoder = new TextDecoder("utf-8", { fatal: true });
    try {
      for (const piece of this.#plain(part.bodyOffset, part.endOffset)) {
        ascii &&= !piece.some((b) => b >= 128);
        decoder.decode(piece, { stream: true });
      }
      decoder.decode();
    } catch {
      return "unknown-8bit";
    }
    return ascii ? "us-ascii" : "utf-8";
  }

  *#encoded(part: Part, encoding: "quoted-printable" | "base64"): Generator<Uint8Array> {
    const decoder = transferStream(part.encoding);
    let rest: Uint8Array = new Uint8Array(0);
    for (let at = part.bodyOffset;; at += pieceBytes) {
      const last = at >= part.endOffset;
      const more = last
        ? decoder.end()
        : decoder.push(this.#read(at, Math.min(part.endOffset, at + pieceBytes)));
      const all = rest.length === 0 ? more : joined([rest, more]);
      const cut = last
        ? all.length
        : encoding === "base64"
        ? all.length - all.length % base64Line
        : textCut(all);
      rest = all.slice(cut);
      if (cut > 0) {
        const piece = all.subarray(0, cut);
        yield encoding === "base64" ? encodeBase64(piece) : encodeQuotedPrintable(piece);
      }
      if (last) return;
    }
  }

  *#plain(from: number, to: number): Generator<Uint8Array> {
    for (let at = from; at < to; at += pieceBytes) {
      yield this.#read(at, Math.min(to, at + pieceBytes));
    }
  }

  /** The bytes between parts: boundaries, and invisible texts whose long lines are broken. */
  *#between(from: number, to: number): Generator<Uint8Array> {
    let column = 0;
    for (const piece of this.#plain(from, to)) {
      const out: Uint8Array[] = [];
      let start = 0;
      for (let i = 0; i < piece.length; i++) {
        column = piece[i] === 10 ? 0 : column + 1;
        if (column < maxLine || piece[i] === 13 || piece[i + 1] === 13) continue;
        out.push(piece.subarray(start, i), lineEnd);
        start = i;
        column = 1;
      }
      out.push(piece.subarray(start));
      yield* out;
    }
  }
}

const lineEnd = encoder.encode("\r\n");

/** Whether a header is ended by an empty line, as RFC 5322 §2.1 requires if a body follows. */
function endsWithEmptyLine(header: Uint8Array): boolean {
  let at = header.length - 1;
  if (header[at--] !== 10) return false;
  while (header[at] === 13) at--;
  return at < 0 || header[at] === 10;
}

/** Where text can be cut: after a line, or anywhere but after a CR. */
function textCut(bytes: Uint8Array): number {
  const lf = bytes.lastIndexOf(10);
  if (lf >= 0) return lf + 1;
  return bytes.length < pieceBytes
    ? 0
    : bytes[bytes.length - 1] === 13
    ? bytes.length - 1
    : bytes.length;
}

function isMultipart(header: Uint8Array): boolean {
  return splitHeader(header).some((f) =>
    f.name === "content-type" && f.value.toLowerCase().startsWith("multipart")
  );
}

/** Whether the body has a long line: the flag of a part includes its header. */
function hasLongBody(part: Part, read: (from: number, to: number) => Uint8Array): boolean {
  let column = 0;
  for (let at = part.bodyOffset; at < part.endOffset; at += pieceBytes) {
    const piece = read(at, Math.min(part.endOffset, at + pieceBytes));
    let start = 0;
    for (let lf = piece.indexOf(10); lf >= 0; lf = piece.indexOf(10, start)) {
      if (column + lf - start > maxLine + 1) return true;
      column = 0;
      start = lf + 1;
    }
    column += piece.length - start;
    if (column > maxLine + 1) return true;
  }
  return column > maxLine;
}
