/**
 * An event for a form: its texts, its times in the reader's zone, its repetition and its people. A series is
 * shown as a whole.
 *
 * @module
 */
import {
  type Component,
  param,
  type Property,
  property,
  unescapeText,
  valueOf,
} from "../contentline/component.ts";
import { addressOf } from "./itip.ts";
import { maxDate, minDate } from "./object.ts";
import { type EventPrivacy, privacyIn } from "./privacy.ts";
import { parseRule, type Rule } from "./recurrence_rule.ts";
import { Series } from "./series.ts";
import { type CalendarTime, day, parseTime, timeOf } from "./time.ts";
import { toInstant, toWall, type Zone } from "./zones.ts";

export type Repeat =
  | { every: "never" }
  | {
    every: "day" | "week" | "month" | "year";
    interval: number;
    /** The last date (YYYY-MM-DD). */
    until: string | null;
    count: number | null;
  }
  /** A repetition that the form has no fields for, as RRULE; "" for dates without a rule. */
  | { every: "other"; rule: string };

export interface Form {
  title: string;
  place: string;
  description: string;
  allDay: boolean;
  /** YYYY-MM-DD for whole days, otherwise YYYY-MM-DDTHH:MM. */
  start: string;
  /** For whole days the last one. */
  end: string;
  repeat: Repeat;
  /** Addresses, without the user's own. */
  people: string[];
  /** The strictest that it says; of a form that changes an event, left out: it stays as it is. */
  privacy?: EventPrivacy;
}

/** A local time in ISO 8601; durations may end after the last year that it supports. */
const isoText = (wall: number): string =>
  new Date(Math.max(minDate, Math.min(wall, maxDate))).toISOString();
/** YYYY-MM-DD of a local time. */
export const dateText = (wall: number): string => isoText(wall).slice(0, 10);
/** YYYY-MM-DDTHH:MM of a local time. */
export const minuteText = (wall: number): string => isoText(wall).slice(0, 16);

/** Local milliseconds of such a text; undefined if the date doesn't exist. */
export function wallOf(text: string): number | undefined {
  const plain = text.replace(/[-:]/g, "");
  return parseTime(plain.length === 8 ? plain : `${plain}00`)?.wall;
}

/** Start and end of a component in the reader's zone. The end of whole days is the last day. */
export function shownTimes(
  t: { start: CalendarTime; end: CalendarTime | undefined },
  instant: (time: CalendarTime) => number,
  zone: Zone,
): Pick<Form, "allDay" | "start" | "end"> {
  const { start, end } = t;
  if (start.date) {
    const last = Math.max(start.wall, (end?.wall ?? start.wall + day) - day);
    return { allDay: true, start: dateText(start.wall), end: dateText(last) };
  }
  const at = instant(start);
  const to = Math.max(at, end === undefined ? at : instant(end));
  return {
    allDay: false,
    start: minuteText(toWall(zone, at)),
    end: minuteText(toWall(zone, to)),
  };
}

const freqs = { DAILY: "day", WEEKLY: "week", MONTHLY: "month", YEARLY: "year" } as const;

/** Whether the parts of a rule only repeat what its start implies. */
function followsStart(rule: Rule, start: CalendarTime): boolean {
  const d = new Date(start.wall);
  const rest = [
    rule.bySecond,
    rule.byMinute,
    rule.byHour,
    rule.byYearDay,
    rule.byWeekNo,
    rule.bySetPos,
  ];
  const none = (...lists: unknown[][]) => lists.every((l) => l.length === 0);
  const only = (list: number[], n: number) =>
    list.length === 0 || list.length === 1 && list[0] === n;
  if (!none(...rest)) return false;
  const monthDay = only(rule.byMonthDay, d.getUTCDate());
  switch (rule.freq) {
    case "DAILY":
      return none(rule.byDay, rule.byMonthDay, rule.byMonth);
    case "WEEKLY": {
      const [one] = rule.byDay;
      const weekday = rule.byDay.length === 0 ||
        rule.byDay.length === 1 && one.nth === 0 && one.day === d.getUTCDay();
      return weekday && none(rule.byMonthDay, rule.byMonth);
    }
    case "MONTHLY":
      return monthDay && none(rule.byDay, rule.byMonth);
    case "YEARLY":
      return monthDay && only(rule.byMonth, d.getUTCMonth() + 1) && none(rule.byDay);
    default:
      return false;
  }
}

