/**
 * LIST (RFC 9051 §6.3.9, RFC 5258, 5819, 6154, 9590).
 *
 * @module
 */
import { allRights, formatRights } from "../../../store/mailboxes/rights.ts";
import { specialUseNames } from "../../../store/types.ts";
import { type ListArgs, parseList } from "../../parse/list.ts";
import type { Answer } from "../session/answer.ts";
import { type Command, loggedIn } from "../session/command.ts";
import { inboxFirst, nameMatcher } from "../names/list_names.ts";
import { metadataText } from "../names/metadata_text.ts";
import { sharedPlaces } from "../mailboxes/places.ts";
import { type Place, splitShared } from "../names/names.ts";
import { giveWay } from "../../../platform/turns.ts";
import type { Session } from "../session/session.ts";
import { statusText } from "../mailboxes/status_text.ts";

async function list(session: Session, args: ListArgs): Promise<Answer | void> {
  if (args.basic && args.patterns[0] === "") {
    // RFC 9051 §6.3.9: an empty name asks for the delimiter.
    session.untagged(`LIST (\\Noselect) "/" ""`);
    return;
  }
  const matches = nameMatcher(args.reference, args.patterns);
  const own = session.store.mailboxes().map((mailbox): Place => ({
    account: session.store,
    mailbox,
    name: mailbox.name,
    rights: allRights,
  }));
  const shared = await sharedPlaces(session);
  const mailboxes = [...own, ...shared];
  const byName = new Map(mailboxes.map((m) => [m.name, m]));
  const subscribed = new Set(session.store.subscriptions());
  const parents = new Set<string>();
  const addParents = (name: string, set: Set<string>) => {
    for (let i = name.indexOf("/"); i > 0; i = name.indexOf("/", i + 1)) set.add(name.slice(0, i));
  };
  for (const m of mailboxes) addParents(m.name, parents);

  const selectable = (name: string): boolean => {
    if (args.subscribed && !subscribed.has(name)) return false;
    if (args.specialUseOnly && !specialUse(byName.get(name))) return false;
    return true;
  };
  const names = new Set(mailboxes.map((m) => m.name));
  if (args.subscribed) { for (const n of subscribed) names.add(n); }
  // RFC 5258 §3.5: RECURSIVEMATCH lists parents whose selected children don't match the pattern.
  const withChild = new Set<string>();
  if (args.recursive) {
    for (const n of names) if (selectable(n)) addParents(n, withChild);
    for (const n of withChild) names.add(n);
  }

  // Levels above other users' mailboxes are listed only if the pattern matches them but nothing below.
  const levels = new Set<string>();
  for (const p of shared) {
    await giveWay();
    if (matches(p.name) || !selectable(p.name)) continue;
    for (let i = p.name.indexOf("/"); i > 0; i = p.name.indexOf("/", i + 1)) {
      const level = p.name.slice(0, i);
      if (!names.has(level) && !args.subscribed && !args.specialUseOnly) levels.add(level);
    }
  }
  for (const n of levels) names.add(n);

  const showSubscribed = args.returnSubscribed || args.subscribed;
  for (const name of [...names].sort(inboxFirst)) {
    await giveWay();
    if (!matches(name)) continue;
    const selected = selectable(name);
    const child = args.recursive && withChild.has(name);
    if (!selected && !child) continue;
    const m = byName.get(name);
    const attrs: string[] = [];
    if (levels.has(name)) attrs.push("\\NonExistent", "\\Noselect", "\\HasChildren");
    else if (!m) attrs.push("\\NonExistent");
    if (showSubscribed && subscribed.has(name)) attrs.push("\\Subscribed");
    if (m) attrs.push(parents.has(name) ? "\\HasChildren" : "\\HasNoChildren");
    // RFC 6154 §2 allows special uses in every answer, and clients that don't ask rely on it.
    for (const [bit, use] of specialUseNames) if (specialUse(m) & bit) attrs.push(use);
    const info: string[] = [];
    if (child) {
      const of = [
        args.subscribed ? `"SUBSCRIBED"` : "",
        args.specialUseOnly ? `"SPECIAL-USE"` : "",
      ];
      info.push(`"CHILDINFO" (${of.filter(Boolean).join(" ")})`);
    }
    const extended = info.length > 0 ? ` (${info.join(" ")})` : "";
    session.untagged(`LIST (${attrs.join(" ")}) "/" ${session.mailboxText(name)}${extended}`);
    if (!m) continue;
    // RFC 8440 §3: for mailboxes that can be selected, and where MYRIGHTS would be answered.
    if (args.returnRights && /[lrikxa]/.test(m.rights)) {
      session.untagged(`MYRIGHTS ${session.mailboxText(name)} ${formatRights(m.rights)}`);
    }
    // RFC 5819 §2: no STATUS for a mailbox that may not be read.
    if (!m.rights.includes("r")) continue;
    if (args.returnStatus.length > 0) session.untagged(statusText(session, m, args.returnStatus));
    if (args.returnMetadata.length > 0) {
      session.conn.write(`* METADATA ${session.mailboxText(name)} (`);
      const { account, mailbox } = m;
      const sharedOnly = account !== session.store;
      const { pieces } = metadataText(account, mailbox.id, args.returnMetadata, 0, { sharedOnly });
      for (const p of pieces) session.conn.write(p);
      session.conn.write(")\r\n");
    }
  }
}

/** Another user's mailbox has a special use for that user only. */
function specialUse(place: Place | undefined): number {
  return place && splitShared(place.name) === undefined ? place.mailbox.specialUse : 0;
}

export const listCommand: Command = {
  name: "LIST",
  states: loggedIn,
  capabilities: [
    "LIST-EXTENDED",
    "LIST-STATUS",
    "SPECIAL-USE",
    "CHILDREN",
    "LIST-METADATA",
    "LIST-MYRIGHTS",
  ],
  parse(cursor, session) {
    cursor.sp();
    const a = parseList(cursor);
    return () => {
      if (a.returnStatus.includes("HIGHESTMODSEQ")) session.enableCondstore();
      return list(session, a);
    };
  },
};
