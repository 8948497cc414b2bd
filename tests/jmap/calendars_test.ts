/** Calendars (draft-ietf-jmap-calendars, RFC 8984) and principals (RFC 9670): the same events by JMAP and by CalDAV. */
import assert from "node:assert/strict";
import { fc } from "../support/fast_check.ts";
import { writeComponent } from "../../src/mail/contentline/component.ts";
import { readObject } from "../../src/mail/calendar/object.ts";
import { eventFromSeries } from "../../src/mail/jscalendar/from_ical.ts";
import { calendarOf } from "../../src/mail/jscalendar/to_ical.ts";
import { type Client, type Json, withJmap, type World } from "./world.ts";

/** CalDAV beside JMAP, on the same port. */
async function dav(w: World, c: Client, method: string, path: string, body?: string) {
  const r = await fetch(`${w.origin}/dav/calendars/${path}`, {
    method,
    body,
    headers: { authorization: c.authorization, "content-type": "text/calendar" },
  });
  return { status: r.status, text: await r.text() };
}

const withBoth = (fn: (w: World) => Promise<void>) =>
  withJmap(fn, { jmap: "\t\tDAVHTTP:\n\t\t\tEnabled: true\n\t\t\tPort: PORT\n" });

const vevent = (uid: string, ...lines: string[]) => [
  "BEGIN:VEVENT",
  `UID:${uid}`,
  "DTSTAMP:20260101T000000Z",
  ...lines,
  "END:VEVENT",
];
const ical = (...lines: string[]) =>
  ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//x//y//EN", ...lines, "END:VCALENDAR", ""].join(
    "\r\n",
  );

const theCalendar = async (c: Client): Promise<string> => (await c.call("Calendar/get")).list[0].id;

Deno.test("session; calendars: made, changed, default; what CalDAV set is there", () =>
  withBoth(async (w) => {
    const { ann } = w;
    const session = (await ann.raw("session")).json;
    const of = session.accounts.ann.accountCapabilities;
    assert.equal(of["urn:ietf:params:jmap:calendars"].maxCalendarsPerEvent, 1);
    assert.equal(of["urn:ietf:params:jmap:principals"].currentUserPrincipalId, "ann");
    const { list: [first], state } = await ann.call("Calendar/get");
    assert.equal(first.name, "Calendar");
    assert.equal(first.includeInAvailability, "all");
    const made = await ann.call("Calendar/set", {
      create: {
        a: { name: "Team", color: "#ff0000", timeZone: "Europe/Berlin", isVisible: false },
        b: { name: "x", color: "reddish" },
        c: { name: "x", timeZone: "Nowhere/There" },
      },
      onSuccessSetIsDefault: "#a",
    });
    assert.deepEqual(made.notCreated.b.properties, ["color"]);
    assert.deepEqual(made.notCreated.c.properties, ["timeZone"]);
    const a = made.created.a.id;
    const set = await ann.call("Calendar/set", {
      update: { [a]: { includeInAvailability: "none", description: "<b>" } },
      onSuccessSetIsDefault: a,
    });
    assert.equal(set.notUpdated, null);
    const got = (await ann.call("Calendar/get", { ids: [a] })).list[0];
    assert.deepEqual(
      [
        got.isDefault,
        got.isVisible,
        got.color,
        got.timeZone,
        got.description,
        got.includeInAvailability,
      ],
      [true, false, "#ff0000", "Europe/Berlin", "<b>", "none"],
    );
    const props = await fetch(`${w.origin}/dav/calendars/ann/`, {
      method: "PROPFIND",
      headers: { authorization: ann.authorization, Depth: "1" },
      body:
        `<propfind xmlns="DAV:"><prop><displayname/><calendar-description xmlns="urn:ietf:params:xml:ns:caldav"/></prop></propfind>`,
    }).then((r) => r.text());
    assert.match(props, /displayname[^>]*>Team</);
    assert.match(props, /&lt;b&gt;/);
    assert.deepEqual((await ann.call("Calendar/changes", { sinceState: state })).created, [a]);
    // Invitations go there now.
    const inbox = await fetch(`${w.origin}/dav/calendars/ann/inbox/`, {
      method: "PROPFIND",
      headers: { authorization: ann.authorization, Depth: "0" },
      body:
        `<propfind xmlns="DAV:"><prop><schedule-default-calendar-URL xmlns="urn:ietf:params:xml:ns:caldav"/></prop></propfind>`,
    }).then((r) => r.text());
    assert.doesNotMatch(inbox, /calendars\/ann\/default/);
  }));

