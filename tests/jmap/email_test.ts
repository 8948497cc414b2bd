/** Emails by JMAP (RFC 8621 §4): reading, with the forms of header fields and the parts of bodies. */
import { asMailboxId } from "../../src/store/ids.ts";
import assert from "node:assert/strict";
import { type Json, withJmap } from "./world.ts";
import { mail } from "./messages.ts";

const mixed = `From: "Al, the first" <al@x.example>, =?utf-8?q?B=C3=BCrger?= <b@x.example>
To: Friends: ann@mox.example, Bo <bo@x.example>;, solo@x.example
Cc: "quoted@part"@x.example
Subject: =?utf-8?b?SGVsbMO2?= there
Message-ID: <m1@x>
In-Reply-To: <p1@x> <p2@x>
Date: Thu, 1 Jan 2026 10:00:00 +0530
List-Post: <mailto:list@x.example>, <https://x.example/post>
X-Odd: one
X-Odd:  two
 lines
MIME-Version: 1.0
Content-Type: multipart/mixed; boundary=out

--out
Content-Type: multipart/alternative; boundary=alt

--alt
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

Gr=FC=DFe
--alt
Content-Type: multipart/related; boundary=rel

--rel
Content-Type: text/html; charset=utf-8

<p>Gr\u00fc\u00dfe <img src="cid:pic@x"></p>
--rel
Content-Type: image/png; name="pic.png"
Content-Transfer-Encoding: base64
Content-ID: <pic@x>
Content-Disposition: inline

iVBORw0KGgo=
--rel--
--alt--
--out
Content-Type: application/pdf
Content-Transfer-Encoding: base64
Content-Disposition: attachment; filename*=utf-8''r%C3%A9sum%C3%A9.pdf
Content-Language: de, en
Content-Location: http://x.example/a b

JVBERi0=
--out
Content-Type: message/rfc822

Subject: inner
From: in@x.example
Content-Type: multipart/mixed; boundary=in

--in

inner text
--in
Content-Type: text/csv
Content-Transfer-Encoding: base64

YSxi
--in--
--out--
`;

Deno.test("RFC 8621 §4.2: Email/get gives what is asked for, all presets, and invalidArguments otherwise", () =>
  withJmap(async ({ ann }) => {
    const made = await ann.import(mixed, undefined, {
      keywords: { $seen: true, Custom: true },
      receivedAt: "2026-01-02T03:04:05Z",
    });
    const e = await ann.email(made.id);
    assert.deepEqual(Object.keys(e).sort(), [
      ...["attachments", "bcc", "blobId", "bodyValues", "cc", "from", "hasAttachment", "htmlBody"],
      ...["id", "inReplyTo", "keywords", "mailboxIds", "messageId", "preview", "receivedAt"],
      ...[
        "references",
        "replyTo",
        "sender",
        "sentAt",
        "size",
        "subject",
        "textBody",
        "threadId",
        "to",
      ],
    ]);
    assert.deepEqual(e.keywords, { $seen: true, custom: true });
    assert.equal(e.receivedAt, "2026-01-02T03:04:05Z");
    assert.equal(e.size, made.size);
    assert.equal(e.blobId, made.blobId);
    assert.equal(e.threadId, made.threadId);
    assert.deepEqual(e.from, [
      { name: "Al, the first", email: "al@x.example" },
      { name: "B\u00fcrger", email: "b@x.example" },
    ]);
    assert.deepEqual(e.to, [
      { name: null, email: "ann@mox.example" },
      { name: "Bo", email: "bo@x.example" },
      { name: null, email: "solo@x.example" },
    ]);
    assert.deepEqual(e.cc, [{ name: null, email: '"quoted@part"@x.example' }]);
    assert.equal(e.bcc, null);
    assert.equal(e.subject, "Hell\u00f6 there");
    assert.deepEqual(e.messageId, ["m1@x"]);
    assert.deepEqual(e.inReplyTo, ["p1@x", "p2@x"]);
    assert.equal(e.references, null);
    assert.equal(e.sentAt, "2026-01-01T10:00:00+05:30");
    assert.equal(e.hasAttachment, true);
    assert.match(e.preview, /Gr\u00fc\u00dfe/);
    assert.deepEqual(e.bodyValues, {});
    const none = await ann.call("Email/get", { ids: [made.id], properties: [] });
    assert.deepEqual(none.list, [{ id: made.id }]);
    const missing = await ann.call("Email/get", {
      ids: [made.id, made.id, "E999", "x"],
      properties: ["id"],
    });
    assert.deepEqual([missing.list.length, missing.notFound], [1, ["E999", "x"]]);
    for (
      const args of [
        { properties: ["nope"] },
        { properties: ["header:"] },
        { properties: ["header:From:asDate"] },
        { properties: ["header:Subject:asAddresses"] },
        { properties: ["header:X:asNothing"] },
        { properties: ["header:X:all:asText"] },
        { properties: "id" },
        { bodyProperties: ["nope"] },
        { maxBodyValueBytes: -1 },
        { fetchAllBodyValues: "yes" },
      ]
    ) {
      const r = await ann.fails("Email/get", { ids: [], ...args });
      assert.equal(r.type, "invalidArguments", JSON.stringify(args));
    }
    const many = Array.from({ length: 1001 }, (_, i) => `E${i + 1}`);
    assert.equal((await ann.fails("Email/get", { ids: many })).type, "requestTooLarge");
  }));

