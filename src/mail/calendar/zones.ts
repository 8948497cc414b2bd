/**
 * Offsets of time zones: those that the runtime knows by name, and those that a calendar describes (RFC 5545
 * §3.6.5). Results are cached, as every event needs them.
 *
 * @module
 */
import { type Component, property, valueOf, writeComponent } from "../contentline/component.ts";
import { occurrences } from "./recurrence.ts";
import { parseRule, type Rule } from "./recurrence_rule.ts";
import { day, hour, minute, parseTime, second } from "./time.ts";
import { ianaNameOf } from "./windows_zones.ts";
import { zoneClock } from "./zone_clock.ts";

/** A zone: converts instants to local times and back. */
export interface Zone {
  name: string;
  /** Milliseconds east of Greenwich at an instant. */
  offset(instant: number): number;
}

export const utcZone: Zone = { name: "UTC", offset: () => 0 };

/**
 * The instant of a local time: the first if there are two; a skipped one is computed with the offset before the
 * change.
 */
export function toInstant(zone: Zone, wall: number): number {
  if (zone === utcZone) return wall;
  const before = zone.offset(wall - day);
  const after = zone.offset(wall + day);
  if (before === after || zone.offset(wall - before) === before) return wall - before;
  return zone.offset(wall - after) === after ? wall - after : wall - before;
}

/** The local time at an instant. */
export function toWall(zone: Zone, instant: number): number {
  return instant + zone.offset(instant);
}

/** Years whose changes are cached; years beyond use those of a cached year. */
const [firstYear, lastYear] = [1900, 2199];

/**
 * One of the last cached years with the same weekdays: any 28 years without a century contain all combinations.
 */
function sameCalendar(year: number): number {
  const of = (y: number, month: number) => new Date(Date.UTC(y, month, 1)).getUTCDay();
  let near = lastYear;
  while (of(near, 0) !== of(year, 0) || of(near, 2) !== of(year, 2)) near--;
  return near;
}

/** Changes of a year: from `at` on the offset is `offset`. */
interface Change {
  at: number;
  offset: number;
}

class NamedZone implements Zone {
  readonly name: string;
  readonly #measure: (instant: number) => number;
  readonly #years = new Map<number, Change[]>();

  constructor(name: string) {
    this.name = name;
    this.#measure = zoneClock(name);
  }

