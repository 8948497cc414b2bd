/** What clients get of a calendar object (RFC 4791 §9.6): instances one by one, those of a span, and parts. */
import assert from "node:assert/strict";
import {
  asStored,
  calendarData,
  type CalendarDataRequest,
  calendarPieces,
  type CompRequest,
  pruned,
} from "../../../src/mail/calendar/output.ts";
import type { TimeRange } from "../../../src/mail/calendar/filter.ts";
import { Series } from "../../../src/mail/calendar/series.ts";
import { namedZone } from "../../../src/mail/calendar/zones.ts";
import { parseComponents } from "../../../src/mail/contentline/component.ts";
import {
  at,
  berlin,
  calendarOf,
  events,
  eventsIn,
  linesOf,
  partLines,
  withLines,
} from "./objects.ts";

const none: CalendarDataRequest = {
  comp: undefined,
  expand: undefined,
  limitRecurrence: undefined,
  limitFreeBusy: undefined,
};
const range = (from: string, to: string): TimeRange => ({ start: at(from), end: at(to) });
const read = (text: string) => parseComponents(text)[0];
const expand = (series: Series, from: string, to: string) =>
  partLines(read(calendarData(series, { ...none, expand: range(from, to) })));

Deno.test("the whole object is asked for by nothing else", () => {
  const r = range("2026-03-01 00:00", "2026-04-01 00:00");
  const comp: CompRequest = {
    name: "VCALENDAR",
    allProps: true,
    props: [],
    allComps: true,
    comps: [],
  };
  assert.ok(asStored(none));
  for (const more of [{ comp }, { expand: r }, { limitRecurrence: r }, { limitFreeBusy: r }]) {
    assert.ok(!asStored({ ...none, ...more }));
  }
  const series = events(["DTSTART:20260302T100000Z", "SUMMARY:x"]);
  assert.deepEqual(linesOf(read(calendarData(series, none))), linesOf(series.calendar));
});

Deno.test("expanded instances are in UTC, whatever zone floating times have", () => {
  const rows: [start: string, wanted: string[]][] = [
    ["DTSTART;TZID=Europe/Berlin:20260302T110000", ["DTSTART:20260302T100000Z"]],
    ["DTSTART;TZID=America/New_York:20260302T050000", ["DTSTART:20260302T100000Z"]],
    ["DTSTART;TZID=Etc/UTC:20260302T100000", ["DTSTART:20260302T100000Z"]],
    ["DTSTART:20260302T100000Z", ["DTSTART:20260302T100000Z"]],
    ["DTSTART:20260302T100000", ["DTSTART:20260302T100000"]],
    ["DTSTART;TZID=Nowhere:20260302T100000", ["DTSTART:20260302T100000"]],
    ["DTSTART;VALUE=DATE:20260302", ["DTSTART;VALUE=DATE:20260302"]],
  ];
  for (const zone of [undefined, berlin, namedZone("America/New_York")]) {
    for (const [start, wanted] of rows) {
      const series = zone === undefined ? events([start]) : eventsIn(zone, [start]);
      assert.deepEqual(
        expand(series, "2026-03-01 00:00", "2026-03-04 00:00"),
        [wanted],
        `${start} where floating times are of ${zone?.name}`,
      );
    }
  }
});

Deno.test("expanded: each instance of a span with its RECURRENCE-ID, and no rules", () => {
  const series = events(
    [
      "DTSTART:20260302T100000Z",
      "DTEND:20260302T110000Z",
      "RRULE:FREQ=DAILY;COUNT=5",
      "EXDATE:20260304T100000Z",
      "RDATE:20260302T200000Z",
      "SUMMARY:all",
    ],
    ["RECURRENCE-ID:20260305T100000Z", "DTSTART:20260306T150000Z", "DURATION:PT1H", "SUMMARY:one"],
  );
  assert.deepEqual(expand(series, "2026-03-02 11:00", "2026-03-06 10:00"), [
    [
      "DTSTART:20260302T200000Z",
      "DTEND:20260302T210000Z",
      "SUMMARY:all",
      "RECURRENCE-ID:20260302T200000Z",
    ],
    [
      "DTSTART:20260303T100000Z",
      "DTEND:20260303T110000Z",
      "SUMMARY:all",
      "RECURRENCE-ID:20260303T100000Z",
    ],
  ]);
  assert.deepEqual(expand(series, "2026-03-06 11:00", "2026-03-07 00:00"), [
    [
      "DTSTART:20260306T150000Z",
      "DURATION:PT1H",
      "SUMMARY:one",
      "RECURRENCE-ID:20260305T100000Z",
    ],
  ]);
  const task = new Series(
    calendarOf("VTODO", ["DTSTART:20260302T100000Z", "DUE:20260302T120000Z", "RRULE:FREQ=DAILY"]),
  );
  assert.deepEqual(expand(task, "2026-03-03 10:30", "2026-03-03 11:00"), [[
    "DTSTART:20260303T100000Z",
    "DUE:20260303T120000Z",
    "RECURRENCE-ID:20260303T100000Z",
  ]]);
});

