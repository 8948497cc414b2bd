/**
 * Filters of calendar-query (RFC 4791 §9.7) on calendar objects.
 *
 * @module
 */
import {
  type Component,
  maxSearched,
  param,
  type Property,
  property,
  searchedProperties,
  searchedText,
  valueOf,
} from "../contentline/component.ts";
import { nextTurn, turnSpent } from "../../platform/turns.ts";
import { type Instance, periods, type Series } from "./series.ts";
import { day, parseDuration, parseTime } from "./time.ts";

/** A span of time; start inclusive, end exclusive; milliseconds since the epoch. */
export interface TimeRange {
  start: number;
  end: number;
}

export interface TextMatch {
  text: string;
  negate: boolean;
  /** Whether a text matches, by the collation and kind of match. */
  matches: (value: string) => boolean;
}

export interface ParamFilter {
  name: string;
  notDefined: boolean;
  text: TextMatch | undefined;
}

export interface PropFilter {
  name: string;
  notDefined: boolean;
  range: TimeRange | undefined;
  text: TextMatch | undefined;
  params: ParamFilter[];
}

export interface CompFilter {
  name: string;
  notDefined: boolean;
  range: TimeRange | undefined;
  props: PropFilter[];
  comps: CompFilter[];
}

/** Whether an instance is in a range, by the rules of its kind (RFC 4791 §9.9). */
export function inRange(series: Series, instance: Instance, range: TimeRange): boolean {
  const { start, end } = range;
  const c = instance.component;
  switch (c.name) {
    case "VEVENT":
    case "VAVAILABILITY": {
      if (instance.start === undefined) return c.name === "VAVAILABILITY";
      const to = instance.end ?? (instance.allDay ? instance.start + day : instance.start);
      return to > instance.start
        ? start < to && end > instance.start
        : start <= instance.start && end > instance.start;
    }
    case "VTODO":
      return todoInRange(series, instance, range);
    case "VJOURNAL":
      if (instance.start === undefined) return false;
      return instance.allDay
        ? start < instance.start + day && end > instance.start
        : start <= instance.start && end > instance.start;
    case "VFREEBUSY":
      if (instance.start !== undefined && instance.end !== undefined) {
        return start <= instance.end && end > instance.start;
      }
      return c.properties.some((p) =>
        p.name === "FREEBUSY" &&
        periods(p, series.zones).some((x) => start < x.end && end > x.start)
      );
    default:
      return false;
  }
}

function instantOf(series: Series, component: Component, name: string): number | undefined {
  const p = property(component, name);
  const t = p && parseTime(p.value.trim(), param(p, "TZID") ?? "");
  return t && series.instant(t);
}

function todoInRange(series: Series, instance: Instance, { start, end }: TimeRange): boolean {
  const c = instance.component;
  if (instance.start !== undefined) {
    if (instance.end === undefined) return start <= instance.start && end > instance.start;
    return property(c, "DUE") === undefined
      ? start <= instance.end && (end > instance.start || end >= instance.end)
      : (start < instance.end || start <= instance.start) &&
        (end > instance.start || end >= instance.end);
  }
  if (instance.end !== undefined) return start < instance.end && end >= instance.end;
  const completed = instantOf(series, c, "COMPLETED");
  const created = instantOf(series, c, "CREATED");
  if (completed !== undefined && created !== undefined) {
    return (start <= created || start <= completed) && (end >= created || end >= completed);
  }
  if (completed !== undefined) return start <= completed && end >= completed;
  return created === undefined || end > created;
}

/** When an alarm of an instance goes off (RFC 5545 §3.8.6). */
export function alarmTimes(series: Series, alarm: Component, instance: Instance): number[] {
  const trigger = property(alarm, "TRIGGER");
  if (trigger === undefined) return [];
  let first: number | undefined;
  const length = parseDuration(trigger.value);
  if (length === undefined) {
    const t = parseTime(trigger.value.trim());
    first = t && series.instant(t);
  } else {
    const end = param(trigger, "RELATED")?.toUpperCase() === "END";
    const base = end ? instance.end ?? instance.start : instance.start ?? instance.end;
    if (base !== undefined) first = base + length.days * day + length.ms;
  }
  if (first === undefined) return [];
  const times = [first];
  const gap = parseDuration(valueOf(alarm, "DURATION") ?? "");
  const repeat = Math.min(Number(valueOf(alarm, "REPEAT") ?? 0) || 0, 100);
  if (gap !== undefined) {
    for (let n = 1; n <= repeat; n++) times.push(first + n * (gap.days * day + gap.ms));
  }
  return times;
}

function textMatches(match: TextMatch, value: string): boolean {
  return match.matches(value) !== match.negate;
}

