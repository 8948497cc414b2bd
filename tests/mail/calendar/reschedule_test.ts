/** RFC 6638 §3.2.5, §3.2.8: what an organizer's change does to an event's number, and to the answers to it. */
import assert from "node:assert/strict";
import { asChanged, asInvitation } from "../../../src/mail/calendar/reschedule.ts";
import { checkedSeries, ObjectError } from "../../../src/mail/calendar/object.ts";
import { Series } from "../../../src/mail/calendar/series.ts";
import { fc } from "../../support/fast_check.ts";
import { calendarOf, events, linesOf, partLines } from "./objects.ts";

const boss = "ORGANIZER:mailto:boss@example.org";
const self = "ATTENDEE;PARTSTAT=ACCEPTED:mailto:boss@example.org";
const ann = "ATTENDEE;CN=Ann;PARTSTAT=ACCEPTED:mailto:ann@example.org";
const asked = "ATTENDEE;CN=Ann;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:ann@example.org";
const bob = "ATTENDEE;PARTSTAT=DECLINED:mailto:bob@example.org";
const start = "DTSTART;TZID=Europe/Berlin:20260302T100000";
const end = "DTEND;TZID=Europe/Berlin:20260302T110000";
const daily = "RRULE:FREQ=DAILY;COUNT=5";
const third = "RECURRENCE-ID;TZID=Europe/Berlin:20260304T100000";
const people = [boss, self, ann];
const mine = (address: string) => address === "boss@example.org";

const changed = (was: Series, now: Series) => partLines(asChanged(was, now, mine));

/** The number of the first component, and whether Ann is asked anew. */
function outcome(was: string[], now: string[]): string {
  const [lines] = changed(events([...was, ...people]), events([...now, ...people]));
  const n = lines.find((l) => l.startsWith("SEQUENCE:"))?.slice(9) ?? "0";
  assert.ok(lines.includes(self), "the organizer's own answer stays");
  return `${n} ${lines.includes(asked) ? "asked" : lines.includes(ann) ? "kept" : "lost"}`;
}

Deno.test("other times raise the number and take back answers; other words do neither", () => {
  const rows: [now: string[], wanted: string][] = [
    [[start, end, "SUMMARY:other", "LOCATION:there"], "0 kept"],
    [[start.replace("T10", "T09"), end], "1 asked"],
    [[start, end.replace("T11", "T12")], "1 asked"],
    [[start.replace("0302", "0303"), end.replace("0302", "0303")], "1 asked"],
    // The same time in other words.
    [["DTSTART:20260302T090000Z", "DTEND:20260302T100000Z"], "0 kept"],
    [[start, "DURATION:PT1H"], "0 kept"],
    [[start, "DURATION:PT2H"], "1 asked"],
    [["DTSTART;VALUE=DATE:20260302", "DTEND;VALUE=DATE:20260303"], "1 asked"],
    // The program has counted itself.
    [[start.replace("T10", "T09"), end, "SEQUENCE:7"], "7 asked"],
    [[start, end, daily], "1 asked"],
    [[start, end, "STATUS:CANCELLED"], "1 kept"],
  ];
  for (const [now, wanted] of rows) {
    assert.equal(outcome([start, end, "SUMMARY:one"], now), wanted, now.join(" "));
  }
});

