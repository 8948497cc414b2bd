/** How many things of each user are under way. @module */
export class Running {
  readonly #most: number;
  readonly #counts = new Map<string, number>();

  constructor(most: number) {
    this.#most = most;
  }

  /** Runs it; undefined if too many of that user are running already. */
  async run<T>(user: string, fn: () => Promise<T>): Promise<T | undefined> {
    const count = this.#counts.get(user) ?? 0;
    if (count >= this.#most) return undefined;
    this.#counts.set(user, count + 1);
    try {
      return await fn();
    } finally {
      const left = this.#counts.get(user)! - 1;
      if (left > 0) this.#counts.set(user, left);
      else this.#counts.delete(user);
    }
  }
}
