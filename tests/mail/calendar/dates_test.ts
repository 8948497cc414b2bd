/** Single dates of a series: read, changed, answered, taken out, and a series in two at one of its dates. */
import assert from "node:assert/strict";
import type { ChangeOptions } from "../../../src/mail/calendar/event_change.ts";
import {
  answeredDate,
  changedDate,
  changedFollowing,
  dateNumber,
  divided,
  readDate,
  readFollowing,
  withoutDate,
} from "../../../src/mail/calendar/event_dates.ts";
import { Series } from "../../../src/mail/calendar/series.ts";
import { at, berlin, events, eventsIn, partLines, shown } from "./objects.ts";
import type { Component } from "../../../src/mail/contentline/component.ts";

const mine = (a: string) => a === "me@example.org";
const now = at("2026-02-01 08:00");
const options: ChangeOptions = {
  zone: berlin,
  now,
  mine,
  me: { name: "", address: "me@example.org" },
};

const start = "DTSTART;TZID=Europe/Berlin:20260302T110000";
const end = "DTEND;TZID=Europe/Berlin:20260302T120000";
const daily = "RRULE:FREQ=DAILY;COUNT=5";
/** The number of a date of that series: in UTC it begins at ten. */
const march = (d: number) => at(`2026-03-${String(d).padStart(2, "0")} 10:00`);
const berlinAt = (name: string, d: number, h: number) =>
  `${name};TZID=Europe/Berlin:202603${String(d).padStart(2, "0")}T${
    String(h).padStart(2, "0")
  }0000`;

const plain = () => events([start, end, daily, "SUMMARY:all"]);
const mixed = () =>
  events(
    [start, end, daily, berlinAt("EXDATE", 3, 11), "SUMMARY:all"],
    [
      berlinAt("RECURRENCE-ID", 4, 11),
      berlinAt("DTSTART", 30, 15),
      "DURATION:PT30M",
      "SUMMARY:own",
    ],
  );

/** Without what says that something was changed. */
const lines = (c: Component | undefined) =>
  c && partLines(c).map((p) => p.filter((l) => !/^(?:SEQUENCE|LAST-MODIFIED):/.test(l)));
const times = (c: Component | undefined, zone = berlin) =>
  c === undefined
    ? []
    : new Series(c, zone).instances(-Infinity, Infinity).map((i) => shown(i.start).slice(5));

const noDate = { name: "FormError", message: "the series has no such date any more" };

Deno.test("the form of one date: of the series, or its own wherever it was moved", () => {
  const of = (series: Series, d: number) => {
    const { form } = readDate(series, march(d), berlin, mine);
    return [form.title, form.start, form.end, form.repeat.every];
  };
  assert.deepEqual(of(plain(), 6), ["all", "2026-03-06T11:00", "2026-03-06T12:00", "never"]);
  assert.deepEqual(of(mixed(), 2), ["all", "2026-03-02T11:00", "2026-03-02T12:00", "never"]);
  assert.deepEqual(
    of(mixed(), 4),
    ["own", "2026-03-30T15:00", "2026-03-30T15:30", "never"],
  );
  for (const d of [1, 3, 7]) assert.throws(() => of(mixed(), d), noDate);
  assert.throws(() => readDate(plain(), march(2) + 1000, berlin, mine), noDate);
  const days = events(["DTSTART;VALUE=DATE:20260302", "RRULE:FREQ=DAILY;COUNT=2"]);
  const { form } = readDate(days, at("2026-03-03"), berlin, mine);
  assert.deepEqual([form.allDay, form.start, form.end], [true, "2026-03-03", "2026-03-03"]);
  assert.equal(
    dateNumber(days, days.instances(-Infinity, Infinity)[1].recurrence!),
    at("2026-03-03"),
  );
});

