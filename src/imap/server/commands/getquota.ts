/**
 * GETQUOTA (RFC 9208 §4.1.1).
 *
 * @module
 */
import { type Command, loggedIn } from "../session/command.ts";
import { quotaLine, rootAccount } from "../mailboxes/quota_roots.ts";

export const getQuota: Command = {
  name: "GETQUOTA",
  states: loggedIn,
  // No QUOTASET, and only the resources that an administrator can limit.
  capabilities: ["QUOTA", "QUOTA=RES-STORAGE", "QUOTA=RES-MESSAGE", "QUOTA=RES-MAILBOX"],
  parse(cursor, session) {
    cursor.sp();
    const root = cursor.astring("quota root");
    return async () => quotaLine(session, await rootAccount(session, root));
  },
};