Deno.test("RFC 8621 §4.1.2: header fields in each form, and all of a name", () =>
  withJmap(async ({ ann }) => {
    const { id } = await ann.import(mixed);
    const names = [
      "header:X-Odd",
      "header:x-odd:asText",
      "header:X-Odd:all",
      "header:X-Odd:asText:all",
      "header:X-None",
      "header:X-None:all",
      "header:To:asGroupedAddresses",
      "header:From:asAddresses",
      "header:List-Post:asURLs",
      "header:Message-ID:asMessageIds",
      "header:Date:asDate",
      "header:Subject",
      "header:X-Odd:asDate",
      "header:X-Odd:asURLs",
      "header:X-Odd:asMessageIds",
      "header:Received",
    ];
    const e = await ann.email(id, names);
    assert.equal(e["header:X-Odd"], "  two\r\n lines");
    assert.equal(e["header:x-odd:asText"], "two lines");
    assert.deepEqual(e["header:X-Odd:all"], [" one", "  two\r\n lines"]);
    assert.deepEqual(e["header:X-Odd:asText:all"], ["one", "two lines"]);
    assert.equal(e["header:X-None"], null);
    assert.deepEqual(e["header:X-None:all"], []);
    assert.deepEqual(e["header:To:asGroupedAddresses"], [
      {
        name: "Friends",
        addresses: [
          { name: null, email: "ann@mox.example" },
          { name: "Bo", email: "bo@x.example" },
        ],
      },
      { name: null, addresses: [{ name: null, email: "solo@x.example" }] },
    ]);
    assert.deepEqual(e["header:List-Post:asURLs"], [
      "mailto:list@x.example",
      "https://x.example/post",
    ]);
    assert.deepEqual(e["header:Message-ID:asMessageIds"], ["m1@x"]);
    assert.equal(e["header:Date:asDate"], "2026-01-01T10:00:00+05:30");
    assert.equal(e["header:Subject"], " =?utf-8?b?SGVsbMO2?= there");
    assert.equal(e["header:X-Odd:asDate"], null);
    assert.equal(e["header:X-Odd:asURLs"], null);
    assert.equal(e["header:X-Odd:asMessageIds"], null);
    assert.equal(e["header:Received"], null);
    const all = await ann.email(id, ["headers"]);
    assert.equal(all.headers[0].name, "From");
    assert.deepEqual(all.headers.map((h: Json) => h.name).slice(-4), [
      "X-Odd",
      "X-Odd",
      "MIME-Version",
      "Content-Type",
    ]);
  }));

