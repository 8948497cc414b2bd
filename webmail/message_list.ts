/**
 * The message list: threads or single messages, selection by mouse and keys, more as one scrolls.
 *
 * @module
 */
import type { Change, MessageItem, Settings, Threading, ViewEvent } from "./api/mod.ts";
import { call } from "./api/client.ts";
import { el, fill } from "./lib/dom.ts";
import type { Shortcut } from "./lib/keys.ts";
import { countText, numberText } from "./lib/format.ts";
import { attempt } from "./lib/notify.ts";
import { dragType } from "./mailbox_list.ts";
import { fillRow, type RowStyle } from "./message_row.ts";
import { has } from "./names.ts";

interface ThreadState {
  key: number;
  items: MessageItem[];
  expanded: boolean;
  /** Newest message. */
  sort: number;
  root: HTMLElement;
}

export interface MessageListOptions {
  /** The selection has changed; `focus` is the message to show. `byUser`: not because messages left. */
  onSelect: (selected: MessageItem[], focus: MessageItem | undefined, byUser: boolean) => void;
  /** A message was opened with Enter, a double click, or a tap. */
  onOpen: (item: MessageItem) => void;
  /** More are wanted, after this message. */
  onMore: (anchor: number) => void;
  settings: () => Settings;
  /** Name of a mailbox if it isn't the one that is shown. */
  mailboxName: (id: number) => string | undefined;
  outgoing: () => boolean;
}

export interface MessageList {
  root: HTMLElement;
  /** Begins a new view; the message `keep` is selected when it comes. */
  reset(threading: Threading, keep?: number): void;
  add(e: ViewEvent): void;
  change(c: Change): void;
  /** A line over the list: progress, an error. */
  say(text: string): void;
  /** Selected messages, those of collapsed threads with them. */
  selected(): MessageItem[];
  select(id: number): void;
  clear(): void;
  /** Draws all lines anew. */
  redraw(): void;
  total(): number | null;
  /** The count of a whole mailbox, which is known better than by what was loaded. */
  setTotal(n: number): void;
  focus(): void;
  shortcuts: Shortcut[];
}

