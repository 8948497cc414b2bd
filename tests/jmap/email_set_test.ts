/** Email/set, Email/copy, Email/query and changes (RFC 8621 §4.3-4.7, §5). */
import assert from "node:assert/strict";
import { parseMessage } from "../../src/mail/structure/structure.ts";
import { Client, type Json, withJmap, type World } from "./world.ts";
import { mail } from "./messages.ts";

async function source(w: World, c: Client, blobId: string): Promise<string> {
  const r = await fetch(`${w.base}download/${c.accountId}/${blobId}/x`, {
    headers: { authorization: c.authorization },
  });
  return await r.text();
}

Deno.test("RFC 8621 §4.6: Email/set composes a message from its properties", () =>
  withJmap(async (w) => {
    const { ann } = w;
    const { drafts } = await ann.roles();
    const picture = await ann.upload(new Uint8Array([137, 80, 78, 71, 0, 255]), "image/png");
    const { state } = await ann.call("Email/get", { ids: [] });
    const r = await ann.call("Email/set", {
      ifInState: state,
      create: {
        full: {
          mailboxIds: { [drafts]: true },
          keywords: { $draft: true, $seen: true },
          from: [{ name: "J\u00f6rg, A.", email: "ann@mox.example" }],
          to: [{ email: "bo@x.example" }, { name: null, email: "odd one@x.example" }],
          subject:
            "Gr\u00fc\u00dfe \u2014 eine lange Betreffzeile, die gefaltet werden muss, damit sie passt",
          sentAt: "2026-03-04T05:06:07+02:00",
          messageId: ["mine@x.example"],
          inReplyTo: ["p@x"],
          "header:X-Text:asText": "\u00e4",
          "header:X-Raw": " raw\r\n folded",
          "header:X-Many:asText:all": ["one", "two"],
          "header:List-Post:asURLs": ["mailto:x@y.example"],
          bodyValues: {
            t: { value: "Text\nwith \u20ac\n" },
            h: { value: "<p>HTML</p>", isTruncated: false, isEncodingProblem: false },
          },
          textBody: [{ partId: "t" }],
          htmlBody: [{ partId: "h", type: "text/html" }],
          attachments: [
            {
              blobId: picture,
              type: "image/png",
              name: "B\u00e4r.png",
              disposition: "inline",
              cid: "p1",
            },
            { blobId: picture, type: "image/png", name: "file.png", disposition: "attachment" },
          ],
        },
        least: { mailboxIds: { [drafts]: true } },
      },
    });
    assert.equal(r.notCreated, null);
    assert.deepEqual(Object.keys(r.created.full).sort(), ["blobId", "id", "size", "threadId"]);
    const text = await source(w, ann, r.created.full.blobId);
    assert.equal(new TextEncoder().encode(text).length, r.created.full.size);
    // deno-lint-ignore no-control-regex
    assert.match(text, /^[\x00-\x7f]*$/);
    assert.doesNotMatch(text, /[^\r]\n/);
    assert.ok(text.split("\r\n").every((l) => l.length <= 78 || /^=\?|^Content/.test(l)));
    assert.match(text, /^Date: Wed, 4 Mar 2026 05:06:07 \+0200\r$/m);
    assert.match(text, /^X-Raw: raw\r\n folded\r$/m);
    const e = await ann.email(r.created.full.id, [
      ...["from", "to", "subject", "sentAt", "messageId", "inReplyTo", "keywords", "mailboxIds"],
      ...["bodyStructure", "textBody", "htmlBody", "attachments", "bodyValues", "hasAttachment"],
      ...["header:X-Text:asText", "header:X-Many:asText:all", "header:List-Post:asURLs"],
    ], { fetchAllBodyValues: true });
    assert.deepEqual(e.from, [{ name: "J\u00f6rg, A.", email: "ann@mox.example" }]);
    assert.deepEqual(e.to[1], { name: null, email: '"odd one"@x.example' });
    assert.match(e.subject, /^Gr\u00fc\u00dfe \u2014 eine lange .* passt$/);
    assert.equal(e.sentAt, "2026-03-04T05:06:07+02:00");
    assert.deepEqual([e.messageId, e.inReplyTo], [["mine@x.example"], ["p@x"]]);
    assert.deepEqual(e.keywords, { $draft: true, $seen: true });
    assert.equal(e["header:X-Text:asText"], "\u00e4");
    assert.deepEqual(e["header:X-Many:asText:all"], ["one", "two"]);
    const tree = (p: Json): Json => p.subParts ? [p.type, ...p.subParts.map(tree)] : p.type;
    assert.deepEqual(tree(e.bodyStructure), [
      "multipart/mixed",
      [
        "multipart/alternative",
        "text/plain",
        ["multipart/related", "text/html", "image/png"],
      ],
      "image/png",
    ]);
    assert.equal(e.bodyValues[e.textBody[0].partId].value, "Text\nwith \u20ac\n");
    assert.equal(e.bodyValues[e.htmlBody[0].partId].value, "<p>HTML</p>");
    assert.deepEqual(e.attachments.map((a: Json) => [a.name, a.cid, a.disposition, a.size]), [
      ["B\u00e4r.png", "p1", "inline", 6],
      ["file.png", null, "attachment", 6],
    ]);
    assert.equal(e.hasAttachment, true);
    const least = await ann.email(r.created.least.id);
    assert.equal(least.messageId.length, 1);
    assert.ok(least.sentAt);
    assert.equal(least.from, null);
  }));

