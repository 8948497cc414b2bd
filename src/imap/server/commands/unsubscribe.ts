/**
 * UNSUBSCRIBE (RFC 9051 §6.3.8).
 *
 * @module
 */
import { type Command, loggedIn } from "../session/command.ts";

export const unsubscribe: Command = {
  name: "UNSUBSCRIBE",
  states: loggedIn,
  parse(c, s) {
    c.sp();
    const name = c.mailbox();
    return () => s.store.unsubscribe(name);
  },
};
