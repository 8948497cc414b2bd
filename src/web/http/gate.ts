/**
 * A gate between a connection and the runtime's HTTP server: it lets requests through one at a time.
 *
 * The runtime's server reads everything that has arrived and starts to answer each request in it, so that a few
 * hundred kilobytes of pipelined requests become as many answers in memory. The gate passes on the input up
 * to the end of one request, and the rest once that has been answered (RFC 9112 §9.3.2 only requires answers
 * in order). Waiting input is bounded: the socket isn't read.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { Duplex } from "node:stream";
import { Share } from "../../net/mod.ts";
import { giveBack } from "../../platform/bytes.ts";
import { nextTurn, turnSpent } from "../../platform/turns.ts";
import { ChunkFraming } from "./chunks.ts";

/** Waiting input above which the socket isn't read. */
const maxWaiting = 64 * 1024;

/** Bytes of a chunked body that are let through at a time: each of its chunks may have one byte. */
const maxPiece = 16 * 1024;

const cr = 0x0d;
const lf = 0x0a;

/** The framing of a request's body; it decides how much input is let through. */
export type Framing = { length: number } | "chunked";

/** The connection passed to the runtime's server. */
export class RequestGate extends Duplex {
  readonly #socket: Duplex;
  readonly #share: Share;
  #waiting: Uint8Array[] = [];
  #size = 0;
  #wanted = false;
  #ended = false;
  #feeding = false;
  /**
   * What is let through: a header up to its empty line; nothing while it is parsed ("parsing"); so many bytes
   * of a body; a chunked body; nothing until the answer is done ("answering"); everything ("open").
   */
  #state: "header" | "parsing" | "length" | "chunked" | "answering" | "open" = "header";
  #left = 0;
  #chunks = new ChunkFraming();
  /** The request has been answered. */
  #answered = false;
  /** The last bytes let through that may start an empty line. */
  #tail = 0;
  #begun = false;
  #counted = 0;
  /** Last pieces of what came of bodies from the socket at a time, until the parser has read them. */
  readonly #ends = new WeakSet<Uint8Array>();