Deno.test("fewer dates of a series ask nobody anything; further ones do", () => {
  const was = [start, end, daily, "SEQUENCE:3"];
  const rows: [now: string[], wanted: string][] = [
    [[start, end, daily, "SEQUENCE:3"], "3 kept"],
    [[start, end, "RRULE:FREQ=DAILY;COUNT=3"], "4 kept"],
    [[start, end, "RRULE:FREQ=DAILY;UNTIL=20260303T235959Z"], "4 kept"],
    [[start, end, daily, "EXDATE;TZID=Europe/Berlin:20260303T100000"], "4 kept"],
    [[start, end, "RRULE:FREQ=DAILY;COUNT=6"], "4 asked"],
    [[start, end, "RRULE:FREQ=WEEKLY;COUNT=5"], "4 asked"],
    [[start, end, daily, "RDATE;TZID=Europe/Berlin:20260310T100000"], "4 asked"],
    // The same rule, written in another order.
    [[start, end, "RRULE:COUNT=5;FREQ=DAILY"], "4 kept"],
    // A program that has kept the number from before.
    [[start, end, daily, "SEQUENCE:1"], "3 kept"],
    [[start, end, daily], "3 kept"],
  ];
  for (const [now, wanted] of rows) assert.equal(outcome(was, now), wanted, now.join(" "));
  const without = [...was, "EXDATE;TZID=Europe/Berlin:20260303T100000"];
  assert.equal(outcome(without, was), "4 asked", "a date that comes back");
  const forever = [start, end, "RRULE:FREQ=DAILY"];
  assert.equal(
    outcome(forever, [...forever, "EXDATE;TZID=Europe/Berlin:20260303T100000"]),
    "1 kept",
  );
  assert.equal(outcome([start, end, "RRULE:FREQ=DAILY;INTERVAL=2"], forever), "1 asked");
  assert.equal(outcome(forever, [start, end, "RRULE:FREQ=DAILY;INTERVAL=2"]), "1 kept");
  assert.equal(outcome(forever, [start, end, "RRULE:FREQ=MONTHLY;BYHOUR=11"]), "1 asked");
});

Deno.test("one date that moves is asked about alone", () => {
  const master = [start, end, daily, ...people];
  const was = events(master);
  const same = events(master, [
    third,
    start.replace("0302", "0304"),
    end.replace("0302", "0304"),
    "SUMMARY:here",
    ...people,
  ]);
  assert.equal(asChanged(was, same, mine), same.calendar, "its title alone differs");
  const later = start.replace("0302T10", "0304T13");
  const moved = events(master, [third, later, "DURATION:PT1H", ...people]);
  assert.deepEqual(changed(was, moved), [
    master,
    [third, later, "DURATION:PT1H", boss, self, asked, "SEQUENCE:1"],
  ]);
  // What such a date says of dates is nothing to go by.
  const odd = events(master, [
    third,
    later,
    "DURATION:PT1H",
    "RRULE:bogus",
    "RDATE:never",
    ...people,
  ]);
  assert.deepEqual(changed(was, odd)[1].slice(-2), [asked, "SEQUENCE:1"]);
  // Then its text changes, and it moves back.
  const answered = events(master, [third, later, "DURATION:PT1H", ...people, "SEQUENCE:1"]);
  const text = events(master, [
    third,
    later,
    "DURATION:PT1H",
    "SUMMARY:x",
    ...people,
    "SEQUENCE:1",
  ]);
  assert.equal(asChanged(answered, text, mine), text.calendar);
  const back = events(master, [third, start.replace("0302", "0304"), "DURATION:PT1H", ...people]);
  assert.deepEqual(changed(answered, back)[1].slice(-2), [asked, "SEQUENCE:2"]);
});

Deno.test("the number goes up where somebody is left out, and stays where somebody is added", () => {
  const one = (...more: string[]) => events([start, end, ...people, ...more]);
  assert.deepEqual(changed(one(bob), one())[0].slice(-1), ["SEQUENCE:1"]);
  assert.deepEqual(changed(one(bob), one())[0].slice(-2, -1), [ann]);
  const more = one(bob);
  assert.equal(asChanged(one(), more, mine), more.calendar);
  // Everything else stays as it is written.
  const text = linesOf(asChanged(one(bob), one("X-OWN;A=b:c\\,d"), mine));
  assert.ok(text.includes("X-OWN;A=b:c\\,d"));
});

