/**
 * Converts a JSCalendar event to iCalendar. For an existing event, the lines of all unchanged parts stay byte
 * for byte; what iCalendar can't express is stored in JSPROP lines.
 *
 * @module
 */
import { newCalendar } from "../calendar/freebusy.ts";
import { Series } from "../calendar/series.ts";
import { formatUtc } from "../calendar/time.ts";
import { withZoneDescriptions } from "../calendar/zone_component.ts";
import { toWall } from "../calendar/zones.ts";
import {
  type Component,
  newProperty,
  param,
  type Property,
  property,
} from "../contentline/component.ts";
import { jspropLines, mergedLines, partsOf, same } from "../jsprops/parts.ts";
import {
  type ConvertedEvent,
  eventFromComponent,
  eventFromSeries,
  type JsonObject,
  mainComponent,
  timesOf,
} from "./from_ical.ts";
import { EventError } from "./event_error.ts";
import { localTime, wallOfLocal } from "./rules.ts";
import { eventMaps } from "./schema.ts";
import { clockOf, nativeLines, obj, timeLine, timeLines } from "./native_lines.ts";

/** Properties written together as the part "time", and those written by others. */
const timeNames = [
  "start",
  "timeZone",
  "duration",
  "endTimeZone",
  "showWithoutTime",
  "recurrenceRules",
  "excludedRecurrenceRules",
];
const without = new Set([
  "@type",
  "recurrenceOverrides",
  "recurrenceIdTimeZone",
  "excluded",
  "method",
  ...timeNames,
]);

const isProperty = (x: Property | Component): x is Property => "value" in x;

/** The value of a part. */
function partOf(event: JsonObject, key: string): unknown {
  if (key === "time") return timePart(event);
  const [map, id] = key.split("/");
  return id === undefined ? event[map] : obj(event[map])[id];
}

function timePart(event: JsonObject): JsonObject {
  return Object.fromEntries(
    timeNames.filter((n) => event[n] !== undefined && event[n] !== null).map((n) => [n, event[n]]),
  );
}

/** The lines of a part: the rest goes into JSPROP. @param organizer its lines, made once for all participants */
function linesOf(
  event: JsonObject,
  key: string,
  value: unknown,
  organizer: readonly Property[],
): (Property | Component)[] {
  const made = nativeLines(event, key, value);
  // Times are fully expressed by the lines.
  if (key === "time") return made;
  const properties = made.filter(isProperty);
  const needs = timeLines({ ...event, recurrenceRules: [], excludedRecurrenceRules: [] });
  const c: Component = {
    name: "VEVENT",
    properties: [
      ...needs,
      ...key.startsWith("participants/") ? organizer : [],
      ...properties,
    ],
    components: made.filter((x): x is Component => !isProperty(x)),
  };
  const said = made.length === 0
    ? undefined
    : partOf(eventFromComponent(new Series(newCalendar([c])), c).event, key);
  if (key === "freeBusyStatus" && value === "busy") return made;
  return [...made, ...jspropLines(key, value, said)];
}

/**
 * Parts of an event that are written at a time, those of all its dates together: participants, locations, titles. Each takes
 * a tenth of a millisecond, and they are written in one piece.
 */
const maxWrittenParts = 5000;
/** Parts that each date has: uid, title, times, and which date it is. */
const leastParts = 4;

