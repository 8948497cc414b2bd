/**
 * COPY, MOVE (RFC 6851), EXPUNGE and UID EXPUNGE (RFC 4315).
 *
 * @module
 */
import { formatNumSet, parseNumSet } from "../../parse/numset.ts";
import type { Answer } from "../answer.ts";
import { deliverChanges } from "../changes.ts";
import type { Command } from "../command.ts";
import { copyToAccount } from "../between_accounts.ts";
import { changeableFlags, type Place, place, requireRight } from "../places.ts";
import { resolveUids } from "../resolve.ts";
import type { View } from "../view.ts";
import { State } from "../session.ts";

function copyCommand(uid: boolean, move: boolean): Command {
  const verb = move ? "MOVE" : "COPY";
  return {
    name: uid ? `UID ${verb}` : verb,
    states: State.Selected,
    capabilities: [move ? "MOVE" : "UIDPLUS"],
    parse(c, s) {
      c.sp();
      const set = parseNumSet(c, uid ? "uid set" : "sequence set");
      c.sp();
      const name = c.mailbox();
      return async (): Promise<Answer | void> => {
        if (!uid) s.requireSequenceNumbers();
        const uids = resolveUids(s, set, uid);
        const v = move ? s.writable() : s.selected;
        const { account, mailboxId } = v;
        if (move) {
          // RFC 6851 §4.4.
          requireRight(v.rights, "t");
          requireRight(v.rights, "e");
        }
        const to = await place(s, name, "i", "TRYCREATE");
        if (uids.length === 0) return;
        // With all rights flags stay as they are, and no file is touched.
        const within = to.account === account && !changeableFlags(to.rights);
        if (!move) {
          return copied(
            within
              ? await account.copy(mailboxId, uids, to.mailbox.id)
              : await copyToAccount(v, uids, to),
          );
        }
        const r = within
          ? await account.move(mailboxId, uids, to.mailbox.id)
          : await moveToAccount(v, uids, to);
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

function copied(r: { fromUids: number[]; toUids: number[]; uidValidity: number }): Answer {
  // RFC 4315 §3: no COPYUID if nothing was copied.
  if (r.fromUids.length === 0) return {};
  return {
    code: `COPYUID ${r.uidValidity} ${formatNumSet(r.fromUids)} ${formatNumSet(r.toUids)}`,
    text: "copied",
  };
}

export const copyBySeq = copyCommand(false, false);
export const copyByUid = copyCommand(true, false);
export const moveBySeq = copyCommand(false, true);
export const moveByUid = copyCommand(true, true);

function expungeCommand(uid: boolean): Command {
  return {
    name: uid ? "UID EXPUNGE" : "EXPUNGE",
    states: State.Selected,
    parse(c, s) {
      let set: ReturnType<typeof parseNumSet> | undefined;
      if (uid) {
        c.sp();
        set = parseNumSet(c, "uid set");
      }
      return async (): Promise<Answer | void> => {
        const v = s.writable();
        requireRight(v.rights, "e");
        const uids = set ? resolveUids(s, set, true) : undefined;
        const r = await v.account.expunge(v.mailboxId, uids);
        await deliverChanges(s, true);
        // RFC 7162 §3.2.7.
        if (s.condstore && r.uids.length > 0) {
          return { code: `HIGHESTMODSEQ ${r.modseq}`, text: "expunged" };
        }
      };
    },
  };
}

export const expunge = expungeCommand(false);
export const expungeByUid = expungeCommand(true);
