/**
 * Messages that are put away until a time. Meanwhile they are in a mailbox of their own, where every mail
 * program sees them; then they come back, unread and as new as what arrives then. One that was moved
 * elsewhere stays there.
 *
 * @module
 */
import type { MailboxId } from "../../../store/ids.ts";
import { join } from "node:path";
import type { Log } from "../../../log/mod.ts";
import { removeFile, writeTempFile } from "../../../platform/files.ts";
import type { Account } from "../../../store/account/account.ts";
import type { Accounts } from "../../../store/account/accounts.ts";
import type { AccountDatabase } from "../../../store/database/account_rows.ts";
import { Db, type Migration } from "../../../store/database/database.ts";
import { placesOf } from "../../../store/messages/listing.ts";
import { Flag } from "../../../store/types.ts";
import { UserError } from "../../http/mod.ts";
import { rawPieces, withContent } from "../reading/content.ts";

const migrations: readonly Migration[] = [{
  version: 1,
  sql: `
CREATE TABLE snoozed (
  account TEXT NOT NULL,
  message INTEGER NOT NULL,
  -- Where it waits, and where it comes back to.
  mailbox INTEGER NOT NULL,
  back INTEGER NOT NULL,
  -- Milliseconds since the epoch.
  due INTEGER NOT NULL,
  PRIMARY KEY (account, message)
) WITHOUT ROWID;
CREATE INDEX snoozed_due ON snoozed (due);
`,
}];

/** What accounts have in it. */
export const snoozedOfAccounts: AccountDatabase = {
  file: "snoozed.db",
  migrations,
  tables: [{ name: "snoozed" }],
};

/** A message that is put away. */
export interface SnoozedMessage {
  message: number;
  /** Where it waits, and where it comes back to. */
  mailbox: MailboxId;
  back: MailboxId;
}

/** Name of the mailbox for messages that are put away. */
export const snoozedMailbox = "Snoozed";

/** Messages of an account that may wait, and milliseconds that they may. */
const maxSnoozed = 10_000;
const maxWait = 5 * 366 * 24 * 3600_000;
/** The longest that a timer is set for, and milliseconds until what failed is tried again. */
const maxTimer = 60_000;
const retryAfter = 60_000;

export interface SnoozedOptions {
  dataDir: string;
  accounts: Pick<Accounts, "open">;
  /** Whether there is such an account. */
  known: (account: string) => boolean;
  tempDir: string;
  log: Log;
}

export class Snoozed {
  readonly #db: Db;
  readonly #o: SnoozedOptions;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running: Promise<void> = Promise.resolve();
  #closed = false;

  private constructor(db: Db, options: SnoozedOptions) {
    this.#db = db;
    this.#o = options;
  }

  static async open(options: SnoozedOptions): Promise<Snoozed> {
    return new Snoozed(await Db.open(join(options.dataDir, "snoozed.db"), migrations), options);
  }

  /** Begins to bring back what is due. */
  start(): void {
    this.#wake();
  }

  /** Notes messages that were put away; durable when it resolves. @throws UserError */
  async add(account: string, messages: readonly SnoozedMessage[], due: number): Promise<void> {
    this.#db.transaction(() => {
      for (const m of messages) {
        this.#db.run(
          "INSERT OR REPLACE INTO snoozed (account, message, mailbox, back, due) VALUES (?, ?, ?, ?, ?)",
          account,
          m.message,
          m.mailbox,
          m.back,
          due,
        );
      }
    });
    await this.#db.durable();
    this.#wake();
  }

  /** @throws UserError where so many, or so long, can't be put away */
  check(account: string, more: number, due: number): void {
    const now = Date.now();
    if (due <= now) throw new UserError("the time is in the past");
    if (due > now + maxWait) {
      throw new UserError("a message can be put away for five years at most");
    }
    const n = this.#db.get("SELECT count(*) FROM snoozed WHERE account = ?", account)![0];
    if (n + more > maxSnoozed) {
      throw new UserError(`${maxSnoozed} messages can be put away, and no more`);
    }
  }

  #wake(): void {
    clearTimeout(this.#timer);
    this.#running = this.#running.then(() => this.#run()).catch((err) => {
      this.#o.log.error("bringing back messages", { err: err as Error });
    }).then(() => {
      if (this.#closed) return;
      const next = this.#db.get("SELECT min(due) FROM snoozed")![0] as number | null;
      clearTimeout(this.#timer);
      if (next === null) return;
      const wait = Math.max(0, Math.min(maxTimer, next - Date.now()));
      this.#timer = setTimeout(() => this.#wake(), wait);
    });
  }

  async #run(): Promise<void> {
    for (;;) {
      const row = this.#closed ? undefined : this.#db.get(
        "SELECT account, message, mailbox, back FROM snoozed WHERE due <= ? ORDER BY due LIMIT 1",
        Date.now(),
      );
      if (row === undefined) return;
      const [name, message, mailbox, back] = row as [string, number, MailboxId, MailboxId];
      try {
        if (this.#o.known(name)) await this.#bringBack(name, { message, mailbox, back });
        this.#db.run("DELETE FROM snoozed WHERE account = ? AND message = ?", name, message);
      } catch (err) {
        this.#o.log.error("bringing back a message", { account: name, err: err as Error });
        this.#db.run(
          "UPDATE snoozed SET due = ? WHERE account = ? AND message = ?",
          Date.now() + retryAfter,
          name,
          message,
        );
      }
    }
  }

  async #bringBack(name: string, message: SnoozedMessage): Promise<void> {
    const account = await this.#o.accounts.open(name);
    try {
      const [place] = placesOf(account.db, [message.message]);
      if (place === undefined || place.mailboxId !== message.mailbox) return;
      const to = account.mailbox(message.back) ?? account.mailboxByName("Inbox")!;
      await this.#anew(account, message.message, place.uid, to.id);
    } finally {
      account.close();
    }
  }

  /** The message with the date of now, in place of itself. */
  async #anew(account: Account, id: number, uid: number, to: MailboxId): Promise<void> {
    await withContent(account, id, async (content) => {
      const pieces = rawPieces(content, content.prefix.length, content.reader.size);
      const { path, size } = await writeTempFile(this.#o.tempDir, "snoozed-", pieces);
      try {
        const { flags, keywords, mailboxId } = content.message;
        await account.replace(mailboxId, uid, to, {
          file: path,
          fileSize: size,
          fileSynced: true,
          prefix: content.prefix,
          received: Date.now(),
          flags: flags & ~Flag.Seen,
          keywords,
          noTrain: true,
        });
      } finally {
        removeFile(path);
      }
    });
  }

  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#running;
    await this.#db.close();
  }
}
