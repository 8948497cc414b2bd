/** Which mailboxes changed since a state (RFC 8621 §2.2). @module */
import { goneMailboxesSince } from "../../store/mailboxes/mailboxes.ts";
import { covers, type Event, mailboxState, pointOf } from "../../store/emails/changes.ts";
import { cannotCalculate } from "../core/changes.ts";
import type { MailView } from "./view.ts";

export interface MailboxChanges {
  /** Their `order` is the number of the mailbox. */
  events: Event[];
  /** Only counts changed in the updated ones. */
  countsOnly: boolean;
  /** The state after them. */
  now: number;
}

/** Changes since a state. @throws MethodError cannotCalculateChanges */
export function mailboxChanges(view: MailView, sinceState: string): MailboxChanges {
  const { account } = view;
  const now = mailboxState(account);
  const since = pointOf(account, sinceState, now);
  if (since === undefined) throw cannotCalculate();
  const r: MailboxChanges = { events: [], countsOnly: true, now };
  const counted = countedSince(view, since.modseq);
  for (const m of account.mailboxes()) {
    const modseq = Math.max(m.formseq, m.modseq, counted.get(m.id) ?? 0);
    if (covers(since, modseq, m.id)) continue;
    const isNew = !covers(since, m.createseq, m.id);
    const formed = !covers(since, m.formseq, m.id);
    if (view.rights(m.id) === "") {
      // Not visible to this user; it was before, if that changed.
      if (!isNew && formed) r.events.push({ order: m.id, modseq, kind: "destroyed" });
    } else if (isNew) r.events.push({ order: m.id, modseq: m.createseq, kind: "created" });
    else {
      r.events.push({ order: m.id, modseq, kind: "updated" });
      if (formed) r.countsOnly = false;
    }
  }
  for (
    const { id, modseq, createseq } of goneMailboxesSince(account.db, since.modseq)
  ) {
    if (covers(since, modseq, id) || !covers(since, createseq, id)) continue;
    r.events.push({ order: id, modseq, kind: "destroyed" });
  }
  return r;
}

/** Mailboxes of changed threads: an unread email counts in all of them. */
function countedSince({ index }: MailView, modseq: number): Map<number, number> {
  const threads = new Map<number, number>();
  for (let slot = 0; slot < index.count; slot++) {
    if (index.modseq[slot] < modseq) continue;
    const thread = index.threadId[slot];
    threads.set(thread, Math.max(threads.get(thread) ?? 0, index.modseq[slot]));
  }
  const counted = new Map<number, number>();
  if (threads.size === 0) return counted;
  for (let slot = 0; slot < index.count; slot++) {
    const last = threads.get(index.threadId[slot]);
    if (last === undefined) continue;
    for (const id of index.mailboxesOf(slot)) {
      counted.set(id, Math.max(counted.get(id) ?? 0, last));
    }
  }
  return counted;
}
