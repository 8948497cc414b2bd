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
  parse(cursor, session) {
    cursor.sp();
    const name = cursor.mailbox();
    cursor.sp();
    const identifier = cursor.astring("identifier");
    return async () => {
      const { account, mailbox } = await place(session, name, "a");
      // The identifier as given: an account that no longer exists must be removable.
      const known = grantedRights(account.db, mailbox.id).map((g) => g.identifier);
      let key = identifier;
      if (!known.includes(key)) {
        const { user, negative } = whoIs(session, identifier);
        if (user === account.name) throw new ImapNo("the owner keeps all rights", "CANNOT");
        key = (negative ? "-" : "") + user;
      }
      await changeNotedRights(account, mailbox, key, () => "", rightsNote(session));
      session.log.info("rights removed", { mailbox: mailbox.name, identifier: key });
    };
  },
};
