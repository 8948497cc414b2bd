/** Mailboxes and threads by JMAP (RFC 8621 §2, §3). */
import assert from "node:assert/strict";
import { type Json, withJmap } from "./world.ts";
import { mail } from "./messages.ts";

Deno.test("RFC 8621 §2.1: Mailbox/get has roles, rights and counts; unknown properties and ids", () =>
  withJmap(async ({ ann }) => {
    ann.using = ann.using.filter((u) => u !== "urn:ietf:params:jmap:mail:share");
    const all = await ann.call("Mailbox/get", { ids: null });
    assert.equal(all.accountId, "ann");
    const inbox = all.list.find((m: Json) => m.role === "inbox");
    assert.deepEqual(Object.keys(inbox).sort(), [
      ...["id", "isSubscribed", "myRights", "name", "parentId", "role", "sortOrder"],
      ...["totalEmails", "totalThreads", "unreadEmails", "unreadThreads"],
    ]);
    assert.equal(inbox.name, "Inbox");
    assert.deepEqual(inbox.myRights, {
      mayReadItems: true,
      mayAddItems: true,
      mayRemoveItems: true,
      maySetSeen: true,
      maySetKeywords: true,
      mayCreateChild: true,
      mayRename: false,
      mayDelete: false,
      maySubmit: true,
    });
    assert.deepEqual(
      all.list.map((m: Json) => m.role).sort(),
      ["archive", "drafts", "inbox", "junk", "sent", "trash"],
    );
    const some = await ann.call("Mailbox/get", {
      ids: [inbox.id, inbox.id, "nope", "M9999", "#x"],
      properties: ["name"],
    });
    assert.deepEqual(some.list, [{ id: inbox.id, name: "Inbox" }]);
    assert.deepEqual(some.notFound, ["nope", "M9999", "#x"]);
    assert.equal(some.state, all.state);
    assert.equal(
      (await ann.fails("Mailbox/get", { properties: ["nope"] })).type,
      "invalidArguments",
    );
    assert.equal((await ann.fails("Mailbox/get", { ids: "x" })).type, "invalidArguments");
    assert.equal((await ann.fails("Mailbox/get", { nope: 1 })).type, "invalidArguments");
    assert.equal((await ann.fails("Mailbox/get", { accountId: "bob" })).type, "accountNotFound");
    assert.equal((await ann.fails("Mailbox/get", { accountId: 5 })).type, "invalidArguments");
    assert.equal(
      (await ann.fails("Mailbox/get", { accountId: undefined })).type,
      "invalidArguments",
    );
  }));

