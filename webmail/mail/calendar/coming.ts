/** Coming events as a list, by day. @module */
import { el } from "../../lib/dom.ts";
import { t } from "../../lib/text.ts";
import { type Day, daysBetween, dayText } from "./dates.ts";
import { itemButton, itemsOn, type Shown, whenText } from "./items.ts";

export function comingView(shown: Shown, from: Day, to: Day): HTMLElement {
  const days = daysBetween(from, to).map((day) => ({ day, items: itemsOn(shown.items, day) }))
    .filter((d) => d.items.length > 0);
  if (days.length === 0) {
    return el("p", { class: "coming" }, t("There are no events in these days."));
  }
  return el(
    "div",
    { class: "coming" },
    days.map(({ day, items }) =>
      el(
        "section",
        { "data-day": day },
        el("h3", {}, dayText(day, { weekday: "long", day: "numeric", month: "long" })),
        el(
          "ul",
          {},
          items.map((i) =>
            el(
              "li",
              {},
              el("span", { class: "coming-when" }, whenText(i, day)),
              itemButton(shown, i, day),
              i.place === "" ? null : el("span", { class: "coming-place" }, i.place),
            )
          ),
        ),
      )
    ),
  );
}
