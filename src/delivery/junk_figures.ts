/**
 * Junk figures for each account by day, in `junkdays.db`: messages accepted, put into the Junk mailbox,
 * refused, and corrected by the user. Counted in memory and written from time to time: a crash loses a minute
 * of it, and no delivery waits for it.
 *
 * @module
 */
import { join } from "node:path";
import { goesToJunk, type Reason } from "./analysis_types.ts";
import { Log } from "../log/mod.ts";
import type { AccountDatabase } from "../store/database/account_rows.ts";
import { Db, type Migration } from "../store/database/database.ts";

const migrations: readonly Migration[] = [{
  version: 1,
  sql: `
CREATE TABLE days (
  account TEXT NOT NULL,
  -- Days of UTC since 1970.
  day INTEGER NOT NULL,
  good INTEGER NOT NULL,
  junk INTEGER NOT NULL,
  refused INTEGER NOT NULL,
  missed INTEGER NOT NULL,
  false_alarms INTEGER NOT NULL,
  PRIMARY KEY (account, day)
) WITHOUT ROWID;
`,
}];

/** The tables with rows of accounts. */
export const junkDaysOfAccounts: AccountDatabase = {
  file: "junkdays.db",
  migrations,
  tables: [{ name: "days" }],
};

const dayMs = 86_400_000;
/** Milliseconds after which counts are written. */
const writeAfter = 60_000;
/** Days kept. */
const keptDays = 400;

/** The counted events. */
export type JunkEvent =
  /** Delivered, but not as junk. */
  | "good"
  /** Delivered to the Junk mailbox. */
  | "junk"
  /** Refused by the analysis; the sender may try again. */
  | "refused"
  /** Accepted as good, until its user marked it as junk. */
  | "missed"
  /** Put into the Junk mailbox, until its user marked it as not junk. */
  | "falseAlarms";

/** Counts of one day. */
export type JunkCounts = Record<JunkEvent, number>;

export interface JunkDay extends JunkCounts {
  /** Start of the day, milliseconds. */
  day: number;
}

/** Whether a message was put into the Junk mailbox, by the code of X-Mox-Reason. */
export function setAsJunk(reason: string): boolean {
  return goesToJunk(reason as Reason);
}

const none = (): JunkCounts => ({ good: 0, junk: 0, refused: 0, missed: 0, falseAlarms: 0 });

export class JunkFigures {
  readonly #db: Db;
  readonly #now: () => number;
  /** Not written yet, by account and then by day. */
  readonly #counts = new Map<string, Map<number, JunkCounts>>();
  #timer: ReturnType<typeof setTimeout> | undefined;

  private constructor(db: Db, now: () => number) {
    this.#db = db;
    this.#now = now;
  }

  static async open(dataDir: string, now: () => number = Date.now): Promise<JunkFigures> {
    return new JunkFigures(await Db.open(join(dataDir, "junkdays.db"), migrations), now);
  }

  note(account: string, event: JunkEvent): void {
    const day = Math.floor(this.#now() / dayMs);
    const days = this.#counts.get(account) ?? new Map<number, JunkCounts>();
    const counts = days.get(day) ?? none();
    counts[event]++;
    this.#counts.set(account, days.set(day, counts));
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      try {
        this.#write();
      } catch (err) {
        new Log("junk").error("writing figures", { err: err as Error });
      }
    }, writeAfter);
    Deno.unrefTimer(this.#timer as unknown as number);
  }

  #write(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#counts.size === 0) return;
    this.#db.transaction(() => {
      for (const [account, days] of this.#counts) {
        for (const [day, c] of days) {
          this.#db.run(
            "INSERT INTO days VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET " +
              "good = good + excluded.good, junk = junk + excluded.junk, " +
              "refused = refused + excluded.refused, missed = missed + excluded.missed, " +
              "false_alarms = false_alarms + excluded.false_alarms",
            account,
            day,
            c.good,
            c.junk,
            c.refused,
            c.missed,
            c.falseAlarms,
          );
        }
      }
      this.#db.run("DELETE FROM days WHERE day < ?", Math.floor(this.#now() / dayMs) - keptDays);
    });
    this.#counts.clear();
  }

  /** The last days of an account, today last; including days without mail. */
  days(account: string, count: number): JunkDay[] {
    this.#write();
    const today = Math.floor(this.#now() / dayMs);
    const rows = this.#db.all(
      "SELECT day, good, junk, refused, missed, false_alarms FROM days WHERE account = ? AND day > ?",
      account,
      today - count,
    );
    const found = new Map(rows.map(([day, good, junk, refused, missed, falseAlarms]) => [
      day as number,
      { good, junk, refused, missed, falseAlarms } as JunkCounts,
    ]));
    return Array.from({ length: count }, (_, i) => {
      const day = today - count + 1 + i;
      return { ...(found.get(day) ?? none()), day: day * dayMs };
    });
  }

  /** Forgets accounts that no longer exist; durable when it resolves. */
  async forgetOthers(isAccount: (name: string) => boolean): Promise<void> {
    for (const name of this.#counts.keys()) if (!isAccount(name)) this.#counts.delete(name);
    for (const [name] of this.#db.all("SELECT DISTINCT account FROM days")) {
      if (!isAccount(name as string)) this.#db.run("DELETE FROM days WHERE account = ?", name);
    }
    await this.#db.durable();
  }

  async close(): Promise<void> {
    this.#write();
    await this.#db.close();
  }
}
