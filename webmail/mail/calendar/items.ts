/** Events as buttons, and on which days they are. @module */
import type { Calendar, CalendarItem } from "../../api/mod.ts";
import { type Child, el, unseen } from "../../lib/dom.ts";
import { t } from "../../lib/text.ts";
import { addDays, type Day, dayOf, dayText, timeText } from "./dates.ts";

/** What the views are given. */
export interface Shown {
  items: readonly CalendarItem[];
  calendars: readonly Calendar[];
  open: (item: CalendarItem) => void;
  /** A new event on a day, from a minute on where one was pointed at, to another where hours were chosen. */
  create: (day: Day, minute?: number, to?: number) => void;
  /** Shows one day. */
  showDay: (day: Day) => void;
}

/** The last day of an item; one that ends at midnight isn't on the next day. */
export function lastDay(item: CalendarItem): Day {
  const last = dayOf(item.end);
  const midnight = !item.allDay && item.end.endsWith("T00:00") && item.end > item.start;
  return midnight ? addDays(last, -1) : last;
}

/** Items of a day, all-day items first. */
export function itemsOn(items: readonly CalendarItem[], day: Day): CalendarItem[] {
  const found = items.filter((i) => dayOf(i.start) <= day && lastDay(i) >= day);
  return [...found.filter((i) => i.allDay), ...found.filter((i) => !i.allDay)];
}

/** Colours of calendars without a chosen one. */
const usual = ["#2b6e92", "#2b6a3b", "#8a5200", "#6b3fa0", "#a32a2a", "#0b6e6e"];

export function colorOf(
  calendars: readonly Calendar[],
  i: Pick<CalendarItem, "calendarId" | "owner">,
): string {
  const at = calendars.findIndex((c) => c.id === i.calendarId && c.owner === i.owner);
  return calendars[at]?.color || usual[Math.max(at, 0) % usual.length];
}

/** Letters of a weekday that fit over the columns of a phone. */
const shortName = 4;

/** A weekday whose short name is long, as in Arabic: a letter on a phone. Null where there is room for the name. */
export function weekdayName(day: Day, ...after: Child[]): Child {
  const name = dayText(day, { weekday: "short" });
  if (name.length <= shortName) return null;
  return el(
    "span",
    {},
    el("span", { class: "only-wide" }, name),
    el("span", { class: "only-narrow" }, dayText(day, { weekday: "narrow" })),
    after,
  );
}

/** When an item is on a day, in words. */
export function whenText(item: CalendarItem, day: Day): string {
  if (item.allDay) return t("Whole day");
  const starts = dayOf(item.start) === day;
  const ends = dayOf(item.end) === day;
  if (starts && ends && item.start === item.end) return timeText(item.start);
  return `${starts ? timeText(item.start) : "…"} – ${ends ? timeText(item.end) : "…"}`;
}

/**
 * An item as a button that opens it.
 * @param short has room for one line, in which the title comes first
 */
export function itemButton(
  shown: Shown,
  item: CalendarItem,
  day: Day,
  style = "",
  short = false,
): HTMLButtonElement {
  const title = item.title || t("(no title)");
  const when = whenText(item, day);
  const more = [
    dayText(day, { weekday: "long", day: "numeric", month: "long" }),
    when,
    item.place,
    item.owner === "" ? "" : t("calendar of {0}", item.owner),
    item.repeats ? t("repeats") : "",
    item.status === "cancelled" ? t("cancelled") : item.status === "declined" ? t("declined") : "",
  ].filter((x) => x !== "").join(", ");
  return el(
    "button",
    {
      type: "button",
      class: `event ${item.allDay ? "all-day" : ""} ${short ? "short" : ""} ${
        item.status === "cancelled" || item.status === "declined" ? "cancelled" : ""
      }`,
      style: `--event: ${colorOf(shown.calendars, item)}; ${style}`,
      title: [title, more].join(", "),
      onclick: (event: Event) => {
        event.stopPropagation();
        shown.open(item);
      },
    },
    item.allDay || dayOf(item.start) !== day
      ? null
      : el("span", { class: "event-time" }, timeText(item.start), " "),
    el("span", { class: "event-title", dir: "auto" }, title),
    item.repeats ? el("span", { "aria-hidden": "true" }, " ↻") : null,
    unseen(more),
  );
}
