/** JMAP for Calendars (draft-ietf-jmap-calendars-29) §2 and §3 clause by clause, over HTTP: availability, identities. */
import assert from "node:assert/strict";
import type { Client, Json } from "../world.ts";
import { clauses, done, made, refusal } from "./clauses.ts";

const usual = async (c: Client): Promise<string> =>
  (await c.call("Calendar/get")).list.find((b: Json) => b.isDefault).id;

clauses("JMAP Calendars §2: principals and availability", async (clause, { ann, bob }) => {
  const cal = await usual(bob);
  const day = (h: string) => `2027-03-01T${h}:00`;
  const event = async (o: Json) =>
    made(
      await bob.call("CalendarEvent/set", {
        create: {
          e: { calendarIds: { [cal]: true }, timeZone: "Etc/UTC", duration: "PT1H", ...o },
        },
      }),
    ).id;
  const busy = (more: Json = {}) =>
    ann.call("Principal/getAvailability", {
      id: "bob",
      utcStart: "2027-03-01T00:00:00Z",
      utcEnd: "2027-03-02T00:00:00Z",
      showDetails: false,
      ...more,
    });
  const times = (r: Json) =>
    r.list.map((
      b: Json,
    ) => [b.utcStart.slice(11, 16), b.utcEnd.slice(11, 16), b.busyStatus ?? "unavailable"]);

  await clause("§2.1 the capability of a principal", async () => {
    const { list } = await ann.call("Principal/get", { ids: ["bob"] });
    const c = list[0].capabilities["urn:ietf:params:jmap:calendars"];
    assert.deepEqual(c, {
      accountId: null,
      mayGetAvailability: true,
      mayShareWith: true,
      calendarAddress: "mailto:bob@mox.example",
    });
    const own = (await ann.call("Principal/get", { ids: ["ann"] })).list[0];
    assert.equal(own.capabilities["urn:ietf:params:jmap:calendars"].accountId, "ann");
  });
  await clause("§2.2 what makes somebody busy, and what doesn't", async () => {
    await event({ title: "busy", start: day("09:00") });
    await event({ title: "free", start: day("11:00"), freeBusyStatus: "free" });
    await event({ title: "off", start: day("12:00"), status: "cancelled" });
    await event({ title: "secret", start: day("13:00"), privacy: "secret" });
    await event({ title: "private", start: day("14:00"), privacy: "private" });
    await event({ title: "perhaps", start: day("15:00"), status: "tentative" });
    await event({
      title: "series",
      start: "2027-02-26T16:00:00",
      recurrenceRules: [{ frequency: "daily", count: 10 }],
    });
    const r = await busy();
    assert.deepEqual(times(r), [
      ["09:00", "10:00", "confirmed"],
      ["14:00", "15:00", "confirmed"],
      ["15:00", "16:00", "tentative"],
      ["16:00", "17:00", "confirmed"],
    ]);
    for (const b of r.list) assert.deepEqual([b.event, b.accountId], [null, null]);
  });
  await clause(
    "§2.2 periods are merged, and split where their status differs: confirmed, unavailable, tentative",
    async () => {
      const a = await event({ title: "a", start: day("20:00"), duration: "PT2H" });
      const b = await event({ title: "b", start: day("21:00"), duration: "PT2H" });
      const c = await event({
        title: "c",
        start: day("19:30"),
        duration: "PT4H",
        status: "tentative",
      });
      const late = times(await busy()).filter((x: string[]) => x[0] >= "19:00");
      assert.deepEqual(late, [
        ["19:30", "20:00", "tentative"],
        ["20:00", "23:00", "confirmed"],
        ["23:00", "23:30", "tentative"],
      ]);
      done(await bob.call("CalendarEvent/set", { destroy: [a, b, c] }));
    },
  );
  await clause("§2.2 includeInAvailability: none, and attending", async () => {
    done(await bob.call("Calendar/set", { update: { [cal]: { includeInAvailability: "none" } } }));
    assert.deepEqual((await busy()).list, []);
    done(
      await bob.call("Calendar/set", { update: { [cal]: { includeInAvailability: "attending" } } }),
    );
    const person = (participationStatus: string) => ({
      o: { calendarAddress: "mailto:ann@mox.example", roles: { owner: true, attendee: true } },
      b: {
        calendarAddress: "mailto:bob@mox.example",
        roles: { attendee: true },
        participationStatus,
      },
    });
    const organizerCalendarAddress = "mailto:ann@mox.example";
    await event({
      title: "yes",
      start: day("05:00"),
      organizerCalendarAddress,
      participants: person("accepted"),
    });
    await event({
      title: "no",
      start: day("06:00"),
      organizerCalendarAddress,
      participants: person("declined"),
    });
    await event({
      title: "?",
      start: day("07:00"),
      organizerCalendarAddress,
      participants: person("needs-action"),
    });
    await event({
      title: "maybe",
      start: day("08:00"),
      organizerCalendarAddress,
      participants: person("tentative"),
    });
    assert.deepEqual(times(await busy()), [["05:00", "06:00", "confirmed"], [
      "08:00",
      "09:00",
      "tentative",
    ]]);
    done(await bob.call("Calendar/set", { update: { [cal]: { includeInAvailability: "all" } } }));
  });
  await clause("§2.2 errors: notFound, tooLarge, an end before the start", async () => {
    const fails = (more: Json) =>
      ann.fails("Principal/getAvailability", {
        id: "bob",
        utcStart: "2027-03-01T00:00:00Z",
        utcEnd: "2027-03-02T00:00:00Z",
        showDetails: false,
        ...more,
      });
    assert.equal((await fails({ id: "nobody" })).type, "notFound");
    assert.equal((await fails({ utcEnd: "2030-03-02T00:00:00Z" })).type, "tooLarge");
    assert.equal((await fails({ utcEnd: "2027-03-01T00:00:00Z" })).type, "invalidArguments");
    assert.equal((await fails({ utcEnd: "2027-03-01" })).type, "invalidArguments");
  });
  await clause(
    "§2.2 showDetails: events of calendars that the user may read, but not private ones",
    async () => {
      const plain = await busy({ showDetails: true });
      assert.ok(plain.list.every((b: Json) => b.event === null && b.accountId === null));
      done(
        await bob.call("Calendar/set", {
          update: { [cal]: { shareWith: { ann: { mayReadItems: true } } } },
        }),
      );
      const r = await busy({ showDetails: true, eventProperties: ["title", "id"] });
      const shown = r.list.filter((b: Json) => b.event !== null);
      assert.deepEqual(
        shown.map((b: Json) => b.event.title).sort(),
        ["?", "busy", "maybe", "perhaps", "series", "yes"].sort(),
      );
      for (const b of shown) {
        assert.equal(b.accountId, "bob");
        assert.deepEqual(Object.keys(b.event).sort(), ["id", "title"]);
      }
      // Time of the private one is there, without more.
      assert.ok(
        r.list.some((b: Json) =>
          b.event === null && b.accountId === null && b.utcStart === "2027-03-01T14:00:00Z"
        ),
      );
      const all = await busy({ showDetails: true });
      const busyOne = all.list.find((b: Json) => b.event?.title === "busy");
      assert.deepEqual([busyOne.event["@type"], busyOne.event.start], ["Event", day("09:00")]);
      assert.ok((await busy()).list.every((b: Json) => b.event === null));
      done(await bob.call("Calendar/set", { update: { [cal]: { shareWith: null } } }));
    },
  );
  await clause("§2.3 Principal/query by calendarAddress", async () => {
    const q = async (filter: Json) => (await ann.call("Principal/query", { filter })).ids;
    assert.deepEqual(await q({ calendarAddress: "mailto:bob@mox.example" }), ["bob"]);
    assert.deepEqual(await q({ calendarAddress: "mailto:ann2@mox.example" }), ["ann"]);
    assert.deepEqual(await q({ calendarAddress: "mailto:nobody@mox.example" }), []);
    assert.deepEqual(await q({ email: "bob@mox.example" }), ["bob"]);
    assert.equal(
      (await ann.fails("Principal/query", { filter: { nosuch: "x" } })).type,
      "unsupportedFilter",
    );
  });
});

