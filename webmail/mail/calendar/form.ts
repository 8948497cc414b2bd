/** The fields of an event. @module */
import type { Calendar, EventForm, EventPrivacy, Repetition } from "../../api/mod.ts";
import { el, field, newId } from "../../lib/dom.ts";
import { t } from "../../lib/text.ts";
import { busyList } from "./busy.ts";
import { addDays, dayOf } from "./dates.ts";

type Every = Repetition["every"];

const everyWords: readonly (readonly [Every, string])[] = [
  ["never", t("Never")],
  ["day", t("Each day")],
  ["week", t("Each week")],
  ["month", t("Each month")],
  ["year", t("Each year")],
];

const privacyWords: readonly (readonly [EventPrivacy, string])[] = [
  ["public", t("Public: they see all of it")],
  ["private", t("Private: they see only when it is")],
  ["confidential", t("Confidential: they do not see it")],
];

export interface EventFields {
  root: HTMLElement;
  focus(): void;
  /** What they have. */
  value(): { owner: string; calendarId: number; event: EventForm };
}

/** An hour later, on the clock. */
function anHourLater(text: string): string {
  return new Date(Date.parse(`${text}Z`) + 3_600_000).toISOString().slice(0, 16);
}

/** @param chosen the calendar at first, by its place in the list */
export function eventFields(
  event: EventForm,
  calendars: readonly Calendar[],
  chosen: number,
  o: { repeats: boolean } = { repeats: true },
): EventFields {
  const title = el("input", { type: "text", dir: "auto", value: event.title, maxlength: 1000 });
  const calendar = el(
    "select",
    {},
    calendars.map((c, i) =>
      el(
        "option",
        { value: String(i), selected: i === chosen },
        c.owner === "" ? c.name : `${c.name} – ${t("calendar of {0}", c.owner)}`,
      )
    ),
  );
  const chosenCalendar = () => calendars[Number(calendar.value)] ?? calendars[0];
  const allDay = el("input", { type: "checkbox", checked: event.allDay });
  const start = el("input", { required: true });
  const end = el("input", { required: true });
  const setTypes = (from: string, to: string) => {
    for (const [input, text] of [[start, from], [end, to]] as const) {
      input.type = allDay.checked ? "date" : "datetime-local";
      input.value = text;
    }
  };
  setTypes(event.start, event.end);
  let shownStart = event.start;
  allDay.addEventListener("change", () => {
    if (allDay.checked) return setTypes(dayOf(start.value), dayOf(end.value));
    const from = `${start.value}T09:00`;
    setTypes(from, end.value > start.value ? `${end.value}T10:00` : anHourLater(from));
  });
  start.addEventListener("change", () => {
    // The end goes along.
    if (start.value !== "" && end.value !== "" && end.value < start.value) {
      end.value = allDay.checked ? start.value : anHourLater(start.value);
    }
    shownStart = start.value || shownStart;
    until.min = dayOf(shownStart);
  });
  const place = el("input", { type: "text", dir: "auto", value: event.place, maxlength: 1000 });
  const description = el("textarea", { rows: 4, dir: "auto", maxlength: 50_000 });
  description.value = event.description;
  const people = el("textarea", { rows: 2 });
  people.value = event.people.join(", ");

  const privacy = el(
    "select",
    {},
    privacyWords.map(([value, text]) =>
      el("option", { value, selected: value === (event.privacy ?? "public") }, text)
    ),
  );

  const old = event.repeat;
  const simple = old.every === "never" || old.every === "other" ? undefined : old;
  const every = el(
    "select",
    {},
    [...everyWords, ...(old.every === "other" ? [["other", t("As it is")] as const] : [])].map((
      [v, text],
    ) => el("option", { value: v, selected: v === old.every }, text)),
  );
  const interval = el("input", {
    type: "number",
    min: 1,
    max: 999,
    required: true,
    value: simple?.interval ?? 1,
  });
  const until = el("input", { type: "date", value: simple?.until ?? "", min: dayOf(event.start) });
  const count = el("input", { type: "number", min: 1, max: 9999, value: simple?.count ?? "" });
  const repeatParts = el(
    "div",
    { class: "event-row" },
    field(t("Every"), interval, t("1: each, 2: every other")),
    field(t("Until"), until, t("Empty: without end")),
    field(t("Times"), count, t("Empty: without end")),
  );
  const showParts = () => {
    repeatParts.hidden = every.value === "never" || every.value === "other";
  };
  every.addEventListener("change", showParts);
  showParts();

  const addresses = () => people.value.split(/[,;\s]+/).filter((a) => a !== "");
  const busy = busyList(() =>
    start.value === "" || end.value === "" ? undefined : {
      people: addresses().filter((a) => a.includes("@") && !event.people.includes(a)),
      start: start.value,
      end: end.value,
    }
  );
  people.addEventListener("input", busy.changed);
  for (const e of [start, end, allDay]) e.addEventListener("change", busy.changed);

  const repeat = (): Repetition => {
    const v = every.value as Every;
    if (v === "never") return { every: v };
    if (v === "other") return old;
    const times = count.value === "" ? null : Number(count.value);
    return {
      every: v,
      interval: Number(interval.value) || 1,
      until: until.value === "" ? null : until.value,
      count: until.value === "" ? times : null,
    };
  };
  const invited = el(
    "div",
    {},
    field(
      t("Invited"),
      people,
      t("Addresses with commas between; they get an invitation by mail"),
    ),
    busy.root,
  );
  // Nobody can invite in somebody else's name.
  const showInvited = () => invited.hidden = chosenCalendar().owner !== "";
  calendar.addEventListener("change", showInvited);
  showInvited();
  const whole = newId("whole-day");
  allDay.id = whole;
  return {
    root: el(
      "div",
      { class: "event-fields" },
      field(t("Title"), title),
      calendars.length > 1 ? field(t("Calendar"), calendar) : null,
      el("label", { class: "checkbox", for: whole }, allDay, el("span", {}, t("Whole day"))),
      el("div", { class: "event-row" }, field(t("Begins"), start), field(t("Ends"), end)),
      field(t("Place"), place),
      o.repeats ? field(t("Repeats"), every) : null,
      o.repeats ? repeatParts : null,
      invited,
      field(t("Description"), description),
      // What its dates say together counts for all of a series.
      o.repeats
        ? field(t("Privacy"), privacy, t("For those with whom the calendar is shared"))
        : null,
    ),
    focus: () => title.focus(),
    value: () => ({
      owner: chosenCalendar().owner,
      calendarId: chosenCalendar().id,
      event: {
        title: title.value.trim(),
        place: place.value.trim(),
        description: description.value,
        allDay: allDay.checked,
        start: start.value,
        end: end.value,
        repeat: repeat(),
        people: invited.hidden ? [] : addresses(),
        privacy: o.repeats ? privacy.value as EventPrivacy : undefined,
      },
    }),
  };
}

/** A new event on a day, from a minute on, to another or for an hour. */
export function emptyEvent(day: string, minute: number, to?: number): EventForm {
  const two = (n: number) => String(n).padStart(2, "0");
  const at = (n: number) => `${day}T${two(Math.floor(n / 60))}:${two(n % 60)}`;
  const start = at(minute);
  const midnight = `${addDays(day, 1)}T00:00`;
  const end = to === undefined ? anHourLater(start) : to < 24 * 60 ? at(to) : midnight;
  return {
    title: "",
    place: "",
    description: "",
    allDay: false,
    start,
    end: dayOf(end) > addDays(day, 1) ? start : end,
    repeat: { every: "never" },
    people: [],
  };
}
