/**
 * RENAME (RFC 9051 §6.3.6).
 *
 * @module
 */
import { ImapNo } from "../session/answer.ts";
import { type Command, loggedIn } from "../session/command.ts";
import { newPlace, place, trimDelimiter } from "../mailboxes/places.ts";

export const rename: Command = {
  name: "RENAME",
  states: loggedIn,
  parse(cursor, session) {
    cursor.sp();
    const from = trimDelimiter(cursor.mailbox());
    cursor.sp();
    const to = trimDelimiter(cursor.mailbox());
    return async () => {
      const { account, mailbox } = await place(session, from, "x");
      const target = await newPlace(session, to);
      if (target.account !== account) {
        throw new ImapNo("a mailbox stays with its account", "CANNOT");
      }
      if (mailbox.name === "Inbox" && account !== session.store) {
        throw new ImapNo("Inbox of others can't be renamed", "CANNOT");
      }
      await account.renameMailbox(mailbox.name, target.own);
    };
  },
};
