/** JMAP for Calendars (draft-ietf-jmap-calendars-29) §5.10, §5.11 and §7 clause by clause, over HTTP: queries. */
import assert from "node:assert/strict";
import type { Json } from "../world.ts";
import { clauses, done, made, refusal } from "./clauses.ts";
import { person, usual } from "./meetings.ts";

clauses("JMAP Calendars §5.10: queries", async (clause, { ann }) => {
  const cal = await usual(ann);
  const other = made(await ann.call("Calendar/set", { create: { e: { name: "O" } } })).id;
  const event = async (o: Json) =>
    made(
      await ann.call("CalendarEvent/set", {
        create: {
          e: { calendarIds: { [cal]: true }, timeZone: "Etc/UTC", duration: "PT1H", ...o },
        },
      }),
    ).id as string;
  const a = await event({
    title: "Alpha bravo",
    start: "2027-05-03T10:00:00",
    uid: "3",
    description: "long text",
    locations: { l: { name: "Ghent", description: "upstairs" } },
  });
  const b = await event({
    title: "Series",
    start: "2027-05-01T12:00:00",
    uid: "1",
    recurrenceRule: { frequency: "daily", count: 5 },
    recurrenceOverrides: {
      "2027-05-02T12:00:00": { title: "Special", start: "2027-05-02T18:00:00" },
    },
  });
  const c = await event({
    title: "Meeting",
    start: "2027-05-04T09:00:00",
    uid: "2",
    calendarIds: { [other]: true },
    organizerCalendarAddress: "mailto:ann@mox.example",
    participants: {
      a: person("ann@mox.example", { name: "Ann Owner", roles: { owner: true, attendee: true } }),
      x: person("carl@to.example", { name: "Carl Guest", email: "carl@to.example" }),
    },
  });
  const q = async (filter: Json, more: Json = {}) =>
    (await ann.call("CalendarEvent/query", { filter, sort: [{ property: "uid" }], ...more })).ids;

  await clause("§5.10.1 each condition", async () => {
    const rows: [Json, string[]][] = [
      [{}, [b, c, a]],
      [{ inCalendar: other }, [c]],
      [{ inCalendar: "C9999" }, []],
      [{ after: "2027-05-03T11:00:00" }, [b, c]],
      [{ after: "2027-05-03T10:59:59" }, [b, c, a]],
      [{ before: "2027-05-03T10:00:00" }, [b]],
      [{ before: "2027-05-03T10:00:01" }, [b, a]],
      [{ title: "alpha" }, [a]],
      [{ title: "bravo alpha" }, [a]],
      [{ title: '"bravo alpha"' }, []],
      [{ title: "'alpha bravo'" }, [a]],
      [{ title: "special" }, [b]],
      [{ description: "LONG" }, [a]],
      [{ location: "ghent" }, [a]],
      [{ location: "upstairs" }, [a]],
      [{ owner: "ann owner" }, [c]],
      [{ owner: "carl" }, []],
      [{ participant: "carl@to.example" }, [c]],
      [{ participant: "guest" }, [c]],
      [{ text: "carl" }, [c]],
      [{ text: "ghent alpha" }, [a]],
      [{ uid: "1" }, [b]],
      [{ uid: "11" }, []],
      [{ title: "alpha", inCalendar: other }, []],
      [{ operator: "OR", conditions: [{ uid: "1" }, { uid: "2" }] }, [b, c]],
      [{ operator: "NOT", conditions: [{ uid: "1" }] }, [c, a]],
      [{ operator: "AND", conditions: [{ inCalendar: cal }, { before: "2027-05-03T00:00:00" }] }, [
        b,
      ]],
    ];
    for (const [f, ids] of rows) assert.deepEqual(await q(f), ids, JSON.stringify(f));
    assert.equal(
      (await ann.fails("CalendarEvent/query", { filter: { nosuch: "x" } })).type,
      "unsupportedFilter",
    );
    assert.equal(
      (await ann.fails("CalendarEvent/query", { filter: { after: "2027-05-03T11:00:00Z" } })).type,
      "invalidArguments",
    );
    assert.equal(
      (await ann.fails("CalendarEvent/query", { timeZone: "Mars/Olympus" })).type,
      "invalidArguments",
    );
  });
  await clause("§5.10 after and before are in the zone that is asked for", async () => {
    assert.deepEqual(await q({ after: "2027-05-04T19:00:00" }, { timeZone: "Asia/Tokyo" }), [b]);
    assert.deepEqual(await q({ after: "2027-05-04T18:59:00" }, { timeZone: "Asia/Tokyo" }), [b, c]);
  });
  await clause(
    "§5.10 expandRecurrences: one condition with both ends, not too far apart; conditions meet in one date",
    async () => {
      const span = { after: "2027-05-01T00:00:00", before: "2027-05-06T00:00:00" };
      const e = { expandRecurrences: true };
      for (
        const filter of [{ after: span.after }, { before: span.before }, {}, undefined, {
          operator: "AND",
          conditions: [span],
        }]
      ) {
        assert.equal(
          (await ann.fails("CalendarEvent/query", { ...e, filter })).type,
          "invalidArguments",
          JSON.stringify(filter),
        );
      }
      assert.equal(
        (await ann.fails("CalendarEvent/query", {
          ...e,
          filter: { after: "2020-01-01T00:00:00", before: "2027-01-01T00:00:00" },
        })).type,
        "expandDurationTooLarge",
      );
      const all = await q(span, e);
      assert.equal(all.length, 7);
      assert.equal(new Set(all).size, 7);
      assert.deepEqual((await q({ ...span, title: "special" }, e)).length, 1);
      assert.deepEqual((await q({ ...span, title: "series" }, e)).length, 4);
      assert.deepEqual(
        await q({ after: "2027-05-02T00:00:00", before: "2027-05-02T17:00:00", uid: "1" }, e),
        [],
      );
      // Without it conditions may meet in different dates.
      assert.deepEqual(
        await q({ after: "2027-05-04T00:00:00", before: "2027-05-06T00:00:00", title: "special" }),
        [b],
      );
    },
  );
  await clause("§5.10.2 orders", async () => {
    const by = (...sort: Json[]) => q({}, { sort });
    assert.deepEqual(await by({ property: "start" }), [b, a, c]);
    assert.deepEqual(await by({ property: "start", isAscending: false }), [c, a, b]);
    assert.deepEqual(await by({ property: "uid" }), [b, c, a]);
    await by({ property: "recurrenceId" }, { property: "created" }, { property: "updated" });
    assert.equal(
      (await ann.fails("CalendarEvent/query", { sort: [{ property: "nosuch" }] })).type,
      "unsupportedSort",
    );
  });
  await clause("§5.11 queryChanges", async () => {
    const asked = { filter: { inCalendar: cal }, sort: [{ property: "uid" }] };
    const was = await ann.call("CalendarEvent/query", asked);
    const fresh = await event({ title: "New", uid: "0", start: "2027-06-01T00:00:00" });
    const r = await ann.call("CalendarEvent/queryChanges", {
      ...asked,
      sinceQueryState: was.queryState,
    });
    assert.deepEqual(r.added, [{ id: fresh, index: 0 }]);
    assert.equal(
      (await ann.fails("CalendarEvent/queryChanges", { ...asked, sinceQueryState: "x" })).type,
      "cannotCalculateChanges",
    );
    done(await ann.call("CalendarEvent/set", { destroy: [fresh] }));
  });
  await clause("§7.3, §7.4 notifications: only destroyed; filters and order", async () => {
    for (
      const r of [
        await ann.call("CalendarEventNotification/set", { create: { e: { type: "created" } } }),
      ]
    ) assert.equal(refusal(r).type, "forbidden");
    const none = await ann.call("CalendarEventNotification/set", { update: { V1: { type: "x" } } });
    assert.match(refusal(none, "notUpdated").type, /^(forbidden|notFound)$/);
    for (
      const filter of [{ after: "2027-01-01T00:00:00Z" }, {
        before: "2027-01-01T00:00:00Z",
        type: "created",
        calendarEventIds: [a],
      }]
    ) {
      await ann.call("CalendarEventNotification/query", {
        filter,
        sort: [{ property: "created" }],
      });
    }
    assert.equal(
      (await ann.fails("CalendarEventNotification/query", { sort: [{ property: "nosuch" }] })).type,
      "unsupportedSort",
    );
  });
});
