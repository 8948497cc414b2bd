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

async function list(s: Session, a: ListArgs): Promise<Answer | void> {
  if (a.basic && a.patterns[0] === "") {
    // RFC 9051 §6.3.9: asks for the delimiter.
    s.untagged(`LIST (\\Noselect) "/" ""`);
    return;
  }
  const matches = nameMatcher(a.reference, a.patterns);
  const own = s.store.mailboxes().map((mailbox): Place => ({
    account: s.store,
    mailbox,
    name: mailbox.name,
    rights: allRights,
  }));
  const shared = await sharedPlaces(s);
  const mailboxes = [...own, ...shared];
  const byName = new Map(mailboxes.map((m) => [m.name, m]));
  const subscribed = new Set(s.store.subscriptions());
  const parents = new Set<string>();
  const addParents = (name: string, set: Set<string>) => {
    for (let i = name.indexOf("/"); i > 0; i = name.indexOf("/", i + 1)) set.add(name.slice(0, i));
  };
  for (const m of mailboxes) addParents(m.name, parents);

  const selectable = (name: string): boolean => {
    if (a.subscribed && !subscribed.has(name)) return false;
    if (a.specialUseOnly && !specialUse(byName.get(name))) return false;
    return true;
  };
  const names = new Set(mailboxes.map((m) => m.name));
  if (a.subscribed) { for (const n of subscribed) names.add(n); }
  // RFC 5258 §3.5: with RECURSIVEMATCH the parents of what is selected but doesn't match are listed.
  const withChild = new Set<string>();
  if (a.recursive) {
    for (const n of names) if (selectable(n)) addParents(n, withChild);
    for (const n of withChild) names.add(n);
  }

  // Levels above mailboxes of others exist only for those who see just them, not what is below.
  const levels = new Set<string>();
  for (const p of shared) {
    await giveWay();
    if (matches(p.name) || !selectable(p.name)) continue;
    for (let i = p.name.indexOf("/"); i > 0; i = p.name.indexOf("/", i + 1)) {
      const level = p.name.slice(0, i);
      if (!names.has(level) && !a.subscribed && !a.specialUseOnly) levels.add(level);
    }
  }
  for (const n of levels) names.add(n);

  const showSubscribed = a.returnSubscribed || a.subscribed;
  for (const name of [...names].sort(inboxFirst)) {
    await giveWay();
    if (!matches(name)) continue;
    const selected = selectable(name);
    const child = a.recursive && withChild.has(name);
    if (!selected && !child) continue;
    const m = byName.get(name);
    const attrs: string[] = [];
    if (levels.has(name)) attrs.push("\\NonExistent", "\\Noselect", "\\HasChildren");
    else if (!m) attrs.push("\\NonExistent");
    if (showSubscribed && subscribed.has(name)) attrs.push("\\Subscribed");
    if (m) attrs.push(parents.has(name) ? "\\HasChildren" : "\\HasNoChildren");
    // RFC 6154 §2 lets special uses be in every answer, and clients that don't ask rely on it.
    for (const [bit, use] of specialUseNames) if (specialUse(m) & bit) attrs.push(use);
    const info: string[] = [];
    if (child) {
      const of = [a.subscribed ? `"SUBSCRIBED"` : "", a.specialUseOnly ? `"SPECIAL-USE"` : ""];
      info.push(`"CHILDINFO" (${of.filter(Boolean).join(" ")})`);
    }
    const extended = info.length > 0 ? ` (${info.join(" ")})` : "";
    s.untagged(`LIST (${attrs.join(" ")}) "/" ${s.mailboxText(name)}${extended}`);
    if (!m) continue;
    // RFC 8440 §3: of what can be selected, and where MYRIGHTS would be answered.
    if (a.returnRights && /[lrikxa]/.test(m.rights)) {
      s.untagged(`MYRIGHTS ${s.mailboxText(name)} ${formatRights(m.rights)}`);
    }
    // RFC 5819 §2: no STATUS of what may not be read.
    if (!m.rights.includes("r")) continue;
    if (a.returnStatus.length > 0) s.untagged(statusText(s, m, a.returnStatus));
    if (a.returnMetadata.length > 0) {
      s.conn.write(`* METADATA ${s.mailboxText(name)} (`);
      const { account, mailbox } = m;
      const sharedOnly = account !== s.store;
      const { pieces } = metadataText(account, mailbox.id, a.returnMetadata, 0, { sharedOnly });
      for (const p of pieces) s.conn.write(p);
      s.conn.write(")\r\n");
    }
  }
}

/** Those of others have a special use for them only. */
function specialUse(p: Place | undefined): number {
  return p && splitShared(p.name) === undefined ? p.mailbox.specialUse : 0;
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
  parse(c, s) {
    c.sp();
    const a = parseList(c);
    return () => {
      if (a.returnStatus.includes("HIGHESTMODSEQ")) s.enableCondstore();
      return list(s, a);
    };
  },
};
