/** iTIP (RFC 5546): what organizers and the invited send each other, and what a message makes of an event. */
import assert from "node:assert/strict";
import {
  addressOf,
  answersOf,
  attendeesOf,
  isDraftEvent,
  organizerOf,
  readMessage,
  sameOrganizer,
  sentTo,
  withAnswer,
  withCancellation,
  withInvitation,
  withReply,
  withStatus,
} from "../../../src/mail/calendar/itip.ts";
import {
  cancellationFor,
  invitationFor,
  replyOf,
} from "../../../src/mail/calendar/itip_messages.ts";
import { Series } from "../../../src/mail/calendar/series.ts";
import { parseComponents } from "../../../src/mail/contentline/component.ts";
import { at, calendarOf, events, linesOf, partLines, withLines } from "./objects.ts";

const now = at("2026-02-01 08:00");
const start = "DTSTART:20260302T100000Z";
const end = "DTEND:20260302T110000Z";
const boss = "ORGANIZER;CN=Boss:mailto:boss@example.org";
const ann = "ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:ann@example.org";
const bob = "ATTENDEE;PARTSTAT=ACCEPTED:mailto:bob@example.org";
const daily = "RRULE:FREQ=DAILY;COUNT=5";
const third = "RECURRENCE-ID:20260304T100000Z";

const property = (line: string) =>
  parseComponents(`BEGIN:VCARD\r\n${line}\r\nEND:VCARD\r\n`)[0].properties[0];

Deno.test("the address of ORGANIZER and ATTENDEE", () => {
  const rows: [line: string, wanted: string][] = [
    ["ATTENDEE:mailto:Ann@Example.org", "ann@example.org"],
    ["ATTENDEE:MAILTO:ann@example.org", "ann@example.org"],
    ["ATTENDEE:mailto:a%2Bb@example.org", "a+b@example.org"],
    ["ATTENDEE:mailto:a%zz@example.org", "a%zz@example.org"],
    ["ATTENDEE;EMAIL=Ann@example.org:/principals/ann/", "ann@example.org"],
    ["ATTENDEE;EMAIL=other@example.org:mailto:ann@example.org", "ann@example.org"],
    ["ATTENDEE:/principals/ann/", ""],
    ["ATTENDEE:ann@example.org", ""],
    ["ATTENDEE:mailto:", ""],
  ];
  for (const [line, wanted] of rows) assert.equal(addressOf(property(line)), wanted, line);
});

Deno.test("organizer, attendees and drafts of an object", () => {
  const other = "ATTENDEE;PARTSTAT=DECLINED:mailto:Ann@example.org";
  const both = events([start, boss, ann, "ATTENDEE:/nobody"], [third, start, boss, other, bob]);
  assert.equal(addressOf(organizerOf(both.calendar)!), "boss@example.org");
  assert.deepEqual(
    [...attendeesOf(both.calendar)].map(([a, p]) => `${a} ${p.params[0].values[0]}`),
    ["ann@example.org NEEDS-ACTION", "bob@example.org ACCEPTED"],
    "the first property of each",
  );
  assert.equal(organizerOf(events([start]).calendar), undefined);
  assert.equal(
    addressOf(organizerOf(events([start], [third, start, boss]).calendar)!),
    "boss@example.org",
  );

  assert.ok(sameOrganizer(both.calendar));
  assert.ok(sameOrganizer(events([start]).calendar));
  assert.ok(sameOrganizer(events([start, boss], [third, start]).calendar), "where there is one");
  const another = "ORGANIZER:mailto:other@example.org";
  assert.ok(!sameOrganizer(events([start, boss], [third, start, another]).calendar));

  const rows: [line: string, wanted: boolean][] = [
    ["JSPROP;JSPTR=isDraft:true", true],
    ["JSPROP;JSPTR=isDraft:false", false],
    ["JSPROP;JSPTR=title:true", false],
    ["X-PROP;JSPTR=isDraft:true", false],
  ];
  for (const [line, wanted] of rows) {
    assert.equal(isDraftEvent(events([start, line]).calendar), wanted, line);
  }
  assert.ok(isDraftEvent(events([start], [third, start, rows[0][0]]).calendar));
});

