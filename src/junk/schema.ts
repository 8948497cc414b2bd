/**
 * Schema of a junk filter's database.
 *
 * @module
 */
import type { Migration } from "../store/database/database.ts";

export const filterMigrations: readonly Migration[] = [
  {
    version: 1,
    sql: `
-- One row: messages trained, without those in the journal.
CREATE TABLE totals (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  hams INTEGER NOT NULL,
  spams INTEGER NOT NULL
);
INSERT INTO totals VALUES (1, 0, 0);
-- By 53 bits of hash: a third of the space that the words would take, and no one's vocabulary on disk.
CREATE TABLE words (hash INTEGER PRIMARY KEY, ham INTEGER NOT NULL, spam INTEGER NOT NULL);
CREATE TABLE bloom (chunk INTEGER PRIMARY KEY, bits BLOB NOT NULL);
-- kind: bit 1 spam, bit 2 untrain. hashes: 8 bytes each, IEEE 754 double, little-endian.
CREATE TABLE journal (id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, hashes BLOB NOT NULL);
`,
  },
];
