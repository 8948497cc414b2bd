/**
 * Makes every wrong password take the same time, whether the name is unknown, the account has one of our own
 * hashes, or a slower one of another server: timing would reveal which accounts were moved here.
 *
 * The cost of another server's hash is measured when it is set, and with each wrong attempt; from then on no
 * wrong password is answered earlier. Waiting costs no CPU time. Measurements are kept in a file across
 * restarts.
 *
 * @module
 */
import type { PasswordHash } from "./password_hash.ts";

/** Most milliseconds that others wait because of an expensive hash; a client may wait ten seconds in total. */
const mostWaiting = 3000;
/** Most kinds of hashes that are known; an administrator who moves accounts brings a handful. */
const maxKinds = 100;
/** Factor above the time measured on an otherwise idle machine. */
const margin = 1.25;
/** Milliseconds; times are rounded up to a multiple, so that small measuring differences don't show. */
const step = 50;

/** The cost of verifying a hash, as a text without secrets: hashes with the same text take the same time. */
export function costOf(hash: PasswordHash): string {
  switch (hash.kind) {
    case "argon2":
      return `argon2 ${hash.text.split("$")[3]}`;
    case "bcrypt":
    case "bcryptSha256":
      return hash.text.slice(0, "$2a$00".length);
    case "shaCrypt":
      return `shaCrypt ${hash.hash.rounds}`;
    case "pbkdf2":
    case "scram":
      return `${hash.kind} ${hash.algorithm} ${hash.rounds}`;
    default:
      return hash.kind;
  }
}

/** Times of hashes, and the time of a wrong password's answer derived from them. */
export class WrongTime {
  /** Least milliseconds by cost: longer times included waiting for others. */
  readonly #least = new Map<string, number>();
  /** Costs measured by an earlier run, perhaps on another machine. */
  readonly #before = new Set<string>();
  #own = Infinity;
  /** Called when another server's hash was measured for the first time, or with a different result. */
  onMeasured: (() => void) | undefined;

  /** Whether this run has measured hashes of this cost. */
  knows(cost: string): boolean {
    return this.#least.has(cost) && !this.#before.has(cost);
  }

  /** Times by cost, for storing. */
  get times(): Record<string, number> {
    return Object.fromEntries(this.#least);
  }

  /** Restores times of an earlier run, valid until measured again. */
  restore(times: Readonly<Record<string, number>>): void {
    for (const [cost, ms] of Object.entries(times)) {
      if (this.#least.size >= maxKinds) return;
      if (this.#least.has(cost)) continue;
      this.#least.set(cost, ms);
      this.#before.add(cost);
    }
  }

  /** Notes how long verifying one of our own hashes took, in milliseconds. */
  own(ms: number): void {
    this.#own = Math.min(this.#own, ms);
  }

  /** Notes the same for another server's hash. */
  foreign(cost: string, ms: number): void {
    const kept = this.#least.get(cost);
    if (kept === undefined && this.#least.size >= maxKinds) return;
    const before = this.#before.delete(cost) ? undefined : kept;
    const least = Math.min(before ?? Infinity, ms);
    this.#least.set(cost, least);
    if (least !== kept) this.onMeasured?.();
  }

  /** Milliseconds before which no wrong password is answered. */
  get least(): number {
    if (this.#least.size === 0) return 0;
    // Another server's hash is followed by the work of our own, as a fast one would show otherwise.
    const both = Math.max(...this.#least.values()) + (this.#own === Infinity ? 0 : this.#own);
    return Math.min(mostWaiting, Math.ceil(both * margin / step) * step);
  }

  /** Resolves when that time has passed since `began`, by performance.now(). */
  async passed(began: number): Promise<void> {
    const left = this.least - (performance.now() - began);
    if (left > 0) await new Promise((resolve) => setTimeout(resolve, left));
  }
}
