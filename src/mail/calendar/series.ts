/**
 * The meaning of a calendar object: its instances in time (RFC 5545 §3.8.5), for a recurring one including its
 * exceptions. Nothing is expanded beyond the request, and never without bounds.
 *
 * @module
 */
import {
  type Component,
  FormatError,
  param,
  type Property,
  property,
  valueOf,
} from "../contentline/component.ts";
import { occurrences } from "./recurrence.ts";
import { parseRule, type Rule } from "./recurrence_rule.ts";
import {
  type CalendarTime,
  clip,
  day,
  type Duration,
  parseDuration,
  parseTime,
  timeOf,
} from "./time.ts";
import { toInstant, toWall, type Zone, Zones } from "./zones.ts";

/** Kinds of components that are calendar objects. */
export const objectKinds = ["VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY", "VAVAILABILITY"] as const;
export type ObjectKind = (typeof objectKinds)[number];

/** One occurrence of an object. */
export interface Instance {
  component: Component;
  /** Milliseconds since the epoch; undefined without a start. */
  start: number | undefined;
  /** From DTEND, DUE or the duration; undefined if there is none. */
  end: number | undefined;
  /** Its start is a date. */
  allDay: boolean;
  /** Which instance of a recurring object it is: its time according to the master. */
  recurrence: CalendarTime | undefined;
  /** Its start and end as written, before any zone. */
  startTime: CalendarTime | undefined;
  endTime: CalendarTime | undefined;
}

/** Most instances returned for one object. */
export const maxInstances = 2_000;
/** Most times of all its rules that are generated for them. */
const maxSteps = 20_000;
/** Most that clocks are put forward or back. */
const clockChange = 2 * 3_600_000;
/** Most dates of RDATE and EXDATE that are read. */
const maxDates = 10_000;
/** Largest COUNT for which the last instance is searched. */
const maxCountLooked = 3_000;
/** Floating times may mean any zone. */
const floatingSlack = 14 * 3_600_000;

/** The length of an instance. */
type Length =
  /** From DURATION. */
  | { kind: "duration"; duration: Duration }
  /** By DTEND or DUE: exact, or in days between dates. */
  | { kind: "exact"; ms: number }
  | { kind: "days"; ms: number };

/** A component with its parsed times. */
interface Timed {
  component: Component;
  start: CalendarTime | undefined;
  end: CalendarTime | undefined;
  length: Length | undefined;
}

const endNames = { VEVENT: "DTEND", VTODO: "DUE", VFREEBUSY: "DTEND", VAVAILABILITY: "DTEND" };

/** Periods of a property such as FREEBUSY, as instants; invalid ones are left out. */
export function periods(p: Property, zones: Zones): { start: number; end: number }[] {
  const found: { start: number; end: number }[] = [];
  for (const v of p.value.split(",", maxDates)) {
    const [from, to] = v.trim().split("/");
    const start = parseTime(from, param(p, "TZID") ?? "");
    if (start === undefined || to === undefined) continue;
    const at = toInstant(zones.find(start.zone), start.wall);
    const end = parseTime(to, param(p, "TZID") ?? "");
    const length = parseDuration(to);
    if (end !== undefined) {
      found.push({ start: at, end: toInstant(zones.find(end.zone), end.wall) });
    } else if (length !== undefined) {
      found.push({ start: at, end: at + length.days * day + length.ms });
    }
  }
  return found;
}

/** The last one of an ordered list that begins at or before a time. */
function lastAt<T extends { id: CalendarTime }>(list: readonly T[], wall: number): T | undefined {
  let [from, to] = [0, list.length];
  while (from < to) {
    const middle = (from + to) >> 1;
    if (list[middle].id.wall <= wall) from = middle + 1;
    else to = middle;
  }
  return list[from - 1];
}

