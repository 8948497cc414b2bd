/** The calls of the webmail's calendar: events of a period, and what is made, changed and removed. */
import assert from "node:assert/strict";
import type { CallRequest, EventForm } from "../../../webmail/api/mod.ts";
import { openScheduler } from "../../../src/groupware/scheduler.ts";
import { calendarObject } from "../../../src/groupware/objects.ts";
import type { CalendarMail } from "../../../src/groupware/scheduler.ts";
import type { Scheduler } from "../../../src/groupware/scheduling.ts";
import { zoneComponent } from "../../../src/mail/calendar/zone_component.ts";
import { describedZone, namedZone } from "../../../src/mail/calendar/zones.ts";
import { writeComponent } from "../../../src/mail/contentline/component.ts";
import type { Groupware } from "../../../src/store/groupware/groupware.ts";
import { type Browser, refused, withWebmail, type World } from "./server.ts";

const zone = "Europe/Berlin";

const form = (more: Partial<EventForm> = {}): EventForm => ({
  title: "Lunch",
  place: "",
  description: "",
  allDay: false,
  start: "2027-01-05T12:00",
  end: "2027-01-05T13:00",
  repeat: { every: "never" },
  people: [],
  privacy: "public",
  ...more,
});

interface Calendars {
  w: World;
  b: Browser;
  g: Groupware;
  id: number;
  mails: CalendarMail[];
  /** Answers that sending fails with, by address. */
  failing: Set<string>;
  items(from: string, to: string, inZone?: string): Promise<string[]>;
  save(
    event: EventForm,
    old?: CallRequest<"CalendarEventSave">["old"],
  ): Promise<{ name: string; etag: string; untold: string[] }>;
  /** The event as it is stored, lines unfolded. */
  stored(name: string): string;
}

/** Runs with a webmail whose account has an empty calendar. */
function withCalendars(fn: (c: Calendars) => Promise<void>): Promise<void> {
  const mails: CalendarMail[] = [];
  const failing = new Set<string>();
  let made: Scheduler | undefined;
  const scheduler: Scheduler = {
    defaultCalendar: (g) => made!.defaultCalendar(g),
    write: (x) => made!.write(x),
    remove: (x) => made!.remove(x),
    busy: (...x) => made!.busy(...x),
    times: (...x) => made!.times(...x),
  };
  return withWebmail(async (w) => {
    made = openScheduler({
      config: w.services.config,
      accounts: w.accounts,
      send: (m) => {
        if (failing.has(m.to)) return Promise.reject(new Error("refused"));
        mails.push(m);
        return Promise.resolve();
      },
    });
    const b = await w.login();
    const g = await w.account.groupware();
    const { calendars } = await b.call("CalendarItems", {
      zone,
      from: "2027-01-01",
      to: "2027-01-01",
    });
    assert.equal(calendars.length, 1);
    assert.deepEqual(calendars[0], {
      id: calendars[0].id,
      name: "default",
      color: "",
      owner: "",
      usual: true,
      writable: true,
    });
    const { id } = calendars[0];
    await fn({
      w,
      b,
      g,
      id,
      mails,
      failing,
      async items(from, to, inZone = zone) {
        const r = await b.call("CalendarItems", { zone: inZone, from, to });
        return r.items.map((i) =>
          `${i.title} ${i.start}${i.end === i.start ? "" : ` ${i.end}`}${
            i.repeats ? " repeats" : ""
          }`
        );
      },
      save: (event, old = null) =>
        b.call("CalendarEventSave", { zone, calendarId: id, old, event }),
      stored(name) {
        const row = g.object(id, name);
        assert.ok(row, `${name} is stored`);
        return new TextDecoder().decode(g.content(row.id)).replace(/\r\n /g, "");
      },
    });
  }, { scheduler });
}

async function put(c: Calendars, name: string, lines: string[]): Promise<void> {
  const text = [
    "BEGIN:VCALENDAR",
    "VERSION:2.0",
    "PRODID:-//another//EN",
    ...lines,
    "END:VCALENDAR",
    "",
  ].join("\r\n");
  await c.g.put(c.id, calendarObject(name, new TextEncoder().encode(text)));
}

