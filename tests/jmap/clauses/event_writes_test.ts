/** JMAP for Calendars (draft-ietf-jmap-calendars-29) §5 clause by clause, over HTTP: what is written, and files. */
import assert from "node:assert/strict";
import type { Json } from "../world.ts";
import { clauses, dav, done, made, refusal } from "./clauses.ts";
import { invited, meeting, person, usual } from "./meetings.ts";

clauses("JMAP Calendars §5.8: what is written", async (clause, w) => {
  const { ann } = w;
  const cal = await usual(ann);
  const create = (o: Json) =>
    ann.call("CalendarEvent/set", {
      create: {
        e: {
          calendarIds: { [cal]: true },
          start: "2027-05-03T10:00:00",
          timeZone: "Europe/Berlin",
          ...o,
        },
      },
    });
  const event = async (o: Json = {}) => made(await create(o)).id as string;
  const get = async (id: string, more: Json = {}, c = ann) =>
    (await c.call("CalendarEvent/get", { ids: [id], ...more })).list[0];
  const update = (id: string, patch: Json, c = ann) =>
    c.call("CalendarEvent/set", { update: { [id]: patch } });
  const wrong = async (o: Json, names = Object.keys(o)) => {
    const e = refusal(await create(o));
    assert.deepEqual([e.type, e.properties], ["invalidProperties", names], JSON.stringify([o, e]));
  };

  await clause("§5.8 what the server sets on create; null is as if left out", async () => {
    const e = made(await create({ title: null, participants: null, description: null }));
    assert.match(e.uid, /.{8}/);
    assert.match(e.created, /Z$/);
    assert.match(e.updated, /Z$/);
    const got = await get(e.id);
    assert.deepEqual(["title" in got && got.title !== "", "participants" in got], [false, false]);
    assert.equal(got["@type"], "Event");
  });
  await clause(
    "§5.8 updated is the server's for what it is the origin of, and a later created too",
    async () => {
      const now = Date.now();
      const e = made(
        await create({ updated: "2001-01-01T00:00:00Z", created: "2099-01-01T00:00:00Z" }),
      );
      const got = await get(e.id);
      assert.ok(Math.abs(Date.parse(got.updated) - now) < 60_000, got.updated);
      assert.ok(Math.abs(Date.parse(got.created) - now) < 60_000, got.created);
      assert.equal(e.updated, got.updated);
      assert.equal(e.created, got.created);
      const r = done(await update(e.id, { title: "n", updated: "2001-01-01T00:00:00Z" }));
      assert.ok(Math.abs(Date.parse((await get(e.id)).updated) - now) < 60_000);
      assert.equal(r.updated[e.id].updated, (await get(e.id)).updated);
      // Of another's it is as given, and isn't touched.
      const other = await event({ ...invited, updated: "2001-01-01T00:00:00Z" });
      assert.equal((await get(other)).updated, "2001-01-01T00:00:00Z");
      done(await update(other, { "participants/a/participationStatus": "accepted" }));
      assert.equal((await get(other)).updated, "2001-01-01T00:00:00Z");
    },
  );
  await clause(
    "§5.8 sequence is raised by changes, but not by those of calendarIds, alerts, keywords, colour",
    async () => {
      const id = await event({ title: "S", ...meeting });
      const seq = async () => (await get(id)).sequence ?? 0;
      const first = await seq();
      done(
        await update(id, {
          alerts: {
            a: { "@type": "Alert", trigger: { "@type": "OffsetTrigger", offset: "-PT5M" } },
          },
        }),
      );
      done(await update(id, { keywords: { red: true }, color: "red", freeBusyStatus: "free" }));
      done(await update(id, { useDefaultAlerts: true }));
      const other = made(await ann.call("Calendar/set", { create: { e: { name: "Sq" } } })).id;
      done(await update(id, { calendarIds: { [other]: true } }));
      assert.equal(await seq(), first);
      const r = done(await update(id, { title: "S2" }));
      assert.equal(await seq(), first + 1);
      assert.equal(r.updated[id].sequence, first + 1);
      // One that isn't above is raised, one above stays.
      done(await update(id, { title: "S3", sequence: first }));
      assert.equal(await seq(), first + 2);
      done(await update(id, { title: "S4", sequence: first + 9 }));
      assert.equal(await seq(), first + 9);
      const guestOf = await event({ ...invited });
      done(await update(guestOf, { title: "mine" }));
      assert.equal((await get(guestOf)).sequence ?? 0, 0);
    },
  );
  await clause("§5.8 organizerCalendarAddress is set where people are added", async () => {
    const e = made(await create({ participants: { b: person("bob@mox.example") } }));
    assert.equal(e.organizerCalendarAddress, "mailto:ann@mox.example");
    const id = await event();
    const r = done(await update(id, { participants: { b: person("bob@mox.example") } }));
    assert.equal(r.updated[id].organizerCalendarAddress, "mailto:ann@mox.example");
  });
  await clause(
    "§5.8 people who can't be told: noSupportedScheduleMethods, and only if they are to be",
    async () => {
      const participants = {
        a: meeting.participants.a,
        z: {
          "@type": "Participant",
          name: "No Address",
          calendarAddress: "tel:+4930123",
          roles: { attendee: true },
        },
      };
      made(await create({ participants }));
      const r = await ann.call("CalendarEvent/set", {
        sendSchedulingMessages: true,
        create: {
          e: {
            calendarIds: { [cal]: true },
            start: "2027-05-03T10:00:00",
            participants,
          },
        },
      });
      assert.equal(refusal(r).type, "noSupportedScheduleMethods");
    },
  );
  await clause("§5.8.1 the draft's examples of patches within overrides", async () => {
    const id = await event({
      ...meeting,
      recurrenceRule: { frequency: "weekly" },
      recurrenceOverrides: {
        "2027-05-10T10:00:00": {
          start: "2027-05-10T11:00:00",
          "participants/b/participationStatus": "declined",
        },
      },
    });
    const at = "recurrenceOverrides/2027-05-10T10:00:00";
    const of = async () => (await get(id)).recurrenceOverrides["2027-05-10T10:00:00"];
    done(await update(id, { [`${at}/participants~1x~1participationStatus`]: "declined" }));
    const both = await of();
    assert.deepEqual(both.start, "2027-05-10T11:00:00");
    assert.equal(JSON.stringify(both).match(/declined/g)?.length, 2);
    done(await update(id, { [`${at}/participants~1b~1participationStatus`]: null }));
    assert.equal(JSON.stringify(await of()).match(/declined/g)?.length, 1);
    done(await update(id, { [at]: { start: "2027-05-10T11:00:00", "participants/x": null } }));
    const [one] = (await ann.call("CalendarEvent/query", {
      expandRecurrences: true,
      filter: {
        after: "2027-05-10T00:00:00",
        before: "2027-05-11T00:00:00",
        uid: (await get(id)).uid,
      },
    })).ids;
    assert.deepEqual(Object.keys((await get(one)).participants).length, 2);
  });
  await clause(
    "§5.8 an update of one date is an override, its removal an exclusion; the event is told in changes, not its dates",
    async () => {
      const id = await event({ title: "All", recurrenceRule: { frequency: "daily", count: 4 } });
      const { uid } = await get(id);
      const { ids } = await ann.call("CalendarEvent/query", {
        expandRecurrences: true,
        sort: [{ property: "recurrenceId" }],
        filter: { after: "2027-05-03T00:00:00", before: "2027-05-09T00:00:00", uid },
      });
      const { state } = await ann.call("CalendarEvent/get", { ids: [] });
      done(
        await ann.call("CalendarEvent/set", {
          update: { [ids[1]]: { title: "Two" } },
          destroy: [ids[2]],
        }),
      );
      assert.deepEqual((await get(id)).recurrenceOverrides, {
        "2027-05-04T10:00:00": { title: "Two" },
        "2027-05-05T10:00:00": { excluded: true },
      });
      const c = await ann.call("CalendarEvent/changes", { sinceState: state });
      assert.deepEqual([c.created, c.updated, c.destroyed], [[], [id], []]);
      assert.equal(refusal(await update(ids[2], { title: "x" }), "notUpdated").type, "notFound");
      assert.equal(
        refusal(await update(`${id}_20270101T000000`, { title: "x" }), "notUpdated").type,
        "notFound",
      );
    },
  );
  await clause("§1.4.1 one event of a uid in an account", async () => {
    const id = await event({ uid: "once@x" });
    const again = refusal(await create({ uid: "once@x" }));
    assert.deepEqual([again.type, again.existingId], ["alreadyExists", id]);
    assert.deepEqual(refusal(await update(id, { uid: "else@x" }), "notUpdated").properties, [
      "uid",
    ]);
  });
  await clause(
    "§5.8 what isn't an event of JSCalendar is refused by the name of the property",
    async () => {
      await wrong({ start: "2027-05-03" });
      await wrong({ start: "2027-05-03T10:00:00Z" });
      await wrong({ duration: "-PT1H" });
      await wrong({ timeZone: "Mars/Olympus" });
      await wrong({ recurrenceRule: { frequency: "often" } });
      await wrong({ recurrenceRule: { frequency: "daily", count: 0 } });
      await wrong({ participants: { a: "ann" } });
      await wrong({ "@type": "Task" });
      await wrong({ nosuch: 1 });
      await wrong({ alerts: { a: { trigger: { "@type": "OffsetTrigger", offset: "x" } } } });
      await wrong({ priority: 10 });
      await wrong({ keywords: { a: false } });
      await wrong({ locations: { "a b": { name: "x" } } });
    },
  );
  await clause("§5.2 attachments by blobId", async () => {
    const blobId = await ann.upload("hello", "text/plain");
    const e = made(
      await create({
        links: {
          l: {
            "@type": "Link",
            blobId,
            rel: "enclosure",
            title: "n.txt",
            contentType: "text/plain",
          },
        },
      }),
    );
    const got = (await get(e.id)).links.l;
    assert.ok(
      typeof got.blobId === "string" || /^data:text\/plain/.test(got.href),
      JSON.stringify(got),
    );
    const none = await create({
      links: { l: { "@type": "Link", blobId: "B-none", rel: "enclosure" } },
    });
    assert.equal(refusal(none).type, "blobNotFound");
  });
  await clause("§5.12 parse: metadata is null if asked for", async () => {
    const text = [
      "BEGIN:VCALENDAR",
      "VERSION:2.0",
      "PRODID:x",
      "BEGIN:VEVENT",
      "UID:p@x",
      "DTSTAMP:20270101T000000Z",
      "DTSTART:20270101T100000Z",
      "SUMMARY:P",
      "END:VEVENT",
      "END:VCALENDAR",
      "",
    ].join("\r\n");
    const blob = await ann.upload(text, "text/calendar");
    const r = await ann.call("CalendarEvent/parse", {
      blobIds: [blob, "B-none"],
      properties: ["id", "baseEventId", "calendarIds", "isDraft", "isOrigin", "title"],
    });
    assert.deepEqual(r.parsed[blob], [{
      id: null,
      baseEventId: null,
      calendarIds: null,
      isDraft: null,
      isOrigin: null,
      title: "P",
    }]);
    assert.deepEqual([r.notFound, r.notParsable], [["B-none"], null]);
  });
  await clause("§5.7 to CalDAV and back: what is set by JMAP is an event there", async () => {
    const e = made(await create({ title: "Both ways", color: "red" }));
    const list = await dav(w, ann, "PROPFIND", "calendars/ann/default/");
    assert.equal(list.status, 207);
    assert.ok(e.id);
  });
});
