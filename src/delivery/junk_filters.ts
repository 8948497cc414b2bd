/**
 * The open junk filters: one for each account, shared by delivery (classifying), training and retraining,
 * because a filter keeps counts in memory. A filter that nobody uses is closed after a while.
 *
 * @module
 */
import { JunkFilter, type JunkParams } from "../junk/mod.ts";
import { Log } from "../log/mod.ts";

/** Milliseconds that a filter without users stays open. */
const idleMs = 10_000;

const log = new Log("junk");

interface Open {
  filter: Promise<JunkFilter>;
  /** As when it was opened. */
  params: string;
  users: number;
  timer: ReturnType<typeof setTimeout> | undefined;
}

/** The filters of a server's accounts. */
export class JunkFilters {
  readonly #open = new Map<string, Open>();
  readonly #closing = new Map<string, Promise<void>>();

  /**
   * Runs the function with the account's filter. Changed parameters take effect when nobody uses the filter.
   * @param dir the account's folder
   * @throws what opening the database throws, and what the function does
   */
  async use<T>(
    dir: string,
    params: JunkParams,
    fn: (filter: JunkFilter) => T | Promise<T>,
  ): Promise<T> {
    const open = await this.#acquire(dir, params);
    try {
      return await fn(await open.filter);
    } finally {
      open.users--;
      if (open.users === 0 && this.#open.get(dir) === open) {
        const timer = setTimeout(() => this.#close(dir, open), idleMs);
        Deno.unrefTimer(timer as unknown as number);
        open.timer = timer;
      }
    }
  }

  async #acquire(dir: string, params: JunkParams): Promise<Open> {
    const key = JSON.stringify(params);
    let open = this.#open.get(dir);
    if (open && open.users === 0 && open.params !== key) {
      this.#close(dir, open);
      open = undefined;
    }
    while (!open && this.#closing.has(dir)) {
      await this.#closing.get(dir);
      open = this.#open.get(dir);
    }
    if (!open) {
      open = { filter: JunkFilter.open(dir, params), params: key, users: 0, timer: undefined };
      const opening = open;
      this.#open.set(dir, opening);
      opening.filter.catch(() => {
        if (this.#open.get(dir) === opening) this.#open.delete(dir);
      });
    }
    open.users++;
    clearTimeout(open.timer);
    return open;
  }

  #close(dir: string, open: Open): void {
    clearTimeout(open.timer);
    this.#open.delete(dir);
    const closing = open.filter.then((f) => f.close())
      .catch((err) => log.error("closing junk filter", { dir, err: err as Error }))
      .finally(() => this.#closing.delete(dir));
    this.#closing.set(dir, closing);
  }

  /** Closes all filters; none may be used afterwards. */
  async closeAll(): Promise<void> {
    for (const [dir, open] of this.#open) this.#close(dir, open);
    await Promise.all(this.#closing.values());
  }
}
