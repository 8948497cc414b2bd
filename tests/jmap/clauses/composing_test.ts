/** The topics of Fastmail's JMAP-TestSuite on what an email that a client makes may be (RFC 8621 §4.6). */
import assert from "node:assert/strict";
import type { Json } from "../world.ts";
import { clauses, done, made, refusal } from "./clauses.ts";

clauses("JMAP-TestSuite: Email/set create, Mailbox/set create", async (clause, { ann }) => {
  const { inbox } = await ann.roles();
  const create = (o: Json) =>
    ann.call("Email/set", { create: { e: { mailboxIds: { [inbox]: true }, ...o } } });
  const get = async (r: Json, properties: string[], more: Json = {}) =>
    (await ann.call("Email/get", { ids: [made(r).id], properties, ...more })).list[0];
  const wrong = async (o: Json, ...properties: string[]) => {
    const e = refusal(await create(o));
    assert.equal(e.type, "invalidProperties", JSON.stringify([o, e]));
    assert.deepEqual(
      properties.filter((p) => !e.properties.some((x: string) => x.startsWith(p))),
      [],
      JSON.stringify([o, e]),
    );
  };
  const text = {
    textBody: [{ partId: "1", type: "text/plain" }],
    bodyValues: { "1": { value: "hello" } },
  };

  await clause("minimum-properties-required: a mailbox, and nothing else", async () => {
    await wrong({ mailboxIds: {} }, "mailboxIds");
    await wrong({ mailboxIds: null }, "mailboxIds");
    const m = made(await create({}));
    for (const k of ["id", "blobId", "threadId", "size"]) assert.ok(m[k], k);
  });
  await clause("no-date, no-message-id: the server gives both", async () => {
    const m = await get(await create(text), ["sentAt", "messageId", "receivedAt"]);
    assert.ok(!Number.isNaN(Date.parse(m.sentAt)));
    assert.equal(m.messageId.length, 1);
  });
  await clause("text-body, html-body, attachments, by value and by blobId", async () => {
    const html = {
      htmlBody: [{ partId: "h", type: "text/html" }],
      bodyValues: { "1": { value: "hello" }, h: { value: "<b>hi</b>" } },
    };
    const blobId = await ann.upload("file", "text/csv");
    const m = await get(
      await create({
        ...text,
        ...html,
        attachments: [{ blobId, type: "text/csv", name: "f.csv", disposition: "attachment" }],
      }),
      ["textBody", "htmlBody", "attachments", "bodyValues", "hasAttachment"],
      { fetchAllBodyValues: true },
    );
    assert.deepEqual([
      m.textBody[0].type,
      m.htmlBody[0].type,
      m.attachments[0].name,
      m.hasAttachment,
    ], ["text/plain", "text/html", "f.csv", true]);
    const byBlob = await get(
      await create({
        textBody: [{ blobId: await ann.upload("by blob", "text/plain"), type: "text/plain" }],
      }),
      ["textBody", "bodyValues"],
      { fetchTextBodyValues: true },
    );
    assert.match((Object.values(byBlob.bodyValues)[0] as Json).value, /by blob/);
  });
  await clause("only-one-part-in-text-body, -in-html-body, of the right type", async () => {
    const two = [{ partId: "1", type: "text/plain" }, { partId: "1", type: "text/plain" }];
    await wrong({ ...text, textBody: two }, "textBody");
    await wrong({
      ...text,
      htmlBody: [{ partId: "1", type: "text/html" }, { partId: "1", type: "text/html" }],
      textBody: undefined,
    }, "htmlBody");
    await wrong({ ...text, textBody: [{ partId: "1", type: "text/html" }] }, "textBody");
    await wrong(
      { htmlBody: [{ partId: "1", type: "text/plain" }], bodyValues: text.bodyValues },
      "htmlBody",
    );
  });
  await clause("no-duplicate-structural-representations", async () => {
    await wrong({ ...text, bodyStructure: { partId: "1", type: "text/plain" } });
  });
  await clause("body-structure, with parts in it", async () => {
    const m = await get(
      await create({
        bodyStructure: {
          type: "multipart/mixed",
          subParts: [{ partId: "1", type: "text/plain" }, {
            type: "multipart/alternative",
            subParts: [{ partId: "2", type: "text/plain" }, { partId: "3", type: "text/html" }],
          }],
        },
        bodyValues: { "1": { value: "a" }, "2": { value: "b" }, "3": { value: "c" } },
      }),
      ["bodyStructure"],
    );
    assert.deepEqual(m.bodyStructure.subParts.map((p: Json) => p.type), [
      "text/plain",
      "multipart/alternative",
    ]);
  });
  await clause("email-body-part-must-be-present, cannot-have-blobid-and-partid", async () => {
    await wrong({ textBody: [{ partId: "none", type: "text/plain" }], bodyValues: {} }, "textBody");
    await wrong({
      ...text,
      textBody: [{ partId: "1", blobId: await ann.upload("x", "text/plain"), type: "text/plain" }],
    }, "textBody");
    await wrong({ textBody: [{ type: "text/plain" }] }, "textBody");
  });
  await clause(
    "no-charset-with-partid, no-size-with-partid, size-with-blob-id-must-match",
    async () => {
      await wrong(
        { ...text, textBody: [{ partId: "1", type: "text/plain", charset: "utf-8" }] },
        "textBody",
      );
      await wrong(
        { ...text, textBody: [{ partId: "1", type: "text/plain", size: 5 }] },
        "textBody",
      );
      const blobId = await ann.upload("12345", "text/plain");
      await wrong({ attachments: [{ blobId, type: "text/plain", size: 6 }] }, "attachments");
      made(await create({ attachments: [{ blobId, type: "text/plain", size: 5 }] }));
    },
  );
  await clause(
    "email-body-value-restrictions: isEncodingProblem and isTruncated are false",
    async () => {
      for (const k of ["isEncodingProblem", "isTruncated"]) {
        await wrong({ ...text, bodyValues: { "1": { value: "x", [k]: true } } }, "bodyValues");
        made(await create({ ...text, bodyValues: { "1": { value: "x", [k]: false } } }));
      }
    },
  );
  await clause("blob-not-found names the blob", async () => {
    const e = refusal(await create({ attachments: [{ blobId: "Bnone", type: "text/plain" }] }));
    assert.deepEqual([e.type, e.notFound], ["blobNotFound", ["Bnone"]]);
  });
  await clause(
    "headers-property-forbidden, no-content-headers-top-level, content-transfer-encoding-not-allowed",
    async () => {
      await wrong({ ...text, headers: [{ name: "X-A", value: " b" }] }, "headers");
      await wrong({
        bodyStructure: { partId: "1", type: "text/plain", headers: [{ name: "X-A", value: " b" }] },
        bodyValues: text.bodyValues,
      }, "bodyStructure");
      await wrong({ ...text, "header:Content-Type": " text/plain" }, "header:Content-Type");
      await wrong(
        { ...text, "header:Content-Disposition:asText": "inline" },
        "header:Content-Disposition",
      );
      await wrong({
        bodyStructure: {
          partId: "1",
          type: "text/plain",
          "header:Content-Transfer-Encoding": " 8bit",
        },
        bodyValues: text.bodyValues,
      }, "header:Content-Transfer-Encoding");
    },
  );
  await clause(
    "no-duplicate-header-representations, body-structure-cannot-duplicate-headers-from-email",
    async () => {
      await wrong({ ...text, subject: "a", "header:Subject:asText": "b" });
      await wrong({ ...text, "header:X-A": " a", "header:x-a:asText": "b" });
      await wrong({
        subject: "a",
        bodyStructure: { partId: "1", type: "text/plain", "header:Subject:asText": "b" },
        bodyValues: text.bodyValues,
      });
    },
  );
  await clause("header-header-field-name: each form is written", async () => {
    const m = await get(
      await create({
        ...text,
        "header:X-Raw": " raw value",
        "header:X-Text:asText": "Grüße",
        "header:X-Addr:asAddresses": [{ name: "Jö", email: "jo@example.com" }],
        "header:X-Ids:asMessageIds": ["a@b", "c@d"],
        "header:X-Date:asDate": "2026-01-02T03:04:05Z",
        "header:X-Urls:asURLs": ["https://example.com/a"],
        "header:X-Many:asText:all": ["1", "2"],
      }),
      [
        "header:X-Raw",
        "header:X-Text:asText",
        "header:X-Addr:asAddresses",
        "header:X-Ids:asMessageIds",
        "header:X-Date:asDate",
        "header:X-Urls:asURLs",
        "header:X-Many:asText:all",
      ],
    );
    assert.deepEqual(Object.values(m).slice(1), [
      " raw value",
      "Grüße",
      [{ name: "Jö", email: "jo@example.com" }],
      ["a@b", "c@d"],
      m["header:X-Date:asDate"],
      ["https://example.com/a"],
      ["1", "2"],
    ]);
    assert.equal(Date.parse(m["header:X-Date:asDate"]), Date.parse("2026-01-02T03:04:05Z"));
    await wrong({ ...text, "header:Date:asAddresses": [] });
  });
  await clause("empty-set-fields-are-null", async () => {
    const r = await ann.call("Email/set", {});
    for (
      const k of ["created", "updated", "destroyed", "notCreated", "notUpdated", "notDestroyed"]
    ) assert.equal(r[k], null, k);
    const m = await ann.call("Mailbox/set", {});
    for (
      const k of ["created", "updated", "destroyed", "notCreated", "notUpdated", "notDestroyed"]
    ) assert.equal(m[k], null, k);
  });
  await clause(
    "Mailbox/set create: all-settable-fields-provided, defaults-omitted, immutable-fields, missing-required-fields",
    async () => {
      const make = (o: Json) => ann.call("Mailbox/set", { create: { e: o } });
      const all = { name: "All", parentId: inbox, role: null, sortOrder: 5, isSubscribed: true };
      const e = made(await make(all));
      for (const k of Object.keys(all)) assert.equal(k in e && k !== "role", false, k);
      const d = made(await make({ name: "Defaults" }));
      assert.deepEqual([
        d.parentId ?? null,
        d.role ?? null,
        d.sortOrder,
        d.totalEmails,
        d.unreadEmails,
        d.totalThreads,
        d.unreadThreads,
        typeof d.isSubscribed,
        typeof d.myRights,
      ], [null, null, 0, 0, 0, 0, 0, "boolean", "object"]);
      for (
        const o of [{ id: "x" }, { totalEmails: 1 }, { unreadEmails: 1 }, { totalThreads: 1 }, {
          unreadThreads: 1,
        }, { myRights: {} }]
      ) {
        assert.deepEqual(refusal(await make({ name: "No", ...o })).properties, Object.keys(o));
      }
      assert.deepEqual(refusal(await make({ parentId: null })).properties, ["name"]);
      assert.equal(refusal(await make({ name: "Both", role: "inbox" })).type, "invalidProperties");
    },
  );
  await clause(
    "Mailbox/set destroy: with mail that is elsewhere too, and mail that is here alone",
    async () => {
      const m = made(await ann.call("Mailbox/set", { create: { e: { name: "Going" } } })).id;
      const both = made(await create({ mailboxIds: { [inbox]: true, [m]: true } })).id;
      const alone = made(await create({ mailboxIds: { [m]: true } })).id;
      done(await ann.call("Mailbox/set", { destroy: [m], onDestroyRemoveEmails: true }));
      const { list, notFound } = await ann.call("Email/get", {
        ids: [both, alone],
        properties: ["mailboxIds"],
      });
      assert.deepEqual([list, notFound], [[{ id: both, mailboxIds: { [inbox]: true } }], [alone]]);
    },
  );
});
