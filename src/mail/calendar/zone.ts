/**
 * Times of a calendar in milliseconds: by the zone's name if it is known here, or by the calendar's own
 * description (RFC 5545 §3.6.5), with the rules that zones really have: once a year, on the n-th weekday of a
 * month. Rules of other kinds are not expanded: a message must not keep the server busy.
 *
 * @module
 */
import ICAL from "ical.js";
import { ianaNameOf } from "./windows_zones.ts";
import { zoneClock } from "./zone_clock.ts";

const days = ["SU", "MO", "TU", "WE", "TH", "FR", "SA"];
/** Most changes of a zone that are read. */
const maxChanges = 200;

/** A local time, as if it were UTC. */
function wall(time: ICAL.Time): number {
  return Date.UTC(time.year, time.month - 1, time.day, time.hour, time.minute, time.second);
}

/** A change of a zone's offset. */
interface ZoneChange {
  /** Local milliseconds of the first occurrence. */
  start: number;
  /** Milliseconds east of Greenwich from then on. */
  offset: number;
  /** It recurs each year. */
  rule: { month: number; nth: number; day: number } | undefined;
  until: number;
  /** Other local times at which it occurs. */
  others: number[];
}

function changeOf(component: ICAL.Component): ZoneChange | undefined {
  const start = component.getFirstPropertyValue("dtstart");
  const to = component.getFirstPropertyValue("tzoffsetto");
  if (!(start instanceof ICAL.Time) || !(to instanceof ICAL.UtcOffset)) return undefined;
  const text = String(component.getFirstPropertyValue("rrule") ?? "").toUpperCase().slice(0, 300);
  const field = (name: string) => new RegExp(`(?:^|;)${name}=([^;]*)`).exec(text)?.[1] ?? "";
  const byDay = /^([+-]?[1-5])(SU|MO|TU|WE|TH|FR|SA)$/.exec(field("BYDAY"));
  const month = Number(field("BYMONTH"));
  const yearly = field("FREQ") === "YEARLY" && byDay !== null && month >= 1 && month <= 12;
  const others = component.getAllProperties("rdate").slice(0, maxChanges)
    .flatMap((p) => p.getValues().slice(0, maxChanges))
    .flatMap((t: unknown) => t instanceof ICAL.Time ? [wall(t)] : []);
  const until = /^(\d{4})(\d{2})(\d{2})/.exec(field("UNTIL"));
  return {
    start: wall(start),
    offset: to.toSeconds() * 1000,
    rule: yearly ? { month, nth: Number(byDay[1]), day: days.indexOf(byDay[2]) } : undefined,
    until: until === null
      ? Infinity
      : Date.UTC(Number(until[1]), Number(until[2]) - 1, Number(until[3]) + 1),
    others,
  };
}

/** The local time at which it occurs in a year; undefined if it doesn't. */
function inYear(change: ZoneChange, year: number): number | undefined {
  const first = new Date(change.start);
  if (change.rule === undefined) return first.getUTCFullYear() === year ? change.start : undefined;
  if (year < first.getUTCFullYear()) return undefined;
  const { month, nth, day } = change.rule;
  const edge = new Date(Date.UTC(year, nth > 0 ? month - 1 : month, nth > 0 ? 1 : 0));
  const gap = nth > 0 ? (day - edge.getUTCDay() + 7) % 7 : (edge.getUTCDay() - day + 7) % 7;
  const date = nth > 0
    ? edge.getUTCDate() + gap + 7 * (nth - 1)
    : edge.getUTCDate() - gap + 7 * (nth + 1);
  const at = Date.UTC(
    edge.getUTCFullYear(),
    month - 1,
    date,
    first.getUTCHours(),
    first.getUTCMinutes(),
    first.getUTCSeconds(),
  );
  return at > change.until ? undefined : at;
}

/** Milliseconds east of Greenwich at a local time, by the calendar's description. */
function describedOffset(zone: ICAL.Component, at: number): number | undefined {
  const changes = [...zone.getAllSubcomponents("standard"), ...zone.getAllSubcomponents("daylight")]
    .slice(0, maxChanges).flatMap((c) => changeOf(c) ?? []);
  let best: { at: number; offset: number } | undefined;
  const year = new Date(at).getUTCFullYear();
  for (const c of changes) {
    // Without a rule it applies from its start on.
    const onsets = c.rule === undefined
      ? [c.start, ...c.others]
      : [inYear(c, year), inYear(c, year - 1), ...c.others];
    for (const on of onsets) {
      if (on !== undefined && on <= at && (best === undefined || on > best.at)) {
        best = { at: on, offset: c.offset };
      }
    }
  }
  return best?.offset ?? changes.sort((a, b) => a.start - b.start)[0]?.offset;
}

/** Milliseconds east of Greenwich at a local time, for a zone known to this program. */
function knownOffset(name: string, at: number): number | undefined {
  try {
    const offset = zoneClock(name);
    // Near a change the first guess may be on the wrong side of it.
    return offset(at - offset(at));
  } catch {
    return undefined;
  }
}

/** Milliseconds since the epoch of a property's time; undefined if it has none. */
export function instant(calendar: ICAL.Component, property: ICAL.Property): number | undefined {
  const t = property.getFirstValue();
  if (!(t instanceof ICAL.Time)) return undefined;
  const at = wall(t);
  if (!Number.isFinite(at) || t.isDate || t.zone === ICAL.Timezone.utcTimezone) return at;
  const name = String(property.getParameter("tzid") ?? "");
  if (name === "") return at;
  const described = calendar.getAllSubcomponents("vtimezone")
    .find((z) => z.getFirstPropertyValue("tzid") === name);
  const windows = ianaNameOf(name);
  const offset = knownOffset(name, at) ??
    (described === undefined ? undefined : describedOffset(described, at)) ??
    (windows === undefined ? undefined : knownOffset(windows, at));
  return at - (offset ?? 0);
}
