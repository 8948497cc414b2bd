/**
 * EXPUNGE and UID EXPUNGE (RFC 9051 §6.4.3 and §6.4.9, RFC 4315 §2.1).
 *
 * @module
 */
import { parseNumSet } from "../../parse/numset.ts";
import type { Answer } from "../session/answer.ts";
import { deliverChanges } from "../updates/changes.ts";
import type { Command } from "../session/command.ts";
import { requireRight } from "../mailboxes/places.ts";
import { resolveUids } from "../messages/resolve.ts";
import { State } from "../session/session.ts";

function expungeCommand(uid: boolean): Command {
  return {
    name: uid ? "UID EXPUNGE" : "EXPUNGE",
    states: State.Selected,
    parse(cursor, session) {
      let set: ReturnType<typeof parseNumSet> | undefined;
      if (uid) {
        cursor.sp();
        set = parseNumSet(cursor, "uid set");
      }
      return async (): Promise<Answer | void> => {
        const v = session.writable();
        requireRight(v.rights, "e");
        const uids = set ? resolveUids(session, set, true) : undefined;
        const r = await v.account.expunge(v.mailboxId, uids);
        await deliverChanges(session, true);
        // RFC 7162 §3.2.7.
        if (session.condstore && r.uids.length > 0) {
          return { code: `HIGHESTMODSEQ ${r.modseq}`, text: "expunged" };
        }
      };
    },
  };
}

export const expunge = expungeCommand(false);

export const expungeByUid = expungeCommand(true);