Deno.test("one date changed alone", () => {
  const change = (series: Series, d: number, more: object) =>
    lines(
      changedDate(
        series,
        march(d),
        { ...readDate(series, march(d), berlin, mine).form, ...more },
        options,
      ),
    );
  assert.equal(change(plain(), 3, {}), undefined);
  assert.equal(change(mixed(), 4, {}), undefined);
  const [master] = lines(plain().calendar)!;
  assert.deepEqual(change(plain(), 3, { title: "one" }), [master, [
    berlinAt("DTSTART", 3, 11),
    berlinAt("DTEND", 3, 12),
    "SUMMARY:one",
    berlinAt("RECURRENCE-ID", 3, 11),
  ]]);
  // A repetition of the form's isn't that of the date.
  assert.equal(
    change(plain(), 3, { repeat: { every: "day", interval: 1, until: null, count: null } }),
    undefined,
  );
  assert.deepEqual(change(mixed(), 4, { title: "again" }), [lines(mixed().calendar)![0], [
    berlinAt("RECURRENCE-ID", 4, 11),
    berlinAt("DTSTART", 30, 15),
    "DURATION:PT30M",
    "SUMMARY:again",
  ]]);
  // One that changes all that follow keeps that; the date gets one of its own.
  const future = events([start, end, daily], [
    `RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Berlin:20260304T110000`,
    berlinAt("DTSTART", 4, 15),
    berlinAt("DTEND", 4, 16),
    "SUMMARY:later",
  ]);
  const changed = change(future, 5, { title: "one" })!;
  assert.equal(changed.length, 3);
  assert.deepEqual(changed[2], [
    berlinAt("DTSTART", 5, 15),
    berlinAt("DTEND", 5, 16),
    "SUMMARY:one",
    berlinAt("RECURRENCE-ID", 5, 11),
  ]);
  assert.equal(change(future, 4, { title: "one" })!.length, 3, "the date that it begins at, too");
  // Dates in UTC, floating and whole days say which they are in their own way.
  const kinds: [start: string, number: number, id: string][] = [
    ["DTSTART:20260302T100000Z", march(3), "RECURRENCE-ID:20260303T100000Z"],
    ["DTSTART:20260302T110000", march(3), "RECURRENCE-ID:20260303T110000"],
    ["DTSTART;VALUE=DATE:20260302", at("2026-03-03"), "RECURRENCE-ID;VALUE=DATE:20260303"],
  ];
  for (const [first, number, id] of kinds) {
    const series = eventsIn(berlin, [first, daily]);
    const { form } = readDate(series, number, berlin, mine);
    const made = lines(changedDate(series, number, { ...form, title: "x" }, options))!;
    assert.ok(made[1].includes(id), `${first}: ${made[1]}`);
  }
});

Deno.test("one date answered alone", () => {
  const ann = "ATTENDEE;PARTSTAT=NEEDS-ACTION:mailto:ann@example.org";
  const series = events([start, end, daily, ann], [
    berlinAt("RECURRENCE-ID", 4, 11),
    berlinAt("DTSTART", 4, 15),
    ann,
  ]);
  const answer = (d: number) =>
    partLines(answeredDate(series, march(d), "ann@example.org", "DECLINED"));
  const declined = "ATTENDEE;PARTSTAT=DECLINED:mailto:ann@example.org";
  assert.deepEqual(answer(3)[0], partLines(series.calendar)[0]);
  assert.deepEqual(answer(3)[1], partLines(series.calendar)[1]);
  assert.deepEqual(answer(3)[2], [
    berlinAt("DTSTART", 3, 11),
    berlinAt("DTEND", 3, 12),
    declined,
    berlinAt("RECURRENCE-ID", 3, 11),
  ]);
  assert.deepEqual(answer(4), [partLines(series.calendar)[0], [
    berlinAt("RECURRENCE-ID", 4, 11),
    berlinAt("DTSTART", 4, 15),
    declined,
  ]]);
  assert.throws(() => answer(8), noDate);
});

