/** Events as a form shows them, and what a form makes of them: what it leaves alone stays as it was written. */
import assert from "node:assert/strict";
import {
  changedEvent,
  type ChangeOptions,
  exceptionsOf,
  newEvent,
  stamped,
} from "../../../src/mail/calendar/event_change.ts";
import {
  dateText,
  type Form,
  inviteesOf,
  minuteText,
  readForm,
  type Repeat,
  wallOf,
} from "../../../src/mail/calendar/event_form.ts";
import { Series } from "../../../src/mail/calendar/series.ts";
import { namedZone, utcZone } from "../../../src/mail/calendar/zones.ts";
import { at, berlin, events, eventsIn, linesOf, partLines } from "./objects.ts";

const mine = (a: string) => a === "me@example.org";
const now = at("2026-02-01 08:00");
const options: ChangeOptions = {
  zone: berlin,
  now,
  mine,
  me: { name: "Me", address: "me@example.org" },
};
const form: Form = {
  title: "",
  place: "",
  description: "",
  allDay: false,
  start: "2026-03-02T11:00",
  end: "2026-03-02T12:00",
  repeat: { every: "never" },
  people: [],
};
const week = (more = {}): Repeat => ({
  every: "week",
  interval: 1,
  until: null,
  count: null,
  ...more,
});

const shownForm = (series: Series, zone = berlin) => readForm(series, series.master!, zone, mine);
/** The lines of an event after its form was changed, without what says that it was. */
const after = (series: Series, more: Partial<Form>, o = options) => {
  const changed = changedEvent(series, { ...shownForm(series, o.zone), ...more }, o);
  return changed &&
    partLines(changed).map((p) => p.filter((l) => !/^(?:SEQUENCE|LAST-MODIFIED|CREATED):/.test(l)));
};

const start = "DTSTART;TZID=Europe/Berlin:20260302T110000";
const end = "DTEND;TZID=Europe/Berlin:20260302T120000";

Deno.test("texts of dates and times", () => {
  const rows: [text: string, wall: number | undefined][] = [
    ["2026-03-02", at("2026-03-02")],
    ["2026-03-02T11:05", at("2026-03-02 11:05")],
    ["2026-02-29", undefined],
    ["2028-02-29", at("2028-02-29")],
    ["2026-03-02T24:00", undefined],
    ["", undefined],
    ["tomorrow", undefined],
  ];
  for (const [text, wall] of rows) assert.equal(wallOf(text), wall, text);
  assert.equal(dateText(at("2026-03-02 23:59")), "2026-03-02");
  assert.equal(minuteText(at("2026-03-02 23:59")), "2026-03-02T23:59");
  assert.equal(dateText(at("1850-06-01")), "1850-06-01");
  assert.equal(dateText(Infinity), "9999-12-31");
  assert.equal(minuteText(-Infinity), "0001-01-01T00:00");
});

Deno.test("times as the reader's clocks show them", () => {
  const rows: [lines: string[], wanted: [boolean, string, string]][] = [
    [[start, end], [false, "2026-03-02T11:00", "2026-03-02T12:00"]],
    [["DTSTART:20260302T230000Z", "DURATION:PT90M"], [
      false,
      "2026-03-03T00:00",
      "2026-03-03T01:30",
    ]],
    [[start], [false, "2026-03-02T11:00", "2026-03-02T11:00"]],
    [[start, end.replace("12", "10")], [false, "2026-03-02T11:00", "2026-03-02T11:00"]],
    [["DTSTART;VALUE=DATE:20260302"], [true, "2026-03-02", "2026-03-02"]],
    [["DTSTART;VALUE=DATE:20260302", "DTEND;VALUE=DATE:20260303"], [
      true,
      "2026-03-02",
      "2026-03-02",
    ]],
    [["DTSTART;VALUE=DATE:20260302", "DTEND;VALUE=DATE:20260305"], [
      true,
      "2026-03-02",
      "2026-03-04",
    ]],
    [["DTSTART;VALUE=DATE:20260302", "DURATION:P3D"], [true, "2026-03-02", "2026-03-04"]],
    [["DTSTART;VALUE=DATE:20260302", "DTEND;VALUE=DATE:20260301"], [
      true,
      "2026-03-02",
      "2026-03-02",
    ]],
    // Of a series that has a length in place of an end, the first date.
    [[start, "DURATION:P1D", "RRULE:FREQ=WEEKLY", "EXDATE;TZID=Europe/Berlin:20260302T110000"], [
      false,
      "2026-03-02T11:00",
      "2026-03-03T11:00",
    ]],
  ];
  for (const [lines, wanted] of rows) {
    const f = shownForm(events(lines));
    assert.deepEqual([f.allDay, f.start, f.end], wanted, lines.join(" "));
  }
});

