/** VTIMEZONE for a zone that the runtime knows (RFC 5545 §3.6.5). @module */
import { type Component, newProperty, param, valueOf } from "../contentline/component.ts";
import { day, formatTime, minute } from "./time.ts";
import { namedZone, utcZone, type Zone } from "./zones.ts";

/** Years covered, starting with the one before the event's. */
const years = 12;

/** A change of the clock: at this instant, from one offset to another. */
interface Change {
  at: number;
  from: number;
  to: number;
}

function changes(zone: Zone, from: number, to: number): Change[] {
  const found: Change[] = [];
  let before = zone.offset(from);
  // Weekly steps: Ramadan suspends summer time for about four weeks.
  for (let at = from; at < to; at += 7 * day) {
    const end = Math.min(at + 7 * day, to);
    const after = zone.offset(end);
    if (after === before) continue;
    let [low, high] = [at, end];
    while (high - low > minute) {
      const middle = Math.floor((low + high) / 2 / minute) * minute;
      if (middle <= low) break;
      if (zone.offset(middle) === before) low = middle;
      else high = middle;
    }
    found.push({ at: high, from: before, to: after });
    before = after;
  }
  return found;
}

function offsetText(ms: number): string {
  const two = (n: number) => String(n).padStart(2, "0");
  const minutes = Math.abs(Math.round(ms / minute));
  return `${ms < 0 ? "-" : "+"}${two(Math.floor(minutes / 60))}${two(minutes % 60)}`;
}

const days = ["SU", "MO", "TU", "WE", "TH", "FR", "SA"];

/** Which weekday of its month a local time is: counted from the start, and -1 if it is the last. */
function placeOf(wall: number) {
  const d = new Date(wall);
  const length = new Date(Date.UTC(d.getUTCFullYear(), d.getUTCMonth() + 1, 0)).getUTCDate();
  return {
    month: d.getUTCMonth() + 1,
    day: d.getUTCDay(),
    nth: Math.ceil(d.getUTCDate() / 7),
    last: d.getUTCDate() + 7 > length,
    time: ((wall % day) + day) % day,
  };
}

/** The yearly rule that produces all these local times, one each year; undefined if there is none. */
function yearly(walls: readonly number[]): string | undefined {
  if (walls.length < years - 1) return undefined;
  const all = walls.map(placeOf);
  const [first] = all;
  const same = all.every((p) =>
    p.month === first.month && p.day === first.day && p.time === first.time
  );
  if (!same || new Set(walls.map((w) => new Date(w).getUTCFullYear())).size !== walls.length) {
    return undefined;
  }
  const nth = all.every((p) => p.last)
    ? -1
    : all.every((p) => p.nth === first.nth)
    ? first.nth
    : undefined;
  return nth === undefined
    ? undefined
    : `FREQ=YEARLY;BYMONTH=${first.month};BYDAY=${nth}${days[first.day]}`;
}

/** Describes a zone for an event that begins at a time: exact for the years around it. */
export function zoneComponent(zone: Zone, about: number): Component {
  const year = new Date(about).getUTCFullYear();
  const start = Date.UTC(year - 1, 0, 1);
  const found = changes(zone, start, Date.UTC(year - 1 + years, 0, 1));
  const part = (
    name: string,
    from: number,
    to: number,
    wall: number,
    rest: Component["properties"],
  ) => ({
    name,
    properties: [
      newProperty("DTSTART", formatTime({ wall, date: false, zone: "" })),
      newProperty("TZOFFSETFROM", offsetText(from)),
      newProperty("TZOFFSETTO", offsetText(to)),
      ...rest,
    ],
    components: [],
  });
  const first = zone.offset(start);
  const components: Component[] = [];
  const groups = Map.groupBy(found, (c) => `${c.from} ${c.to}`);
  // The offset before the first change; a zone without changes has only this.
  components.push(part("STANDARD", first, first, start + first, []));
  for (const list of groups.values()) {
    const [{ from, to }] = list;
    const walls = list.map((c) => c.at + from);
    const rule = yearly(walls);
    const more = rule !== undefined
      ? [newProperty("RRULE", rule)]
      : walls.slice(1).map((wall) =>
        newProperty("RDATE", formatTime({ wall, date: false, zone: "" }))
      );
    components.push(part(to > from ? "DAYLIGHT" : "STANDARD", from, to, walls[0], more));
  }
  return { name: "VTIMEZONE", properties: [newProperty("TZID", zone.name)], components };
}

/**
 * Adds descriptions of the zones that times name and that aren't described yet. Zones that nobody knows are left out.
 * @param about as for {@link zoneComponent}
 */
export function withZoneDescriptions(calendar: Component, about: number): Component {
  const known = new Set(
    calendar.components.filter((c) => c.name === "VTIMEZONE").map((c) => valueOf(c, "TZID")),
  );
  const missing = new Set<string>();
  for (const c of calendar.components) {
    for (const p of c.properties) {
      const id = param(p, "TZID");
      if (id !== undefined && !known.has(id)) missing.add(id);
    }
  }
  const made = [...missing].flatMap((id) => {
    const zone = namedZone(id);
    if (zone === undefined || zone === utcZone) return [];
    const description = zoneComponent(zone, about);
    // Under the exact name that the times use.
    return [{
      ...description,
      properties: [
        newProperty("TZID", id),
        ...description.properties.filter((p) => p.name !== "TZID"),
      ],
    }];
  });
  return { ...calendar, components: [...made, ...calendar.components] };
}
