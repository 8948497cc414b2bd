/**
 * Finding the end of a message while repairing line ends: a server for developers (localserve) accepts what
 * real servers refuse. A bare CR or LF becomes CRLF, and a line with a single dot ends the message, whatever
 * its line end.
 *
 * Never for mail from strangers: disagreement about line ends lets mail be smuggled.
 *
 * @module
 */
import type { LineReader } from "./data_reader.ts";

const lf = 0x0a;
const cr = 0x0d;
const dot = 0x2e;

type Place = "lineStart" | "inLine" | "afterCr" | "afterDot" | "afterDotCr";

/** Takes chunks and passes on the message with CRLF, without dot-stuffing. */
export class LineRepairer implements LineReader {
  readonly #put: (bytes: Uint8Array) => void;
  readonly #dots: boolean;
  #place: Place = "lineStart";
  #repaired = false;
  #length = 0;
  #longest = 0;

  /** Without `dots` (BDAT) nothing ends the message and nothing is unstuffed. */
  constructor(put: (bytes: Uint8Array) => void, dots = true) {
    this.#put = put;
    this.#dots = dots;
  }

  /** Nothing is refused for its line ends. */
  readonly bareLineEnd = undefined;

  /** Some line end was not CRLF. */
  get repaired(): boolean {
    return this.#repaired;
  }

  get longestLine(): number {
    return Math.max(this.#longest, this.#length);
  }

  push(bytes: Uint8Array): number {
    // Each byte becomes at most two, and a CR and a dot may be left from the previous chunk.
    const out = new Uint8Array(2 * bytes.length + 4);
    let n = 0;
    const lineEnd = (repaired: boolean) => {
      out[n++] = cr;
      out[n++] = lf;
      this.#repaired ||= repaired;
      if (this.#length > this.#longest) this.#longest = this.#length;
      this.#length = 0;
      this.#place = "lineStart";
    };
    const plain = (c: number) => {
      if (c === cr) this.#place = "afterCr";
      else if (c === lf) lineEnd(true);
      else {
        out[n++] = c;
        this.#length++;
        this.#place = "inLine";
      }
    };
    let end = -1;
    for (let i = 0; i < bytes.length && end < 0; i++) {
      const c = bytes[i];
      switch (this.#place) {
        case "lineStart":
          if (c === dot && this.#dots) this.#place = "afterDot";
          else plain(c);
          break;
        case "afterCr":
          lineEnd(c !== lf);
          // The byte after a lone CR begins a line, even the dot of an end.
          if (c !== lf) i--;
          break;
        case "afterDot":
          if (c === lf) {
            this.#repaired = true;
            end = i + 1;
          } else if (c === cr) this.#place = "afterDotCr";
          else plain(c);
          break;
        case "afterDotCr":
          if (c === lf) end = i + 1;
          else {
            lineEnd(true);
            i--;
          }
          break;
        default:
          plain(c);
      }
    }
    if (n > 0) this.#put(out.subarray(0, n));
    return end;
  }
}
