/**
 * Pages of databases in memory that nothing has used for a while: they go back, and the system's own cache of the
 * file has them for who needs them next.
 *
 * @module
 */

/** A database with pages in memory. */
export interface PagesInMemory {
  /** Statements so far. */
  readonly uses: number;
  /** Gives up what isn't in use just now. */
  shrink(): void;
}

interface Looked {
  /** Statements at the last look, and when it was shrunk. */
  uses: number;
  shrunkAt: number;
}

/** Statements since it was shrunk last, with fewer of which a database has few pages. */
const worthwhile = 100;

/** Those of this thread. */
const open = new Map<PagesInMemory, Looked>();

/** Has a database looked at, from now until {@link forgetPages}. */
export function notePages(database: PagesInMemory): void {
  open.set(database, { uses: 0, shrunkAt: 0 });
}

export function forgetPages(database: PagesInMemory): void {
  open.delete(database);
}

/** Shrinks the databases that no statement ran in since the last call; how many. */
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
