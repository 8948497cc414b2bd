/** Events: iCalendar to JSCalendar and back, line by line; rules, dates that differ, and what is refused. */
import assert from "node:assert/strict";
import { Series } from "../../src/mail/calendar/series.ts";
import {
  type Component,
  parseComponents,
  writeComponent,
} from "../../src/mail/contentline/component.ts";
import { eventFromSeries, overrideOf } from "../../src/mail/jscalendar/from_ical.ts";
import { ruleFrom, ruleTo, wallOfLocal } from "../../src/mail/jscalendar/rules.ts";
import { eventProblems } from "../../src/mail/jscalendar/schema.ts";
import { EventError } from "../../src/mail/jscalendar/event_error.ts";
import { calendarOf, patched } from "../../src/mail/jscalendar/to_ical.ts";

type Json = Record<string, unknown>;

const now = Date.UTC(2026, 0, 1);

function series(...events: string[][]): Series {
  const lines = events.flatMap((
    e,
  ) => ["BEGIN:VEVENT", "UID:u1", "DTSTAMP:20260101T000000Z", ...e, "END:VEVENT"]);
  const text = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:x", ...lines, "END:VCALENDAR", ""];
  return new Series(parseComponents(text.join("\r\n"))[0]);
}

const start = "DTSTART;TZID=Europe/Berlin:20260302T100000";
/** The event of some lines, and a start if they have none. */
const event = (...lines: string[]): Json =>
  eventFromSeries(series(lines.some((l) => l.startsWith("DTSTART")) ? lines : [start, ...lines]))!;

function linesOf(c: Component): string[] {
  return writeComponent(c).replace(/\r\n /g, "").trim().split("\r\n");
}

