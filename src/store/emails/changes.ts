/**
 * What changed of emails, threads and mailboxes since a state (RFC 8620 §5.2): exact, as far back as the
 * account's records go.
 *
 * A state is a modseq; where more changed than one answer holds, it is a modseq and the number of the last
 * object answered: "12-345".
 *
 * @module
 */
import type { EmailId } from "../ids.ts";
import type { Account } from "../account/account.ts";
import type { EmailIndex } from "./email_index.ts";

/** A point in an account's history: everything up to it is known. */
export interface Point {
  modseq: number;
  /** Of the changes of that modseq, those of objects up to this number are known. */
  order: number;
}

/** Everything of a modseq. */
const whole = Number.MAX_SAFE_INTEGER;

/** Reads a state; undefined for one that this server never issued. */
export function parseState(text: string): Point | undefined {
  const m = /^(\d{1,15})(?:-(\d{1,15}))?$/.exec(text);
  if (!m) return undefined;
  return { modseq: Number(m[1]), order: m[2] === undefined ? whole : Number(m[2]) };
}

export function formatState(point: Point): string {
  return point.order === whole ? String(point.modseq) : `${point.modseq}-${point.order}`;
}

/** True if that change of that object is known at the point. */
export function covers(point: Point, modseq: number, order: number): boolean {
  return modseq < point.modseq || (modseq === point.modseq && order <= point.order);
}

function maxOf(account: Account, sql: string): number {
  return account.db.get(sql)![0] ?? 0;
}

/** Changes before this modseq are no longer known. */
export function knownSince(account: Account): number {
  return account.db.get("SELECT known_since FROM state")![0];
}

/** State of the account's threads: emails that arrive, are removed or become hidden change it. */
export function threadState(account: Account, index: EmailIndex): number {
  return Math.max(
    knownSince(account),
    index.hiddenModseq(),
    maxOf(account, "SELECT max(createseq) FROM threads"),
    maxOf(account, "SELECT max(modseq) FROM gone_emails"),
  );
}

/** Modseq at which the newest email was created. */
export function newestEmail(account: Account): number {
  return maxOf(account, "SELECT max(createseq) FROM threads");
}

/** State of the account's emails. */
export function emailState(account: Account): number {
  return Math.max(
    knownSince(account),
    maxOf(account, "SELECT max(createseq) FROM threads"),
    maxOf(account, "SELECT max(modseq) FROM gone_emails"),
    maxOf(account, "SELECT max(modseq) FROM messages"),
  );
}

/** State of the account's mailboxes: their counts are part of them. */
export function mailboxState(account: Account): number {
  return Math.max(
    emailState(account),
    maxOf(account, "SELECT max(max(modseq, formseq)) FROM mailboxes"),
  );
}

/** The point of a state; undefined if the changes since can't be listed (any more). */
export function pointOf(account: Account, state: string, now: number): Point | undefined {
  const p = parseState(state);
  return p === undefined || p.modseq > now || p.modseq < knownSince(account) ? undefined : p;
}

/** An email with the count of its id. */
export interface EmailKey {
  emailId: EmailId;
  reborn: number;
}

export interface EmailChanges {
  created: EmailKey[];
  updated: EmailKey[];
  destroyed: EmailKey[];
  newState: string;
  hasMore: boolean;
}

/** An arrival, change or removal. */
export interface Event {
  modseq: number;
  /** Number of the object: at one modseq the lower come first. */
  order: number;
  kind: "created" | "updated" | "destroyed";
}

/**
 * The oldest of some events, at most `limit`, and the state after them.
 * @param now the state after all of them
 */
export function oldest<E extends Event>(
  events: readonly E[],
  limit: number,
  now: number,
): { events: readonly E[]; newState: string; hasMore: boolean } {
  if (events.length <= limit) {
    return { events, newState: formatState({ modseq: now, order: whole }), hasMore: false };
  }
  const sorted = [...events].sort((a, b) => a.modseq - b.modseq || a.order - b.order);
  let n = limit;
  // An object that is removed and added again at one time is one step.
  while (
    n < sorted.length && sorted[n].modseq === sorted[n - 1].modseq &&
    sorted[n].order === sorted[n - 1].order
  ) n++;
  const last = sorted[n - 1];
  if (n === sorted.length) {
    return { events, newState: formatState({ modseq: now, order: whole }), hasMore: false };
  }
  return {
    events: sorted.slice(0, n),
    newState: formatState({ modseq: last.modseq, order: last.order }),
    hasMore: true,
  };
}