Deno.test("an event of a phone is changed by JMAP, whole and by date; its other lines stay as they stood", () =>
  withBoth(async (w) => {
    const { ann } = w;
    const text = ical(
      ...vevent(
        "u-1",
        "DTSTART;TZID=Europe/Berlin:20260105T100000",
        "DTEND;TZID=Europe/Berlin:20260105T113000",
        "RRULE:FREQ=WEEKLY;COUNT=6;BYDAY=MO",
        "EXDATE;TZID=Europe/Berlin:20260112T100000",
        "SUMMARY;LANGUAGE=en:Stand\\, up",
        "LOCATION:Room",
        "X-SOMETHING;A=b:as it \\, stood",
      ),
      ...vevent(
        "u-1",
        "RECURRENCE-ID;TZID=Europe/Berlin:20260119T100000",
        "DTSTART;TZID=Europe/Berlin:20260119T120000",
        "DTEND;TZID=Europe/Berlin:20260119T133000",
        "SUMMARY:Late",
        "LOCATION:Room",
      ),
    );
    assert.equal((await dav(w, ann, "PUT", "ann/default/a.ics", text)).status, 201);
    const { list: [event], state } = await ann.call("CalendarEvent/get");
    assert.equal(event.start, "2026-01-05T10:00:00");
    assert.equal(event.timeZone, "Europe/Berlin");
    assert.equal(event.duration, "PT1H30M");
    assert.deepEqual(event.recurrenceRules, [{
      "@type": "RecurrenceRule",
      frequency: "weekly",
      count: 6,
      byDay: [{ "@type": "NDay", day: "mo" }],
    }]);
    assert.deepEqual(event.recurrenceOverrides, {
      "2026-01-12T10:00:00": { excluded: true },
      "2026-01-19T10:00:00": { start: "2026-01-19T12:00:00", title: "Late" },
    });
    const dates = await ann.call("CalendarEvent/query", {
      filter: { after: "2026-01-01T00:00:00", before: "2026-02-01T00:00:00" },
      sort: [{ property: "start" }],
      expandRecurrences: true,
      timeZone: "Europe/Berlin",
    });
    assert.deepEqual(
      dates.ids,
      ["20260105", "20260119", "20260126"].map((d) => `${event.id}_${d}T100000`),
    );
    const [, late, third] = dates.ids;
    const got = await ann.call("CalendarEvent/get", {
      ids: [late, `${event.id}_20260112T100000`, `${event.id}_20260107T100000`],
      properties: ["title", "start", "recurrenceId", "baseEventId", "utcStart", "utcEnd"],
    });
    assert.deepEqual(got.list, [{
      id: late,
      baseEventId: event.id,
      recurrenceId: "2026-01-19T10:00:00",
      title: "Late",
      start: "2026-01-19T12:00:00",
      utcStart: "2026-01-19T11:00:00Z",
      utcEnd: "2026-01-19T12:30:00Z",
    }]);
    assert.equal(got.notFound.length, 2);
    const set = await ann.call("CalendarEvent/set", {
      update: {
        [event.id]: { "locations/l1/name": "Hall", "x.example:mine": [1] },
        [third]: { title: "Third", "alerts": { a: { trigger: { offset: "-PT5M" } } } },
      },
      destroy: [late],
    });
    assert.equal(set.notUpdated, null, JSON.stringify(set));
    assert.deepEqual(set.destroyed, [late]);
    const stored = (await dav(w, ann, "GET", "ann/default/a.ics")).text;
    for (
      const line of [
        "SUMMARY;LANGUAGE=en:Stand\\, up",
        "X-SOMETHING;A=b:as it \\, stood",
        "RRULE:FREQ=WEEKLY;COUNT=6;BYDAY=MO",
        "DTEND;TZID=Europe/Berlin:20260105T113000",
        "SUMMARY:Third",
        "TRIGGER:-PT5M",
        "LOCATION;JSID=l1:Hall",
      ]
    ) {
      assert.ok(stored.includes(line), `${line} is not in ${stored}`);
    }
    assert.match(stored, /BEGIN:VTIMEZONE/);
    assert.doesNotMatch(stored, /Late/);
    const now = (await ann.call("CalendarEvent/get", { ids: [event.id] })).list[0];
    assert.deepEqual(now.recurrenceOverrides["2026-01-19T10:00:00"], { excluded: true });
    assert.equal(now.recurrenceOverrides["2026-01-26T10:00:00"].title, "Third");
    assert.deepEqual(now["x.example:mine"], [1]);
    assert.deepEqual((await ann.call("CalendarEvent/changes", { sinceState: state })).updated, [
      event.id,
    ]);
    // A series that ends being one (cyrus-imapd 2504), and is one again with its dates (stalwart 2984).
    const single = await ann.call("CalendarEvent/set", {
      update: { [event.id]: { recurrenceRules: null, recurrenceOverrides: null } },
    });
    assert.equal(single.notUpdated, null, JSON.stringify(single));
    assert.doesNotMatch(
      (await dav(w, ann, "GET", "ann/default/a.ics")).text,
      /FREQ=WEEKLY|RECURRENCE-ID|EXDATE/,
    );
    await ann.call("CalendarEvent/set", {
      update: {
        [event.id]: {
          recurrenceRules: now.recurrenceRules,
          recurrenceOverrides: now.recurrenceOverrides,
        },
      },
    });
    const again = (await ann.call("CalendarEvent/get", { ids: [event.id] })).list[0];
    assert.deepEqual(again.recurrenceOverrides, now.recurrenceOverrides);
    // And the phone changes it.
    await dav(w, ann, "PUT", "ann/default/a.ics", stored.replace("SUMMARY:Third", "SUMMARY:3rd"));
    assert.equal((await ann.call("CalendarEvent/get", { ids: [third] })).list[0].title, "3rd");
    assert.equal((await dav(w, ann, "DELETE", "ann/default/a.ics")).status, 204);
    assert.deepEqual((await ann.call("CalendarEvent/changes", { sinceState: state })).destroyed, [
      event.id,
    ]);
  }));

