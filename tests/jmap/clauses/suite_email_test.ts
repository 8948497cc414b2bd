/** The topics of the public suite jmap-test-suite (RFC 8620 and 8621), each asked in our own words: emails. */
import assert from "node:assert/strict";
import type { Json } from "../world.ts";
import { clauses, done, made, refusal } from "./clauses.ts";
import { letter, seed } from "./seed.ts";

clauses("jmap-test-suite: emails", async (clause, w) => {
  const { ann } = w;
  const { inbox, a, b, e } = await seed(ann);
  const get = async (name: string, properties: string[], more: Json = {}) =>
    (await ann.call("Email/get", { ids: [e[name] ?? name], properties, ...more })).list[0];
  const nameOf = new Map(Object.entries(e).map(([k, id]) => [id, k]));
  const query = async (filter: Json, more: Json = {}) =>
    (await ann.call("Email/query", { filter, ...more })).ids.map((id: string) =>
      nameOf.get(id) ?? id
    ) as string[];
  const has = async (filter: Json, yes: string[], no: string[]) => {
    const found = await query(filter);
    assert.deepEqual([yes.filter((x) => !found.includes(x)), no.filter((x) => found.includes(x))], [
      [],
      [],
    ], JSON.stringify([filter, found]));
  };

  await clause("email/get-*", async () => {
    const m = await get("plain", [
      "id",
      "blobId",
      "threadId",
      "mailboxIds",
      "keywords",
      "size",
      "receivedAt",
      "hasAttachment",
      "preview",
    ]);
    assert.deepEqual(
      Object.values(m).map((x) => typeof x).sort(),
      ["boolean", "number", "object", "object", "string", "string", "string", "string", "string"],
    );
    assert.match(m.preview, /conference/);
    assert.match(m.receivedAt, /Z$/);
    assert.deepEqual((await get("both", ["mailboxIds"])).mailboxIds, { [inbox]: true, [a]: true });
    assert.deepEqual((await get("keywords", ["keywords"])).keywords, {
      $seen: true,
      $forwarded: true,
      custom_label: true,
    });
    assert.deepEqual(
      [(await get("attachment", ["hasAttachment"])).hasAttachment, m.hasAttachment],
      [true, false],
    );
    const t = await ann.call("Email/get", {
      ids: [e.first, e.second, e.third, "none-xyz"],
      properties: ["threadId"],
    });
    assert.deepEqual([new Set(t.list.map((x: Json) => x.threadId)).size, t.notFound], [1, [
      "none-xyz",
    ]]);
  });
  await clause("email/header-*", async () => {
    const m = await get("third", [
      "from",
      "to",
      "cc",
      "subject",
      "sentAt",
      "messageId",
      "inReplyTo",
      "references",
    ]);
    assert.deepEqual(m.from, [{ name: "Bob Jones", email: "bob@example.org" }]);
    assert.deepEqual([m.to.length, m.cc[0].email, m.messageId, m.inReplyTo, m.references], [
      2,
      "charlie@example.net",
      ["t3@seed"],
      ["t2@seed"],
      ["t1@seed", "t2@seed"],
    ]);
    assert.ok(!Number.isNaN(Date.parse(m.sentAt)));
    assert.equal((await get("nosubject", ["subject"])).subject, "");
    assert.equal((await get("words", ["from"])).from[0].name, "金城武");
    assert.equal((await get("bcc", ["bcc"])).bcc[0].email, "secret@example.com");
    const forms = await get("list", [
      "header:Subject",
      "header:Subject:asText",
      "header:From:asAddresses",
      "header:From:asGroupedAddresses",
      "header:Message-ID:asMessageIds",
      "header:Date:asDate",
      "header:List-Unsubscribe:asURLs",
      "header:X-Custom-Header:asText",
      "header:subject:asText",
      "header:SUBJECT:asText",
    ]);
    assert.deepEqual(
      [
        forms["header:Subject"],
        forms["header:Subject:asText"],
        forms["header:subject:asText"],
        forms["header:SUBJECT:asText"],
        forms["header:X-Custom-Header:asText"],
      ],
      [" Post", "Post", "Post", "Post", "custom-value-1"],
    );
    assert.deepEqual([
      forms["header:List-Unsubscribe:asURLs"],
      forms["header:Message-ID:asMessageIds"],
    ], [["https://example.com/unsub"], ["list@seed"]]);
    assert.deepEqual(forms["header:From:asGroupedAddresses"], [{
      name: null,
      addresses: forms["header:From:asAddresses"],
    }]);
  });
  await clause("email/body-*", async () => {
    const structure = await get("attachment", ["bodyStructure", "attachments", "htmlBody"], {
      bodyProperties: ["partId", "blobId", "type", "name", "disposition", "size", "subParts"],
    });
    assert.deepEqual([
      structure.bodyStructure.type,
      structure.bodyStructure.subParts.length,
      structure.attachments[0].name,
    ], ["multipart/mixed", 2, "report.pdf"]);
    assert.ok(structure.attachments[0].blobId);
    const few = await get("attachment", ["bodyStructure"], { bodyProperties: ["partId", "type"] });
    assert.deepEqual(Object.keys(few.bodyStructure).sort(), ["partId", "subParts", "type"]);
    const alt = await get("alternative", ["textBody", "htmlBody", "bodyValues"], {
      bodyProperties: ["partId", "type"],
      fetchAllBodyValues: true,
    });
    assert.deepEqual([
      alt.textBody[0].type,
      alt.htmlBody[0].type,
      Object.keys(alt.bodyValues).length,
    ], ["text/plain", "text/html", 2]);
    const plain = await get("plain", ["textBody", "bodyValues"], { fetchTextBodyValues: true });
    const [v] = Object.values(plain.bodyValues) as Json[];
    assert.deepEqual([v.isTruncated, v.isEncodingProblem, /conference/.test(v.value)], [
      false,
      false,
      true,
    ]);
    const html = await get("alternative", ["htmlBody", "bodyValues"], {
      fetchHTMLBodyValues: true,
    });
    assert.match((Object.values(html.bodyValues)[0] as Json).value, /Weekly Digest/);
    const cut = await get("large", ["bodyValues"], {
      fetchTextBodyValues: true,
      maxBodyValueBytes: 100,
    });
    const [c] = Object.values(cut.bodyValues) as Json[];
    assert.deepEqual([c.isTruncated, c.value.length <= 100], [true, true]);
    const rel = await get("related", ["bodyStructure"], {
      bodyProperties: ["type", "cid", "subParts"],
    });
    assert.equal(rel.bodyStructure.subParts[1].cid, "i@x");
    const korean = await ann.import(
      "From: =?EUC-KR?B?seS/tbjR?= <k@example.com>\r\nSubject: x\r\nContent-Type: text/plain; charset=EUC-KR\r\nContent-Transfer-Encoding: base64\r\n\r\nxde9usauIMDMuN7Az8DUtM+02Q==\r\n",
    );
    const k = await get(korean.id, ["bodyValues"], { fetchTextBodyValues: true });
    assert.deepEqual((Object.values(k.bodyValues)[0] as Json).value, "테스트 이메일입니다");
  });
  await clause("email/filter-*", async () => {
    const ago = (hours: number) => new Date(Date.now() - hours * 3_600_000).toISOString();
    await has({ inMailbox: inbox }, ["plain", "both"], ["old", "large"]);
    await has({ inMailboxOtherThan: [inbox] }, ["old", "both"], ["plain"]);
    await has({ before: ago(119) }, ["old", "both"], ["keywords"]);
    await has({ after: ago(119) }, ["keywords"], ["old"]);
    await has({ minSize: 10000 }, ["large"], ["plain"]);
    await has({ maxSize: 1000 }, ["plain"], ["large"]);
    await has({ hasKeyword: "$flagged" }, ["attachment"], ["plain"]);
    await has({ notKeyword: "$seen" }, ["second"], ["plain"]);
    await has({ hasAttachment: true }, ["attachment"], ["plain", "related"]);
    await has({ hasAttachment: false }, ["plain", "related"], ["attachment"]);
    await has({ text: "Project Alpha" }, ["third"], ["plain"]);
    await has({ text: "xylophone" }, ["third"], ["second"]);
    await has({ from: "alice@example.com" }, ["plain", "second"], ["third"]);
    await has({ to: "alice@example.com" }, ["first", "third"], ["second"]);
    await has({ cc: "charlie@example.net" }, ["third"], ["plain"]);
    await has({ bcc: "secret@example.com" }, ["bcc"], ["plain"]);
    await has({ subject: "Financial Report" }, ["attachment"], ["plain"]);
    await has({ body: "conference room" }, ["plain"], ["third"]);
    await has({ header: ["X-Custom-Header"] }, ["list"], ["plain"]);
    await has({ header: ["X-Custom-Header", "custom-value-1"] }, ["list"], ["plain"]);
    await has({ header: ["X-Custom-Header", "other"] }, [], ["list"]);
    await has({ someInThreadHaveKeyword: "$answered" }, ["first", "second", "third"], ["plain"]);
    await has({ noneInThreadHaveKeyword: "$answered" }, ["plain"], ["first", "second", "third"]);
    await has({ allInThreadHaveKeyword: "$seen" }, ["plain"], ["first"]);
    const and = (operator: string, ...conditions: Json[]) => ({ operator, conditions });
    await has(and("AND", { hasKeyword: "$seen" }, { inMailbox: inbox }), ["plain"], [
      "second",
      "old",
    ]);
    await has(and("OR", { hasKeyword: "$flagged" }, { hasKeyword: "$answered" }), [
      "attachment",
      "third",
    ], ["plain"]);
    await has(and("NOT", { hasKeyword: "$seen" }), ["second"], ["plain"]);
    await has(
      and("OR", and("AND", { inMailbox: inbox }, { hasKeyword: "$seen" }), {
        hasKeyword: "$flagged",
      }),
      ["plain", "sort1"],
      ["large"],
    );
    await has({ inMailbox: inbox, hasKeyword: "$flagged" }, ["attachment"], ["sort1"]);
    const all = await ann.call("Email/query", { filter: {}, calculateTotal: true });
    assert.ok(all.total >= Object.keys(e).length);
    assert.equal(
      (await ann.call("Email/query", { filter: null, calculateTotal: true })).total,
      all.total,
    );
  });
  await clause("email/sort-*", async () => {
    const inB = (sort: Json[]) => query({ inMailbox: b }, { sort });
    assert.deepEqual(await inB([{ property: "receivedAt", isAscending: true }]), [
      "large",
      "sort0",
      "sort1",
      "sort2",
    ]);
    assert.deepEqual(await inB([{ property: "receivedAt", isAscending: false }]), [
      "sort2",
      "sort1",
      "sort0",
      "large",
    ]);
    assert.deepEqual(await inB([{ property: "size" }]), ["sort2", "sort0", "sort1", "large"]);
    assert.deepEqual(await inB([{ property: "from" }]), ["sort1", "large", "sort2", "sort0"]);
    assert.deepEqual(await inB([{ property: "subject" }]), ["sort0", "sort1", "sort2", "large"]);
    assert.deepEqual(await inB([{ property: "sentAt" }]), ["large", "sort0", "sort1", "sort2"]);
    assert.equal(
      (await inB([{ property: "hasKeyword", keyword: "$flagged", isAscending: false }]))[0],
      "sort1",
    );
    await query(null, {
      sort: [{ property: "to" }, { property: "receivedAt", isAscending: false }, {
        property: "subject",
      }],
    });
    assert.equal(
      (await ann.fails("Email/query", { sort: [{ property: "nosuch" }] })).type,
      "unsupportedSort",
    );
  });
  await clause("email/paging-*", async () => {
    const sort = [{ property: "receivedAt", isAscending: false }];
    const all = (await ann.call("Email/query", { sort })).ids;
    const q = (more: Json) => ann.call("Email/query", { sort, ...more });
    for (
      const [more, position, ids] of [
        [{ position: 0, limit: 5 }, 0, all.slice(0, 5)],
        [{ position: 2, limit: 3 }, 2, all.slice(2, 5)],
        [{ position: -3 }, all.length - 3, all.slice(-3)],
        [{ anchor: all[2], limit: 3 }, 2, all.slice(2, 5)],
        [{ anchor: all[3], anchorOffset: -1, limit: 3 }, 2, all.slice(2, 5)],
        [{ anchor: all[0], anchorOffset: -5, limit: 2 }, 0, all.slice(0, 2)],
      ] as [Json, number, string[]][]
    ) {
      const r = await q(more);
      assert.deepEqual([r.position, r.ids], [position, ids], JSON.stringify(more));
    }
    assert.deepEqual((await q({ position: 99_999 })).ids, []);
    assert.equal((await q({ limit: 0, calculateTotal: true })).total, all.length);
  });
  await clause("email/collapse-threads-*", async () => {
    const sort = [{ property: "receivedAt", isAscending: false }];
    const q = (more: Json) =>
      ann.call("Email/query", { sort, collapseThreads: true, calculateTotal: true, ...more });
    const alpha = await q({ filter: { subject: "Project Alpha" } });
    assert.deepEqual([alpha.ids, alpha.total], [[e.third], 1]);
    const all = await q({});
    assert.equal(all.total, all.ids.length);
    const { list } = await ann.call("Email/get", { ids: all.ids, properties: ["threadId"] });
    assert.equal(new Set(list.map((x: Json) => x.threadId)).size, list.length);
    assert.ok((await q({ filter: { inMailbox: a } })).ids.includes(e.first));
  });
  await clause("email/set-*, changes-*", async () => {
    const set = (args: Json) => ann.call("Email/set", args);
    const { state } = await ann.call("Email/get", { ids: [] });
    const r = await set({
      create: { e: letter(inbox, { keywords: { $draft: true, $seen: true } }) },
    });
    const m = made(r);
    assert.deepEqual(
      [typeof m.blobId, typeof m.threadId, typeof m.size, r.oldState === r.newState],
      ["string", "string", "number", false],
    );
    made(
      await set({
        create: { e: letter(inbox, { bodyStructure: { type: "text/html", partId: "1" } }) },
      }),
    );
    const two = made(
      await set({
        create: {
          e: letter(inbox, {
            bodyStructure: {
              type: "multipart/alternative",
              subParts: [{ type: "text/plain", partId: "t" }, { type: "text/html", partId: "h" }],
            },
            bodyValues: { t: { value: "x" }, h: { value: "<p>x" } },
          }),
        },
      }),
    );
    assert.deepEqual((await get(two.id, ["textBody", "htmlBody"])).htmlBody[0].type, "text/html");
    const pdf = await ann.upload("%PDF", "application/pdf");
    const att = made(
      await set({
        create: {
          e: letter(inbox, {
            bodyStructure: {
              type: "multipart/mixed",
              subParts: [{ type: "text/plain", partId: "1" }, {
                type: "application/pdf",
                blobId: pdf,
                name: "t.pdf",
                disposition: "attachment",
              }],
            },
          }),
        },
      }),
    );
    assert.equal((await get(att.id, ["hasAttachment"])).hasAttachment, true);
    const refs = await ann.calls([
      ["Mailbox/set", { create: { n: { name: "By reference" } } }, "1"],
      ["Email/set", { create: { x: letter("#n") } }, "2"],
    ]);
    assert.ok(refs[1][1].created?.x, JSON.stringify(refs[1]));
    done(
      await set({
        update: {
          [m.id]: { "keywords/$flagged": true, "keywords/$draft": null, [`mailboxIds/${b}`]: true },
        },
      }),
    );
    const got = await get(m.id, ["keywords", "mailboxIds"]);
    assert.deepEqual(got, {
      id: m.id,
      keywords: { $seen: true, $flagged: true },
      mailboxIds: { [inbox]: true, [b]: true },
    });
    done(await set({ update: { [m.id]: { keywords: {}, [`mailboxIds/${inbox}`]: null } } }));
    assert.deepEqual(await get(m.id, ["keywords", "mailboxIds"]), {
      id: m.id,
      keywords: {},
      mailboxIds: { [b]: true },
    });
    done(
      await set({
        update: { [m.id]: { mailboxIds: { [a]: true } } },
        ifInState: (await ann.call("Email/get", { ids: [] })).state,
      }),
    );
    assert.equal((await ann.fails("Email/set", { ifInState: state })).type, "stateMismatch");
    assert.equal(
      refusal(await set({ update: { "none-xyz": { "keywords/$seen": true } } }), "notUpdated").type,
      "notFound",
    );
    assert.equal(refusal(await set({ destroy: ["none-xyz"] }), "notDestroyed").type, "notFound");
    assert.deepEqual((await set({ destroy: [two.id] })).destroyed, [two.id]);
    const c = await ann.call("Email/changes", { sinceState: state });
    assert.ok(
      c.created.includes(m.id) && !c.created.includes(two.id) && !c.destroyed.includes(two.id),
    );
    const few = await ann.call("Email/changes", { sinceState: state, maxChanges: 1 });
    assert.deepEqual([
      few.hasMoreChanges,
      few.created.length + few.updated.length + few.destroyed.length,
    ], [true, 1]);
  });
  await clause("email/query-changes-*", async () => {
    const asked = {
      filter: { inMailbox: inbox },
      sort: [{ property: "receivedAt", isAscending: false }],
    };
    const was = await ann.call("Email/query", asked);
    const none = await ann.call("Email/queryChanges", {
      ...asked,
      sinceQueryState: was.queryState,
    });
    assert.deepEqual([none.added, none.removed, none.oldQueryState], [[], [], was.queryState]);
    const { id } = made(await ann.call("Email/set", { create: { e: letter(inbox) } }));
    const added = await ann.call("Email/queryChanges", {
      ...asked,
      sinceQueryState: was.queryState,
    });
    assert.deepEqual(added.added, [{ id, index: 0 }]);
    done(await ann.call("Email/set", { destroy: [id] }));
    const gone = await ann.call("Email/queryChanges", {
      ...asked,
      sinceQueryState: added.newQueryState,
    });
    assert.ok(gone.removed.includes(id));
    await ann.call("Email/queryChanges", {
      filter: null,
      sinceQueryState: (await ann.call("Email/query", { filter: null })).queryState,
    });
  });
  await clause("email/import-*, parse-*", async () => {
    const text =
      "From: i@example.com\r\nTo: ann@mox.example\r\nSubject: Imported\r\nMessage-ID: <i@x>\r\n\r\nthe body for parsing\r\n";
    const blobId = await ann.upload(text, "message/rfc5322");
    const i = await ann.call("Email/import", {
      emails: {
        e: {
          blobId,
          mailboxIds: { [b]: true },
          keywords: { $seen: true },
          receivedAt: "2025-06-15T10:30:00Z",
        },
      },
    });
    assert.deepEqual([typeof made(i).size, typeof i.newState], ["number", "string"]);
    const got = await get(made(i).id, ["subject", "keywords", "receivedAt", "mailboxIds"]);
    assert.deepEqual([got.subject, got.keywords, got.receivedAt, got.mailboxIds], [
      "Imported",
      { $seen: true },
      "2025-06-15T10:30:00Z",
      { [b]: true },
    ]);
    const none = await ann.call("Email/import", {
      emails: { e: { blobId: "nonexistent-xyz", mailboxIds: { [b]: true } } },
    });
    assert.equal(refusal(none).type, "invalidProperties");
    const noise = await ann.upload("this is not an email", "application/octet-stream");
    const bad = await ann.call("Email/import", {
      emails: { e: { blobId: noise, mailboxIds: { [b]: true } } },
    });
    assert.equal(refusal(bad).type, "invalidEmail");
    const p = await ann.call("Email/parse", {
      blobIds: [blobId, noise, "nonexistent-xyz"],
      fetchTextBodyValues: true,
      properties: [
        "id",
        "blobId",
        "threadId",
        "mailboxIds",
        "keywords",
        "receivedAt",
        "subject",
        "from",
        "textBody",
        "bodyValues",
      ],
    });
    assert.deepEqual([p.notFound, p.notParsable], [["nonexistent-xyz"], [noise]]);
    const m = p.parsed[blobId];
    assert.deepEqual([
      m.id,
      m.threadId,
      m.mailboxIds,
      m.keywords,
      m.receivedAt,
      m.subject,
      m.from[0].email,
    ], [null, null, null, null, null, "Imported", "i@example.com"]);
    assert.match((Object.values(m.bodyValues)[0] as Json).value, /for parsing/);
  });
  await clause("search-snippet/*", async () => {
    const s = async (text: string, emailIds: string[]) =>
      await ann.call("SearchSnippet/get", { emailIds, filter: { text } });
    const hit = (await s("xylophone", [e.third, e.plain])).list;
    assert.match(hit[0].preview, /<mark>xylophone<\/mark>/i);
    assert.deepEqual([hit[1].emailId, hit[1].subject, hit[1].preview], [e.plain, null, null]);
    assert.match((await s("Financial", [e.attachment])).list[0].subject, /<mark>Financial<\/mark>/);
    assert.deepEqual((await s("x", ["none-xyz"])).notFound, ["none-xyz"]);
  });
});
