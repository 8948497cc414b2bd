/**
 * GETQUOTAROOT (RFC 9208 §4.1.2).
 *
 * @module
 */
import { type Command, loggedIn } from "../session/command.ts";
import { place } from "../mailboxes/places.ts";
import { quotaLine, quotaRoot } from "../mailboxes/quota_roots.ts";

export const getQuotaRoot: Command = {
  name: "GETQUOTAROOT",
  states: loggedIn,
  parse(cursor, session) {
    cursor.sp();
    const name = cursor.mailbox();
    return async () => {
      const { account, name: found } = await place(session, name, "r");
      const root = session.mailboxText(quotaRoot(session, account));
      session.untagged(`QUOTAROOT ${session.mailboxText(found)} ${root}`);
      quotaLine(session, account);
    };
  },
};
