/**
 * CREATE (RFC 9051 §6.3.4), with special uses (RFC 6154 §3).
 *
 * @module
 */
import { type Mailbox, specialUseNames } from "../../../store/types.ts";
import { ImapNo } from "../session/answer.ts";
import { type Command, loggedIn } from "../session/command.ts";
import { idSuffix, newPlace, prefixOf, trimDelimiter } from "../mailboxes/places.ts";

export const create: Command = {
  name: "CREATE",
  states: loggedIn,
  capabilities: ["CREATE-SPECIAL-USE"],
  parse(c, s) {
    c.sp();
    const name = trimDelimiter(c.mailbox());
    let bits = 0;
    let unknown = "";
    if (!c.atEnd) {
      // RFC 6154 §3.
      c.sp();
      c.expect("(");
      if (!c.takeWord("USE")) c.fail("USE");
      c.sp();
      c.expect("(");
      const start = c.pos;
      while (!c.take(")")) {
        if (c.pos > start) c.sp();
        c.expect("\\");
        const use = `\\${c.atom("special use")}`;
        const bit = specialUseNames.find(([, n]) => n.toLowerCase() === use.toLowerCase())?.[0];
        if (bit === undefined) unknown = use;
        else bits |= bit;
      }
      c.expect(")");
    }
    return async () => {
      if (unknown) {
        throw new ImapNo(`special use ${unknown} can't be given to a mailbox`, "USEATTR");
      }
      const { account, own } = await newPlace(s, name);
      if (bits !== 0 && account !== s.store) {
        throw new ImapNo("mailboxes of others get no special use", "USEATTR");
      }
      const made = await account.createMailbox(own, { specialUse: bits });
      const named = (m: Mailbox) => ({ id: m.id, name: prefixOf(s, account) + m.name });
      const mailbox = named(made.mailbox);
      const created = made.created.map(named);
      // RFC 9051 §6.3.4: if the name was changed (normalised), say so.
      if (s.mailboxText(mailbox.name) !== s.mailboxText(name)) {
        s.untagged(
          `LIST (\\Subscribed) "/" ${s.mailboxText(mailbox.name)} ("OLDNAME" (${
            s.mailboxText(name)
          }))`,
        );
      }
      for (const m of created) {
        if (m.id !== mailbox.id) s.untagged(`LIST (\\Subscribed) "/" ${s.mailboxText(m.name)}`);
      }
      // RFC 8474 §4.2.
      return { code: `MAILBOXID (M${mailbox.id}${idSuffix(s, account)})`, text: "created" };
    };
  },
};
