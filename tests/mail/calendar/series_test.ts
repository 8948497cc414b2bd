/** Instances of a series, and the time that all of them are in. */
import assert from "node:assert/strict";
import { maxInstances, Series } from "../../../src/mail/calendar/series.ts";
import { at, berlin, calendarOf, events, eventsIn, shown } from "./objects.ts";

const start = "DTSTART:20260302T100000Z";
const hour = "DURATION:PT1H";

/** Start and end of the instances in a span, without the year. */
const times = (series: Series, from = -Infinity, to = Infinity, limit?: number) =>
  series.instances(from, to, limit).map((i) =>
    `${shown(i.start).slice(5)} ${shown(i.end).slice(5)}`.trim()
  );

const bounds = (series: Series) => {
  const b = series.bounds();
  return `${shown(b.first)} to ${shown(b.last)}`;
};

Deno.test("the end of an instance: by an end, a length, across a change of clocks", () => {
  // In Berlin the 29th of March 2026 has 23 hours, the 25th of October 25.
  const rows: [lines: string[], wanted: string][] = [
    [[start, "DTEND:20260302T113000Z"], "03-02 10:00 03-02 11:30"],
    [[start, "DTEND:20260302T093000Z"], "03-02 10:00 03-02 10:00"],
    [[start], "03-02 10:00"],
    [[start, "DURATION:P1DT30M"], "03-02 10:00 03-03 10:30"],
    [["DTSTART;TZID=Europe/Berlin:20260328T120000", "DURATION:P1D"], "03-28 11:00 03-29 10:00"],
    [["DTSTART;TZID=Europe/Berlin:20260328T120000", "DURATION:PT24H"], "03-28 11:00 03-29 11:00"],
    [["DTSTART;TZID=Europe/Berlin:20261024T120000", "DURATION:P1DT1H"], "10-24 10:00 10-25 12:00"],
    [
      [
        "DTSTART;TZID=Europe/Berlin:20260302T100000",
        "DTEND;TZID=America/New_York:20260302T080000",
      ],
      "03-02 09:00 03-02 13:00",
    ],
    [["DTSTART;VALUE=DATE:20260302", "DTEND;VALUE=DATE:20260304"], "03-02 00:00 03-04 00:00"],
    [["DTSTART;VALUE=DATE:20260302", "DURATION:P2DT30H"], "03-02 00:00 03-05 00:00"],
  ];
  for (const [lines, wanted] of rows) {
    assert.deepEqual(times(events(lines)), [wanted], lines.join(" "));
  }
  const days = eventsIn(berlin, ["DTSTART;VALUE=DATE:20260329", "DTEND;VALUE=DATE:20260330"]);
  assert.deepEqual(times(days), ["03-28 23:00 03-29 22:00"], "a day of 23 hours");
});

Deno.test("instances keep their hour, and their length, when clocks change", () => {
  const weekly = events([
    "DTSTART;TZID=Europe/Berlin:20260323T100000",
    "DTEND;TZID=Europe/Berlin:20260323T113000",
    "RRULE:FREQ=WEEKLY;COUNT=2",
  ]);
  assert.deepEqual(times(weekly), ["03-23 09:00 03-23 10:30", "03-30 08:00 03-30 09:30"]);
  // Over the night of the change the exact length counts.
  const night = events([
    "DTSTART;TZID=Europe/Berlin:20260327T230000",
    "DTEND;TZID=Europe/Berlin:20260328T050000",
    "RRULE:FREQ=DAILY;COUNT=2",
  ]);
  assert.deepEqual(times(night), ["03-27 22:00 03-28 04:00", "03-28 22:00 03-29 04:00"]);
});

