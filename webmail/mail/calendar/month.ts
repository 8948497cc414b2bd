/** A month, as a table of weeks. @module */
import { button } from "../../lib/button.ts";
import { el } from "../../lib/dom.ts";
import { t } from "../../lib/text.ts";
import { type Day, daysBetween, dayText, period, today } from "./dates.ts";
import { itemButton, itemsOn, type Shown, weekdayName } from "./items.ts";

/** Events shown of a day; if there are more, a button shows all. */
const room = 4;

function cell(s: Shown, day: Day, month: string): HTMLElement {
  const items = itemsOn(s.items, day);
  const shown = items.length > room ? items.slice(0, room - 1) : items;
  const rest = items.length - shown.length;
  const name = dayText(day, { weekday: "long", day: "numeric", month: "long" });
  const now = day === today();
  return el(
    "td",
    {
      class: [day.startsWith(month) ? "" : "other-month", now ? "today" : ""].join(" "),
      "data-day": day,
      ondblclick: () => s.create(day),
    },
    button(dayText(day, { day: "numeric" }), () => s.showDay(day), {
      title: t("Show {0}", name),
      attributes: {
        class: "quiet day-number",
        "aria-label": name,
        "aria-current": now ? "date" : null,
      },
    }),
    shown.map((i) => itemButton(s, i, day)),
    rest === 0 ? null : button(t("{0} more", rest), () => s.showDay(day), {
      attributes: { class: "quiet more-events", "aria-label": t("{0} more on {1}", rest, name) },
    }),
  );
}

export function monthView(shown: Shown, day: Day): HTMLElement {
  const { from, to } = period("month", day);
  const days = daysBetween(from, to);
  const weeks = Array.from({ length: days.length / 7 }, (_x, n) => days.slice(n * 7, n * 7 + 7));
  return el(
    "table",
    { class: "month" },
    el(
      "thead",
      {},
      el(
        "tr",
        {},
        weeks[0].map((d) =>
          el("th", { scope: "col", abbr: dayText(d, { weekday: "long" }) }, [
            weekdayName(d) ?? dayText(d, { weekday: "short" }),
          ])
        ),
      ),
    ),
    el(
      "tbody",
      {},
      weeks.map((w) => el("tr", {}, w.map((d) => cell(shown, d, day.slice(0, 7))))),
    ),
  );
}