/** A calendar object. */
export class Series {
  readonly calendar: Component;
  readonly kind: ObjectKind;
  readonly uid: string;
  readonly zones: Zones;
  /** The component without RECURRENCE-ID, if there is one. */
  readonly master: Component | undefined;
  readonly #master: Timed | undefined;
  readonly #overrides = new Map<string, Timed & { id: CalendarTime; future: boolean }>();
  readonly #rules: Rule[] = [];
  readonly #excluded = new Set<string>();
  readonly #added: { time: CalendarTime; end: CalendarTime | undefined; duration?: Duration }[] =
    [];

  /** Reads an object; `floating` is the zone of times without one. @throws FormatError */
  constructor(calendar: Component, floating?: Zone) {
    this.calendar = calendar;
    this.zones = new Zones(calendar, floating);
    const parts = calendar.components.filter((c) => c.name !== "VTIMEZONE");
    const kind = objectKinds.find((k) => parts.some((c) => c.name === k));
    if (kind === undefined) throw new FormatError("there is no event, task or journal in it");
    this.kind = kind;
    this.uid = valueOf(parts.find((c) => c.name === kind)!, "UID")?.trim() ?? "";
    for (const c of parts) {
      if (c.name !== kind) continue;
      const id = property(c, "RECURRENCE-ID");
      const timed = this.#timed(c);
      if (id !== undefined) {
        const time = timeOf(id);
        const future = param(id, "RANGE")?.toUpperCase() === "THISANDFUTURE";
        this.#overrides.set(this.#key(time), { ...timed, id: time, future });
      } else if (this.#master === undefined) {
        this.#master = timed;
        this.master = c;
      }
    }
    if (this.#master !== undefined) this.#readRules(this.#master);
  }

  #timed(component: Component): Timed {
    const startProperty = property(component, "DTSTART");
    const start = startProperty && timeOf(startProperty);
    const endProperty = property(component, endNames[component.name as "VEVENT"] ?? "DTEND");
    const end = endProperty && timeOf(endProperty);
    const text = valueOf(component, "DURATION");
    let length: Length | undefined;
    if (start !== undefined && end !== undefined) {
      const days = start.date && end.date;
      const ms = days ? end.wall - start.wall : this.instant(end) - this.instant(start);
      length = { kind: days ? "days" : "exact", ms: Math.max(0, ms) };
    } else if (text !== undefined) {
      const duration = parseDuration(text);
      if (duration === undefined) throw new FormatError(`DURATION can't be ${clip(text)}`);
      length = { kind: "duration", duration };
    }
    return { component, start, end, length };
  }

  #readRules({ component, start }: Timed): void {
    let dates = 0;
    for (const p of component.properties) {
      if (p.name === "RRULE") {
        const rule = parseRule(p.value);
        if (typeof rule === "string") throw new FormatError(rule);
        if (start === undefined) throw new FormatError("RRULE needs a DTSTART");
        this.#rules.push({ ...rule, until: rule.until && this.#untilOnWall(rule.until, start) });
        if (this.#rules.length > 10) throw new FormatError("more than 10 RRULEs");
      } else if (p.name === "EXDATE" || p.name === "RDATE") {
        for (const v of p.value.split(",", maxDates + 1)) {
          if (++dates > maxDates) throw new FormatError(`more than ${maxDates} dates`);
          const [from, to] = v.trim().split("/");
          const time = timeOf(p, from);
          if (p.name === "EXDATE") {
            // Exchange takes days out by the times at which they begin.
            const isDay = start?.date && !time.date && time.wall % day === 0;
            this.#excluded.add(isDay ? `D${time.wall}` : this.#key(time));
          } else {
            const end = to === undefined ? undefined : parseTime(to, time.zone);
            const duration = to === undefined || end ? undefined : parseDuration(to);
            this.#added.push({ time, end, duration });
          }
        }
      }
    }
  }

