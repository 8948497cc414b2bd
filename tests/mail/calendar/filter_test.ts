/** Filters of calendar-query (RFC 4791 §9.7 to §9.9): spans at their edges, properties, parameters, alarms. */
import assert from "node:assert/strict";
import {
  alarmTimes,
  calendarMatches,
  type CompFilter,
  inRange,
  type ParamFilter,
  type PropFilter,
  rangeOf,
  type TextMatch,
  type TimeRange,
} from "../../../src/mail/calendar/filter.ts";
import { Series } from "../../../src/mail/calendar/series.ts";
import { at, calendarOf, events, shown } from "./objects.ts";

/** A span of the 2nd of March 2026. */
const span = (from: string, to: string): TimeRange => ({
  start: at(`2026-03-02 ${from}`),
  end: at(`2026-03-02 ${to}`),
});

const text = (t: string, negate = false): TextMatch => ({
  text: t,
  negate,
  matches: (v) => v.toLowerCase().includes(t),
});

const comp = (name: string, more: Partial<CompFilter> = {}): CompFilter => ({
  name,
  notDefined: false,
  range: undefined,
  props: [],
  comps: [],
  ...more,
});
const prop = (name: string, more: Partial<PropFilter> = {}): PropFilter => ({
  name,
  notDefined: false,
  range: undefined,
  text: undefined,
  params: [],
  ...more,
});
const parameter = (name: string, more: Partial<ParamFilter> = {}): ParamFilter => ({
  name,
  notDefined: false,
  text: undefined,
  ...more,
});