/** Makes the list. */
export function messageList(o: MessageListOptions): MessageList {
  let threading: Threading = "off";
  let threads: ThreadState[] = [];
  const byKey = new Map<number, ThreadState>();
  /** Lines by the id of the message they show. */
  const rows = new Map<number, { row: HTMLElement; thread: ThreadState; collapsed: boolean }>();
  let selection = new Set<number>();
  let focused: number | undefined;
  /** Where a selection with shift began. */
  let mark: number | undefined;
  let end = false;
  let loading = false;
  let total: number | null = null;
  /** To be selected when it comes. */
  let awaited: number | undefined;

  const status = el("div", { class: "list-status", role: "status" });
  const list = el("div", {
    class: "messages",
    role: "listbox",
    "aria-multiselectable": "true",
    "aria-label": "Messages",
    tabindex: 0,
    onscroll: () => more(),
  });
  const root = el("section", { class: "message-list", "aria-label": "Message list" }, status, list);

  const matching = (items: readonly MessageItem[]) => items.filter((m) => m.matches).length;
  const keyOf = (m: MessageItem) => threading === "off" ? m.id : m.threadId;
  const style = (): RowStyle => ({
    outgoing: o.outgoing(),
    previews: o.settings().showPreviews,
    mailboxName: o.mailboxName,
  });

  function expandedAtFirst(items: MessageItem[]): boolean {
    if (items.length < 2) return true;
    if (items[0].threadCollapsed) return false;
    return threading === "on" || items.some((m) => !has(m, "seen"));
  }

  /** The message that a collapsed thread's line shows: the newest that was found. */
  function shown(t: ThreadState): MessageItem {
    const found = t.items.filter((m) => m.matches);
    return (found.length > 0 ? found : t.items).reduce((a, b) => b.received > a.received ? b : a);
  }

  function drawThread(t: ThreadState): void {
    for (const [id, r] of rows) if (r.thread === t) rows.delete(id);
    const collapsed = !t.expanded && t.items.length > 1;
    const items = collapsed ? [shown(t)] : t.items;
    fill(t.root, items.map((m) => makeRow(t, m, collapsed)));
  }

  function makeRow(t: ThreadState, m: MessageItem, collapsed: boolean): HTMLElement {
    const row = el("div", {
      role: "option",
      id: `message-${m.id}`,
      draggable: "true",
      onclick: (e: MouseEvent) => click(m.id, e),
      ondblclick: () => t.items.length > 1 ? toggle(t) : o.onOpen(m),
      ondragstart: (e: DragEvent) => {
        if (!selection.has(m.id)) pick(m.id, "only");
        e.dataTransfer?.setData(dragType, String(m.id));
        e.dataTransfer!.effectAllowed = "move";
      },
    });
    rows.set(m.id, { row, thread: t, collapsed });
    drawRow(m.id);
    return row;
  }

  function drawRow(id: number): void {
    const r = rows.get(id);
    const item = r?.thread.items.find((m) => m.id === id);
    if (r === undefined || item === undefined) return;
    const items = r.collapsed ? r.thread.items : [item];
    const isRoot = r.thread.items[0].id === id || r.collapsed;
    fillRow(r.row, { item, items, collapsed: r.collapsed, root: isRoot }, style());
    r.row.setAttribute("aria-selected", String(selection.has(id)));
    r.row.classList.toggle("focused", focused === id);
  }

  /** Ids of lines from top to bottom. */
  function order(): number[] {
    const ids: number[] = [];
    for (const t of threads) {
      if (!t.expanded && t.items.length > 1) ids.push(shown(t).id);
      else for (const m of t.items) ids.push(m.id);
    }
    return ids;
  }

  function put(items: MessageItem[]): void {
    const key = keyOf(items[0]);
    const sort = Math.max(...items.map((m) => m.received));
    const known = byKey.get(key);
    if (known !== undefined) {
      known.items = items;
      if (items.length > 1 && !known.expanded && expandedAtFirst(items)) known.expanded = true;
      if (known.sort !== sort) {
        threads.splice(threads.indexOf(known), 1);
        known.sort = sort;
        place(known);
      }
      drawThread(known);
      return;
    }
    const t: ThreadState = {
      key,
      items,
      sort,
      expanded: expandedAtFirst(items),
      root: el("div", { class: "thread", role: "presentation" }),
    };
    byKey.set(key, t);
    place(t);
    drawThread(t);
  }

  /** Puts a thread where its newest message belongs. */
  function place(t: ThreadState): void {
    const newest = o.settings().order === "newest";
    let low = 0;
    let high = threads.length;
    while (low < high) {
      const mid = (low + high) >> 1;
      const before = newest ? threads[mid].sort >= t.sort : threads[mid].sort <= t.sort;
      if (before) low = mid + 1;
      else high = mid;
    }
    list.insertBefore(t.root, threads[low]?.root ?? null);
    threads.splice(low, 0, t);
  }

  function setExpanded(t: ThreadState, expanded: boolean, byUser: boolean): void {
    t.expanded = expanded;
    const inside = focused !== undefined && t.items.some((m) => m.id === focused);
    drawThread(t);
    if (inside) pick(expanded ? focused! : shown(t).id, "only", byUser);
  }

  function toggle(t: ThreadState): void {
    if (t.items.length < 2) return;
    setExpanded(t, !t.expanded, true);
    attempt(() =>
      call("ThreadCollapse", { target: { ids: [t.items[0].id] }, collapse: !t.expanded })
    );
  }

  const focusThread = () => focused === undefined ? undefined : rows.get(focused)?.thread;

  /** Changes the selection. */
  function pick(id: number, how: "only" | "toggle" | "range", byUser = true): void {
    const before = new Set(selection);
    if (how === "only") {
      selection = new Set([id]);
      mark = id;
    } else if (how === "toggle") {
      if (!selection.delete(id)) selection.add(id);
      mark = id;
    } else {
      const ids = order();
      const a = ids.indexOf(mark ?? id);
      const b = ids.indexOf(id);
      selection = new Set(ids.slice(Math.min(a, b), Math.max(a, b) + 1));
    }
    const old = focused;
    focused = id;
    for (
      const changed of new Set([...before, ...selection, id, ...old === undefined ? [] : [old]])
    ) {
      const r = rows.get(changed);
      r?.row.setAttribute("aria-selected", String(selection.has(changed)));
      r?.row.classList.toggle("focused", focused === changed);
    }
    const row = rows.get(id)?.row;
    row?.scrollIntoView({ block: "nearest" });
    if (row) list.setAttribute("aria-activedescendant", row.id);
    told(byUser);
  }

  function told(byUser: boolean): void {
    const chosen = selected();
    const alone = selection.size === 1 ? itemOf([...selection][0]) : undefined;
    o.onSelect(chosen, alone, byUser);
  }

  function itemOf(id: number): MessageItem | undefined {
    return rows.get(id)?.thread.items.find((m) => m.id === id);
  }

  function selected(): MessageItem[] {
    return [...selection].flatMap((id) => {
      const r = rows.get(id);
      if (r === undefined) return [];
      if (!r.collapsed) return r.thread.items.filter((m) => m.id === id);
      return r.thread.items.filter((m) => m.matches);
    });
  }

  function click(id: number, e: MouseEvent): void {
    list.focus({ preventScroll: true });
    pick(id, e.shiftKey ? "range" : e.ctrlKey || e.metaKey ? "toggle" : "only");
    if (!e.shiftKey && !e.ctrlKey && !e.metaKey) o.onOpen(itemOf(id)!);
  }

  function step(to: (ids: number[], at: number) => number, extend: boolean): void {
    const ids = order();
    if (ids.length === 0) return;
    const at = focused === undefined ? -1 : ids.indexOf(focused);
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
    o.onMore((last.items.find((m) => m.matches) ?? last.items[0]).id);
  }

  function remove(ids: readonly number[]): void {
    const gone = new Set(ids);
    const before = order();
    const at = focused === undefined ? -1 : before.indexOf(focused);
    const chosen = selection.size;
    let found = 0;
    for (const t of new Set(ids.map((id) => byItem(id)))) {
      if (t === undefined) continue;
      found += t.items.filter((m) => gone.has(m.id) && m.matches).length;
      t.items = t.items.filter((m) => !gone.has(m.id));
      for (const id of ids) selection.delete(id);
      if (t.items.length > 0) {
        drawThread(t);
        continue;
      }
      t.root.remove();
      byKey.delete(t.key);
      threads.splice(threads.indexOf(t), 1);
      for (const [id, r] of rows) if (r.thread === t) rows.delete(id);
    }
    if (total !== null) total = Math.max(0, total - found);
    sayCount();
    if (focused !== undefined && !rows.has(focused)) {
      const next = before.slice(at).find((id) => rows.has(id)) ??
        before.slice(0, Math.max(at, 0)).reverse().find((id) => rows.has(id));
      focused = undefined;
      if (next !== undefined) pick(next, "only", false);
      else told(false);
    } else if (selection.size !== chosen) told(false);
    more();
  }

  function byItem(id: number): ThreadState | undefined {
    return rows.get(id)?.thread ?? threads.find((t) => t.items.some((m) => m.id === id));
  }

  function patch(ids: readonly number[], by: (m: MessageItem) => MessageItem): void {
    const wanted = new Set(ids);
    let open: MessageItem | undefined;
    for (const t of new Set(ids.map(byItem))) {
      if (t === undefined) continue;
      t.items = t.items.map((m) => wanted.has(m.id) ? by(m) : m);
      for (const m of t.items) if (rows.has(m.id)) drawRow(m.id);
      if (!t.expanded && t.items.length > 1) drawRow(shown(t).id);
      open ??= t.items.find((m) => m.id === focused && wanted.has(m.id));
    }
    if (open !== undefined) told(false);
  }

  function sayCount(): void {
    if (threads.length === 0 && end) fill(status, "No messages.");
    else if (total !== null) fill(status, countText(total, "message"));
    else {
      const loaded = threads.reduce((n, t) => n + matching(t.items), 0);
      fill(status, end ? countText(loaded, "message") : `${numberText(loaded)} messages and more`);
    }
  }

  const unreadStep = (delta: 1 | -1) =>
    step((ids, at) => {
      for (let i = at + delta; i >= 0 && i < ids.length; i += delta) {
        const r = rows.get(ids[i])!;
        const items = r.collapsed ? r.thread.items : r.thread.items.filter((m) => m.id === ids[i]);
        if (items.some((m) => !has(m, "seen"))) return i;
      }
      return at;
    }, false);
  const rootStep = (delta: 1 | -1) => {
    const t = focusThread();
    const at = t === undefined ? -1 : threads.indexOf(t);
    const next = threads[Math.max(0, Math.min(threads.length - 1, at + delta))];
    if (next === undefined) return;
    const ids = order();
    step(() => ids.findIndex((id) => rows.get(id)?.thread === next), false);
  };
  const down = (extend: boolean) => step((_ids, at) => at + 1, extend);
  const up = (extend: boolean) => step((_ids, at) => at - 1, extend);

  const shortcuts: Shortcut[] = [
    { key: "ArrowDown", what: "Next message", run: () => down(false) },
    { key: "ArrowUp", what: "Previous message", run: () => up(false) },
    { key: "j", what: "Next message", run: () => down(false) },
    { key: "k", what: "Previous message", run: () => up(false) },
    { key: "shift ArrowDown", what: "Select the next message too", run: () => down(true) },
    { key: "shift ArrowUp", what: "Select the previous message too", run: () => up(true) },
    { key: "PageDown", what: "A page down", run: () => step((_i, at) => at + pageSize(), false) },
    { key: "PageUp", what: "A page up", run: () => step((_i, at) => at - pageSize(), false) },
    { key: "Home", what: "First message", run: () => step(() => 0, false) },
    {
      key: "End",
      what: "Last message that is loaded",
      run: () => step((i) => i.length - 1, false),
    },
    { key: ".", what: "Next unread message", run: () => unreadStep(1) },
    { key: ",", what: "Previous unread message", run: () => unreadStep(-1) },
    { key: "]", what: "Next thread", run: () => rootStep(1) },
    { key: "[", what: "Previous thread", run: () => rootStep(-1) },
    {
      key: "ArrowRight",
      what: "Expand the thread",
      run: () => {
        const t = focusThread();
        if (t !== undefined && !t.expanded) toggle(t);
      },
    },
    {
      key: "ArrowLeft",
      what: "Collapse the thread",
      run: () => {
        const t = focusThread();
        if (t !== undefined && t.expanded) toggle(t);
      },
    },
    {
      key: "C",
      what: "Collapse or expand the thread",
      run: () => {
        const t = focusThread();
        if (t !== undefined) toggle(t);
      },
    },
    {
      key: "Enter",
      what: "Open the message",
      run: () => {
        const item = focused === undefined ? undefined : itemOf(focused);
        if (item !== undefined) o.onOpen(item);
      },
    },
    {
      key: "ctrl a",
      what: "Select all that is loaded",
      run: () => {
        selection = new Set(order());
        for (const id of selection) rows.get(id)!.row.setAttribute("aria-selected", "true");
        told(true);
      },
    },
    { key: "Escape", what: "Select nothing", run: () => clear() },
  ];

  function clear(): void {
    const before = [...selection];
    selection = new Set();
    for (const id of before) rows.get(id)?.row.setAttribute("aria-selected", "false");
    told(true);
  }

  return {
    root,
    shortcuts,
    reset: (t, keep) => {
      threading = t;
      awaited = keep;
      threads = [];
      byKey.clear();
      rows.clear();
      selection = new Set();
      focused = mark = undefined;
      end = false;
      loading = true;
      total = null;
      fill(list);
      list.scrollTop = 0;
      list.removeAttribute("aria-activedescendant");
      fill(status, "Loading…");
    },
    add: (e) => {
      for (const items of e.threads) if (items.length > 0) put(items);
      if (e.total !== null) total = e.total;
      if (e.end) end = true;
      if (e.done) loading = false;
      if (awaited !== undefined && rows.has(awaited)) {
        pick(awaited, "only", false);
        awaited = undefined;
      }
      sayCount();
      if (e.done) more();
    },
    change: (c) => {
      switch (c.kind) {
        case "threads": {
          for (const items of c.threads) {
            if (items.length === 0) continue;
            const before = byKey.get(keyOf(items[0]))?.items ?? [];
            if (total !== null) total += matching(items) - matching(before);
            put(items);
          }
          sayCount();
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
          for (const t of turned) setExpanded(t!, !c.collapsed, false);
        }
      }
    },
    say: (text) => fill(status, text),
    selected,
    select: (id) => {
      if (rows.has(id)) pick(id, "only");
    },
    clear,
    redraw: () => {
      for (const id of rows.keys()) drawRow(id);
    },
    total: () => total,
    setTotal: (n) => {
      if (total === null || total === n) return;
      total = n;
      sayCount();
    },
    focus: () => list.focus(),
  };
}