Deno.test("RFC 8621 §4.6: a structure of the client's own; parts of blobs", () =>
  withJmap(async (w) => {
    const { ann } = w;
    const { inbox } = await ann.roles();
    const inner = await ann.import(mail({ subject: "inner" }));
    const r = await ann.call("Email/set", {
      create: {
        s: {
          mailboxIds: { [inbox]: true },
          bodyStructure: {
            type: "multipart/mixed",
            "header:Content-Description:asText": "all of it",
            subParts: [
              { partId: "a", type: "text/plain", language: ["de"], "header:Content-X": " y" },
              { blobId: inner.blobId, type: "message/rfc822" },
              { type: "multipart/digest", subParts: [] },
            ],
          },
          bodyValues: { a: { value: "x".repeat(2000) } },
        },
      },
    });
    const e = await ann.email(r.created.s.id, ["bodyStructure", "bodyValues"], {
      fetchAllBodyValues: true,
      bodyProperties: ["type", "language", "header:Content-X:asText", "size", "blobId"],
    });
    assert.deepEqual(e.bodyStructure.subParts[0].language, ["de"]);
    assert.equal(e.bodyStructure.subParts[0]["header:Content-X:asText"], "y");
    assert.equal(e.bodyStructure.subParts[1].size, inner.size);
    assert.equal(e.bodyValues["1"].value, "x".repeat(2000));
    const parsed = parseMessage(new TextEncoder().encode(await source(w, ann, r.created.s.blobId)));
    assert.equal(parsed.root.parts[1].message?.type, "text");
  }));

