/**
 * Events in the names of JSCalendar 2.0 (draft-ietf-calext-jscalendarbis) beside those of RFC 8984: clients of both
 * see, make and change the same events.
 */
import assert from "node:assert/strict";
import { fc } from "../support/fast_check.ts";
import { readObject } from "../../src/mail/calendar/object.ts";
import { writeComponent } from "../../src/mail/contentline/component.ts";
import { eventFromSeries } from "../../src/mail/jscalendar/from_ical.ts";
import { calendarOf } from "../../src/mail/jscalendar/to_ical.ts";
import { inOneForm, VersionError, withBothNames } from "../../src/mail/jscalendar/versions.ts";
import { type Client, type Json, withJmap, type World } from "./world.ts";

async function made(c: Client, event: Json): Promise<Json> {
  const calendar = (await c.call("Calendar/get")).list[0].id;
  const set = await c.call("CalendarEvent/set", {
    create: { e: { calendarIds: { [calendar]: true }, ...event } },
  });
  return set.created?.e ?? set.notCreated.e;
}
const event = async (c: Client, id: string, properties?: string[]): Promise<Json> =>
  (await c.call("CalendarEvent/get", { ids: [id], properties })).list[0];

async function changed(c: Client, id: string, patch: Json): Promise<Json> {
  const set = await c.call("CalendarEvent/set", { update: { [id]: patch } });
  return set.notUpdated?.[id] ?? set.updated[id];
}

/** With CalDAV on the same port. */
const withBoth = (fn: (w: World) => Promise<void>) =>
  withJmap(fn, { jmap: "\t\tDAVHTTP:\n\t\t\tEnabled: true\n\t\t\tPort: PORT\n" });

const dav = (origin: string, c: Client, path: string) =>
  fetch(`${origin}/dav/calendars/${path}`, {
    method: "REPORT",
    headers: { authorization: c.authorization, depth: "1", "content-type": "text/xml" },
    body:
      `<C:calendar-query xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><prop><C:calendar-data/></prop><C:filter><C:comp-filter name="VCALENDAR"/></C:filter></C:calendar-query>`,
  }).then((r) => r.text()).then((s) => s.replaceAll("&#13;", "").replaceAll(/\r?\n /g, ""));

Deno.test("an event of version 2.0: a series with people is made, seen by both names, and changed by either", () =>
  withBoth(async (w) => {
    const { ann } = w;
    const { id, ...told } = await made(ann, {
      version: "2.0",
      title: "Stand-up",
      start: "2027-01-04T10:00:00",
      timeZone: "Europe/Berlin",
      duration: "PT1H",
      recurrenceRule: { "@type": "RecurrenceRule", frequency: "weekly", count: 6 },
      organizerCalendarAddress: "mailto:ann@mox.example",
      participants: {
        me: { calendarAddress: "mailto:ann@mox.example", roles: { owner: true, attendee: true } },
        bob: { name: "Bob", calendarAddress: "mailto:bob@mox.example", roles: { attendee: true } },
      },
      recurrenceOverrides: {
        "2027-01-11T10:00:00": {
          "participants/x": { calendarAddress: "mailto:x@to.example", roles: { attendee: true } },
        },
      },
    });
    assert.equal(told.description, undefined, JSON.stringify(told));
    assert.equal("version" in told, false, "the client said it itself");
    const seen = await event(ann, id);
    assert.equal(seen.version, "2.0");
    assert.deepEqual(seen.recurrenceRule, {
      "@type": "RecurrenceRule",
      frequency: "weekly",
      count: 6,
    });
    assert.deepEqual(seen.recurrenceRules, [seen.recurrenceRule]);
    assert.equal(seen.organizerCalendarAddress, "mailto:ann@mox.example");
    assert.deepEqual(seen.replyTo, { imip: "mailto:ann@mox.example" });
    assert.equal(seen.participants.bob.calendarAddress, "mailto:bob@mox.example");
    assert.deepEqual(seen.participants.bob.sendTo, { imip: "mailto:bob@mox.example" });
    assert.equal(
      seen.recurrenceOverrides["2027-01-11T10:00:00"]["participants/x"].calendarAddress,
      "mailto:x@to.example",
    );
    // Phones see the people and the rule, and nothing is kept twice.
    const stored = await dav(w.origin, ann, "ann/default/");
    assert.match(stored, /RRULE:FREQ=WEEKLY;COUNT=6/);
    assert.match(stored, /ATTENDEE;[^\n]*JSID=bob:mailto:bob@mox\.example/);
    assert.match(stored, /ATTENDEE;[^\n]*JSID=x:mailto:x@to\.example/);
    assert.match(stored, /ORGANIZER[^\n]*:mailto:ann@mox\.example/);
    assert.doesNotMatch(
      stored,
      /JSPROP[^\n]*(?:calendarAddress|recurrenceRule|version|Organizer)/i,
    );

    // By the newer names.
    assert.equal((await changed(ann, id, { "recurrenceRule/count": 8 }))?.type, undefined);
    assert.equal((await event(ann, id)).recurrenceRules[0].count, 8);
    await changed(ann, id, { "participants/bob/calendarAddress": "mailto:bob2@mox.example" });
    assert.deepEqual((await event(ann, id)).participants.bob.sendTo, {
      imip: "mailto:bob2@mox.example",
    });
    // By the older ones.
    await changed(ann, id, { recurrenceRules: [{ frequency: "daily", count: 3 }] });
    assert.equal((await event(ann, id)).recurrenceRule.frequency, "daily");
    await changed(ann, id, { "participants/bob/sendTo": { imip: "mailto:bob@mox.example" } });
    assert.equal(
      (await event(ann, id)).participants.bob.calendarAddress,
      "mailto:bob@mox.example",
    );
    // All people at once, as a client of 2.0 has them.
    await changed(ann, id, {
      participants: {
        me: { calendarAddress: "mailto:ann@mox.example", roles: { owner: true } },
        carl: { calendarAddress: "mailto:carl@to.example", roles: { attendee: true } },
      },
    });
    const people = (await event(ann, id)).participants;
    assert.deepEqual(Object.keys(people).toSorted(), ["carl", "me"]);
    assert.deepEqual(people.carl.sendTo, { imip: "mailto:carl@to.example" });
    // One date of it.
    const date = `${id}_20270105T100000`;
    await changed(ann, date, { "participants/carl/calendarAddress": "mailto:c2@to.example" });
    assert.equal(
      (await event(ann, date)).participants.carl.calendarAddress,
      "mailto:c2@to.example",
    );
    assert.equal(
      (await event(ann, id)).participants.carl.calendarAddress,
      "mailto:carl@to.example",
    );
    // No series any more, by either name.
    await changed(ann, id, { recurrenceRule: null });
    assert.equal((await event(ann, id)).recurrenceRules, undefined);
    await changed(ann, id, { recurrenceRule: { frequency: "daily" } });
    await changed(ann, id, { recurrenceRules: null });
    assert.equal((await event(ann, id)).recurrenceRule, undefined);
    const asked = await event(ann, id, ["version", "organizerCalendarAddress"]);
    assert.deepEqual(asked, {
      id,
      version: "2.0",
      organizerCalendarAddress: "mailto:ann@mox.example",
    });
  }));

