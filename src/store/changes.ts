/**
 * Broadcast of changes to an account's listeners (IMAP sessions, webmail pages).
 *
 * Each listener has its own list and signal. Publishing appends to the list and sets the signal, and never
 * waits; the signal stays set until the list is taken. So no wake-up is lost, whether a listener is waiting at
 * the moment or comes back later.
 *
 * @module
 */
import type { Change, Listener } from "./types.ts";

/**
 * Pending changes a listener may have. A client that doesn't read for that long had better reconnect, and its
 * memory is bounded.
 */
export const maxPendingChanges = 200_000;

class ChangeListener implements Listener {
  #pending: Change[] = [];
  #waiters: (() => void)[] = [];
  readonly #remove: (listener: ChangeListener) => void;
  overflowed = false;
  onPending: (() => void) | undefined;

  constructor(remove: (listener: ChangeListener) => void) {
    this.#remove = remove;
  }

  get pending(): boolean {
    return this.#pending.length > 0 || this.overflowed;
  }

  take(): readonly Change[] {
    const r = this.#pending;
    this.#pending = [];
    return r;
  }

  publish(changes: readonly Change[]): void {
    const wasEmpty = !this.pending;
    if (this.overflowed) return;
    if (this.#pending.length + changes.length > maxPendingChanges) {
      this.#pending = [];
      this.overflowed = true;
    } else {
      for (const c of changes) this.#pending.push(c);
    }
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const w of waiters) w();
    if (wasEmpty) this.onPending?.();
  }

  wait(signal?: AbortSignal): Promise<void> {
    if (this.pending || signal?.aborted) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        signal?.removeEventListener("abort", done);
        const i = this.#waiters.indexOf(done);
        if (i >= 0) this.#waiters.splice(i, 1);
        resolve();
      };
      this.#waiters.push(done);
      signal?.addEventListener("abort", done);
    });
  }

  close(): void {
    this.#remove(this);
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const w of waiters) w();
  }
}

/** The listeners of one account. */
export class Broadcast {
  readonly #listeners = new Set<ChangeListener>();

  listen(): Listener {
    const l = new ChangeListener((x) => this.#listeners.delete(x));
    this.#listeners.add(l);
    return l;
  }

  /** Gives the changes to every listener but the one that made them. */
  publish(changes: readonly Change[], origin?: Listener): void {
    if (changes.length === 0) return;
    for (const l of this.#listeners) if (l !== origin) l.publish(changes);
  }

  get count(): number {
    return this.#listeners.size;
  }
}