  constructor(socket: Duplex, protocol: string) {
    super({
      allowHalfOpen: true,
      readableHighWaterMark: 64 * 1024,
      writableHighWaterMark: 64 * 1024,
    });
    this.#socket = socket;
    this.#share = new Share(protocol, () => this.destroy());
    socket.on("data", (received: Uint8Array) => {
      // Its memory is given back once it was parsed, so it must be its own.
      const whole = received.length === received.buffer.byteLength;
      const chunk = whole ? received : new Uint8Array(received);
      this.#waiting.push(chunk);
      this.#size += chunk.length;
      if (this.#size > maxWaiting) socket.pause();
      this.#count();
      this.#feed();
    });
    socket.on("end", () => {
      this.#ended = true;
      this.#feed();
    });
    socket.on("error", (e) => this.destroy(e));
    socket.on("close", () => this.destroy());
    // It may be paused after a handshake.
    socket.resume();
  }

  // What the runtime's server needs from a socket.
  get remoteAddress(): string | undefined {
    return (this.#socket as { remoteAddress?: string }).remoteAddress;
  }
  setTimeout(): this {
    return this;
  }
  setNoDelay(): this {
    return this;
  }
  setKeepAlive(): this {
    return this;
  }
  ref(): this {
    return this;
  }
  unref(): this {
    return this;
  }

  /** The runtime's parser, which was called before, has copied what it wants of a body. */
  readonly #parsed = (piece: Uint8Array) => {
    if (this.#ends.delete(piece)) giveBack(new Uint8Array(piece.buffer));
  };

  /** To be called when the runtime's server listens for data. */
  parserReads(): void {
    this.on("data", this.#parsed);
  }

  /** A request's header was read: its body may follow. */
  requestBegan(framing: Framing): void {
    this.#answered = false;
    if (framing === "chunked") {
      this.#state = "chunked";
      this.#chunks = new ChunkFraming();
    } else if (framing.length > 0) {
      this.#state = "length";
      this.#left = framing.length;
    } else this.#state = "answering";
    // The parser is still in the header's bytes, and takes no others meanwhile: a header that came before it
    // listened, as with the last packet of a TLS handshake, is not passed on by #feed.
    if (!this.#feeding) queueMicrotask(() => this.#feed());
  }

  /** The request was answered: the next one may pass. */
  answered(): void {
    // The rest of an unread body is let through first, and dropped.
    this.#answered = true;
    this.#feedInTurn();
  }

  #nextRequest(): void {
    this.#state = "header";
    this.#tail = 0;
    this.#begun = false;
  }

  /** No more requests: what follows is another protocol. */
  open(): void {
    this.off("data", this.#parsed);
    this.#state = "open";
    this.#feed();
  }

  #count(): void {
    const held = this.#size + this.writableLength + this.#socket.writableLength;
    if (held === this.#counted) return;
    this.#share.add(held - this.#counted);
    this.#counted = held;
  }

  override _read(): void {
    this.#wanted = true;
    this.#feedInTurn();
  }

  /** Passing on one buffered request after another would starve the event loop. */
  #feedInTurn(): void {
    if (turnSpent()) nextTurn().then(() => this.#feed());
    else this.#feed();
  }

  #feed(): void {
    if (this.#feeding) return;
    this.#feeding = true;
    while (this.#wanted && !this.destroyed) {
      if (this.#state === "answering" && this.#answered) this.#nextRequest();
      const ofBody = this.#state === "length" || this.#state === "chunked";
      const n = this.#allowed();
      if (n === 0) break;
      const piece = this.#take(n);
      if (ofBody && piece.byteOffset + piece.length === piece.buffer.byteLength) {
        this.#ends.add(piece);
      }
      this.#wanted = false;
      if (this.push(piece)) this.#wanted = true;
    }
    this.#feeding = false;
    if (this.#size <= maxWaiting / 2 && this.#socket.isPaused() && !this.destroyed) {
      this.#socket.resume();
    }
    if (this.#ended && this.#size === 0 && this.#wanted && !this.destroyed) this.push(null);
  }

  /** Bytes of the first piece that may be let through now; the state advances as if they were. */
  #allowed(): number {
    const first = this.#waiting[0];
    if (first === undefined) return 0;
    switch (this.#state) {
      case "parsing":
      case "answering":
        return 0;
      case "open":
        return first.length;
      case "length": {
        const n = Math.min(first.length, this.#left);
        this.#left -= n;
        if (this.#left === 0) this.#state = "answering";
        return n;
      }
      case "chunked": {
        const n = this.#chunks.take(first.length > maxPiece ? first.subarray(0, maxPiece) : first);
        if (this.#chunks.wrong) {
          this.#refuse();
          return 0;
        }
        if (this.#chunks.ended) this.#state = "answering";
        return n;
      }
      case "header": {
        // RFC 9112 §2.2: empty lines before a request are skipped.
        if (!this.#begun) {
          let blank = 0;
          while (blank < first.length && (first[blank] === cr || first[blank] === lf)) blank++;
          if (blank > 0) {
            this.#take(blank);
            return this.#allowed();
          }
          this.#begun = true;
        }
        const n = this.#toEmptyLine(first);
        if (this.#tail === 4) this.#state = "parsing";
        return n;
      }
    }
  }

  /** Bytes up to the end of the first empty line, or all; `#tail` is 4 if it was found. */
  #toEmptyLine(bytes: Uint8Array): number {
    let tail = this.#tail === 4 ? 0 : this.#tail;
    for (let i = 0; i < bytes.length; i++) {
      const b = bytes[i];
      if (b === cr) tail = tail === 2 ? 3 : 1;
      else if (b === lf && (tail === 1 || tail === 3)) tail++;
      else tail = 0;
      if (tail === 4) {
        this.#tail = 4;
        return i + 1;
      }
    }
    this.#tail = tail;
    return bytes.length;
  }

  /** The body's framing is not acceptable. */
  #refuse(): void {
    this.#waiting = [];
    this.#size = 0;
    this.#state = "parsing";
    if (this.writableLength === 0) {
      this.#socket.write(
        "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
      );
    }
    this.#socket.end(() => this.destroy());
  }

  #take(n: number): Uint8Array {
    const first = this.#waiting[0];
    let piece = first;
    if (n === first.length) this.#waiting.shift();
    else {
      piece = first.subarray(0, n);
      this.#waiting[0] = first.subarray(n);
    }
    this.#size -= n;
    this.#count();
    return Buffer.from(piece.buffer, piece.byteOffset, piece.length);
  }

  override _write(chunk: Uint8Array, _: BufferEncoding, done: (err?: Error | null) => void): void {
    // Nothing is what TLS never tells the end of.
    if (chunk.length === 0) return done();
    this.#socket.write(chunk, (e) => {
      this.#count();
      done(e);
    });
    this.#count();
  }

  override _final(done: (err?: Error | null) => void): void {
    this.#socket.end(() => done());
  }

  override _destroy(err: Error | null, done: (e?: Error | null) => void): void {
    this.#share.end();
    this.#waiting = [];
    this.#size = 0;
    this.#socket.destroy();
    done(err);
  }
}
