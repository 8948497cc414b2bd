/**
 * The database of the full-text index, `fulltext.db` next to an account's index.db. Everything in it can be
 * rebuilt: a missing or damaged one is.
 *
 * @module
 */
import type { Migration } from "../database/database.ts";

/** Separates texts that are searched individually. It can't be typed, so nothing matches across it. */
export const separator = "\x01";

/** Most characters of a message's texts that are stored along with the index, and most that are indexed. */
export const maxKeptText = 64 * 1024;
export const maxIndexedText = 8 * 1024 * 1024;

export const fulltextMigrations: readonly Migration[] = [{
  version: 1,
  sql: `
-- Emails with an id below this one are indexed.
CREATE TABLE state (id INTEGER PRIMARY KEY CHECK (id = 1), below INTEGER NOT NULL);
INSERT INTO state VALUES (1, 1);

-- Three characters each, folded as they are searched. Which emails have them, not where: the texts decide.
CREATE VIRTUAL TABLE trigrams USING fts5 (
  text, content = '', contentless_delete = 1, detail = none,
  tokenize = 'trigram case_sensitive 1'
);

-- Folded texts of emails, so that nothing has to be decoded again; NULL for large ones.
CREATE TABLE texts (id INTEGER PRIMARY KEY, header TEXT, body TEXT);
`,
}, {
  version: 2,
  sql: `
-- Fields of parts belong to the header now: all is indexed again.
DELETE FROM texts;
INSERT INTO trigrams (trigrams) VALUES ('delete-all');
UPDATE state SET below = 1;
`,
}, {
  version: 3,
  sql: `
-- Emails whose texts are too large for the index: a search always looks at them. What was indexed before was cut
-- off there, so it is done again.
CREATE TABLE large (id INTEGER PRIMARY KEY);
DELETE FROM texts;
INSERT INTO trigrams (trigrams) VALUES ('delete-all');
UPDATE state SET below = 1;
`,
}, {
  version: 4,
  sql: `
-- What people see of the texts, without marks on letters, where that isn't what the body has. The trigrams have no
-- marks any more either: all is indexed again.
ALTER TABLE texts ADD COLUMN shown TEXT;
DELETE FROM texts;
INSERT INTO trigrams (trigrams) VALUES ('delete-all');
UPDATE state SET below = 1;
`,
}, {
  version: 5,
  sql: `
-- Folded texts of emails, so that nothing has to be decoded again, some emails in a row, packed (kept_texts.ts):
-- of the emails of a block those that the bits of here tell of are indexed.
DROP TABLE texts;
CREATE TABLE blocks (n INTEGER PRIMARY KEY, here INTEGER NOT NULL, data BLOB NOT NULL);
-- Those of emails with long texts; the longest aren't kept.
CREATE TABLE long_texts (id INTEGER PRIMARY KEY, data BLOB NOT NULL);
-- What searches, SORT and THREAD compare of emails (store/columns), of chunks up to the number in state.
CREATE TABLE columns (
  chunk INTEGER NOT NULL,
  name TEXT NOT NULL,
  data BLOB NOT NULL,
  PRIMARY KEY (chunk, name)
);
ALTER TABLE state ADD COLUMN chunks INTEGER NOT NULL DEFAULT 0;
INSERT INTO trigrams (trigrams) VALUES ('delete-all');
UPDATE state SET below = 1;
`,
}, {
  version: 6,
  sql: `
-- Blocks are of four emails, not of sixteen: all is indexed again.
DELETE FROM blocks;
DELETE FROM long_texts;
INSERT INTO trigrams (trigrams) VALUES ('delete-all');
UPDATE state SET below = 1;
`,
}];

/** Marks a header field of a part, among those of the message's header. */
export const partField = "\x02";