Deno.test("parts of an event, from their lines and back to them", () => {
  const rows: [lines: string[], name: string, wanted: unknown][] = [
    [["SUMMARY:a\\, b"], "title", "a, b"],
    [["DESCRIPTION:one\\ntwo"], "description", "one\ntwo"],
    [["LOCATION;JSID=q:Room 1"], "locations", { q: { "@type": "Location", name: "Room 1" } }],
    [
      ["CONFERENCE;VALUE=URI;LABEL=call:https://c.example"],
      "virtualLocations",
      { v1: { "@type": "VirtualLocation", uri: "https://c.example", name: "call" } },
    ],
    [
      ["URL:https://u.example", "ATTACH;FMTTYPE=text/plain:https://a.example"],
      "links",
      {
        u1: { "@type": "Link", href: "https://u.example" },
        u2: {
          "@type": "Link",
          href: "https://a.example",
          rel: "enclosure",
          contentType: "text/plain",
        },
      },
    ],
    [["CATEGORIES:a,b\\,c", "CATEGORIES:d"], "keywords", { a: true, "b,c": true, d: true }],
    [["COLOR:red"], "color", "red"],
    [["STATUS:TENTATIVE"], "status", "tentative"],
    [["TRANSP:TRANSPARENT"], "freeBusyStatus", "free"],
    [["TRANSP:OPAQUE"], "freeBusyStatus", undefined],
    [["CLASS:CONFIDENTIAL"], "privacy", "secret"],
    [["CLASS:PRIVATE"], "privacy", "private"],
    [["SEQUENCE:3"], "sequence", 3],
    [["SEQUENCE:0"], "sequence", undefined],
    [["PRIORITY:1"], "priority", 1],
    [["CREATED:20260102T030405Z"], "created", "2026-01-02T03:04:05Z"],
    [["LAST-MODIFIED:20260102T030405Z"], "updated", "2026-01-02T03:04:05Z"],
    [["ORGANIZER:mailto:a@x.example"], "replyTo", { imip: "mailto:a@x.example" }],
    [
      ["RELATED-TO;RELTYPE=CHILD:u2", "RELATED-TO:u3"],
      "relatedTo",
      {
        u2: { "@type": "Relation", relation: { child: true } },
        u3: { "@type": "Relation", relation: { parent: true } },
      },
    ],
    [
      [
        "ORGANIZER:mailto:a@x.example",
        "ATTENDEE;JSID=o;CN=Ann;ROLE=CHAIR;PARTSTAT=ACCEPTED:mailto:A@x.example",
        "ATTENDEE;JSID=r;CUTYPE=ROOM;ROLE=NON-PARTICIPANT;SCHEDULE-AGENT=CLIENT:mailto:r@x.example",
        'ATTENDEE;JSID=b;ROLE=OPT-PARTICIPANT;RSVP=TRUE;SCHEDULE-STATUS="1.1,2.0":mailto:b@x.example',
      ],
      "participants",
      {
        o: {
          "@type": "Participant",
          name: "Ann",
          email: "a@x.example",
          sendTo: { imip: "mailto:A@x.example" },
          roles: { attendee: true, owner: true, chair: true },
          participationStatus: "accepted",
        },
        r: {
          "@type": "Participant",
          email: "r@x.example",
          sendTo: { imip: "mailto:r@x.example" },
          kind: "location",
          roles: { attendee: true, informational: true },
          scheduleAgent: "client",
        },
        b: {
          "@type": "Participant",
          email: "b@x.example",
          sendTo: { imip: "mailto:b@x.example" },
          roles: { attendee: true, optional: true },
          expectReply: true,
          scheduleStatus: ["1.1", "2.0"],
        },
      },
    ],
    [
      [
        ...["BEGIN:VALARM", "UID:x", "ACTION:EMAIL", "TRIGGER;RELATED=END:-pt5m", "DESCRIPTION:d"],
        ...["ACKNOWLEDGED:20260102T030405Z", "END:VALARM"],
        ...[
          "BEGIN:VALARM",
          "ACTION:DISPLAY",
          "TRIGGER;VALUE=DATE-TIME:20260102T030405Z",
          "END:VALARM",
        ],
        ...["BEGIN:VALARM", "ACTION:DISPLAY", "TRIGGER:nonsense", "END:VALARM"],
      ],
      "alerts",
      {
        x: {
          "@type": "Alert",
          trigger: { "@type": "OffsetTrigger", offset: "-PT5M", relativeTo: "end" },
          acknowledged: "2026-01-02T03:04:05Z",
          action: "email",
        },
        a1: {
          "@type": "Alert",
          trigger: { "@type": "AbsoluteTrigger", when: "2026-01-02T03:04:05Z" },
        },
      },
    ],
  ];
  for (const [lines, name, wanted] of rows) {
    const e = event(...lines);
    assert.deepEqual(e[name], wanted, lines.join(" "));
    assert.deepEqual(eventProblems(e), [], lines.join(" "));
    // Written as a new one it says the same.
    const again = eventFromSeries(new Series(calendarOf(e, now)))!;
    assert.deepEqual(again, e, lines.join(" "));
    // And as itself, with nothing changed, it has its own lines.
    const old = series([start, ...lines]);
    const kept = linesOf(calendarOf(eventFromSeries(old)!, now, old));
    for (const l of lines) assert.ok(kept.includes(l), `${l} in ${kept.join("\n")}`);
  }
});

