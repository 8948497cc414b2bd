/** Recurrence rules of JSCalendar (RFC 8984 §4.3.3) and iCalendar; local times and durations. @module */
import { parseRule, type Rule } from "../calendar/recurrence_rule.ts";
import { formatTime } from "../calendar/time.ts";
import { toInstant, type Zone } from "../calendar/zones.ts";

type JsonObject = Record<string, unknown>;

const days = ["su", "mo", "tu", "we", "th", "fr", "sa"];

/** A local time as LocalDateTime. */
export function localTime(wall: number): string {
  return new Date(wall).toISOString().slice(0, 19);
}

/** Milliseconds of a LocalDateTime, as if it were UTC; undefined if invalid. */
export function wallOfLocal(s: unknown): number | undefined {
  if (typeof s !== "string" || !/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d$/.test(s)) return undefined;
  const at = Date.parse(`${s}Z`);
  return Number.isNaN(at) || localTime(at) !== s ? undefined : at;
}

/** A rule in JSCalendar's form; undefined if unreadable. `text` is the line's value. */
export function ruleFrom(text: string, toLocal: (utc: number) => number): JsonObject | undefined {
  const r = parseRule(text);
  if (typeof r === "string") return undefined;
  const until = r.until === undefined
    ? undefined
    : r.until.zone === "UTC"
    ? toLocal(r.until.wall)
    : r.until.wall;
  const some = (name: string, list: readonly unknown[]) =>
    list.length === 0 ? {} : { [name]: list };
  return {
    "@type": "RecurrenceRule",
    frequency: r.freq.toLowerCase(),
    ...(r.interval === 1 ? {} : { interval: r.interval }),
    ...(r.weekStart === 1 ? {} : { firstDayOfWeek: days[r.weekStart] }),
    ...some(
      "byDay",
      r.byDay.map((day) => ({
        "@type": "NDay",
        day: days[day.day],
        ...(day.nth === 0 ? {} : { nthOfPeriod: day.nth }),
      })),
    ),
    ...some("byMonthDay", r.byMonthDay),
    ...some("byMonth", r.byMonth.map(String)),
    ...some("byYearDay", r.byYearDay),
    ...some("byWeekNo", r.byWeekNo),
    ...some("byHour", r.byHour),
    ...some("byMinute", r.byMinute),
    ...some("bySecond", r.bySecond),
    ...some("bySetPosition", r.bySetPos),
    ...(r.count === undefined ? {} : { count: r.count }),
    ...(until === undefined ? {} : { until: localTime(until) }),
  };
}

const lists: Readonly<Record<string, string>> = {
  byMonthDay: "BYMONTHDAY",
  byMonth: "BYMONTH",
  byYearDay: "BYYEARDAY",
  byWeekNo: "BYWEEKNO",
  byHour: "BYHOUR",
  byMinute: "BYMINUTE",
  bySecond: "BYSECOND",
  bySetPosition: "BYSETPOS",
};

/**
 * A rule as a line's value; if it is invalid, an object that says what is wrong.
 * @param zone zone of the start; undefined for dates and floating times, whose UNTIL has no zone
 */
export function ruleTo(
  object: JsonObject,
  o: { zone: Zone | undefined; date: boolean },
): string | { problem: string } {
  const wrong = (problem: string) => ({ problem });
  if (typeof object.frequency !== "string") return wrong("a rule has no frequency");
  const parts = [`FREQ=${object.frequency.toUpperCase()}`];
  if (object.rscale !== undefined && object.rscale !== "gregorian") {
    return wrong("only gregorian is known");
  }
  if (object.skip !== undefined && object.skip !== "omit") return wrong("only skip: omit is known");
  if (object.interval !== undefined) parts.push(`INTERVAL=${Number(object.interval)}`);
  if (object.firstDayOfWeek !== undefined) {
    parts.push(`WKST=${String(object.firstDayOfWeek).toUpperCase()}`);
  }
  if (Array.isArray(object.byDay)) {
    const list = object.byDay.map((d) =>
      typeof d === "object" && d !== null
        ? `${(d as JsonObject).nthOfPeriod ?? ""}${String((d as JsonObject).day).toUpperCase()}`
        : "?"
    );
    parts.push(`BYDAY=${list.join(",")}`);
  }
  for (const [name, key] of Object.entries(lists)) {
    if (object[name] === undefined) continue;
    if (!Array.isArray(object[name])) return wrong(`${name} is not a list`);
    parts.push(`${key}=${(object[name] as unknown[]).map(String).join(",")}`);
  }
  if (object.count !== undefined) parts.push(`COUNT=${Number(object.count)}`);
  if (object.until !== undefined) {
    const wall = wallOfLocal(object.until);
    if (wall === undefined) return wrong("until is not a local time");
    parts.push(
      `UNTIL=${
        o.date
          ? formatTime({ wall, date: true, zone: "" })
          : o.zone === undefined
          ? formatTime({ wall, date: false, zone: "" })
          : formatTime({ wall: toInstant(o.zone, wall), date: false, zone: "UTC" })
      }`,
    );
  }
  const text = parts.join(";");
  const parsed: Rule | string = /[\r\n]/.test(text) ? "line breaks" : parseRule(text);
  return typeof parsed === "string" ? wrong(parsed.slice(0, 200)) : text;
}
