/**
 * Positions of messages in date order, from the index alone.
 *
 * @module
 */
import type { Db } from "../database/database.ts";
import type { MailboxId } from "../ids.ts";

/** A position in date order. */
export interface Place {
  /** Milliseconds since the epoch. */
  received: number;
  id: number;
}

/** Positions of a mailbox's live messages after a given one (from the newest without one), newest first. */
export function datesByDate(
  db: Db,
  mailboxId: MailboxId,
  behind: Place | undefined,
  limit: number,
): Place[] {
  return db.all(
    "SELECT received, id FROM messages INDEXED BY messages_received " +
      "WHERE mailbox_id = ? AND expunged = 0 AND (received, id) < (?, ?) " +
      "ORDER BY received DESC, id DESC LIMIT ?",
    mailboxId,
    behind?.received ?? Number.MAX_SAFE_INTEGER,
    behind?.id ?? 0,
    limit,
  ).map(([received, id]) => ({ received, id }));
}

/** The live messages of a mailbox from the `start`th on, newest first. */
export function listedAt(
  db: Db,
  mailboxId: MailboxId,
  start: number,
  limit: number,
): (Place & { uid: number })[] {
  return db.all(
    "SELECT received, id, uid FROM messages INDEXED BY messages_received " +
      "WHERE mailbox_id = ? AND expunged = 0 ORDER BY received DESC, id DESC LIMIT ? OFFSET ?",
    mailboxId,
    limit,
    start,
  ).map(([received, id, uid]) => ({ received, id, uid }));
}
