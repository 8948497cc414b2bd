/**
 * The input of a connection: lines and bytes from the socket's data, with a timeout for each read, and back
 * pressure while nobody reads.
 *
 * @module
 */
import { arm, disarm, type Timer, type Waiter } from "./deadlines.ts";
import { nextTurn } from "../platform/turns.ts";
import type { Share } from "./budget.ts";
import { Input } from "./input.ts";
import { ConnectionError, type ConnectionState } from "./types.ts";

/**
 * Unread input above this stops reading from the source, below half of it reading continues; while a longer
 * line is awaited, its limit applies.
 */
const maxUnread = 256 * 1024;
/** A line that exceeds its limit by so much is not skipped any more. */
const maxDropped = 8 * 1024 * 1024;
/** Bytes from the start of an overlong line in its error. */
const maxStart = 256;
/** Bytes from the end of such a line in its error, with the line end. */
const maxEnd = 34;

/** The source of input: the socket, or a layer over it. */
export interface Source {
  /** Starts input if it hasn't started: somebody reads. */
  start(): void;
  pause(): void;
  resume(): void;
  /** Drops the connection. */
  destroy(): void;
}

/** Reads of one connection; see {@link Connection} for what they promise. */
export class Reader implements Waiter {
  /** Milliseconds that a read may take. */
  timeout: number;
  lastLineBareLf = false;
  /** The peer has closed its side. */
  ended = false;

  // From Waiter; only for the deadlines.
  expiresAt = Infinity;
  ownTimer: Timer | undefined;

  readonly #state: ConnectionState;
  readonly #source: Source;
  readonly #share: Share;
  readonly #input = new Input();
  #paused = false;
  /** Most unread input: more than maxUnread while a long line is awaited. */
  #wanted = maxUnread;
  /** Bytes of the input that the share has counted. */
  #counted = 0;
  #overload = false;
  #stopping = false;
  #wait: PromiseWithResolvers<void> | undefined;

  constructor(state: ConnectionState, source: Source, share: Share, timeout: number) {
    this.#state = state;
    this.#share = share;
    this.#source = source;
    this.timeout = timeout;
  }

  /** Number of unread bytes. */
  get buffered(): number {
    return this.#input.size;
  }

  get hasLine(): boolean {
    return this.#input.lineLength() > 0;
  }

  // ---- what the source tells

