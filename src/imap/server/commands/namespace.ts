/**
 * NAMESPACE (RFC 2342, RFC 9051 §6.3.10).
 *
 * @module
 */
import { type Command, loggedIn } from "../session/command.ts";
import { otherUsers } from "../names/names.ts";

export const namespace: Command = {
  name: "NAMESPACE",
  states: loggedIn,
  capabilities: ["NAMESPACE"],
  parse: (_, session) => () => {
    const others = session.backend.sharing ? `(("${otherUsers}/" "/"))` : "NIL";
    session.untagged(`NAMESPACE (("" "/")) ${others} NIL`);
  },
};
