/**
 * Greylisting: an unknown sender is asked to retry, once per network, sender and recipient. Most programs that
 * send junk don't retry, and those that do are on block lists by then.
 *
 * `greylist.db` in the data folder. It has a few rows for each new sender; a flood of invented ones evicts the
 * oldest of those that have not retried.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { counter } from "../metrics/mod.ts";
import { Db, type Migration } from "../store/database/database.ts";

const migrations: readonly Migration[] = [{
  version: 1,
  sql: `
CREATE TABLE waits (
  -- Hash of network, sender and recipient.
  key BLOB PRIMARY KEY,
  -- Milliseconds since the epoch.
  first INTEGER NOT NULL,
  -- Of the last message that was taken; 0 if none was.
  passed INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX waits_first ON waits (passed, first);
`,
}];

/** Most rows that have not retried. */
const maxWaiting = 200_000;
/** Milliseconds between checks for expired rows. */
const pruneInterval = 10 * 60_000;

const results = counter(
  "mox_greylist_total",
  "Messages of unknown senders that greylisting was asked about.",
  { result: ["new", "early", "passed", "known"] },
);

/** Times from the configuration, milliseconds. */
export interface GreylistTimes {
  Delay: number;
  Window: number;
  Keep: number;
}

/** Who writes to whom. */
export interface GreylistTriple {
  /** A network of the address, not the address itself: large senders retry from another one. */
  network: string;
  mailFrom: string;
  rcptTo: string;
}

/** The open database. */
export class Greylist {
  readonly #db: Db;
  #pruned = 0;

  private constructor(db: Db) {
    this.#db = db;
  }

  static async open(dataDir: string): Promise<Greylist> {
    return new Greylist(await Db.open(join(dataDir, "greylist.db"), migrations));
  }

  /**
   * Whether a message may be accepted; its record is durable when it resolves.
   * @param now milliseconds since the epoch
   * @returns milliseconds to wait, or 0
   */
  async wait(triple: GreylistTriple, times: GreylistTimes, now: number): Promise<number> {
    this.#prune(times, now);
    const key = keyOf(triple);
    const row = this.#db.get("SELECT first, passed FROM waits WHERE key = ?", key) as
      | [number, number]
      | undefined;
    const [first, passed] = row ?? [0, 0];
    // If the clock was set back, it also starts again.
    const good = row !== undefined &&
      (passed > 0 ? now - passed <= times.Keep : now - first <= times.Window) && first <= now;
    if (!good) {
      this.#db.run("INSERT OR REPLACE INTO waits (key, first, passed) VALUES (?, ?, 0)", key, now);
      await this.#db.durable();
      results.inc({ result: "new" });
      return times.Delay;
    }
    if (passed === 0 && now - first < times.Delay) {
      results.inc({ result: "early" });
      return times.Delay - (now - first);
    }
    this.#db.run("UPDATE waits SET passed = ? WHERE key = ?", now, key);
    await this.#db.durable();
    results.inc({ result: passed > 0 ? "known" : "passed" });
    return 0;
  }

  #prune(times: GreylistTimes, now: number): void {
    if (Math.abs(now - this.#pruned) < pruneInterval) return;
    this.#pruned = now;
    this.#db.run("DELETE FROM waits WHERE passed = 0 AND first < ?", now - times.Window);
    this.#db.run("DELETE FROM waits WHERE passed > 0 AND passed < ?", now - times.Keep);
    this.#db.run(
      "DELETE FROM waits WHERE passed = 0 AND key IN " +
        "(SELECT key FROM waits WHERE passed = 0 ORDER BY first DESC LIMIT -1 OFFSET ?)",
      maxWaiting,
    );
  }

  /** Number of rows: those that have retried and those that have not. */
  counts(): { waiting: number; passed: number } {
    const [waiting, passed] = this.#db.get(
      "SELECT coalesce(sum(passed = 0), 0), coalesce(sum(passed > 0), 0) FROM waits",
    )!;
    return { waiting, passed };
  }

  close(): Promise<void> {
    return this.#db.close();
  }
}

function keyOf(triple: GreylistTriple): Uint8Array {
  const text = [triple.network, triple.mailFrom.toLowerCase(), triple.rcptTo.toLowerCase()].join(
    "\n",
  );
  return createHash("sha256").update(text).digest().subarray(0, 16);
}