Deno.test("events are made, found, moved between calendars and removed; what can't be is refused", () =>
  withBoth(async (w) => {
    const { ann } = w;
    const calendar = await theCalendar(ann);
    const other = (await ann.call("Calendar/set", { create: { o: { name: "O" } } })).created.o.id;
    const base = { calendarIds: { [calendar]: true }, timeZone: "Etc/UTC" };
    const made = await ann.call("CalendarEvent/set", {
      create: {
        a: {
          ...base,
          title: "Lunch",
          start: "2026-03-01T12:00:00",
          duration: "PT1H",
          locations: { x: { name: "Café" } },
        },
        b: {
          ...base,
          title: "Holiday",
          start: "2026-03-02T00:00:00",
          timeZone: null,
          showWithoutTime: true,
          duration: "P3D",
          keywords: { rest: true },
        },
        none: { title: "x", start: "2026-03-01T12:00:00" },
        two: {
          ...base,
          calendarIds: { [calendar]: true, [other]: true },
          start: "2026-03-01T12:00:00",
        },
        start: { ...base, start: "2026-03-01" },
        zone: { ...base, timeZone: "Nowhere/There", start: "2026-03-01T12:00:00" },
        rule: {
          ...base,
          start: "2026-03-01T12:00:00",
          recurrenceRules: [{ frequency: "daily", byMonth: ["77"] }],
        },
        unknown: { ...base, start: "2026-03-01T12:00:00", nosuch: true },
        server: { ...base, start: "2026-03-01T12:00:00", isOrigin: true },
      },
    });
    const why = Object.fromEntries(
      Object.entries(made.notCreated as Json).map(([k, e]) => [k, (e as Json).properties]),
    );
    assert.deepEqual(why, {
      none: ["calendarIds"],
      two: ["calendarIds"],
      start: ["start"],
      zone: ["timeZone"],
      rule: ["recurrenceRules"],
      unknown: ["nosuch"],
      server: ["isOrigin"],
    });
    const { a, b } = made.created;
    assert.equal(a.isOrigin, true);
    const query = async (filter: Json, more: Json = {}) =>
      (await ann.call("CalendarEvent/query", { filter, ...more })).ids;
    assert.deepEqual(await query({ text: "café" }), [a.id]);
    assert.deepEqual(await query({ after: "2026-03-04T00:00:00" }), [b.id]);
    assert.deepEqual(await query({ before: "2026-03-01T13:00:00" }), [a.id]);
    assert.deepEqual(await query({ uid: b.uid }), [b.id]);
    assert.equal(
      (await ann.fails("CalendarEvent/query", { expandRecurrences: true })).type,
      "invalidArguments",
    );
    assert.equal(
      (await ann.fails("CalendarEvent/query", {
        filter: { after: "2020-01-01T00:00:00", before: "2026-01-01T00:00:00" },
        expandRecurrences: true,
      })).type,
      "expandDurationTooLarge",
    );
    const first = await ann.call("CalendarEvent/query", {
      filter: { inCalendar: calendar },
      sort: [{ property: "start" }],
    });
    assert.deepEqual(first.ids, [a.id, b.id]);
    const moved = await ann.call("CalendarEvent/set", {
      update: { [b.id]: { calendarIds: { [other]: true }, title: "Rest" } },
    });
    assert.equal(moved.notUpdated, null, JSON.stringify(moved));
    const got = (await ann.call("CalendarEvent/get", { ids: [b.id] })).list[0];
    assert.deepEqual([got.calendarIds, got.title, got.duration, got.showWithoutTime], [
      { [other]: true },
      "Rest",
      "P3D",
      true,
    ]);
    const changes = await ann.call("CalendarEvent/queryChanges", {
      filter: { inCalendar: calendar },
      sort: [{ property: "start" }],
      sinceQueryState: first.queryState,
    });
    assert.deepEqual([changes.removed, changes.added], [[b.id], []]);
    const again = await ann.call("CalendarEvent/set", {
      create: { x: { ...base, uid: b.uid, start: "2026-03-01T12:00:00" } },
    });
    assert.deepEqual([again.notCreated.x.type, again.notCreated.x.existingId], [
      "alreadyExists",
      b.id,
    ]);
    assert.deepEqual((await ann.call("CalendarEvent/set", { destroy: [a.id] })).destroyed, [a.id]);
    assert.equal(
      (await ann.call("CalendarEvent/set", { destroy: [a.id] })).notDestroyed[a.id].type,
      "notFound",
    );
    const file = await ann.upload(
      ical(
        ...vevent("p1", "DTSTART:20260101T000000Z", "SUMMARY:One"),
        ...vevent("p2", "DTSTART;VALUE=DATE:20260102", "SUMMARY:Two"),
      ),
      "text/calendar",
    );
    const junk = await ann.upload("no calendar", "text/calendar");
    const parsed = await ann.call("CalendarEvent/parse", {
      blobIds: [file, junk, "U00000000000000000000000000000000"],
      properties: ["title"],
    });
    assert.deepEqual(parsed.parsed, { [file]: [{ title: "One" }, { title: "Two" }] });
    assert.deepEqual(parsed.notParsable, [junk]);
    assert.equal(parsed.notFound.length, 1);
  }));

