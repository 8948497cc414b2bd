/** Writing: messages as they leave, drafts that other programs can go on with, uploads. */
import assert from "node:assert/strict";
import { simpleParser } from "mailparser";
import { Flag } from "../../../src/store/types.ts";
import { UserError } from "../../../src/web/http/mod.ts";
import { composition, message, query, refused, withWebmail, type World } from "./server.ts";

const now = { draftId: null, sendAt: null, requireTls: null, archiveThread: false };

function header(w: World): string {
  return w.sent.at(-1)!.text.split("\r\n\r\n", 1)[0];
}

Deno.test("an answer goes to all recipients, without Bcc, and a copy with it is in Sent", async () => {
  await withWebmail(async (w) => {
    const asked = await w.deliver(message({
      subject: "=?utf-8?q?question_gr=C3=B6=C3=9Fer?=",
      id: "2@example.org",
      references: ["1@example.org"],
    }));
    const b = await w.login();
    const r = await b.call("Send", {
      ...now,
      composition: composition({
        to: ["Jörg Müller <joerg@bücher.example>", "Ann <ann@example.org>"],
        cc: ["team: bob@example.org, Carl <carl@example.org>;"],
        bcc: ["secret@example.org", "ann@example.org"],
        replyTo: "office@localhost",
        subject: "Re: question größer",
        text: "Hällo\n-- \nMox",
        inReplyTo: asked,
      }),
    });
    assert.deepEqual(r.warnings, []);
    const [m] = w.sent;
    assert.equal(m.account, "mox");
    assert.equal(m.mailFrom, "mox@localhost");
    assert.deepEqual(m.recipients, [
      "joerg@bücher.example",
      "ann@example.org",
      "bob@example.org",
      "carl@example.org",
      "secret@example.org",
    ]);
    assert.equal(m.smtputf8, false);
    assert.equal(m.has8bit, false);
    const head = header(w);
    assert.doesNotMatch(head, /secret|^bcc:/im);
    assert.match(head, /^From: Mox <mox@localhost>\r\n/);
    assert.match(head, /xn--bcher-kva\.example/);
    assert.match(head, /\r\nIn-Reply-To: <2@example\.org>\r\n/);
    assert.match(head, /\r\nReferences: <1@example\.org> <2@example\.org>\r\n/);
    assert.ok(m.text.split("\r\n").every((l) => l.length <= 998 && !/[\r\n]/.test(l)));
    const parsed = await simpleParser(m.text);
    assert.equal(parsed.subject, "Re: question größer");
    assert.equal(parsed.text, "Hällo\n-- \nMox");
    assert.equal(parsed.replyTo?.text, "office@localhost");
    // The copy is in the thread, seen, and knows the secret recipient; the question is answered.
    const sent = w.account.message(r.sentId!)!;
    assert.equal(sent.threadId, w.account.message(asked)!.threadId);
    assert.ok(sent.flags & Flag.Seen);
    assert.match(await b.text(`message/${r.sentId}/headers`), /^Bcc: secret@example\.org, ann@/);
    const shown = await b.call("MessageGet", { id: r.sentId! });
    assert.deepEqual(
      shown.recipients.bcc.map((a) => a.address),
      ["secret@example.org", "ann@example.org"],
    );
    assert.ok(w.account.message(asked)!.flags & Flag.Answered);
    const { addresses } = await b.call("AddressComplete", { text: "jör" });
    assert.deepEqual(addresses, [{ name: "Jörg Müller", address: "joerg@bücher.example" }]);
  });
});