type EmailEvent = Event & EmailKey;

function emailEvents(
  account: Account,
  index: EmailIndex,
  since: Point,
  visible: (slot: number) => boolean,
): EmailEvent[] {
  const found: EmailEvent[] = [];
  for (let slot = 0; slot < index.count; slot++) {
    const modseq = index.modseq[slot];
    if (modseq < since.modseq) continue;
    const emailId = index.emailAt(slot);
    const createseq = index.createseq[slot];
    const created = !covers(since, createseq, emailId);
    if (!created && covers(since, modseq, emailId)) continue;
    if (index.slotOf(emailId) !== slot) continue;
    const key = { emailId, reborn: index.reborn[slot], order: emailId };
    if (index.mailbox[slot] !== 0 && visible(slot)) {
      found.push(
        created
          ? { ...key, modseq: createseq, kind: "created" }
          : { ...key, modseq, kind: "updated" },
      );
    } else if (!created) found.push({ ...key, modseq, kind: "destroyed" });
  }
  for (
    const [emailId, reborn, createseq, modseq] of account.db.all(
      "SELECT email_id, reborn, createseq, modseq FROM gone_emails WHERE modseq >= ?",
      since.modseq,
    )
  ) {
    if (covers(since, modseq, emailId) || !covers(since, createseq, emailId)) continue;
    found.push({ emailId, reborn, order: emailId, modseq, kind: "destroyed" });
  }
  return found;
}

/**
 * Changes of emails since a point, at most `limit`, the oldest first.
 * @param visible which emails the requester may see
 */
export function emailChanges(
  account: Account,
  index: EmailIndex,
  since: Point,
  limit: number,
  visible: (slot: number) => boolean = () => true,
): EmailChanges {
  const all = emailEvents(account, index, since, visible);
  const { events, newState, hasMore } = oldest(all, limit, emailState(account));
  const of = (kind: Event["kind"]) =>
    events.filter((e) => e.kind === kind).map(({ emailId, reborn }) => ({ emailId, reborn }));
  return {
    created: of("created"),
    updated: of("updated"),
    destroyed: of("destroyed"),
    newState,
    hasMore,
  };
}

/** A changed thread: when it first and last changed. */
export interface ThreadChange {
  threadId: number;
  first: number;
  last: number;
}

/** Threads with emails that arrived, were removed or became hidden since a point. */
export function changedThreads(
  account: Account,
  index: EmailIndex,
  since: Point,
): ThreadChange[] {
  const threads = new Map<number, ThreadChange>();
  const note = (threadId: number, modseq: number) => {
    // Threads are listed in order of their ids.
    if (covers(since, modseq, threadId)) return;
    const known = threads.get(threadId);
    if (!known) threads.set(threadId, { threadId, first: modseq, last: modseq });
    else {
      known.first = Math.min(known.first, modseq);
      known.last = Math.max(known.last, modseq);
    }
  };
  for (const slot of index.hidden()) note(index.threadId[slot], index.modseq[slot]);
  const { db } = account;
  for (
    const [thread, createseq] of db.all(
      "SELECT thread_id, createseq FROM threads WHERE createseq >= ?",
      since.modseq,
    )
  ) note(thread, createseq);
  for (
    const [thread, modseq] of db.all(
      "SELECT thread_id, modseq FROM gone_emails WHERE modseq >= ?",
      since.modseq,
    )
  ) note(thread, modseq);
  return [...threads.values()];
}

/** True if a thread had, at the point, an email that is gone or still there. */
export function threadWasThere(
  account: Account,
  index: EmailIndex,
  threadId: number,
  since: Point,
): boolean {
  const { db } = account;
  for (
    const [emailId] of db.all("SELECT email_id FROM threads WHERE thread_id = ?", threadId)
  ) {
    const slot = index.slotOf(emailId);
    if (slot !== undefined && covers(since, index.createseq[slot], threadId)) return true;
  }
  return db.all(
    "SELECT createseq, modseq FROM gone_emails WHERE thread_id = ? AND modseq >= ?",
    threadId,
    since.modseq,
  ).some(([createseq, modseq]) =>
    covers(since, createseq, threadId) && !covers(since, modseq, threadId)
  );
}
