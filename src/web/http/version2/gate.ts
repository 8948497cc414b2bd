/**
 * A gate between an HTTP/2 connection and the runtime's session: passes input in pieces with turns of the event loop
 * in between, counts frames, and counts what the connection holds against the memory budget.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { Duplex } from "node:stream";
import { Share } from "../../../net/mod.ts";
import { nextTurn, turnSpent } from "../../../platform/turns.ts";
import type { Allowances } from "./allowances.ts";
import { FrameReader, type FrameUse } from "./frames.ts";

/** Waiting input above which the socket isn't read. */
const maxWaiting = 64 * 1024;
/** Bytes let through at a time. */
const maxPiece = 16 * 1024;
/** Unsent output above which no more is produced, and the peer not read, as its input requests more. */
const maxUnread = 256 * 1024;
/** Total of answers waiting for their windows above which no more is produced. */
const maxStalled = 1024 * 1024;

/** Callbacks from a gate to its connection. */
export interface GateEvents {
  /** Unread bytes of bodies. */
  unread: () => number;
  /** Bytes of answers waiting for their windows. */
  stalled: () => number;
  /** The client causes useless work. */
  tooMuch: (what: FrameUse) => void;
  /** Input has arrived. */
  input: () => void;
  /** The client sends no more. */
  ended: () => void;
  /** The client is gone. */
  lost: () => void;
}

/** The connection passed to the runtime's session. */
export class FrameGate extends Duplex {
  readonly #socket: Duplex;
  readonly #share: Share;
  readonly #events: GateEvents;
  readonly #frames: FrameReader;
  readonly allowances: Allowances;
  #waiting: Uint8Array[] = [];
  #size = 0;
  #wanted = false;
  #asked = false;
  #closed = false;
  #counted = 0;
  /** Nobody is there to read: what is written is dropped. */
  #lost = false;

  constructor(socket: Duplex, protocol: string, allowances: Allowances, events: GateEvents) {
    super({
      allowHalfOpen: true,
      readableHighWaterMark: maxPiece,
      writableHighWaterMark: 64 * 1024,
    });
    this.#socket = socket;
    this.allowances = allowances;
    this.#events = events;
    // Each waiting answer adds a listener.
    this.setMaxListeners(0);
    this.#share = new Share(protocol, () => this.destroy());
    this.#frames = new FrameReader((use) => {
      if (this.#within(use)) return true;
      this.close();
      events.tooMuch(use);
      return false;
    });
    socket.on("data", (chunk: Uint8Array) => {
      if (this.#closed) return;
      this.#waiting.push(chunk);
      this.#size += chunk.length;
      if (this.#size > maxWaiting) socket.pause();
      this.count();
      this.#feed();
    });
    socket.on("end", () => events.ended());
    socket.on("error", (e) => this.#gone(e));
    socket.on("close", () => this.#gone());
    // It may be paused after a handshake.
    socket.resume();
  }

  /** The end of a hundred streams takes milliseconds: those of many connections that end at once come in turns. */
  async #gone(e?: Error): Promise<void> {
    if (this.#lost) return;
    this.#lost = true;
    this.close();
    if (turnSpent()) await nextTurn(0);
    // As long as it takes what they write: an error with its stack for each stream that says that it ends takes longest.
    this.#events.lost();
    this.destroy(e);
  }

  #within(use: FrameUse): boolean {
    if (use === "stream") return this.allowances.stream();
    if (use === "control") return this.allowances.control();
    return use === "data";
  }

  // What the runtime's session needs from a socket.
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

  /** A header list has started and not ended. */
  get inHeaders(): boolean {
    return this.#frames.inHeaders;
  }

  /** Accepts no more input. */
  close(): void {
    this.#closed = true;
    this.#waiting = [];
    this.#size = 0;
    this.count();
  }

  /** Counts what is held now. */
  count(): void {
    if (this.destroyed) return;
    const held = this.#size + this.readableLength + this.writableLength +
      this.#socket.writableLength + this.#events.unread() + this.#events.stalled();
    if (held === this.#counted) return;
    this.#share.add(held - this.#counted);
    this.#counted = held;
  }

  override _read(): void {
    this.#wanted = true;
    this.#feed();
  }

  #feed(): void {
    if (this.#asked) return;
    // Each piece may contain many requests: the event loop gets turns even if more input could be passed on.
    if (turnSpent()) {
      this.#asked = true;
      nextTurn(this.#size).then(() => {
        this.#asked = false;
        this.#feed();
      });
      return;
    }
    if (!this.#wanted || this.destroyed || this.#unread) return;
    const first = this.#waiting[0];
    if (first !== undefined) {
      const n = this.#frames.take(first.length > maxPiece ? first.subarray(0, maxPiece) : first);
      if (n === undefined) return;
      this.#wanted = false;
      this.#events.input();
      const more = this.push(this.#take(n));
      if (more) this.#wanted = true;
      if (this.#size > 0) {
        this.#asked = true;
        setTimeout(() => {
          this.#asked = false;
          this.#feed();
        }, 0);
      }
    }
    if (this.#size <= maxWaiting / 2 && this.#socket.isPaused() && !this.destroyed) {
      this.#socket.resume();
    }
  }

  /** So much output is pending that more has to wait for "uncrowded". */
  get crowded(): boolean {
    return this.#lost || this.#unread || this.#events.stalled() > maxStalled;
  }

  get #unread(): boolean {
    return this.writableLength + this.#socket.writableLength > maxUnread;
  }

  /** Output was sent: waiting answers continue. */
  taken(): void {
    this.count();
    if (!this.crowded) this.emit("uncrowded");
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
    this.count();
    return Buffer.from(piece.buffer, piece.byteOffset, piece.length);
  }

  override _write(chunk: Uint8Array, _: BufferEncoding, done: (err?: Error | null) => void): void {
    // Nothing is what TLS never tells the end of.
    if (chunk.length === 0 || this.#lost) return done();
    this.allowances.sent(chunk.length);
    this.#socket.write(chunk, (e) => {
      if (e) this.#gone(e);
      done();
      this.taken();
      this.#feed();
    });
    this.count();
  }

  override _final(done: (err?: Error | null) => void): void {
    this.#socket.end(() => done());
  }

  override _destroy(err: Error | null, done: (e?: Error | null) => void): void {
    this.#share.end();
    this.close();
    this.#socket.destroy();
    done(err);
  }
}
