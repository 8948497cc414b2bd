/**
 * One opened message: header, text or HTML in a frame without scripts, attachments, and what can be done.
 *
 * @module
 */
import { call } from "./api/client.ts";
import {
  type Address,
  headersUrl,
  htmlUrl,
  type MessageItem,
  type ParsedMessage,
  printUrl,
  rawUrl,
  type Settings,
} from "./api/mod.ts";
import { attachmentList, openAttachments } from "./attachments.ts";
import { button, linkButton } from "./lib/button.ts";
import { type MenuItem, openDialog, openMenu } from "./lib/dialog.ts";
import { el, explain, fill } from "./lib/dom.ts";
import { countText, longDate } from "./lib/format.ts";
import type { Shortcut } from "./lib/keys.ts";
import { alertUser, attempt, errorText } from "./lib/notify.ts";
import { safeText } from "./lib/scripts.ts";
import { fullAddress, has, subjectText } from "./names.ts";
import { textBody } from "./text_body.ts";

export interface MessageViewOptions {
  settings: () => Settings;
  /** The message was looked at so long that it counts as read, or as not junk. */
  onSeen: (m: MessageItem) => void;
  onNotJunk: (m: MessageItem) => void;
  onReply: (
    m: ParsedMessage,
    how: "reply" | "replyAll" | "list" | "forward" | "forwardAttached",
  ) => void;
  onEditDraft: (m: MessageItem) => void;
  onBack: () => void;
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
  current(): ParsedMessage | undefined;
  shortcuts: Shortcut[];
}

type Mode = "text" | "html" | "htmlExternal";

/** Milliseconds: messages that follow each other faster are passed over. */
const hurry = 120;

