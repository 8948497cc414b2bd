/**
 * A TCP connection as protocol servers and clients use it: lines and bytes in, buffered output out,
 * TLS and compression put on while it runs.
 *
 * Errors of the socket never surface by themselves: they end the read or flush that runs, or the
 * next one, as a {@link ConnectionError}.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { Log } from "../log/mod.ts";
import { Compression } from "./compression.ts";
import { arm, disarm, register, type Timer, unregister, type Waiter } from "./deadlines.ts";
import { Input } from "./input.ts";
import { canonicalIp } from "./ip.ts";
import { outBufferSize, releaseOutBuffer, takeOutBuffer } from "./outbuffers.ts";
import { clientHandshake, serverHandshake } from "./tls.ts";
import {
  type ClientTls,
  type Connection,
  ConnectionError,
  type ServerTls,
  type TlsInfo,
} from "./types.ts";

/** Unread input above this stops reading from the socket, below half of it reading goes on. */
const maxUnread = 256 * 1024;
/** Output that the socket has not taken yet, above which flush waits. */
const maxInFlight = 256 * 1024;
/** A line that goes on for so long after its limit ends the connection. */
const maxDropped = 1024 * 1024;
/** Pieces this large are sent on their own, not gathered. */
const ownPiece = 16 * 1024;
const lingerMs = 1000;

const encoder = new TextEncoder();
const ignore = () => {};

/** How a connection is set up. */
export interface ConnectionOptions {
  cid: number;
  log: Log;
  /** Milliseconds, 5 minutes if not given. */
  readTimeout?: number;
  /** Milliseconds, 5 minutes if not given. */
  writeTimeout?: number;
  /** TLS that is on already. */
  tls?: TlsInfo;
}

/** A promise that others wait on, made when the first of them comes. */
interface Wait {
  promise: Promise<void>;
  resolve: () => void;
}
function newWait(): Wait {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { promise, resolve };
}

/** A {@link Connection} on a connected socket of node:net. */
export class SocketConnection implements Connection, Waiter {
  readonly cid: number;
  readonly remoteIp: string;
  readonly remotePort: number;
  readonly localIp: string;
  readonly localPort: number;
  readTimeout: number;
  writeTimeout: number;
  lastLineBareLf = false;

  // Of Waiter; for the deadlines only.
  expiresAt = Infinity;
  ownTimer: Timer | undefined;

  readonly #log: Log;
  #socket: Socket;
  #tls: TlsInfo | undefined;
  #compression: Compression | undefined;

  readonly #input = new Input();
  #attached = false;
  #paused = false;
  #ended = false;
  #stopping = false;
  #inputWait: Wait | undefined;

  #out: Uint8Array | undefined;
  #outLength = 0;
  #inFlight = 0;
  #outputWait: Wait | undefined;
  #limit = 0;

  #error: Error | undefined;
  #closed = false;
  #closing: Promise<void> | undefined;
  #onClosed: (() => void)[] = [];

  constructor(socket: Socket, options: ConnectionOptions) {
    this.cid = options.cid;
    this.#log = options.log;
    this.remoteIp = canonicalIp(socket.remoteAddress ?? "");
    this.remotePort = socket.remotePort ?? 0;
    this.localIp = canonicalIp(socket.localAddress ?? "");
    this.localPort = socket.localPort ?? 0;
    this.readTimeout = options.readTimeout ?? 300_000;
    this.writeTimeout = options.writeTimeout ?? 300_000;
    this.#tls = options.tls;
    this.#socket = socket;
    socket.allowHalfOpen = true;
    socket.setNoDelay(true);
    socket.on("error", this.#onError);
    socket.on("close", this.#onClose);
    if (socket.destroyed) this.#closed = true;
    else register(this);
  }

  get tls(): TlsInfo | undefined {
    return this.#tls;
  }

  get closed(): boolean {
    return this.#closed;
  }

  get buffered(): number {
    return this.#input.size;
  }

  get ended(): boolean {
    return this.#ended || this.#closed;
  }

  get hasLine(): boolean {
    return this.#input.lineLength() > 0;
  }

  // ---- input

  // Input is only taken from the socket once somebody reads: a handshake may come first.
  #startReading(): void {
    if (this.#attached || this.#closed) return;
    this.#attached = true;
    this.#socket.on("end", this.#onEnd);
    this.#socket.on("data", this.#onData);
    this.#socket.resume();
  }

  #onData = (chunk: Buffer): void => {
    if (this.#compression !== undefined) {
      if (!this.#compression.push(chunk)) this.#socket.pause();
      return;
    }
    this.#arrived(chunk);
  };

  #arrived = (chunk: Uint8Array): void => {
    this.#input.push(chunk);
    if (this.#input.size > maxUnread && !this.#paused) {
      this.#paused = true;
      this.#pauseSource();
    }
    this.#wakeReader();
  };

  #pauseSource(): void {
    if (this.#compression !== undefined) this.#compression.pause();
    else this.#socket.pause();
  }

  #resumeIfDrained(): void {
    if (!this.#paused || this.#input.size > maxUnread / 2) return;
    this.#paused = false;
    if (this.#compression !== undefined) this.#compression.resume();
    else this.#socket.resume();
  }

  #onEnd = (): void => {
    if (this.#compression !== undefined) this.#compression.end();
    else this.#inputEnded();
  };

  #inputEnded = (): void => {
    this.#ended = true;
    this.#wakeReader();
  };

  #onError = (e: Error): void => {
    this.#error ??= e;
    this.#wakeReader();
    this.#wakeWriter();
  };