Deno.test("an invitation has what its attendee may know, and no more", () => {
  const alarm = ["BEGIN:VALARM", "TRIGGER:-PT5M", "ACTION:DISPLAY", "END:VALARM"];
  const series = new Series(withLines(
    calendarOf(
      "VEVENT",
      [
        start,
        end,
        "SUMMARY:plan",
        "X-MOX-ROOM:secret",
        "X-OTHER:kept",
        `ORGANIZER;SCHEDULE-AGENT=SERVER;CN=Boss:mailto:boss@example.org`,
        "ATTENDEE;SCHEDULE-STATUS=1.2;SCHEDULE-FORCE-SEND=REQUEST;RSVP=TRUE:mailto:ann@example.org",
        ...alarm,
      ],
      [third, start, end, bob],
    ),
    "BEGIN:VTIMEZONE",
    "TZID:Mine",
    "BEGIN:STANDARD",
    "DTSTART:19700101T000000",
    "TZOFFSETFROM:+0100",
    "TZOFFSETTO:+0100",
    "END:STANDARD",
    "END:VTIMEZONE",
  ));
  const lines = linesOf(invitationFor(series, "ann@example.org", now)!);
  assert.deepEqual(lines.slice(0, 7), [
    "BEGIN:VCALENDAR",
    "VERSION:2.0",
    "PRODID:-//mox//mox for Deno//EN",
    "METHOD:REQUEST",
    "BEGIN:VTIMEZONE",
    "TZID:Mine",
    "BEGIN:STANDARD",
  ]);
  assert.deepEqual(lines.slice(12), [
    "BEGIN:VEVENT",
    "DTSTAMP:20260201T080000Z",
    "UID:u1",
    start,
    end,
    "SUMMARY:plan",
    "X-OTHER:kept",
    boss,
    "ATTENDEE;RSVP=TRUE:mailto:ann@example.org",
    // She isn't invited to this date.
    "EXDATE:20260304T100000Z",
    "END:VEVENT",
    "END:VCALENDAR",
  ]);
  // Bob is invited to one date only, and gets that one.
  assert.deepEqual(partLines(invitationFor(series, "bob@example.org", now)!), [
    [third, start, end, bob, boss, "SUMMARY:"],
  ]);
  assert.equal(invitationFor(series, "nobody@example.org", now), undefined);
});

Deno.test("a cancellation is about all of the event, or about the dates that somebody is invited to", () => {
  const series = events(
    [
      start,
      end,
      daily,
      "EXDATE:20260305T100000Z",
      "SEQUENCE:3",
      "STATUS:CONFIRMED",
      boss,
      ann,
      bob,
    ],
    [third, start, "SEQUENCE:x", ann, "ATTENDEE:mailto:carl@example.org"],
  );
  assert.deepEqual(partLines(cancellationFor(series, "ann@example.org", now)), [
    [start, end, boss, ann, "STATUS:CANCELLED", "SEQUENCE:4"],
  ]);
  const carl = cancellationFor(series, "carl@example.org", now);
  assert.deepEqual(partLines(carl), [
    [third, start, "ATTENDEE:mailto:carl@example.org", boss, "STATUS:CANCELLED", "SEQUENCE:1"],
  ]);
  assert.ok(linesOf(carl).includes("METHOD:CANCEL"));
  assert.ok(linesOf(carl).includes("DTSTAMP:20260201T080000Z"));
});

Deno.test("a reply has the one who answers, and what tells the event", () => {
  const series = events([
    start,
    "DURATION:PT1H",
    "SUMMARY:plan",
    "LOCATION:here",
    "SEQUENCE:2",
    "ORGANIZER;SCHEDULE-STATUS=1.1:mailto:boss@example.org",
    "ATTENDEE;SCHEDULE-STATUS=2.0;PARTSTAT=TENTATIVE;RSVP=TRUE:mailto:ann@example.org",
    bob,
  ]);
  const common = [
    start,
    "DURATION:PT1H",
    "SUMMARY:plan",
    "SEQUENCE:2",
    "ORGANIZER:mailto:boss@example.org",
  ];
  const parts = [series.master!];
  const reply = replyOf(series, "ann@example.org", parts, now);
  assert.ok(linesOf(reply).includes("METHOD:REPLY"));
  assert.deepEqual(partLines(reply), [
    [...common, "ATTENDEE;PARTSTAT=TENTATIVE;RSVP=TRUE:mailto:ann@example.org"],
  ]);
  assert.deepEqual(partLines(replyOf(series, "ann@example.org", parts, now, "DECLINED")), [
    [...common, "ATTENDEE;PARTSTAT=DECLINED:mailto:ann@example.org"],
  ]);
});

