/** Mailboxes and messages as the webmail's API shows them; threads put in order. @module */
import type { Mailbox as ApiMailbox, MessageItem, Thread } from "../../../../webmail/api/mod.ts";
import type { Account } from "../../../store/account/account.ts";
import type { MailboxId } from "../../../store/ids.ts";
import {
  type ListedMessage,
  listedMessage,
  listedThread,
} from "../../../store/messages/listing.ts";
import { threadParents } from "../../../store/messages/threads.ts";
import { Flag, type Mailbox, SpecialUse, type SummaryAddress } from "../../../store/types.ts";
import { flagsFromBits, usesFromBits } from "./flags.ts";
import { allMayRead, type MayRead } from "./query.ts";
import { shownAddress } from "./shown_address.ts";

/** Emails of a thread that are shown, the newest. */
export const maxThread = 500;
/** Parents that an item names. */
const maxParents = 3;
/** Parents that are looked at for one that is shown. */
const maxAncestors = 100;
/** Addresses of a field that an item names: a list doesn't show more. */
const maxAddresses = 50;

export function mailboxItem(mailbox: Mailbox): ApiMailbox {
  return {
    id: mailbox.id,
    name: mailbox.name,
    parentId: mailbox.parentId,
    specialUse: usesFromBits(mailbox.specialUse),
    keywords: mailbox.keywords.map((k) => k.toLowerCase()),
    total: mailbox.total,
    unread: mailbox.unread,
    unseen: mailbox.unseen,
    deleted: mailbox.deleted,
    size: mailbox.size,
  };
}

const firstAddresses = (list: readonly SummaryAddress[]) =>
  list.slice(0, maxAddresses).map(shownAddress);

function item(
  message: ListedMessage,
  parentIds: number[],
  level: number,
  matches: boolean,
): MessageItem {
  const s = message.summary;
  return {
    id: message.id,
    emailId: message.emailId,
    mailboxId: message.mailboxId,
    uid: message.uid,
    threadId: message.threadId,
    flags: flagsFromBits(message.flags),
    keywords: message.keywords,
    received: message.received,
    sent: s.sent ?? null,
    size: message.size,
    subject: s.subject,
    from: firstAddresses(s.from),
    to: firstAddresses(s.to),
    cc: firstAddresses(s.cc),
    bcc: firstAddresses(s.bcc),
    replyTo: firstAddresses(s.replyTo),
    preview: s.preview,
    hasAttachment: s.hasAttachment,
    parentIds,
    level,
    missingParent: message.missingLink,
    threadMuted: message.muted,
    threadCollapsed: message.collapsed,
    matches,
  };
}

/** One message, without its thread; undefined if it no longer exists. */
export function messageItem(account: Account, id: number): MessageItem | undefined {
  const m = listedMessage(account.db, id);
  if (m === undefined) return undefined;
  const parents = m.parentId === 0 ? [] : threadParents(account.db, m.emailId, maxParents);
  return item(m, parents, 0, true);
}

/** A message for the one line of its thread: without parents; undefined if it no longer exists. */
export function lineItem(account: Account, id: number, matches: boolean): MessageItem | undefined {
  const m = listedMessage(account.db, id);
  return m && item(m, [], 0, matches);
}

/** Messages of a conversation that are shown, the newest. */
const maxConversation = 200;

/** The thread of a message by time, each email once, without drafts, trash, junk and rejects but itself. */
export function conversationItems(
  account: Account,
  id: number,
  rejects: readonly string[],
  mayRead: MayRead = allMayRead,
): MessageItem[] {
  const here = listedMessage(account.db, id);
  if (here === undefined || !mayRead(here.mailboxId)) return [];
  const all = account.mailboxes();
  const unreadable = new Set(all.filter((m) => !mayRead(m.id)).map((m) => m.id));
  const hidden = new Set(
    all.filter((m) =>
      m.specialUse & (SpecialUse.Trash | SpecialUse.Junk | SpecialUse.Drafts) ||
      rejects.includes(m.name)
    ).map((m) => m.id),
  );
  const shown = new Map<string, ListedMessage>();
  for (const m of listedThread(account.db, here.threadId, maxThread)) {
    if (unreadable.has(m.mailboxId)) continue;
    if (m.emailId !== here.emailId && (hidden.has(m.mailboxId) || m.flags & Flag.Draft)) continue;
    const key = m.summary.messageId || `email ${m.emailId}`;
    if (!shown.has(key) || m.id === id) shown.set(key, m);
  }
  const date = (m: ListedMessage) => m.summary.sent ?? m.received;
  return [...shown.values()].sort((a, b) => date(a) - date(b)).slice(-maxConversation)
    .map((m) => item(m, [], 0, true));
}

