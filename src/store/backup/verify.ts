/**
 * Checking a data folder that no server uses: every database by itself, against what must hold between
 * its rows, and against the message files. Runs in a Worker: see worker.ts.
 *
 * @module
 */
import { join } from "node:path";
import { DatabaseSync, type StatementSync } from "node:sqlite";
import { fileName, files } from "./copy.ts";

/** Something that is not as it should be. */
export interface Fault {
  /** The database, or file, that it is about. */
  path: string;
  text: string;
  /** What was done about it; undefined if nothing was. */
  fixed?: string;
}

/** Collects faults of one database. */
type Say = (text: string, fixed?: string) => void;

/** Checks all below the folder; with `fix`, mends what can be mended without losing anything. */
export function verifyData(dir: string, fix: boolean, say: (text: string) => void): Fault[] {
  const faults: Fault[] = [];
  folder(dir, fix, faults, say);
  return faults;
}

function folder(dir: string, fix: boolean, faults: Fault[], say: (text: string) => void): void {
  const entries = [...Deno.readDirSync(dir)].sort((a, b) => a.name < b.name ? -1 : 1);
  const names = new Set(entries.map((e) => e.name));
  for (const e of entries) {
    const path = join(dir, e.name);
    if (e.isDirectory && !(e.name === "msg" && names.has("index.db")) && e.name !== "tmp") {
      folder(path, fix, faults, say);
    }
    if (!e.isFile || !e.name.endsWith(".db")) continue;
    say(path);
    const tell: Say = (text, fixed) => faults.push({ path, text, fixed });
    try {
      check(path, dir, fix, tell);
    } catch (err) {
      tell(`can't be read: ${err instanceof Error ? err.message : err}`);
    }
  }
  if (names.has("msg") && !names.has("index.db")) {
    faults.push({ path: join(dir, "index.db"), text: "is missing, but there are message files" });
  }
}

function check(path: string, dir: string, fix: boolean, tell: Say): void {
  const db = new DatabaseSync(path, { readOnly: !fix, timeout: 5000 });
  try {
    const damage = db.prepare("PRAGMA integrity_check(20)").all() as { integrity_check: string }[];
    for (const d of damage) if (d.integrity_check !== "ok") tell(`damaged: ${d.integrity_check}`);
    const tables = new Set(
      (db.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all() as {
        name: string;
      }[])
        .map((t) => t.name),
    );
    if (tables.has("emails")) mail(db, dir, fix, tell);
    else if (tables.has("recipients") && tables.has("destinations")) queue(db, dir, fix, tell);
  } finally {
    db.close();
  }
}

/** Rows as arrays. */
function rows(db: DatabaseSync, sql: string): unknown[][] {
  const s = db.prepare(sql) as StatementSync & { setReturnArrays(on: boolean): void };
  s.setReturnArrays(true);
  return s.all() as unknown as unknown[][];
}

/** A condition that no row may break; the first few that do are named. */
function never(db: DatabaseSync, sql: string, text: (row: unknown[]) => string, tell: Say): void {
  const found = rows(db, sql);
  for (const r of found.slice(0, 20)) tell(text(r));
  if (found.length > 20) tell(`and ${found.length - 20} more of the same kind`);
}

/** An account. */
function mail(db: DatabaseSync, dir: string, fix: boolean, tell: Say): void {
  const [[modseq, nextEmail, used]] = rows(
    db,
    "SELECT modseq, next_email_id, message_size FROM state",
  ) as number[][];
  never(
    db,
    "SELECT mailbox_id, uid, count(*) FROM messages GROUP BY mailbox_id, uid HAVING count(*) > 1",
    ([box, uid, n]) => `mailbox ${box}: uid ${uid} is given to ${n} messages`,
    tell,
  );
  never(
    db,
    `SELECT id, modseq, createseq FROM messages WHERE modseq > ${modseq} OR createseq > modseq`,
    ([id, m, c]) => `message ${id}: modseq ${m}, createseq ${c}, while the account is at ${modseq}`,
    tell,
  );
  never(
    db,
    "SELECT m.id, m.mailbox_id FROM messages m LEFT JOIN mailboxes b ON b.id = m.mailbox_id " +
      "WHERE m.expunged = 0 AND (b.id IS NULL OR b.expunged = 1)",
    ([id, box]) => `message ${id}: its mailbox ${box} does not exist`,
    tell,
  );
  never(
    db,
    "SELECT m.id, m.email_id, m.size, e.size FROM messages m LEFT JOIN emails e ON e.id = m.email_id " +
      "WHERE m.expunged = 0 AND (e.id IS NULL OR e.size != m.size)",
    ([id, email, size, real]) =>
      real === null
        ? `message ${id}: its email ${email} does not exist`
        : `message ${id}: Size is ${size}, but that of email ${email} is ${real}`,
    tell,
  );
  never(
    db,
    "SELECT id FROM emails e WHERE NOT EXISTS " +
      "(SELECT 1 FROM messages m WHERE m.email_id = e.id AND m.expunged = 0)",
    ([id]) => `email ${id} is in no mailbox`,
    tell,
  );
  never(
    db,
    "SELECT e.id FROM emails e LEFT JOIN threads t ON t.email_id = e.id WHERE t.email_id IS NULL",
    ([id]) => `email ${id} has no threading; "mox reassignthreads" makes it`,
    tell,
  );
  never(
    db,
    "SELECT t.email_id FROM threads t LEFT JOIN emails e ON e.id = t.email_id WHERE e.id IS NULL",
    ([id]) => `threading of email ${id}, which does not exist`,
    tell,
  );
  never(
    db,
    "SELECT t.email_id, t.thread_id FROM threads t LEFT JOIN threads r ON r.email_id = t.thread_id " +
      "WHERE r.email_id IS NULL OR r.thread_id != t.thread_id",
    ([id, thread]) => `email ${id}: its thread ${thread} is not one`,
    tell,
  );
  never(
    db,
    "SELECT id, trained FROM messages WHERE trained NOT IN (0, 1, 2)",
    ([id, t]) => `message ${id}: junk training state ${t} is none`,
    tell,
  );
  never(
    db,
    // Junk is bit 64, not junk 128.
    "SELECT id, trained, flags FROM messages WHERE expunged = 0 AND trained != 0 AND flags & 192 = 0",
    ([id, t]) =>
      `message ${id} is trained as ${t === 2 ? "junk" : "not junk"}, but has neither flag; ` +
      `"mox retrain" sets it right`,
    tell,
  );
  counts(db, fix, tell);
  const [[sum]] = rows(db, "SELECT coalesce(sum(size), 0) FROM emails") as number[][];
  if (sum !== used) {
    if (fix) db.prepare("UPDATE state SET message_size = ?").run(sum);
    tell(`usage is ${used}, should be ${sum}`, fix ? `set to ${sum}` : undefined);
  }
  const [[highest]] = rows(db, "SELECT coalesce(max(id), 0) FROM emails") as number[][];
  if (highest >= nextEmail) {
    if (fix) db.prepare("UPDATE state SET next_email_id = ?").run(highest + 1);
    tell(
      `next email id is ${nextEmail}, but ${highest} is given`,
      fix ? `set to ${highest + 1}` : undefined,
    );
  }
  messageFiles(
    dir,
    rows(db, "SELECT id, size - length(prefix) FROM emails") as [number, number][],
    ids(db, "SELECT email_id FROM erased"),
    fix,
    tell,
  );
}

