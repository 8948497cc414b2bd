/**
 * Searches whose result is kept up to date while the mailbox is selected (RFC 5267 §4.3).
 *
 * When messages come, go, or change their flags, only these are looked at again. A sorted result is put in order
 * anew for the places of those that come into it.
 *
 * @module
 */
import { searchMailbox } from "../../../store/account/search.ts";
import { formatString } from "../../format/text.ts";
import { formatNumSet } from "../../parse/numset.ts";
import { fetchUids } from "../fetch/rows.ts";
import type { Session } from "../session/session.ts";
import type { Context } from "../session/search_context.ts";
import { sortUids } from "./kept_orders.ts";

/** Results of a mailbox that are kept up to date. */
const maxContexts = 16;

/** Keeps a result up to date from now on, or tells that it is not (§4.3.1). */
export function addContext(s: Session, c: Context): void {
  const v = s.selected;
  v.contexts = v.contexts.filter((x) => x.tag !== c.tag);
  if (v.contexts.length >= maxContexts) {
    s.untagged(`NO [NOUPDATE ${formatString(c.tag, false)}] too many results are kept up to date`);
    return;
  }
  v.contexts.push(c);
}

/** One item of an update, such as ADDTO (0 3:5). */
function item(s: Session, c: Context, name: string, pairs: [number, number[]][]): string {
  const text = pairs.map(([position, uids]) => {
    const numbers = c.uid ? uids : uids.map((u) => s.selected.seqOf(u));
    return `${position} ${formatNumSet(numbers)}`;
  });
  return ` ${name} (${text.join(" ")})`;
}

function tell(s: Session, c: Context, items: string): void {
  s.untagged(`ESEARCH (TAG ${formatString(c.tag, false)})${c.uid ? " UID" : ""}${items}`);
}

/** Takes uids out of a result; the item that tells so, "" if none was in it. */
function removeFrom(s: Session, c: Context, gone: ReadonlySet<number>): string {
  const removed = c.result.flatMap((uid, i) => gone.has(uid) ? [[i + 1, [uid]]] : []) as [
    number,
    number[],
  ][];
  if (removed.length === 0) return "";
  c.result = c.result.filter((uid) => !gone.has(uid));
  // From the end, so that each place is right when its message is taken out.
  const pairs = c.keys ? removed.reverse() : [[0, removed.flatMap(([, u]) => u)]] as [
    number,
    number[],
  ][];
  return item(s, c, "REMOVEFROM", pairs);
}

/** Tells of messages that are about to be expunged: their numbers still hold. */
export function beforeExpunge(s: Session, uids: readonly number[]): void {
  const gone = new Set(uids);
  for (const c of s.selected.contexts) {
    const items = removeFrom(s, c, gone);
    if (items !== "") tell(s, c, items);
  }
}

/**
 * Tells what has become of results by messages that are new or were changed.
 * @param arrived those of them that are new
 */
export async function updateContexts(
  s: Session,
  touched: Iterable<number>,
  arrived: readonly number[],
): Promise<void> {
  const v = s.selected;
  const uids = Uint32Array.from([...new Set(touched)].filter((u) => v.seqOf(u) > 0)).sort();
  if (uids.length === 0) return;
  for (const c of v.contexts) {
    const { uids: found } = await searchMailbox(v.account, v.mailboxId, c.node, { uids });
    const fits = new Set(found);
    const had = new Set(c.result);
    let items = removeFrom(s, c, new Set([...uids].filter((u) => !fits.has(u))));
    const fresh = found.filter((u) => !had.has(u));
    if (fresh.length > 0) items += await addTo(s, c, fresh);
    if (items !== "") tell(s, c, items);
    // RFC 5465 §7: after the EXISTS, and not for those that were there before.
    const shown = c.items.length > 0 ? fresh.filter((u) => arrived.includes(u)) : [];
    if (shown.length > 0) await fetchUids(s, Uint32Array.from(shown), c.items, { uid: c.uid });
  }
}

async function addTo(s: Session, c: Context, fresh: number[]): Promise<string> {
  const v = s.selected;
  if (!c.keys) {
    c.result = [...c.result, ...fresh].sort((a, b) => a - b);
    return item(s, c, "ADDTO", [[0, fresh]]);
  }
  const all = [...c.result, ...fresh].sort((a, b) => a - b);
  c.result = await sortUids(v.account, v.mailboxId, all, c.keys);
  const added = new Set(fresh);
  // In the order of their places: each is right when those before it are in.
  const pairs = c.result.flatMap((uid, i) => added.has(uid) ? [[i + 1, [uid]]] : []) as [
    number,
    number[],
  ][];
  return item(s, c, "ADDTO", pairs);
}
