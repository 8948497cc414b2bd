/**
 * An account's database against itself, its message files and its junk filter.
 *
 * What is mended, is in this order: what later checks build on comes first, counts and files last.
 *
 * @module
 */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { accountMigrations } from "../schema.ts";
import { matchEmail } from "../rethread.ts";
import { mergeThreads } from "../threads.ts";
import { Flag } from "../types.ts";
import { messageFiles } from "./verify_files.ts";
import { ids, never, numberOf, rowDb, rows, type Say } from "./verify_rows.ts";

/** Messages that were trained, and whose state was not kept yet, when a process ended. */
const trainedInOneBatch = 100;
/** Where messages are put that are in no mailbox. */
const recovered = "Recovered";

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

function run(db: DatabaseSync, sql: string, ...params: unknown[]): void {
  db.prepare(sql).run(...params as number[]);
}

/** A new uid in a mailbox, and the modseq of the change. */
function nextUid(db: DatabaseSync, mailbox: number): { uid: number; modseq: number } {
  const [[modseq]] = rows(db, "UPDATE state SET modseq = modseq + 1 RETURNING modseq");
  const [[uid]] = rows(
    db,
    "UPDATE mailboxes SET modseq = ?1, uidnext = max(uidnext, " +
      "(SELECT coalesce(max(uid), 0) + 1 FROM messages WHERE mailbox_id = ?2)) + 1 " +
      "WHERE id = ?2 RETURNING uidnext - 1",
    modseq as number,
    mailbox,
  );
  return { uid: uid as number, modseq: modseq as number };
}

/** The mailbox for what was found, made if it is missing. */
function recoveredMailbox(db: DatabaseSync): number {
  const [found] = rows(db, "SELECT id FROM mailboxes WHERE name = ? AND expunged = 0", recovered);
  if (found) return found[0] as number;
  const [[modseq, uidvalidity]] = rows(
    db,
    "UPDATE state SET modseq = modseq + 1, uidvalidity = max(uidvalidity, " +
      "(SELECT coalesce(max(uidvalidity), 0) FROM mailboxes)) + 1 RETURNING modseq, uidvalidity",
  );
  run(
    db,
    "INSERT INTO mailboxes (parent_id, name, uidvalidity, uidnext, modseq, createseq) " +
      "VALUES (0, ?, ?, 1, ?, ?)",
    recovered,
    uidvalidity,
    modseq,
    modseq,
  );
  run(db, "INSERT OR IGNORE INTO subscriptions (name) VALUES (?)", recovered);
  return numberOf(db, "SELECT last_insert_rowid()");
}

/** Messages have an email, a mailbox and a uid of their own; emails have a message. */
function places(db: DatabaseSync, fix: boolean, tell: Say): void {
  never(
    db,
    "SELECT m.id, m.mailbox_id FROM messages m LEFT JOIN mailboxes b ON b.id = m.mailbox_id " +
      "WHERE m.expunged = 0 AND (b.id IS NULL OR b.expunged = 1)",
    ([id, box]) => `message ${id}: its mailbox ${box} does not exist`,
    tell,
    fix
      ? ([id]) => {
        const box = recoveredMailbox(db);
        const { uid, modseq } = nextUid(db, box);
        run(
          db,
          "UPDATE messages SET mailbox_id = ?, uid = ?, modseq = ?, createseq = ? WHERE id = ?",
          box,
          uid,
          modseq,
          modseq,
          id,
        );
        return `put into ${recovered}`;
      }
      : undefined,
  );
  never(
    db,
    "SELECT e.id FROM emails e WHERE NOT EXISTS " +
      "(SELECT 1 FROM messages m WHERE m.email_id = e.id AND m.expunged = 0)",
    ([id]) => `email ${id} is in no mailbox`,
    tell,
    fix
      ? ([id]) => {
        const box = recoveredMailbox(db);
        const { uid, modseq } = nextUid(db, box);
        const now = Date.now();
        run(
          db,
          "INSERT INTO messages (email_id, mailbox_id, uid, modseq, createseq, flags, keywords, " +
            "received, saved, size) SELECT id, ?, ?, ?, ?, 0, '', ?, ?, size FROM emails WHERE id = ?",
          box,
          uid,
          modseq,
          modseq,
          now,
          now,
          id,
        );
        return `put into ${recovered}`;
      }
      : undefined,
  );
  never(
    db,
    // The first of several keeps it, unless programs were told that it is expunged.
    "SELECT m.id, m.mailbox_id, m.uid FROM messages m JOIN (SELECT mailbox_id, uid, " +
      "min(CASE WHEN expunged = 0 THEN id END) AS first, sum(expunged) AS gone FROM messages " +
      "GROUP BY mailbox_id, uid HAVING count(*) > 1) d " +
      "ON d.mailbox_id = m.mailbox_id AND d.uid = m.uid " +
      "WHERE m.expunged = 0 AND (m.id != d.first OR d.gone > 0)",
    ([id, box, uid]) => `mailbox ${box}: uid ${uid} is given twice, to message ${id} too`,
    tell,
    fix
      ? ([id, box]) => {
        const { uid, modseq } = nextUid(db, box as number);
        run(
          db,
          "UPDATE messages SET uid = ?, modseq = ?, createseq = ? WHERE id = ?",
          uid,
          modseq,
          modseq,
          id,
        );
        return `it has uid ${uid} now`;
      }
      : undefined,
  );
  never(
    db,
    "SELECT m.id, m.email_id, m.size, e.size FROM messages m LEFT JOIN emails e ON e.id = m.email_id " +
      "WHERE m.expunged = 0 AND (e.id IS NULL OR e.size != m.size)",
    ([id, email, size, real]) =>
      real === null
        ? `message ${id}: its email ${email} does not exist`
        : `message ${id}: Size is ${size}, but that of email ${email} is ${real}`,
    (text, fixed) => tell(text, fixed || undefined),
    fix
      ? ([id, , , real]) => {
        if (real === null) return "";
        run(db, "UPDATE messages SET size = ? WHERE id = ?", real, id);
        return `set to ${real}`;
      }
      : undefined,
  );
  never(
    db,
    "SELECT x.email_id FROM erased x JOIN emails e ON e.id = x.email_id",
    ([id]) => `email ${id}: its file is to be removed, but the email is there`,
    tell,
    fix
      ? ([id]) => {
        run(db, "DELETE FROM erased WHERE email_id = ?", id);
        return "its file stays";
      }
      : undefined,
  );
}

