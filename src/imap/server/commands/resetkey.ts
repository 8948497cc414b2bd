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
  parse(c, s) {
    let name: string | undefined;
    if (!c.atEnd) {
      c.sp();
      name = c.mailbox();
      while (!c.atEnd) {
        c.sp();
        const start = c.pos;
        if (c.atom("mechanism").toUpperCase() !== "INTERNAL") c.fail("mechanism INTERNAL", start);
      }
    }
    return async () => {
      if (name === undefined) {
        await resetUrlKeys(s.store);
        return { text: "all keys are gone" };
      }
      const { account, mailbox } = await place(s, name, "l");
      if (account !== s.store) throw new ImapNo("the mailbox is not yours", "NOPERM");
      await resetUrlKeys(account, mailbox.id);
      return { code: "URLMECH INTERNAL", text: "the key is gone" };
    };
  },
};
