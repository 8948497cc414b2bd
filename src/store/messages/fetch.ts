/**
 * Reading messages of a mailbox in uid order, with the requested data.
 *
 * Runs of consecutive uids are read as ranges: FETCH 1:* is one pass over an index. A row's object is reused,
 * and its columns are read as arrays, so that 10,000 rows cost some milliseconds.
 *
 * @module
 */
import type { MailboxId } from "../ids.ts";
import type { Db, Row } from "../database/database.ts";
import { FetchRow } from "./row.ts";
import { chooseFieldLines } from "../../mail/header/filter.ts";
import { type KeptEmails, type Made, readByIds } from "./kept_emails.ts";
import type { MailboxRows } from "./mailbox_rows.ts";
import { Flag, type Message, Want } from "../types.ts";

const base = "m.id, m.email_id, m.uid, m.modseq, m.flags, m.keywords, m.received, m.saved, m.size";
const baseColumns = 9;

/** Columns of the emails table, by the Want that requests them. */
const emailColumns = [
  [Want.Envelope, "e.envelope", "envelope"],
  [Want.Body, "e.body", "body"],
  [Want.BodyStructure, "e.bodystructure", "bodyStructure"],
  [Want.Prefix, "e.prefix", "prefix"],
  [Want.Structure, "e.structure", "structure"],
  [Want.Summary, "e.summary", "summaryText"],
  [Want.Listed, "e.listed", "listed"],
] as const;

interface Columns {
  /** With a comma before each. */
  columns: string;
  /** The row's fields that they fill, in the same order. */
  fields: (typeof emailColumns[number][2])[];
  /** The thread's id is the last column. */
  thread: boolean;
}

function columnsFor(want: number): Columns {
  const r: Columns = { columns: "", fields: [], thread: (want & Want.Thread) !== 0 };
  for (const [bit, column, field] of emailColumns) {
    if (!(want & bit)) continue;
    r.columns += `, ${column}`;
    r.fields.push(field);
  }
  if (r.thread) r.columns += ", t.thread_id";
  return r;
}

/** Joins for the columns, with the messages table. */
function joinsFor(columns: Columns): string {
  return (columns.fields.length > 0 ? " JOIN emails e ON e.id = m.email_id" : "") +
    (columns.thread ? " LEFT JOIN threads t ON t.email_id = m.email_id" : "");
}

/** Fills the fields that cost extra, from a column index on. */
function fillExtra(row: FetchRow, columns: Columns, r: Row, at: number): void {
  for (let k = 0; k < columns.fields.length; k++) row[columns.fields[k]] = r[at + k] as never;
  if (columns.thread) row.threadId = r[at + columns.fields.length] ?? row.emailId;
}

/** Fills one object from rows, repeatedly. */
function rowReader(columns: Columns): (row: Row) => FetchRow {
  const o = new FetchRow();
  return (row) => {
    o.id = row[0];
    o.emailId = row[1];
    o.uid = row[2];
    o.modseq = row[3];
    o.flags = row[4];
    o.keywords = row[5];
    o.received = row[6];
    o.saved = row[7];
    o.size = row[8];
    fillExtra(o, columns, row, baseColumns);
    return o;
  };
}

/** Names of header fields, in lower case: of the stored fields, rows get only these. */
export type Fields = ReadonlySet<string>;

/** Selects the fields in rows whose first column is the id. */
function madeOf(columns: Columns, fields: Fields): Made | undefined {
  const at = columns.fields.indexOf("listed") + 1;
  if (at === 0) return undefined;
  return {
    name: ` ${[...fields].sort().join(" ")}`,
    of(r) {
      if (r[at] !== null) r[at] = chooseFieldLines(r[at], fields);
    },
  };
}

/** Most rows that one query reads, so that memory stays bounded. */
const rowsPerQuery = 1000;

/**
 * Calls `each` for the live messages among the uids, in their (ascending) order. The object is reused: copy
 * what you keep. `each` stops it by returning false.
 */
