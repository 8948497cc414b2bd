/** Recurrences: RFC 5545's own examples, what other programs had trouble with, and beside ical.js. */
import assert from "node:assert/strict";
import ICAL from "ical.js";
import { fc } from "../../support/fast_check.ts";
import { occurrences } from "../../../src/mail/calendar/recurrence.ts";
import { parseRule } from "../../../src/mail/calendar/recurrence_rule.ts";
import { formatTime, parseTime } from "../../../src/mail/calendar/time.ts";

const wall = (s: string) => parseTime(s)!.wall;
const text = (w: number) => formatTime({ wall: w, date: false, zone: "" });

function first(rule: string, start: string, n: number, from = start): string[] {
  const r = parseRule(rule);
  if (typeof r === "string") throw new Error(r);
  const found: string[] = [];
  for (const w of occurrences(r, wall(start), wall(from))) {
    if (found.length >= n) break;
    found.push(text(w));
  }
  return found;
}

/** Days of the month of what follows in one month, and such: short forms for the table. */
const dates = (rule: string, start: string, n: number) =>
  first(rule, start, n).map((s) => s.slice(0, 8));

Deno.test("the examples of RFC 5545, section 3.8.5.3", () => {
  const s = "19970902T090000";
  const table: [string, string, number, string[]][] = [
    ["FREQ=DAILY;COUNT=3", s, 9, ["19970902", "19970903", "19970904"]],
    ["FREQ=DAILY;INTERVAL=10;COUNT=5", s, 9, [
      "19970902",
      "19970912",
      "19970922",
      "19971002",
      "19971012",
    ]],
    ["FREQ=WEEKLY;INTERVAL=2;UNTIL=19971224T000000Z;WKST=SU;BYDAY=MO,WE,FR", "19970901T090000", 6, [
      "19970901",
      "19970903",
      "19970905",
      "19970915",
      "19970917",
      "19970919",
    ]],
    ["FREQ=MONTHLY;COUNT=4;BYDAY=1FR", "19970905T090000", 9, [
      "19970905",
      "19971003",
      "19971107",
      "19971205",
    ]],
    ["FREQ=MONTHLY;INTERVAL=2;COUNT=4;BYDAY=1SU,-1SU", "19970907T090000", 9, [
      "19970907",
      "19970928",
      "19971102",
      "19971130",
    ]],
    ["FREQ=MONTHLY;COUNT=3;BYDAY=-2MO", "19970922T090000", 9, ["19970922", "19971020", "19971117"]],
    ["FREQ=MONTHLY;BYMONTHDAY=-3", "19970928T090000", 3, ["19970928", "19971029", "19971128"]],
    ["FREQ=MONTHLY;INTERVAL=18;COUNT=4;BYMONTHDAY=10,11", "19970910T090000", 9, [
      "19970910",
      "19970911",
      "19990310",
      "19990311",
    ]],
    ["FREQ=YEARLY;COUNT=4;BYMONTH=6,7", "19970610T090000", 9, [
      "19970610",
      "19970710",
      "19980610",
      "19980710",
    ]],
    ["FREQ=YEARLY;INTERVAL=3;COUNT=4;BYYEARDAY=1,100,200", "19970101T090000", 9, [
      "19970101",
      "19970410",
      "19970719",
      "20000101",
    ]],
    ["FREQ=YEARLY;BYDAY=20MO", "19970519T090000", 3, ["19970519", "19980518", "19990517"]],
    ["FREQ=YEARLY;BYWEEKNO=20;BYDAY=MO", "19970512T090000", 3, [
      "19970512",
      "19980511",
      "19990517",
    ]],
    ["FREQ=YEARLY;BYMONTH=3;BYDAY=TH", "19970313T090000", 4, [
      "19970313",
      "19970320",
      "19970327",
      "19980305",
    ]],
    ["FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", "19980213T090000", 4, [
      "19980213",
      "19980313",
      "19981113",
      "19990813",
    ]],
    ["FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8", "19961105T090000", 3, [
      "19961105",
      "20001107",
      "20041102",
    ]],
    ["FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3", "19970904T090000", 9, [
      "19970904",
      "19971007",
      "19971106",
    ]],
    ["FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2", "19970929T090000", 3, [
      "19970929",
      "19971030",
      "19971127",
    ]],
    ["FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO", "19970805T090000", 9, [
      "19970805",
      "19970810",
      "19970819",
      "19970824",
    ]],
    ["FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU", "19970805T090000", 9, [
      "19970805",
      "19970817",
      "19970819",
      "19970831",
    ]],
    ["FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5", "20070115T090000", 9, [
      "20070115",
      "20070130",
      "20070215",
      "20070315",
      "20070330",
    ]],
  ];
  for (const [rule, start, n, wanted] of table) {
    assert.deepEqual(dates(rule, start, n), wanted, rule);
  }
  assert.deepEqual(first("FREQ=MINUTELY;INTERVAL=90;COUNT=4", s, 9), [
    "19970902T090000",
    "19970902T103000",
    "19970902T120000",
    "19970902T133000",
  ]);
  assert.deepEqual(first("FREQ=HOURLY;INTERVAL=3;UNTIL=19970902T170000", s, 9), [
    "19970902T090000",
    "19970902T120000",
    "19970902T150000",
  ]);
  assert.deepEqual(first("FREQ=DAILY;BYHOUR=9,10;BYMINUTE=0,20,40", s, 7).slice(4), [
    "19970902T102000",
    "19970902T104000",
    "19970903T090000",
  ]);
});

