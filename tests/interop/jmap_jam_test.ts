/** A day with a JMAP client that others wrote (npm: jmap-jam). */
import assert from "node:assert/strict";
import JamClient from "jmap-jam";
import { mail } from "../jmap/messages.ts";
import { basic, type Json, withJmap } from "../jmap/world.ts";

Deno.test("jmap-jam: session, references, upload, a draft that is sent, changes, download", () =>
  withJmap(async ({ origin, host, server }) => {
    const jam = new JamClient({
      sessionUrl: `${origin}/.well-known/jmap`,
      bearerToken: basic("ann@mox.example").slice("Basic ".length),
    });
    const session = await jam.session;
    assert.equal(session.username, "ann@mox.example");
    const accountId = await jam.getPrimaryAccount();
    assert.equal(accountId, "ann");
    const [boxes] = await jam.api.Mailbox.get({ accountId });
    const role = (name: string) => boxes.list.find((m: Json) => m.role === name)!.id;
    const text = mail({ subject: "for jam" }).replaceAll("\n", "\r\n");
    const blob = await jam.uploadBlob(accountId, new Blob([text], { type: "message/rfc822" }));
    assert.equal(blob.size, text.length);
    const emails: Json = { e: { blobId: blob.blobId, mailboxIds: { [role("inbox")]: true } } };
    const [imported] = await jam.request(["Email/import", { accountId, emails }]) as Json;
    const { id } = imported.created.e;
    // A list with its emails, in one request.
    const [{ found, emails: list, threads }] = await jam.requestMany((t: Json) => {
      const found = t.Email.query({
        accountId,
        filter: { inMailbox: role("inbox") },
        sort: [{ property: "receivedAt", isAscending: false }],
        collapseThreads: true,
        limit: 20,
      });
      const emails = t.Email.get({
        accountId,
        ids: found.$ref("/ids"),
        properties: ["threadId", "subject", "from", "preview"],
      });
      const threads = t.Thread.get({ accountId, ids: emails.$ref("/list/*/threadId") });
      return { found, emails, threads };
    }) as Json;
    assert.deepEqual(found.ids, [id]);
    assert.equal(list.list[0].subject, "for jam");
    assert.deepEqual(threads.list[0].emailIds, [id]);
    const state = list.state;
    const [{ list: identities }] = await jam.api.Identity.get({ accountId }) as Json;
    const [answer] = await jam.requestMany((t: Json) => {
      const draft = t.Email.set({
        accountId,
        create: {
          d: {
            mailboxIds: { [role("drafts")]: true },
            keywords: { $draft: true },
            from: [{ name: "Ann", email: "ann@mox.example" }],
            to: [{ name: "Bo", email: "bo@to.example" }],
            subject: "from jam",
            bodyValues: { b: { value: "Hello from a client.\n" } },
            textBody: [{ partId: "b", type: "text/plain" }],
          },
        },
      });
      const sent = t.EmailSubmission.set({
        accountId,
        create: { s: { identityId: identities[0].id, emailId: "#d" } },
        onSuccessUpdateEmail: {
          "#s": {
            [`mailboxIds/${role("drafts")}`]: null,
            [`mailboxIds/${role("sent")}`]: true,
            "keywords/$draft": null,
          },
        },
      });
      return { draft, sent };
    }) as Json;
    // The client keeps the last response of a call: that of the Email/set that follows (RFC 8621 §7.5).
    assert.deepEqual(Object.values(answer.sent.updated), [null], JSON.stringify(answer));
    await server.queue.idle();
    assert.match(host.mails[0].data, /^Subject: from jam\r$/m);
    const [changes] = await jam.api.Email.changes({ accountId, sinceState: state }) as Json;
    assert.equal(changes.created.length, 1);
    const [after] = await jam.api.Email.get({ accountId, ids: changes.created }) as Json;
    assert.deepEqual(after.list[0].mailboxIds, { [role("sent")]: true });
    const r = await jam.downloadBlob({
      accountId,
      blobId: after.list[0].blobId,
      mimeType: "message/rfc822",
      fileName: "sent.eml",
    });
    assert.equal(r.headers.get("content-type"), "message/rfc822");
    assert.match(await r.text(), /Hello from a client\./);
    const [gone] = await jam.api.Email.set({ accountId, destroy: [id] }) as Json;
    assert.deepEqual(gone.destroyed, [id]);
  }));
