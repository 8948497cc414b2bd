/**
 * Single dates of a recurring event: finding one, changing it alone (RFC 5545 §3.8.4.4) or with all later ones,
 * and removing it (§3.8.5.1). A number identifies a date: milliseconds since the epoch of its RECURRENCE-ID;
 * for a date without time those of its midnight in UTC.
 *
 * @module
 */
import {
  type Component,
  newProperty,
  param,
  type Property,
  property,
} from "../contentline/component.ts";
import {
  changedComponent,
  changedEvent,
  type ChangeOptions,
  FormError,
  stamped,
  withZones,
} from "./event_change.ts";
import { type Form, readForm, shownTimes } from "./event_form.ts";
import { withAnswer } from "./itip.ts";
import { occurrences } from "./recurrence.ts";
import { parseRule } from "./recurrence_rule.ts";
import { type Instance, Series } from "./series.ts";
import { type CalendarTime, day, formatTime, timeOf } from "./time.ts";
import { toWall, type Zone } from "./zones.ts";

/** Most times before a date that are generated to find how many of a COUNT remain. */
const maxBefore = 20_000;

/** The number of the date given by a RECURRENCE-ID. */
export function dateNumber(series: Series, time: CalendarTime): number {
  return time.date ? time.wall : series.instant(time);
}

/** A date of a series. @throws FormError if it isn't in the series, or no longer is */
function dateOf(series: Series, date: number): Instance & { recurrence: CalendarTime } {
  const is = (t: CalendarTime | undefined) => t !== undefined && dateNumber(series, t) === date;
  const near = series.instances(date - 2 * day, date + 2 * day);
  // An occurrence that was moved far away is elsewhere in time.
  const own = series.overrides().find((o) => is(o.id));
  const all = own === undefined || near.some((i) => i.component === own.component)
    ? near
    : series.instances(-Infinity, Infinity).filter((i) => i.component === own.component);
  const found = all.find((i) => is(i.recurrence));
  if (found === undefined) throw new FormError("the series has no such date any more");
  return found as Instance & { recurrence: CalendarTime };
}

/** A property with a time of the same kind as the dates of a series. */
function dateProperty(name: string, time: CalendarTime): Property {
  const params: Record<string, string> = time.date
    ? { VALUE: "DATE" }
    : time.zone === "" || time.zone === "UTC"
    ? {}
    : { TZID: time.zone };
  return newProperty(name, formatTime(time), params);
}

const ofSeries = /^(?:RRULE|RDATE|EXDATE|EXRULE)$/;

/** The component of a date: its own, or one derived from the master. */
function componentOf(i: Instance & { recurrence: CalendarTime }): Component {
  const c = i.component;
  const { recurrence, startTime, endTime } = i;
  const id = property(c, "RECURRENCE-ID");
  if (id !== undefined && param(id, "RANGE") === undefined) return c;
  const properties = c.properties.filter((p) => !ofSeries.test(p.name) && p !== id).map((p) =>
    p.name === "DTSTART"
      ? dateProperty("DTSTART", startTime!)
      : p.name === "DTEND" && endTime !== undefined
      ? dateProperty("DTEND", endTime)
      : p
  );
  properties.push(dateProperty("RECURRENCE-ID", recurrence));
  return { ...c, properties };
}

/** The form of one date. @throws FormError */
export function readDate(
  series: Series,
  date: number,
  zone: Zone,
  mine: (address: string) => boolean,
): { form: Form; component: Component } {
  const i = dateOf(series, date);
  const component = componentOf(i);
  const times = shownTimes(
    { start: i.startTime!, end: i.endTime },
    (t) => series.instant(t),
    zone,
  );
  const form = readForm(series, component, zone, mine);
  return { component, form: { ...form, ...times, repeat: { every: "never" } } };
}

