/**
 * NOTIFY (RFC 5465).
 *
 * @module
 */
import type { Cursor } from "../../parse/cursor.ts";
import { type FetchItem, parseFetchItems } from "../../parse/fetch.ts";
import { ImapBad } from "../answer.ts";
import { type Command, loggedIn } from "../command.ts";
import {
  eventsFor,
  type MailboxFilter,
  type NotifyEvent,
  type NotifyGroup,
} from "../notify_rules.ts";
import { type Place, sharedPlaces, sourceOf } from "../places.ts";
import { allRights } from "../../../store/rights.ts";
import { statusText } from "../status_text.ts";

const events: readonly NotifyEvent[] = [
  "MESSAGENEW",
  "MESSAGEEXPUNGE",
  "FLAGCHANGE",
  "ANNOTATIONCHANGE",
  "MAILBOXNAME",
  "SUBSCRIPTIONCHANGE",
  "MAILBOXMETADATACHANGE",
  "SERVERMETADATACHANGE",
];

function parseFilter(c: Cursor): MailboxFilter {
  const kind = c.oneOf(
    [
      "SELECTED",
      "SELECTED-DELAYED",
      "INBOXES",
      "PERSONAL",
      "SUBSCRIBED",
      "SUBTREE",
      "SUBTREE-ONE",
      "MAILBOXES",
    ],
    "mailbox filter",
  ).toLowerCase() as MailboxFilter["kind"];
  if (kind !== "subtree" && kind !== "subtree-one" && kind !== "mailboxes") return { kind };
  c.sp();
  const name = () => {
    const n = c.mailbox();
    return n.toUpperCase() === "INBOX" ? "Inbox" : n;
  };
  return { kind, names: c.at("(") ? c.list(name) : [name()] };
}

function parseGroup(c: Cursor): NotifyGroup & { unsupported: boolean } {
  c.expect("(");
  const filter = parseFilter(c);
  c.sp();
  const set = new Set<NotifyEvent>();
  let items: FetchItem[] = [];
  let unsupported = false;
  if (!c.takeWord("NONE")) {
    c.list(() => {
      const start = c.pos;
      const name = c.word("event") as NotifyEvent;
      if (!events.includes(name)) c.fail("known event", start);
      set.add(name);
      if (name === "ANNOTATIONCHANGE") unsupported = true;
      if (name === "MESSAGENEW" && c.at(" ") && c.bytes[c.pos + 1] === 0x28) {
        c.sp();
        items = parseFetchItems(c);
      }
    });
  }
  c.expect(")");
  // §5.2..5.3: new messages and expunges go together, and flags need both.
  if (set.has("MESSAGENEW") !== set.has("MESSAGEEXPUNGE")) {
    c.fail("MessageNew and MessageExpunge together");
  }
  if (set.has("FLAGCHANGE") && !set.has("MESSAGENEW")) c.fail("MessageNew with FlagChange");
  return { filter, events: set, items, unsupported };
}

export const notify: Command = {
  name: "NOTIFY",
  states: loggedIn,
  capabilities: ["NOTIFY"],
  parse(c, s) {
    c.sp();
    if (c.takeWord("NONE")) {
      return () => {
        s.notify = { groups: [] };
      };
    }
    if (!c.takeWord("SET")) c.fail("SET or NONE");
    c.sp();
    const status = c.takeWord("STATUS");
    if (status) c.sp();
    const groups: (NotifyGroup & { unsupported: boolean })[] = [];
    do groups.push(parseGroup(c)); while (c.take(" "));
    return async () => {
      if (groups.some((g) => g.unsupported)) {
        throw new ImapBad(
          "annotations of messages are not kept",
          `BADEVENT (${events.filter((e) => e !== "ANNOTATIONCHANGE").join(" ")})`,
        );
      }
      if (groups.filter((g) => g.filter.kind.startsWith("selected")).length > 1) {
        throw new ImapBad("only one of SELECTED and SELECTED-DELAYED");
      }
      s.notify = { groups };
      const places = await sharedPlaces(s);
      // Only of those that were named: "personal" is none of them.
      const shared = places.filter((p) => eventsFor(s.notify!, s.store, p.name) !== undefined);
      for (const p of shared) sourceOf(s, p.account);
      if (!status) return;
      // §4: the state to start from, of mailboxes whose messages are watched.
      const own = s.store.mailboxes().map((mailbox): Place => ({
        account: s.store,
        mailbox,
        name: mailbox.name,
        rights: allRights,
      }));
      for (const p of [...own, ...shared]) {
        const watched = eventsFor(s.notify, s.store, p.name);
        if (s.view?.shows(p.account, p.mailbox.id) || !watched?.has("MESSAGENEW")) continue;
        if (!p.rights.includes("r")) continue;
        const items = ["MESSAGES", "UIDNEXT", "UIDVALIDITY", "UNSEEN"];
        if (s.condstore) items.push("HIGHESTMODSEQ");
        s.untagged(statusText(s, p, items));
      }
    };
  },
};
