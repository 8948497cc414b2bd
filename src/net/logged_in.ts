/** Sessions of line protocols with somebody in them: the try to log in, and the end that comes from outside. @module */
import type { AuthResult, AuthService } from "../metrics/authentication.ts";
import { type Admission, type LoginGuard, LoginLimited } from "./login_guard.ts";
import type { Connection } from "./types.ts";

/** A session with somebody in it. */
export interface LoggedIn {
  /** Name of the account. */
  readonly account: string;
  readonly login: string;
  /** What opened it: see ServerStep of sasl. */
  readonly credential: string;
  /**
   * Ends it, whatever it does: what waits for a command is told, a command that runs has half a second to finish.
   * Nothing more is taken from it.
   */
  end(reason: string): void;
}

/** One try to log in on a connection, counted and noted. */
export class LoginAttempt {
  readonly #guard: LoginGuard;
  readonly #service: AuthService;
  readonly #conn: Connection;
  readonly #mechanism: string;
  #admission: Admission | undefined;
  #ended = false;

  constructor(guard: LoginGuard, service: AuthService, conn: Connection, mechanism: string) {
    this.#guard = guard;
    this.#service = service;
    this.#conn = conn;
    this.#mechanism = mechanism;
  }

  #try(login: string) {
    const { remoteIp, cid } = this.#conn;
    return { service: this.#service, remoteIp, cid, login };
  }

  /** Before anything of the name is looked at. @throws LoginLimited, noted */
  async admit(login: string): Promise<void> {
    try {
      this.#admission = await this.#guard.admit(this.#try(login));
    } catch (err) {
      if (err instanceof LoginLimited) this.#ended = true;
      throw err;
    }
  }

  /** How it ended; resolves when that may be answered. Calls after the first do nothing. */
  async done(result: AuthResult, login: string, reason?: string, client = ""): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    const way = { mechanism: this.#mechanism, client, reason };
    if (this.#admission) await this.#admission.done(result, way);
    else this.#guard.note(this.#try(login), result, way);
  }
}

/** Milliseconds that a command has to finish when its session is ended. */
const grace = 500;

/** The end of a session from outside. */
export class SessionEnd {
  readonly #conn: Connection;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Why it has to end; undefined while it may go on. */
  reason: string | undefined;

  constructor(conn: Connection) {
    this.#conn = conn;
  }

  /** From now on waiting for a command fails with "shutdown"; soon the connection is dropped. */
  begin(reason: string): void {
    if (this.reason !== undefined) return;
    this.reason = reason;
    this.#conn.stop();
    this.#timer = setTimeout(() => this.#conn.destroy(), grace);
  }

  /** The session is over. */
  over(): void {
    clearTimeout(this.#timer);
  }
}