Deno.test("an event is made, shown in other zones, changed and removed", async () => {
  await withCalendars(async (c) => {
    const made = await c.save(form({ place: "Inn; the, old\none" }));
    assert.deepEqual(await c.items("2027-01-05", "2027-01-05"), [
      "Lunch 2027-01-05T12:00 2027-01-05T13:00",
    ]);
    assert.deepEqual(await c.items("2027-01-05", "2027-01-05", "Asia/Tokyo"), [
      "Lunch 2027-01-05T20:00 2027-01-05T21:00",
    ]);
    assert.deepEqual(await c.items("2027-01-06", "2027-01-06"), []);
    assert.match(c.stored(made.name), /\nDTSTART;TZID=Europe\/Berlin:20270105T120000\r\n/);
    assert.match(c.stored(made.name), /\nLOCATION:Inn\\; the\\, old\\none\r\n/);
    assert.match(c.stored(made.name), /\nBEGIN:VTIMEZONE\r\nTZID:Europe\/Berlin\r\n/);

    const where = { calendarId: c.id, name: made.name };
    const got = await c.b.call("CalendarEventGet", { ...where, zone });
    assert.deepEqual(got.event, form({ place: "Inn; the, old\none" }));
    assert.equal(got.etag, made.etag);
    // Nothing changed: nothing is written.
    assert.equal((await c.save(got.event, { ...where, etag: got.etag })).etag, made.etag);

    const whole = form({ title: "Trip", allDay: true, start: "2027-02-01", end: "2027-02-03" });
    const changed = await c.save(whole, { ...where, etag: got.etag });
    assert.deepEqual(await c.items("2027-02-03", "2027-02-04"), ["Trip 2027-02-01 2027-02-03"]);
    assert.deepEqual(await c.items("2027-02-04", "2027-02-09"), []);
    assert.match(c.stored(made.name), /\nDTEND;VALUE=DATE:20270204\r\n/);
    assert.match(c.stored(made.name), /\nSEQUENCE:1\r\n/);

    // Somebody else was faster.
    const old = { ...where, etag: got.etag };
    assert.match(await refused(c.save(form(), old), "conflict"), /changed meanwhile/);
    await refused(c.b.call("CalendarEventDelete", old), "conflict");
    await c.b.call("CalendarEventDelete", { ...where, etag: changed.etag });
    await refused(c.b.call("CalendarEventGet", { ...where, zone }), "missing");
    await refused(c.save(form(), { ...where, etag: changed.etag }), "missing");
    assert.deepEqual(await c.items("2027-01-01", "2027-12-31"), []);
  });
});

Deno.test("what repeats is expanded for the period, across summer time, until its end", async () => {
  await withCalendars(async (c) => {
    await c.save(form({
      title: "Gym",
      repeat: { every: "week", interval: 2, until: "2027-04-13", count: null },
    }));
    assert.deepEqual(await c.items("2027-03-01", "2027-12-31"), [
      "Gym 2027-03-02T12:00 2027-03-02T13:00 repeats",
      "Gym 2027-03-16T12:00 2027-03-16T13:00 repeats",
      "Gym 2027-03-30T12:00 2027-03-30T13:00 repeats",
      "Gym 2027-04-13T12:00 2027-04-13T13:00 repeats",
    ]);
    const all = form({ title: "Birthday", allDay: true, start: "2027-02-28", end: "2027-02-28" });
    const made = await c.save({
      ...all,
      repeat: { every: "year", interval: 1, until: null, count: 3 },
    });
    assert.deepEqual(await c.items("2028-02-01", "2028-12-01"), ["Birthday 2028-02-28 repeats"]);
    assert.deepEqual(await c.items("2030-01-01", "2030-12-31"), []);
    const got = await c.b.call("CalendarEventGet", { calendarId: c.id, name: made.name, zone });
    assert.deepEqual(got.event.repeat, { every: "year", interval: 1, until: null, count: 3 });
    for (const every of ["day", "month"] as const) {
      await c.save(
        form({ title: every, repeat: { every, interval: 1, until: null, count: null } }),
      );
    }
    assert.equal(
      (await c.items("2027-02-01", "2027-02-28")).filter((i) => /^day/.test(i)).length,
      28,
    );
    assert.equal(
      (await c.items("2027-01-06", "2027-06-30")).filter((i) => /^month/.test(i)).length,
      5,
    );
  });
});

