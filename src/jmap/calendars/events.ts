/**
 * CalendarEvent (jmap-calendars §5): JSCalendar events, converted from the stored iCalendar objects. @module
 */
import { storedSeriesInTurns } from "../../groupware/objects.ts";
import { addressOf, organizerOf } from "../../mail/calendar/itip.ts";
import type { Series } from "../../mail/calendar/series.ts";
import { parseDuration } from "../../mail/calendar/time.ts";
import { namedZone, toInstant, utcZone, type Zone } from "../../mail/calendar/zones.ts";
import { eventFromSeries, type JsonObject } from "../../mail/jscalendar/from_ical.ts";
import { localTime, wallOfLocal } from "../../mail/jscalendar/rules.ts";
import { eventProperties } from "../../mail/jscalendar/schema.ts";
import { patched } from "../../mail/jscalendar/to_ical.ts";
import { version2Properties, withBothNames } from "../../mail/jscalendar/versions.ts";
import type { Collection, ObjectRow } from "../../store/groupware/types.ts";
import { MethodError } from "../core/errors.ts";
import { utcDateOf } from "../core/types.ts";
import { idOf, objectOfId, type View } from "../groupware/collections.ts";
import type { JmapServices } from "../services.ts";
import { withFewPeople } from "./event_rules.ts";

/** Properties that aren't stored with an event. */
export const serverProperties = ["id", "baseEventId", "isOrigin", "utcStart", "utcEnd"];
export const allEventProperties = [
  ...serverProperties,
  "calendarIds",
  "isDraft",
  ...eventProperties,
  ...version2Properties,
];

/** Properties that a single date doesn't have. */
const seriesProperties = [
  "recurrenceRule",
  "recurrenceRules",
  "excludedRecurrenceRules",
  "recurrenceOverrides",
];

const day = 86_400_000;

/** @throws MethodError invalidArguments */
export function askedEventProperties(
  asked: readonly string[] | null | undefined,
): ReadonlySet<string> | undefined {
  if (asked === null || asked === undefined) return undefined;
  for (const p of asked) {
    if (!allEventProperties.includes(p) && !p.includes(":")) {
      throw new MethodError(
        "invalidArguments",
        `properties: there is no property ${p.slice(0, 200)}`,
      );
    }
  }
  return new Set(["id", ...asked]);
}

/** The id of one date of a recurring event. */
export function instanceId(baseId: string, recurrenceId: string): string {
  return `${baseId}_${recurrenceId.replace(/[-:]/g, "")}`;
}

/** The object of an id: an event, and the date if it is one of a recurring event. */
export interface FoundEvent {
  row: ObjectRow;
  collection: Collection;
  recurrenceId: string | undefined;
}

/** The event of an id; undefined if the user can't see it. */
export function eventOfId(view: View, id: string): FoundEvent | undefined {
  const m = /^(E\d+)(?:_(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d))?$/.exec(id);
  if (!m) return undefined;
  const found = objectOfId(view, m[1]);
  if (found === undefined || found.row.component !== "VEVENT") return undefined;
  const recurrenceId = m[2] === undefined
    ? undefined
    : `${m[2]}-${m[3]}-${m[4]}T${m[5]}:${m[6]}:${m[7]}`;
  if (recurrenceId !== undefined && wallOfLocal(recurrenceId) === undefined) return undefined;
  return { ...found, recurrenceId };
}

/** Whether a series has a date, named as by its master. */
export function hasDate(series: Series, master: JsonObject, recurrenceId: string): boolean {
  const override = (master.recurrenceOverrides as JsonObject | undefined)?.[recurrenceId];
  if (override !== undefined) return (override as JsonObject).excluded !== true;
  const wall = wallOfLocal(recurrenceId)!;
  const at = toInstant(zoneOf(master) ?? utcZone, wall);
  return series.instances(at - 2 * day, at + 2 * day).some((instance) =>
    instance.recurrence !== undefined &&
    localTime(
        instance.recurrence.date || instance.recurrence.zone === ""
          ? instance.recurrence.wall
          : wallIn(zoneOf(master), series.instant(instance.recurrence)),
      ) === recurrenceId
  );
}

/** The zone of an event's times; undefined for floating times and dates. */
export function zoneOf(event: JsonObject): Zone | undefined {
  return typeof event.timeZone === "string" ? namedZone(event.timeZone) : undefined;
}

