/**
 * LOGOUT (RFC 9051 §6.1.3).
 *
 * @module
 */
import { anyState, type Command } from "../session/command.ts";

export const logout: Command = {
  name: "LOGOUT",
  states: anyState,
  parse: (_, session) => () => {
    session.untagged("BYE logging out");
    session.ended = true;
  },
};
