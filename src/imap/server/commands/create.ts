/**
 * CREATE (RFC 9051 §6.3.4), with special uses (RFC 6154 §3).
 *
 * @module
 */
import type { Mailbox } from "../../../store/types.ts";
import { ImapNo } from "../session/answer.ts";
import { type Command, loggedIn } from "../session/command.ts";
import { specialUseBit } from "../mailboxes/special_uses.ts";
import { idSuffix, newPlace, prefixOf, trimDelimiter } from "../mailboxes/places.ts";

export const create: Command = {
  name: "CREATE",
  states: loggedIn,
  capabilities: ["CREATE-SPECIAL-USE"],
  parse(cursor, session) {
    cursor.sp();
    const name = trimDelimiter(cursor.mailbox());
    let bits = 0;
    let unknown = "";
    if (!cursor.atEnd) {
      // RFC 6154 §3.
      cursor.sp();
      cursor.expect("(");
      if (!cursor.takeWord("USE")) cursor.fail("USE");
      cursor.sp();
      cursor.expect("(");
      const start = cursor.pos;
      while (!cursor.take(")")) {
        if (cursor.pos > start) cursor.sp();
        cursor.expect("\\");
        const use = `\\${cursor.atom("special use")}`;
        const bit = specialUseBit(use);
        if (bit === undefined) unknown = use;
        else bits |= bit;
      }
      cursor.expect(")");
    }
    return async () => {
      if (unknown) {
        throw new ImapNo(`special use ${unknown} can't be given to a mailbox`, "USEATTR");
      }
      const { account, own } = await newPlace(session, name);
      if (bits !== 0 && account !== session.store) {
        throw new ImapNo("mailboxes of others get no special use", "USEATTR");
      }
      const made = await account.createMailbox(own, { specialUse: bits });
      const named = (m: Mailbox) => ({ id: m.id, name: prefixOf(session, account) + m.name });
      const mailbox = named(made.mailbox);
      const created = made.created.map(named);
      // RFC 9051 §6.3.4: if the name was changed (normalised), say so.
      if (session.mailboxText(mailbox.name) !== session.mailboxText(name)) {
        session.untagged(
          `LIST (\\Subscribed) "/" ${session.mailboxText(mailbox.name)} ("OLDNAME" (${
            session.mailboxText(name)
          }))`,
        );
      }
      for (const m of created) {
        if (m.id !== mailbox.id) {
          session.untagged(`LIST (\\Subscribed) "/" ${session.mailboxText(m.name)}`);
        }
      }
      // RFC 8474 §4.2.
      return { code: `MAILBOXID (M${mailbox.id}${idSuffix(session, account)})`, text: "created" };
    };
  },
};
