/**
 * SETQUOTA (RFC 9208 §4.1.3). Limits are the administrator's, who has no login here: it is read, so that clients of
 * RFC 2087 hear why it is refused, and QUOTASET isn't announced.
 *
 * @module
 */
import type { Cursor } from "../../parse/cursor.ts";
import { rootAccount } from "../mailboxes/quota_roots.ts";
import { ImapNo } from "../session/answer.ts";
import { type Command, loggedIn } from "../session/command.ts";

/** "(" [resource SP limit *(SP resource SP limit)] ")" */
function readLimits(c: Cursor): void {
  c.expect("(");
  if (c.take(")")) return;
  do {
    c.atom("quota resource");
    c.sp();
    c.number64("limit");
    if (c.take(")")) return;
    c.sp();
  } while (true);
}

export const setQuota: Command = {
  name: "SETQUOTA",
  states: loggedIn,
  parse(c, s) {
    c.sp();
    const root = c.astring("quota root");
    c.sp();
    readLimits(c);
    return async () => {
      await rootAccount(s, root);
      throw new ImapNo("only the administrator sets limits", "NOPERM");
    };
  },
};
