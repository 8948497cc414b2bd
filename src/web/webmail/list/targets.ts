/** Messages that an action applies to: those named, or all that a query finds. @module */
import type { MailboxId } from "../../../store/ids.ts";
import type { Target } from "../../../../webmail/api/mod.ts";
import type { Account } from "../../../store/account/account.ts";
import { placesOf } from "../../../store/messages/listing.ts";
import { searchMailbox } from "../../../store/account/search.ts";
import { UserError } from "../../http/mod.ts";
import { allMayRead, filterTree, type MayRead, queryMailboxes } from "./query.ts";

/** Messages that one write changes: more would hold up others. */
const perWrite = 500;

/** Uids of messages by mailbox, ascending. */
export type TargetUids = Map<MailboxId, Uint32Array>;

/**
 * Finds the messages, leaving out those that no longer exist and those in mailboxes that may not be read.
 */
export async function targetUids(
  account: Account,
  target: Target,
  rejects: readonly string[],
  signal: AbortSignal,
  mayRead: MayRead = allMayRead,
): Promise<TargetUids> {
  if ("ids" in target) {
    const groups = Map.groupBy(placesOf(account.db, target.ids), (m) => m.mailboxId);
    return new Map(
      [...groups].filter(([id]) => mayRead(id)).map((
        [id, list],
      ) => [id, Uint32Array.from(list, (m) => m.uid).sort()]),
    );
  }
  const mailboxes = queryMailboxes(account, target.query, rejects, mayRead);
  if (mailboxes === undefined) throw new UserError("this mailbox is gone");
  const tree = filterTree(target.query.filter);
  const found: TargetUids = new Map();
  for (const m of mailboxes) {
    const uids = tree === undefined ? account.uids(m.id) : Uint32Array.from(
      (await searchMailbox(account, m.id, tree, { stopped: () => signal.aborted })).uids,
    );
    // An incomplete search must not be acted upon.
    signal.throwIfAborted();
    if (uids.length > 0) found.set(m.id, uids);
  }
  return found;
}

/** Messages in batches, one write each. */
export function* inWrites(
  targets: TargetUids,
): Generator<{ mailboxId: MailboxId; uids: Uint32Array }> {
  for (const [mailboxId, uids] of targets) {
    for (let at = 0; at < uids.length; at += perWrite) {
      yield { mailboxId, uids: uids.subarray(at, at + perWrite) };
    }
  }
}

export function countTargets(targets: TargetUids): number {
  let n = 0;
  for (const uids of targets.values()) n += uids.length;
  return n;
}
