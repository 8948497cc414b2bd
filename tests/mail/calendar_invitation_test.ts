/** Invitations by mail, as other programs write them, and the answers to them. */
import assert from "node:assert/strict";
import { answerInvitation, readInvitation } from "../../src/mail/calendar/invitation.ts";
import { processorMs } from "../support/processor.ts";

const outlook = `BEGIN:VCALENDAR
METHOD:REQUEST
PRODID:Microsoft Exchange Server 2010
VERSION:2.0
BEGIN:VTIMEZONE
TZID:W. Europe Standard Time
BEGIN:STANDARD
DTSTART:16010101T030000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=10
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:16010101T020000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=YEARLY;INTERVAL=1;BYDAY=-1SU;BYMONTH=3
END:DAYLIGHT
END:VTIMEZONE
BEGIN:VEVENT
ORGANIZER;CN=Ann Example:mailto:ann@example.org
ATTENDEE;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE;CN=Mox:MAILTO:mox@localhost
ATTENDEE;PARTSTAT=ACCEPTED;CN=Bob:mailto:bob@example.org
DESCRIPTION:Budget\\nand plans
UID:040000008200E00074C5B7101A82E008
SUMMARY:Quarterly review
DTSTART;TZID=W. Europe Standard Time:20260715T100000
DTEND;TZID=W. Europe Standard Time:20260715T113000
LOCATION:Room 5\\, first floor
SEQUENCE:2
STATUS:CONFIRMED
END:VEVENT
END:VCALENDAR
`.replaceAll("\n", "\r\n");

Deno.test("an invitation with the zone that it describes itself", () => {
  const i = readInvitation(outlook)!;
  assert.equal(i.method, "request");
  assert.equal(i.summary, "Quarterly review");
  assert.equal(i.location, "Room 5, first floor");
  assert.equal(new Date(i.start).toISOString(), "2026-07-15T08:00:00.000Z");
  assert.equal(new Date(i.end).toISOString(), "2026-07-15T09:30:00.000Z");
  assert.deepEqual([i.allDay, i.recurring, i.cancelled], [false, false, false]);
  assert.deepEqual(i.organizer, {
    name: "Ann Example",
    address: "ann@example.org",
    status: "needs-action",
  });
  assert.deepEqual(i.attendees.map((a) => [a.address, a.status]), [
    ["mox@localhost", "needs-action"],
    ["bob@example.org", "accepted"],
  ]);
});

Deno.test("an answer names the event, one attendee, and times in UTC", () => {
  const text = answerInvitation(outlook, { name: "Mox", address: "mox@localhost" }, "declined")!;
  assert.match(text, /METHOD:REPLY\r\n/);
  assert.match(text, /UID:040000008200E00074C5B7101A82E008\r\n/);
  assert.match(text, /SEQUENCE:2\r\n/);
  assert.match(text, /DTSTART:20260715T080000Z\r\n/);
  assert.match(text, /ATTENDEE;PARTSTAT=DECLINED;CN=Mox:mailto:mox@localhost\r\n/);
  assert.equal(text.match(/ATTENDEE/g)!.length, 1);
  assert.doesNotMatch(text, /bob@|VTIMEZONE/);
  const again = readInvitation(text)!;
  assert.deepEqual([again.method, again.attendees[0].status], ["reply", "declined"]);
});

Deno.test("a whole day, a duration, and what makes no sense", () => {
  const event = (lines: string) =>
    readInvitation(
      `BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n${lines}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n`,
    );
  const all = event("DTSTART;VALUE=DATE:20260101\r\nRRULE:FREQ=DAILY")!;
  assert.deepEqual([all.allDay, all.recurring, all.end - all.start], [true, true, 86_400_000]);
  assert.equal(
    event("DTSTART:20260101T100000Z\r\nDURATION:PT45M")!.end,
    Date.UTC(2026, 0, 1, 10, 45),
  );
  assert.equal(event("SUMMARY:no time"), undefined);
  assert.equal(readInvitation("nonsense"), undefined);
  assert.equal(readInvitation("BEGIN:VCALENDAR\r\n".repeat(5000)), undefined);
  assert.equal(readInvitation("X".repeat(600_000)), undefined);
});

Deno.test("times in zones that are known by name, also in winter and near a change", () => {
  const at = (zone: string, time: string) =>
    new Date(
      readInvitation(
        `BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART;TZID=${zone}:${time}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n`,
      )!.start,
    ).toISOString();
  assert.equal(at("Europe/Berlin", "20260715T100000"), "2026-07-15T08:00:00.000Z");
  assert.equal(at("Europe/Berlin", "20260115T100000"), "2026-01-15T09:00:00.000Z");
  assert.equal(at("America/New_York", "20260308T030000"), "2026-03-08T07:00:00.000Z");
  assert.equal(at("Asia/Kolkata", "20260101T053000"), "2026-01-01T00:00:00.000Z");
  // A zone that nobody describes is taken as UTC.
  assert.equal(at("Nowhere", "20260101T100000"), "2026-01-01T10:00:00.000Z");
  const winter = readInvitation(outlook.replaceAll("20260715", "20261115"))!;
  assert.equal(new Date(winter.start).toISOString(), "2026-11-15T09:00:00.000Z");
  const october = readInvitation(outlook.replaceAll("20260715", "20261026"))!;
  assert.equal(new Date(october.start).toISOString(), "2026-10-26T09:00:00.000Z");
});

Deno.test("rules that would be expanded for ever take no time", () => {
  for (
    const rule of [
      "FREQ=SECONDLY",
      "FREQ=YEARLY;BYHOUR=0,1,2,3,4,5;BYMINUTE=0,1,2,3;BYSECOND=1,2,3;BYYEARDAY=1,2,3,4,5",
    ]
  ) {
    const text = outlook.replaceAll(/RRULE:.*\r\n/g, `RRULE:${rule}\r\n`)
      .replaceAll("20260715", "99980715");
    const ms = processorMs(() => assert.ok(readInvitation(text)));
    assert.ok(ms < 1000, `${ms} ms`);
  }
});

Deno.test("a zone that lists its changes one by one", () => {
  const text = outlook.replaceAll(/RRULE:.*BYMONTH=10\r\n/g, "RDATE:20251026T030000\r\n")
    .replaceAll(/RRULE:.*BYMONTH=3\r\n/g, "RDATE:20260329T020000\r\n");
  assert.equal(new Date(readInvitation(text)!.start).toISOString(), "2026-07-15T08:00:00.000Z");
  const winter = readInvitation(text.replaceAll("20260715", "20260115"))!;
  assert.equal(new Date(winter.start).toISOString(), "2026-01-15T09:00:00.000Z");
});