Deno.test("people are told when that is asked for; busy times; calendars shared", () =>
  withBoth(async (w) => {
    const { ann, bob } = w;
    const calendar = await theCalendar(ann);
    const meeting = {
      calendarIds: { [calendar]: true },
      title: "Meeting",
      start: "2027-01-05T10:00:00",
      timeZone: "Etc/UTC",
      duration: "PT1H",
      participants: {
        me: {
          name: "Ann",
          email: "ann@mox.example",
          roles: { owner: true, attendee: true },
          participationStatus: "accepted",
        },
        bob: {
          email: "bob@mox.example",
          sendTo: { imip: "mailto:bob@mox.example" },
          roles: { attendee: true },
          expectReply: true,
        },
        x: { email: "x@to.example", roles: { attendee: true } },
      },
    };
    const quiet = await ann.call("CalendarEvent/set", { create: { q: meeting } });
    assert.deepEqual(quiet.created.q.replyTo, { imip: "mailto:ann@mox.example" });
    assert.deepEqual((await bob.call("CalendarEvent/get")).list, []);
    await ann.call("CalendarEvent/set", { destroy: [quiet.created.q.id] });
    assert.equal(w.host.mails.length, 0);
    const { created: { m } } = await ann.call("CalendarEvent/set", {
      create: { m: meeting },
      sendSchedulingMessages: true,
    });
    for (let i = 0; w.host.mails.length === 0; i++) {
      assert.ok(i < 600, "no mail came");
      await new Promise((r) => setTimeout(r, 50));
    }
    assert.deepEqual(w.host.mails[0].to, ["x@to.example"]);
    const [invited] = (await bob.call("CalendarEvent/get")).list;
    assert.equal(invited.isOrigin, false);
    const mine = Object.keys(invited.participants).find((k) =>
      invited.participants[k].email === "bob@mox.example"
    )!;
    const answer = await bob.call("CalendarEvent/set", {
      update: { [invited.id]: { [`participants/${mine}/participationStatus`]: "accepted" } },
      sendSchedulingMessages: true,
    });
    assert.equal(answer.notUpdated, null, JSON.stringify(answer));
    const after = (await ann.call("CalendarEvent/get", { ids: [m.id] })).list[0];
    assert.equal(after.participants.bob.participationStatus, "accepted");
    const people = await ann.call("Principal/query", { filter: { email: "bob@" } });
    assert.deepEqual(people.ids, ["bob"]);
    const p = (await ann.call("Principal/get", { ids: ["bob"] })).list[0];
    assert.equal(p.email, "bob@mox.example");
    const span = { utcStart: "2027-01-05T00:00:00Z", utcEnd: "2027-01-06T00:00:00Z" };
    assert.deepEqual((await ann.call("Principal/getAvailability", { id: "bob", ...span })).list, [{
      utcStart: "2027-01-05T10:00:00Z",
      utcEnd: "2027-01-05T11:00:00Z",
      busyStatus: "confirmed",
      event: null,
      accountId: null,
    }]);
    assert.equal(
      (await ann.fails("Principal/getAvailability", { id: "nobody", ...span })).type,
      "notFound",
    );
    assert.equal(
      (await ann.call("Principal/set", { destroy: ["bob"] })).notDestroyed.bob.type,
      "forbidden",
    );
    const identities = (await ann.call("ParticipantIdentity/get")).list;
    assert.deepEqual(identities.map((i: Json) => [i.calendarAddress, i.isDefault]), [
      ["mailto:ann@mox.example", true],
      ["mailto:ann2@mox.example", false],
    ]);
    await ann.call("Calendar/set", {
      update: { [calendar]: { shareWith: { bob: { mayReadItems: true } } } },
    });
    const seen = await bob.call("CalendarEvent/get", { accountId: "ann" });
    assert.deepEqual(seen.list.map((e: Json) => e.title), ["Meeting"]);
    const no = await bob.call("CalendarEvent/set", {
      accountId: "ann",
      update: { [m.id]: { title: "x" } },
    });
    assert.equal(no.notUpdated[m.id].type, "forbidden");
    const copy = await bob.call("CalendarEvent/copy", {
      fromAccountId: "ann",
      create: {
        c: {
          id: m.id,
          uid: "copied",
          participants: null,
          replyTo: null,
          calendarIds: { [await theCalendar(bob)]: true },
        },
      },
    });
    assert.equal(copy.notCreated, null, JSON.stringify(copy));
  }));

