/** Frames of the websocket protocol, on the server's side (RFC 6455 §5). @module */

/** A received frame or message. */
export interface Incoming {
  kind: "text" | "binary" | "ping" | "pong" | "close";
  data: Uint8Array;
}

/** A client's error, as a status of §7.4.1. */
export class FrameError extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.name = "FrameError";
    this.code = code;
  }
}

const controls: Record<number, Incoming["kind"]> = { 8: "close", 9: "ping", 10: "pong" };

/** Most frames of a message; one with more ends the connection. */
const maxFrames = 10_000;
/**
 * Bytes of a piece of a message: pieces are allocated as bytes arrive, so that merely announcing them takes no
 * memory.
 */
const pieceSize = 64 * 1024;
/** Most bytes of a frame's head, with its mask. */
const longestHead = 14;
/** Most bytes of a control frame (RFC 6455 §5.5). */
const maxControl = 125;

/** The frame being read. */
interface Frame {
  opcode: number;
  isLast: boolean;
  /** Its bytes, and those still missing. */
  length: number;
  left: number;
}

/** Accepts bytes in pieces of any size, and returns messages when complete. */
export class FrameReader {
  readonly #max: number;
  readonly #head = new Uint8Array(longestHead);
  #headLength = 0;
  readonly #mask = new Uint8Array(4);
  #frame: Frame | undefined;
  readonly #control = new Uint8Array(maxControl);
  /** A partly received message; all pieces but the last are full. */
  #pieces: Uint8Array<ArrayBuffer>[] = [];
  #size = 0;
  #frames = 0;
  #kind: "text" | "binary" | undefined;

  /** @param max most bytes of a message */
  constructor(max: number) {
    this.#max = max;
  }

  /** Bytes held for an incomplete message. */
  get held(): number {
    return this.#pieces.length * pieceSize;
  }

  /** @throws FrameError */
  push(bytes: Uint8Array): Incoming[] {
    const out: Incoming[] = [];
    let at = 0;
    for (;;) {
      if (this.#frame === undefined) {
        at = this.#readHead(bytes, at);
        if (this.#frame === undefined) return out;
      }
      const f: Frame = this.#frame;
      const n = Math.min(f.left, bytes.length - at);
      if (n > 0) this.#take(f, bytes.subarray(at, at + n));
      at += n;
      if (f.left > 0) return out;
      this.#frame = undefined;
      const whole = this.#ended(f);
      if (whole !== undefined) out.push(whole);
    }
  }

  /** Reads available bytes of a head; returns the position after them. @throws FrameError */
  #readHead(bytes: Uint8Array, from: number): number {
    const head = this.#head;
    let at = from;
    for (;;) {
      const code = this.#headLength < 2 ? 0 : head[1] & 0x7f;
      const size = this.#headLength < 2 ? 2 : 6 + (code === 127 ? 8 : code === 126 ? 2 : 0);
      while (this.#headLength < size && at < bytes.length) head[this.#headLength++] = bytes[at++];
      if (this.#headLength < size) return at;
      if (size > 2) break;
      this.#checkStart();
    }
    this.#begin();
    return at;
  }

  /** The first two bytes of a frame. @throws FrameError */
  #checkStart(): void {
    const [first, second] = this.#head;
    const opcode = first & 0x0f;
    if ((first & 0x70) !== 0) throw new FrameError(1002, "reserved bits are set");
    if ((second & 0x80) === 0) throw new FrameError(1002, "frame of a client without mask");
    if (controls[opcode] !== undefined) {
      if ((first & 0x80) === 0 || (second & 0x7f) > maxControl) {
        throw new FrameError(1002, "control frame that is divided, or too long");
      }
    } else if (opcode > 2) throw new FrameError(1002, "unknown kind of frame");
    else if ((opcode === 0) !== (this.#kind !== undefined)) {
      throw new FrameError(1002, "message in the middle of another, or end of none");
    }
  }

  /** Called when the head is complete. @throws FrameError */
  #begin(): void {
    const head = this.#head;
    const view = new DataView(head.buffer);
    const code = head[1] & 0x7f;
    const length = code === 127
      ? view.getUint32(2) * 2 ** 32 + view.getUint32(6)
      : code === 126
      ? view.getUint16(2)
      : code;
    this.#mask.set(head.subarray(this.#headLength - 4, this.#headLength));
    this.#headLength = 0;
    const opcode = head[0] & 0x0f;
    if (controls[opcode] === undefined) {
      if (this.#size + length > this.#max) {
        throw new FrameError(1009, `a message can have ${this.#max} bytes`);
      }
      if (++this.#frames > maxFrames) throw new FrameError(1008, "message of too many frames");
      if (opcode !== 0) this.#kind = opcode === 1 ? "text" : "binary";
    }
    this.#frame = { opcode, isLast: (head[0] & 0x80) !== 0, length, left: length };
  }

  /** Reads bytes of a frame. */
  #take(f: Frame, bytes: Uint8Array): void {
    const done = f.length - f.left;
    f.left -= bytes.length;
    if (controls[f.opcode] !== undefined) return this.#unmask(bytes, done, this.#control, done);
    for (let at = 0; at < bytes.length;) {
      const full = this.#size % pieceSize;
      if (full === 0) this.#pieces.push(new Uint8Array(pieceSize));
      const part = bytes.subarray(at, at + pieceSize - full);
      this.#unmask(part, done + at, this.#pieces.at(-1)!, full);
      this.#size += part.length;
      at += part.length;
    }
  }

  /**
   * Four bytes at a time: one by one, what fifty connections send held the loop for 800 ms.
   *
   * @param at the position of the bytes in their frame
   * @param into begins where its memory begins
   */
  #unmask(bytes: Uint8Array, at: number, into: Uint8Array, to: number): void {
    const mask = this.#mask;
    const end = to + bytes.length;
    into.set(bytes, to);
    let i = to;
    const byBytes = (until: number) => {
      for (; i < until; i++) into[i] ^= mask[(at + i - to) & 3];
    };
    byBytes(Math.min(end, (to + 3) & ~3));
    if (end - i < 4) return byBytes(end);
    const words = new Int32Array(into.buffer, i, (end - i) >> 2);
    const turned = Uint8Array.from(mask, (_, k) => mask[(at + i - to + k) & 3]);
    const word = new Int32Array(turned.buffer)[0];
    for (let k = 0; k < words.length; k++) words[k] ^= word;
    i += 4 * words.length;
    byBytes(end);
  }

