/**
 * Parsing recurrence rules (RFC 5545 §3.3.10).
 *
 * @module
 */
import { type CalendarTime, clip, parseTime } from "./time.ts";

export const frequencies = [
  "SECONDLY",
  "MINUTELY",
  "HOURLY",
  "DAILY",
  "WEEKLY",
  "MONTHLY",
  "YEARLY",
] as const;
export type Frequency = (typeof frequencies)[number];

/** A day of the week, 0 for Sunday; the n-th one, or every one for 0. */
export interface WeekDay {
  nth: number;
  day: number;
}

export interface Rule {
  freq: Frequency;
  interval: number;
  count: number | undefined;
  until: CalendarTime | undefined;
  bySecond: number[];
  byMinute: number[];
  byHour: number[];
  byDay: WeekDay[];
  byMonthDay: number[];
  byYearDay: number[];
  byWeekNo: number[];
  byMonth: number[];
  bySetPos: number[];
  /** First day of the week, 0 for Sunday. */
  weekStart: number;
}

const dayNames = ["SU", "MO", "TU", "WE", "TH", "FR", "SA"];
/** Most values of one part of a rule. */
const maxValues = 400;

/** Numbers of a list, each within its bounds and negative only if allowed; undefined if one is invalid. */
function numbers(s: string, min: number, max: number, negative: boolean): number[] | undefined {
  const list: number[] = [];
  for (const word of s.split(",").slice(0, maxValues)) {
    if (!/^[+-]?\d{1,3}$/.test(word)) return undefined;
    const n = Number(word);
    const size = negative ? Math.abs(n) : n;
    if (size < min || size > max || (!negative && word.startsWith("-"))) return undefined;
    list.push(n);
  }
  return [...new Set(list)].sort((a, b) => a - b);
}

function weekDays(s: string): WeekDay[] | undefined {
  const list: WeekDay[] = [];
  for (const word of s.split(",").slice(0, maxValues)) {
    const m = /^([+-]?\d{1,2})?(SU|MO|TU|WE|TH|FR|SA)$/.exec(word);
    if (m === null) return undefined;
    const nth = Number(m[1] ?? 0);
    if (m[1] !== undefined && (nth === 0 || Math.abs(nth) > 53)) return undefined;
    list.push({ nth, day: dayNames.indexOf(m[2]) });
  }
  return list;
}

/** Parses a rule; returns what is wrong with it, in words, if it is invalid. */
export function parseRule(text: string): Rule | string {
  const rule: Rule = {
    freq: "DAILY",
    interval: 1,
    count: undefined,
    until: undefined,
    bySecond: [],
    byMinute: [],
    byHour: [],
    byDay: [],
    byMonthDay: [],
    byYearDay: [],
    byWeekNo: [],
    byMonth: [],
    bySetPos: [],
    weekStart: 1,
  };
  let freq: Frequency | undefined;
  const parts = text.trim().toUpperCase().replace(/;$/, "").split(";");
  const seen = new Set<string>();
  for (const part of parts.slice(0, 40)) {
    const at = part.indexOf("=");
    const [name, value] = [part.slice(0, Math.max(at, 0)).trim(), part.slice(at + 1).trim()];
    const wrong = `RRULE: ${name || clip(part)} can't be ${clip(value)}`;
    if (at < 0 || seen.has(name)) return wrong;
    seen.add(name);
    const list = (
      key:
        | "bySecond"
        | "byMinute"
        | "byHour"
        | "byMonthDay"
        | "byYearDay"
        | "byWeekNo"
        | "byMonth"
        | "bySetPos",
      min: number,
      max: number,
      negative = false,
    ) => {
      const n = numbers(value, min, max, negative);
      if (n !== undefined) rule[key] = n;
      return n !== undefined;
    };
    let right = true;
    switch (name) {
      case "FREQ":
        freq = frequencies.find((f) => f === value);
        right = freq !== undefined;
        break;
      case "INTERVAL":
        right = /^\d{1,6}$/.test(value) && Number(value) > 0;
        rule.interval = Number(value);
        break;
      case "COUNT":
        right = /^\d{1,9}$/.test(value) && Number(value) > 0;
        rule.count = Number(value);
        break;
      case "UNTIL":
        rule.until = parseTime(value);
        right = rule.until !== undefined;
        break;
      case "BYSECOND":
        right = list("bySecond", 0, 60);
        break;
      case "BYMINUTE":
        right = list("byMinute", 0, 59);
        break;
      case "BYHOUR":
        right = list("byHour", 0, 23);
        break;
      case "BYMONTHDAY":
        right = list("byMonthDay", 1, 31, true);
        break;
      case "BYYEARDAY":
        right = list("byYearDay", 1, 366, true);
        break;
      case "BYWEEKNO":
        right = list("byWeekNo", 1, 53, true);
        break;
      case "BYMONTH":
        right = list("byMonth", 1, 12);
        break;
      case "BYSETPOS":
        right = list("bySetPos", 1, 366, true);
        break;
      case "BYDAY": {
        const days = weekDays(value);
        right = days !== undefined;
        rule.byDay = days ?? [];
        break;
      }
      case "WKST":
        rule.weekStart = dayNames.indexOf(value);
        right = rule.weekStart >= 0;
        break;
      case "RSCALE":
        right = value === "GREGORIAN";
        break;
      case "SKIP":
        right = value === "OMIT";
        break;
      default:
        // Experimental parts (X-…) of old programs don't affect times.
        right = name.startsWith("X-");
    }
    if (!right) return wrong;
  }
  if (freq === undefined) return "RRULE has no FREQ";
  rule.freq = freq;
  return rule;
}
