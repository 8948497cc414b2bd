/**
 * The message list: threads or single messages, selection by mouse and keys, more as one scrolls.
 *
 * @module
 */
import type {
  Change,
  MessageItem,
  Settings,
  Thread,
  Threading,
  ThreadPart,
  ViewEvent,
} from "../../api/mod.ts";
import { call } from "../../api/client.ts";
import { el, fill } from "../../lib/dom.ts";
import type { Shortcut } from "../../lib/keys.ts";
import { countText, numberText } from "../../lib/format.ts";
import { offerFile } from "../drop_messages.ts";
import { attempt } from "../../lib/notify.ts";
import { dragType } from "../mailboxes/list.ts";
import {
  expandedAtFirst,
  found,
  isCollapsed,
  lines,
  type ListedThread,
  placeOf,
  shown,
  unreadIn,
} from "./listed_threads.ts";
import { messageListKeys } from "./message_list_keys.ts";
import { fillRow, type RowStyle } from "./message_row.ts";
import { type SelectedMessages, selectedMessages } from "./selected_messages.ts";
import { newSelection, type Pick } from "./selection.ts";
import { t } from "../../lib/text.ts";

export interface MessageListOptions {
  /**
   * The selection has changed: so many messages; `focus` is the one to show. `byUser`: not because messages left.
   */
  onSelect: (selected: number, focus: MessageItem | undefined, byUser: boolean) => void;
  /** A message was opened with Enter, a double click, or a tap. */
  onOpen: (item: MessageItem) => void;
  /** More are wanted, after this message. */
  onMore: (anchor: number) => void;
  /** Whole threads, of which the list has a part. */
  whole: (threadIds: number[]) => Promise<Thread[]>;
  settings: () => Settings;
  /** Name of a mailbox if it isn't the displayed one. */
  mailboxName: (id: number) => string | undefined;
  outgoing: () => boolean;
  /** What is shown where there are no messages. */
  empty: () => HTMLElement | null;
}

export interface MessageList {
  root: HTMLElement;
  /** Starts a new view; the message `keep` is selected when it arrives. */
  reset(threading: Threading, keep?: number): void;
  add(event: ViewEvent): void;
  change(change: Change): void;
  /** A line above the list: progress, an error. */
  say(text: string): void;
  selected: SelectedMessages;
  /** Selects a message as soon as it arrives. */
  selectSoon(id: number): void;
  select(id: number): void;
  clear(): void;
  /** Redraws all lines. */
  redraw(): void;
  total(): number | null;
  /** The count of a whole mailbox, more accurate than that of the loaded messages. */
  setTotal(n: number): void;
  focus(): void;
  shortcuts: Shortcut[];
}