Deno.test("texts and people of a form", () => {
  const f = shownForm(events([
    start,
    "SUMMARY:a\\, b",
    "LOCATION:here",
    "DESCRIPTION:one\\ntwo",
    "ATTENDEE:mailto:me@example.org",
    "ATTENDEE;CN=Ann;PARTSTAT=TENTATIVE:mailto:Ann@example.org",
    "ATTENDEE:mailto:ann@example.org",
    "ATTENDEE:/nobody",
  ]));
  assert.deepEqual([f.title, f.place, f.description], ["a, b", "here", "one\ntwo"]);
  assert.deepEqual(f.people, ["ann@example.org"]);
  const list = inviteesOf(
    events([
      start,
      "ATTENDEE;CN=Ann;PARTSTAT=TENTATIVE:mailto:ann@example.org",
      "ATTENDEE:mailto:bob@example.org",
    ]).master!,
  );
  assert.deepEqual(list, [
    { name: "Ann", address: "ann@example.org", status: "tentative" },
    { name: "", address: "bob@example.org", status: "needs-action" },
  ]);
});

Deno.test("repetitions that the form has fields for, and those that it shows as rules", () => {
  const of = (every: string, more = {}) => ({
    every,
    interval: 1,
    until: null,
    count: null,
    ...more,
  });
  // The 2nd of March 2026 is a Monday.
  const rows: [rule: string, wanted: unknown][] = [
    ["FREQ=DAILY", of("day")],
    ["FREQ=DAILY;INTERVAL=3", of("day", { interval: 3 })],
    ["FREQ=WEEKLY;COUNT=4", of("week", { count: 4 })],
    ["FREQ=WEEKLY;BYDAY=MO", of("week")],
    ["FREQ=WEEKLY;BYDAY=TU", null],
    ["FREQ=WEEKLY;BYDAY=MO,TU", null],
    ["FREQ=WEEKLY;BYMONTH=3", null],
    ["FREQ=MONTHLY", of("month")],
    ["FREQ=MONTHLY;BYMONTHDAY=2", of("month")],
    ["FREQ=MONTHLY;BYMONTHDAY=3", null],
    ["FREQ=MONTHLY;BYMONTHDAY=2,3", null],
    ["FREQ=MONTHLY;BYDAY=1MO", null],
    ["FREQ=YEARLY", of("year")],
    ["FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=2", of("year")],
    ["FREQ=YEARLY;BYMONTH=4", null],
    ["FREQ=YEARLY;BYDAY=1MO", null],
    ["FREQ=YEARLY;BYWEEKNO=10", null],
    ["FREQ=YEARLY;BYYEARDAY=61", null],
    ["FREQ=DAILY;BYDAY=MO", null],
    ["FREQ=DAILY;BYMONTH=3", null],
    ["FREQ=DAILY;BYHOUR=11", null],
    ["FREQ=MONTHLY;BYMONTHDAY=2;BYSETPOS=1", null],
    ["FREQ=HOURLY", null],
    ["FREQ=DAILY;INTERVAL=999", of("day", { interval: 999 })],
    ["FREQ=DAILY;INTERVAL=1000", null],
    ["FREQ=DAILY;COUNT=9999", of("day", { count: 9999 })],
    ["FREQ=DAILY;COUNT=10000", null],
    // The last date, as the zone of the event has it.
    ["FREQ=DAILY;UNTIL=20260310T225959Z", of("day", { until: "2026-03-10" })],
    ["FREQ=DAILY;UNTIL=20260310T230000Z", null],
    ["FREQ=DAILY;UNTIL=20260310T100000Z", of("day", { until: "2026-03-10" })],
    ["FREQ=DAILY;UNTIL=20260310T095959Z", null],
    ["FREQ=DAILY;UNTIL=20260310", of("day", { until: "2026-03-10" })],
  ];
  for (const [rule, wanted] of rows) {
    assert.deepEqual(
      shownForm(events([start, end, `RRULE:${rule}`])).repeat,
      wanted ?? { every: "other", rule },
      rule,
    );
  }
  assert.deepEqual(shownForm(events([start, "RDATE:20260303T100000Z"])).repeat, {
    every: "other",
    rule: "",
  });
  assert.deepEqual(
    shownForm(events([start, "RRULE:FREQ=DAILY", "RDATE:20260303T100000Z"])).repeat,
    { every: "other", rule: "FREQ=DAILY" },
  );
  assert.deepEqual(shownForm(events([start, "RRULE:FREQ=DAILY", "RRULE:FREQ=WEEKLY"])).repeat, {
    every: "other",
    rule: "FREQ=DAILY\nFREQ=WEEKLY",
  });
  const days = events(["DTSTART;VALUE=DATE:20260302", "RRULE:FREQ=DAILY;UNTIL=20260310"]);
  assert.deepEqual(shownForm(days).repeat, of("day", { until: "2026-03-10" }));
});

