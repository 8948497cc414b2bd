/** The calendar over the page: its views, and going from one period to another. @module */
import { call } from "../../api/client.ts";
import type { Calendar, CalendarItem } from "../../api/mod.ts";
import { button } from "../../lib/button.ts";
import { openDialog } from "../../lib/dialog.ts";
import { el, fill } from "../../lib/dom.ts";
import { rememberFocus } from "../../lib/focus.ts";
import { errorText } from "../../lib/notify.ts";
import { t } from "../../lib/text.ts";
import { watchGroupware } from "../groupware_changes.ts";
import { comingView } from "./coming.ts";
import {
  browserZone,
  type Day,
  localText,
  minutesOf,
  period,
  periodText,
  step,
  today,
  type View,
} from "./dates.ts";
import { makeEvent, openEvent } from "./editor.ts";
import { emptyEvent } from "./form.ts";
import { hoursView, scrollToMorning } from "./hours.ts";
import type { Shown } from "./items.ts";
import { monthView } from "./month.ts";

const views: readonly (readonly [View, string, string])[] = [
  ["month", t("Month"), "m"],
  ["week", t("Week"), "w"],
  ["day", t("Day"), "d"],
  ["list", t("List"), "l"],
];
const kept = "mox-webmail-calendar-view";
/** Milliseconds until what another program changed is shown, where a button of the mouse is down. */
const heldDelay = 300;

function lastView(): View {
  try {
    const found = localStorage.getItem(kept);
    return views.find(([v]) => v === found)?.[0] ?? "month";
  } catch {
    return "month";
  }
}

/** Shows the calendar. */
export function openCalendar(): void {
  new CalendarPage();
}

class CalendarPage {
  #view: View = lastView();
  #day: Day = today();
  #calendars: readonly Calendar[] = [];
  #items: readonly CalendarItem[] = [];
  /** What is drawn. */
  #drawn = "";
  /** The last question that a person asked. */
  #loading: Promise<void> = Promise.resolve();
  /** Of the last request: answers to earlier ones are too late. */
  #asked = 0;
  readonly #title = el("h3", { class: "period", "aria-live": "polite" });
  readonly #status = el("div", { role: "status", class: "calendar-status" });
  readonly #problem = el("div", { role: "alert", class: "error" });
  readonly #body = el("div", { class: "calendar-view", tabindex: -1 });
  readonly #choices = new Map<View, HTMLButtonElement>();