Deno.test("from far on the same times come as from the start", () => {
  for (
    const rule of [
      "FREQ=DAILY;INTERVAL=3",
      "FREQ=WEEKLY;INTERVAL=3;BYDAY=MO,TH",
      "FREQ=MONTHLY;INTERVAL=5;BYDAY=-1FR",
      "FREQ=YEARLY;INTERVAL=2;BYMONTH=2;BYMONTHDAY=29",
      "FREQ=HOURLY;INTERVAL=7;BYDAY=MO",
      "FREQ=MINUTELY;INTERVAL=45;BYHOUR=3",
      "FREQ=DAILY;COUNT=900",
    ]
  ) {
    const all = first(rule, "20100105T101500", 3000);
    const from = "20111017T000000";
    const wanted = all.filter((s) => s >= from).slice(0, 20);
    assert.deepEqual(
      first(rule, "20100105T101500", 20, from).slice(0, wanted.length),
      wanted,
      rule,
    );
  }
});

Deno.test("rules that never come, or too often, end", () => {
  for (
    const rule of [
      "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
      "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30",
      "FREQ=MINUTELY;BYHOUR=3;BYSETPOS=5",
      "FREQ=DAILY;INTERVAL=999999;BYDAY=MO;BYMONTH=1",
      "FREQ=MONTHLY;BYSETPOS=366;BYDAY=MO",
      "FREQ=SECONDLY;COUNT=999999999",
    ]
  ) {
    assert.ok(first(rule, "20260101T000000", 5, "20990101T000000").length <= 5, rule);
  }
});

