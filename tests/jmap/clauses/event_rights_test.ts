/** JMAP for Calendars (draft-ietf-jmap-calendars-29) §5 clause by clause, over HTTP: rights, privacy and copies. */
import assert from "node:assert/strict";
import type { Client, Json } from "../world.ts";
import { clauses, done, guest, made, refusal } from "./clauses.ts";

const usual = async (c: Client): Promise<string> =>
  (await c.call("Calendar/get")).list.find((b: Json) => b.isDefault).id;
clauses("JMAP Calendars §5: rights, privacy and copies", async (clause, { ann, bob }) => {
  const bobAtAnn = guest(bob, "ann");
  const cal = async (rights: Json) =>
    made(
      await ann.call("Calendar/set", { create: { e: { name: "S", shareWith: { bob: rights } } } }),
    ).id as string;
  const read = await cal({ mayReadItems: true });
  const write = await cal({ mayReadItems: true, mayWriteAll: true });
  const own = await usual(ann);
  const event = async (c: string, o: Json = {}) =>
    made(
      await ann.call("CalendarEvent/set", {
        create: {
          e: {
            calendarIds: { [c]: true },
            start: "2027-05-03T10:00:00",
            timeZone: "Etc/UTC",
            title: "T",
            ...o,
          },
        },
      }),
    ).id as string;

  await clause(
    "§5.8 rights are held: reading isn't writing, and an own calendar isn't seen",
    async () => {
      const id = await event(read);
      const hidden = await event(own);
      assert.deepEqual((await bobAtAnn.call("CalendarEvent/get", { ids: [id, hidden] })).notFound, [
        hidden,
      ]);
      assert.equal(
        refusal(
          await bobAtAnn.call("CalendarEvent/set", { update: { [id]: { title: "x" } } }),
          "notUpdated",
        ).type,
        "forbidden",
      );
      assert.equal(
        refusal(await bobAtAnn.call("CalendarEvent/set", { destroy: [id] }), "notDestroyed").type,
        "forbidden",
      );
      assert.equal(
        refusal(
          await bobAtAnn.call("CalendarEvent/set", { update: { [hidden]: { title: "x" } } }),
          "notUpdated",
        ).type,
        "notFound",
      );
      const w = await event(write);
      done(await bobAtAnn.call("CalendarEvent/set", { update: { [w]: { title: "by bob" } } }));
      const moved = await bobAtAnn.call("CalendarEvent/set", {
        update: { [w]: { calendarIds: { [read]: true } } },
      });
      assert.equal(refusal(moved, "notUpdated").type, "forbidden");
      const unseen = await bobAtAnn.call("CalendarEvent/set", {
        update: { [w]: { calendarIds: { [own]: true } } },
      });
      assert.equal(refusal(unseen, "notUpdated").type, "invalidProperties");
    },
  );
  await clause("§5.8 privacy: in a calendar of another only public can be set", async () => {
    for (const privacy of ["private", "secret"]) {
      const r = await bobAtAnn.call("CalendarEvent/set", {
        create: { e: { calendarIds: { [write]: true }, start: "2027-05-03T10:00:00", privacy } },
      });
      assert.deepEqual(refusal(r).properties, ["privacy"]);
      const id = await event(write);
      const u = await bobAtAnn.call("CalendarEvent/set", { update: { [id]: { privacy } } });
      assert.deepEqual(refusal(u, "notUpdated").properties, ["privacy"]);
    }
    done(
      await bobAtAnn.call("CalendarEvent/set", {
        create: {
          e: { calendarIds: { [write]: true }, start: "2027-05-03T10:00:00", privacy: "public" },
        },
      }),
    );
  });
  await clause(
    "§5.6, §5.8 a private event is its times to others, and can't be changed; a secret one isn't there",
    async () => {
      const p = await event(write, { privacy: "private", title: "doctor", description: "d" });
      const s = await event(write, { privacy: "secret" });
      const got = await bobAtAnn.call("CalendarEvent/get", { ids: [p, s] });
      assert.deepEqual([got.list.length, got.notFound], [1, [s]]);
      assert.doesNotMatch(JSON.stringify(got.list), /doctor/);
      assert.equal(got.list[0].start, "2027-05-03T10:00:00");
      for (const patch of [{ title: "x" }, { keywords: { a: true } }]) {
        assert.equal(
          refusal(
            await bobAtAnn.call("CalendarEvent/set", { update: { [p]: patch } }),
            "notUpdated",
          ).type,
          "forbidden",
        );
      }
      assert.equal(
        refusal(await bobAtAnn.call("CalendarEvent/set", { destroy: [p] }), "notDestroyed").type,
        "forbidden",
      );
      assert.equal(
        refusal(await bobAtAnn.call("CalendarEvent/set", { destroy: [s] }), "notDestroyed").type,
        "notFound",
      );
    },
  );
  await clause("§5.9 copies: private to another's account, and from one", async () => {
    const bobs = await usual(bob);
    done(
      await bob.call("Calendar/set", {
        update: { [bobs]: { shareWith: { ann: { mayReadItems: true, mayWriteAll: true } } } },
      }),
    );
    const copy = (c: Client, from: string, to: string, e: Json) =>
      c.call("CalendarEvent/copy", { fromAccountId: from, accountId: to, create: { e } });
    const p = await event(write, { privacy: "private", title: "mine" });
    const r = await copy(ann, "ann", "bob", { id: p, calendarIds: { [bobs]: true } });
    assert.deepEqual([refusal(r).type, refusal(r).properties], ["invalidProperties", ["privacy"]]);
    made(
      await copy(ann, "ann", "bob", { id: p, calendarIds: { [bobs]: true }, privacy: "public" }),
    );
    assert.equal(
      refusal(await copy(bob, "ann", "bob", { id: p, calendarIds: { [bobs]: true } })).type,
      "forbidden",
    );
    const s = await event(write, { privacy: "secret" });
    assert.equal(
      refusal(await copy(bob, "ann", "bob", { id: s, calendarIds: { [bobs]: true } })).type,
      "notFound",
    );
    const plain = await event(write, {
      title: "plain",
      recurrenceRule: { frequency: "daily", count: 3 },
      recurrenceOverrides: { "2027-05-04T10:00:00": { title: "two" } },
    });
    const c = made(await copy(bob, "ann", "bob", { id: plain, calendarIds: { [bobs]: true } }));
    const got = (await bob.call("CalendarEvent/get", { ids: [c.id] })).list[0];
    assert.deepEqual(got.recurrenceOverrides, { "2027-05-04T10:00:00": { title: "two" } });
  });
});