Deno.test("a message with HTML, pictures in it, uploads and forwarded messages is built as mail is", async () => {
  await withWebmail(async (w) => {
    const forwarded = await w.deliver(message({ subject: "the/original", body: "grüße" }));
    const withFile = await w.deliver(message({
      more: 'MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary="b"',
      body: "--b\n\ntext\n--b\nContent-Type: application/pdf; name=doc.pdf\n" +
        `Content-Transfer-Encoding: base64\n\n${btoa("%PDF-1.4 content")}\n--b--`,
    }));
    const b = await w.login();
    const bytes = new Uint8Array(200_000).map((_, i) => (i * 31) & 255);
    const up = await (await b.upload("t%C3%A9st.bin", "application/x-thing", bytes)).json();
    const pic = await (await b.upload("p.png", "image/png", new Uint8Array([1, 2, 3]))).json();
    assert.equal(up.size, 200_000);
    await b.call("Send", {
      ...now,
      requireTls: false,
      composition: composition({
        html: '<p>see <img src="cid:pic1@page"></p>',
        attachments: [
          { kind: "upload", uploadId: up.uploadId, filename: "tést.bin", cid: "" },
          { kind: "upload", uploadId: pic.uploadId, filename: "p.png", cid: "pic1@page" },
          { kind: "message", messageId: forwarded },
          { kind: "part", messageId: withFile, path: "2", filename: "doc.pdf", cid: "" },
        ],
        forwards: [forwarded],
      }),
    });
    assert.equal(w.sent[0].has8bit, true);
    assert.match(header(w), /\r\nTLS-Required: No\r\n/);
    const parsed = await simpleParser(w.sent[0].text, { keepCidLinks: true });
    assert.equal(parsed.text, "Hello Ann,\nit works.\n");
    assert.match(parsed.html as string, /<img src="cid:pic1@page">/);
    assert.deepEqual(
      parsed.attachments.map((a) => [a.contentType, a.filename, a.related === true]),
      [
        ["image/png", "p.png", true],
        ["application/x-thing", "tést.bin", false],
        ["message/rfc822", "the original.eml", false],
        ["application/pdf", "doc.pdf", false],
      ],
    );
    assert.deepEqual(new Uint8Array(parsed.attachments[1].content), bytes);
    assert.equal(parsed.attachments[3].content.toString(), "%PDF-1.4 content");
    assert.ok(w.account.message(forwarded)!.flags & Flag.Forwarded);
    // An upload is used once.
    await refused(
      b.call("Send", {
        ...now,
        composition: composition({
          attachments: [{ kind: "upload", uploadId: up.uploadId, filename: "x", cid: "" }],
        }),
      }),
      "missing",
    );
  });
});

Deno.test("an address beyond ASCII makes a message in UTF-8", async () => {
  await withWebmail(async (w) => {
    const b = await w.login();
    await b.call("Send", {
      ...now,
      composition: composition({ to: ["Jörg <jörg@bücher.example>"], subject: "für dich" }),
    });
    const [m] = w.sent;
    assert.deepEqual([m.smtputf8, m.has8bit], [true, true]);
    assert.match(m.text, /\r\nTo: Jörg <jörg@bücher\.example>\r\nSubject: für dich\r\n/);
  });
});

Deno.test("a draft takes any text for an address, and says what is wrong when it is sent", async () => {
  await withWebmail(async (w) => {
    const b = await w.login();
    const odd = [
      "a@[1.2",
      'a@b"c',
      "a@-",
      "<>",
      "a@b:c",
      "@",
      "a@b@c",
      "a b@c",
      "ä@",
      "x@xn--a-ecp\u00df.",
    ];
    for (const to of odd) {
      const saved = await b.call("DraftSave", {
        draftId: null,
        composition: composition({ to: [to], from: { name: "", address: to } }),
      });
      const opened = await b.call("DraftGet", { id: saved.draftId! });
      assert.deepEqual(opened.composition.to, [to]);
    }
  });
});

Deno.test("what can't be sent is refused in words, and nothing is left behind", async () => {
  await withWebmail(async (w) => {
    const b = await w.login();
    const sent = w.account.mailboxByName("Sent")!;
    const send = (more: Parameters<typeof composition>[0], o: Partial<typeof now> = {}) =>
      b.call("Send", { ...now, ...o, composition: composition(more) });
    assert.match(await refused(send({ to: [] }), "user"), /someone/);
    assert.match(await refused(send({ to: ["nobody"] }), "user"), /"nobody" is not an email/);
    await refused(send({ to: ["a@b@c <"] }), "user");
    await refused(send({ from: { name: "", address: "" } }), "user");
    await refused(send({}, { sendAt: Date.now() + 100 * 86400_000 } as never), "user");
    const big = new Uint8Array(1_800_000);
    const up = await (await b.upload("big", "text/plain", big)).json();
    const attachments = [{
      kind: "upload",
      uploadId: up.uploadId,
      filename: "big",
      cid: "",
    }] as const;
    assert.match(await refused(send({ attachments: [...attachments] }), "size"), /too large/);
    const tooBig = await b.upload("big", "text/plain", new Uint8Array(2_100_000));
    assert.equal(tooBig.status, 413);
    assert.equal((await tooBig.json()).error.code, "size");
    assert.equal(w.sent.length, 0);
    assert.equal(w.account.mailbox(sent.id)!.total, 0);
    // Only the upload that was accepted is there.
    const left = [...Deno.readDirSync(`${w.dir}/tmp/webmail`)].map((e) => e.name);
    assert.deepEqual(left.length, 1);
  });
});

