/** Counts running operations of each user. @module */
export class Running {
  readonly #most: number;
  readonly #counts = new Map<string, number>();

  constructor(most: number) {
    this.#most = most;
  }

  /** Begins a long operation; undefined if there are too many. @returns a function that ends it */
  begin(user: string): (() => void) | undefined {
    const count = this.#counts.get(user) ?? 0;
    if (count >= this.#most) return undefined;
    this.#counts.set(user, count + 1);
    let ended = false;
    return () => {
      if (ended) return;
      ended = true;
      this.#end(user);
    };
  }

  #end(user: string): void {
    const left = this.#counts.get(user)! - 1;
    if (left > 0) this.#counts.set(user, left);
    else this.#counts.delete(user);
  }

  /** Runs it; undefined if that user already has too many running. */
  async run<T>(user: string, fn: () => Promise<T>): Promise<T | undefined> {
    const end = this.begin(user);
    if (end === undefined) return undefined;
    try {
      return await fn();
    } finally {
      end();
    }
  }
}
