/** Header lines of the part being read, and where the header ends if there is no empty line. @module */
import { joined } from "../../platform/bytes.ts";
import { headerField, headerText, splitHeader } from "../header/header.ts";
import { headerLineKind } from "../header/lines.ts";
import { parseContentType, parseEncoding } from "../header/params.ts";
import { limits, type Part } from "./part.ts";

/**
 * Most lines within headers that are compared with the header's own boundary: each comparison parses the
 * header.
 */
const maxBoundariesInHeader = 4;

/** Start of a body. */
export interface BodyStart {
  /** Bytes of the message before it. */
  offset: number;
  /** Lines of the message before it. */
  lines: number;
}

/** Collects the headers of parts, one after the other; their total is within {@link limits}. */
export class HeaderLines {
  #lines: Uint8Array[] = [];
  #size = 0;
  /** Bytes kept of this header and all earlier ones. */
  #total = 0;
  /**
   * The first line that is not a field and not followed by a known field; and how many lines were kept before
   * it.
   */
  #text: BodyStart & { kept: number } | undefined;
  #boundaries = 0;

  /** Begins the header of another part. */
  begin(): void {
    this.#lines = [];
    this.#size = 0;
    this.#text = undefined;
  }

  /** Takes a line, `buf[from, to)`, that starts at the given position. It is copied. */
  add(buf: Uint8Array, from: number, to: number, at: BodyStart): void {
    const kind = headerLineKind(buf, from, to);
    if (kind === "known") this.#text = undefined;
    else if (kind === "other") this.#text ??= { ...at, kept: this.#lines.length };
    const room = Math.min(limits.header - this.#size, limits.headers - this.#total);
    if (room <= 0) return;
    const line = buf.slice(from, Math.min(to, from + room));
    this.#lines.push(line);
    this.#size += line.length;
    this.#total += line.length;
  }

  /** Whether a line of a header is the boundary that the header itself names: the empty line is missing. */
  isOwnBoundary(buf: Uint8Array, from: number, to: number): boolean {
    if (++this.#boundaries > maxBoundariesInHeader) return false;
    const type = parseContentType(headerField(splitHeader(joined(this.#lines)), "content-type"));
    if (type?.type !== "multipart" || !type.params.boundary) return false;
    const line = new TextDecoder("latin1").decode(buf.subarray(from, to)).trimEnd();
    return line === `--${type.params.boundary.trimEnd()}`;
  }

  /**
   * Ends the header: returns its bytes, and the start of the body if that is before the last line taken.
   * @param type the part's default type
   * @param closing no empty line ended the header
   */
  end(type: string, closing: boolean): { bytes: Uint8Array; body: BodyStart | undefined } {
    const text = this.#text;
    const body = text && (closing || this.#isBody(text.kept, type)) ? text : undefined;
    if (body) this.#lines.length = body.kept;
    const bytes = this.#lines.length === 1 ? this.#lines[0] : joined(this.#lines);
    this.#lines = [];
    this.#size = 0;
    return { bytes, body };
  }

  /**
   * Whether text at the end of the header belongs to the body although an empty line follows: not if the rest
   * is something that the text would spoil, a message or base64.
   */
  #isBody(kept: number, type: Part["type"]): boolean {
    const fields = splitHeader(joined(this.#lines.slice(0, kept)));
    const declared = parseContentType(headerField(fields, "content-type"));
    return (declared?.type ?? type) !== "message" &&
      parseEncoding(headerText(fields, "content-transfer-encoding")) !== "base64";
  }
}