  #onClose = (): void => {
    if (this.#closed) return;
    this.#closed = true;
    unregister(this);
    this.#compression?.destroy();
    if (this.#out !== undefined) releaseOutBuffer(this.#out);
    this.#out = undefined;
    this.#outLength = 0;
    this.#wakeReader();
    this.#wakeWriter();
    for (const f of this.#onClosed.splice(0)) f();
  };

  #wakeReader(): void {
    const w = this.#inputWait;
    if (w === undefined) return;
    this.#inputWait = undefined;
    disarm(this);
    w.resolve();
  }

  /** Called by the deadlines: the reader looks at the clock itself. */
  expire(): void {
    this.#wakeReader();
  }

  /** Waits for an event of the input, or until the deadline (in terms of performance.now()). */
  #inputEvent(deadline: number): Promise<void> {
    this.#startReading();
    disarm(this);
    const left = deadline - performance.now();
    if (left < 2 ** 31) arm(this, Math.max(1, Math.ceil(left)));
    this.#inputWait ??= newWait();
    return this.#inputWait.promise;
  }

  /** Why there is nothing more to read; undefined while something may still come. */
  #inputFailure(): ConnectionError | undefined {
    if (this.#error !== undefined) {
      return new ConnectionError("closed", "connection failed", { cause: this.#error });
    }
    if (this.#ended) return new ConnectionError("closed", "connection closed by the peer");
    if (this.#closed) return new ConnectionError("closed", "connection closed");
    return undefined;
  }

  #timeoutError(): ConnectionError {
    return new ConnectionError("timeout", `no input for ${Math.round(this.readTimeout / 1000)} s`);
  }

  readLine(maxBytes: number): Promise<Uint8Array> {
    const length = this.#input.lineLength();
    if (length === 0 || length > maxBytes) return this.#readLineSlowly(maxBytes);
    return Promise.resolve(this.#takeLine(length));
  }

  #takeLine(length: number): Uint8Array {
    this.lastLineBareLf = !this.#input.endsInCrLf(length);
    const line = this.#input.take(length);
    if (this.#paused) this.#resumeIfDrained();
    return line.subarray(0, length - (this.lastLineBareLf ? 1 : 2));
  }

  async #readLineSlowly(maxBytes: number): Promise<Uint8Array> {
    // The whole line must arrive in the time of one read, or bytes at long intervals could hold on
    // to the connection for ever.
    const deadline = performance.now() + this.readTimeout;
    let dropped = 0;
    for (;;) {
      const length = this.#input.lineLength();
      const tooLong = length > maxBytes || (length === 0 && this.#input.size >= maxBytes);
      if (dropped > 0 || tooLong) {
        const part = length > 0 ? length : this.#input.size;
        this.#input.take(part);
        dropped += part;
        this.#resumeIfDrained();
        if (length > 0) {
          throw new ConnectionError("line", `line longer than ${maxBytes} bytes`);
        }
        if (dropped > maxBytes + maxDropped) {
          this.destroy();
          throw new ConnectionError("closed", "line without end");
        }
      } else if (length > 0) {
        return this.#takeLine(length);
      }
      const failure = this.#inputFailure();
      if (failure !== undefined) throw failure;
      if (this.#stopping && this.#input.size === 0 && dropped === 0) {
        throw new ConnectionError("shutdown", "server is shutting down");
      }
      if (performance.now() >= deadline) throw this.#timeoutError();
      await this.#inputEvent(deadline);
    }
  }

  readSome(maxBytes: number): Promise<Uint8Array> {
    if (this.#input.size > 0) return Promise.resolve(this.#takeSome(maxBytes));
    return this.#readSomeSlowly(maxBytes);
  }

  #takeSome(maxBytes: number): Uint8Array {
    const view = this.#input.take(maxBytes);
    if (this.#paused) this.#resumeIfDrained();
    return view;
  }

  async #readSomeSlowly(maxBytes: number): Promise<Uint8Array> {
    const deadline = performance.now() + this.readTimeout;
    for (;;) {
      if (this.#input.size > 0) return this.#takeSome(maxBytes);
      const failure = this.#inputFailure();
      if (failure !== undefined) throw failure;
      if (performance.now() >= deadline) throw this.#timeoutError();
      await this.#inputEvent(deadline);
    }
  }

  unread(bytes: Uint8Array): void {
    this.#input.unread(bytes);
  }

  async waitInput(signal?: AbortSignal): Promise<void> {
    const deadline = performance.now() + this.readTimeout;
    const aborted = () => this.#wakeReader();
    signal?.addEventListener("abort", aborted);
    try {
      while (
        this.#input.size === 0 && !signal?.aborted && !this.#stopping &&
        this.#inputFailure() === undefined
      ) {
        if (performance.now() >= deadline) throw this.#timeoutError();
        await this.#inputEvent(deadline);
      }
    } finally {
      signal?.removeEventListener("abort", aborted);
    }
  }

  /** From now on waiting for the start of a line fails with "shutdown"; what runs goes on. */
  stop(): void {
    this.#stopping = true;
    this.#wakeReader();
  }

  // ---- output

  write(data: string | Uint8Array): void {
    if (this.#closed || data.length === 0) return;
    if (typeof data === "string") {
      // A UTF-16 unit takes at most 3 bytes.
      if (data.length * 3 > outBufferSize) {
        this.#sendBuffered();
        this.#send(encoder.encode(data), undefined);
        return;
      }
      if (this.#outLength + data.length * 3 > outBufferSize) this.#sendBuffered();
      this.#out ??= takeOutBuffer();
      const room = this.#outLength === 0 ? this.#out : this.#out.subarray(this.#outLength);
      this.#outLength += encoder.encodeInto(data, room).written;
      return;
    }
    if (this.#outLength + data.length > outBufferSize) this.#sendBuffered();
    if (data.length > ownPiece) {
      this.#sendBuffered();
      this.#send(data.slice(), undefined);
      return;
    }
    this.#out ??= takeOutBuffer();
    this.#out.set(data, this.#outLength);
    this.#outLength += data.length;
  }

  #sendBuffered(): void {
    if (this.#outLength === 0) return;
    const buffer = this.#out!;
    const bytes = buffer.subarray(0, this.#outLength);
    this.#out = undefined;
    this.#outLength = 0;
    this.#send(bytes, buffer);
  }

  /** Hands bytes to the socket; the buffer they lie in is given back when it has taken them. */
  #send(bytes: Uint8Array, buffer: Uint8Array | undefined): void {
    if (this.#closed) return;
    const n = bytes.length;
    this.#inFlight += n;
    const sent = (e?: Error | null): void => {
      if (e) this.#error ??= e;
      else if (buffer !== undefined) releaseOutBuffer(buffer);
      this.#inFlight -= n;
      if (this.#outputWait !== undefined && this.#inFlight <= this.#limit) this.#wakeWriter();
    };
    if (this.#compression !== undefined) this.#compression.write(bytes, sent);
    else this.#socket.write(bytes, sent);
  }

  #wakeWriter(): void {
    const w = this.#outputWait;
    if (w === undefined) return;
    this.#outputWait = undefined;
    w.resolve();
  }

  #outputFailure(): ConnectionError | undefined {
    if (this.#error instanceof ConnectionError) return this.#error;
    if (this.#error !== undefined) {
      return new ConnectionError("closed", "connection failed", { cause: this.#error });
    }
    return this.#closed ? new ConnectionError("closed", "connection closed") : undefined;
  }

  flush(): Promise<void> {
    this.#sendBuffered();
    this.#compression?.flush();
    if (this.#inFlight <= maxInFlight) {
      const failure = this.#outputFailure();
      return failure === undefined ? Promise.resolve() : Promise.reject(failure);
    }
    return this.#drain(maxInFlight / 2, this.writeTimeout);
  }

  /** Waits until at most so many bytes are in flight. A peer that doesn't read in time is dropped. */
  async #drain(limit: number, timeout: number): Promise<void> {
    const waiter: Waiter = {
      expiresAt: Infinity,
      ownTimer: undefined,
      expire: () => {
        this.#error ??= new ConnectionError("timeout", "peer does not read");
        this.destroy();
        this.#wakeWriter();
      },
    };
    register(waiter);
    arm(waiter, timeout);
    try {
      while (this.#inFlight > limit) {
        const failure = this.#outputFailure();
        if (failure !== undefined) throw failure;
        this.#limit = limit;
        this.#outputWait ??= newWait();
        await this.#outputWait.promise;
      }
    } finally {
      unregister(waiter);
    }
    const failure = this.#outputFailure();
    if (failure !== undefined) throw failure;
  }

  // ---- layers

  async startTlsServer(context: ServerTls): Promise<void> {
    this.#sendBuffered();
    await this.#drain(0, this.writeTimeout);
    const raw = this.#detach(true);
    await this.#handshake(raw, (timeout) => serverHandshake(raw, context, timeout));
  }

  async startTlsClient(options: ClientTls): Promise<void> {
    this.#sendBuffered();
    await this.#drain(0, this.writeTimeout);
    const raw = this.#detach(false);
    await this.#handshake(raw, (timeout) => clientHandshake(raw, options, timeout));
  }

  /** Takes the socket from under this connection, without what had arrived in plain. */
  #detach(dropPending: boolean): Socket {
    const raw = this.#socket;
    if (this.#attached) {
      raw.off("data", this.#onData);
      raw.off("end", this.#onEnd);
      raw.pause();
      // RFC 3207 §4.2: what was received before the handshake must not be used after it.
      while (dropPending && raw.read() !== null);
    }
    this.#input.clear();
    this.#attached = false;
    this.#paused = false;
    raw.off("error", this.#onError);
    raw.off("close", this.#onClose);
    raw.on("error", ignore);
    return raw;
  }

  async #handshake(
    raw: Socket,
    run: (timeout: number) => Promise<{ socket: TLSSocket; info: TlsInfo }>,
  ): Promise<void> {
    if (this.#ended || raw.destroyed) {
      this.destroy();
      throw new ConnectionError("closed", "connection closed by the peer");
    }
    try {
      const { socket, info } = await run(Math.min(60_000, this.readTimeout));
      this.#socket = socket;
      this.#tls = info;
      socket.allowHalfOpen = true;
      socket.on("error", this.#onError);
      socket.on("close", this.#onClose);
      if (socket.destroyed) this.#onClose();
    } catch (e) {
      this.#log.debug("tls handshake failed", { err: e as Error, remote: this.remoteIp });
      raw.destroy();
      this.#onClose();
      throw e;
    }
  }

  startDeflate(): void {
    if (this.#compression !== undefined || this.#closed) return;
    this.#sendBuffered();
    const pending = this.#input.size > 0 ? this.#input.take(this.#input.size) : undefined;
    const socket = this.#socket;
    this.#compression = new Compression({
      send: (bytes, sent) => socket.write(bytes, sent),
      arrived: this.#arrived,
      ended: this.#inputEnded,
      failed: this.#onError,
      ready: () => socket.resume(),
    });
    if (this.#paused) {
      this.#paused = false;
      socket.resume();
    }
    if (pending !== undefined) this.#onData(pending as Buffer);
  }

  // ---- end

  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async #close(): Promise<void> {
    if (this.#closed) return;
    try {
      this.#sendBuffered();
      this.#compression?.flush();
      await this.#drain(0, lingerMs);
    } catch {
      // The peer went away or doesn't read: nothing left to say.
      this.destroy();
      return;
    }
    if (this.#closed) return;
    const gone = newWait();
    this.#onClosed.push(gone.resolve);
    const timer = setTimeout(() => this.destroy(), lingerMs);
    await this.#compression?.finish();
    // Closing a socket with unread input makes TCP reset it, and the peer may lose our last answer.
    this.#socket.off("data", this.#onData);
    this.#input.clear();
    this.#socket.on("data", ignore);
    this.#socket.on("end", () => this.destroy());
    this.#socket.resume();
    this.#socket.end();
    if (this.#ended) this.#socket.once("finish", () => this.destroy());
    await gone.promise;
    clearTimeout(timer);
  }

  destroy(): void {
    this.#socket.destroy();
    this.#onClose();
  }
}

/** A connection on a socket that a listener accepted. */
export function acceptConnection(socket: Socket, options: ConnectionOptions): SocketConnection {
  return new SocketConnection(socket, options);
}
