/** A peer that means ill: raw bytes on a connection, read or not. */
import type { Localserve } from "../support/localserve.ts";

/** One input of the bench. */
export interface Input {
  name: string;
  /** Changes the configuration in the folder; the server starts anew with it. */
  configure?(dir: string): Promise<void>;
  /** What is stored beforehand isn't measured. */
  prepare?(server: Localserve): Promise<void>;
  /** Ends when the server has done with it, or after some seconds of it. */
  run(server: Localserve): Promise<void>;
}

const encoder = new TextEncoder();

export function bytes(text: string): Uint8Array<ArrayBuffer> {
  return encoder.encode(text);
}

/** A connection that ends with the block it is in. */
export class Peer implements Disposable {
  readonly conn: Deno.Conn;
  #text = "";
  #read = 0;
  readonly #decoder = new TextDecoder("latin1");

  constructor(conn: Deno.Conn) {
    this.conn = conn;
  }

  static async to(port: number): Promise<Peer> {
    return new Peer(await Deno.connect({ hostname: "127.0.0.1", port }));
  }

  /** Logged in. */
  static async imap(server: Localserve): Promise<Peer> {
    const p = await Peer.to(server.imap);
    await p.until(/\n/);
    await p.command("l LOGIN mox@localhost moxmoxmox", /^l OK/m);
    return p;
  }

  /** Sends as fast as it is taken, for so many milliseconds at most; the bytes that were taken. */
  async send(data: string | Uint8Array, patience = 30_000): Promise<number> {
    const all = typeof data === "string" ? bytes(data) : data;
    let at = 0;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<undefined>((r) => timer = setTimeout(() => r(undefined), patience));
    try {
      while (at < all.length) {
        const n = await Promise.race([
          this.conn.write(all.subarray(at, at + 64 * 1024)).catch(() => undefined),
          late,
        ]);
        if (n === undefined) break;
        at += n;
      }
    } finally {
      clearTimeout(timer);
    }
    return at;
  }

  /** Reads until what came since the last call matches; only the last megabyte is looked at. */
  async until(end: RegExp, patience = 60_000): Promise<string> {
    const buffer = new Uint8Array(256 * 1024);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no ${end} in ${patience} ms`)), patience);
    });
    late.catch(() => {});
    try {
      while (!end.test(this.#text.slice(-4096))) {
        const n = await Promise.race([this.conn.read(buffer), late]);
        if (n === null) throw new Error(`closed before ${end}: ${this.#text.slice(-200)}`);
        this.#read += n;
        this.#text = (this.#text + this.#decoder.decode(buffer.subarray(0, n))).slice(-1_000_000);
      }
      return this.#text;
    } finally {
      clearTimeout(timer);
      this.#text = "";
    }
  }

  async command(line: string, end: RegExp): Promise<string> {
    await this.conn.write(bytes(`${line}\r\n`)).catch(() => {});
    return await this.until(end);
  }

  /** Bytes read so far. */
  get read(): number {
    return this.#read;
  }

  /** Waits for the server to close, at most so long; true if it did. */
  async closed(patience: number): Promise<boolean> {
    const end = Date.now() + patience;
    const buffer = new Uint8Array(64 * 1024);
    while (Date.now() < end) {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const n = await Promise.race([
        this.conn.read(buffer).catch(() => null),
        new Promise<undefined>((r) => timer = setTimeout(() => r(undefined), end - Date.now())),
      ]);
      clearTimeout(timer);
      if (n === null) return true;
      if (n === undefined) return false;
    }
    return false;
  }

  [Symbol.dispose](): void {
    try {
      this.conn.close();
    } catch {
      // Closed already.
    }
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((r) => setTimeout(r, ms));
}

/** So many peers at once. */
export async function crowd(n: number, each: (i: number) => Promise<void>): Promise<void> {
  await Promise.all(Array.from({ length: n }, (_, i) => each(i).catch(() => {})));
}