Deno.test("a new event, line by line", () => {
  const lines = (more: Partial<Form>, o = options) =>
    partLines(newEvent("u9", { ...form, ...more }, o))[0].filter((l) => !l.startsWith("CREATED"));
  const times = [start, end];
  const rows: [form: Partial<Form>, wanted: string[]][] = [
    [{}, times],
    [{ title: "a, b", place: "here", description: "one\ntwo" }, [
      ...times,
      "SUMMARY:a\\, b",
      "LOCATION:here",
      "DESCRIPTION:one\\ntwo",
    ]],
    [{ allDay: true, start: "2026-03-02", end: "2026-03-03" }, [
      "DTSTART;VALUE=DATE:20260302",
      "DTEND;VALUE=DATE:20260304",
    ]],
    [{ repeat: week() }, [...times, "RRULE:FREQ=WEEKLY"]],
    [{ repeat: week({ interval: 2, count: 5 }) }, [
      ...times,
      "RRULE:FREQ=WEEKLY;INTERVAL=2;COUNT=5",
    ]],
    // Until the end of the day in the event's zone; of summer there.
    [{ repeat: week({ until: "2026-03-16" }) }, [
      ...times,
      "RRULE:FREQ=WEEKLY;UNTIL=20260316T225959Z",
    ]],
    [{ repeat: week({ until: "2026-04-16" }) }, [
      ...times,
      "RRULE:FREQ=WEEKLY;UNTIL=20260416T215959Z",
    ]],
    [{ repeat: week({ until: "2026-03-02" }) }, [
      ...times,
      "RRULE:FREQ=WEEKLY;UNTIL=20260302T225959Z",
    ]],
    [{
      allDay: true,
      start: "2026-03-02",
      end: "2026-03-02",
      repeat: week({ until: "2026-03-16" }),
    }, [
      "DTSTART;VALUE=DATE:20260302",
      "DTEND;VALUE=DATE:20260303",
      "RRULE:FREQ=WEEKLY;UNTIL=20260316",
    ]],
    [{ people: ["Ann@example.org", "me@example.org", "ann@example.org"] }, [
      ...times,
      "ORGANIZER;CN=Me:mailto:me@example.org",
      "ATTENDEE;CN=Me;PARTSTAT=ACCEPTED:mailto:me@example.org",
      "ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:ann@example.org",
    ]],
    [{ people: ["me@example.org"] }, times],
  ];
  for (const [more, wanted] of rows) {
    assert.deepEqual(lines(more), wanted, JSON.stringify(more));
  }
  assert.deepEqual(lines({}, { ...options, zone: utcZone }), [
    "DTSTART:20260302T110000Z",
    "DTEND:20260302T120000Z",
  ]);
  assert.deepEqual(
    lines({ people: ["a%b?c#d@example.org"] }, {
      ...options,
      me: { name: "", address: "me@example.org" },
    })
      .slice(2),
    [
      "ORGANIZER:mailto:me@example.org",
      "ATTENDEE;PARTSTAT=ACCEPTED:mailto:me@example.org",
      "ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:a%25b%3Fc%23d@example.org",
    ],
  );
  const whole = linesOf(newEvent("u9", form, options));
  assert.ok(whole.includes("UID:u9"));
  assert.ok(whole.includes("DTSTAMP:20260201T080000Z"));
  assert.ok(whole.includes("CREATED:20260201T080000Z"));
  assert.deepEqual(whole.filter((l) => l.startsWith("TZID:")), ["TZID:Europe/Berlin"]);
  const noZone = linesOf(newEvent("u9", form, { ...options, zone: utcZone }));
  assert.ok(!noZone.includes("BEGIN:VTIMEZONE"));
});

