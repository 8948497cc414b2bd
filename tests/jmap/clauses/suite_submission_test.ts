/** The topics of the public suite jmap-test-suite (RFC 8620 and 8621), each asked in our own words: sending. */
import assert from "node:assert/strict";
import type { Json } from "../world.ts";
import { clauses, made, refusal } from "./clauses.ts";
import { letter } from "./seed.ts";

clauses("jmap-test-suite: submissions", async (clause, { ann }) => {
  const { drafts, sent } = await ann.roles();
  const [{ id: identityId }] = (await ann.call("Identity/get")).list;
  const draft = async (o: Json = {}) =>
    made(
      await ann.call("Email/set", {
        create: { e: letter(drafts, { keywords: { $draft: true, $seen: true }, ...o }) },
      }),
    ).id as string;
  const submit = (o: Json, more: Json = {}) =>
    ann.call("EmailSubmission/set", { create: { e: { identityId, ...o } }, ...more });

  await clause("submission/set-*, get-*, changes-*, query-*", async () => {
    const { state } = await ann.call("EmailSubmission/get", { ids: [] });
    const sub = made(await submit({ emailId: await draft() }));
    assert.match(sub.sendAt, /Z$/);
    assert.match(sub.undoStatus, /^(pending|final)$/);
    const got = await ann.call("EmailSubmission/get", { ids: [sub.id, "none-xyz"] });
    assert.deepEqual(
      [
        got.list[0].identityId,
        typeof got.list[0].emailId,
        typeof got.list[0].sendAt,
        typeof got.list[0].undoStatus,
        got.notFound,
      ],
      [identityId, "string", "string", "string", ["none-xyz"]],
    );
    const c = await ann.call("EmailSubmission/changes", { sinceState: state });
    assert.deepEqual(c.created, [sub.id]);
    const envelope = {
      mailFrom: { email: "ann@mox.example", parameters: null },
      rcptTo: [{ email: "bob@mox.example", parameters: null }],
    };
    made(await submit({ emailId: await draft(), envelope }));
    assert.equal(
      refusal(await submit({ emailId: await draft({ to: null }) })).type,
      "noRecipients",
    );
    for (const filter of [{}, null, { undoStatus: "final" }]) {
      const q = await ann.call("EmailSubmission/query", { filter });
      assert.deepEqual([
        typeof q.queryState,
        typeof q.canCalculateChanges,
        q.position,
        Array.isArray(q.ids),
      ], ["string", "boolean", 0, true]);
    }
  });
  await clause("submission/set-on-success-update-email", async () => {
    const emailId = await draft();
    const r = await ann.calls([["EmailSubmission/set", {
      create: { e: { identityId, emailId } },
      onSuccessUpdateEmail: {
        "#e": {
          [`mailboxIds/${sent}`]: true,
          [`mailboxIds/${drafts}`]: null,
          "keywords/$draft": null,
        },
      },
    }, "s"]]);
    assert.deepEqual(r.map((x) => [x[0], x[2]]), [["EmailSubmission/set", "s"], [
      "Email/set",
      "s",
    ]]);
    const [m] =
      (await ann.call("Email/get", { ids: [emailId], properties: ["mailboxIds", "keywords"] }))
        .list;
    assert.deepEqual([m.mailboxIds, m.keywords.$draft], [{ [sent]: true }, undefined]);
  });
});