Deno.test("a refusal of the queue is told, and neither a copy nor a mark is made", async () => {
  await withWebmail(async (w) => {
    const asked = await w.deliver(message({ id: "1@x" }));
    const b = await w.login();
    const p = b.call("Send", { ...now, composition: composition({ inReplyTo: asked }) });
    assert.equal(
      await refused(p, "user"),
      "limit of 1000 messages a day (MaxOutgoingMessagesPerDay) reached",
    );
    assert.equal(w.account.mailboxByName("Sent")!.total, 0);
    assert.equal(w.account.message(asked)!.flags & Flag.Answered, 0);
  }, {
    submit: () =>
      Promise.reject(
        new UserError("limit of 1000 messages a day (MaxOutgoingMessagesPerDay) reached"),
      ),
  });
});

Deno.test("with TLS only, and the answered thread into the archive", async () => {
  await withWebmail(async (w) => {
    const first = await w.deliver(message({ subject: "x", id: "1@x" }));
    const second = await w.deliver(message({ subject: "Re: x", id: "2@x", references: ["1@x"] }));
    const b = await w.login();
    const r = await b.call("Send", {
      draftId: null,
      sendAt: null,
      requireTls: true,
      archiveThread: true,
      composition: composition({ subject: "Re: x", inReplyTo: second }),
    });
    assert.equal(w.sent[0].requireTls, true);
    const archive = w.account.mailboxByName("Archive")!.id;
    assert.deepEqual([first, second].map((id) => w.account.message(id)!.mailboxId), [
      archive,
      archive,
    ]);
    assert.equal(w.account.message(r.sentId!)!.mailboxId, w.account.mailboxByName("Sent")!.id);
  });
});

Deno.test("a draft is saved in place of the one before, opened again, and gone when it is sent", async () => {
  await withWebmail(async (w) => {
    const asked = await w.deliver(message({ id: "1@x", subject: "q" }));
    const b = await w.login();
    const drafts = w.account.mailboxByName("Drafts")!;
    const other = await w.login();
    const e = await other.events(query(drafts.id));
    await e.expect("start");
    await e.view();
    const up = await (await b.upload("a.txt", "text/plain", new TextEncoder().encode("file")))
      .json();
    const pic = await (await b.upload("p.png", "image/png", new Uint8Array([9, 8]))).json();
    const c = composition({
      to: ["Ann <ann@example.org>", "half an addr"],
      bcc: ["b@example.org"],
      subject: "Re: q",
      text: "first line\n\nönly half\n",
      html: '<p>hi <img src="cid:p1"></p>',
      inReplyTo: asked,
      attachments: [
        { kind: "upload", uploadId: up.uploadId, filename: "a.txt", cid: "" },
        { kind: "upload", uploadId: pic.uploadId, filename: "p.png", cid: "p1" },
      ],
    });
    const first = await b.call("DraftSave", { draftId: null, composition: c });
    const { threads } = await e.change("threads");
    assert.deepEqual(threads[0][0].flags.slice(0, 2), ["seen", "draft"]);
    assert.equal(threads[0][0].id, first.draftId);
    assert.ok(first.attachments.every((a) => a.kind === "part"));
    const again = await b.call("DraftSave", {
      draftId: first.draftId,
      composition: { ...c, attachments: first.attachments, text: "changed\n" },
    });
    assert.notEqual(again.draftId, first.draftId);
    assert.equal(w.account.mailbox(drafts.id)!.total, 1);

    const opened = await other.call("DraftGet", { id: again.draftId! });
    assert.deepEqual(opened.composition.to, c.to);
    assert.deepEqual(opened.composition.bcc, c.bcc);
    assert.equal(opened.composition.text, "changed\n");
    assert.equal(opened.composition.html, '<p>hi <img src="cid:p1" /></p>');
    assert.equal(opened.composition.inReplyTo, asked);
    assert.deepEqual(opened.attachments.map((a) => [a.filename, a.type]).sort(), [
      ["a.txt", "text/plain"],
      ["p.png", "image/png"],
    ]);
    assert.ok(opened.attachments.every((a) => a.size >= 2 && a.size <= 6));
    const file = opened.attachments.find((a) => a.filename === "a.txt")!.attach;
    assert.ok(file.kind === "part");
    assert.equal(await b.text(`message/${file.messageId}/part/${file.path}?download`), "file");

    await refused(
      b.call("Send", { ...now, draftId: again.draftId, composition: opened.composition }),
      "user",
    );
    await b.call("Send", {
      ...now,
      draftId: again.draftId,
      composition: { ...opened.composition, to: ["ann@example.org"] },
    });
    assert.equal(w.account.mailbox(drafts.id)!.total, 0);
    assert.doesNotMatch(w.sent[0].text, /x-mox-draft/i);
    const parsed = await simpleParser(w.sent[0].text);
    assert.deepEqual(parsed.attachments.map((a) => a.filename), ["p.png", "a.txt"]);
  });
});

