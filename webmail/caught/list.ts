/** The list of caught messages, newest first. @module */
import { el, fill } from "../lib/dom.ts";
import { shortDate } from "../lib/format.ts";
import { api, type Summary } from "./api.ts";
import { addressText } from "./message.ts";

/** Messages per request. */
const pageSize = 100;

export interface ListView {
  root: HTMLElement;
  /** Reloads what it shows. */
  refresh(): Promise<void>;
  search(query: string): Promise<void>;
  /** Marks the message that is shown. */
  setOpen(id: string): void;
  /** Opens the message before (-1) or after (1) the open one. */
  step(by: number): void;
}

export interface ListOptions {
  onOpen(id: string): void;
  onError(err: unknown): void;
}

/** Creates the list. */
export function messageList(options: ListOptions): ListView {
  let query = "";
  let shown = pageSize;
  let openId = "";
  let messages: Summary[] = [];
  const count = el("p", { class: "soft count", role: "status" });
  const rows = el("ul", { class: "rows", "aria-label": "Messages" });
  const more = el("button", {
    type: "button",
    onclick: () => {
      shown += pageSize;
      void refresh();
    },
  }, "More");

  function item(summary: Summary): HTMLElement {
    const date = Date.parse(summary.Created);
    return el(
      "li",
      {},
      el(
        "a",
        {
          href: `#${encodeURIComponent(summary.ID)}`,
          "aria-current": summary.ID === openId ? "true" : null,
          class: summary.Read ? null : "unread",
          "data-id": summary.ID,
        },
        el("span", { class: "who" }, addressText(summary.From)),
        el("time", { datetime: summary.Created }, shortDate(date)),
        el("span", { class: "subject" }, summary.Subject === "" ? "(no subject)" : summary.Subject),
        el(
          "span",
          { class: "to soft" },
          `to ${summary.To.map(addressText).join(", ") || "nobody"}`,
        ),
        summary.Tags.length === 0 && summary.Attachments === 0 ? null : el(
          "span",
          { class: "marks" },
          summary.Tags.map((t) => el("span", { class: "tag" }, t)),
          summary.Attachments === 0 ? null : el(
            "span",
            { class: "tag" },
            summary.Attachments === 1 ? "1 file" : `${summary.Attachments} files`,
          ),
        ),
      ),
    );
  }

  let asking: Promise<void> | undefined;
  let again = false;
  /** One request at a time; changes during a request lead to one more. */
  function refresh(): Promise<void> {
    if (asking !== undefined) {
      again = true;
      return asking;
    }
    asking = draw().catch(options.onError).finally(() => {
      asking = undefined;
      if (again) {
        again = false;
        void refresh();
      }
    });
    return asking;
  }
  async function draw(): Promise<void> {
    const asked = query;
    const r = await api.list(asked, 0, shown);
    if (asked !== query) return void (again = true);
    messages = r.messages;
    const focused = (document.activeElement as HTMLElement | null)?.dataset?.id;
    fill(rows, messages.map(item));
    if (focused !== undefined) {
      rows.querySelector<HTMLElement>(`[data-id="${CSS.escape(focused)}"]`)?.focus();
    }
    fill(
      count,
      query === ""
        ? r.total === 0
          ? "Nothing was caught so far. Send a message to any address by SMTP."
          : `${r.total} ${r.total === 1 ? "message" : "messages"}`
        : `${r.messages_count} of ${r.total} found`,
    );
    more.hidden = messages.length >= r.messages_count;
  }
  return {
    root: el("div", { class: "list" }, count, rows, more),
    refresh,
    search(text) {
      query = text;
      shown = pageSize;
      return refresh();
    },
    setOpen(id) {
      openId = id;
      for (const a of rows.querySelectorAll("a")) {
        if (a.dataset.id === id) {
          a.setAttribute("aria-current", "true");
          a.classList.remove("unread");
        } else a.removeAttribute("aria-current");
      }
    },
    step(by) {
      const at = messages.findIndex((m) => m.ID === openId);
      const m = messages[at < 0 ? 0 : at + by];
      if (m !== undefined) options.onOpen(m.ID);
    },
  };
}
