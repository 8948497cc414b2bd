/**
 * Recurrence rules (RFC 5545 §3.3.10): local times, one after the other, from any time on. Rules without COUNT
 * begin near that time instead of at their start; a search without results ends after a while.
 *
 * @module
 */
import { day, hour, minute, second } from "./time.ts";
import type { Rule } from "./recurrence_rule.ts";

/** Most times of one period. */
const maxSet = 50_000;
/** Most steps of rules below a day in search of the next time. */
const maxEmpty = 20_000;
/** Most days searched for the next time, for rules of a day and more: a hundred years. */
const maxEmptyDays = 36_600;
/** Most times of a rule with COUNT that are generated before the first requested one. */
const maxCounted = 200_000;
/** Nothing is after the year 9999. */
const endOfTime = Date.UTC(9999, 11, 31);

/** A year for the rules. */
interface Year {
  start: number;
  length: number;
}

const years = new Map<number, Year>();
function yearOf(year: number): Year {
  let y = years.get(year);
  if (y === undefined) {
    const start = Date.UTC(year, 0, 1);
    y = { start, length: (Date.UTC(year + 1, 0, 1) - start) / day };
    if (years.size > 500) years.clear();
    years.set(year, y);
  }
  return y;
}

const weekdayOf = (wall: number) => ((Math.floor(wall / day) + 4) % 7 + 7) % 7;
const modulo = (a: number, b: number) => ((a % b) + b) % b;

/** Start of week 1 (RFC 5545: the first with four days in the year), and the number of weeks. */
function weeksOf(year: number, weekStart: number): { first: number; weeks: number } {
  const firstOf = (y: number) => {
    const { start } = yearOf(y);
    const gap = modulo(weekdayOf(start) - weekStart, 7);
    return gap <= 3 ? start - gap * day : start + (7 - gap) * day;
  };
  const first = firstOf(year);
  return { first, weeks: Math.round((firstOf(year + 1) - first) / (7 * day)) };
}

/** A day: its local midnight, and its position in the month. */
interface Day {
  wall: number;
  year: number;
  /** Starts at 0. */
  month: number;
  /** Starts at 1. */
  date: number;
  monthLength: number;
}

const monthLength = (year: number, month: number) =>
  month === 1
    ? (year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28)
    : month === 3 || month === 5 || month === 8 || month === 10
    ? 30
    : 31;

function dayOf(wall: number): Day {
  const d = new Date(wall);
  const [year, month] = [d.getUTCFullYear(), d.getUTCMonth()];
  return { wall, year, month, date: d.getUTCDate(), monthLength: monthLength(year, month) };
}

/** Whether a day matches the parts of the rule that limit days. */
function dayMatcher(rule: Rule): (d: Day) => boolean {
  const { byMonth, byMonthDay, byYearDay, byWeekNo, byDay, freq, weekStart } = rule;
  const nthOfMonth = freq === "MONTHLY" || freq === "YEARLY" && byMonth.length > 0;
  const nthOfYear = freq === "YEARLY" && byMonth.length === 0 && byWeekNo.length === 0;
  return ({ wall, year, month, date, monthLength }) => {
    if (byMonth.length > 0 && !byMonth.includes(month + 1)) return false;
    if (
      byMonthDay.length > 0 && !byMonthDay.includes(date) &&
      !byMonthDay.includes(date - monthLength - 1)
    ) return false;
    if (byYearDay.length > 0) {
      const { start, length } = yearOf(year);
      const n = (wall - start) / day + 1;
      if (!byYearDay.includes(n) && !byYearDay.includes(n - length - 1)) return false;
    }
    if (byWeekNo.length > 0) {
      // The first days of a year may be in the last week of the previous year, and the last days in the first
      // week of the next.
      let { first, weeks } = weeksOf(year, weekStart);
      if (wall < first) ({ first, weeks } = weeksOf(year - 1, weekStart));
      else if (wall >= first + weeks * 7 * day) ({ first, weeks } = weeksOf(year + 1, weekStart));
      const n = Math.floor((wall - first) / (7 * day)) + 1;
      if (!byWeekNo.includes(n) && !byWeekNo.includes(n - weeks - 1)) return false;
    }
    if (byDay.length > 0) {
      const weekday = weekdayOf(wall);
      const found = byDay.some((w) => {
        if (w.day !== weekday) return false;
        if (w.nth === 0 || !(nthOfMonth || nthOfYear)) return true;
        const [index, length] = nthOfMonth
          ? [date - 1, monthLength]
          : [(wall - yearOf(year).start) / day, yearOf(year).length];
        return w.nth > 0
          ? Math.floor(index / 7) + 1 === w.nth
          : Math.floor((length - 1 - index) / 7) + 1 === -w.nth;
      });
      if (!found) return false;
    }
    return true;
  };
}

