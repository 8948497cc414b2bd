/**
 * An HTTP/2 connection (RFC 9113): its streams become requests, a limited number at a time.
 *
 * The runtime's session reads and writes frames, including header compression, and refuses protocol violations:
 * header lists in too many frames (CVE-2024-27316), unread answers to pings and settings that pile up (CVE-2019-9512,
 * -9515). The gate counts the rest.
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
import { Allowances } from "./allowances.ts";
import type { FrameUse } from "./frames.ts";
import { FrameGate } from "./gate.ts";
import { AnswerStream, maxHeaderSize, requestOfStream } from "./stream.ts";
import { isSuspect, sentAway } from "./suspects.ts";
import { Turns } from "./turns.ts";

/** Streams that a client may have open; RFC 9113 §6.5.2 recommends no fewer. */
const maxStreams = 100;
/** The same for a client from a suspect network. */
const maxStreamsOfSuspects = 20;
/** Bytes of a body that a client may send before they are read. */
const streamWindow = 128 * 1024;
/** Unread bytes of a connection's bodies above which waiting requests are refused. */
const maxUnreadBodies = 1024 * 1024;
/** Milliseconds for a disconnected client to read the reason. */
const lingerTime = 1_000;
/** RFC 9113 §7. */
const noError = 0;
const refusedStream = 7;
const enhanceYourCalm = 0xb;

/** Options of a connection. Times in milliseconds. */
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
  /** Streams with waiting requests. */
  readonly #waiting = new Set<ServerHttp2Stream>();
  readonly #turns = new Turns();
  #idle: ReturnType<typeof setTimeout> | undefined;
  #header: ReturnType<typeof setTimeout> | undefined;
  #ended = false;

  constructor(socket: Duplex, options: Version2Options) {
    this.#o = options;
    const { remoteIp, arrival } = options.connection;
    // A proxy that names no clients has good ones too.
    const suspect = !arrival.fromProxy && isSuspect(remoteIp);
    this.#gate = new FrameGate(socket, options.protocol, new Allowances(suspect), {
      unread: () => this.#sum((s) => s.readableLength),
      stalled: () => this.#sum((s) => s.writableLength),
      tooMuch: (what) => this.#sendAway(what),
      input: () => {
        this.#watchHeader();
        this.#refuseBodies();
      },
      ended: () => {
        this.#ended = true;
        // Earlier input may not have become requests yet.
        if (this.#streams.size === 0) this.#watchIdle();
      },
      lost: () => this.#session.destroy(),
    });
    this.done = new Promise((resolve) => this.#gate.on("close", () => resolve()));
    this.#gate.on("close", () => this.#closed());
    this.#gate.on("error", () => {});
    this.#session = performServerHandshake(this.#gate, {
      settings: {
        maxConcurrentStreams: suspect ? maxStreamsOfSuspects : maxStreams,
        maxHeaderListSize: maxHeaderSize,
        initialWindowSize: streamWindow,
      },
    });
    // Errors of a session are caused by the client, or by the end of its connection.
    this.#session.on("error", () => this.#gate.destroy());
    this.#session.on("close", () => this.#gate.destroy());
    this.#session.on(
      "stream",
      (stream: ServerHttp2Stream, _headers: unknown, _flags: number, fields: string[]) =>
        this.#begin(stream, fields),
    );
    this.#watchIdle();
  }

  /** Finishes current requests, and accepts no more. */
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
    stream.on("drain", () => this.#gate.taken());
    stream.on("close", () => {
      this.#streams.delete(stream);
      this.#waiting.delete(stream);
      if (to.whole && stream.rstCode === noError) this.#gate.allowances.answered();
      else gone.abort();
      this.#gate.taken();
      if (this.#streams.size > 0) return;
      if (this.#ended || stopping.aborted) this.#session.close();
      else this.#watchIdle();
    });
    const { signal } = gone;
    const r = requestOfStream(stream, fields);
    this.#waiting.add(stream);
    this.#turns.take(signal, async (done) => {
      this.#waiting.delete(stream);
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

  /** Refuses waiting requests: nothing was done for them, so the client may retry (RFC 9113 §8.7). */
  #refuseBodies(): void {
    if (this.#sum((s) => s.readableLength) <= maxUnreadBodies) return;
    for (const s of this.#waiting) {
      if (s.readableLength === 0) continue;
      s.close(refusedStream);
      // Received data is dropped.
      s.resume();
    }
  }

  #sum(of: (stream: ServerHttp2Stream) => number): number {
    let sum = 0;
    for (const s of this.#streams) sum += of(s);
    return sum;
  }

  #watchIdle(): void {
    clearTimeout(this.#idle);
    // Streams end after their connection.
    if (this.#gate.destroyed) return;
    const most = this.#ended ? lingerTime : this.#o.idleTimeout;
    this.#idle = setTimeout(() => this.#gate.destroy(), most);
  }

  /** The time limit for a header list starts with its first byte. */
  #watchHeader(): void {
    if (!this.#gate.inHeaders) {
      clearTimeout(this.#header);
      this.#header = undefined;
    } else {
      this.#header ??= setTimeout(() => this.#gate.destroy(), this.#o.headerTimeout);
    }
  }

  #sendAway(what: FrameUse): void {
    this.#o.connection.log.info("closing connection by HTTP/2 that makes work for nothing", {
      remote: this.#o.connection.remoteIp,
      of: what,
    });
    sentAway(this.#o.connection.remoteIp);
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