Deno.test("what a form can't be, in words", () => {
  const days = { allDay: true, start: "2026-03-02", end: "2026-03-02" };
  const rows: [form: Partial<Form>, message: string][] = [
    [{ start: "" }, "the start is no time: "],
    [{ start: "2026-03-02" }, "the start is no time: 2026-03-02"],
    [{ start: "2026-02-30T10:00" }, "the start is no time: 2026-02-30T10:00"],
    [{ end: "soon" }, "the end is no time: soon"],
    [{ end: "2026-03-02" }, "the end is no time: 2026-03-02"],
    [{ end: "2026-02-30T10:00" }, "the end is no time: 2026-02-30T10:00"],
    [{ ...days, start: "2026-03-02T10:00" }, "the start is no date: 2026-03-02T10:00"],
    [{ ...days, end: "2026-03-02T10:00" }, "the end is no date: 2026-03-02T10:00"],
    [{ ...days, end: "2026-02-29" }, "the end is no date: 2026-02-29"],
    [{ end: "2026-03-02T10:59" }, "the event ends before it begins"],
    [{ ...days, end: "2026-03-01" }, "the event ends before it begins"],
    [{ end: "2036-03-09T11:01" }, "the event takes more than ten years"],
    [{ repeat: week({ until: "x" }) }, "the last date is no date: x"],
    [{ repeat: week({ until: "2026-03-01" }) }, "the repetition ends before the event begins"],
    [
      { ...days, repeat: week({ until: "2026-03-01" }) },
      "the repetition ends before the event begins",
    ],
    [{ repeat: { every: "other", rule: "FREQ=HOURLY" } }, "this repetition can't be made here"],
    [{ people: ["ann"] }, "ann is not an address"],
    [{ people: ["ann@"] }, "ann@ is not an address"],
    [{ people: ["a nn@example.org"] }, "a nn@example.org is not an address"],
    [{ people: ['a"b@example.org'] }, 'a"b@example.org is not an address'],
    [{ people: ["a\r\nX:y@example.org"] }, "a\r\nX:y@example.org is not an address"],
    [{ people: ["a\u0001b@example.org"] }, "a\u0001b@example.org is not an address"],
    [{ people: ["<ann@example.org>"] }, "<ann@example.org> is not an address"],
  ];
  for (const [more, message] of rows) {
    assert.throws(() => newEvent("u9", { ...form, ...more }, options), {
      name: "FormError",
      message,
    });
  }
  newEvent("u9", { ...form, end: form.start }, options);
  newEvent("u9", { ...form, end: "2036-03-09T11:00" }, options);
});