Deno.test("a draft of another program is opened, and its scripts are gone", async () => {
  await withWebmail(async (w) => {
    const id = await w.deliver(
      [
        "From: mox@localhost",
        "To: Ann <ann@example.org>, =?utf-8?q?J=C3=B6rg?= <j@example.org>",
        "Subject: half",
        "X-Mox-Draft: bm90IGpzb24=",
        "MIME-Version: 1.0",
        "Content-Type: text/html; charset=utf-8",
        "",
        '<p onclick="x()">hi<script>alert(1)</script></p>',
      ].join("\n"),
      { mailbox: "Drafts", flags: Flag.Draft },
    );
    const b = await w.login();
    const { composition: c } = await b.call("DraftGet", { id });
    assert.deepEqual(c.to, ['"Ann" <ann@example.org>', '"Jörg" <j@example.org>']);
    assert.equal(c.html, "<p>hi</p>");
    assert.equal(c.text, "");
    await b.call("DraftDiscard", { id });
    assert.equal(w.account.message(id), undefined);
  });
});

Deno.test("a message's Bcc does not leave with it when it is forwarded as an attachment", async () => {
  await withWebmail(async (w) => {
    const b = await w.login();
    const first = await b.call("Send", {
      ...now,
      composition: composition({ bcc: ["s@example.org"] }),
    });
    await b.call("Send", {
      ...now,
      composition: composition({ attachments: [{ kind: "message", messageId: first.sentId! }] }),
    });
    assert.match(w.sent[1].text, /message\/rfc822/);
    assert.doesNotMatch(w.sent[1].text, /s@example\.org/);
  });
});

Deno.test("header fields can't be smuggled in by what is typed or by the message answered", async () => {
  await withWebmail(async (w) => {
    const asked = await w.deliver(message({ more: "Message-ID: <a@x>\n b: <c@d>", subject: "s" }));
    const b = await w.login();
    await b.call("Send", {
      ...now,
      composition: composition({
        from: { name: "Mox\r\nX-Evil: 1", address: "mox@localhost" },
        to: ["Ann\r\nX-Evil: 2 <ann@example.org>"],
        subject: "hi\r\nX-Evil: 3",
        attachments: [{
          kind: "upload",
          uploadId:
            (await (await b.upload("x", "text/plain%0d%0aX-Evil:4", new Uint8Array(1))).json())
              .uploadId,
          filename: 'a"\r\nX-Evil: 5',
          cid: "c>\r\nX-Evil: 6",
        }],
        inReplyTo: asked,
      }),
    });
    assert.doesNotMatch(w.sent[0].text, /^X-Evil/im);
  });
});

Deno.test("in a full account nothing is sent without its copy, and a draft gives way to it", async () => {
  await withWebmail(async (w) => {
    const b = await w.login();
    const conf = w.services.config.account("mox")!;
    const text = "x".repeat(5000);
    const { draftId } = await b.call("DraftSave", {
      draftId: null,
      composition: composition({ text }),
    });
    conf.QuotaMessageSize = w.account.quota().messageSize.used + 1000;
    // A new message has no room: it stays in its window.
    const full = /account is full.*not sent/;
    assert.match(
      await refused(b.call("Send", { ...now, composition: composition({ text }) }), "user"),
      full,
    );
    assert.match(
      await refused(
        b.call("DraftSave", { draftId: null, composition: composition({ text }) }),
        "user",
      ),
      /quota|full/,
    );
    assert.equal(w.sent.length, 0);
    // The one that is a draft has its place.
    const sent = await b.call("Send", { ...now, draftId, composition: composition({ text }) });
    assert.deepEqual(sent.warnings, []);
    assert.equal(w.sent.length, 1);
    assert.equal(w.account.mailboxByName("Sent")!.total, 1);
    assert.equal(w.account.mailboxByName("Drafts")!.total, 0);
  });
});
