/**
 * Changing messages that are there: flags, MOVE, EXPUNGE.
 *
 * @module
 */
import type { Db } from "./database.ts";
import { fetchMessages } from "./fetch.ts";
import { applyJunkFlags, type CopySource, type MailboxRules } from "./insert.ts";
import { addMailboxKeywords, normalizeKeywords } from "./keywords.ts";
import { applyCounts, CountDelta, nextModseq, requireMailbox } from "./mailboxes.ts";
import { forgetThread } from "./threads.ts";
import { Flag, SpecialUse, Want } from "./types.ts";
import type { WriteContext } from "./writer.ts";

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

/** Flags that the junk filter learns from. */
export const junkFlags = Flag.Junk | Flag.NotJunk;

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
  mailboxId: number,
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
    updates.push({ id: m.id, at: r.changed.length - 1 });
  });
  while (next < uids.length) r.missing.push(uids[next++]);
  if (updates.length === 0) return r;
  const modseq = nextModseq(db);
  if (op !== "remove" && only?.keywords !== false) addMailboxKeywords(db, ctx, mailboxId, words);
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
  applyCounts(db, ctx, mailboxId, delta, modseq);
  return r;
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

/** Reads what COPY and MOVE need, in uid order. */
export function copySources(
  db: Db,
  mailboxId: number,
  uids: ArrayLike<number>,
  each: (m: CopySource) => void,
): void {
  fetchMessages(db, mailboxId, uids, Want.Thread, each);
}

export interface MoveResult {
  fromUids: number[];
  toUids: number[];
  /** Of the mailbox they were moved to. */
  uidValidity: number;
  modseq: number;
  /** Ids of the messages that became ham or spam by the move, or ceased to be. */
  trainable: number[];
}

/**
 * MOVE (RFC 6851): the messages keep their ids and get a uid in the other mailbox; their old uids stay
 * behind as expunged. Moving out of a Rejects mailbox makes a message count for reputation as if it
 * had been delivered to where it was destined, as good mail unless it goes to a mailbox for junk or Trash.
 */
export function moveMessages(
  db: Db,
  ctx: WriteContext,
  rules: MailboxRules,
  fromMailboxId: number,
  uids: ArrayLike<number>,
  toMailboxId: number,
): MoveResult {
  const from = requireMailbox(db, fromMailboxId);
  const to = requireMailbox(db, toMailboxId);
  const sources: CopySource[] = [];
  copySources(db, fromMailboxId, uids, (m) => sources.push({ ...m }));
  const fromUids: number[] = [];
  const toUids: number[] = [];
  const trainable: number[] = [];
  if (sources.length === 0) {
    return { fromUids, toUids, uidValidity: to.uidValidity, modseq: from.modseq, trainable };
  }
  const modseq = nextModseq(db);
  let uid = db.get(
    "UPDATE mailboxes SET uidnext = uidnext + ?1 WHERE id = ?2 RETURNING uidnext - ?1",
    sources.length,
    toMailboxId,
  )![0] as number;
  const minus = new CountDelta();
  const plus = new CountDelta();
  const keywords = new Set<string>();
  const saved = Date.now();
  const added: typeof ctx.changes = [];
  for (const m of sources) {
    let flags = applyJunkFlags(rules, to.name, m.flags);
    const list = m.keywords === "" ? [] : m.keywords.split(" ");
    for (const k of list) keywords.add(k);
    const reject = db.run(
      "UPDATE deliveries SET is_reject = 0, orig_mailbox_id = CASE WHEN destined_mailbox_id != 0 " +
        "THEN destined_mailbox_id ELSE orig_mailbox_id END WHERE message_id = ? AND is_reject = 1",
      m.id,
    ).changes > 0;
    // Its user has looked at a rejected message and wants it, so it counts as good.
    if (reject && !(flags & junkFlags) && to.specialUse !== SpecialUse.Trash) {
      flags |= Flag.NotJunk;
    }
    if ((m.flags ^ flags) & junkFlags) trainable.push(m.id);
    db.run(
      "UPDATE messages SET mailbox_id = ?, uid = ?, modseq = ?, createseq = ?, flags = ?, saved = ? WHERE id = ?",
      toMailboxId,
      uid,
      modseq,
      modseq,
      flags,
      saved,
      m.id,
    );
    insertRemnant(db, fromMailboxId, m.uid, modseq);
    minus.count(-1, m.flags, m.size);
    plus.count(1, flags, m.size);
    fromUids.push(m.uid);
    toUids.push(uid);
    added.push({
      kind: "addMessage",
      mailboxId: toMailboxId,
      uid,
      modseq,
      flags,
      keywords: list,
      messageId: m.id,
      emailId: m.emailId,
      threadId: m.threadId,
    });
    uid++;
  }
  ctx.changes.push({
    kind: "removeMessages",
    mailboxId: fromMailboxId,
    uids: fromUids,
    messageIds: sources.map((m) => m.id),
    modseq,
  }, ...added);
  addMailboxKeywords(db, ctx, toMailboxId, [...keywords]);
  applyCounts(db, ctx, fromMailboxId, minus, modseq);
  applyCounts(db, ctx, toMailboxId, plus, modseq);
  return { fromUids, toUids, uidValidity: to.uidValidity, modseq, trainable };
}

