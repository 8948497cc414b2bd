/** Time zones by name and by description, and times that clocks skip or show twice. */
import assert from "node:assert/strict";
import { parseComponents } from "../../../src/mail/contentline/component.ts";
import { parseTime } from "../../../src/mail/calendar/time.ts";
import {
  describedZone,
  namedZone,
  toInstant,
  toWall,
  Zones,
} from "../../../src/mail/calendar/zones.ts";

const wall = (s: string) => parseTime(s)!.wall;
const utc = (s: string) => Date.parse(s);

const berlin = `BEGIN:VCALENDAR
BEGIN:VTIMEZONE
TZID:Somewhere of ours
BEGIN:DAYLIGHT
DTSTART:19810329T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
END:DAYLIGHT
BEGIN:STANDARD
DTSTART:19961027T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
END:STANDARD
END:VTIMEZONE
END:VCALENDAR
`.replaceAll("\n", "\r\n");

Deno.test("a zone that is described gives the times of the one by name", () => {
  const [calendar] = parseComponents(berlin);
  const described = describedZone(calendar.components[0])!;
  const named = namedZone("Europe/Berlin")!;
  for (let t = utc("2000-01-01T00:00:00Z"); t < utc("2040-01-01T00:00:00Z"); t += 37 * 3_600_000) {
    assert.equal(described.offset(t), named.offset(t), new Date(t).toISOString());
  }
});

Deno.test("an hour that is skipped, and one that comes twice", () => {
  const zone = namedZone("Europe/Berlin")!;
  assert.equal(toInstant(zone, wall("20260329T013000")), utc("2026-03-29T00:30:00Z"));
  // RFC 5545 §3.3.5: by the offset before the gap.
  assert.equal(toInstant(zone, wall("20260329T023000")), utc("2026-03-29T01:30:00Z"));
  assert.equal(toInstant(zone, wall("20260329T033000")), utc("2026-03-29T01:30:00Z"));
  // The first of two.
  assert.equal(toInstant(zone, wall("20261025T023000")), utc("2026-10-25T00:30:00Z"));
  assert.equal(toInstant(zone, wall("20261025T033000")), utc("2026-10-25T02:30:00Z"));
  assert.equal(toWall(zone, utc("2026-07-01T10:00:00Z")), wall("20260701T120000"));
});

Deno.test("names: long ones, unknown ones, and none", () => {
  assert.equal(namedZone("/example.org/20070129_1/America/New_York")?.offset(0), -5 * 3_600_000);
  assert.equal(namedZone("America/Argentina/Buenos_Aires")?.offset(0), -3 * 3_600_000);
  for (const name of ["Somewhere of ours", "+01:00", "../etc/passwd", "x".repeat(500), ""]) {
    assert.equal(namedZone(name), undefined, name);
  }
  const [calendar] = parseComponents(berlin);
  const zones = new Zones(calendar, namedZone("Asia/Tokyo"));
  assert.equal(zones.find("Somewhere of ours").offset(utc("2026-07-01T00:00:00Z")), 7_200_000);
  assert.equal(zones.find("Nobody knows it").name, "Asia/Tokyo");
  assert.equal(zones.find("").name, "Asia/Tokyo");
});