Deno.test("RFC 8621 §4.1.4: structure, text and HTML, attachments, values and blobs of parts", () =>
  withJmap(async ({ ann, base }) => {
    const { id, blobId } = await ann.import(mixed);
    const e = await ann.email(id, [
      "bodyStructure",
      "textBody",
      "htmlBody",
      "attachments",
      "bodyValues",
    ], {
      fetchAllBodyValues: true,
      bodyProperties: [
        ...["partId", "blobId", "size", "name", "type", "charset", "disposition", "cid"],
        ...["language", "location", "subParts", "header:Content-Type:asText"],
      ],
    });
    const tree = (p: Json): Json => p.subParts ? [p.type, ...p.subParts.map(tree)] : p.partId;
    assert.deepEqual(tree(e.bodyStructure), [
      "multipart/mixed",
      ["multipart/alternative", "1_1", ["multipart/related", "1_2_1", "1_2_2"]],
      "2",
      "3",
    ]);
    assert.equal(e.bodyStructure.partId, null);
    assert.equal(e.bodyStructure.blobId, null);
    const ids = (l: Json[]) => l.map((p) => p.partId);
    assert.deepEqual(ids(e.textBody), ["1_1"]);
    assert.deepEqual(ids(e.htmlBody), ["1_2_1"]);
    assert.deepEqual(ids(e.attachments), ["1_2_2", "2", "3"]);
    assert.deepEqual(e.bodyValues["1_1"], {
      value: "Gr\u00fc\u00dfe",
      isEncodingProblem: false,
      isTruncated: false,
    });
    assert.match(e.bodyValues["1_2_1"].value, /^<p>/);
    const [pic, pdf, inner] = e.attachments;
    assert.deepEqual([pic.name, pic.cid, pic.disposition, pic.size, pic.charset], [
      "pic.png",
      "pic@x",
      "inline",
      8,
      null,
    ]);
    assert.deepEqual([pdf.name, pdf.language, pdf.type, pdf.size], [
      "r\u00e9sum\u00e9.pdf",
      ["de", "en"],
      "application/pdf",
      5,
    ]);
    assert.equal(pdf["header:Content-Type:asText"], "application/pdf");
    assert.equal(inner.type, "message/rfc822");
    const download = async (b: string) =>
      await (await fetch(`${base}download/ann/${b}/x`, {
        headers: { authorization: ann.authorization },
      })).text();
    assert.equal(await download(pdf.blobId), "%PDF-");
    assert.equal(await download(e.textBody[0].blobId), "Gr\ufffd\ufffde");
    assert.match(await download(inner.blobId), /^Subject: inner/);
    assert.equal(await download(blobId), mixed.replaceAll("\n", "\r\n"));

    // RFC 8621 §4.9: the message in it, and its parts.
    const p = await ann.call("Email/parse", {
      blobIds: [inner.blobId, "Unope", pdf.blobId],
      fetchAllBodyValues: true,
    });
    const parsed = p.parsed[inner.blobId];
    assert.equal(parsed.subject, "inner");
    assert.equal(parsed.bodyValues["1"].value, "inner text");
    assert.equal("mailboxIds" in parsed, false);
    assert.equal(await download(parsed.attachments[0]?.blobId ?? parsed.textBody[1].blobId), "a,b");
    assert.deepEqual(p.notFound, ["Unope"]);
    assert.deepEqual(p.notParsable, [pdf.blobId]);
    const m = await ann.call("Email/parse", {
      blobIds: [inner.blobId],
      properties: ["id", "mailboxIds", "from"],
    });
    assert.deepEqual(m.parsed[inner.blobId].mailboxIds, null);
    assert.equal((await ann.fails("Email/parse", { blobIds: "x" })).type, "invalidArguments");
  }));

Deno.test("RFC 8621 §4.9: a message that is attached in base64, against RFC 2046, is read too", () =>
  withJmap(async ({ ann }) => {
    const inner = btoa("From: in@x.example\r\nSubject: inside\r\n\r\ntext\r\n");
    const { id } = await ann.import(
      mail({
        more: "Content-Type: multipart/mixed; boundary=b\n",
        body:
          `--b\nContent-Type: message/rfc822\nContent-Transfer-Encoding: base64\n\n${inner}\n--b--\n`,
      }),
    );
    const { attachments } = await ann.email(id, ["attachments"]);
    const { blobId } = attachments[0];
    const p = await ann.call("Email/parse", { blobIds: [blobId], properties: ["subject", "from"] });
    assert.deepEqual(p.parsed[blobId], {
      subject: "inside",
      from: [{ name: null, email: "in@x.example" }],
    });
  }));