/** A rule completed from its start (RFC 5545: "information … from DTSTART"). */
function completed(rule: Rule, start: number): Rule {
  const d = new Date(start);
  const r = { ...rule };
  const days = r.byDay.length + r.byMonthDay.length + r.byYearDay.length + r.byWeekNo.length > 0;
  switch (r.freq) {
    case "YEARLY":
      if (!days) {
        if (r.byMonth.length === 0) r.byMonth = [d.getUTCMonth() + 1];
        r.byMonthDay = [d.getUTCDate()];
      } else if (
        r.byWeekNo.length > 0 && r.byDay.length + r.byMonthDay.length +
              r.byYearDay.length === 0
      ) {
        r.byDay = [{ nth: 0, day: d.getUTCDay() }];
      }
      break;
    case "MONTHLY":
      if (!days) r.byMonthDay = [d.getUTCDate()];
      break;
    case "WEEKLY":
      if (r.byDay.length === 0) r.byDay = [{ nth: 0, day: d.getUTCDay() }];
      break;
  }
  return r;
}

/** Times of a day, in milliseconds, in order. */
function timesOf(rule: Rule, start: number): number[] {
  const d = new Date(start);
  const or = (list: number[], n: number) => list.length > 0 ? list : [n];
  const times: number[] = [];
  for (const h of or(rule.byHour, d.getUTCHours())) {
    for (const m of or(rule.byMinute, d.getUTCMinutes())) {
      for (const s of or(rule.bySecond, d.getUTCSeconds())) {
        times.push(h * hour + m * minute + Math.min(s, 59) * second);
        if (times.length > 5000) return times;
      }
    }
  }
  return [...new Set(times)].sort((a, b) => a - b);
}

/** Picks positions of a set (BYSETPOS). */
function positions(set: number[], bySetPos: number[]): number[] {
  if (bySetPos.length === 0) return set;
  const found = new Set<number>();
  for (const p of bySetPos) {
    const t = p > 0 ? set[p - 1] : set[set.length + p];
    if (t !== undefined) found.add(t);
  }
  return [...found].sort((a, b) => a - b);
}

/** Days of a month that a rule may choose. */
function* daysOfMonth(rule: Rule, year: number, month: number): Generator<Day> {
  if (rule.byMonth.length > 0 && !rule.byMonth.includes(month + 1)) return;
  const length = monthLength(year, month);
  const first = Date.UTC(year, month, 1);
  const one = (date: number): Day => ({
    wall: first + (date - 1) * day,
    year,
    month,
    date,
    monthLength: length,
  });
  if (rule.byMonthDay.length > 0) {
    const dates = rule.byMonthDay.map((n) => n > 0 ? n : length + 1 + n);
    for (const n of [...new Set(dates)].sort((a, b) => a - b)) {
      if (n >= 1 && n <= length) yield one(n);
    }
  } else for (let n = 1; n <= length; n++) yield one(n);
}

/** The days of the n-th period from the start on that a rule may choose, and how long the period is. */
function period(
  rule: Rule,
  start: number,
  n: number,
): { first: number; days: Iterable<Day>; length: number } {
  const d = new Date(start);
  const i = n * rule.interval;
  switch (rule.freq) {
    case "YEARLY": {
      const year = d.getUTCFullYear() + i;
      const months = function* () {
        for (let m = 0; m < 12; m++) yield* daysOfMonth(rule, year, m);
      };
      return { first: yearOf(year).start, days: months(), length: 366 };
    }
    case "MONTHLY": {
      const first = new Date(Date.UTC(d.getUTCFullYear(), d.getUTCMonth() + i, 1));
      const days = daysOfMonth(rule, first.getUTCFullYear(), first.getUTCMonth());
      return { first: first.getTime(), days, length: 31 };
    }
    case "WEEKLY": {
      const midnight = Math.floor(start / day) * day;
      const week = midnight - modulo(weekdayOf(midnight) - rule.weekStart, 7) * day + i * 7 * day;
      const days = [0, 1, 2, 3, 4, 5, 6].map((k) => dayOf(week + k * day));
      return { first: week, days, length: 7 };
    }
    default: {
      const first = Math.floor(start / day) * day + i * day;
      return { first, days: [dayOf(first)], length: 1 };
    }
  }
}

/** Number of the period that contains a time, or of one shortly before. */
function periodAt(rule: Rule, start: number, from: number): number {
  if (from <= start) return 0;
  const [a, b] = [new Date(start), new Date(from)];
  const yearsBetween = b.getUTCFullYear() - a.getUTCFullYear();
  const n = rule.freq === "YEARLY"
    ? yearsBetween
    : rule.freq === "MONTHLY"
    ? yearsBetween * 12 + b.getUTCMonth() - a.getUTCMonth()
    : Math.floor((from - start) / (rule.freq === "WEEKLY" ? 7 * day : day));
  return Math.max(0, Math.floor(n / rule.interval) - 1);
}

/**
 * Milliseconds between the times of a rule with a constant interval of days or weeks, as most rules have;
 * undefined for others.
 */
