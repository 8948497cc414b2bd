/** Creating, changing and removing an event. @module */
import { call } from "../../api/client.ts";
import type {
  Calendar,
  CalendarItem,
  CallResponse,
  EventForm,
  Invited,
  SeriesPart,
} from "../../api/mod.ts";
import { button } from "../../lib/button.ts";
import { confirmDialog, openDialog } from "../../lib/dialog.ts";
import { el, fill } from "../../lib/dom.ts";
import { errorText } from "../../lib/notify.ts";
import { safeText } from "../../lib/scripts.ts";
import { t } from "../../lib/text.ts";
import { browserZone, dayText, timeText } from "./dates.ts";
import { eventFields } from "./form.ts";

export interface EditorOptions {
  /** The user's own, and those that others share. */
  calendars: readonly Calendar[];
  /** Called after a change, with a text to show. */
  changed: (text: string) => void;
}

type Got = CallResponse<"CalendarEventGet">;

/** Where an event is, as it was read. */
type Old = { owner: string; calendarId: number; name: string; etag: string };

const answers: Record<string, string> = {
  "accepted": t("accepted"),
  "declined": t("declined"),
  "tentative": t("perhaps"),
  "needs-action": t("no answer yet"),
};

function personText(invited: Invited): string {
  const who = invited.name === "" ? invited.address : `${invited.name} <${invited.address}>`;
  return `${who}: ${answers[invited.status] ?? invited.status}`;
}

function peopleList(people: readonly Invited[]): HTMLElement | null {
  if (people.length === 0) return null;
  return el(
    "ul",
    { class: "event-people", "aria-label": t("Answers") },
    people.map((p) => el("li", {}, safeText(personText(p)))),
  );
}

/** When an event is, in words. */
function timesText(e: Got["event"]): string {
  const full = { weekday: "long", day: "numeric", month: "long", year: "numeric" } as const;
  const one = (text: string) =>
    `${dayText(text.slice(0, 10), full)}${text.length > 10 ? ` ${timeText(text)}` : ""}`;
  if (e.start === e.end) return one(e.start);
  const sameDay = e.start.slice(0, 10) === e.end.slice(0, 10);
  return `${one(e.start)} – ${sameDay ? timeText(e.end) : one(e.end)}`;
}

/** Removes the event or a part of it after a question; returns whether it was removed. */
async function remove(
  old: Old,
  repeats: boolean,
  foreign: boolean,
  part: SeriesPart | null = null,
): Promise<boolean> {
  const text = [
    part?.following === false
      ? t("This date of the series is removed, the others stay.")
      : part?.following === true
      ? t("This date and all that follow are removed.")
      : repeats
      ? t("All dates of the series are removed.")
      : t("The event is removed."),
    foreign ? t("Its organizer is told that you don't come.") : t("Who is invited is told."),
  ].join(" ");
  if (!await confirmDialog(t("Remove the event?"), text, t("Remove"), { danger: true })) {
    return false;
  }
  await call("CalendarEventDelete", { ...old, part });
  return true;
}

/** Shows an event of a shared calendar that can't be changed here. */
function showShared(got: Got, owner: string, writable: boolean): void {
  const { event } = got;
  openDialog(
    event.title || t("(no title)"),
    el(
      "div",
      { class: "event-shown" },
      el("p", {}, timesText(event)),
      event.place === "" ? null : el("p", { dir: "auto" }, safeText(event.place)),
      el(
        "p",
        { class: "hint" },
        t("In a calendar that {0} shares with you.", owner),
        writable ? ` ${t("Others are invited: only {0} can change it.", owner)}` : null,
      ),
      event.description === ""
        ? null
        : el("p", { class: "event-description", dir: "auto" }, safeText(event.description)),
      peopleList(got.people),
    ),
  );
}

/** Buttons that answer an invitation, or one date of it; the given answer is pressed. */
function answerButtons(
  got: Got,
  run: (answer: "accepted" | "tentative" | "declined") => void,
): HTMLElement | null {
  if (got.answer === null) return null;
  const words = [
    ["accepted", t("Accept")],
    ["tentative", t("Perhaps")],
    ["declined", t("Decline")],
  ] as const;
  return el(
    "div",
    { class: "event-answers", role: "group", "aria-label": t("Your answer") },
    el("span", { class: "hint", "aria-hidden": "true" }, t("Your answer")),
    words.map(([answer, text]) =>
      button(text, () => run(answer), {
        attributes: { "aria-pressed": String(got.answer === answer) },
      })
    ),
  );
}

/** Shows an event of somebody else, or one that can't be changed here; of a series one date, or all. */
function showForeign(got: Got, old: Old, options: EditorOptions, date: number | null): void {
  const { event, organizer } = got;
  const problem = el("div", { role: "alert", class: "error" });
  const answer = async (said: "accepted" | "tentative" | "declined") => {
    fill(problem);
    try {
      const { owner: _, ...own } = old;
      await call("CalendarEventAnswer", { ...own, date, answer: said });
      dialog.close();
      options.changed(t("Answered."));
    } catch (e) {
      fill(problem, errorText(e));
    }
  };
  const dialog = openDialog(
    event.title || t("(no title)"),
    el(
      "div",
      { class: "event-shown" },
      el("p", {}, timesText(event)),
      date === null
        ? null
        : el("p", { class: "hint" }, t("Your answer is one to this date alone.")),
      event.place === "" ? null : el("p", { dir: "auto" }, safeText(event.place)),
      organizer === null ? null : el(
        "p",
        { class: "hint" },
        t("Organizer: {0}. Only they can change it.", organizer.name || organizer.address),
      ),
      event.description === ""
        ? null
        : el("p", { class: "event-description", dir: "auto" }, safeText(event.description)),
      peopleList(got.people),
      problem,
      el(
        "div",
        { class: "buttons event-actions" },
        answerButtons(got, (said) => void answer(said)),
        date !== null ? null : button(t("Remove"), async () => {
          try {
            if (!await remove(old, event.repeat.every !== "never", true)) return;
            dialog.close();
            options.changed(t("Removed."));
          } catch (e) {
            fill(problem, errorText(e));
          }
        }, { danger: true }),
      ),
    ),
  );
}

