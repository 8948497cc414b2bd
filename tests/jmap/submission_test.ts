/** Identities, submissions and vacation by JMAP (RFC 8621 §6-8). */
import assert from "node:assert/strict";
import { ObjectStore } from "../../src/jmap/mod.ts";
import type { Submission } from "../../src/jmap/mail/submissions.ts";
import type { MailServer } from "../../src/serve/server.ts";
import { authorHeaders } from "../security/author_headers.ts";
import { type Client, type Json, withJmap } from "./world.ts";

async function draft(c: Client, more: Json = {}): Promise<string> {
  const { drafts } = await c.roles();
  const r = await c.call("Email/set", {
    create: {
      d: {
        mailboxIds: { [drafts]: true },
        keywords: { $draft: true },
        from: [{ email: "ann@mox.example" }],
        to: [{ email: "bo@to.example" }],
        bcc: [{ email: "hidden@to.example" }],
        subject: "sent",
        bodyValues: { t: { value: "hello\n" } },
        textBody: [{ partId: "t" }],
        ...more,
      },
    },
  });
  if (!r.created) throw new Error(JSON.stringify(r));
  return r.created.d.id;
}

Deno.test("RFC 8621 §6: identities of the addresses, and one's own", () =>
  withJmap(async ({ ann }) => {
    const { list, state } = await ann.call("Identity/get", {});
    assert.deepEqual(list.map((i: Json) => [i.email, i.name, i.mayDelete]), [
      ["ann@mox.example", "Ann", false],
      ["ann2@mox.example", "Ann", false],
    ]);
    assert.deepEqual(Object.keys(list[0]).sort(), [
      ...["bcc", "email", "htmlSignature", "id", "mayDelete", "name", "replyTo", "textSignature"],
    ]);
    const r = await ann.call("Identity/set", {
      ifInState: state,
      create: {
        ok: { email: "ann@mox.example", name: "Other", replyTo: [{ email: "r@x.example" }] },
        foreign: { email: "bob@mox.example" },
        none: { name: "x" },
        wrong: { email: "ann@mox.example", replyTo: "x" },
        unknown: { email: "ann@mox.example", nope: 1 },
      },
      update: { [list[0].id]: { textSignature: "-- \nAnn", name: "Anna" }, I999: { name: "x" } },
      destroy: [list[1].id],
    });
    assert.deepEqual(Object.keys(r.created), ["ok"]);
    assert.equal(r.created.ok.mayDelete, true);
    assert.equal(r.notCreated.foreign.type, "forbiddenFrom");
    assert.deepEqual(r.notCreated.none.properties, ["email"]);
    assert.deepEqual(r.notCreated.wrong.properties, ["replyTo"]);
    assert.deepEqual(r.notCreated.unknown.properties, ["nope"]);
    assert.deepEqual(r.updated, { [list[0].id]: null });
    assert.equal(r.notUpdated.I999.type, "notFound");
    assert.equal(r.notDestroyed[list[1].id].type, "forbidden");
    const c = await ann.call("Identity/changes", { sinceState: state });
    assert.deepEqual([c.created, c.updated, c.destroyed], [[r.created.ok.id], [list[0].id], []]);
    assert.equal(c.newState, r.newState);
    const fixed = await ann.call("Identity/set", {
      update: { [list[0].id]: { email: "ann2@mox.example" } },
    });
    assert.deepEqual(fixed.notUpdated[list[0].id].properties, ["email"]);
    const gone = await ann.call("Identity/set", { destroy: [r.created.ok.id] });
    assert.deepEqual(gone.destroyed, [r.created.ok.id]);
    assert.equal(
      (await ann.fails("Identity/changes", { sinceState: "x" })).type,
      "cannotCalculateChanges",
    );
    assert.equal(
      (await ann.fails("Identity/get", { properties: ["nope"] })).type,
      "invalidArguments",
    );
  }));