Deno.test("start, zone and length", () => {
  const rows: [lines: string[], start: string, zone: string | null, length: string | undefined][] =
    [
      [
        [start, "DTEND;TZID=Europe/Berlin:20260302T113000"],
        "2026-03-02T10:00:00",
        "Europe/Berlin",
        "PT1H30M",
      ],
      [
        [start, "DTEND;TZID=Europe/Berlin:20260304T103000"],
        "2026-03-02T10:00:00",
        "Europe/Berlin",
        "P2DT30M",
      ],
      [[start, "DURATION:+pt45m"], "2026-03-02T10:00:00", "Europe/Berlin", "PT45M"],
      [[start, "DURATION:-PT5M"], "2026-03-02T10:00:00", "Europe/Berlin", undefined],
      [[start], "2026-03-02T10:00:00", "Europe/Berlin", undefined],
      [
        [start, "DTEND;TZID=Europe/Berlin:20260302T100000"],
        "2026-03-02T10:00:00",
        "Europe/Berlin",
        undefined,
      ],
      [
        ["DTSTART:20260302T100000Z", "DTEND:20260302T110000Z"],
        "2026-03-02T10:00:00",
        "Etc/UTC",
        "PT1H",
      ],
      [["DTSTART:20260302T100000"], "2026-03-02T10:00:00", null, undefined],
      [["DTSTART;VALUE=DATE:20260302"], "2026-03-02T00:00:00", null, "P1D"],
      [
        ["DTSTART;VALUE=DATE:20260302", "DTEND;VALUE=DATE:20260305"],
        "2026-03-02T00:00:00",
        null,
        "P3D",
      ],
      // Over the change of the clocks a day is one of the calendar.
      [
        ["DTSTART;TZID=Europe/Berlin:20260328T120000", "DTEND;TZID=Europe/Berlin:20260329T120000"],
        "2026-03-28T12:00:00",
        "Europe/Berlin",
        "P1D",
      ],
      // The end in another zone: exact hours.
      [
        ["DTSTART;TZID=Europe/Berlin:20260302T100000", "DTEND;TZID=Europe/London:20260302T100000"],
        "2026-03-02T10:00:00",
        "Europe/Berlin",
        "PT1H",
      ],
    ];
  for (const [lines, wanted, zone, length] of rows) {
    const e = event(...lines);
    assert.deepEqual([e.start, e.timeZone, e.duration], [wanted, zone, length], lines.join(" "));
    assert.equal(e.showWithoutTime, lines[0].includes("VALUE=DATE") ? true : undefined);
    assert.deepEqual(eventFromSeries(new Series(calendarOf(e, now))), e, lines.join(" "));
  }
});

Deno.test("rules of recurrence, in both directions", () => {
  const utcOnly = (at: number) => at;
  const rows: [string, Json][] = [
    ["FREQ=DAILY", { frequency: "daily" }],
    ["FREQ=WEEKLY;INTERVAL=2;WKST=SU;BYDAY=MO,FR", {
      frequency: "weekly",
      interval: 2,
      firstDayOfWeek: "su",
      byDay: [{ "@type": "NDay", day: "mo" }, { "@type": "NDay", day: "fr" }],
    }],
    ["FREQ=MONTHLY;BYDAY=-1SU;COUNT=3", {
      frequency: "monthly",
      byDay: [{ "@type": "NDay", day: "su", nthOfPeriod: -1 }],
      count: 3,
    }],
    ["FREQ=YEARLY;BYMONTHDAY=-1,1;BYMONTH=2,12;BYHOUR=3;BYMINUTE=4;BYSECOND=5;BYSETPOS=-1", {
      frequency: "yearly",
      byMonthDay: [-1, 1],
      byMonth: ["2", "12"],
      byHour: [3],
      byMinute: [4],
      bySecond: [5],
      bySetPosition: [-1],
    }],
    ["FREQ=YEARLY;BYYEARDAY=100;UNTIL=20270101T000000", {
      frequency: "yearly",
      byYearDay: [100],
      until: "2027-01-01T00:00:00",
    }],
    ["FREQ=YEARLY;BYWEEKNO=20", { frequency: "yearly", byWeekNo: [20] }],
  ];
  for (const [text, wanted] of rows) {
    const rule = ruleFrom(text, utcOnly);
    assert.deepEqual(rule, { "@type": "RecurrenceRule", ...wanted });
    const back = ruleTo(rule!, { zone: undefined, date: false });
    assert.ok(typeof back === "string", JSON.stringify(back));
    assert.deepEqual(ruleFrom(back, utcOnly), rule);
  }
  assert.equal(ruleFrom("FREQ=OFTEN", utcOnly), undefined);
  const berlin = event(start, "RRULE:FREQ=DAILY;UNTIL=20260310T090000Z");
  assert.equal((berlin.recurrenceRules as Json[])[0].until, "2026-03-10T10:00:00");
  assert.ok(linesOf(calendarOf(berlin, now)).includes("RRULE:FREQ=DAILY;UNTIL=20260310T090000Z"));
  const whole = event("DTSTART;VALUE=DATE:20260302", "RRULE:FREQ=DAILY;UNTIL=20260310");
  assert.ok(linesOf(calendarOf(whole, now)).includes("RRULE:FREQ=DAILY;UNTIL=20260310"));
  const problem = (r: Json) => {
    const made = ruleTo({ frequency: "daily", ...r }, { zone: undefined, date: false });
    return typeof made === "string" ? made : made.problem;
  };
  assert.equal(problem({ frequency: undefined }), "a rule has no frequency");
  assert.equal(problem({ rscale: "chinese" }), "only gregorian is known");
  assert.equal(problem({ rscale: "gregorian", skip: "omit" }), "FREQ=DAILY");
  assert.equal(problem({ skip: "forward" }), "only skip: omit is known");
  assert.equal(problem({ byMonth: "1" }), "byMonth is not a list");
  assert.equal(problem({ until: "2027" }), "until is not a local time");
  assert.match(problem({ firstDayOfWeek: "x\ny" }), /line breaks/);
  assert.match(problem({ byDay: ["mo"] }), /\?/);
});

