/**
 * Threads: matching an email to its parent at delivery, and later when the parent comes after it.
 *
 * An email's parent is the newest email that its References or In-Reply-To name and that has the same base
 * subject. Without such headers it is the newest email with the same base subject of the last four weeks, if
 * the subject marks it as a reply, and somebody took part in both. An email without a parent joins the thread
 * of one with the same message-id, or of one that waits for the same parent. Each email stores only its
 * thread's id and its direct parent; the parents up to the root are found by walking, so a chain of n messages
 * takes space linear in n. An email whose direct parent is not here keeps the parent's message-id in `wanted`,
 * and is matched again when that arrives.
 *
 * Two threads that turn out to be one are merged by renaming the smaller: each email is renamed at most log2(n)
 * times, whatever the order of arrival.
 *
 * @module
 */
import type { EmailId } from "../ids.ts";
import type { Db, RowDb } from "../database/database.ts";
import { nextModseq } from "../mailboxes/mailboxes.ts";
import { parseSummary, type SummaryAddress } from "./summary.ts";

/** The data of an email for matching. */
export interface ThreadInput {
  emailId: EmailId;
  /** Normalised, "" if none. */
  messageId: string;
  /** Ancestors, oldest first. */
  references: readonly string[];
  /** For matching: lower case without reply and forward marks; "" if none. */
  subject: string;
  /** True if the subject had a reply or forward mark. */
  isReply: boolean;
  /** Milliseconds. */
  received: number;
  /** Modseq at which the email is created; 0, the default, for one that existed before. */
  createseq?: number;
}

export interface ThreadResult {
  threadId: number;
  parentId: number;
  muted: boolean;
  collapsed: boolean;
}

/** How old an email may be to be matched by its subject alone: 4 weeks, in milliseconds. */
export const subjectMatchAge = 4 * 7 * 24 * 3600 * 1000;

interface Candidate {
  emailId: EmailId;
  threadId: number;
  muted: boolean;
  collapsed: boolean;
}

const candidateColumns = "email_id, thread_id, muted, collapsed";

function candidate(r: unknown[] | undefined): Candidate | undefined {
  if (!r) return undefined;
  return {
    emailId: r[0] as EmailId,
    threadId: r[1] as number,
    muted: r[2] === 1,
    collapsed: r[3] === 1,
  };
}

/** Ancestors of an email that are checked in the search for a parent; more is abuse. */
const maxReferences = 100;

/** Finds the email's parent, stores its row, and matches emails that waited for it. */
export function matchThread(db: RowDb, input: ThreadInput): ThreadResult {
  let parent: Candidate | undefined;
  let wanted: string | null = null;
  const references = input.references.slice(-maxReferences).filter((id) => id !== input.messageId);
  for (let i = references.length - 1; i >= 0 && !parent; i--) {
    parent = candidate(db.get(
      `SELECT ${candidateColumns} FROM threads INDEXED BY threads_message_id WHERE message_id = ? ` +
        "AND message_id != '' AND subject = ? AND email_id != ? " +
        "ORDER BY email_id DESC LIMIT 1",
      references[i],
      input.subject,
      input.emailId,
    ));
    // Only the direct parent is waited for: emails that refer to earlier ones find them through it.
    if (!parent && i === references.length - 1) wanted = references[i];
  }
  const missingLink = wanted !== null;
  if (!parent && references.length === 0 && input.isReply && input.subject !== "") {
    parent = bySubject(db, input);
  }
  // A message without a parent that exists already, as a copy in Sent or through a list, is placed next to that
  // copy under the same id, so that replies to either are in one thread.
  const twin = parent || input.messageId === "" ? undefined : candidate(db.get(
    `SELECT ${candidateColumns} FROM threads INDEXED BY threads_message_id WHERE message_id = ? ` +
      "AND message_id != '' AND subject = ? AND email_id != ? ORDER BY email_id LIMIT 1",
    input.messageId,
    input.subject,
    input.emailId,
  ));
  const joined = parent ?? twin ?? sibling(db, input, wanted);
  const threadId = joined?.threadId ?? input.emailId;
  const result: ThreadResult = {
    threadId,
    parentId: parent?.emailId ?? 0,
    muted: joined?.muted ?? false,
    collapsed: joined?.collapsed ?? false,
  };
  db.run(
    "INSERT OR REPLACE INTO threads (email_id, thread_id, parent_id, missing_link, muted, collapsed, " +
      "message_id, subject, received, wanted, createseq) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    input.emailId,
    threadId,
    result.parentId,
    missingLink ? 1 : 0,
    result.muted ? 1 : 0,
    result.collapsed ? 1 : 0,
    input.messageId,
    input.subject,
    input.received,
    wanted,
    input.createseq ?? 0,
  );
  if (input.messageId !== "") result.threadId = adoptWaiting(db, input, threadId);
  return result;
}