/** Shows the fields of an event; `old` is undefined for a new one. */
function showEditor(
  event: EventForm,
  calendarId: number,
  old: Old | undefined,
  got: Got | undefined,
  options: EditorOptions,
  part: SeriesPart | null = null,
): void {
  // One date stays in the calendar of its series, and repeats with it.
  const alone = part?.following === false;
  const all = options.calendars.filter((c) => c.writable);
  const is = (c: Calendar) => c.id === calendarId && c.owner === (old?.owner ?? "");
  // An event stays with its owner.
  const calendars = old === undefined
    ? all
    : all.filter((c) => alone ? is(c) : c.owner === old.owner);
  const fields = eventFields(event, calendars, calendars.findIndex(is), { repeats: !alone });
  const problem = el("div", { role: "alert", class: "error" });
  const repeats = event.repeat.every !== "never";
  const hints = [
    old !== undefined && old.owner !== ""
      ? t("In a calendar that {0} shares with you.", old.owner)
      : "",
    alone
      ? t("A change is one of this date alone.")
      : part !== null
      ? t("A change is one of this date and all that follow.")
      : repeats && old !== undefined
      ? t("This event repeats: a change is one of the whole series.")
      : "",
    (got?.exceptions ?? 0) > 0
      ? t("Single dates differ. Another time or repetition takes their differences away.")
      : "",
  ].filter((x) => x !== "");
  const save = el("button", { type: "submit", class: "primary" }, t("Save"));
  const submit = async (event: Event) => {
    event.preventDefault();
    save.disabled = true;
    fill(problem);
    try {
      const value = fields.value();
      const { owner: _, ...was } = old ?? { owner: "" };
      const done = await call("CalendarEventSave", {
        zone: browserZone(),
        old: old === undefined ? null : was as Omit<Old, "owner">,
        part,
        ...value,
      });
      dialog.close();
      options.changed(
        done.untold.length === 0
          ? t("Saved.")
          : t("Saved. No invitation could be sent to {0}.", done.untold.join(", ")),
      );
    } catch (err) {
      save.disabled = false;
      fill(problem, errorText(err));
    }
  };
  const dialog = openDialog(
    old === undefined ? t("New event") : t("Event"),
    el(
      "form",
      { onsubmit: submit, class: "event-form" },
      hints.length === 0 ? null : el("p", { class: "hint" }, hints.join(" ")),
      fields.root,
      peopleList((got?.people ?? []).filter((p) => event.people.includes(p.address))),
      problem,
      el(
        "div",
        { class: "buttons" },
        old === undefined ? null : button(t("Remove"), async () => {
          try {
            if (!await remove(old, repeats, false, part)) return;
            dialog.close();
            options.changed(t("Removed."));
          } catch (err) {
            fill(problem, errorText(err));
          }
        }, { danger: true }),
        button(t("Cancel"), () => dialog.close()),
        save,
      ),
    ),
  );
  fields.focus();
}

/** Shows the fields of a new event. */
export function makeEvent(event: EventForm, options: EditorOptions): void {
  const own = options.calendars.filter((c) => c.owner === "");
  const usual = own.find((c) => c.usual) ?? own[0];
  showEditor(event, usual.id, undefined, undefined, options);
}

/** Opens an event; for a series, first asks which part of it is meant. @throws CallError */
export async function openEvent(item: CalendarItem, options: EditorOptions): Promise<void> {
  const { calendarId, name, date, owner } = item;
  const where = { zone: browserZone(), calendarId, name, owner };
  const whole = await call("CalendarEventGet", where);
  if (owner !== "") {
    const writable = options.calendars.some((c) =>
      c.id === calendarId && c.owner === owner && c.writable
    );
    if (!writable || whole.organizer !== null || whole.people.length > 0) {
      const part = date === null ? null : { date, following: false };
      const got = part === null ? whole : await call("CalendarEventGet", { ...where, part });
      return showShared(got, owner, writable);
    }
  }
  const foreign = whole.organizer !== null;
  if (date === null || foreign && whole.answer === null) return showEvent(whole, item, options);
  const problem = el("div", { role: "alert", class: "error" });
  const choose = async (part: SeriesPart | null) => {
    fill(problem);
    try {
      const got = part === null ? whole : await call("CalendarEventGet", { ...where, part });
      dialog.close();
      showEvent(got, item, options, part);
    } catch (err) {
      fill(problem, errorText(err));
    }
  };
  const dialog = openDialog(
    t("An event that repeats"),
    el(
      "div",
      {},
      el(
        "p",
        {},
        foreign ? t("What do you want to answer?") : t("What do you want to change or remove?"),
      ),
      problem,
      el(
        "div",
        { class: "buttons" },
        button(t("Only this date"), () => choose({ date, following: false }), { primary: true }),
        foreign
          ? null
          : button(t("This and all that follow"), () => choose({ date, following: true })),
        button(t("All dates"), () => choose(null)),
      ),
    ),
  );
}

function showEvent(
  got: Got,
  item: CalendarItem,
  options: EditorOptions,
  part: SeriesPart | null = null,
): void {
  const { owner, calendarId, name } = item;
  const old = { owner, calendarId, name, etag: got.etag };
  if (got.organizer !== null) showForeign(got, old, options, part?.date ?? null);
  else showEditor(got.event, calendarId, old, got, options, part);
}
