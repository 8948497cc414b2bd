/**
 * A copy of one SQLite database that follows it: a base, and beside it the write-ahead log (WAL), to which what the
 * original's log gets is added. The two together are at each moment a database as it was committed.
 *
 * What a log has had must be copied before the log begins anew. A log can't begin anew while somebody reads the
 * database as of a moment that is only in the log; so a reader is held at all times, and a new one is begun before
 * the old one ends. Where it reads the database alone, the log has nothing that was not copied, and nothing can be
 * moved out of it. When the log begins anew, what was copied is moved into the copy's base, which is then what the
 * original was.
 *
 * Under constant load there is no moment at which all of a log was moved and nobody reads from it: then it would
 * grow for ever. So a large one is made to begin anew: with writers held up for a moment, the rest is copied and
 * moved, and a reader is begun that reads the database alone.
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
   * @param from the database that is followed; `to` the copy's file, in a folder that is there
   * @param maxLog bytes of the log above which {@link rewind} does something
   */
  constructor(from: string, to: string, maxLog?: number) {
    this.#source = new LogSource(from, maxLog);
    this.#to = to;
  }

  /** Whether another file is in the database's place than the one that was followed. */
  replaced(): boolean {
    return this.#source.replaced();
  }

  /** Lets go of a database that was replaced: the copy needs a new base. */
  forget(): void {
    this.#source.forget();
  }

  /** Whether the database may have changed since the last look. @throws Deno.errors.NotFound if it is gone */
  changed(): boolean {
    return this.#source.changed();
  }

  /** Goes on with a copy that an earlier process has left, if it still can. */
  resume(): boolean {
    try {
      const p = logPosition(this.#to);
      return p !== undefined && this.#source.resume(p.generation, p.size, p.last);
    } catch (err) {
      if (err instanceof Deno.errors.NotFound) return false;
      throw err;
    }
  }

  /** Lets go of the database, for one that is not used. The next look may have to make a new base. */
  release(): void {
    this.#source.release();
  }

  /**
   * What the copy lacks; undefined if it can't be known and the copy needs a new base. Nothing is written: files
   * that these changes name are to be copied first.
   */
  pending(): Pending | "nothing" | undefined {
    return this.#source.pending();
  }

  /**
   * Adds to the copy; durable when it returns. The reader that {@link pending} has begun keeps the log as it was.
   */
  write(pending: Pending): void {
    using log = Deno.openSync(this.#source.log);
    if (pending.at === 0) mergeLog(this.#to);
    copyLog(log, `${this.#to}-wal`, pending);
    this.#source.took(pending);
  }

  /**
   * Makes a log that has become large begin anew, if no other reader is in the way. Writers wait for that. The
   * copy must have what {@link pending} told just before, so that it does not take long.
   * @param before is called before changes are written, as there may be more since
   * @param atOnce also if it was tried just now
   */
  rewind(before: () => void, atOnce = false): void {
    this.#source.rewind((pending) => {
      before();
      this.write(pending);
    }, atOnce);
  }

  /** Makes a new base, in place of what is there: at each moment the old copy or the new one is whole. */
  async rebase(): Promise<void> {
    this.#source.beginBase();
    const made = `${this.#to}.new`;
    await copyBase(this.#source.path, made);
    putBase(made, this.#to);
    // The log as it is now: what of it is in the base already makes no difference.
    const p = this.#source.withBase();
    if (p === undefined) return;
    // All at once: a part of it would take pages of the base back to what they were before.
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