Deno.test("RFC 8621 §7: a message is sent, without Bcc, and its draft becomes what was sent", () =>
  withJmap(async ({ ann, host, server }) => {
    const { drafts, sent } = await ann.roles();
    const emailId = await draft(ann);
    const [{ id: identityId }] = (await ann.call("Identity/get", {})).list;
    const s0 = (await ann.call("EmailSubmission/get", { ids: [] })).state;
    const r = await ann.calls([["EmailSubmission/set", {
      create: { s: { identityId, emailId } },
      onSuccessUpdateEmail: {
        "#s": {
          [`mailboxIds/${drafts}`]: null,
          [`mailboxIds/${sent}`]: true,
          "keywords/$draft": null,
        },
      },
    }, "c"]]);
    const made = r[0][1].created.s;
    assert.equal(made.undoStatus, "final");
    assert.deepEqual(r[1][0], "Email/set");
    assert.equal(r[1][2], "c");
    assert.deepEqual(r[1][1].updated, { [emailId]: null });
    assert.deepEqual((await ann.email(emailId)).mailboxIds, { [sent]: true });
    const got = (await ann.call("EmailSubmission/get", { ids: [made.id] })).list[0];
    assert.deepEqual(Object.keys(got).sort(), [
      ...["deliveryStatus", "dsnBlobIds", "emailId", "envelope", "id", "identityId", "mdnBlobIds"],
      ...["sendAt", "threadId", "undoStatus"],
    ]);
    assert.deepEqual(got.envelope.mailFrom, { email: "ann@mox.example", parameters: null });
    assert.deepEqual(got.envelope.rcptTo.map((x: Json) => x.email), [
      "bo@to.example",
      "hidden@to.example",
    ]);
    await server.queue.idle();
    const [text] = host.mails;
    assert.match(text.data, /^Subject: sent\r$/m);
    assert.doesNotMatch(text.data, /hidden/);
    assert.match(text.data, /^DKIM-Signature:|^From:/m);
    const c = await ann.call("EmailSubmission/changes", { sinceState: s0 });
    assert.deepEqual(c.created, [made.id]);
    const after = (await ann.call("EmailSubmission/get", { ids: [made.id] })).list[0];
    assert.equal(after.undoStatus, "final");
    assert.equal(after.deliveryStatus["bo@to.example"].delivered, "unknown");
    const cancel = await ann.call("EmailSubmission/set", {
      update: { [made.id]: { undoStatus: "canceled" } },
    });
    assert.equal(cancel.notUpdated[made.id].type, "cannotUnsend");
    const gone = await ann.call("EmailSubmission/set", { destroy: [made.id] });
    assert.deepEqual(gone.destroyed, [made.id]);
  }));