  /** UNTIL as a local time in DTSTART's zone. */
  #untilOnWall(until: CalendarTime, start: CalendarTime): CalendarTime {
    if (until.date || start.date) {
      const wall = Math.floor(until.wall / day) * day;
      return start.date || until.date ? { ...until, wall, date: true } : until;
    }
    const zone = this.zones.find(start.zone);
    const wall = until.zone === "UTC" ? toWall(zone, until.wall) : until.wall;
    return { ...until, wall };
  }

  /** The key of an instance: its date, or its instant. */
  #key(time: CalendarTime): string {
    return time.date ? `D${time.wall}` : String(this.instant(time));
  }

  /** Milliseconds since the epoch. */
  instant(time: CalendarTime): number {
    return toInstant(this.zones.find(time.zone), time.wall);
  }

  get recurring(): boolean {
    return this.#rules.length > 0 || this.#added.length > 0 || this.#overrides.size > 0;
  }

  /** Whether any of its times has no zone, or is a date. */
  get #floats(): boolean {
    const of = (timed: Timed | undefined) =>
      [timed?.start, timed?.end].some((x) =>
        x !== undefined && (x.date || this.zones.floats(x.zone))
      );
    return of(this.#master) || [...this.#overrides.values()].some(of);
  }

  #end(timed: Timed, start: CalendarTime): CalendarTime | undefined {
    const { length } = timed;
    if (length === undefined) return undefined;
    switch (length.kind) {
      case "days":
        return { ...start, wall: start.wall + length.ms };
      case "exact": {
        const at = this.instant(start) + length.ms;
        // The end keeps its own zone.
        const zone = timed.end!.date ? start.zone : timed.end!.zone;
        return { wall: toWall(this.zones.find(zone), at), date: false, zone };
      }
      default: {
        const { days, ms } = length.duration;
        const wall = start.wall + days * day;
        if (start.date) return { ...start, wall: wall + Math.floor(ms / day) * day };
        const zone = this.zones.find(start.zone);
        return { ...start, wall: toWall(zone, toInstant(zone, wall) + ms) };
      }
    }
  }

  #instance(
    timed: Timed,
    start: CalendarTime | undefined,
    recurrence: CalendarTime | undefined,
    end = start === undefined ? timed.end : this.#end(timed, start),
  ): Instance {
    return {
      component: timed.component,
      start: start && this.instant(start),
      end: end && this.instant(end),
      allDay: start?.date ?? false,
      recurrence,
      startTime: start,
      endTime: end,
    };
  }

  /** The longest duration of an instance of the master, in milliseconds. */
  #longest(timed: Timed): number {
    const { length } = timed;
    const ms = length === undefined
      ? (timed.start?.date ? day : 0)
      : length.kind === "duration"
      ? length.duration.days * day + length.duration.ms
      : length.ms;
    return Math.max(ms, 0);
  }

  /**
   * The instances that touch a time span, ends included, in order of their starts; an object without any time
   * is an instance too.
   * @param limit most instances; of more, the first are returned
   */
  instances(from: number, to: number, limit = maxInstances): Instance[] {
    const found: Instance[] = [];
    const touches = (instance: Instance) => {
      if (instance.start === undefined && instance.end === undefined) return true;
      const start = instance.start ?? instance.end!;
      const end = Math.max(instance.end ?? (instance.allDay ? start + day : start), start);
      return start <= to && end >= from;
    };
    const add = (instance: Instance) => {
      if (touches(instance)) found.push(instance);
    };
    for (const o of this.#overrides.values()) {
      add(this.#instance(o, o.start, o.id, o.start ? undefined : o.end));
    }
    const m = this.#master;
    if (m !== undefined) {
      if (m.start === undefined || this.#rules.length + this.#added.length === 0) {
        const key = m.start && this.#key(m.start);
        if (key === undefined || !(this.#excluded.has(key) || this.#overrides.has(key))) {
          add(this.#instance(m, m.start, this.#overrides.size > 0 ? m.start : undefined));
        }
      } else this.#recurring(m, m.start, from, to, limit, add, () => found.length);
    }
    found.sort((a, b) => (a.start ?? a.end ?? 0) - (b.start ?? b.end ?? 0));
    return found.length > limit ? found.slice(0, limit) : found;
  }

  #recurring(
    timed: Timed,
    start: CalendarTime,
    from: number,
    to: number,
    limit: number,
    add: (instance: Instance) => void,
    count: () => number,
  ): void {
    const seen = new Set<string>();
    const futures = [...this.#overrides.values()].filter((o) => o.future && o.start)
      .sort((a, b) => a.id.wall - b.id.wall);
    // A change to all later instances may move them far.
    const slack = futures.reduce(
      (n, o) => Math.max(n, Math.abs(o.start!.wall - o.id.wall) + this.#longest(o)),
      0,
    );
    const longest = this.#longest(timed) + slack;
    const zone = this.zones.find(start.zone);
    const fromWall = from === -Infinity ? -Infinity : toWall(zone, from) - longest - clockChange;
    const toWallAt = to === Infinity ? Infinity : toWall(zone, to) + slack + clockChange;
    // Near enough for any zone of moved instances.
    const near = (wall: number, t: Timed) =>
      wall <= to + 2 * day && wall + this.#longest(t) >= from - 2 * day;
    const one = (time: CalendarTime, end?: CalendarTime) => {
      const future = lastAt(futures, time.wall);
      const movedTo = future && time.wall + future.start!.wall - future.id.wall;
      // Most times are only generated because a few are moved far.
      if (future !== undefined && !near(movedTo!, future)) return;
      const key = this.#key(time);
      if (seen.has(key)) return;
      seen.add(key);
      const excluded = this.#excluded.size > 0 &&
        (this.#excluded.has(key) ||
          this.#excluded.has(`D${Math.floor(time.wall / day) * day}`));
      if (excluded || this.#overrides.has(key)) return;
      if (future === undefined) return add(this.#instance(timed, time, time, end));
      add(this.#instance(future, { ...future.start!, wall: movedTo! }, time));
    };
    // For all rules together: ten that produce the same times are no more work than one.
    let steps = 0;
    for (const rule of this.#rules) {
      for (const wall of occurrences(rule, start.wall, Math.max(fromWall, start.wall), toWallAt)) {
        if (count() > limit || ++steps > maxSteps) break;
        one({ ...start, wall });
      }
    }
    if (this.#rules.length === 0) one(start);
    for (const { time, end, duration } of this.#added) {
      const ends = duration
        ? { ...time, wall: time.wall + duration.days * day + duration.ms }
        : end;
      one(time, ends);
    }
  }

  /**
   * The time span of all instances, wide enough for any zone of floating times: milliseconds since the epoch.
   * `first` is undefined without any time, `last` without an end.
   */
  bounds(): { first: number | undefined; last: number | undefined } {
    const slack = this.#floats ? floatingSlack : 0;
    let first = Infinity;
    let last = -Infinity;
    const endless = this.#rules.some((r) =>
      r.until === undefined && (r.count === undefined || r.count > maxCountLooked)
    );
    let instances: Instance[];
    if (endless || this.#rules.some((r) => r.until !== undefined)) {
      // Without generating all of them.
      const simple = this.#rules.splice(0);
      instances = this.instances(-Infinity, Infinity);
      this.#rules.push(...simple);
      for (const r of simple) {
        if (r.until === undefined) continue;
        last = Math.max(last, r.until.wall + 2 * day + this.#longest(this.#master!));
      }
    } else instances = this.instances(-Infinity, Infinity, maxCountLooked * 4);
    for (const i of instances) {
      const start = i.start ?? i.end;
      if (start === undefined) return { first: undefined, last: undefined };
      first = Math.min(first, start, i.end ?? start);
      last = Math.max(last, start, i.end ?? (i.allDay ? start + day : start));
    }
    if (this.#master?.start !== undefined && this.#rules.length > 0) {
      first = Math.min(first, this.instant(this.#master.start));
    }
    if (first === Infinity) return { first: undefined, last: undefined };
    // A series without any instance (all excluded) still has a position.
    return { first: first - slack, last: endless ? undefined : Math.max(last, first) + slack };
  }

  /** The components other than the master, each with its instance. */
  overrides(): { component: Component; id: CalendarTime }[] {
    return [...this.#overrides.values()].map(({ component, id }) => ({ component, id }));
  }
}
