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
  parse(c, s) {
    c.sp();
    const name = c.mailbox();
    return async () => {
      // RFC 4314 §4.
      const { name: found, rights } = await place(s, name, "lrikxa");
      s.untagged(`MYRIGHTS ${s.mailboxText(found)} ${formatRights(rights)}`);
    };
  },
};
