/**
 * Free and busy times (RFC 4791 §7.10, RFC 6638 §5): from the objects in a time span, merged.
 *
 * @module
 */
import { type Component, newProperty, param, valueOf } from "../contentline/component.ts";
import { inRange, type TimeRange } from "./filter.ts";
import { type Instance, periods, type Series } from "./series.ts";
import { day, formatUtc } from "./time.ts";

export type BusyKind = "BUSY" | "BUSY-TENTATIVE" | "BUSY-UNAVAILABLE";

export interface Busy extends TimeRange {
  kind: BusyKind;
}

/** Busy by an event, or one of its dates. */
export interface BusyInstance extends Busy {
  instance?: Instance;
}

/**
 * The busy times of an object in a span. `me` says whether an address is the owner's: declined events aren't
 * busy. `attendingOnly` leaves out events that the owner has neither accepted nor perhaps accepted.
 */
export function busyTimes(
  series: Series,
  range: TimeRange,
  me: (address: string) => boolean = () => false,
  attendingOnly = false,
): BusyInstance[] {
  const found: BusyInstance[] = [];
  if (series.kind === "VEVENT") {
    for (const i of series.instances(range.start, range.end)) {
      if (i.start === undefined || !inRange(series, i, range)) continue;
      const c = i.component;
      const status = valueOf(c, "STATUS")?.trim().toUpperCase();
      if (valueOf(c, "TRANSP")?.trim().toUpperCase() === "TRANSPARENT") continue;
      if (status === "CANCELLED") continue;
      const mine = c.properties.find((p) =>
        p.name === "ATTENDEE" && me(p.value.replace(/^mailto:/i, "").trim())
      );
      const answer = mine && param(mine, "PARTSTAT")?.toUpperCase();
      if (answer === "DECLINED") continue;
      if (attendingOnly && answer !== "ACCEPTED" && answer !== "TENTATIVE") continue;
      const end = i.end ?? (i.allDay ? i.start + day : i.start);
      if (end <= i.start) continue;
      const tentative = status === "TENTATIVE" || answer === "TENTATIVE" ||
        answer === "NEEDS-ACTION";
      found.push({
        start: Math.max(i.start, range.start),
        end: Math.min(end, range.end),
        kind: tentative ? "BUSY-TENTATIVE" : "BUSY",
        instance: i,
      });
    }
  } else if (series.kind === "VFREEBUSY") {
    for (const c of series.calendar.components) {
      for (const p of c.name === "VFREEBUSY" ? c.properties : []) {
        if (p.name !== "FREEBUSY") continue;
        const type = (param(p, "FBTYPE") ?? "BUSY").toUpperCase();
        if (type === "FREE") continue;
        const kind: BusyKind = type === "BUSY-TENTATIVE" || type === "BUSY-UNAVAILABLE"
          ? type
          : "BUSY";
        for (const x of periods(p, series.zones)) {
          if (x.start < range.end && x.end > range.start) {
            const [start, end] = [Math.max(x.start, range.start), Math.min(x.end, range.end)];
            found.push({ start, end, kind });
          }
        }
      }
    }
  }
  return found;
}

const order: BusyKind[] = ["BUSY", "BUSY-UNAVAILABLE", "BUSY-TENTATIVE"];

/** Times of each kind, merged where they touch; certainly busy times are not also listed as tentative. */
export function joined(list: readonly Busy[]): Busy[] {
  const result: Busy[] = [];
  for (const kind of order) {
    let mine: TimeRange[] = [];
    for (const b of list.filter((x) => x.kind === kind).sort((a, c) => a.start - c.start)) {
      const last = mine.at(-1);
      if (last !== undefined && b.start <= last.end) last.end = Math.max(last.end, b.end);
      else mine.push({ start: b.start, end: b.end });
    }
    if (result.length > 0) mine = without(mine, [...result].sort((a, b) => a.start - b.start));
    result.push(...mine.map((x) => ({ ...x, kind })));
  }
  return result;
}

/** Spans minus others (in order). */
function without(spans: readonly TimeRange[], taken: readonly TimeRange[]): TimeRange[] {
  const left: TimeRange[] = [];
  let from = 0;
  for (const s of spans) {
    let { start } = s;
    while (from < taken.length && taken[from].end <= start) from++;
    for (let i = from; i < taken.length && taken[i].start < s.end; i++) {
      if (taken[i].start > start) left.push({ start, end: taken[i].start });
      start = Math.max(start, taken[i].end);
    }
    if (start < s.end) left.push({ start, end: s.end });
  }
  return left;
}

/** A VFREEBUSY component of a span. */
export function freeBusyComponent(range: TimeRange, busy: readonly Busy[], now: number): Component {
  const properties = [
    newProperty("DTSTAMP", formatUtc(now)),
    newProperty("DTSTART", formatUtc(range.start)),
    newProperty("DTEND", formatUtc(range.end)),
  ];
  for (const kind of order) {
    const list = busy.filter((b) => b.kind === kind);
    for (let i = 0; i < list.length; i += 50) {
      const value = list.slice(i, i + 50).map((b) => `${formatUtc(b.start)}/${formatUtc(b.end)}`);
      properties.push(
        newProperty("FREEBUSY", value.join(","), kind === "BUSY" ? {} : { FBTYPE: kind }),
      );
    }
  }
  return { name: "VFREEBUSY", properties, components: [] };
}

/** A calendar around components, with the properties that every calendar needs. */
export function newCalendar(components: Component[], method?: string): Component {
  return {
    name: "VCALENDAR",
    properties: [
      newProperty("VERSION", "2.0"),
      newProperty("PRODID", "-//mox//mox for Deno//EN"),
      ...(method === undefined ? [] : [newProperty("METHOD", method)]),
    ],
    components,
  };
}
