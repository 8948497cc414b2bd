/**
 * SUBSCRIBE (RFC 9051 §6.3.7).
 *
 * @module
 */
import { type Command, loggedIn } from "../session/command.ts";
import { place } from "../mailboxes/places.ts";
import { splitShared } from "../names/names.ts";

export const subscribe: Command = {
  name: "SUBSCRIBE",
  states: loggedIn,
  parse(cursor, session) {
    cursor.sp();
    const name = cursor.mailbox();
    return async () => {
      // RFC 4314 §4. Own names may be subscribed to even if no such mailbox exists.
      const subscribed = splitShared(name) ? (await place(session, name, "l")).name : name;
      await session.store.subscribe(subscribed);
    };
  },
};