Deno.test("what is wrong is named as the client wrote it; two names that disagree are refused", () =>
  withJmap(async ({ ann }) => {
    const start = { title: "x", start: "2027-01-04T10:00:00", timeZone: "Etc/UTC" };
    for (
      const [more, names] of [
        [{ recurrenceRule: { frequency: "often" } }, ["recurrenceRule"]],
        [{ recurrenceRule: [{ frequency: "daily" }] }, ["recurrenceRule"]],
        [{ recurrenceRule: { frequency: "daily", rscale: "hebrew" } }, ["recurrenceRule"]],
        [{ recurrenceRules: [{ frequency: "often" }] }, ["recurrenceRules"]],
        [{ organizerCalendarAddress: 5 }, ["organizerCalendarAddress"]],
        [{ version: "3.0" }, ["version"]],
        [{
          recurrenceRule: { frequency: "daily" },
          recurrenceRules: [{ frequency: "weekly" }],
        }, ["recurrenceRules", "recurrenceRule"]],
        [{ participants: { a: { calendarAddress: 1 } } }, ["participants/a/calendarAddress"]],
      ] as [Json, string[]][]
    ) {
      const no = await made(ann, { ...start, ...more });
      assert.deepEqual([no.type, no.properties], ["invalidProperties", names], JSON.stringify(no));
    }
    // Both names that agree are what a client copies.
    const rule = { frequency: "daily", count: 2 };
    const { id } = await made(ann, { ...start, recurrenceRule: rule, recurrenceRules: [rule] });
    const no = await changed(ann, id, { "recurrenceRule/interval": "two" });
    assert.deepEqual(no.properties, ["recurrenceRule"]);
    const told = await made(ann, {
      ...start,
      participants: { b: { calendarAddress: "mailto:b@to.example", roles: { attendee: true } } },
    });
    assert.equal(told.organizerCalendarAddress, "mailto:ann@mox.example");
    assert.equal(told.version, "2.0");
  }));

Deno.test("an end in another zone, such as a flight's, is kept and seen", () =>
  withBoth(async (w) => {
    const { ann } = w;
    const { id } = await made(ann, {
      title: "Flight",
      start: "2027-01-04T10:00:00",
      timeZone: "Europe/Berlin",
      endTimeZone: "America/New_York",
      duration: "PT9H",
    });
    assert.match(
      await dav(w.origin, ann, "ann/default/"),
      /DTEND;TZID=America\/New_York:20270104T130000/,
    );
    const seen = await event(ann, id, ["duration", "endTimeZone", "utcEnd"]);
    assert.deepEqual(seen, {
      id,
      duration: "PT9H",
      endTimeZone: "America/New_York",
      utcEnd: "2027-01-04T18:00:00Z",
    });
    await changed(ann, id, { endTimeZone: null });
    assert.equal((await event(ann, id)).endTimeZone, undefined);
  }));

