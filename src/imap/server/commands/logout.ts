/**
 * LOGOUT (RFC 9051 §6.1.3).
 *
 * @module
 */
import { anyState, type Command } from "../session/command.ts";

export const logout: Command = {
  name: "LOGOUT",
  states: anyState,
  parse: (_, s) => () => {
    s.untagged("BYE logging out");
    s.ended = true;
  },
};
