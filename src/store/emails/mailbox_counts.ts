/** Counts of mailboxes as in JMAP (RFC 8621 §2): emails and threads, all and unread. @module */
import { asMailboxId, type MailboxId } from "../ids.ts";
import { Flag } from "../types.ts";
import type { EmailIndex } from "./email_index.ts";

export interface EmailCounts {
  totalEmails: number;
  unreadEmails: number;
  totalThreads: number;
  unreadThreads: number;
}

/** True if an email counts as unread: a draft never does. */
function isUnread(flags: number): boolean {
  return (flags & (Flag.Seen | Flag.Draft)) === 0;
}

const none: EmailCounts = { totalEmails: 0, unreadEmails: 0, totalThreads: 0, unreadThreads: 0 };

interface Counted {
  version: number;
  trash: number;
  counts: Map<number, EmailCounts>;
}
const kept = new WeakMap<EmailIndex, Counted>();

/**
 * Counts of all mailboxes. A thread is unread if one of its emails is, in any mailbox; for threads of Trash
 * only emails that are in Trash alone count, and they count nowhere else.
 * @param trash id of the mailbox for Trash, 0 if there is none
 */
export function emailCounts(
  index: EmailIndex,
  trash: MailboxId,
): (mailboxId: MailboxId) => EmailCounts {
  const known = kept.get(index);
  const counted = known?.version === index.version && known.trash === trash
    ? known
    : { version: index.version, trash, counts: count(index, trash) };
  kept.set(index, counted);
  return (id) => counted.counts.get(id) ?? none;
}

/**
 * Mailboxes whose threads are marked by a bit; the threads of the others are in one set per mailbox, which
 * takes ten times as long.
 */
const bits = 32;

/** Counts in one go: some milliseconds for 200,000 emails. */
export function count(
  index: Pick<EmailIndex, "count" | "mailbox" | "flags" | "threadId" | "others" | "isIn">,
  trash: number,
): Map<number, EmailCounts> {
  const { mailbox, flags, threadId } = index;
  const { size, number } = numbered(threadId, index.count);
  /** Threads with an unread email outside of Trash (1), and in it (2). */
  const unread = new Uint8Array(size);
  for (let slot = 0; slot < index.count; slot++) {
    if (mailbox[slot] === 0 || !isUnread(flags[slot])) continue;
    const thread = number(threadId[slot]);
    if (trash !== 0 && index.isIn(slot, asMailboxId(trash))) unread[thread] |= 2;
    if (mailbox[slot] !== trash || index.others.has(slot)) unread[thread] |= 1;
  }
  const counts = new Map<number, EmailCounts & { bit: number; seen: Set<number> }>();
  /** Counted threads: one bit for each of the first mailboxes. */
  const marks = new Uint32Array(size);
  const add = (slot: number, id: number) => {
    let c = counts.get(id);
    if (!c) {
      const bit = counts.size < bits ? 1 << counts.size : 0;
      counts.set(id, c = { ...none, bit, seen: new Set() });
    }
    c.totalEmails++;
    if (isUnread(flags[slot])) c.unreadEmails++;
    const thread = number(threadId[slot]);
    if (c.bit === 0 ? c.seen.has(thread) : (marks[thread] & c.bit) !== 0) return;
    if (c.bit === 0) c.seen.add(thread);
    else marks[thread] |= c.bit;
    c.totalThreads++;
    if (unread[thread] & (id === trash ? 2 : 1)) c.unreadThreads++;
  };
  for (let slot = 0; slot < index.count; slot++) {
    if (mailbox[slot] === 0) continue;
    add(slot, mailbox[slot]);
    if (index.others.size === 0) continue;
    for (const id of index.others.get(slot) ?? []) add(slot, id);
  }
  return new Map([...counts].map(([id, c]) => {
    const { totalEmails, unreadEmails, totalThreads, unreadThreads } = c;
    return [id, { totalEmails, unreadEmails, totalThreads, unreadThreads }];
  }));
}

/** Numbers for threads, from 0 to below `size`: their ids minus the lowest, unless they are far apart. */
function numbered(
  threadId: Uint32Array,
  count: number,
): { size: number; number: (thread: number) => number } {
  let [least, most] = [Infinity, 0];
  for (let slot = 0; slot < count; slot++) {
    least = Math.min(least, threadId[slot]);
    most = Math.max(most, threadId[slot]);
  }
  if (most < least) return { size: 0, number: () => 0 };
  if (most - least < 8 * count + 65_536) {
    return { size: most - least + 1, number: (thread) => thread - least };
  }
  const numbers = new Map<number, number>();
  for (let slot = 0; slot < count; slot++) {
    if (!numbers.has(threadId[slot])) numbers.set(threadId[slot], numbers.size);
  }
  return { size: numbers.size, number: (thread) => numbers.get(thread)! };
}
