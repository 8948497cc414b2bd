/** What users of other webmails have lost, by their reports: text, files, recipients, other drafts. */
import assert from "node:assert/strict";
import type { CallResponse } from "../../../webmail/api/mod.ts";
import { Flag } from "../../../src/store/types.ts";
import { composition, message, query, refused, withWebmail, type World } from "./server.ts";

const now = { sendAt: null, requireTls: null, archiveThread: false, undo: 0 };
const total = (w: World, name: string) => w.account.mailboxByName(name)?.total ?? 0;

Deno.test("a draft with a file keeps all else too, over several saves, and goes out so", async () => {
  await withWebmail(async (w) => {
    const b = await w.login();
    const key = crypto.randomUUID();
    const file = await b.upload("a.txt", "text/plain", new TextEncoder().encode("the file"));
    const { uploadId } = await file.json();
    let written = composition({
      to: ["Ann <ann@example.org>", "bo"],
      bcc: ["hidden@example.org"],
      subject: "with a file",
      text: "all of <this> &amp; that\n> quoted\n",
      attachments: [{ kind: "upload", uploadId, filename: "a.txt", cid: "" }],
    });
    let draftId: number | null = null;
    for (let i = 0; i < 3; i++) {
      const request = { draftId, key, composition: written };
      const saved: CallResponse<"DraftSave"> = await b.call("DraftSave", request);
      assert.equal(saved.conflict, false);
      draftId = saved.draftId;
      const { composition: got } = await b.call("DraftGet", { id: saved.draftId! });
      const { attachments, ...same } = got;
      assert.deepEqual({ ...same, attachments: written.attachments }, written);
      assert.equal(attachments.length, 1);
      written = { ...got, text: `${got.text}more ${i}\n` };
    }
    assert.equal(total(w, "Drafts"), 1);
    // An address that is none is named, and nothing is lost by it.
    assert.match(
      await refused(b.call("Send", { ...now, key, draftId, composition: written }), "user"),
      /"bo" is not an email address/,
    );
    assert.equal(total(w, "Drafts"), 1);
    written = { ...written, to: ["Ann <ann@example.org>", "bo@example.org"] };
    await b.call("Send", { ...now, key, draftId, composition: written });
    assert.match(w.sent[0].text, /all of <this> &amp; that\r\n> quoted\r\n[^]*more 1\r\nmore 2/);
    assert.match(w.sent[0].text, /filename=a\.txt/);
    assert.equal(total(w, "Drafts"), 0);
  });
});

Deno.test("what looks like code in HTML is there when the draft is opened again", async () => {
  await withWebmail(async (w) => {
    const b = await w.login();
    const html =
      "<pre>Received: from x (&lt;script&gt;alert(1)&lt;/script&gt;)\nTo: &lt;a@x&gt;</pre>";
    const c = composition({ html, text: "Received: from x\nTo: <a@x>\n" });
    const { draftId } = await b.call("DraftSave", { draftId: null, composition: c });
    const got = (await b.call("DraftGet", { id: draftId! })).composition;
    assert.match(
      got.html!,
      /\(&lt;script&gt;alert\(1\)&lt;\/script&gt;\)\s+To: &lt;a@x&gt;<\/pre>/,
    );
    assert.equal(got.text, c.text);
  });
});

Deno.test("sending one draft leaves the others, and copies that were made of it", async () => {
  await withWebmail(async (w) => {
    const b = await w.login();
    const key = crypto.randomUUID();
    const c = composition({ subject: "one of three" });
    await w.deliver(message({ subject: "of another program" }), {
      mailbox: "Drafts",
      flags: Flag.Draft,
    });
    await b.call("DraftSave", { draftId: null, composition: composition({ subject: "other" }) });
    const { draftId } = await b.call("DraftSave", { draftId: null, key, composition: c });
    const { mailbox } = await w.account.createMailbox("Templates");
    const m = w.account.message(draftId!)!;
    await w.account.copy(m.mailboxId, [m.uid], mailbox.id);
    assert.equal(total(w, "Drafts"), 3);
    await b.call("Send", { ...now, key, draftId, composition: c });
    assert.equal(total(w, "Drafts"), 2);
    assert.equal(total(w, "Templates"), 1);
    assert.equal(total(w, "Sent"), 1);
    // The copy is a message of its own now.
    const [uid] = w.account.uids(mailbox.id);
    const copy = w.account.messageByUid(mailbox.id, uid)!;
    const opened = await b.call("DraftGet", { id: copy.id });
    assert.equal(opened.key, null);
    await b.call("Send", {
      ...{ ...now, key: crypto.randomUUID() },
      ...{ draftId: copy.id, composition: opened.composition },
    });
    assert.equal(w.sent.length, 2);
    assert.equal(total(w, "Templates"), 0);
  });
});

Deno.test("where no copy is kept, the draft goes all the same, and nothing is sent twice", async () => {
  await withWebmail(async (w) => {
    const sent = w.account.mailboxByName("Sent")!;
    await w.account.setSpecialUse(sent.id, 0);
    const b = await w.login();
    const key = crypto.randomUUID();
    const c = composition();
    const { draftId } = await b.call("DraftSave", { draftId: null, key, composition: c });
    const r = await b.call("Send", { ...now, key, draftId, composition: c });
    assert.equal(r.sentId, null);
    assert.deepEqual(r.warnings, []);
    assert.equal(total(w, "Drafts"), 0);
    const again = b.call("Send", { ...now, key, draftId, composition: c });
    assert.match(await refused(again, "user"), /sent already/);
    const late = await b.call("DraftSave", { draftId: null, key, composition: c });
    assert.equal(late.draftId, null);
    assert.equal(w.sent.length, 1);
  });
});

Deno.test("where answers to saves were lost, a forward keeps its file: saved, sent from another address, later", async () => {
  await withWebmail(async (w) => {
    const b = await w.login();
    const asked = await w.deliver(message({ subject: "to be passed on", body: "the text" }));
    const key = crypto.randomUUID();
    const c = composition({
      subject: "Fwd: to be passed on",
      attachments: [{ kind: "message", messageId: asked }],
      forwards: [asked],
    });
    const first = await b.call("DraftSave", { draftId: null, key, composition: c });
    const opened = (await b.call("DraftGet", { id: first.draftId! })).composition;
    const other = { ...opened, from: { name: "Else", address: "mox+else@localhost" } };
    const { draftId } = first;
    await b.call("DraftSave", { draftId, key, composition: other });
    // The page asks its user about the other that is there now, and keeps what it has.
    const asks = await b.call("DraftSave", { draftId, key, composition: other });
    assert.equal(asks.conflict, true);
    await b.call("DraftSave", { draftId, key, composition: other, force: true });
    const sendAt = Date.now() + 3600_000;
    await b.call("Send", { ...now, sendAt, key, draftId, composition: other });
    assert.equal(total(w, "Drafts"), 0);
    const box = w.account.mailboxByName("Scheduled")!;
    assert.equal(box.total, 1);
    const e = await b.events(query(box.id));
    await e.expect("start");
    const [[{ id }]] = (await e.view()).threads;
    const waits = (await b.call("DraftGet", { id })).composition;
    assert.equal(waits.attachments.length, 1);
    assert.deepEqual(waits.forwards, [asked]);
    assert.equal(waits.from.address, "mox+else@localhost");
    assert.match(await b.text(`message/${id}/raw`), /Subject: to be passed on[^]*the text/);
  });
});