Deno.test("a span: what touches it at either end is in it", () => {
  const daily = events([start, hour, "RRULE:FREQ=DAILY;COUNT=9"]);
  const rows: [from: string, to: string, days: string][] = [
    ["2026-03-03 11:00", "2026-03-04 09:59", "03"],
    ["2026-03-03 11:01", "2026-03-04 10:00", "04"],
    ["2026-03-03 11:01", "2026-03-04 09:59", ""],
    ["2026-03-03 10:30", "2026-03-03 10:30", "03"],
    ["2026-03-01 00:00", "2026-03-02 10:00", "02"],
    ["2026-03-10 11:00", "2026-03-20 00:00", "10"],
    ["2026-03-10 11:01", "2026-03-20 00:00", ""],
    ["2026-03-02 11:00", "2026-03-04 10:00", "02 03 04"],
  ];
  for (const [from, to, days] of rows) {
    const found = times(daily, at(from), at(to)).map((t) => t.slice(3, 5)).join(" ");
    assert.equal(found, days, `${from} to ${to}`);
  }
  // An event of days, whose length isn't written.
  const dates = events(["DTSTART;VALUE=DATE:20260302", "RRULE:FREQ=DAILY;COUNT=3"]);
  assert.equal(times(dates, at("2026-03-05 00:00"), at("2026-03-09 00:00")).length, 1);
  assert.equal(times(dates, at("2026-03-05 00:01"), at("2026-03-09 00:00")).length, 0);
  // One that takes more than a week, asked for at its end.
  const long = events([start, "DURATION:P10D", "RRULE:FREQ=MONTHLY;COUNT=2"]);
  assert.deepEqual(times(long, at("2026-03-12 09:00"), at("2026-03-13 00:00")), [
    "03-02 10:00 03-12 10:00",
  ]);
});

Deno.test("dates that are added, left out, or differ", () => {
  const rows: [name: string, series: Series, wanted: string[]][] = [
    [
      "added dates are in order with the others",
      events([
        start,
        hour,
        "RRULE:FREQ=DAILY;COUNT=2",
        "RDATE:20260301T100000Z,20260303T120000Z",
      ]),
      [
        "03-01 10:00 03-01 11:00",
        "03-02 10:00 03-02 11:00",
        "03-03 10:00 03-03 11:00",
        "03-03 12:00 03-03 13:00",
      ],
    ],
    [
      "an added date that is one of the rule is there once",
      events([
        start,
        hour,
        "RRULE:FREQ=DAILY;COUNT=2",
        "RDATE:20260303T100000Z",
      ]),
      ["03-02 10:00 03-02 11:00", "03-03 10:00 03-03 11:00"],
    ],
    [
      "added dates without a rule: the start is one too",
      events([
        start,
        hour,
        "RDATE:20260305T100000Z",
      ]),
      ["03-02 10:00 03-02 11:00", "03-05 10:00 03-05 11:00"],
    ],
    [
      "added periods have a length of their own",
      events([
        start,
        hour,
        "RDATE;VALUE=PERIOD:20260305T100000Z/PT3H,20260306T100000Z/20260306T100500Z",
      ]),
      ["03-02 10:00 03-02 11:00", "03-05 10:00 03-05 13:00", "03-06 10:00 03-06 10:05"],
    ],
    [
      "left out by their time, in another zone, and by their date",
      events([
        start,
        hour,
        "RRULE:FREQ=DAILY;COUNT=5",
        "EXDATE:20260303T100000Z",
        "EXDATE;TZID=Europe/Berlin:20260304T110000",
        "EXDATE;VALUE=DATE:20260305",
        "EXDATE:20260306T100001Z",
      ]),
      ["03-02 10:00 03-02 11:00", "03-06 10:00 03-06 11:00"],
    ],
    [
      "one that is moved",
      events(
        [start, hour, "RRULE:FREQ=DAILY;COUNT=2"],
        ["RECURRENCE-ID:20260302T100000Z", "DTSTART:20260310T100000Z", "DURATION:PT2H"],
      ),
      ["03-03 10:00 03-03 11:00", "03-10 10:00 03-10 12:00"],
    ],
    [
      "one of a date that the rule doesn't have",
      events(
        [start, hour, "RRULE:FREQ=DAILY;COUNT=1"],
        ["RECURRENCE-ID:20260309T100000Z", "DTSTART:20260309T100000Z", hour],
      ),
      ["03-02 10:00 03-02 11:00", "03-09 10:00 03-09 11:00"],
    ],
    [
      "no rule, and the only date is left out",
      events([start, hour, "EXDATE:20260302T100000Z"]),
      [],
    ],
    [
      "no rule, and the only date is moved",
      events(
        [start, hour],
        ["RECURRENCE-ID:20260302T100000Z", "DTSTART:20260303T100000Z", hour],
      ),
      ["03-03 10:00 03-03 11:00"],
    ],
    [
      "one that changes all that follow: later by two hours, and shorter",
      events(
        [start, hour, "RRULE:FREQ=DAILY;COUNT=4"],
        [
          "RECURRENCE-ID;RANGE=THISANDFUTURE:20260304T100000Z",
          "DTSTART:20260304T120000Z",
          "DURATION:PT30M",
        ],
      ),
      [
        "03-02 10:00 03-02 11:00",
        "03-03 10:00 03-03 11:00",
        "03-04 12:00 03-04 12:30",
        "03-05 12:00 03-05 12:30",
      ],
    ],
    [
      "two rules: their common times once",
      events([
        start,
        hour,
        "RRULE:FREQ=DAILY;COUNT=3",
        "RRULE:FREQ=DAILY;INTERVAL=2;COUNT=3",
      ]),
      [
        "03-02 10:00 03-02 11:00",
        "03-03 10:00 03-03 11:00",
        "03-04 10:00 03-04 11:00",
        "03-06 10:00 03-06 11:00",
      ],
    ],
    [
      "until a time, which is one of them",
      events([
        start,
        hour,
        "RRULE:FREQ=DAILY;UNTIL=20260303T100000Z",
      ]),
      ["03-02 10:00 03-02 11:00", "03-03 10:00 03-03 11:00"],
    ],
    [
      "until a second before",
      events([
        start,
        hour,
        "RRULE:FREQ=DAILY;UNTIL=20260303T095959Z",
      ]),
      ["03-02 10:00 03-02 11:00"],
    ],
    [
      "until a time in UTC, of a start in a zone",
      events([
        "DTSTART;TZID=Europe/Berlin:20260302T110000",
        hour,
        "RRULE:FREQ=DAILY;UNTIL=20260303T100000Z",
      ]),
      ["03-02 10:00 03-02 11:00", "03-03 10:00 03-03 11:00"],
    ],
    [
      "until a date, all of it",
      events([
        start,
        hour,
        "RRULE:FREQ=HOURLY;INTERVAL=13;UNTIL=20260302",
      ]),
      ["03-02 10:00 03-02 11:00", "03-02 23:00 03-03 00:00"],
    ],
  ];
  for (const [name, series, wanted] of rows) assert.deepEqual(times(series), wanted, name);
});