Deno.test("one date taken out", () => {
  const out = withoutDate(plain(), march(3), now)!;
  assert.deepEqual(times(out), ["03-02 10:00", "03-04 10:00", "03-05 10:00", "03-06 10:00"]);
  assert.ok(partLines(out)[0].includes(berlinAt("EXDATE", 3, 11)));
  assert.ok(partLines(out)[0].includes("SEQUENCE:1"));
  // One that differs goes with what it said.
  assert.deepEqual(times(withoutDate(mixed(), march(4), now)), [
    "03-02 10:00",
    "03-05 10:00",
    "03-06 10:00",
  ]);
  // The last one: nothing is left.
  const one = events([start, end, "RRULE:FREQ=DAILY;COUNT=1"]);
  assert.equal(withoutDate(one, march(2), now), undefined);
  const two = events([start, end, "RRULE:FREQ=DAILY;COUNT=2"]);
  assert.notEqual(withoutDate(two, march(2), now), undefined);
  const future = events([start, end, daily], [
    `RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Berlin:20260304T110000`,
    berlinAt("DTSTART", 4, 15),
  ]);
  assert.throws(() => withoutDate(future, march(4), now), {
    name: "FormError",
    message: "this date changes all that follow: remove those with it",
  });
  assert.deepEqual(times(withoutDate(future, march(5), now)), [
    "03-02 10:00",
    "03-03 10:00",
    "03-04 14:00",
    "03-06 14:00",
  ]);
  assert.throws(() => withoutDate(plain(), march(9), now), noDate);
});

Deno.test("a series in two: both halves together have the dates of the whole", () => {
  const long = (rule: string, ...more: string[]) =>
    eventsIn(berlin, [start, end, `RRULE:${rule}`, "SUMMARY:all", ...more]);
  const list: [name: string, series: Series, at: number][] = [
    ["counted", long("FREQ=DAILY;COUNT=5"), march(4)],
    ["counted, at the last", long("FREQ=DAILY;COUNT=5"), march(6)],
    ["counted, at the second", long("FREQ=DAILY;COUNT=5"), march(3)],
    ["with an end", long("FREQ=DAILY;UNTIL=20260306T100000Z"), march(4)],
    ["several a day", long("FREQ=DAILY;BYHOUR=11,18;COUNT=6"), march(3)],
    [
      "with dates added and left out",
      long(
        "FREQ=DAILY;COUNT=5",
        "EXDATE:20260303T100000Z,20260305T100000Z",
        "RDATE:20260302T200000Z,20260309T200000Z",
      ),
      march(4),
    ],
    ["in UTC", eventsIn(berlin, ["DTSTART:20260302T100000Z", "DURATION:PT1H", daily]), march(4)],
    ["floating", eventsIn(berlin, ["DTSTART:20260302T110000", "DURATION:PT1H", daily]), march(4)],
    ["of days", eventsIn(berlin, ["DTSTART;VALUE=DATE:20260302", daily]), at("2026-03-04")],
    [
      "with dates that differ",
      eventsIn(
        berlin,
        [start, end, daily],
        [berlinAt("RECURRENCE-ID", 3, 11), berlinAt("DTSTART", 20, 15)],
        [berlinAt("RECURRENCE-ID", 5, 11), berlinAt("DTSTART", 21, 15)],
      ),
      march(4),
    ],
    [
      "at a date that differs",
      eventsIn(
        berlin,
        [start, end, daily],
        [berlinAt("RECURRENCE-ID", 4, 11), berlinAt("DTSTART", 1, 15)],
      ),
      march(4),
    ],
    [
      "over a change of clocks",
      eventsIn(berlin, [
        "DTSTART;TZID=Europe/Berlin:20260328T110000",
        "DURATION:PT1H",
        "RRULE:FREQ=DAILY;UNTIL=20260331T090000Z",
      ]),
      at("2026-03-29 09:00"),
    ],
  ];
  for (const [name, series, date] of list) {
    const { before, rest } = divided(series, date, "u2", now);
    const halves = [...times(before), ...times(rest)].sort();
    assert.deepEqual(halves, times(series.calendar).sort(), name);
    const uids = rest.components.filter((c) => c.name === "VEVENT")
      .map((c) => c.properties.find((p) => p.name === "UID")!.value);
    assert.deepEqual(new Set(uids), new Set(["u2"]), name);
    const first = new Series(rest, berlin);
    assert.equal(
      dateNumber(first, {
        ...first.instances(-Infinity, Infinity).find((i) =>
          i.component === first.master || i.recurrence !== undefined
        )!.recurrence!,
      }) >= date,
      true,
      name,
    );
  }
});