Deno.test("RFC 8621 §7.5: delayed, found, and taken back while it waits", () =>
  withJmap(async ({ ann, server }) => {
    const emailId = await draft(ann);
    const [{ id: identityId }] = (await ann.call("Identity/get", {})).list;
    const envelope = (parameters: Json) => ({
      mailFrom: { email: "ann@mox.example", parameters },
      rcptTo: [{ email: "bo@to.example", parameters: { NOTIFY: "NEVER" } }],
    });
    const r = await ann.call("EmailSubmission/set", {
      create: { s: { identityId, emailId, envelope: envelope({ holdfor: "3600" }) } },
    });
    const { id, undoStatus, sendAt } = r.created.s;
    assert.equal(undoStatus, "pending");
    assert.ok(Math.abs(Date.parse(sendAt) - Date.now() - 3600_000) < 60_000);
    assert.equal(server.queue.count(), 1);
    const ids = async (filter: Json) => (await ann.call("EmailSubmission/query", { filter })).ids;
    assert.deepEqual(await ids({ undoStatus: "pending" }), [id]);
    assert.deepEqual(await ids({ undoStatus: "final" }), []);
    assert.deepEqual(await ids({ emailIds: [emailId], identityIds: [identityId] }), [id]);
    assert.deepEqual(await ids({ after: "2099-01-01T00:00:00Z" }), []);
    const before = await ann.call("EmailSubmission/query", { sort: [{ property: "sentAt" }] });
    const u = await ann.call("EmailSubmission/set", {
      update: { [id]: { undoStatus: "canceled" } },
    });
    assert.deepEqual(u.updated, { [id]: null });
    assert.equal(server.queue.count(), 0);
    assert.equal(
      (await ann.call("EmailSubmission/get", { ids: [id] })).list[0].undoStatus,
      "canceled",
    );
    const q = await ann.call("EmailSubmission/queryChanges", {
      sinceQueryState: before.queryState,
    });
    assert.deepEqual([q.removed, q.added], [[id], [{ id, index: 0 }]]);
    const bad = await ann.call("EmailSubmission/set", {
      create: {
        both: {
          identityId,
          emailId,
          envelope: envelope({ HOLDFOR: "1", HOLDUNTIL: "2099-01-01T00:00:00Z" }),
        },
        long: { identityId, emailId, envelope: envelope({ HOLDFOR: "99999999" }) },
        unknown: { identityId, emailId, envelope: envelope({ NOPE: "1" }) },
      },
      update: { [id]: { undoStatus: "final" } },
    });
    for (const k of ["both", "long", "unknown"]) {
      assert.equal(bad.notCreated[k].type, "invalidProperties", k);
    }
    assert.deepEqual(bad.notUpdated[id].properties, ["undoStatus"]);
    assert.equal(
      (await ann.fails("EmailSubmission/query", { sort: [{ property: "x" }] })).type,
      "unsupportedSort",
    );
    assert.equal(
      (await ann.fails("EmailSubmission/query", { filter: { x: 1 } })).type,
      "unsupportedFilter",
    );
  }));

Deno.test("RFC 8621 §7.5: what can't be sent, by its error", () =>
  withJmap(async ({ ann }) => {
    const emailId = await draft(ann);
    const foreign = await draft(ann, { from: [{ email: "bob@mox.example" }] });
    const nobody = await draft(ann, { to: null, bcc: null });
    const noFrom = await draft(ann, { from: null });
    const [{ id: identityId }] = (await ann.call("Identity/get", {})).list;
    const to = (email: string, from = "ann@mox.example") => ({
      mailFrom: { email: from },
      rcptTo: [{ email }],
    });
    const cases: Record<string, [Json, string, string[]?]> = {
      identity: [{ emailId, identityId: "I999" }, "invalidProperties", ["identityId"]],
      noIdentity: [{ emailId }, "invalidProperties", ["identityId"]],
      email: [{ identityId, emailId: "E999" }, "invalidProperties", ["emailId"]],
      unknown: [{ identityId, emailId, nope: 1 }, "invalidProperties", ["nope"]],
      server: [{ identityId, emailId, undoStatus: "final" }, "invalidProperties", ["undoStatus"]],
      from: [{ identityId, emailId: foreign }, "forbiddenFrom"],
      mailFrom: [
        { identityId, emailId, envelope: to("b@to.example", "bob@mox.example") },
        "forbiddenMailFrom",
      ],
      nobody: [{ identityId, emailId: nobody }, "noRecipients"],
      empty: [{ identityId, emailId, envelope: { ...to("x@y"), rcptTo: [] } }, "noRecipients"],
      invalid: [{ identityId, emailId, envelope: to("no address") }, "invalidRecipients"],
      invalidEmail: [{ identityId, emailId: noFrom }, "invalidEmail", ["from"]],
      envelope: [{ identityId, emailId, envelope: 5 }, "invalidProperties", ["envelope"]],
      many: [{
        identityId,
        emailId,
        envelope: {
          ...to("x@y"),
          rcptTo: Array.from({ length: 1001 }, (_, i) => ({ email: `u${i}@to.example` })),
        },
      }, "tooManyRecipients"],
    };
    const r = await ann.call("EmailSubmission/set", {
      create: Object.fromEntries(Object.entries(cases).map(([k, [o]]) => [k, o])),
      onSuccessUpdateEmail: { "#from": { keywords: {} } },
      onSuccessDestroyEmail: ["#nobody"],
    });
    assert.equal(r.created, null);
    for (const [k, [, type, properties]] of Object.entries(cases)) {
      assert.equal(r.notCreated[k].type, type, `${k} ${JSON.stringify(r.notCreated[k])}`);
      if (properties) assert.deepEqual(r.notCreated[k].properties, properties, k);
    }
    assert.deepEqual(r.notCreated.invalid.invalidRecipients, ["no address"]);
    assert.equal(r.notCreated.many.maxRecipients, 1000);
    assert.equal(
      (await ann.fails("EmailSubmission/set", { onSuccessDestroyEmail: ["#x"] })).type,
      "invalidArguments",
    );
  }));

