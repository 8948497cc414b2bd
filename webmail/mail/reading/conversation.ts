/**
 * The other messages of a thread, around the open one: a line each, opened by a click. The user's own answers are
 * included, whatever mailbox they are in.
 *
 * @module
 */
import { call } from "../../api/client.ts";
import { htmlUrl, type MessageItem, type ParsedMessage } from "../../api/mod.ts";
import { attachmentList } from "../compose/attachments.ts";
import { button } from "../../lib/button.ts";
import { el, fill } from "../../lib/dom.ts";
import { longDate, shortDate } from "../../lib/format.ts";
import { errorText } from "../../lib/notify.ts";
import { safeText } from "../../lib/scripts.ts";
import { shortName } from "../names.ts";
import { darkPage } from "./looks.ts";
import { foldQuotes, textBody } from "./text_body.ts";
import { t } from "../../lib/text.ts";

export interface ConversationOptions {
  onReply: (message: ParsedMessage) => void;
  onCompose: (to: string) => void;
  /** Which part of a message with text and HTML is shown. */
  shows: (message: ParsedMessage) => "text" | "html";
}

export interface Conversation {
  /** Messages before the open one; `after` has those after it. */
  before: HTMLElement;
  after: HTMLElement;
  /** Shows the thread of a message. Resolves with the number of other messages. */
  show(item: MessageItem): Promise<number>;
  clear(): void;
}

/** Creates it, empty. */
export function conversation(options: ConversationOptions): Conversation {
  const before = el("div", { class: "conversation" });
  const after = el("div", { class: "conversation" });
  let turn = 0;

  function clear(): void {
    turn++;
    fill(before);
    fill(after);
  }

  function entry(item: MessageItem): HTMLElement {
    const content = el("div", { class: "conversation-message" });
    content.hidden = true;
    const line = el(
      "button",
      {
        type: "button",
        class: "conversation-line",
        "aria-expanded": "false",
        title: longDate(item.sent ?? item.received),
        onclick: () => {
          content.hidden = !content.hidden;
          line.setAttribute("aria-expanded", String(!content.hidden));
          if (!content.hidden && content.childElementCount === 0) void load(item.id, content);
        },
      },
      el("span", { class: "conversation-who" }, safeText(item.from.map(shortName).join(", "))),
      el(
        "span",
        { class: "conversation-preview", dir: "auto" },
        safeText(item.preview.slice(0, 200)),
      ),
      el("span", { class: "row-date" }, shortDate(item.sent ?? item.received)),
    );
    return el("article", { class: "conversation-entry" }, line, content);
  }

  async function load(id: number, into: HTMLElement): Promise<void> {
    fill(into, el("p", { class: "message-loading" }, t("Loading…")));
    try {
      const m = await call("MessageGet", { id });
      const body = m.hasHtml && options.shows(m) === "html"
        ? el("iframe", {
          title: t("Message as HTML"),
          sandbox: "allow-popups allow-popups-to-escape-sandbox",
          referrerpolicy: "no-referrer",
          class: darkPage() ? "dark" : "light",
          src: htmlUrl(id, { external: false, dark: darkPage(), fold: true }),
        })
        : el("div", {}, m.texts.map((t) => foldQuotes(textBody(t.text, options.onCompose))));
      fill(
        into,
        attachmentList(m),
        body,
        el(
          "div",
          { class: "buttons-in-row" },
          button(t("Reply to this"), () => options.onReply(m)),
        ),
      );
    } catch (e) {
      fill(into, el("p", { class: "error", role: "alert" }, errorText(e)));
    }
  }

  return {
    before,
    after,
    clear,
    show: async (item) => {
      clear();
      const mine = turn;
      const { items } = await call("ThreadGet", { id: item.id });
      const at = items.findIndex((m) => m.emailId === item.emailId);
      if (mine !== turn || at < 0) return 0;
      fill(before, items.slice(0, at).map(entry));
      fill(after, items.slice(at + 1).map(entry));
      return items.length - 1;
    },
  };
}
