/** CalendarEvent/query (jmap-calendars §5.10): conditions, orders, and dates of recurring events one by one. @module */
import {
  instanceEnd,
  singleTimes,
  storedSeries,
  storedSeriesInTurns,
} from "../../groupware/objects.ts";
import { inRange, type TimeRange } from "../../mail/calendar/filter.ts";
import type { Instance, Series } from "../../mail/calendar/series.ts";
import { namedZone, toInstant, utcZone, type Zone } from "../../mail/calendar/zones.ts";
import {
  eventFromSeries,
  type JsonObject,
  mainComponent,
  timesOf,
} from "../../mail/jscalendar/from_ical.ts";
import { localTime, wallOfLocal } from "../../mail/jscalendar/rules.ts";
import { patched } from "../../mail/jscalendar/to_ical.ts";
import { giveWay } from "../../platform/turns.ts";
import type { ObjectRow } from "../../store/groupware/types.ts";
import { MethodError } from "../core/errors.ts";
import { type Comparator, type FilterTree, meets, readFilter } from "../core/query.ts";
import { wordsOf } from "../core/words.ts";
import { idOf, numberOf, shownCollections, type View } from "../groupware/collections.ts";
import { instanceId, instantsOf, wallIn } from "./events.ts";

/** The longest span whose dates are listed one by one, in days. */
export const maxExpandedDays = 400;
/** Most dates returned. */
const maxExpanded = 20_000;

const obj = (x: unknown): JsonObject =>
  typeof x === "object" && x !== null && !Array.isArray(x) ? x as JsonObject : {};
const str = (x: unknown): string[] => typeof x === "string" ? [x] : [];
const values = (x: unknown): JsonObject[] => Object.values(obj(x)).map(obj);

const people = (object: JsonObject, owner: boolean) =>
  values(object.participants).filter((p) => !owner || obj(p.roles).owner === true)
    .flatMap((p) => [...str(p.name), ...str(p.email), ...str(obj(p.sendTo).imip)]);

const texts: Record<string, (object: JsonObject) => string[]> = {
  title: (e) => str(e.title),
  description: (e) => str(e.description),
  location: (e) => values(e.locations).flatMap((l) => [...str(l.name), ...str(l.description)]),
  owner: (e) => [...people(e, true), ...str(obj(e.replyTo).imip)],
  participant: (e) => people(e, false),
  // The name in drafts before the 24th.
  attendee: (e) => people(e, false),
};

interface Candidate {
  row: ObjectRow;
  /** The event, or one of its dates; computed on demand. */
  event: () => JsonObject;
  /** Of a series as a whole: it and its changed dates, whose texts are searched. */
  all?: () => JsonObject[];
  start: number;
  end: number;
}

const eventsOf = ({ event, all }: Candidate): JsonObject[] => all?.() ?? [event()];

type Condition = (candidate: Candidate) => boolean;

export interface EventQuery {
  filter?: JsonObject | null;
  sort?: Comparator[] | null;
  expandRecurrences?: boolean | null;
  timeZone?: string | null;
}

/** Reads one condition. The times of `after` and `before` are in the given zone. */
function conditionReader(zone: Zone): (object: JsonObject) => Condition[] {
  return (object) =>
    Object.entries(object).map(([name, value]): Condition => {
      const wrong = () =>
        new MethodError("invalidArguments", `filter: ${name.slice(0, 100)} can't be so`);
      if (name === "inCalendar" || name === "inCalendars") {
        const ids = Array.isArray(value) ? value : [value];
        if (!ids.every((x) => typeof x === "string")) throw wrong();
        const numbers = new Set(ids.map((x) => numberOf("calendars", "collection", x)));
        return ({ row }) => numbers.has(row.collectionId);
      }
      if (typeof value !== "string") throw wrong();
      switch (name) {
        case "after":
        case "before": {
          const wall = wallOfLocal(value);
          if (wall === undefined) throw wrong();
          const at = toInstant(zone, wall);
          return name === "after"
            ? (x) => x.end > at || x.end === x.start && x.start >= at
            : (x) => x.start < at;
        }
        case "uid":
          return ({ row }) => row.uid === value;
        case "text": {
          const words = wordsOf(value);
          return (candidate) => {
            const all = eventsOf(candidate)
              .flatMap((e) => Object.values(texts).flatMap((f) => f(e))).join("\n").toLowerCase();
            return words.every((w) => all.includes(w));
          };
        }
      }
      if (!Object.hasOwn(texts, name)) {
        throw new MethodError("unsupportedFilter", `there is no condition ${name.slice(0, 100)}`);
      }
      const words = wordsOf(value);
      return (candidate) => {
        const all = eventsOf(candidate).flatMap(texts[name]).map((s) => s.toLowerCase());
        return words.every((w) => all.some((s) => s.includes(w)));
      };
    });
}

/** The span that every result must be in, from the conditions that have only AND above them. */
function spanOf(filter: JsonObject | null | undefined, zone: Zone): TimeRange {
  const range = { start: -Infinity, end: Infinity };
  const look = (object: JsonObject) => {
    if (object.operator === "AND" && Array.isArray(object.conditions)) {
      for (const c of object.conditions) look(obj(c));
    } else if (object.operator === undefined) {
      const [after, before] = [wallOfLocal(object.after), wallOfLocal(object.before)];
      if (after !== undefined) range.start = Math.max(range.start, toInstant(zone, after));
      if (before !== undefined) range.end = Math.min(range.end, toInstant(zone, before));
    }
  };
  look(filter ?? {});
  return range;
}

export const eventSorts = ["start", "uid", "recurrenceId", "created", "updated"];