clauses("JMAP Calendars §3: participant identities", async (clause, w) => {
  const { ann } = w;
  const get = async () => (await ann.call("ParticipantIdentity/get")).list;
  await clause("§3 one for each address, one of them the default", async () => {
    const list = await get();
    assert.deepEqual(
      list.map((p: Json) => p.calendarAddress).sort(),
      ["mailto:ann2@mox.example", "mailto:ann@mox.example"],
    );
    assert.equal(list.filter((p: Json) => p.isDefault).length, 1);
    for (const p of list) assert.equal(p.name, "Ann");
  });
  await clause(
    "§3.3 onSuccessSetIsDefault, reported and lasting; what isn't there is ignored",
    async () => {
      const list = await get();
      const was = list.find((p: Json) => p.isDefault);
      const other = list.find((p: Json) => !p.isDefault);
      const { state } = await ann.call("ParticipantIdentity/get");
      const r = await ann.call("ParticipantIdentity/set", { onSuccessSetIsDefault: other.id });
      assert.deepEqual(r.updated, {
        [was.id]: { isDefault: false },
        [other.id]: { isDefault: true },
      });
      assert.deepEqual([r.oldState, r.newState !== state], [state, true]);
      assert.deepEqual((await get()).filter((p: Json) => p.isDefault).map((p: Json) => p.id), [
        other.id,
      ]);
      const none = await ann.call("ParticipantIdentity/set", { onSuccessSetIsDefault: "P0000" });
      assert.deepEqual([none.updated, none.oldState], [null, r.newState]);
      await w.restart();
      assert.deepEqual((await get()).filter((p: Json) => p.isDefault).map((p: Json) => p.id), [
        other.id,
      ]);
      done(await ann.call("ParticipantIdentity/set", { onSuccessSetIsDefault: was.id }));
    },
  );
  await clause("§3.3 a name can be set; addresses are the administrator's", async () => {
    const [{ id }] = await get();
    const set = (patch: Json) => ann.call("ParticipantIdentity/set", { update: { [id]: patch } });
    done(await set({ name: "Annie" }));
    assert.equal((await get()).find((p: Json) => p.id === id).name, "Annie");
    assert.equal(
      refusal(await set({ calendarAddress: "mailto:x@else.example" }), "notUpdated").type,
      "forbidden",
    );
    assert.deepEqual(refusal(await set({ name: 7 }), "notUpdated").properties, ["name"]);
    assert.equal(refusal(await set({ isDefault: false }), "notUpdated").type, "invalidProperties");
    assert.equal(refusal(await set({ nosuch: 1 }), "notUpdated").type, "invalidProperties");
    const c = await ann.call("ParticipantIdentity/set", {
      create: { e: { name: "x", calendarAddress: "mailto:x@else.example" } },
    });
    assert.equal(refusal(c).type, "forbidden");
    assert.equal(
      refusal(await ann.call("ParticipantIdentity/set", { destroy: [id] }), "notDestroyed").type,
      "forbidden",
    );
    assert.equal(
      refusal(await ann.call("ParticipantIdentity/set", { destroy: ["P1"] }), "notDestroyed").type,
      "notFound",
    );
    done(await set({ name: "Ann" }));
  });
  await clause("§3.1, §3.2 get and changes", async () => {
    const { state, list, notFound } = await ann.call("ParticipantIdentity/get", { ids: ["P1"] });
    assert.deepEqual([list, notFound], [[], ["P1"]]);
    const c = await ann.call("ParticipantIdentity/changes", { sinceState: state });
    assert.deepEqual([c.created, c.updated, c.destroyed, c.newState], [[], [], [], state]);
    assert.equal(
      (await ann.fails("ParticipantIdentity/changes", { sinceState: "x" })).type,
      "cannotCalculateChanges",
    );
  });
});
