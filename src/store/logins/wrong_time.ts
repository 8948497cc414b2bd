/**
 * The same time for every wrong password, whether nobody has the name, an account has a hash of our own, or one of
 * another server that takes longer: timing would tell who has an account that was moved here.
 *
 * The first wrong try at a hash of another server shows what such a hash costs; from then on no wrong password is
 * answered earlier than that. Waiting costs no CPU time.
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
  #own = Infinity;

  /** A hash of our own was verified in so many milliseconds. */
  own(ms: number): void {
    this.#own = Math.min(this.#own, ms);
  }

  /** One of another server's was. */
  foreign(cost: string, ms: number): void {
    const before = this.#least.get(cost);
    if (before === undefined && this.#least.size >= maxKinds) return;
    this.#least.set(cost, Math.min(before ?? Infinity, ms));
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
