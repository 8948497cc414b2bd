/**
 * Received but unread bytes, in one piece of memory so that lines can be found and returned as views.
 *
 * A chunk that arrives while nothing is pending is used directly; others are appended. Returned memory is never
 * written again, so views stay valid indefinitely.
 *
 * @module
 */

const empty = new Uint8Array(0);
const lf = 0x0a;
const cr = 0x0d;

/** A reader's pending bytes. */
export class Input {
  /** From the start of the memory to the end of the received bytes. */
  #data: Uint8Array = empty;
  #pos = 0;
  /** Memory after the end of #data may be used for appending. */
  #owned = false;
  /** Bytes from #pos on that have already been searched for a line end. */
  #scanned = 0;

  /** Number of unread bytes. */
  get size(): number {
    return this.#data.length - this.#pos;
  }

  /** Bytes of memory held. */
  get memory(): number {
    return this.#data.length === 0 ? 0 : this.#data.buffer.byteLength;
  }

  /** Takes over a chunk; the caller must no longer write to it. */
  push(chunk: Uint8Array): void {
    const pending = this.#data.length - this.#pos;
    if (pending === 0) {
      // A plain Uint8Array even if the socket returns a Buffer, whose slice() doesn't copy. A few bytes in a
      // large buffer would keep all of it in memory.
      this.#data = chunk.length * 4 < chunk.buffer.byteLength
        ? Uint8Array.from(chunk)
        : new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length);
      this.#pos = 0;
      this.#scanned = 0;
      this.#owned = false;
      return;
    }
    const end = this.#data.byteOffset + this.#data.length;
    if (this.#owned && this.#data.buffer.byteLength - end >= chunk.length) {
      const grown = new Uint8Array(
        this.#data.buffer,
        this.#data.byteOffset,
        this.#data.length + chunk.length,
      );
      grown.set(chunk, this.#data.length);
      this.#data = grown;
      return;
    }
    const memory = new Uint8Array(Math.max(4096, 2 * (pending + chunk.length)));
    memory.set(this.#data.subarray(this.#pos), 0);
    memory.set(chunk, pending);
    this.#data = memory.subarray(0, pending + chunk.length);
    this.#pos = 0;
    this.#owned = true;
  }

  /** Puts bytes in front of the rest. */
  unread(bytes: Uint8Array): void {
    if (bytes.length === 0) return;
    const joined = new Uint8Array(bytes.length + this.size);
    joined.set(bytes, 0);
    joined.set(this.#data.subarray(this.#pos), bytes.length);
    this.#data = joined;
    this.#pos = 0;
    this.#scanned = 0;
    this.#owned = false;
  }

  /** A copy of at most `maxBytes` first bytes; they stay in the input. */
  peek(maxBytes: number): Uint8Array {
    return this.#data.slice(this.#pos, this.#pos + maxBytes);
  }

  /** Length of the next line with its end, 0 if its end has not arrived. Each byte is searched once. */
  lineLength(): number {
    const i = this.#data.indexOf(lf, this.#pos + this.#scanned);
    if (i >= 0) return i + 1 - this.#pos;
    this.#scanned = this.size;
    return 0;
  }

  /** True if the line of that length ends in CRLF. */
  endsInCrLf(length: number): boolean {
    return length >= 2 && this.#data[this.#pos + length - 2] === cr;
  }

  /** Up to that many bytes, as a view. */
  take(maxBytes: number): Uint8Array {
    const from = this.#pos;
    const to = Math.min(this.#data.length, from + maxBytes);
    const view = this.#data.subarray(from, to);
    this.#pos = to;
    this.#scanned = 0;
    // Releases the memory; otherwise thousands of idle connections would each hold a chunk.
    if (to === this.#data.length) this.clear();
    return view;
  }

  /** Drops pending bytes. */
  clear(): void {
    this.#data = empty;
    this.#pos = 0;
    this.#scanned = 0;
    this.#owned = false;
  }
}
