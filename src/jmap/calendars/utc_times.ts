/**
 * Setting utcStart and utcEnd, for clients without time zones (jmap-calendars §5.1): start and duration in the
 * event's own zone.
 *
 * @module
 */
import { formatLength } from "../../mail/calendar/time.ts";
import { toInstant, toWall, utcZone } from "../../mail/calendar/zones.ts";
import type { JsonObject } from "../../mail/jscalendar/from_ical.ts";
import { localTime, wallOfLocal } from "../../mail/jscalendar/rules.ts";
import { invalidProperties } from "../core/errors.ts";
import { dateMs } from "../core/types.ts";
import { zoneOf } from "./events.ts";

function instant(name: string, value: unknown): number {
  const at = typeof value === "string" ? dateMs(value) : undefined;
  if (at === undefined) throw invalidProperties([name], `${name} is a time in UTC`);
  return at;
}

/**
 * The event with start and duration set from these instants. An event without a time zone gets that of its
 * calendar, or UTC.
 * @param given names of properties that the client sets in addition
 * @throws SetError invalidProperties
 */
export function withUtcTimes(
  event: JsonObject,
  utc: { utcStart?: unknown; utcEnd?: unknown },
  given: readonly string[],
  calendarZone?: string,
): JsonObject {
  const { utcStart, utcEnd } = utc;
  if (utcStart === undefined && utcEnd === undefined) return event;
  for (
    const [name, value, other] of [["utcStart", utcStart, "start"], [
      "utcEnd",
      utcEnd,
      "duration",
    ]] as const
  ) {
    if (value !== undefined && given.includes(other)) {
      throw invalidProperties([name, other], `${name} and ${other} say the same`);
    }
  }
  const next: JsonObject = { ...event };
  next.timeZone ??= calendarZone ?? "Etc/UTC";
  const zone = zoneOf(next) ?? utcZone;
  if (utcStart !== undefined) {
    next.start = localTime(toWall(zone, instant("utcStart", utcStart)));
  }
  if (utcEnd === undefined) return next;
  const wall = wallOfLocal(next.start);
  if (wall === undefined) throw invalidProperties(["start"], "start is missing");
  const length = instant("utcEnd", utcEnd) - toInstant(zone, wall);
  if (length < 0) throw invalidProperties(["utcEnd"], "the end is before the start");
  // Exact: a day may have 23 hours.
  next.duration = formatLength(0, length);
  return next;
}
