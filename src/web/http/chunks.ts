/**
 * The framing of a chunked body (RFC 9112 §7.1): finds its end, and limits everything besides its
 * content.
 *
 * @module
 */

/** Bytes of a chunk's size line, including extensions. */
const maxSizeLine = 256;
/** Bytes of all extensions of a body together, and of its trailer. */
const maxExtensions = 16 * 1024;

const cr = 0x0d;
const lf = 0x0a;
const semicolon = 0x3b;

/** Follows one body through pieces of any size. Total. */
export class ChunkFraming {
  /** The last byte of the body was consumed. */
  ended = false;
  /** It isn't a valid chunked body, or has too much besides its content. */
  wrong = false;
  #place: "size" | "extension" | "sizeLf" | "data" | "dataCr" | "dataLf" | "trailer" = "size";
  #size = 0;
  #line = 0;
  #besides = 0;
  #lastCr = false;

  /** Consumes bytes; returns how many of them belong to the body. */
  take(bytes: Uint8Array): number {
    let i = 0;
    while (i < bytes.length && !this.ended && !this.wrong) {
      if (this.#place === "data") {
        const n = Math.min(this.#size, bytes.length - i);
        i += n;
        this.#size -= n;
        if (this.#size === 0) this.#place = "dataCr";
        continue;
      }
      this.#byte(bytes[i++]);
    }
    return i;
  }

  #byte(c: number): void {
    switch (this.#place) {
      case "size": {
        const digit = hexDigit(c);
        if (digit >= 0) {
          this.#size = this.#size * 16 + digit;
          // Larger than any allowed request; the server's own limit is lower.
          if (++this.#line > 12) this.wrong = true;
        } else if (this.#line === 0) this.wrong = true;
        else if (c === cr) this.#place = "sizeLf";
        else if (c === semicolon || c === 0x20 || c === 0x09) this.#place = "extension";
        else this.wrong = true;
        return;
      }
      case "extension":
        if (c === cr) this.#place = "sizeLf";
        else if (c === lf || ++this.#line > maxSizeLine || ++this.#besides > maxExtensions) {
          this.wrong = true;
        }
        return;
      case "sizeLf":
        if (c !== lf) this.wrong = true;
        this.#line = 0;
        this.#place = this.#size === 0 ? "trailer" : "data";
        return;
      case "dataCr":
        if (c !== cr) this.wrong = true;
        this.#place = "dataLf";
        return;
      case "dataLf":
        if (c !== lf) this.wrong = true;
        this.#line = 0;
        this.#size = 0;
        this.#place = "size";
        return;
      case "trailer":
        if (c === lf && this.#lastCr) {
          if (this.#line === 0) this.ended = true;
          this.#line = 0;
          this.#lastCr = false;
        } else if (this.#lastCr || ++this.#besides > maxExtensions) {
          this.wrong = true;
        } else if (c === cr) this.#lastCr = true;
        else this.#line++;
    }
  }
}

function hexDigit(c: number): number {
  if (c >= 0x30 && c <= 0x39) return c - 0x30;
  const letter = c | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
