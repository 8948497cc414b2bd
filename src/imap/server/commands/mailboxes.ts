/**
 * CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE and STATUS.
 *
 * @module
 */
import { specialUseNames } from "../../../store/types.ts";
import { parseStatusItems } from "../../parse/list.ts";
import { ImapNo } from "../answer.ts";
import { type Command, loggedIn } from "../command.ts";
import { statusText } from "../status_text.ts";

/** A name as it comes: a "/" at the end announces mailboxes below it (RFC 9051 §6.3.4). */
function trimDelimiter(name: string): string {
  return name.length > 1 && name.endsWith("/") ? name.slice(0, -1) : name;
}

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
      const { mailbox, created } = await s.store.createMailbox(name, { specialUse: bits });
      // RFC 9051 §6.3.4: if the name was changed (normalised), say so.
      if (mailbox.name !== name) {
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
      return { code: `MAILBOXID (M${mailbox.id})`, text: "created" };
    };
  },
};

export const remove: Command = {
  name: "DELETE",
  states: loggedIn,
  parse(c, s) {
    c.sp();
    const name = trimDelimiter(c.mailbox());
    return () => s.store.deleteMailbox(name);
  },
};

export const rename: Command = {
  name: "RENAME",
  states: loggedIn,
  parse(c, s) {
    c.sp();
    const from = trimDelimiter(c.mailbox());
    c.sp();
    const to = trimDelimiter(c.mailbox());
    return async () => {
      await s.store.renameMailbox(from, to);
    };
  },
};

export const subscribe: Command = {
  name: "SUBSCRIBE",
  states: loggedIn,
  parse(c, s) {
    c.sp();
    const name = c.mailbox();
    return () => s.store.subscribe(name);
  },
};

export const unsubscribe: Command = {
  name: "UNSUBSCRIBE",
  states: loggedIn,
  parse(c, s) {
    c.sp();
    const name = c.mailbox();
    return () => s.store.unsubscribe(name);
  },
};

export const status: Command = {
  name: "STATUS",
  states: loggedIn,
  capabilities: ["STATUS=SIZE"],
  parse(c, s) {
    c.sp();
    const name = c.mailbox();
    c.sp();
    const items = parseStatusItems(c);
    return () => {
      if (items.includes("HIGHESTMODSEQ")) s.enableCondstore();
      s.untagged(statusText(s, s.mailbox(name), items));
    };
  },
};
