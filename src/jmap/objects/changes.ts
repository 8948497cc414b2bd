/** Changes of the objects of the store. @module */
import { cannotCalculate, changesResponse } from "../core/changes.ts";
import { objectId, type ObjectStore, type ObjectType } from "./store.ts";

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
  // Each change has a modseq of its own, so there is nothing behind a "-".
  const now = store.state(account, type);
  return changesResponse(args, events, now, (n) => objectId(type, n));
}
