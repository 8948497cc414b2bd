/**
 * Events in mailboxes that run scripts (RFC 6785): stored before the client gets its answer, so that an event
 * survives the process. If processing was interrupted, finished messages are not processed again.
 *
 * @module
 */
import { asMailboxId, type MailboxId } from "../../store/ids.ts";
import type { Db } from "../../store/database/database.ts";

export interface MailboxEvent {
  account: string;
  /** The login that caused it. */
  login: string;
  cause: "APPEND" | "COPY" | "FLAG";
  mailboxId: MailboxId;
  /** In order. */
  uids: readonly number[];
  changedFlags: readonly string[];
}

export interface NotedEvent extends MailboxEvent {
  id: string;
  /** Messages up to this UID are finished. */
  through: number;
}

export class EventLog {
  readonly #db: Db;

  constructor(db: Db) {
    this.#db = db;
  }

  /** Notes an event; it is durable when `durable` resolves. */
  add(e: MailboxEvent): { noted: NotedEvent; durable: Promise<void> } {
    const id = crypto.randomUUID();
    this.#db.run(
      "INSERT INTO events (id, account, login, cause, mailbox_id, uids, flags) VALUES (?, ?, ?, ?, ?, ?, ?)",
      id,
      e.account,
      e.login,
      e.cause,
      e.mailboxId,
      JSON.stringify(e.uids),
      JSON.stringify(e.changedFlags),
    );
    return { noted: { ...e, id, through: 0 }, durable: this.#db.durable() };
  }

  /** Marks a message of an event as finished. Durable with the next write. */
  through(id: string, uid: number): void {
    this.#db.run("UPDATE events SET through = ? WHERE id = ?", uid, id);
  }

  /** Marks an event as completely done. */
  done(id: string): void {
    this.#db.run("DELETE FROM events WHERE id = ?", id);
  }

  /**
   * Events that are not done, in order.
   * @param account of all accounts if not given
   */
  open(account?: string): NotedEvent[] {
    return this.#db.all(
      "SELECT id, account, login, cause, mailbox_id, uids, flags, through FROM events " +
        "WHERE ?1 IS NULL OR account = ?1 ORDER BY rowid",
      account ?? null,
    ).map(([id, account, login, cause, mailboxId, uids, flags, through]) => ({
      ...{ id, account, login, cause, mailboxId: asMailboxId(mailboxId), through },
      uids: JSON.parse(uids),
      changedFlags: JSON.parse(flags),
    }));
  }
}