Deno.test("RFC 4791 §9.9: what is in a span, at its edges", () => {
  const two = "DTSTART:20260302T100000Z";
  const rows: [kind: string, lines: string[], from: string, to: string, wanted: boolean][] = [
    // Events with an end: [10, 11).
    ["VEVENT", [two, "DTEND:20260302T110000Z"], "11:00", "12:00", false],
    ["VEVENT", [two, "DTEND:20260302T110000Z"], "10:59", "12:00", true],
    ["VEVENT", [two, "DTEND:20260302T110000Z"], "09:00", "10:00", false],
    ["VEVENT", [two, "DTEND:20260302T110000Z"], "09:00", "10:01", true],
    ["VEVENT", [two, "DURATION:PT1H"], "10:59", "12:00", true],
    ["VEVENT", [two, "DURATION:PT1H"], "11:00", "12:00", false],
    // Without length: the moment itself, the first of the span included.
    ["VEVENT", [two], "10:00", "11:00", true],
    ["VEVENT", [two], "09:00", "10:00", false],
    ["VEVENT", [two], "10:01", "11:00", false],
    ["VEVENT", [two, "DURATION:PT0S"], "10:00", "11:00", true],
    ["VEVENT", ["DTSTART;VALUE=DATE:20260302"], "23:59", "23:59", true],
    ["VEVENT", ["DTSTART;VALUE=DATE:20260301"], "00:00", "01:00", false],
    ["VAVAILABILITY", [two, "DTEND:20260302T110000Z"], "11:00", "12:00", false],
    ["VAVAILABILITY", [], "11:00", "12:00", true],
    // Tasks with start and length.
    ["VTODO", [two, "DURATION:PT1H"], "11:00", "12:00", true],
    ["VTODO", [two, "DURATION:PT1H"], "11:01", "12:00", false],
    ["VTODO", [two, "DURATION:PT1H"], "09:00", "10:00", false],
    ["VTODO", [two, "DURATION:PT1H"], "09:00", "10:01", true],
    ["VTODO", [two, "DURATION:PT0S"], "09:00", "10:00", true],
    // With start and DUE.
    ["VTODO", [two, "DUE:20260302T110000Z"], "11:00", "12:00", false],
    ["VTODO", [two, "DUE:20260302T110000Z"], "10:59", "12:00", true],
    ["VTODO", [two, "DUE:20260302T110000Z"], "09:00", "10:00", false],
    ["VTODO", [two, "DUE:20260302T110000Z"], "09:00", "10:01", true],
    // Start, DUE or neither.
    ["VTODO", [two], "10:00", "11:00", true],
    ["VTODO", [two], "09:00", "10:00", false],
    ["VTODO", ["DUE:20260302T110000Z"], "11:00", "12:00", false],
    ["VTODO", ["DUE:20260302T110000Z"], "10:00", "11:00", true],
    ["VTODO", ["DUE:20260302T110000Z"], "10:00", "10:59", false],
    ["VTODO", ["COMPLETED:20260302T110000Z"], "11:00", "12:00", true],
    ["VTODO", ["COMPLETED:20260302T110000Z"], "10:00", "11:00", true],
    ["VTODO", ["COMPLETED:20260302T110000Z"], "11:01", "12:00", false],
    ["VTODO", ["COMPLETED:20260302T110000Z"], "10:00", "10:59", false],
    ["VTODO", ["CREATED:20260302T100000Z"], "10:00", "10:01", true],
    ["VTODO", ["CREATED:20260302T100000Z"], "09:00", "10:00", false],
    ["VTODO", ["CREATED:20260302T100000Z"], "23:00", "23:01", true],
    ["VTODO", ["CREATED:20260302T100000Z", "COMPLETED:20260302T110000Z"], "11:00", "12:00", true],
    ["VTODO", ["CREATED:20260302T100000Z", "COMPLETED:20260302T110000Z"], "11:01", "12:00", false],
    ["VTODO", ["CREATED:20260302T100000Z", "COMPLETED:20260302T110000Z"], "09:00", "10:00", true],
    ["VTODO", ["CREATED:20260302T100000Z", "COMPLETED:20260302T110000Z"], "09:00", "09:59", false],
    ["VTODO", [], "09:00", "10:00", true],
    // Journals.
    ["VJOURNAL", [two], "10:00", "11:00", true],
    ["VJOURNAL", [two], "10:01", "11:00", false],
    ["VJOURNAL", [two], "09:00", "10:00", false],
    ["VJOURNAL", ["DTSTART;VALUE=DATE:20260302"], "23:58", "23:59", true],
    ["VJOURNAL", ["DTSTART;VALUE=DATE:20260301"], "00:00", "23:59", false],
    ["VJOURNAL", ["DTSTART;VALUE=DATE:20260303"], "00:00", "23:59", false],
    ["VJOURNAL", [], "00:00", "23:59", false],
    // Published times.
    ["VFREEBUSY", [two, "DTEND:20260302T110000Z"], "11:00", "12:00", true],
    ["VFREEBUSY", [two, "DTEND:20260302T110000Z"], "11:01", "12:00", false],
    ["VFREEBUSY", [two, "DTEND:20260302T110000Z"], "09:00", "10:00", false],
    ["VFREEBUSY", ["FREEBUSY:20260302T100000Z/PT1H"], "10:59", "12:00", true],
    ["VFREEBUSY", ["FREEBUSY:20260302T100000Z/PT1H"], "11:00", "12:00", false],
    ["VFREEBUSY", ["FREEBUSY:20260302T100000Z/PT1H"], "09:00", "10:00", false],
    ["VFREEBUSY", ["COMMENT:20260302T100000Z/PT1H"], "10:00", "11:00", false],
  ];
  for (const [kind, lines, from, to, wanted] of rows) {
    const series = new Series(calendarOf(kind, lines));
    const range = span(from, to);
    const all = series.instances(-Infinity, Infinity);
    assert.equal(
      all.some((i) => inRange(series, i, range)),
      wanted,
      `${kind} ${lines.join(" ")} in ${from} to ${to}`,
    );
    // The instances near a span are looked at only: none that is in it may be missing.
    const near = series.instances(range.start, range.end);
    assert.equal(near.some((i) => inRange(series, i, range)), wanted, `${kind} ${lines} near`);
  }
});

