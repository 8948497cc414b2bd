/**
 * The page of a logged-in user: creates the views, and connects them.
 *
 * @module
 */
import { call } from "../api/client.ts";
import type { MessageItem, Settings, StartEvent, Target } from "../api/mod.ts";
import { actions } from "./actions.ts";
import { bulkBar } from "./list/bulk_bar.ts";
import { composeWindows } from "./compose/windows.ts";
import { connectionStatus } from "./connection_status.ts";
import { type Events, openEvents } from "./events.ts";
import { openHelp } from "./help.ts";
import { takeDroppedMessages } from "./drop_messages.ts";
import { setLabelColors } from "./label_colors.ts";
import { chooseLanguage } from "../lib/language.ts";
import { withLater } from "./later.ts";
import { layout } from "./layout.ts";
import { logout } from "./leaving.ts";
import { labelList } from "./mailboxes/labels.ts";
import { onButtonHint } from "../lib/button.ts";
import { el, fill } from "../lib/dom.ts";
import { addKeys, keyLayers } from "../lib/keys.ts";
import { attempt, keyHint } from "../lib/notify.ts";
import { mailboxList } from "./mailboxes/list.ts";
import { emptyList } from "./list/empty_list.ts";
import { messageList } from "./list/message_list.ts";
import { openedMessage } from "./opened_message.ts";
import { messageTools } from "./reading/message_tools.ts";
import { leafName } from "./names.ts";
import { readAddress, readDraft, readMailto } from "./page_address.ts";
import {
  labelsOf,
  newPageState,
  ownMailboxes,
  queryOf,
  shownMailbox,
  viewOf,
  wantedMailbox,
} from "./page_state.ts";
import { relogin } from "./relogin.ts";
import { pageKeys } from "./page_keys.ts";
import { fromMailto, newMessage } from "./compose/quoting.ts";
import { searchBar } from "./search/bar.ts";
import { serverEvents } from "./server_events.ts";
import { showing } from "./showing.ts";
import { generalButtons, topLine, type TopLineParts } from "./top_line.ts";
import { t } from "../lib/text.ts";

/** Runs the page until the session ends; resolves with the reason. */
export function app(into: HTMLElement): Promise<string> {
  return new Promise((resolve) => run(into, resolve));
}

