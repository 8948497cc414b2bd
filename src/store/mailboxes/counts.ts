/**
 * Counts of mailboxes, updated with each change of their messages.
 *
 * @module
 */
import type { MailboxId } from "../ids.ts";
import type { Db } from "../database/database.ts";
import type { MailboxCounts } from "../types.ts";
import type { WriteContext } from "../database/writer.ts";

/** A change in a mailbox's counts, summed up over the messages that a write touches. */
export class CountDelta implements MailboxCounts {
  total = 0;
  deleted = 0;
  unread = 0;
  unseen = 0;
  size = 0;

  /** Adds (`sign` 1) or subtracts (-1) a message with these flags and size. */
  count(sign: 1 | -1, flags: number, size: number): void {
    this.total += sign;
    this.size += sign * size;
    this.countFlags(sign, flags);
  }

  /** The same for the counts that depend on flags only. */
  countFlags(sign: 1 | -1, flags: number): void {
    const seen = (flags & 1) !== 0;
    const deleted = (flags & 8) !== 0;
    if (deleted) this.deleted += sign;
    if (!seen) this.unseen += sign;
    if (!seen && !deleted) this.unread += sign;
  }
}

/** Applies a delta and the change's modseq, and returns the new counts. */
export function applyCounts(
  db: Db,
  ctx: WriteContext,
  mailboxId: MailboxId,
  delta: CountDelta,
  modseq: number,
): void {
  const r = db.get(
    "UPDATE mailboxes SET total = total + ?, deleted = deleted + ?, unread = unread + ?, " +
      "unseen = unseen + ?, size = size + ?, modseq = max(modseq, ?) WHERE id = ? " +
      "RETURNING total, deleted, unread, unseen, size",
    delta.total,
    delta.deleted,
    delta.unread,
    delta.unseen,
    delta.size,
    modseq,
    mailboxId,
  )!;
  ctx.changes.push({
    kind: "mailboxCounts",
    mailboxId,
    counts: { total: r[0], deleted: r[1], unread: r[2], unseen: r[3], size: r[4] },
  });
}