Deno.test("what the page doesn't know stays as it was written", async () => {
  await withCalendars(async (c) => {
    const rest = [
      'x-lower;X-A="b;c":Some\\, thing',
      "CATEGORIES:one,two",
      "BEGIN:VALARM",
      "ACTION:DISPLAY",
      "TRIGGER:-PT15M",
      "DESCRIPTION:Reminder",
      "END:VALARM",
    ];
    const rule = "RRULE:WKST=MO;FREQ=MONTHLY;BYDAY=2TU";
    await put(c, "a.ics", [
      "X-WR-OTHER:kept",
      "BEGIN:VEVENT",
      "UID:a",
      "DTSTAMP:20260101T000000Z",
      "DTSTART;TZID=America/New_York:20270112T100030",
      "DURATION:PT45M",
      "SUMMARY;LANGUAGE=en:Council",
      rule,
      "EXDATE;TZID=America/New_York:20270209T100030",
      ...rest,
      "END:VEVENT",
      "BEGIN:VEVENT",
      "UID:a",
      "DTSTAMP:20260101T000000Z",
      "RECURRENCE-ID;TZID=America/New_York:20270309T100030",
      "DTSTART;TZID=America/New_York:20270310T110000",
      "DURATION:PT45M",
      "SUMMARY;LANGUAGE=en:Council",
      "LOCATION:Elsewhere",
      "END:VEVENT",
    ]);
    const where = { calendarId: c.id, name: "a.ics" };
    const got = await c.b.call("CalendarEventGet", { ...where, zone });
    assert.equal(got.event.start, "2027-01-12T16:00");
    assert.equal(got.event.end, "2027-01-12T16:45");
    assert.deepEqual(got.event.repeat, { every: "other", rule: rule.slice(6) });
    assert.equal(got.exceptions, 2);
    const made = await c.save({ ...got.event, title: "Big council", place: "Hall" }, {
      ...where,
      etag: got.etag,
    });
    let text = c.stored("a.ics");
    for (
      const line of [
        ...rest,
        rule,
        "X-WR-OTHER:kept",
        "PRODID:-//another//EN",
        "DTSTART;TZID=America/New_York:20270112T100030",
        "DURATION:PT45M",
        "EXDATE;TZID=America/New_York:20270209T100030",
        // Its own place stays, the common title doesn't.
        "LOCATION:Elsewhere",
        "LOCATION:Hall",
      ]
    ) assert.ok(text.includes(`\r\n${line}\r\n`), line);
    assert.equal(text.match(/\nSUMMARY:Big council\r/g)?.length, 2);
    // Another time: in the event's own zone, with the dates that differed gone.
    await c.save(
      {
        ...got.event,
        title: "Big council",
        place: "Hall",
        start: "2027-01-12T17:00",
        end: "2027-01-12T18:00",
      },
      { ...where, etag: made.etag },
    );
    text = c.stored("a.ics");
    assert.match(text, /\nDTSTART;TZID=America\/New_York:20270112T110000\r\n/);
    assert.match(text, /\nDTEND;TZID=America\/New_York:20270112T120000\r\n/);
    assert.doesNotMatch(text, /EXDATE|RECURRENCE-ID|DURATION:PT45M/);
    assert.ok(text.includes(`\r\n${rule}\r\n`));
    for (const line of rest) assert.ok(text.includes(`\r\n${line}\r\n`), line);
  });
});

