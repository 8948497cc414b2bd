/**
 * Searches whose result is kept up to date while the mailbox is selected (RFC 5267 §4.3).
 *
 * When messages arrive, vanish, or change flags, only these are evaluated again. A sorted result is sorted
 * again to find the positions of those that join it.
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

/** Keeps a result up to date from now on, or reports that it won't be (§4.3.1). */
export function addContext(session: Session, context: Context): void {
  const v = session.selected;
  v.contexts = v.contexts.filter((x) => x.tag !== context.tag);
  if (v.contexts.length >= maxContexts) {
    session.untagged(
      `NO [NOUPDATE ${formatString(context.tag, false)}] too many results are kept up to date`,
    );
    return;
  }
  v.contexts.push(context);
}

/** One item of an update, such as ADDTO (0 3:5). */
function item(
  session: Session,
  context: Context,
  name: string,
  pairs: [number, number[]][],
): string {
  const text = pairs.map(([position, uids]) => {
    const numbers = context.uid ? uids : uids.map((u) => session.selected.seqOf(u));
    return `${position} ${formatNumSet(numbers)}`;
  });
  return ` ${name} (${text.join(" ")})`;
}

function tell(session: Session, context: Context, items: string): void {
  session.untagged(
    `ESEARCH (TAG ${formatString(context.tag, false)})${context.uid ? " UID" : ""}${items}`,
  );
}

/** Removes uids from a result; returns the item that reports it, "" if none was in it. */
function removeFrom(session: Session, context: Context, gone: ReadonlySet<number>): string {
  const removed = context.result.flatMap((uid, i) => gone.has(uid) ? [[i + 1, [uid]]] : []) as [
    number,
    number[],
  ][];
  if (removed.length === 0) return "";
  context.result = context.result.filter((uid) => !gone.has(uid));
  // From the end, so that each position is right when its message is removed.
  const pairs = context.keys ? removed.reverse() : [[0, removed.flatMap(([, u]) => u)]] as [
    number,
    number[],
  ][];
  return item(session, context, "REMOVEFROM", pairs);
}

/** Reports messages that are about to be expunged, while their numbers are still valid. */
export function beforeExpunge(session: Session, uids: readonly number[]): void {
  const gone = new Set(uids);
  for (const c of session.selected.contexts) {
    const items = removeFrom(session, c, gone);
    if (items !== "") tell(session, c, items);
  }
}

/**
 * Reports how new or changed messages affect the results.
 * @param arrived those of them that are new
 */
export async function updateContexts(
  session: Session,
  touched: Iterable<number>,
  arrived: readonly number[],
): Promise<void> {
  const v = session.selected;
  const uids = Uint32Array.from([...new Set(touched)].filter((u) => v.seqOf(u) > 0)).sort();
  if (uids.length === 0) return;
  for (const c of v.contexts) {
    const { uids: found } = await searchMailbox(v.account, v.mailboxId, c.node, { uids });
    const fits = new Set(found);
    const had = new Set(c.result);
    let items = removeFrom(session, c, new Set([...uids].filter((u) => !fits.has(u))));
    const fresh = found.filter((u) => !had.has(u));
    if (fresh.length > 0) items += await addTo(session, c, fresh);
    if (items !== "") tell(session, c, items);
    // RFC 5465 §7: after the EXISTS, and only for new messages.
    const shown = c.items.length > 0 ? fresh.filter((u) => arrived.includes(u)) : [];
    if (shown.length > 0) {
      await fetchUids(session, Uint32Array.from(shown), c.items, { uid: c.uid });
    }
  }
}

async function addTo(session: Session, context: Context, fresh: number[]): Promise<string> {
  const v = session.selected;
  if (!context.keys) {
    context.result = [...context.result, ...fresh].sort((a, b) => a - b);
    return item(session, context, "ADDTO", [[0, fresh]]);
  }
  const all = [...context.result, ...fresh].sort((a, b) => a - b);
  context.result = await sortUids(v.account, v.mailboxId, all, context.keys);
  const added = new Set(fresh);
  // In the order of their positions: each is right once those before it are in.
  const pairs = context.result.flatMap((uid, i) => added.has(uid) ? [[i + 1, [uid]]] : []) as [
    number,
    number[],
  ][];
  return item(session, context, "ADDTO", pairs);
}
