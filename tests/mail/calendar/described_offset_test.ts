/** Times by the description of a zone in the calendar itself: each weekday, each week, from both ends of the month. */
import assert from "node:assert/strict";
import ICAL from "ical.js";
import { instant } from "../../../src/mail/calendar/zone.ts";

const names = ["SU", "MO", "TU", "WE", "TH", "FR", "SA"];
const hour = 3_600_000;
const local = (t: number) => new Date(t).toISOString().replaceAll(/[-:]|\.000Z/g, "");

/** Hours east of Greenwich at a time on the wall, by a zone that is described. */
function offsetAt(zone: string, at: number): number {
  const calendar = new ICAL.Component(ICAL.parse(
    `BEGIN:VCALENDAR\r\nBEGIN:VTIMEZONE\r\nTZID:Ours\r\n${zone}END:VTIMEZONE\r\n` +
      `BEGIN:VEVENT\r\nDTSTART;TZID=Ours:${local(at)}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n`,
  ));
  const start = calendar.getFirstSubcomponent("vevent")!.getFirstProperty("dtstart")!;
  return (at - instant(calendar, start)!) / hour;
}

const change = (kind: string, start: number, to: string, rule = "") =>
  `BEGIN:${kind}\r\nDTSTART:${local(start)}\r\nTZOFFSETFROM:+0000\r\nTZOFFSETTO:${to}\r\n` +
  `${rule === "" ? "" : `RRULE:${rule}\r\n`}END:${kind}\r\n`;

/** The n-th such weekday of a month, from its end if below 0, by trying all days. */
function nthDay(year: number, month: number, nth: number, day: number): number {
  const all: number[] = [];
  for (let d = 1; d <= 31; d++) {
    const t = new Date(Date.UTC(year, month - 1, d));
    if (t.getUTCMonth() === month - 1 && t.getUTCDay() === day) all.push(t.getTime());
  }
  return nth > 0 ? all[nth - 1] : all.at(nth)!;
}

Deno.test("a description's rule comes on the n-th weekday of its month, at its hour", () => {
  for (let day = 0; day < 7; day++) {
    for (const nth of [1, 2, 3, 4, -1, -2]) {
      for (const [year, month] of [[2024, 2], [2025, 3], [2026, 11], [2031, 6]]) {
        const zone = change("STANDARD", Date.UTC(1970, 0, 1), "+0100") +
          change(
            "DAYLIGHT",
            nthDay(1980, month, nth, day) + 2 * hour,
            "+0500",
            `FREQ=YEARLY;BYMONTH=${month};BYDAY=${nth}${names[day]}`,
          ) +
          // Back each year on the first day of the month, so that the change of the year before doesn't hold.
          change(
            "STANDARD",
            nthDay(1980, month === 1 ? 12 : month - 1, 1, day),
            "+0200",
            `FREQ=YEARLY;BYMONTH=${month - 1};BYDAY=1${names[day]}`,
          );
        const on = nthDay(year, month, nth, day) + 2 * hour;
        const what = `${nth}${names[day]} of ${year}-${month}`;
        assert.equal(offsetAt(zone, on), 5, what);
        assert.equal(offsetAt(zone, on - 1000), 2, `before ${what}`);
      }
    }
  }
});

Deno.test("before the first change of a description the one that comes first holds; a rule ends on its day", () => {
  const first = Date.UTC(2000, 5, 1);
  const zone = change("DAYLIGHT", Date.UTC(2010, 2, 1), "+0300") +
    change("STANDARD", first, "+0100") +
    change("DAYLIGHT", Date.UTC(2005, 2, 1), "+0200");
  const table: [number, number][] = [
    [Date.UTC(1990, 0, 1), 1],
    [first - 1000, 1],
    [first, 1],
    [Date.UTC(2005, 2, 1) - 1000, 1],
    [Date.UTC(2005, 2, 1), 2],
    [Date.UTC(2010, 2, 1), 3],
    [Date.UTC(2090, 6, 1), 3],
  ];
  for (const [at, hours] of table) assert.equal(offsetAt(zone, at), hours, local(at));
  const until = change("STANDARD", Date.UTC(1990, 0, 1), "+0100") +
    change(
      "DAYLIGHT",
      Date.UTC(2000, 2, 5, 2),
      "+0400",
      "FREQ=YEARLY;BYMONTH=3;BYDAY=1SU;UNTIL=20020303T020000Z",
    ) +
    change("STANDARD", Date.UTC(2000, 9, 1, 2), "+0100", "FREQ=YEARLY;BYMONTH=10;BYDAY=1SU");
  assert.equal(offsetAt(until, Date.UTC(1999, 5, 1)), 1);
  assert.equal(offsetAt(until, Date.UTC(2000, 5, 1)), 4);
  assert.equal(offsetAt(until, Date.UTC(2002, 5, 1)), 4);
  assert.equal(offsetAt(until, Date.UTC(2002, 11, 1)), 1);
  assert.equal(offsetAt(until, Date.UTC(2003, 5, 1)), 1);
});
