/** Copies of refused messages, among the messages of a mailbox. */
import type { Db } from "../database/database.ts";
import type { MailboxId } from "../ids.ts";

/** Uids of the copies in a mailbox, ascending; only those received before a time if one is given. */
export function rejectedUids(db: Pick<Db, "all">, mailboxId: MailboxId, before?: number): number[] {
  return db.all(
    "SELECT m.uid FROM deliveries d JOIN messages m ON m.id = d.message_id " +
      "WHERE d.is_reject = 1 AND m.expunged = 0 AND m.mailbox_id = ? AND d.received < ? ORDER BY m.uid",
    mailboxId,
    before ?? Number.MAX_SAFE_INTEGER,
  ).map(([uid]) => uid as number);
}

/** Uids of the copies with a Message-ID, ascending; none for "". */
export function rejectedWithMessageId(
  db: Pick<Db, "all">,
  mailboxId: MailboxId,
  messageId: string,
): number[] {
  if (messageId === "") return [];
  return db.all(
    // The second condition makes the index on Message-IDs usable.
    "SELECT m.uid FROM threads t JOIN messages m ON m.email_id = t.email_id " +
      "JOIN deliveries d ON d.message_id = m.id " +
      "WHERE t.message_id = ? AND t.message_id != '' AND m.expunged = 0 AND m.mailbox_id = ? " +
      "AND d.is_reject = 1 ORDER BY m.uid",
    messageId,
    mailboxId,
  ).map(([uid]) => uid as number);
}