Deno.test("RFC 8621 §4.1.4: truncation, and problems of encodings", () =>
  withJmap(async ({ ann }) => {
    const text = async (message: string, more: Json = {}) => {
      const { id } = await ann.import(message);
      const e = await ann.email(id, ["bodyValues"], { fetchAllBodyValues: true, ...more });
      return e.bodyValues["1"];
    };
    const type = (t: string) =>
      `From: a@x\nContent-Type: ${t}\nContent-Transfer-Encoding: 8bit\n\n`;
    const cut = await text(`${type("text/plain; charset=utf-8")}ab\u20accd`, {
      maxBodyValueBytes: 4,
    });
    assert.deepEqual(cut, { value: "ab", isEncodingProblem: false, isTruncated: true });
    const tag = await text(`${type("text/html; charset=utf-8")}<p>one</p><p class="x">`, {
      maxBodyValueBytes: 15,
    });
    assert.deepEqual(tag, { value: "<p>one</p>", isEncodingProblem: false, isTruncated: true });
    const whole = await text(`${type("text/plain; charset=utf-8")}a\r\nb\n`, {
      maxBodyValueBytes: 100,
    });
    assert.deepEqual(whole, { value: "a\nb\n", isEncodingProblem: false, isTruncated: false });
    assert.equal((await text(`${type("text/plain; charset=nope")}a`)).isEncodingProblem, true);
    assert.equal(
      (await text(`${type("text/plain; charset=utf-8").replace("8bit", "x-odd")}a`))
        .isEncodingProblem,
      true,
    );
    const blob = await ann.upload(
      new Uint8Array([
        ...new TextEncoder().encode("From: a@x\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"),
        0xff,
        0x41,
      ]),
    );
    const p = await ann.call("Email/parse", { blobIds: [blob], fetchAllBodyValues: true });
    assert.deepEqual(p.parsed[blob].bodyValues["1"], {
      value: "\ufffdA",
      isEncodingProblem: true,
      isTruncated: false,
    });
  }));

Deno.test("RFC 8621 §4.8: Email/import, and each of its errors", () =>
  withJmap(async ({ ann, bob }) => {
    const { inbox } = await ann.roles();
    const blobId = await ann.upload(
      "Received: from x by y; Fri, 2 Jan 2026 01:02:03 +0000\r\nFrom: a@x\r\nSubject: s\r\n\r\ntext",
    );
    const { state } = await ann.call("Email/get", { ids: [] });
    const to = { [inbox]: true };
    const r = await ann.call("Email/import", {
      ifInState: state,
      emails: {
        ok: { blobId, mailboxIds: to },
        again: {
          blobId,
          mailboxIds: to,
          keywords: { $flagged: true },
          receivedAt: "2020-01-01T00:00:00Z",
        },
        noMailbox: { blobId, mailboxIds: {} },
        noMailboxes: { blobId },
        lost: { blobId, mailboxIds: { M999: true } },
        off: { blobId, mailboxIds: { [inbox]: false } },
        noBlob: { blobId: "U00000000000000000000000000000000", mailboxIds: to },
        type: { blobId: 5, mailboxIds: to },
        keyword: { blobId, mailboxIds: to, keywords: { "a b": true } },
        date: { blobId, mailboxIds: to, receivedAt: "yesterday" },
        unknown: { blobId, mailboxIds: to, nope: 1 },
        binary: { blobId: await ann.upload(new Uint8Array([0, 1, 2, 3])), mailboxIds: to },
        empty: { blobId: await ann.upload(""), mailboxIds: to },
        // Of another's account.
        foreign: { blobId: await bob.upload("From: b@x\r\n\r\n"), mailboxIds: to },
      },
    });
    assert.deepEqual(Object.keys(r.created).sort(), ["again", "ok"]);
    assert.deepEqual(Object.keys(r.created.ok).sort(), ["blobId", "id", "size", "threadId"]);
    const errors = Object.fromEntries(
      Object.entries(r.notCreated).map(([k, e]: [string, Json]) => [k, e.properties ?? e.type]),
    );
    assert.deepEqual(errors, {
      noMailbox: ["mailboxIds"],
      noMailboxes: ["mailboxIds"],
      lost: ["mailboxIds"],
      off: ["mailboxIds"],
      noBlob: ["blobId"],
      type: ["blobId"],
      keyword: ["keywords"],
      date: ["receivedAt"],
      unknown: ["nope"],
      binary: "invalidEmail",
      empty: "invalidEmail",
      foreign: ["blobId"],
    });
    assert.equal((await ann.email(r.created.ok.id)).receivedAt, "2026-01-02T01:02:03Z");
    const again = await ann.email(r.created.again.id);
    assert.deepEqual([again.receivedAt, again.keywords], ["2020-01-01T00:00:00Z", {
      $flagged: true,
    }]);
    assert.equal(
      (await ann.fails("Email/import", { ifInState: state, emails: {} })).type,
      "stateMismatch",
    );
    assert.equal((await ann.fails("Email/import", {})).type, "invalidArguments");
  }));

