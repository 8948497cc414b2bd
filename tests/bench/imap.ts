/** A plain IMAP client for loads: commands in, tagged answer awaited, bytes counted, nothing parsed. @module */
import { createConnection, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

export class ImapLoad {
  readonly #socket: Socket;
  #tag = 0;
  #tail = "";
  #waiting:
    | { tag: string; resolve: (tail: string) => void; reject: (e: Error) => void }
    | undefined;
  /** Last kilobytes of the answer to the running command. */
  bytes = 0;
  #noticed: ((text: string) => void) | undefined;
  #greeting = Promise.withResolvers<void>();

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Uint8Array) => this.#data(chunk));
    socket.on("error", (e) => this.#waiting?.reject(e));
  }

  static async connect(port: number, user: string, password: string): Promise<ImapLoad> {
    const c = new ImapLoad(createConnection({ host: "127.0.0.1", port, noDelay: true }));
    await c.#greeting.promise;
    await c.run(`LOGIN "${user}" "${password}"`);
    return c;
  }

  /** The same over TLS from the start, with any certificate. */
  static async connectTls(port: number, user: string, password: string): Promise<ImapLoad> {
    const c = await ImapLoad.greeted(port);
    await c.run(`LOGIN "${user}" "${password}"`);
    return c;
  }

  /** Over TLS, until the greeting. */
  static async greeted(port: number): Promise<ImapLoad> {
    const c = new ImapLoad(connectTls({ host: "127.0.0.1", port, rejectUnauthorized: false }));
    await c.#greeting.promise;
    return c;
  }

  #data(chunk: Uint8Array): void {
    this.bytes += chunk.length;
    const text = new TextDecoder("latin1").decode(chunk.subarray(Math.max(0, chunk.length - 4096)));
    this.#tail = (this.#tail + text).slice(-8192);
    this.#noticed?.(text);
    if (!this.#waiting) {
      if (this.#tail.includes("\r\n")) this.#greeting.resolve();
      return;
    }
    const { tag, resolve, reject } = this.#waiting;
    const at = this.#tail.lastIndexOf(`\n${tag} `);
    const plus = tag === "+" && /(^|\n)\+ [^\n]*\n$/.test(this.#tail);
    if (plus) {
      this.#waiting = undefined;
      resolve(this.#tail);
      return;
    }
    if (at < 0 && !this.#tail.startsWith(`${tag} `)) return;
    if (!this.#tail.endsWith("\n")) return;
    this.#waiting = undefined;
    const line = this.#tail.slice(at < 0 ? 0 : at + 1);
    if (line.startsWith(`${tag} OK`)) resolve(this.#tail);
    else reject(new Error(line));
  }

  /** Runs a command; resolves with the end of its answer. */
  run(command: string): Promise<string> {
    const tag = `a${++this.#tag}`;
    this.#tail = "";
    this.bytes = 0;
    return new Promise((resolve, reject) => {
      this.#waiting = { tag, resolve, reject };
      this.#socket.write(`${tag} ${command}\r\n`, "latin1");
    });
  }

  /** Messages in a mailbox. */
  async count(mailbox: string): Promise<number> {
    return Number(/MESSAGES (\d+)/.exec(await this.run(`STATUS "${mailbox}" (MESSAGES)`))?.[1]);
  }

  /** Resolves with the next untagged line that has the word; call it before what causes it. */
  untagged(word: string): Promise<void> {
    return new Promise((resolve) => {
      this.#noticed = (text) => {
        if (text.includes(word)) resolve();
      };
    });
  }

  /** Begins IDLE. */
  idle(): Promise<string> {
    this.#tail = "";
    return new Promise((resolve, reject) => {
      this.#waiting = { tag: "+", resolve, reject };
      this.#socket.write(`i${++this.#tag} IDLE\r\n`, "latin1");
    });
  }

  /** Ends IDLE. */
  done(): Promise<string> {
    this.#tail = "";
    return new Promise((resolve, reject) => {
      this.#waiting = { tag: `i${this.#tag}`, resolve, reject };
      this.#socket.write("DONE\r\n", "latin1");
    });
  }

  /** Ends the connection without a word. */
  destroy(): void {
    this.#socket.destroy();
  }

  async close(): Promise<void> {
    await this.run("LOGOUT").catch(() => {});
    this.#socket.destroy();
  }
}
