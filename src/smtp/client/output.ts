/**
 * Messages as sent after DATA: lines end in CRLF, dots are doubled (RFC 5321 §4.5.2), and nothing in a message
 * can look like its end to any server: bare CR and LF become CRLF, as some servers take "\n.\n" for the end
 * (SMTP smuggling).
 *
 * @module
 */

const cr = 13;
const lf = 10;
const dot = 46;

/** Converts the bytes of one message, piece by piece, for sending. */
export class DataEncoder {
  #lineStart = true;
  #afterCr = false;

  /** The next bytes. */
  encode(bytes: Uint8Array): Uint8Array {
    // Bytes that need no change are sent unchanged.
    if (this.#plain(bytes)) return bytes;
    const out = new Uint8Array(bytes.length * 2 + 2);
    let n = 0;
    for (const b of bytes) {
      if (this.#afterCr) {
        this.#afterCr = false;
        out[n++] = cr;
        out[n++] = lf;
        this.#lineStart = true;
        if (b === lf) continue;
      }
      if (b === cr) {
        this.#afterCr = true;
      } else if (b === lf) {
        out[n++] = cr;
        out[n++] = lf;
        this.#lineStart = true;
      } else {
        if (b === dot && this.#lineStart) out[n++] = dot;
        out[n++] = b;
        this.#lineStart = false;
      }
    }
    return out.subarray(0, n);
  }

  /** True if the bytes have good line ends and no line that starts with a dot. */
  #plain(bytes: Uint8Array): boolean {
    if (bytes.length === 0) return true;
    if (this.#afterCr || (this.#lineStart && bytes[0] === dot)) return false;
    const last = bytes.length - 1;
    if (bytes[last] === cr || bytes[0] === lf) return false;
    for (let at = bytes.indexOf(cr); at >= 0; at = bytes.indexOf(cr, at + 1)) {
      if (bytes[at + 1] !== lf) return false;
    }
    for (let at = bytes.indexOf(lf); at >= 0; at = bytes.indexOf(lf, at + 1)) {
      if (bytes[at - 1] !== cr || bytes[at + 1] === dot) return false;
    }
    this.#lineStart = bytes[last] === lf;
    return true;
  }

  /** The end of the message, including the line with the dot. */
  end(): string {
    const open = this.#afterCr || !this.#lineStart;
    this.#afterCr = false;
    this.#lineStart = true;
    return open ? "\r\n.\r\n" : ".\r\n";
  }
}
