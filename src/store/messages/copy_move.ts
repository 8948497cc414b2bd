/**
 * COPY and MOVE: messages that are there, put into another mailbox. No file is touched.
 *
 * The functions run inside a write (see writer.ts).
 *
 * @module
 */
import type { EmailId, MailboxId } from "../ids.ts";
import type { Db } from "../database/database.ts";
import { fetchMessages } from "./fetch.ts";
import { applyJunkFlags, chargeMessages, type MailboxRules } from "./insert.ts";
import { addMailboxKeywords, spelledIn } from "../mailboxes/keywords.ts";
import { applyCounts, CountDelta } from "../mailboxes/counts.ts";
import { nextModseq, requireMailbox } from "../mailboxes/mailboxes.ts";
import { Flag, junkFlags, SpecialUse, StoreError, Want } from "../types.ts";
import type { WriteContext } from "../database/writer.ts";

export interface CopyResult {
  fromUids: number[];
  toUids: number[];
  /** Of the mailbox they were put into. */
  uidValidity: number;
  /** Ids of the messages that became ham or spam by it, or ceased to be. */
  trainable: number[];
}

export interface MoveResult extends CopyResult {
  modseq: number;
}

/** What is read of a message. */
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
  fetchMessages(db, mailboxId, uids, Want.Thread, (m) => {
    const { id, emailId, uid, flags, keywords, received, size, threadId } = m;
    sources.push({ id, emailId, uid, flags, keywords, received, size, threadId });
  });
  return sources;
}

/** Takes so many new uids of a mailbox; returns the first. @throws StoreError "mailboxName" */
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

/** COPY: the same emails in another mailbox (RFC 9051 §6.4.7). All or nothing. */
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
 * MOVE (RFC 6851): the messages keep their ids and get a uid in the other mailbox; their old uids stay
 * behind as expunged. Moving out of a Rejects mailbox makes a message count for reputation as if it
 * had been delivered to where it was destined, as good mail unless it goes to a mailbox for junk or Trash.
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
  for (const m of sources) {
    let flags = applyJunkFlags(rules, to, m.flags);
    const list = m.keywords === "" ? [] : m.keywords.split(" ");
    for (const k of list) keywords.add(k);
    const reject = db.run(
      "UPDATE deliveries SET is_reject = 0, orig_mailbox_id = CASE WHEN destined_mailbox_id != 0 " +
        "THEN destined_mailbox_id ELSE orig_mailbox_id END WHERE message_id = ? AND is_reject = 1",
      m.id,
    ).changes > 0;
    // Out of an introbox it counts as delivered to where it was meant for.
    if (!reject) {
      db.run(
        "UPDATE deliveries SET orig_mailbox_id = destined_mailbox_id, destined_mailbox_id = 0 " +
          "WHERE message_id = ? AND destined_mailbox_id != 0",
        m.id,
      );
    }
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
    insertRemnant(db, fromMailboxId, m, modseq);
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
  addMailboxKeywords(db, ctx, toMailboxId, spelledIn(db, fromMailboxId, keywords));
  applyCounts(db, ctx, fromMailboxId, minus, modseq);
  applyCounts(db, ctx, toMailboxId, plus, modseq);
  return { fromUids, toUids, uidValidity: to.uidValidity, modseq, trainable };
}

function insertRemnant(db: Db, mailboxId: MailboxId, m: Source, modseq: number): void {
  db.run(
    "INSERT INTO messages (email_id, mailbox_id, uid, modseq, createseq, expunged, flags, keywords, " +
      "received, saved, size) VALUES (?, ?, ?, ?, 0, 1, 0, '', 0, 0, 0)",
    m.emailId,
    mailboxId,
    m.uid,
    modseq,
  );
}

/** The results of slices as one. */
export function joinedCopies(parts: readonly CopyResult[]): CopyResult {
  if (parts.length === 1) return parts[0];
  return {
    fromUids: parts.flatMap((r) => r.fromUids),
    toUids: parts.flatMap((r) => r.toUids),
    uidValidity: parts[0].uidValidity,
    trainable: parts.flatMap((r) => r.trainable),
  };
}