Deno.test("who is invited gets mail: invitation, change, cancellation; others' events aren't changed", async () => {
  await withCalendars(async (c) => {
    const people = ["ann@to.example", "Bob@to.example"];
    c.failing.add("bob@to.example");
    const made = await c.save(form({ people }));
    assert.deepEqual(made.untold, ["bob@to.example"]);
    assert.deepEqual(c.mails.map((m) => `${m.method} ${m.from} ${m.to}`), [
      "REQUEST mox@localhost ann@to.example",
    ]);
    assert.match(writeComponent(c.mails[0].message), /SUMMARY:Lunch/);
    const where = { calendarId: c.id, name: made.name };
    const got = await c.b.call("CalendarEventGet", { ...where, zone });
    assert.deepEqual(got.event.people, ["ann@to.example", "bob@to.example"]);
    assert.equal(got.organizer, null);
    c.failing.clear();
    const less = await c.save({ ...got.event, people: ["ann@to.example"], place: "Inn" }, {
      ...where,
      etag: got.etag,
    });
    assert.deepEqual(c.mails.slice(1).map((m) => `${m.method} ${m.to}`), [
      "REQUEST ann@to.example",
      "CANCEL bob@to.example",
    ]);
    // Ann comes; at another time she is asked again.
    const row = c.g.object(c.id, made.name)!;
    const accepted = new TextDecoder().decode(c.g.content(row.id)).replace(/\r\n /g, "")
      .replace(/NEEDS-ACTION/, "ACCEPTED");
    await c.g.put(c.id, {
      ...calendarObject(made.name, new TextEncoder().encode(accepted)),
      scheduleTag: row.scheduleTag,
    });
    const comes = await c.b.call("CalendarEventGet", { ...where, zone });
    assert.equal(comes.people.find((x) => x.address === "ann@to.example")?.status, "accepted");
    assert.notEqual(comes.etag, less.etag);
    const later = await c.save({ ...comes.event, end: "2027-01-05T14:00" }, {
      ...where,
      etag: comes.etag,
    });
    const asked = await c.b.call("CalendarEventGet", { ...where, zone });
    assert.equal(asked.people.find((x) => x.address === "ann@to.example")?.status, "needs-action");
    assert.equal(
      c.mails.splice(3).map((m) => `${m.method} ${m.to}`).join(),
      "REQUEST ann@to.example",
    );
    await c.b.call("CalendarEventDelete", { ...where, etag: later.etag });
    assert.deepEqual(c.mails.slice(3).map((m) => `${m.method} ${m.to}`), ["CANCEL ann@to.example"]);

    await put(c, "theirs.ics", [
      "BEGIN:VEVENT",
      "UID:theirs",
      "DTSTAMP:20260101T000000Z",
      "DTSTART:20270112T100000Z",
      "DTEND:20270112T110000Z",
      "SUMMARY:Theirs",
      "ORGANIZER;CN=Zoe:mailto:zoe@to.example",
      "ATTENDEE;PARTSTAT=ACCEPTED:mailto:mox@localhost",
      "END:VEVENT",
    ]);
    const theirs = { calendarId: c.id, name: "theirs.ics" };
    const shown = await c.b.call("CalendarEventGet", { ...theirs, zone });
    assert.equal(shown.organizer?.name, "Zoe");
    const old = { ...theirs, etag: shown.etag };
    assert.match(await refused(c.save(form(), old), "user"), /only its organizer/);
    await c.b.call("CalendarEventDelete", old);
    assert.deepEqual(c.mails.slice(4).map((m) => `${m.method} ${m.to}`), ["REPLY zoe@to.example"]);
  });
});

