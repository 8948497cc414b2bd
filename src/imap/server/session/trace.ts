/**
 * The protocol in the log, at level trace: lines in both directions, without the contents of literals, and with
 * passwords at level traceauth only.
 *
 * @module
 */
import type { Log } from "../../../log/mod.ts";
import type { Connection } from "../../../net/types.ts";

/** Characters of a line that are logged. */
const maxShown = 2000;

const latin1 = new TextDecoder("latin1");

/** Logs what one connection sends and receives. */
export class ProtocolTrace {
  readonly #log: () => Log;
  /** Octets of a literal still to be skipped, and the line so far. */
  #literal = 0;
  #line = "";

  /** Logs what is written to the connection from now on. */
  constructor(conn: Connection, log: () => Log) {
    this.#log = log;
    const write = conn.write.bind(conn);
    conn.write = (data: string | Uint8Array) => {
      if (log().enabled("trace")) this.#sent(data);
      write(data);
    };
  }

  /** The first line of a command. */
  command(line: Uint8Array): void {
    if (!this.#log().enabled("trace")) return;
    const text = latin1.decode(line);
    const [tag, name] = text.split(" ", 2);
    const word = name?.toUpperCase();
    if (word === "LOGIN") this.#hidden(`${tag} ${name}`, text);
    else if (word === "AUTHENTICATE") {
      const words = text.split(" ");
      this.#hidden(words.slice(0, 3).join(" "), words.length > 3 ? text : undefined);
    } else this.#show("C", text);
  }

  /** A line that may hold a password. */
  secret(line: string): void {
    if (this.#log().enabled("trace")) this.#hidden("", line);
  }

  #hidden(shown: string, full: string | undefined): void {
    if (full !== undefined && this.#log().enabled("traceauth")) {
      this.#log().trace("traceauth", `C: ${full.slice(0, maxShown)}`);
    } else {
      this.#show("C", full === undefined ? shown : `${shown} ***`.trimStart());
    }
  }

  #show(side: "C" | "S", line: string): void {
    const more = line.length > maxShown ? ` (${line.length} characters)` : "";
    this.#log().trace("trace", `${side}: ${line.slice(0, maxShown)}${more}`);
  }

  #sent(data: string | Uint8Array): void {
    // Literals are counted in octets.
    const text = typeof data === "string"
      ? latin1.decode(new TextEncoder().encode(data))
      : this.#literal >= data.length
      ? ""
      : latin1.decode(data);
    const length = typeof data === "string" ? text.length : data.length;
    let at = Math.min(this.#literal, length);
    this.#literal -= at;
    while (at < length) {
      const lf = text.indexOf("\n", at);
      const end = lf < 0 ? length : lf + 1;
      if (this.#line.length <= maxShown) this.#line += text.slice(at, end);
      at = end;
      if (lf < 0) return;
      const line = this.#line.trimEnd();
      this.#line = "";
      this.#show("S", line);
      const literal = /\{(\d{1,12})\}$/.exec(line);
      if (!literal) continue;
      this.#literal = Number(literal[1]);
      const skipped = Math.min(this.#literal, length - at);
      at += skipped;
      this.#literal -= skipped;
    }
  }
}
