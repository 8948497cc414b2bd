/**
 * Messages for lists: in date order, with their thread, a window at a time.
 *
 * @module
 */
import type { EmailId, MailboxId } from "../ids.ts";
import type { Db, Row } from "../database/database.ts";
import { parseSummary } from "./summary.ts";
import type { Summary } from "../types.ts";

/** A position in date order. Messages of the same millisecond are told apart by id. */
export interface DatePlace {
  received: number;
  id: number;
}

/** A message found for a list, before its details are read. */
export interface Listed extends DatePlace {
  emailId: EmailId;
  mailboxId: MailboxId;
  uid: number;
  threadId: number;
}

/** Below 0 if `a` comes before `b`, oldest first. */
export function comparePlaces(a: DatePlace, b: DatePlace): number {
  return a.received - b.received || a.id - b.id;
}

/** The next live messages of a mailbox after a position (from the start without one). */
export function listByDate(
  db: Db,
  mailboxId: MailboxId,
  order: "newest" | "oldest",
  behind: DatePlace | undefined,
  limit: number,
): Listed[] {
  const newest = order === "newest";
  const from = behind ??
    (newest
      ? { received: Number.MAX_SAFE_INTEGER, id: 0 }
      : { received: Number.MIN_SAFE_INTEGER, id: 0 });
  const [compare, direction] = newest ? ["<", " DESC"] : [">", ""];
  return db.all(
    "SELECT m.received, m.id, m.email_id, m.uid, coalesce(t.thread_id, m.email_id) " +
      "FROM messages m INDEXED BY messages_received LEFT JOIN threads t ON t.email_id = m.email_id " +
      `WHERE m.mailbox_id = ? AND m.expunged = 0 AND (m.received, m.id) ${compare} (?, ?) ` +
      `ORDER BY m.received${direction}, m.id${direction} LIMIT ?`,
    mailboxId,
    from.received,
    from.id,
    limit,
  ).map((r) => ({ received: r[0], id: r[1], emailId: r[2], uid: r[3], threadId: r[4], mailboxId }));
}

/** Messages that {@link listOthersByDate} passes over or returns at a time: some 5 ms. */
const lookedAtOnce = 4000;

/**
 * The next live messages of a mailbox that are in none of some threads: few of them, or none, where those threads have the
 * next few thousand. `behind` is where to go on; undefined at the end.
 */
export function listOthersByDate(
  db: Db,
  mailboxId: MailboxId,
  order: "newest" | "oldest",
  behind: DatePlace,
  threads: ReadonlySet<number>,
  limit: number,
): { rows: Listed[]; behind: DatePlace | undefined } {
  const [compare, within, direction] = order === "newest" ? ["<", ">=", " DESC"] : [">", "<=", ""];
  const from = "FROM messages m INDEXED BY messages_received";
  const where =
    `WHERE m.mailbox_id = ?1 AND m.expunged = 0 AND (m.received, m.id) ${compare} (?2, ?3)`;
  const sorted = `ORDER BY m.received${direction}, m.id${direction}`;
  const { received, id } = behind;
  const last = db.get(
    `SELECT m.received, m.id ${from} ${where} ${sorted} LIMIT 1 OFFSET ${lookedAtOnce - 1}`,
    mailboxId,
    received,
    id,
  );
  const [lastReceived, lastId] = last ??
    (order === "newest"
      ? [Number.MIN_SAFE_INTEGER, 0]
      : [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER]);
  const rows = db.all(
    "SELECT m.received, m.id, m.email_id, m.uid, coalesce(t.thread_id, m.email_id) AS thread " +
      `${from} LEFT JOIN threads t ON t.email_id = m.email_id ${where} ` +
      `AND (m.received, m.id) ${within} (?4, ?5) ` +
      `AND thread NOT IN (SELECT value FROM json_each(?6)) ${sorted} LIMIT ?7`,
    mailboxId,
    received,
    id,
    lastReceived,
    lastId,
    JSON.stringify([...threads]),
    limit,
  ).map((r): Listed => (
    { received: r[0], id: r[1], emailId: r[2], uid: r[3], threadId: r[4], mailboxId }
  ));
  if (rows.length === limit) return { rows, behind: rows.at(-1) };
  return { rows, behind: last && { received: lastReceived, id: lastId } };
}

/** The live ones among some messages of a mailbox. */
export function listByUid(db: Db, mailboxId: MailboxId, uids: readonly number[]): Listed[] {
  return db.all(
    "SELECT m.received, m.id, m.email_id, m.uid, coalesce(t.thread_id, m.email_id) " +
      "FROM json_each(?) j CROSS JOIN messages m INDEXED BY messages_uid " +
      "ON m.mailbox_id = ? AND m.uid = j.value AND m.expunged = 0 " +
      "LEFT JOIN threads t ON t.email_id = m.email_id",
    JSON.stringify(uids),
    mailboxId,
  ).map((r) => ({ received: r[0], id: r[1], emailId: r[2], uid: r[3], threadId: r[4], mailboxId }));
}

/** The data in a line of a list. */
export interface ListedMessage extends Listed {
  flags: number;
  keywords: string[];
  size: number;
  /** Email id of the parent; 0 without one. */
  parentId: number;
  /** The email that it answers isn't here, or is gone. */
  missingLink: boolean;
  muted: boolean;
  collapsed: boolean;
  summary: Summary;
}

const columns = "m.received, m.id, m.email_id, m.mailbox_id, m.uid, m.flags, m.keywords, m.size, " +
  "coalesce(t.thread_id, m.email_id), coalesce(t.parent_id, 0), " +
  // A parent that is gone is also missing.
  "coalesce(t.missing_link OR t.parent_id != 0 AND NOT EXISTS " +
  "(SELECT 1 FROM threads p WHERE p.email_id = t.parent_id), 0), " +
  "coalesce(t.muted, 0), coalesce(t.collapsed, 0), e.summary";

