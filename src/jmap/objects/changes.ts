/** Changes of the objects of the store. @module */
import { cannotCalculate, changesResponse } from "../core/changes.ts";
import { queryDifference } from "../core/query.ts";
import { objectId, type ObjectStore, type ObjectType } from "./store.ts";

/**
 * The response to /queryChanges for objects whose order and position in results never change.
 * @param now ids of the current results, in order
 * @throws MethodError cannotCalculateChanges, tooManyChanges
 */
export function objectQueryChanges(
  store: ObjectStore,
  account: string,
  type: ObjectType,
  args: {
    accountId: string;
    sinceQueryState: string;
    maxChanges?: number | null;
    upToId?: string | null;
    calculateTotal?: boolean | null;
  },
  now: string[],
): Record<string, unknown> {
  const since = /^\d{1,15}$/.test(args.sinceQueryState)
    ? store.changes(account, type, Number(args.sinceQueryState))
    : undefined;
  if (since === undefined) throw cannotCalculate();
  const changed = new Set(since.map((e) => objectId(type, e.order)));
  const before = since.filter((e) => e.kind !== "created").map((e) => objectId(type, e.order));
  return {
    accountId: args.accountId,
    oldQueryState: args.sinceQueryState,
    newQueryState: String(store.state(account, type)),
    ...args.calculateTotal ? { total: now.length } : {},
    ...queryDifference(now, before, (i) => changed.has(now[i]), args),
  };
}

/** The response to /changes. @throws MethodError cannotCalculateChanges */
export function objectChanges(
  store: ObjectStore,
  account: string,
  type: ObjectType,
  args: { accountId: string; sinceState: string; maxChanges?: number | null },
): Record<string, unknown> {
  const m = /^(\d{1,15})(?:-(\d{1,15}))?$/.exec(args.sinceState);
  const events = m ? store.changes(account, type, Number(m[1])) : undefined;
  if (!m || events === undefined) throw cannotCalculate();
  // Each change has its own modseq, so there is nothing after a "-".
  const now = store.state(account, type);
  return changesResponse(args, events, now, (n) => objectId(type, n));
}
