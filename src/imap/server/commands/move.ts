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
    parse(c, s) {
      const { set, name } = parseCopy(c, uid);
      return async (): Promise<Answer | void> => {
        if (!uid) s.requireSequenceNumbers();
        const uids = resolveUids(s, set, uid);
        const v = s.writable();
        // RFC 6851 §4.4.
        requireRight(v.rights, "t");
        requireRight(v.rights, "e");
        const to = await place(s, name, "i", "TRYCREATE");
        if (uids.length === 0) return;
        const r = staysWithin(v, to)
          ? await v.account.move(v.mailboxId, uids, to.mailbox.id)
          : await moveToAccount(v, uids, to);
        noteCopied(s, to, r.toUids);
        // RFC 6851 §4.3: COPYUID comes before the expunges, untagged.
        const { code } = copied(r);
        if (code) s.untagged(`OK [${code}] moved`);
        await deliverChanges(s, true);
        if (s.condstore) return { code: `HIGHESTMODSEQ ${r.modseq}`, text: "moved" };
      };
    },
  };
}

/** The copies are there before the originals go: should the server end in between, there are both. */
async function moveToAccount(v: View, uids: Uint32Array, to: Place) {
  const copied = await copyToAccount(v, uids, to);
  const { modseq } = await v.account.expunge(v.mailboxId, copied.fromUids, undefined, {
    force: true,
  });
  return { ...copied, modseq };
}

export const moveBySeq = moveCommand(false);
export const moveByUid = moveCommand(true);
