/** Private events by JMAP and in the webmail's calls: others see when they are, and nothing else of them. */
import assert from "node:assert/strict";
import { type Client, type Json, withJmap, type World } from "./world.ts";

const telling = (calendarId: string, privacy: string, more: Json = {}) => ({
  calendarIds: { [calendarId]: true },
  title: "Surgery",
  description: "Secretword",
  locations: { l: { "@type": "Location", name: "Clinic" } },
  keywords: { doctor: true },
  start: "2027-03-02T10:00:00",
  duration: "PT90M",
  timeZone: "Europe/Berlin",
  privacy,
  ...more,
});

function tellsNothing(value: Json): void {
  const text = JSON.stringify(value);
  for (const word of ["Surgery", "Secretword", "Clinic", "doctor"]) {
    assert.ok(!text.includes(word), `${word} in ${text}`);
  }
}

/** The calendar of ann, which bob may write to. */
async function shared(w: World): Promise<string> {
  const [calendar] = (await w.ann.call("Calendar/get")).list;
  const r = await w.ann.call("Calendar/set", {
    update: { [calendar.id]: { shareWith: { bob: { mayReadItems: true, mayWriteAll: true } } } },
  });
  assert.equal(r.notUpdated, null);
  return calendar.id;
}

async function create(c: Client, event: Json): Promise<string> {
  const r = await c.call("CalendarEvent/set", { create: { e: event } });
  assert.ok(r.created?.e, JSON.stringify(r));
  return r.created.e.id;
}

const of = (args: Json = {}) => ({ accountId: "ann", ...args });

Deno.test("others get a private event as its time, and a secret one not at all", () =>
  withJmap(async (w) => {
    const { ann, bob } = w;
    const calendar = await shared(w);
    const p = await create(
      ann,
      telling(calendar, "private", {
        recurrenceRules: [
          { "@type": "RecurrenceRule", frequency: "daily", count: 3 },
        ],
      }),
    );
    const s = await create(ann, telling(calendar, "secret"));
    const o = await create(ann, telling(calendar, "x-ours"));
    const open = await create(ann, {
      ...telling(calendar, "public"),
      title: "Open",
      description: "",
      locations: {},
      keywords: {},
    });

    const got = await bob.call("CalendarEvent/get", of());
    tellsNothing(got);
    assert.deepEqual(got.list.map((e: Json) => e.id).sort(), [p, o, open].sort());
    const [shown] = (await bob.call("CalendarEvent/get", of({ ids: [p, s] }))).list;
    assert.deepEqual(
      [shown.id, shown.start, shown.duration, shown.timeZone, shown.privacy],
      [p, "2027-03-02T10:00:00", "PT90M", "Europe/Berlin", "private"],
    );
    assert.equal(shown.recurrenceRules[0].count, 3);
    assert.deepEqual((await bob.call("CalendarEvent/get", of({ ids: [s] }))).notFound, [s]);
    const [own] = (await ann.call("CalendarEvent/get", { ids: [s] })).list;
    assert.deepEqual([own.title, own.privacy], ["Surgery", "secret"]);

    const query = async (filter: Json, more: Json = {}) =>
      (await bob.call("CalendarEvent/query", of({ filter, ...more }))).ids as string[];
    for (
      const filter of [
        { title: "Surgery" },
        { description: "Secretword" },
        { location: "Clinic" },
        { text: "Surgery" },
        { uid: own.uid },
      ]
    ) assert.deepEqual(await query(filter), [], JSON.stringify(filter));
    assert.deepEqual((await query({})).sort(), [p, o, open].sort());
    const days = await query({ after: "2027-03-01T00:00:00", before: "2027-03-09T00:00:00" }, {
      expandRecurrences: true,
    });
    assert.equal(days.filter((id) => id.startsWith(`${p}_`)).length, 3);
    assert.ok(!days.some((id) => id.startsWith(s)));
    tellsNothing(await bob.call("CalendarEvent/get", of({ ids: days })));

    const { list } = await bob.call("Principal/getAvailability", {
      id: "ann",
      utcStart: "2027-03-01T00:00:00Z",
      utcEnd: "2027-03-09T00:00:00Z",
      showDetails: true,
    });
    tellsNothing(list);
    const told = list.filter((b: Json) => b.event !== null);
    assert.deepEqual(told.map((b: Json) => b.event.title), ["Open"]);
    assert.ok(list.some((b: Json) => b.event === null && b.accountId === null));
  }));

