/**
 * UNAUTHENTICATE (RFC 8437): back to the state before login, for another user.
 *
 * @module
 */
import { capabilityText } from "../session/capabilities.ts";
import { type Command, loggedIn } from "../session/command.ts";

export const unauthenticate: Command = {
  name: "UNAUTHENTICATE",
  states: loggedIn,
  capabilities: ["UNAUTHENTICATE"],
  parse: (_, session) => () => {
    session.unauthenticate();
    return { code: `CAPABILITY ${capabilityText(session)}`, text: "log in again" };
  },
};