/** Makes the view. */
export function messageView(o: MessageViewOptions): MessageView {
  let item: MessageItem | undefined;
  let message: ParsedMessage | undefined;
  let mode: Mode = "text";
  let allHeaders = false;
  let turn = 0;
  let shownAt = -Infinity;
  let timers: ReturnType<typeof setTimeout>[] = [];
  const head = el("div", { class: "message-head" });
  const body = el("div", { class: "message-body", tabindex: -1 });
  const root = el("section", { class: "message-view", "aria-label": "Message" }, head, body);

  function stop(): void {
    timers.forEach(clearTimeout);
    timers = [];
  }

  async function show(next: MessageItem): Promise<void> {
    if (item?.id === next.id && message !== undefined) return;
    stop();
    item = next;
    message = undefined;
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
    mode = got.senderView ??
      (got.hasHtml && (s.preferHtml || got.texts.length === 0) ? "html" : "text");
    if (!got.hasHtml) mode = "text";
    draw();
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
      el("h1", {}, safeText(subjectText(it))),
      el(
        "dl",
        { class: "message-fields" },
        people("From", it.from),
        people("Reply to", differs(it.replyTo, it.from) ? it.replyTo : []),
        people("To", it.to),
        people("Cc", it.cc),
        people("Bcc", it.bcc),
        fieldRow("Date", [longDate(it.sent ?? it.received)]),
        keywords(it),
        allHeaders ? m.headers.map((h) => fieldRow(h.name, safeText(h.value))) : null,
      ),
      authentication(m),
      bodyChoice(m),
      attachmentList(m),
    );
  }

  const backButton = () =>
    button("Back", o.onBack, { key: "Escape", attributes: { class: "back" } });

  function answerButtons(m: ParsedMessage): HTMLElement[] {
    if (has(m.item, "draft")) {
      return [button("Edit draft", () => o.onEditDraft(m.item), { key: "e", primary: true })];
    }
    return [
      button("Reply", () => o.onReply(m, "reply"), { key: "r", title: "Answer the sender" }),
      button("Reply all", () => o.onReply(m, "replyAll"), {
        key: "R",
        title: "Answer the sender and all recipients",
      }),
      ...m.listPost === null ? [] : [
        button("Reply list", () => o.onReply(m, "list"), {
          key: "L",
          title: `Answer ${m.listPost}`,
        }),
      ],
      button("Forward", () => o.onReply(m, "forward"), { key: "f" }),
    ];
  }

  function moreButton(m: ParsedMessage): HTMLButtonElement {
    const b: HTMLButtonElement = button("More", () =>
      openMenu(b, [
        ...o.more(m.item),
        { text: "Forward as attachment", run: () => o.onReply(m, "forwardAttached") },
        { text: "Print", run: print },
        { text: "Save as .eml", run: () => location.assign(rawUrl(m.item.id, { download: true })) },
        { text: "Show raw message", run: () => open(rawUrl(m.item.id), "_blank", "noopener") },
        { text: "Show header", run: () => open(headersUrl(m.item.id), "_blank", "noopener") },
        { text: "Show parts", run: () => parts(m) },
        { text: allHeaders ? "Fewer fields" : "More fields", run: toggleHeaders },
        ...m.listUnsubscribe === null ? [] : [{ text: "Unsubscribe", run: () => unsubscribe(m) }],
      ], "More actions"));
    return b;
  }

  function toggleHeaders(): void {
    allHeaders = !allHeaders;
    if (message !== undefined) drawHead();
  }

  function print(): void {
    if (item === undefined) return;
    const url = printUrl(item.id, { html: mode !== "text", external: mode === "htmlExternal" });
    open(url, "_blank", "noopener");
  }

  function people(label: string, list: readonly Address[]): HTMLElement[] | null {
    if (list.length === 0) return null;
    const shown = list.slice(0, 12);
    const rest = list.slice(12);
    const one = (a: Address) => [
      linkButton(fullAddress(a), () => o.onCompose(fullAddress(a)), `Write to ${a.address}`),
    ];
    const links = (l: readonly Address[]) =>
      l.flatMap((a, i) => [...i > 0 ? [", "] : [], ...one(a)]);
    const box = el("span", {}, links(shown));
    for (const b of box.querySelectorAll("button")) fill(b, safeText(b.textContent ?? ""));
    if (rest.length > 0) {
      box.append(
        " ",
        linkButton(`and ${rest.length} more`, () => fill(box, links(list)), "Show all"),
      );
    }
    return fieldRow(label, [box]);
  }

  function fieldRow(label: string, value: readonly (string | HTMLElement)[]): HTMLElement[] {
    return [el("dt", {}, label), el("dd", {}, value)];
  }

  function keywords(it: MessageItem): HTMLElement[] | null {
    const words = [...it.flags.filter((f) => f !== "seen"), ...it.keywords];
    if (words.length === 0) return null;
    return fieldRow(
      "Flags",
      words.flatMap((w, i) => [...i > 0 ? [" "] : [], el("span", { class: "label" }, w)]),
    );
  }

  function authentication(m: ParsedMessage): HTMLElement | null {
    const a = m.authentication;
    if (a === null || has(m.item, "draft")) return null;
    const detail = `SPF: ${a.spf || "none"}. DKIM: ${a.dkim || "none"}${
      a.dkimDomains.length > 0 ? ` (${a.dkimDomains.join(", ")})` : ""
    }. DMARC: ${a.dmarc || "none"}. ${a.tls === "" ? "Came without TLS." : `Came with ${a.tls}.`}`;
    return a.fromVerified
      ? explain(el("p", { class: "verified" }, "Sender's domain is verified"), detail)
      : explain(
        el("p", { class: "unverified" }, "Sender is not verified: anyone may have written this"),
        detail,
      );
  }

  /** Choice between text and HTML, and of external content. */
  function bodyChoice(m: ParsedMessage): HTMLElement | null {
    if (!m.hasHtml) return null;
    const to = (next: Mode, remember = false) => {
      mode = next;
      draw();
      const from = m.item.from[0]?.address;
      if (remember && from !== undefined) {
        m.senderView = next;
        attempt(() => call("SenderViewSet", { address: from, view: next }));
      }
    };
    const choice = (text: string, next: Mode, title: string, key?: string) =>
      button(text, () => to(next), {
        title,
        key,
        attributes: { "aria-pressed": String(mode === next) },
      });
    return el(
      "div",
      { class: "body-choice" },
      m.texts.length > 0
        ? choice("Text", "text", "Plain text: nothing in it can track you", "t")
        : null,
      choice("HTML", "html", "As its sender laid it out, without content from other servers", "T"),
      m.hasExternal
        ? choice(
          "With external content",
          "htmlExternal",
          "Pictures are loaded from other servers: their owners see that and when you read this",
          "E",
        )
        : null,
      m.senderView !== mode && m.item.from.length > 0
        ? linkButton(
          "Always for this sender",
          () => to(mode, true),
          `Show messages from ${m.item.from[0].address} this way from now on`,
        )
        : null,
    );
  }

  function drawBody(): void {
    const m = message!;
    body.scrollTop = 0;
    if (mode === "text") {
      fill(
        body,
        m.texts.length === 0 ? el("p", { class: "empty" }, "This message has no text.") : null,
        m.texts.map((t) => textBody(t.text, o.onCompose)),
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
      src: htmlUrl(m.item.id, { external: mode === "htmlExternal" }),
    });
    fill(body, frame);
  }

  function parts(m: ParsedMessage): void {
    openDialog(
      "Parts",
      m.attachments.length + m.texts.length === 0 ? el("p", {}, "This message has no parts.") : el(
        "ul",
        { class: "parts" },
        m.texts.map((t) =>
          el("li", {}, `${t.path || "1"}: text/plain, ${countText(t.text.length, "character")}`)
        ),
        m.attachments.map((a) =>
          el(
            "li",
            {},
            `${a.path}: ${a.type}, ${a.filename || "no name"}${a.inline ? ", inline" : ""}`,
          )
        ),
      ),
    );
  }

  function unsubscribe(m: ParsedMessage): void {
    const u = m.listUnsubscribe!;
    if (u.url !== null) open(u.url, "_blank", "noopener,noreferrer");
    else if (u.mailto !== null) o.onCompose(u.mailto);
  }

  const whenOpen = (run: (m: ParsedMessage) => unknown) => () => {
    if (message !== undefined) run(message);
  };
  const setMode = (next: Mode) =>
    whenOpen((m) => {
      if (next !== "text" && !m.hasHtml) return alertUser("This message has no HTML.");
      if (next === "text" && m.texts.length === 0) return alertUser("This message has HTML only.");
      mode = next;
      draw();
    });

  return {
    root,
    show: (it) => void show(it),
    showNone: (selected, tools) => {
      stop();
      turn++;
      item = message = undefined;
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
    current: () => message,
    shortcuts: [
      { key: "r", what: "Reply", run: whenOpen((m) => o.onReply(m, "reply")) },
      { key: "R", what: "Reply to all", run: whenOpen((m) => o.onReply(m, "replyAll")) },
      {
        key: "L",
        what: "Reply to the list",
        run: whenOpen((m) => o.onReply(m, m.listPost === null ? "replyAll" : "list")),
      },
      { key: "f", what: "Forward", run: whenOpen((m) => o.onReply(m, "forward")) },
      {
        key: "F",
        what: "Forward as attachment",
        run: whenOpen((m) => o.onReply(m, "forwardAttached")),
      },
      { key: "e", what: "Edit the draft", run: whenOpen((m) => o.onEditDraft(m.item)) },
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

function differs(a: readonly Address[], b: readonly Address[]): boolean {
  const set = (l: readonly Address[]) => l.map((x) => x.address.toLowerCase()).sort().join();
  return a.length > 0 && set(a) !== set(b);
}