Deno.test("RFC 8621 §2.5: Mailbox/set creates, moves, renames, destroys; each error by its name", () =>
  withJmap(async ({ ann }) => {
    const before = await ann.call("Mailbox/get", {});
    const made = await ann.call("Mailbox/set", {
      ifInState: before.state,
      // The order of dependence, not that of the object.
      create: {
        c: { name: "Child", parentId: "#p" },
        p: { name: "Parent", sortOrder: 7, isSubscribed: false },
      },
    });
    assert.equal(made.oldState, before.state);
    assert.notEqual(made.newState, before.state);
    const [parent, child] = [made.created.p.id, made.created.c.id];
    assert.equal("name" in made.created.p, false);
    const got = await ann.call("Mailbox/get", { ids: [parent, child] });
    assert.equal(got.state, made.newState);
    assert.equal(got.list[0].sortOrder, 7);
    assert.equal(got.list[0].isSubscribed, false);
    assert.equal(got.list[1].parentId, parent);
    const c = await ann.call("Mailbox/changes", { sinceState: before.state });
    assert.deepEqual(c.created.sort(), [child, parent].sort());
    assert.deepEqual(c.updated, []);
    assert.equal(c.newState, made.newState);

    const errors = await ann.call("Mailbox/set", {
      create: {
        none: {},
        slash: { name: "a/b" },
        empty: { name: "" },
        control: { name: "a\u0007" },
        type: { name: 5 },
        twice: { name: "Parent" },
        lost: { name: "x", parentId: "M9999" },
        lostRef: { name: "x", parentId: "#nope" },
        inbox: { name: "x", role: "inbox" },
        role: { name: "x", role: "wrong" },
        taken: { name: "x", role: "sent" },
        order: { name: "x", sortOrder: -1 },
        fixed: { name: "x", totalEmails: 0 },
        unknown: { name: "x", nope: 1 },
        long: { name: "x".repeat(300) },
      },
    });
    assert.equal(errors.created, null);
    const properties = (k: string) => [errors.notCreated[k].type, errors.notCreated[k].properties];
    for (const k of ["none", "slash", "empty", "control", "type", "long"]) {
      assert.deepEqual(properties(k), ["invalidProperties", ["name"]], k);
    }
    assert.equal(errors.notCreated.twice.type, "alreadyExists");
    assert.equal(errors.notCreated.twice.existingId, parent);
    for (const k of ["lost", "lostRef"]) {
      assert.deepEqual(properties(k), ["invalidProperties", ["parentId"]], k);
    }
    for (const k of ["inbox", "role", "taken"]) {
      assert.deepEqual(properties(k), ["invalidProperties", ["role"]], k);
    }
    assert.deepEqual(properties("order"), ["invalidProperties", ["sortOrder"]]);
    assert.deepEqual(properties("fixed"), ["invalidProperties", ["totalEmails"]]);
    assert.deepEqual(properties("unknown"), ["invalidProperties", ["nope"]]);

    const updated = await ann.call("Mailbox/set", {
      update: {
        [child]: { name: "Kind", parentId: null, role: null },
        [parent]: { parentId: child, "nope/x": 1 },
        M9999: { name: "x" },
      },
    });
    assert.deepEqual(updated.updated, { [child]: null });
    assert.equal(updated.notUpdated[parent].type, "invalidPatch");
    assert.equal(updated.notUpdated.M9999.type, "notFound");
    // What is as it was may be given, also where it can't be changed.
    const whole = (await ann.call("Mailbox/get", { ids: [child] })).list[0];
    const same = await ann.call("Mailbox/set", { update: { [child]: { ...whole, sortOrder: 3 } } });
    assert.deepEqual(same.updated, { [child]: null });
    const { inbox } = await ann.roles();
    const refused = await ann.call("Mailbox/set", {
      update: { [inbox]: { name: "Other" }, [child]: { totalEmails: 5 } },
    });
    assert.equal(refused.notUpdated[inbox].type, "forbidden");
    assert.deepEqual(refused.notUpdated[child].properties, ["totalEmails"]);
    const kept = await ann.call("Mailbox/set", { destroy: [inbox] });
    assert.equal(kept.notDestroyed[inbox].type, "forbidden");
    const loop = await ann.call("Mailbox/set", { update: { [parent]: { parentId: parent } } });
    assert.deepEqual(loop.notUpdated[parent].properties, ["parentId"]);

    await ann.call("Mailbox/set", { update: { [child]: { parentId: parent } } });
    await ann.import(mail({}), child);
    const gone = await ann.call("Mailbox/set", { destroy: [parent, "M9999"] });
    assert.equal(gone.notDestroyed[parent].type, "mailboxHasChild");
    assert.equal(gone.notDestroyed.M9999.type, "notFound");
    const full = await ann.call("Mailbox/set", { destroy: [child] });
    assert.equal(full.notDestroyed[child].type, "mailboxHasEmail");
    const both = await ann.call("Mailbox/set", {
      onDestroyRemoveEmails: true,
      update: { [child]: { name: "y" } },
      destroy: [parent, child],
    });
    assert.equal(both.notUpdated[child].type, "willDestroy");
    assert.deepEqual(both.destroyed.sort(), [parent, child].sort());
    const after = await ann.call("Mailbox/changes", { sinceState: made.newState });
    assert.deepEqual(after.destroyed.sort(), [parent, child].sort());
    assert.equal(
      (await ann.fails("Mailbox/set", { ifInState: before.state })).type,
      "stateMismatch",
    );
  }));

