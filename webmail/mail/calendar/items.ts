/** Events as buttons, and on which days they are. @module */
import type { Calendar, CalendarItem } from "../../api/mod.ts";
import { el, unseen } from "../../lib/dom.ts";
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

/** The last day that an item is on; what ends at midnight isn't on the next. */
export function lastDay(i: CalendarItem): Day {
  const last = dayOf(i.end);
  const midnight = !i.allDay && i.end.endsWith("T00:00") && i.end > i.start;
  return midnight ? addDays(last, -1) : last;
}

/** Items of a day, those of whole days first. */
export function itemsOn(items: readonly CalendarItem[], day: Day): CalendarItem[] {
  const found = items.filter((i) => dayOf(i.start) <= day && lastDay(i) >= day);
  return [...found.filter((i) => i.allDay), ...found.filter((i) => !i.allDay)];
}

/** Colours of calendars that chose none. */
const usual = ["#2b6e92", "#2b6a3b", "#8a5200", "#6b3fa0", "#a32a2a", "#0b6e6e"];

export function colorOf(
  calendars: readonly Calendar[],
  i: Pick<CalendarItem, "calendarId" | "owner">,
): string {
  const at = calendars.findIndex((c) => c.id === i.calendarId && c.owner === i.owner);
  return calendars[at]?.color || usual[Math.max(at, 0) % usual.length];
}

/** When an item is on a day, in words. */
export function whenText(i: CalendarItem, day: Day): string {
  if (i.allDay) return t("Whole day");
  const starts = dayOf(i.start) === day;
  const ends = dayOf(i.end) === day;
  if (starts && ends && i.start === i.end) return timeText(i.start);
  return `${starts ? timeText(i.start) : "…"} – ${ends ? timeText(i.end) : "…"}`;
}

/** An item as a button that opens it. */
export function itemButton(s: Shown, i: CalendarItem, day: Day, style = ""): HTMLButtonElement {
  const title = i.title || t("(no title)");
  const when = whenText(i, day);
  const more = [
    dayText(day, { weekday: "long", day: "numeric", month: "long" }),
    when,
    i.place,
    i.owner === "" ? "" : t("calendar of {0}", i.owner),
    i.repeats ? t("repeats") : "",
    i.status === "cancelled" ? t("cancelled") : i.status === "declined" ? t("declined") : "",
  ].filter((x) => x !== "").join(", ");
  return el(
    "button",
    {
      type: "button",
      class: `event ${i.allDay ? "all-day" : ""} ${
        i.status === "cancelled" || i.status === "declined" ? "cancelled" : ""
      }`,
      style: `--event: ${colorOf(s.calendars, i)}; ${style}`,
      title: [title, more].join(", "),
      onclick: (e: Event) => {
        e.stopPropagation();
        s.open(i);
      },
    },
    i.allDay || dayOf(i.start) !== day
      ? null
      : el("span", { class: "event-time" }, timeText(i.start), " "),
    title,
    i.repeats ? el("span", { "aria-hidden": "true" }, " ↻") : null,
    unseen(more),
  );
}
