/**
 * Changing an email as a whole: its keywords in all of its messages, its mailboxes, and destroying it. Runs
 * inside a write (see writer.ts).
 *
 * @module
 */
import type { EmailId, MailboxId } from "../ids.ts";
import type { Db } from "../database/database.ts";
import type { WriteContext } from "../database/writer.ts";
import { copyMessages, moveMessages } from "./copy_move.ts";
import { expungeMessages } from "./expunge.ts";
import type { MailboxRules } from "./insert.ts";
import { storeFlags } from "./store_flags.ts";
import { Flag, StoreError } from "../types.ts";

/** Keywords of an email: those with a bit of Flag, and the others in lower case. */
export interface EmailKeywords {
  flags: number;
  words: string[];
}

/**
 * The changes of an email. Each function gets the value at the time of the change, so that no change is lost.
 */
export interface EmailChange {
  keywords?: (before: EmailKeywords) => EmailKeywords;
  /** Ids of mailboxes. */
  mailboxes?: (before: readonly MailboxId[]) => readonly MailboxId[];
}

interface Place {
  mailboxId: MailboxId;
  uid: number;
  flags: number;
  keywords: string;
}

/** The messages of an email, including those with \Deleted. */
function placesOf(db: Db, emailId: EmailId): Place[] {
  return db.all(
    "SELECT mailbox_id, uid, flags, keywords FROM messages WHERE email_id = ? AND expunged = 0 ORDER BY id",
    emailId,
  ).map(([mailboxId, uid, flags, keywords]) => ({ mailboxId, uid, flags, keywords }));
}

/**
 * Changes an email; all or nothing.
 * @returns ids of messages that became ham or spam by it, or are neither any more
 * @throws StoreError "emailMissing", "mailboxMissing", "keyword", "tooManyKeywords"
 */
export function updateEmail(
  db: Db,
  ctx: WriteContext,
  rules: MailboxRules,
  emailId: EmailId,
  change: EmailChange,
  removeFiles: (emailIds: EmailId[]) => void,
): number[] {
  const places = placesOf(db, emailId).filter((p) => (p.flags & Flag.Deleted) === 0);
  if (places.length === 0) throw new StoreError("emailMissing", "email is gone");
  const trainable: number[] = [];
  if (change.keywords) {
    const before: EmailKeywords = { flags: 0, words: [] };
    for (const p of places) {
      before.flags |= p.flags;
      if (p.keywords !== "") before.words.push(...p.keywords.split(" "));
    }
    const { flags, words } = change.keywords({ ...before, words: [...new Set(before.words)] });
    for (const p of places) {
      const r = storeFlags(db, ctx, p.mailboxId, [p.uid], "set", flags, words, undefined);
      trainable.push(...r.trainable);
    }
  }
  if (change.mailboxes) {
    const before = [...new Set(places.map((p) => p.mailboxId))];
    const after = [...new Set(change.mailboxes(before))];
    const added = after.filter((id) => !before.includes(id));
    const removed = before.filter((id) => !after.includes(id));
    const uidsIn = (id: MailboxId) =>
      places.filter((p) => p.mailboxId === id).map((p) => p.uid).sort((a, b) => a - b);
    // One that leaves a mailbox and enters another is moved: its delivery record goes with it.
    const moves = Math.min(added.length, removed.length);
    for (const id of added.slice(moves)) {
      const { mailboxId, uid } = places[0];
      trainable.push(...copyMessages(db, ctx, rules, mailboxId, [uid], id).trainable);
    }
    for (let i = 0; i < moves; i++) {
      const [uid, ...twins] = uidsIn(removed[i]);
      trainable.push(...moveMessages(db, ctx, rules, removed[i], [uid], added[i]).trainable);
      if (twins.length > 0) expungeMessages(db, ctx, removed[i], twins, true, removeFiles);
    }
    for (const id of removed.slice(moves)) {
      expungeMessages(db, ctx, id, uidsIn(id), true, removeFiles);
    }
  }
  return trainable;
}

/** Expunges the messages of an email. @throws StoreError "emailMissing" */
export function destroyEmail(
  db: Db,
  ctx: WriteContext,
  emailId: EmailId,
  may: (mailboxId: MailboxId) => boolean,
  removeFiles: (emailIds: EmailId[]) => void,
): void {
  const places = placesOf(db, emailId).filter((p) => may(p.mailboxId));
  if (places.length === 0) throw new StoreError("emailMissing", "email is gone");
  for (const id of new Set(places.map((p) => p.mailboxId))) {
    const uids = places.filter((p) => p.mailboxId === id).map((p) => p.uid).sort((a, b) => a - b);
    expungeMessages(db, ctx, id, uids, true, removeFiles);
  }
}
