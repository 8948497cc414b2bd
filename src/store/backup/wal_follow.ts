/**
 * A copy of one SQLite database that follows it: a base and its write-ahead log (WAL), to which the additions
 * to the original's log are appended. Together they are at each moment a database as it was committed.
 *
 * The contents of a log must be copied before the log restarts. A log can't restart while a reader uses a state
 * of the database that is only in the log; so a reader is held at all times, and a new one begins before the
 * old one ends. Where it reads the database alone, the log has nothing uncopied, and nothing can be moved out
 * of it. When the log restarts, the copied log is merged into the copy's base, which then equals the original.
 *
 * Under constant load there is no moment at which the whole log has been moved and nobody reads from it: it
 * would grow forever. So a large log is forced to restart: with writers held up for a moment, the rest is
 * copied and moved, and a new reader reads the database alone.
 *
 * @module
 */
import { backup, DatabaseSync } from "node:sqlite";
import { LogSource, type Pending } from "./log_source.ts";
import { copyLog, logPosition, mergeLog, putBase } from "./log_copy.ts";

export class FollowedDatabase {
  readonly #source: LogSource;
  readonly #to: string;

  /**
   * @param from the followed database; `to` the copy's file, in an existing folder
   * @param maxLog bytes of the log above which {@link rewind} does something
   */
  constructor(from: string, to: string, maxLog?: number) {
    this.#source = new LogSource(from, maxLog);
    this.#to = to;
  }

  /** Whether another file has replaced the followed database. */
  replaced(): boolean {
    return this.#source.replaced();
  }

  /** Lets go of a database that was replaced: the copy needs a new base. */
  forget(): void {
    this.#source.forget();
  }

  /** Whether the database may have changed since the last check. @throws Deno.errors.NotFound if it is gone */
  changed(): boolean {
    return this.#source.changed();
  }

  /** Continues a copy that an earlier process left, if possible. */
  resume(): boolean {
    try {
      const p = logPosition(this.#to);
      return p !== undefined && this.#source.resume(p.generation, p.size, p.last);
    } catch (err) {
      if (err instanceof Deno.errors.NotFound) return false;
      throw err;
    }
  }

  /** Lets go of an unused database. The next check may need a new base. */
  release(): void {
    this.#source.release();
  }

  /**
   * What the copy lacks; undefined if that is unknown and the copy needs a new base. Nothing is written: first
   * copy the files that these changes name.
   */
  pending(): Pending | "nothing" | undefined {
    return this.#source.pending();
  }

  /** Adds to the copy; durable when it returns. The reader begun by {@link pending} keeps the log unchanged. */
  write(pending: Pending): void {
    using log = Deno.openSync(this.#source.log);
    if (pending.at === 0) mergeLog(this.#to);
    copyLog(log, `${this.#to}-wal`, pending);
    this.#source.took(pending);
  }

  /**
   * Restarts a log that has become large, if no other reader is in the way. Writers wait meanwhile. The copy
   * must have what {@link pending} just returned, so that this is short.
   * @param before is called before changes are written, as there may be more by now
   * @param atOnce even if it was just tried
   */
  rewind(before: () => void, atOnce = false): void {
    this.#source.rewind((pending) => {
      before();
      this.write(pending);
    }, atOnce);
  }

  /** Replaces the base: at each moment either the old copy or the new one is complete. */
  async rebase(): Promise<void> {
    this.#source.beginBase();
    const made = `${this.#to}.new`;
    await copyBase(this.#source.path, made);
    putBase(made, this.#to);
    // The log as it is now: parts of it that are in the base already do no harm.
    const p = this.#source.withBase();
    if (p === undefined) return;
    // All of it together: a part would revert pages of the base.
    const whole = `${this.#to}-wal.new`;
    using log = Deno.openSync(this.#source.log);
    copyLog(log, whole, p);
    Deno.renameSync(whole, `${this.#to}-wal`);
    this.#source.took(p);
  }
}

/** Copies a database as it is at this moment, without its log, durably. */
export async function copyBase(from: string, to: string): Promise<void> {
  removeIfThere(to);
  const source = new DatabaseSync(from, { readOnly: true, timeout: 30_000 });
  try {
    await backup(source, to, { rate: 2 ** 31 - 1 });
  } finally {
    source.close();
  }
  for (const end of ["-wal", "-shm"]) removeIfThere(to + end);
  Deno.chmodSync(to, 0o600);
  using file = Deno.openSync(to, { read: true, write: true });
  file.syncSync();
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch (err) {
    if (!(err instanceof Deno.errors.NotFound)) throw err;
  }
}