Deno.test("changes of privacy come and go by changes, and are not told to others", () =>
  withJmap(async (w) => {
    const { ann, bob } = w;
    const calendar = await shared(w);
    const state = async () => (await bob.call("CalendarEvent/get", of({ ids: [] }))).state;
    const told = async () => {
      const { list } = await bob.call("CalendarEventNotification/get", of());
      tellsNothing(list);
      return list.map((n: Json) => n.type);
    };
    const changes = async (since: string) => {
      const { created, updated, destroyed } = await bob.call(
        "CalendarEvent/changes",
        of({ sinceState: since }),
      );
      return [created, updated, destroyed];
    };
    let since = await state();
    const id = await create(ann, telling(calendar, "private"));
    assert.deepEqual(await changes(since), [[id], [], []]);
    assert.deepEqual(await told(), []);
    const update = async (patch: Json) => {
      since = await state();
      const r = await ann.call("CalendarEvent/set", { update: { [id]: patch } });
      assert.equal(r.notUpdated, null);
    };
    const q = await bob.call("CalendarEvent/query", of({ filter: {} }));
    await update({ privacy: "secret" });
    assert.deepEqual(await changes(since), [[], [], [id]]);
    assert.deepEqual(await told(), []);
    const diff = await bob.call(
      "CalendarEvent/queryChanges",
      of({ filter: {}, sinceQueryState: q.queryState }),
    );
    assert.deepEqual([diff.removed, diff.added], [[id], []]);
    await update({ title: "Surgery 2" });
    assert.deepEqual(await told(), []);
    since = await state();
    const other = await create(ann, telling(calendar, "secret"));
    assert.deepEqual(await changes(since), [[], [], []]);
    assert.equal((await ann.call("CalendarEvent/set", { destroy: [other] })).notDestroyed, null);
    assert.deepEqual(await told(), []);
    await update({ privacy: "private" });
    assert.deepEqual(await told(), []);
    await update({ title: "Surgery 3" });
    assert.deepEqual(await told(), []);
    await update({ duration: "PT2H" });
    assert.deepEqual((await changes(since))[1], [id]);
    // What was private until then isn't told either; what is public is.
    await update({ privacy: "public" });
    assert.deepEqual(await told(), []);
    await update({ duration: "PT3H" });
    assert.equal((await bob.call("CalendarEventNotification/get", of())).list.length, 1);
  }));

Deno.test("who may write can't write back or destroy what they see in part", () =>
  withJmap(async (w) => {
    const { ann, bob } = w;
    const calendar = await shared(w);
    const p = await create(ann, telling(calendar, "private"));
    const s = await create(ann, telling(calendar, "secret"));
    const whole = async () => (await ann.call("CalendarEvent/get", { ids: [p, s] })).list;
    const before = await whole();
    const set = await bob.call(
      "CalendarEvent/set",
      of({
        update: { [p]: { title: "x" }, [s]: { title: "x" } },
      }),
    );
    assert.deepEqual([set.notUpdated[p].type, set.notUpdated[s].type], ["forbidden", "notFound"]);
    const made = await bob.call("Calendar/get", of());
    assert.equal(made.list.length, 1);
    const gone = await bob.call("CalendarEvent/set", of({ destroy: [p, s] }));
    assert.deepEqual([gone.notDestroyed[p].type, gone.notDestroyed[s].type], [
      "forbidden",
      "notFound",
    ]);
    const twin = await bob.call(
      "CalendarEvent/set",
      of({ create: { t: telling(calendar, "public", { uid: before[1].uid }) } }),
    );
    assert.deepEqual([twin.notCreated.t.type, twin.notCreated.t.existingId], [
      "alreadyExists",
      undefined,
    ]);
    const [mine] = (await bob.call("Calendar/get")).list;
    const copy = await bob.call("CalendarEvent/copy", {
      fromAccountId: "ann",
      create: { c: { id: p, calendarIds: { [mine.id]: true } } },
      onSuccessDestroyOriginal: false,
    });
    assert.equal(copy.notCreated.c.type, "forbidden");
    assert.deepEqual((await bob.call("CalendarEvent/get")).list, []);
    const none = await bob.call("CalendarEvent/copy", {
      fromAccountId: "ann",
      create: { c: { id: s, calendarIds: { [mine.id]: true } } },
    });
    assert.equal(none.notCreated.c.type, "notFound");
    assert.deepEqual(await whole(), before);
  }));
