/** The daily sending limits of an account, counted in the queue's database. @module */
import type { Db } from "../store/database/database.ts";
import { type NewQueueMessage, QueueLimitError } from "./types.ts";

const hour = 3600_000;
const day = 24 * hour;

/** External recipients of an account's messages in the last 24 hours. */
export function sentInDay(db: Db, account: string, now: number): number {
  return sentSince(db, account, now - day);
}

function sentSince(db: Db, account: string, time: number): number {
  return db.get(
    "SELECT coalesce(sum(count), 0) FROM submitted WHERE account = ? AND time > ?",
    account,
    time,
  )![0];
}

/** Counts a message, in the transaction that queues it. @throws QueueLimitError */
export function countAgainstLimits(db: Db, message: NewQueueMessage, now: number): void {
  const limits = message.limits;
  if (!limits) return;
  const addresses = message.recipients.map((r) => r.address.toLowerCase()).filter(limits.counts);
  if (addresses.length === 0) return;
  db.run("DELETE FROM submitted WHERE time <= ?", now - day);
  const sent = sentInDay(db, message.senderAccount, now);
  if (sent + addresses.length > limits.messages) {
    throw new QueueLimitError("messages", limits.messages);
  }
  const { messagesPerHour } = limits;
  if (
    messagesPerHour !== undefined &&
    sentSince(db, message.senderAccount, now - hour) + addresses.length > messagesPerHour
  ) {
    throw new QueueLimitError("messagesPerHour", messagesPerHour);
  }
  let added = 0;
  for (const a of addresses) {
    added += db.run(
      "INSERT INTO written_to (account, address, first) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
      message.senderAccount,
      a,
      now,
    ).changes;
  }
  if (added > 0) {
    const [fresh] = db.get(
      "SELECT count(*) FROM written_to WHERE account = ? AND first > ?",
      message.senderAccount,
      now - day,
    )!;
    // The transaction is rolled back, including the rows above.
    if (fresh > limits.firstTimeRecipients) {
      throw new QueueLimitError("firstTimeRecipients", limits.firstTimeRecipients);
    }
  }
  db.run(
    "INSERT INTO submitted (account, time, count) VALUES (?, ?, ?)",
    message.senderAccount,
    now,
    addresses.length,
  );
}
