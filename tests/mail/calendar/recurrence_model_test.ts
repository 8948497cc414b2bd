/**
 * Rules of recurrence beside a second reading of RFC 5545 §3.3.10 that is slow and simple: it looks at each day by
 * itself, whether the rule wants it.
 */
import assert from "node:assert/strict";
import { fc } from "../../support/fast_check.ts";
import { occurrences } from "../../../src/mail/calendar/recurrence.ts";
import { parseRule } from "../../../src/mail/calendar/recurrence_rule.ts";

const day = 86_400_000;
const names = ["SU", "MO", "TU", "WE", "TH", "FR", "SA"];

interface Asked {
  freq: "DAILY" | "WEEKLY" | "MONTHLY" | "YEARLY";
  interval: number;
  byMonth: number[];
  byWeekNo: number[];
  byYearDay: number[];
  byMonthDay: number[];
  /** With a number before it, or 0. */
  byDay: [nth: number, day: number][];
  byHour: number[];
  bySetPos: number[];
  weekStart: number;
}

function ruleText(r: Asked): string {
  const part = (name: string, list: unknown[]) => list.length > 0 ? `;${name}=${list.join()}` : "";
  return `FREQ=${r.freq};INTERVAL=${r.interval};WKST=${names[r.weekStart]}` +
    part("BYMONTH", r.byMonth) + part("BYWEEKNO", r.byWeekNo) + part("BYYEARDAY", r.byYearDay) +
    part("BYMONTHDAY", r.byMonthDay) +
    part("BYDAY", r.byDay.map(([nth, d]) => `${nth === 0 ? "" : nth}${names[d]}`)) +
    part("BYHOUR", r.byHour) + part("BYSETPOS", r.bySetPos);
}

/** A day, and all that a rule may ask of it. */
function facts(at: number, weekStart: number) {
  const d = new Date(at);
  const [year, month, date] = [d.getUTCFullYear(), d.getUTCMonth(), d.getUTCDate()];
  const yearStart = Date.UTC(year, 0, 1);
  const yearLength = (Date.UTC(year + 1, 0, 1) - yearStart) / day;
  const monthLength = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  const yearDay = (at - yearStart) / day + 1;
  const weekday = d.getUTCDay();
  // A week is of the year that its fourth day is in.
  const weekFirst = at - (weekday - weekStart + 7) % 7 * day;
  const fourth = new Date(weekFirst + 3 * day);
  const weekYear = fourth.getUTCFullYear();
  const weekNo = Math.floor((fourth.getTime() - Date.UTC(weekYear, 0, 1)) / day / 7) + 1;
  let last = Date.UTC(weekYear, 11, 31);
  while (new Date(last - 3 * day).getUTCDay() !== weekStart) last -= day;
  const weeks = Math.floor((last - Date.UTC(weekYear, 0, 1)) / day / 7) + 1;
  return { year, month, date, yearDay, yearLength, monthLength, weekday, weekFirst, weekNo, weeks };
}

/** Whether a number of a list, from the start or negative from the end, is the one. */
const among = (list: number[], n: number, length: number) =>
  list.some((x) => x > 0 ? x === n : length + 1 + x === n);

