/** Signals changes in an account other than mail. @module */
export class Signals {
  readonly #listeners = new Map<string, Set<() => void>>();

  changed(account: string): void {
    for (const fn of this.#listeners.get(account) ?? []) fn();
  }

  /** @returns a function that ends it */
  on(account: string, fn: () => void): () => void {
    let set = this.#listeners.get(account);
    if (!set) this.#listeners.set(account, set = new Set());
    set.add(fn);
    return () => {
      set.delete(fn);
      if (set.size === 0 && this.#listeners.get(account) === set) this.#listeners.delete(account);
    };
  }
}
