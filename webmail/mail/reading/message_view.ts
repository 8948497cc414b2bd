/**
 * One opened message: header, text or HTML in a frame without scripts, attachments, and actions.
 *
 * @module
 */
import { call } from "../../api/client.ts";
import {
  headersUrl,
  htmlUrl,
  type MessageItem,
  othersFrom,
  type ParsedMessage,
  printUrl,
  rawUrl,
  type Settings,
} from "../../api/mod.ts";
import { attachmentList, openAttachments, showParts } from "../compose/attachments.ts";
import { bodyChoice, type BodyLook, type BodyMode } from "./body_choice.ts";
import { button } from "../../lib/button.ts";
import { type MenuItem, openMenu } from "../../lib/dialog.ts";
import { el, fill } from "../../lib/dom.ts";
import { countText } from "../../lib/format.ts";
import type { Shortcut } from "../../lib/keys.ts";
import { alertUser, attempt, errorText } from "../../lib/notify.ts";
import { safeText } from "../../lib/scripts.ts";
import { contactCards } from "./contact_cards.ts";
import { conversation } from "./conversation.ts";
import { invitationCard, protectionLine, unsubscribeLine } from "./cards.ts";
import { whyHere } from "./why.ts";
import { authentication, damage, messageFields, waiting } from "./message_fields.ts";
import { has, subjectText } from "../names.ts";
import { darkPage, remember, remembered } from "./looks.ts";
import { foldQuotes, hasColumns, textBody } from "./text_body.ts";
import { t } from "../../lib/text.ts";

export interface MessageViewOptions {
  settings: () => Settings;
  /** Called when the message has been open long enough to count as read, or as not junk. */
  onSeen: (item: MessageItem) => void;
  onNotJunk: (item: MessageItem) => void;
  onReply: (
    message: ParsedMessage,
    how: "reply" | "replyAll" | "list" | "forward" | "forwardAttached",
    /** What is shown of it. */
    shown: "text" | "html",
  ) => void;
  onEditDraft: (id: number) => void;
  onBack: () => void;
  /** Shows a message of the list. */
  onShow: (id: number) => void;
  onCompose: (to: string) => void;
  /** Buttons for actions on messages, created for each message. */
  tools: (item: MessageItem) => HTMLElement[];
  /** Other actions, in the menu. */
  more: (item: MessageItem) => MenuItem[];
}

export interface MessageView {
  root: HTMLElement;
  show(item: MessageItem): void;
  /** Shown in place of a message; so many are selected. */
  showNone(selected: number, tools: HTMLElement[]): void;
  /** The message being shown has new flags. */
  update(item: MessageItem): void;
  /** A message is scheduled, or no longer is. */
  waits(id: number, sendAt: number | null): void;
  current(): ParsedMessage | undefined;
  shortcuts: Shortcut[];
}

/** Selects the edit button of a draft. */
const editButton = '[aria-keyshortcuts="e"]';

/** Milliseconds: messages that are selected in quicker succession are skipped. */
const hurry = 120;

