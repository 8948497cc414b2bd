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

/** Rights that are granted together: none, each is independent (RFC 4314 §3.7). */
const single = [...formatRights(allRights)].join(" ");

export const listRights: Command = {
  name: "LISTRIGHTS",
  states: loggedIn,
  parse(cursor, session) {
    cursor.sp();
    const name = cursor.mailbox();
    cursor.sp();
    const identifier = cursor.astring("identifier");
    return async () => {
      const { account, name: found } = await place(session, name, "a");
      const { user } = whoIs(session, identifier);
      const rights = user === account.name ? formatRights(allRights) : `"" ${single}`;
      session.untagged(
        `LISTRIGHTS ${session.mailboxText(found)} ${
          formatAstring(identifier, session.utf8)
        } ${rights}`,
      );
    };
  },
};
