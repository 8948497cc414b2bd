/**
 * The page of someone who is logged in: puts the views together and passes on what changes.
 *
 * @module
 */
import { call } from "../api/client.ts";
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
} from "../api/mod.ts";
import { showBadge } from "./app_install.ts";
import { actions } from "./actions.ts";
import { tellArrival } from "./list/arrivals.ts";
import { bulkBar } from "./list/bulk_bar.ts";
import { composeWindows } from "./compose/windows.ts";
import { connectionStatus } from "./connection_status.ts";
import { type Events, openEvents } from "./events.ts";
import { openHelp } from "./help.ts";
import { takeDroppedMessages } from "./drop_messages.ts";
import { setLabelColors } from "./label_colors.ts";
import { layout } from "./layout.ts";
import { labelList } from "./mailboxes/labels.ts";
import { button, onButtonHint } from "../lib/button.ts";
import { el, fill } from "../lib/dom.ts";
import { addKeys, keyLayers } from "../lib/keys.ts";
import { confirmDialog } from "../lib/dialog.ts";
import { alertUser, attempt, keyHint, keyHintPlace } from "../lib/notify.ts";
import { mailboxList } from "./mailboxes/list.ts";
import { messageList } from "./list/message_list.ts";
import { messageView } from "./reading/message_view.ts";
import { messageTools } from "./reading/message_tools.ts";
import { leafName } from "./names.ts";
import { readAddress, readDraft, readMailto, setAddress } from "./page_address.ts";
import { relogin } from "./relogin.ts";
import { sayOnce } from "./say_once.ts";
import { pageKeys } from "./page_keys.ts";
import { answer, fromMailto, newMessage, wantsRich } from "./compose/quoting.ts";
import { searchBar } from "./search/bar.ts";
import { ruleFrom } from "./rules/from_message.ts";
import { openRules } from "./rules/rules.ts";
import { showLog } from "./rules/trying.ts";
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
  const unload: (() => void)[] = [];
  /** This window is for one message that is written. */
  const alone = readDraft();

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
    if (bulk.whole()) return { query: query() };
    const ids = list.selected().map((m) => m.id);
    return ids.length === 0 ? undefined : { ids: ids.slice(0, 10_000) };
  };
  const tools = (m: MessageItem | undefined) =>
    messageTools(act, mailboxes.get(m?.mailboxId ?? openMailbox ?? 0), m);
  const bulk = bulkBar({
    total: () => list.total(),
    count: async () => (await call("QueryCount", { query: query() })).count,
    tools: () => panes.narrow() ? tools(undefined) : null,
  });
  const act = actions({
    target,
    mailboxes: () => mailboxes.values(),
    leaving: () => {
      if (panes.narrow() && panes.pane() === "message") panes.show("list");
    },
  });

  const labels = labelList({
    onOpen: (keyword) => {
      search.set(`label:${keyword}`);
      show(null, { keywords: [keyword] });
      if (panes.narrow()) panes.show("list");
    },
    onColor: (keyword, hue) =>
      attempt(async () => {
        const labelColors = { ...settings!.labelColors, [keyword]: hue };
        await call("SettingsSet", { settings: { ...settings!, labelColors } });
      }),
  });
  const allKeywords = () =>
    [...new Set([...mailboxes.values()].flatMap((m) => m.keywords))]
      .filter((k) => !k.startsWith("$")).sort();
  const boxes = mailboxList({
    below: labels.root,
    onOpen: (id) => {
      search.set("");
      show(id, {});
      if (panes.narrow()) panes.show("list");
    },
    onDrop: (id) => act.move(id),
  });
  const search = searchBar({
    onSearch: (f) => show(openMailbox ?? null, f),
    keywords: () => allKeywords(),
  });
  const windows = composeWindows({
    start: () => start!,
    settings: () => settings!,
    onClose: () => alone ? close() : list.focus(),
    onLogin: () => again.ask("Your session has ended."),
    onPopOut: alone ? null : (id) => {
      const look = "popup,width=780,height=760";
      if (open(`?compose=${id}`, "_blank", look) === null) attempt(() => windows.edit(id));
    },
  });
  const again = relogin(() => start?.account ?? "", () => {
    connect();
    void windows.save();
  });
  /** Asked for before the server has said who we are: done when it has. */
  const soon: (() => void)[] = [];
  const compose = (...to: string[]) => {
    if (start === undefined || settings === undefined) soon.push(() => compose(...to));
    else windows.open(newMessage(start, settings, to));
  };
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
      if (focus !== undefined && !(panes.narrow() && panes.pane() === "list")) {
        if (message.current()?.item.id === focus.id) message.update(focus);
        else message.show(focus);
      } else if (focus === undefined) {
        message.showNone(selected, tools(undefined));
        if (!byUser && panes.narrow()) panes.show("list");
      }
      bulk.show(selected.length);
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
      sayOnce(
        "notJunk",
        `Messages that are open for ${settings!.notJunkAfter} seconds are marked as not junk, ` +
          "which trains your filter.",
        { text: "Change", run: showSettings, seconds: 30 },
      );
    },
    onReply: (m, how, shown) =>
      attempt(async () => {
        const rich = how !== "forwardAttached" && wantsRich(settings!, m, shown);
        const quote = rich
          ? await call("MessageQuote", { id: m.item.id, style: how === "forward" })
          : undefined;
        windows.open(answer(start!, settings!, m, how, quote));
      }),
    onEditDraft: (id) => attempt(() => windows.edit(id)),
    onShow: (id) => list.selectSoon(id),
    onBack: () => panes.show("list"),
    onCompose: (to) =>
      to.startsWith("mailto:") ? windows.open(fromMailto(start!, settings!, to)) : compose(to),
    tools,
    more: (m) => [
      { text: "Keywords", title: "Add or remove keywords. Key: l", run: act.label },
      {
        text: "Make a rule",
        title: "For messages like this one, when they come",
        run: () => openRules(mailboxes.values(), ruleFrom(m, message.current()?.headers ?? [])),
      },
      { text: "What rules did", run: () => showLog(m.id) },
      ...settings?.threading === "off" ? [] : [{
        text: m.threadMuted ? "Unmute thread" : "Mute thread",
        title: "Whether new messages of this thread are marked as read. Key: M",
        run: () => act.mute(!m.threadMuted),
      }],
    ],
  });

  list.root.prepend(bulk.root);
  takeDroppedMessages(list.root, () => openMailbox ?? undefined);
  const connection = connectionStatus({
    reconnect: () => events?.reconnect(),
    onLoggedOut: () => sessionEnded("Your session has ended."),
  });
  const place = el("h1", { class: "place" });
  const title = el("span", { class: "who" });
  const top = el(
    "header",
    { class: "top" },
    button("Skip to the messages", () => list.focus(), { attributes: { class: "skip" } }),
    button("Mailboxes", () => panes.show(panes.pane() === "mailboxes" ? "list" : "mailboxes"), {
      attributes: { class: "only-narrow" },
    }),
    button("Compose", () => compose(), { key: "c", primary: true }),
    place,
    search.root,
    connection.root,
    el("div", { class: "end only-wide" }, keyHintPlace, title, general()),
  );
  boxes.root.append(el("div", { class: "mailbox-tools only-narrow" }, general()));
  const panes = layout({ top, mailboxes: boxes.root, list: list.root, message: message.root });

  /** Buttons at the end of the top line, on a phone below the mailboxes. */
  function general(): HTMLElement[] {
    const quiet = { class: "quiet" };
    return [
      button("Settings", () => showSettings(), { attributes: quiet }),
      button("Help", showHelp, { key: "?", attributes: quiet }),
      button("Log out", () => attempt(logout), { attributes: quiet }),
    ];
  }

  /** What is written goes to the server first. */
  async function logout(): Promise<void> {
    await windows.save();
    if (
      windows.unsaved() && !await confirmDialog(
        "Log out without saving?",
        "What you are writing could not be saved on the server. It is kept in this browser until " +
          "you log in again.",
        "Log out",
      )
    ) return;
    windows.remove();
    await call("Logout", {});
  }

  /** The server knows us no more: what is written stays, under a login form. */
  function sessionEnded(reason: string): void {
    if (windows.count() === 0) return finish(reason);
    events?.close();
    events = undefined;
    again.ask(reason);
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
    list.reset(query().threading, keep ? message.current()?.item.id : undefined);
    if (!keep) message.showNone([], []);
    bulk.show(0);
    drawPlace();
    setAddress(mail()?.name ?? "", search.text());
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

  /** The mailbox that the page's address names; the inbox if none. */
  function wanted(): number | null {
    const name = readAddress().mailbox;
    const all = [...mailboxes.values()];
    return (all.find((m) => m.name === name) ?? all.find((m) => m.name === "Inbox") ?? all[0])
      ?.id ?? null;
  }

  function showHelp(): void {
    openHelp([...keyLayers()]);
  }

  function showSettings(): void {
    if (start === undefined || settings === undefined) return void soon.push(showSettings);
    const rules = () => openRules(mailboxes.values());
    const addresses = start.addresses.map((a) => a.address);
    openSettings(settings, addresses, start.accountPage, rules, applySettings);
  }

  function applySettings(s: Settings): void {
    const anew = settings !== undefined &&
      (settings.threading !== s.threading || settings.order !== s.order);
    settings = s;
    setLabelColors(s.labelColors);
    labels.set(allKeywords());
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
        labels.set(allKeywords());
        break;
      case "mailboxCounts":
        edit(c.id, c.counts, false);
        if (c.id === openMailbox && Object.keys(filter).length === 0) list.setTotal(c.counts.total);
        break;
      case "settings":
        applySettings(c.settings);
        break;
      case "arrived":
        tellArrival(c.item, () => list.select(c.item.id));
        break;
      case "waits":
        message.waits(c.id, c.sendAt);
        break;
      case "sendFailed": {
        const { draftId, subject, why } = c;
        alertUser(`"${subject || "(no subject)"}" was not sent: ${why}. It is a draft again.`, {
          text: "Edit",
          run: () => attempt(() => windows.edit(draftId)),
          seconds: 60,
        });
        break;
      }
      case "viewStale":
        show(openMailbox ?? null, filter, true);
        break;
      default:
        list.change(c);
    }
  }

  function drawBadge(): void {
    showBadge([...mailboxes.values()].find((m) => m.name === "Inbox")?.unread ?? 0);
  }

  function edit(id: number, fields: Partial<Mailbox>, redraw: boolean): void {
    const m = mailboxes.get(id);
    if (m === undefined) return;
    const now = { ...m, ...fields };
    mailboxes.set(id, now);
    if (redraw) boxes.set(mailboxes.values());
    else boxes.update(now);
    if (id === openMailbox) drawPlace();
    if (now.name === "Inbox") drawBadge();
  }

  function onEvent(e: ServerEvent): void {
    switch (e.kind) {
      case "start": {
        const first = start === undefined;
        const other = start !== undefined && start.version !== e.version;
        start = e;
        if (other && windows.count() === 0 && !again.asked()) {
          location.reload();
          return;
        }
        mailboxes.clear();
        for (const m of e.mailboxes) mailboxes.set(m.id, m);
        boxes.set(mailboxes.values());
        settings = e.settings;
        setLabelColors(settings.labelColors);
        labels.set(allKeywords());
        boxes.setQuota(e.quota);
        drawBadge();
        panes.apply(settings);
        onButtonHint(settings.showShortcuts ? keyHint : () => {});
        fill(title, e.loginAddress);
        if (first) {
          const mailto = readMailto();
          if (mailto !== undefined) windows.open(fromMailto(start, settings, mailto));
          if (alone !== undefined) attempt(() => windows.edit(alone));
          else void windows.recover();
          // Someone who just came is where the mail is.
          if (document.activeElement === document.body) list.focus();
          for (const asked of soon.splice(0)) asked();
          const text = readAddress().search;
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
        sessionEnded(`Your session has ended: ${e.reason}.`);
    }
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
    help: showHelp,
    moveMenuAt: () => message.root.querySelector("button[title^=Move]") ?? list.root,
  });
  unload.push(
    addKeys(keys),
    addKeys({ name: "Message", shortcuts: message.shortcuts }),
    addKeys({ name: "Message list", shortcuts: list.shortcuts }),
  );

  document.body.classList.toggle("alone", alone !== undefined);
  fill(into, panes.root, windows.root);
  addEventListener("beforeunload", (e) => {
    if (windows.unsaved()) e.preventDefault();
  });
  let events: Events | undefined;
  function connect(): void {
    events?.close();
    events = openEvents({
      view,
      onEvent,
      onState: (s, seconds) => connection.show(s, seconds, start !== undefined),
    });
  }
  connect();
}
