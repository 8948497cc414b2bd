/**
 * COPY and UID COPY (RFC 9051 §6.4.7), with COPYUID (RFC 4315 §3).
 *
 * @module
 */
import type { Answer } from "../session/answer.ts";
import { copyToAccount } from "../messages/between_accounts.ts";
import type { Command } from "../session/command.ts";
import { copied, noteCopied, parseCopy, staysWithin } from "../messages/copying.ts";
import { place } from "../mailboxes/places.ts";
import { resolveUids } from "../messages/resolve.ts";
import { State } from "../session/session.ts";

function copyCommand(uid: boolean): Command {
  return {
    name: uid ? "UID COPY" : "COPY",
    states: State.Selected,
    capabilities: ["UIDPLUS"],
    parse(cursor, session) {
      const { set, name } = parseCopy(cursor, uid);
      return async (): Promise<Answer | void> => {
        if (!uid) session.requireSequenceNumbers();
        const uids = resolveUids(session, set, uid);
        const v = session.selected;
        const to = await place(session, name, "i", "TRYCREATE");
        if (uids.length === 0) return;
        const r = staysWithin(v, to)
          ? await v.account.copy(v.mailboxId, uids, to.mailbox.id)
          : await copyToAccount(v, uids, to);
        await noteCopied(session, to, r.toUids);
        return copied(r);
      };
    },
  };
}

export const copyBySeq = copyCommand(false);
export const copyByUid = copyCommand(true);
