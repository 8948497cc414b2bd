/** CalendarEventNotification (jmap-calendars §7): what others changed, by JMAP, DAV and invitations. */
import assert from "node:assert/strict";
import { sendMail } from "../dav/send_mail.ts";
import { basic, type Client, type Json, withJmap, type World } from "./world.ts";

const dav = { jmap: "\t\tDAVHTTP:\n\t\t\tEnabled: true\n\t\t\tPort: PORT\n" };
const name = "CalendarEventNotification";

async function list(c: Client, accountId = c.accountId): Promise<Json[]> {
  return (await c.call(`${name}/get`, { accountId })).list;
}

const ics = (uid: string, more: string, method = "") =>
  `BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//test//EN\r\n${method}BEGIN:VEVENT\r\n` +
  `UID:${uid}\r\nDTSTAMP:20260105T090000Z\r\nDTSTART:20270105T090000Z\r\n` +
  `DTEND:20270105T100000Z\r\n${more}END:VEVENT\r\nEND:VCALENDAR\r\n`;

async function put(w: World, login: string, path: string, body: string | null): Promise<void> {
  const r = await fetch(`${w.origin}/dav/calendars/${path}`, {
    method: body === null ? "DELETE" : "PUT",
    headers: { authorization: basic(login), "content-type": "text/calendar" },
    body,
  });
  const text = await r.text();
  assert.ok(r.status < 300, `${r.status} ${text}`);
}

/** The id of an account's calendar, shared with bob. */
async function shared(w: World, rights: Json = { mayReadItems: true, mayWriteAll: true }) {
  const [calendar] = (await w.ann.call("Calendar/get")).list;
  const r = await w.ann.call("Calendar/set", {
    update: { [calendar.id]: { shareWith: { bob: rights } } },
  });
  assert.deepEqual(r.notUpdated ?? null, null);
  return calendar.id as string;
}

const event = (calendarId: string, more: Json = {}) => ({
  calendarIds: { [calendarId]: true },
  title: "Lunch",
  start: "2027-02-01T12:00:00",
  duration: "PT1H",
  timeZone: "Europe/Berlin",
  ...more,
});

Deno.test("the owner hears what others change in a shared calendar, by JMAP and DAV, and they of it", () =>
  withJmap(async (w) => {
    const { ann, bob } = w;
    const calendar = await shared(w);
    const before = (await ann.call(`${name}/get`, { ids: [] })).state;
    const of = (args: Json) => ({ accountId: "ann", ...args });
    const made = await bob.call("CalendarEvent/set", of({ create: { a: event(calendar) } }));
    const { id } = made.created.a;
    let [note, ...more] = await list(ann);
    assert.equal(more.length, 0);
    assert.deepEqual([note.type, note.calendarEventId, note.isDraft, note.comment], [
      ...["created", id, false, null],
    ]);
    assert.deepEqual([note.event.title, note.event.id, note.event.calendarIds], [
      ...["Lunch", id, { [calendar]: true }],
    ]);
    assert.equal("eventPatch" in note, false);
    assert.deepEqual(note.changedBy, {
      name: "bob@mox.example",
      email: "bob@mox.example",
      principalId: "bob",
      calendarAddress: "mailto:bob@mox.example",
    });
    // Who did it is not told.
    assert.deepEqual([await list(bob, "ann"), await list(bob)], [[], []]);

    await bob.call("CalendarEvent/set", of({ update: { [id]: { title: "Dinner" } } }));
    note = (await list(ann)).at(-1);
    assert.deepEqual([note.type, note.event.title, note.eventPatch.title], [
      ...["updated", "Lunch", "Dinner"],
    ]);
    assert.equal("start" in note.eventPatch, false);

    // The owner's own change removes what was told of the event, and bob hears of it.
    const state = (await ann.call(`${name}/get`, { ids: [] })).state;
    await ann.call("CalendarEvent/set", { update: { [id]: { title: "Supper" } } });
    assert.deepEqual(await list(ann), []);
    const gone = await ann.call(`${name}/changes`, { sinceState: state });
    assert.deepEqual([gone.created, gone.updated, gone.destroyed.length], [[], [], 2]);
    [note, ...more] = await list(bob, "ann");
    assert.deepEqual([note.type, note.eventPatch.title, note.changedBy.name, more.length], [
      ...["updated", "Supper", "Ann", 0],
    ]);
    assert.deepEqual(await list(bob), []);

    // By CalDAV.
    await put(w, "bob@mox.example", "ann/default/x.ics", ics("x", "SUMMARY:X\r\n"));
    await put(w, "bob@mox.example", "ann/default/x.ics", ics("x", "SUMMARY:X\r\n"));
    await put(w, "bob@mox.example", "ann/default/x.ics", ics("x", "SUMMARY:Y\r\n"));
    await put(w, "bob@mox.example", "ann/default/x.ics", null);
    const told = (await list(ann)).map((n) => [n.type, n.event.title, n.eventPatch?.title ?? null]);
    assert.deepEqual(told, [
      ["created", "X", null],
      ["updated", "X", "Y"],
      ["destroyed", "Y", null],
    ]);
    assert.equal("isDraft" in (await list(ann)).at(-1), false);
    const since = await ann.call(`${name}/changes`, { sinceState: before });
    assert.equal(since.created.length, 3);
  }, dav));

