/**
 * A connection by HTTP/2 (RFC 9113): its streams become requests, so many at a time.
 *
 * The runtime's session reads and writes frames, header compression included, and refuses what breaks the protocol:
 * header lists that are too large or come in too many frames (CVE-2024-27316), answers that pile up unread to pings
 * and settings (CVE-2019-9512, -9515). The gate counts the rest.
 *
 * @module
 */
import {
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { Duplex } from "node:stream";
import type { Answering, HttpConnection } from "../answering.ts";
import { FrameGate } from "./gate.ts";
import { AnswerStream, maxHeaderSize, requestOfStream } from "./stream.ts";
import { Turns } from "./turns.ts";

/** Streams that a client may have open; RFC 9113 §6.5.2 recommends no fewer. */
const maxStreams = 100;
/** Bytes of a body that a client may send before they are read. */
const streamWindow = 256 * 1024;
/** Milliseconds for a client that is sent away to read why. */
const lingerTime = 2_000;
/** RFC 9113 §7. */
const noError = 0;
const enhanceYourCalm = 0xb;

/** What a connection is served with. Times in milliseconds. */
export interface Version2Options {
  protocol: string;
  connection: HttpConnection;
  answering: Answering;
  stopping: AbortSignal;
  idleTimeout: number;
  headerTimeout: number;
}

/** One connection. */
export class Version2Connection {
  /** Settles when it is closed. */
  readonly done: Promise<void>;
  readonly #o: Version2Options;
  readonly #gate: FrameGate;
  readonly #session: ServerHttp2Session;
  readonly #streams = new Set<ServerHttp2Stream>();
  readonly #turns = new Turns();
  #idle: ReturnType<typeof setTimeout> | undefined;
  #header: ReturnType<typeof setTimeout> | undefined;
  #ended = false;

  constructor(socket: Duplex, o: Version2Options) {
    this.#o = o;
    this.#gate = new FrameGate(socket, o.protocol, {
      held: () => this.#held(),
      tooMuch: (what) => this.#sendAway(what),
      input: () => this.#watchHeader(),
      ended: () => {
        this.#ended = true;
        // What came before it may not have become requests yet.
        if (this.#streams.size === 0) this.#watchIdle();
      },
    });
    this.done = new Promise((resolve) => this.#gate.on("close", () => resolve()));
    this.#gate.on("close", () => this.#closed());
    this.#gate.on("error", () => {});
    this.#session = performServerHandshake(this.#gate, {
      settings: {
        maxConcurrentStreams: maxStreams,
        maxHeaderListSize: maxHeaderSize,
        initialWindowSize: streamWindow,
      },
    });
    // What ends a session is the client's doing, or the end of its connection.
    this.#session.on("error", () => this.#gate.destroy());
    this.#session.on("close", () => this.#gate.destroy());
    this.#session.on(
      "stream",
      (stream: ServerHttp2Stream, _headers: unknown, _flags: number, fields: string[]) =>
        this.#begin(stream, fields),
    );
    this.#watchIdle();
  }

  /** Finishes what is under way, and takes no more requests. */
  stop(): void {
    if (this.#streams.size === 0) this.#gate.destroy();
    else if (!this.#session.closed) this.#session.close();
  }

  #begin(stream: ServerHttp2Stream, fields: string[]): void {
    const { connection: c, answering, stopping } = this.#o;
    clearTimeout(this.#idle);
    this.#streams.add(stream);
    const gone = new AbortController();
    const to = new AnswerStream(stream, this.#gate);
    // Resets and broken connections; "close" follows.
    stream.on("error", () => {});
    stream.on("close", () => {
      this.#streams.delete(stream);
      if (to.whole && stream.rstCode === noError) this.#gate.allowances.answered();
      else gone.abort();
      this.#gate.count();
      if (this.#streams.size > 0) return;
      if (this.#ended || stopping.aborted) this.#session.close();
      else this.#watchIdle();
    });
    const { signal } = gone;
    const r = requestOfStream(stream, fields);
    this.#turns.take(signal, async (done) => {
      await answering.answer({
        version: "2",
        read: () => r.read({ ...c, signal, stopping }),
        method: r.method,
        host: r.host,
        to,
        until: stream,
        signal,
        onStreaming: done,
      }, c);
    });
  }

  /** Bodies that nobody has read, answers that the client has not taken. */
  #held(): number {
    let held = 0;
    for (const s of this.#streams) held += s.readableLength + s.writableLength;
    return held;
  }

  #watchIdle(): void {
    clearTimeout(this.#idle);
    const most = this.#ended ? lingerTime : this.#o.idleTimeout;
    this.#idle = setTimeout(() => this.#gate.destroy(), most);
  }

  /** A header list has its time from when it begins to come. */
  #watchHeader(): void {
    if (!this.#gate.inHeaders) {
      clearTimeout(this.#header);
      this.#header = undefined;
    } else {
      this.#header ??= setTimeout(() => this.#gate.destroy(), this.#o.headerTimeout);
    }
  }

  #sendAway(what: "streams" | "frames"): void {
    this.#o.connection.log.info("closing connection by HTTP/2 that makes work for nothing", {
      remote: this.#o.connection.remoteIp,
      of: what,
    });
    if (!this.#session.destroyed) this.#session.goaway(enhanceYourCalm);
    setTimeout(() => this.#gate.end(), 0);
    setTimeout(() => this.#gate.destroy(), lingerTime);
  }

  #closed(): void {
    clearTimeout(this.#idle);
    clearTimeout(this.#header);
    if (!this.#session.destroyed) this.#session.destroy();
  }
}
