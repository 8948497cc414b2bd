/** Lines of the header of the part that is being read, and where it ends if no empty line says so. @module */
import { joined } from "../../platform/bytes.ts";
import { headerField, headerText, splitHeader } from "../header/header.ts";
import { headerLineKind } from "../header/lines.ts";
import { parseContentType, parseEncoding } from "../header/params.ts";
import { limits, type Part } from "./part.ts";

/** Lines within headers that are compared with the header's own boundary: for each one the header is read. */
const maxBoundariesInHeader = 4;

/** Where a body begins. */
export interface BodyStart {
  /** Bytes of the message before it. */
  offset: number;
  /** Lines of the message before it. */
  lines: number;
}

/** Takes the header of one part after the other; what is kept of all of them is within {@link limits}. */
export class HeaderLines {
  #lines: Uint8Array[] = [];
  #size = 0;
  /** Bytes kept of this header and of all before it. */
  #total = 0;
  /** The first line that is no field, with no field behind it that programs write; and how many lines are before it. */
  #text: BodyStart & { kept: number } | undefined;
  #boundaries = 0;

  /** The header of another part begins. */
  begin(): void {
    this.#lines = [];
    this.#size = 0;
    this.#text = undefined;
  }

  /** Takes a line, `buf[from, to)`, that starts at the place given. It is copied. */
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

  /** Whether a line of a header is the boundary that the header itself names: its empty line was forgotten. */
  isOwnBoundary(buf: Uint8Array, from: number, to: number): boolean {
    if (++this.#boundaries > maxBoundariesInHeader) return false;
    const type = parseContentType(headerField(splitHeader(joined(this.#lines)), "content-type"));
    if (type?.type !== "multipart" || !type.params.boundary) return false;
    const line = new TextDecoder("latin1").decode(buf.subarray(from, to)).trimEnd();
    return line === `--${type.params.boundary.trimEnd()}`;
  }

  /**
   * The header is over: its bytes, and where the body begins if that is before what was taken last.
   * @param type what the part is if its header doesn't say
   * @param closing no empty line ended it
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
   * Whether a text that the header ends with is the body's, though an empty line follows: not where behind that line is
   * what such a text would spoil, a message or base64.
   */
  #isBody(kept: number, type: Part["type"]): boolean {
    const fields = splitHeader(joined(this.#lines.slice(0, kept)));
    const declared = parseContentType(headerField(fields, "content-type"));
    return (declared?.type ?? type) !== "message" &&
      parseEncoding(headerText(fields, "content-transfer-encoding")) !== "base64";
  }
}
