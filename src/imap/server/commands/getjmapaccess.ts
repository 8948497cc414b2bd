/**
 * GETJMAPACCESS (RFC 9698): where JMAP serves the same mail, under the same ids.
 *
 * @module
 */
import { type Command, loggedIn } from "../session/command.ts";
import { ImapBad } from "../session/answer.ts";

export const getJmapAccess: Command = {
  name: "GETJMAPACCESS",
  states: loggedIn,
  capabilities: ["JMAPACCESS"],
  parse(_c, session) {
    return () => {
      const { jmapUrl } = session.backend;
      if (jmapUrl === undefined) throw new ImapBad("there is no JMAP here");
      session.untagged(`JMAPACCESS "${jmapUrl}"`);
    };
  },
};
