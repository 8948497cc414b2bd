/**
 * A TCP connection for protocol servers and clients: lines and bytes in, buffered output out; TLS and
 * compression can be added while it runs.
 *
 * Errors of the socket never surface by themselves: they end the running read or flush, or the next one, as a
 * {@link ConnectionError}.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { Log, newCid } from "../log/mod.ts";
import { nextTurn, turnSpent } from "../platform/turns.ts";
import { Share } from "./budget.ts";
import { Compression } from "./compression.ts";
import { register, unregister } from "./deadlines.ts";
import { type Arrival, peerOf } from "./proxied/arrival.ts";
import { Reader } from "./reader.ts";
import { clientHandshake, serverHandshake } from "./tls.ts";
import {
  type ClientTls,
  type Connection,
  ConnectionError,
  type ConnectionState,
  type Peer,
  type ServerTls,
  type TlsInfo,
} from "./types.ts";
import { Writer } from "./writer.ts";

const lingerMs = 1000;

/** Bytes that compression in both directions holds (zlib's windows and tables). */
const compressionCost = 300 * 1024;
/** Most commands read from the input of one connection per turn of the loop. */
const commandsInTurn = 256;

const ignore = () => {};

/**
 * Client and proxy have a separate TLS session with other certificates: nothing of ours can bind to or
 * authenticate the client.
 */
function ofProxy(tls: TlsInfo): TlsInfo {
  return { ...tls, channelBindings: new Map(), peerCertificate: undefined };
}

/** How a connection is set up. */
export interface ConnectionOptions {
  cid: number;
  log: Log;
  /** For the metrics of connections closed because memory is short. */
  protocol?: string;
  /** Milliseconds, 5 minutes if not given. */
  readTimeout?: number;
  /** Milliseconds, 5 minutes if not given. */
  writeTimeout?: number;
  /** TLS that is already on. */
  tls?: TlsInfo;
  /** The client named by a proxy in front; the socket's own ends if not given. */
  arrival?: Arrival;
}

/** A {@link Connection} on a connected socket of node:net. */
export class SocketConnection implements Connection {
  cid: number;

  readonly #log: Log;
  #peer: Peer;
  readonly #arrival: Arrival | undefined;
  #fromProxy: boolean;
  /** This connection's TLS is with the proxy, not the client. */
  #proxyTls: boolean;
  readonly #state: ConnectionState = { error: undefined, closed: false };
  readonly #share: Share;
  readonly #reader: Reader;
  readonly #writer: Writer;
  /** Lines read without waiting since the last turn of the loop. */
  #linesInTurn = 0;
  #socket: Socket;
  #tls: TlsInfo | undefined;
  /** The state before the proxy at the other end named a client. */
  #unnamed: { peer: Peer; tls: TlsInfo | undefined; proxyTls: boolean } | undefined;
  #compression: Compression | undefined;
  /** Whether input is taken from the socket. */
  #attached = false;
  /** A TLS socket is paused, or is about to be. */
  #held = false;
  #closing: Promise<void> | undefined;
  #onClosed: (() => void)[] = [];