/** Most emails waiting for the same parent that are checked, newest first. */
const maxSiblings = 200;

/**
 * An email that waits for the same parent: replies to a message that isn't here, and notifications whose first
 * message never existed, still share a thread.
 */
function sibling(db: RowDb, input: ThreadInput, wanted: string | null): Candidate | undefined {
  if (wanted === null) return undefined;
  return candidate(db.get(
    `SELECT ${candidateColumns} FROM (SELECT ${candidateColumns}, subject FROM threads INDEXED BY threads_wanted ` +
      `WHERE wanted = ? AND email_id != ? ORDER BY email_id DESC LIMIT ${maxSiblings}) WHERE subject = ? LIMIT 1`,
    wanted,
    input.emailId,
    input.subject,
  ));
}

/** Most emails with the same subject that are checked, newest first. */
const maxSameSubject = 20;

/** The newest email that a reply without references may answer: between the same people. */
function bySubject(db: RowDb, input: ThreadInput): Candidate | undefined {
  const same = db.all(
    `SELECT ${candidateColumns} FROM threads WHERE subject = ? AND subject != '' AND received >= ? ` +
      `AND received <= ? AND email_id != ? ORDER BY received DESC, email_id DESC LIMIT ${maxSameSubject}`,
    input.subject,
    input.received - subjectMatchAge,
    input.received,
    input.emailId,
  );
  if (same.length === 0) return undefined;
  const answer = participants(db, input.emailId);
  for (const row of same) {
    const original = participants(db, row[0] as EmailId);
    // Everything in a mailbox is addressed to its owner: that alone makes no conversation. A participant of the
    // first must have written the second, or be answered by it.
    const joins = answer.from.some((a) => original.from.includes(a) || original.to.includes(a)) ||
      original.from.some((a) => answer.to.includes(a));
    if (joins) return candidate(row);
  }
  return undefined;
}

/** Addresses that an email is from (or replies go to), and to, in lower case. */
function participants(db: RowDb, emailId: EmailId): { from: string[]; to: string[] } {
  const row = db.get("SELECT summary FROM emails WHERE id = ?", emailId);
  if (!row) return { from: [], to: [] };
  const s = parseSummary(row[0]);
  const of = (...lists: SummaryAddress[][]) => lists.flat().map((a) => a.address.toLowerCase());
  return { from: of(s.from, s.replyTo), to: of(s.to, s.cc) };
}

/** Gives the emails that waited for this one their parent. Returns the thread's id afterwards. */
function adoptWaiting(db: RowDb, input: ThreadInput, threadId: number): number {
  const waiting = db.all(
    "SELECT email_id, thread_id FROM threads INDEXED BY threads_wanted WHERE wanted = ? AND subject = ? " +
      "AND email_id != ?",
    input.messageId,
    input.subject,
    input.emailId,
  );
  // Ids that this thread has or had: these could make a circle.
  const own = new Set([threadId]);
  for (const [emailId, otherThread] of waiting as [number, number][]) {
    if (own.has(otherThread) && isAncestor(db, emailId, input.emailId)) continue;
    own.add(otherThread);
    db.run(
      "UPDATE threads SET parent_id = ?, missing_link = 0, wanted = NULL WHERE email_id = ?",
      input.emailId,
      emailId,
    );
    if (threadId === input.emailId && (input.createseq ?? 0) > 0) {
      // A new email with no others in its thread joins the older thread.
      db.run("UPDATE threads SET thread_id = ? WHERE email_id = ?", otherThread, input.emailId);
      threadId = otherThread;
    } else threadId = mergeThreads(db, threadId, otherThread, input.emailId);
  }
  return threadId;
}