Deno.test("RFC 8621 §4.6: what can't be created, by property", () =>
  withJmap(async ({ ann }) => {
    const { inbox } = await ann.roles();
    const to = { [inbox]: true };
    const text = { mailboxIds: to, bodyValues: { t: { value: "x" } } };
    const cases: Record<string, [Json, string[] | string]> = {
      mailboxes: [{}, ["mailboxIds"]],
      server: [{ mailboxIds: to, size: 5 }, ["size"]],
      id: [{ mailboxIds: to, id: "x", threadId: "y" }, ["id", "threadId"]],
      headers: [{ mailboxIds: to, headers: [] }, ["headers"]],
      unknown: [{ mailboxIds: to, nope: 1 }, ["nope"]],
      keyword: [{ mailboxIds: to, keywords: { x: false } }, ["keywords"]],
      keywords: [{ mailboxIds: to, keywords: [] }, ["keywords"]],
      subject: [{ mailboxIds: to, subject: 5 }, ["subject"]],
      from: [{ mailboxIds: to, from: "a@x" }, ["from"]],
      from2: [{ mailboxIds: to, from: [{ name: "x" }] }, ["from"]],
      sentAt: [{ mailboxIds: to, sentAt: "now" }, ["sentAt"]],
      twice: [{ mailboxIds: to, subject: "a", "header:Subject": " b" }, [
        "subject",
        "header:Subject",
      ]],
      form: [{ mailboxIds: to, "header:From:asDate": "x" }, ["header:From:asDate"]],
      inject: [{ mailboxIds: to, "header:X": "a\r\nBcc: evil@x" }, ["header:X"]],
      inject2: [{ mailboxIds: to, "header:X": "a\nBcc: evil@x" }, ["header:X"]],
      content: [{ mailboxIds: to, "header:Content-Type": " text/html" }, ["header:Content-Type"]],
      both: [
        { ...text, bodyStructure: { partId: "t" }, textBody: [{ partId: "t" }] },
        ["bodyStructure", "textBody"],
      ],
      two: [{ ...text, textBody: [{ partId: "t" }, { partId: "t" }] }, ["textBody"]],
      type: [{ ...text, textBody: [{ partId: "t", type: "text/html" }] }, ["textBody"]],
      part: [{ ...text, textBody: [{ partId: "u" }] }, ["textBody/0/partId"]],
      charset: [{ ...text, textBody: [{ partId: "t", charset: "utf-8" }] }, [
        "textBody/0/charset",
      ]],
      size: [{ ...text, textBody: [{ partId: "t", size: 1 }] }, ["textBody/0/size"]],
      neither: [{ ...text, textBody: [{}] }, ["textBody/0"]],
      encoding: [
        { ...text, textBody: [{ partId: "t", "header:Content-Transfer-Encoding": " 8bit" }] },
        ["header:Content-Transfer-Encoding"],
      ],
      truncated: [
        {
          mailboxIds: to,
          bodyValues: { t: { value: "x", isTruncated: true } },
          textBody: [{ partId: "t" }],
        },
        ["bodyValues/t/isTruncated"],
      ],
      attachments: [{ mailboxIds: to, attachments: {} }, ["attachments"]],
      blob: [{ mailboxIds: to, attachments: [{ blobId: `U${"0".repeat(32)}` }] }, "blobNotFound"],
    };
    const r = await ann.call("Email/set", {
      create: Object.fromEntries(Object.entries(cases).map(([k, [o]]) => [k, o])),
    });
    assert.equal(r.created, null);
    for (const [k, [, expected]] of Object.entries(cases)) {
      const e = r.notCreated[k];
      assert.deepEqual(e.properties ?? e.type, expected, `${k} ${JSON.stringify(e)}`);
    }
    assert.deepEqual(r.notCreated.blob.notFound, [`U${"0".repeat(32)}`]);
    assert.equal(r.oldState, r.newState);
  }));

Deno.test("RFC 8621 §4.6, RFC 8620 §5.3: updates by patch, and what can't be updated", () =>
  withJmap(async ({ ann }) => {
    const { inbox, archive, trash } = await ann.roles();
    const { id } = await ann.import(mail({}), inbox, { keywords: { $flagged: true } });
    const set = (patch: Json) => ann.call("Email/set", { update: { [id]: patch } });
    const before = await ann.email(id);
    let r = await set({
      "keywords/$seen": true,
      "keywords/$flagged": null,
      [`mailboxIds/${archive}`]: true,
    });
    assert.deepEqual(r.updated, { [id]: null });
    let e = await ann.email(id);
    assert.deepEqual(e.keywords, { $seen: true });
    assert.deepEqual(e.mailboxIds, { [inbox]: true, [archive]: true });
    r = await set({ keywords: { A: true, $Answered: true }, mailboxIds: { [trash]: true } });
    e = await ann.email(id);
    assert.deepEqual(e.keywords, { a: true, $answered: true });
    assert.deepEqual(e.mailboxIds, { [trash]: true });
    const state = r.newState;
    const bad: [Json, string, string[]?][] = [
      [{ "keywords/a b": true }, "invalidProperties"],
      [{ "keywords/x": false }, "invalidProperties"],
      [{ "keywords/x": "true" }, "invalidProperties"],
      [{ keywords: 5 }, "invalidProperties", ["keywords"]],
      [{ keywords: {}, "keywords/x": true }, "invalidPatch"],
      [{ "keywords/x/y": true }, "invalidPatch"],
      [{ mailboxIds: {} }, "invalidProperties", ["mailboxIds"]],
      [{ mailboxIds: null }, "invalidProperties", ["mailboxIds"]],
      [{ [`mailboxIds/${trash}`]: null }, "invalidProperties", ["mailboxIds"]],
      [{ "mailboxIds/M999": true }, "invalidProperties", ["mailboxIds"]],
      [{ "mailboxIds/#nope": true }, "invalidProperties", ["mailboxIds"]],
      [{ subject: "other" }, "invalidProperties", ["subject"]],
      [{ size: 1 }, "invalidProperties", ["size"]],
      [{ receivedAt: "2020-01-01T00:00:00Z" }, "invalidProperties", ["receivedAt"]],
      [{ nope: 1 }, "invalidProperties", ["nope"]],
      [{ "from/0/name": "x" }, "invalidPatch"],
    ];
    for (const [patch, type, properties] of bad) {
      const f = (await set(patch)).notUpdated?.[id];
      assert.equal(f?.type, type, JSON.stringify(patch));
      if (properties) assert.deepEqual(f.properties, properties, JSON.stringify(patch));
    }
    assert.equal((await ann.call("Email/get", { ids: [] })).state, state);
    const same = await set({ subject: before.subject, size: before.size, "keywords/z": true });
    assert.deepEqual(same.updated, { [id]: null });
    const other = await ann.call("Email/set", {
      update: { E999: {}, nope: {} },
      destroy: ["E998"],
    });
    assert.deepEqual(
      [other.notUpdated.E999.type, other.notUpdated.nope.type, other.notDestroyed.E998.type],
      ["notFound", "notFound", "notFound"],
    );
    const will = await ann.call("Email/set", { update: { [id]: {} }, destroy: [id] });
    assert.equal(will.notUpdated[id].type, "willDestroy");
    assert.deepEqual(will.destroyed, [id]);
    assert.equal((await ann.fails("Email/set", { update: [] })).type, "invalidArguments");
    assert.equal(
      (await ann.fails("Email/set", { create: { "a b": {} } })).type,
      "invalidArguments",
    );
    assert.equal(
      (await ann.fails("Email/set", {
        destroy: Array.from({ length: 1001 }, (_, i) => `E${i + 1}`),
      })).type,
      "requestTooLarge",
    );
  }));