Deno.test("RFC 5545 §3.8.6: when an alarm goes off", () => {
  const rows: [event: string[], alarm: string[], wanted: string[]][] = [
    [["DURATION:PT1H"], ["TRIGGER:-PT15M"], ["09:45"]],
    [["DURATION:PT1H"], ["TRIGGER;RELATED=START:PT15M"], ["10:15"]],
    [["DURATION:PT1H"], ["TRIGGER;RELATED=end:PT15M"], ["11:15"]],
    [[], ["TRIGGER;RELATED=END:-PT15M"], ["09:45"]],
    [["DURATION:PT1H"], ["TRIGGER;VALUE=DATE-TIME:20260302T081500Z"], ["08:15"]],
    [["DURATION:PT1H"], ["TRIGGER:soon"], []],
    [["DURATION:PT1H"], ["ACTION:DISPLAY"], []],
    [["DURATION:PT1H"], ["TRIGGER:PT0S", "REPEAT:2", "DURATION:PT10M"], [
      "10:00",
      "10:10",
      "10:20",
    ]],
    [["DURATION:PT1H"], ["TRIGGER:PT0S", "REPEAT:2"], ["10:00"]],
    [["DURATION:PT1H"], ["TRIGGER:PT0S", "DURATION:PT10M"], ["10:00"]],
    [["DURATION:PT1H"], ["TRIGGER:PT0S", "REPEAT:x", "DURATION:PT10M"], ["10:00"]],
  ];
  for (const [lines, alarm, wanted] of rows) {
    const series = events([
      "DTSTART:20260302T100000Z",
      ...lines,
      "BEGIN:VALARM",
      ...alarm,
      "END:VALARM",
    ]);
    const [instance] = series.instances(-Infinity, Infinity);
    const times = alarmTimes(series, series.master!.components[0], instance);
    assert.deepEqual(times.map((t) => shown(t).slice(11)), wanted, alarm.join(" "));
  }
  // No more than a hundred times, whatever is asked for.
  const often = events([
    "DTSTART:20260302T100000Z",
    "BEGIN:VALARM",
    "TRIGGER:-P1D",
    "REPEAT:1000000000",
    "DURATION:P1DT1H",
    "END:VALARM",
  ]);
  const [instance] = often.instances(-Infinity, Infinity);
  const times = alarmTimes(often, often.master!.components[0], instance);
  assert.equal(times.length, 101);
  assert.equal(shown(times[0]), "2026-03-01 10:00");
  assert.equal(shown(times[1]), "2026-03-02 11:00");
  // A task that has nothing but an end.
  const task = new Series(
    calendarOf("VTODO", ["DUE:20260302T110000Z", "BEGIN:VALARM", "TRIGGER:-PT1H", "END:VALARM"]),
  );
  const [due] = task.instances(-Infinity, Infinity);
  assert.deepEqual(
    alarmTimes(task, task.master!.components[0], due).map(shown),
    ["2026-03-02 10:00"],
  );
});