/** What decides which messages of a thread are shown. */
export interface ThreadChoice {
  /** Ids among these messages that the query finds. */
  matching(
    messages: readonly Pick<ListedMessage, "id" | "mailboxId" | "uid">[],
  ): Promise<ReadonlySet<number>>;
  /** Whether the messages of a mailbox are only shown if they match: trash, junk, rejects. */
  isHidden(mailboxId: MailboxId): boolean;
  /** Of others only what lies here is shown, or named as a parent. */
  mayRead: MayRead;
}

/** A thread with all its messages but hidden ones, in the order of {@link Thread}. */
export async function threadItems(
  account: Account,
  threadId: number,
  choice: ThreadChoice,
): Promise<Thread> {
  const listed = listedThread(account.db, threadId, maxThread);
  const readable = new Set(
    [...new Set(listed.map((m) => m.mailboxId))].filter((id) => choice.mayRead(id)),
  );
  const all = listed.filter((m) => readable.has(m.mailboxId));
  const matching = await choice.matching(all);
  // Of the copies of a message those that match are shown, or else one: copies are the same email, or
  // another with its Message-ID, such as the one in Sent of a message that came back through a list.
  const shown = new Map<number, ListedMessage[]>();
  const standsFor = new Map<number, number>();
  const byMessageId = new Map<string, number>();
  for (const m of all) {
    if (!matching.has(m.id) && choice.isHidden(m.mailboxId)) continue;
    const id = m.summary.messageId || `email ${m.emailId}`;
    const first = byMessageId.get(id) ?? m.emailId;
    byMessageId.set(id, first);
    standsFor.set(m.emailId, first);
    const copies = shown.get(first);
    if (copies === undefined) shown.set(first, [m]);
    else if (!matching.has(copies[0].id) && matching.has(m.id)) copies[0] = m;
    else if (matching.has(m.id)) copies.push(m);
  }
  return arrange(all, shown, standsFor, matching);
}

/** Roots first, answers below their parents, siblings by time. */
function arrange(
  all: readonly ListedMessage[],
  shown: ReadonlyMap<number, ListedMessage[]>,
  standsFor: ReadonlyMap<number, number>,
  matching: ReadonlySet<number>,
): Thread {
  const parentOf = new Map<number, number>();
  for (const m of all) parentOf.set(m.emailId, m.parentId);
  /** The first parents, and the nearest one that is shown (0 for none). */
  const above = (emailId: number): { named: number[]; shownParent: number } => {
    const named: number[] = [];
    let shownParent = 0;
    let at = parentOf.get(emailId) ?? 0;
    for (let steps = 0; at !== 0 && steps < maxAncestors; steps++) {
      // Forged references can form a cycle.
      if (at === emailId || named.includes(at)) break;
      if (named.length < maxParents) named.push(at);
      const p = standsFor.get(at);
      if (shownParent === 0 && p !== undefined && p !== emailId) shownParent = p;
      if (shownParent !== 0 && named.length === maxParents) break;
      at = parentOf.get(at) ?? 0;
    }
    return { named, shownParent };
  };
  const children = new Map<number, number[]>();
  const parents = new Map<number, number[]>();
  for (const emailId of shown.keys()) {
    const { named, shownParent } = above(emailId);
    parents.set(emailId, named);
    // Answers to a parent that isn't shown move to that parent's own parent.
    const siblings = children.get(shownParent);
    if (siblings === undefined) children.set(shownParent, [emailId]);
    else siblings.push(emailId);
  }
  const out: Thread = [];
  const done = new Set<number>();
  const walk = (start: number[]) => {
    const stack = start.map((emailId) => ({ emailId, level: 0 })).reverse();
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      const { emailId, level } = next;
      if (done.has(emailId)) continue;
      done.add(emailId);
      for (const m of shown.get(emailId)!) {
        out.push(item(m, parents.get(emailId)!, level, matching.has(m.id)));
      }
      const below = children.get(emailId) ?? [];
      for (let i = below.length - 1; i >= 0; i--) {
        stack.push({ emailId: below[i], level: level + 1 });
      }
    }
  };
  walk(children.get(0) ?? []);
  // Messages in a cycle have no root.
  for (const emailId of shown.keys()) if (!done.has(emailId)) walk([emailId]);
  return out;
}
