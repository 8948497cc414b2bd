/**
 * Login sessions of web pages, in their own small database.
 *
 * A session's token is in a cookie; the database has only its hash, so that a copy of it can't be used to
 * log in. Tokens change once a day while a session is used.
 *
 * @module
 */
import { createHash, randomBytes } from "node:crypto";
import { join } from "node:path";
import { Db, type Migration } from "../../store/database/database.ts";

/** Pages with a login. */
export type LoginService = "webmail" | "account" | "admin";

/** A logged-in user. */
export interface Session {
  id: number;
  service: LoginService;
  /** Account name; "" for the administrator. */
  account: string;
  /** Name used at login. */
  login: string;
  /** Milliseconds since the epoch. */
  created: number;
  lastUsed: number;
  remoteIp: string;
  userAgent: string;
}

/** A session found by its token. */
export interface FoundSession extends Session {
  /** A token that replaces the given one, which remains valid for another minute. */
  newToken?: string;
}

const hour = 3_600_000;
const day = 24 * hour;
/** Lifetime of a session in milliseconds: unused, and in total. */
const idleLife: Record<LoginService, number> = {
  webmail: 14 * day,
  account: day,
  admin: 12 * hour,
};
const wholeLife = 90 * day;
const rotateAfter = day;
/** How long a replaced token still works: requests already under way carry it. */
const overlap = 60_000;
/** Sessions of one account and service; the ones unused for longest go first. */
const maxSessions = 100;

const migrations: readonly Migration[] = [{
  version: 1,
  sql: `
    CREATE TABLE sessions (
      id INTEGER PRIMARY KEY,
      service TEXT NOT NULL,
      account TEXT NOT NULL,
      login TEXT NOT NULL,
      token BLOB NOT NULL UNIQUE,
      old_token BLOB UNIQUE,
      old_until INTEGER NOT NULL DEFAULT 0,
      rotated INTEGER NOT NULL,
      created INTEGER NOT NULL,
      last_used INTEGER NOT NULL,
      remote_ip TEXT NOT NULL,
      user_agent TEXT NOT NULL
    ) STRICT;
    CREATE INDEX sessions_account ON sessions (account, service, last_used);
  `,
}];

const columns = "id, service, account, login, created, last_used, remote_ip, user_agent";

function session(r: readonly unknown[]): Session {
  const [id, service, account, login, created, lastUsed, remoteIp, userAgent] = r as [
    number,
    LoginService,
    string,
    string,
    number,
    number,
    string,
    string,
  ];
  return { id, service, account, login, created, lastUsed, remoteIp, userAgent };
}

const hash = (token: string): Uint8Array => createHash("sha256").update(token).digest();
const newToken = (): string => randomBytes(32).toString("base64url");

export class Sessions {
  readonly #db: Db;
  readonly #now: () => number;
  readonly #watchers = new Set<(account: string) => void>();

  private constructor(db: Db, now: () => number) {
    this.#db = db;
    this.#now = now;
  }

  /** Opens `sessions.db` of a data folder. `now` is for tests. */
  static async open(dataDir: string, now: () => number = Date.now): Promise<Sessions> {
    return new Sessions(await Db.open(join(dataDir, "sessions.db"), migrations), now);
  }

  /** Starts a session; returns its token. */
  create(
    s: Pick<Session, "service" | "account" | "login" | "remoteIp" | "userAgent">,
  ): string {
    const now = this.#now();
    const token = newToken();
    this.#db.transaction(() => {
      for (const [service, life] of Object.entries(idleLife)) {
        this.#db.run(
          "DELETE FROM sessions WHERE service = ? AND (last_used < ? OR created < ?)",
          service,
          now - life,
          now - wholeLife,
        );
      }
      this.#db.run(
        `INSERT INTO sessions
           (service, account, login, token, rotated, created, last_used, remote_ip, user_agent)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`,
        s.service,
        s.account,
        s.login,
        hash(token),
        now,
        now,
        now,
        s.remoteIp,
        s.userAgent.slice(0, 300),
      );
      this.#db.run(
        `DELETE FROM sessions WHERE account = ?1 AND service = ?2 AND id NOT IN (
           SELECT id FROM sessions WHERE account = ?1 AND service = ?2
           ORDER BY last_used DESC, id DESC LIMIT ?3)`,
        s.account,
        s.service,
        maxSessions,
      );
    });
    return token;
  }

  /** The session of a token, recording its use; undefined if it no longer exists. */
  find(service: LoginService, token: string): FoundSession | undefined {
    if (token.length !== 43) return undefined;
    const now = this.#now();
    const h = hash(token);
    const row = this.#db.get(
      `SELECT ${columns}, rotated, token = ?1 FROM sessions
       WHERE service = ?2 AND (token = ?1 OR (old_token = ?1 AND old_until > ?3))`,
      h,
      service,
      now,
    );
    if (row === undefined) return undefined;
    const s = session(row);
    if (now - s.lastUsed > idleLife[service] || now - s.created > wholeLife) {
      this.#db.run("DELETE FROM sessions WHERE id = ?", s.id);
      return undefined;
    }
    const rotated = row[8] as number;
    const current = row[9] === 1;
    if (current && now - rotated > rotateAfter) {
      const replacement = newToken();
      this.#db.run(
        `UPDATE sessions SET old_token = token, old_until = ?, token = ?, rotated = ?, last_used = ?
         WHERE id = ?`,
        now + overlap,
        hash(replacement),
        now,
        now,
        s.id,
      );
      return { ...s, newToken: replacement };
    }
    // Once a minute is accurate enough for showing the last use.
    if (now - s.lastUsed > 60_000) {
      this.#db.run("UPDATE sessions SET last_used = ? WHERE id = ?", now, s.id);
    }
    return s;
  }

  /** All sessions of an account, most recently used first. */
  list(account: string): Session[] {
    return this.#db.all(
      `SELECT ${columns} FROM sessions WHERE account = ? ORDER BY last_used DESC, id DESC`,
      account,
    ).map(session);
  }

  /** Accounts with sessions; "" is the administrator. */
  accounts(): string[] {
    return this.#db.all("SELECT DISTINCT account FROM sessions").map(([account]) => account);
  }

  /** Ends a session of an account. False if it has none with that id. */
  end(account: string, id: number): boolean {
    const { changes } = this.#db.run(
      "DELETE FROM sessions WHERE account = ? AND id = ?",
      account,
      id,
    );
    if (changes > 0) this.#ended(account);
    return changes > 0;
  }

  /** Ends all sessions of an account, e.g. when its password changes; one may stay. */
  endAll(account: string, except?: number): void {
    this.#db.run("DELETE FROM sessions WHERE account = ? AND id <> ?", account, except ?? 0);
    this.#ended(account);
  }

  /** Calls back when sessions of an account were ended early. @returns a function that stops this */
  watch(fn: (account: string) => void): () => void {
    this.#watchers.add(fn);
    return () => this.#watchers.delete(fn);
  }

  #ended(account: string): void {
    for (const fn of this.#watchers) fn(account);
  }

  close(): Promise<void> {
    return this.#db.close();
  }
}
