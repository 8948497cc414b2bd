/** Sessions kept for a moment after a delivery, as the next one may go to the same host. @module */
import type { SmtpClient } from "../../smtp/client/mod.ts";

/** Milliseconds that a session is kept without use. */
const idleFor = 2_000;
/** Most sessions kept, in total and per key. */
const maxIdle = 100;
const maxIdlePerKey = 5;
/** Transactions on one session: hosts that balance their load need connections to end. */
const maxTransactions = 100;

interface Idle {
  client: SmtpClient;
  timer: ReturnType<typeof setTimeout>;
}

export class Sessions {
  readonly #idle = new Map<string, Idle[]>();
  readonly #ending = new Set<Promise<void>>();
  #count = 0;
  #stopped = false;

  /** A session to the same host, begun with the same TLS demands. */
  take(key: string): SmtpClient | undefined {
    for (;;) {
      const entry = this.#idle.get(key)?.pop();
      if (!entry) return undefined;
      this.#dropped(key);
      clearTimeout(entry.timer);
      if (entry.client.usable) return entry.client;
      this.#end(entry.client);
    }
  }

  /** Keeps a session for later, or ends it. Returns immediately. */
  give(key: string, client: SmtpClient): void {
    const entries = this.#idle.get(key) ?? [];
    const full = this.#count >= maxIdle || entries.length >= maxIdlePerKey;
    if (this.#stopped || full || !client.usable || client.transactions >= maxTransactions) {
      return this.#end(client);
    }
    const entry: Idle = {
      client,
      timer: setTimeout(() => {
        const list = this.#idle.get(key)!;
        list.splice(list.indexOf(entry), 1);
        this.#dropped(key);
        this.#end(client);
      }, idleFor),
    };
    entries.push(entry);
    this.#idle.set(key, entries);
    this.#count++;
  }

  #dropped(key: string): void {
    this.#count--;
    if (this.#idle.get(key)?.length === 0) this.#idle.delete(key);
  }

  #end(client: SmtpClient): void {
    const done = client.quit().finally(() => this.#ending.delete(done));
    this.#ending.add(done);
  }

  /** Ends all sessions. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const entries of this.#idle.values()) {
      for (const { client, timer } of entries) {
        clearTimeout(timer);
        this.#end(client);
      }
    }
    this.#idle.clear();
    this.#count = 0;
    await Promise.all(this.#ending);
  }
}