/** Creates the view. */
export function messageView(options: MessageViewOptions): MessageView {
  let item: MessageItem | undefined;
  let message: ParsedMessage | undefined;
  /** Requested while the message was loading. */
  let asked: ((message: ParsedMessage) => unknown) | undefined;
  let mode: BodyMode = "text";
  let look: BodyLook = { mono: false, dark: undefined };
  let allHeaders = false;
  let turn = 0;
  let shownAt = -Infinity;
  let timers: ReturnType<typeof setTimeout>[] = [];
  const head = el("div", { class: "message-head" });
  const body = el("div", { class: "message-body", tabindex: -1 });
  const others = conversation({
    onReply: (m) => options.onReply(m, "replyAll", shows(m)),
    onCompose: options.onCompose,
    shows,
  });
  /** Whether there are other messages in the thread. */
  let inThread = false;
  const root = el(
    "section",
    { class: "message-view", "aria-label": t("Message") },
    others.before,
    head,
    body,
    others.after,
  );

  /** Which part of a message is shown. */
  function shows(message: ParsedMessage): "text" | "html" {
    const { body } = options.settings();
    if (!message.hasHtml) return "text";
    if (message.senderView !== null) return message.senderView === "text" ? "text" : "html";
    return body === "html" || message.texts.length === 0 || body === "auto" && message.htmlSaysMore
      ? "html"
      : "text";
  }

  /** Whether it answers a message that is shown around it. */
  function answered(message: ParsedMessage): boolean {
    const { conversations, threading } = options.settings();
    return conversations && threading !== "off" && message.item.parentIds.length > 0;
  }

  function doAsked(message: ParsedMessage): void {
    const run = asked;
    asked = undefined;
    run?.(message);
  }

  function stop(): void {
    timers.forEach(clearTimeout);
    timers = [];
  }

  async function show(next: MessageItem): Promise<void> {
    if (item?.id === next.id && message !== undefined) return;
    stop();
    item = next;
    message = asked = undefined;
    others.clear();
    allHeaders = false;
    const mine = ++turn;
    // With a key held down in the list, only the message where it stops is loaded.
    const hurried = performance.now() - shownAt < hurry;
    shownAt = performance.now();
    fill(head, el("div", { class: "message-loading" }, t("Loading…")));
    if (hurried) {
      await new Promise((resolve) => setTimeout(resolve, hurry));
      if (mine !== turn) return;
    }
    let got: ParsedMessage;
    try {
      got = await call("MessageGet", { id: next.id });
    } catch (e) {
      if (mine === turn) {
        fill(head, el("p", { class: "error", role: "alert" }, errorText(e)));
        fill(body);
      }
      return;
    }
    if (mine !== turn) return;
    message = got;
    const s = options.settings();
    const part = shows(got);
    mode = part === "html" && got.senderView === "htmlExternal" ? "htmlExternal" : part;
    const dark = darkPage() && remembered("dark") !== "no" ? true : darkPage() ? false : undefined;
    look = {
      mono: remembered("mono") === "yes" || got.texts.some((t) => hasColumns(t.text)),
      dark,
    };
    inThread = false;
    draw();
    doAsked(got);
    if (s.conversations && s.threading !== "off") {
      others.show(next).then((n) => {
        if (mine !== turn || n === 0) return;
        inThread = true;
        if (mode === "text") drawBody();
        root.scrollTop = head.offsetTop - root.offsetTop;
      }, () => {});
    }
    const later = (seconds: number, run: (item: MessageItem) => void) => {
      if (seconds < 0) return;
      timers.push(setTimeout(() => {
        if (item !== undefined && mine === turn && !document.hidden) run(item);
      }, seconds * 1000));
    };
    later(s.readAfter, (m) => {
      if (!has(m, "seen")) options.onSeen(m);
    });
    later(s.notJunkAfter, (m) => {
      if (!has(m, "notjunk") && !has(m, "junk")) options.onNotJunk(m);
    });
  }

  function draw(): void {
    drawHead();
    drawBody();
  }

  function drawHead(): void {
    const m = message!;
    const it = item!;
    fill(
      head,
      el(
        "div",
        { class: "message-tools" },
        backButton(),
        answerButtons(m),
        options.tools(it),
        moreButton(m),
      ),
      el("h1", { dir: "auto" }, safeText(subjectText(it))),
      damage(m),
      waiting(m, options.onShow),
      messageFields(it, m.recipients, allHeaders ? m.headers : [], options.onCompose),
      authentication(m),
      whyHere(m),
      protectionLine(m),
      unsubscribeLine(m, options.onCompose),
      invitationCard(m),
      contactCards(m, options.onCompose),
      bodyChoice(m, mode, look, setBody, setLook),
      attachmentList(m),
    );
  }

  function setBody(next: BodyMode, always = false): void {
    mode = next;
    draw();
    const from = message?.item.from[0]?.address;
    if (always && message !== undefined && from !== undefined) {
      message.senderView = next;
      attempt(() => call("SenderViewSet", { address: from, view: next }));
    }
  }

  const reply = (
    message: ParsedMessage,
    how: "reply" | "replyAll" | "list" | "forward" | "forwardAttached",
  ) => options.onReply(message, how, mode === "text" ? "text" : "html");

  function setLook(next: Partial<BodyLook>): void {
    look = { ...look, ...next };
    if (next.mono !== undefined) remember("mono", next.mono ? "yes" : "no");
    if (next.dark !== undefined) remember("dark", next.dark ? "yes" : "no");
    draw();
  }

  const backButton = () =>
    button(t("Back"), options.onBack, { key: "Escape", attributes: { class: "back" } });

  function answerButtons(message: ParsedMessage): HTMLElement[] {
    // Other people's drafts can't be edited.
    if (has(message.item, "draft") && message.item.id < othersFrom) {
      const edit = async () => {
        // Opening a scheduled message for editing keeps it from being sent meanwhile.
        const id = message.sendAt === null
          ? message.item.id
          : (await call("SendCancel", { id: message.item.id })).draftId;
        options.onEditDraft(id);
      };
      return [
        button(t("Edit draft"), () => attempt(edit), { key: "e", primary: true }),
      ];
    }
    return [
      button(t("Reply"), () => reply(message, "reply"), {
        key: "r",
        title: t("Answer the sender"),
      }),
      button(t("Reply all"), () => reply(message, "replyAll"), {
        key: "R",
        title: t("Answer the sender and all recipients"),
      }),
      ...message.listPost === null ? [] : [
        button(t("Reply list"), () => reply(message, "list"), {
          key: "L",
          title: t("Answer {0}", message.listPost),
        }),
      ],
      button(t("Forward"), () => reply(message, "forward"), { key: "f" }),
    ];
  }

  function moreButton(message: ParsedMessage): HTMLButtonElement {
    const b: HTMLButtonElement = button(t("More"), () =>
      openMenu(b, [
        ...options.more(message.item),
        { text: t("Forward as attachment"), run: () => reply(message, "forwardAttached") },
        {
          text: t("Monospace"),
          title: t("Text in letters of one width: tables and patches keep their columns"),
          checked: look.mono,
          run: () => setLook({ mono: !look.mono }),
        },
        { text: t("Print"), run: print },
        {
          text: t("Save as .eml"),
          run: () => location.assign(rawUrl(message.item.id, { download: true })),
        },
        {
          text: t("Show raw message"),
          run: () => open(rawUrl(message.item.id), "_blank", "noopener"),
        },
        {
          text: t("Show header"),
          run: () => open(headersUrl(message.item.id), "_blank", "noopener"),
        },
        { text: t("Show parts"), run: () => showParts(message) },
        { text: allHeaders ? t("Fewer fields") : t("More fields"), run: toggleHeaders },
      ], t("More actions")), { attributes: { class: "more" } });
    return b;
  }

  function toggleHeaders(): void {
    allHeaders = !allHeaders;
    if (message !== undefined) drawHead();
  }

  function print(): void {
    if (item === undefined) return;
    const url = printUrl(item.id, {
      html: mode !== "text",
      external: mode === "htmlExternal",
      zone: Intl.DateTimeFormat().resolvedOptions().timeZone,
      language: navigator.language,
    });
    open(url, "_blank", "noopener");
  }

  function drawBody(): void {
    const m = message!;
    body.scrollTop = 0;
    if (mode === "text") {
      fill(
        body,
        m.texts.length === 0 && m.invitation === null && m.protection === null &&
          m.contacts.length === 0
          ? el("p", { class: "empty" }, t("This message has no text."))
          : null,
        m.texts.map((t) => {
          const text = textBody(t.text, options.onCompose, look.mono);
          return inThread ? foldQuotes(text) : text;
        }),
        m.texts.some((t) => t.truncated)
          ? el("p", { class: "empty" }, t("Only the beginning is shown; save the part to see all."))
          : null,
      );
      return;
    }
    const frame = el("iframe", {
      title: t("Message as HTML"),
      // No scripts, no forms, an origin of its own: see also the policy that the document comes with.
      sandbox: "allow-popups allow-popups-to-escape-sandbox",
      referrerpolicy: "no-referrer",
      // Tells the message's own rules for dark pages which kind of page this is.
      class: look.dark ? "dark" : "light",
      src: htmlUrl(m.item.id, {
        external: mode === "htmlExternal",
        dark: look.dark === true,
        fold: answered(m),
      }),
    });
    fill(body, frame);
  }

  const whenOpen = (run: (message: ParsedMessage) => unknown) => () => {
    if (message !== undefined) run(message);
    else if (item !== undefined) asked = run;
  };
  const setMode = (next: BodyMode) =>
    whenOpen((m) => {
      if (next !== "text" && !m.hasHtml) return alertUser(t("This message has no HTML."));
      if (next === "text" && m.texts.length === 0) {
        return alertUser(t("This message has HTML only."));
      }
      setBody(next);
    });

  return {
    root,
    show: (it) => void show(it),
    showNone: (selected, tools) => {
      stop();
      turn++;
      item = message = asked = undefined;
      others.clear();
      fill(head);
      fill(
        body,
        selected > 1
          ? el(
            "div",
            { class: "many" },
            el("p", {}, t("{0} selected", countText(selected, "message"))),
            el("div", { class: "message-tools" }, tools),
          )
          : el("p", { class: "empty" }, t("No message selected")),
      );
    },
    update: (it) => {
      if (item?.id !== it.id) return;
      item = it;
      if (message !== undefined) {
        message.item = it;
        drawHead();
      }
    },
    waits: (id, sendAt) => {
      if (message?.item.id !== id) return;
      message.sendAt = sendAt;
      drawHead();
    },
    current: () => message,
    shortcuts: [
      { key: "r", what: t("Reply"), run: whenOpen((m) => reply(m, "reply")) },
      { key: "R", what: t("Reply to all"), run: whenOpen((m) => reply(m, "replyAll")) },
      {
        key: "L",
        what: t("Reply to the list"),
        run: whenOpen((m) => reply(m, m.listPost === null ? "replyAll" : "list")),
      },
      { key: "f", what: t("Forward"), run: whenOpen((m) => reply(m, "forward")) },
      {
        key: "F",
        what: t("Forward as attachment"),
        run: whenOpen((m) => reply(m, "forwardAttached")),
      },
      {
        key: "e",
        what: t("Edit the draft"),
        run: () => root.querySelector<HTMLElement>(editButton)?.click(),
      },
      { key: "t", what: t("Show text"), run: setMode("text") },
      { key: "T", what: t("Show HTML"), run: setMode("html") },
      { key: "E", what: t("Show HTML with external content"), run: setMode("htmlExternal") },
      {
        key: "i",
        what: t("View attachments"),
        run: whenOpen((m) => openAttachments(m, 0)),
      },
      { key: "p", what: t("Print"), run: print },
      {
        key: "U",
        what: t("Show the raw message"),
        run: whenOpen((m) => open(rawUrl(m.item.id), "_blank", "noopener")),
      },
      { key: "O", what: t("Show all fields of the header"), run: toggleHeaders },
      {
        key: "Space",
        what: t("Scroll down"),
        run: () => body.scrollBy({ top: body.clientHeight * 0.9 }),
      },
      {
        key: "shift Space",
        what: t("Scroll up"),
        run: () => body.scrollBy({ top: -body.clientHeight * 0.9 }),
      },
    ],
  };
}
