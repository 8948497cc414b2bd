/** A log of what scripts did with messages, for people to look up. @module */
import type { EmailId } from "../../store/ids.ts";
import type { Db } from "../../store/database/database.ts";

const lifetime = 90 * 24 * 3600_000;
/** Most entries of an account. */
const most = 20_000;

/** One action of a script. */
export interface DoneStep {
  /** Name of the script, and line of the command; 0 if no command caused it. */
  script: string;
  line: number;
  /** Such as `filed into "Lists"`. */
  text: string;
}

export interface DoneEntry {
  /** Milliseconds since the epoch. */
  time: number;
  from: string;
  subject: string;
  steps: DoneStep[];
  /** Why the script failed. */
  error?: string;
}

export class DoneLog {
  readonly #db: Db;
  readonly #now: () => number;
  #count = 0;

  constructor(db: Db, now: () => number) {
    this.#db = db;
    this.#now = now;
  }

  /** Notes an entry; it may be lost in a power cut. */
  add(account: string, emailId: EmailId | undefined, e: Omit<DoneEntry, "time">): void {
    const now = this.#now();
    this.#db.run(
      "INSERT INTO done (account, email_id, time, what) VALUES (?, ?, ?, ?)",
      account,
      emailId ?? null,
      now,
      JSON.stringify({ ...e, from: e.from.slice(0, 200), subject: e.subject.slice(0, 200) }),
    );
    if (++this.#count % 256 !== 0) return;
    this.#db.run("DELETE FROM done WHERE account = ? AND time < ?", account, now - lifetime);
    this.#db.run(
      "DELETE FROM done WHERE account = ?1 AND id <= (SELECT id FROM done WHERE account = ?1 ORDER BY id DESC LIMIT 1 OFFSET ?2)",
      account,
      most,
    );
  }

  /** The actions on a stored message, latest first. */
  ofEmail(account: string, emailId: EmailId): DoneEntry[] {
    return this.#db.all(
      "SELECT time, what FROM done WHERE account = ? AND email_id = ? ORDER BY id DESC LIMIT 20",
      account,
      emailId,
    ).map(entry);
  }

  /** The latest entries of an account. */
  latest(account: string, limit = 100): DoneEntry[] {
    return this.#db.all(
      "SELECT time, what FROM done WHERE account = ? ORDER BY id DESC LIMIT ?",
      account,
      Math.min(limit, 1000),
    ).map(entry);
  }
}

// deno-lint-ignore no-explicit-any -- a row
function entry([time, what]: any[]): DoneEntry {
  return { ...JSON.parse(what), time };
}
