/** Actions on messages: flags, moving, deleting, muting and collapsing threads. @module */
import type { EmailId, MailboxId } from "../../../store/ids.ts";
import type { Done, SpecialUse as UseName } from "../../../../webmail/api/mod.ts";
import type { Account } from "../../../store/account/account.ts";
import { flagBit } from "../../../store/mailboxes/keywords.ts";
import { setThreadState } from "../../../store/messages/thread_state.ts";
import { Flag, flagNames, type Mailbox, SpecialUse } from "../../../store/types.ts";
import { UserError } from "../../http/mod.ts";
import { missing } from "../errors.ts";
import { bitsFromFlags, bitsFromKeywords, bitsFromUses, type FlagChange } from "./flags.ts";
import type { Noted } from "./noted.ts";
import { countTargets, inWrites, type TargetUids } from "./targets.ts";
import type { Moved, UndoLog } from "./undo.ts";

/** Adds and removes flags and keywords. */
export async function setFlags(
  account: Account,
  targets: TargetUids,
  o: FlagChange,
  noted?: Noted,
): Promise<Done> {
  const remove = bitsFromFlags(o.remove) | bitsFromKeywords(o.removeKeywords);
  const add = bitsFromFlags(o.add) | bitsFromKeywords(o.addKeywords);
  const removeKeywords = o.removeKeywords.filter((k) => flagBit(k) === undefined);
  const addKeywords = o.addKeywords.filter((k) => flagBit(k) === undefined);
  if (add & remove) throw new UserError("a flag can't be added and removed at the same time");
  const change = async (op: "add" | "remove", flags: number, words: string[]) => {
    if (flags === 0 && words.length === 0) return;
    const names = [
      ...flagNames.filter(([bit]) => flags & bit).map(([, name]) => name),
      ...words,
    ];
    for (const { mailboxId, uids } of inWrites(targets)) {
      const { changed } = await account.storeFlags(mailboxId, uids, op, flags, words);
      await noted?.("FLAG", mailboxId, changed.map((m) => m.uid), names);
    }
  };
  await change("remove", remove, removeKeywords);
  await change("add", add, addKeywords);
  return { count: countTargets(targets), undo: null };
}

/** Moves messages to a mailbox; those already there stay. */
export async function moveMessages(
  account: Account,
  targets: TargetUids,
  to: Mailbox,
  undo: Pick<UndoLog, "add">,
  noted?: Noted,
): Promise<Done> {
  targets.delete(to.id);
  const moved: Moved[] = [];
  const wanted = countTargets(targets);
  for (const { mailboxId, uids } of inWrites(targets)) {
    const before = moved.length;
    account.fetch(mailboxId, uids, 0, (m) => {
      moved.push({ id: m.id, mailboxId, flags: m.flags });
    });
    try {
      const { toUids } = await account.move(mailboxId, uids, to.id);
      if (to.specialUse & SpecialUse.Junk) await markJunk(account, to.id, toUids);
      await noted?.("COPY", to.id, toUids);
    } catch (err) {
      if (before === 0) throw err;
      // Neither all nor none: the error gives the number.
      account.log.error("moving messages", { err: err as Error, moved: before, of: wanted });
      throw new UserError(
        `${before} of ${wanted} messages were moved to ${to.name}, the others could not be: try again`,
        { cause: err },
      );
    }
  }
  return { count: moved.length, undo: undo.add(account.name, to.id, moved) };
}

/** What a person puts there is junk, also where the configuration doesn't say so. */
export async function markJunk(
  account: Account,
  mailboxId: MailboxId,
  uids: readonly number[],
): Promise<void> {
  const wrong: number[] = [];
  account.fetch(mailboxId, Uint32Array.from(uids).sort(), 0, (m) => {
    if ((m.flags & (Flag.Junk | Flag.NotJunk)) !== Flag.Junk) wrong.push(m.uid);
  });
  if (wrong.length === 0) return;
  await account.storeFlags(mailboxId, wrong, "remove", Flag.NotJunk, []);
  await account.storeFlags(mailboxId, wrong, "add", Flag.Junk, []);
}

const useNames: Record<UseName, string> = {
  archive: "Archive",
  drafts: "Drafts",
  junk: "Junk",
  sent: "Sent",
  trash: "Trash",
};

/** The mailbox of a special use; one is chosen by its name, or made, if there is none. */
export async function mailboxForUse(account: Account, use: UseName): Promise<Mailbox> {
  const bit = bitsFromUses([use]);
  const found = account.mailboxBySpecialUse(bit);
  if (found !== undefined) return found;
  const named = account.mailboxByName(useNames[use]);
  if (named === undefined) {
    return (await account.createMailbox(useNames[use], { specialUse: bit })).mailbox;
  }
  await account.setSpecialUse(named.id, named.specialUse | bit);
  return account.mailbox(named.id)!;
}

/** Gives a mailbox its special uses; those that had them lose them. */
export async function setSpecialUse(account: Account, id: MailboxId, bits: number): Promise<void> {
  if (account.mailbox(id) === undefined) throw missing("mailbox");
  for (const m of account.mailboxes()) {
    if (m.id !== id && m.specialUse & bits) await account.setSpecialUse(m.id, m.specialUse & ~bits);
  }
  await account.setSpecialUse(id, bits);
}

/** Removes messages permanently. */
export async function expungeMessages(account: Account, targets: TargetUids): Promise<number> {
  let count = 0;
  for (const { mailboxId, uids } of inWrites(targets)) {
    count += (await account.expunge(mailboxId, uids, undefined, { force: true })).uids.length;
  }
  return count;
}

/** Moves messages to the trash; those already there, and all with `forever`, are removed permanently. */
export async function deleteMessages(
  account: Account,
  targets: TargetUids,
  forever: boolean,
  rejects: readonly string[],
  undo: UndoLog,
  noted?: Noted,
): Promise<Done> {
  const gone: TargetUids = new Map();
  const kept: TargetUids = new Map();
  for (const [id, uids] of targets) {
    const m = account.mailbox(id);
    if (m === undefined) continue;
    const last = forever || (m.specialUse & SpecialUse.Trash) !== 0 || rejects.includes(m.name);
    (last ? gone : kept).set(id, uids);
  }
  const expunged = await expungeMessages(account, gone);
  if (kept.size === 0) return { count: expunged, undo: null };
  const moved = await moveMessages(
    account,
    kept,
    await mailboxForUse(account, "trash"),
    undo,
    noted,
  );
  return { count: expunged + moved.count, undo: moved.undo };
}

/** Sets a state of the threads of messages. */
export async function setThreads(
  account: Account,
  targets: TargetUids,
  state: { muted?: boolean; collapsed?: boolean },
): Promise<void> {
  for (const { mailboxId, uids } of inWrites(targets)) {
    const emailIds: EmailId[] = [];
    account.fetch(mailboxId, uids, 0, (m) => {
      emailIds.push(m.emailId);
    });
    await setThreadState(account, emailIds, state);
  }
}
