/** How many may do something at a time. @module */

/** A limited number of places, given out in the order of requests. */
export class Places {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(places: number) {
    this.#free = places;
  }

  /** Runs it with a place. @throws the signal's reason if it has to wait longer than that */
  async use<T>(limit: AbortSignal, fn: () => Promise<T>): Promise<T> {
    await this.#take(limit);
    try {
      return await fn();
    } finally {
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    }
  }

  async #take(limit: AbortSignal): Promise<void> {
    if (this.#free > 0) {
      this.#free--;
      return;
    }
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#waiting.push(resolve);
    const abort = () => {
      const at = this.#waiting.indexOf(resolve);
      // It has a place already, which it will use and give back.
      if (at < 0) return;
      this.#waiting.splice(at, 1);
      reject(limit.reason as Error);
    };
    limit.addEventListener("abort", abort);
    try {
      if (limit.aborted) abort();
      await promise;
    } finally {
      limit.removeEventListener("abort", abort);
    }
  }
}
