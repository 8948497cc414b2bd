/**
 * Message sets of commands, as uids.
 *
 * @module
 */
import type { NumSet } from "../../parse/numset.ts";
import { ImapBad } from "../session/answer.ts";
import type { Session } from "../session/session.ts";

/** Uids in the view that the set names. @throws ImapBad for sequence numbers that don't exist */
export function resolveUids(session: Session, set: NumSet, uid: boolean): Uint32Array {
  const uids = session.selected.resolve(set, uid);
  if (!uids) throw new ImapBad(`there are only ${session.selected.count} messages`);
  return uids;
}