/** The first times of a rule, by looking at each day of some years. */
function expected(r: Asked, start: number, years: number, count: number): number[] {
  const midnight = Math.floor(start / day) * day;
  const first = facts(midnight, r.weekStart);
  const asked = { ...r };
  const days = r.byDay.length + r.byMonthDay.length + r.byYearDay.length + r.byWeekNo.length > 0;
  if (r.freq === "WEEKLY" && r.byDay.length === 0) asked.byDay = [[0, first.weekday]];
  if (r.freq === "MONTHLY" && !days) asked.byMonthDay = [first.date];
  if (r.freq === "YEARLY" && !days) {
    asked.byMonthDay = [first.date];
    if (r.byMonth.length === 0) asked.byMonth = [first.month + 1];
  }
  if (
    r.freq === "YEARLY" && r.byWeekNo.length > 0 &&
    r.byDay.length + r.byMonthDay.length + r.byYearDay.length === 0
  ) asked.byDay = [[0, first.weekday]];
  const wanted = (at: number): boolean => {
    const f = facts(at, r.weekStart);
    if (asked.byMonth.length > 0 && !asked.byMonth.includes(f.month + 1)) return false;
    if (asked.byWeekNo.length > 0 && !among(asked.byWeekNo, f.weekNo, f.weeks)) return false;
    if (asked.byYearDay.length > 0 && !among(asked.byYearDay, f.yearDay, f.yearLength)) {
      return false;
    }
    if (asked.byMonthDay.length > 0 && !among(asked.byMonthDay, f.date, f.monthLength)) {
      return false;
    }
    return asked.byDay.length === 0 || asked.byDay.some(([nth, weekday]) => {
      if (weekday !== f.weekday) return false;
      const ofMonth = r.freq === "MONTHLY" || r.freq === "YEARLY" && r.byMonth.length > 0;
      if (nth === 0 || !ofMonth && (r.freq !== "YEARLY" || r.byWeekNo.length > 0)) return true;
      const [n, length] = ofMonth ? [f.date, f.monthLength] : [f.yearDay, f.yearLength];
      return nth > 0 ? Math.ceil(n / 7) === nth : Math.ceil((length + 1 - n) / 7) === -nth;
    });
  };
  const period = (at: number): number => {
    const f = facts(at, r.weekStart);
    return r.freq === "YEARLY"
      ? f.year - first.year
      : r.freq === "MONTHLY"
      ? (f.year - first.year) * 12 + f.month - first.month
      : r.freq === "WEEKLY"
      ? (f.weekFirst - first.weekFirst) / day / 7
      : (at - midnight) / day;
  };
  const hours = r.byHour.length > 0 ? [...r.byHour].sort((a, b) => a - b) : undefined;
  const sets = new Map<number, number[]>();
  const from = Math.min(Date.UTC(first.year, 0, 1), first.weekFirst);
  for (let at = from; at < Date.UTC(first.year + years, 0, 1); at += day) {
    const n = period(at);
    if (n < 0 || n % r.interval !== 0 || !wanted(at)) continue;
    const times = hours === undefined
      ? [at + start - midnight]
      : hours.map((h) => at + h * 3_600_000 + (start - midnight) % 3_600_000);
    sets.set(n, [...sets.get(n) ?? [], ...times]);
  }
  const found = new Set([start]);
  for (const set of sets.values()) {
    const chosen = r.bySetPos.length === 0
      ? set
      : set.filter((_, i) => among(r.bySetPos, i + 1, set.length));
    for (const t of chosen) if (t > start) found.add(t);
  }
  return [...found].sort((a, b) => a - b).slice(0, count);
}

const some = (min: number, max: number, most = 3) =>
  fc.uniqueArray(fc.integer({ min, max }).filter((n) => n !== 0), { maxLength: most });
/** Mostly nothing. */
const seldom = <T>(list: fc.Arbitrary<T[]>) =>
  fc.oneof({ weight: 3, arbitrary: fc.constant([] as T[]) }, { weight: 2, arbitrary: list });

const rules = fc.record({
  freq: fc.constantFrom("DAILY", "WEEKLY", "MONTHLY", "YEARLY"),
  interval: fc.constantFrom(1, 1, 2, 3, 7),
  byMonth: seldom(some(1, 12)),
  byWeekNo: seldom(some(-53, 53)),
  byYearDay: seldom(some(-366, 366, 20)),
  byMonthDay: seldom(some(-31, 31, 5)),
  byDay: seldom(
    fc.uniqueArray(fc.tuple(fc.constantFrom(0, 0, 1, 2, 5, -1, -2, -5), fc.nat(6)), {
      maxLength: 3,
      selector: String,
    }),
  ),
  byHour: seldom(fc.uniqueArray(fc.nat(23), { maxLength: 3 })),
  bySetPos: seldom(some(-4, 4, 2)),
  weekStart: fc.nat(6),
}).map((r): Asked => ({
  ...r,
  freq: r.freq as Asked["freq"],
  // RFC 5545 §3.3.10: these parts are of rules of other frequencies.
  byWeekNo: r.freq === "YEARLY" ? r.byWeekNo : [],
  byYearDay: r.freq === "YEARLY" ? r.byYearDay : [],
  byMonthDay: r.freq === "WEEKLY" ? [] : r.byMonthDay,
  byDay: r.freq === "MONTHLY" || r.freq === "YEARLY" ? r.byDay : r.byDay.map(([, d]) => [0, d]),
}));

Deno.test("random rules give the days that each of them is looked at for", () => {
  const starts = fc.integer({
    min: Date.UTC(2019, 0, 1) / 60_000,
    max: Date.UTC(2025, 0, 1) / 60_000,
  });
  fc.assert(
    fc.property(rules, starts, (r, minutes) => {
      const start = minutes * 60_000;
      const text = ruleText(r);
      const rule = parseRule(text);
      assert.ok(typeof rule !== "string", text);
      const wanted = expected(r, start, 4, 60);
      const end = Date.UTC(new Date(start).getUTCFullYear() + 4, 0, 1) - 1;
      const got: number[] = [];
      for (const t of occurrences(rule, start, start, end)) {
        got.push(t);
        if (got.length === wanted.length + (wanted.length < 60 ? 1 : 0)) break;
      }
      const shown = (list: number[]) => list.map((t) => new Date(t).toISOString().slice(0, 16));
      assert.deepEqual(shown(got), shown(wanted), `${text} from ${shown([start])}`);
      // From a time in the middle the same ones come.
      const middle = wanted[wanted.length >> 1];
      const rest = [...occurrences(rule, start, middle, wanted.at(-1)!)];
      assert.deepEqual(
        shown(rest.filter((t) => t >= middle)),
        shown(wanted.filter((t) => t >= middle)),
        `${text} from the middle`,
      );
    }),
    { numRuns: 150 },
  );
});