function paramMatches(filter: ParamFilter, p: Property): boolean {
  const found = p.params.find((x) => x.name === filter.name);
  if (filter.notDefined) return found === undefined;
  if (found === undefined) return false;
  return filter.text === undefined ||
    found.values.some((v) => textMatches(filter.text!, v.slice(0, maxSearched))) ||
    textMatches(filter.text, found.values.join(",").slice(0, maxSearched));
}

/** The result of a filter; each step checks one property, as there may be hundreds in megabytes of text. */
type Steps = Generator<void, boolean>;

function* propMatches(series: Series, filter: PropFilter, component: Component): Steps {
  const list = component.properties.filter((p) => p.name === filter.name);
  if (filter.notDefined) return list.length === 0;
  const looked = filter.text === undefined ? list : searchedProperties(list);
  for (const p of looked) {
    yield;
    if (filter.range !== undefined) {
      const t = parseTime(p.value.trim(), param(p, "TZID") ?? "");
      if (t === undefined) continue;
      const at = series.instant(t);
      const inside = t.date
        ? filter.range.start < at + day && filter.range.end > at
        : filter.range.start <= at && filter.range.end > at;
      if (!inside) continue;
    }
    if (filter.text !== undefined && !textMatches(filter.text, searchedText(p.value))) continue;
    let right = true;
    for (const x of filter.params) {
      yield;
      right = paramMatches(x, p);
      if (!right) break;
    }
    if (right) return true;
  }
  return false;
}

/** Whether a component of an object matches, apart from its name. `instance` is the one it belongs to. */
function* compMatches(
  series: Series,
  filter: CompFilter,
  component: Component,
  instance: Instance | undefined,
): Steps {
  if (filter.range !== undefined && component.name === "VALARM") {
    const { start, end } = filter.range;
    const parents = instance === undefined
      ? series.instances(start - 366 * day, end + 366 * day)
        .filter((i) => i.component.components.includes(component))
      : [instance];
    const rings = parents.some((i) =>
      alarmTimes(series, component, i).some((t) => start <= t && end > t)
    );
    if (!rings) return false;
  }
  for (const p of filter.props) if (!(yield* propMatches(series, p, component))) return false;
  for (const x of filter.comps) {
    if (!(yield* childrenMatch(series, x, component.components, instance))) return false;
  }
  return true;
}

function* childrenMatch(
  series: Series,
  filter: CompFilter,
  list: readonly Component[],
  instance: Instance | undefined,
): Steps {
  yield;
  const named = list.filter((c) => c.name === filter.name);
  if (filter.notDefined) return named.length === 0;
  for (const c of named) if (yield* compMatches(series, filter, c, instance)) return true;
  return false;
}

function* matching(series: Series, filter: CompFilter): Steps {
  if (filter.name !== "VCALENDAR") return false;
  if (filter.notDefined) return false;
  for (const p of filter.props) if (!(yield* propMatches(series, p, series.calendar))) return false;
  for (const x of filter.comps) if (!(yield* objectMatches(series, x))) return false;
  return true;
}

/** Whether an object matches a filter for VCALENDAR; checked in turns with other work. */
export async function calendarMatches(series: Series, filter: CompFilter): Promise<boolean> {
  const steps = matching(series, filter);
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
    if (turnSpent()) await nextTurn();
  }
}

/** Instances that are tried before all others. */
const quickInstances = 32;

function* objectMatches(series: Series, filter: CompFilter): Steps {
  yield;
  const { calendar } = series;
  const named = calendar.components.filter((c) => c.name === filter.name);
  if (filter.notDefined) return named.length === 0;
  if (named.length === 0) return false;
  if (filter.range === undefined || filter.name === "VTIMEZONE") {
    for (const c of named) if (yield* compMatches(series, filter, c, undefined)) return true;
    return false;
  }
  // One instance must match all conditions.
  const { range } = filter;
  const checked = new Map<Component, boolean>();
  const some = function* (list: readonly Instance[]): Steps {
    for (const i of list) {
      if (!inRange(series, i, range)) continue;
      // The instances of a component can differ in their alarms.
      let right = filter.comps.length > 0 ? undefined : checked.get(i.component);
      if (right === undefined) {
        right = yield* compMatches(series, { ...filter, range: undefined }, i.component, i);
        checked.set(i.component, right);
      }
      if (right) return true;
    }
    return false;
  };
  // Usually one of the first matches.
  const firstInstances = series.instances(range.start, range.end, quickInstances);
  if (yield* some(firstInstances)) return true;
  return firstInstances.length === quickInstances &&
    (yield* some(series.instances(range.start, range.end)));
}

/** Instances matched by a time-range of VALARM may lie outside of the range. */
export function rangeOf(
  filter: CompFilter,
): { kind: string; range: TimeRange | undefined } | undefined {
  const comp = filter.comps.find((c) => !c.notDefined);
  return comp && { kind: comp.name, range: comp.range };
}
