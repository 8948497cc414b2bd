/** What public reports about other servers of JMAP describe, sent to this one. */
import assert from "node:assert/strict";
import { mail } from "./messages.ts";
import { type Json, withJmap } from "./world.ts";

Deno.test("references to updatedProperties, where there are none and where there are some; the old state comes back (stalwart 1507, jmap-server 56)", () =>
  withJmap(async ({ ann }) => {
    const { inbox } = await ann.roles();
    const { state } = await ann.call("Mailbox/get", { ids: [] });
    const sync = (sinceState: string) =>
      ann.calls([
        ["Mailbox/changes", { sinceState }, "0"],
        ["Mailbox/get", {
          "#ids": { name: "Mailbox/changes", path: "/created", resultOf: "0" },
        }, "1"],
        ["Mailbox/get", {
          "#ids": { name: "Mailbox/changes", path: "/updated", resultOf: "0" },
          "#properties": { name: "Mailbox/changes", path: "/updatedProperties", resultOf: "0" },
        }, "2"],
      ]);
    let [changes, created, updated] = (await sync(state)).map((r) => r[1]);
    assert.deepEqual([changes.oldState, changes.updatedProperties], [state, null]);
    assert.deepEqual([created.list, updated.list], [[], []]);
    const { id } = await ann.import(mail({ subject: "x" }));
    [changes, created, updated] = (await sync(state)).map((r) => r[1]);
    assert.equal(changes.oldState, state);
    assert.deepEqual(updated.list.map((m: Json) => m.id), [inbox]);
    assert.deepEqual(
      Object.keys(updated.list[0]).sort(),
      ["id", ...changes.updatedProperties ?? Object.keys(updated.list[0]).slice(1)].sort(),
    );
    // Without the core in using, as the program of the report has it.
    const r = await ann.post({
      using: ["urn:ietf:params:jmap:mail"],
      methodCalls: [["Email/get", { accountId: "ann", ids: [id], properties: ["id"] }, "a"]],
    });
    assert.deepEqual(r.json.methodResponses[0][1].list, [{ id }]);
  }));

Deno.test("what is as it is asked for already is updated all the same (stalwart 1139)", () =>
  withJmap(async ({ ann }) => {
    const { id } = await ann.import(mail({ subject: "x" }), undefined, {
      keywords: { $seen: true },
    });
    const before = (await ann.call("Email/get", { ids: [] })).state;
    const r = await ann.call("Email/set", { update: { [id]: { "keywords/$seen": true } } });
    assert.deepEqual([r.updated, r.notUpdated], [{ [id]: null }, null]);
    assert.deepEqual((await ann.call("Email/changes", { sinceState: before })).updated, []);
  }));

Deno.test("an answer that is imported joins the thread of what it answers (jmap-server 25)", () =>
  withJmap(async ({ ann }) => {
    const first = await ann.import(mail({ subject: "Plan", id: "a" }));
    const second = await ann.import(
      mail({ subject: "Re: Plan", more: "In-Reply-To: <a@x>\n" }),
    );
    assert.equal(second.threadId, first.threadId);
  }));

Deno.test("mail to oneself is sent, and comes (stormbox 77); what follows needs no capability of its own (cyrus-imapd 3666)", () =>
  withJmap(async ({ ann }) => {
    const roles = await ann.roles();
    const [identity] = (await ann.call("Identity/get")).list;
    const draft = await ann.call("Email/set", {
      create: {
        e: {
          mailboxIds: { [roles.drafts]: true },
          from: [{ email: "ann@mox.example" }],
          to: [{ email: "ann@mox.example" }],
          subject: "Note to self",
          bodyValues: { a: { value: "remember" } },
          textBody: [{ partId: "a", type: "text/plain" }],
        },
      },
    });
    const emailId = draft.created.e.id;
    const sent = await ann.post({
      using: ["urn:ietf:params:jmap:core", "urn:ietf:params:jmap:submission"],
      methodCalls: [
        ["EmailSubmission/set", {
          accountId: ann.accountId,
          create: { s: { emailId, identityId: identity.id } },
          onSuccessUpdateEmail: { "#s": { mailboxIds: { [roles.sent]: true } } },
        }, "1"],
        ["Email/set", { accountId: ann.accountId }, "2"],
      ],
    });
    const [submitted, moved, asked] = sent.json.methodResponses;
    assert.ok(submitted[1].created?.s, sent.text);
    assert.deepEqual([moved[0], moved[1].updated, moved[2]], [
      "Email/set",
      { [emailId]: null },
      "1",
    ]);
    // Who asks for it still has to use it.
    assert.equal(asked[1].type, "unknownMethod");
    const here = { inMailbox: roles.inbox, subject: "self" };
    for (const end = Date.now() + 30_000;;) {
      if ((await ann.call("Email/query", { filter: here })).ids.length === 1) break;
      assert.ok(Date.now() < end, "it did not come");
      await new Promise((r) => setTimeout(r, 20));
    }
  }));

