/**
 * What scripts remember from one message to the next: values of `duplicate`, senders that have had a reply; and what
 * was sent, so that a crash neither loses nor doubles it.
 *
 * A message that a script sends is noted before it is put into the queue, and marked when it is there. What is noted
 * and not marked when the server starts is looked for in the queue, before anything leaves that: then it is known
 * whether it was queued. When the sender of the incoming message tries again, as nobody told it of success, what was
 * queued is not queued again.
 *
 * @module
 */
import type { Db } from "../../store/database/database.ts";

/** Milliseconds that a sent message is remembered: longer than anybody tries. */
const sentLifetime = 7 * 24 * 3600_000;
/** The same after its incoming message was taken: should the answer not reach its sender. */
const takenLifetime = 5 * 60_000;

export interface SentNote {
  /** What tells it from all others: of the incoming message, the account, and what is sent. */
  key: string;
  account: string;
  address: string;
  /** Message-ID of what is queued, without brackets. */
  messageId: string;
}

export class Memory {
  readonly #db: Db;
  readonly #now: () => number;
  #cleaned = 0;
  /** Keys whose incoming message was taken, and when: who sends it again means another one. */
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

  /** Remembers values for so many seconds; durable when it resolves. */
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

  /** Notes that a message will be queued. @returns false if it has been already */
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

  /** It is in the queue. Durable with what is written next: the queue has it anyway. */
  done(key: string): void {
    this.#db.run("UPDATE sent SET done = 1 WHERE key = ?", key);
  }

  /** The incoming message was taken: the same once more is another one, unless this process ends soon. */
  taken(keys: readonly string[]): void {
    for (const key of keys) this.#taken.set(key, this.#now());
  }

  /** It could not be queued, or was taken back. */
  failed(key: string): void {
    this.#db.run("DELETE FROM sent WHERE key = ?", key);
  }

  /** Settles what the end of a process left open. @param isQueued whether the queue has it */
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
