/**
 * The schema of an account's database, as numbered migrations. A migration that has been released is
 * never changed: changes come as a new one, tested from a data folder of the version before.
 *
 * @module
 */
import type { Migration } from "./database.ts";

export const accountMigrations: readonly Migration[] = [
  {
    version: 1,
    sql: `
-- One row: the counters from which ids are taken, and the quota's usage.
CREATE TABLE state (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  modseq INTEGER NOT NULL,
  uidvalidity INTEGER NOT NULL,
  next_email_id INTEGER NOT NULL,
  message_size INTEGER NOT NULL,
  settings TEXT NOT NULL DEFAULT '{}'
);
INSERT INTO state VALUES (1, 1, 1, 1, 0, '{}');

CREATE TABLE mailboxes (
  id INTEGER PRIMARY KEY,
  parent_id INTEGER NOT NULL,
  name TEXT NOT NULL,
  uidvalidity INTEGER NOT NULL,
  uidnext INTEGER NOT NULL,
  modseq INTEGER NOT NULL,
  createseq INTEGER NOT NULL,
  expunged INTEGER NOT NULL DEFAULT 0,
  special_use INTEGER NOT NULL DEFAULT 0,
  keywords TEXT NOT NULL DEFAULT '',
  total INTEGER NOT NULL DEFAULT 0,
  deleted INTEGER NOT NULL DEFAULT 0,
  unread INTEGER NOT NULL DEFAULT 0,
  unseen INTEGER NOT NULL DEFAULT 0,
  size INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX mailboxes_name ON mailboxes (name) WHERE expunged = 0;

CREATE TABLE subscriptions (name TEXT PRIMARY KEY) WITHOUT ROWID;

-- Content that never changes; the file is msg/<shard>/<id>.
CREATE TABLE emails (
  id INTEGER PRIMARY KEY,
  size INTEGER NOT NULL,
  prefix BLOB NOT NULL,
  envelope TEXT NOT NULL,
  body TEXT NOT NULL,
  bodystructure TEXT NOT NULL,
  structure TEXT NOT NULL,
  summary TEXT NOT NULL
);

-- An email's place in a mailbox. Expunged rows stay for QRESYNC.
CREATE TABLE messages (
  id INTEGER PRIMARY KEY,
  email_id INTEGER NOT NULL,
  mailbox_id INTEGER NOT NULL,
  uid INTEGER NOT NULL,
  modseq INTEGER NOT NULL,
  createseq INTEGER NOT NULL,
  expunged INTEGER NOT NULL DEFAULT 0,
  flags INTEGER NOT NULL,
  keywords TEXT NOT NULL,
  received INTEGER NOT NULL,
  saved INTEGER NOT NULL,
  size INTEGER NOT NULL,
  -- 0 not trained, 1 as ham, 2 as spam
  trained INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX messages_uid ON messages (mailbox_id, uid) WHERE expunged = 0;
CREATE INDEX messages_modseq ON messages (mailbox_id, modseq);
CREATE INDEX messages_email ON messages (email_id) WHERE expunged = 0;
CREATE INDEX messages_unseen ON messages (mailbox_id, uid) WHERE expunged = 0 AND flags & 1 = 0;

-- Threading of an email. thread_id is the id of one of the thread's emails, the same for all of them.
CREATE TABLE threads (
  email_id INTEGER PRIMARY KEY,
  thread_id INTEGER NOT NULL,
  parent_id INTEGER NOT NULL,
  missing_link INTEGER NOT NULL,
  muted INTEGER NOT NULL,
  collapsed INTEGER NOT NULL,
  message_id TEXT NOT NULL,
  subject TEXT NOT NULL,
  received INTEGER NOT NULL,
  -- The message-id of the immediate parent while it isn't here.
  wanted TEXT
);
CREATE INDEX threads_thread ON threads (thread_id);
CREATE INDEX threads_message_id ON threads (message_id) WHERE message_id != '';
CREATE INDEX threads_subject ON threads (subject, received) WHERE subject != '';
CREATE INDEX threads_wanted ON threads (wanted) WHERE wanted IS NOT NULL;

-- Where an incoming message came from: basis of reputation.
CREATE TABLE deliveries (
  message_id INTEGER PRIMARY KEY,
  received INTEGER NOT NULL,
  orig_mailbox_id INTEGER NOT NULL,
  destined_mailbox_id INTEGER NOT NULL,
  is_reject INTEGER NOT NULL,
  is_forward INTEGER NOT NULL,
  is_list INTEGER NOT NULL,
  remote_ip TEXT NOT NULL,
  net1 TEXT NOT NULL,
  net2 TEXT NOT NULL,
  net3 TEXT NOT NULL,
  ehlo_domain TEXT NOT NULL,
  mail_from_localpart TEXT NOT NULL,
  mail_from_domain TEXT NOT NULL,
  rcpt_to_localpart TEXT NOT NULL,
  rcpt_to_domain TEXT NOT NULL,
  msg_from_localpart TEXT NOT NULL,
  msg_from_domain TEXT NOT NULL,
  msg_from_org_domain TEXT NOT NULL,
  ehlo_validated INTEGER NOT NULL,
  mail_from_validated INTEGER NOT NULL,
  msg_from_validated INTEGER NOT NULL,
  ehlo_validation TEXT NOT NULL,
  mail_from_validation TEXT NOT NULL,
  msg_from_validation TEXT NOT NULL,
  tls_version TEXT NOT NULL,
  require_tls INTEGER NOT NULL,
  size INTEGER NOT NULL
);
CREATE INDEX deliveries_address ON deliveries (msg_from_domain, msg_from_localpart, received);
CREATE INDEX deliveries_domain ON deliveries (msg_from_domain, received);
CREATE INDEX deliveries_org ON deliveries (msg_from_org_domain, received);
CREATE INDEX deliveries_ehlo ON deliveries (ehlo_domain, received);
CREATE INDEX deliveries_net ON deliveries (net3, net2, net1, received);
CREATE INDEX deliveries_mailfrom ON deliveries (mail_from_domain, received);
CREATE INDEX deliveries_reject ON deliveries (received) WHERE is_reject = 1;
CREATE TABLE dkim_domains (
  domain TEXT NOT NULL,
  message_id INTEGER NOT NULL,
  PRIMARY KEY (domain, message_id)
) WITHOUT ROWID;

-- Whom the user has written to (from messages put into the Sent mailbox).
CREATE TABLE recipients (
  localpart TEXT NOT NULL,
  domain TEXT NOT NULL,
  sent INTEGER NOT NULL,
  message_id INTEGER NOT NULL,
  org_domain TEXT NOT NULL,
  PRIMARY KEY (domain, localpart, sent, message_id)
) WITHOUT ROWID;
CREATE INDEX recipients_org ON recipients (org_domain, sent);

-- Messages submitted for each recipient, for the daily limits.
CREATE TABLE outgoing (id INTEGER PRIMARY KEY, recipient TEXT NOT NULL, submitted INTEGER NOT NULL);
CREATE INDEX outgoing_submitted ON outgoing (submitted);

CREATE TABLE annotations (
  mailbox_id INTEGER NOT NULL,
  key TEXT NOT NULL,
  value BLOB NOT NULL,
  modseq INTEGER NOT NULL,
  PRIMARY KEY (mailbox_id, key)
) WITHOUT ROWID;

-- Files of emails that are gone, until they have been removed.
CREATE TABLE erased (email_id INTEGER PRIMARY KEY);

CREATE TABLE credentials (kind TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
`,
  },
  {
    version: 2,
    // Lists by date (webmail, JMAP) read a window of this index, not the mailbox.
    sql: `
CREATE INDEX messages_received ON messages (mailbox_id, received, id) WHERE expunged = 0;
CREATE INDEX dkim_domains_message ON dkim_domains (message_id);
-- The newest emails of a thread are found without looking at all of a long one.
DROP INDEX threads_thread;
CREATE INDEX threads_thread ON threads (thread_id, received);
`,
  },
  {
    version: 3,
    // Fields that mail programs ask for to show lists, as lines; null where the message must be read.
    sql: "ALTER TABLE emails ADD COLUMN listed TEXT",
  },
  {
    version: 4,
    // Sharing of mailboxes, other ways to log in than the password, and who got a vacation reply.
    sql: `
-- RFC 4314: what others may do with a mailbox. The owner's own rights have no row.
CREATE TABLE mailbox_rights (
  mailbox_id INTEGER NOT NULL,
  identifier TEXT NOT NULL,
  rights TEXT NOT NULL,
  PRIMARY KEY (mailbox_id, identifier)
) WITHOUT ROWID;

-- RFC 4467: the key with which a mailbox's URLs are authorised.
CREATE TABLE url_keys (mailbox_id INTEGER PRIMARY KEY, key BLOB NOT NULL);

-- Passwords of one program each, which can be taken back one by one. Times in ms, 0 for never.
CREATE TABLE app_passwords (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  -- The derived credentials as JSON, like those of the password.
  value TEXT NOT NULL,
  created INTEGER NOT NULL,
  last_used INTEGER NOT NULL DEFAULT 0,
  last_protocol TEXT NOT NULL DEFAULT '',
  last_ip TEXT NOT NULL DEFAULT ''
);

-- WebAuthn credentials, for the pages only.
CREATE TABLE passkeys (
  id INTEGER PRIMARY KEY,
  credential_id BLOB NOT NULL UNIQUE,
  public_key BLOB NOT NULL,
  algorithm INTEGER NOT NULL,
  sign_count INTEGER NOT NULL,
  name TEXT NOT NULL,
  created INTEGER NOT NULL,
  last_used INTEGER NOT NULL DEFAULT 0
);

-- RFC 3834 §2: who has had the vacation reply, and when last.
CREATE TABLE vacation_replies (address TEXT PRIMARY KEY, sent INTEGER NOT NULL) WITHOUT ROWID;
`,
  },
  {
    version: 5,
    // Changes of emails in the whole account, for JMAP (RFC 8621): rows of expunged messages keep the email's
    // id from this version on.
    sql: `
CREATE INDEX messages_changed ON messages (modseq);

-- Modseq at which an email came to be with the thread that it has, and how often its thread was another before:
-- as the thread of a JMAP Email never changes, the Email is another one then.
ALTER TABLE threads ADD COLUMN createseq INTEGER NOT NULL DEFAULT 0;
ALTER TABLE threads ADD COLUMN reborn INTEGER NOT NULL DEFAULT 0;
CREATE INDEX threads_createseq ON threads (createseq);

-- JMAP Emails that are gone, for Email/changes.
CREATE TABLE gone_emails (
  email_id INTEGER NOT NULL,
  reborn INTEGER NOT NULL,
  thread_id INTEGER NOT NULL,
  createseq INTEGER NOT NULL,
  modseq INTEGER NOT NULL,
  PRIMARY KEY (email_id, reborn)
) WITHOUT ROWID;
CREATE INDEX gone_emails_modseq ON gone_emails (modseq);

-- Modseq before which it isn't known what changed.
ALTER TABLE state ADD COLUMN known_since INTEGER NOT NULL DEFAULT 0;
UPDATE state SET known_since = modseq;

-- Modseq of the last change of a mailbox beside its counts, and its place among the others in JMAP.
ALTER TABLE mailboxes ADD COLUMN formseq INTEGER NOT NULL DEFAULT 0;
ALTER TABLE mailboxes ADD COLUMN sort_order INTEGER NOT NULL DEFAULT 0;
`,
  },
];