Deno.test("a capability that isn't there is named, with the other calls undone (tmail-flutter 3795)", () =>
  withJmap(async ({ ann }) => {
    const r = await ann.post({
      using: ["urn:ietf:params:jmap:core", "com:linagora:params:jmap:settings"],
      methodCalls: [["Settings/get", { accountId: "ann" }, "c0"]],
    });
    assert.equal(r.status, 400);
    assert.equal(r.json.type, "urn:ietf:params:jmap:error:unknownCapability");
    assert.match(r.json.detail, /com:linagora:params:jmap:settings/);
  }));

Deno.test("dates of a series that differ: set as a whole, and by pointers (stalwart 2984, 2985)", () =>
  withJmap(async ({ ann }) => {
    const [calendar] = (await ann.call("Calendar/get")).list;
    const { created } = await ann.call("CalendarEvent/set", {
      create: {
        e: {
          calendarIds: { [calendar.id]: true },
          title: "Weekly",
          start: "2026-04-06T10:00:00",
          duration: "PT1H",
          recurrenceRules: [{ frequency: "weekly", byDay: [{ day: "mo" }] }],
          participants: {
            u: {
              email: "user@to.example",
              roles: { attendee: true },
              participationStatus: "needs-action",
            },
          },
        },
      },
    });
    const { id } = created.e;
    const set = async (patch: Json) =>
      await ann.call("CalendarEvent/set", { update: { [id]: patch } });
    const date = "2026-04-13T10:00:00";
    const overrides = async () =>
      (await ann.call("CalendarEvent/get", { ids: [id] })).list[0].recurrenceOverrides;
    await set({ recurrenceOverrides: { [date]: { title: "Special meeting" } } });
    assert.deepEqual(await overrides(), { [date]: { title: "Special meeting" } });
    await set({ [`recurrenceOverrides/${date}/title`]: "More special" });
    assert.deepEqual(await overrides(), { [date]: { title: "More special" } });
    // RFC 8620 §5.3: what is above the last step has to be there, and in an override it is not. It is a pointer of its own.
    const below = await set({
      [`recurrenceOverrides/${date}/participants/u/participationStatus`]: "accepted",
    });
    assert.equal(below.notUpdated[id].type, "invalidPatch");
    const answer = "participants/u/participationStatus";
    await set({ [`recurrenceOverrides/${date}/${answer.replaceAll("/", "~1")}`]: "accepted" });
    const [instance] = (await ann.call("CalendarEvent/get", {
      ids: [`${id}_20260413T100000`],
    })).list;
    assert.equal(instance.participants.u.participationStatus, "accepted");
    assert.equal((await overrides())[date].title, "More special");
    await set({ [`recurrenceOverrides/2026-04-20T10:00:00`]: { excluded: true } });
    assert.deepEqual(Object.keys(await overrides()).sort(), [date, "2026-04-20T10:00:00"]);
  }));

Deno.test("each part of a rule stays, by JMAP's names in both versions and by iCalendar's (cyrus-imapd 2628)", () =>
  withJmap(async ({ ann }) => {
    const calendar = (await ann.call("Calendar/get")).list[0].id;
    const rules: Json[] = [
      { frequency: "monthly", byMonthDay: [-1] },
      { frequency: "yearly", byMonth: ["2"], byMonthDay: [29], count: 3 },
      { frequency: "monthly", byDay: [{ day: "fr", nthOfPeriod: -1 }], bySetPosition: [1] },
      { frequency: "yearly", byYearDay: [-1, 100], interval: 2 },
      { frequency: "yearly", byWeekNo: [20], byDay: [{ day: "mo" }], firstDayOfWeek: "su" },
      { frequency: "daily", byHour: [8, 20], byMinute: [0, 30], until: "2027-03-01T08:00:00" },
    ];
    for (const rule of rules) {
      for (const given of [{ recurrenceRule: rule }, { recurrenceRules: [rule] }]) {
        const set = await ann.call("CalendarEvent/set", {
          create: {
            e: {
              calendarIds: { [calendar]: true },
              title: "x",
              start: "2027-01-31T08:00:00",
              timeZone: "Europe/Berlin",
              ...given,
            },
          },
        });
        assert.equal(set.notCreated, null, JSON.stringify(set));
        const { id } = set.created.e;
        const [seen] = (await ann.call("CalendarEvent/get", { ids: [id] })).list;
        const untyped = JSON.parse(
          JSON.stringify(seen.recurrenceRule, (k, x) => k === "@type" ? undefined : x),
        );
        assert.deepEqual(untyped, rule);
        assert.deepEqual(seen.recurrenceRules, [seen.recurrenceRule]);
      }
    }
  }));
