/**
 * DELETE (RFC 9051 §6.3.5).
 *
 * @module
 */
import { type Command, loggedIn } from "../session/command.ts";
import { place, trimDelimiter } from "../mailboxes/places.ts";

export const remove: Command = {
  name: "DELETE",
  states: loggedIn,
  parse(cursor, session) {
    cursor.sp();
    const name = trimDelimiter(cursor.mailbox());
    return async () => {
      const { account, mailbox } = await place(session, name, "x");
      await account.deleteMailbox(mailbox.name);
    };
  },
};
