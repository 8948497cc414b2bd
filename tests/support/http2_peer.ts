/** A client of HTTP/2 that writes frames as it likes (RFC 9113), and keeps those that come. */
import { Buffer } from "node:buffer";
import { connect as connectPlain, type Socket } from "node:net";
import { connect, TLSSocket } from "node:tls";
import { pauseTransport } from "../../src/net/tls_pause.ts";

const encoder = new TextEncoder();

/** RFC 9113 §6. */
export const frameType = {
  data: 0,
  headers: 1,
  priority: 2,
  reset: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const endStream = 1;
export const endHeaders = 4;

/** The error of RFC 9113 §7 with which a server sends a client away. */
export const enhanceYourCalm = 0xb;

export interface Frame {
  type: number;
  flags: number;
  stream: number;
  body: Buffer;
}

/** The bytes of a frame. */
export function frame(
  type: number,
  flags: number,
  stream: number,
  body: Uint8Array | readonly number[] = [],
): Uint8Array {
  const bytes = new Uint8Array(9 + body.length);
  bytes.set([body.length >> 16, body.length >> 8 & 255, body.length & 255, type, flags]);
  new DataView(bytes.buffer).setUint32(5, stream);
  bytes.set(body, 9);
  return bytes;
}

function text(value: string): number[] {
  const bytes = encoder.encode(value);
  const length: number[] = [];
  let n = bytes.length;
  if (n < 127) length.push(n);
  else {
    length.push(127);
    for (n -= 127; n >= 128; n = Math.floor(n / 128)) length.push(n % 128 + 128);
    length.push(n);
  }
  return [...length, ...bytes];
}

/** A field of a header list, not compressed; kept in the table for later ones if `indexed` (RFC 7541 §6.2). */
export function field(name: string, value: string, indexed = false): number[] {
  return [indexed ? 0x40 : 0, ...text(name), ...text(value)];
}

/** The header list of a request. */
export function fields(path: string, method = "GET", more: [string, string][] = []): number[] {
  return [
    ...field(":method", method),
    ...field(":scheme", "https"),
    ...field(":path", path),
    ...field(":authority", "localhost"),
    ...more.flatMap(([name, value]) => field(name, value)),
  ];
}

/** A connection. Nothing that arrives is acknowledged unless the test does it. */
export class Http2Peer implements Disposable {
  readonly socket: Socket;
  readonly frames: Frame[] = [];
  closed = false;
  #rest = Buffer.alloc(0);
  #wake = Promise.withResolvers<void>();

  constructor(socket: Socket) {
    this.socket = socket;
    const wake = () => {
      this.#wake.resolve();
      this.#wake = Promise.withResolvers();
    };
    socket.on("data", (chunk: Buffer) => {
      let rest = Buffer.concat([this.#rest, chunk]);
      while (rest.length >= 9) {
        const length = rest.readUIntBE(0, 3);
        if (rest.length < 9 + length) break;
        this.frames.push({
          type: rest[3],
          flags: rest[4],
          stream: rest.readUInt32BE(5) & 0x7fffffff,
          body: rest.subarray(9, 9 + length),
        });
        rest = rest.subarray(9 + length);
      }
      this.#rest = rest;
      wake();
    });
    socket.on("error", () => {});
    socket.on("close", () => {
      this.closed = true;
      wake();
    });
  }

  /** Connects, and sends what a connection begins with. */
  static async to(
    port: number,
    o: { plain?: boolean; before?: Uint8Array } = {},
  ): Promise<Http2Peer> {
    const raw = connectPlain(port, "127.0.0.1");
    const socket = o.plain
      ? raw
      : connect({ socket: raw, rejectUnauthorized: false, ALPNProtocols: ["h2"] });
    // A paused peer leaves what comes to the system.
    if (socket instanceof TLSSocket) pauseTransport(socket, raw);
    const peer = new Http2Peer(socket);
    await new Promise((resolve, reject) => {
      socket.once(o.plain ? "connect" : "secureConnect", resolve);
      socket.once("error", reject);
    });
    if (o.before !== undefined) await peer.send(o.before);
    await peer.send(
      encoder.encode("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
      frame(frameType.settings, 0, 0),
    );
    return peer;
  }

  /** Resolves when the system has taken it; or the connection has ended, or so many milliseconds gone by. */
  send(...frames: Uint8Array[]): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, 20_000);
      this.socket.write(Buffer.concat(frames), () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /** A request without a body. */
  get(stream: number, path: string, more: [string, string][] = []): Promise<void> {
    return this.send(
      frame(frameType.headers, endStream | endHeaders, stream, fields(path, "GET", more)),
    );
  }

  /** Waits until something is there; undefined if the connection ends first. */
  async until<T>(look: () => T | undefined): Promise<T | undefined> {
    for (;;) {
      const next = this.#wake.promise;
      const found = look();
      if (found !== undefined || this.closed) return found;
      await next;
    }
  }

  /** Waits for the end of a stream's answer: its body, or "reset" with the error; undefined if the connection ends. */
  answer(stream: number): Promise<string | undefined> {
    return this.until(() => {
      const of = this.frames.filter((f) => f.stream === stream);
      const reset = of.find((f) => f.type === frameType.reset);
      const ended = of.some((f) =>
        (f.type === frameType.data || f.type === frameType.headers) && (f.flags & endStream) !== 0
      );
      if (ended) {
        return Buffer.concat(of.filter((f) => f.type === frameType.data).map((f) => f.body))
          .toString();
      }
      return reset === undefined ? undefined : `reset ${reset.body.readUInt32BE(0)}`;
    });
  }

  /** Waits for the server to send the client away; the error it gives. */
  async sentAway(): Promise<number | undefined> {
    const f = await this.until(() => this.frames.find((f) => f.type === frameType.goaway));
    return f?.body.readUInt32BE(4);
  }

  /** Waits for the end of the connection. */
  async ended(): Promise<void> {
    await this.until(() => undefined);
  }

  [Symbol.dispose](): void {
    this.socket.destroy();
  }
}
