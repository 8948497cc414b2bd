/**
 * RESETKEY (RFC 4467 §7).
 *
 * @module
 */
import { resetUrlKeys } from "../../../store/logins/url_keys.ts";
import { ImapNo } from "../session/answer.ts";
import { type Command, loggedIn } from "../session/command.ts";
import { place } from "../mailboxes/places.ts";

export const resetKey: Command = {
  name: "RESETKEY",
  states: loggedIn,
  parse(cursor, session) {
    let name: string | undefined;
    if (!cursor.atEnd) {
      cursor.sp();
      name = cursor.mailbox();
      while (!cursor.atEnd) {
        cursor.sp();
        const start = cursor.pos;
        if (cursor.atom("mechanism").toUpperCase() !== "INTERNAL") {
          cursor.fail("mechanism INTERNAL", start);
        }
      }
    }
    return async () => {
      if (name === undefined) {
        await resetUrlKeys(session.store);
        return { text: "all keys are gone" };
      }
      const { account, mailbox } = await place(session, name, "l");
      if (account !== session.store) throw new ImapNo("the mailbox is not yours", "NOPERM");
      await resetUrlKeys(account, mailbox.id);
      return { code: "URLMECH INTERNAL", text: "the key is gone" };
    };
  },
};