Deno.test("answers by instance; what has none waits for one", () => {
  const series = events(
    [start, daily, "ATTENDEE:mailto:ann@example.org"],
    [third, start, "ATTENDEE;PARTSTAT=accepted:mailto:ann@example.org"],
    [
      "RECURRENCE-ID;VALUE=DATE:20260305",
      start,
      "ATTENDEE;PARTSTAT=DECLINED:mailto:ann@example.org",
    ],
    ["RECURRENCE-ID;TZID=Europe/Berlin:20260306T110000", start, bob],
  );
  assert.deepEqual(
    [...answersOf(series, "ann@example.org")].map(([key, { status }]) => [key, status]),
    [
      ["", "NEEDS-ACTION"],
      [String(at("2026-03-04 10:00")), "ACCEPTED"],
      [`D${at("2026-03-05")}`, "DECLINED"],
    ],
  );
  // The same instant in another zone is the same instance.
  assert.deepEqual(
    [...answersOf(series, "bob@example.org").keys()],
    [String(at("2026-03-06 10:00"))],
  );
});

Deno.test("what is worth telling: some properties, and who is invited, not what they answered", () => {
  const base = [start, end, "SUMMARY:plan", boss, ann, bob];
  const text = (...lines: string[]) => sentTo(events(lines), "ann@example.org");
  const before = text(...base);
  const same: [string, string[]][] = [
    ["an answer", [start, end, "SUMMARY:plan", boss, ann.replace("NEEDS-ACTION", "ACCEPTED"), bob]],
    ["categories", [...base, "CATEGORIES:x"]],
    ["an alarm", [...base, "BEGIN:VALARM", "TRIGGER:-PT5M", "END:VALARM"]],
    ["order", [bob, boss, ann, "SUMMARY:plan", end, start]],
    ["a parameter", [start, end, "SUMMARY;LANGUAGE=de:plan", boss, ann, bob]],
  ];
  for (const [what, lines] of same) assert.equal(text(...lines), before, what);
  const told = [
    "DUE:20260302T110000Z",
    "DURATION:PT2H",
    "RRULE:FREQ=DAILY",
    "RDATE:20260307T100000Z",
    "EXDATE:20260303T100000Z",
    "LOCATION:x",
    "DESCRIPTION:x",
    "STATUS:CANCELLED",
    "URL:https://x.example",
    "CONFERENCE:https://x.example",
    "ATTACH:https://x.example",
    "SEQUENCE:1",
    "ATTENDEE:mailto:new@example.org",
  ];
  for (const line of told) assert.notEqual(text(...base, line), before, line);
  const zone = (name: string) =>
    text(`DTSTART;TZID=${name}:20260302T100000`, end, "SUMMARY:plan", boss, ann, bob);
  assert.notEqual(zone("Europe/Berlin"), zone("Europe/Paris"));
  // That they are not invited to a date is told, and not what it is.
  const more = events(base, [third, start, "SUMMARY:other", bob]);
  const changed = events(base, [third, start, "SUMMARY:something else", bob]);
  assert.notEqual(sentTo(more, "ann@example.org"), before);
  assert.equal(sentTo(more, "ann@example.org"), sentTo(changed, "ann@example.org"));
  assert.notEqual(sentTo(more, "bob@example.org"), sentTo(changed, "bob@example.org"));
});

