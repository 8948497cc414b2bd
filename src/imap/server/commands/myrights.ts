/**
 * MYRIGHTS (RFC 4314 §3.5).
 *
 * @module
 */
import { formatRights } from "../../../store/mailboxes/rights.ts";
import { type Command, loggedIn } from "../session/command.ts";
import { place } from "../mailboxes/places.ts";

export const myRights: Command = {
  name: "MYRIGHTS",
  states: loggedIn,
  parse(cursor, session) {
    cursor.sp();
    const name = cursor.mailbox();
    return async () => {
      // RFC 4314 §4.
      const { name: found, rights } = await place(session, name, "lrikxa");
      session.untagged(`MYRIGHTS ${session.mailboxText(found)} ${formatRights(rights)}`);
    };
  },
};
