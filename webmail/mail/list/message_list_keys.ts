/** Keys of the message list. @module */
import type { Shortcut } from "../../lib/keys.ts";

/** What the keys do. */
export interface MessageListMoves {
  /** To the line at an index that is found from the one that has the focus (-1: none). */
  step(to: (ids: readonly number[], at: number) => number, extend?: boolean): void;
  /** To the next or previous line with an unread message, or thread. */
  stepUnread(delta: 1 | -1): void;
  stepThread(delta: 1 | -1): void;
  /** Lines that fit on the screen. */
  pageSize(): number;
  /** The thread with the focus; undefined: the other way than it is. */
  expand(expanded: boolean | undefined): void;
  open(): void;
  selectAll(): void;
  selectNothing(): void;
}

/** The keys, for the list and for the help. */
export function messageListKeys(m: MessageListMoves): Shortcut[] {
  const by = (lines: () => number, extend = false) => () =>
    m.step((_ids, at) => at + lines(), extend);
  const down = by(() => 1);
  const up = by(() => -1);
  return [
    { key: "ArrowDown", what: "Next message", run: down },
    { key: "ArrowUp", what: "Previous message", run: up },
    { key: "j", what: "Next message", run: down },
    { key: "k", what: "Previous message", run: up },
    { key: "shift ArrowDown", what: "Select the next message too", run: by(() => 1, true) },
    { key: "shift ArrowUp", what: "Select the previous message too", run: by(() => -1, true) },
    { key: "PageDown", what: "A page down", run: by(() => m.pageSize()) },
    { key: "PageUp", what: "A page up", run: by(() => -m.pageSize()) },
    { key: "Home", what: "First message", run: () => m.step(() => 0) },
    { key: "End", what: "Last message that is loaded", run: () => m.step((ids) => ids.length - 1) },
    { key: ".", what: "Next unread message", run: () => m.stepUnread(1) },
    { key: ",", what: "Previous unread message", run: () => m.stepUnread(-1) },
    { key: "]", what: "Next thread", run: () => m.stepThread(1) },
    { key: "[", what: "Previous thread", run: () => m.stepThread(-1) },
    { key: "ArrowRight", what: "Expand the thread", run: () => m.expand(true) },
    { key: "ArrowLeft", what: "Collapse the thread", run: () => m.expand(false) },
    { key: "C", what: "Collapse or expand the thread", run: () => m.expand(undefined) },
    { key: "Enter", what: "Open the message", run: () => m.open() },
    { key: "ctrl a", what: "Select all that is loaded", run: () => m.selectAll() },
    { key: "Escape", what: "Select nothing", run: () => m.selectNothing() },
  ];
}