Deno.test("leap years, also of centuries, and how long rules are looked for", () => {
  const of = (text: string, start: number, n: number) => {
    const rule = parseRule(text);
    assert.ok(typeof rule !== "string");
    const found: string[] = [];
    for (const t of occurrences(rule, start, start)) {
      found.push(new Date(t).toISOString().slice(0, 10));
      if (found.length === n) break;
    }
    return found.join(" ");
  };
  // A weekday, a date and a week of the year: all three limit the days.
  assert.equal(
    of("FREQ=YEARLY;BYWEEKNO=10;BYMONTHDAY=5;BYDAY=TH", Date.UTC(2026, 2, 2), 3),
    "2026-03-02 2026-03-05 2037-03-05",
  );
  const leap = Date.UTC(1892, 1, 29);
  assert.equal(of("FREQ=YEARLY", leap, 3), "1892-02-29 1896-02-29 1904-02-29");
  assert.equal(
    of("FREQ=YEARLY;BYMONTHDAY=-1;BYMONTH=2", leap, 3),
    "1892-02-29 1893-02-28 1894-02-28",
  );
  assert.equal(of("FREQ=YEARLY;BYYEARDAY=366", Date.UTC(1896, 11, 31), 2), "1896-12-31 1904-12-31");
  assert.equal(
    of("FREQ=MONTHLY;BYMONTHDAY=31", Date.UTC(2026, 0, 31), 4),
    "2026-01-31 2026-03-31 2026-05-31 2026-07-31",
  );
  assert.equal(
    of("FREQ=YEARLY;INTERVAL=4", Date.UTC(1996, 1, 29), 3),
    "1996-02-29 2000-02-29 2004-02-29",
  );
});

Deno.test("rules of hours, minutes and seconds", () => {
  const start = Date.UTC(2026, 2, 2, 10, 30, 15);
  const of = (text: string, n = 4) => {
    const rule = parseRule(text);
    assert.ok(typeof rule !== "string", String(rule));
    const found: string[] = [];
    for (const t of occurrences(rule, start, start)) {
      found.push(new Date(t).toISOString().slice(8, 19).replace("T", " "));
      if (found.length === n) break;
    }
    return found.join(", ");
  };
  const first = "02 10:30:15, ";
  const rows: [rule: string, wanted: string][] = [
    ["FREQ=HOURLY", `${first}02 11:30:15, 02 12:30:15, 02 13:30:15`],
    ["FREQ=HOURLY;INTERVAL=10", `${first}02 20:30:15, 03 06:30:15, 03 16:30:15`],
    ["FREQ=HOURLY;BYHOUR=9,11", `${first}02 11:30:15, 03 09:30:15, 03 11:30:15`],
    ["FREQ=HOURLY;BYMINUTE=0,45", `${first}02 10:45:15, 02 11:00:15, 02 11:45:15`],
    ["FREQ=HOURLY;BYMINUTE=0,45;BYSETPOS=-1", `${first}02 10:45:15, 02 11:45:15, 02 12:45:15`],
    ["FREQ=HOURLY;BYSECOND=0,20", `${first}02 10:30:20, 02 11:30:00, 02 11:30:20`],
    ["FREQ=HOURLY;BYDAY=WE", `${first}04 00:30:15, 04 01:30:15, 04 02:30:15`],
    ["FREQ=HOURLY;BYMONTHDAY=5;BYHOUR=23", `${first}05 23:30:15`],
    ["FREQ=MINUTELY;INTERVAL=20", `${first}02 10:50:15, 02 11:10:15, 02 11:30:15`],
    ["FREQ=MINUTELY;BYMINUTE=29,31", `${first}02 10:31:15, 02 11:29:15, 02 11:31:15`],
    ["FREQ=MINUTELY;BYHOUR=12", `${first}02 12:00:15, 02 12:01:15, 02 12:02:15`],
    ["FREQ=MINUTELY;BYSECOND=0,30", `${first}02 10:30:30, 02 10:31:00, 02 10:31:30`],
    ["FREQ=SECONDLY;INTERVAL=30", `${first}02 10:30:45, 02 10:31:15, 02 10:31:45`],
    ["FREQ=SECONDLY;BYSECOND=14,60", `${first}02 10:30:59, 02 10:31:14, 02 10:31:59`],
    ["FREQ=SECONDLY;BYMINUTE=32", `${first}02 10:32:00, 02 10:32:01, 02 10:32:02`],
    ["FREQ=DAILY;BYHOUR=9,18;BYMINUTE=5", `${first}02 18:05:15, 03 09:05:15, 03 18:05:15`],
    ["FREQ=DAILY;COUNT=2", `${first}03 10:30:15`],
    ["FREQ=DAILY;UNTIL=20260304T103014Z", `${first}03 10:30:15`],
    ["FREQ=DAILY;UNTIL=20260304T103015Z", `${first}03 10:30:15, 04 10:30:15`],
    ["FREQ=DAILY;UNTIL=20260304", `${first}03 10:30:15, 04 10:30:15`],
    ["FREQ=HOURLY;INTERVAL=24;COUNT=3", `${first}03 10:30:15, 04 10:30:15`],
  ];
  for (const [rule, wanted] of rows) {
    assert.equal(
      of(rule, wanted.split(", ").length + (/COUNT|UNTIL/.test(rule) ? 1 : 0)),
      wanted,
      rule,
    );
  }
});

