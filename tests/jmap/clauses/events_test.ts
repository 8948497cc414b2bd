/** JMAP for Calendars (draft-ietf-jmap-calendars-29) §5 clause by clause, over HTTP: events. */
import assert from "node:assert/strict";
import type { Json } from "../world.ts";
import { clauses, done, guest, made, refusal } from "./clauses.ts";
import { invited, meeting, usual } from "./meetings.ts";

clauses("JMAP Calendars §5.1: properties of events", async (clause, { ann, bob }) => {
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

  await clause("§5.1 calendarIds: one at least, true", async () => {
    for (const calendarIds of [{}, { [cal]: false }, { C9999: true }, [cal], null]) {
      await wrong({ calendarIds });
    }
    const id = await event();
    assert.deepEqual(refusal(await update(id, { calendarIds: {} }), "notUpdated").properties, [
      "calendarIds",
    ]);
    const other = made(await ann.call("Calendar/set", { create: { e: { name: "O" } } })).id;
    done(await update(id, { [`calendarIds/${cal}`]: null, [`calendarIds/${other}`]: true }));
    assert.deepEqual((await get(id)).calendarIds, { [other]: true });
  });
  await clause("§5.1 isDraft only from the beginning, isOrigin by the organizer", async () => {
    const id = await event();
    assert.deepEqual([(await get(id)).isDraft, (await get(id)).isOrigin], [false, true]);
    assert.equal(
      refusal(await update(id, { isDraft: true }), "notUpdated").type,
      "invalidProperties",
    );
    assert.equal((await get(await event(meeting))).isOrigin, true);
    assert.equal((await get(await event(invited))).isOrigin, false);
    await wrong({ isOrigin: false });
    await wrong({
      recurrenceRule: { frequency: "daily", count: 3 },
      recurrenceOverrides: { "2027-05-04T10:00:00": { isDraft: true } },
    }, ["recurrenceOverrides"]);
  });
  await clause("§5.1 no method", async () => {
    await wrong({ method: "request" });
    const id = await event();
    assert.deepEqual(refusal(await update(id, { method: "request" }), "notUpdated").properties, [
      "method",
    ]);
  });
  await clause(
    "§5.1, §5.8 utcStart and utcEnd: instead of start and duration, not beside, not in overrides",
    async () => {
      const e = made(
        await ann.call("CalendarEvent/set", {
          create: {
            e: {
              calendarIds: { [cal]: true },
              utcStart: "2027-05-03T08:00:00Z",
              utcEnd: "2027-05-03T09:30:00Z",
            },
          },
        }),
      );
      assert.deepEqual([e.start, e.duration, e.timeZone], [
        "2027-05-03T08:00:00",
        "PT1H30M",
        "Etc/UTC",
      ]);
      await wrong({ utcStart: "2027-05-03T08:00:00Z" }, ["utcStart", "start"]);
      await wrong({ duration: "PT1H", utcEnd: "2027-05-03T08:30:00Z" }, ["utcEnd", "duration"]);
      await wrong({
        recurrenceRule: { frequency: "daily" },
        recurrenceOverrides: { "2027-05-04T10:00:00": { utcStart: "2027-05-04T07:00:00Z" } },
      }, ["recurrenceOverrides"]);
      const tokyo = made(
        await ann.call("Calendar/set", { create: { e: { name: "T", timeZone: "Asia/Tokyo" } } }),
      ).id;
      const t = made(
        await ann.call("CalendarEvent/set", {
          create: { e: { calendarIds: { [tokyo]: true }, utcStart: "2027-05-03T08:00:00Z" } },
        }),
      );
      assert.deepEqual([t.start, t.timeZone], ["2027-05-03T17:00:00", "Asia/Tokyo"]);
      const floating = await event({ timeZone: null });
      const r = done(await update(floating, { utcStart: "2027-05-03T08:00:00Z" }));
      assert.equal(r.updated[floating].timeZone, "Etc/UTC");
      assert.equal((await get(floating)).start, "2027-05-03T08:00:00");
      const got = await get(await event({ duration: "PT2H" }), {
        properties: ["utcStart", "utcEnd"],
      });
      assert.deepEqual([got.utcStart, got.utcEnd], [
        "2027-05-03T08:00:00Z",
        "2027-05-03T10:00:00Z",
      ]);
      const plain = await get(floating);
      assert.equal("utcStart" in plain || "utcEnd" in plain, false);
    },
  );
  await clause("§5.6 floating events: utcStart in the zone that is asked for", async () => {
    const id = await event({ timeZone: null });
    const at = async (timeZone?: string) =>
      (await get(id, { properties: ["utcStart"], timeZone })).utcStart;
    assert.equal(await at("Asia/Tokyo"), "2027-05-03T01:00:00Z");
    assert.equal(await at(), "2027-05-03T10:00:00Z");
  });
  await clause(
    "§5.1.1 mayInviteSelf, mayInviteOthers, hideAttendees are kept; not in overrides",
    async () => {
      const id = await event({ mayInviteSelf: true, mayInviteOthers: true, hideAttendees: true });
      const got = await get(id);
      assert.deepEqual([got.mayInviteSelf, got.mayInviteOthers, got.hideAttendees], [
        true,
        true,
        true,
      ]);
      for (const name of ["mayInviteSelf", "mayInviteOthers", "hideAttendees"]) {
        await wrong({
          recurrenceRule: { frequency: "daily" },
          recurrenceOverrides: { "2027-05-04T10:00:00": { [name]: true } },
        }, ["recurrenceOverrides"]);
      }
    },
  );
  await clause("§5.6 hideAttendees: who is no owner sees the owners and themselves", async () => {
    const shared = made(
      await ann.call("Calendar/set", {
        create: { e: { name: "Sh", shareWith: { bob: { mayReadItems: true } } } },
      }),
    ).id;
    const id = await event({ calendarIds: { [shared]: true }, hideAttendees: true, ...meeting });
    const theirs = await get(id, {}, guest(bob, "ann"));
    assert.deepEqual(
      (Object.values(theirs.participants) as Json[]).map((p) => p.calendarAddress).sort(),
      ["mailto:ann@mox.example", "mailto:bob@mox.example"],
    );
    assert.equal(Object.keys((await get(id)).participants).length, 3);
  });
  await clause("§5.6 reduceParticipants: owners and oneself, in overrides too", async () => {
    const id = await event({
      ...meeting,
      recurrenceRule: { frequency: "daily", count: 3 },
      recurrenceOverrides: {
        "2027-05-04T10:00:00": {
          "participants/x/participationStatus": "declined",
          "participants/b/participationStatus": "declined",
        },
      },
    });
    const got = await get(id, { reduceParticipants: true });
    assert.deepEqual((Object.values(got.participants) as Json[]).map((p) => p.calendarAddress), [
      "mailto:ann@mox.example",
    ]);
    assert.doesNotMatch(JSON.stringify(got.recurrenceOverrides ?? {}), /declined/);
  });
  await clause(
    "§5.6 the properties of a get: all but utcStart and utcEnd; what isn't known is refused",
    async () => {
      const id = await event({ title: "T", "example.org:mine": { a: 1 } });
      const got = await get(id);
      for (
        const k of [
          "id",
          "calendarIds",
          "isDraft",
          "isOrigin",
          "uid",
          "@type",
          "created",
          "updated",
          "start",
        ]
      ) {
        assert.ok(k in got, k);
      }
      assert.deepEqual(got["example.org:mine"], { a: 1 });
      assert.deepEqual(Object.keys(await get(id, { properties: ["title"] })).sort(), [
        "id",
        "title",
      ]);
      assert.equal(
        (await ann.fails("CalendarEvent/get", {
          ids: [id],
          properties: ["utcStart", "recurrenceOverrides"],
        })).type,
        "invalidArguments",
      );
    },
  );
  await clause(
    "§5.6 one date: its start and recurrenceId; rule and overrides are null if asked for",
    async () => {
      const id = await event({
        recurrenceRule: { frequency: "daily", count: 3 },
        recurrenceOverrides: { "2027-05-04T10:00:00": { title: "Second" } },
      });
      const { ids } = await ann.call("CalendarEvent/query", {
        expandRecurrences: true,
        timeZone: "Europe/Berlin",
        sort: [{ property: "start" }],
        filter: {
          after: "2027-05-03T00:00:00",
          before: "2027-05-06T00:00:00",
          uid: (await get(id)).uid,
        },
      });
      assert.equal(ids.length, 3);
      const one = await get(ids[1], {
        properties: [
          "recurrenceRule",
          "recurrenceRules",
          "recurrenceOverrides",
          "recurrenceId",
          "start",
          "title",
          "baseEventId",
        ],
      });
      assert.deepEqual(one, {
        id: ids[1],
        baseEventId: id,
        recurrenceId: "2027-05-04T10:00:00",
        start: "2027-05-04T10:00:00",
        title: "Second",
        recurrenceRule: null,
        recurrenceRules: null,
        recurrenceOverrides: null,
      });
      assert.equal(
        "recurrenceRule" in (await get(ids[1])) && (await get(ids[1])).recurrenceRule !== null,
        false,
      );
    },
  );
  await clause("§5.6 recurrenceOverridesBefore and -After", async () => {
    const id = await event({
      recurrenceRule: { frequency: "daily", count: 9 },
      recurrenceOverrides: {
        "2027-05-04T10:00:00": { title: "4" },
        "2027-05-06T10:00:00": { title: "6" },
        "2027-05-08T10:00:00": { title: "8" },
      },
    });
    const of = async (more: Json) =>
      Object.keys((await get(id, more)).recurrenceOverrides ?? {}).map((s) => s.slice(8, 10));
    assert.deepEqual(await of({ recurrenceOverridesBefore: "2027-05-06T08:00:00Z" }), ["04"]);
    assert.deepEqual(await of({ recurrenceOverridesAfter: "2027-05-06T08:00:00Z" }), ["06", "08"]);
    assert.deepEqual(
      await of({
        recurrenceOverridesAfter: "2027-05-05T00:00:00Z",
        recurrenceOverridesBefore: "2027-05-07T00:00:00Z",
      }),
      ["06"],
    );
  });
});
