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

/** Supported events: there are no message annotations here. */
const eventNames = "MessageNew MessageExpunge FlagChange MailboxName SubscriptionChange " +
  "MailboxMetadataChange ServerMetadataChange";
const events = eventNames.toUpperCase().split(" ") as NotifyEvent[];
const messageEvents: readonly NotifyEvent[] = ["MESSAGENEW", "MESSAGEEXPUNGE", "FLAGCHANGE"];

function parseGroup(cursor: Cursor): NotifyGroup & { unsupported: boolean } {
  cursor.expect("(");
  const filter = parseMailboxFilter(cursor, "mailbox filter");
  cursor.sp();
  const selected = isSelected(filter);
  const set = new Set<NotifyEvent>();
  let items: FetchItem[] = [];
  let unsupported = false;
  if (!cursor.takeWord("NONE")) {
    cursor.list(() => {
      const start = cursor.pos;
      const name = cursor.word("event") as NotifyEvent;
      set.add(name);
      if (!events.includes(name)) unsupported = true;
      // §6.1.
      if (selected && events.includes(name) && !messageEvents.includes(name)) {
        cursor.fail("event of messages", start);
      }
      if (
        name === "MESSAGENEW" && selected && cursor.at(" ") && cursor.bytes[cursor.pos + 1] === 0x28
      ) {
        cursor.sp();
        items = parseFetchItems(cursor);
      }
    });
  }
  cursor.expect(")");
  // §5: new messages and expunges must be requested together, and flags and annotations need both.
  if (set.has("MESSAGENEW") !== set.has("MESSAGEEXPUNGE")) {
    cursor.fail("MessageNew and MessageExpunge together");
  }
  for (const name of ["FLAGCHANGE", "ANNOTATIONCHANGE"] as const) {
    if (set.has(name) && !set.has("MESSAGENEW")) cursor.fail("MessageNew and MessageExpunge too");
  }
  return { filter, events: set, items, unsupported };
}

export const notify: Command = {
  name: "NOTIFY",
  states: loggedIn,
  capabilities: ["NOTIFY"],
  parse(cursor, session) {
    cursor.sp();
    if (cursor.takeWord("NONE")) {
      return () => {
        session.notify = { groups: [] };
      };
    }
    if (!cursor.takeWord("SET")) cursor.fail("SET or NONE");
    cursor.sp();
    const status = cursor.takeWord("STATUS");
    if (status) cursor.sp();
    const groups: (NotifyGroup & { unsupported: boolean })[] = [];
    do groups.push(parseGroup(cursor)); while (cursor.take(" "));
    return async () => {
      if (groups.some((g) => g.unsupported)) {
        // §3.1: NO, not BAD.
        throw new ImapNo("there are no such events", `BADEVENT (${eventNames})`);
      }
      if (groups.filter((g) => isSelected(g.filter)).length > 1) {
        throw new ImapBad("only one of SELECTED and SELECTED-DELAYED");
      }
      // §3.1: earlier changes are reported by the earlier rules.
      await deliverChanges(session, true);
      session.notify = { groups };
      const places = await sharedPlaces(session);
      // Only for mailboxes requested by name: "personal" does not name any.
      const shared = places.filter((p) =>
        eventsFor(session.notify!, session.store, p.name) !== undefined
      );
      for (const source of session.sources) source.listed = undefined;
      for (const p of shared) {
        (sourceOf(session, p.account).listed ??= new Set()).add(p.mailbox.id);
        // §3.1: the mailbox exists, but this client may not see its events.
        const named = groups.some((g) => "names" in g.filter && g.filter.names.includes(p.name));
        if (named && !p.rights.includes("r")) {
          session.untagged(`LIST (\\NoAccess) "/" ${session.mailboxText(p.name)}`);
        }
      }
      if (!status) return;
      // §4: the initial state of mailboxes whose messages are watched.
      const own = session.store.mailboxes().map((mailbox): Place => ({
        account: session.store,
        mailbox,
        name: mailbox.name,
        rights: allRights,
      }));
      for (const p of [...own, ...shared]) {
        const watched = eventsFor(session.notify, session.store, p.name);
        if (session.view?.shows(p.account, p.mailbox.id) || !watched?.has("MESSAGENEW")) continue;
        if (!p.rights.includes("r")) continue;
        const items = ["MESSAGES", "UIDNEXT", "UIDVALIDITY", "UNSEEN"];
        if (session.condstore || watched.has("FLAGCHANGE")) items.push("HIGHESTMODSEQ");
        session.untagged(statusText(session, p, items));
      }
    };
  },
};