Deno.test("RFC 8621 §4.1.1: one Email in several mailboxes: keywords are the union, both ways with IMAP", () =>
  withJmap(async ({ ann, server }) => {
    const { inbox, archive } = await ann.roles();
    const { id } = await ann.import(mail({ id: "k" }), inbox, {
      mailboxIds: { [inbox]: true, [archive]: true },
    });
    const account = await server.accounts.open("ann");
    try {
      const [a, b] = [account.mailboxByName("Inbox")!, account.mailboxByName("Archive")!];
      const flags = (m: number) => {
        const found: [number, string][] = [];
        account.fetch(
          asMailboxId(m),
          account.uids(asMailboxId(m)),
          0,
          (r) => void found.push([r.flags, r.keywords]),
        );
        return found;
      };
      // IMAP marks one message as seen and flags the other: the Email has both.
      await account.storeFlags(a.id, [1], "add", 1, ["one"]);
      await account.storeFlags(b.id, [1], "add", 4, ["two"]);
      const { state } = await ann.call("Email/get", { ids: [] });
      assert.deepEqual((await ann.email(id)).keywords, {
        $seen: true,
        $flagged: true,
        one: true,
        two: true,
      });
      // JMAP takes one away: from both.
      await ann.call("Email/set", {
        update: { [id]: { "keywords/$seen": null, "keywords/two": null } },
      });
      assert.deepEqual((await ann.email(id)).keywords, { $flagged: true, one: true });
      assert.deepEqual(flags(a.id), [[4, "one"]]);
      assert.deepEqual(flags(b.id), [[4, "one"]]);
      // A message that IMAP marks as deleted isn't there; when none is left, nor is the Email.
      await account.storeFlags(a.id, [1], "add", 8, []);
      assert.deepEqual((await ann.email(id)).mailboxIds, { [archive]: true });
      await account.storeFlags(b.id, [1], "add", 8, []);
      assert.equal(await ann.email(id), undefined);
      const gone = await ann.call("Email/changes", { sinceState: state });
      assert.deepEqual(gone.destroyed, [id]);
      assert.equal((await ann.call("Mailbox/get", { ids: [inbox] })).list[0].totalEmails, 0);
      await account.storeFlags(b.id, [1], "remove", 8, []);
      const back = await ann.call("Email/changes", { sinceState: gone.newState });
      assert.deepEqual([back.created, back.updated, back.destroyed], [[id], [], []]);
      // A change of the mailboxes: moved, so that what is known of its delivery stays.
      await ann.call("Email/set", { update: { [id]: { mailboxIds: { [inbox]: true } } } });
      assert.deepEqual((await ann.email(id)).mailboxIds, { [inbox]: true });
      assert.equal(account.uids(b.id).length, 0);
    } finally {
      account.close();
    }
  }));
