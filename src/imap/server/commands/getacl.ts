/**
 * GETACL (RFC 4314 §3.3).
 *
 * @module
 */
import { allRights, formatRights, grantedRights } from "../../../store/mailboxes/rights.ts";
import { formatAstring } from "../../format/text.ts";
import { type Command, loggedIn } from "../session/command.ts";
import { place } from "../mailboxes/places.ts";

export const getAcl: Command = {
  name: "GETACL",
  states: loggedIn,
  parse(cursor, session) {
    cursor.sp();
    const name = cursor.mailbox();
    return async () => {
      const { account, mailbox, name: found } = await place(session, name, "a");
      const list = [
        { identifier: account.name, rights: allRights },
        ...grantedRights(account.db, mailbox.id),
      ];
      const text = list.map((g) =>
        ` ${formatAstring(g.identifier, session.utf8)} ${formatRights(g.rights)}`
      );
      session.untagged(`ACL ${session.mailboxText(found)}${text.join("")}`);
    };
  },
};