Deno.test("local times", () => {
  assert.equal(wallOfLocal("2026-02-28T23:59:59"), Date.UTC(2026, 1, 28, 23, 59, 59));
  for (
    const odd of [
      "2026-02-29T00:00:00",
      "2026-02-28T24:00:00",
      "2026-02-28",
      "2026-02-28T00:00:00Z",
      3,
      null,
    ]
  ) {
    assert.equal(wallOfLocal(odd), undefined, String(odd));
  }
});

const daily = [
  start,
  "DTEND;TZID=Europe/Berlin:20260302T110000",
  "RRULE:FREQ=DAILY;COUNT=5",
  "SUMMARY:Meal",
];

Deno.test("dates that are left out, added or differ", () => {
  const s = series(
    [
      ...daily,
      "EXDATE;TZID=Europe/Berlin:20260303T100000",
      "RDATE;TZID=Europe/Berlin:20260320T100000",
    ],
    [
      "RECURRENCE-ID;TZID=Europe/Berlin:20260304T100000",
      "DTSTART;TZID=Europe/Berlin:20260304T120000",
      "DTEND;TZID=Europe/Berlin:20260304T130000",
      "SUMMARY:Late",
    ],
  );
  const e = eventFromSeries(s)!;
  assert.deepEqual(e.recurrenceOverrides, {
    "2026-03-03T10:00:00": { excluded: true },
    "2026-03-20T10:00:00": {},
    "2026-03-04T10:00:00": { start: "2026-03-04T12:00:00", title: "Late" },
  });
  assert.deepEqual(eventFromSeries(new Series(calendarOf(e, now))), e);
  // Unchanged they keep their lines; with one date less the others stay.
  const kept = linesOf(calendarOf(e, now, s));
  assert.ok(kept.includes("EXDATE;TZID=Europe/Berlin:20260303T100000"));
  const less = structuredClone(e) as { recurrenceOverrides: Json };
  delete less.recurrenceOverrides["2026-03-03T10:00:00"];
  const lines = linesOf(calendarOf(less, now, s));
  assert.ok(!lines.some((l) => l.startsWith("EXDATE")));
  assert.ok(lines.includes("RDATE;TZID=Europe/Berlin:20260320T100000"));
  assert.equal(lines.filter((l) => l === "BEGIN:VEVENT").length, 2);
  // The zone is described once, by the name that the times have.
  assert.equal(lines.filter((l) => l === "TZID:Europe/Berlin").length, 1);
});