Deno.test("what is no rule is told in words", () => {
  for (
    const [rule, words] of [
      ["", /can't be|no FREQ/],
      ["COUNT=3", /no FREQ/],
      ["FREQ=SOMETIMES", /FREQ can't be/],
      ["FREQ=DAILY;COUNT=0", /COUNT can't be/],
      ["FREQ=DAILY;INTERVAL=-1", /INTERVAL/],
      ["FREQ=DAILY;BYMONTH=13", /BYMONTH/],
      ["FREQ=DAILY;BYDAY=XX", /BYDAY/],
      ["FREQ=DAILY;FREQ=DAILY", /FREQ/],
      ["FREQ=DAILY;UNTIL=tomorrow", /UNTIL/],
      ["FREQ=DAILY;NONSENSE=1", /NONSENSE/],
    ] as const
  ) {
    const r = parseRule(rule);
    assert.ok(typeof r === "string" && words.test(r), `${rule}: ${JSON.stringify(r)}`);
  }
});

Deno.test("beside ical.js: usual rules give the same times", () => {
  const days = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];
  const rules = fc.record({
    freq: fc.constantFrom("DAILY", "WEEKLY", "MONTHLY", "YEARLY"),
    interval: fc.integer({ min: 1, max: 4 }),
    count: fc.integer({ min: 1, max: 20 }),
    byDay: fc.subarray(days, { maxLength: 3 }),
    weekStart: fc.constantFrom("MO", "SU"),
    start: fc.date({
      min: new Date("2000-01-01"),
      max: new Date("2030-01-01"),
      noInvalidDate: true,
    }),
  });
  fc.assert(
    fc.property(rules, (r) => {
      // A start that the rule gives: RFC 5545 leaves others open.
      const byDay = r.freq === "WEEKLY" && r.byDay.length > 0
        ? [...new Set([...r.byDay, days[(r.start.getUTCDay() + 6) % 7]])]
        : [];
      if (r.start.getUTCDate() > 28) r.start.setUTCDate(28);
      const by = byDay.length > 0 && r.start.getUTCDate() <= 28
        ? `;BYDAY=${[...new Set([...byDay, days[(r.start.getUTCDay() + 6) % 7]])].join(",")}`
        : "";
      const rule =
        `FREQ=${r.freq};INTERVAL=${r.interval};COUNT=${r.count};WKST=${r.weekStart}${by}`;
      const start = r.start.toISOString().replace(/[-:]|\.\d+Z/g, "");
      const it = ICAL.Recur.fromString(rule).iterator(
        ICAL.Time.fromJSDate(r.start, true),
      );
      const wanted: string[] = [];
      for (let t = it.next(); t; t = it.next()) {
        wanted.push(t.toString().replace(/[-:Z]/g, ""));
      }
      assert.deepEqual(first(rule, start, 100), wanted, rule);
    }),
    { numRuns: 300 },
  );
});

Deno.test("rules with even gaps give what going through their days gives", () => {
  const allMonths = "BYMONTH=1,2,3,4,5,6,7,8,9,10,11,12";
  const weekdays = ["SU", "MO", "TU", "WE", "TH", "FR", "SA"];
  fc.assert(
    fc.property(
      fc.record({
        weekly: fc.boolean(),
        interval: fc.integer({ min: 1, max: 40 }),
        named: fc.boolean(),
        start: fc.integer({ min: -40_000, max: 40_000 }),
        hour: fc.integer({ min: 0, max: 23 }),
        ahead: fc.integer({ min: -100, max: 3000 }),
        ends: fc.constantFrom("", ";COUNT=7", ";UNTIL=20300101T000000Z"),
      }),
      ({ weekly, interval, named, start, hour, ahead, ends }) => {
        const begin = start * 86_400_000 + hour * 3_600_000;
        const day = weekdays[new Date(begin).getUTCDay()];
        const rule = `FREQ=${weekly ? "WEEKLY" : "DAILY"};INTERVAL=${interval}` +
          (weekly && named ? `;BYDAY=${day}` : "") + ends;
        const from = begin + ahead * 86_400_000 + 1800_000;
        const times = (text: string) => {
          const parsed = parseRule(text);
          if (typeof parsed === "string") throw new Error(parsed);
          return [...occurrences(parsed, begin, from, from + 400 * 86_400_000)];
        };
        // With every month named the rule has to be gone through day by day.
        assert.deepEqual(times(rule), times(`${rule};${allMonths}`), rule);
      },
    ),
    { numRuns: 300 },
  );
});
