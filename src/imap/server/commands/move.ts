/**
 * MOVE and UID MOVE (RFC 9051 §6.4.8, RFC 6851).
 *
 * @module
 */
import type { Answer } from "../session/answer.ts";
import { copyToAccount } from "../messages/between_accounts.ts";
import { deliverChanges } from "../updates/changes.ts";
import type { Command } from "../session/command.ts";
import { copied, noteCopied, parseCopy, staysWithin } from "../messages/copying.ts";
import { place, requireRight } from "../mailboxes/places.ts";
import type { Place } from "../names/names.ts";
import { resolveUids } from "../messages/resolve.ts";
import { State } from "../session/session.ts";
import type { View } from "../session/view.ts";

function moveCommand(uid: boolean): Command {
  return {
    name: uid ? "UID MOVE" : "MOVE",
    states: State.Selected,
    capabilities: ["MOVE"],
    parse(cursor, session) {
      const { set, name } = parseCopy(cursor, uid);
      return async (): Promise<Answer | void> => {
        if (!uid) session.requireSequenceNumbers();
        const uids = resolveUids(session, set, uid);
        const v = session.writable();
        // RFC 6851 §4.4.
        requireRight(v.rights, "t");
        requireRight(v.rights, "e");
        const to = await place(session, name, "i", "TRYCREATE");
        if (uids.length === 0) return;
        const r = staysWithin(v, to)
          ? await v.account.move(v.mailboxId, uids, to.mailbox.id)
          : await moveToAccount(v, uids, to);
        await noteCopied(session, to, r.toUids);
        // RFC 6851 §4.3: COPYUID comes before the expunges, untagged.
        const { code } = copied(r);
        if (code) session.untagged(`OK [${code}] moved`);
        await deliverChanges(session, true);
        if (session.condstore) return { code: `HIGHESTMODSEQ ${r.modseq}`, text: "moved" };
      };
    },
  };
}

/** Copies are made before the originals are removed: if the server stops in between, both exist. */
async function moveToAccount(view: View, uids: Uint32Array, to: Place) {
  const copied = await copyToAccount(view, uids, to);
  const { modseq } = await view.account.expunge(view.mailboxId, copied.fromUids, undefined, {
    force: true,
  });
  return { ...copied, modseq };
}

export const moveBySeq = moveCommand(false);
export const moveByUid = moveCommand(true);
