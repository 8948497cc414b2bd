/** Whether prospective invitees have time, shown below the form's field. @module */
import { call } from "../../api/client.ts";
import type { CallResponse } from "../../api/mod.ts";
import { el, fill } from "../../lib/dom.ts";
import { t } from "../../lib/text.ts";
import { browserZone, dayOf, dayText, timeText } from "./dates.ts";

/** Milliseconds without a change until the server is asked. */
const wait = 400;

type Person = CallResponse<"CalendarBusy">["people"][number];

function timesText(person: Person, day: string): string {
  const one = (text: string) =>
    dayOf(text) === day
      ? timeText(text)
      : `${dayText(dayOf(text), { day: "numeric", month: "short" })} ${timeText(text)}`;
  return person.busy.map((b) => `${one(b.start)} – ${one(b.end)}${b.perhaps ? "?" : ""}`).join(
    ", ",
  );
}

/** What is asked for: addresses, and a time; undefined while the form has none. */
export interface BusyQuestion {
  people: string[];
  start: string;
  end: string;
}

/** The list, and what asks anew after changes of the form. */
export function busyList(
  question: () => BusyQuestion | undefined,
): { root: HTMLElement; changed: () => void } {
  const list = el("ul", { class: "event-busy", "aria-label": t("Who has time") });
  // A list with a role of its own would be none any more.
  const root = el("div", { role: "status" }, list);
  let timer: ReturnType<typeof setTimeout> | undefined;
  let asked = 0;
  const ask = async () => {
    const q = question();
    const mine = ++asked;
    if (q === undefined || q.people.length === 0) return fill(list);
    try {
      const { people } = await call("CalendarBusy", { zone: browserZone(), ...q });
      if (mine !== asked) return;
      fill(
        list,
        people.filter((p) => p.known).map((p) =>
          el(
            "li",
            { class: p.busy.length === 0 ? "free" : "busy" },
            p.busy.length === 0
              ? t("{0} has time", p.address)
              : t("{0} is busy: {1}", p.address, timesText(p, dayOf(q.start))),
          )
        ),
      );
    } catch {
      // An event can be created without this.
      if (mine === asked) fill(list);
    }
  };
  const changed = () => {
    clearTimeout(timer);
    timer = setTimeout(() => void ask(), wait);
  };
  return { root, changed };
}
