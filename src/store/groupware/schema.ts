/** Tables of `groupware.db`: address books and calendars of one account. @module */
import type { Migration } from "../database/database.ts";

export const groupwareMigrations: readonly Migration[] = [{
  version: 1,
  sql: `
CREATE TABLE state (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  -- Rises with each change; sync tokens and ctags are made of it.
  modseq INTEGER NOT NULL,
  -- Told apart from a database of the same account that was before: sync tokens have it.
  epoch INTEGER NOT NULL,
  -- Changes before it are no longer known one by one.
  forgotten INTEGER NOT NULL DEFAULT 0
);
INSERT INTO state (id, modseq, epoch)
  VALUES (1, 1, CAST(strftime('%s', 'now') AS INTEGER) * 1000 + abs(random() % 1000));

CREATE TABLE collections (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  -- "calendar", "addressbook", "inbox" or "outbox".
  kind TEXT NOT NULL,
  -- Last segment of its address; of one kind of home each once.
  home TEXT NOT NULL,
  name TEXT NOT NULL,
  -- Kinds of components that a calendar takes, separated by ",".
  components TEXT NOT NULL DEFAULT '',
  modseq INTEGER NOT NULL,
  createseq INTEGER NOT NULL,
  -- Milliseconds since the epoch.
  created INTEGER NOT NULL,
  UNIQUE (home, name)
);

CREATE TABLE objects (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  collection_id INTEGER NOT NULL REFERENCES collections (id) ON DELETE CASCADE,
  -- Last segment of its address.
  name TEXT NOT NULL,
  uid TEXT NOT NULL,
  -- "VEVENT", "VTODO", … or "VCARD".
  component TEXT NOT NULL,
  -- As it came, byte for byte.
  content BLOB NOT NULL,
  size INTEGER NOT NULL,
  etag TEXT NOT NULL,
  -- Of events with people (RFC 6638, section 3.2.10); "" without.
  schedule_tag TEXT NOT NULL DEFAULT '',
  modseq INTEGER NOT NULL,
  createseq INTEGER NOT NULL,
  created INTEGER NOT NULL,
  modified INTEGER NOT NULL,
  -- The time that all instances are in, in milliseconds since the epoch; null for what has none, and for no end.
  first INTEGER,
  last INTEGER,
  recurring INTEGER NOT NULL DEFAULT 0,
  -- Summary, or name of a person.
  summary TEXT NOT NULL,
  -- Addresses of a card, one a line.
  emails TEXT NOT NULL DEFAULT '',
  -- What searches look at, lower case.
  search TEXT NOT NULL DEFAULT '',
  UNIQUE (collection_id, name)
);
CREATE INDEX objects_uid ON objects (collection_id, uid);
CREATE INDEX objects_modseq ON objects (collection_id, modseq);
CREATE INDEX objects_first ON objects (collection_id, recurring, first, last);

-- Objects that are gone; of a name only the last.
CREATE TABLE tombstones (
  collection_id INTEGER NOT NULL REFERENCES collections (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  modseq INTEGER NOT NULL,
  PRIMARY KEY (collection_id, name)
) WITHOUT ROWID;
CREATE INDEX tombstones_modseq ON tombstones (collection_id, modseq);

-- Properties that clients keep, of collections (object_id 0) and objects.
CREATE TABLE properties (
  collection_id INTEGER NOT NULL REFERENCES collections (id) ON DELETE CASCADE,
  object_id INTEGER NOT NULL,
  -- {namespace}name
  name TEXT NOT NULL,
  -- XML of the whole element.
  value TEXT NOT NULL,
  PRIMARY KEY (collection_id, object_id, name)
) WITHOUT ROWID;

-- Who may see or change a collection of this account: the name of an account, and "read" or "write".
CREATE TABLE grants (
  collection_id INTEGER NOT NULL REFERENCES collections (id) ON DELETE CASCADE,
  account TEXT NOT NULL,
  rights TEXT NOT NULL,
  PRIMARY KEY (collection_id, account)
) WITHOUT ROWID;
`,
}, {
  version: 2,
  sql: `
-- Of the last change of what is known of a collection itself: its name, properties and rights.
ALTER TABLE collections ADD COLUMN propseq INTEGER NOT NULL DEFAULT 0;
UPDATE collections SET propseq = createseq;

-- What is gone, by its number, for clients that know objects by that (JMAP).
CREATE TABLE gone (
  id INTEGER NOT NULL,
  -- "collection" or "object".
  what TEXT NOT NULL,
  home TEXT NOT NULL,
  createseq INTEGER NOT NULL,
  modseq INTEGER NOT NULL,
  PRIMARY KEY (what, id)
) WITHOUT ROWID;
CREATE INDEX gone_modseq ON gone (home, what, modseq);
`,
}];