function fromRow(row: Row): ListedMessage {
  return {
    received: row[0],
    id: row[1],
    emailId: row[2],
    mailboxId: row[3],
    uid: row[4],
    flags: row[5],
    keywords: row[6] === "" ? [] : row[6].split(" "),
    size: row[7],
    threadId: row[8],
    parentId: row[9],
    missingLink: row[10] === 1,
    muted: row[11] === 1,
    collapsed: row[12] === 1,
    summary: parseSummary(row[13]),
  };
}

/** A live message; undefined if it is gone. */
export function listedMessage(db: Db, id: number): ListedMessage | undefined {
  const r = db.get(
    `SELECT ${columns} FROM messages m JOIN emails e ON e.id = m.email_id ` +
      "LEFT JOIN threads t ON t.email_id = m.email_id WHERE m.id = ? AND m.expunged = 0",
    id,
  );
  return r && fromRow(r);
}

/** The live messages of a thread's newest emails, in all mailboxes, oldest first. */
export function listedThread(db: Db, threadId: number, maxEmails: number): ListedMessage[] {
  return db.all(
    `SELECT ${columns} FROM (SELECT * FROM threads WHERE thread_id = ? ORDER BY received DESC ` +
      "LIMIT ?) t CROSS JOIN messages m INDEXED BY messages_email ON m.email_id = t.email_id " +
      "AND m.expunged = 0 JOIN emails e ON e.id = m.email_id",
    threadId,
    maxEmails,
  ).map(fromRow).sort(comparePlaces);
}

/** Mailboxes and uids of the live messages of a thread's newest emails. */
export function threadPlaces(
  db: Db,
  threadId: number,
  maxEmails: number,
): { id: number; mailboxId: MailboxId; uid: number }[] {
  return db.all(
    "SELECT m.id, m.mailbox_id, m.uid FROM (SELECT email_id FROM threads WHERE thread_id = ? " +
      "ORDER BY received DESC LIMIT ?) t CROSS JOIN messages m INDEXED BY messages_email " +
      "ON m.email_id = t.email_id AND m.expunged = 0",
    threadId,
    maxEmails,
  ).map((r) => ({ id: r[0], mailboxId: r[1], uid: r[2] }));
}

/** What is counted of a message for the line of its thread. */
export interface CountedMessage extends DatePlace {
  emailId: EmailId;
  mailboxId: MailboxId;
  uid: number;
  flags: number;
  /** Separated by spaces. */
  keywords: string;
  /** Normalised, without <>; "" without one. */
  messageId: string;
}

/** The live messages of a thread's newest emails, in all mailboxes, those of the newest email first. */
export function countedMessages(db: Db, threadId: number, maxEmails: number): CountedMessage[] {
  return db.all(
    "SELECT m.received, m.id, m.email_id, m.mailbox_id, m.uid, m.flags, m.keywords, t.message_id " +
      "FROM (SELECT email_id, message_id FROM threads WHERE thread_id = ? ORDER BY received DESC " +
      "LIMIT ?) t CROSS JOIN messages m INDEXED BY messages_email ON m.email_id = t.email_id " +
      "AND m.expunged = 0",
    threadId,
    maxEmails,
  ).map((r) => ({
    received: r[0],
    id: r[1],
    emailId: r[2],
    mailboxId: r[3],
    uid: r[4],
    flags: r[5],
    keywords: r[6],
    messageId: r[7],
  }));
}

/** Live messages with a Message-ID (normalised, without <>), newest first. */
export function messagesWithMessageId(
  db: Db,
  messageId: string,
  limit: number,
): { id: number; mailboxId: MailboxId; uid: number; flags: number }[] {
  if (messageId === "") return [];
  return db.all(
    "SELECT m.id, m.mailbox_id, m.uid, m.flags FROM threads t INDEXED BY threads_message_id " +
      "CROSS JOIN messages m INDEXED BY messages_email ON m.email_id = t.email_id " +
      "AND m.expunged = 0 WHERE t.message_id = ? AND t.message_id != '' ORDER BY m.id DESC LIMIT ?",
    messageId,
    limit,
  ).map((r) => ({ id: r[0], mailboxId: r[1], uid: r[2], flags: r[3] }));
}

/** Mailbox and uid of live messages, by id. */
export function placesOf(
  db: Db,
  ids: readonly number[],
): { id: number; mailboxId: MailboxId; uid: number; emailId: EmailId; flags: number }[] {
  const found = [];
  for (const id of ids) {
    const r = db.get(
      "SELECT mailbox_id, uid, email_id, flags FROM messages WHERE id = ? AND expunged = 0",
      id,
    );
    if (r) found.push({ id, mailboxId: r[0], uid: r[1], emailId: r[2], flags: r[3] });
  }
  return found;
}

/** The delivery record of a message; undefined for one that wasn't delivered here. */
export function deliveryOf(db: Db, messageId: number):
  | { tlsVersion: string; fromValidated: boolean; mailFrom: string; dkimDomains: string[] }
  | undefined {
  const r = db.get(
    "SELECT tls_version, msg_from_validated, mail_from_localpart, mail_from_domain " +
      "FROM deliveries WHERE message_id = ?",
    messageId,
  );
  if (!r) return undefined;
  return {
    tlsVersion: r[0],
    fromValidated: r[1] === 1,
    mailFrom: r[3] === "" ? "" : `${r[2]}@${r[3]}`,
    dkimDomains: db.all(
      "SELECT domain FROM dkim_domains WHERE message_id = ? ORDER BY domain LIMIT 20",
      messageId,
    ).map((d) => d[0]),
  };
}
