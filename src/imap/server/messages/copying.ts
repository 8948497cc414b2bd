/**
 * What COPY and MOVE share: their arguments, the copying, and the COPYUID answer.
 *
 * @module
 */
import type { Cursor } from "../../parse/cursor.ts";
import { formatNumSet, type NumSet, parseNumSet } from "../../parse/numset.ts";
import type { Answer } from "../session/answer.ts";
import { changeableFlags } from "../../../store/messages/flag_rights.ts";
import type { Place } from "../names/names.ts";
import type { Session } from "../session/session.ts";
import type { View } from "../session/view.ts";

/** Reads the message set and the target mailbox. @throws ParseError */
export function parseCopy(cursor: Cursor, uid: boolean): { set: NumSet; name: string } {
  cursor.sp();
  const set = parseNumSet(cursor, uid ? "uid set" : "sequence set");
  cursor.sp();
  return { set, name: cursor.mailbox() };
}

/** Within one account and with all rights, flags are unchanged and no file is touched. */
export function staysWithin(view: View, to: Place): boolean {
  return to.account === view.account && !changeableFlags(to.rights);
}

/** Notifies scripts of messages added to a mailbox (RFC 6785); durable when it resolves. */
export async function noteCopied(
  session: Session,
  to: Place,
  toUids: readonly number[],
): Promise<void> {
  await session.backend.scripts?.note({
    account: to.account,
    login: session.login ?? "",
    cause: "COPY",
    mailboxId: to.mailbox.id,
    uids: toUids,
    changedFlags: [],
  });
}

/** The COPYUID answer (RFC 4315 §3); none if nothing was copied. */
export function copied(
  r: { fromUids: number[]; toUids: number[]; uidValidity: number },
): Answer {
  if (r.fromUids.length === 0) return {};
  return {
    code: `COPYUID ${r.uidValidity} ${formatNumSet(r.fromUids)} ${formatNumSet(r.toUids)}`,
    text: "copied",
  };
}