Deno.test("the delivery status of people", () => {
  const calendar = calendarOf("VEVENT", [
    "ORGANIZER:mailto:boss@example.org",
    "ATTENDEE;SCHEDULE-FORCE-SEND=REQUEST:mailto:ann@example.org",
    bob,
  ]);
  const status = new Map([["ann@example.org", "1.2"], ["boss@example.org", "2.0"]]);
  assert.deepEqual(partLines(withStatus(calendar, "ATTENDEE", status)), [[
    "ORGANIZER:mailto:boss@example.org",
    "ATTENDEE;SCHEDULE-STATUS=1.2:mailto:ann@example.org",
    bob,
  ]]);
  assert.deepEqual(
    partLines(withStatus(calendar, "ORGANIZER", status))[0][0],
    "ORGANIZER;SCHEDULE-STATUS=2.0:mailto:boss@example.org",
  );
});

Deno.test("an invitation to an event that isn't here becomes an object, without its METHOD", () => {
  const message = new Series(withLines(calendarOf("VEVENT", [start, ann]), "METHOD:REQUEST"));
  const made = withInvitation(undefined, message)!;
  assert.ok(!linesOf(made).includes("METHOD:REQUEST"));
  assert.deepEqual(partLines(made), [[start, ann]]);
});

Deno.test("RFC 5546 §2.1.5: which of two invitations is newer, by SEQUENCE and then DTSTAMP", () => {
  const of = (sequence: string, stamp: string) =>
    events([start, `SEQUENCE:${sequence}`, `DTSTAMP:202601${stamp}T000000Z`, ann]);
  const rows: [here: [string, string], come: [string, string], taken: boolean][] = [
    [["1", "05"], ["2", "01"], true],
    [["2", "01"], ["1", "05"], false],
    [["1", "05"], ["1", "06"], true],
    [["1", "05"], ["1", "05"], false],
    [["1", "05"], ["1", "04"], false],
    [["x", "05"], ["1", "05"], true],
    [["0", "05"], ["x", "05"], false],
  ];
  for (const [here, come, taken] of rows) {
    const made = withInvitation(of(...here), of(...come));
    assert.equal(made !== undefined, taken, `${here} then ${come}`);
    if (taken) assert.ok(partLines(made!)[0].includes(`SEQUENCE:${come[0]}`));
  }
});

Deno.test("a new invitation keeps what the user added: alarms, TRANSP and COLOR", () => {
  const alarm = ["BEGIN:VALARM", "TRIGGER:-PT5M", "END:VALARM"];
  const here = events([start, "SEQUENCE:1", "TRANSP:TRANSPARENT", "COLOR:red", ann, ...alarm]);
  const theirs = ["BEGIN:VALARM", "TRIGGER:-PT1H", "END:VALARM"];
  const come = events([start, "SEQUENCE:2", "TRANSP:OPAQUE", "SUMMARY:new", ann, ...theirs]);
  assert.deepEqual(partLines(withInvitation(here, come)!), [
    [start, "SEQUENCE:2", "SUMMARY:new", ann, "TRANSP:TRANSPARENT", "COLOR:red", ...alarm],
  ]);
  // Without alarms here, those of the message are not taken.
  assert.deepEqual(partLines(withInvitation(events([start, ann]), come)!), [
    [start, "SEQUENCE:2", "TRANSP:OPAQUE", "SUMMARY:new", ann],
  ]);
});

Deno.test("an invitation to one date changes that one; one to all says which dates differ", () => {
  const here = events(
    [start, daily, "SEQUENCE:1", "SUMMARY:all", ann],
    [third, "DTSTART:20260304T120000Z", "SEQUENCE:1", "SUMMARY:third", ann],
  );
  const date = (sequence: number, summary: string) =>
    events([third, "DTSTART:20260304T130000Z", `SEQUENCE:${sequence}`, `SUMMARY:${summary}`, ann]);
  const summaries = (c: ReturnType<typeof withInvitation>) =>
    c && partLines(c).map((p) => p.find((l) => l.startsWith("SUMMARY:"))!.slice(8));
  assert.deepEqual(summaries(withInvitation(here, date(2, "moved"))), ["all", "moved"]);
  assert.equal(withInvitation(here, date(0, "old")), undefined);
  const fifth = events([
    "RECURRENCE-ID:20260306T100000Z",
    "DTSTART:20260306T130000Z",
    "SUMMARY:fifth",
    ann,
  ]);
  assert.deepEqual(summaries(withInvitation(here, fifth)), ["all", "third", "fifth"]);
  const whole = events([start, daily, "SEQUENCE:2", "SUMMARY:new", ann]);
  assert.deepEqual(summaries(withInvitation(here, whole)), ["new"], "the third is as all are");
  // One to all that is older, with a date that is newer.
  const mixed = events(
    [start, daily, "SEQUENCE:0", "SUMMARY:old", ann],
    [third, "DTSTART:20260304T130000Z", "SEQUENCE:2", "SUMMARY:moved", ann],
  );
  assert.deepEqual(summaries(withInvitation(here, mixed)), ["all", "moved"]);
});