Deno.test("RFC 8620 §5.3: creation ids are known to later calls, in destroy, update and mailboxIds", () =>
  withJmap(async ({ ann }) => {
    const r = await ann.post({
      using: ann.using,
      createdIds: {},
      methodCalls: [
        ["Mailbox/set", { accountId: "ann", create: { m: { name: "New" } } }, "0"],
        ["Email/set", {
          accountId: "ann",
          create: { e: { mailboxIds: { "#m": true }, subject: "s" } },
        }, "1"],
        ["Email/set", { accountId: "ann", update: { "#e": { "keywords/$seen": true } } }, "2"],
        ["Email/get", {
          accountId: "ann",
          "#ids": { resultOf: "1", name: "Email/set", path: "/created/e/id" },
        }, "3"],
      ],
    });
    const [m, e, u, g] = r.json.methodResponses;
    assert.deepEqual(r.json.createdIds, { m: m[1].created.m.id, e: e[1].created.e.id });
    assert.deepEqual(u[1].updated, { [e[1].created.e.id]: null });
    // A string is no array of ids.
    assert.equal(g[1].type, "invalidArguments");
    const email = await ann.email(e[1].created.e.id, ["mailboxIds", "keywords"]);
    assert.deepEqual(email.mailboxIds, { [m[1].created.m.id]: true });
    assert.deepEqual(email.keywords, { $seen: true });
  }));

Deno.test("RFC 8621 §4.3: Email/changes is exact, step by step, over a restart", () =>
  withJmap(async (w) => {
    const { ann } = w;
    const s0 = (await ann.call("Email/get", { ids: [] })).state;
    const a = await ann.import(mail({ id: "a", subject: "a" }));
    const b = await ann.import(mail({ id: "b", subject: "b" }));
    const s1 = (await ann.call("Email/get", { ids: [] })).state;
    const c = await ann.import(mail({ id: "c", subject: "c" }));
    const set = await ann.call("Email/set", {
      update: { [a.id]: { "keywords/$seen": true } },
      destroy: [b.id],
    });
    assert.equal((await ann.call("Email/get", { ids: [] })).state, set.newState);
    const changes = async (args: Json) => {
      const r = await ann.call("Email/changes", args);
      assert.equal(r.oldState, args.sinceState);
      return r;
    };
    const all = async (sinceState: string) => {
      const r = await changes({ sinceState });
      assert.equal(r.newState, set.newState);
      assert.equal(r.hasMoreChanges, false);
      return [r.created, r.updated, r.destroyed];
    };
    const check = async () => {
      // What came and went meanwhile isn't told.
      assert.deepEqual(await all(s0), [[a.id, c.id], [], []]);
      assert.deepEqual(await all(s1), [[c.id], [a.id], [b.id]]);
      assert.deepEqual(await all(set.newState), [[], [], []]);
    };
    await check();
    await w.restart();
    await check();
    // One at a time, nothing is lost, and it ends.
    for (const start of [s0, s1]) {
      const known = new Set(start === s0 ? [] : [a.id, b.id]);
      let since = start;
      for (let i = 0;; i++) {
        assert.ok(i < 20);
        const r = await changes({ sinceState: since, maxChanges: 1 });
        assert.ok(r.created.length + r.updated.length + r.destroyed.length <= 1);
        for (const id of r.created) known.add(id);
        for (const id of r.destroyed) known.delete(id);
        for (const id of r.updated) assert.ok(known.has(id));
        since = r.newState;
        if (!r.hasMoreChanges) break;
      }
      assert.deepEqual([...known].sort(), [a.id, c.id].sort());
      assert.equal(since, set.newState);
    }
    for (const sinceState of ["x", "", "-1", "999999999", "1-x"]) {
      assert.equal(
        (await ann.fails("Email/changes", { sinceState })).type,
        "cannotCalculateChanges",
      );
    }
    assert.equal((await ann.fails("Email/changes", {})).type, "invalidArguments");
    assert.equal(
      (await ann.fails("Email/changes", { sinceState: s1, maxChanges: 0 })).type,
      "invalidArguments",
    );
  }));

