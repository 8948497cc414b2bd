/** The state of one connection, and what commands are. @module */
import { offeredMechanisms } from "../sasl/mod.ts";
import { extensions } from "../sieve/mod.ts";
import { type Connection, SessionEnd } from "../net/mod.ts";
import type { Log } from "../log/mod.ts";
import { programVersion } from "../platform/version.ts";
import { type Done, No, stringText } from "./answers.ts";
import type { ManageSieveBackend } from "./backend.ts";
import { textOf, type Token } from "./reader.ts";

/** Redirects that a script may make for one message. */
const maxRedirects = 16;

export class Session {
  readonly conn: Connection;
  readonly backend: ManageSieveBackend;
  log: Log;
  /** Name of the account, once logged in; and the name used to log in. */
  account: string | undefined;
  login = "";
  ended = false;
  /** Ends the session from outside. */
  readonly ending: SessionEnd;
  /** Reports that nobody is logged in any more. */
  onLogout: (() => void) | undefined;
  /** Wrong commands in a row. */
  wrong = 0;

  constructor(conn: Connection, backend: ManageSieveBackend) {
    this.conn = conn;
    this.backend = backend;
    this.log = backend.log.withCid(conn.cid);
    this.ending = new SessionEnd(conn);
  }

  /** What decides how one may log in here. */
  saslContext() {
    const { conn, backend } = this;
    return {
      mayShowPassword: conn.tls !== undefined || backend.plaintextLogin,
      channelBindings: conn.tls?.channelBindings ?? new Map<string, Uint8Array>(),
      peerCertificate: backend.sasl.certificateUsername ? conn.tls?.peerCertificate : undefined,
      hostname: backend.hostname,
      offers: backend.sasl.offers?.(),
      peer: { protocol: "managesieve", remoteIp: conn.remoteIp },
    };
  }

  /** Lines of capabilities (RFC 5804 §1.7). */
  capabilities(): string {
    const lines: [string, string?][] = [
      ["IMPLEMENTATION", `mox ${programVersion}`],
      ["VERSION", "1.0"],
      // Some clients don't read the last line.
      ...(this.backend.tls && !this.conn.tls && this.account === undefined
        ? [["STARTTLS"] as [string]]
        : []),
      ["SASL", this.account === undefined ? offeredMechanisms(this.saslContext()).join(" ") : ""],
      ["SIEVE", extensions.join(" ")],
      ["NOTIFY", "mailto"],
      ["EXTLISTS", ":addrbook:default"],
      ["MAXREDIRECTS", String(maxRedirects)],
    ];
    lines.push(["UNAUTHENTICATE"]);
    if (this.account !== undefined) lines.push(["OWNER", this.login]);
    return lines.map(([name, value]) =>
      `${stringText(name)}${value === undefined ? "" : ` ${stringText(value)}`}\r\n`
    ).join("");
  }

  logOut(): void {
    this.onLogout?.();
    this.onLogout = undefined;
    this.account = undefined;
    this.login = "";
  }

  /** The account. @throws No before login */
  get owner(): string {
    if (this.account === undefined) throw new No("log in first");
    return this.account;
  }
}

/** What follows a command's name. */
export class Arguments {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  get more(): boolean {
    return this.#at < this.#tokens.length;
  }

  /** The next one as a string of bytes. @throws No */
  bytes(what: string): Uint8Array {
    const t = this.#tokens[this.#at++];
    if (t?.kind !== "string") throw new No(`the ${what} is missing, a string`);
    return t.bytes;
  }

  text(what: string): string {
    return textOf(this.bytes(what), what);
  }

  number(what: string): number {
    const t = this.#tokens[this.#at++];
    if (t?.kind !== "number") throw new No(`the ${what} is missing, a number`);
    return t.value;
  }

  /** @throws No if there is more than the command takes */
  end(): void {
    if (this.more) throw new No("the command has more arguments than it takes");
  }
}

export interface Command {
  /** Upper case. */
  name: string;
  /** May be used before login, after it, or both. */
  when: "before" | "after" | "always";
  run(session: Session, a: Arguments): Done | void | Promise<Done | void>;
  /** Runs after the answer OK is written, and sends it. */
  afterwards?(session: Session): Promise<void>;
}
