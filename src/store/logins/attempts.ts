/**
 * Who has tried to log in, from where, and how it ended: `logins.db` in the data folder. Equal attempts are
 * counted in one row per day.
 *
 * They are written in batches with a delay: nothing depends on the last second of them. The number of rows is
 * bounded, however many names and addresses are tried.
 *
 * @module
 */
import { join } from "node:path";
import { Log } from "../../log/mod.ts";
import type { AccountDatabase } from "../database/account_rows.ts";
import { Db, type Migration } from "../database/database.ts";

const migrations: readonly Migration[] = [{
  version: 1,
  sql: `
CREATE TABLE attempts (
  -- Days since the epoch.
  day INTEGER NOT NULL,
  -- "" for names that are no account's; the administrator is "(admin)".
  account TEXT NOT NULL,
  login TEXT NOT NULL,
  service TEXT NOT NULL,
  mechanism TEXT NOT NULL,
  result TEXT NOT NULL,
  remote_ip TEXT NOT NULL,
  client TEXT NOT NULL,
  first INTEGER NOT NULL,
  last INTEGER NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (account, day, login, service, mechanism, result, remote_ip, client)
) WITHOUT ROWID;
CREATE INDEX attempts_day ON attempts (day);
`,
}];

/** The tables with rows of accounts. */
export const attemptsOfAccounts: AccountDatabase = {
  file: "logins.db",
  migrations,
  tables: [{ name: "attempts" }],
};

const dayMs = 86_400_000;
/** Days for which attempts are stored. */
const keepDays = 30;
/**
 * Rows per account and day, and for all names that are not accounts. Further attempts are counted under a
 * single client.
 */
const maxRows = 500;
/** Milliseconds until noted attempts are written. */
const delay = 500;
/** Milliseconds before a failed write is retried. */
const retryDelay = 10_000;
/** Most different attempts waiting to be written. While the disk accepts none, further ones are dropped. */
const maxWaiting = 2000;

/** An attempt as it happens. */
export interface LoginAttempt {
  account: string;
  /** As typed. */
  login: string;
  /** Such as "imap". */
  service: string;
  /** Such as "plain". */
  mechanism: string;
  /** "ok", or why not. */
  result: string;
  remoteIp: string;
  /** The client's description of itself; "" if it gives none. */
  client: string;
}

/** Equal attempts of a day. Times in milliseconds since the epoch. */
export interface LoginAttempts extends LoginAttempt {
  first: number;
  last: number;
  count: number;
}

export class LoginLog {
  readonly #db: Db;
  readonly #now: () => number;
  #waiting = new Map<string, LoginAttempts>();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #cleaned = 0;
  #failing = false;

  private constructor(db: Db, now: () => number) {
    this.#db = db;
    this.#now = now;
  }

  static async open(dataDir: string, now: () => number = Date.now): Promise<LoginLog> {
    return new LoginLog(await Db.open(join(dataDir, "logins.db"), migrations), now);
  }

  /** Notes an attempt; it is written soon. */
  note(attempt: LoginAttempt): void {
    const a: LoginAttempt = {
      ...attempt,
      login: attempt.login.slice(0, 200),
      client: attempt.client.slice(0, 200),
    };
    const now = this.#now();
    const key = JSON.stringify([
      a.account,
      a.login,
      a.service,
      a.mechanism,
      a.result,
      a.remoteIp,
      a.client,
    ]);
    const known = this.#waiting.get(key);
    if (known) {
      known.last = now;
      known.count++;
      return;
    }
    if (this.#waiting.size >= maxWaiting && !this.#failing) this.flush();
    if (this.#waiting.size >= maxWaiting) return;
    this.#waiting.set(key, { ...a, first: now, last: now, count: 1 });
    this.#later(delay);
  }

  #later(ms: number): void {
    this.#timer ??= setTimeout(() => this.flush(), ms);
    Deno.unrefTimer(this.#timer as unknown as number);
  }

  /**
   * Writes waiting attempts. What can't be written, as on a full disk, keeps waiting: no login fails because of
   * it.
   */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#waiting.size === 0) return;
    const today = Math.floor(this.#now() / dayMs);
    try {
      this.#db.transaction(() => {
        if (this.#cleaned !== today) {
          this.#db.run("DELETE FROM attempts WHERE day < ?", today - keepDays);
        }
        for (const a of this.#waiting.values()) this.#write(a, today);
      });
    } catch (err) {
      if (!this.#failing) {
        new Log("auth").error("attempts to log in can't be written", { err: err as Error });
      }
      this.#failing = true;
      this.#later(retryDelay);
      return;
    }
    this.#failing = false;
    this.#cleaned = today;
    this.#waiting = new Map();
  }

  #write(attempts: LoginAttempts, day: number): void {
    const update = this.#db.run(
      "UPDATE attempts SET last = ?, count = count + ? WHERE account = ? AND day = ? AND login = ? " +
        "AND service = ? AND mechanism = ? AND result = ? AND remote_ip = ? AND client = ?",
      attempts.last,
      attempts.count,
      attempts.account,
      day,
      attempts.login,
      attempts.service,
      attempts.mechanism,
      attempts.result,
      attempts.remoteIp,
      attempts.client,
    );
    if (update.changes > 0) return;
    const [rows] = this.#db.get(
      "SELECT count(*) FROM attempts WHERE account = ? AND day = ?",
      attempts.account,
      day,
    )!;
    // Somebody is trying names, or many addresses: that fact is enough.
    const row = rows < maxRows
      ? attempts
      : { ...attempts, login: attempts.account, remoteIp: "many", client: "" };
    this.#db.run(
      "INSERT INTO attempts (day, account, login, service, mechanism, result, remote_ip, client, " +
        "first, last, count) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) " +
        "ON CONFLICT DO UPDATE SET last = excluded.last, count = count + excluded.count",
      day,
      row.account,
      row.login,
      row.service,
      row.mechanism,
      row.result,
      row.remoteIp,
      row.client,
      row.first,
      row.last,
      row.count,
    );
  }

  /** Where accounts have logged in from, and when last. */
  places(): { account: string; remoteIp: string; last: number }[] {
    return this.#db.all(
      "SELECT account, remote_ip, max(last) FROM attempts WHERE result = 'ok' AND account <> '' " +
        "GROUP BY account, remote_ip ORDER BY max(last)",
    ).map(([account, remoteIp, last]) => ({ account, remoteIp, last }));
  }

  /** Latest attempts first; of all accounts and names if none is given. */
  list(account: string | undefined, limit: number): LoginAttempts[] {
    this.flush();
    return this.#db.all(
      "SELECT account, login, service, mechanism, result, remote_ip, client, first, last, count " +
        "FROM attempts WHERE ?1 IS NULL OR account = ?1 ORDER BY last DESC LIMIT ?2",
      account ?? null,
      limit,
    ).map(
      ([account, login, service, mechanism, result, remoteIp, client, first, last, count]) => ({
        account,
        login,
        service,
        mechanism,
        result,
        remoteIp,
        client,
        first,
        last,
        count,
      }),
    );
  }

  /** Writes waiting attempts and closes. */
  async close(): Promise<void> {
    this.flush();
    clearTimeout(this.#timer);
    await this.#db.close();
  }
}
