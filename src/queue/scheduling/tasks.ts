/** Background work that is awaited at the end. @module */

export class Tasks {
  readonly #running = new Set<Promise<void>>();

  /** Registers work that never fails. */
  add(task: Promise<void>): void {
    const noted = task.finally(() => this.#running.delete(noted));
    this.#running.add(noted);
  }

  /** Resolves when no work is left. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }
}
