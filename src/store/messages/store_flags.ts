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
import { runsOf } from "./runs.ts";
import type { MailboxRows } from "./mailbox_rows.ts";
import type { WriteContext } from "../database/writer.ts";

/** How a message's flags are changed. */
export type FlagsOp = "set" | "add" | "remove";

/** A message after STORE. */
export interface StoredFlags {
  uid: number;
  modseq: number;
  flags: number;
  keywords: string[];
}

export interface StoreFlagsResult {
  /** Every existing message that was not refused, including those that had the flags already. */
  changed: StoredFlags[];
  /** Uids refused because they were changed after `unchangedSince`. */
  modified: number[];
  /** Requested uids that don't exist. */
  missing: number[];
  /** Ids of messages that became ham or spam, or are neither any more. */
  trainable: number[];
}

/** The flags that a user with limited rights may change; all others stay unchanged. */
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
  op: FlagsOp,
  flags: number,
  keywords: readonly string[],
  unchangedSince: number | undefined,
  only?: ChangeableFlags,
): StoreFlagsResult {
  requireMailbox(db, mailboxId);
  const words = normalizeKeywords(keywords);
  const r: StoreFlagsResult = { changed: [], modified: [], missing: [], trainable: [] };
  const delta = new CountDelta();
  const mask = maskOf(op, flags, only);
  const updates: Update[] = [];
  const restored: { id: number; emailId: EmailId }[] = [];
  let next = 0;
  fetchMessages(db, mailboxId, uids, 0, (row) => {
    while (next < uids.length && uids[next] < row.uid) r.missing.push(uids[next++]);
    next++;
    if (unchangedSince !== undefined && row.modseq > unchangedSince) {
      r.modified.push(row.uid);
      return;
    }
    const newFlags = row.flags & mask.keep | mask.set;
    const newWords = wordsAfter(row.keywords, op, words, only);
    const list = newWords === "" ? noKeywords : newWords.split(" ");
    r.changed.push({ uid: row.uid, modseq: row.modseq, flags: newFlags, keywords: list });
    if (newFlags === row.flags && newWords === row.keywords) return;
    delta.countFlags(-1, row.flags);
    delta.countFlags(1, newFlags);
    if ((row.flags ^ newFlags) & junkFlags) r.trainable.push(row.id);
    if (row.flags & ~newFlags & Flag.Deleted) restored.push({ id: row.id, emailId: row.emailId });
    updates.push({ id: row.id, at: r.changed.length - 1, words: newWords });
  });
  while (next < uids.length) r.missing.push(uids[next++]);
  if (updates.length === 0) return r;
  const modseq = nextModseq(db);
  if (op !== "remove" && only?.keywords !== false) {
    addMailboxKeywords(db, ctx, mailboxId, keywords);
  }
  updateRows(db, updates, mask, modseq);
  for (const u of updates) {
    const c = r.changed[u.at];
    c.modseq = modseq;
    ctx.changes.push({ kind: "changeFlags", mailboxId, messageId: u.id, ...c });
  }
  for (const { id, emailId } of restored) appearAgain(db, id, emailId, modseq);
  applyCounts(db, ctx, mailboxId, delta, modseq);
  return r;
}

const noKeywords: string[] = [];

/** A message to write: its id, its index among the changed ones, its keywords. */
interface Update {
  id: number;
  at: number;
  words: string;
}

/** The result for any flags: `have & keep | set`. */
function maskOf(op: FlagsOp, flags: number, only?: ChangeableFlags): { keep: number; set: number } {
  const keep = op === "set" ? 0 : op === "add" ? ~0 : ~flags;
  const set = op === "remove" ? 0 : flags;
  return only ? { keep: keep | ~only.flags, set: set & only.flags } : { keep, set };
}

/**
 * Writes flags, with one statement for messages with consecutive ids, which takes half the time of one for
 * each.
 */
function updateRows(
  db: Db,
  updates: readonly Update[],
  { keep, set }: { keep: number; set: number },
  modseq: number,
): void {
  const together = (i: number) =>
    updates[i].id === updates[i - 1].id + 1 && updates[i].words === updates[i - 1].words;
  for (const { from, end } of runsOf(updates.length, together)) {
    const { id, words } = updates[from];
    db.run(
      "UPDATE messages SET flags = (flags & ?) | ?, keywords = ?, modseq = ? " +
        "WHERE id >= ? AND id <= ?",
      keep,
      set,
      words,
      modseq,
      id,
      updates[end - 1].id,
    );
  }
}

function wordsAfter(
  have: string,
  op: FlagsOp,
  words: readonly string[],
  only?: ChangeableFlags,
): string {
  const same = words.length === 0 && (op !== "set" || have === "") || only?.keywords === false;
  return same ? have : combine(have, op, words);
}

/**
 * {@link storeFlags} for messages that all have the flags already: programs mark whole mailboxes as read again
 * and again. Reads rows in memory, outside of a write; so everything in them must be durable.
 * @returns undefined if one of them would change
 */
export function unchangedFlags(
  rows: MailboxRows,
  uids: ArrayLike<number>,
  op: FlagsOp,
  flags: number,
  keywords: readonly string[],
  unchangedSince: number | undefined,
  only?: ChangeableFlags,
): StoreFlagsResult | undefined {
  const words = normalizeKeywords(keywords);
  const r: StoreFlagsResult = { changed: [], modified: [], missing: [], trainable: [] };
  if (uids.length === 0) return r;
  const mask = maskOf(op, flags, only);
  let at = rows.indexOf(uids[0]);
  for (let i = 0; i < uids.length; i++) {
    const uid = uids[i];
    while (at < rows.count && rows.uids[at] < uid) at++;
    if (at === rows.count || rows.uids[at] !== uid) {
      r.missing.push(uid);
      continue;
    }
    const modseq = rows.modseqs[at];
    if (unchangedSince !== undefined && modseq > unchangedSince) {
      r.modified.push(uid);
      continue;
    }
    const [have, haveWords] = [rows.flags[at], rows.keywords[at]];
    if ((have & mask.keep | mask.set) !== have) return undefined;
    if (wordsAfter(haveWords, op, words, only) !== haveWords) return undefined;
    const list = haveWords === "" ? noKeywords : haveWords.split(" ");
    r.changed.push({ uid, modseq, flags: have, keywords: list });
  }
  return r;
}

/**
 * For JMAP, where a message with \Deleted doesn't exist (RFC 8621 §4.1.1), an email is created when it has no
 * other message.
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

function combine(have: string, op: FlagsOp, words: readonly string[]): string {
  if (op === "set") return words.join(" ");
  const set = new Set(have === "" ? [] : have.split(" "));
  for (const w of words) {
    if (op === "add") set.add(w);
    else set.delete(w);
  }
  return normalizeKeywords([...set]).join(" ");
}