Deno.test("zones of an invitation come with it, each once", () => {
  const zone = (name: string, offset: string) => [
    "BEGIN:VTIMEZONE",
    `TZID:${name}`,
    "BEGIN:STANDARD",
    "DTSTART:19700101T000000",
    `TZOFFSETFROM:${offset}`,
    `TZOFFSETTO:${offset}`,
    "END:STANDARD",
    "END:VTIMEZONE",
  ];
  const here = new Series(
    withLines(calendarOf("VEVENT", [start, ann]), ...zone("A", "+0100"), ...zone("B", "+0100")),
  );
  const come = new Series(
    withLines(calendarOf("VEVENT", [start, "SEQUENCE:1", ann]), ...zone("B", "+0200")),
  );
  const lines = linesOf(withInvitation(here, come)!);
  assert.deepEqual(lines.filter((l) => l.startsWith("TZID:")), ["TZID:A", "TZID:B"]);
  assert.deepEqual(
    lines.filter((l) => l.startsWith("TZOFFSETTO:")),
    ["TZOFFSETTO:+0100", "TZOFFSETTO:+0200"],
    "the message's description",
  );
});

Deno.test("a cancellation: of all, of a date that differs, of one that doesn't", () => {
  const here = events(
    [start, daily, "SEQUENCE:1", "STATUS:CONFIRMED", ann],
    [third, "DTSTART:20260304T120000Z", "SEQUENCE:1", ann],
  );
  const message = (...lines: string[]) => events([...lines, ann]);
  assert.deepEqual(partLines(withCancellation(here, message(start, "SEQUENCE:2"))!), [
    [start, daily, ann, "STATUS:CANCELLED", "SEQUENCE:2"],
    [third, "DTSTART:20260304T120000Z", ann, "STATUS:CANCELLED", "SEQUENCE:2"],
  ]);
  assert.deepEqual(partLines(withCancellation(here, message(third, "SEQUENCE:1"))!)[1], [
    third,
    "DTSTART:20260304T120000Z",
    ann,
    "STATUS:CANCELLED",
    "SEQUENCE:1",
  ]);
  const fourth = "RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=Europe/Berlin:20260305T110000";
  assert.deepEqual(partLines(withCancellation(here, message(fourth, "SEQUENCE:1"))!)[0], [
    start,
    daily,
    "SEQUENCE:1",
    "STATUS:CONFIRMED",
    ann,
    "EXDATE;TZID=Europe/Berlin:20260305T110000",
  ]);
  assert.equal(withCancellation(here, message(start, "SEQUENCE:0")), undefined, "an old one");
  assert.equal(withCancellation(here, message(third, "SEQUENCE:0")), undefined, "an old one");
  const once = withCancellation(here, message(start, "SEQUENCE:2"))!;
  assert.equal(
    withCancellation(new Series(once), message(start, "SEQUENCE:3")),
    undefined,
    "twice",
  );
  const alone = events([third, start, ann]);
  assert.equal(
    withCancellation(alone, message("RECURRENCE-ID:20260305T100000Z")),
    undefined,
    "of a date whose series isn't here",
  );
  assert.deepEqual(
    partLines(withCancellation(alone, message(start, "SEQUENCE:1"))!),
    [[third, start, ann, "STATUS:CANCELLED", "SEQUENCE:1"]],
    "of all, where only one date is here",
  );
  const newer = events([start, daily, ann], [third, start, "SEQUENCE:7", ann]);
  assert.ok(
    partLines(withCancellation(newer, message(start, "SEQUENCE:1"))!)[1].includes("SEQUENCE:7"),
    "a date of a higher SEQUENCE keeps that",
  );
});

