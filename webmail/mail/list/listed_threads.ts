/** The threads of the message list: what a line shows of them, and where they belong. @module */
import type { MessageItem, Settings, Threading, ThreadPart } from "../../api/mod.ts";
import { has } from "../names.ts";

/** A thread as the list shows it; a message on its own is one too. */
export interface ListedThread {
  key: number;
  items: MessageItem[];
  /** The page has only some of its messages: it stays one line until it has all. */
  part: ThreadPart | undefined;
  expanded: boolean;
  /** Newest message. */
  sort: number;
  root: HTMLElement;
}

/** How many the query found; the others are shown with them. */
export function found(thread: Pick<ListedThread, "items" | "part">): number {
  return thread.part?.found ?? thread.items.filter((m) => m.matches).length;
}

/** Whether a thread is expanded when it comes into the list. */
export function expandedAtFirst(
  { items, part }: Pick<ListedThread, "items" | "part">,
  threading: Threading,
): boolean {
  if (part !== undefined) return false;
  if (items.length < 2) return true;
  if (items[0].threadCollapsed) return false;
  return threading === "on" || items.some((m) => !has(m, "seen"));
}

/** One line stands for all messages. */
export function isCollapsed(thread: ListedThread): boolean {
  return thread.part !== undefined || (!thread.expanded && thread.items.length > 1);
}

/** The message that a collapsed thread's line shows: the newest that was found. */
export function shown(thread: ListedThread): MessageItem {
  const found = thread.items.filter((m) => m.matches);
  return (found.length > 0 ? found : thread.items).reduce((a, b) =>
    b.received > a.received ? b : a
  );
}

/** Messages that have a line, from top to bottom. */
export function lines(threads: readonly ListedThread[]): MessageItem[] {
  return threads.flatMap((t) => isCollapsed(t) ? [shown(t)] : t.items);
}

/** Index at which a thread belongs among those sorted by their newest message. */
export function placeOf(
  sort: number,
  threads: readonly ListedThread[],
  order: Settings["order"],
): number {
  let low = 0;
  let high = threads.length;
  while (low < high) {
    const mid = (low + high) >> 1;
    const before = order === "newest" ? threads[mid].sort >= sort : threads[mid].sort <= sort;
    if (before) low = mid + 1;
    else high = mid;
  }
  return low;
}

/** Whether a message that a line stands for is unread. */
export function unreadIn(thread: ListedThread, line: number): boolean {
  if (thread.part !== undefined) return thread.part.unread;
  const items = isCollapsed(thread) ? thread.items : thread.items.filter((m) => m.id === line);
  return items.some((m) => !has(m, "seen"));
}