Deno.test("notifications are found, and only removed; who may see the calendar no more sees none", () =>
  withJmap(async (w) => {
    const { ann, bob } = w;
    const calendar = await shared(w);
    const create = Object.fromEntries(
      [1, 2, 3].map((n) => [`e${n}`, event(calendar, { title: `E${n}` })]),
    );
    const made = (await bob.call("CalendarEvent/set", { accountId: "ann", create })).created;
    const query = async (args: Json) => (await ann.call(`${name}/query`, args)).ids;
    const all = await query({});
    assert.equal(all.length, 3);
    assert.deepEqual(
      await query({ sort: [{ property: "created", isAscending: false }] }),
      [...all].reverse(),
    );
    const of = { calendarEventIds: [made.e2.id] };
    assert.deepEqual(await query({ filter: of }), [all[1]]);
    assert.deepEqual(await query({ filter: { type: "updated" } }), []);
    assert.deepEqual(await query({ filter: { after: "2020-01-01T00:00:00Z", ...of } }), [all[1]]);
    assert.deepEqual(await query({ filter: { before: "2020-01-01T00:00:00Z" } }), []);
    for (
      const [args, type] of [
        [{ filter: { type: "moved" } }, "invalidArguments"],
        [{ filter: { colour: "red" } }, "unsupportedFilter"],
        [{ sort: [{ property: "type" }] }, "unsupportedSort"],
      ] as const
    ) assert.equal((await ann.fails(`${name}/query`, args)).type, type);
    const { queryState } = await ann.call(`${name}/query`, {});
    const r = await ann.call(`${name}/set`, {
      create: { a: { type: "created" } },
      update: { [all[0]]: { comment: "x" }, V999: {} },
      destroy: [all[1], "V998"],
    });
    assert.equal(r.notCreated.a.type, "forbidden");
    assert.equal(r.notUpdated[all[0]].type, "forbidden");
    assert.equal(r.notUpdated.V999.type, "notFound");
    assert.equal(r.notDestroyed.V998.type, "notFound");
    assert.deepEqual(r.destroyed, [all[1]]);
    const changes = await ann.call(`${name}/queryChanges`, { sinceQueryState: queryState });
    assert.deepEqual([changes.removed, changes.added], [[all[1]], []]);

    await ann.call("CalendarEvent/set", { update: { [made.e1.id]: { title: "Mine" } } });
    assert.equal((await list(bob, "ann")).length, 1);
    // With another calendar shared, the account is still there for bob.
    const other = await ann.call("Calendar/set", {
      create: { c: { name: "Other", shareWith: { bob: { mayReadItems: true } } } },
      update: { [calendar]: { shareWith: null } },
    });
    assert.ok(other.created.c.id);
    assert.deepEqual(await list(bob, "ann"), []);
    const session = (await ann.raw("session")).json;
    assert.ok("urn:ietf:params:jmap:calendars" in session.accounts.ann.accountCapabilities);
  }));

Deno.test("invitations, answers and cancellations are told, with who sent them and what they say", () =>
  withJmap(async (w) => {
    const { ann, bob } = w;
    const [calendar] = (await ann.call("Calendar/get")).list;
    const made = await ann.call("CalendarEvent/set", {
      sendSchedulingMessages: true,
      create: {
        a: event(calendar.id, {
          participants: {
            b: {
              "@type": "Participant",
              name: "Bob",
              sendTo: { imip: "mailto:bob@mox.example" },
              roles: { attendee: true },
              participationStatus: "needs-action",
              expectReply: true,
            },
          },
        }),
      },
    });
    assert.deepEqual(made.notCreated ?? null, null);
    const [note, ...more] = await list(bob);
    assert.equal(more.length, 0);
    assert.deepEqual([note.type, note.event.title, note.changedBy.principalId], [
      ...["created", "Lunch", "ann"],
    ]);
    assert.equal(note.changedBy.calendarAddress, "mailto:ann@mox.example");

    const { id } = (await bob.call("CalendarEvent/get", { properties: ["id"] })).list[0];
    const got = (await bob.call("CalendarEvent/get", { ids: [id] })).list[0];
    const me = Object.entries(got.participants as Json).find(([, p]) =>
      JSON.stringify(p).includes("bob@")
    )![0];
    const answered = await bob.call("CalendarEvent/set", {
      sendSchedulingMessages: true,
      update: { [id]: { [`participants/${me}/participationStatus`]: "accepted" } },
    });
    assert.deepEqual(answered.notUpdated ?? null, null);
    // Bob has seen it; ann hears of the answer.
    assert.deepEqual(await list(bob), []);
    const [reply, ...others] = await list(ann);
    assert.deepEqual([reply.type, reply.changedBy.email, others.length], [
      ...["updated", "bob@mox.example", 0],
    ]);
    const patch = Object.entries(reply.eventPatch).find(([k]) =>
      k.endsWith("participationStatus")
    );
    assert.equal(patch?.[1], "accepted");

    // From elsewhere, by mail.
    const text = ics(
      "far@to.example",
      "SUMMARY:Far away\r\nCOMMENT:Bring\\, please\\, cake\r\n" +
        "ORGANIZER;CN=Eve:mailto:eve@to.example\r\nATTENDEE:mailto:bob@mox.example\r\n",
      "METHOD:REQUEST\r\n",
    );
    await sendMail(w.ports.smtp, "eve@to.example", "bob@mox.example", "REQUEST", text);
    let far: Json[] = [];
    for (const end = Date.now() + 20_000; far.length === 0 && Date.now() < end;) {
      far = await list(bob);
      if (far.length === 0) await new Promise((r) => setTimeout(r, 20));
    }
    assert.deepEqual(
      far.map((n) => [n.type, n.event.title, n.comment, n.changedBy]),
      [["created", "Far away", "Bring, please, cake", {
        name: "Eve",
        email: "eve@to.example",
        principalId: null,
        calendarAddress: "mailto:eve@to.example",
      }]],
    );
  }));