Deno.test("RFC 8621 §4.4: Email/query: every filter and sort, paging, anchors, threads", () =>
  withJmap(async ({ ann }) => {
    const { inbox, archive } = await ann.roles();
    const day = (n: number) => `2026-01-0${n}T00:00:00Z`;
    const add = async (m: Json, n: number, more: Json = {}) =>
      (await ann.import(mail(m), undefined, { receivedAt: day(n), ...more })).id;
    const a = await add(
      { id: "a", subject: "Zebra", from: "Zoe <z@x.example>", body: "the quick brown fox\n" },
      1,
      {
        keywords: { $seen: true },
      },
    );
    const b = await add({
      id: "b",
      subject: "Re: Zebra",
      references: "<a@x>",
      from: "amy@x.example",
      body: "lazy dog\n",
    }, 2);
    const c = await add(
      { id: "c", subject: "apple", to: "Carl <carl@x.example>", body: `${"long ".repeat(500)}\n` },
      3,
      {
        mailboxIds: { [inbox]: true, [archive]: true },
        keywords: { $flagged: true, Custom: true },
      },
    );
    const d = await add(
      {
        id: "d",
        subject: "Banana",
        more:
          "X-Tag: red\nCc: cc@x.example\nBcc: bcc@x.example\nContent-Type: multipart/mixed; boundary=b\n",
        body:
          "--b\n\nfox\n--b\nContent-Type: text/csv\nContent-Disposition: attachment; filename=f.csv\n\n1\n--b--\n",
      },
      4,
      { mailboxIds: { [archive]: true } },
    );
    const q = async (args: Json) => (await ann.call("Email/query", args)).ids;
    const asc = [{ property: "receivedAt" }];
    const filters: [Json, string[]][] = [
      [null, [a, b, c, d]],
      [{}, [a, b, c, d]],
      [{ inMailbox: inbox }, [a, b, c]],
      [{ inMailbox: "M999" }, []],
      [{ inMailboxOtherThan: [inbox] }, [c, d]],
      [{ inMailboxOtherThan: [inbox, archive] }, []],
      [{ before: day(3) }, [a, b]],
      [{ after: day(3) }, [c, d]],
      [{ minSize: 1000 }, [c]],
      [{ maxSize: 1000 }, [a, b, d]],
      [{ hasKeyword: "$seen" }, [a]],
      [{ hasKeyword: "CUSTOM" }, [c]],
      [{ notKeyword: "$seen" }, [b, c, d]],
      [{ allInThreadHaveKeyword: "$seen" }, []],
      [{ someInThreadHaveKeyword: "$seen" }, [a, b]],
      [{ noneInThreadHaveKeyword: "$seen" }, [c, d]],
      [{ hasAttachment: true }, [d]],
      [{ hasAttachment: false }, [a, b, c]],
      [{ text: "fox" }, [a, d]],
      [{ text: "quick zebra" }, [a]],
      [{ text: '"quick brown"' }, [a]],
      [{ text: '"brown quick"' }, []],
      [{ from: "ZOE" }, [a]],
      [{ to: "carl@x" }, [c]],
      [{ cc: "cc@x.example" }, [d]],
      [{ bcc: "bcc" }, [d]],
      [{ subject: "zebra" }, [a, b]],
      [{ body: "dog" }, [b]],
      [{ header: ["X-Tag"] }, [d]],
      [{ header: ["x-tag", "RED"] }, [d]],
      [{ header: ["X-Tag", "blue"] }, []],
      [{ subject: "zebra", notKeyword: "$seen" }, [b]],
      [{ operator: "OR", conditions: [{ hasKeyword: "$seen" }, { body: "dog" }] }, [a, b]],
      [{ operator: "NOT", conditions: [{ hasKeyword: "$seen" }, { body: "dog" }] }, [c, d]],
      [{
        operator: "AND",
        conditions: [{ inMailbox: inbox }, { operator: "NOT", conditions: [{ text: "fox" }] }],
      }, [b, c]],
      [{ operator: "AND", conditions: [] }, [a, b, c, d]],
      [{ operator: "OR", conditions: [] }, []],
    ];
    for (const [filter, ids] of filters) {
      assert.deepEqual(await q({ filter, sort: asc }), ids, JSON.stringify(filter));
    }
    const sorts: [Json[], string[]][] = [
      [[], [d, c, b, a]],
      [[{ property: "receivedAt", isAscending: false }], [d, c, b, a]],
      [[{ property: "subject" }, { property: "receivedAt" }], [c, d, a, b]],
      [[{ property: "from" }, { property: "receivedAt" }], [c, d, b, a]],
      [[{ property: "to", isAscending: false }, { property: "receivedAt" }], [c, a, b, d]],
      [[{ property: "sentAt" }, { property: "receivedAt", isAscending: false }], [d, c, b, a]],
      [[{ property: "hasKeyword", keyword: "$seen", isAscending: false }, {
        property: "receivedAt",
      }], [a, b, c, d]],
      [[{ property: "someInThreadHaveKeyword", keyword: "$flagged" }, { property: "receivedAt" }], [
        a,
        b,
        d,
        c,
      ]],
      [[{ property: "allInThreadHaveKeyword", keyword: "$seen" }, { property: "receivedAt" }], [
        a,
        b,
        c,
        d,
      ]],
    ];
    for (const [sort, ids] of sorts) assert.deepEqual(await q({ sort }), ids, JSON.stringify(sort));
    const [largest] = await q({ sort: [{ property: "size", isAscending: false }] });
    assert.equal(largest, c);
    assert.deepEqual(await q({ sort: asc, collapseThreads: true }), [a, c, d]);
    assert.deepEqual(await q({ collapseThreads: true }), [d, c, b]);

    const page = async (args: Json) => {
      const r = await ann.call("Email/query", { sort: asc, ...args });
      return [r.position, r.ids, r.total, r.limit];
    };
    assert.deepEqual(await page({ position: 1, limit: 2 }), [1, [b, c], undefined, undefined]);
    assert.deepEqual(await page({ position: -1, calculateTotal: true }), [3, [d], 4, undefined]);
    assert.deepEqual(await page({ position: -9 }), [0, [a, b, c, d], undefined, undefined]);
    assert.deepEqual(await page({ position: 9, calculateTotal: true }), [9, [], 4, undefined]);
    assert.deepEqual(await page({ limit: 0, calculateTotal: true }), [0, [], 4, undefined]);
    assert.deepEqual(await page({ anchor: c, limit: 1 }), [2, [c], undefined, undefined]);
    assert.deepEqual(await page({ anchor: c, anchorOffset: -1, limit: 2, position: 77 }), [
      1,
      [b, c],
      undefined,
      undefined,
    ]);
    assert.deepEqual(await page({ anchor: a, anchorOffset: -5, limit: 1 }), [
      0,
      [a],
      undefined,
      undefined,
    ]);
    const fails = async (args: Json) => (await ann.fails("Email/query", args)).type;
    assert.equal(await fails({ anchor: "E999" }), "anchorNotFound");
    assert.equal(await fails({ limit: -1 }), "invalidArguments");
    assert.equal(await fails({ position: 1.5 }), "invalidArguments");
    assert.equal(await fails({ filter: { nope: 1 } }), "unsupportedFilter");
    assert.equal(await fails({ filter: { before: "x" } }), "invalidArguments");
    assert.equal(await fails({ filter: { minSize: "5" } }), "invalidArguments");
    assert.equal(await fails({ filter: { header: [] } }), "invalidArguments");
    assert.equal(await fails({ filter: { operator: "XOR", conditions: [] } }), "invalidArguments");
    assert.equal(await fails({ filter: { operator: "AND" } }), "invalidArguments");
    assert.equal(await fails({ sort: [{ property: "nope" }] }), "unsupportedSort");
    assert.equal(
      await fails({ sort: [{ property: "subject", collation: "x" }] }),
      "unsupportedSort",
    );
    assert.equal(await fails({ sort: [{ property: "hasKeyword" }] }), "invalidArguments");
    assert.equal(await fails({ sort: "receivedAt" }), "invalidArguments");
    assert.equal(await fails({ nope: 1 }), "invalidArguments");
  }));