Deno.test("the lines of both halves", () => {
  const { before, rest } = divided(plain(), march(4), "u2", now);
  assert.deepEqual(partLines(before!)[0], [
    start,
    end,
    "RRULE:FREQ=DAILY;UNTIL=20260304T095959Z",
    "SUMMARY:all",
    "SEQUENCE:1",
    "LAST-MODIFIED:20260201T080000Z",
  ]);
  assert.deepEqual(partLines(rest)[0], [
    berlinAt("DTSTART", 4, 11),
    berlinAt("DTEND", 4, 12),
    "RRULE:FREQ=DAILY;COUNT=3",
    "SUMMARY:all",
  ]);
  const rules: [lines: string[], date: number, before: string, rest: string][] = [
    [
      ["DTSTART:20260302T110000", "RRULE:FREQ=DAILY"],
      march(4),
      "FREQ=DAILY;UNTIL=20260304T105959",
      "FREQ=DAILY",
    ],
    [
      ["DTSTART;VALUE=DATE:20260302", "RRULE:FREQ=DAILY;UNTIL=20260309"],
      at("2026-03-04"),
      "FREQ=DAILY;UNTIL=20260303",
      "FREQ=DAILY;UNTIL=20260309",
    ],
    [
      ["DTSTART:20260302T100000Z", "RRULE:COUNT=9;FREQ=DAILY"],
      march(4),
      "FREQ=DAILY;UNTIL=20260304T095959Z",
      "FREQ=DAILY;COUNT=7",
    ],
  ];
  for (const [l, date, first, second] of rules) {
    const halves = divided(eventsIn(berlin, l), date, "u2", now);
    const rule = (c: Component) => partLines(c)[0].find((x) => x.startsWith("RRULE:"))!.slice(6);
    assert.deepEqual([rule(halves.before!), rule(halves.rest)], [first, second], l.join(" "));
  }
  // At the first date nothing is before.
  assert.equal(divided(plain(), march(2), "u2", now).before, undefined);
  // All dates before are left out: nothing is, either.
  const none = events([start, end, daily, "EXDATE:20260302T100000Z"]);
  assert.equal(divided(none, march(3), "u2", now).before, undefined);
});

Deno.test("where a series can't be divided", () => {
  const rows: [series: Series, date: number, message: string][] = [
    [
      events([berlinAt("RECURRENCE-ID", 4, 11), berlinAt("DTSTART", 4, 11)]),
      march(4),
      "this is one date of a series that isn't here",
    ],
    [
      events([start, daily, "RDATE:20260320T100000Z"]),
      march(20),
      "this date was added to the series alone: change or remove it alone",
    ],
    [
      events([start, daily, "RDATE;VALUE=DATE:20260320"]),
      at("2026-03-20"),
      "the dates of this series are of two kinds",
    ],
    [events([start, daily]), march(7), "the series has no such date any more"],
    [
      events([start, daily, "EXDATE:20260304T100000Z"]),
      march(4),
      "the series has no such date any more",
    ],
  ];
  for (const [series, date, message] of rows) {
    assert.throws(() => divided(series, date, "u2", now), { name: "FormError", message });
  }
  // Without a rule, dates that were added are all that there is.
  const dates = events([start, end, "RDATE;TZID=Europe/Berlin:20260304T110000,20260306T110000"]);
  const { before, rest } = divided(dates, march(4), "u2", now);
  assert.deepEqual(times(before), ["03-02 10:00"]);
  assert.deepEqual(times(rest), ["03-04 10:00", "03-06 10:00"]);
});

Deno.test("a date and all that follow, read and changed", () => {
  const series = plain();
  const { form } = readFollowing(series, march(4), berlin, mine);
  assert.deepEqual([form.title, form.start, form.end], [
    "all",
    "2026-03-04T11:00",
    "2026-03-04T12:00",
  ]);
  assert.deepEqual(form.repeat, { every: "day", interval: 1, until: null, count: 3 });
  const o = { ...options, uid: "u2" };
  assert.equal(changedFollowing(series, march(4), form, o), undefined);
  const halves = changedFollowing(series, march(4), { ...form, start: "2026-03-04T11:30" }, o)!;
  assert.deepEqual(times(halves.before), ["03-02 10:00", "03-03 10:00"]);
  assert.deepEqual(times(halves.rest), ["03-04 10:30", "03-05 10:30", "03-06 10:30"]);
  // All of it, when it begins with the first date.
  assert.equal(
    changedFollowing(series, march(2), {
      ...readFollowing(series, march(2), berlin, mine).form,
      title: "x",
    }, o)!.before,
    undefined,
  );
});
