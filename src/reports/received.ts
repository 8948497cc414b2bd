/** What the databases of received reports have in common: a table `reports` with `id`, `domain` and `end_time`. @module */
import type { Db } from "../store/database/database.ts";

/** Received reports of one kind. */
export abstract class ReceivedReports<T> {
  protected constructor(
    protected readonly db: Db,
    /** Input of `stored`. */
    private readonly columns: string,
    private readonly stored: (row: unknown[]) => T,
  ) {}

  get(id: number): T | undefined {
    const row = this.db.get(`SELECT ${this.columns} FROM reports WHERE id = ?`, id);
    return row && this.stored(row);
  }

  /**
   * Reports that end in a period, newest first; times in the unit of this kind.
   * @param begin inclusive
   * @param end exclusive
   * @param domain "" for all
   */
  list(begin: number, end: number, domain = "", limit = 1000): T[] {
    return this.db.all(
      `SELECT ${this.columns} FROM reports WHERE end_time >= ? AND end_time < ? AND (? = '' OR domain = ?) ` +
        "ORDER BY end_time DESC, id DESC LIMIT ?",
      begin,
      end,
      domain,
      domain,
      limit,
    ).map(this.stored);
  }

  /** Removes reports that ended before a time. Returns how many. */
  removeBefore(end: number): number {
    return this.db.run("DELETE FROM reports WHERE end_time < ?", end).changes;
  }

  close(): Promise<void> {
    return this.db.close();
  }
}
