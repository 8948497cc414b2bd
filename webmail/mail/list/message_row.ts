/** A line of the message list. @module */
import type { Address, MessageItem, ThreadPart } from "../../api/mod.ts";
import { el, fill, unseen } from "../../lib/dom.ts";
import { countText, longDate, numberText, shortDate, sizeText } from "../../lib/format.ts";
import { safeText } from "../../lib/scripts.ts";
import { keywordLabel } from "../label_colors.ts";
import { flagWords, has, shortName, subjectText } from "../names.ts";
import { t } from "../../lib/text.ts";

/** What a line shows: a message, or a collapsed thread. */
export interface RowContent {
  item: MessageItem;
  /** All messages that the line represents. */
  items: readonly MessageItem[];
  /** What is known of those that aren't among them. */
  part?: ThreadPart;
  collapsed: boolean;
  /** The first of a thread with more than one message. */
  root: boolean;
}

export interface RowStyle {
  /** Show recipients in place of senders: in Sent and Drafts. */
  outgoing: boolean;
  previews: boolean;
  /** Names of mailboxes, for messages of another than the one shown. */
  mailboxName: (id: number) => string | undefined;
}

/** Fills the line of a message. */
export function fillRow(row: HTMLElement, content: RowContent, style: RowStyle): void {
  const { item, items, part } = content;
  const count = part?.count ?? items.length;
  const unread = part?.unread ?? items.some((m) => !has(m, "seen"));
  const newest = Math.max(...items.map((m) => m.received));
  const people = peopleOf(content, style.outgoing || items.every((m) => has(m, "draft")));
  const where = style.mailboxName(item.mailboxId);
  const flagged = part?.flags.includes("flagged") ?? items.some((m) => has(m, "flagged"));
  row.className = [
    "message",
    unread ? "unread" : "",
    item.matches ? "" : "context",
    content.collapsed && count > 1 ? "collapsed" : "",
    item.level > 0 && !content.collapsed ? "reply" : "",
    item.threadMuted ? "muted" : "",
  ].filter((s) => s !== "").join(" ");
  row.style.setProperty("--level", String(content.collapsed ? 0 : Math.min(item.level, 6)));
  const words = marksOf(part === undefined ? items : [...items, { ...item, ...part }]);
  const keywords = new Set([...items.flatMap((m) => m.keywords), ...part?.keywords ?? []]);
  fill(
    row,
    el(
      "span",
      { class: "row-people", title: item.from.map((a) => a.address).join(", ") },
      unread ? unseen(`${t("Unread")}, `) : null,
      flagged ? unseen(`${t("Flagged")}, `) : null,
      el("span", { dir: "auto" }, safeText(people)),
      content.root && count > 1
        ? [
          el(
            "span",
            {
              class: "thread-count",
              title: countText(count, "message"),
              "aria-hidden": "true",
            },
            `${numberText(count)}${part?.older ? "+" : ""}`,
          ),
          unseen(t("thread of {0}, ", countText(count, "message"))),
        ]
        : null,
    ),
    el(
      "span",
      { class: "row-subject" },
      flagged
        ? el("span", { class: "mark flagged", title: t("Flagged"), "aria-hidden": "true" }, "★")
        : null,
      items.some((m) => m.hasAttachment)
        ? el("span", {
          class: "mark clip",
          role: "img",
          "aria-label": t("With attachments"),
          title: t("With attachments"),
        })
        : null,
      words.map((w) =>
        keywords.has(w) ? keywordLabel(w) : el("span", { class: "label" }, safeText(w))
      ),
      where === undefined ? null : el("span", { class: "label place" }, where),
      el("span", { class: "subject", dir: "auto" }, safeText(subjectText(item))),
      style.previews && item.preview !== ""
        ? el("span", { class: "preview", dir: "auto" }, safeText(item.preview.slice(0, 200)))
        : null,
    ),
    el(
      "span",
      { class: "row-date", title: `${longDate(newest)}, ${sizeText(item.size)}` },
      shortDate(newest),
    ),
  );
}

/** Words for flags and keywords. */
function marksOf(items: readonly MessageItem[]): string[] {
  const words = new Set<string>();
  for (const m of items) {
    for (const f of m.flags) {
      const w = flagWords[f];
      if (w !== undefined && f !== "flagged" && f !== "answered") words.add(w);
    }
    for (const k of m.keywords) if (!k.startsWith("$")) words.add(k);
    if (m.threadMuted) words.add(t("muted"));
  }
  return [...words];
}

/** Senders of a message or thread (or recipients of what was sent), each once. */
function peopleOf(content: RowContent, outgoing: boolean): string {
  const list: Address[] = content.items.flatMap((m) =>
    outgoing ? [...m.to, ...m.cc, ...m.bcc] : m.from
  );
  const names = new Map<string, string>();
  for (const a of list) names.set(a.address.toLowerCase(), shortName(a));
  const all = [...names.values()];
  if (all.length === 0) return outgoing ? t("(nobody)") : t("(unknown sender)");
  const prefix = outgoing ? t("To: ") : "";
  if (all.length <= 3) return prefix + all.join(", ");
  return `${prefix}${all[0]} … ${all.at(-2)}, ${all.at(-1)}`;
}