Deno.test("rules as they are written: bounds of their parts", () => {
  const good = [
    "FREQ=DAILY;",
    " freq=daily;interval=999999 ",
    "FREQ=DAILY;COUNT=999999999",
    "FREQ=DAILY;BYSECOND=0,60;BYMINUTE=0,59;BYHOUR=0,23",
    "FREQ=YEARLY;BYMONTHDAY=-31,31,+1;BYYEARDAY=-366,366;BYWEEKNO=-53,53;BYMONTH=1,12",
    "FREQ=YEARLY;BYSETPOS=-366,366;BYDAY=53MO,-53SU,+1TU,WE",
    "FREQ=DAILY;RSCALE=GREGORIAN;SKIP=OMIT;X-OTHER=1;WKST=SU",
  ];
  for (const text of good) assert.equal(typeof parseRule(text), "object", text);
  const bad: [part: string, name: string, value: string][] = [
    ["INTERVAL=0", "INTERVAL", "0"],
    ["INTERVAL=1000000", "INTERVAL", "1000000"],
    ["COUNT=0", "COUNT", "0"],
    ["COUNT=-1", "COUNT", "-1"],
    ["UNTIL=soon", "UNTIL", "SOON"],
    ["BYSECOND=61", "BYSECOND", "61"],
    ["BYSECOND=-1", "BYSECOND", "-1"],
    ["BYMINUTE=60", "BYMINUTE", "60"],
    ["BYHOUR=24", "BYHOUR", "24"],
    ["BYHOUR=1,,2", "BYHOUR", "1,,2"],
    ["BYMONTHDAY=0", "BYMONTHDAY", "0"],
    ["BYMONTHDAY=32", "BYMONTHDAY", "32"],
    ["BYMONTHDAY=-32", "BYMONTHDAY", "-32"],
    ["BYYEARDAY=367", "BYYEARDAY", "367"],
    ["BYWEEKNO=54", "BYWEEKNO", "54"],
    ["BYWEEKNO=0", "BYWEEKNO", "0"],
    ["BYMONTH=0", "BYMONTH", "0"],
    ["BYMONTH=13", "BYMONTH", "13"],
    ["BYSETPOS=0", "BYSETPOS", "0"],
    ["BYDAY=0MO", "BYDAY", "0MO"],
    ["BYDAY=54MO", "BYDAY", "54MO"],
    ["BYDAY=XX", "BYDAY", "XX"],
    ["WKST=XX", "WKST", "XX"],
    ["RSCALE=HEBREW", "RSCALE", "HEBREW"],
    ["SKIP=FORWARD", "SKIP", "FORWARD"],
    ["BYEASTER=1", "BYEASTER", "1"],
    ["FREQ=WEEKLY", "FREQ", "WEEKLY"],
  ];
  for (const [part, name, value] of bad) {
    assert.equal(
      parseRule(`FREQ=DAILY;${part}`),
      `RRULE: ${name} can't be ${JSON.stringify(value)}`,
    );
  }
  assert.equal(parseRule("COUNT=3"), "RRULE has no FREQ");
  assert.equal(parseRule("FREQ=OFTEN"), 'RRULE: FREQ can\'t be "OFTEN"');
  assert.equal(parseRule("FREQ=DAILY;COUNT"), 'RRULE: "COUNT" can\'t be "COUNT"');
});
