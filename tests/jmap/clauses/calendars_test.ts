/** JMAP for Calendars (draft-ietf-jmap-calendars-29) §1 and §4 clause by clause, over HTTP: capabilities, calendars. */
import assert from "node:assert/strict";
import type { Client, Json } from "../world.ts";
import { clauses, done, guest, made, refusal } from "./clauses.ts";

const usual = async (c: Client): Promise<string> =>
  (await c.call("Calendar/get")).list.find((b: Json) => b.isDefault).id;

clauses("JMAP Calendars §1.5: capabilities", async (clause, { ann }) => {
  const s = (await ann.raw("session")).json;
  const of = s.accounts.ann.accountCapabilities;

  await clause("§1.5.1 calendars", () => {
    assert.deepEqual(s.capabilities["urn:ietf:params:jmap:calendars"], {});
    const c = of["urn:ietf:params:jmap:calendars"];
    assert.ok(c.maxCalendarsPerEvent >= 1);
    for (const t of [c.minDateTime, c.maxDateTime]) {
      assert.match(t, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
    }
    assert.match(c.maxExpandedQueryDuration, /^P\d+D$/);
    assert.ok(c.maxParticipantsPerEvent > 0);
    assert.equal(c.mayCreateCalendar, true);
  });
  await clause("§1.5.2, §1.5.3 availability, with principals; parse", () => {
    assert.deepEqual(s.capabilities["urn:ietf:params:jmap:principals:availability"], {});
    assert.match(
      of["urn:ietf:params:jmap:principals:availability"].maxAvailabilityDuration,
      /^P\d+D$/,
    );
    assert.ok("urn:ietf:params:jmap:principals" in of);
    assert.deepEqual(s.capabilities["urn:ietf:params:jmap:calendars:parse"], {});
    assert.deepEqual(of["urn:ietf:params:jmap:calendars:parse"], {});
  });
});

clauses("JMAP Calendars §4: calendars", async (clause, { ann, bob }) => {
  const bobAtAnn = guest(bob, "ann");
  const create = (o: Json) => ann.call("Calendar/set", { create: { e: { name: "x", ...o } } });
  const get = async (id: string, c = ann) => (await c.call("Calendar/get", { ids: [id] })).list[0];
  const wrong = async (o: Json, name = Object.keys(o)[0]) =>
    assert.deepEqual(refusal(await create(o)).properties, [name], JSON.stringify(o));

  await clause("§4 a name is neither empty nor above 255 octets", async () => {
    await wrong({ name: "" });
    await wrong({ name: "é".repeat(128) });
    assert.deepEqual(refusal(await ann.call("Calendar/set", { create: { e: {} } })).properties, [
      "name",
    ]);
  });
  await clause("§4 colours: names of CSS in any case, #rrggbb and #rgb", async () => {
    const colors = {
      red: "#ff0000",
      DarkBlue: "#00008b",
      "#abc": "#aabbcc",
      "#AABBCC": "#aabbcc",
      "#123456": undefined,
    };
    for (const [color, hex] of Object.entries(colors)) {
      const e = made(await create({ color }));
      const { id } = e;
      // What was made of it is told.
      assert.equal(e.color, hex);
      assert.equal((await get(id)).color, hex ?? color);
      const r = done(await ann.call("Calendar/set", { update: { [id]: { color: "Tomato" } } }));
      assert.deepEqual(r.updated, { [id]: { color: "#ff6347" } });
      done(await ann.call("Calendar/set", { update: { [id]: { color: null } } }));
      assert.equal((await get(id)).color, null);
      done(await ann.call("Calendar/set", { destroy: [id] }));
    }
    for (
      const color of [
        "rebeccapurple",
        "#abcd",
        "reddish",
        "#12345g",
        7,
        "rgb(1,2,3)",
        "currentColor",
      ]
    ) await wrong({ color });
  });
  await clause("§4 sortOrder, isVisible, includeInAvailability, timeZone", async () => {
    for (const sortOrder of [-1, 0.5, 2 ** 31]) await wrong({ sortOrder });
    await wrong({ isVisible: 1 });
    await wrong({ includeInAvailability: "some" });
    await wrong({ timeZone: "Mars/Olympus" });
    const { id } = made(
      await create({
        timeZone: "Asia/Tokyo",
        sortOrder: 3,
        isVisible: false,
        includeInAvailability: "attending",
      }),
    );
    const got = await get(id);
    assert.deepEqual(
      [
        got.timeZone,
        got.sortOrder,
        got.isVisible,
        got.includeInAvailability,
        got.isSubscribed,
        got.description,
      ],
      ["Asia/Tokyo", 3, false, "attending", true, null],
    );
    done(await ann.call("Calendar/set", { update: { [id]: { timeZone: null, isVisible: true } } }));
    assert.equal((await get(id)).timeZone, null);
  });
  await clause("§4 default alerts: relative triggers, ids that no other has", async () => {
    const alert = (trigger: Json, more: Json = {}) => ({ "@type": "Alert", trigger, ...more });
    const rel = { "@type": "OffsetTrigger", offset: "-PT15M" };
    await wrong({
      defaultAlertsWithTime: {
        a: alert({ "@type": "AbsoluteTrigger", when: "2027-01-01T00:00:00Z" }),
      },
    });
    await wrong({ defaultAlertsWithTime: { a: { offset: 7 } } });
    await wrong({
      defaultAlertsWithoutTime: { a: alert({ "@type": "OffsetTrigger", offset: "soon" }) },
    });
    await wrong({ defaultAlertsWithTime: { "a b": alert(rel) } });
    await wrong({ defaultAlertsWithTime: [alert(rel)] });
    const twice = refusal(
      await create({
        defaultAlertsWithTime: { a: alert(rel) },
        defaultAlertsWithoutTime: { a: alert(rel) },
      }),
    );
    assert.equal(twice.type, "invalidProperties");
    const { id } = made(
      await create({ defaultAlertsWithTime: { one: alert(rel, { action: "display" }) } }),
    );
    assert.equal((await get(id)).defaultAlertsWithTime.one.trigger.offset, "-PT15M");
    await wrong({ defaultAlertsWithoutTime: { one: alert(rel) } });
    // The same may be said again, and changed by pointers.
    done(
      await ann.call("Calendar/set", {
        update: { [id]: { "defaultAlertsWithTime/one/trigger/offset": "-PT5M" } },
      }),
    );
    assert.equal((await get(id)).defaultAlertsWithTime.one.trigger.offset, "-PT5M");
    done(await ann.call("Calendar/set", { update: { [id]: { defaultAlertsWithTime: null } } }));
  });
  await clause("§4 id, isDefault and myRights are the server's", async () => {
    for (const o of [{ id: "C1" }, { isDefault: true }, { myRights: {} }, { nosuch: 1 }]) {
      await wrong(o);
    }
  });
  await clause(
    "§4.3 onSuccessSetIsDefault: both are reported; a creation; what isn't there is ignored",
    async () => {
      const was = await usual(ann);
      const r = await ann.call("Calendar/set", {
        create: { n: { name: "New" } },
        onSuccessSetIsDefault: "#n",
      });
      assert.equal(r.created.n.isDefault, true);
      assert.deepEqual(r.updated, { [was]: { isDefault: false } });
      assert.equal(
        (await ann.call("Calendar/set", { onSuccessSetIsDefault: "C9999" })).updated,
        null,
      );
      const back = await ann.call("Calendar/set", { onSuccessSetIsDefault: was });
      assert.deepEqual(back.updated, {
        [was]: { isDefault: true },
        [r.created.n.id]: { isDefault: false },
      });
      assert.equal(
        (await ann.call("Calendar/get")).list.filter((c: Json) => c.isDefault).length,
        1,
      );
    },
  );
  await clause(
    "§4.3 one with events is destroyed only with onDestroyRemoveEvents; those it was shared with are told",
    async () => {
      const { id } = made(
        await create({ name: "Full", shareWith: { bob: { mayReadItems: true } } }),
      );
      const e = made(
        await ann.call("CalendarEvent/set", {
          create: { e: { calendarIds: { [id]: true }, start: "2027-01-01T00:00:00", title: "x" } },
        }),
      ).id;
      assert.equal(
        refusal(await ann.call("Calendar/set", { destroy: [id] }), "notDestroyed").type,
        "calendarHasEvent",
      );
      const { state } = await bob.call("ShareNotification/get", { ids: [] });
      done(await ann.call("Calendar/set", { destroy: [id], onDestroyRemoveEvents: true }));
      assert.deepEqual((await ann.call("CalendarEvent/get", { ids: [e] })).notFound, [e]);
      const { created } = await bob.call("ShareNotification/changes", { sinceState: state });
      const { list } = await bob.call("ShareNotification/get", { ids: created });
      assert.deepEqual(
        list.map((n: Json) => [n.objectType, n.objectId, n.newRights, n.oldRights.mayReadItems]),
        [["Calendar", id, null, true]],
      );
    },
  );
  await clause(
    "§4 rights: who may write all may write their own, what is private to them, and answer",
    async () => {
      const { id } = made(
        await create({
          name: "Team",
          shareWith: { bob: { mayReadItems: true, mayWriteAll: true } },
        }),
      );
      const { myRights } = await get(id, bobAtAnn);
      assert.deepEqual(
        [
          myRights.mayWriteAll,
          myRights.mayWriteOwn,
          myRights.mayUpdatePrivate,
          myRights.mayRSVP,
          myRights.mayShare,
          myRights.mayDelete,
        ],
        [true, true, true, true, false, false],
      );
      const rights = (await get(id)).shareWith.bob;
      assert.deepEqual(rights, myRights);
      // What is answered is taken back as it stands.
      done(await ann.call("Calendar/set", { update: { [id]: { shareWith: { bob: rights } } } }));
      const bad = await ann.call("Calendar/set", {
        update: { [id]: { shareWith: { ann: { mayReadItems: true } } } },
      });
      assert.equal(refusal(bad, "notUpdated").type, "invalidProperties");
      const half = await ann.call("Calendar/set", {
        update: { [id]: { shareWith: { bob: { mayWriteAll: true, mayRSVP: false } } } },
      });
      assert.equal(refusal(half, "notUpdated").type, "invalidProperties");
      for (const patch of [{ shareWith: { bob: { mayReadItems: true } } }, { description: "x" }]) {
        const r = await bobAtAnn.call("Calendar/set", { update: { [id]: patch } });
        assert.equal(refusal(r, "notUpdated").type, "forbidden");
      }
      assert.equal(
        refusal(await bobAtAnn.call("Calendar/set", { destroy: [id] }), "notDestroyed").type,
        "forbidden",
      );
    },
  );
  await clause(
    "§4.3 what each user sets for themselves: name, colour, order, shown or not, zone, availability, alerts",
    async () => {
      const { id } = made(
        await create({
          name: "Ours",
          color: "#00ff00",
          sortOrder: 5,
          isVisible: false,
          timeZone: "Europe/Madrid",
          defaultAlertsWithTime: {
            mine: { trigger: { "@type": "OffsetTrigger", offset: "-PT5M" } },
          },
          shareWith: { bob: { mayReadItems: true } },
        }),
      );
      const names = [
        "name",
        "color",
        "sortOrder",
        "isSubscribed",
        "isVisible",
        "includeInAvailability",
        "timeZone",
        "defaultAlertsWithTime",
      ];
      const of = async (c: Client) => {
        const o = await get(id, c);
        return names.map((n) => o[n]);
      };
      assert.deepEqual(await of(bobAtAnn), [
        "Ours",
        "#00ff00",
        0,
        false,
        true,
        "none",
        "Europe/Madrid",
        null,
      ]);
      const { state } = await bobAtAnn.call("Calendar/get", { ids: [] });
      const anns = (await ann.call("Calendar/get", { ids: [] })).state;
      done(
        await bobAtAnn.call("Calendar/set", {
          update: {
            [id]: {
              name: "Bob's view",
              color: "#ff0000",
              sortOrder: 2,
              isSubscribed: true,
              isVisible: false,
              timeZone: "Asia/Tokyo",
              defaultAlertsWithTime: {
                his: { trigger: { "@type": "OffsetTrigger", offset: "-PT9M" } },
              },
            },
          },
        }),
      );
      const bobs = await of(bobAtAnn);
      assert.deepEqual(bobs.slice(0, 7), [
        "Bob's view",
        "#ff0000",
        2,
        true,
        false,
        "none",
        "Asia/Tokyo",
      ]);
      assert.deepEqual(Object.keys(bobs[7]), ["his"]);
      const changed = await bobAtAnn.call("Calendar/changes", { sinceState: state });
      assert.deepEqual(changed.updated, [id]);
      assert.equal((await ann.call("Calendar/get", { ids: [] })).state, anns);
      assert.deepEqual((await of(ann)).slice(0, 5), ["Ours", "#00ff00", 5, true, false]);
      // The owner's name changes: his stays. What he takes back follows the owner's again.
      done(
        await ann.call("Calendar/set", { update: { [id]: { name: "Theirs", color: "#0000ff" } } }),
      );
      assert.deepEqual((await of(bobAtAnn)).slice(0, 2), ["Bob's view", "#ff0000"]);
      assert.equal(
        refusal(
          await bobAtAnn.call("Calendar/set", { update: { [id]: { name: "" } } }),
          "notUpdated",
        ).type,
        "invalidProperties",
      );
    },
  );
  await clause("§4.1, §4.2 get and changes", async () => {
    const all = await ann.call("Calendar/get");
    const { id } = made(await create({ name: "C" }));
    done(
      await ann.call("Calendar/set", {
        update: { [all.list[0].id]: { description: "d" } },
        destroy: [all.list.at(-1).id],
        onDestroyRemoveEvents: true,
      }),
    );
    const c = await ann.call("Calendar/changes", { sinceState: all.state });
    assert.deepEqual([c.created, c.updated, c.destroyed], [[id], [all.list[0].id], [
      all.list.at(-1).id,
    ]]);
    assert.equal(
      (await ann.fails("Calendar/get", { properties: ["nosuch"] })).type,
      "invalidArguments",
    );
  });
});
