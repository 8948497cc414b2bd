/** The queue's database. @module */
import type { Migration } from "../store/database.ts";

export const queueMigrations: readonly Migration[] = [
  {
    version: 1,
    sql: `
CREATE TABLE messages (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  account TEXT NOT NULL,
  mail_from TEXT NOT NULL,
  file_size INTEGER NOT NULL,
  prefix BLOB NOT NULL,
  smtputf8 INTEGER NOT NULL,
  has8bit INTEGER NOT NULL,
  require_tls INTEGER NOT NULL,
  ret TEXT NOT NULL,
  envelope_id TEXT,
  message_id TEXT NOT NULL,
  subject TEXT NOT NULL,
  is_dsn INTEGER NOT NULL,
  queued INTEGER NOT NULL
);
CREATE TABLE recipients (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  message_id INTEGER NOT NULL,
  address TEXT NOT NULL,
  domain TEXT NOT NULL,
  notify TEXT,
  original TEXT,
  attempts INTEGER NOT NULL DEFAULT 0,
  next_attempt INTEGER NOT NULL,
  hold INTEGER NOT NULL DEFAULT 0,
  -- Being delivered by this process; taken back at the next start.
  leased INTEGER NOT NULL DEFAULT 0,
  results TEXT NOT NULL DEFAULT '[]',
  -- Has failed for good, and the DSN that tells so could not be made yet: how often it was tried.
  dsn_owed INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX recipients_message ON recipients (message_id);
CREATE INDEX recipients_due ON recipients (domain, next_attempt) WHERE hold = 0 AND leased = 0;
CREATE INDEX recipients_leased ON recipients (leased) WHERE leased = 1;
-- The earliest attempt of each destination: what is due is found whatever the queue's length.
CREATE TABLE destinations (domain TEXT PRIMARY KEY, due INTEGER NOT NULL) WITHOUT ROWID;
CREATE INDEX destinations_due ON destinations (due);
CREATE TABLE erased (id INTEGER PRIMARY KEY);
`,
  },
];
