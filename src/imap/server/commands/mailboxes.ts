/**
 * CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE and STATUS.
 *
 * @module
 */
import type { Account } from "../../../store/account.ts";
import { effectiveRights } from "../../../store/rights.ts";
import { type Mailbox, specialUseNames } from "../../../store/types.ts";
import { parseStatusItems } from "../../parse/list.ts";
import { ImapNo } from "../answer.ts";
import { type Command, loggedIn } from "../command.ts";
import { idSuffix, place, prefixOf, requireRight, sharingAccount, splitShared } from "../places.ts";
import type { Session } from "../session.ts";
import { statusText } from "../status_text.ts";

/** A name as it comes: a "/" at the end announces mailboxes below it (RFC 9051 §6.3.4). */
function trimDelimiter(name: string): string {
  return name.length > 1 && name.endsWith("/") ? name.slice(0, -1) : name;
}

/**
 * Where a new mailbox is to be, and its name there. Below a mailbox of others that takes the right k (RFC 4314
 * §4).
 */
async function newPlace(s: Session, name: string): Promise<{ account: Account; own: string }> {
  const shared = s.store.mailboxByName(name) ? undefined : splitShared(name);
  if (!shared) return { account: s.store, own: name };
  for (let at = name.lastIndexOf("/"); at > 0; at = name.lastIndexOf("/", at - 1)) {
    const parent = splitShared(name.slice(0, at));
    const account = parent && await sharingAccount(s, parent.owner);
    if (!account) break;
    // The nearest that exists counts, also one that the client may not know of.
    const mailbox = account.mailboxByName(parent.rest);
    if (!mailbox) continue;
    const rights = effectiveRights(account, mailbox.id, s.store.name);
    if (!rights.includes("l")) break;
    requireRight(rights, "k");
    return { account, own: shared.rest };
  }
  throw new ImapNo("mailboxes of others can only be made below one that was shared", "NOPERM");
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

export const remove: Command = {
  name: "DELETE",
  states: loggedIn,
  parse(c, s) {
    c.sp();
    const name = trimDelimiter(c.mailbox());
    return async () => {
      const { account, mailbox } = await place(s, name, "x");
      await account.deleteMailbox(mailbox.name);
    };
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
      const { account, mailbox } = await place(s, from, "x");
      const target = await newPlace(s, to);
      if (target.account !== account) {
        throw new ImapNo("a mailbox stays with its account", "CANNOT");
      }
      if (mailbox.name === "Inbox" && account !== s.store) {
        throw new ImapNo("Inbox of others can't be renamed", "CANNOT");
      }
      await account.renameMailbox(mailbox.name, target.own);
    };
  },
};

export const subscribe: Command = {
  name: "SUBSCRIBE",
  states: loggedIn,
  parse(c, s) {
    c.sp();
    const name = c.mailbox();
    return async () => {
      // RFC 4314 §4. Names of one's own may be subscribed to that don't exist.
      const subscribed = splitShared(name) ? (await place(s, name, "l")).name : name;
      await s.store.subscribe(subscribed);
    };
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
    return async () => {
      const found = await place(s, name, "r");
      if (items.includes("HIGHESTMODSEQ")) s.enableCondstore();
      s.untagged(statusText(s, found, items));
    };
  },
};
