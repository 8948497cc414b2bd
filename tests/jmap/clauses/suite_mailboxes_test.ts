/** The topics of the public suite jmap-test-suite (RFC 8620 and 8621), each asked in our own words: all but emails. */
import assert from "node:assert/strict";
import type { Json } from "../world.ts";
import { clauses, done, guest, made, refusal } from "./clauses.ts";
import { letter, seed } from "./seed.ts";

const core = "urn:ietf:params:jmap:core";

clauses("jmap-test-suite: mailboxes, threads, identities, vacation, push", async (clause, w) => {
  const { ann, bob } = w;
  const { inbox, a, b, child, e } = await seed(ann);
  const get = async (id: string) => (await ann.call("Mailbox/get", { ids: [id] })).list[0];
  const set = (args: Json) => ann.call("Mailbox/set", args);
  const mailbox = async (name: string, more: Json = {}) =>
    made(await set({ create: { e: { name, ...more } } })).id;

  await clause("mailbox/get-*", async () => {
    const m = await get(inbox);
    assert.equal(m.role, "inbox");
    for (const k of ["sortOrder", "totalEmails", "unreadEmails", "totalThreads", "unreadThreads"]) {
      assert.equal(typeof m[k], "number", k);
    }
    assert.equal(typeof m.isSubscribed, "boolean");
    for (
      const k of [
        "mayReadItems",
        "mayAddItems",
        "mayRemoveItems",
        "maySetSeen",
        "maySetKeywords",
        "mayCreateChild",
        "mayRename",
        "mayDelete",
        "maySubmit",
      ]
    ) {
      assert.equal(typeof m.myRights[k], "boolean", k);
    }
    assert.equal((await get(child)).parentId, a);
    const few = await ann.call("Mailbox/get", {
      ids: [inbox, "nonexistent-xyz"],
      properties: ["id", "name", "role"],
    });
    assert.deepEqual([Object.keys(few.list[0]).sort(), few.notFound, few.accountId], [
      ["id", "name", "role"],
      ["nonexistent-xyz"],
      "ann",
    ]);
    const { total } = await ann.call("Email/query", {
      filter: { inMailbox: inbox },
      calculateTotal: true,
    });
    assert.equal(m.totalEmails, total);
  });
  await clause("mailbox/query-*", async () => {
    const q = async (filter: Json, more: Json = {}) =>
      (await ann.call("Mailbox/query", { filter, ...more })).ids as string[];
    const all = await q({});
    assert.deepEqual((await q(null)).length, all.length);
    const top = await q({ parentId: null });
    assert.deepEqual([inbox, a, b, child].map((x) => top.includes(x)), [true, true, true, false]);
    assert.equal((await q({ parentId: a })).length, 2);
    assert.ok((await q({ name: "Folder A" })).includes(a));
    assert.deepEqual(await q({ role: "inbox" }), [inbox]);
    const withRole = await q({ hasAnyRole: true });
    const none = await q({ hasAnyRole: false });
    assert.ok(none.includes(a) && none.includes(b) && withRole.length + none.length === all.length);
    const sorted = await q({}, { sort: [{ property: "name", isAscending: true }] });
    const names = new Map((await ann.call("Mailbox/get")).list.map((m: Json) => [m.id, m.name]));
    const list = sorted.map((id) => names.get(id) as string);
    assert.deepEqual(list, [...list].sort((x, y) => x.localeCompare(y)));
    const part = await ann.call("Mailbox/query", {
      filter: {},
      sort: [{ property: "name" }],
      position: 1,
      limit: 2,
      calculateTotal: true,
    });
    assert.deepEqual([part.position, part.ids, part.total], [1, sorted.slice(1, 3), all.length]);
    assert.deepEqual([typeof part.queryState, typeof part.canCalculateChanges], [
      "string",
      "boolean",
    ]);
    await q({}, {
      sort: [{ property: "sortOrder" }, { property: "parentId" }],
      sortAsTree: true,
      filterAsTree: true,
    });
  });
  await clause("mailbox/query-changes-*, changes-*", async () => {
    const asked = { filter: {}, sort: [{ property: "name", isAscending: true }] };
    const was = await ann.call("Mailbox/query", asked);
    const none = await ann.call("Mailbox/queryChanges", {
      ...asked,
      sinceQueryState: was.queryState,
    });
    assert.deepEqual([none.added, none.removed, none.oldQueryState], [[], [], was.queryState]);
    const { state } = await ann.call("Mailbox/get", { ids: [] });
    const id = await mailbox("Aaa changes");
    const r = await ann.call("Mailbox/queryChanges", { ...asked, sinceQueryState: was.queryState });
    assert.deepEqual(r.added, [{ id, index: 0 }]);
    done(await set({ update: { [id]: { name: "Aab" } } }));
    const c = await ann.call("Mailbox/changes", { sinceState: state });
    assert.deepEqual([c.created, c.updated, c.destroyed, c.hasMoreChanges], [[id], [], [], false]);
    done(await set({ destroy: [id] }));
    const d = await ann.call("Mailbox/changes", { sinceState: c.newState });
    assert.deepEqual([d.created, d.updated, d.destroyed], [[], [], [id]]);
    assert.ok("updatedProperties" in d);
    await ann.call("Mailbox/queryChanges", {
      filter: null,
      sinceQueryState: (await ann.call("Mailbox/query", { filter: null })).queryState,
    });
  });
  await clause("mailbox/set-*", async () => {
    const id = await mailbox("Set me", { parentId: a, sortOrder: 10 });
    assert.equal((await get(id)).parentId, a);
    done(await set({ update: { [id]: { name: "Renamed", parentId: b, sortOrder: 99 } } }));
    const m = await get(id);
    assert.deepEqual([m.name, m.parentId, m.sortOrder], ["Renamed", b, 99]);
    assert.equal(
      refusal(await set({ destroy: ["nonexistent-xyz"] }), "notDestroyed").type,
      "notFound",
    );
    assert.equal(
      refusal(await set({ create: { e: { name: "Renamed", parentId: b } } })).type,
      "alreadyExists",
    );
    assert.equal(refusal(await set({ destroy: [b] }), "notDestroyed").type, "mailboxHasChild");
    assert.equal(
      refusal(await set({ destroy: [b], onDestroyRemoveEmails: true }), "notDestroyed").type,
      "mailboxHasChild",
    );
    const m1 = made(await ann.call("Email/set", { create: { e: letter(id) } })).id;
    const full = await set({ destroy: [id] });
    assert.equal(refusal(full, "notDestroyed").type, "mailboxHasEmail");
    const r = done(await set({ destroy: [id], onDestroyRemoveEmails: true }));
    assert.deepEqual(r.destroyed, [id]);
    assert.notEqual(r.oldState, r.newState);
    assert.deepEqual((await ann.call("Email/get", { ids: [m1] })).notFound, [m1]);
  });
  await clause("thread/get-*, changes-*", async () => {
    const [first] =
      (await ann.call("Email/get", { ids: [e.first], properties: ["threadId"] })).list;
    const r = await ann.call("Thread/get", { ids: [first.threadId, "nonexistent-xyz"] });
    assert.deepEqual([r.list[0].emailIds, r.notFound], [[e.first, e.second, e.third], [
      "nonexistent-xyz",
    ]]);
    const [alone] =
      (await ann.call("Email/get", { ids: [e.plain], properties: ["threadId"] })).list;
    assert.deepEqual((await ann.call("Thread/get", { ids: [alone.threadId] })).list[0].emailIds, [
      e.plain,
    ]);
    const m = made(await ann.call("Email/set", { create: { e: letter(inbox) } }));
    const c = await ann.call("Thread/changes", { sinceState: r.state });
    assert.deepEqual([c.created, c.updated, c.destroyed], [[m.threadId], [], []]);
  });
  await clause("identity/get-*, set-*, changes-*", async () => {
    const { list: [i], state } = await ann.call("Identity/get");
    for (const k of ["id", "name", "email", "textSignature", "htmlSignature"]) {
      assert.equal(typeof i[k], "string", k);
    }
    assert.equal(typeof i.mayDelete, "boolean");
    const values = {
      name: "New",
      textSignature: "-- \nx",
      htmlSignature: "<b>x</b>",
      replyTo: [{ name: "R", email: "r@example.com" }],
    };
    done(await ann.call("Identity/set", { update: { [i.id]: values } }));
    const [got] = (await ann.call("Identity/get", { ids: [i.id] })).list;
    for (const [k, x] of Object.entries(values)) assert.deepEqual(got[k], x);
    assert.deepEqual((await ann.call("Identity/changes", { sinceState: state })).updated, [i.id]);
    assert.equal(
      refusal(
        await ann.call("Identity/set", { update: { "nonexistent-xyz": { name: "x" } } }),
        "notUpdated",
      ).type,
      "notFound",
    );
    done(await ann.call("Identity/set", { update: { [i.id]: { replyTo: null, name: i.name } } }));
  });
  await clause("vacation/get-*, set-*", async () => {
    const { list, notFound } = await ann.call("VacationResponse/get", { ids: ["singleton", "x"] });
    assert.deepEqual([list[0].id, list[0].isEnabled, notFound], ["singleton", false, ["x"]]);
    const set = (singleton: Json) => ann.call("VacationResponse/set", { update: { singleton } });
    const values = {
      isEnabled: true,
      subject: "Away",
      textBody: "gone",
      htmlBody: "<p>gone</p>",
      fromDate: "2026-03-01T00:00:00Z",
      toDate: "2026-03-15T00:00:00Z",
    };
    done(await set(values));
    const [got] = (await ann.call("VacationResponse/get", { ids: null })).list;
    for (const [k, x] of Object.entries(values)) assert.deepEqual(got[k], x, k);
    done(
      await set({
        isEnabled: false,
        subject: null,
        textBody: null,
        htmlBody: null,
        fromDate: null,
        toDate: null,
      }),
    );
    assert.equal(
      refusal(await ann.call("VacationResponse/set", { create: { e: { isEnabled: false } } })).type,
      "singleton",
    );
    assert.equal(
      refusal(await ann.call("VacationResponse/set", { destroy: ["singleton"] }), "notDestroyed")
        .type,
      "singleton",
    );
  });
  await clause("push/push-subscription-*: https alone; kept, found, destroyed", async () => {
    // These methods have no account.
    const call = async (name: string, args: Json) => {
      const r = (await ann.post({ using: [core], methodCalls: [[name, args, "c"]] })).json
        .methodResponses[0];
      return r[1];
    };
    const bad = await call("PushSubscription/set", {
      create: { e: { deviceClientId: "d", url: "http://push.example/x" } },
    });
    assert.deepEqual(refusal(bad).properties, ["url"]);
    const { id } = made(
      await call("PushSubscription/set", {
        create: {
          e: {
            deviceClientId: "d",
            url: "https://push.example/x",
            types: ["Email", "Mailbox", "CalendarAlert"],
          },
        },
      }),
    );
    const { list } = await call("PushSubscription/get", { ids: [id] });
    assert.deepEqual([list[0].deviceClientId, list[0].types, "url" in list[0]], ["d", [
      "Email",
      "Mailbox",
      "CalendarAlert",
    ], false]);
    const wrong = await call("PushSubscription/set", {
      update: { [id]: { verificationCode: "no" } },
    });
    assert.equal(refusal(wrong, "notUpdated").type, "invalidProperties");
    assert.deepEqual((await call("PushSubscription/set", { destroy: [id] })).destroyed, [id]);
    assert.deepEqual((await call("PushSubscription/get", { ids: [id] })).notFound, [id]);
  });
  await clause("push/eventsource-*: types, and closing after the first state", async () => {
    const s = (await ann.raw("session")).json;
    const open = (types: string, closeafter: string) =>
      fetch(
        s.eventSourceUrl.replace("{types}", types).replace("{closeafter}", closeafter).replace(
          "{ping}",
          "0",
        ),
        {
          headers: { authorization: ann.authorization, accept: "text/event-stream" },
        },
      );
    const r = await open("Email", "state");
    assert.match(r.headers.get("content-type")!, /^text\/event-stream/);
    const text = r.text();
    await mailbox("No email");
    made(await ann.call("Email/set", { create: { e: letter(inbox) } }));
    const said = await text;
    assert.match(said, /event: state/);
    const data = JSON.parse(/^data: (.*)$/m.exec(said)![1]);
    assert.deepEqual([data["@type"], Object.keys(data.changed.ann)], ["StateChange", ["Email"]]);
  });
  await clause("email/copy-*: into another account, with and without its original", async () => {
    const share = await mailbox("Shared");
    done(
      await set({
        update: {
          [share]: {
            "shareWith": {
              bob: {
                mayReadItems: true,
                mayAddItems: true,
                mayRemoveItems: true,
                maySetSeen: true,
                maySetKeywords: true,
              },
            },
          },
        },
      }),
    ).updated;
    const bobs = (await bob.roles()).inbox;
    const one = made(
      await bob.call("Email/set", { create: { e: letter(bobs, { keywords: { $seen: true } }) } }),
    ).id;
    const copy = (o: Json) =>
      bob.call("Email/copy", {
        fromAccountId: "bob",
        accountId: "ann",
        create: { e: { id: one, mailboxIds: { [share]: true }, ...o } },
      });
    const r = made(await copy({ keywords: { $flagged: true } }));
    const [got] = (await guest(bob, "ann").call("Email/get", {
      ids: [r.id],
      properties: ["mailboxIds", "keywords", "subject"],
    })).list;
    assert.deepEqual([got.mailboxIds, got.subject], [{ [share]: true }, "A letter"]);
    assert.equal(refusal(await copy({ id: "none-xyz" })).type, "notFound");
    assert.equal(
      (await bob.fails("Email/copy", { fromAccountId: "none", accountId: "bob", create: {} })).type,
      "fromAccountNotFound",
    );
  });
});
