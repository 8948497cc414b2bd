/** Limiting concurrent operations. @module */

/** A limited number of slots, granted in order of request. */
export class Places {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(places: number) {
    this.#free = places;
  }

  /** Runs with a slot. @throws the signal's reason if it fires while waiting */
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
      // A slot granted in the meantime is released.
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