const countNames = ["total", "deleted", "unread", "unseen", "size"] as const;

/** Counts of mailboxes against their messages. */
function counts(db: DatabaseSync, fix: boolean, tell: Say): void {
  const found = rows(
    db,
    // Seen is bit 1, deleted bit 8.
    `SELECT b.id, b.name, b.uidnext, b.total, b.deleted, b.unread, b.unseen, b.size,
       count(m.id), coalesce(sum(m.flags & 8 != 0), 0), coalesce(sum(m.flags & 9 = 0), 0),
       coalesce(sum(m.flags & 1 = 0), 0), coalesce(sum(m.size), 0),
       (SELECT coalesce(max(uid), 0) FROM messages x WHERE x.mailbox_id = b.id)
     FROM mailboxes b LEFT JOIN messages m ON m.mailbox_id = b.id AND m.expunged = 0
     WHERE b.expunged = 0 GROUP BY b.id`,
  );
  for (const [id, name, uidNext, ...rest] of found as [number, string, number, ...number[]][]) {
    countNames.forEach((what, i) => {
      const have = rest[i];
      const want = rest[i + 5];
      if (have === want) return;
      if (fix) db.prepare(`UPDATE mailboxes SET ${what} = ? WHERE id = ?`).run(want, id);
      tell(
        `mailbox ${name}: count ${what} is ${have}, should be ${want}`,
        fix ? `set to ${want}` : undefined,
      );
    });
    const highest = rest[10];
    if (highest < uidNext) continue;
    if (fix) db.prepare("UPDATE mailboxes SET uidnext = ? WHERE id = ?").run(highest + 1, id);
    tell(
      `mailbox ${name}: uidnext is ${uidNext}, but uid ${highest} is given`,
      fix ? `set to ${highest + 1}` : undefined,
    );
  }
}

/** The queue. */
function queue(db: DatabaseSync, dir: string, fix: boolean, tell: Say): void {
  never(
    db,
    "SELECT r.id, r.message_id FROM recipients r LEFT JOIN messages m ON m.id = r.message_id " +
      "WHERE m.id IS NULL",
    ([id, message]) => `recipient ${id}: its message ${message} does not exist`,
    tell,
  );
  messageFiles(
    dir,
    rows(db, "SELECT id, file_size FROM messages") as [number, number][],
    ids(db, "SELECT id FROM erased"),
    fix,
    tell,
  );
}

function ids(db: DatabaseSync, sql: string): number[] {
  return rows(db, sql).map(([id]) => id as number);
}

/** Message files: one for each row, of its size, and no others but those that the next start removes. */
function messageFiles(
  dir: string,
  wanted: readonly [number, number][],
  erased: readonly number[],
  fix: boolean,
  tell: Say,
): void {
  const msg = join(dir, "msg");
  const here = new Set<string>();
  try {
    for (const name of files(msg)) here.add(name);
  } catch (err) {
    if (!(err instanceof Deno.errors.NotFound)) throw err;
  }
  for (const id of erased) here.delete(fileName(id));
  for (const [id, size] of wanted) {
    const name = fileName(id);
    const path = join(msg, name);
    if (!here.delete(name)) {
      tell(`${path}: missing`);
      continue;
    }
    const real = Deno.statSync(path).size;
    if (real === size) continue;
    tell(
      `${path}: ${real < size ? "truncated" : "too large"}, ${real} bytes in place of ${size}; ` +
        `"mox fixmsgsize" accepts it as it is`,
    );
  }
  for (const name of here) {
    const path = join(msg, name);
    let fixed: string | undefined;
    if (fix) {
      // Kept, out of the way: it may be all that is left of a message.
      const aside = join(dir, "extra-files");
      Deno.mkdirSync(aside, { recursive: true, mode: 0o700 });
      const to = join(aside, name.replace("/", "-"));
      Deno.renameSync(path, to);
      fixed = `moved to ${to}`;
    }
    tell(`${path}: no row names this file`, fixed);
  }
}
