/**
 * The Rejects mailbox: copies of refused messages, so that a user can see what was not delivered. It is kept
 * small by age and by number. A refused message that is retried is kept once, and is removed when it is
 * accepted after all.
 *
 * Only messages put there as rejects are ever removed; messages that a user moves into the mailbox stay.
 *
 * @module
 */
import type { Account } from "../store/account/account.ts";
import { rejectedUids, rejectedWithMessageId } from "../store/messages/rejected.ts";
import { Flag, type Message, type NewMessage } from "../store/types.ts";

/** Milliseconds that a reject is kept. */
export const rejectsMaxAge = 14 * 24 * 3600 * 1000;
/** Most rejects kept; beyond that the oldest are removed. */
export const rejectsMaxCount = 1000;

/**
 * Puts a refused message into the Rejects mailbox, read, so that it draws no attention. Durable when it
 * resolves.
 * @param messageId normalised Message-ID, "" if it has none
 * @returns the message, or undefined if an earlier attempt is already there
 * @throws StoreError "overQuota", file errors
 */
export async function keepReject(
  account: Account,
  mailboxName: string,
  messageId: string,
  message: NewMessage,
): Promise<Message | undefined> {
  const mailbox = account.mailboxByName(mailboxName);
  if (mailbox && rejectedWithMessageId(account.db, mailbox.id, messageId).length > 0) {
    return undefined;
  }
  return await account.deliver(mailboxName, {
    ...message,
    flags: (message.flags ?? 0) | Flag.Seen,
    isReject: true,
  });
}

/** Removes the rejects that are too old or too many. @returns how many */
export async function cleanUpRejects(
  account: Account,
  mailboxName: string,
  now: number,
  limits: { maxAge?: number; maxCount?: number } = {},
): Promise<number> {
  const { maxAge = rejectsMaxAge, maxCount = rejectsMaxCount } = limits;
  const mailbox = account.mailboxByName(mailboxName);
  if (!mailbox) return 0;
  const uids = new Set(rejectedUids(account.db, mailbox.id, now - maxAge));
  if (mailbox.total > maxCount) {
    const all = rejectedUids(account.db, mailbox.id);
    for (const uid of all.slice(0, Math.max(0, all.length - maxCount))) uids.add(uid);
  }
  if (uids.size === 0) return 0;
  const list = [...uids].sort((a, b) => a - b);
  return (await account.expunge(mailbox.id, list, undefined, { force: true })).uids.length;
}

/** Removes the rejects of a message that has now been delivered. @returns how many */
export async function dropReject(
  account: Account,
  mailboxName: string,
  messageId: string,
): Promise<number> {
  const mailbox = account.mailboxByName(mailboxName);
  if (!mailbox) return 0;
  const uids = rejectedWithMessageId(account.db, mailbox.id, messageId);
  if (uids.length === 0) return 0;
  return (await account.expunge(mailbox.id, uids, undefined, { force: true })).uids.length;
}
