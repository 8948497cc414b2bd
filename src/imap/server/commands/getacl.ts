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
  parse(c, s) {
    c.sp();
    const name = c.mailbox();
    return async () => {
      const { account, mailbox, name: found } = await place(s, name, "a");
      const list = [
        { identifier: account.name, rights: allRights },
        ...grantedRights(account.db, mailbox.id),
      ];
      const text = list.map((g) =>
        ` ${formatAstring(g.identifier, s.utf8)} ${formatRights(g.rights)}`
      );
      s.untagged(`ACL ${s.mailboxText(found)}${text.join("")}`);
    };
  },
};