  arrived(chunk: Uint8Array): void {
    if (this.#overload) return;
    this.#input.push(chunk);
    this.#count();
    if (this.#input.size > this.#wanted && !this.#paused) {
      this.#paused = true;
      this.#source.pause();
    }
    this.wake();
  }

  #count(): void {
    const { memory } = this.#input;
    if (memory === this.#counted) return;
    this.#share.add(memory - this.#counted);
    this.#counted = memory;
  }

  end(): void {
    this.ended = true;
    this.wake();
  }

  /** Makes a waiting read check the state. */
  wake(): void {
    const w = this.#wait;
    if (w === undefined) return;
    this.#wait = undefined;
    disarm(this);
    w.resolve();
  }

  /** Called by the deadlines: the read checks the clock itself. */
  expire(): void {
    this.wake();
  }

  /** Takes all unread bytes, for a layer put in between; the source is no longer paused. */
  takeAll(): Uint8Array | undefined {
    this.#paused = false;
    const all = this.#input.size > 0 ? this.#input.take(this.#input.size) : undefined;
    this.#count();
    return all;
  }

  /** Drops unread bytes. */
  clear(): void {
    this.#input.clear();
    this.#count();
    this.#paused = false;
  }

  /** Memory is short: drops unread bytes, accepts nothing more, and all reads fail with "overload". */
  overload(): void {
    this.#overload = true;
    this.#input.clear();
    this.#count();
    this.wake();
  }

  /** From now on waiting for the start of a line fails with "shutdown"; running work continues. */
  stop(): void {
    this.#stopping = true;
    this.wake();
  }

  // ---- reads

  readLine(maxBytes: number): Promise<Uint8Array> {
    const length = this.#input.lineLength();
    if (length === 0 || length > maxBytes) return this.#readLineSlowly(maxBytes);
    return Promise.resolve(this.#takeLine(length));
  }

  #takeLine(length: number): Uint8Array {
    this.lastLineBareLf = !this.#input.endsInCrLf(length);
    const line = this.#input.take(length);
    this.#count();
    this.#wanted = maxUnread;
    if (this.#paused) this.#resumeIfDrained();
    return line.subarray(0, length - (this.lastLineBareLf ? 1 : 2));
  }

  async #readLineSlowly(maxBytes: number): Promise<Uint8Array> {
    // The whole line must arrive within the timeout of one read; otherwise bytes at long intervals could keep
    // the connection forever.
    const deadline = performance.now() + this.timeout;
    let dropped = 0;
    let start: Uint8Array | undefined;
    let end = new Uint8Array();
    for (;;) {
      const length = this.#input.lineLength();
      const tooLong = length > maxBytes || (length === 0 && this.#input.size >= maxBytes);
      if (dropped > 0 || tooLong) {
        const part = length > 0 ? length : this.#input.size;
        start ??= this.#input.peek(Math.min(maxStart, part));
        const taken = this.#input.take(part);
        end = Uint8Array.of(...end, ...taken.subarray(-maxEnd)).slice(-maxEnd);
        this.#count();
        dropped += part;
        this.#wanted = maxUnread;
        // A flood gets only one piece per turn of the loop.
        if (!this.#paused) this.#source.pause();
        this.#paused = true;
        await nextTurn();
        this.#resumeIfDrained();
        if (length > 0) {
          const crlf = end.at(-2) === 13 ? 2 : 1;
          throw new ConnectionError("line", `line longer than ${maxBytes} bytes`, {
            start,
            end: end.slice(0, -crlf),
          });
        }
        if (dropped > maxBytes + maxDropped) {
          throw new ConnectionError("endless", `line longer than ${maxBytes} bytes`, { start });
        }
      } else if (length > 0) {
        return this.#takeLine(length);
      }
      const failure = this.#failure();
      if (failure !== undefined) throw failure;
      if (this.#stopping && this.#input.size === 0 && dropped === 0) {
        throw new ConnectionError("shutdown", "server is shutting down");
      }
      if (performance.now() >= deadline) throw this.#timeoutError();
      if (dropped === 0 && maxBytes > maxUnread) {
        this.#wanted = maxBytes;
        this.#resumeIfDrained();
      }
      await this.#event(deadline);
    }
  }

  readSome(maxBytes: number): Promise<Uint8Array> {
    if (this.#input.size > 0) return Promise.resolve(this.#takeSome(maxBytes));
    return this.#readSomeSlowly(maxBytes);
  }

  #takeSome(maxBytes: number): Uint8Array {
    const view = this.#input.take(maxBytes);
    this.#count();
    this.#wanted = maxUnread;
    if (this.#paused) this.#resumeIfDrained();
    return view;
  }

  async #readSomeSlowly(maxBytes: number): Promise<Uint8Array> {
    const deadline = performance.now() + this.timeout;
    for (;;) {
      if (this.#input.size > 0) return this.#takeSome(maxBytes);
      const failure = this.#failure();
      if (failure !== undefined) throw failure;
      if (performance.now() >= deadline) throw this.#timeoutError();
      await this.#event(deadline);
    }
  }

  unread(bytes: Uint8Array): void {
    this.#input.unread(bytes);
    this.#count();
  }

  async waitInput(signal?: AbortSignal): Promise<void> {
    const deadline = performance.now() + this.timeout;
    const aborted = () => this.wake();
    signal?.addEventListener("abort", aborted);
    try {
      while (
        this.#input.size === 0 && !signal?.aborted && !this.#stopping &&
        this.#failure() === undefined
      ) {
        if (performance.now() >= deadline) throw this.#timeoutError();
        await this.#event(deadline);
      }
    } finally {
      signal?.removeEventListener("abort", aborted);
    }
  }

  #resumeIfDrained(): void {
    if (!this.#paused) return;
    const enough = this.#wanted > maxUnread ? this.#wanted : maxUnread / 2;
    if (this.#input.size > enough) return;
    this.#paused = false;
    this.#source.resume();
  }

  /** Waits for an event of the input, or until the deadline (in terms of performance.now()). */
  #event(deadline: number): Promise<void> {
    disarm(this);
    const left = deadline - performance.now();
    if (left < 2 ** 31) arm(this, Math.max(1, Math.ceil(left)));
    const { promise } = this.#wait ??= Promise.withResolvers();
    // The end may have arrived already, and wakes waiting reads.
    this.#source.start();
    return promise;
  }

  /** Why there is nothing more to read; undefined while more may arrive. */
  #failure(): ConnectionError | undefined {
    const { error, closed } = this.#state;
    if (error !== undefined) {
      return new ConnectionError("closed", "connection failed", { cause: error });
    }
    if (this.#overload) {
      return new ConnectionError("overload", "connections hold too much memory");
    }
    if (this.ended) return new ConnectionError("closed", "connection closed by the peer");
    if (closed) return new ConnectionError("closed", "connection closed");
    return undefined;
  }

  #timeoutError(): ConnectionError {
    return new ConnectionError("timeout", `no input for ${Math.round(this.timeout / 1000)} s`);
  }
}