Deno.test("a form that changes nothing changes nothing", () => {
  const rows = [
    [start, end],
    ["DTSTART:20260302T100000Z", "DURATION:PT1H", "SUMMARY:x"],
    ["DTSTART;VALUE=DATE:20260302", "X-OTHER:1"],
    [start, end, "RRULE:FREQ=HOURLY"],
    [start, end, "RRULE:FREQ=WEEKLY;UNTIL=20260316T225959Z"],
    [start, end, "ORGANIZER:mailto:me@example.org", "ATTENDEE:mailto:Ann@example.org"],
  ];
  for (const lines of rows) assert.equal(after(events(lines), {}), undefined, lines.join(" "));
});

Deno.test("who may see an event: read from CLASS, written for all of a series", () => {
  const privacy = (...lines: string[]) => shownForm(events([start, end, ...lines])).privacy;
  assert.equal(privacy(), "public");
  assert.equal(privacy("CLASS:Public"), "public");
  assert.equal(privacy("CLASS:private"), "private");
  assert.equal(privacy("CLASS:X-OURS"), "private");
  assert.equal(privacy("CLASS:CONFIDENTIAL"), "confidential");
  assert.equal(privacy('JSPROP;JSPTR=privacy:"secret"'), "confidential");

  const made = (privacy: Form["privacy"]) =>
    partLines(newEvent("u9", { ...form, privacy }, options))[0].filter((l) => /^CLASS/.test(l));
  assert.deepEqual(made(undefined), []);
  assert.deepEqual(made("public"), []);
  assert.deepEqual(made("private"), ["CLASS:PRIVATE"]);
  assert.deepEqual(made("confidential"), ["CLASS:CONFIDENTIAL"]);

  const series = events(
    [start, end, "RRULE:FREQ=WEEKLY", "CLASS:PRIVATE", "SUMMARY:x"],
    [
      "RECURRENCE-ID;TZID=Europe/Berlin:20260309T110000",
      "DTSTART;TZID=Europe/Berlin:20260309T120000",
      'JSPROP;JSPTR=privacy:"secret"',
      "CLASS:CONFIDENTIAL",
    ],
  );
  // The strictest counts for all, so all say the same after a change.
  assert.equal(shownForm(series).privacy, "confidential");
  assert.equal(after(series, {}), undefined);
  assert.equal(after(series, { privacy: undefined }), undefined);
  const classes = (more: Partial<Form>) =>
    after(series, more)!.map((lines) => lines.filter((l) => /^(?:CLASS|JSPROP)/.test(l)));
  assert.deepEqual(classes({ privacy: "private" }), [["CLASS:PRIVATE"], ["CLASS:PRIVATE"]]);
  assert.deepEqual(classes({ privacy: "public" }), [[], []]);
  assert.deepEqual(classes({ title: "y" })[0], ["CLASS:PRIVATE"]);
});

Deno.test("a change leaves alone what it is not about", () => {
  const all = [
    start,
    "X-OTHER;P=1:2",
    end,
    "SUMMARY;LANGUAGE=de;X-P=1:alt",
    'LOCATION;ALTREP="https://x.example":here',
    "BEGIN:VALARM",
    "TRIGGER:-PT5M",
    "END:VALARM",
  ];
  const rows: [form: Partial<Form>, wanted: string[]][] = [
    // Another text is in no language that is known.
    [{ title: "neu" }, all.with(3, "SUMMARY;X-P=1:neu")],
    [{ title: "" }, all.toSpliced(3, 1)],
    [{ place: "there" }, all.with(4, "LOCATION:there")],
    [{ description: "d" }, all.toSpliced(5, 0, "DESCRIPTION:d")],
    [{ start: "2026-03-02T11:30" }, all.with(0, "DTSTART;TZID=Europe/Berlin:20260302T113000")],
    [{ end: "2026-03-02T12:30" }, all.with(2, "DTEND;TZID=Europe/Berlin:20260302T123000")],
  ];
  for (const [more, wanted] of rows) {
    assert.deepEqual(after(events(all), more), [wanted], JSON.stringify(more));
  }
  const changed = linesOf(
    changedEvent(events(all), { ...shownForm(events(all)), title: "n" }, options)!,
  );
  for (const l of ["SEQUENCE:1", "DTSTAMP:20260201T080000Z", "LAST-MODIFIED:20260201T080000Z"]) {
    assert.ok(changed.includes(l), l);
  }
});

