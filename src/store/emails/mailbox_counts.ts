/** Counts of mailboxes as JMAP has them (RFC 8621 §2): emails and threads, all and unread. @module */
import type { MailboxId } from "../ids.ts";
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
 * Counts of all mailboxes. A thread is unread if one of its emails is, in whatever mailbox; emails that are in Trash
 * alone count for the threads of Trash, and only they do.
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

function count(index: EmailIndex, trash: MailboxId): Map<number, EmailCounts> {
  /** Threads with an unread email outside of Trash, and in it. */
  const unread = new Set<number>();
  const unreadTrash = new Set<number>();
  const { mailbox, flags, threadId } = index;
  for (let slot = 0; slot < index.count; slot++) {
    if (mailbox[slot] === 0 || !isUnread(flags[slot])) continue;
    if (trash !== 0 && index.isIn(slot, trash)) unreadTrash.add(threadId[slot]);
    if (mailbox[slot] !== trash || index.others.has(slot)) unread.add(threadId[slot]);
  }
  const counts = new Map<number, EmailCounts>();
  /** Threads of a mailbox that were counted, by mailbox. */
  const threads = new Map<number, Set<number>>();
  const add = (slot: number, id: number) => {
    let c = counts.get(id);
    if (!c) {
      counts.set(id, c = { ...none });
      threads.set(id, new Set());
    }
    c.totalEmails++;
    if (isUnread(flags[slot])) c.unreadEmails++;
    const seen = threads.get(id)!;
    const thread = threadId[slot];
    const before = seen.size;
    seen.add(thread);
    if (seen.size === before) return;
    c.totalThreads++;
    if ((id === trash ? unreadTrash : unread).has(thread)) c.unreadThreads++;
  };
  for (let slot = 0; slot < index.count; slot++) {
    if (mailbox[slot] === 0) continue;
    add(slot, mailbox[slot]);
    if (index.others.size === 0) continue;
    for (const id of index.others.get(slot) ?? []) add(slot, id);
  }
  return counts;
}
