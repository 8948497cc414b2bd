/** Days side by side, with their hours: a week, or one day. @module */
import type { CalendarItem } from "../../api/mod.ts";
import { button } from "../../lib/button.ts";
import { el, fill } from "../../lib/dom.ts";
import { t } from "../../lib/text.ts";
import { type Day, dayOf, daysBetween, dayText, minutesOf, timeText, today } from "./dates.ts";
import { hourKeys } from "./hour_keys.ts";
import { pointing } from "./pointing.ts";
import { itemButton, itemsOn, type Shown, weekdayName } from "./items.ts";

const hours = 24;
/** Minutes that an event takes on the page at least. */
const least = 24;
/** Minutes from which an event has room for its time above its title. */
const twoLines = 55;

interface Placed {
  item: CalendarItem;
  /** Minutes of the day. */
  from: number;
  to: number;
  lane: number;
  lanes: number;
}

/** Puts simultaneous events side by side. */
export function placed(items: readonly CalendarItem[], day: Day): Placed[] {
  const all: Placed[] = items.map((item) => {
    const from = dayOf(item.start) < day ? 0 : minutesOf(item.start);
    const to = dayOf(item.end) > day ? hours * 60 : minutesOf(item.end);
    const start = Math.min(from, hours * 60 - least);
    return { item, from: start, to: Math.max(to, start + least), lane: 0, lanes: 1 };
  }).sort((a, b) => a.from - b.from || b.to - a.to);
  let group: Placed[] = [];
  let groupEnd = -1;
  let ends: number[] = [];
  for (const p of all) {
    if (p.from >= groupEnd) {
      group = [];
      ends = [];
    }
    const free = ends.findIndex((end) => end <= p.from);
    p.lane = free < 0 ? ends.length : free;
    ends[p.lane] = p.to;
    group.push(p);
    groupEnd = Math.max(...ends);
    for (const x of group) x.lanes = ends.length;
  }
  return all;
}

function column(shown: Shown, day: Day, keys: ReturnType<typeof hourKeys>): HTMLElement {
  const items = itemsOn(shown.items, day).filter((i) => !i.allDay);
  return el(
    "div",
    {
      class: day === today() ? "day-hours today" : "day-hours",
      "data-day": day,
      role: "group",
      "aria-label": dayText(day, { weekday: "long", day: "numeric", month: "long" }),
      ...pointing((from, to) => shown.create(day, from, to)),
      ...keys,
    },
    placed(items, day).map((p) => {
      const percent = (n: number) => `${n / (hours * 60) * 100}%`;
      const wide = 100 / p.lanes;
      return itemButton(
        shown,
        p.item,
        day,
        `top: ${percent(p.from)}; height: ${percent(p.to - p.from)}; ` +
          `inset-inline-start: ${wide * p.lane}%; width: ${wide}%;`,
        p.to - p.from < twoLines,
      );
    }),
  );
}

function dayButton(d: Day, run: () => void): HTMLButtonElement {
  const long = dayText(d, { weekday: "long", day: "numeric", month: "long" });
  const b = button(dayText(d, { weekday: "short", day: "numeric" }), run, {
    title: t("Show {0}", long),
    attributes: {
      class: "quiet day-number",
      "aria-current": d === today() ? "date" : null,
    },
  });
  const name = weekdayName(d, " ", dayText(d, { day: "numeric" }));
  if (name !== null) fill(b, name);
  return b;
}

export function hoursView(shown: Shown, from: Day, to: Day): HTMLElement {
  const days = daysBetween(from, to);
  const marks = Array.from(
    { length: hours },
    (_x, h) => `1970-01-01T${String(h).padStart(2, "0")}:00`,
  );
  const chosen = el("div", { role: "status", class: "unseen" });
  const keys = hourKeys(shown.create, (text) => fill(chosen, text));
  const root = el(
    "div",
    { class: "hours", style: `--days: ${days.length}` },
    el(
      "div",
      { class: "hours-head" },
      el("span", {}),
      days.map((d) =>
        el(
          "div",
          { class: d === today() ? "today" : null },
          dayButton(d, () => shown.showDay(d)),
          itemsOn(shown.items, d).filter((i) => i.allDay).map((i) => itemButton(shown, i, d)),
        )
      ),
    ),
    el(
      "div",
      { class: "hours-scroll", tabindex: 0, role: "region", "aria-label": t("Hours") },
      el(
        "div",
        { class: "hours-body" },
        el(
          "div",
          { class: "hour-marks", "aria-hidden": "true" },
          marks.map((m) => el("span", {}, timeText(m))),
        ),
        days.map((d) => column(shown, d, keys)),
      ),
    ),
    chosen,
  );
  return root;
}

/** Shows the hours from the morning on. */
export function scrollToMorning(root: ParentNode): void {
  const scroll = root.querySelector(".hours-scroll");
  if (scroll) scroll.scrollTop = scroll.scrollHeight * 7 / hours;
}
