/** Messages that have been in a mailbox for long. @module */
import type { Db } from "../database/database.ts";
import type { MailboxId } from "../ids.ts";

/**
 * The next uids, ascending, of messages that came into a mailbox before a given time: neither received nor
 * moved or copied there after it (SAVEDATE, RFC 8514).
 * @param before milliseconds
 * @param after only uids above this one are checked
 * @param rows the most messages to check
 * @returns the uids, and the last uid checked; undefined if there are no more
 */
export function agedUids(
  db: Db,
  mailboxId: MailboxId,
  before: number,
  after: number,
  rows = 1000,
): { uids: number[]; last: number | undefined } {
  const found = db.all(
    "SELECT uid, max(received, saved) FROM messages WHERE mailbox_id = ? AND expunged = 0 AND uid > ? " +
      "ORDER BY uid LIMIT ?",
    mailboxId,
    after,
    rows,
  );
  return {
    uids: found.filter((r) => r[1] < before).map((r) => r[0] as number),
    last: found.length < rows ? undefined : found[found.length - 1][0],
  };
}
