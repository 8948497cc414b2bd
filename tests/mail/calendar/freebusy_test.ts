/** Free and busy times (RFC 4791 §7.10, RFC 6638 §5): which time an object takes, and how times are joined. */
import assert from "node:assert/strict";
import {
  type Busy,
  type BusyKind,
  busyTimes,
  freeBusyComponent,
  joined,
  newCalendar,
} from "../../../src/mail/calendar/freebusy.ts";
import { Series } from "../../../src/mail/calendar/series.ts";
import { at, berlin, calendarOf, events, eventsIn, linesOf, shown } from "./objects.ts";

const range = { start: at("2026-03-02 08:00"), end: at("2026-03-02 18:00") };
const start = "DTSTART:20260302T100000Z";
const end = "DTEND:20260302T110000Z";

const told = (list: readonly Busy[]) =>
  list.map((b) => `${shown(b.start).slice(5)} ${shown(b.end).slice(5)} ${b.kind}`);

Deno.test("which time an event takes", () => {
  const usual = "03-02 10:00 03-02 11:00 BUSY";
  const perhaps = "03-02 10:00 03-02 11:00 BUSY-TENTATIVE";
  const me = "mailto:me@example.org";
  const rows: [lines: string[], wanted: string[]][] = [
    [[start, end], [usual]],
    [[start, end, "TRANSP:OPAQUE"], [usual]],
    [[start, end, "TRANSP: transparent"], []],
    [[start, end, "STATUS:CONFIRMED"], [usual]],
    [[start, end, "STATUS:CANCELLED"], []],
    [[start, end, "STATUS:tentative"], [perhaps]],
    [[start, end, `ATTENDEE;PARTSTAT=DECLINED:${me}`], []],
    [[start, end, `ATTENDEE;PARTSTAT=declined:MAILTO:me@example.org`], []],
    [[start, end, "ATTENDEE;PARTSTAT=DECLINED:mailto:you@example.org"], [usual]],
    [[start, end, `ATTENDEE;PARTSTAT=TENTATIVE:${me}`], [perhaps]],
    [[start, end, `ATTENDEE;PARTSTAT=NEEDS-ACTION:${me}`], [perhaps]],
    [[start, end, `ATTENDEE;PARTSTAT=ACCEPTED:${me}`], [usual]],
    [[start, end, `ATTENDEE:${me}`], [usual]],
    // Without an end it takes no time; of a day it takes the day.
    [[start], []],
    [["DTSTART;VALUE=DATE:20260302"], ["03-02 08:00 03-02 18:00 BUSY"]],
    [["DTSTART;VALUE=DATE:20260301"], []],
    // Cut to the span that is asked for; what only touches it is not in it.
    [["DTSTART:20260302T070000Z", end], ["03-02 08:00 03-02 11:00 BUSY"]],
    [["DTSTART:20260302T170000Z", "DURATION:PT2H"], ["03-02 17:00 03-02 18:00 BUSY"]],
    [["DTSTART:20260302T070000Z", "DURATION:PT1H"], []],
    [["DTSTART:20260302T070000Z", "DURATION:PT1H1M"], ["03-02 08:00 03-02 08:01 BUSY"]],
    [["DTSTART:20260302T180000Z", "DURATION:PT1H"], []],
    [["DTSTART:20260302T175900Z", "DURATION:PT1H"], ["03-02 17:59 03-02 18:00 BUSY"]],
    [[start, end, "RRULE:FREQ=HOURLY;INTERVAL=5;COUNT=3"], [
      usual,
      "03-02 15:00 03-02 16:00 BUSY",
    ]],
  ];
  for (const [lines, wanted] of rows) {
    const busy = busyTimes(events(lines), range, (a) => a.toLowerCase() === "me@example.org");
    assert.deepEqual(told(busy), wanted, lines.join(" "));
  }
  // Nobody is "me" unless it is said.
  assert.deepEqual(
    told(busyTimes(events([start, end, `ATTENDEE;PARTSTAT=DECLINED:${me}`]), range)),
    [
      usual,
    ],
  );
  // A day in Berlin, which begins an hour before that of UTC.
  const dayThere = eventsIn(berlin, ["DTSTART;VALUE=DATE:20260303"]);
  const night = { start: at("2026-03-02 20:00"), end: at("2026-03-03 23:30") };
  assert.deepEqual(told(busyTimes(dayThere, night)), ["03-02 23:00 03-03 23:00 BUSY"]);
});

Deno.test("published times (VFREEBUSY): periods by end or length, and their kinds", () => {
  const of = (...lines: string[]) =>
    told(busyTimes(new Series(calendarOf("VFREEBUSY", lines)), range));
  const rows: [line: string, wanted: string[]][] = [
    ["FREEBUSY:20260302T100000Z/20260302T110000Z", ["03-02 10:00 03-02 11:00 BUSY"]],
    ["FREEBUSY:20260302T100000Z/P0DT30M, 20260302T120000Z/PT1H", [
      "03-02 10:00 03-02 10:30 BUSY",
      "03-02 12:00 03-02 13:00 BUSY",
    ]],
    ["FREEBUSY;FBTYPE=busy-tentative:20260302T100000Z/PT1H", [
      "03-02 10:00 03-02 11:00 BUSY-TENTATIVE",
    ]],
    ["FREEBUSY;FBTYPE=BUSY-UNAVAILABLE:20260302T100000Z/PT1H", [
      "03-02 10:00 03-02 11:00 BUSY-UNAVAILABLE",
    ]],
    ["FREEBUSY;FBTYPE=X-OTHER:20260302T100000Z/PT1H", ["03-02 10:00 03-02 11:00 BUSY"]],
    ["FREEBUSY;FBTYPE=FREE:20260302T100000Z/PT1H", []],
    ["FREEBUSY:20260301T100000Z/P1DT12H", ["03-02 08:00 03-02 18:00 BUSY"]],
    ["FREEBUSY:20260302T070000Z/PT1H,20260302T180000Z/PT1H", []],
    ["FREEBUSY:20260302T100000Z,x/PT1H,20260302T100000Z/x", []],
    ["COMMENT:20260302T100000Z/PT1H", []],
  ];
  for (const [line, wanted] of rows) assert.deepEqual(of(line), wanted, line);
  const journal = new Series(calendarOf("VJOURNAL", [start]));
  assert.deepEqual(busyTimes(journal, range), []);
});

