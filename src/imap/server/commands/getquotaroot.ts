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
  parse(c, s) {
    c.sp();
    const name = c.mailbox();
    return async () => {
      const { account, name: found } = await place(s, name, "r");
      const root = s.mailboxText(quotaRoot(s, account));
      s.untagged(`QUOTAROOT ${s.mailboxText(found)} ${root}`);
      quotaLine(s, account);
    };
  },
};
