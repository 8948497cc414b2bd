/**
 * MYRIGHTS (RFC 4314 §3.5).
 *
 * @module
 */
import { formatRights } from "../../../store/rights.ts";
import { type Command, loggedIn } from "../command.ts";
import { place } from "../places.ts";

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
