/**
 * UNSUBSCRIBE (RFC 9051 §6.3.8).
 *
 * @module
 */
import { type Command, loggedIn } from "../session/command.ts";

export const unsubscribe: Command = {
  name: "UNSUBSCRIBE",
  states: loggedIn,
  parse(cursor, session) {
    cursor.sp();
    const name = cursor.mailbox();
    return () => session.store.unsubscribe(name);
  },
};
