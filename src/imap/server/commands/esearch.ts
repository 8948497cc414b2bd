/** ESEARCH: searching several mailboxes (RFC 7377). @module */
import { formatString } from "../../format/text.ts";
import { searchMailbox } from "../../../store/search.ts";
import { allRights } from "../../../store/rights.ts";
import { resolveSearch } from "../../parse/search.ts";
import { ImapBad } from "../answer.ts";
import { type Command, loggedIn } from "../command.ts";
import { canonicalName, type Place, sharedPlaces } from "../places.ts";
import {
  allOptions,
  badCharset,
  esearchItems,
  parseKeys,
  parseReturn,
  progress,
  refuseCharset,
  saveResult,
  searchContext,
  setCharset,
} from "../searching.ts";
import type { Session } from "../session.ts";

interface Source {
  kind: string;
  names: string[];
}

/** RFC 7377 §2.2: the mailboxes that a source names. */
async function sourceMailboxes(s: Session, sources: Source[]): Promise<Place[]> {
  const own = s.store.mailboxes().map((mailbox): Place => ({
    account: s.store,
    mailbox,
    name: mailbox.name,
    rights: allRights,
  }));
  // RFC 7377 §2.2: of mailboxes that may not be read nothing is said.
  const all = [...own, ...(await sharedPlaces(s)).filter((p) => p.rights.includes("r"))];
  const subscribed = new Set(s.store.subscriptions());
  const fits = (m: Place): boolean =>
    sources.some(({ kind, names }) => {
      switch (kind) {
        case "SELECTED":
        case "SELECTED-DELAYED":
          return s.view?.shows(m.account, m.mailbox.id) === true;
        case "INBOXES":
          return m.name === "Inbox";
        case "PERSONAL":
          return m.account === s.store;
        case "SUBSCRIBED":
          return subscribed.has(m.name);
        case "SUBTREE":
          return names.some((n) => m.name === n || m.name.startsWith(`${n}/`));
        case "SUBTREE-ONE":
          return names.some((n) =>
            m.name === n ||
            (m.name.startsWith(`${n}/`) && !m.name.slice(n.length + 1).includes("/"))
          );
        default:
          return names.includes(m.name);
      }
    });
  return all.filter(fits);
}

/** ESEARCH of several mailboxes. */
export const multiSearch: Command = {
  name: "ESEARCH",
  states: loggedIn,
  capabilities: ["MULTISEARCH"],
  parse(c, s) {
    c.sp();
    const sources: Source[] = [];
    if (c.takeText("IN (")) {
      do {
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
          "mailboxes to search",
        );
        const names: string[] = [];
        if (/^(SUBTREE|MAILBOXES)/.test(kind)) {
          c.sp();
          const name = () => canonicalName(c.mailbox());
          if (c.at("(")) names.push(...c.list(name));
          else names.push(name());
        }
        sources.push({ kind, names });
      } while (c.take(" "));
      c.expect(")");
      c.sp();
    } else {
      sources.push({ kind: "SELECTED", names: [] });
    }
    let options = allOptions();
    if (c.takeText("RETURN ")) {
      options = parseReturn(c);
      c.sp();
    }
    const ctx = searchContext(s);
    let known = true;
    if (c.takeText("CHARSET ")) {
      refuseCharset(s);
      known = setCharset(ctx, c.astring("charset"));
      c.sp();
    }
    if (!known) {
      c.pos = c.bytes.length;
      return () => {
        throw badCharset(s, options);
      };
    }
    const key = parseKeys(c, ctx);
    return async () => {
      const onlySelected = sources.every((x) => x.kind.startsWith("SELECTED"));
      if (onlySelected && !s.view) throw new ImapBad("no mailbox selected");
      // RFC 7377 §2.1: sequence numbers and saved results have no meaning in several mailboxes.
      if (options.save && !onlySelected) throw new ImapBad("SAVE needs the selected mailbox");
      if (options.update) {
        s.untagged(`NO [NOUPDATE ${formatString(s.tag, false)}] only of the selected mailbox`);
      }
      if (ctx.sequenceNumbers) throw new ImapBad("sequence numbers can't be used here");
      for (const { account, mailbox: m, name } of await sourceMailboxes(s, sources)) {
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
        const items = esearchItems(r.uids, ctx.modseq ? r.modseq : undefined, options, false);
        s.untagged(
          `ESEARCH (TAG ${formatString(s.tag, false)} MAILBOX ${
            s.mailboxText(name)
          } UIDVALIDITY ${m.uidValidity}) UID${items}`,
        );
      }
    };
  },
};