export function wallIn(zone: Zone | undefined, instant: number): number {
  return zone === undefined ? instant : instant + zone.offset(instant);
}

/** Start and end as instants; floating times are taken in a given zone. */
export function instantsOf(event: JsonObject, floating: Zone): { start: number; end: number } {
  const zone = zoneOf(event) ?? floating;
  const wall = wallOfLocal(event.start) ?? 0;
  const length = typeof event.duration === "string" ? parseDuration(event.duration) : undefined;
  const start = toInstant(zone, wall);
  const end = toInstant(zone, wall + (length?.days ?? 0) * day) + (length?.ms ?? 0);
  return { start, end };
}

/** The server's properties of an event, in addition to its own. */
function about(
  services: JmapServices,
  view: View,
  row: ObjectRow,
  series: Series,
  event: JsonObject,
): JsonObject {
  const organizer = organizerOf(series.calendar);
  const address = organizer === undefined ? "" : addressOf(organizer);
  const at = address.lastIndexOf("@");
  const mine = address === "" ||
    at > 0 &&
      services.config.mayUseFrom(
          view.access.account.name,
          address.slice(0, at),
          address.slice(at + 1),
        ) ===
        "yes";
  return {
    calendarIds: { [idOf("calendars", "collection", row.collectionId)]: true },
    isDraft: false,
    isOrigin: mine,
    ...event,
  };
}

export interface EventOptions {
  properties?: ReadonlySet<string>;
  /** Zone of floating times, for utcStart and utcEnd. */
  floating?: Zone;
  /** Only overrides before this time: milliseconds since the epoch. */
  overridesBefore?: number;
  overridesAfter?: number;
  /** Only the owner and the user among participants. */
  reduceParticipants?: boolean;
}

/** An event, or one of its dates, in the form for clients; undefined if unreadable or missing. */
export async function eventObject(
  services: JmapServices,
  view: View,
  { row, recurrenceId }: FoundEvent,
  options: EventOptions = {},
): Promise<JsonObject | undefined> {
  const series = await storedSeriesInTurns(view.g, row);
  let event = eventFromSeries(series);
  if (event === undefined) return undefined;
  const baseId = idOf("calendars", "object", row.id);
  let ids: JsonObject = { id: baseId, baseEventId: null };
  if (recurrenceId !== undefined) {
    if (!row.recurring || !hasDate(series, event, recurrenceId)) return undefined;
    const override = (event.recurrenceOverrides as Record<string, JsonObject> | undefined)
      ?.[recurrenceId];
    event = patched(event, recurrenceId, override ?? {});
    ids = { id: instanceId(baseId, recurrenceId), baseEventId: baseId };
  } else if (options.overridesBefore !== undefined || options.overridesAfter !== undefined) {
    const zone = zoneOf(event) ?? options.floating ?? utcZone;
    const kept = Object.entries(event.recurrenceOverrides as JsonObject ?? {}).filter(([id]) => {
      const at = toInstant(zone, wallOfLocal(id)!);
      return (options.overridesBefore === undefined || at < options.overridesBefore) &&
        (options.overridesAfter === undefined || at >= options.overridesAfter);
    });
    event = { ...event, recurrenceOverrides: Object.fromEntries(kept) };
  }
  const hides = event.hideAttendees === true && !view.access.own;
  if (options.reduceParticipants === true || hides) {
    const mine = new Set(
      [view.access.account.name, view.access.user.account]
        .flatMap((name) => services.config.accountAddresses(name))
        .map((a) => `mailto:${a.toLowerCase()}`),
    );
    event = withFewPeople(event, (uri) => typeof uri === "string" && mine.has(uri.toLowerCase()));
  }
  const all: JsonObject = { ...ids, ...about(services, view, row, series, event) };
  const { properties } = options;
  if (recurrenceId !== undefined) {
    for (const name of seriesProperties) if (properties?.has(name)) all[name] = null;
  }
  if (properties?.has("utcStart") || properties?.has("utcEnd")) {
    const { start, end } = instantsOf(event, options.floating ?? utcZone);
    all.utcStart = utcDateOf(start);
    all.utcEnd = utcDateOf(end);
  }
  const both = withBothNames(all);
  return properties === undefined
    ? both
    : Object.fromEntries(Object.entries(both).filter(([k]) => properties.has(k)));
}
