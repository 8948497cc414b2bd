/** Logged-in sessions of line protocols: the login attempt, and ending a session from outside. @module */
import type { AuthResult, AuthService } from "../metrics/authentication.ts";
import { type Admission, type LoginGuard, LoginLimited } from "./login_guard.ts";
import type { Connection } from "./types.ts";

/** A logged-in session. */
export interface LoggedIn {
  /** Name of the account. */
  readonly account: string;
  readonly login: string;
  /** The credential used: see ServerStep of sasl. */
  readonly credential: string;
  /**
   * Ends the session: one that waits for a command is notified; a running command has half a second to finish.
   * Nothing more is accepted from it.
   */
  end(reason: string): void;
}

/** One login attempt on a connection, counted and logged. */
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

  /** Call before using the name in any way. @throws LoginLimited, logged */
  async admit(login: string): Promise<void> {
    try {
      this.#admission = await this.#guard.admit(this.#try(login));
    } catch (err) {
      if (err instanceof LoginLimited) this.#ended = true;
      throw err;
    }
  }

  /** Records the result; resolves when it may be answered. Calls after the first do nothing. */
  async done(result: AuthResult, login: string, reason?: string, client = ""): Promise<void> {
    if (this.#ended) return;
    this.#ended = true;
    const way = { mechanism: this.#mechanism, client, reason };
    if (this.#admission) await this.#admission.done(result, way);
    else this.#guard.note(this.#try(login), result, way);
  }
}

/** Milliseconds for a command to finish when its session is ended. */
const grace = 500;

/** Ends a session from outside. */
export class SessionEnd {
  readonly #conn: Connection;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Why it must end; undefined while it may continue. */
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

  /** Called when the session is over. */
  over(): void {
    clearTimeout(this.#timer);
  }
}
