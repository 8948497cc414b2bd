/** Talking a line protocol with a server. @module */
import { connect, type Socket } from "node:net";

/** A line protocol, as a transcript: what is said, and what the answer must match. */
export class Talk {
  #socket: Socket;
  #text = "";
  #wake: (() => void) | undefined;
  #ended = false;
  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (d: Uint8Array) => {
      this.#text += new TextDecoder().decode(d);
      this.#wake?.();
    });
    for (const e of ["end", "close", "error"]) {
      socket.on(e, () => {
        this.#ended = true;
        this.#wake?.();
      });
    }
  }
  /** Connects to a port on loopback, from an address. */
  static to(port: number, from: string): Talk {
    return new Talk(connect({ port, host: "127.0.0.1", localAddress: from }));
  }
  /** The text up to the end of a match. */
  async expect(pattern: RegExp): Promise<string> {
    for (;;) {
      const m = pattern.exec(this.#text);
      if (m) {
        const end = m.index + m[0].length;
        const read = this.#text.slice(0, end);
        this.#text = this.#text.slice(end);
        return read;
      }
      if (this.#ended) throw new Error(`${pattern} did not come, but: ${this.#text}`);
      const timer = setTimeout(() => {
        this.#ended = true;
        this.#wake?.();
      }, 60_000);
      await new Promise<void>((r) => this.#wake = r);
      clearTimeout(timer);
    }
  }
  write(text: string): void {
    this.#socket.write(text);
  }
  /** Says something, and reads up to the end of the answer. */
  async say(text: string, answer: RegExp): Promise<string> {
    this.write(text);
    return await this.expect(answer);
  }
  /** Waits for the end; what came before it. */
  async ended(): Promise<string> {
    while (!this.#ended) await new Promise<void>((r) => this.#wake = r);
    return this.#text;
  }
  close(): void {
    this.#socket.destroy();
  }
}
