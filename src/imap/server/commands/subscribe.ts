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
  parse(c, s) {
    c.sp();
    const name = c.mailbox();
    return async () => {
      // RFC 4314 §4. Names of one's own may be subscribed to that don't exist.
      const subscribed = splitShared(name) ? (await place(s, name, "l")).name : name;
      await s.store.subscribe(subscribed);
    };
  },
};