function run(into: HTMLElement, ended: (reason: string) => void): void {
  const s = newPageState();
  const unload: (() => void)[] = [];
  /** This window is for one message that is written. */
  const alone = readDraft();
  /** Requested before the server has identified the user: done once it has. */
  const soon: (() => void)[] = [];
  let events: Events | undefined;

  const target = (): Promise<Target> | undefined => {
    if (bulk.whole()) return Promise.resolve({ query: queryOf(s) });
    const all = list.selected.all()?.then((all) => ({
      ids: all.map((m) => m.id).slice(0, 10_000),
    }));
    // A menu that nothing is chosen from asks for it in vain.
    all?.catch(() => {});
    return all;
  };
  const tools = (m: MessageItem | undefined) =>
    messageTools(act, s.mailboxes.get(m?.mailboxId ?? s.openMailbox ?? 0), m);
  const bulk = bulkBar({
    total: () => list.total(),
    count: async () => (await call("QueryCount", { query: queryOf(s) })).count,
    tools: () => panes.narrow() ? tools(undefined) : null,
  });
  const act = actions({
    target,
    mailboxes: () => s.mailboxes.values(),
    leaving: () => {
      if (panes.narrow() && panes.pane() === "message") panes.show("list");
    },
  });

  const labels = labelList({
    onOpen: (keyword) => {
      search.set(`label:${keyword}`);
      shown.show(null, { keywords: [keyword] });
      if (panes.narrow()) panes.show("list");
    },
    onColor: (keyword, hue) =>
      attempt(async () => {
        const labelColors = { ...s.settings!.labelColors, [keyword]: hue };
        await call("SettingsSet", { settings: { ...s.settings!, labelColors } });
      }),
  });
  const boxes = mailboxList({
    below: labels.root,
    onOpen: (id) => {
      search.set("");
      shown.show(id, {});
      if (panes.narrow()) panes.show("list");
    },
    onDrop: (id) => act.move(id),
  });
  const search = searchBar({
    onSearch: (f) => shown.show(s.openMailbox ?? null, f),
    keywords: () => labelsOf(s),
  });
  const windows = composeWindows({
    start: () => s.start!,
    settings: () => s.settings!,
    onClose: () => alone ? close() : list.focus(),
    onLogin: () => again.ask(t("Your session has ended.")),
    onPopOut: alone ? null : (id) => {
      const look = "popup,width=780,height=760";
      if (open(`?compose=${id}`, "_blank", look) === null) attempt(() => windows.edit(id));
    },
  });
  const again = relogin(() => s.start?.account ?? "", () => {
    connect();
    void windows.save();
  });
  const compose = (...to: string[]) => {
    const { start, settings } = s;
    if (start === undefined || settings === undefined) soon.push(() => compose(...to));
    else windows.open(newMessage(start, settings, to));
  };
  const list = messageList({
    settings: () => s.settings!,
    mailboxName: (id) =>
      id === s.openMailbox ? undefined : leafName(s.mailboxes.get(id)?.name ?? ""),
    outgoing: () =>
      shownMailbox(s)?.specialUse.some((u) => u === "sent" || u === "drafts") === true,
    onMore: (anchor) => shown.more(anchor),
    whole: (threadIds) => shown.whole(threadIds),
    empty: () =>
      emptyList({
        place: s.openMailbox === null ? null : leafName(shownMailbox(s)?.name ?? ""),
        searched: search.text() !== "",
        searchAll: () => {
          shown.show(null, s.filter);
          list.focus();
        },
        clearSearch: () => {
          search.set("");
          shown.show(s.openMailbox ?? null, {});
          list.focus();
        },
      }),
    onSelect: (selected, focus, byUser) => {
      if (focus !== undefined && !(panes.narrow() && panes.pane() === "list")) {
        if (message.current()?.item.id === focus.id) message.update(focus);
        else message.show(focus);
      } else if (focus === undefined) {
        message.showNone(selected, tools(undefined));
        if (!byUser && panes.narrow()) panes.show("list");
      }
      bulk.show(selected);
    },
    onOpen: (item) => {
      message.show(item);
      if (panes.narrow()) panes.show("message");
    },
  });
  const message = openedMessage(s, {
    act,
    windows,
    tools,
    compose,
    select: (id) => list.selectSoon(id),
    back: () => panes.show("list"),
    showSettings,
  });

  list.root.prepend(bulk.root);
  takeDroppedMessages(list.root, () => s.openMailbox ?? undefined);
  const connection = connectionStatus({
    reconnect: () => events?.reconnect(),
    onLoggedOut: () => sessionEnded(t("Your session has ended.")),
  });
  const top: TopLineParts = {
    place: el("h1", { class: "place" }),
    who: el("span", { class: "who" }),
    search: search.root,
    connection: connection.root,
    skip: () => list.focus(),
    mailboxes: () => panes.show(panes.pane() === "mailboxes" ? "list" : "mailboxes"),
    compose: () => compose(),
    calendar: showCalendar,
    contacts: showContacts,
    settings: showSettings,
    help: showHelp,
    logout: () => logout(windows),
  };
  boxes.root.append(el("div", { class: "mailbox-tools only-narrow" }, generalButtons(top)));
  const panes = layout({
    top: topLine(top),
    mailboxes: boxes.root,
    list: list.root,
    message: message.root,
  });
  const shown = showing(s, {
    list,
    message,
    bulk,
    boxes,
    search,
    place: top.place,
    reconnect: () => events?.reconnect(),
  });
  const onEvent = serverEvents(s, {
    list,
    message,
    boxes,
    search,
    labels,
    shown,
    who: top.who,
    applySettings,
    busy: () => windows.count() > 0 || again.asked(),
    begin,
    editDraft: (id) => windows.edit(id),
    sessionEnded,
  });

  /** The session is no longer valid: unsent messages stay, under a login form. */
  function sessionEnded(reason: string): void {
    if (windows.count() === 0) return finish(reason);
    events?.close();
    events = undefined;
    again.ask(reason);
  }

  function showHelp(): void {
    openHelp([...keyLayers()]);
  }

  function showCalendar(): void {
    withLater((p) => p.openCalendar());
  }

  function showContacts(): void {
    withLater((p) => p.openContacts((to) => compose(to)));
  }

  function showSettings(): void {
    const { start, settings } = s;
    if (start === undefined || settings === undefined) return void soon.push(showSettings);
    const addresses = start.addresses.map((a) => a.address);
    withLater((p) => {
      const rules = () => p.openRules(ownMailboxes(s));
      p.openSettings(settings, addresses, start.accountPage, rules, applySettings);
    });
  }

  function applySettings(now: Settings): void {
    const before = s.settings;
    s.settings = now;
    // What is written is no longer written by then.
    if (chooseLanguage(now.language) && windows.count() === 0) return location.reload();
    setLabelColors(now.labelColors);
    labels.set(labelsOf(s));
    panes.apply(now);
    onButtonHint(now.showShortcuts ? keyHint : () => {});
    const anew = before !== undefined &&
      (before.threading !== now.threading || before.order !== now.order);
    if (anew) shown.show(s.openMailbox ?? null, s.filter);
    else list.redraw();
  }

  function begin(start: StartEvent, settings: Settings): void {
    applySettings(settings);
    const mailto = readMailto();
    if (mailto !== undefined) windows.open(fromMailto(start, settings, mailto));
    if (alone !== undefined) attempt(() => windows.edit(alone));
    else void windows.recover();
    // Someone who just came is where the mail is.
    if (document.activeElement === document.body) list.focus();
    for (const asked of soon.splice(0)) asked();
    const text = readAddress().search;
    search.set("");
    shown.show(wantedMailbox(s), {});
    if (text !== "") search.run(text);
  }

  function finish(reason: string): void {
    events?.close();
    unload.forEach((f) => f());
    windows.remove();
    ended(reason);
  }

  const keys = pageKeys({
    act,
    selected: list.selected,
    compose: () => compose(),
    search: () => search.focus(),
    goToMailboxes: () => boxes.focus(),
    calendar: showCalendar,
    contacts: showContacts,
    help: showHelp,
    moveMenuAt: () => message.root.querySelector("button[title^=Move]") ?? list.root,
  });
  unload.push(
    addKeys(keys),
    addKeys({ name: t("Message"), shortcuts: message.shortcuts }),
    addKeys({ name: t("Message list"), shortcuts: list.shortcuts }),
  );

  document.body.classList.toggle("alone", alone !== undefined);
  fill(into, panes.root, windows.root);
  addEventListener("beforeunload", (e) => {
    if (windows.unsaved()) e.preventDefault();
  });
  function connect(): void {
    events?.close();
    events = openEvents({
      view: () => viewOf(s, message.current()?.item.id),
      onEvent,
      onState: (state, seconds) => connection.show(state, seconds, s.start !== undefined),
    });
  }
  connect();
}
