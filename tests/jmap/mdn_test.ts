/** Notes that a message was read (RFC 9007). */
import assert from "node:assert/strict";
import { parseMdn } from "../../src/mail/dsn/mdn.ts";
import { withJmap } from "./world.ts";

const asked = (id: string, more = "") =>
  `From: Pat <pat@to.example>\r\nTo: ann@mox.example\r\nSubject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\r\n` +
  `Date: Mon, 30 Nov 2026 10:00:00 +0000\r\nMessage-ID: <${id}@to.example>\r\n${more}\r\nHello\r\n`;
const wants = "Disposition-Notification-To: Pat <pat@to.example>\r\n";
const disposition = {
  actionMode: "manual-action",
  sendingMode: "mdn-sent-manually",
  type: "displayed",
};

Deno.test("RFC 9007 §2.1: a note is sent to who asked, once; the message says so", () =>
  withJmap(async ({ ann, host }) => {
    const e = await ann.import(asked("m1", wants));
    const other = await ann.import(asked("m2"));
    const third = await ann.import(asked("m4", wants));
    const [identity] = (await ann.call("Identity/get")).list;
    const r = await ann.calls([["MDN/send", {
      identityId: identity.id,
      send: {
        a: {
          forEmailId: e.id,
          subject: "Gelesen: Grüße",
          textBody: "Ja, gelesen.\n",
          reportingUA: "test; mox",
          includeOriginalMessage: true,
          disposition,
          extensionFields: { "X-Ours": "yes" },
        },
        b: { forEmailId: other.id, disposition },
        c: { forEmailId: "E999", disposition },
        d: { forEmailId: third.id, disposition: { ...disposition, type: "eaten" } },
        e: { forEmailId: third.id, disposition, extensionFields: { "A\r\nB": "x" } },
      },
      onSuccessUpdateEmail: { "#a": { "keywords/$seen": true } },
    }, "0"]]);
    assert.deepEqual(r.map((x) => x[0]), ["MDN/send", "Email/set"]);
    assert.deepEqual(r[0][1].sent, {
      a: { finalRecipient: "rfc822; ann@mox.example", originalMessageId: "<m1@to.example>" },
    });
    const types = Object.entries(r[0][1].notSent).map((
      [k, x],
    ) => [k, (x as { type: string }).type]);
    assert.deepEqual(types, [
      ["b", "forbidden"],
      ["c", "notFound"],
      ["d", "invalidProperties"],
      ["e", "invalidProperties"],
    ]);
    assert.deepEqual((await ann.email(e.id, ["keywords"])).keywords, {
      $mdnsent: true,
      $seen: true,
    });
    const again = await ann.call("MDN/send", {
      identityId: identity.id,
      send: { a: { forEmailId: e.id, disposition } },
    });
    assert.equal(again.notSent.a.type, "mdnAlreadySent");
    for (let i = 0; host.mails.length === 0; i++) {
      assert.ok(i < 600, "no mail came");
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const [mail] = host.mails;
    assert.deepEqual(mail.to, ["pat@to.example"]);
    const read = parseMdn(new TextEncoder().encode(mail.data))!;
    assert.equal(read.text, "Ja, gelesen.\r\n");
    assert.deepEqual(read.disposition, disposition);
    assert.equal(read.originalMessageId, "<m1@to.example>");
    assert.deepEqual(read.extensionFields, [["x-ours", "yes"]]);
    assert.ok(read.includesOriginal);
    // RFC 9007 §2.2: what comes back can be read.
    const blob = await ann.upload(mail.data);
    const none = await ann.upload(asked("m3"));
    const parsed = await ann.call("MDN/parse", {
      blobIds: [blob, none, "U00000000000000000000000000000000"],
    });
    assert.deepEqual(parsed.notParsable, [none]);
    assert.equal(parsed.notFound.length, 1);
    const mdn = parsed.parsed[blob];
    assert.equal(mdn.forEmailId, e.id);
    assert.equal(mdn.reportingUA, "test; mox");
    assert.equal(mdn.includeOriginalMessage, true);
    assert.deepEqual(mdn.extensionFields, { "x-ours": "yes" });
  }));
