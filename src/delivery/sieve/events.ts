/**
 * What happened in mailboxes, for scripts that run then (RFC 6785): noted before the client has its answer, so that an
 * event outlives the process. Of an event that was under way, messages that are through are not looked at again.
 *
 * @module
 */
import { asMailboxId, type MailboxId } from "../../store/ids.ts";
import type { Db } from "../../store/database/database.ts";

export interface MailboxEvent {
  account: string;
  /** Who did it. */
  login: string;
  cause: "APPEND" | "COPY" | "FLAG";
  mailboxId: MailboxId;
  /** In their order. */
  uids: readonly number[];
  changedFlags: readonly string[];
}

export interface NotedEvent extends MailboxEvent {
  id: string;
  /** Messages up to this UID are through. */
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

  /** A message of an event is through. It is durable with what is written next. */
  through(id: string, uid: number): void {
    this.#db.run("UPDATE events SET through = ? WHERE id = ?", uid, id);
  }

  /** All of an event is done. */
  done(id: string): void {
    this.#db.run("DELETE FROM events WHERE id = ?", id);
  }

  /** Events that are not done, in their order. */
  open(): NotedEvent[] {
    return this.#db.all(
      "SELECT id, account, login, cause, mailbox_id, uids, flags, through FROM events ORDER BY rowid",
    ).map(([id, account, login, cause, mailboxId, uids, flags, through]) => ({
      ...{ id, account, login, cause, mailboxId: asMailboxId(mailboxId), through },
      uids: JSON.parse(uids),
      changedFlags: JSON.parse(flags),
    }));
  }
}