/** One date changed by a form; undefined if the form changes nothing. @throws FormError */
export function changedDate(
  series: Series,
  date: number,
  form: Form,
  options: ChangeOptions,
): Component | undefined {
  const { component, form: before } = readDate(series, date, options.zone, options.mine);
  const wanted: Form = { ...form, repeat: { every: "never" } };
  const next = changedComponent(component, series, before, wanted, options);
  if (next === component) return undefined;
  const own = series.overrides().find((x) => dateNumber(series, x.id) === date)?.component;
  const rest = own !== undefined && param(property(own, "RECURRENCE-ID")!, "RANGE") === undefined
    ? series.calendar.components.map((c) => c === own ? next : c)
    : [...series.calendar.components, next];
  return withZones({ ...series.calendar, components: rest }, wanted, options);
}

/** The series with an invitee's answer to one of its dates. @throws FormError */
export function answeredDate(
  series: Series,
  date: number,
  address: string,
  status: string,
): Component {
  const component = componentOf(dateOf(series, date));
  const [next] = withAnswer({ ...series.calendar, components: [component] }, address, status)
    .components;
  const own = series.overrides().find((x) => dateNumber(series, x.id) === date)?.component;
  const components = own === undefined || own !== component
    ? [...series.calendar.components, next]
    : series.calendar.components.map((c) => c === own ? next : c);
  return { ...series.calendar, components };
}

/** The series without one date; undefined if no date is left. @throws FormError */
export function withoutDate(series: Series, date: number, now: number): Component | undefined {
  const { recurrence } = dateOf(series, date);
  const own = series.overrides().find((x) => dateNumber(series, x.id) === date)?.component;
  if (own !== undefined && param(property(own, "RECURRENCE-ID")!, "RANGE") !== undefined) {
    throw new FormError("this date changes all that follow: remove those with it");
  }
  const components = series.calendar.components.filter((c) => c !== own).map((component) =>
    component !== series.master ? component : stamped({
      ...component,
      properties: [
        ...component.properties,
        dateProperty("EXDATE", recurrence),
      ],
    }, now)
  );
  const calendar = { ...series.calendar, components };
  const left = new Series(calendar, series.zones.floating).instances(-Infinity, Infinity, 1);
  return left.length === 0 ? undefined : calendar;
}

/** Dates of RDATE or EXDATE on one side of a date. */
function datesWithin(p: Property, series: Series, keep: (date: number) => boolean): Property[] {
  const kept = p.value.split(",").filter((v) =>
    keep(dateNumber(series, timeOf(p, v.trim().split("/")[0])))
  );
  return kept.length === 0 ? [] : [{ ...p, value: kept.join(","), raw: undefined }];
}

const withoutParts = (rule: string, names: RegExp) =>
  rule.trim().split(";").filter((x) => !names.test(x)).join(";");

/** A rule that ends before a date of the series. */
function endedRule(p: Property, start: CalendarTime, series: Series, date: number): Property {
  const last = start.date
    ? { wall: date - day, date: true, zone: "" }
    : start.zone === ""
    ? { wall: toWall(series.zones.floating, date) - 1000, date: false, zone: "" }
    : { wall: date - 1000, date: false, zone: "UTC" };
  const value = `${withoutParts(p.value, /^(?:COUNT|UNTIL)=/i)};UNTIL=${formatTime(last)}`;
  return { ...p, value, raw: undefined };
}

/** A rule from a date on: with the rest of a COUNT; undefined if nothing is left. @throws FormError */
function restOfRule(
  p: Property,
  start: CalendarTime,
  series: Series,
  date: number,
): Property | undefined {
  const rule = parseRule(p.value);
  if (typeof rule === "string" || rule.count === undefined) return p;
  const zone = series.zones.find(start.zone);
  const until = start.date ? date : toWall(zone, date);
  let passed = 0;
  for (const wall of occurrences(rule, start.wall, start.wall, until)) {
    if (wall >= until) break;
    if (++passed > maxBefore) throw new FormError("too many dates are before this one");
  }
  if (passed >= rule.count) return undefined;
  const value = `${withoutParts(p.value, /^COUNT=/i)};COUNT=${rule.count - passed}`;
  return { ...p, value, raw: undefined };
}

/** A series divided at one of its dates. */
export interface Halves {
  /** The part before; undefined if there is none. */
  before: Component | undefined;
  /** The date and all later ones, as a separate series, including its exceptions. */
  rest: Component;
}