/** How a component repeats. */
function repeatOf(series: Series, component: Component, start: CalendarTime): Repeat {
  const rules = component.properties.filter((p) => p.name === "RRULE");
  const dates = component.properties.some((p) => p.name === "RDATE");
  if (rules.length === 0) return dates ? { every: "other", rule: "" } : { every: "never" };
  const other: Repeat = { every: "other", rule: rules.map((p) => p.value).join("\n") };
  if (rules.length > 1 || dates) return other;
  const rule = parseRule(rules[0].value);
  if (typeof rule === "string" || !followsStart(rule, start)) return other;
  if (rule.interval > 999 || (rule.count ?? 1) > 9999) return other;
  let until: string | null = null;
  if (rule.until !== undefined) {
    const wall = rule.until.zone === "UTC" && !start.date
      ? toWall(series.zones.find(start.zone), rule.until.wall)
      : rule.until.wall;
    // The form never makes a rule that ends within a day.
    const time = rule.until.date ? start.wall % day : wall % day;
    if (!start.date && time < start.wall % day) return other;
    until = dateText(wall);
  }
  return {
    every: freqs[rule.freq as keyof typeof freqs],
    interval: rule.interval,
    until,
    count: rule.count ?? null,
  };
}

/** The rule of a repetition; undefined if there is none. */
export function ruleOf(repeat: Repeat, start: CalendarTime, zone: Zone): string | undefined {
  if (repeat.every === "never" || repeat.every === "other") return undefined;
  const freq = Object.entries(freqs).find(([, every]) => every === repeat.every)![0];
  const parts = [`FREQ=${freq}`];
  if (repeat.interval !== 1) parts.push(`INTERVAL=${repeat.interval}`);
  if (repeat.count !== null) parts.push(`COUNT=${repeat.count}`);
  else if (repeat.until !== null) {
    const last = wallOf(repeat.until)!;
    const end = start.date
      ? dateText(last).replaceAll("-", "")
      : `${
        new Date(toInstant(zone, last + day - 1000)).toISOString().slice(0, 19).replace(/[-:]/g, "")
      }Z`;
    parts.push(`UNTIL=${end}`);
  }
  return parts.join(";");
}

/** Text of a property; "" if missing. */
export const textOf = (c: Component, name: string): string =>
  unescapeText(valueOf(c, name) ?? "").replace(/\r\n?/g, "\n");

/** The end of an event, whether written as DTEND or as a duration. */
export function endOf(series: Series, component: Component): CalendarTime | undefined {
  const end = property(component, "DTEND");
  if (end !== undefined) return timeOf(end);
  if (property(component, "DURATION") === undefined) return undefined;
  // For the component alone, as if it didn't repeat.
  const alone = component.properties.filter((p) =>
    !/^(?:RRULE|RDATE|EXDATE|RECURRENCE-ID)$/.test(p.name)
  );
  const calendar = { ...series.calendar, components: [{ ...component, properties: alone }] };
  const zones = series.calendar.components.filter((x) => x.name === "VTIMEZONE");
  calendar.components.unshift(...zones);
  return new Series(calendar, series.zones.floating).instances(-Infinity, Infinity, 1)[0]?.endTime;
}

export interface Invitee {
  name: string;
  address: string;
  /** Lower case. */
  status: string;
}

/** A person from ORGANIZER or ATTENDEE. */
export function invitee(p: Property): Invitee {
  return {
    name: param(p, "CN") ?? "",
    address: addressOf(p),
    status: (param(p, "PARTSTAT") ?? "needs-action").toLowerCase(),
  };
}

/** The invitees of a component with mail addresses. */
export const inviteesOf = (c: Component): Invitee[] =>
  c.properties.filter((p) => p.name === "ATTENDEE").map(invitee).filter((i) => i.address !== "");

/** The form of an event. `mine` says whether an address is the reader's. */
export function readForm(
  series: Series,
  component: Component,
  zone: Zone,
  mine: (address: string) => boolean,
): Form {
  const start = timeOf(property(component, "DTSTART")!);
  const people = inviteesOf(component).map((p) => p.address).filter((a) => !mine(a));
  return {
    title: textOf(component, "SUMMARY"),
    place: textOf(component, "LOCATION"),
    description: textOf(component, "DESCRIPTION"),
    ...shownTimes({ start, end: endOf(series, component) }, (t) => series.instant(t), zone),
    repeat: repeatOf(series, component, start),
    people: [...new Set(people)],
    // The strictest of its dates counts for a series.
    privacy: privacyIn(component === series.master ? series.calendar.components : [component]),
  };
}
