/**
 * Recipients that left the queue, kept for a while, and the list of addresses that an account must not write to
 * because its mail bounced there.
 *
 * @module
 */
import type { Db, Row } from "../store/database/database.ts";
import type { Attempt, OutgoingEvent, QueueItem, QueueMessage } from "./types.ts";

/** How a recipient left the queue. */
export type Outcome = Exclude<OutgoingEvent["kind"], "delayed">;

/** A recipient that left the queue. */
export interface RetiredItem {
  id: number;
  messageId: number;
  account: string;
  mailFrom: string;
  address: string;
  /** Message-ID of the message. */
  messageKey: string;
  subject: string;
  fromId: string;
  extra: Record<string, string>;
  size: number;
  /** Milliseconds since the epoch. */
  queued: number;
  left: number;
  keepUntil: number;
  outcome: Outcome;
  attempts: number;
  results: Attempt[];
}

/** An address that an account must not write to. */
export interface Suppression {
  id: number;
  account: string;
  /** The form for comparison. */
  baseAddress: string;
  /** As written when it was added. */
  address: string;
  /** Added by a person, not because of bounces. */
  manual: boolean;
  reason: string;
  created: number;
}

/** The address in lower case without "+" and what follows: such variants belong to the same mailbox. */
export function baseAddress(address: string): string {
  const at = address.lastIndexOf("@");
  const localpart = address.slice(0, at);
  const plus = localpart.indexOf("+", 1);
  return `${plus < 0 ? localpart : localpart.slice(0, plus)}${address.slice(at)}`.toLowerCase();
}

/** Keeps a recipient that leaves the queue. */
export function retire(
  db: Db,
  message: QueueMessage,
  item: QueueItem,
  outcome: Outcome,
  now: number,
  period: number,
): void {
  db.run(
    "INSERT OR REPLACE INTO retired (id, message_id, account, mail_from, address, base_address, " +
      "message_key, subject, from_id, extra, size, queued, left_at, keep_until, outcome, attempts, results) " +
      "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    item.id,
    message.id,
    message.senderAccount,
    message.mailFrom,
    item.address,
    baseAddress(item.address),
    message.messageId,
    message.subject,
    item.fromId,
    JSON.stringify(message.extra),
    message.fileSize + message.prefix.length,
    message.queued,
    now,
    now + period,
    outcome,
    item.attempts,
    JSON.stringify(item.results),
  );
}

/** Forgets entries that have expired. */
export function forgetRetired(db: Db, now: number): void {
  db.run("DELETE FROM retired WHERE keep_until <= ?", now);
}

const retiredColumns =
  "id, message_id, account, mail_from, address, message_key, subject, from_id, extra, size, queued, left_at, " +
  "keep_until, outcome, attempts, results";

function retiredFromRow(row: Row): RetiredItem {
  return {
    id: row[0],
    messageId: row[1],
    account: row[2],
    mailFrom: row[3],
    address: row[4],
    messageKey: row[5],
    subject: row[6],
    fromId: row[7],
    extra: JSON.parse(row[8]),
    size: row[9],
    queued: row[10],
    left: row[11],
    keepUntil: row[12],
    outcome: row[13],
    attempts: row[14],
    results: JSON.parse(row[15]),
  };
}

/** Retired recipients, latest first. */
export function retiredItems(
  db: Db,
  o: { account?: string; limit?: number; before?: number } = {},
): RetiredItem[] {
  return db.all(
    `SELECT ${retiredColumns} FROM retired WHERE (? IS NULL OR account = ?) ` +
      "AND (? IS NULL OR id < ?) ORDER BY id DESC LIMIT ?",
    o.account ?? null,
    o.account ?? null,
    o.before ?? null,
    o.before ?? null,
    o.limit ?? 1000,
  ).map(retiredFromRow);
}

