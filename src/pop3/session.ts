/** State of one POP3 connection (RFC 1939), and what commands are. @module */
import type { Log } from "../log/mod.ts";
import { SessionEnd } from "../net/mod.ts";
import type { Connection } from "../net/types.ts";
import { offeredMechanisms, type SaslServerContext } from "../sasl/mod.ts";
import type { Pop3Backend } from "./backend.ts";
import type { DropMessage, Maildrop } from "./maildrop.ts";

/** A refusal: "-ERR" with an optional response code (RFC 2449 §8, RFC 3206). */
export class Pop3Error extends Error {
  readonly code: "IN-USE" | "AUTH" | "SYS/TEMP" | "SYS/PERM" | undefined;
  /** The session ends with it. */
  readonly close: boolean;
  constructor(
    message: string,
    code?: Pop3Error["code"],
    options: ErrorOptions & { close?: boolean } = {},
  ) {
    super(message, options);
    this.name = "Pop3Error";
    this.code = code;
    this.close = options.close === true;
  }
}

/** A command. Its `run` answers, or throws the refusal to send. */
export interface Pop3Command {
  /** In upper case. */
  name: string;
  /** Whether it is for before or after login; both if not given. */
  state?: "authorization" | "transaction";
  /** How many arguments it takes: fewest and most. */
  args: readonly [number, number];
  run(session: Pop3Session, args: string[]): Promise<void> | void;
}

export class Pop3Session {
  readonly conn: Connection;
  readonly backend: Pop3Backend;
  log: Log;
  /** Set at login. */
  drop: Maildrop | undefined;
  /** Releases the lock of the maildrop. */
  unlock: (() => void) | undefined;
  /** Name given by USER, before PASS. */
  user: string | undefined;
  /** UTF8 was given (RFC 6856). */
  utf8 = false;
  failedLogins = 0;
  /** Ends the session from outside: see LoggedIn. */
  readonly ending: SessionEnd;
  /** Called when the session is over. */
  onClose: (() => void) | undefined;
  ended = false;

  constructor(conn: Connection, backend: Pop3Backend, log: Log) {
    this.conn = conn;
    this.ending = new SessionEnd(conn);
    this.backend = backend;
    this.log = log;
  }

  ok(text = ""): void {
    this.conn.write(`+OK${text === "" ? "" : ` ${text}`}\r\n`);
  }

  /** Lines of an answer that has several, and its end. None of them may begin with a dot. */
  lines(list: Iterable<string>): void {
    for (const line of list) this.conn.write(`${line}\r\n`);
    this.conn.write(".\r\n");
  }

  /** @throws Pop3Error before login; the table prevents that */
  get maildrop(): Maildrop {
    if (this.drop === undefined) throw new Pop3Error("log in first");
    return this.drop;
  }

  /** The message with a number, if it isn't marked as deleted. @throws Pop3Error */
  message(arg: string): DropMessage {
    const m = /^\d{1,9}$/.test(arg) ? this.maildrop.messages[Number(arg) - 1] : undefined;
    if (m === undefined) throw new Pop3Error("no such message");
    if (m.deleted) throw new Pop3Error(`message ${m.number} is deleted`);
    return m;
  }

  /** What decides how one may log in here. */
  get saslContext(): SaslServerContext {
    const { conn, backend } = this;
    return {
      mayShowPassword: conn.tls !== undefined || backend.plaintextLogin,
      channelBindings: conn.tls?.channelBindings ?? new Map(),
      peerCertificate: backend.sasl.certificateUsername ? conn.tls?.peerCertificate : undefined,
      hostname: backend.hostname,
      offers: backend.sasl.offers?.(),
      peer: { protocol: "pop3", remoteIp: conn.remoteIp },
    };
  }

  get mechanisms(): string[] {
    return offeredMechanisms(this.saslContext);
  }
}
