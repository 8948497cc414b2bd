/**
 * Which messages wait to be sent, or are being sent, in a small database of their own: the messages themselves are drafts of
 * their accounts, so that all mail programs see them.
 *
 * @module
 */
import { join } from "node:path";
import type { AccountDatabase } from "../../../store/database/account_rows.ts";
import type { MailboxId } from "../../../store/ids.ts";
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
}, {
  version: 2,
  sql: `
-- What is being handed to the queue just now; a row that a start finds was cut off.
CREATE TABLE sending (
  account TEXT NOT NULL,
  message_id TEXT NOT NULL,
  -- JSON of the envelope, and of what is still to be done afterwards.
  details TEXT NOT NULL,
  -- It was refused: its copy in Sent is to go.
  called_off INTEGER NOT NULL DEFAULT 0,
  failures INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (account, message_id)
) WITHOUT ROWID;
`,
}];

/** What accounts have in it. */
export const scheduledOfAccounts: AccountDatabase = {
  file: "scheduled.db",
  migrations,
  tables: [{ name: "scheduled" }, { name: "sending" }],
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

/** A message that is being handed to the queue. */
export interface Sending {
  account: string;
  /** Without <>; of a program's message the key that the server made for it. */
  messageId: string;
  details: SendingDetails;
  /** It was refused: its copy in Sent is to go. */
  calledOff: boolean;
  /** Attempts to finish it that failed. */
  failures: number;
}

/** What is needed to go on where the end of the process cut it off. */
export interface SendingDetails {
  /** localpart@domain */
  mailFrom: string;
  recipients: string[];
  smtputf8: boolean;
  has8bit: boolean;
  requireTls: boolean | null;
  subject: string;
  /** Id of the draft that was sent. */
  draftId: number | null;
  /** Ids of messages that are to be marked. */
  inReplyTo: number | null;
  forwards: number[];
  archiveThread: boolean;
  /**
   * Of a message that a program sends, where its copy is: in a mailbox, with this Message-ID, at this uid or a
   * later one. The program sends again what had no answer: a copy of what the queue did not take goes.
   */
  copy?: { messageId: string; mailboxId: MailboxId; fromUid: number };
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

const sendingColumns = "account, message_id, details, called_off, failures";

function sendingFromRow(row: Row): Sending {
  return {
    account: row[0],
    messageId: row[1],
    details: JSON.parse(row[2]) as SendingDetails,
    calledOff: row[3] === 1,
    failures: row[4],
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

  /** Notes that a message is about to be handed to the queue; durable when it resolves. */
  async begin(s: Pick<Sending, "account" | "messageId" | "details">): Promise<void> {
    this.#db.run(
      "INSERT INTO sending (account, message_id, details) VALUES (?, ?, ?)",
      s.account,
      s.messageId,
      JSON.stringify(s.details),
    );
    await this.#db.durable();
  }

  /** It was refused, and is not to be sent any more. */
  async callOff(account: string, messageId: string): Promise<void> {
    this.#db.run(
      "UPDATE sending SET called_off = 1 WHERE account = ? AND message_id = ?",
      account,
      messageId,
    );
    await this.#db.durable();
  }

  /** All that was to be done for it is done. */
  async end(account: string, messageId: string): Promise<void> {
    this.#db.run("DELETE FROM sending WHERE account = ? AND message_id = ?", account, messageId);
    await this.#db.durable();
  }

  /** An attempt to finish it failed. */
  failed(account: string, messageId: string): void {
    this.#db.run(
      "UPDATE sending SET failures = failures + 1 WHERE account = ? AND message_id = ?",
      account,
      messageId,
    );
  }

  sending(account: string, messageId: string): Sending | undefined {
    const r = this.#db.get(
      `SELECT ${sendingColumns} FROM sending WHERE account = ? AND message_id = ?`,
      account,
      messageId,
    );
    return r && sendingFromRow(r);
  }

  /** All messages that are being handed over, of all accounts. */
  allSending(): Sending[] {
    return this.#db.all(`SELECT ${sendingColumns} FROM sending`).map(sendingFromRow);
  }

  close(): Promise<void> {
    return this.#db.close();
  }
}
