/** A clock that tests move. */
import type { Clock } from "../../src/queue/mod.ts";

/** Time that stands still until it is moved. */
export class TestClock implements Clock {
  time = 1_700_000_000_000;
  #timers = new Set<{ at: number; fn: () => void }>();
  now = () => this.time;
  random = () => 0.5;
  after(ms: number, fn: () => void): () => void {
    const t = { at: this.time + ms, fn };
    this.#timers.add(t);
    return () => this.#timers.delete(t);
  }
  /** Moves the time to the next timer and runs it; false if there is none. */
  next(): boolean {
    const [t] = [...this.#timers].sort((a, b) => a.at - b.at);
    if (!t) return false;
    this.#timers.delete(t);
    this.time = Math.max(this.time, t.at);
    t.fn();
    return true;
  }
}
