/**
 * SETQUOTA (RFC 9208 §4.1.3). Only the administrator sets limits, and has no IMAP login: the command is parsed so that
 * clients of RFC 2087 learn why it is refused, and QUOTASET isn't announced.
 *
 * @module
 */
import type { Cursor } from "../../parse/cursor.ts";
import { rootAccount } from "../mailboxes/quota_roots.ts";
import { ImapNo } from "../session/answer.ts";
import { type Command, loggedIn } from "../session/command.ts";

/** "(" [resource SP limit *(SP resource SP limit)] ")" */
function readLimits(cursor: Cursor): void {
  cursor.expect("(");
  if (cursor.take(")")) return;
  do {
    cursor.atom("quota resource");
    cursor.sp();
    cursor.number64("limit");
    if (cursor.take(")")) return;
    cursor.sp();
  } while (true);
}

export const setQuota: Command = {
  name: "SETQUOTA",
  states: loggedIn,
  parse(cursor, session) {
    cursor.sp();
    const root = cursor.astring("quota root");
    cursor.sp();
    readLimits(cursor);
    return async () => {
      await rootAccount(session, root);
      throw new ImapNo("only the administrator sets limits", "NOPERM");
    };
  },
};
