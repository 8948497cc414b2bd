/** Work that goes on by itself, and is waited for at the end. @module */

export class Tasks {
  readonly #running = new Set<Promise<void>>();

  /** Notes work that never fails. */
  add(task: Promise<void>): void {
    const noted = task.finally(() => this.#running.delete(noted));
    this.#running.add(noted);
  }

  /** Resolves when nothing goes on any more. */
  async idle(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running);
  }
}
