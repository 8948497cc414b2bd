/**
 * STORE: flags and keywords of messages. Runs inside a write (see writer.ts).
 *
 * @module
 */
import type { EmailId, MailboxId } from "../ids.ts";
import type { Db } from "../database/database.ts";
import { fetchMessages } from "./fetch.ts";
import { addMailboxKeywords, normalizeKeywords } from "../mailboxes/keywords.ts";
import { applyCounts, CountDelta } from "../mailboxes/counts.ts";
import { nextModseq, requireMailbox } from "../mailboxes/mailboxes.ts";
import { Flag, junkFlags } from "../types.ts";
import type { WriteContext } from "../database/writer.ts";

/** A message as STORE leaves it. */
export interface StoredFlags {
  uid: number;
  modseq: number;
  flags: number;
  keywords: string[];
}

export interface StoreFlagsResult {
  /** Every message that was there and not refused, also those whose flags were right already. */
  changed: StoredFlags[];
  /** Uids refused because they were changed after `unchangedSince`. */
  modified: number[];
  /** Uids asked for that aren't there. */
  missing: number[];
  /** Ids of the messages that became ham or spam, or ceased to be. */
  trainable: number[];
}

/** What may be changed by one who has only some rights; all else stays as it is. */
export interface ChangeableFlags {
  /** Bits. */
  flags: number;
  keywords: boolean;
}

/** Changes flags (RFC 9051 §6.4.6, RFC 7162 §3.1.3). A message that has them already keeps its modseq. */
export function storeFlags(
  db: Db,
  ctx: WriteContext,
  mailboxId: MailboxId,
  uids: ArrayLike<number>,
  op: "set" | "add" | "remove",
  flags: number,
  keywords: readonly string[],
  unchangedSince: number | undefined,
  only?: ChangeableFlags,
): StoreFlagsResult {
  requireMailbox(db, mailboxId);
  const words = normalizeKeywords(keywords);
  const r: StoreFlagsResult = { changed: [], modified: [], missing: [], trainable: [] };
  const delta = new CountDelta();
  const updates: { id: number; at: number }[] = [];
  const restored: { id: number; emailId: EmailId }[] = [];
  let next = 0;
  fetchMessages(db, mailboxId, uids, 0, (m) => {
    while (next < uids.length && uids[next] < m.uid) r.missing.push(uids[next++]);
    next++;
    if (unchangedSince !== undefined && m.modseq > unchangedSince) {
      r.modified.push(m.uid);
      return;
    }
    let newFlags = op === "set" ? flags : op === "add" ? m.flags | flags : m.flags & ~flags;
    if (only) newFlags = (m.flags & ~only.flags) | (newFlags & only.flags);
    const newWords = words.length === 0 && op !== "set" || only?.keywords === false
      ? m.keywords
      : combine(m.keywords, op, words);
    const list = newWords === "" ? [] : newWords.split(" ");
    r.changed.push({ uid: m.uid, modseq: m.modseq, flags: newFlags, keywords: list });
    if (newFlags === m.flags && newWords === m.keywords) return;
    delta.countFlags(-1, m.flags);
    delta.countFlags(1, newFlags);
    if ((m.flags ^ newFlags) & junkFlags) r.trainable.push(m.id);
    if (m.flags & ~newFlags & Flag.Deleted) restored.push({ id: m.id, emailId: m.emailId });
    updates.push({ id: m.id, at: r.changed.length - 1 });
  });
  while (next < uids.length) r.missing.push(uids[next++]);
  if (updates.length === 0) return r;
  const modseq = nextModseq(db);
  if (op !== "remove" && only?.keywords !== false) {
    addMailboxKeywords(db, ctx, mailboxId, keywords);
  }
  for (const u of updates) {
    const c = r.changed[u.at];
    c.modseq = modseq;
    db.run(
      "UPDATE messages SET flags = ?, keywords = ?, modseq = ? WHERE id = ?",
      c.flags,
      c.keywords.join(" "),
      modseq,
      u.id,
    );
    ctx.changes.push({ kind: "changeFlags", mailboxId, messageId: u.id, ...c });
  }
  for (const { id, emailId } of restored) appearAgain(db, id, emailId, modseq);
  applyCounts(db, ctx, mailboxId, delta, modseq);
  return r;
}

/**
 * To JMAP, where a message with \Deleted isn't there (RFC 8621 §4.1.1), an email comes into being when none of its
 * others is.
 */
function appearAgain(db: Db, id: number, emailId: EmailId, modseq: number): void {
  db.run(
    "UPDATE threads SET createseq = ?1 WHERE email_id = ?2 AND NOT EXISTS (SELECT 1 FROM messages " +
      "WHERE email_id = ?2 AND expunged = 0 AND flags & 8 = 0 AND id != ?3)",
    modseq,
    emailId,
    id,
  );
}

function combine(have: string, op: "set" | "add" | "remove", words: readonly string[]): string {
  if (op === "set") return words.join(" ");
  const set = new Set(have === "" ? [] : have.split(" "));
  for (const w of words) {
    if (op === "add") set.add(w);
    else set.delete(w);
  }
  return normalizeKeywords([...set]).join(" ");
}
