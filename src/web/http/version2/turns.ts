/**
 * Requests of one connection that are worked on at a time: as many as a browser's connections by HTTP/1.1 would
 * be, and not as many as streams may be open.
 *
 * @module
 */

import { setImmediate } from "node:timers";
import { nextTurn, turnSpent } from "../../../platform/turns.ts";

/** At a time; event streams are not counted once they have begun. */
const maxWorking = 6;

/** A queue in front of the work. */
export class Turns {
  #working = 0;
  /** The next is begun later. */
  #later = false;
  readonly #waiting = new Set<() => void>();

  /**
   * Runs the work once it is its turn, unless it is aborted before; not before all frames were read that came with
   * it, as a reset may be among them. The turn lasts until the work ends or calls what it is given.
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
