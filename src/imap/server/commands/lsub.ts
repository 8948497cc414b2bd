/**
 * LSUB (RFC 3501 §6.3.9).
 *
 * @module
 */
import { type Command, loggedIn } from "../session/command.ts";
import { inboxFirst, nameMatcher } from "../names/list_names.ts";

export const lsub: Command = {
  name: "LSUB",
  states: loggedIn,
  parse(cursor, session) {
    cursor.sp();
    const reference = cursor.mailbox();
    cursor.sp();
    const pattern = cursor.listMailbox();
    return () => {
      const matches = nameMatcher(reference, [pattern]);
      const subscribed = session.store.subscriptions();
      const known = new Set(subscribed);
      const shown = new Map<string, boolean>();
      for (const name of subscribed) {
        if (matches(name)) {
          shown.set(name, true);
        } else {
          // RFC 3501 §6.3.9: "%" that hides a subscribed child shows the parent as \Noselect.
          for (let i = name.lastIndexOf("/"); i > 0; i = name.lastIndexOf("/", i - 1)) {
            const parent = name.slice(0, i);
            if (matches(parent) && !known.has(parent)) shown.set(parent, false);
          }
        }
      }
      for (const name of [...shown.keys()].sort(inboxFirst)) {
        const attrs = shown.get(name) ? "" : "\\Noselect";
        session.untagged(`LSUB (${attrs}) "/" ${session.mailboxText(name)}`);
      }
    };
  },
};
