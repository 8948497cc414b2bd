/** An allowance of free operations for a client: used up, and refilled with time. @module */

/** An amount that is used up, and refilled with time. */
export class Allowance {
  readonly #most: number;
  readonly #eachSecond: number;
  #left: number;
  #at = performance.now();

  /**
   * @param most that may be used in a burst
   * @param eachSecond refilled each second
   */
  constructor(most: number, eachSecond: number) {
    this.#most = most;
    this.#eachSecond = eachSecond;
    this.#left = most;
  }

  /** False if it is used up. */
  use(): boolean {
    if (this.#left < 1) {
      const now = performance.now();
      this.giveBack((now - this.#at) / 1000 * this.#eachSecond);
      this.#at = now;
      if (this.#left < 1) return false;
    }
    this.#left--;
    return true;
  }

  giveBack(n: number): void {
    this.#left = Math.min(this.#most, this.#left + n);
  }
}