function insertRemnant(db: Db, mailboxId: number, uid: number, modseq: number): void {
  db.run(
    "INSERT INTO messages (email_id, mailbox_id, uid, modseq, createseq, expunged, flags, keywords, " +
      "received, saved, size) VALUES (0, ?, ?, ?, 0, 1, 0, '', 0, 0, 0)",
    mailboxId,
    uid,
    modseq,
  );
}

/**
 * Expunges messages: those with \Deleted, or with `force` all of the uids. Emails that are in no
 * mailbox any more are erased; their files are removed after the commit.
 * @returns the uids that are gone, ascending, and the modseq.
 */
export function expungeMessages(
  db: Db,
  ctx: WriteContext,
  mailboxId: number,
  uids: ArrayLike<number> | undefined,
  force: boolean,
  removeFiles: (emailIds: number[]) => void,
): { uids: number[]; modseq: number } {
  const mailbox = requireMailbox(db, mailboxId);
  const gone: { id: number; emailId: number; uid: number; flags: number; size: number }[] = [];
  const take = (m: { id: number; emailId: number; uid: number; flags: number; size: number }) => {
    if (force || m.flags & Flag.Deleted) {
      gone.push({ id: m.id, emailId: m.emailId, uid: m.uid, flags: m.flags, size: m.size });
    }
  };
  if (uids) {
    fetchMessages(db, mailboxId, uids, 0, take);
  } else if (force || mailbox.deleted > 0) {
    for (
      const r of db.all(
        "SELECT id, email_id, uid, flags, size FROM messages WHERE mailbox_id = ? AND expunged = 0 " +
          "AND (? OR flags & 8 != 0) ORDER BY uid",
        mailboxId,
        force ? 1 : 0,
      )
    ) take({ id: r[0], emailId: r[1], uid: r[2], flags: r[3], size: r[4] });
  }
  if (gone.length === 0) return { uids: [], modseq: mailbox.modseq };
  const modseq = nextModseq(db);
  const delta = new CountDelta();
  const erased: number[] = [];
  let freed = 0;
  for (const m of gone) {
    delta.count(-1, m.flags, m.size);
    db.run(
      "UPDATE messages SET expunged = 1, modseq = ?, keywords = '', email_id = 0 WHERE id = ?",
      modseq,
      m.id,
    );
    db.run("DELETE FROM deliveries WHERE message_id = ? AND is_reject = 1", m.id);
    if (db.get("SELECT 1 FROM messages WHERE email_id = ? AND expunged = 0 LIMIT 1", m.emailId)) {
      continue;
    }
    freed += m.size;
    eraseEmail(db, m.emailId);
    erased.push(m.emailId);
  }
  if (freed > 0) db.run("UPDATE state SET message_size = max(0, message_size - ?)", freed);
  ctx.changes.push({
    kind: "removeMessages",
    mailboxId,
    uids: gone.map((m) => m.uid),
    messageIds: gone.map((m) => m.id),
    modseq,
  });
  applyCounts(db, ctx, mailboxId, delta, modseq);
  if (erased.length > 0) ctx.afterCommit(() => removeFiles(erased));
  return { uids: gone.map((m) => m.uid), modseq };
}

function eraseEmail(db: Db, emailId: number): void {
  db.run("DELETE FROM emails WHERE id = ?", emailId);
  forgetThread(db, emailId);
  db.run("INSERT OR IGNORE INTO erased (email_id) VALUES (?)", emailId);
}
