/**
 * Group commit: many callers share one fsync.
 *
 * @module
 */

/**
 * Runs a sync on behalf of all callers. A call made while one is running waits for the next one: the caller's
 * data may be too late for the running one.
 */
export class SharedSync {
  readonly #run: () => Promise<void>;
  #current: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(run: () => Promise<void>) {
    this.#run = run;
  }

  /** Resolves when a sync that started after this call has ended; rejects if it failed. */
  sync(): Promise<void> {
    // A waiting one has not started yet, so it serves this caller too.
    if (this.#next) return this.#next;
    if (!this.#current) return this.#start();
    this.#next = this.#current.then(() => this.#startNext(), () => this.#startNext());
    return this.#next;
  }

  #start(): Promise<void> {
    const p = this.#run().finally(() => {
      if (this.#current === p) this.#current = undefined;
    });
    this.#current = p;
    return p;
  }

  #startNext(): Promise<void> {
    this.#next = undefined;
    return this.#start();
  }
}