Deno.test("RFC 8621 §2: counts of emails and threads, unread ones, with Trash by itself", () =>
  withJmap(async ({ ann }) => {
    const { inbox, trash, archive } = await ann.roles();
    const first = await ann.import(mail({ id: "a" }));
    const answer = await ann.import(
      mail({ id: "b", subject: "Re: Hello", references: "<a@x>" }),
      archive,
      {
        keywords: { $seen: true },
      },
    );
    assert.equal(answer.threadId, first.threadId);
    await ann.import(mail({ id: "d", subject: "draft" }), inbox, { keywords: { $draft: true } });
    const counts = async () => {
      const { list } = await ann.call("Mailbox/get", {
        ids: [inbox, archive, trash],
        properties: ["totalEmails", "unreadEmails", "totalThreads", "unreadThreads"],
      });
      return list.map((
        m: Json,
      ) => [m.totalEmails, m.unreadEmails, m.totalThreads, m.unreadThreads]);
    };
    // The thread is unread in Archive too, by its email in Inbox.
    assert.deepEqual(await counts(), [[2, 1, 2, 1], [1, 0, 1, 1], [0, 0, 0, 0]]);
    const { state } = await ann.call("Mailbox/get", { ids: [] });
    await ann.call("Email/set", { update: { [first.id]: { mailboxIds: { [trash]: true } } } });
    // In Trash alone it counts there, and nowhere else.
    assert.deepEqual(await counts(), [[1, 0, 1, 0], [1, 0, 1, 0], [1, 1, 1, 1]]);
    const c = await ann.call("Mailbox/changes", { sinceState: state });
    assert.deepEqual(c.updated.sort(), [inbox, archive, trash].sort());
    assert.deepEqual(c.updatedProperties, [
      "totalEmails",
      "unreadEmails",
      "totalThreads",
      "unreadThreads",
    ]);
    await ann.call("Mailbox/set", { update: { [archive]: { sortOrder: 5 } } });
    const more = await ann.call("Mailbox/changes", { sinceState: state });
    assert.equal(more.updatedProperties, null);
    // A client that asks for what changed gets all if that isn't known.
    const refer = (path: string) => ({ resultOf: "0", name: "Mailbox/changes", path });
    const [, got] = await ann.calls([
      ["Mailbox/changes", { sinceState: state }, "0"],
      [
        "Mailbox/get",
        { "#ids": refer("/updated"), "#properties": refer("/updatedProperties") },
        "1",
      ],
    ]);
    assert.ok(got[1].list.every((m: Json) => m.name !== undefined));
    assert.equal(
      (await ann.fails("Mailbox/changes", { sinceState: "nope" })).type,
      "cannotCalculateChanges",
    );
    assert.equal(
      (await ann.fails("Mailbox/changes", { sinceState: "99999999" })).type,
      "cannotCalculateChanges",
    );
    assert.equal(
      (await ann.fails("Mailbox/changes", { sinceState: state, maxChanges: 0 })).type,
      "invalidArguments",
    );
    // In steps of one, all come, and the end is the state.
    const seen: string[] = [];
    let since = state;
    for (let i = 0; i < 10; i++) {
      const step = await ann.call("Mailbox/changes", { sinceState: since, maxChanges: 1 });
      assert.equal(step.oldState, since);
      seen.push(...step.updated);
      since = step.newState;
      if (!step.hasMoreChanges) break;
    }
    assert.deepEqual(seen.sort(), [inbox, archive, trash].sort());
    assert.equal(since, (await ann.call("Mailbox/get", { ids: [] })).state);
  }));

Deno.test("RFC 8621 §2.3, §2.4: Mailbox/query filters, sorts as a tree; queryChanges", () =>
  withJmap(async ({ ann }) => {
    const { created } = await ann.call("Mailbox/set", {
      create: {
        z: { name: "zeta", sortOrder: 1 },
        a: { name: "Alpha", parentId: "#z" },
        b: { name: "beta", parentId: "#z", isSubscribed: false },
      },
    });
    const [z, a, b] = [created.z.id, created.a.id, created.b.id];
    const ids = async (args: Json) => (await ann.call("Mailbox/query", args)).ids;
    assert.deepEqual(await ids({ filter: { parentId: z }, sort: [{ property: "name" }] }), [a, b]);
    assert.deepEqual(
      await ids({ filter: { parentId: z }, sort: [{ property: "name", isAscending: false }] }),
      [b, a],
    );
    assert.deepEqual(await ids({ filter: { name: "ETA" }, sort: [{ property: "name" }] }), [b, z]);
    assert.deepEqual(await ids({ filter: { isSubscribed: false } }), [b]);
    assert.equal((await ids({ filter: { hasAnyRole: true } })).length, 6);
    assert.deepEqual(await ids({ filter: { role: "sent" } }), [(await ann.roles()).sent]);
    assert.deepEqual(
      await ids({
        filter: { operator: "AND", conditions: [{ hasAnyRole: false }, { name: "a" }] },
        sort: [{ property: "sortOrder", isAscending: false }, { property: "name" }],
        sortAsTree: true,
      }),
      [z, a, b],
    );
    // Only where those above pass too.
    const not = { operator: "NOT", conditions: [{ name: "zeta" }, { hasAnyRole: true }] };
    assert.deepEqual((await ids({ filter: not })).sort(), [a, b].sort());
    assert.deepEqual(await ids({ filter: not, filterAsTree: true }), []);
    const page = await ann.call("Mailbox/query", {
      sort: [{ property: "name" }],
      position: -2,
      limit: 1,
      calculateTotal: true,
    });
    assert.equal(page.total, 9);
    assert.equal(page.position, 7);
    assert.equal(page.ids.length, 1);
    assert.equal(
      (await ann.fails("Mailbox/query", { filter: { nope: 1 } })).type,
      "unsupportedFilter",
    );
    assert.equal(
      (await ann.fails("Mailbox/query", { filter: { name: 1 } })).type,
      "invalidArguments",
    );
    assert.equal(
      (await ann.fails("Mailbox/query", { sort: [{ property: "nope" }] })).type,
      "unsupportedSort",
    );
    assert.equal((await ann.fails("Mailbox/query", { sort: [{}] })).type, "invalidArguments");
    assert.equal((await ann.fails("Mailbox/query", { anchor: "M9999" })).type, "anchorNotFound");

    const args = { filter: { parentId: z }, sort: [{ property: "name" }] };
    const before = await ann.call("Mailbox/query", args);
    await ann.call("Mailbox/set", {
      create: { n: { name: "Anna", parentId: z } },
      update: { [a]: { name: "Omega" } },
      destroy: [b],
    });
    const q = await ann.call("Mailbox/queryChanges", {
      ...args,
      sinceQueryState: before.queryState,
      calculateTotal: true,
    });
    const after = await ann.call("Mailbox/query", args);
    assert.equal(q.newQueryState, after.queryState);
    assert.equal(q.total, 2);
    const merged = before.ids.filter((i: string) => !q.removed.includes(i));
    for (const { id, index } of q.added) merged.splice(index, 0, id);
    assert.deepEqual(merged, after.ids);
  }));