/** The property that has most of the parts of what is written. */
function tooMany(event: JsonObject, keys: Iterable<string>): EventError {
  const counts = new Map<string, number>();
  for (const key of keys) {
    const name = event.recurrenceId === undefined ? key.split("/")[0] : "recurrenceOverrides";
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  const [[name]] = [...counts].sort((x, y) => y[1] - x[1]);
  return new EventError([name], `more than ${maxWrittenParts} parts of an event to write`);
}

/** Changed dates of an event; dates that are left out are none of them. */
function changedDates(event: JsonObject): number {
  let n = 0;
  for (const patch of Object.values(obj(event.recurrenceOverrides))) {
    if (obj(patch).excluded !== true && Object.keys(obj(patch)).length > 0) n++;
  }
  return n;
}

/**
 * Refuses an event with so many more participants or changed dates than before that they can't be written: before
 * its form is checked, which takes longer than counting.
 * @throws EventError
 */
export function refuseTooMany(before: JsonObject, event: JsonObject): void {
  const people = (e: JsonObject) => Object.keys(obj(e.participants)).length;
  const refuse = (name: string) => {
    throw new EventError([name], `more than ${maxWrittenParts} parts of an event to write`);
  };
  if (people(event) - people(before) > maxWrittenParts) refuse("participants");
  if (changedDates(event) - changedDates(before) > maxWrittenParts / leastParts) {
    refuse("recurrenceOverrides");
  }
}

/** One component of an event. @param written parts so far */
function componentOf(
  event: JsonObject,
  now: number,
  written: { parts: number },
  before?: { component: Component; converted: ConvertedEvent },
): Component {
  if (wallOfLocal(event.start) === undefined) throw new EventError(["start"], "start is missing");
  const parts = (e: JsonObject) => partsOf(e, eventMaps, without).set("time", timePart(e));
  const organizer = event.replyTo === undefined
    ? []
    : nativeLines(event, "replyTo", event.replyTo).filter(isProperty);
  const all = before && [...before.component.properties, ...before.component.components];
  const wanted = parts(event);
  if (before === undefined && written.parts + wanted.size > maxWrittenParts) {
    throw tooMany(event, wanted.keys());
  }
  const merged = mergedLines<Property | Component>(
    wanted,
    before && {
      lines: all!,
      origins: before.converted.origins,
      parts: parts(before.converted.event),
    },
    (key, value) => {
      if (++written.parts > maxWrittenParts) {
        throw tooMany(event, wanted.keys());
      }
      return linesOf(event, key, value, organizer);
    },
  );
  const properties = merged.filter(isProperty);
  if (!properties.some((p) => p.name === "DTSTAMP")) {
    properties.push(newProperty("DTSTAMP", formatUtc(now)));
  }
  return {
    name: "VEVENT",
    properties,
    components: merged.filter((x): x is Component => !isProperty(x)),
  };
}

/** EXDATE and RDATE lines; existing ones stay if they say the same. */
function withDates(component: Component, event: JsonObject, series: Series | undefined): Component {
  const overrides = obj(event.recurrenceOverrides);
  const excluded = Object.keys(overrides).filter((k) => obj(overrides[k]).excluded === true);
  const empty = Object.keys(overrides).filter((k) => Object.keys(obj(overrides[k])).length === 0);
  const was = series === undefined ? {} : obj(eventFromSeries(series)?.recurrenceOverrides);
  const of = (object: JsonObject, what: "excluded" | "added") =>
    Object.keys(object).filter((k) =>
      what === "excluded"
        ? obj(object[k]).excluded === true
        : Object.keys(obj(object[k])).length === 0
    ).sort();
  const clock = clockOf(event);
  let { properties } = component;
  for (
    const [name, now, kind] of [["EXDATE", excluded, "excluded"], [
      "RDATE",
      empty,
      "added",
    ]] as const
  ) {
    const kept = series?.master !== undefined && same(of(was, kind), now.toSorted()) &&
      same(timesOf(series, series.master).name ?? null, event.timeZone ?? null);
    if (kept) continue;
    properties = properties.filter((p) => p.name !== name);
    properties = [...properties, ...now.map((at) => timeLine(name, wallOfLocal(at)!, clock))];
  }
  return { ...component, properties };
}

/** Applies an instance's patch. */
export function patched(master: JsonObject, id: string, patch: JsonObject): JsonObject {
  // What has other dates isn't copied for each of them.
  const { recurrenceRules: _r, excludedRecurrenceRules: _e, recurrenceOverrides: _o, ...own } =
    master;
  const base: JsonObject = structuredClone(own);
  const instance: JsonObject = { ...base, start: id, recurrenceId: id };
  if (base.timeZone !== undefined) instance.recurrenceIdTimeZone = base.timeZone;
  for (const [pointer, value] of Object.entries(patch)) {
    const path = pointer.split("/").map((s) => s.replaceAll("~1", "/").replaceAll("~0", "~"));
    let at: JsonObject = instance;
    for (const x of path.slice(0, -1)) at = (at[x] = { ...obj(at[x]) }) as JsonObject;
    if (value === null) delete at[path.at(-1)!];
    else at[path.at(-1)!] = value;
  }
  return instance;
}

/**
 * The calendar object of an event.
 * @param before the existing object, to keep the lines of unchanged parts
 * @throws EventError
 */
export function calendarOf(event: JsonObject, now: number, before?: Series): Component {
  if (before === undefined) refuseTooMany({}, event);
  const main = before && mainComponent(before);
  const converted = main && eventFromComponent(before!, main);
  const components: Component[] = [];
  const written = { parts: 0 };
  const masterOf = (e: JsonObject) =>
    componentOf(e, now, written, main && converted && { component: main, converted });
  const hasMaster = before === undefined || before.master !== undefined;
  components.push(hasMaster ? withDates(masterOf(event), event, before) : masterOf(event));
  const overrides = hasMaster ? obj(event.recurrenceOverrides) : {};
  const old = new Map<string, Component>();
  if (before?.master !== undefined) {
    const times = timesOf(before, before.master);
    for (const { component, id } of before.overrides()) {
      const wall = id.date || times.zone === undefined
        ? id.wall
        : toWall(times.zone, before.instant(id));
      old.set(localTime(wall), component);
    }
  }
  for (const [id, patch] of Object.entries(overrides)) {
    if (wallOfLocal(id) === undefined) {
      throw new EventError(["recurrenceOverrides"], `${id} is not a local time`);
    }
    const p = obj(patch);
    if (p.excluded === true || Object.keys(p).length === 0) continue;
    const instance = patched(event, id, p);
    const there = old.get(id);
    // A date with another zone than the master's is written in its own zone.
    const c = componentOf(
      instance,
      now,
      written,
      there && { component: there, converted: eventFromComponent(before!, there) },
    );
    components.push(withRecurrenceId(c, id, event));
  }
  const others = before === undefined || hasMaster
    ? []
    : before.calendar.components.filter((c) => c.name === "VEVENT" && c !== main);
  const calendar = before?.calendar ?? newCalendar([]);
  const kept = before?.calendar.components.filter((c) => c.name === "VTIMEZONE") ?? [];
  return withZoneDescriptions(
    { ...calendar, components: [...kept, ...components, ...others] },
    now,
  );
}

/** Sets the date of an override in the master's zone. */
function withRecurrenceId(component: Component, id: string, master: JsonObject): Component {
  const wanted = timeLine("RECURRENCE-ID", wallOfLocal(id)!, clockOf(master));
  const there = property(component, "RECURRENCE-ID");
  const sameText = there !== undefined && there.value.trim() === wanted.value &&
    param(there, "TZID") === param(wanted, "TZID");
  if (sameText) return component;
  return {
    ...component,
    properties: [...component.properties.filter((p) => p.name !== "RECURRENCE-ID"), wanted],
  };
}