Deno.test("an imported message is sent only if all its readings name the user", () =>
  withJmap(async ({ ann }) => {
    const { drafts } = await ann.roles();
    const [{ id: identityId }] = (await ann.call("Identity/get", {})).list;
    const { refused, taken } = authorHeaders("ann@mox.example", "bob@mox.example");
    const date = "Date: Mon, 30 Nov 2026 10:00:00 +0000";
    for (const [kind, cases] of [["refused", refused], ["taken", taken]] as const) {
      for (const [what, header] of cases) {
        const message = `${header}\r\n${date}\r\nTo: joe@to.example\r\n\r\nhi\r\n`;
        const { id } = await ann.import(message, drafts);
        const r = await ann.call("EmailSubmission/set", {
          create: {
            s: {
              identityId,
              emailId: id,
              envelope: {
                mailFrom: { email: "ann@mox.example" },
                rcptTo: [{ email: "joe@to.example" }],
              },
            },
          },
        });
        if (kind === "taken") assert.ok(r.created?.s, `${what} ${JSON.stringify(r.notCreated)}`);
        else {
          assert.match(r.notCreated?.s?.type ?? "sent", /^(forbiddenFrom|invalidEmail)$/, what);
        }
      }
    }
  }));

Deno.test("RFC 8621 §8: the vacation response is the account page's, a singleton", () =>
  withJmap(async ({ ann, server }) => {
    const { list, state } = await ann.call("VacationResponse/get", {});
    assert.deepEqual(list, [{
      id: "singleton",
      isEnabled: false,
      fromDate: null,
      toDate: null,
      subject: null,
      textBody: null,
      htmlBody: null,
    }]);
    const set = (args: Json) => ann.call("VacationResponse/set", args);
    const r = await set({
      ifInState: state,
      create: { x: {} },
      update: {
        singleton: {
          isEnabled: true,
          textBody: "Away.",
          fromDate: "2026-01-01T00:00:00Z",
          subject: "Gone",
        },
        other: {},
      },
    });
    assert.equal(r.notCreated.x.type, "singleton");
    assert.equal(r.notUpdated.other.type, "notFound");
    assert.deepEqual(r.updated, { singleton: null });
    const got = await ann.call("VacationResponse/get", { ids: ["singleton", "x"] });
    assert.equal(got.state, r.newState);
    assert.deepEqual(got.notFound, ["x"]);
    assert.equal(got.list[0].textBody, "Away.");
    const account = await server.accounts.open("ann");
    const { accountSetting } = await import("../../src/store/account/settings.ts");
    const stored = accountSetting(account, "vacation") as Json;
    account.close();
    assert.deepEqual([stored.enabled, stored.text, stored.subject], [true, "Away.", "Gone"]);
    await set({ update: { singleton: { textBody: null, htmlBody: "<p>Away &amp; gone</p>" } } });
    const [html] = (await ann.call("VacationResponse/get", {})).list;
    assert.deepEqual([html.textBody, html.htmlBody], [null, "<p>Away &amp; gone</p>"]);
    const bad: [Json, string[]][] = [
      [{ isEnabled: "yes" }, ["isEnabled"]],
      [{ toDate: "2025-01-01T00:00:00Z" }, ["toDate"]],
      [{ fromDate: "x" }, ["fromDate"]],
      [{ nope: 1 }, ["nope"]],
      [{ id: "y" }, ["id"]],
    ];
    for (const [patch, properties] of bad) {
      assert.deepEqual(
        (await set({ update: { singleton: patch } })).notUpdated.singleton.properties,
        properties,
      );
    }
    assert.equal((await set({ destroy: ["singleton"] })).notDestroyed.singleton.type, "singleton");
    assert.equal(
      (await ann.fails("VacationResponse/set", { ifInState: state })).type,
      "stateMismatch",
    );
  }));

