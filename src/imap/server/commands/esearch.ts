/** ESEARCH: searching several mailboxes (RFC 7377). @module */
import { formatString } from "../../format/text.ts";
import { searchMailbox } from "../../../store/account/search.ts";
import { allRights } from "../../../store/mailboxes/rights.ts";
import { resolveSearch } from "../../parse/search.ts";
import { ImapBad } from "../session/answer.ts";
import { type Command, loggedIn } from "../session/command.ts";
import { fitsFilter, isSelected, type MailboxFilter, parseMailboxFilter } from "../names/filter.ts";
import { sharedPlaces } from "../mailboxes/places.ts";
import type { Place } from "../names/names.ts";
import {
  allOptions,
  badCharset,
  esearchItems,
  parseCriteria,
  progress,
  recentIn,
  saveResult,
  searchContext,
  takeReturn,
} from "../search/searching.ts";
import type { Session } from "../session/session.ts";

/** RFC 7377 §2.2: the mailboxes that the filters name. */
async function filteredMailboxes(session: Session, filters: MailboxFilter[]): Promise<Place[]> {
  const own = session.store.mailboxes().map((mailbox): Place => ({
    account: session.store,
    mailbox,
    name: mailbox.name,
    rights: allRights,
  }));
  // RFC 7377 §2.2: mailboxes that may not be read are left out silently.
  const all = [...own, ...(await sharedPlaces(session)).filter((p) => p.rights.includes("r"))];
  const subscribed = new Set(session.store.subscriptions());
  return all.filter((place) =>
    filters.some((filter) =>
      isSelected(filter)
        ? session.view?.shows(place.account, place.mailbox.id) === true
        : fitsFilter(filter, {
          name: place.name,
          personal: place.account === session.store,
          subscribed: () => subscribed.has(place.name),
        })
    )
  );
}

/** ESEARCH of several mailboxes. */
export const multiSearch: Command = {
  name: "ESEARCH",
  states: loggedIn,
  capabilities: ["MULTISEARCH"],
  parse(cursor, session) {
    cursor.sp();
    const filters: MailboxFilter[] = [];
    if (cursor.takeText("IN (")) {
      do filters.push(parseMailboxFilter(cursor, "mailboxes to search")); while (cursor.take(" "));
      cursor.expect(")");
      cursor.sp();
    } else {
      filters.push({ kind: "selected" });
    }
    const options = takeReturn(cursor) ?? allOptions();
    const ctx = searchContext(session);
    const key = parseCriteria(cursor, session, ctx, "may");
    if (key === undefined) {
      return () => {
        throw badCharset(session, options);
      };
    }
    return async () => {
      const onlySelected = filters.every(isSelected);
      if (onlySelected && !session.view) throw new ImapBad("no mailbox selected");
      // RFC 7377 §2.1: sequence numbers and saved results have no meaning in several mailboxes.
      if (options.save && !onlySelected) throw new ImapBad("SAVE needs the selected mailbox");
      if (options.update) {
        session.untagged(
          `NO [NOUPDATE ${formatString(session.tag, false)}] only of the selected mailbox`,
        );
      }
      if (ctx.sequenceNumbers) throw new ImapBad("sequence numbers can't be used here");
      for (const { account, mailbox: m, name } of await filteredMailboxes(session, filters)) {
        const uids = account.uids(m.id);
        const node = resolveSearch(key, (set) => {
          if (set.saved) throw new ImapBad("a saved result can't be used here");
          const highest = uids.length > 0 ? uids[uids.length - 1] : 0;
          return set.ranges.map(([a, b]): [number, number] => {
            const x = a || highest;
            const y = b || highest;
            return x <= y ? [x, y] : [y, x];
          }).sort((p, q) => p[0] - q[0]);
        }, {
          recent: session.view?.shows(account, m.id) ? recentIn(session, session.view) : undefined,
        });
        const r = await searchMailbox(account, m.id, node, {
          uids,
          stopped: () => session.conn.closed,
          progress: progress(session, session.tag),
        });
        if (options.save && session.view) saveResult(session, r.uids, options);
        if (r.uids.length === 0) continue;
        const items = esearchItems(r.uids, ctx.modseq ? r.modseq : undefined, options);
        session.untagged(
          `ESEARCH (TAG ${formatString(session.tag, false)} MAILBOX ${
            session.mailboxText(name)
          } UIDVALIDITY ${m.uidValidity}) UID${items}`,
        );
      }
    };
  },
};