/** Most steps up a chain in the search for a circle; readers of chains also bound their walks. */
const maxCircle = 50;

/**
 * True if `ancestor` is the email itself or closely above it: reused message-ids or forged references could
 * make a circle.
 */
function isAncestor(db: RowDb, ancestor: number, emailId: EmailId): boolean {
  let at = emailId;
  for (let steps = 0; at !== 0 && steps < maxCircle; steps++) {
    if (at === ancestor) return true;
    at = db.get("SELECT parent_id FROM threads WHERE email_id = ?", at)?.[0] ?? 0;
  }
  return false;
}

/**
 * Merges two threads under the id of the larger; returns it. In JMAP, Emails never change their thread (RFC
 * 8621 §3): the renamed ones are destroyed and created under another id.
 * @param arriving a new email that no client knows
 */
export function mergeThreads(db: RowDb, a: number, b: number, arriving = 0): number {
  if (a === b) return a;
  const [keep, gone] = isLarger(db, a, b) ? [a, b] : [b, a];
  const modseq = nextModseq(db);
  db.run(
    "INSERT OR REPLACE INTO gone_emails (email_id, reborn, thread_id, createseq, modseq) " +
      "SELECT email_id, reborn, thread_id, createseq, ? FROM threads WHERE thread_id = ? AND email_id != ?",
    modseq,
    gone,
    arriving,
  );
  db.run(
    "UPDATE threads SET thread_id = ?1, createseq = CASE WHEN email_id = ?4 THEN createseq ELSE ?3 END, " +
      "reborn = reborn + (email_id != ?4) WHERE thread_id = ?2",
    keep,
    gone,
    modseq,
    arriving,
  );
  return keep;
}

/** Compares sizes, counting no further than the smaller one. */
function isLarger(db: RowDb, a: number, b: number): boolean {
  for (let limit = 8;; limit *= 4) {
    const count = (id: number): number =>
      db.get(
        "SELECT count(*) FROM (SELECT 1 FROM threads WHERE thread_id = ? LIMIT ?)",
        id,
        limit,
      )![0];
    const [na, nb] = [count(a), count(b)];
    if (na < limit || nb < limit) return na >= nb;
  }
}

/**
 * Removes the rows of emails that are gone, with ids from first to last; their children keep their thread and
 * the parent's id: readers see that it has no row.
 */
export function forgetThreads(db: RowDb, first: EmailId, last: EmailId, modseq: number): void {
  db.run(
    "INSERT OR REPLACE INTO gone_emails (email_id, reborn, thread_id, createseq, modseq) " +
      "SELECT email_id, reborn, thread_id, createseq, ? FROM threads WHERE email_id >= ? AND email_id <= ?",
    modseq,
    first,
    last,
  );
  db.run("DELETE FROM threads WHERE email_id >= ? AND email_id <= ?", first, last);
}

/** An email's existing ancestors, from the direct parent to the root, at most `limit`. */
export function threadParents(db: RowDb, emailId: EmailId, limit = 10_000): number[] {
  return db.all(
    "WITH RECURSIVE up (id, n) AS (SELECT parent_id, 1 FROM threads WHERE email_id = ? " +
      "UNION ALL SELECT t.parent_id, n + 1 FROM up JOIN threads t ON t.email_id = up.id WHERE n < ?) " +
      "SELECT id FROM up WHERE EXISTS (SELECT 1 FROM threads t WHERE t.email_id = up.id)",
    emailId,
    limit,
  ).map((r) => r[0]);
}

/** Emails of a thread, in no particular order. */
export function emailsOfThread(db: Pick<Db, "all">, threadId: number): EmailId[] {
  return db.all("SELECT email_id FROM threads WHERE thread_id = ?", threadId).map(([id]) => id);
}

/** Emails that left a thread at a modseq or later. */
export function goneEmailsSince(
  db: Pick<Db, "all">,
  modseq: number,
): { thread: number; modseq: number; emailId: EmailId }[] {
  return db.all("SELECT thread_id, modseq, email_id FROM gone_emails WHERE modseq >= ?", modseq)
    .map((r) => ({ thread: r[0], modseq: r[1], emailId: r[2] }));
}
