/**
 * Large requests, whose bodies are several times in memory while they are read as JSON, decoded and composed: one of
 * an account at a time, and a few of all. Others wait before their body is read, in order; what they have sent stays
 * in the network's buffers.
 *
 * @module
 */

/** Bytes of a body above which a request is large. */
export const largeBody = 1024 * 1024;
/** Large requests at a time, of all accounts together. */
const atATime = 3;

interface Waiting {
  account: string;
  go: () => void;
}

/** Places for large requests. */
export class LargeRequests {
  readonly #running = new Set<string>();
  #waiting: Waiting[] = [];

  /** Waits for a place; returns a function that releases it. @throws the signal's reason when the client has gone */
  async enter(account: string, signal: AbortSignal): Promise<() => void> {
    if (!this.#free(account) || this.#waiting.some((w) => w.account === account)) {
      await new Promise<void>((resolve, reject) => {
        const w: Waiting = { account, go: resolve };
        this.#waiting.push(w);
        signal.addEventListener("abort", () => {
          this.#waiting = this.#waiting.filter((x) => x !== w);
          reject(signal.reason);
        }, { once: true });
      });
    } else this.#running.add(account);
    return () => this.#leave(account);
  }

  #free(account: string): boolean {
    return this.#running.size < atATime && !this.#running.has(account);
  }

  #leave(account: string): void {
    this.#running.delete(account);
    const i = this.#waiting.findIndex((w) => this.#free(w.account));
    if (i < 0) return;
    const [next] = this.#waiting.splice(i, 1);
    this.#running.add(next.account);
    next.go();
  }
}