Deno.test("RFC 8621 §4.5: Email/queryChanges leads from the old results to the new", () =>
  withJmap(async ({ ann }) => {
    const { inbox, archive } = await ann.roles();
    const ids: string[] = [];
    for (let i = 0; i < 8; i++) {
      const m = mail({
        id: `q${i}`,
        subject: i % 3 === 1 ? `Re: s${i - 1}` : `s${i}`,
        references: i % 3 === 1 ? `<q${i - 1}@x>` : undefined,
      });
      ids.push((await ann.import(m, inbox, { receivedAt: `2026-01-0${i + 1}T00:00:00Z` })).id);
    }
    const queries: Json[] = [
      { filter: { inMailbox: inbox }, sort: [{ property: "receivedAt", isAscending: false }] },
      { filter: { inMailbox: inbox }, collapseThreads: true },
      {
        filter: { notKeyword: "$seen" },
        sort: [{ property: "subject" }, { property: "receivedAt" }],
      },
      { filter: { someInThreadHaveKeyword: "$seen" }, sort: [{ property: "receivedAt" }] },
      { sort: [{ property: "hasKeyword", keyword: "$seen" }, { property: "receivedAt" }] },
      {
        filter: { after: "2026-01-03T00:00:00Z" },
        sort: [{ property: "receivedAt" }],
        collapseThreads: true,
      },
    ];
    const before = [];
    for (const q of queries) before.push(await ann.call("Email/query", q));
    await ann.import(mail({ id: "n", subject: "Re: s6", references: "<q6@x>" }), inbox, {
      receivedAt: "2026-01-09T00:00:00Z",
    });
    await ann.call("Email/set", {
      update: {
        [ids[0]]: { "keywords/$seen": true },
        [ids[4]]: { mailboxIds: { [archive]: true } },
        [ids[5]]: { "keywords/$flagged": true },
      },
      destroy: [ids[1], ids[7]],
    });
    for (const [i, q] of queries.entries()) {
      const r = await ann.call("Email/queryChanges", {
        ...q,
        sinceQueryState: before[i].queryState,
        calculateTotal: true,
      });
      const after = await ann.call("Email/query", { ...q, calculateTotal: true });
      assert.equal(r.oldQueryState, before[i].queryState);
      assert.equal(r.newQueryState, after.queryState);
      assert.equal(r.total, after.total);
      const list: string[] = before[i].ids.filter((id: string) => !r.removed.includes(id));
      for (const { id, index } of r.added) list.splice(index, 0, id);
      assert.deepEqual(list, after.ids, JSON.stringify(q));
      const none = await ann.call("Email/queryChanges", { ...q, sinceQueryState: r.newQueryState });
      assert.deepEqual([none.removed, none.added], [[], []]);
      assert.equal(
        (await ann.fails("Email/queryChanges", {
          ...q,
          sinceQueryState: before[i].queryState,
          maxChanges: 1,
        })).type,
        "tooManyChanges",
      );
    }
    assert.equal(
      (await ann.fails("Email/queryChanges", { sinceQueryState: "x" })).type,
      "cannotCalculateChanges",
    );
  }));