const word = fc.string({ unit: "grapheme", minLength: 1, maxLength: 12 })
  .map((s) => s.replace(/\p{Cc}/gu, "").trim()).filter((s) => s !== "");
const local = fc.integer({ min: 0, max: 40_000 }).map((n) =>
  new Date(Date.UTC(2026, 0, 1) + n * 3_600_000).toISOString().slice(0, 19)
);
const key = fc.stringMatching(/^[A-Za-z0-9_-]{1,6}$/);
const map = (value: fc.Arbitrary<Json>) =>
  fc.dictionary(key, value, { minKeys: 1, maxKeys: 2, noNullPrototype: true });
const typed = (type: string, o: Record<string, fc.Arbitrary<Json>>, requiredKeys: string[]) =>
  fc.record(o, { requiredKeys }).map((x) => ({ "@type": type, ...x }));
const arbitraryEvent: fc.Arbitrary<Json> = fc.record({
  start: local,
  timeZone: fc.constantFrom("Europe/Berlin", "Etc/UTC", "America/New_York", null),
  duration: fc.constantFrom("PT1H", "P1D", "PT45M", "P2DT3H"),
  title: word,
  description: word,
  keywords: fc.dictionary(word, fc.constant(true), {
    minKeys: 1,
    maxKeys: 2,
    noNullPrototype: true,
  }),
  priority: fc.integer({ min: 1, max: 9 }),
  privacy: fc.constantFrom("public", "private", "secret"),
  status: fc.constantFrom("confirmed", "cancelled", "tentative"),
  freeBusyStatus: fc.constant("free"),
  locations: map(typed("Location", { name: word, description: word }, ["name"])),
  alerts: map(
    typed("Alert", {
      trigger: fc.constantFrom({ "@type": "OffsetTrigger", offset: "-PT5M" }, {
        "@type": "AbsoluteTrigger",
        when: "2026-01-01T00:00:00Z",
      }, { "@type": "OffsetTrigger", offset: "PT0S", relativeTo: "end" }),
    }, ["trigger"]),
  ),
  recurrenceRules: fc.constantFrom<Json>(
    [{ "@type": "RecurrenceRule", frequency: "daily", count: 5 }],
    [{
      "@type": "RecurrenceRule",
      frequency: "weekly",
      interval: 2,
      byDay: [{ "@type": "NDay", day: "tu" }],
      until: "2027-01-01T10:00:00",
    }],
    [{
      "@type": "RecurrenceRule",
      frequency: "monthly",
      byDay: [{ "@type": "NDay", day: "fr", nthOfPeriod: -1 }],
    }],
  ),
  "x.example:y": fc.constantFrom<Json>(1, { a: [null, "b"] }, "text\nof lines"),
}, { requiredKeys: ["start", "timeZone", "duration"] }).map((e) => ({
  "@type": "Event",
  uid: "u",
  ...e,
}));

