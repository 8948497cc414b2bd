/**
 * COPY and MOVE: puts existing messages into another mailbox. No file is touched.
 *
 * The functions run inside a write (see writer.ts).
 *
 * @module
 */
import type { EmailId, MailboxId } from "../ids.ts";
import type { Db } from "../database/database.ts";
import { fetchMessages } from "./fetch.ts";
import {
  applyJunkFlags,
  changedFlags,
  chargeMessages,
  junkChange,
  type MailboxRules,
} from "./insert.ts";
import { runsOf } from "./runs.ts";
import { addMailboxKeywords, spelledIn } from "../mailboxes/keywords.ts";
import { applyCounts, CountDelta } from "../mailboxes/counts.ts";
import { nextModseq, requireMailbox } from "../mailboxes/mailboxes.ts";
import { Flag, junkFlags, SpecialUse, StoreError, Want } from "../types.ts";
import type { WriteContext } from "../database/writer.ts";

export interface CopyResult {
  fromUids: number[];
  toUids: number[];
  /** UIDVALIDITY of the target mailbox. */
  uidValidity: number;
  /** Ids of messages that became ham or spam by it, or are neither any more. */
  trainable: number[];
}

export interface MoveResult extends CopyResult {
  modseq: number;
}

/** The fields read of a message. */
interface Source {
  id: number;
  emailId: EmailId;
  uid: number;
  flags: number;
  keywords: string;
  received: number;
  size: number;
  threadId: number;
}

/** The live ones among the uids, in their order. */
function readSources(db: Db, mailboxId: MailboxId, uids: ArrayLike<number>): Source[] {
  const sources: Source[] = [];
  fetchMessages(db, mailboxId, uids, Want.Thread, (row) => {
    const { id, emailId, uid, flags, keywords, received, size, threadId } = row;
    sources.push({ id, emailId, uid, flags, keywords, received, size, threadId });
  });
  return sources;
}

/** Reserves a number of new uids of a mailbox; returns the first. @throws StoreError "mailboxName" */
function takeUids(db: Db, mailboxId: MailboxId, count: number): number {
  const first = db.get(
    "UPDATE mailboxes SET uidnext = uidnext + ?1 WHERE id = ?2 RETURNING uidnext - ?1",
    count,
    mailboxId,
  )![0] as number;
  if (first + count >= 0xffffffff) {
    throw new StoreError("mailboxName", "mailbox has used up its uids");
  }
  return first;
}

/** COPY: puts the same emails into another mailbox (RFC 9051 §6.4.7). All or nothing. */
export function copyMessages(
  db: Db,
  ctx: WriteContext,
  rules: MailboxRules,
  fromMailboxId: MailboxId,
  uids: ArrayLike<number>,
  toMailboxId: MailboxId,
): CopyResult {
  const to = requireMailbox(db, toMailboxId);
  requireMailbox(db, fromMailboxId);
  const sources = readSources(db, fromMailboxId, uids);
  const r: CopyResult = { fromUids: [], toUids: [], uidValidity: to.uidValidity, trainable: [] };
  if (sources.length === 0) return r;
  chargeMessages(db, rules, sources.length);
  const modseq = nextModseq(db);
  let uid = takeUids(db, toMailboxId, sources.length);
  const delta = new CountDelta();
  const keywords = new Set<string>();
  const saved = Date.now();
  for (const m of sources) {
    const flags = applyJunkFlags(rules, to, m.flags);
    const { lastInsertRowid } = db.run(
      "INSERT INTO messages (email_id, mailbox_id, uid, modseq, createseq, flags, keywords, received, " +
        "saved, size) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
      m.emailId,
      toMailboxId,
      uid,
      modseq,
      modseq,
      flags,
      m.keywords,
      m.received,
      saved,
      m.size,
    );
    const list = m.keywords === "" ? [] : m.keywords.split(" ");
    for (const k of list) keywords.add(k);
    delta.count(1, flags, m.size);
    if (flags & junkFlags) r.trainable.push(lastInsertRowid);
    r.fromUids.push(m.uid);
    r.toUids.push(uid);
    ctx.changes.push({
      kind: "addMessage",
      mailboxId: toMailboxId,
      uid,
      modseq,
      flags,
      keywords: list,
      messageId: lastInsertRowid,
      emailId: m.emailId,
      threadId: m.threadId,
    });
    uid++;
  }
  addMailboxKeywords(db, ctx, toMailboxId, spelledIn(db, fromMailboxId, keywords));
  applyCounts(db, ctx, toMailboxId, delta, modseq);
  return r;
}

/**
 * MOVE (RFC 6851): the messages keep their ids and get a uid in the other mailbox; their old uids stay behind
 * as expunged. Moving out of a Rejects mailbox makes a message count for reputation as if it had been delivered
 * to its intended mailbox; it counts as good unless it goes to a junk mailbox or Trash.
 */