Deno.test("a date of its own whose master isn't there is an event that says which", () => {
  const e = eventFromSeries(series([
    "RECURRENCE-ID;TZID=Europe/Berlin:20260304T100000",
    "DTSTART;TZID=Europe/Berlin:20260304T120000",
  ]))!;
  assert.equal(e.recurrenceId, "2026-03-04T10:00:00");
  assert.equal(e.recurrenceIdTimeZone, "Europe/Berlin");
  assert.equal(e.recurrenceOverrides, undefined);
});

Deno.test("patches: what makes an instance of its master, and back", () => {
  const master: Json = {
    "@type": "Event",
    uid: "u",
    title: "a",
    start: "2026-03-02T10:00:00",
    timeZone: "Europe/Berlin",
    "x.example:a/b~c": 1,
    locations: { l1: { name: "x" }, l2: { name: "y" } },
    recurrenceRules: [{ frequency: "daily" }],
  };
  const id = "2026-03-03T10:00:00";
  const instance: Json = {
    ...master,
    start: id,
    title: "b",
    "x.example:a/b~c": 2,
    locations: { l1: { name: "z" } },
    recurrenceRules: undefined,
  };
  const patch = overrideOf(master, instance, id);
  assert.deepEqual(patch, {
    title: "b",
    "x.example:a~1b~0c": 2,
    "locations/l1/name": "z",
    "locations/l2": null,
  });
  const made = patched(master, id, patch);
  assert.deepEqual(made, {
    "@type": "Event",
    uid: "u",
    title: "b",
    start: id,
    timeZone: "Europe/Berlin",
    "x.example:a/b~c": 2,
    locations: { l1: { name: "z" } },
    recurrenceId: id,
    recurrenceIdTimeZone: "Europe/Berlin",
  });
  // The master itself is as it was.
  assert.deepEqual(master.locations, { l1: { name: "x" }, l2: { name: "y" } });
  assert.deepEqual(overrideOf(master, { ...master, start: id, title: undefined }, id), {
    title: null,
  });
});

Deno.test("what an event must have, and what it can't be", () => {
  const base = { "@type": "Event", uid: "u", start: "2026-03-02T10:00:00", timeZone: null };
  assert.deepEqual(eventProblems(base), []);
  const names = (more: Json) => eventProblems({ ...base, ...more }).map((p) => p.name);
  assert.deepEqual(names({ odd: 1 }), ["odd"]);
  assert.deepEqual(names({ "x.example:odd": 1 }), []);
  assert.deepEqual(names({ timeZone: "Nowhere/City" }), ["timeZone"]);
  assert.deepEqual(names({ start: "2026" }), ["start"]);
  assert.deepEqual(names({ title: 3 }), ["title"]);
  assert.throws(() => calendarOf({ ...base, start: undefined }, now), EventError);
  assert.throws(
    () => calendarOf({ ...base, recurrenceOverrides: { x: { title: "a" } } }, now),
    /x is not a local time/,
  );
});

Deno.test("what iCalendar has no words for comes back too, and a line is never broken", () => {
  const e: Json = {
    "@type": "Event",
    uid: "u\r\nX:1",
    start: "2026-03-02T10:00:00",
    timeZone: null,
    title: "a",
    "x.example:more": { deep: [1, "two"] },
    locations: { l1: { "@type": "Location", name: "Room", "x.example:floor": 3 } },
    links: { u1: { "@type": "Link", href: "https://x.example/\r\nX:2" } },
    status: "odd",
    privacy: "odd",
  };
  const lines = linesOf(calendarOf(e, now));
  assert.ok(!lines.some((l) => /^X:/.test(l)));
  const back = eventFromSeries(new Series(calendarOf(e, now)))!;
  assert.deepEqual(
    [back["x.example:more"], back.locations, back.status, back.privacy],
    [e["x.example:more"], e.locations, "odd", "odd"],
  );
});