Deno.test("any event goes into iCalendar and comes back; a change of it too", () => {
  const text = (e: Json, before?: string) =>
    writeComponent(
      calendarOf(e, Date.UTC(2026, 0, 1), before === undefined ? undefined : readObject(before)),
    );
  fc.assert(
    fc.property(
      arbitraryEvent,
      arbitraryEvent,
      fc.array(fc.tuple(local, fc.constantFrom<Json>({ excluded: true }, { title: "Other" }, {})), {
        maxLength: 3,
      }),
      (a, b, overrides) => {
        // Clocks that go forward or back make of a day and an hour something else.
        const first = text(a);
        assert.deepEqual(eventFromSeries(readObject(first)), a);
        const wanted = overrides.length === 0
          ? b
          : { ...b, title: "T", recurrenceOverrides: Object.fromEntries(overrides) };
        assert.deepEqual(eventFromSeries(readObject(text(wanted, first))), wanted);
      },
    ),
    { numRuns: 60 },
  );
});

Deno.test("drafts: nobody is told of one, by JMAP or DAV, until it is none any more", () =>
  withJmap(async ({ ann, bob, origin }) => {
    const calendar = await theCalendar(ann);
    const set = (args: Json) =>
      ann.call("CalendarEvent/set", { sendSchedulingMessages: true, ...args });
    const made = await set({
      create: {
        a: {
          calendarIds: { [calendar]: true },
          isDraft: true,
          title: "Party",
          start: "2027-01-05T11:00:00",
          timeZone: "Europe/Berlin",
          duration: "PT1H",
          participants: {
            bob: {
              roles: { attendee: true },
              email: "bob@mox.example",
              sendTo: { imip: "mailto:bob@mox.example" },
            },
          },
        },
      },
    });
    const { id } = made.created.a;
    const get = async () => (await ann.call("CalendarEvent/get", { ids: [id] })).list[0];
    assert.equal((await get()).isDraft, true);
    const invited = async () => (await bob.call("CalendarEvent/get")).list.length;
    assert.equal((await set({ update: { [id]: { title: "A party" } } })).notUpdated, null);
    // What a phone sends back is a draft still.
    const url = `${origin}/dav/calendars/ann/default/`;
    const headers = { authorization: ann.authorization };
    const found = await fetch(url, { method: "PROPFIND", headers: { ...headers, Depth: "1" } });
    const name = /<D:href>([^<]+\.ics)</.exec(await found.text())![1];
    const object = new URL(name, url);
    const text = await (await fetch(object, { headers })).text();
    const put = await fetch(object, {
      method: "PUT",
      headers: { ...headers, "content-type": "text/calendar" },
      body: text.replace("SUMMARY:A party", "SUMMARY:A big party"),
    });
    assert.equal(put.status, 204, await put.text());
    assert.deepEqual([(await get()).title, (await get()).isDraft, await invited()], [
      "A big party",
      true,
      0,
    ]);
    assert.equal((await set({ update: { [id]: { isDraft: false } } })).notUpdated, null);
    assert.deepEqual([(await get()).isDraft, await invited()], [false, 1]);
    const back = await set({ update: { [id]: { isDraft: true } } });
    assert.deepEqual(back.notUpdated[id].properties, ["isDraft"]);
  }, { jmap: "\t\tDAVHTTP:\n\t\t\tEnabled: true\n\t\t\tPort: PORT\n" }));

