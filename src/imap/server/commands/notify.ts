/**
 * NOTIFY (RFC 5465).
 *
 * @module
 */
import type { Cursor } from "../../parse/cursor.ts";
import { type FetchItem, parseFetchItems } from "../../parse/fetch.ts";
import { ImapBad, ImapNo } from "../session/answer.ts";
import { deliverChanges } from "../updates/changes.ts";
import { type Command, loggedIn } from "../session/command.ts";
import { isSelected, parseMailboxFilter } from "../names/filter.ts";
import { eventsFor, type NotifyEvent, type NotifyGroup } from "../names/notify_rules.ts";
import { sharedPlaces, sourceOf } from "../mailboxes/places.ts";
import type { Place } from "../names/names.ts";
import { allRights } from "../../../store/mailboxes/rights.ts";
import { statusText } from "../mailboxes/status_text.ts";

/** Those that there are here: annotations of messages are not kept. */
const eventNames = "MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange " +
  "MailboxMetadataChange ServerMetadataChange";
const events = eventNames.toUpperCase().split(" ") as NotifyEvent[];
const messageEvents: readonly NotifyEvent[] = ["MESSAGENEW", "MESSAGEEXPUNGE", "FLAGCHANGE"];

function parseGroup(c: Cursor): NotifyGroup & { unsupported: boolean } {
  c.expect("(");
  const filter = parseMailboxFilter(c, "mailbox filter");
  c.sp();
  const selected = isSelected(filter);
  const set = new Set<NotifyEvent>();
  let items: FetchItem[] = [];
  let unsupported = false;
  if (!c.takeWord("NONE")) {
    c.list(() => {
      const start = c.pos;
      const name = c.word("event") as NotifyEvent;
      set.add(name);
      if (!events.includes(name)) unsupported = true;
      // §6.1.
      if (selected && events.includes(name) && !messageEvents.includes(name)) {
        c.fail("event of messages", start);
      }
      if (name === "MESSAGENEW" && selected && c.at(" ") && c.bytes[c.pos + 1] === 0x28) {
        c.sp();
        items = parseFetchItems(c);
      }
    });
  }
  c.expect(")");
  // §5: new messages and expunges go together, and flags and annotations need both.
  if (set.has("MESSAGENEW") !== set.has("MESSAGEEXPUNGE")) {
    c.fail("MessageNew and MessageExpunge together");
  }
  for (const name of ["FLAGCHANGE", "ANNOTATIONCHANGE"] as const) {
    if (set.has(name) && !set.has("MESSAGENEW")) c.fail("MessageNew and MessageExpunge too");
  }
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
        // §3.1: NO, not BAD.
        throw new ImapNo("there are no such events", `BADEVENT (${eventNames})`);
      }
      if (groups.filter((g) => isSelected(g.filter)).length > 1) {
        throw new ImapBad("only one of SELECTED and SELECTED-DELAYED");
      }
      // §3.1: what has happened before belongs to the rules before.
      await deliverChanges(s, true);
      s.notify = { groups };
      const places = await sharedPlaces(s);
      // Only of those that were named: "personal" is none of them.
      const shared = places.filter((p) => eventsFor(s.notify!, s.store, p.name) !== undefined);
      for (const source of s.sources) source.listed = undefined;
      for (const p of shared) {
        (sourceOf(s, p.account).listed ??= new Set()).add(p.mailbox.id);
        // §3.1: it is there, but what happens in it is not for this client.
        const named = groups.some((g) => "names" in g.filter && g.filter.names.includes(p.name));
        if (named && !p.rights.includes("r")) {
          s.untagged(`LIST (\\NoAccess) "/" ${s.mailboxText(p.name)}`);
        }
      }
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
        if (s.condstore || watched.has("FLAGCHANGE")) items.push("HIGHESTMODSEQ");
        s.untagged(statusText(s, p, items));
      }
    };
  },
};