Deno.test("limited to a span: the master, and the dates that differ in it or from a date in it", () => {
  const series = new Series(withLines(
    calendarOf(
      "VEVENT",
      ["DTSTART:20260302T100000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY;COUNT=9", "SUMMARY:all"],
      ["RECURRENCE-ID:20260303T100000Z", "DTSTART:20260303T120000Z", "DURATION:PT1H", "SUMMARY:3"],
      ["RECURRENCE-ID:20260304T100000Z", "DTSTART:20260308T120000Z", "DURATION:PT1H", "SUMMARY:4"],
      ["RECURRENCE-ID:20260306T100000Z", "DTSTART:20260304T120000Z", "DURATION:PT1H", "SUMMARY:6"],
      ["RECURRENCE-ID:20260307T100000Z", "DTSTART:20260307T120000Z", "DURATION:PT1H", "SUMMARY:7"],
    ),
    "BEGIN:VTIMEZONE",
    "TZID:Mine",
    "END:VTIMEZONE",
  ));
  const summaries = (from: string, to: string) => {
    const limited = read(calendarData(series, { ...none, limitRecurrence: range(from, to) }));
    assert.equal(limited.components[0].name, "VTIMEZONE");
    return partLines(limited).map((p) => p.find((l) => l.startsWith("SUMMARY:"))!.slice(8)).join(
      " ",
    );
  };
  assert.equal(summaries("2026-03-04 00:00", "2026-03-05 00:00"), "all 4 6");
  assert.equal(summaries("2026-03-07 12:30", "2026-03-07 12:31"), "all 7");
  assert.equal(summaries("2026-03-08 00:00", "2026-03-09 00:00"), "all 4");
  assert.equal(summaries("2026-03-01 00:00", "2026-03-02 00:00"), "all");
  // Expanding says more than limiting does.
  const both = {
    ...none,
    expand: range("2026-03-02 10:00", "2026-03-02 11:00"),
    limitRecurrence: range("2026-03-07 00:00", "2026-03-08 00:00"),
  };
  assert.equal(partLines(read(calendarData(series, both))).length, 1);
});

Deno.test("published times limited to a span", () => {
  const series = new Series(calendarOf("VFREEBUSY", [
    "FREEBUSY;FBTYPE=BUSY:20260302T100000Z/PT1H,20260302T110000Z/20260302T120000Z,20260302T130000Z/PT1H",
    "FREEBUSY:20260305T100000Z/PT1H",
    "COMMENT:20260302T100000Z/PT1H",
  ]));
  const limited = (from: string, to: string) =>
    partLines(read(calendarData(series, {
      ...none,
      limitFreeBusy: range(`2026-03-02 ${from}`, `2026-03-02 ${to}`),
    })))[0];
  assert.deepEqual(limited("11:00", "13:00"), [
    "FREEBUSY;FBTYPE=BUSY:20260302T110000Z/20260302T120000Z",
    "COMMENT:20260302T100000Z/PT1H",
  ]);
  assert.deepEqual(limited("10:59", "13:01").slice(0, 1), [
    "FREEBUSY;FBTYPE=BUSY:20260302T100000Z/PT1H,20260302T110000Z/20260302T120000Z,20260302T130000Z/PT1H",
  ]);
});

Deno.test("parts of an object: properties by name, with or without value, and components", () => {
  const request = (name: string, more: Partial<CompRequest> = {}): CompRequest => ({
    name,
    allProps: false,
    props: [],
    allComps: false,
    comps: [],
    ...more,
  });
  const calendar = calendarOf("VEVENT", [
    "DTSTART:20260302T100000Z",
    "SUMMARY;LANGUAGE=de:x",
    "BEGIN:VALARM",
    "TRIGGER:-PT5M",
    "ACTION:DISPLAY",
    "END:VALARM",
  ]);
  const series = new Series(calendar);
  const of = (comp: CompRequest) =>
    linesOf(read(calendarData(series, { ...none, comp }))).slice(1, -1);
  const events = (more: Partial<CompRequest>) =>
    request("VCALENDAR", { comps: [request("VEVENT", more)] });
  assert.deepEqual(of(request("VCALENDAR")), []);
  assert.deepEqual(of(request("VCALENDAR", { props: [{ name: "PRODID", noValue: false }] })), [
    "PRODID:x",
  ]);
  assert.deepEqual(of(events({ props: [{ name: "SUMMARY", noValue: true }] })), [
    "BEGIN:VEVENT",
    "SUMMARY;LANGUAGE=de:",
    "END:VEVENT",
  ]);
  assert.deepEqual(of(events({ allProps: true })).length, 6, "without the alarm");
  assert.deepEqual(
    of(events({
      props: [{ name: "UID", noValue: false }],
      comps: [request("VALARM", { props: [{ name: "ACTION", noValue: false }] })],
    })),
    ["BEGIN:VEVENT", "UID:u1", "BEGIN:VALARM", "ACTION:DISPLAY", "END:VALARM", "END:VEVENT"],
  );
  assert.deepEqual(of(events({ allComps: true })), [
    "BEGIN:VEVENT",
    "BEGIN:VALARM",
    "TRIGGER:-PT5M",
    "ACTION:DISPLAY",
    "END:VALARM",
    "END:VEVENT",
  ]);
  assert.equal(of(request("VCALENDAR", { allComps: true })).length, 10);
  assert.deepEqual(of(request("VCALENDAR", { comps: [request("VTODO")] })), []);
  // What is asked of something else than a calendar is the whole.
  assert.equal(of(request("VEVENT")).length, 12);
  assert.equal(pruned(calendar, request("VCALENDAR", { allProps: true })).properties.length, 2);
});

Deno.test("thousands of instances come in pieces", () => {
  const series = events([
    "DTSTART:20260302T100000Z",
    `SUMMARY:${"x".repeat(500)}`,
    "RRULE:FREQ=DAILY",
  ]);
  const r = { ...none, expand: range("2026-03-01 00:00", "2026-06-01 00:00") };
  const pieces = [...calendarPieces(series, r)];
  assert.ok(pieces.length > 5, `${pieces.length} pieces`);
  for (const p of pieces.slice(0, -1)) assert.ok(p.length >= 8192 && p.length < 9000);
  assert.equal(pieces.join(""), calendarData(series, r));
  assert.equal(read(pieces.join("")).components.length, 91);
});