Deno.test("utcStart and utcEnd are set in place of start and duration, in the event's zone", () =>
  withJmap(async ({ ann }) => {
    const calendarIds = { [await theCalendar(ann)]: true };
    const set = (args: Json) => ann.call("CalendarEvent/set", args);
    const times = ["start", "duration", "timeZone", "utcStart", "utcEnd"];
    const get = async (id: string) => {
      const [e] = (await ann.call("CalendarEvent/get", { ids: [id], properties: times })).list;
      return times.map((k) => e[k]);
    };
    const made = await set({
      create: {
        plain: { calendarIds, utcStart: "2027-07-05T10:00:00Z", utcEnd: "2027-07-05T11:30:00Z" },
        berlin: {
          calendarIds,
          timeZone: "Europe/Berlin",
          utcStart: "2027-03-27T23:00:00Z",
          utcEnd: "2027-03-28T22:00:00Z",
        },
        both: { calendarIds, start: "2027-07-05T10:00:00", utcStart: "2027-07-05T10:00:00Z" },
        back: { calendarIds, utcStart: "2027-07-05T10:00:00Z", utcEnd: "2027-07-05T09:00:00Z" },
        wrong: { calendarIds, utcStart: "yesterday" },
        endOnly: { calendarIds, utcEnd: "2027-07-05T09:00:00Z" },
      },
    });
    const { plain, berlin } = made.created;
    assert.deepEqual([plain.start, plain.duration, plain.timeZone], [
      "2027-07-05T10:00:00",
      "PT1H30M",
      "Etc/UTC",
    ]);
    assert.deepEqual(await get(berlin.id), [
      "2027-03-28T00:00:00",
      "PT23H",
      "Europe/Berlin",
      "2027-03-27T23:00:00Z",
      "2027-03-28T22:00:00Z",
    ]);
    assert.deepEqual(
      Object.entries(made.notCreated).map(([k, e]) => [k, (e as Json).properties]).sort(),
      [
        ["back", ["utcEnd"]],
        ["both", ["utcStart", "start"]],
        ["endOnly", ["start"]],
        ["wrong", ["utcStart"]],
      ],
    );
    const moved = await set({ update: { [plain.id]: { utcStart: "2027-07-06T08:00:00Z" } } });
    assert.equal(moved.updated[plain.id].start, "2027-07-06T08:00:00");
    assert.equal((await get(plain.id))[4], "2027-07-06T09:30:00Z");
    const longer = await set({ update: { [plain.id]: { utcEnd: "2027-07-06T10:00:00Z" } } });
    assert.equal(longer.updated[plain.id].duration, "PT2H");
    const no = await set({
      update: { [plain.id]: { duration: "PT1H", utcEnd: "2027-07-06T10:00:00Z" } },
    });
    assert.deepEqual(no.notUpdated[plain.id].properties, ["utcEnd", "duration"]);
  }));
