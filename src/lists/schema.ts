/** Tables of `lists.db`. */
import type { Migration } from "../store/database/database.ts";

export const migrations: readonly Migration[] = [{
  version: 1,
  sql: `
CREATE TABLE members (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  list TEXT NOT NULL,
  address TEXT NOT NULL,
  -- The address for comparing.
  key TEXT NOT NULL,
  name TEXT NOT NULL,
  added INTEGER NOT NULL,
  -- Days on which messages came back since the last one that didn't.
  bounces INTEGER NOT NULL DEFAULT 0,
  last_bounce INTEGER NOT NULL DEFAULT 0,
  bounce_text TEXT NOT NULL DEFAULT '',
  -- When the address is given up, if what was sent to try it comes back, or taken up again: 0 if it isn't tried.
  probe_until INTEGER NOT NULL DEFAULT 0,
  -- It gets nothing any more, as the probe came back.
  dead INTEGER NOT NULL DEFAULT 0,
  UNIQUE (list, key)
);
CREATE INDEX members_order ON members (list, id);
CREATE INDEX members_probed ON members (probe_until) WHERE probe_until > 0;
CREATE TABLE posts (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  list TEXT NOT NULL,
  message_id TEXT NOT NULL,
  in_reply_to TEXT NOT NULL,
  author TEXT NOT NULL,
  author_name TEXT NOT NULL,
  subject TEXT NOT NULL,
  received INTEGER NOT NULL,
  size INTEGER NOT NULL,
  -- Whether our signature says no more than is known (onward/vouch.ts).
  vouched INTEGER NOT NULL,
  smtputf8 INTEGER NOT NULL,
  has8bit INTEGER NOT NULL,
  binary_mime INTEGER NOT NULL,
  require_tls INTEGER NOT NULL,
  -- The ARC set that it was sealed with, the same for all members.
  arc TEXT NOT NULL,
  -- held, sending, sent
  state TEXT NOT NULL,
  reason TEXT NOT NULL,
  -- The last member that it was queued for, and the last that there was when it was taken.
  cursor INTEGER NOT NULL DEFAULT 0,
  last_member INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX posts_list ON posts (list, state, id);
CREATE INDEX posts_message ON posts (list, message_id);
CREATE INDEX posts_state ON posts (state, id) WHERE state != 'sent';
CREATE TABLE requests (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  list TEXT NOT NULL,
  address TEXT NOT NULL,
  key TEXT NOT NULL,
  name TEXT NOT NULL,
  -- subscribe, unsubscribe, read
  kind TEXT NOT NULL,
  -- confirm: by who it is about; approve: by an owner
  state TEXT NOT NULL,
  submitted INTEGER NOT NULL,
  UNIQUE (list, key, kind)
);
-- Mail that was written because of mail or a form.
CREATE TABLE answers (list TEXT NOT NULL, key TEXT NOT NULL, submitted INTEGER NOT NULL);
CREATE INDEX answers_key ON answers (list, key, submitted);
CREATE INDEX answers_time ON answers (submitted);
`,
}];