Deno.test("RFC 8621 §3: threads, oldest email first; an answer that comes before what it answers", () =>
  withJmap(async ({ ann }) => {
    const empty = await ann.call("Thread/get", { ids: [] });
    const answer = await ann.import(
      mail({ id: "2", subject: "Re: Hello", references: "<1@x>" }),
      undefined,
      {
        receivedAt: "2026-02-02T00:00:00Z",
      },
    );
    const first = await ann.import(mail({ id: "1" }), undefined, {
      receivedAt: "2026-02-01T00:00:00Z",
    });
    // The Email that was there keeps its thread: it must never change.
    assert.equal(first.threadId, answer.threadId);
    const { list, notFound, state } = await ann.call("Thread/get", { ids: [first.threadId, "T9"] });
    assert.deepEqual(list, [{ id: first.threadId, emailIds: [first.id, answer.id] }]);
    assert.deepEqual(notFound, ["T9"]);
    const c = await ann.call("Thread/changes", { sinceState: empty.state });
    assert.deepEqual([c.created, c.updated, c.destroyed], [[first.threadId], [], []]);
    assert.equal(c.newState, state);
    // Keywords don't change a thread.
    await ann.call("Email/set", { update: { [first.id]: { "keywords/$seen": true } } });
    assert.equal((await ann.call("Thread/get", { ids: [] })).state, state);
    await ann.call("Email/set", { destroy: [first.id] });
    const d = await ann.call("Thread/changes", { sinceState: state });
    assert.deepEqual([d.created, d.updated, d.destroyed], [[], [first.threadId], []]);
    await ann.call("Email/set", { destroy: [answer.id] });
    const e = await ann.call("Thread/changes", { sinceState: d.newState });
    assert.deepEqual([e.created, e.updated, e.destroyed], [[], [], [first.threadId]]);
    const all = await ann.call("Thread/changes", { sinceState: empty.state });
    assert.deepEqual([all.created, all.updated, all.destroyed], [[], [], []]);
  }));

Deno.test("RFC 8621 §3: two threads that turn out to be one: those that change are other Emails", () =>
  withJmap(async ({ ann }) => {
    const a = await ann.import(mail({ id: "a" }));
    const a2 = await ann.import(mail({ id: "a2", subject: "Re: Hello", references: "<a@x>" }));
    const c = await ann.import(mail({ id: "c", subject: "Re: Hello", references: "<b@x>" }));
    assert.notEqual(a.threadId, c.threadId);
    const { state } = await ann.call("Email/get", { ids: [] });
    const threads = await ann.call("Thread/get", { ids: [] });
    const b = await ann.import(mail({ id: "b", subject: "Re: Hello", references: "<a@x>" }));
    assert.equal(b.threadId, a.threadId);
    const got = await ann.call("Email/get", { ids: [a.id, a2.id, c.id], properties: ["threadId"] });
    assert.deepEqual(got.notFound, [c.id]);
    const changes = await ann.call("Email/changes", { sinceState: state });
    assert.deepEqual(changes.destroyed, [c.id]);
    assert.equal(changes.created.length, 2);
    const anew = changes.created.find((i: string) => i !== b.id)!;
    const email = await ann.email(anew, ["threadId", "messageId"]);
    assert.deepEqual(email, { id: anew, threadId: a.threadId, messageId: ["c@x"] });
    const t = await ann.call("Thread/changes", { sinceState: threads.state });
    assert.deepEqual([t.created, t.updated, t.destroyed], [[], [a.threadId], [c.threadId]]);
    const { list } = await ann.call("Thread/get", { ids: [a.threadId] });
    assert.equal(list[0].emailIds.length, 4);
    const set = await ann.call("Email/set", {
      update: { [anew]: { "keywords/x": true } },
      destroy: [c.id],
    });
    assert.deepEqual(set.updated, { [anew]: null });
    assert.equal(set.notDestroyed[c.id].type, "notFound");
  }));
