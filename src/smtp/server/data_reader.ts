/**
 * Finding the end of a message after DATA (RFC 5321 §4.5.2), byte by byte, across any chunks.
 *
 * Only CRLF "." CRLF ends a message. A CR or LF on its own never does, nor does it begin a line; it is noted,
 * and the message is refused: disagreement between servers about such line ends lets mail be smuggled past
 * checks.
 *
 * @module
 */

const lf = 0x0a;
const cr = 0x0d;
const dot = 0x2e;

/** Position of the next byte. */
type Place = "lineStart" | "inLine" | "afterCr" | "afterDot" | "afterDotCr" | "end";

/** Finds the end of a message and checks its line ends. */
export interface LineReader {
  /** The first bare CR or LF, where that is refused. */
  readonly bareLineEnd: "cr" | "lf" | undefined;
  /** Bytes in the longest line, without its end. */
  readonly longestLine: number;
  /** Line ends were converted to CRLF. */
  readonly repaired: boolean;
  /**
   * Takes a chunk; returns how many of its bytes belong to the message, up to and including its end, or -1 if
   * all do.
   */
  push(bytes: Uint8Array): number;
}

/** Takes chunks and passes on the message without dot-stuffing. */
export class DataReader implements LineReader {
  readonly repaired = false;
  readonly #put: (bytes: Uint8Array) => void;
  readonly #dots: boolean;
  #place: Place = "lineStart";
  #bare: "cr" | "lf" | undefined;
  #lineLength = 0;
  #longestLine = 0;

  /** Without `dots` (BDAT) nothing ends the message and nothing is unstuffed: only line ends are checked. */
  constructor(put: (bytes: Uint8Array) => void, dots = true) {
    this.#put = put;
    this.#dots = dots;
  }

  /** The first bare CR or LF; the output must not be used then. */
  get bareLineEnd(): "cr" | "lf" | undefined {
    if (this.#bare === undefined && !this.#dots && this.#place === "afterCr") return "cr";
    return this.#bare;
  }

  /** Bytes in the longest line, without its end. */
  get longestLine(): number {
    return Math.max(this.#longestLine, this.#lineLength);
  }

  /**
   * Takes a chunk; returns how many of its bytes belong to the message, up to and including its end, or -1 if
   * all do.
   */
  push(bytes: Uint8Array): number {
    const n = bytes.length;
    let place = this.#place;
    let i = 0;
    // Bytes from here on have not been passed on yet.
    let start = 0;
    let lineFrom = -this.#lineLength;
    while (i < n) {
      if (place === "lineStart") {
        lineFrom = i;
        if (bytes[i] === dot && this.#dots) {
          if (i > start) this.#put(bytes.subarray(start, i));
          // RFC 5321 §4.5.3.1.6: the added dot doesn't count in the line's length.
          start = lineFrom = ++i;
          place = "afterDot";
          continue;
        }
        place = "inLine";
      }
      if (place === "inLine") {
        // Nearly all bytes are handled here.
        while (i < n && bytes[i] > cr) i++;
        if (i === n) break;
        const c = bytes[i++];
        if (c === cr) place = "afterCr";
        else if (c === lf) this.#bare ??= "lf";
      } else if (place === "afterCr") {
        if (bytes[i] === lf) {
          const length = i - 1 - lineFrom;
          if (length > this.#longestLine) this.#longestLine = length;
          i++;
          lineFrom = i;
          place = "lineStart";
        } else {
          this.#bare ??= "cr";
          place = "inLine";
        }
      } else if (place === "afterDot") {
        if (bytes[i] === cr) {
          i++;
          place = "afterDotCr";
        } else {
          place = "inLine";
        }
      } else if (bytes[i] === lf) {
        this.#place = "end";
        this.#lineLength = 0;
        return i + 1;
      } else {
        this.#bare ??= "cr";
        place = "inLine";
      }
    }
    if (place !== "afterDotCr" && n > start) this.#put(bytes.subarray(start, n));
    this.#lineLength = n - lineFrom;
    this.#place = place;
    return -1;
  }
}
