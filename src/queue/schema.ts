/** The queue's database. @module */
import type { AccountDatabase } from "../store/database/account_rows.ts";
import type { Migration } from "../store/database/database.ts";

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
  {
    version: 2,
    sql: `
ALTER TABLE messages ADD COLUMN tls_optional INTEGER NOT NULL DEFAULT 0;
ALTER TABLE messages ADD COLUMN binary_mime INTEGER NOT NULL DEFAULT 0;
-- JSON of what the sender wants to find in webhooks.
ALTER TABLE messages ADD COLUMN extra TEXT NOT NULL DEFAULT '{}';
ALTER TABLE recipients ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;
-- Set by an administrator; null for what the routes say.
ALTER TABLE recipients ADD COLUMN transport TEXT;
-- Set by an administrator: yes, no; null for what the message says.
ALTER TABLE recipients ADD COLUMN require_tls TEXT;
ALTER TABLE recipients ADD COLUMN from_id TEXT NOT NULL DEFAULT '';
-- The last attempt found no server to talk to.
ALTER TABLE recipients ADD COLUMN unreachable INTEGER NOT NULL DEFAULT 0;
DROP INDEX recipients_due;
CREATE INDEX recipients_due ON recipients (domain, priority, next_attempt)
  WHERE hold = 0 AND leased = 0;
DROP TABLE destinations;
-- The earliest attempt of each destination, apart for each priority. Those whose last attempt found no
-- server stand apart from the others, so that they can't keep them waiting.
CREATE TABLE destinations (
  domain TEXT NOT NULL,
  priority INTEGER NOT NULL,
  due INTEGER NOT NULL,
  failing INTEGER NOT NULL,
  PRIMARY KEY (domain, priority)
) WITHOUT ROWID;
CREATE INDEX destinations_due ON destinations (priority, failing, due);
INSERT INTO destinations (domain, priority, due, failing)
  SELECT domain, 0, min(next_attempt), 0 FROM recipients WHERE hold = 0 GROUP BY domain;
-- New messages that fit all that a rule has are held; null fits any.
CREATE TABLE hold_rules (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  account TEXT,
  sender_domain TEXT,
  recipient_domain TEXT
);
CREATE TABLE retired (
  id INTEGER PRIMARY KEY,
  message_id INTEGER NOT NULL,
  account TEXT NOT NULL,
  mail_from TEXT NOT NULL,
  address TEXT NOT NULL,
  base_address TEXT NOT NULL,
  message_key TEXT NOT NULL,
  subject TEXT NOT NULL,
  from_id TEXT NOT NULL,
  extra TEXT NOT NULL,
  size INTEGER NOT NULL,
  queued INTEGER NOT NULL,
  left_at INTEGER NOT NULL,
  keep_until INTEGER NOT NULL,
  -- delivered, relayed, failed, suppressed, canceled
  outcome TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  results TEXT NOT NULL
);
CREATE INDEX retired_keep ON retired (keep_until);
CREATE INDEX retired_base ON retired (account, base_address, left_at);
CREATE TABLE suppressions (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  account TEXT NOT NULL,
  base_address TEXT NOT NULL,
  address TEXT NOT NULL,
  manual INTEGER NOT NULL,
  reason TEXT NOT NULL,
  created INTEGER NOT NULL,
  UNIQUE (account, base_address)
);
-- What accounts sent in the last day, and whom they ever wrote to.
CREATE TABLE submitted (account TEXT NOT NULL, time INTEGER NOT NULL, count INTEGER NOT NULL);
CREATE INDEX submitted_account ON submitted (account, time);
CREATE INDEX submitted_time ON submitted (time);
CREATE TABLE written_to (
  account TEXT NOT NULL,
  address TEXT NOT NULL,
  first INTEGER NOT NULL,
  PRIMARY KEY (account, address)
) WITHOUT ROWID;
CREATE INDEX written_to_first ON written_to (account, first);
`,
  },
  {
    version: 3,
    sql: `
-- What reports that come back name.
CREATE INDEX retired_message ON retired (message_key);
CREATE INDEX retired_from ON retired (from_id);
`,
  },
  {
    version: 4,
    sql: `
-- JSON of the time to deliver by (RFC 2852).
ALTER TABLE messages ADD COLUMN deliver_by TEXT;
`,
  },
  {
    version: 5,
    sql: `
-- What senders called the messages that were taken.
CREATE TABLE submission_keys (
  account TEXT NOT NULL,
  key TEXT NOT NULL,
  time INTEGER NOT NULL,
  PRIMARY KEY (account, key)
) WITHOUT ROWID;
CREATE INDEX submission_keys_time ON submission_keys (time);
`,
  },
  {
    version: 6,
    sql: `
-- The request to hold it, as DSNs tell it (RFC 4865 §5.1.2).
ALTER TABLE messages ADD COLUMN hold_request TEXT;
`,
  },
];

/** The tables with rows of accounts, except for waiting messages: the server that accepted them sends them. */
export const queueOfAccounts: AccountDatabase = {
  file: "queue/index.db",
  migrations: queueMigrations,
  tables: [
    { name: "suppressions", fresh: "id" },
    { name: "submitted" },
    { name: "written_to" },
    { name: "submission_keys" },
  ],
};