Deno.test("instances are found far from the dates that they stand for", () => {
  const future = events(
    [start, hour, "RRULE:FREQ=DAILY;COUNT=40"],
    ["RECURRENCE-ID;RANGE=THISANDFUTURE:20260305T100000Z", "DTSTART:20260404T100000Z", hour],
  );
  assert.deepEqual(times(future, at("2026-04-04 00:00"), at("2026-04-05 12:00")), [
    "04-04 10:00 04-04 11:00",
    "04-05 10:00 04-05 11:00",
  ]);
  assert.deepEqual(times(future, at("2026-03-05 00:00"), at("2026-03-20 00:00")), []);
});

Deno.test("an instance says which date of the series it is", () => {
  const series = events(
    ["DTSTART;TZID=Europe/Berlin:20260302T110000", hour, "RRULE:FREQ=DAILY;COUNT=2"],
    ["RECURRENCE-ID:20260303T100000Z", "DTSTART:20260305T100000Z", hour],
  );
  const list = series.instances(-Infinity, Infinity);
  assert.deepEqual(list.map((i) => shown(series.instant(i.recurrence!))), [
    "2026-03-02 10:00",
    "2026-03-03 10:00",
  ]);
  assert.equal(list[0].startTime!.zone, "Europe/Berlin");
  assert.equal(list[0].endTime!.zone, "Europe/Berlin");
  assert.equal(list[0].component, series.master);
  assert.notEqual(list[1].component, series.master);
  assert.equal(events([start]).instances(-Infinity, Infinity)[0].recurrence, undefined);
  assert.deepEqual(series.overrides().map((o) => shown(series.instant(o.id))), [
    "2026-03-03 10:00",
  ]);
  const rows: [series: Series, wanted: boolean][] = [
    [series, true],
    [events([start]), false],
    [events([start, "RDATE:20260303T100000Z"]), true],
    [events([start], ["RECURRENCE-ID:20260302T100000Z", start]), true],
  ];
  for (const [s, wanted] of rows) assert.equal(s.recurring, wanted);
});

Deno.test("no more instances than were asked for, and those the first", () => {
  const endless = events([start, hour, "RRULE:FREQ=DAILY"]);
  assert.deepEqual(times(endless, -Infinity, Infinity, 2), [
    "03-02 10:00 03-02 11:00",
    "03-03 10:00 03-03 11:00",
  ]);
  assert.equal(times(endless).length, maxInstances);
  assert.deepEqual(times(endless, at("2036-03-02 00:00"), Infinity, 1), [
    "03-02 10:00 03-02 11:00",
  ]);
});

