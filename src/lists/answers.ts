/** Counts mails written in response to mail or a form, in order to limit them. */
import type { Db } from "../store/database/database.ts";

const day = 86_400_000;

export class Answers {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  /** Whether one more may be written for a key; if so, it is counted. */
  allow(list: string, key: string, max: number, within: number, now: number): boolean {
    return this.#db.transaction(() => {
      this.#db.run("DELETE FROM answers WHERE submitted < ?", now - 2 * day);
      const count: number = this.#db.get(
        "SELECT count(*) FROM answers WHERE list = ? AND key = ? AND submitted >= ?",
        list,
        key,
        now - within,
      )![0];
      if (count >= max) return false;
      this.#db.run("INSERT INTO answers (list, key, submitted) VALUES (?, ?, ?)", list, key, now);
      return true;
    });
  }
}