  constructor() {
    for (const [view, text, key] of views) {
      this.#choices.set(view, button(text, () => this.#show(view, this.#day), { key }));
    }
    const dialog = openDialog(
      t("Calendar"),
      el(
        "div",
        { class: "calendar" },
        el(
          "div",
          { class: "calendar-tools" },
          button(t("New event"), () => this.#create(this.#day), { key: "n", primary: true }),
          button(t("Today"), () => this.#show(this.#view, today()), { key: "t" }),
          button(t("Previous"), () => this.#move(-1), { key: "PageUp" }),
          button(t("Next"), () => this.#move(1), { key: "PageDown" }),
          this.#title,
          el(
            "div",
            { class: "calendar-views", role: "group", "aria-label": t("View") },
            [...this.#choices.values()],
          ),
        ),
        this.#problem,
        this.#body,
        this.#status,
      ),
      {
        wide: true,
        onClose: () => unwatch(),
      },
    );
    dialog.element.classList.add("calendar-page");
    dialog.element.addEventListener("keydown", (e) => this.#key(e));
    this.#body.focus();
    this.#show(this.#view, this.#day);
    const unwatch = watchGroupware("calendars", () => this.#refresh());
  }

  #key(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const view = views.find(([, , key]) => key === event.key)?.[0];
    const run = view !== undefined
      ? () => this.#show(view, this.#day)
      : event.key === "n"
      ? () => this.#create(this.#day)
      : event.key === "t"
      ? () => this.#show(this.#view, today())
      : event.key === "PageUp"
      ? () => this.#move(-1)
      : event.key === "PageDown"
      ? () => this.#move(1)
      : undefined;
    if (run === undefined) return;
    event.preventDefault();
    run();
  }

  #move(n: number): void {
    this.#show(this.#view, step(this.#view, this.#day, n));
  }

  #show(view: View, day: Day): void {
    this.#view = view;
    this.#day = day;
    try {
      localStorage.setItem(kept, view);
    } catch {
      // Without storage the calendar starts with the month.
    }
    for (const [v, b] of this.#choices) b.setAttribute("aria-pressed", String(v === view));
    fill(this.#title, periodText(view, day));
    fill(this.#status);
    this.#loading = this.#load();
  }

  /** Asks for the events of what is shown. */
  async #load(): Promise<void> {
    const asked = ++this.#asked;
    this.#body.setAttribute("aria-busy", "true");
    try {
      const got = await call("CalendarItems", {
        zone: browserZone(),
        ...period(this.#view, this.#day),
      });
      if (asked !== this.#asked) return;
      this.#calendars = got.calendars;
      this.#items = got.items;
      fill(
        this.#problem,
        got.more ? t("There are more events than can be shown.") : null,
        got.unread > 0 ? t("Events that can't be read: {0}.", got.unread) : null,
      );
      this.#draw();
    } catch (e) {
      if (asked === this.#asked) fill(this.#problem, errorText(e));
    } finally {
      if (asked === this.#asked) this.#body.setAttribute("aria-busy", "false");
    }
  }

  /** Shows changes of other programs and pages without disturbing people at work here. */
  async #refresh(): Promise<void> {
    await this.#loading;
    const asked = this.#asked;
    const got = await call("CalendarItems", {
      zone: browserZone(),
      ...period(this.#view, this.#day),
    });
    // An element held by the mouse stays until it is released.
    while (this.#body.matches(":active")) {
      await new Promise((resolve) => setTimeout(resolve, heldDelay));
    }
    // A request made meanwhile shows the change too.
    if (asked !== this.#asked || this.#textOf(got) === this.#drawn) return;
    this.#calendars = got.calendars;
    this.#items = got.items;
    this.#draw(true);
  }

  /** What a drawing shows, to compare it. */
  #textOf(got: { calendars: readonly Calendar[]; items: readonly CalendarItem[] }): string {
    return JSON.stringify([this.#view, this.#day, got.calendars, got.items]);
  }

  /** @param again the same view with different events: its position stays */
  #draw(again = false): void {
    this.#drawn = this.#textOf({ calendars: this.#calendars, items: this.#items });
    const giveBack = again && this.#body.contains(document.activeElement)
      ? rememberFocus(document.activeElement)
      : undefined;
    const scrolled = this.#body.querySelector(".hours-scroll")?.scrollTop;
    const s: Shown = {
      items: this.#items,
      calendars: this.#calendars,
      open: (item) => void this.#open(item),
      create: (day, minute, to) => this.#create(day, minute, to),
      showDay: (day) => this.#show("day", day),
    };
    const focused = this.#body.contains(document.activeElement) ||
      document.activeElement === document.body;
    const { from, to } = period(this.#view, this.#day);
    const view = this.#view === "month"
      ? monthView(s, this.#day)
      : this.#view === "list"
      ? comingView(s, from, to)
      : hoursView(s, from, to);
    fill(this.#body, view);
    this.#body.dataset.view = this.#view;
    if (again) {
      const scroll = this.#body.querySelector(".hours-scroll");
      if (scroll && scrolled !== undefined) scroll.scrollTop = scrolled;
      if (giveBack !== undefined) return giveBack();
    } else scrollToMorning(this.#body);
    // Keys work where the focus is.
    if (focused) this.#body.focus();
  }

  #changed(text: string): void {
    fill(this.#status, text);
    this.#loading = this.#load();
  }

  #own(): readonly Calendar[] {
    return this.#calendars.filter((c) => c.owner === "");
  }

  #options() {
    return { calendars: this.#calendars, changed: (text: string) => this.#changed(text) };
  }

  #create(day: Day, minute?: number, to?: number): void {
    if (this.#own().length === 0) {
      return fill(this.#problem, t("There is no calendar to put an event into."));
    }
    const next = minutesOf(localText(new Date())) + 60;
    const usual = Math.min(Math.floor(next / 60) * 60, 23 * 60);
    makeEvent(emptyEvent(day, minute ?? usual, to), this.#options());
  }

  async #open(item: CalendarItem): Promise<void> {
    fill(this.#problem);
    try {
      await openEvent(item, this.#options());
    } catch (e) {
      fill(this.#problem, errorText(e));
    }
  }
}