function keyOf(candidate: Candidate, property: string): string | number {
  if (property === "start") return candidate.start;
  if (property === "uid") return candidate.row.uid;
  const value = candidate.event()[property];
  return typeof value === "string" ? value : "";
}

/** Computes a value on first use. */
function once<T>(make: () => T): () => T {
  let made: { value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

/** A date of a series, with its RECURRENCE-ID in JMAP's form. */
type DateOf = Candidate & { id: string };

/** The RECURRENCE-ID of a date in JMAP's form, in the zone of the series. */
export function dateId(series: Series, i: Instance, zone: Zone | undefined): string {
  const r = i.recurrence ?? i.startTime!;
  return localTime(r.date || r.zone === "" ? r.wall : wallIn(zone, series.instant(r)));
}

/** The dates of a series in a span. */
function dates(
  row: ObjectRow,
  series: Series,
  master: () => JsonObject,
  span: TimeRange,
): DateOf[] {
  const found: DateOf[] = [];
  const { zone } = timesOf(series, series.master!);
  for (const i of series.instances(span.start, span.end)) {
    if (i.start === undefined || !inRange(series, i, span)) continue;
    const id = dateId(series, i, zone);
    found.push({
      row,
      id,
      event: once(() => {
        const event = master();
        return patched(event, id, obj(obj(event.recurrenceOverrides)[id]));
      }),
      start: i.start,
      end: instanceEnd(i)!,
    });
  }
  return found;
}

/** Properties whose texts conditions look at. */
const searched = new Set(["title", "description", "locations", "participants"]);

/** A series with those of its dates that have other texts. */
const withChangedDates = (event: () => JsonObject) =>
  once(() => {
    const master = event();
    const changed = Object.entries(obj(master.recurrenceOverrides)).filter(([, patch]) =>
      Object.keys(obj(patch)).some((pointer) => searched.has(pointer.split("/", 1)[0]))
    );
    return [master, ...changed.map(([id, patch]) => patched(master, id, obj(patch)))];
  });

/** An event as a whole. */
function whole(row: ObjectRow, event: () => JsonObject, zone: Zone): Candidate {
  const { start, end } = instantsOf(event(), zone);
  const all = row.recurring ? { all: withChangedDates(event) } : {};
  return { row, event, start, end: row.recurring ? row.last ?? Infinity : end, ...all };
}

/** Ids of the events that match a filter, in order. @throws MethodError */
export async function queryEvents(view: View, args: EventQuery): Promise<string[]> {
  const zone = args.timeZone ? namedZone(args.timeZone) : utcZone;
  if (zone === undefined) throw new MethodError("invalidArguments", "timeZone: is not known");
  const filter: FilterTree<Condition[]> | undefined = readFilter(
    args.filter,
    conditionReader(zone),
  );
  const sort = args.sort ?? [];
  for (const s of sort) {
    if (!eventSorts.includes(s.property)) {
      throw new MethodError(
        "unsupportedSort",
        `events can't be sorted by ${s.property.slice(0, 100)}`,
      );
    }
  }
  const span = spanOf(args.filter, zone);
  const expands = args.expandRecurrences === true;
  if (expands) {
    if (args.filter?.operator !== undefined) {
      throw new MethodError("invalidArguments", "expandRecurrences takes one condition alone");
    }
    if (!Number.isFinite(span.start) || !Number.isFinite(span.end)) {
      throw new MethodError("invalidArguments", "expandRecurrences needs after and before");
    }
    if (span.end - span.start > maxExpandedDays * 86_400_000) {
      throw new MethodError("expandDurationTooLarge", `at most ${maxExpandedDays} days`, {
        more: { maxDuration: `P${maxExpandedDays}D` },
      });
    }
  }
  const found: { id: string; keys: (string | number)[] }[] = [];
  const take = (id: string, candidate: Candidate) => {
    if (!meets(filter, (list) => list.every((x) => x(candidate)))) return;
    found.push({ id, keys: sort.map((s) => keyOf(candidate, s.property)) });
    if (found.length > maxExpanded && expands) {
      throw new MethodError("cannotCalculateOccurrences", `more than ${maxExpanded} dates`);
    }
  };
  for (const c of shownCollections(view)) {
    for (const row of view.g.objectsBetween(c.id, span.start, span.end)) {
      await giveWay();
      if (row.component !== "VEVENT") continue;
      const base = idOf("calendars", "object", row.id);
      const before = found.length;
      try {
        const times = singleTimes(view.g, row, zone);
        if (times !== undefined) {
          const event = once(() => eventFromSeries(storedSeries(view.g, row, zone))!);
          take(base, { row, event, start: times.start, end: times.end });
          continue;
        }
        const series = await storedSeriesInTurns(view.g, row, zone);
        if (series.kind !== "VEVENT" || mainComponent(series) === undefined) continue;
        const event = once(() => eventFromSeries(series)!);
        if (row.recurring && series.master !== undefined) {
          const some = expands || Number.isFinite(span.start);
          const list = some ? dates(row, series, event, span) : [];
          if (expands) { for (const d of list) take(instanceId(base, d.id), d); }
          // RFC: a recurring event matches by any of its dates.
          else if (list.length > 0) {
            take(base, { ...list[0], event, all: withChangedDates(event) });
          } else if (!some) take(base, whole(row, event, zone));
        } else take(base, whole(row, event, zone));
      } catch (err) {
        if (err instanceof MethodError) throw err;
        // Unreadable events are in no answer.
        found.length = before;
      }
    }
  }
  found.sort((a, b) => {
    for (let i = 0; i < sort.length; i++) {
      const x = a.keys[i];
      const y = b.keys[i];
      if (x !== y) return (x < y ? -1 : 1) * (sort[i].isAscending ? 1 : -1);
    }
    return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
  });
  return found.map((f) => f.id);
}
