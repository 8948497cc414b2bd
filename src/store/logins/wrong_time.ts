/**
 * The same time for every wrong password, whether nobody has the name, an account has a hash of our own, or one of
 * another server that takes longer: timing would tell who has an account that was moved here.
 *
 * What a hash of another server costs is measured when it is set, and with each wrong try; from then on no wrong password
 * is answered earlier than that. Waiting costs no CPU time. What was measured is kept in a file over restarts.
 *
 * @module
 */
import type { PasswordHash } from "./password_hash.ts";

/** Milliseconds that others wait at most for the sake of a dear hash; a client may wait ten seconds in all. */
const mostWaiting = 3000;
/** Kinds of hashes that are known; an administrator who moves accounts brings a handful. */
const maxKinds = 100;
/** Above what was measured when nothing else was computed. */
const margin = 1.25;
/** Milliseconds; times are rounded up to it, so that small differences of measuring don't show. */
const step = 50;

/** What a hash costs to verify, without what is secret in it: hashes of one text take the same time. */
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

/** Times of hashes, and from them of the answer that a password is wrong. */
export class WrongTime {
  /** Least milliseconds by cost: more of them were spent waiting for others. */
  readonly #least = new Map<string, number>();
  /** Costs whose times were measured by an earlier run, perhaps on another machine. */
  readonly #before = new Set<string>();
  #own = Infinity;
  /** Is told when another server's hash was measured for the first time, or differently. */
  onMeasured: (() => void) | undefined;

  /** Whether this run has measured hashes of a cost. */
  knows(cost: string): boolean {
    return this.#least.has(cost) && !this.#before.has(cost);
  }

  /** Times by cost, to be kept. */
  get times(): Record<string, number> {
    return Object.fromEntries(this.#least);
  }

  /** Takes times of an earlier run, until it is measured anew. */
  restore(times: Readonly<Record<string, number>>): void {
    for (const [cost, ms] of Object.entries(times)) {
      if (this.#least.size >= maxKinds) return;
      if (this.#least.has(cost)) continue;
      this.#least.set(cost, ms);
      this.#before.add(cost);
    }
  }

  /** A hash of our own was verified in so many milliseconds. */
  own(ms: number): void {
    this.#own = Math.min(this.#own, ms);
  }

  /** One of another server's was. */
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
    // After one of another server's our own work is done too, as one that is quick would show otherwise.
    const both = Math.max(...this.#least.values()) + (this.#own === Infinity ? 0 : this.#own);
    return Math.min(mostWaiting, Math.ceil(both * margin / step) * step);
  }

  /** Resolves when that time has passed since `began`, by performance.now(). */
  async passed(began: number): Promise<void> {
    const left = this.least - (performance.now() - began);
    if (left > 0) await new Promise((resolve) => setTimeout(resolve, left));
  }
}