Deno.test("which zone times are written in: the event's own where it is known", () => {
  const later = { start: "2026-03-02T12:00", end: "2026-03-02T13:00" };
  const repeat = { repeat: week() };
  const rows: [name: string, lines: string[], form: Partial<Form>, wanted: string[]][] = [
    ["another zone", ["DTSTART;TZID=America/New_York:20260302T050000", "DURATION:PT1H"], later, [
      "DTSTART;TZID=America/New_York:20260302T060000",
      "DTEND;TZID=America/New_York:20260302T070000",
    ]],
    ["UTC", ["DTSTART:20260302T100000Z", "DURATION:PT1H"], later, [
      "DTSTART:20260302T110000Z",
      "DTEND:20260302T120000Z",
    ]],
    [
      "UTC, which is to repeat and so to know of summer",
      [
        "DTSTART:20260302T100000Z",
        "DURATION:PT1H",
      ],
      repeat,
      [
        "DTSTART;TZID=Europe/Berlin:20260302T110000",
        "RRULE:FREQ=WEEKLY",
        "DTEND;TZID=Europe/Berlin:20260302T120000",
      ],
    ],
    [
      "another zone, which is to repeat",
      [
        "DTSTART;TZID=America/New_York:20260302T050000",
        "DURATION:PT1H",
      ],
      repeat,
      ["DTSTART;TZID=America/New_York:20260302T050000", "DURATION:PT1H", "RRULE:FREQ=WEEKLY"],
    ],
    ["no zone", ["DTSTART:20260302T110000", "DTEND:20260302T120000"], later, [
      "DTSTART;TZID=Europe/Berlin:20260302T120000",
      "DTEND;TZID=Europe/Berlin:20260302T130000",
    ]],
    ["a zone that nobody knows", ["DTSTART;TZID=Nowhere:20260302T110000", "DURATION:PT1H"], later, [
      "DTSTART;TZID=Europe/Berlin:20260302T120000",
      "DTEND;TZID=Europe/Berlin:20260302T130000",
    ]],
    ["to a day", [start, end], { allDay: true, start: "2026-03-02", end: "2026-03-02" }, [
      "DTSTART;VALUE=DATE:20260302",
      "DTEND;VALUE=DATE:20260303",
    ]],
    ["of a day", ["DTSTART;VALUE=DATE:20260302"], { allDay: false, ...later }, [
      "DTSTART;TZID=Europe/Berlin:20260302T120000",
      "DTEND;TZID=Europe/Berlin:20260302T130000",
    ]],
  ];
  for (const [name, lines, more, wanted] of rows) {
    const got = after(eventsIn(berlin, lines), more)![0];
    assert.deepEqual(new Set(got), new Set(wanted), name);
  }
  // Somebody on a journey changes an event of their own zone, which is also that of floating times.
  const abroad = { ...options, zone: namedZone("America/New_York")! };
  assert.deepEqual(after(eventsIn(berlin, [start, end]), { end: "2026-03-02T07:00" }, abroad), [[
    start,
    "DTEND;TZID=Europe/Berlin:20260302T130000",
  ]]);
});

