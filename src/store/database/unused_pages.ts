/**
 * Frees the cached pages of databases that nothing has used for a while; the system's own cache of the file
 * still has them.
 *
 * @module
 */

/** A database with pages in memory. */
export interface PagesInMemory {
  /** Statements run so far. */
  readonly uses: number;
  /** Frees pages that are not in use at the moment. */
  shrink(): void;
}

interface Looked {
  /** Statements at the last check, and when it was last shrunk. */
  uses: number;
  shrunkAt: number;
}

/** With fewer statements than this since it was last shrunk, a database has few pages. */
const worthwhile = 100;

/** The databases of this thread. */
const open = new Map<PagesInMemory, Looked>();

/** Registers a database for checks until {@link forgetPages}. */
export function notePages(database: PagesInMemory): void {
  open.set(database, { uses: 0, shrunkAt: 0 });
}

export function forgetPages(database: PagesInMemory): void {
  open.delete(database);
}

/** Shrinks the databases that ran no statement since the last call; returns how many. */
export function shrinkUnused(): number {
  let n = 0;
  for (const [database, looked] of open) {
    const { uses } = database;
    if (uses === looked.uses && uses - looked.shrunkAt >= worthwhile) {
      database.shrink();
      looked.shrunkAt = uses;
      n++;
    }
    looked.uses = uses;
  }
  return n;
}