Deno.test("RFC 8621 §5: SearchSnippet/get marks what was found, escaped", () =>
  withJmap(async ({ ann }) => {
    const body = `${"filler text here. ".repeat(30)}a <b>needle</b> & more needles ${
      "after it. ".repeat(30)
    }`;
    const { id } = await ann.import(mail({ subject: "A Needle <in> hay", body }));
    const r = await ann.call("SearchSnippet/get", {
      filter: { text: "needle" },
      emailIds: [id, "E99"],
    });
    assert.equal(r.list[0].subject, "A <mark>Needle</mark> &lt;in&gt; hay");
    assert.match(
      r.list[0].preview,
      /&lt;b&gt;<mark>needle<\/mark>&lt;\/b&gt; &amp; more <mark>needle<\/mark>s/,
    );
    assert.ok(new TextEncoder().encode(r.list[0].preview).length <= 255);
    assert.deepEqual(r.notFound, ["E99"]);
    const s = await ann.call("SearchSnippet/get", { filter: { subject: "hay" }, emailIds: [id] });
    assert.deepEqual([s.list[0].subject, s.list[0].preview, s.notFound], [
      "A Needle &lt;in&gt; <mark>hay</mark>",
      null,
      null,
    ]);
    const none = await ann.call("SearchSnippet/get", { filter: null, emailIds: [id] });
    assert.deepEqual(none.list, [{ emailId: id, subject: null, preview: null }]);
    assert.equal(
      (await ann.fails("SearchSnippet/get", { filter: { x: 1 }, emailIds: [] })).type,
      "unsupportedFilter",
    );
  }));

