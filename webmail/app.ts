/**
 * The page of someone who is logged in: puts the views together and passes on what changes.
 *
 * @module
 */
import { call } from "./api/client.ts";
import {
  type Change,
  type Filter,
  type Mailbox,
  type MessageItem,
  type Query,
  type ServerEvent,
  type Settings,
  type StartEvent,
  type Target,
  type View,
} from "./api/mod.ts";
import { actions } from "./actions.ts";
import { type ComposeWindow, composeWindow } from "./compose.ts";
import { type Events, openEvents } from "./events.ts";
import { openHelp } from "./help.ts";
import { layout } from "./layout.ts";
import { button, onButtonHint } from "./lib/button.ts";
import { confirmDialog } from "./lib/dialog.ts";
import { el, fill } from "./lib/dom.ts";
import { countText } from "./lib/format.ts";
import { addKeys, type KeyLayer, keyLayers } from "./lib/keys.ts";
import { attempt, keyHint, notice } from "./lib/notify.ts";
import { mailboxList } from "./mailbox_list.ts";
import { messageList } from "./message_list.ts";
import { messageView } from "./message_view.ts";
import { has, leafName, shortName, subjectText } from "./names.ts";
import { answer, type Beginning, fromMailto, newMessage } from "./quoting.ts";
import { searchBar } from "./search_bar.ts";
import { openSettings } from "./settings.ts";

/** Messages or threads asked for at a time. */
const pageCount = 100;

/** Runs the page until the session ends; resolves with why. */
export function app(into: HTMLElement): Promise<string> {
  return new Promise((resolve) => run(into, resolve));
}

