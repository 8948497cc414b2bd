/**
 * The output of a connection: collected into pieces, and held back while the peer doesn't read.
 *
 * While a piece is being sent, small ones are collected and follow as one: a thousand small answers don't
 * become a thousand writes, each with its memory. Bytes in flight are counted by the memory they really hold.
 *
 * @module
 */
import { nextTurn, turnSpent } from "../platform/turns.ts";
import type { Share } from "./budget.ts";
import { arm, register, unregister, type Waiter } from "./deadlines.ts";
import { outBufferSize, releaseOutBuffer, takeOutBuffer } from "./outbuffers.ts";
import { ConnectionError, type ConnectionState } from "./types.ts";

/** Flush waits while the sink has more bytes of output than this. */
const maxInFlight = 256 * 1024;
/** Pieces this large are sent on their own, not collected. */
const ownPiece = 16 * 1024;
/** Output of at least this many bytes is sent from its buffer; less is copied out of it. */
const wholeBuffer = 32 * 1024;
/** Bytes that a write holds besides its content. */
const writeCost = 1024;

const encoder = new TextEncoder();

/** The destination of output: the socket, or a layer over it. */
export interface Sink {
  /** `sent` is called when the bytes have been accepted. */
  write(bytes: Uint8Array, sent: (err?: Error | null) => void): void;
  /** Sends everything written so far now. */
  flush(): void;
  /** Drops the connection. */
  destroy(): void;
  /** Bytes of input that wait already. */
  ahead(): number;
}

/** Writes of one connection; see {@link Connection} for what they promise. */
export class Writer {
  /** Milliseconds that the peer may take to read. */
  timeout: number;

  readonly #state: ConnectionState;
  readonly #sink: Sink;
  readonly #share: Share;
  #out: Uint8Array | undefined;
  #outLength = 0;
  #inFlight = 0;
  #wait: PromiseWithResolvers<void> | undefined;
  #limit = 0;
  /** Whether collected output follows as soon as the output before it has been accepted. */
  #following = false;

  constructor(state: ConnectionState, sink: Sink, share: Share, timeout: number) {
    this.#state = state;
    this.#sink = sink;
    this.#share = share;
    this.timeout = timeout;
  }

  /** Bytes handed over but not accepted yet, including their overhead. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** Whether the peer is so slow that nothing more should be answered for now. */
  get crowded(): boolean {
    return this.#inFlight > maxInFlight;
  }

  write(data: string | Uint8Array): void {
    if (this.#state.closed || data.length === 0) return;
    if (typeof data === "string") {
      // A UTF-16 unit takes at most 3 bytes.
      if (data.length * 3 > outBufferSize) {
        this.sendBuffered();
        this.#send(encoder.encode(data), undefined);
        return;
      }
      if (this.#outLength + data.length * 3 > outBufferSize) this.sendBuffered();
      this.#take();
      const room = this.#outLength === 0 ? this.#out! : this.#out!.subarray(this.#outLength);
      this.#outLength += encoder.encodeInto(data, room).written;
      return;
    }
    if (this.#outLength + data.length > outBufferSize) this.sendBuffered();
    if (data.length > ownPiece) {
      this.sendBuffered();
      this.#send(data.slice(), undefined);
      return;
    }
    this.#take();
    this.#out!.set(data, this.#outLength);
    this.#outLength += data.length;
  }

  #take(): void {
    if (this.#out !== undefined) return;
    this.#out = takeOutBuffer();
    this.#share.add(outBufferSize);
  }

  /** Hands over the collected output. */
  sendBuffered(): void {
    this.#following = false;
    if (this.#outLength === 0) return;
    const buffer = this.#out!;
    const length = this.#outLength;
    this.#out = undefined;
    this.#outLength = 0;
    this.#share.add(-outBufferSize);
    if (length >= wholeBuffer) {
      this.#send(buffer.subarray(0, length), buffer);
      return;
    }
    const bytes = buffer.slice(0, length);
    releaseOutBuffer(buffer);
    this.#send(bytes, undefined);
  }

  /** Hands bytes to the sink; their buffer is returned when it has accepted them. */
  #send(bytes: Uint8Array, buffer: Uint8Array | undefined): void {
    if (this.#state.closed) return;
    const n = (buffer === undefined ? bytes.length : outBufferSize) + writeCost;
    this.#inFlight += n;
    this.#share.add(n);
    this.#sink.write(bytes, (err?: Error | null): void => {
      if (err) this.#state.error ??= err;
      else if (buffer !== undefined) releaseOutBuffer(buffer);
      this.#inFlight -= n;
      this.#share.add(-n);
      if (this.#following && this.#inFlight === 0) {
        this.sendBuffered();
        this.#sink.flush();
      }
      if (this.#wait !== undefined && this.#inFlight <= this.#limit) this.wake();
    });
  }

  /** Makes a waiting flush check the state. */
  wake(): void {
    const w = this.#wait;
    if (w === undefined) return;
    this.#wait = undefined;
    w.resolve();
  }

  /** Drops collected output: the connection is closed. */
  clear(): void {
    if (this.#out !== undefined) {
      releaseOutBuffer(this.#out);
      this.#share.add(-outBufferSize);
    }
    this.#following = false;
    this.#out = undefined;
    this.#outLength = 0;
    this.wake();
  }

  #failure(): ConnectionError | undefined {
    const { error, closed } = this.#state;
    if (error instanceof ConnectionError) return error;
    if (error !== undefined) {
      return new ConnectionError("closed", "connection failed", { cause: error });
    }
    return closed ? new ConnectionError("closed", "connection closed") : undefined;
  }

  flush(): Promise<void> {
    if (this.#inFlight > 0 && this.#outLength > 0 && this.#outLength < wholeBuffer) {
      this.#following = true;
    } else {
      this.sendBuffered();
      this.#sink.flush();
    }
    if (this.crowded || turnSpent()) return this.#flushInTurn();
    const failure = this.#failure();
    return failure === undefined ? Promise.resolve() : Promise.reject(failure);
  }

  async #flushInTurn(): Promise<void> {
    if (turnSpent()) await nextTurn(this.#sink.ahead());
    await this.uncrowded();
  }

  /** Waits while the peer is slow. A peer that doesn't read in time is dropped. */
  async uncrowded(): Promise<void> {
    if (this.crowded) return await this.#drain(maxInFlight / 2, this.timeout);
    const failure = this.#failure();
    if (failure !== undefined) throw failure;
  }

  /** Sends everything and waits until it has been accepted. A peer that doesn't read in time is dropped. */
  drain(timeout = this.timeout): Promise<void> {
    this.sendBuffered();
    return this.#drain(0, timeout);
  }

  /** Waits until at most `limit` bytes are in flight. */
  async #drain(limit: number, timeout: number): Promise<void> {
    const waiter: Waiter = {
      expiresAt: Infinity,
      ownTimer: undefined,
      expire: () => {
        this.#state.error ??= new ConnectionError("timeout", "peer does not read");
        this.#sink.destroy();
        this.wake();
      },
    };
    register(waiter);
    arm(waiter, timeout);
    try {
      while (this.#inFlight > limit) {
        const failure = this.#failure();
        if (failure !== undefined) throw failure;
        this.#limit = limit;
        this.#wait ??= Promise.withResolvers();
        await this.#wait.promise;
      }
    } finally {
      unregister(waiter);
    }
    const failure = this.#failure();
    if (failure !== undefined) throw failure;
  }
}
