/** The body of an answer with several lines (RFC 1939 §3): dots at the start of lines doubled, and its end. @module */

const lf = 0x0a;
const cr = 0x0d;
const dot = 0x2e;

/** Takes a message's bytes in pieces. Stops after the header and the given number of body lines (TOP). */
export class DotStuffer {
  #lineStart = true;
  /** Within the body. */
  #body = false;
  #left: number;
  /** The last two bytes. */
  #last = 0;
  #before = 0;
  /** Only a CR of the line has been seen so far: it may be the empty one after the header. */
  #blank = true;
  /** Enough has been sent. */
  done = false;

  constructor(bodyLines: number) {
    this.#left = bodyLines;
  }

  push(bytes: Uint8Array): Uint8Array {
    const out = new Uint8Array(2 * bytes.length);
    let n = 0;
    for (let i = 0; i < bytes.length && !this.done; i++) {
      const c = bytes[i];
      if (this.#lineStart && c === dot) out[n++] = dot;
      this.#lineStart = false;
      out[n++] = c;
      this.#before = this.#last;
      this.#last = c;
      if (c === lf) {
        if (this.#body) this.#left--;
        else if (this.#blank) this.#body = true;
        if (this.#body && this.#left <= 0) this.done = true;
        this.#lineStart = this.#blank = true;
      } else if (c !== cr) {
        this.#blank = false;
      }
    }
    return out.subarray(0, n);
  }

  /** The end, on a line by itself however the message ended. */
  end(): string {
    const ended = this.#last === 0 || (this.#before === cr && this.#last === lf);
    return ended ? ".\r\n" : "\r\n.\r\n";
  }
}
