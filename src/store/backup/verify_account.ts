/**
 * Checks an account's database: in itself, and against its message files and its junk filter.
 *
 * Repairs are in this order: first what later checks build on, counts and files last.
 *
 * @module
 */
import type { EmailId } from "../ids.ts";
import { DatabaseSync } from "node:sqlite";
import { accountMigrations } from "../database/schema.ts";
import { matchEmail } from "../messages/rethread.ts";
import { mergeThreads } from "../messages/threads.ts";
import { Flag } from "../types.ts";
import { messageFiles } from "./verify_files.ts";
import { places } from "./verify_places.ts";
import { ids, never, numberOf, rowDb, rows, run, type Say } from "./verify_rows.ts";
import { training } from "./verify_training.ts";

/** Checks an account; with `fix`, mends what loses nothing. */
export function verifyAccount(db: DatabaseSync, dir: string, fix: boolean, tell: Say): void {
  places(db, fix, tell);
  schema(db, fix, tell);
  changes(db, fix, tell);
  threads(db, fix, tell);
  training(db, dir, fix, tell);
  counts(db, fix, tell);
  account(db, fix, tell);
  messageFiles(
    dir,
    rows(db, "SELECT id, size - length(prefix) FROM emails") as [number, number][],
    ids(db, "SELECT email_id FROM erased"),
    fix,
    tell,
  );
}

/** Tables and indexes must be those of the database's version. */
function schema(db: DatabaseSync, fix: boolean, tell: Say): void {
  const version = numberOf(db, "PRAGMA user_version");
  const listed = "SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL ORDER BY rowid";
  const expected = new DatabaseSync(":memory:");
  try {
    for (const m of accountMigrations) if (m.version <= version) expected.exec(m.sql);
    const have = new Map(rows(db, listed) as [string, string][]);
    for (const [name, sql] of rows(expected, listed) as [string, string][]) {
      if (have.get(name) === sql) continue;
      const index = /^CREATE (?:UNIQUE )?INDEX /.test(sql) && !have.has(name);
      if (fix && index) db.exec(sql);
      tell(
        have.has(name) ? `${name} is not as in version ${version}` : `${name} is missing`,
        fix && index ? "made" : undefined,
      );
    }
  } finally {
    expected.close();
  }
}

/** The order of changes, by which mail programs find what is new. */
function changes(db: DatabaseSync, fix: boolean, tell: Say): void {
  const [[modseq]] = rows(db, "SELECT modseq FROM state") as number[][];
  const highest = numberOf(
    db,
    "SELECT max((SELECT coalesce(max(max(modseq, createseq)), 0) FROM messages), " +
      "(SELECT coalesce(max(max(modseq, createseq)), 0) FROM mailboxes), " +
      "(SELECT coalesce(max(modseq), 0) FROM annotations))",
  );
  never(
    db,
    `SELECT id, modseq, createseq FROM messages WHERE modseq > ${modseq} OR createseq > modseq`,
    ([id, m, c]) => `message ${id}: modseq ${m}, createseq ${c}, while the account is at ${modseq}`,
    tell,
    fix
      ? ([id, m]) => {
        run(db, "UPDATE messages SET createseq = min(createseq, modseq) WHERE id = ?", id);
        return m as number > modseq
          ? `the account is at ${highest} now`
          : "createseq set to modseq";
      }
      : undefined,
  );
  if (highest > modseq) {
    if (fix) run(db, "UPDATE state SET modseq = ?", highest);
    tell(
      `the account is at modseq ${modseq}, but ${highest} is given`,
      fix ? `set to ${highest}` : undefined,
    );
  }
  never(
    db,
    "SELECT b.id, b.name, b.modseq, max(m.modseq) FROM mailboxes b JOIN messages m " +
      "ON m.mailbox_id = b.id WHERE b.expunged = 0 GROUP BY b.id HAVING max(m.modseq) > b.modseq",
    ([, name, m, most]) => `mailbox ${name}: modseq is ${m}, but ${most} is given in it`,
    tell,
    fix
      ? ([id, , , most]) => {
        run(db, "UPDATE mailboxes SET modseq = ? WHERE id = ?", most, id);
        return `set to ${most}`;
      }
      : undefined,
  );
}

