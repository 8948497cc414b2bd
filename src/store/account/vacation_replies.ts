/** Who got an account's vacation reply, and when last (RFC 3834 §2). @module */
import type { Account } from "./account.ts";

const day = 24 * 3600_000;
/** In days: longer than any interval between two replies. */
const keep = 400 * day;

/**
 * Notes that an address gets a reply now, unless it got one within the given number of days, or the account has
 * sent its maximum for 24 hours. Durable when it resolves.
 * @param now milliseconds since the epoch
 * @returns whether it gets one.
 */
export function claimVacationReply(
  account: Account,
  address: string,
  limits: { days: number; perDay: number },
  now: number,
): Promise<boolean> {
  const key = address.toLowerCase();
  return account.writer.write(() => {
    const { db } = account;
    const sent = db.get("SELECT sent FROM vacation_replies WHERE address = ?", key)?.[0];
    if (sent !== undefined && now - sent < limits.days * day) return false;
    const [today] = db.get("SELECT count(*) FROM vacation_replies WHERE sent > ?", now - day)!;
    if (today >= limits.perDay) return false;
    db.run("DELETE FROM vacation_replies WHERE sent < ?", now - keep);
    db.run(
      "INSERT INTO vacation_replies (address, sent) VALUES (?, ?) " +
        "ON CONFLICT (address) DO UPDATE SET sent = excluded.sent",
      key,
      now,
    );
    return true;
  });
}

/** Forgets who got a reply: a new text goes to everybody. */
export function forgetVacationReplies(account: Account): Promise<void> {
  return account.writer.write(() => {
    account.db.run("DELETE FROM vacation_replies");
  });
}