export function fetchMessages(
  db: Db,
  mailboxId: MailboxId,
  uids: ArrayLike<number>,
  want: number,
  each: (row: FetchRow) => boolean | void,
  fields?: Fields,
): void {
  const c = columnsFor(want);
  const sql = `SELECT ${base}${c.columns} FROM messages m${joinsFor(c)} WHERE m.mailbox_id = ? ` +
    "AND m.uid >= ? AND m.uid <= ? AND m.expunged = 0 ORDER BY m.uid LIMIT ?";
  const read = rowReader(c);
  let i = 0;
  while (i < uids.length) {
    // A run: uids with small gaps are also read as one range, skipping the others.
    let end = i + 1;
    while (end < uids.length && end - i < rowsPerQuery && uids[end] - uids[end - 1] <= 4) end++;
    let from = uids[i];
    const to = uids[end - 1];
    const wanted = end - i === to - from + 1 ? undefined : i;
    let at = i;
    for (;;) {
      const rows = db.all(sql, mailboxId, from, to, rowsPerQuery);
      for (const r of rows) {
        if (wanted !== undefined) {
          const uid = r[2] as number;
          while (at < end && uids[at] < uid) at++;
          if (at >= end || uids[at] !== uid) continue;
        }
        const o = read(r);
        if (fields && o.listed !== null) o.listed = chooseFieldLines(o.listed, fields);
        if (each(o) === false) return;
      }
      if (rows.length < rowsPerQuery) break;
      from = (rows[rows.length - 1][2] as number) + 1;
    }
    i = end;
  }
}

/** Most rows of the emails table that one query reads. Content is large, and often not all of it is used. */
const emailsPerQuery = 500;
const contentsPerQuery = 64;
/** The email data kept in memory: never the thread, which may change, nor large data. */
const keptWants = Want.Envelope | Want.Body | Want.BodyStructure | Want.Prefix | Want.Listed;

/**
 * Like {@link fetchMessages}, for a mailbox whose rows are in memory: only data that costs extra is read; ids
 * of emails that rise together with the uids are read as one range. Small, unchanging rows come from memory.
 */
export function fetchFromRows(
  db: Db,
  rows: MailboxRows,
  kept: KeptEmails,
  uids: ArrayLike<number>,
  want: number,
  each: (row: FetchRow) => boolean | void,
  fields?: Fields,
): void {
  const o = new FetchRow();
  const c = columnsFor(want);
  let at = uids.length > 0 ? rows.indexOf(uids[0]) : 0;
  /** Index of the next uid that exists, with `at` on its row; or the end. */
  const find = (i: number): number => {
    for (; i < uids.length; i++) {
      const uid = uids[i];
      if (rows.uids[at] < uid && at < rows.count) {
        at++;
        if (at < rows.count && rows.uids[at] < uid) at = rows.indexOf(uid);
      }
      if (at >= rows.count) return uids.length;
      if (rows.uids[at] === uid) return i;
    }
    return i;
  };
  if (c.columns === "") {
    for (let i = find(0); i < uids.length; i = find(i + 1)) {
      rows.fill(o, at);
      if (each(o) === false) return;
    }
    return;
  }
  const sql = `SELECT e.id${c.columns} FROM emails e${
    c.thread ? " LEFT JOIN threads t ON t.email_id = e.id" : ""
  } WHERE e.id >= ? AND e.id <= ? ORDER BY e.id`;
  const made = fields && madeOf(c, fields);
  const keeps = (want & ~keptWants) === 0;
  const most = want & Want.Content && !keeps ? contentsPerQuery : emailsPerQuery;
  for (let i = find(0); i < uids.length;) {
    /** Indexes of rows that are read together, and the ids of their emails. */
    const indexes: number[] = [];
    const ids: number[] = [];
    for (; i < uids.length && ids.length < most; i = find(i + 1)) {
      indexes.push(at);
      ids.push(rows.emailIds[at]);
    }
    let email: (id: number) => Row | undefined;
    if (keeps) email = kept.find(c.columns, ids, made);
    else {
      const found = readByIds(db, sql, ids);
      if (made) found.forEach(made.of);
      email = (id) => found.get(id);
    }
    for (let k = 0; k < ids.length; k++) {
      const extra = email(ids[k]);
      if (extra === undefined) continue;
      rows.fill(o, indexes[k]);
      fillExtra(o, c, extra, 1);
      if (each(o) === false) return;
    }
  }
}

/**
 * Calls `each` for the live messages that have all of the flags in `set` and none in `clear`, ascending.
 * Messages without \\Seen have their own index.
 */
export function eachWithFlags(
  db: Db,
  mailboxId: MailboxId,
  set: number,
  clear: number,
  each: (uid: number, modseq: number) => void,
): void {
  const unseen = clear & Flag.Seen ? " AND flags & 1 = 0" : "";
  const rows = db.all(
    "SELECT uid, modseq FROM messages WHERE mailbox_id = ? AND expunged = 0 AND flags & ? = ?" +
      `${unseen} ORDER BY uid`,
    mailboxId,
    set | clear,
    set,
  );
  for (const [uid, modseq] of rows) each(uid, modseq);
}