/** Tables and indexes are those of the database's version. */
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

/** The order of changes, from which mail programs know what is new. */
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

/** Each email has its threading, in the thread of its parent. */
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
        matchEmail(rowDb(db), id as number, summary as string, received as number | null);
        return "matched to its thread";
      }
      : undefined,
  );
  // The email whose id a thread has may be gone; the id stays the thread's.
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

/** What messages were trained as, and what the junk filter knows of. */
function training(db: DatabaseSync, dir: string, fix: boolean, tell: Say): void {
  const { Junk, NotJunk } = Flag;
  never(
    db,
    "SELECT id, trained FROM messages WHERE trained NOT IN (0, 1, 2)",
    ([id, t]) => `message ${id}: junk training state ${t} is none`,
    tell,
    fix
      ? ([id]) => {
        run(db, "UPDATE messages SET trained = 0 WHERE id = ?", id);
        return "set to not trained";
      }
      : undefined,
  );
  never(
    db,
    "SELECT id, trained FROM messages WHERE expunged = 0 AND trained != 0 AND " +
      `flags & ${Junk | NotJunk} = 0`,
    ([id, t]) =>
      `message ${id} is trained as ${t === 2 ? "junk" : "not junk"}, but has neither flag; ` +
      `"mox retrain" sets it right`,
    tell,
  );
  const [[hams, spams]] = rows(
    db,
    "SELECT coalesce(sum(trained = 1), 0), coalesce(sum(trained = 2), 0) FROM messages " +
      "WHERE expunged = 0",
  ) as number[][];
  const known = filterTotals(join(dir, "junkfilter.db"));
  // One that can't be read is told by its own check.
  if (known === "unreadable") return;
  for (const [what, is, has] of [["not junk", hams, known.hams], ["junk", spams, known.spams]]) {
    if (Number(has) + trainedInOneBatch >= Number(is)) continue;
    tell(
      `${is} messages are trained as ${what}, but the junk filter knows of ${has}; ` +
        `"mox retrain" sets it right`,
    );
  }
}

/** Messages that a junk filter was trained with. */
function filterTotals(path: string): { hams: number; spams: number } | "unreadable" {
  let db: DatabaseSync;
  try {
    Deno.statSync(path);
    db = new DatabaseSync(path, { readOnly: true });
  } catch (err) {
    return err instanceof Deno.errors.NotFound ? { hams: 0, spams: 0 } : "unreadable";
  }
  try {
    let [[hams, spams]] = rows(db, "SELECT hams, spams FROM totals") as number[][];
    for (const kind of ids(db, "SELECT kind FROM journal")) {
      const by = kind & 2 ? -1 : 1;
      if (kind & 1) spams += by;
      else hams += by;
    }
    return { hams, spams };
  } catch {
    return "unreadable";
  } finally {
    db.close();
  }
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