/** Each email has threading data and is in the thread of its parent. */
function threads(db: DatabaseSync, fix: boolean, tell: Say): void {
  never(
    db,
    "SELECT t.email_id FROM threads t LEFT JOIN emails e ON e.id = t.email_id WHERE e.id IS NULL",
    ([id]) => `threading of email ${id}, which does not exist`,
    tell,
    fix
      ? ([id]) => {
        run(db, "DELETE FROM threads WHERE email_id = ?", id);
        return "removed";
      }
      : undefined,
  );
  never(
    db,
    "SELECT e.id, e.summary, (SELECT min(received) FROM messages m WHERE m.email_id = e.id " +
      "AND m.expunged = 0) FROM emails e LEFT JOIN threads t ON t.email_id = e.id " +
      "WHERE t.email_id IS NULL ORDER BY e.id",
    ([id]) => `email ${id} has no threading; "mox reassignthreads" makes it`,
    tell,
    fix
      ? ([id, summary, received]) => {
        matchEmail(rowDb(db), id as EmailId, summary as string, received as number | null);
        return "matched to its thread";
      }
      : undefined,
  );
  // The email that gave a thread its id may be gone; the thread keeps the id.
  never(
    db,
    "SELECT t.email_id, t.parent_id FROM threads t JOIN threads p ON p.email_id = t.parent_id " +
      "WHERE p.thread_id != t.thread_id",
    ([id, parent]) => `email ${id} is in another thread than its parent ${parent}`,
    tell,
    fix
      ? ([id, parent]) => {
        const of = (email: unknown) =>
          rows(db, "SELECT thread_id FROM threads WHERE email_id = ?", email as number)[0][0];
        mergeThreads(rowDb(db), of(id) as number, of(parent) as number);
        return "the threads are one now";
      }
      : undefined,
  );
}

const countNames = ["total", "deleted", "unread", "unseen", "size"] as const;

/** Counts and next uids of mailboxes against their messages, and mailboxes against each other. */
function counts(db: DatabaseSync, fix: boolean, tell: Say): void {
  const { Seen, Deleted } = Flag;
  const found = rows(
    db,
    `SELECT b.id, b.name, b.uidnext, b.total, b.deleted, b.unread, b.unseen, b.size,
       count(m.id), coalesce(sum(m.flags & ${Deleted} != 0), 0),
       coalesce(sum(m.flags & ${Seen | Deleted} = 0), 0),
       coalesce(sum(m.flags & ${Seen} = 0), 0), coalesce(sum(m.size), 0),
       (SELECT coalesce(max(uid), 0) FROM messages x WHERE x.mailbox_id = b.id)
     FROM mailboxes b LEFT JOIN messages m ON m.mailbox_id = b.id AND m.expunged = 0
     WHERE b.expunged = 0 GROUP BY b.id`,
  );
  for (const [id, name, uidNext, ...rest] of found as [number, string, number, ...number[]][]) {
    countNames.forEach((what, i) => {
      const have = rest[i];
      const want = rest[i + 5];
      if (have === want) return;
      if (fix) run(db, `UPDATE mailboxes SET ${what} = ? WHERE id = ?`, want, id);
      tell(
        `mailbox ${name}: count ${what} is ${have}, should be ${want}`,
        fix ? `set to ${want}` : undefined,
      );
    });
    const highest = rest[10];
    if (highest < uidNext) continue;
    if (fix) run(db, "UPDATE mailboxes SET uidnext = ? WHERE id = ?", highest + 1, id);
    tell(
      `mailbox ${name}: uidnext is ${uidNext}, but uid ${highest} is given`,
      fix ? `set to ${highest + 1}` : undefined,
    );
  }
  never(
    db,
    "SELECT b.id, b.name, b.parent_id FROM mailboxes b LEFT JOIN mailboxes p ON p.id = b.parent_id " +
      "AND p.expunged = 0 WHERE b.expunged = 0 AND b.parent_id != 0 AND p.id IS NULL",
    ([, name, parent]) => `mailbox ${name}: the mailbox ${parent} above it does not exist`,
    tell,
    fix
      ? ([id, name]) => {
        const above = (name as string).split("/").slice(0, -1).join("/");
        const [parent] = rows(
          db,
          "SELECT id FROM mailboxes WHERE expunged = 0 AND name = ?",
          above,
        );
        run(db, "UPDATE mailboxes SET parent_id = ? WHERE id = ?", parent?.[0] ?? 0, id);
        return parent ? `set to ${above}` : "it has none above it now";
      }
      : undefined,
  );
}

/** The account's own numbers. */
function account(db: DatabaseSync, fix: boolean, tell: Say): void {
  const number = (what: string, column: string, have: number, want: number, wrong: boolean) => {
    if (!wrong) return;
    if (fix) run(db, `UPDATE state SET ${column} = ?`, want);
    tell(`${what} is ${have}, should be ${want}`, fix ? `set to ${want}` : undefined);
  };
  const [[used, next, validity]] = rows(
    db,
    "SELECT message_size, next_email_id, uidvalidity FROM state",
  ) as number[][];
  const sum = numberOf(db, "SELECT coalesce(sum(size), 0) FROM emails");
  number("usage", "message_size", used, sum, used !== sum);
  const highest = numberOf(db, "SELECT coalesce(max(id), 0) FROM emails");
  number("next email id", "next_email_id", next, highest + 1, highest >= next);
  const given = numberOf(db, "SELECT coalesce(max(uidvalidity), 0) FROM mailboxes");
  number("the last UIDVALIDITY", "uidvalidity", validity, given, given > validity);
}