function run(into: HTMLElement, ended: (reason: string) => void): void {
  let start: StartEvent | undefined;
  let settings: Settings | undefined;
  const mailboxes = new Map<number, Mailbox>();
  let openMailbox: number | null | undefined;
  let filter: Filter = {};
  let viewId = 1;
  /** Everything the query finds is selected, also what isn't loaded. */
  let wholeQuery = false;
  let wholeCount = 0;
  const windows: ComposeWindow[] = [];
  const unload: (() => void)[] = [];

  const mail = () =>
    openMailbox === null || openMailbox === undefined ? undefined : mailboxes.get(openMailbox);
  const query = (): Query => ({
    mailboxId: openMailbox ?? null,
    withChildren: false,
    filter,
    order: settings?.order ?? "newest",
    threading: settings?.threading ?? "unread",
  });
  const view = (): View => ({
    viewId,
    query: query(),
    page: { anchor: null, count: pageCount },
  });

  const target = (): Target | undefined => {
    if (wholeQuery) return { query: query() };
    const ids = list.selected().map((m) => m.id);
    return ids.length === 0 ? undefined : { ids: ids.slice(0, 10_000) };
  };
  const act = actions({
    target,
    mailboxes: () => mailboxes.values(),
    leaving: () => {
      if (panes.narrow() && panes.pane() === "message") panes.show("list");
    },
  });

  const boxes = mailboxList({
    onOpen: (id) => {
      search.set("");
      show(id, {});
      if (panes.narrow()) panes.show("list");
    },
    onDrop: (id) => act.move(id),
  });
  const search = searchBar({
    onSearch: (f) => show(openMailbox ?? null, f),
    keywords: () => [...new Set([...mailboxes.values()].flatMap((m) => m.keywords))].sort(),
  });
  const list = messageList({
    settings: () => settings!,
    mailboxName: (id) => id === openMailbox ? undefined : leafName(mailboxes.get(id)?.name ?? ""),
    outgoing: () => mail()?.specialUse.some((u) => u === "sent" || u === "drafts") === true,
    onMore: (anchor) =>
      attempt(() =>
        start === undefined ? undefined : call("ViewMore", {
          sseId: start.sseId,
          viewId,
          page: { anchor, count: pageCount },
        })
      ),
    onSelect: (selected, focus, byUser) => {
      wholeQuery = false;
      if (focus !== undefined && !(panes.narrow() && panes.pane() === "list")) {
        if (message.current()?.item.id === focus.id) message.update(focus);
        else message.show(focus);
      } else if (focus === undefined) {
        message.showNone(selected, tools(undefined));
        if (!byUser && panes.narrow()) panes.show("list");
      }
      drawBulk(selected.length);
    },
    onOpen: (item) => {
      message.show(item);
      if (panes.narrow()) panes.show("message");
    },
  });
  const message = messageView({
    settings: () => settings!,
    onSeen: (m) => void setFlags(m, "seen"),
    onNotJunk: (m) => {
      // What lies in the junk mailbox is not vouched for by being looked at.
      const box = mailboxes.get(m.mailboxId);
      if (box?.specialUse.includes("junk") || box?.specialUse.includes("trash")) return;
      if (box !== undefined && start?.rejectsMailboxes.includes(box.name)) return;
      if (box?.specialUse.includes("sent") || box?.specialUse.includes("drafts")) return;
      void setFlags(m, "notjunk");
    },
    onReply: (m, how) => openCompose(answer(start!, settings!, m, how)),
    onEditDraft: (m) => attempt(() => editDraft(m.id)),
    onBack: () => panes.show("list"),
    onCompose: (to) =>
      openCompose(
        to.startsWith("mailto:")
          ? fromMailto(start!, settings!, to)
          : newMessage(start!, settings!, [to]),
      ),
    tools: (m) => tools(m),
  });

  const bulk = el("div", { class: "bulk", role: "status" });
  list.root.prepend(bulk);
  const state = el("span", { class: "connection", role: "status" });
  const place = el("h1", { class: "place" });
  const title = el("span", { class: "who" });
  const top = el(
    "header",
    { class: "top" },
    button("Mailboxes", () => panes.show(panes.pane() === "mailboxes" ? "list" : "mailboxes"), {
      attributes: { class: "only-narrow" },
    }),
    button("Compose", () => openCompose(newMessage(start!, settings!)), {
      key: "c",
      primary: true,
    }),
    place,
    search.root,
    state,
    el("div", { class: "end only-wide" }, title, general()),
  );
  boxes.root.append(el("div", { class: "mailbox-tools only-narrow" }, general()));
  const panes = layout({ top, mailboxes: boxes.root, list: list.root, message: message.root });
  const composing = el("div", { class: "compose-windows" });

  /** Buttons at the end of the top line, on a phone below the mailboxes. */
  function general(): HTMLElement[] {
    const quiet = { class: "quiet" };
    return [
      button("Settings", () => showSettings(), { attributes: quiet }),
      button("Help", () => openHelp(helpLayers()), { key: "?", attributes: quiet }),
      button("Log out", () => attempt(() => call("Logout", {})), { attributes: quiet }),
    ];
  }

  /** Buttons for a message, or for those selected. */
  function tools(m: MessageItem | undefined): HTMLElement[] {
    const box = mailboxes.get(m?.mailboxId ?? openMailbox ?? 0);
    const inTrash = box?.specialUse.includes("trash") === true;
    const inJunk = box?.specialUse.includes("junk") === true;
    const move: HTMLButtonElement = button("Move", () => act.moveMenu(move), {
      key: "v",
      title: "Move to another mailbox",
    });
    const seen = m !== undefined && has(m, "seen");
    return [
      button("Archive", act.archive, { key: "a" }),
      inTrash
        ? button("Delete for good", act.deleteForever, { key: "D", danger: true })
        : button("Trash", act.trash, { key: "d" }),
      inJunk
        ? button("Not junk", act.notJunk, { key: "Q", title: "Train the filter that this is fine" })
        : button("Junk", act.junk, { key: "q", title: "Move to junk, and train the filter" }),
      move,
      m !== undefined && !seen
        ? button("Read", () => act.flags(["seen"], []), { key: "m", title: "Mark as read" })
        : button("Unread", () => act.flags([], ["seen"]), { key: "u", title: "Mark as unread" }),
      ...m === undefined ? [button("Read", () => act.flags(["seen"], []), { key: "m" })] : [],
      m !== undefined && has(m, "flagged")
        ? button("Unflag", () => act.flags([], ["flagged"]), { key: "s" })
        : button("Flag", () => act.flags(["flagged"], []), { key: "s" }),
      button("Keywords", act.label, { key: "l", title: "Add or remove keywords" }),
      ...settings?.threading === "off" || m === undefined ? [] : [
        m.threadMuted
          ? button("Unmute", () => act.mute(false), { key: "M" })
          : button("Mute", () => act.mute(true), {
            key: "M",
            title: "Mark new messages of this thread as read",
          }),
      ],
    ];
  }

  function drawBulk(count: number): void {
    if (count < 2) return fill(bulk);
    const total = list.total();
    const more = total === null || total > count;
    fill(
      bulk,
      wholeQuery
        ? `All ${countText(wholeCount, "message")} found are selected.`
        : `${countText(count, "message")} selected.`,
      !wholeQuery && more
        ? button(total === null ? "Select all found" : `Select all ${total}`, () => {
          attempt(() => selectWhole(count));
        }, { title: "Also those that aren't loaded yet" })
        : null,
      panes.narrow() ? tools(undefined) : null,
    );
  }

  async function selectWhole(shown: number): Promise<void> {
    const mine = viewId;
    const { count } = await call("QueryCount", { query: query() });
    if (mine !== viewId) return;
    wholeQuery = true;
    wholeCount = count;
    drawBulk(shown);
  }

  const setFlags = (m: MessageItem, flag: "seen" | "notjunk") =>
    call("FlagsSet", {
      target: { ids: [m.id] },
      add: [flag],
      remove: [],
      addKeywords: [],
      removeKeywords: [],
    }).catch(() => {
      // Tried again when the message is opened again.
    });

  /** Shows a mailbox (null: all), or what is found there. `keep`: the open message stays open. */
  function show(id: number | null, f: Filter, keep = false): void {
    openMailbox = id;
    filter = f;
    viewId++;
    wholeQuery = false;
    list.reset(query().threading, keep ? message.current()?.item.id : undefined);
    if (!keep) message.showNone([], []);
    drawBulk(0);
    drawPlace();
    remember();
    if (start === undefined) return;
    attempt(async () => {
      const mine = viewId;
      try {
        await call("ViewSet", { sseId: start!.sseId, view: view() });
      } catch (e) {
        // A connection that just broke: the next one asks for this view.
        if (mine === viewId && !(e instanceof Error && "code" in e && e.code === "missing")) {
          throw e;
        }
        events?.reconnect();
      }
    });
  }

  function drawPlace(): void {
    const m = mail();
    const name = m === undefined ? "All mail" : leafName(m.name);
    boxes.setOpen(openMailbox ?? null);
    search.setPlace(name);
    fill(place, name);
    document.title = `${m !== undefined && m.unread > 0 ? `(${m.unread}) ` : ""}${name} – ${
      start?.loginAddress ?? "mail"
    }`;
  }

  function remember(): void {
    const name = mail()?.name ?? "";
    const text = search.text();
    const hash = `#${encodeURIComponent(name)}${text === "" ? "" : `?${encodeURIComponent(text)}`}`;
    if (location.hash !== hash) history.replaceState(null, "", hash);
  }

  /** A part of the page's address: 0 the mailbox, 1 the search; "" if there is none. */
  function fromHash(part: 0 | 1): string {
    try {
      return decodeURIComponent(location.hash.slice(1).split("?")[part] ?? "");
    } catch {
      return "";
    }
  }

  /** The mailbox that the page's address names; the inbox if none. */
  function wanted(): number | null {
    const name = fromHash(0);
    const all = [...mailboxes.values()];
    return (all.find((m) => m.name === name) ?? all.find((m) => m.name === "Inbox") ?? all[0])
      ?.id ?? null;
  }

  function openCompose(beginning: Beginning): void {
    if (windows.length >= 3) return void notice("Close another message first.");
    const w = composeWindow({
      start: start!,
      settings: settings!,
      beginning,
      onClose: (gone) => {
        windows.splice(windows.indexOf(gone), 1);
        list.focus();
      },
    });
    windows.push(w);
    composing.append(w.root);
    w.focus();
  }

  async function editDraft(id: number): Promise<void> {
    const d = await call("DraftGet", { id });
    openCompose({ draftId: id, composition: d.composition, attachments: d.attachments });
  }

  function showSettings(): void {
    openSettings(settings!, applySettings);
  }

  function applySettings(s: Settings): void {
    const anew = settings !== undefined &&
      (settings.threading !== s.threading || settings.order !== s.order);
    settings = s;
    panes.apply(s);
    onButtonHint(s.showShortcuts ? keyHint : () => {});
    if (anew) show(openMailbox ?? null, filter);
    else list.redraw();
  }

  function change(c: Change): void {
    switch (c.kind) {
      case "mailboxAdd":
        mailboxes.set(c.mailbox.id, c.mailbox);
        boxes.set(mailboxes.values());
        break;
      case "mailboxRemove":
        mailboxes.delete(c.id);
        boxes.set(mailboxes.values());
        if (c.id === openMailbox) show(wanted(), {});
        break;
      case "mailboxRename":
        edit(c.id, { name: c.name, parentId: c.parentId }, true);
        break;
      case "mailboxSpecialUse":
        edit(c.id, { specialUse: c.specialUse }, true);
        break;
      case "mailboxKeywords":
        edit(c.id, { keywords: c.keywords }, false);
        break;
      case "mailboxCounts":
        edit(c.id, c.counts, false);
        if (c.id === openMailbox && Object.keys(filter).length === 0) list.setTotal(c.counts.total);
        break;
      case "settings":
        applySettings(c.settings);
        break;
      case "arrived":
        arrived(c.item);
        break;
      case "viewStale":
        show(openMailbox ?? null, filter, true);
        break;
      default:
        list.change(c);
    }
  }

  function edit(id: number, fields: Partial<Mailbox>, redraw: boolean): void {
    const m = mailboxes.get(id);
    if (m === undefined) return;
    const now = { ...m, ...fields };
    mailboxes.set(id, now);
    if (redraw) boxes.set(mailboxes.values());
    else boxes.update(now);
    if (id === openMailbox) drawPlace();
  }

  function arrived(m: MessageItem): void {
    if (!document.hidden || globalThis.Notification?.permission !== "granted") return;
    const who = m.from.map(shortName).join(", ");
    const n = new Notification(who, { body: subjectText(m), tag: `message-${m.id}` });
    n.onclick = () => {
      focus();
      list.select(m.id);
    };
  }

  function onEvent(e: ServerEvent): void {
    switch (e.kind) {
      case "start": {
        const first = start === undefined;
        const other = start !== undefined && start.version !== e.version;
        start = e;
        if (other && windows.every((w) => !w.unsaved()) && windows.length === 0) {
          location.reload();
          return;
        }
        mailboxes.clear();
        for (const m of e.mailboxes) mailboxes.set(m.id, m);
        boxes.set(mailboxes.values());
        settings = e.settings;
        panes.apply(settings);
        onButtonHint(settings.showShortcuts ? keyHint : () => {});
        fill(title, e.loginAddress);
        if (first) {
          const text = fromHash(1);
          search.set("");
          show(wanted(), {});
          if (text !== "") {
            search.set(text);
            search.root.querySelector("input")!.dispatchEvent(
              new KeyboardEvent("keydown", { key: "Enter" }),
            );
          }
        } else {
          // A new connection begins its view by itself.
          list.reset(query().threading, message.current()?.item.id);
          drawPlace();
        }
        break;
      }
      case "view":
        if (e.viewId === viewId) list.add(e);
        break;
      case "progress":
        if (e.viewId === viewId) list.say(`Searching, ${e.done} of ${e.total}…`);
        break;
      case "viewError":
        if (e.viewId === viewId) list.say(e.message);
        break;
      case "changes":
        for (const c of e.changes) {
          const ofView = ["threads", "messagesRemove", "flags", "threadState", "viewStale"]
            .includes(c.kind);
          if (!ofView || e.viewId === viewId) change(c);
        }
        break;
      case "end":
        finish(e.reason);
    }
  }

  function finish(reason: string): void {
    events?.close();
    unload.forEach((f) => f());
    for (const w of windows) w.root.remove();
    ended(reason);
  }

  const helpLayers = (): KeyLayer[] => [...keyLayers()];
  const listLayer: KeyLayer = { name: "Message list", shortcuts: list.shortcuts };
  const viewLayer: KeyLayer = { name: "Message", shortcuts: message.shortcuts };
  const mainLayer: KeyLayer = {
    name: "Everywhere",
    shortcuts: [
      { key: "c", what: "Write a message", run: () => openCompose(newMessage(start!, settings!)) },
      { key: "/", what: "Search", run: () => search.focus() },
      { key: "g", what: "Go to the list of mailboxes", run: () => boxes.focus() },
      { key: "?", what: "Help", run: () => openHelp(helpLayers()) },
      { key: "a", what: "Archive", run: act.archive },
      { key: "d", what: "Move to trash", run: act.trash },
      { key: "Delete", what: "Move to trash", run: act.trash },
      { key: "D", what: "Delete for good", run: act.deleteForever },
      { key: "q", what: "Move to junk", run: act.junk },
      { key: "Q", what: "Mark as not junk", run: act.notJunk },
      {
        key: "v",
        what: "Move to another mailbox",
        run: () => act.moveMenu(message.root.querySelector("button[title^=Move]") ?? list.root),
      },
      { key: "m", what: "Mark as read", run: () => act.flags(["seen"], []) },
      { key: "u", what: "Mark as unread", run: () => act.flags([], ["seen"]) },
      {
        key: "s",
        what: "Flag, or take the flag away",
        run: () => {
          const flagged = list.selected().every((m) => has(m, "flagged"));
          act.flags(flagged ? [] : ["flagged"], flagged ? ["flagged"] : []);
        },
      },
      { key: "l", what: "Keywords", run: act.label },
      {
        key: "M",
        what: "Mute the thread, or unmute it",
        run: () => act.mute(!list.selected().some((m) => m.threadMuted)),
      },
      { key: "z", what: "Undo", run: act.undo },
    ],
  };
  unload.push(addKeys(mainLayer), addKeys(viewLayer), addKeys(listLayer));

  fill(into, panes.root, composing);
  addEventListener("beforeunload", (e) => {
    if (windows.some((w) => w.unsaved())) e.preventDefault();
  });
  const events: Events | undefined = openEvents({
    view,
    onEvent,
    onState: (s, seconds) => {
      state.dataset.state = s;
      fill(
        state,
        s === "waiting"
          ? [
            `Not connected, trying again in ${seconds} s. `,
            button("Now", () => events?.reconnect()),
          ]
          : s === "connecting" && start !== undefined
          ? "Connecting…"
          : null,
      );
      if (s === "waiting") void checkSession();
    },
  });

  /** After a broken connection: is it the session that has ended? */
  async function checkSession(): Promise<void> {
    try {
      const { who } = await call("Session", {});
      if (who === null) {
        if (windows.some((w) => w.unsaved())) {
          const stay = await confirmDialog(
            "You are logged out",
            "What you are writing can't be saved. Copy it before you go on.",
            "Stay on this page",
          );
          if (stay) return;
        }
        finish("Your session has ended.");
      }
    } catch {
      // The server can't be reached: nothing is known.
    }
  }
}