  constructor(socket: Socket, options: ConnectionOptions) {
    this.cid = options.cid;
    this.#log = options.log;
    this.#arrival = options.arrival;
    this.#peer = options.arrival?.peer ?? peerOf(socket);
    this.#fromProxy = options.arrival?.fromProxy === true;
    this.#proxyTls = options.arrival?.tls !== undefined;
    this.#tls = options.tls ?? options.arrival?.tls;
    this.#socket = socket;
    const destroy = () => this.destroy();
    this.#share = new Share(options.protocol ?? "other", () => this.#shed());
    this.#reader = new Reader(
      this.#state,
      {
        start: () => this.#startReading(),
        pause: () => this.#compression ? this.#compression.pause() : this.#hold(),
        resume: () => this.#compression ? this.#compression.resume() : this.#release(),
        destroy,
      },
      this.#share,
      options.readTimeout ?? 300_000,
    );
    this.#writer = new Writer(
      this.#state,
      {
        write: (bytes, sent) => void (this.#compression ?? this.#socket).write(bytes, sent),
        flush: () => this.#compression?.flush(),
        destroy,
        ahead: () => this.#reader.buffered,
      },
      this.#share,
      options.writeTimeout ?? 300_000,
    );
    socket.allowHalfOpen = true;
    socket.setNoDelay(true);
    socket.on("error", this.#onError);
    socket.on("close", this.#onClose);
    if (socket.destroyed) {
      this.#state.closed = true;
      this.#share.end();
    } else register(this.#reader);
  }

  get remoteIp(): string {
    return this.#peer.remoteIp;
  }

  get remotePort(): number {
    return this.#peer.remotePort;
  }

  get localIp(): string {
    return this.#peer.localIp;
  }

  get localPort(): number {
    return this.#peer.localPort;
  }

  get fromProxy(): boolean {
    return this.#fromProxy;
  }

  clientIs(client: Partial<Peer>, tls?: TlsInfo | null): boolean {
    const peer = { ...this.#peer, ...client };
    if (client.remoteIp !== undefined) {
      if (this.#arrival?.named(client.remoteIp) !== true) return false;
      if (this.#fromProxy) {
        this.#unnamed = { peer: this.#peer, tls: this.#tls, proxyTls: this.#proxyTls };
      }
      this.#fromProxy = false;
      this.#proxyTls = true;
      if (this.#tls !== undefined) this.#tls = ofProxy(this.#tls);
    }
    this.#peer = peer;
    if (tls !== undefined) this.#tls = tls ?? undefined;
    return true;
  }

  /**
   * The next input belongs to another client, which the proxy at the other end must still name. Sets a new cid.
   */
  clientGone(): void {
    this.cid = newCid();
    if (this.#unnamed === undefined) return;
    ({ peer: this.#peer, tls: this.#tls, proxyTls: this.#proxyTls } = this.#unnamed);
    this.#unnamed = undefined;
    this.#fromProxy = true;
  }

  get tls(): TlsInfo | undefined {
    return this.#tls;
  }

  get closed(): boolean {
    return this.#state.closed;
  }

  get ended(): boolean {
    return this.#reader.ended || this.#state.closed;
  }

  // ---- input

  get readTimeout(): number {
    return this.#reader.timeout;
  }

  set readTimeout(ms: number) {
    this.#reader.timeout = ms;
  }

  get buffered(): number {
    return this.#reader.buffered;
  }

  get hasLine(): boolean {
    return this.#reader.hasLine;
  }

  get mailUnderWay(): boolean {
    return this.#share.mail;
  }

  set mailUnderWay(mail: boolean) {
    this.#share.mail = mail;
  }

  get lastLineBareLf(): boolean {
    return this.#reader.lastLineBareLf;
  }

  readLine(maxBytes: number): Promise<Uint8Array> {
    if (!this.#reader.hasLine) {
      this.#linesInTurn = 0;
      if (!this.#writer.crowded) return this.#reader.readLine(maxBytes);
    } else if (
      ++this.#linesInTurn < commandsInTurn && !this.#writer.crowded && !turnSpent()
    ) return this.#reader.readLine(maxBytes);
    return this.#readLineInTurn(maxBytes);
  }

  async #readLineInTurn(maxBytes: number): Promise<Uint8Array> {
    this.#linesInTurn = 0;
    // A peer that leaves answers unread gets no more of them.
    if (this.#writer.crowded) await this.#writer.uncrowded();
    else await nextTurn(this.#reader.buffered);
    return await this.#reader.readLine(maxBytes);
  }

  readSome(maxBytes: number): Promise<Uint8Array> {
    return this.#reader.readSome(maxBytes);
  }

  unread(bytes: Uint8Array): void {
    this.#reader.unread(bytes);
  }

  waitInput(signal?: AbortSignal): Promise<void> {
    return this.#reader.waitInput(signal);
  }

  /** From now on waiting for the start of a line fails with "shutdown"; running work continues. */
  stop(): void {
    this.#reader.stop();
  }

  // ---- output

  get writeTimeout(): number {
    return this.#writer.timeout;
  }

  set writeTimeout(ms: number) {
    this.#writer.timeout = ms;
  }

  write(data: string | Uint8Array): void {
    this.#writer.write(data);
  }

  flush(): Promise<void> {
    return this.#writer.flush();
  }

  // ---- events of the socket

  // Input is taken from the socket only once somebody reads: a handshake may come first.
  #startReading(): void {
    if (this.#attached || this.#state.closed) return;
    this.#attached = true;
    this.#socket.on("end", this.#onEnd);
    this.#socket.on("data", this.#onData);
    // The peer may have closed its side right after the TLS handshake: that event has already passed.
    if (this.#socket.readableEnded) this.#onEnd();
    else this.#socket.resume();
  }

  #onData = (chunk: Buffer): void => {
    if (this.#compression !== undefined) {
      if (!this.#compression.push(chunk)) this.#hold();
      return;
    }
    this.#reader.arrived(chunk);
  };

  /**
   * Pauses the socket. With TLS only after the turn in which something arrived: if paused while delivering
   * data, the runtime forgets that the peer has closed its side.
   */
  #hold(): void {
    const socket = this.#socket as Socket & { encrypted?: boolean };
    if (socket.encrypted !== true) return void socket.pause();
    if (this.#held) return;
    this.#held = true;
    setTimeout(() => {
      if (this.#held) this.#socket.pause();
    }, 0);
  }

  #release(): void {
    this.#held = false;
    this.#socket.resume();
  }

  #onEnd = (): void => {
    if (this.#compression !== undefined) this.#compression.end();
    else this.#reader.end();
  };

  #onError = (err: Error): void => {
    this.#state.error ??= err;
    this.#reader.wake();
    this.#writer.wake();
  };

  #onClose = (): void => {
    if (this.#state.closed) return;
    this.#state.closed = true;
    unregister(this.#reader);
    this.#compression?.destroy();
    this.#reader.wake();
    this.#writer.clear();
    this.#share.end();
    for (const f of this.#onClosed.splice(0)) f();
  };

  // ---- layers

  async startTlsServer(context: ServerTls): Promise<void> {
    // Before the answer is sent: the peer's hello may have arrived when the end of that write is noticed.
    this.#stopReading(true);
    await this.#writer.drain();
    const raw = this.#detach();
    await this.#handshake(raw, (timeout) => serverHandshake(raw, context, timeout));
  }

  async startTlsClient(options: ClientTls): Promise<void> {
    await this.#writer.drain();
    this.#stopReading(false);
    const raw = this.#detach();
    await this.#handshake(raw, (timeout) => clientHandshake(raw, options, timeout));
  }

  /** Leaves further input in the socket, and drops plain-text input that has arrived. */
  #stopReading(dropPending: boolean): void {
    const raw = this.#socket;
    if (this.#attached) {
      raw.off("data", this.#onData);
      raw.off("end", this.#onEnd);
      raw.pause();
      // RFC 3207 §4.2: input received before the handshake must not be used after it.
      while (dropPending && raw.read() !== null);
    }
    this.#reader.clear();
    this.#attached = false;
    this.#held = false;
  }

  /** Takes the socket away from this connection. */
  #detach(): Socket {
    const raw = this.#socket;
    raw.off("error", this.#onError);
    raw.off("close", this.#onClose);
    raw.on("error", ignore);
    return raw;
  }

  async #handshake(
    raw: Socket,
    run: (timeout: number) => Promise<{ socket: TLSSocket; info: TlsInfo }>,
  ): Promise<void> {
    if (this.#reader.ended || raw.destroyed) {
      this.destroy();
      throw new ConnectionError("closed", "connection closed by the peer");
    }
    try {
      const { socket, info } = await run(Math.min(60_000, this.readTimeout));
      this.#socket = socket;
      this.#tls = this.#proxyTls ? ofProxy(info) : info;
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
    if (this.#compression !== undefined || this.#state.closed) return;
    this.#writer.sendBuffered();
    const pending = this.#reader.takeAll();
    const socket = this.#socket;
    this.#share.add(compressionCost);
    this.#compression = new Compression({
      send: (bytes, sent) => socket.write(bytes, sent),
      arrived: (bytes) => this.#reader.arrived(bytes),
      ended: () => this.#reader.end(),
      failed: this.#onError,
      ready: () => this.#release(),
    });
    if (this.#attached) this.#release();
    if (pending !== undefined) this.#onData(pending as Buffer);
  }

  // ---- end

  close(): Promise<void> {
    return this.#closing ??= this.#close();
  }

  async #close(): Promise<void> {
    if (this.#state.closed) return;
    try {
      this.#writer.sendBuffered();
      this.#compression?.flush();
      await this.#writer.drain(lingerMs);
    } catch {
      // The peer is gone or doesn't read: nothing more to send.
      this.destroy();
      return;
    }
    if (this.#state.closed) return;
    const gone = Promise.withResolvers<void>();
    this.#onClosed.push(gone.resolve);
    const timer = setTimeout(() => this.destroy(), lingerMs);
    await this.#compression?.finish();
    // Closing a socket with unread input makes TCP reset it, and the peer may lose our last answer.
    this.#socket.off("data", this.#onData);
    this.#reader.clear();
    this.#socket.on("data", ignore);
    this.#socket.on("end", () => this.destroy());
    this.#release();
    this.#socket.end();
    if (this.#reader.ended) this.#socket.once("finish", () => this.destroy());
    await gone.promise;
    clearTimeout(timer);
  }

  /** Releases its memory. A peer that reads may still get the reason. */
  #shed(): void {
    this.#log.info("closing connection, all of them hold too much memory", {
      remote: this.remoteIp,
      bytes: this.#share.held,
    });
    if (this.#writer.inFlight > 0) return this.destroy();
    this.#reader.overload();
    if (this.#socket.isPaused() === false) this.#hold();
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