Deno.test("properties, parameters and texts of a filter", async () => {
  const series = events([
    "DTSTART:20260302T100000Z",
    "DTEND:20260302T110000Z",
    "SUMMARY;LANGUAGE=de:Plan\\, der erste",
    'ATTENDEE;PARTSTAT=ACCEPTED;MEMBER="mailto:a@example.org","mailto:b@example.org":mailto:ann@example.org',
    "ATTENDEE;PARTSTAT=DECLINED:mailto:bob@example.org",
    "DUE;VALUE=DATE:20260305",
    "CREATED:20260301T100000Z",
  ]);
  const attendee = (who: string, status: string) =>
    prop("ATTENDEE", { text: text(who), params: [parameter("PARTSTAT", { text: text(status) })] });
  const created = (from: string, to: string) =>
    prop("CREATED", { range: { start: at(from), end: at(to) } });
  const due = (from: string, to: string) =>
    prop("DUE", { range: { start: at(from), end: at(to) } });
  const rows: [name: string, filter: PropFilter, wanted: boolean][] = [
    ["is there", prop("SUMMARY"), true],
    ["is not there", prop("LOCATION"), false],
    ["must not be there, and is", prop("SUMMARY", { notDefined: true }), false],
    ["must not be there, and isn't", prop("LOCATION", { notDefined: true }), true],
    ["text", prop("SUMMARY", { text: text("plan, der") }), true],
    ["another text", prop("SUMMARY", { text: text("zweite") }), false],
    ["not that text", prop("SUMMARY", { text: text("zweite", true) }), true],
    ["not that text, but it is", prop("SUMMARY", { text: text("erste", true) }), false],
    ["parameter is there", prop("SUMMARY", { params: [parameter("LANGUAGE")] }), true],
    ["parameter isn't there", prop("SUMMARY", { params: [parameter("ALTREP")] }), false],
    [
      "parameter must not be there",
      prop("SUMMARY", {
        params: [parameter("ALTREP", { notDefined: true })],
      }),
      true,
    ],
    [
      "parameter must not be there, and is",
      prop("SUMMARY", {
        params: [parameter("LANGUAGE", { notDefined: true })],
      }),
      false,
    ],
    [
      "one of several values",
      prop("ATTENDEE", {
        params: [parameter("MEMBER", { text: text("b@example") })],
      }),
      true,
    ],
    [
      "values over the comma",
      prop("ATTENDEE", {
        params: [parameter("MEMBER", { text: text("a@example.org,mailto:b") })],
      }),
      true,
    ],
    ["text and parameter of one property", attendee("ann", "accepted"), true],
    ["text and parameter of two properties", attendee("ann", "declined"), false],
    ["the second property", attendee("bob", "declined"), true],
    [
      "two parameters, one of them wrong",
      prop("ATTENDEE", {
        params: [parameter("PARTSTAT"), parameter("X-NONE")],
      }),
      false,
    ],
    ["time, from its moment on", created("2026-03-01 10:00", "2026-03-01 11:00"), true],
    ["time, until before its moment", created("2026-03-01 09:00", "2026-03-01 10:00"), false],
    ["time, after its moment", created("2026-03-01 10:01", "2026-03-01 11:00"), false],
    ["date, its last moment", due("2026-03-05 23:59", "2026-03-06 10:00"), true],
    ["date, after it", due("2026-03-06", "2026-03-07"), false],
    ["date, before it", due("2026-03-04", "2026-03-05"), false],
    ["no time", prop("SUMMARY", { range: { start: 0, end: Infinity } }), false],
  ];
  for (const [name, filter, wanted] of rows) {
    const whole = comp("VCALENDAR", { comps: [comp("VEVENT", { props: [filter] })] });
    assert.equal(await calendarMatches(series, whole), wanted, name);
  }
  const all = [prop("SUMMARY"), prop("LOCATION")];
  const both = comp("VCALENDAR", { comps: [comp("VEVENT", { props: all })] });
  assert.equal(await calendarMatches(series, both), false, "all properties of a filter");
});

