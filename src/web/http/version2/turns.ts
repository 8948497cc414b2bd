/**
 * Simultaneously handled requests of one connection: as many as a browser has connections with HTTP/1.1, fewer
 * than streams may be open.
 *
 * @module
 */

import { setImmediate } from "node:timers";
import { nextTurn, turnSpent } from "../../../platform/turns.ts";

/** Simultaneous requests; event streams don't count once they have started. */
const maxWorking = 6;

/** A queue in front of the work. */
export class Turns {
  #working = 0;
  /** The next one starts later. */
  #later = false;
  readonly #waiting = new Set<() => void>();

  /**
   * Runs the work when it is its turn, unless it is aborted before; not until all frames that arrived with
   * it are read, as a reset may be among them. The turn lasts until the work ends or calls the given function.
   */
  take(signal: AbortSignal, work: (done: () => void) => Promise<void>): void {
    const run = () => {
      this.#waiting.delete(run);
      this.#working++;
      let ended = false;
      const done = () => {
        if (ended) return;
        ended = true;
        this.#working--;
        this.#next();
      };
      work(done).finally(done);
    };
    this.#waiting.add(run);
    signal.addEventListener("abort", () => this.#waiting.delete(run));
    if (this.#later) return;
    this.#later = true;
    setImmediate(() => this.#again());
  }

  #again(): void {
    this.#later = false;
    this.#next();
  }

  #next(): void {
    for (const run of this.#waiting) {
      if (this.#working >= maxWorking || this.#later) return;
      if (turnSpent()) {
        this.#later = true;
        nextTurn().then(() => this.#again());
        return;
      }
      run();
    }
  }
}
