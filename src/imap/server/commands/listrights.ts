/**
 * LISTRIGHTS (RFC 4314 §3.4).
 *
 * @module
 */
import { allRights, formatRights } from "../../../store/mailboxes/rights.ts";
import { formatAstring } from "../../format/text.ts";
import { whoIs } from "../mailboxes/acl_identifiers.ts";
import { type Command, loggedIn } from "../session/command.ts";
import { place } from "../mailboxes/places.ts";

/** What can't be had one without another: all are single (RFC 4314 §3.7). */
const single = [...formatRights(allRights)].join(" ");

export const listRights: Command = {
  name: "LISTRIGHTS",
  states: loggedIn,
  parse(c, s) {
    c.sp();
    const name = c.mailbox();
    c.sp();
    const identifier = c.astring("identifier");
    return async () => {
      const { account, name: found } = await place(s, name, "a");
      const { user } = whoIs(s, identifier);
      const rights = user === account.name ? formatRights(allRights) : `"" ${single}`;
      s.untagged(
        `LISTRIGHTS ${s.mailboxText(found)} ${formatAstring(identifier, s.utf8)} ${rights}`,
      );
    };
  },
};
