/**
 * Group commit: writes that arrive while another is being made durable run together in the next transaction and
 * share its fsync.
 *
 * Each write is a function over the database. It runs in a savepoint, so that a failing one leaves nothing
 * behind and does not affect the others of its group.
 *
 * @module
 */
import type { Db } from "./database.ts";
import { type Change, type Listener, StoreError } from "../types.ts";

/** Collects the side effects of a write. */
export interface WriteContext {
  /** Changes to broadcast at the commit. */
  readonly changes: Change[];
  /** Runs after the commit is durable, before the caller continues, for example to remove files. */
  afterCommit(fn: () => void): void;
}

interface Job {
  fn: (ctx: WriteContext) => unknown;
  origin: Listener | undefined;
  /** The caller calls {@link Writer.settle}. */
  part: boolean;
  resolve: (v: never) => void;
  reject: (err: unknown) => void;
}

interface Done {
  job: Job;
  value: unknown;
}

/** Most writes in one transaction; a long queue is done in several. */
const maxGroup = 256;
/**
 * Milliseconds after which a transaction accepts no more writes: others get the event loop while it is made
 * durable.
 */
const groupTime = 15;

export class Writer {
  readonly #db: Db;
  readonly #publish: (changes: readonly Change[], origin: Listener | undefined) => void;
  #queue: Job[] = [];
  #running: Promise<void> | undefined;
  /** Parts were committed that may not be on disk yet, and work waits for that. */
  #unsettled = false;
  #afterParts: (() => void)[] = [];
  #failure: Error | undefined;
  #closed = false;

  constructor(
    db: Db,
    publish: (changes: readonly Change[], origin: Listener | undefined) => void,
  ) {
    this.#db = db;
    this.#publish = publish;
  }

  /**
   * Runs the write in a transaction, soon; resolves with its result when that is on disk. The changes are
   * broadcast at the commit. If the function throws, all it did is undone.
   */
  write<T>(fn: (ctx: WriteContext) => T, origin?: Listener): Promise<T> {
    return this.#write(fn, origin, false);
  }

  /**
   * One part of a change made of several writes: like {@link write}, but resolves at the commit, so that all
   * parts share one fsync. Promise nothing before {@link settle} has resolved; always call it.
   */
  writePart<T>(fn: (ctx: WriteContext) => T, origin?: Listener): Promise<T> {
    return this.#write(fn, origin, true);
  }

  /** Resolves when all parts written so far are on disk. */
  async settle(): Promise<void> {
    if (this.#unsettled) await this.#write(() => {}, undefined, false);
  }

  #write<T>(
    fn: (ctx: WriteContext) => T,
    origin: Listener | undefined,
    part: boolean,
  ): Promise<T> {
    if (this.#closed) return Promise.reject(new StoreError("closed", "account is closed"));
    if (this.#failure) return Promise.reject(this.#failure);
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    this.#queue.push({ fn, origin, part, resolve: resolve as (v: never) => void, reject });
    this.#running ??= this.#run();
    return promise;
  }

  async #run(): Promise<void> {
    // Writes requested in the same turn join the first group.
    await Promise.resolve();
    while (this.#queue.length > 0) {
      const group = this.#queue.splice(0, maxGroup);
      const done: Done[] = [];
      const after: (() => void)[] = [];
      try {
        const broadcasts: { changes: Change[]; origin: Listener | undefined }[] = [];
        const began = performance.now();
        this.#db.transaction(() => {
          for (const [i, job] of group.entries()) {
            if (i > 0 && performance.now() - began >= groupTime) {
              this.#queue.unshift(...group.splice(i));
              break;
            }
            const ctx: WriteContext & { after: (() => void)[] } = {
              changes: [],
              after: [],
              afterCommit(fn) {
                this.after.push(fn);
              },
            };
            if (group.length > 1) this.#db.exec("SAVEPOINT job");
            try {
              done.push({ job, value: job.fn(ctx) });
            } catch (err) {
              if (group.length === 1) throw err;
              this.#db.exec("ROLLBACK TO job; RELEASE job");
              job.reject(err);
              continue;
            }
            if (group.length > 1) this.#db.exec("RELEASE job");
            broadcasts.push({ changes: ctx.changes, origin: job.origin });
            after.push(...ctx.after);
          }
        });
        for (const b of broadcasts) this.#publish(b.changes, b.origin);
      } catch (err) {
        for (const job of group) job.reject(err);
        continue;
      }
      if (done.every((d) => d.job.part)) {
        this.#unsettled = true;
        this.#afterParts.push(...after);
        for (const d of done) d.job.resolve(d.value as never);
        continue;
      }
      try {
        await this.#db.durable();
      } catch (err) {
        // After a failed fsync the kernel may have dropped the pages: nothing more can be promised, so nothing
        // is accepted until the next start, which recovers from the WAL.
        this.#failure = new Error("making changes durable failed; restart needed", { cause: err });
        for (const d of done) d.job.reject(this.#failure);
        for (const job of this.#queue.splice(0)) job.reject(this.#failure);
        break;
      }
      this.#unsettled = false;
      for (const fn of this.#afterParts.splice(0)) fn();
      for (const fn of after) fn();
      for (const d of done) d.job.resolve(d.value as never);
    }
    this.#running = undefined;
  }

  /** Writes wait, run, or are being made durable: not everything readable is on disk. */
  get busy(): boolean {
    return this.#running !== undefined || this.#unsettled || !this.#db.settled;
  }

  /** Resolves when no write is in progress. */
  async idle(): Promise<void> {
    while (this.#running) await this.#running;
  }

  /** Refuses further writes and waits for those under way. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.idle();
    if (!this.#unsettled || this.#failure) return;
    await this.#db.durable();
    for (const fn of this.#afterParts.splice(0)) fn();
  }
}