/**
 * Divides a series at one of its dates.
 * @param uid of the rest
 * @param now milliseconds since the epoch
 * @throws FormError
 */
export function divided(series: Series, date: number, uid: string, now: number): Halves {
  const { master } = series;
  const start = master && property(master, "DTSTART") && timeOf(property(master, "DTSTART")!);
  if (master === undefined || start === undefined) {
    throw new FormError("this is one date of a series that isn't here");
  }
  const { recurrence } = dateOf(series, date);
  if (recurrence.date !== start.date) {
    throw new FormError("the dates of this series are of two kinds");
  }
  const alone = master.properties.some((p) =>
    p.name === "RDATE" && datesWithin(p, series, (n) => n === date).length > 0
  );
  if (alone && master.properties.some((p) => p.name === "RRULE")) {
    throw new FormError("this date was added to the series alone: change or remove it alone");
  }
  const numbers = new Map(series.overrides().map((x) => [x.component, dateNumber(series, x.id)]));
  const plain = new Series(
    { ...series.calendar, components: series.calendar.components.filter((c) => !numbers.has(c)) },
    series.zones.floating,
  );
  // From the series, not from the date's own component.
  const [first] = plain.instances(date - 2 * day, date + 2 * day).filter((i) =>
    i.startTime !== undefined && dateNumber(series, i.recurrence ?? i.startTime) === date
  );
  if (first === undefined) throw new FormError("the series has no such date any more");
  const side = (keep: (date: number) => boolean, change: (component: Component) => Component) =>
    series.calendar.components.filter((c) => !numbers.has(c) || keep(numbers.get(c)!)).map((c) =>
      c.name === master.name ? change(c) : c
    );
  const masterWith = (
    keep: (n: number) => boolean,
    one: (p: Property) => Property[],
  ): Component => ({
    ...master,
    properties: master.properties.flatMap((p) =>
      p.name === "RDATE" || p.name === "EXDATE" ? datesWithin(p, series, keep) : one(p)
    ),
  });
  const isBefore = (n: number) => n < date;
  const ended = stamped(
    masterWith(isBefore, (p) => p.name === "RRULE" ? [endedRule(p, start, series, date)] : [p]),
    now,
  );
  const before = {
    ...series.calendar,
    components: side(isBefore, (c) => c === master ? ended : c),
  };
  const later = masterWith((n) => n >= date, (p) => {
    if (p.name === "RRULE") return [restOfRule(p, start, series, date) ?? []].flat();
    if (p.name === "DTSTART") return [dateProperty("DTSTART", first.startTime!)];
    return p.name === "DTEND" && first.endTime !== undefined
      ? [dateProperty("DTEND", first.endTime)]
      : [p];
  });
  const named = (component: Component): Component => ({
    ...component,
    properties: component.properties.map((p) => p.name === "UID" ? newProperty("UID", uid) : p),
  });
  const rest = {
    ...series.calendar,
    components: side((n) => n >= date, (c) => named(c === master ? later : c)),
  };
  const left = new Series(before, series.zones.floating).instances(-Infinity, date - 1, 1);
  return { before: left.length === 0 ? undefined : before, rest };
}

/** The form of a date and all later ones. @throws FormError */
export function readFollowing(
  series: Series,
  date: number,
  zone: Zone,
  mine: (address: string) => boolean,
): { form: Form; component: Component } {
  const rest = new Series(divided(series, date, series.uid, 0).rest, series.zones.floating);
  return { form: readForm(rest, rest.master!, zone, mine), component: rest.master! };
}

/**
 * A date and all later ones, changed by a form; undefined if it changes nothing.
 * @throws FormError
 */
export function changedFollowing(
  series: Series,
  date: number,
  form: Form,
  o: ChangeOptions & { uid: string },
): Halves | undefined {
  const halves = divided(series, date, o.uid, o.now);
  const rest = changedEvent(new Series(halves.rest, series.zones.floating), form, o);
  return rest && { before: halves.before, rest };
}