  #changes(year: number): Change[] {
    let list = this.#years.get(year);
    if (list !== undefined) return list;
    const start = Date.UTC(year, 0, 1);
    list = [{ at: start, offset: this.#measure(start) }];
    for (let m = 1; m <= 24; m++) {
      // Twice a month: Ramadan suspends summer time for less than two months.
      const at = Date.UTC(year, m >> 1, m % 2 === 0 ? 1 : 15);
      const offset = this.#measure(at);
      if (offset === list.at(-1)!.offset) continue;
      let [low, high] = [list.at(-1)!.at, at];
      while (high - low > minute) {
        const middle = Math.floor((low + high) / 2 / minute) * minute;
        if (middle <= low) break;
        if (this.#measure(middle) === list.at(-1)!.offset) low = middle;
        else high = middle;
      }
      list.push({ at: high, offset });
    }
    this.#years.set(year, list);
    return list;
  }

  offset(instant: number): number {
    const date = new Date(instant);
    let year = date.getUTCFullYear();
    if (!Number.isFinite(year)) return 0;
    if (year < firstYear || year > lastYear) {
      const near = year < firstYear ? firstYear : sameCalendar(year);
      instant = date.setUTCFullYear(near);
      year = near;
    }
    const list = this.#changes(year);
    for (let i = list.length - 1; i > 0; i--) if (instant >= list[i].at) return list[i].offset;
    return list[0].offset;
  }
}

const named = new Map<string, Zone | undefined>();

/** A zone that the runtime knows by this name, or by the end of a longer one. */
export function namedZone(name: string): Zone | undefined {
  if (name === "UTC" || name === "Etc/UTC" || name === "GMT") return utcZone;
  if (named.has(name)) return named.get(name);
  if (named.size > 2000) named.clear();
  let zone: Zone | undefined;
  // "/example.org/20070417_1/Europe/Berlin", as some programs write it.
  const words = name.split("/");
  for (const n of [3, 2]) {
    const end = words.length <= n ? name : words.slice(-n).join("/");
    // The runtime accepts offsets such as "+01:00"; as a name they would be a guess.
    if (!/^[A-Za-z][\w+\-/]{1,60}$/.test(end)) continue;
    try {
      zone = new NamedZone(end);
      zone.offset(0);
      break;
    } catch {
      zone = undefined;
    }
  }
  named.set(name, zone);
  return zone;
}

/** Most onsets expanded per rule and per description, and the last year expanded. */
const maxOnsets = 600;
const maxChanges = 6000;
const describedUntil = Date.UTC(2100, 0, 1);
/** Most parts and properties of a description; one with more is ignored. */
const maxDescription = 2000;
/** Most rules of a description that are expanded; zones with their full history have some twenty. */
const maxRules = 40;

/** "+0100", "-073000" in milliseconds. */
function utcOffset(s: string | undefined): number | undefined {
  const m = /^([+-])(\d\d)(\d\d)(\d\d)?$/.exec(s?.trim() ?? "");
  if (m === null) return undefined;
  const ms = Number(m[2]) * hour + Number(m[3]) * minute + Number(m[4] ?? 0) * second;
  return ms > 26 * hour ? undefined : m[1] === "-" ? -ms : ms;
}

/** Zones change at one time of day, once a year. */
const ofZones = (rule: Rule) =>
  rule.freq === "YEARLY" &&
  [rule.byHour, rule.byMinute, rule.bySecond, rule.bySetPos].every((l) => l.length <= 1);

/** The onsets that a VTIMEZONE describes, in order; undefined if it describes none. */
function describedChanges(component: Component): Change[] | undefined {
  const size = component.components.reduce((n, o) => n + 1 + o.properties.length, 0);
  if (size > maxDescription) return undefined;
  const changes: Change[] = [];
  let rules = 0;
  let first: number | undefined;
  let firstAt = Infinity;
  for (const o of component.components.slice(0, 200)) {
    const start = parseTime(valueOf(o, "DTSTART")?.trim() ?? "");
    const to = utcOffset(valueOf(o, "TZOFFSETTO"));
    const from = utcOffset(valueOf(o, "TZOFFSETFROM")) ?? to;
    if (start === undefined || to === undefined || from === undefined) continue;
    if (start.wall < firstAt) [firstAt, first] = [start.wall, from];
    const walls = [start.wall];
    const isFull = () => changes.length + walls.length >= maxChanges;
    for (const p of o.properties) {
      if (p.name === "RRULE") {
        const rule = parseRule(p.value);
        if (typeof rule === "string" || !ofZones(rule) || ++rules > maxRules) continue;
        const { until } = rule;
        // UNTIL is in UTC, everything else in local time (RFC 5545 §3.6.5).
        const last = until === undefined ? undefined : until.wall + (until.date ? day : from);
        let n = 0;
        for (const wall of occurrences({ ...rule, until: undefined }, start.wall, start.wall)) {
          if (last !== undefined && wall > last) break;
          if (wall > describedUntil || ++n > maxOnsets || isFull()) break;
          walls.push(wall);
        }
      } else if (p.name === "RDATE") {
        for (const v of p.value.split(",").slice(0, maxOnsets)) {
          const t = parseTime(v.split("/")[0].trim());
          if (isFull()) break;
          if (t !== undefined) walls.push(t.wall);
        }
      }
    }
    for (const wall of walls) changes.push({ at: wall - from, offset: to });
    if (changes.length >= maxChanges) break;
  }
  if (first === undefined) return undefined;
  changes.sort((a, b) => a.at - b.at);
  return [{ at: -Infinity, offset: first }, ...changes];
}

const described = new Map<string, Zone | undefined>();

/** The zone that a VTIMEZONE describes. */
export function describedZone(component: Component): Zone | undefined {
  const key = writeComponent(component);
  if (described.has(key)) return described.get(key);
  const changes = describedChanges(component);
  const zone: Zone | undefined = changes && {
    name: valueOf(component, "TZID") ?? "",
    offset(instant) {
      let [low, high] = [0, changes.length - 1];
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if (changes[middle].at <= instant) low = middle;
        else high = middle - 1;
      }
      return changes[low].offset;
    },
  };
  if (described.size >= 200) described.delete(described.keys().next().value!);
  if (key.length < 50_000) described.set(key, zone);
  return zone;
}

/** Finds the zones of a calendar by their names; unknown ones are floating. */
export class Zones {
  readonly #calendar: Component | undefined;
  /** The zone of floating times. */
  readonly floating: Zone;
  readonly #found = new Map<string, Zone>();
  readonly #unknown = new Set<string>();

  constructor(calendar: Component | undefined, floating: Zone = utcZone) {
    this.#calendar = calendar;
    this.floating = floating;
  }

  find(name: string): Zone {
    if (name === "") return this.floating;
    let zone = this.#found.get(name);
    if (zone !== undefined) return zone;
    zone = namedZone(name);
    if (zone === undefined) {
      const c = this.#calendar?.components.find((x) =>
        x.name === "VTIMEZONE" && property(x, "TZID")?.value === name
      );
      const windows = ianaNameOf(name);
      zone = (c && describedZone(c)) ?? (windows === undefined ? undefined : namedZone(windows));
    }
    if (zone === undefined) {
      this.#unknown.add(name);
      zone = this.floating;
    }
    this.#found.set(name, zone);
    return zone;
  }

  /** Whether times of a zone with this name, or without one, are in the viewer's own zone. */
  floats(name: string): boolean {
    this.find(name);
    return name === "" || this.#unknown.has(name);
  }
}
