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
  saveResult,
  searchContext,
  takeReturn,
} from "../search/searching.ts";
import type { Session } from "../session/session.ts";

/** RFC 7377 §2.2: the mailboxes that the filters name. */
async function filteredMailboxes(s: Session, filters: MailboxFilter[]): Promise<Place[]> {
  const own = s.store.mailboxes().map((mailbox): Place => ({
    account: s.store,
    mailbox,
    name: mailbox.name,
    rights: allRights,
  }));
  // RFC 7377 §2.2: of mailboxes that may not be read nothing is said.
  const all = [...own, ...(await sharedPlaces(s)).filter((p) => p.rights.includes("r"))];
  const subscribed = new Set(s.store.subscriptions());
  return all.filter((m) =>
    filters.some((f) =>
      isSelected(f) ? s.view?.shows(m.account, m.mailbox.id) === true : fitsFilter(f, {
        name: m.name,
        personal: m.account === s.store,
        subscribed: () => subscribed.has(m.name),
      })
    )
  );
}

/** ESEARCH of several mailboxes. */
export const multiSearch: Command = {
  name: "ESEARCH",
  states: loggedIn,
  capabilities: ["MULTISEARCH"],
  parse(c, s) {
    c.sp();
    const filters: MailboxFilter[] = [];
    if (c.takeText("IN (")) {
      do filters.push(parseMailboxFilter(c, "mailboxes to search")); while (c.take(" "));
      c.expect(")");
      c.sp();
    } else {
      filters.push({ kind: "selected" });
    }
    const options = takeReturn(c) ?? allOptions();
    const ctx = searchContext(s);
    const key = parseCriteria(c, s, ctx, "may");
    if (key === undefined) {
      return () => {
        throw badCharset(s, options);
      };
    }
    return async () => {
      const onlySelected = filters.every(isSelected);
      if (onlySelected && !s.view) throw new ImapBad("no mailbox selected");
      // RFC 7377 §2.1: sequence numbers and saved results have no meaning in several mailboxes.
      if (options.save && !onlySelected) throw new ImapBad("SAVE needs the selected mailbox");
      if (options.update) {
        s.untagged(`NO [NOUPDATE ${formatString(s.tag, false)}] only of the selected mailbox`);
      }
      if (ctx.sequenceNumbers) throw new ImapBad("sequence numbers can't be used here");
      for (const { account, mailbox: m, name } of await filteredMailboxes(s, filters)) {
        const uids = account.uids(m.id);
        const node = resolveSearch(key, (set) => {
          if (set.saved) throw new ImapBad("a saved result can't be used here");
          const highest = uids.length > 0 ? uids[uids.length - 1] : 0;
          return set.ranges.map(([a, b]): [number, number] => {
            const x = a || highest;
            const y = b || highest;
            return x <= y ? [x, y] : [y, x];
          }).sort((p, q) => p[0] - q[0]);
        });
        const r = await searchMailbox(account, m.id, node, {
          uids,
          stopped: () => s.conn.closed,
          progress: progress(s, s.tag),
        });
        if (options.save && s.view) saveResult(s, r.uids, options);
        if (r.uids.length === 0) continue;
        const items = esearchItems(r.uids, ctx.modseq ? r.modseq : undefined, options);
        s.untagged(
          `ESEARCH (TAG ${formatString(s.tag, false)} MAILBOX ${
            s.mailboxText(name)
          } UIDVALIDITY ${m.uidValidity}) UID${items}`,
        );
      }
    };
  },
};
