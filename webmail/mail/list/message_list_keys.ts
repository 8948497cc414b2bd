/** Keys of the message list. @module */
import type { Shortcut } from "../../lib/keys.ts";
import { t } from "../../lib/text.ts";

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
export function messageListKeys(moves: MessageListMoves): Shortcut[] {
  const by = (lines: () => number, extend = false) => () =>
    moves.step((_ids, at) => at + lines(), extend);
  const down = by(() => 1);
  const up = by(() => -1);
  return [
    { key: "ArrowDown", what: t("Next message"), run: down },
    { key: "ArrowUp", what: t("Previous message"), run: up },
    { key: "j", what: t("Next message"), run: down },
    { key: "k", what: t("Previous message"), run: up },
    { key: "shift ArrowDown", what: t("Select the next message too"), run: by(() => 1, true) },
    { key: "shift ArrowUp", what: t("Select the previous message too"), run: by(() => -1, true) },
    { key: "PageDown", what: t("A page down"), run: by(() => moves.pageSize()) },
    { key: "PageUp", what: t("A page up"), run: by(() => -moves.pageSize()) },
    { key: "Home", what: t("First message"), run: () => moves.step(() => 0) },
    {
      key: "End",
      what: t("Last message that is loaded"),
      run: () => moves.step((ids) => ids.length - 1),
    },
    { key: ".", what: t("Next unread message"), run: () => moves.stepUnread(1) },
    { key: ",", what: t("Previous unread message"), run: () => moves.stepUnread(-1) },
    { key: "]", what: t("Next thread"), run: () => moves.stepThread(1) },
    { key: "[", what: t("Previous thread"), run: () => moves.stepThread(-1) },
    { key: "ArrowRight", what: t("Expand the thread"), run: () => moves.expand(true) },
    { key: "ArrowLeft", what: t("Collapse the thread"), run: () => moves.expand(false) },
    { key: "C", what: t("Collapse or expand the thread"), run: () => moves.expand(undefined) },
    { key: "Enter", what: t("Open the message"), run: () => moves.open() },
    { key: "ctrl a", what: t("Select all that is loaded"), run: () => moves.selectAll() },
    { key: "Escape", what: t("Select nothing"), run: () => moves.selectNothing() },
  ];
}
