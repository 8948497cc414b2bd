/** Lines of a mailbox file read in pieces. @module */

/** Bytes of a line held in memory; the rest of a longer one is passed on as it arrives. */
const maxHeld = 64 * 1024;

export type MboxFormat = "mboxrd" | "mboxo";

const from = new TextEncoder().encode("From ");
const gt = 62;

/**
 * Called for each line, or piece of a long line, without its end.
 * @param first it starts a line
 * @param last the line's end follows
 * @param end bytes of that end: 2 for CRLF, 1 for LF, 0 if none follows
 */
type OnLine = (piece: Uint8Array, first: boolean, last: boolean, end: number) => void;

/** Splits a stream into lines that end in CRLF or LF; long ones into pieces. */
export class Lines {
  readonly #held = new Uint8Array(maxHeld);
  #length = 0;
  #first = true;
  readonly #onLine: OnLine;

  constructor(onLine: OnLine) {
    this.#onLine = onLine;
  }

  write(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length;) {
      const end = chunk.indexOf(10, at);
      const stop = end < 0 ? chunk.length : end;
      if (this.#length === 0 && end >= 0 && stop - at <= maxHeld) {
        this.#line(chunk.subarray(at, stop));
      } else {
        this.#hold(chunk.subarray(at, stop));
        if (end >= 0) {
          const line = this.#held.slice(0, this.#length);
          this.#length = 0;
          this.#line(line);
        }
      }
      at = stop + 1;
    }
  }

  #hold(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      if (this.#length === maxHeld) {
        // A CR waits for the next byte: it may belong to the line's end.
        const cr = this.#held[maxHeld - 1] === 13 ? 1 : 0;
        this.#onLine(this.#held.slice(0, maxHeld - cr), this.#first, false, 0);
        this.#first = false;
        this.#held[0] = 13;
        this.#length = cr;
      }
      const n = Math.min(bytes.length - at, maxHeld - this.#length);
      this.#held.set(bytes.subarray(at, at + n), this.#length);
      this.#length += n;
      at += n;
    }
  }

  #line(line: Uint8Array): void {
    const cr = line[line.length - 1] === 13 ? 1 : 0;
    this.#onLine(line.subarray(0, line.length - cr), this.#first, true, cr + 1);
    this.#first = true;
  }

  /** A last line without an end. */
  finish(): void {
    if (this.#length > 0 || !this.#first) {
      this.#onLine(this.#held.slice(0, this.#length), this.#first, false, 0);
    }
    this.#length = 0;
    this.#first = true;
  }
}

/** True if "From " is at this position. */
export function startsWith(line: Uint8Array, at: number): boolean {
  for (let i = 0; i < from.length; i++) if (line[at + i] !== from[i]) return false;
  return true;
}

/** Number of ">" at the start of a line at this offset, if "From " follows them; otherwise undefined. */
export function quotes(bytes: Uint8Array, at = 0): number | undefined {
  let end = at;
  while (bytes[end] === gt && end - at < maxQuotes) end++;
  return startsWith(bytes, end) ? end - at : undefined;
}

/** More than are ever written: a line of only ">" must not be scanned once for each of them. */
const maxQuotes = 1000;
