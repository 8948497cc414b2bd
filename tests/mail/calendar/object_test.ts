/** What may be stored in a calendar (RFC 4791 §4.1), and which rule is broken by what may not. */
import assert from "node:assert/strict";
import {
  maxAttendees,
  objectText,
  parseCalendar,
  parseCalendarInTurns,
  readObject,
} from "../../../src/mail/calendar/object.ts";
import { writeComponent } from "../../../src/mail/contentline/component.ts";
import { calendarOf, events, withLines } from "./objects.ts";

const start = "DTSTART:20260302T100000Z";
const text = (...parts: string[][]) => writeComponent(calendarOf("VEVENT", ...parts));

Deno.test("rules of stored objects, each broken by itself", () => {
  const people = (n: number) =>
    Array.from({ length: n }, (_, i) => `ATTENDEE:mailto:a${i}@x.example`);
  const rows: [text: string, rule: string, message: string][] = [
    ["", "valid-calendar-data", "the text is empty"],
    [text([start]) + text([start]), "valid-calendar-data", "the text is not one VCALENDAR"],
    ["BEGIN:VCARD\r\nEND:VCARD\r\n", "valid-calendar-data", "the text is not one VCALENDAR"],
    [text([start]).replace("2.0", "1.0"), "valid-calendar-data", "VERSION has to be 2.0, not 1.0"],
    [
      text([start]).replace("VERSION:2.0\r\n", ""),
      "valid-calendar-data",
      "VERSION has to be 2.0, not missing",
    ],
    [
      writeComponent(withLines(calendarOf("VEVENT", [start]), "METHOD:REQUEST")),
      "valid-calendar-object-resource",
      "METHOD has no place in a stored object (RFC 4791, section 4.1)",
    ],
    [text(), "valid-calendar-object-resource", "there is no event, task or journal in it"],
    [
      writeComponent(calendarOf("X-THING", [start])),
      "supported-calendar-component",
      "X-THING can't be stored",
    ],
    [
      writeComponent({
        ...calendarOf("VEVENT", [start]),
        components: [calendarOf("VEVENT", [start]), calendarOf("VTODO", [start])].flatMap((c) =>
          c.components
        ),
      }),
      "valid-calendar-object-resource",
      "components of different kinds in one object",
    ],
    [text(["UID: ", start]), "valid-calendar-object-resource", "VEVENT has no UID"],
    [
      text([start], ["UID:other", "RECURRENCE-ID:20260303T100000Z", start]),
      "valid-calendar-object-resource",
      "more than one UID",
    ],
    [
      text([start], [start]),
      "valid-calendar-object-resource",
      "more than one component without RECURRENCE-ID",
    ],
    [
      text(
        [start, "RRULE:FREQ=DAILY"],
        ["RECURRENCE-ID:20260303T100000Z", start],
        ["RECURRENCE-ID;TZID=Europe/Berlin:20260303T110000", start],
      ),
      "valid-calendar-object-resource",
      "two components with the same RECURRENCE-ID",
    ],
    [text(["SUMMARY:x"]), "valid-calendar-data", "VEVENT has no DTSTART"],
    [text([start, start]), "valid-calendar-data", "VEVENT has DTSTART 2 times"],
    [
      text([start, "SEQUENCE:1", "SEQUENCE:2", "SEQUENCE:3"]),
      "valid-calendar-data",
      "VEVENT has SEQUENCE 3 times",
    ],
    [
      text([start, "DTEND:20260302T110000Z", "DURATION:PT1H"]),
      "valid-calendar-data",
      "VEVENT has a duration and an end",
    ],
    [
      writeComponent(calendarOf("VTODO", ["DUE:20260302T110000Z", "DURATION:PT1H"])),
      "valid-calendar-data",
      "VTODO has a duration and an end",
    ],
    [
      text([start, ...people(maxAttendees + 1)]),
      "max-attendees-per-instance",
      "more than 1000 ATTENDEEs",
    ],
    [
      text([start, "BEGIN:VALARM", "TRIGGER:soon", "END:VALARM"]),
      "valid-calendar-data",
      "VALARM has a TRIGGER that is neither a duration nor a time",
    ],
    [text([start, "DURATION:x"]), "valid-calendar-data", 'DURATION can\'t be "x"'],
  ];
  for (const [t, rule, message] of rows) {
    assert.throws(() => readObject(t), { name: "ObjectError", rule, message });
  }
  const good: string[] = [
    text([start, ...people(maxAttendees)]),
    text([start, "BEGIN:VALARM", "TRIGGER:-PT5M", "END:VALARM"]),
    text([start, "BEGIN:VALARM", "TRIGGER;VALUE=DATE-TIME:20260302T095500Z", "END:VALARM"]),
    text([start, "BEGIN:VALARM", "ACTION:DISPLAY", "END:VALARM"]),
    text([start, "BEGIN:X-PART", "TRIGGER:soon", "END:X-PART"]),
    text(["RECURRENCE-ID:20260303T100000Z", start]),
    writeComponent(calendarOf("VTODO", ["SUMMARY:x"])),
  ];
  for (const t of good) readObject(new TextEncoder().encode(t));
});

Deno.test("the same in turns", async () => {
  const encode = (s: string) => new TextEncoder().encode(s);
  const whole = text([start]);
  assert.deepEqual(await parseCalendarInTurns(encode(whole)), parseCalendar(whole));
  await assert.rejects(parseCalendarInTurns(encode("")), {
    rule: "valid-calendar-data",
    message: "the text is empty",
  });
});

Deno.test("words to search for: of the first twenty components, in lower case, 4,000 characters", () => {
  const id = (n: number) => `RECURRENCE-ID:202604${String(n).padStart(2, "0")}T100000Z`;
  const series = events(
    [id(1), start, "SUMMARY:One"],
    [
      start,
      "RRULE:FREQ=DAILY",
      "SUMMARY:The Plan\\, all",
      "LOCATION:Room",
      "DESCRIPTION:Text",
      "CATEGORIES:Work",
      "ORGANIZER:mailto:Boss@x.example",
      "ATTENDEE:mailto:Ann@x.example",
      "COMMENT:hidden",
    ],
    ...Array.from({ length: 20 }, (_, n) => [id(n + 2), start, `SUMMARY:Date ${n + 2}`]),
  );
  const { summary, search } = objectText(series);
  assert.equal(summary, "The Plan, all", "the master's, wherever it stands");
  const words = search.split("\n");
  assert.deepEqual(words.slice(0, 7), [
    "one",
    "the plan, all",
    "room",
    "text",
    "work",
    "mailto:boss@x.example",
    "mailto:ann@x.example",
  ]);
  assert.deepEqual([words.length, words.at(-1)], [7 + 18, "date 19"]);
  const long = objectText(
    events([start, `SUMMARY:${"x".repeat(600)}`, ...Array(9).fill(`LOCATION:${"y".repeat(600)}`)]),
  );
  assert.equal(long.summary.length, 500);
  assert.equal(long.search.length, 4000);
  assert.equal(objectText(events([id(3), start, "SUMMARY:alone"])).summary, "alone");
  assert.deepEqual(objectText(events([start])), { summary: "", search: "" });
});
