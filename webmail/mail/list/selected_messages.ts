/** The messages that selected lines stand for, also those of long threads that the page has only a part of. @module */
import type { MessageItem } from "../../api/mod.ts";
import { has } from "../names.ts";
import { found, type ListedThread } from "./listed_threads.ts";

/** A line: of a message, or of its whole thread. */
export interface Line {
  thread: ListedThread;
  collapsed: boolean;
}

export interface SelectedMessages {
  /** Those that are here. */
  here(): MessageItem[];
  /** How many there are. */
  count(): number;
  /** All of them, when what is missing has come; undefined if nothing is selected. */
  all(): Promise<MessageItem[]> | undefined;
  allFlagged(): boolean;
}

/**
 * @param ids of the selected lines
 * @param makeWhole asks for what is missing of threads
 */
export function selectedMessages(
  ids: () => number[],
  lineOf: (id: number) => Line | undefined,
  makeWhole: (threads: readonly ListedThread[]) => Promise<void>,
): SelectedMessages {
  const itemsAt = (id: number): MessageItem[] => {
    const line = lineOf(id);
    return line?.thread.items.filter((m) => line.collapsed ? m.matches : m.id === id) ?? [];
  };
  const here = () => ids().flatMap(itemsAt);
  /** Threads of which only a part is here. */
  const parts = () => ids().flatMap((id) => lineOf(id)?.thread ?? []).filter((t) => t.part);
  const foundHere = (t: ListedThread) => t.items.filter((m) => m.matches);

  async function all(chosen: MessageItem[]): Promise<MessageItem[]> {
    const missing = parts();
    if (missing.length === 0) return chosen;
    await makeWhole(missing);
    const complete = [...chosen, ...missing.flatMap(foundHere)];
    return [...new Map(complete.map((m) => [m.id, m])).values()];
  }

  return {
    here,
    count: () => parts().reduce((n, t) => n + found(t) - foundHere(t).length, here().length),
    all: () => {
      const chosen = here();
      return chosen.length === 0 ? undefined : all(chosen);
    },
    allFlagged: () =>
      ids().every((id) =>
        lineOf(id)?.thread.part?.allFlagged ?? itemsAt(id).every((m) => has(m, "flagged"))
      ),
  };
}