/** Creates the list. */
export function messageList(options: MessageListOptions): MessageList {
  let threading: Threading = "off";
  let threads: ListedThread[] = [];
  const byKey = new Map<number, ListedThread>();
  /** Lines by the id of the message they show. */
  const rows = new Map<number, { row: HTMLElement; thread: ListedThread; collapsed: boolean }>();
  const selection = newSelection();
  let end = false;
  let loading = false;
  let total: number | null = null;
  /** To be selected when it arrives. */
  let awaited: number | undefined;

  const status = el("div", { class: "list-status", role: "status" });
  const list = el("div", {
    class: "messages",
    role: "listbox",
    "aria-multiselectable": "true",
    "aria-label": t("Messages"),
    tabindex: 0,
    onscroll: () => more(),
  });
  const nothing = el("div", { class: "nothing-listed" });
  const root = el(
    "section",
    { class: "message-list", "aria-label": t("Message list") },
    status,
    nothing,
    list,
  );

  /** Ids of lines from top to bottom. */
  const order = () => lines(threads).map((m) => m.id);
  const keyOf = (m: MessageItem) => threading === "off" ? m.id : m.threadId;
  const style = (): RowStyle => ({
    outgoing: options.outgoing(),
    previews: options.settings().showPreviews,
    mailboxName: options.mailboxName,
  });

  function drawThread(thread: ListedThread): void {
    for (const [id, r] of rows) if (r.thread === thread) rows.delete(id);
    fill(thread.root, lines([thread]).map((m) => makeRow(thread, m, isCollapsed(thread))));
  }

  function makeRow(thread: ListedThread, item: MessageItem, collapsed: boolean): HTMLElement {
    const row = el("div", {
      role: "option",
      id: `message-${item.id}`,
      draggable: "true",
      onclick: (e: MouseEvent) => click(item.id, e),
      ondblclick: () => thread.items.length > 1 ? toggle(thread) : options.onOpen(item),
      ondragstart: (event: DragEvent) => {
        if (!selection.has(item.id)) pick(item.id, "only");
        event.dataTransfer?.setData(dragType, String(item.id));
        if (selection.size === 1) offerFile(event.dataTransfer!, item);
        event.dataTransfer!.effectAllowed = "copyMove";
      },
    });
    rows.set(item.id, { row, thread, collapsed });
    drawRow(item.id);
    return row;
  }

  function drawRow(id: number): void {
    const r = rows.get(id);
    const item = r?.thread.items.find((m) => m.id === id);
    if (r === undefined || item === undefined) return;
    const { collapsed } = r;
    const items = collapsed ? r.thread.items : [item];
    const root = r.thread.items[0].id === id || collapsed;
    fillRow(r.row, { item, items, part: r.thread.part, collapsed, root }, style());
    mark([id]);
  }

  /** The threads of an event, each with its part if it has one. `counted`: the total has those that are new to the list. */
  function putAll(event: { threads: Thread[]; parts: ThreadPart[] }, counted: boolean): void {
    const parts = new Map(event.parts.map((p) => [p.threadId, p]));
    for (const items of event.threads) {
      if (items.length === 0) continue;
      const part = parts.get(items[0].threadId);
      if (!counted && total !== null && !byKey.has(keyOf(items[0]))) {
        total += found({ items, part });
      }
      put(items, part);
    }
  }

  function put(items: MessageItem[], part: ThreadPart | undefined): void {
    const key = keyOf(items[0]);
    const sort = Math.max(...items.map((m) => m.received));
    const known = byKey.get(key);
    if (known !== undefined) {
      if (total !== null) total += found({ items, part }) - found(known);
      // What this page has not seen whole isn't expanded by becoming short.
      const wasPart = known.part !== undefined;
      known.items = items;
      known.part = part;
      if (part !== undefined) known.expanded = false;
      else if (!wasPart && items.length > 1 && expandedAtFirst(known, threading)) {
        known.expanded = true;
      }
      if (known.sort !== sort) {
        threads.splice(threads.indexOf(known), 1);
        known.sort = sort;
        place(known);
      }
      drawThread(known);
      return;
    }
    const t: ListedThread = {
      key,
      items,
      part,
      sort,
      expanded: expandedAtFirst({ items, part }, threading),
      root: el("div", { class: "thread", role: "presentation" }),
    };
    byKey.set(key, t);
    place(t);
    drawThread(t);
  }

  /** Puts a thread where its newest message belongs. */
  function place(thread: ListedThread): void {
    const at = placeOf(thread.sort, threads, options.settings().order);
    list.insertBefore(thread.root, threads[at]?.root ?? null);
    threads.splice(at, 0, thread);
  }

  function setExpanded(thread: ListedThread, expanded: boolean, byUser: boolean): void {
    thread.expanded = expanded;
    const inside = selection.focused !== undefined &&
      thread.items.some((m) => m.id === selection.focused);
    drawThread(thread);
    if (inside) pick(expanded ? selection.focused! : shown(thread).id, "only", byUser);
  }

  function toggle(thread: ListedThread): void {
    if (thread.items.length < 2) return;
    const collapse = thread.expanded;
    expand(thread, !collapse, true);
    attempt(() => call("ThreadCollapse", { target: { ids: [thread.items[0].id] }, collapse }));
  }

  /** Expands a thread, or collapses it; one of which only a part is here when all of it is. */
  function expand(thread: ListedThread, expanded: boolean, byUser: boolean): void {
    if (!expanded || thread.part === undefined) return setExpanded(thread, expanded, byUser);
    attempt(async () => {
      await makeWhole([thread]);
      if (byKey.get(thread.key) === thread && thread.part === undefined) {
        setExpanded(thread, true, byUser);
      }
    });
  }

  /** Asks for what is missing of threads. */
  async function makeWhole(some: readonly ListedThread[]): Promise<void> {
    const keys = some.filter((thread) => thread.part !== undefined).map((thread) => thread.key);
    if (keys.length === 0) return;
    for (const items of await options.whole(keys)) {
      if (items.length > 0 && byKey.has(keyOf(items[0]))) put(items, undefined);
    }
  }

  const focusThread = () =>
    selection.focused === undefined ? undefined : rows.get(selection.focused)?.thread;

  /** Shows on lines whether they are selected, and have the focus. */
  function mark(ids: Iterable<number>): void {
    for (const id of ids) {
      const row = rows.get(id)?.row;
      row?.setAttribute("aria-selected", String(selection.has(id)));
      row?.classList.toggle("focused", selection.focused === id);
    }
  }

  /** Changes the selection. */
  function pick(id: number, how: Pick, byUser = true): void {
    mark(selection.pick(id, how, order));
    const row = rows.get(id)?.row;
    row?.scrollIntoView({ block: "nearest" });
    if (row) list.setAttribute("aria-activedescendant", row.id);
    reportSelection(byUser);
  }

  function reportSelection(byUser: boolean): void {
    const alone = selection.size === 1 ? itemOf(selection.ids()[0]) : undefined;
    options.onSelect(selected.count(), alone, byUser);
  }

  function itemOf(id: number): MessageItem | undefined {
    return rows.get(id)?.thread.items.find((m) => m.id === id);
  }

  const selected = selectedMessages(selection.ids, (id) => rows.get(id), makeWhole);

  function click(id: number, event: MouseEvent): void {
    list.focus({ preventScroll: true });
    pick(id, event.shiftKey ? "range" : event.ctrlKey || event.metaKey ? "toggle" : "only");
    if (!event.shiftKey && !event.ctrlKey && !event.metaKey) options.onOpen(itemOf(id)!);
  }

  function step(to: (ids: readonly number[], at: number) => number, extend = false): void {
    const ids = order();
    if (ids.length === 0) return;
    const at = selection.focused === undefined ? -1 : ids.indexOf(selection.focused);
    const i = Math.max(0, Math.min(ids.length - 1, to(ids, at)));
    pick(ids[i], extend ? "range" : "only");
    more();
  }

  /** Lines that fit on the screen. */
  function pageSize(): number {
    const row = list.querySelector<HTMLElement>("[role=option]");
    return row === null ? 1 : Math.max(1, Math.floor(list.clientHeight / row.offsetHeight) - 1);
  }

  function more(): void {
    if (end || loading || threads.length === 0) return;
    if (list.scrollTop + list.clientHeight * 2 < list.scrollHeight) return;
    loading = true;
    const last = threads.at(-1)!;
    options.onMore((last.items.find((m) => m.matches) ?? last.items[0]).id);
  }

  function remove(ids: readonly number[]): void {
    const gone = new Set(ids);
    const before = order();
    const at = selection.focused === undefined ? -1 : before.indexOf(selection.focused);
    const chosen = selection.size;
    let left = 0;
    selection.drop(ids);
    for (const t of new Set(ids.map((id) => byItem(id)))) {
      if (t === undefined) continue;
      const before = found(t);
      t.items = t.items.filter((m) => !gone.has(m.id));
      if (t.items.length > 0) {
        // What is left of a thread of which a part is here is told next.
        left += before - found(t);
        drawThread(t);
        continue;
      }
      left += before;
      t.root.remove();
      byKey.delete(t.key);
      threads.splice(threads.indexOf(t), 1);
      for (const [id, r] of rows) if (r.thread === t) rows.delete(id);
    }
    if (total !== null) total = Math.max(0, total - left);
    showCount();
    if (selection.focused !== undefined && !rows.has(selection.focused)) {
      const next = before.slice(at).find((id) => rows.has(id)) ??
        before.slice(0, Math.max(at, 0)).reverse().find((id) => rows.has(id));
      selection.focused = undefined;
      if (next !== undefined) pick(next, "only", false);
      else reportSelection(false);
    } else if (selection.size !== chosen) reportSelection(false);
    more();
  }

  function byItem(id: number): ListedThread | undefined {
    return rows.get(id)?.thread ?? threads.find((t) => t.items.some((m) => m.id === id));
  }

  function patch(ids: readonly number[], by: (item: MessageItem) => MessageItem): void {
    const wanted = new Set(ids);
    let open: MessageItem | undefined;
    for (const t of new Set(ids.map(byItem))) {
      if (t === undefined) continue;
      t.items = t.items.map((m) => wanted.has(m.id) ? by(m) : m);
      for (const m of t.items) if (rows.has(m.id)) drawRow(m.id);
      if (isCollapsed(t)) drawRow(shown(t).id);
      open ??= t.items.find((m) => m.id === selection.focused && wanted.has(m.id));
    }
    if (open !== undefined) reportSelection(false);
  }

  function showCount(): void {
    const none = threads.length === 0 && end;
    fill(nothing, none ? options.empty() : null);
    if (none) fill(status, t("No messages."));
    else if (total !== null) fill(status, countText(total, "message"));
    else {
      const loaded = threads.reduce((n, t) => n + found(t), 0);
      fill(
        status,
        end ? countText(loaded, "message") : t("{0} messages and more", numberText(loaded)),
      );
    }
  }

  function stepUnread(delta: 1 | -1): void {
    step((ids, at) => {
      for (let i = at + delta; i >= 0 && i < ids.length; i += delta) {
        if (unreadIn(rows.get(ids[i])!.thread, ids[i])) return i;
      }
      return at;
    });
  }

  function stepThread(delta: 1 | -1): void {
    const t = focusThread();
    const at = t === undefined ? -1 : threads.indexOf(t);
    const next = threads[Math.max(0, Math.min(threads.length - 1, at + delta))];
    if (next !== undefined) step((ids) => ids.findIndex((id) => rows.get(id)?.thread === next));
  }

  const shortcuts = messageListKeys({
    step,
    stepUnread,
    stepThread,
    pageSize,
    expand: (expanded) => {
      const t = focusThread();
      if (t !== undefined && t.expanded !== expanded) toggle(t);
    },
    open: () => {
      const item = selection.focused === undefined ? undefined : itemOf(selection.focused);
      if (item !== undefined) options.onOpen(item);
    },
    selectAll: () => {
      mark(selection.selectAll(order()));
      reportSelection(true);
    },
    selectNothing: clear,
  });

  function pickAwaited(): void {
    if (awaited === undefined || !rows.has(awaited)) return;
    pick(awaited, "only", false);
    awaited = undefined;
  }

  function clear(): void {
    mark(selection.clear());
    reportSelection(true);
  }

  return {
    root,
    shortcuts,
    reset: (mode, keep) => {
      threading = mode;
      awaited = keep;
      threads = [];
      byKey.clear();
      rows.clear();
      selection.reset();
      end = false;
      loading = true;
      total = null;
      fill(list);
      list.scrollTop = 0;
      list.removeAttribute("aria-activedescendant");
      fill(nothing);
      fill(status, t("Loading…"));
    },
    add: (e) => {
      putAll(e, true);
      if (e.total !== null) total = e.total;
      if (e.end) end = true;
      if (e.done) loading = false;
      pickAwaited();
      showCount();
      if (e.done) more();
    },
    change: (c) => {
      switch (c.kind) {
        case "threads": {
          putAll(c, false);
          pickAwaited();
          showCount();
          break;
        }
        case "messagesRemove":
          remove(c.ids);
          break;
        case "flags": {
          const now = new Map(c.items.map((i) => [i.id, i]));
          patch([...now.keys()], (m) => ({ ...m, ...now.get(m.id)! }));
          break;
        }
        case "threadState": {
          const emails = new Set(c.emailIds);
          const ids = threads.flatMap((t) =>
            t.items.filter((m) => emails.has(m.emailId)).map((m) => m.id)
          );
          const turned = new Set(ids.map(byItem)).values().filter((t) =>
            t !== undefined && t.items.length > 1 && t.expanded === c.collapsed &&
            t.items[0].threadCollapsed !== c.collapsed
          ).toArray();
          patch(ids, (m) => ({ ...m, threadMuted: c.muted, threadCollapsed: c.collapsed }));
          for (const t of turned) expand(t!, !c.collapsed, false);
        }
      }
    },
    say: (text) => fill(status, text),
    selected,
    select: (id) => {
      if (rows.has(id)) pick(id, "only");
    },
    selectSoon: (id) => {
      awaited = id;
      pickAwaited();
    },
    clear,
    redraw: () => {
      for (const id of rows.keys()) drawRow(id);
    },
    total: () => total,
    setTotal: (n) => {
      if (total === null || total === n) return;
      total = n;
      showCount();
    },
    focus: () => list.focus(),
  };
}