function evenGap(rule: Rule, start: number): number | undefined {
  const others = rule.bySetPos.length + rule.byMonth.length + rule.byMonthDay.length +
    rule.byYearDay.length +
    rule.byWeekNo.length + rule.byHour.length + rule.byMinute.length + rule.bySecond.length;
  if (others > 0) return undefined;
  if (rule.freq === "DAILY") return rule.byDay.length === 0 ? rule.interval * day : undefined;
  if (rule.freq !== "WEEKLY" || rule.byDay.length !== 1) return undefined;
  const [{ nth, day: weekday }] = rule.byDay;
  return nth === 0 && weekday === weekdayOf(start) ? 7 * rule.interval * day : undefined;
}

/** Equally spaced times, from near `from` to `to`. */
function* evenly(gap: number, start: number, from: number, to: number): Generator<number> {
  let at = start + (from <= start ? 0 : Math.floor((from - start) / gap)) * gap;
  for (; at < endOfTime && at <= to; at += gap) yield at;
}

/** Times of a rule of days or longer periods, from near `from` to `to`. */
function* byDays(rule: Rule, start: number, from: number, to: number): Generator<number> {
  const matches = dayMatcher(rule);
  const times = timesOf(rule, start);
  let empty = 0;
  for (let n = periodAt(rule, start, from); empty < maxEmptyDays; n++) {
    const { first, days, length } = period(rule, start, n);
    if (!(first < endOfTime && first <= to)) return;
    const set: number[] = [];
    for (const d of days) {
      if (!matches(d)) continue;
      for (const t of times) set.push(d.wall + t);
      if (set.length > maxSet) break;
    }
    const chosen = positions(set, rule.bySetPos);
    empty = chosen.length > 0 ? 0 : empty + length;
    yield* chosen;
  }
}

/** Times of rules of hours, minutes and seconds. */
function* byTimes(rule: Rule, start: number, from: number, to: number): Generator<number> {
  const matches = dayMatcher(rule);
  const unit = { SECONDLY: second, MINUTELY: minute, HOURLY: hour }[rule.freq as "HOURLY"];
  const step = unit * rule.interval;
  const hours = new Set(rule.byHour);
  const minutes = new Set(rule.byMinute);
  const seconds = new Set(rule.bySecond.map((s) => Math.min(s, 59)));
  const d = new Date(start);
  const within = (at: number): number[] => {
    if (rule.freq === "SECONDLY") return [at];
    const s = seconds.size > 0 ? [...seconds].sort((a, b) => a - b) : [d.getUTCSeconds()];
    if (rule.freq === "MINUTELY") {
      const base = Math.floor(at / minute) * minute;
      return s.map((x) => base + x * second);
    }
    const base = Math.floor(at / hour) * hour;
    const m = minutes.size > 0 ? [...minutes].sort((a, b) => a - b) : [d.getUTCMinutes()];
    return m.flatMap((x) => s.map((y) => base + x * minute + y * second));
  };
  let empty = 0;
  let at = from <= start
    ? start
    : start + Math.max(0, Math.floor((from - start) / step) - 1) * step;
  while (empty < maxEmpty && at < endOfTime && at <= to + day) {
    const midnight = Math.floor(at / day) * day;
    /** The next step that could match. */
    let skipTo = at + step;
    let set: number[] = [];
    if (!matches(dayOf(midnight))) skipTo = midnight + day;
    else if (hours.size > 0 && !hours.has(new Date(at).getUTCHours())) {
      skipTo = (Math.floor(at / hour) + 1) * hour;
    } else if (
      rule.freq !== "HOURLY" && minutes.size > 0 && !minutes.has(new Date(at).getUTCMinutes())
    ) skipTo = (Math.floor(at / minute) + 1) * minute;
    else if (
      rule.freq !== "SECONDLY" || seconds.size === 0 || seconds.has(new Date(at).getUTCSeconds())
    ) set = positions(within(at), rule.bySetPos);
    empty = set.length > 0 ? 0 : empty + 1;
    yield* set;
    at += Math.max(1, Math.ceil((skipTo - at) / step)) * step;
  }
}

/**
 * Local times of a rule with a given start, from another time on, in order. The start is the first of them,
 * whether or not the rule would produce it. `until` is a local time. None is after `to`; without it, endless
 * rules run to the year 9999: the caller has to stop.
 */
export function* occurrences(
  rule: Rule,
  start: number,
  from: number,
  to = Infinity,
): Generator<number> {
  const r = completed(rule, start);
  const until = r.until === undefined
    ? Infinity
    : r.until.date
    ? r.until.wall + day - 1
    : r.until.wall;
  let left = r.count ?? Infinity;
  let passed = 0;
  const low = r.freq === "SECONDLY" || r.freq === "MINUTELY" || r.freq === "HOURLY";
  // With COUNT all of them must be generated.
  const begin = r.count === undefined ? from : start;
  if (start >= from) yield start;
  left--;
  let last = start;
  const gap = low ? undefined : evenGap(r, start);
  const times = gap !== undefined
    ? evenly(gap, start, begin, to)
    : low
    ? byTimes(r, start, begin, to)
    : byDays(r, start, begin, to);
  for (const t of times) {
    if (t <= last) continue;
    if (t > until || t > to || left-- <= 0) return;
    last = t;
    if (t >= from) yield t;
    else if (++passed > maxCounted) return;
  }
}