/** Live messages whose modseq is higher than the given one, in uid order (RFC 7162 §3.1.4). */
export function fetchSince(
  db: Db,
  mailboxId: MailboxId,
  modseq: number,
  want: number,
  each: (row: FetchRow) => boolean | void,
): void {
  const c = columnsFor(want);
  const read = rowReader(c);
  const rows = db.all(
    `SELECT ${base}${c.columns} FROM messages m${
      joinsFor(c)
    } WHERE m.mailbox_id = ? AND m.modseq > ? AND m.expunged = 0 ` +
      "ORDER BY m.uid",
    mailboxId,
    modseq,
  );
  for (const r of rows) if (each(read(r)) === false) return;
}

/** Uids of live messages that changed after the modseq, ascending. */
export function uidsSince(db: Db, mailboxId: MailboxId, modseq: number): Uint32Array {
  const rows = db.all(
    "SELECT uid FROM messages WHERE mailbox_id = ? AND modseq > ? AND +expunged = 0",
    mailboxId,
    modseq,
  );
  return Uint32Array.from(rows, (r) => r[0]).sort();
}

/** Uids that were expunged after the modseq (RFC 7162 §3.2.6), ascending. */
export function expungedSince(db: Db, mailboxId: MailboxId, modseq: number): number[] {
  return db.all(
    "SELECT uid FROM messages WHERE mailbox_id = ? AND modseq > ? AND expunged = 1 ORDER BY uid",
    mailboxId,
    modseq,
  ).map((r) => r[0]);
}

/** Uids of all live messages, ascending. */
export function mailboxUids(db: Db, mailboxId: MailboxId): Uint32Array {
  const rows = db.all(
    "SELECT uid FROM messages WHERE mailbox_id = ? AND expunged = 0 ORDER BY uid",
    mailboxId,
  );
  const r = new Uint32Array(rows.length);
  for (let i = 0; i < rows.length; i++) r[i] = rows[i][0];
  return r;
}

/** How many live messages have this uid or a higher one. */
export function countFromUid(db: Db, mailboxId: MailboxId, uid: number): number {
  const row = db.get(
    "SELECT count(*) FROM messages WHERE mailbox_id = ? AND uid >= ? AND expunged = 0",
    mailboxId,
    uid,
  );
  return row![0];
}

/** Uids in a mailbox of the messages of given emails, and of all emails with id `from` or higher. */
export function uidsOfEmails(
  db: Db,
  mailboxId: MailboxId,
  emailIds: Iterable<number>,
  from: number,
): Uint32Array {
  // The plus keeps the planner from scanning the whole mailbox through another index.
  const uids = db.all(
    "SELECT uid FROM messages WHERE +mailbox_id = ? AND email_id >= ? AND expunged = 0",
    mailboxId,
    from,
  ).map((r) => r[0] as number);
  for (const id of emailIds) {
    if (id >= from) continue;
    const rows = db.all(
      "SELECT uid FROM messages WHERE email_id = ? AND +mailbox_id = ? AND expunged = 0",
      id,
      mailboxId,
    );
    for (const [uid] of rows) uids.push(uid);
  }
  return Uint32Array.from(uids).sort();
}

/** The lowest uid without \Seen; undefined if all are seen. */
export function firstUnseenUid(db: Db, mailboxId: MailboxId): number | undefined {
  return db.get(
    "SELECT uid FROM messages INDEXED BY messages_unseen WHERE mailbox_id = ? AND expunged = 0 " +
      "AND flags & 1 = 0 ORDER BY uid LIMIT 1",
    mailboxId,
  )?.[0];
}

const messageColumns =
  "m.id, m.email_id, m.mailbox_id, m.uid, m.modseq, m.createseq, m.flags, m.keywords, m.received, " +
  "m.saved, m.size, coalesce(t.thread_id, m.email_id)";

function messageFromRow(row: Row): Message {
  return {
    id: row[0],
    emailId: row[1],
    mailboxId: row[2],
    uid: row[3],
    modseq: row[4],
    createseq: row[5],
    flags: row[6],
    keywords: row[7] === "" ? [] : row[7].split(" "),
    received: row[8],
    saved: row[9],
    size: row[10],
    threadId: row[11],
  };
}

export function messageById(db: Db, id: number): Message | undefined {
  const r = db.get(
    `SELECT ${messageColumns} FROM messages m LEFT JOIN threads t ON t.email_id = m.email_id ` +
      "WHERE m.id = ? AND m.expunged = 0",
    id,
  );
  return r && messageFromRow(r);
}

export function messageByUid(db: Db, mailboxId: MailboxId, uid: number): Message | undefined {
  const r = db.get(
    `SELECT ${messageColumns} FROM messages m LEFT JOIN threads t ON t.email_id = m.email_id ` +
      "WHERE m.mailbox_id = ? AND m.uid = ? AND m.expunged = 0",
    mailboxId,
    uid,
  );
  return r && messageFromRow(r);
}