Deno.test("RFC 8621 §4.7, RFC 8620 §6.3: shared mailboxes: seen, read, copied, as far as rights go", () =>
  withJmap(async ({ ann, bob, server }) => {
    const { inbox } = await ann.roles();
    const shared =
      (await ann.call("Mailbox/set", { create: { s: { name: "Shared" } } })).created.s.id;
    const mine = await ann.import(mail({ id: "private" }), inbox);
    const email = await ann.import(mail({ id: "shared" }), shared);
    const account = await server.accounts.open("ann");
    try {
      const { changeRights } = await import("../../src/store/mailboxes/rights.ts");
      const grant = async (rights: string) =>
        await changeRights(account, account.mailboxByName("Shared")!.id, "bob", () => rights);
      const { shares } = server;
      await shares!.add("ann", "bob");
      await grant("lr");
      const session = (await bob.raw("session")).json;
      assert.equal(session.accounts.ann.isPersonal, false);
      const view = new Client(bob.base, bob.login, "ann");
      view.using = bob.using;
      const boxes = await view.call("Mailbox/get", {});
      assert.deepEqual(boxes.list.map((m: Json) => [m.id, m.name, m.totalEmails]), [[
        shared,
        "Shared",
        1,
      ]]);
      assert.equal(boxes.list[0].myRights.mayAddItems, false);
      assert.deepEqual((await view.call("Email/query", {})).ids, [email.id]);
      assert.equal(await view.email(mine.id), undefined);
      assert.equal((await view.raw(`download/ann/${mine.blobId}/x`)).status, 404);
      assert.equal((await view.raw(`download/ann/${email.blobId}/x`)).status, 200);
      const refused = await view.call("Email/set", {
        update: { [email.id]: { "keywords/$seen": true } },
        create: { x: { mailboxIds: { [shared]: true } } },
      });
      assert.equal(refused.notUpdated[email.id].type, "forbidden");
      assert.equal(refused.notCreated.x.type, "forbidden");
      const gone = await view.call("Email/set", { destroy: [email.id] });
      assert.equal(gone.notDestroyed[email.id].type, "forbidden");
      const to = (await bob.roles()).inbox;
      const copied = await bob.calls([["Email/copy", {
        fromAccountId: "ann",
        create: {
          ok: { id: email.id, mailboxIds: { [to]: true }, keywords: { $flagged: true } },
          no: { id: mine.id, mailboxIds: { [to]: true } },
        },
        onSuccessDestroyOriginal: true,
      }, "c"]]);
      assert.equal(copied[0][1].notCreated.no.type, "notFound");
      const made = copied[0][1].created.ok;
      assert.deepEqual((await bob.email(made.id)).messageId, ["shared@x"]);
      // The original stays, as it may not be removed.
      assert.deepEqual([copied[1][0], copied[1][2]], ["Email/set", "c"]);
      assert.equal(copied[1][1].notDestroyed[email.id].type, "forbidden");
      const blob = await bob.call("Blob/copy", {
        fromAccountId: "ann",
        blobIds: [email.blobId, mine.blobId],
      });
      assert.deepEqual(Object.keys(blob.copied), [email.blobId]);
      assert.equal(blob.notCopied[mine.blobId].type, "notFound");
      await grant("lrswite");
      const now = await view.call("Email/set", {
        update: { [email.id]: { "keywords/$seen": true } },
      });
      assert.deepEqual(now.updated, { [email.id]: null });
      const moved = await view.call("Email/set", { destroy: [email.id] });
      assert.deepEqual(moved.destroyed, [email.id]);
      const self = await bob.fails("Email/copy", { fromAccountId: "bob", create: {} });
      assert.equal(self.type, "invalidArguments");
      assert.equal(
        (await bob.fails("Email/copy", { fromAccountId: "zed", create: {} })).type,
        "fromAccountNotFound",
      );
    } finally {
      account.close();
    }
  }));