Deno.test("bounds of a series", () => {
  const slack = "2026-03-01 10:00"; // fourteen hours before the 2nd
  const rows: [name: string, series: Series, wanted: string][] = [
    ["one event", events([start, hour]), "2026-03-02 10:00 to 2026-03-02 11:00"],
    ["without end", events([start]), "2026-03-02 10:00 to 2026-03-02 10:00"],
    ["a day, in any zone", events(["DTSTART;VALUE=DATE:20260302"]), `${slack} to 2026-03-03 14:00`],
    ["without a zone", events(["DTSTART:20260302T000000"]), `${slack} to 2026-03-02 14:00`],
    [
      "counted",
      events([start, hour, "RRULE:FREQ=DAILY;COUNT=3"]),
      "2026-03-02 10:00 to 2026-03-04 11:00",
    ],
    ["without end in time", events([start, hour, "RRULE:FREQ=DAILY"]), "2026-03-02 10:00 to -"],
    [
      "counted very far",
      events([start, hour, "RRULE:FREQ=DAILY;COUNT=3001"]),
      "2026-03-02 10:00 to -",
    ],
    [
      "counted far",
      events([start, hour, "RRULE:FREQ=HOURLY;COUNT=3000"]),
      "2026-03-02 10:00 to 2026-07-05 10:00",
    ],
    // Its last instance isn't looked for: two days are added, and the length of one.
    [
      "until",
      events([start, hour, "RRULE:FREQ=DAILY;UNTIL=20260310T100000Z"]),
      "2026-03-02 10:00 to 2026-03-12 11:00",
    ],
    [
      "moved before the first, and behind the last",
      events(
        [start, hour, "RRULE:FREQ=DAILY;COUNT=3"],
        ["RECURRENCE-ID:20260303T100000Z", "DTSTART:20260201T100000Z", hour],
        ["RECURRENCE-ID:20260304T100000Z", "DTSTART:20260501T100000Z", hour],
      ),
      "2026-02-01 10:00 to 2026-05-01 11:00",
    ],
    [
      "moved behind an until",
      events(
        [start, hour, "RRULE:FREQ=DAILY;UNTIL=20260310T100000Z"],
        ["RECURRENCE-ID:20260304T100000Z", "DTSTART:20260501T100000Z", hour],
      ),
      "2026-03-02 10:00 to 2026-05-01 11:00",
    ],
    [
      "all left out: where it would be",
      events([start, hour, "RRULE:FREQ=DAILY;COUNT=1", "EXDATE:20260302T100000Z"]),
      "2026-03-02 10:00 to 2026-03-02 10:00",
    ],
    ["nothing at all", events([start, "EXDATE:20260302T100000Z"]), "- to -"],
    ["a task without times", new Series(calendarOf("VTODO", ["SUMMARY:x"])), "- to -"],
    [
      "a task with an end only",
      new Series(calendarOf("VTODO", ["DUE:20260302T100000Z"])),
      "2026-03-02 10:00 to 2026-03-02 10:00",
    ],
  ];
  for (const [name, series, wanted] of rows) {
    assert.equal(bounds(series), wanted, name);
    assert.equal(bounds(series), wanted, `${name}, once more`);
  }
});

Deno.test("what can't be a series", () => {
  const rows: [lines: string[], message: string][] = [
    [[start, "DURATION:1h"], 'DURATION can\'t be "1h"'],
    [["RRULE:FREQ=DAILY"], "RRULE needs a DTSTART"],
    [[start, ...Array(11).fill("RRULE:FREQ=DAILY")], "more than 10 RRULEs"],
    [[start, `EXDATE:${Array(10_001).fill("20260302").join(",")}`], "more than 10000 dates"],
    [["DTSTART:20260230T100000Z"], 'DTSTART has no date or time: "20260230T100000Z"'],
    [[start, "RDATE:soon"], 'RDATE has no date or time: "soon"'],
  ];
  for (const [lines, message] of rows) {
    assert.throws(() => events(lines), { name: "FormatError", message });
  }
  events([start, ...Array(10).fill("RRULE:FREQ=DAILY")]);
  events([start, `EXDATE:${Array(10_000).fill("20260302").join(",")}`]);
  assert.throws(() => new Series(calendarOf("X-OTHER", [start])), {
    message: "there is no event, task or journal in it",
  });
});
