/**
 * UNAUTHENTICATE (RFC 8437): back to where the connection was before login, for another user.
 *
 * @module
 */
import { capabilityText } from "../session/capabilities.ts";
import { type Command, loggedIn } from "../session/command.ts";

export const unauthenticate: Command = {
  name: "UNAUTHENTICATE",
  states: loggedIn,
  capabilities: ["UNAUTHENTICATE"],
  parse: (_, s) => () => {
    s.unauthenticate();
    return { code: `CAPABILITY ${capabilityText(s)}`, text: "log in again" };
  },
};
