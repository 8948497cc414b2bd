/** Frames of the websocket protocol, on the server's side (RFC 6455 §5). @module */

/** A frame, or message, that came in. */
export interface Incoming {
  kind: "text" | "binary" | "ping" | "pong" | "close";
  data: Uint8Array;
}

/** What a client did wrong, as a status of §7.4.1. */
export class FrameError extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.name = "FrameError";
    this.code = code;
  }
}

const controls: Record<number, Incoming["kind"]> = { 8: "close", 9: "ping", 10: "pong" };

/** Takes bytes in pieces of any size, and gives messages as they are whole. */
export class FrameReader {
  readonly #max: number;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  /** Pieces of a message that goes on in the next frame. */
  #parts: Uint8Array[] = [];
  #partBytes = 0;
  #kind: "text" | "binary" | undefined;

  /** @param max bytes of a message */
  constructor(max: number) {
    this.#max = max;
  }

  #peek(n: number): Uint8Array | undefined {
    if (this.#heldBytes < n) return undefined;
    if (this.#held[0].length < n) {
      const all = new Uint8Array(this.#heldBytes);
      let at = 0;
      for (const b of this.#held) {
        all.set(b, at);
        at += b.length;
      }
      this.#held = [all];
    }
    return this.#held[0];
  }

  #skip(n: number): void {
    const [first] = this.#held;
    if (n === first.length) this.#held.shift();
    else this.#held[0] = first.subarray(n);
    this.#heldBytes -= n;
  }

  /** @throws FrameError */
  push(bytes: Uint8Array): Incoming[] {
    if (bytes.length > 0) {
      this.#held.push(bytes);
      this.#heldBytes += bytes.length;
    }
    const out: Incoming[] = [];
    for (let m = this.#frame(); m !== undefined; m = this.#frame()) {
      if (m !== "part") out.push(m);
    }
    return out;
  }

  #frame(): Incoming | "part" | undefined {
    let b = this.#peek(2);
    if (b === undefined) return undefined;
    const fin = (b[0] & 0x80) !== 0;
    const opcode = b[0] & 0x0f;
    if ((b[0] & 0x70) !== 0) throw new FrameError(1002, "reserved bits are set");
    if ((b[1] & 0x80) === 0) throw new FrameError(1002, "frame of a client without mask");
    let length = b[1] & 0x7f;
    let at = 2;
    const control = controls[opcode];
    if (control !== undefined && (!fin || length > 125)) {
      throw new FrameError(1002, "control frame that is divided, or too long");
    }
    if (control === undefined && opcode > 2) throw new FrameError(1002, "unknown kind of frame");
    if (length === 126) {
      at = 4;
      b = this.#peek(at);
      if (b === undefined) return undefined;
      length = b[2] << 8 | b[3];
    } else if (length === 127) {
      at = 10;
      b = this.#peek(at);
      if (b === undefined) return undefined;
      const view = new DataView(b.buffer, b.byteOffset);
      length = view.getUint32(2) * 2 ** 32 + view.getUint32(6);
    }
    if (control === undefined && this.#partBytes + length > this.#max) {
      throw new FrameError(1009, `a message can have ${this.#max} bytes`);
    }
    b = this.#peek(at + 4 + length);
    if (b === undefined) return undefined;
    const mask = b.subarray(at, at + 4);
    const data = b.slice(at + 4, at + 4 + length);
    for (let i = 0; i < data.length; i++) data[i] ^= mask[i & 3];
    this.#skip(at + 4 + length);
    if (control !== undefined) return { kind: control, data };
    return this.#message(opcode, fin, data);
  }

  #message(opcode: number, fin: boolean, data: Uint8Array): Incoming | "part" {
    if ((opcode === 0) !== (this.#kind !== undefined)) {
      throw new FrameError(1002, "message in the middle of another, or end of none");
    }
    if (opcode !== 0) this.#kind = opcode === 1 ? "text" : "binary";
    this.#parts.push(data);
    this.#partBytes += data.length;
    if (this.#parts.length > 10_000) throw new FrameError(1008, "message of too many frames");
    if (!fin) return "part";
    const kind = this.#kind!;
    const all = this.#parts.length === 1 ? data : new Uint8Array(this.#partBytes);
    if (this.#parts.length > 1) {
      let at = 0;
      for (const p of this.#parts) {
        all.set(p, at);
        at += p.length;
      }
    }
    this.#parts = [];
    this.#partBytes = 0;
    this.#kind = undefined;
    return { kind, data: all };
  }
}

const opcodes = { text: 1, close: 8, ping: 9, pong: 10 } as const;

/** A frame of the server's: whole, and without mask. */
export function frame(kind: keyof typeof opcodes, data: Uint8Array): Uint8Array {
  const head = data.length < 126 ? 2 : data.length < 65536 ? 4 : 10;
  const out = new Uint8Array(head + data.length);
  out[0] = 0x80 | opcodes[kind];
  const view = new DataView(out.buffer);
  if (head === 2) out[1] = data.length;
  else if (head === 4) {
    out[1] = 126;
    view.setUint16(2, data.length);
  } else {
    out[1] = 127;
    view.setUint32(2, Math.floor(data.length / 2 ** 32));
    view.setUint32(6, data.length % 2 ** 32);
  }
  out.set(data, head);
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
