/**
 * Raw deflate in both directions between a connection and its socket (RFC 4978).
 *
 * @module
 */
import { constants, createDeflateRaw, createInflateRaw } from "node:zlib";

/** The two sides of the compression. */
export interface CompressionEnds {
  /** Sends compressed bytes; `sent` is called when the socket has accepted them. */
  send(bytes: Uint8Array, sent: (err?: Error | null) => void): void;
  /** Receives decompressed bytes. */
  arrived(bytes: Uint8Array): void;
  /** The compressed input has ended. */
  ended(): void;
  failed(err: Error): void;
  /** Compressed input is accepted again after {@link Compression.push} returned false. */
  ready(): void;
}

/** Deflate and inflate streams of one connection. */
export class Compression {
  readonly #deflate = createDeflateRaw({ level: 5, memLevel: 8 });
  readonly #inflate = createInflateRaw();
  #unflushed = false;
  #destroyed = false;
  #sending = 0;
  #sent: (() => void) | undefined;

  constructor(ends: CompressionEnds) {
    const fail = (err: Error) => {
      if (!this.#destroyed) ends.failed(err);
    };
    this.#deflate.on("error", fail);
    this.#inflate.on("error", fail);
    this.#deflate.on("data", (bytes: Uint8Array) => {
      this.#sending++;
      ends.send(bytes, (e) => {
        this.#sending--;
        if (e) fail(e);
        this.#deflate.resume();
        this.#sent?.();
      });
      // One piece at a time is with the socket and the others wait here, so that memory stays bounded.
      this.#deflate.pause();
    });
    this.#inflate.on("data", (bytes: Uint8Array) => ends.arrived(bytes));
    this.#inflate.on("end", () => ends.ended());
    this.#inflate.on("drain", () => ends.ready());
  }

  /** Accepts compressed input; false means: wait for `ready`. */
  push(bytes: Uint8Array): boolean {
    if (this.#destroyed) return true;
    return this.#inflate.write(bytes);
  }

  /** Ends compressed input. */
  end(): void {
    if (!this.#destroyed) this.#inflate.end();
  }

  /** Holds back decompressed bytes. */
  pause(): void {
    this.#inflate.pause();
  }

  resume(): void {
    this.#inflate.resume();
  }

  /** Accepts plain output; `taken` is called when it has been compressed. */
  write(bytes: Uint8Array, taken: (err?: Error | null) => void): void {
    this.#unflushed = true;
    this.#deflate.write(bytes, taken);
  }

  /** Ends a block, so that the peer can read everything written so far. */
  flush(): void {
    if (!this.#unflushed || this.#destroyed) return;
    this.#unflushed = false;
    this.#deflate.flush(constants.Z_SYNC_FLUSH);
  }

  /** Resolves when all output has been compressed and sent, or never will be. */
  async finish(): Promise<void> {
    await new Promise<void>((resolve) => {
      if (this.#destroyed) return resolve();
      this.#sent = resolve;
      this.#deflate.flush(constants.Z_SYNC_FLUSH, resolve);
    });
    while (!this.#destroyed && (this.#sending > 0 || this.#deflate.readableLength > 0)) {
      await new Promise<void>((resolve) => this.#sent = resolve);
    }
  }

  destroy(): void {
    if (this.#destroyed) return;
    this.#destroyed = true;
    this.#sent?.();
    this.#deflate.destroy();
    this.#inflate.destroy();
  }
}