/** What a server that was killed while it handed a message to the queue leaves. */
async function cutOff(c: Client, server: MailServer, o: { taken: boolean; wait?: boolean }) {
  const emailId = await draft(c);
  const [{ id: identityId }] = (await c.call("Identity/get", {})).list;
  const envelope = {
    mailFrom: {
      email: "ann@mox.example",
      parameters: o.wait ? { HOLDFOR: "3600" } : null,
    },
    rcptTo: [{ email: "bo@to.example", parameters: null }],
  };
  const create = { s: { identityId, emailId, envelope } };
  const made = (await c.call("EmailSubmission/set", { create })).created.s;
  const objects = await ObjectStore.open(server.config.dataDir);
  const number = Number(made.id.slice(1));
  const kept = objects.get<Submission>("ann", "submission", number)!;
  const key = o.taken ? kept.key : "another";
  await objects.put("ann", "submission", number, { ...kept, key, queued: [] });
  await objects.close();
  return { emailId, create, id: made.id };
}

Deno.test("RFC 8621 §7.5: a submission that a kill cut off is sent once, whoever asks again", () =>
  withJmap(async ({ ann, host, server }) => {
    const { drafts, sent } = await ann.roles();
    const taken = await cutOff(ann, server, { taken: true });
    const r = await ann.call("EmailSubmission/set", {
      create: taken.create,
      onSuccessUpdateEmail: {
        "#s": {
          [`mailboxIds/${drafts}`]: null,
          [`mailboxIds/${sent}`]: true,
          "keywords/$draft": null,
        },
      },
    });
    assert.equal(r.created.s.id, taken.id);
    assert.deepEqual((await ann.email(taken.emailId)).mailboxIds, { [sent]: true });
    const [got] = (await ann.call("EmailSubmission/get", { ids: [taken.id] })).list;
    assert.equal(got.undoStatus, "final");
    await server.queue.idle();
    assert.equal(host.mails.length, 1);
    // Once that is settled, sending it anew is another submission.
    const more = await ann.call("EmailSubmission/set", { create: taken.create });
    assert.notEqual(more.created.s.id, taken.id);
    await server.queue.idle();
    assert.equal(host.mails.length, 2);
  }));

Deno.test("RFC 8621 §7: a submission that never got to the queue is gone, one that waits there can be taken back", () =>
  withJmap(async ({ ann, server }) => {
    const lost = await cutOff(ann, server, { taken: false });
    assert.deepEqual(
      (await ann.call("EmailSubmission/get", { ids: [lost.id] })).notFound,
      [lost.id],
    );
    const waits = await cutOff(ann, server, { taken: true, wait: true });
    const [got] = (await ann.call("EmailSubmission/get", { ids: [waits.id] })).list;
    assert.equal(got.undoStatus, "pending");
    const back = await ann.call("EmailSubmission/set", {
      update: { [waits.id]: { undoStatus: "canceled" } },
    });
    assert.deepEqual(back.updated, { [waits.id]: null });
    assert.equal(server.queue.list({ account: "ann" }).length, 0);
  }));