/** The retired recipient with a unique sender address. */
export function retiredByFromId(db: Db, fromId: string): RetiredItem | undefined {
  const r = db.get(`SELECT ${retiredColumns} FROM retired WHERE from_id = ? LIMIT 1`, fromId);
  return r && retiredFromRow(r);
}

/** The retired recipients of a message, by its Message-ID without brackets; at most 1000. */
export function retiredByMessageId(db: Db, messageId: string): RetiredItem[] {
  return db.all(
    `SELECT ${retiredColumns} FROM retired WHERE message_key IN (?, ?) ORDER BY id LIMIT 1000`,
    `<${messageId}>`,
    messageId,
  ).map(retiredFromRow);
}

/** Enhanced codes for a mailbox that doesn't exist or accepts nothing (RFC 3463 §3.2, §3.3). */
const hardBounces: ReadonlySet<string> = new Set([
  "5.1.1",
  "5.1.2",
  "5.1.3",
  "5.1.6",
  "5.1.10",
  "5.2.1",
]);

/** Whether a failure with this enhanced code is a permanent failure of the address. */
export function isHardBounce(enhanced: string): boolean {
  return hardBounces.has(enhanced);
}

/**
 * Why the recipient should be suppressed after a failure: the address does not exist, or this is the second
 * failure in a row among the retired ones. Undefined if further mail makes sense.
 */
export function suppressionReason(
  db: Db,
  account: string,
  item: QueueItem,
  attempt: Attempt,
): string | undefined {
  if (attempt.kind !== "permanent") return undefined;
  const answer = `${attempt.code} ${attempt.enhanced} ${attempt.text}`.slice(0, 300);
  if (isHardBounce(attempt.enhanced)) return `address is refused: ${answer}`;
  const [last] = db.get(
    "SELECT outcome FROM retired WHERE account = ? AND base_address = ? ORDER BY left_at DESC LIMIT 1",
    account,
    baseAddress(item.address),
  ) ?? [];
  return last === "failed" ? `two failures in a row: ${answer}` : undefined;
}

/** Suppresses the recipient if the failure is a reason to. Returns the reason, if any. */
export function suppressAfterFailure(
  db: Db,
  account: string,
  item: QueueItem,
  attempt: Attempt,
  now: number,
): string | undefined {
  const reason = suppressionReason(db, account, item, attempt);
  if (reason === undefined) return undefined;
  addSuppression(db, { account, address: item.address, manual: false, reason }, now);
  return reason;
}

export function addSuppression(
  db: Db,
  s: Pick<Suppression, "account" | "address" | "manual" | "reason">,
  now: number,
): boolean {
  return db.run(
    "INSERT INTO suppressions (account, base_address, address, manual, reason, created) " +
      "VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
    s.account,
    baseAddress(s.address),
    s.address,
    s.manual ? 1 : 0,
    s.reason,
    now,
  ).changes > 0;
}

export function removeSuppression(db: Db, account: string, address: string): boolean {
  return db.run(
    "DELETE FROM suppressions WHERE account = ? AND base_address = ?",
    account,
    baseAddress(address),
  ).changes > 0;
}

const suppressionColumns = "id, account, base_address, address, manual, reason, created";

function suppressionFromRow(row: Row): Suppression {
  return {
    id: row[0],
    account: row[1],
    baseAddress: row[2],
    address: row[3],
    manual: row[4] === 1,
    reason: row[5],
    created: row[6],
  };
}

export function suppressions(db: Db, account?: string): Suppression[] {
  return db.all(
    `SELECT ${suppressionColumns} FROM suppressions WHERE ? IS NULL OR account = ? ORDER BY id`,
    account ?? null,
    account ?? null,
  ).map(suppressionFromRow);
}

/** Why an account must not write to an address; undefined if it may. */
export function suppressed(db: Db, account: string, address: string): Suppression | undefined {
  const r = db.get(
    `SELECT ${suppressionColumns} FROM suppressions WHERE account = ? AND base_address = ?`,
    account,
    baseAddress(address),
  );
  return r && suppressionFromRow(r);
}