Deno.test("joining: each kind by itself, and sure times come before unsure ones", () => {
  const rows: [list: [number, number, BusyKind][], wanted: [number, number, BusyKind][]][] = [
    [[[5, 6, "BUSY"], [1, 3, "BUSY"], [2, 4, "BUSY"]], [[1, 4, "BUSY"], [5, 6, "BUSY"]]],
    [[[1, 2, "BUSY"], [2, 3, "BUSY"]], [[1, 3, "BUSY"]]],
    [[[1, 9, "BUSY"], [2, 3, "BUSY"]], [[1, 9, "BUSY"]]],
    [[[1, 2, "BUSY"], [3, 4, "BUSY"]], [[1, 2, "BUSY"], [3, 4, "BUSY"]]],
    // What is unsure around something sure.
    [[[1, 9, "BUSY-TENTATIVE"], [3, 5, "BUSY"]], [
      [3, 5, "BUSY"],
      [1, 3, "BUSY-TENTATIVE"],
      [5, 9, "BUSY-TENTATIVE"],
    ]],
    [[[1, 3, "BUSY-TENTATIVE"], [3, 5, "BUSY"], [5, 6, "BUSY-TENTATIVE"]], [
      [3, 5, "BUSY"],
      [1, 3, "BUSY-TENTATIVE"],
      [5, 6, "BUSY-TENTATIVE"],
    ]],
    [[[3, 5, "BUSY-TENTATIVE"], [3, 5, "BUSY"]], [[3, 5, "BUSY"]]],
    [[[1, 9, "BUSY-TENTATIVE"], [2, 3, "BUSY"], [4, 5, "BUSY-UNAVAILABLE"]], [
      [2, 3, "BUSY"],
      [4, 5, "BUSY-UNAVAILABLE"],
      [1, 2, "BUSY-TENTATIVE"],
      [3, 4, "BUSY-TENTATIVE"],
      [5, 9, "BUSY-TENTATIVE"],
    ]],
    [[[1, 4, "BUSY-UNAVAILABLE"], [3, 6, "BUSY"]], [[3, 6, "BUSY"], [1, 3, "BUSY-UNAVAILABLE"]]],
    // One that reaches from one unsure span into the next.
    [[[1, 3, "BUSY-TENTATIVE"], [4, 8, "BUSY-TENTATIVE"], [2, 5, "BUSY"], [6, 7, "BUSY"]], [
      [2, 5, "BUSY"],
      [6, 7, "BUSY"],
      [1, 2, "BUSY-TENTATIVE"],
      [5, 6, "BUSY-TENTATIVE"],
      [7, 8, "BUSY-TENTATIVE"],
    ]],
    [[], []],
  ];
  for (const [list, wanted] of rows) {
    const busy = list.map(([s, e, kind]) => ({ start: s, end: e, kind }));
    assert.deepEqual(
      joined(busy).map((b) => [b.start, b.end, b.kind]),
      wanted,
      JSON.stringify(list),
    );
  }
});

Deno.test("as a component: the span, and fifty periods a line", () => {
  const hour = 3_600_000;
  const busy: Busy[] = Array.from({ length: 51 }, (_, n) => ({
    start: range.start + 2 * n * hour,
    end: range.start + (2 * n + 1) * hour,
    kind: "BUSY",
  }));
  busy.push({ start: range.start, end: range.end, kind: "BUSY-TENTATIVE" });
  const lines = linesOf(freeBusyComponent(range, busy, at("2026-02-01 08:00")));
  assert.deepEqual(lines.slice(0, 4), [
    "BEGIN:VFREEBUSY",
    "DTSTAMP:20260201T080000Z",
    "DTSTART:20260302T080000Z",
    "DTEND:20260302T180000Z",
  ]);
  assert.equal(lines[4].split(",").length, 50);
  assert.ok(lines[4].startsWith("FREEBUSY:20260302T080000Z/20260302T090000Z,20260302T100000Z/"));
  assert.deepEqual(lines.slice(5), [
    "FREEBUSY:20260306T120000Z/20260306T130000Z",
    "FREEBUSY;FBTYPE=BUSY-TENTATIVE:20260302T080000Z/20260302T180000Z",
    "END:VFREEBUSY",
  ]);
  assert.deepEqual(linesOf(newCalendar([])), [
    "BEGIN:VCALENDAR",
    "VERSION:2.0",
    "PRODID:-//mox//mox for Deno//EN",
    "END:VCALENDAR",
  ]);
  assert.ok(linesOf(newCalendar([], "REPLY")).includes("METHOD:REPLY"));
});
