/**
 * Which messages wait to be sent, in a small database of their own: the messages themselves are drafts of
 * their accounts, so that all mail programs see them.
 *
 * @module
 */
import { join } from "node:path";
import type { AccountDatabase } from "../../../store/database/account_rows.ts";
import { Db, type Migration, type Row } from "../../../store/database/database.ts";

const migrations: readonly Migration[] = [{
  version: 1,
  sql: `
CREATE TABLE scheduled (
  account TEXT NOT NULL,
  -- Id of the draft, which keeps it when it is moved.
  message INTEGER NOT NULL,
  -- Where it has to be: a draft that was moved away isn't sent.
  mailbox INTEGER NOT NULL,
  -- Milliseconds since the epoch.
  due INTEGER NOT NULL,
  -- 1, 0, or null as usual.
  require_tls INTEGER,
  archive_thread INTEGER NOT NULL,
  message_id TEXT NOT NULL,
  -- It was begun to be sent: after a crash it is looked for in the queue.
  sending INTEGER NOT NULL DEFAULT 0,
  failures INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (account, message)
) WITHOUT ROWID;
CREATE INDEX scheduled_due ON scheduled (due);
`,
}];

/** What accounts have in it. */
export const scheduledOfAccounts: AccountDatabase = {
  file: "scheduled.db",
  migrations,
  tables: [{ name: "scheduled" }],
};

/** A message that waits to be sent. */
export interface Scheduled {
  account: string;
  /** Id of the draft. */
  message: number;
  mailbox: number;
  /** Milliseconds since the epoch. */
  due: number;
  requireTls: boolean | null;
  archiveThread: boolean;
  /** Without <>. */
  messageId: string;
  sending: boolean;
  failures: number;
}

const columns =
  "account, message, mailbox, due, require_tls, archive_thread, message_id, sending, failures";

function fromRow(row: Row): Scheduled {
  return {
    account: row[0],
    message: row[1],
    mailbox: row[2],
    due: row[3],
    requireTls: row[4] === null ? null : row[4] === 1,
    archiveThread: row[5] === 1,
    messageId: row[6],
    sending: row[7] === 1,
    failures: row[8],
  };
}

export class ScheduledRows {
  readonly #db: Db;

  private constructor(db: Db) {
    this.#db = db;
  }

  static async open(dataDir: string): Promise<ScheduledRows> {
    return new ScheduledRows(await Db.open(join(dataDir, "scheduled.db"), migrations));
  }

  /** Adds one; durable when it resolves. */
  async add(s: Omit<Scheduled, "sending" | "failures">): Promise<void> {
    this.#db.run(
      `INSERT OR REPLACE INTO scheduled (${columns}) VALUES (?, ?, ?, ?, ?, ?, ?, 0, 0)`,
      s.account,
      s.message,
      s.mailbox,
      s.due,
      s.requireTls === null ? null : Number(s.requireTls),
      Number(s.archiveThread),
      s.messageId,
    );
    await this.#db.durable();
  }

  async remove(account: string, message: number): Promise<void> {
    this.#db.run("DELETE FROM scheduled WHERE account = ? AND message = ?", account, message);
    await this.#db.durable();
  }

  /** Notes that it is about to be sent. */
  async begin(scheduled: Scheduled): Promise<void> {
    this.#db.run(
      "UPDATE scheduled SET sending = 1 WHERE account = ? AND message = ?",
      scheduled.account,
      scheduled.message,
    );
    await this.#db.durable();
  }

  /** It couldn't be sent for a reason that may pass. */
  postpone(scheduled: Scheduled, due: number): void {
    this.#db.run(
      "UPDATE scheduled SET due = ?, sending = 0, failures = failures + 1 " +
        "WHERE account = ? AND message = ?",
      due,
      scheduled.account,
      scheduled.message,
    );
  }

  find(account: string, message: number): Scheduled | undefined {
    const r = this.#db.get(
      `SELECT ${columns} FROM scheduled WHERE account = ? AND message = ?`,
      account,
      message,
    );
    return r && fromRow(r);
  }

  /** Those that wait the shortest. */
  next(limit: number): Scheduled[] {
    return this.#db.all(`SELECT ${columns} FROM scheduled ORDER BY due LIMIT ?`, limit)
      .map(fromRow);
  }

  count(account: string): number {
    return this.#db.get("SELECT count(*) FROM scheduled WHERE account = ?", account)![0];
  }

  close(): Promise<void> {
    return this.#db.close();
  }
}
