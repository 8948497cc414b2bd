/**
 * Quota roots, one for each account, and their answers (RFC 9208 §5).
 *
 * @module
 */
import type { Account } from "../../../store/account/account.ts";
import { otherUsers, splitShared } from "../names/names.ts";
import { ImapNo } from "../session/answer.ts";
import type { Session } from "../session/session.ts";
import { sharedPlaces } from "./places.ts";

/** The quota root of an account: messages count for the account that holds them. */
export function quotaRoot(session: Session, account: Account): string {
  return account === session.account ? "" : `${otherUsers}/${account.name}`;
}

/**
 * The account of a quota root: the user's own, or one that shares a mailbox with the user.
 * @throws ImapNo NONEXISTENT
 */
export async function rootAccount(session: Session, root: string): Promise<Account> {
  if (root === "") return session.store;
  const shared = splitShared(root);
  if (shared?.rest === "") {
    const found = (await sharedPlaces(session)).find((p) => p.account.name === shared.owner);
    if (found) return found.account;
  }
  throw new ImapNo("no such quota root", "NONEXISTENT");
}

/** Sends the QUOTA line of an account. */
export function quotaLine(session: Session, account: Account): void {
  const { used, limit } = account.quota().messageSize;
  const { messages, mailboxes } = account.quotaCounts();
  const resources: string[] = [];
  // RFC 9208 §5.1: STORAGE counts units of 1024 bytes.
  if (limit !== undefined) {
    resources.push(`STORAGE ${Math.ceil(used / 1024)} ${Math.floor(limit / 1024)}`);
  }
  if (messages) resources.push(`MESSAGE ${messages.used} ${messages.limit}`);
  if (mailboxes) resources.push(`MAILBOX ${mailboxes.used} ${mailboxes.limit}`);
  session.untagged(
    `QUOTA ${session.mailboxText(quotaRoot(session, account))} (${resources.join(" ")})`,
  );
}
