/**
 * Ids of what belongs to other accounts, as the page has them: the number of the account, as the user's account
 * counts them, and the id there. Ids of the user's own are as they are.
 *
 * @module
 */
import type { Mailbox, MessageItem, Thread, ThreadPart } from "../../../../webmail/api/mod.ts";
import { othersFrom } from "../../../../webmail/api/mod.ts";

/** The number of the account that an id is of; 0 for the user's own. */
export function numberOf(id: number): number {
  return Math.floor(id / othersFrom);
}

/** The id as the account has it. */
export function idThere(id: number): number {
  return id % othersFrom;
}

/** What is added to the ids of an account with a number. */
export function baseOf(number: number): number {
  return number * othersFrom;
}

const shift = (id: number, base: number) => id === 0 ? 0 : id + base;

/** A mailbox of another account, as the page has it. What its owner uses it for is not the user's use. */
export function mailboxFrom(base: number, m: Mailbox): Mailbox {
  return { ...m, id: m.id + base, parentId: shift(m.parentId, base), specialUse: [] };
}

/** A message of an account, as the page has it. Which threads are muted or collapsed is its owner's own matter. */
export function messageFrom(base: number, m: MessageItem): MessageItem {
  if (base === 0) return m;
  return {
    ...m,
    id: m.id + base,
    emailId: m.emailId + base,
    mailboxId: m.mailboxId + base,
    threadId: m.threadId + base,
    parentIds: m.parentIds.map((id) => id + base),
    threadMuted: false,
    threadCollapsed: false,
  };
}

export function threadFrom(base: number, thread: Thread): Thread {
  return base === 0 ? thread : thread.map((m) => messageFrom(base, m));
}

export function partFrom(base: number, part: ThreadPart): ThreadPart {
  return { ...part, threadId: part.threadId + base };
}