Deno.test("a copy keeps the number and time of the organizer's last message", () => {
  const was = events([start, end, ann, boss, "SEQUENCE:2"]);
  const of = (...lines: string[]) =>
    linesOf(asInvitation(was, events([...lines]))).filter((l) => /^(?:SEQUENCE|DTSTAMP)/.test(l));
  const kept = ["DTSTAMP:20260101T000000Z", "SEQUENCE:2"];
  const late = "DTSTAMP:20290101T000000Z";
  const alarm = ["BEGIN:VALARM", "TRIGGER:-PT5M", "ACTION:DISPLAY", "END:VALARM"];
  assert.deepEqual(of(start, end, ann, boss, "SEQUENCE:5", late, ...alarm), kept);
  assert.deepEqual(of(start, end, ann, boss, late), kept, "lost");
  // The organizer's own change, which the program has read in a mail.
  const moved = of(start.replace("T10", "T09"), end, ann, boss, "SEQUENCE:3", late);
  assert.deepEqual(moved.sort(), [late, "SEQUENCE:3"]);
  const same = events([start, end, asked, boss, "SEQUENCE:2"]);
  assert.equal(asInvitation(was, same), same.calendar, "nothing to write");
  const series = events([start, end, daily, ann, boss, "SEQUENCE:2"]);
  const one = events([start, end, daily, ann, boss, "SEQUENCE:2"], [
    third,
    start.replace("0302", "0304"),
    end.replace("0302", "0304"),
    bob,
    boss,
    "SEQUENCE:9",
    late,
  ]);
  assert.deepEqual(
    linesOf(asInvitation(series, one)).filter((l) => /^(?:SEQUENCE|DTSTAMP)/.test(l)),
    ["DTSTAMP:20260101T000000Z", "SEQUENCE:2", ...kept],
  );
});

Deno.test("any two events that can be stored: no error, and a second look changes nothing", () => {
  const any = (...list: string[]) => fc.constantFrom(...list);
  const times = fc.tuple(
    any(
      start,
      "DTSTART:20260302T090000Z",
      "DTSTART;VALUE=DATE:20260302",
      "DTSTART:20260302T100000",
    ),
    any(
      end,
      "DURATION:PT1H",
      "DURATION:P1D",
      "DTEND;VALUE=DATE:20260305",
      "DTEND:20200101T000000Z",
    ),
  );
  const rule = any(
    "X-NONE:1",
    daily,
    "RRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29",
    "RRULE:FREQ=SECONDLY",
    "RDATE;VALUE=PERIOD:20260401T100000Z/PT2H",
    "EXDATE;VALUE=DATE:20260302,20260303",
  );
  const rest = fc.tuple(
    any(ann, asked, bob, "X-NOBODY:1"),
    any("SEQUENCE:1", "SEQUENCE:-4", "SEQUENCE:x", "X-NO:1"),
    any("STATUS:CANCELLED", "STATUS:CONFIRMED"),
  );
  const master = fc.tuple(times, rule, rest).map((x) => [boss, self, ...x.flat(2)]);
  const id = any(third, "RECURRENCE-ID:20260304T090000Z", "RECURRENCE-ID;VALUE=DATE:20260304");
  const one = fc.tuple(id, times, rule, rest).map((x) => [boss, ...x.flat(2)]);
  const calendar = fc.oneof(
    master.map((m) => [m]),
    one.map((o) => [o]),
    fc.tuple(master, one),
  ).map((parts) => calendarOf("VEVENT", ...parts));
  const stored = calendar.map((c) => {
    try {
      return checkedSeries(c);
    } catch (err) {
      if (err instanceof ObjectError) return undefined;
      throw err;
    }
  }).filter((s) => s !== undefined);
  fc.assert(fc.property(stored, stored, (was, now) => {
    const after = new Series(asChanged(was, now, mine));
    assert.equal(asChanged(was, after, mine), after.calendar, "changed again");
    assert.equal(asChanged(after, after, mine), after.calendar, "not changed");
    const copy = new Series(asInvitation(was, now));
    assert.equal(asInvitation(was, copy), copy.calendar, "copied again");
  }));
});
