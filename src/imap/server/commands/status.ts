/**
 * STATUS (RFC 9051 §6.3.11); its items are in status_text.ts.
 *
 * @module
 */
import { parseStatusItems } from "../../parse/list.ts";
import { type Command, loggedIn } from "../session/command.ts";
import { place } from "../mailboxes/places.ts";
import { statusText } from "../mailboxes/status_text.ts";

export const status: Command = {
  name: "STATUS",
  states: loggedIn,
  capabilities: ["STATUS=SIZE"],
  parse(c, s) {
    c.sp();
    const name = c.mailbox();
    c.sp();
    const items = parseStatusItems(c);
    return async () => {
      const found = await place(s, name, "r");
      if (items.includes("HIGHESTMODSEQ")) s.enableCondstore();
      s.untagged(statusText(s, found, items));
    };
  },
};
