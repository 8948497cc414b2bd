/**
 * Quota roots, one for each account, and what is told of them (RFC 9208 §5).
 *
 * @module
 */
import type { Account } from "../../../store/account/account.ts";
import { otherUsers } from "../names/names.ts";
import type { Session } from "../session/session.ts";

/** The quota root of an account: messages count for the account that they are in. */
export function quotaRoot(s: Session, account: Account): string {
  return account === s.account ? "" : `${otherUsers}/${account.name}`;
}

/** Sends the QUOTA line of an account. */
export function quotaLine(s: Session, account: Account): void {
  const { used, limit } = account.quota().messageSize;
  // RFC 9208 §5.1: STORAGE counts units of 1024 bytes.
  const resources = limit === undefined
    ? ""
    : `STORAGE ${Math.ceil(used / 1024)} ${Math.floor(limit / 1024)}`;
  s.untagged(`QUOTA ${s.mailboxText(quotaRoot(s, account))} (${resources})`);
}
