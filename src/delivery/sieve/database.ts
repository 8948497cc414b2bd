/**
 * `sieve.db` in the data folder: scripts of accounts, what scripts remember, and what they did. Each part has
 * its own file.
 *
 * @module
 */
import { join } from "node:path";
import type { AccountDatabase } from "../../store/database/account_rows.ts";
import { Db, type Migration } from "../../store/database/database.ts";
import { DoneLog } from "./done_log.ts";
import { EventLog } from "./events.ts";
import { Memory } from "./memory.ts";
import { Scripts } from "./scripts.ts";

const migrations: readonly Migration[] = [{
  version: 1,
  sql: `
CREATE TABLE scripts (
  account TEXT NOT NULL,
  name TEXT NOT NULL,
  -- Stays the same when the script is renamed or written anew.
  id INTEGER NOT NULL,
  content TEXT NOT NULL,
  active INTEGER NOT NULL DEFAULT 0,
  changed INTEGER NOT NULL,
  PRIMARY KEY (account, name)
) WITHOUT ROWID;
CREATE UNIQUE INDEX scripts_active ON scripts (account) WHERE active = 1;
CREATE UNIQUE INDEX scripts_id ON scripts (id);
-- Of the duplicate test (RFC 7352), and who has had a reply or a notification.
CREATE TABLE seen (
  account TEXT NOT NULL,
  key TEXT NOT NULL,
  expires INTEGER NOT NULL,
  PRIMARY KEY (account, key)
) WITHOUT ROWID;
CREATE INDEX seen_expires ON seen (expires);
-- Messages that scripts send: noted before they are queued, and marked when they are.
CREATE TABLE sent (
  key TEXT PRIMARY KEY,
  account TEXT NOT NULL,
  address TEXT NOT NULL,
  message_id TEXT NOT NULL,
  begun INTEGER NOT NULL,
  done INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX sent_begun ON sent (begun);
-- What scripts did with a message, as JSON.
CREATE TABLE done (
  id INTEGER PRIMARY KEY,
  account TEXT NOT NULL,
  -- Of the message as it was filed; null where it was not.
  email_id INTEGER,
  time INTEGER NOT NULL,
  what TEXT NOT NULL
);
CREATE INDEX done_email ON done (account, email_id);
CREATE INDEX done_time ON done (account, time);
`,
}, {
  version: 2,
  sql: `
-- What happened in mailboxes with a script, until that has run (RFC 6785).
CREATE TABLE events (
  id TEXT NOT NULL UNIQUE,
  account TEXT NOT NULL,
  login TEXT NOT NULL,
  cause TEXT NOT NULL,
  mailbox_id INTEGER NOT NULL,
  -- As JSON.
  uids TEXT NOT NULL,
  flags TEXT NOT NULL,
  -- Messages up to this UID are through.
  through INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX events_account ON events (account);
`,
}];

/** The tables with rows of accounts. */
export const sieveOfAccounts: AccountDatabase = {
  file: "sieve.db",
  migrations,
  tables: [
    { name: "scripts", fresh: "id" },
    { name: "seen" },
    { name: "sent" },
    { name: "done", fresh: "id" },
    { name: "events" },
  ],
};

/** The open database. */
export class SieveDatabase {
  readonly #db: Db;
  readonly scripts: Scripts;
  readonly memory: Memory;
  readonly log: DoneLog;
  readonly events: EventLog;

  private constructor(db: Db, now: () => number) {
    this.#db = db;
    this.scripts = new Scripts(db, now);
    this.memory = new Memory(db, now);
    this.log = new DoneLog(db, now);
    this.events = new EventLog(db);
  }

  static async open(dataDir: string, now: () => number = Date.now): Promise<SieveDatabase> {
    return new SieveDatabase(await Db.open(join(dataDir, "sieve.db"), migrations), now);
  }

  /** Names of accounts with stored data. */
  accounts(): string[] {
    return this.#db.all(
      "SELECT account FROM scripts UNION SELECT account FROM seen UNION SELECT account FROM done",
    ).map((r) => r[0]);
  }

  /** Forgets an account that was removed; durable when it resolves. */
  async forget(account: string): Promise<void> {
    this.#db.transaction(() => {
      for (const table of ["scripts", "seen", "sent", "done", "events"]) {
        this.#db.run(`DELETE FROM ${table} WHERE account = ?`, account);
      }
    });
    this.scripts.forget(account);
    await this.#db.durable();
  }

  close(): Promise<void> {
    return this.#db.close();
  }
}
