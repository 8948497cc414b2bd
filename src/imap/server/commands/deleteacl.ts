/**
 * DELETEACL (RFC 4314 §3.2).
 *
 * @module
 */
import { changeNotedRights } from "../../../store/mailboxes/noted_rights.ts";
import { grantedRights } from "../../../store/mailboxes/rights.ts";
import { rightsNote, whoIs } from "../mailboxes/acl_identifiers.ts";
import { ImapNo } from "../session/answer.ts";
import { type Command, loggedIn } from "../session/command.ts";
import { place } from "../mailboxes/places.ts";

export const deleteAcl: Command = {
  name: "DELETEACL",
  states: loggedIn,
  parse(c, s) {
    c.sp();
    const name = c.mailbox();
    c.sp();
    const identifier = c.astring("identifier");
    return async () => {
      const { account, mailbox } = await place(s, name, "a");
      // As it was given: an account that is gone must be removable.
      const known = grantedRights(account.db, mailbox.id).map((g) => g.identifier);
      let key = identifier;
      if (!known.includes(key)) {
        const { user, negative } = whoIs(s, identifier);
        if (user === account.name) throw new ImapNo("the owner keeps all rights", "CANNOT");
        key = (negative ? "-" : "") + user;
      }
      await changeNotedRights(account, mailbox, key, () => "", rightsNote(s));
      s.log.info("rights removed", { mailbox: mailbox.name, identifier: key });
    };
  },
};