Deno.test("moving a series forgets its exceptions, and asks those who are invited anew", () => {
  const lines = [
    start,
    end,
    "RRULE:FREQ=DAILY;COUNT=5",
    "EXDATE;TZID=Europe/Berlin:20260304T110000",
    "ORGANIZER:mailto:me@example.org",
    "ATTENDEE;PARTSTAT=ACCEPTED:mailto:me@example.org",
    "ATTENDEE;PARTSTAT=ACCEPTED:mailto:ann@example.org",
    "ATTENDEE:mailto:bob@example.org",
  ];
  const one = [
    "RECURRENCE-ID;TZID=Europe/Berlin:20260303T110000",
    "DTSTART;TZID=Europe/Berlin:20260303T150000",
    "SUMMARY:own",
  ];
  const moved = after(events(lines, one), { start: "2026-03-02T11:30" })!;
  assert.deepEqual(moved, [[
    "DTSTART;TZID=Europe/Berlin:20260302T113000",
    end,
    "RRULE:FREQ=DAILY;COUNT=5",
    "ORGANIZER:mailto:me@example.org",
    "ATTENDEE;PARTSTAT=ACCEPTED:mailto:me@example.org",
    "ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:ann@example.org",
    "ATTENDEE:mailto:bob@example.org",
  ]]);
  // Another text is for all dates but those that have one of their own.
  const same = [
    "RECURRENCE-ID;TZID=Europe/Berlin:20260305T110000",
    "DTSTART;TZID=Europe/Berlin:20260305T150000",
  ];
  const texts = after(events(lines, one, same), { title: "new" })!;
  assert.deepEqual(texts.map((p) => p.find((l) => l.startsWith("SUMMARY"))), [
    "SUMMARY:new",
    "SUMMARY:own",
    "SUMMARY:new",
  ]);
  assert.ok(texts[0].includes("EXDATE;TZID=Europe/Berlin:20260304T110000"));
  assert.ok(texts[0].includes("ATTENDEE;PARTSTAT=ACCEPTED:mailto:ann@example.org"));
  // Dates that were added stay where the rule is one that the form doesn't have, those left out don't.
  const odd = [
    start,
    end,
    "RRULE:FREQ=HOURLY;COUNT=3",
    "RDATE:20260310T100000Z",
    "EXDATE:20260302T110000Z",
  ];
  assert.deepEqual(after(events(odd), { end: "2026-03-02T12:30" }), [[
    start,
    "DTEND;TZID=Europe/Berlin:20260302T123000",
    "RRULE:FREQ=HOURLY;COUNT=3",
    "RDATE:20260310T100000Z",
  ]]);
  assert.deepEqual(after(events(odd), { repeat: { every: "never" } }), [[start, end]]);
  assert.equal(exceptionsOf(events(lines, one)), 2);
  assert.equal(exceptionsOf(events(odd)), 2);
  assert.equal(exceptionsOf(events([start, "EXDATE:20260302T110000Z,20260303T110000Z"])), 2);
  assert.equal(exceptionsOf(events([start])), 0);
});

Deno.test("people of an event: added, taken out, all taken out", () => {
  const people = [
    start,
    "ORGANIZER:mailto:boss@example.org",
    "ATTENDEE;PARTSTAT=ACCEPTED:mailto:me@example.org",
    "ATTENDEE;PARTSTAT=ACCEPTED;X-P=1:mailto:Ann@example.org",
  ];
  const asked = (a: string) =>
    `ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:${a}`;
  const rows: [people: string[], wanted: string[] | undefined][] = [
    [["ANN@example.org"], undefined],
    [["ann@example.org", "bob@example.org"], [...people, asked("bob@example.org")]],
    [["bob@example.org"], [...people.slice(0, 3), asked("bob@example.org")]],
    [[], [start]],
  ];
  for (const [wantedPeople, wanted] of rows) {
    assert.deepEqual(after(events(people), { people: wantedPeople })?.[0] ?? undefined, wanted);
  }
});

Deno.test("a change is numbered", () => {
  const of = (...lines: string[]) =>
    linesOf(stamped(events([start, ...lines]).master!, now)).filter((l) =>
      l.startsWith("SEQUENCE")
    );
  assert.deepEqual(of(), ["SEQUENCE:1"]);
  assert.deepEqual(of("SEQUENCE:4"), ["SEQUENCE:5"]);
  assert.deepEqual(of("SEQUENCE:x"), ["SEQUENCE:1"]);
});
