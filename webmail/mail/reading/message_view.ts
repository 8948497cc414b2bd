/**
 * One opened message: header, text or HTML in a frame without scripts, attachments, and what can be done.
 *
 * @module
 */
import { call } from "../../api/client.ts";
import {
  headersUrl,
  htmlUrl,
  type MessageItem,
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
import { conversation } from "./conversation.ts";
import { invitationCard, protectionLine, unsubscribeLine } from "./cards.ts";
import { whyHere } from "./why.ts";
import { authentication, damage, messageFields, waiting } from "./message_fields.ts";
import { has, subjectText } from "../names.ts";
import { darkPage, remember, remembered } from "./looks.ts";
import { foldQuotes, hasColumns, textBody } from "./text_body.ts";

export interface MessageViewOptions {
  settings: () => Settings;
  /** The message was looked at so long that it counts as read, or as not junk. */
  onSeen: (m: MessageItem) => void;
  onNotJunk: (m: MessageItem) => void;
  onReply: (
    m: ParsedMessage,
    how: "reply" | "replyAll" | "list" | "forward" | "forwardAttached",
    /** What is shown of it. */
    shown: "text" | "html",
  ) => void;
  onEditDraft: (id: number) => void;
  onBack: () => void;
  /** Shows a message of the list. */
  onShow: (id: number) => void;
  onCompose: (to: string) => void;
  /** Buttons for what can be done to messages, made anew for each message. */
  tools: (m: MessageItem) => HTMLElement[];
  /** What else can be done, in the menu. */
  more: (m: MessageItem) => MenuItem[];
}

export interface MessageView {
  root: HTMLElement;
  show(item: MessageItem): void;
  /** Instead of a message. */
  showNone(selected: MessageItem[], tools: HTMLElement[]): void;
  /** The shown message has new flags. */
  update(item: MessageItem): void;
  /** A message waits to be sent, or does no more. */
  waits(id: number, sendAt: number | null): void;
  current(): ParsedMessage | undefined;
  shortcuts: Shortcut[];
}

/** The button of a draft. */
const editButton = '[aria-keyshortcuts="e"]';

/** Milliseconds: messages that follow each other faster are passed over. */
const hurry = 120;

/** Makes the view. */
export function messageView(o: MessageViewOptions): MessageView {
  let item: MessageItem | undefined;
  let message: ParsedMessage | undefined;
  /** Asked for while the message was on its way. */
  let asked: ((m: ParsedMessage) => unknown) | undefined;
  let mode: BodyMode = "text";
  let look: BodyLook = { mono: false, dark: undefined };
  let allHeaders = false;
  let turn = 0;
  let shownAt = -Infinity;
  let timers: ReturnType<typeof setTimeout>[] = [];
  const head = el("div", { class: "message-head" });
  const body = el("div", { class: "message-body", tabindex: -1 });
  const others = conversation({
    onReply: (m) => o.onReply(m, "replyAll", shows(m)),
    onCompose: o.onCompose,
    shows,
  });
  /** There are others in the thread. */
  let inThread = false;
  const root = el(
    "section",
    { class: "message-view", "aria-label": "Message" },
    others.before,
    head,
    body,
    others.after,
  );

  /** Which part of a message is shown. */
  function shows(m: ParsedMessage): "text" | "html" {
    const { body } = o.settings();
    if (!m.hasHtml) return "text";
    if (m.senderView !== null) return m.senderView === "text" ? "text" : "html";
    return body === "html" || m.texts.length === 0 || body === "auto" && m.htmlSaysMore
      ? "html"
      : "text";
  }

  function doAsked(m: ParsedMessage): void {
    const run = asked;
    asked = undefined;
    run?.(m);
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
    // Who runs through the list with a key held down wants the one where it stops.
    const hurried = performance.now() - shownAt < hurry;
    shownAt = performance.now();
    fill(head, el("div", { class: "message-loading" }, "Loading…"));
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
    const s = o.settings();
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
    const later = (seconds: number, run: (m: MessageItem) => void) => {
      if (seconds < 0) return;
      timers.push(setTimeout(() => {
        if (item !== undefined && mine === turn && !document.hidden) run(item);
      }, seconds * 1000));
    };
    later(s.readAfter, (m) => {
      if (!has(m, "seen")) o.onSeen(m);
    });
    later(s.notJunkAfter, (m) => {
      if (!has(m, "notjunk") && !has(m, "junk")) o.onNotJunk(m);
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
        o.tools(it),
        moreButton(m),
      ),
      el("h1", { dir: "auto" }, safeText(subjectText(it))),
      damage(m),
      waiting(m, o.onShow),
      messageFields(it, m.recipients, allHeaders ? m.headers : [], o.onCompose),
      authentication(m),
      whyHere(m),
      protectionLine(m),
      unsubscribeLine(m, o.onCompose),
      invitationCard(m),
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
    m: ParsedMessage,
    how: "reply" | "replyAll" | "list" | "forward" | "forwardAttached",
  ) => o.onReply(m, how, mode === "text" ? "text" : "html");

  function setLook(next: Partial<BodyLook>): void {
    look = { ...look, ...next };
    if (next.mono !== undefined) remember("mono", next.mono ? "yes" : "no");
    if (next.dark !== undefined) remember("dark", next.dark ? "yes" : "no");
    draw();
  }

  const backButton = () =>
    button("Back", o.onBack, { key: "Escape", attributes: { class: "back" } });

  function answerButtons(m: ParsedMessage): HTMLElement[] {
    if (has(m.item, "draft")) {
      const edit = async () => {
        // What is written on isn't sent meanwhile.
        const id = m.sendAt === null
          ? m.item.id
          : (await call("SendCancel", { id: m.item.id })).draftId;
        o.onEditDraft(id);
      };
      return [
        button("Edit draft", () => attempt(edit), { key: "e", primary: true }),
      ];
    }
    return [
      button("Reply", () => reply(m, "reply"), { key: "r", title: "Answer the sender" }),
      button("Reply all", () => reply(m, "replyAll"), {
        key: "R",
        title: "Answer the sender and all recipients",
      }),
      ...m.listPost === null ? [] : [
        button("Reply list", () => reply(m, "list"), {
          key: "L",
          title: `Answer ${m.listPost}`,
        }),
      ],
      button("Forward", () => reply(m, "forward"), { key: "f" }),
    ];
  }

  function moreButton(m: ParsedMessage): HTMLButtonElement {
    const b: HTMLButtonElement = button("More", () =>
      openMenu(b, [
        ...o.more(m.item),
        { text: "Forward as attachment", run: () => reply(m, "forwardAttached") },
        {
          text: "Monospace",
          title: "Text in letters of one width: tables and patches keep their columns",
          checked: look.mono,
          run: () => setLook({ mono: !look.mono }),
        },
        { text: "Print", run: print },
        { text: "Save as .eml", run: () => location.assign(rawUrl(m.item.id, { download: true })) },
        { text: "Show raw message", run: () => open(rawUrl(m.item.id), "_blank", "noopener") },
        { text: "Show header", run: () => open(headersUrl(m.item.id), "_blank", "noopener") },
        { text: "Show parts", run: () => showParts(m) },
        { text: allHeaders ? "Fewer fields" : "More fields", run: toggleHeaders },
      ], "More actions"));
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
        m.texts.length === 0 && m.invitation === null && m.protection === null
          ? el("p", { class: "empty" }, "This message has no text.")
          : null,
        m.texts.map((t) => {
          const text = textBody(t.text, o.onCompose, look.mono);
          return inThread ? foldQuotes(text) : text;
        }),
        m.texts.some((t) => t.truncated)
          ? el("p", { class: "empty" }, "Only the beginning is shown; save the part to see all.")
          : null,
      );
      return;
    }
    const frame = el("iframe", {
      title: "Message as HTML",
      // No scripts, no forms, an origin of its own: see also the policy that the document comes with.
      sandbox: "allow-popups allow-popups-to-escape-sandbox",
      referrerpolicy: "no-referrer",
      // So that the message's own rules for dark pages know which one this is.
      class: look.dark ? "dark" : "light",
      src: htmlUrl(m.item.id, { external: mode === "htmlExternal", dark: look.dark === true }),
    });
    fill(body, frame);
  }

  const whenOpen = (run: (m: ParsedMessage) => unknown) => () => {
    if (message !== undefined) run(message);
    else if (item !== undefined) asked = run;
  };
  const setMode = (next: BodyMode) =>
    whenOpen((m) => {
      if (next !== "text" && !m.hasHtml) return alertUser("This message has no HTML.");
      if (next === "text" && m.texts.length === 0) return alertUser("This message has HTML only.");
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
        selected.length > 1
          ? el(
            "div",
            { class: "many" },
            el("p", {}, `${countText(selected.length, "message")} selected`),
            el("div", { class: "message-tools" }, tools),
          )
          : el("p", { class: "empty" }, "No message selected"),
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
      { key: "r", what: "Reply", run: whenOpen((m) => reply(m, "reply")) },
      { key: "R", what: "Reply to all", run: whenOpen((m) => reply(m, "replyAll")) },
      {
        key: "L",
        what: "Reply to the list",
        run: whenOpen((m) => reply(m, m.listPost === null ? "replyAll" : "list")),
      },
      { key: "f", what: "Forward", run: whenOpen((m) => reply(m, "forward")) },
      {
        key: "F",
        what: "Forward as attachment",
        run: whenOpen((m) => reply(m, "forwardAttached")),
      },
      {
        key: "e",
        what: "Edit the draft",
        run: () => root.querySelector<HTMLElement>(editButton)?.click(),
      },
      { key: "t", what: "Show text", run: setMode("text") },
      { key: "T", what: "Show HTML", run: setMode("html") },
      { key: "E", what: "Show HTML with external content", run: setMode("htmlExternal") },
      {
        key: "i",
        what: "View attachments",
        run: whenOpen((m) => openAttachments(m, 0)),
      },
      { key: "p", what: "Print", run: print },
      {
        key: "U",
        what: "Show the raw message",
        run: whenOpen((m) => open(rawUrl(m.item.id), "_blank", "noopener")),
      },
      { key: "O", what: "Show all fields of the header", run: toggleHeaders },
      {
        key: "Space",
        what: "Scroll down",
        run: () => body.scrollBy({ top: body.clientHeight * 0.9 }),
      },
      {
        key: "shift Space",
        what: "Scroll up",
        run: () => body.scrollBy({ top: -body.clientHeight * 0.9 }),
      },
    ],
  };
}