export function moveMessages(
  db: Db,
  ctx: WriteContext,
  rules: MailboxRules,
  fromMailboxId: MailboxId,
  uids: ArrayLike<number>,
  toMailboxId: MailboxId,
): MoveResult {
  const from = requireMailbox(db, fromMailboxId);
  const to = requireMailbox(db, toMailboxId);
  const sources = readSources(db, fromMailboxId, uids);
  const fromUids: number[] = [];
  const toUids: number[] = [];
  const trainable: number[] = [];
  if (sources.length === 0) {
    return { fromUids, toUids, uidValidity: to.uidValidity, modseq: from.modseq, trainable };
  }
  const modseq = nextModseq(db);
  let uid = takeUids(db, toMailboxId, sources.length);
  const minus = new CountDelta();
  const plus = new CountDelta();
  const keywords = new Set<string>();
  const saved = Date.now();
  const added: typeof ctx.changes = [];
  const together = (i: number) => {
    const [a, b] = [sources[i - 1], sources[i]];
    return b.id === a.id + 1 && b.uid === a.uid + 1;
  };
  const junk = junkChange(rules, to);
  for (const { from, end } of runsOf(sources.length, together)) {
    const run = sources.slice(from, end);
    const [first, last] = [run[0].id, run[run.length - 1].id];
    const wanted = countAsWanted(db, first, last);
    db.run(
      "INSERT INTO messages (email_id, mailbox_id, uid, modseq, createseq, expunged, flags, keywords, " +
        "received, saved, size) SELECT email_id, mailbox_id, uid, ?, 0, 1, 0, '', 0, 0, 0 FROM messages " +
        "WHERE id >= ? AND id <= ? ORDER BY id",
      modseq,
      first,
      last,
    );
    db.run(
      "UPDATE messages SET mailbox_id = ?, uid = uid + ?, modseq = ?, createseq = ?, " +
        "flags = iif(flags & ?, flags, (flags & ?) | ?), saved = ? WHERE id >= ? AND id <= ?",
      toMailboxId,
      uid - run[0].uid,
      modseq,
      modseq,
      junk.unless,
      junk.keep,
      junk.add,
      saved,
      first,
      last,
    );
    for (const m of run) {
      let own = changedFlags(m.flags, junk);
      // The user has looked at a rejected message and wants it, so it counts as good.
      if (wanted.has(m.id) && !(own & junkFlags) && to.specialUse !== SpecialUse.Trash) {
        own |= Flag.NotJunk;
        db.run("UPDATE messages SET flags = ? WHERE id = ?", own, m.id);
      }
      const list = m.keywords === "" ? [] : m.keywords.split(" ");
      for (const k of list) keywords.add(k);
      if ((m.flags ^ own) & junkFlags) trainable.push(m.id);
      minus.count(-1, m.flags, m.size);
      plus.count(1, own, m.size);
      fromUids.push(m.uid);
      toUids.push(uid);
      added.push({
        kind: "addMessage",
        mailboxId: toMailboxId,
        uid,
        modseq,
        flags: own,
        keywords: list,
        messageId: m.id,
        emailId: m.emailId,
        threadId: m.threadId,
      });
      uid++;
    }
  }
  ctx.changes.push({
    kind: "removeMessages",
    mailboxId: fromMailboxId,
    uids: fromUids,
    messageIds: sources.map((m) => m.id),
    modseq,
  }, ...added);
  addMailboxKeywords(db, ctx, toMailboxId, spelledIn(db, fromMailboxId, keywords));
  applyCounts(db, ctx, fromMailboxId, minus, modseq);
  applyCounts(db, ctx, toMailboxId, plus, modseq);
  return { fromUids, toUids, uidValidity: to.uidValidity, modseq, trainable };
}

/**
 * Updates the delivery records of moved messages: those in Rejects count as delivered to their intended
 * mailbox, and so do those in an introbox. @returns ids of messages that had been rejected
 */
function countAsWanted(db: Db, first: number, last: number): Set<number> {
  const rejected = new Set<number>();
  const rows = db.all(
    "SELECT message_id, is_reject FROM deliveries WHERE message_id >= ? AND message_id <= ? " +
      "AND (is_reject = 1 OR destined_mailbox_id != 0)",
    first,
    last,
  );
  for (const [id, isReject] of rows) {
    if (isReject === 1) {
      rejected.add(id);
      db.run(
        "UPDATE deliveries SET is_reject = 0, orig_mailbox_id = CASE WHEN destined_mailbox_id != 0 " +
          "THEN destined_mailbox_id ELSE orig_mailbox_id END WHERE message_id = ?",
        id,
      );
    } else {
      db.run(
        "UPDATE deliveries SET orig_mailbox_id = destined_mailbox_id, destined_mailbox_id = 0 " +
          "WHERE message_id = ?",
        id,
      );
    }
  }
  return rejected;
}

/** Joins the results of slices. */
export function joinedCopies(parts: readonly CopyResult[]): CopyResult {
  if (parts.length === 1) return parts[0];
  return {
    fromUids: parts.flatMap((r) => r.fromUids),
    toUids: parts.flatMap((r) => r.toUids),
    uidValidity: parts[0].uidValidity,
    trainable: parts.flatMap((r) => r.trainable),
  };
}
