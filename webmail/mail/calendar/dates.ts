/**
 * Days of the calendar, as texts: "2027-01-05". They are counted as dates, so that no change of the clock makes one
 * longer or shorter.
 *
 * @module
 */
import { locale } from "../../lib/text.ts";

export type Day = string;
export type View = "month" | "week" | "day" | "list";

/** Days of the list of coming events. */
export const listDays = 60;

const ms = 86_400_000;
const at = (d: Day): number => Date.parse(`${d}T00:00Z`);
const of = (time: number): Day => new Date(time).toISOString().slice(0, 10);

/** The name of the browser's time zone. */
export const browserZone = (): string => Intl.DateTimeFormat().resolvedOptions().timeZone;

const two = (n: number) => String(n).padStart(2, "0");

/** A time in the browser's zone: "2027-01-05T10:00". */
export function localText(date: Date): string {
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}T${
    two(date.getHours())
  }:${two(date.getMinutes())}`;
}

export const today = (): Day => localText(new Date()).slice(0, 10);
export const addDays = (d: Day, n: number): Day => of(at(d) + n * ms);
export const dayOf = (text: string): Day => text.slice(0, 10);

/** Days from one to another, inclusive. */
export function daysBetween(from: Day, to: Day): Day[] {
  const list: Day[] = [];
  for (let t = at(from); t <= at(to); t += ms) list.push(of(t));
  return list;
}

/** The same day of another month, or its last. */
export function addMonths(day: Day, n: number): Day {
  const date = new Date(at(day));
  const first = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + n, 1));
  const length = new Date(Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + 1, 0));
  first.setUTCDate(Math.min(date.getUTCDate(), length.getUTCDate()));
  return of(first.getTime());
}

/** First day of the week where the reader is: 0 for Sunday. */
function weekStart(): number {
  const l = new Intl.Locale(locale() ?? navigator.language) as Intl.Locale & {
    getWeekInfo?: () => { firstDay: number };
    weekInfo?: { firstDay: number };
  };
  return (l.getWeekInfo?.() ?? l.weekInfo)?.firstDay ?? 1;
}

export function firstOfWeek(day: Day): Day {
  return addDays(day, -((new Date(at(day)).getUTCDay() - weekStart() % 7 + 7) % 7));
}

/** The days that a view shows. */
export function period(view: View, day: Day): { from: Day; to: Day } {
  switch (view) {
    case "month": {
      const first = `${day.slice(0, 7)}-01`;
      const last = addDays(addMonths(first, 1), -1);
      return { from: firstOfWeek(first), to: addDays(firstOfWeek(last), 6) };
    }
    case "week":
      return { from: firstOfWeek(day), to: addDays(firstOfWeek(day), 6) };
    case "day":
      return { from: day, to: day };
    case "list":
      return { from: day, to: addDays(day, listDays - 1) };
  }
}

/** The day that stands for the period before (-1) or after (1). */
export function step(view: View, day: Day, n: number): Day {
  if (view === "month") return addMonths(day, n);
  return addDays(day, n * (view === "week" ? 7 : view === "day" ? 1 : listDays));
}

const formats = new Map<string, Intl.DateTimeFormat>();

/** A day in words; made from a date, so without a zone. */
export function dayText(day: Day, options: Intl.DateTimeFormatOptions): string {
  const key = `${locale()} ${JSON.stringify(options)}`;
  let f = formats.get(key);
  if (f === undefined) {
    formats.set(key, f = new Intl.DateTimeFormat(locale(), { ...options, timeZone: "UTC" }));
  }
  return f.format(new Date(at(day)));
}

/** The time of "2027-01-05T10:00" as people read it. */
export function timeText(text: string): string {
  const f = new Intl.DateTimeFormat(locale(), {
    hour: "2-digit",
    minute: "2-digit",
    timeZone: "UTC",
  });
  return f.format(new Date(`${text}Z`));
}

/** Minutes since midnight. */
export const minutesOf = (text: string): number =>
  Number(text.slice(11, 13)) * 60 + Number(text.slice(14, 16));

/** What a view shows, in words. */
export function periodText(view: View, day: Day): string {
  const { from, to } = period(view, day);
  if (view === "month") return dayText(day, { month: "long", year: "numeric" });
  const full = { day: "numeric", month: "long", year: "numeric" } as const;
  if (view === "day") return dayText(day, { weekday: "long", ...full });
  return `${dayText(from, full)} – ${dayText(to, full)}`;
}