  /** Called when a frame is complete; returns the message that it completes, if any. */
  #ended(f: Frame): Incoming | undefined {
    const control = controls[f.opcode];
    if (control !== undefined) return { kind: control, data: this.#control.slice(0, f.length) };
    if (!f.isLast) return undefined;
    const data = new Uint8Array(this.#size);
    for (const [i, piece] of this.#pieces.entries()) {
      data.set(piece.subarray(0, this.#size - i * pieceSize), i * pieceSize);
    }
    const kind = this.#kind!;
    this.drop();
    this.#frames = 0;
    this.#kind = undefined;
    return { kind, data };
  }

  /** Lets go of what has come of a message: its memory is given back at once, not when it is collected. */
  drop(): void {
    for (const piece of this.#pieces) piece.buffer.transfer(0);
    this.#pieces = [];
    this.#size = 0;
  }
}

const opcodes = { text: 1, close: 8, ping: 9, pong: 10 } as const;

/** A server frame: complete and unmasked. */
export function frame(kind: keyof typeof opcodes, ...pieces: Uint8Array[]): Uint8Array {
  const length = pieces.reduce((sum, p) => sum + p.length, 0);
  const head = length < 126 ? 2 : length < 65536 ? 4 : 10;
  const out = new Uint8Array(head + length);
  out[0] = 0x80 | opcodes[kind];
  const view = new DataView(out.buffer);
  if (head === 2) out[1] = length;
  else if (head === 4) {
    out[1] = 126;
    view.setUint16(2, length);
  } else {
    out[1] = 127;
    view.setUint32(2, Math.floor(length / 2 ** 32));
    view.setUint32(6, length % 2 ** 32);
  }
  let at = head;
  for (const piece of pieces) {
    out.set(piece, at);
    at += piece.length;
  }
  return out;
}

/** A close frame with its status and reason. */
export function closeFrame(code: number, reason: string): Uint8Array {
  const text = new TextEncoder().encode(reason).subarray(0, 120);
  const data = new Uint8Array(2 + text.length);
  new DataView(data.buffer).setUint16(0, code);
  data.set(text, 2);
  return frame("close", data);
}