Deno.test("components of a filter", async () => {
  const alarm = ["BEGIN:VALARM", "TRIGGER:-PT15M", "ACTION:DISPLAY", "END:VALARM"];
  const plain = events(["DTSTART:20260302T100000Z", "DTEND:20260302T110000Z"]);
  const ringing = events(["DTSTART:20260302T100000Z", "DTEND:20260302T110000Z", ...alarm]);
  const inEvent = (more: Partial<CompFilter>) =>
    comp("VCALENDAR", { comps: [comp("VEVENT", more)] });
  const ring = (from: string, to: string) => comp("VALARM", { range: span(from, to) });
  const rows: [name: string, series: Series, filter: CompFilter, wanted: boolean][] = [
    ["a calendar", plain, comp("VCALENDAR"), true],
    ["no calendar", plain, comp("VCALENDAR", { notDefined: true }), false],
    ["a name that isn't a calendar's", plain, comp("VEVENT"), false],
    ["a property of the calendar", plain, comp("VCALENDAR", { props: [prop("PRODID")] }), true],
    ["one that it lacks", plain, comp("VCALENDAR", { props: [prop("METHOD")] }), false],
    ["events", plain, inEvent({}), true],
    ["tasks", plain, comp("VCALENDAR", { comps: [comp("VTODO")] }), false],
    ["no tasks", plain, comp("VCALENDAR", { comps: [comp("VTODO", { notDefined: true })] }), true],
    ["no events", plain, inEvent({ notDefined: true }), false],
    [
      "events and tasks",
      plain,
      comp("VCALENDAR", { comps: [comp("VEVENT"), comp("VTODO")] }),
      false,
    ],
    ["alarms", ringing, inEvent({ comps: [comp("VALARM")] }), true],
    ["alarms where there are none", plain, inEvent({ comps: [comp("VALARM")] }), false],
    ["no alarms", plain, inEvent({ comps: [comp("VALARM", { notDefined: true })] }), true],
    [
      "no alarms, but one",
      ringing,
      inEvent({ comps: [comp("VALARM", { notDefined: true })] }),
      false,
    ],
    ["it rings", ringing, inEvent({ comps: [ring("09:45", "09:46")] }), true],
    ["it rings at the end", ringing, inEvent({ comps: [ring("09:00", "09:45")] }), false],
    ["it rang before", ringing, inEvent({ comps: [ring("09:46", "12:00")] }), false],
    ["in a span", plain, inEvent({ range: span("10:30", "10:31") }), true],
    ["after it", plain, inEvent({ range: span("11:00", "12:00") }), false],
    [
      "in a span, with a text that isn't there",
      plain,
      inEvent({
        range: span("10:30", "10:31"),
        props: [prop("SUMMARY")],
      }),
      false,
    ],
    [
      "in a span, and it rings",
      ringing,
      inEvent({
        range: span("10:30", "10:31"),
        comps: [ring("09:45", "09:46")],
      }),
      true,
    ],
    [
      "in a span, and it rings at another time",
      ringing,
      inEvent({
        range: span("10:30", "10:31"),
        comps: [ring("10:00", "10:30")],
      }),
      false,
    ],
    [
      "tasks in a span",
      plain,
      comp("VCALENDAR", {
        comps: [comp("VTODO", { range: span("10:30", "10:31") })],
      }),
      false,
    ],
  ];
  for (const [name, series, filter, wanted] of rows) {
    assert.equal(await calendarMatches(series, filter), wanted, name);
  }
});

Deno.test("one instance of a series has to match all of a filter", async () => {
  const series = events(
    ["DTSTART:20260302T100000Z", "DURATION:PT30M", "RRULE:FREQ=HOURLY;COUNT=60", "SUMMARY:usual"],
    ["RECURRENCE-ID:20260302T120000Z", "DTSTART:20260302T120000Z", "DURATION:PT30M", "SUMMARY:odd"],
    [
      "RECURRENCE-ID:20260304T200000Z",
      "DTSTART:20260304T200000Z",
      "DURATION:PT30M",
      "SUMMARY:late",
    ],
  );
  const asked = (summary: string, from: string, to: string) =>
    calendarMatches(
      series,
      comp("VCALENDAR", {
        comps: [comp("VEVENT", {
          range: { start: at(from), end: at(to) },
          props: [prop("SUMMARY", { text: text(summary) })],
        })],
      }),
    );
  assert.equal(await asked("odd", "2026-03-02 12:00", "2026-03-02 13:00"), true);
  assert.equal(await asked("odd", "2026-03-02 13:00", "2026-03-02 14:00"), false);
  assert.equal(await asked("usual", "2026-03-02 12:00", "2026-03-02 13:00"), false);
  assert.equal(await asked("usual", "2026-03-02 12:00", "2026-03-02 13:01"), true);
  // It comes after more instances than are looked at first.
  assert.equal(await asked("late", "2026-03-02 10:00", "2026-03-05 00:00"), true);
  assert.equal(await asked("none", "2026-03-02 10:00", "2026-03-05 00:00"), false);
  // Without a span any component is looked at.
  const anywhere = comp("VCALENDAR", {
    comps: [comp("VEVENT", { props: [prop("SUMMARY", { text: text("late") })] })],
  });
  assert.equal(await calendarMatches(series, anywhere), true);
});

Deno.test("which kind and span a filter is about, for the index", () => {
  const range = span("10:00", "11:00");
  assert.deepEqual(rangeOf(comp("VCALENDAR", { comps: [comp("VEVENT", { range })] })), {
    kind: "VEVENT",
    range,
  });
  assert.equal(rangeOf(comp("VCALENDAR")), undefined);
  assert.equal(
    rangeOf(comp("VCALENDAR", { comps: [comp("VTODO", { notDefined: true })] })),
    undefined,
  );
});
