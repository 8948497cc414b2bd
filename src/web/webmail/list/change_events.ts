/**
 * Changes of an account as reported to a page with a view of it.
 *
 * @module
 */
import type { Change as ApiChange } from "../../../../webmail/api/mod.ts";
import type { Account } from "../../../store/account/account.ts";
import { type Change, Flag } from "../../../store/types.ts";
import { flagsFromBits, usesFromBits } from "./flags.ts";
import { mailboxItem, messageItem } from "./items.ts";
import type { ListView } from "./view.ts";

/** New messages beyond which a view is better set anew. */
const maxAdded = 500;
/** Messages of one change of flags or removal. */
const maxItems = 1000;

type Added = Extract<Change, { kind: "addMessage" }>;

/** Told changes, and whether the view is still worth anything. */
export interface Told {
  changes: ApiChange[];
  stale: boolean;
  gone: boolean;
}

/** Translates changes, in their order. `newestId`: messages with a higher id have just been made. */
export async function tellChanges(
  account: Account,
  view: ListView | undefined,
  changes: readonly Change[],
  newestId: number,
): Promise<Told> {
  const events: ApiChange[] = [];
  let stale = false;
  let gone = false;
  let added: Added[] = [];
  /** Threads that the page has a part of, and whose messages have changed. */
  const parts = new Set<number>();
  const changed = (id: number) => {
    const threadId = view?.partOf(id);
    if (threadId !== undefined) parts.add(threadId);
  };
  const adds = changes.reduce((n, c) => n + (c.kind === "addMessage" ? 1 : 0), 0);
  // A large copy arrives in slices.
  if ((view?.addedLately(adds) ?? adds) > maxAdded) {
    stale = true;
    events.push({ kind: "viewStale" });
  }
  const flush = async () => {
    if (added.length === 0) return;
    const list = added;
    added = [];
    if (view !== undefined && !stale) {
      const { threads, parts, moved } = await view.added(list);
      if (moved.length > 0) events.push({ kind: "messagesRemove", ids: moved });
      if (threads.length > 0) events.push({ kind: "threads", threads, parts });
    }
    if (list.length > maxAdded) return;
    for (const m of list) {
      if (m.messageId <= newestId || m.flags & Flag.Seen) continue;
      if (account.mailbox(m.mailboxId)?.name !== "Inbox") continue;
      const item = messageItem(account, m.messageId);
      if (item !== undefined) events.push({ kind: "arrived", item });
    }
  };
  const mailboxesChanged = (renamed: boolean) => {
    const now = view?.mailboxesChanged(renamed);
    if (now === "gone") gone = true;
    if (now !== "stale" || stale) return;
    stale = true;
    events.push({ kind: "viewStale" });
  };
  // Counts change with each message: only the last ones matter.
  const lastCounts = new Map<number, number>();
  for (const [i, c] of changes.entries()) {
    if (c.kind === "mailboxCounts") lastCounts.set(c.mailboxId, i);
  }
  for (const [i, c] of changes.entries()) {
    if (c.kind === "addMessage") {
      added.push(c);
      continue;
    }
    if (c.kind === "mailboxCounts" && lastCounts.get(c.mailboxId) !== i) continue;
    await flush();
    switch (c.kind) {
      case "removeMessages": {
        c.messageIds.forEach(changed);
        const more = view === undefined || stale ? [] : await view.removed(c.messageIds);
        const ids = [...c.messageIds, ...more];
        for (let at = 0; at < ids.length; at += maxItems) {
          events.push({ kind: "messagesRemove", ids: ids.slice(at, at + maxItems) });
        }
        break;
      }
      case "changeFlags": {
        changed(c.messageId);
        const item = {
          id: c.messageId,
          flags: flagsFromBits(c.flags),
          keywords: [...c.keywords],
        };
        const last = events.at(-1);
        if (last?.kind === "flags" && last.items.length < maxItems) last.items.push(item);
        else events.push({ kind: "flags", items: [item] });
        break;
      }
      case "changeThread":
        events.push({
          kind: "threadState",
          emailIds: c.emailIds,
          muted: c.muted,
          collapsed: c.collapsed,
        });
        break;
      case "addMailbox":
        // As it was made; what came into it since follows.
        events.push({ kind: "mailboxAdd", mailbox: mailboxItem(c.mailbox) });
        mailboxesChanged(false);
        break;
      case "removeMailbox":
        events.push({ kind: "mailboxRemove", id: c.mailboxId });
        mailboxesChanged(false);
        break;
      case "renameMailbox":
        events.push({
          kind: "mailboxRename",
          id: c.mailboxId,
          name: c.newName,
          parentId: account.mailbox(c.mailboxId)?.parentId ?? 0,
        });
        mailboxesChanged(true);
        break;
      case "mailboxCounts":
        events.push({ kind: "mailboxCounts", id: c.mailboxId, counts: c.counts });
        break;
      case "mailboxSpecialUse":
        events.push({
          kind: "mailboxSpecialUse",
          id: c.mailboxId,
          specialUse: usesFromBits(c.specialUse),
        });
        break;
      case "mailboxKeywords":
        events.push({
          kind: "mailboxKeywords",
          id: c.mailboxId,
          keywords: c.keywords.map((k) => k.toLowerCase()),
        });
        break;
      case "subscription":
      case "annotation":
        break;
    }
  }
  await flush();
  if (parts.size > 0 && view !== undefined && !stale && !gone) {
    const now = await view.parts(parts);
    if (now.threads.length > 0) events.push({ kind: "threads", ...now });
  }
  return { changes: events, stale, gone };
}