Deno.test("wrong times, addresses, zones and periods are refused in words, and nothing is stored", async () => {
  await withCalendars(async (c) => {
    const cases: [Partial<EventForm>, RegExp][] = [
      [{ end: "2027-01-05T11:00" }, /ends before it begins/],
      [{ start: "2027-02-30T11:00" }, /start is no time/],
      [{ allDay: true }, /start is no date/],
      [{ end: "2047-01-05T11:00" }, /more than ten years/],
      [{ people: ["nobody"] }, /nobody is not an address/],
      [{ people: ["a@b\r\nX-EVIL:1"] }, /not an address/],
      [{ title: "a\u0001b" }, /control character/],
      [{ repeat: { every: "other", rule: "FREQ=SECONDLY" } }, /can't be made here/],
      [
        { repeat: { every: "day", interval: 1, until: "2026-01-01", count: null } },
        /before the event/,
      ],
    ];
    for (const [more, words] of cases) {
      assert.match(await refused(c.save(form(more)), "user"), words, JSON.stringify(more));
    }
    await refused(
      c.save(form({ people: Array.from({ length: 201 }, (_x, n) => `p${n}@to.example`) })),
      "request",
    );
    await refused(c.items("2027-01-01", "2027-01-02", "Mars/Base"), "user");
    assert.match(await refused(c.items("2027-01-01", "2029-01-02"), "user"), /400 days/);
    await refused(c.items("2027-01-02", "2027-01-01"), "user");
    const strange = { zone, calendarId: c.id + 1000, old: null, event: form() };
    await refused(c.b.call("CalendarEventSave", strange), "missing");
    // The collection of invitations is no calendar of events.
    const inbox = c.g.collections("calendars").find((x) => x.kind === "inbox")!;
    await refused(c.b.call("CalendarEventSave", { ...strange, calendarId: inbox.id }), "missing");
    assert.equal(c.g.count(c.id), 0);
    assert.deepEqual(c.mails, []);
    const stranger = await c.w.login();
    stranger.cookie = "";
    await refused(
      stranger.call("CalendarItems", { zone, from: "2027-01-01", to: "2027-01-02" }),
      "login",
    );
  });
});

Deno.test("odd events of others are shown as far as they can be, and hide no others", async () => {
  await withCalendars(async (c) => {
    await c.save(form());
    const odd: [string, string[]][] = [
      ["long", ["DTSTART:20270101T000000Z", "DURATION:P999999W"]],
      ["early", ["DTSTART;VALUE=DATE:00010101", "DTEND;VALUE=DATE:99991231"]],
      ["backwards", ["DTSTART:20270105T100000Z", "DTEND:20270104T100000Z"]],
      ["often", ["DTSTART:20200105T100000Z", "RRULE:FREQ=SECONDLY"]],
      ["zone", ["DTSTART;TZID=Nowhere/None:20270105T100000", "RRULE:FREQ=DAILY;BYHOUR=3,4"]],
      ["until", ["DTSTART:20270105T100000Z", "RRULE:FREQ=DAILY;UNTIL=20270106T050000Z"]],
    ];
    for (const [name, lines] of odd) {
      await put(c, `${name}.ics`, [
        "BEGIN:VEVENT",
        `UID:${name}`,
        "DTSTAMP:20260101T000000Z",
        `SUMMARY:${name}`,
        ...lines,
        "END:VEVENT",
      ]);
    }
    const r = await c.b.call("CalendarItems", { zone, from: "2027-01-05", to: "2027-01-05" });
    const titles = new Set(r.items.map((i) => i.title));
    for (const title of ["Lunch", ...odd.map(([n]) => n)]) {
      assert.ok(titles.has(title), `${title} of ${[...titles]}`);
    }
    assert.equal(r.more, true);
    for (const [name] of odd) {
      const where = { calendarId: c.id, name: `${name}.ics` };
      const got = await c.b.call("CalendarEventGet", { ...where, zone });
      const times = (text: string) => text.match(/^(?:DTSTART|DTEND|DURATION|RRULE).*$/gm);
      const before = times(c.stored(where.name));
      await c.save({ ...got.event, title: "Other" }, { ...where, etag: got.etag });
      assert.deepEqual(times(c.stored(where.name)), before, name);
    }
  });
});

Deno.test("an answer has bounds, and an event goes to another calendar", async () => {
  await withCalendars(async (c) => {
    const other = await c.g.createCollection("calendar", "work", {
      properties: new Map([
        ["{DAV:}displayname", '<displayname xmlns="DAV:">Work &amp; play</displayname>'],
        [
          "{http://apple.com/ns/ical/}calendar-color",
          '<calendar-color xmlns="http://apple.com/ns/ical/">#FF0000FF</calendar-color>',
        ],
      ]),
    });
    const made = await c.save(form());
    const moved = await c.b.call("CalendarEventSave", {
      zone,
      calendarId: other.id,
      old: { calendarId: c.id, name: made.name, etag: made.etag },
      event: form({ title: "Moved" }),
    });
    assert.equal(c.g.count(c.id), 0);
    assert.equal(c.g.object(other.id, moved.name)?.summary, "Moved");
    for (let n = 0; n < 14; n++) {
      await c.save(
        form({ title: `d${n}`, repeat: { every: "day", interval: 1, until: null, count: null } }),
      );
    }
    const r = await c.b.call("CalendarItems", { zone, from: "2027-01-05", to: "2028-02-08" });
    assert.equal(r.items.length, 5000);
    assert.equal(r.more, true);
    assert.deepEqual(r.calendars[1], {
      id: other.id,
      name: "Work & play",
      color: "#ff0000",
      owner: "",
      usual: false,
      writable: true,
    });
  });
});

Deno.test("the description of a zone gives the offsets of the zone", () => {
  const about = Date.UTC(2027, 0, 5);
  for (
    const name of [
      "Europe/Berlin",
      "America/New_York",
      "Australia/Sydney",
      "Asia/Kolkata",
      "Asia/Tokyo",
      "Africa/Casablanca",
    ]
  ) {
    const known = namedZone(name)!;
    const described = describedZone(zoneComponent(known, about))!;
    for (let at = about; at < about + 5 * 366 * 86_400_000; at += 5 * 3_600_000) {
      const [is, should] = [described.offset(at), known.offset(at)];
      if (is !== should) assert.equal(is, should, `${name} at ${new Date(at).toISOString()}`);
    }
  }
});