Deno.test("a reply changes the answer of the one who sends it, and of nobody else", () => {
  const here = events([start, end, boss, ann, bob]);
  const reply = (status: string, ...lines: string[]) =>
    events([start, ...lines, `ATTENDEE;PARTSTAT=${status}:mailto:ann@example.org`]);
  assert.deepEqual(partLines(withReply(here, reply("accepted"), "ann@example.org")!), [[
    start,
    end,
    boss,
    "ATTENDEE;PARTSTAT=ACCEPTED;SCHEDULE-STATUS=2.0;X-MOX-REPLIED=20260101T000000Z:mailto:ann@example.org",
    bob,
  ]]);
  assert.equal(withReply(here, reply("NEEDS-ACTION"), "ann@example.org"), undefined, "the same");
  assert.equal(withReply(here, reply("ACCEPTED"), "bob@example.org"), undefined, "not in it");
  const guest = events([start, "ATTENDEE;PARTSTAT=ACCEPTED:mailto:x@example.org"]);
  assert.equal(withReply(here, guest, "x@example.org"), undefined, "not invited");
  const silent = events([start, "ATTENDEE:mailto:ann@example.org"]);
  assert.equal(withReply(here, silent, "ann@example.org"), undefined, "no answer in it");
});

Deno.test("a reply about one date makes it one that differs", () => {
  const here = events([
    "DTSTART;TZID=Europe/Berlin:20260302T110000",
    "DTEND;TZID=Europe/Berlin:20260302T120000",
    daily,
    "SUMMARY:plan",
    boss,
    ann,
    "BEGIN:VALARM",
    "TRIGGER:-PT5M",
    "END:VALARM",
  ]);
  const reply = (id: string) => events([id, "ATTENDEE;PARTSTAT=DECLINED:mailto:ann@example.org"]);
  const made = withReply(here, reply(third), "ann@example.org")!;
  assert.deepEqual(partLines(made)[0], partLines(here.calendar)[0], "the others stay");
  assert.deepEqual(partLines(made).slice(1), [[
    start.replace("0302", "0304"),
    end.replace("0302", "0304"),
    "SUMMARY:plan",
    boss,
    "ATTENDEE;PARTSTAT=DECLINED;SCHEDULE-STATUS=2.0;X-MOX-REPLIED=20260101T000000Z:mailto:ann@example.org",
    third,
  ]]);
  // Once more, it is there.
  const again = withReply(
    new Series(made),
    events([third, "ATTENDEE;PARTSTAT=ACCEPTED:mailto:ann@example.org"]),
    "ann@example.org",
  )!;
  assert.equal(partLines(again).length, 2);
  assert.ok(partLines(again)[1].some((l) => l.includes("PARTSTAT=ACCEPTED")));
  for (const id of ["RECURRENCE-ID:20260304T100001Z", "RECURRENCE-ID:20260310T100000Z"]) {
    assert.equal(withReply(here, reply(id), "ann@example.org"), undefined, id);
  }
});

Deno.test("messages without METHOD or UID are none", () => {
  const calendar = calendarOf("VEVENT", [start]);
  assert.equal(readMessage(calendar), undefined);
  assert.equal(readMessage(withLines(calendar, "METHOD: request "))!.method, "REQUEST");
  const nameless = withLines(calendarOf("VEVENT", ["UID: ", start]), "METHOD:REQUEST");
  assert.equal(readMessage(nameless), undefined);
});

Deno.test("an answer to all of an event is one in all of its components", () => {
  const answered = withAnswer(
    calendarOf("VEVENT", [start, boss, ann, bob], [third, start, ann]),
    "ann@example.org",
    "TENTATIVE",
  );
  const mine = "ATTENDEE;PARTSTAT=TENTATIVE:mailto:ann@example.org";
  assert.deepEqual(partLines(answered), [[start, boss, mine, bob], [third, start, mine]]);
});