const address = fc.constantFrom("mailto:a@x.example", "mailto:b@x.example", "urn:x:1");
const person = fc.record({
  name: fc.constantFrom("A", "B"),
  email: fc.constant("e@x.example"),
  sendTo: fc.record({ imip: address, "other": fc.constant("tel:1") }, {
    requiredKeys: ["imip"],
    noNullPrototype: true,
  }),
  roles: fc.constant({ attendee: true }),
}, { requiredKeys: ["roles"], noNullPrototype: true });
const people = fc.dictionary(fc.constantFrom("p", "q", "__proto__"), person, {
  noNullPrototype: true,
});
const any = fc.record({
  start: fc.constant("2027-01-04T10:00:00"),
  recurrenceRules: fc.array(fc.constantFrom({ frequency: "daily" }, { frequency: "weekly" }), {
    maxLength: 2,
  }),
  replyTo: fc.record({ imip: address }, { noNullPrototype: true }),
  participants: people,
  recurrenceOverrides: fc.dictionary(
    fc.constant("2027-01-05T10:00:00"),
    fc.record({ "participants/p": person, participants: people, title: fc.constant("t") }, {
      requiredKeys: [],
      noNullPrototype: true,
    }),
    { noNullPrototype: true },
  ),
}, { requiredKeys: ["start"], noNullPrototype: true });

Deno.test("any event in both names, unchanged, is the event itself; what a client makes of it fails by a named error only", () => {
  fc.assert(fc.property(any, any, (one, other) => {
    const both = withBothNames(one);
    assert.deepEqual(inOneForm(both, both), one);
    try {
      inOneForm(both, withBothNames(other));
      inOneForm(both, { ...withBothNames(other), ...one });
    } catch (err) {
      assert.ok(err instanceof VersionError, String(err));
    }
  }));
  fc.assert(fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.jsonValue(), (o, x) => {
    try {
      inOneForm({}, { ...o, recurrenceRule: x, participants: { a: x }, recurrenceOverrides: x });
    } catch (err) {
      assert.ok(err instanceof VersionError, String(err));
    }
  }));
});

Deno.test("ends in other zones go into iCalendar and come back, over changes of clocks too", () => {
  const zones = fc.constantFrom("Europe/Berlin", "America/New_York", "Etc/UTC", "Asia/Tokyo");
  fc.assert(fc.property(
    zones,
    zones,
    fc.integer({ min: 0, max: 20_000 }),
    fc.integer({ min: 1, max: 6000 }),
    (timeZone, endTimeZone, hour, minutes) => {
      const start = new Date(Date.UTC(2026, 0, 1) + hour * 3_600_000).toISOString().slice(0, 19);
      const given = { "@type": "Event", uid: "u", start, timeZone, endTimeZone };
      const length = { ...given, duration: `PT${minutes}M` };
      const read = (event: Json) => {
        const text = writeComponent(calendarOf(event, 0));
        return eventFromSeries(readObject(new TextEncoder().encode(text)))!;
      };
      const back = read(length);
      assert.equal(back.endTimeZone, timeZone === endTimeZone ? undefined : endTimeZone);
      // As another text of the same length, it stays as it is from then on.
      assert.deepEqual(read(back), back);
    },
  ));
});

Deno.test("a length over a change of clocks is read exactly, in the zone of the start", () => {
  for (
    const [start, end, duration] of [
      // The night that has an hour more, and the one that has an hour less.
      ["TZID=Europe/Berlin:20261024T120000", "TZID=Europe/Berlin:20261025T113000", "PT24H30M"],
      ["TZID=Europe/Berlin:20261024T120000", "TZID=Europe/Berlin:20261025T123000", "P1DT30M"],
      ["TZID=Europe/Berlin:20270327T120000", "TZID=Europe/Berlin:20270328T120000", "P1D"],
      ["TZID=Europe/Berlin:20270327T120000", "VALUE=DATE-TIME:20270330T110000Z", "P3DT1H"],
      ["VALUE=DATE-TIME:20270327T120000Z", "TZID=Europe/Berlin:20270329T140000", "P2D"],
    ]
  ) {
    const text = [
      "BEGIN:VCALENDAR",
      "VERSION:2.0",
      "PRODID:x",
      "BEGIN:VEVENT",
      "UID:u",
      "DTSTAMP:20260101T000000Z",
      `DTSTART;${start}`,
      `DTEND;${end}`,
      "END:VEVENT",
      "END:VCALENDAR",
      "",
    ].join("\r\n");
    const read = eventFromSeries(readObject(new TextEncoder().encode(text)))!;
    assert.equal(read.duration, duration, `${start} ${end}`);
  }
});
