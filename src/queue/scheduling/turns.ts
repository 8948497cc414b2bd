/**
 * The queue's share of the event loop.
 *
 * Thousands of deliveries may begin and end without ever waiting for anything, if their destination is known to
 * be dead. Each takes transactions, and in a row they would hold up everybody else for seconds. So only a few
 * begin, and a few results are written, in each turn of the loop; and those to dead destinations begin with
 * pauses, as their writes also compete for the disk.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import type { Tasks } from "./tasks.ts";

/** Per turn: deliveries that begin, and results written. */
const maxStarts = 5;
const maxResults = 5;
/** Milliseconds between the starts of deliveries to destinations known to be dead. */
const pause = 5;

export class Turns {
  readonly #tasks: Tasks;
  readonly #again: () => void;
  #starts = 0;
  #results = 0;
  #pausing = false;
  /** A later turn has been requested; something was refused in this one. */
  #scheduled = false;
  #refused = false;
  readonly #waiting: (() => void)[] = [];

  /** @param again called in a later turn if something could not start in this one. */
  constructor(tasks: Tasks, again: () => void) {
    this.#tasks = tasks;
    this.#again = again;
  }

  /** Whether this turn may look for another delivery; if not, the next turn will. */
  mayLook(): boolean {
    if (this.#starts >= maxStarts) {
      this.#refused = true;
      return false;
    }
    this.#starts++;
    this.#schedule();
    return true;
  }

  /** The same for a delivery to a destination known to be dead; if not, it waits for the end of the pause. */
  mayTryDead(): boolean {
    if (this.#pausing) return false;
    this.#pausing = true;
    this.#tasks.add(
      new Promise<void>((resolve) => {
        setTimeout(() => {
          this.#pausing = false;
          this.#again();
          resolve();
        }, pause);
      }),
    );
    return true;
  }

  /** Resolves in a turn in which another result may be written; first come, first served. */
  async forResult(): Promise<void> {
    if (this.#results >= maxResults) {
      return await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    this.#results++;
    this.#schedule();
  }

  /** Resets the counts in the next turn. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#tasks.add(
      new Promise<void>((resolve) => {
        setImmediate(() => {
          this.#next();
          resolve();
        });
      }),
    );
  }

  #next(): void {
    this.#starts = 0;
    this.#scheduled = false;
    const ready = this.#waiting.splice(0, maxResults);
    this.#results = ready.length;
    if (ready.length > 0) this.#schedule();
    for (const resolve of ready) resolve();
    if (!this.#refused) return;
    this.#refused = false;
    this.#again();
  }
}
