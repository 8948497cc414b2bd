/**
 * What scripts remember from one message to the next: values of `duplicate`, senders that got a reply; and sent
 * messages, so that a crash neither loses nor duplicates them.
 *
 * A message that a script sends is noted before it is queued, and marked when it is in the queue. Messages that
 * are noted but unmarked when the server starts are looked up in the queue before anything leaves it: this
 * shows whether they were queued. If the sender of the incoming message got no confirmation and retries, queued
 * messages are not queued again.
 *
 * @module
 */
import type { Db } from "../../store/database/database.ts";

/** Milliseconds that a sent message is remembered: longer than anybody retries. */
const sentLifetime = 7 * 24 * 3600_000;
/** The same after its incoming message was accepted, in case the answer doesn't reach its sender. */
const takenLifetime = 5 * 60_000;

export interface SentNote {
  /** Identifies it: by the incoming message, the account, and the sent message. */
  key: string;
  account: string;
  address: string;
  /** Message-ID of the queued message, without brackets. */
  messageId: string;
}

export class Memory {
  readonly #db: Db;
  readonly #now: () => number;
  #cleaned = 0;
  /** Keys whose incoming message was accepted, and when: the same message sent again counts as a new one. */
  readonly #taken = new Map<string, number>();

  constructor(db: Db, now: () => number) {
    this.#db = db;
    this.#now = now;
  }

  /** Whether a value is remembered. */
  seen(account: string, key: string): boolean {
    return this.#db.get(
      "SELECT 1 FROM seen WHERE account = ? AND key = ? AND expires > ?",
      account,
      key,
      this.#now(),
    ) !== undefined;
  }

  /** Remembers values, each for its number of seconds; durable when it resolves. */
  async remember(
    account: string,
    values: readonly { key: string; seconds: number }[],
  ): Promise<void> {
    if (values.length === 0) return;
    const now = this.#now();
    this.#db.transaction(() => {
      for (const { key, seconds } of values) {
        this.#db.run(
          "INSERT INTO seen (account, key, expires) VALUES (?, ?, ?) " +
            "ON CONFLICT (account, key) DO UPDATE SET expires = excluded.expires",
          account,
          key,
          now + seconds * 1000,
        );
      }
      this.#clean(now);
    });
    await this.#db.durable();
  }

  #clean(now: number): void {
    if (now - this.#cleaned < 60_000) return;
    this.#cleaned = now;
    this.#db.run("DELETE FROM seen WHERE expires <= ?", now);
    this.#db.run("DELETE FROM sent WHERE begun < ?", now - sentLifetime);
    for (const [key, time] of this.#taken) {
      if (now - time < takenLifetime) continue;
      this.#db.run("DELETE FROM sent WHERE key = ?", key);
      this.#taken.delete(key);
    }
  }

  /** Notes that a message will be queued. @returns false if it has already been queued */
  async begin(note: SentNote): Promise<boolean> {
    const now = this.#now();
    const fresh = this.#db.transaction(() => {
      this.#clean(now);
      const row = this.#db.get("SELECT done FROM sent WHERE key = ?", note.key);
      if (row?.[0] === 1 && !this.#taken.has(note.key)) return false;
      this.#db.run(
        "INSERT OR REPLACE INTO sent (key, account, address, message_id, begun) VALUES (?, ?, ?, ?, ?)",
        note.key,
        note.account,
        note.address,
        note.messageId,
        now,
      );
      this.#taken.delete(note.key);
      return true;
    });
    if (fresh) await this.#db.durable();
    return fresh;
  }

  /** Called when it is in the queue. Durable with the next write: the queue has it anyway. */
  done(key: string): void {
    this.#db.run("UPDATE sent SET done = 1 WHERE key = ?", key);
  }

  /**
   * Called when the incoming message was accepted: the same message again counts as a new one, unless this
   * process ends soon.
   */
  taken(keys: readonly string[]): void {
    for (const key of keys) this.#taken.set(key, this.#now());
  }

  /** Called when it could not be queued, or was withdrawn. */
  failed(key: string): void {
    this.#db.run("DELETE FROM sent WHERE key = ?", key);
  }

  /** Settles messages left open by the end of a process. @param isQueued whether the queue has it */
  async settle(isQueued: (note: SentNote & { begun: number }) => boolean): Promise<void> {
    const open = this.#db.all(
      "SELECT key, account, address, message_id, begun FROM sent WHERE done = 0",
    );
    if (open.length === 0) return;
    this.#db.transaction(() => {
      for (const [key, account, address, messageId, begun] of open) {
        if (isQueued({ key, account, address, messageId, begun })) this.done(key);
        else this.failed(key);
      }
    });
    await this.#db.durable();
  }
}
