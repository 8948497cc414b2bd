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
  parse(cursor, session) {
    cursor.sp();
    const name = cursor.mailbox();
    cursor.sp();
    const items = parseStatusItems(cursor);
    return async () => {
      const found = await place(session, name, "r");
      if (items.includes("HIGHESTMODSEQ")) session.enableCondstore();
      session.untagged(statusText(session, found, items));
    };
  },
};
