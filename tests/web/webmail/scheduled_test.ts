/** Messages that wait on the server: for undo, and until a time; drafts that several windows write. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Flag } from "../../../src/store/types.ts";
import { UserError } from "../../../src/web/http/mod.ts";
import { openWebmail } from "../../../src/web/webmail/mod.ts";
import { composition, message, query, refused, withWebmail, type World } from "./server.ts";

const now = { draftId: null, sendAt: null, requireTls: null, archiveThread: false };
const hour = 3600_000;

async function until(what: string, fn: () => boolean): Promise<void> {
  for (let i = 0; i < 400; i++) {
    if (fn()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  assert.fail(what);
}

const total = (w: World, name: string) => w.account.mailboxByName(name)?.total ?? 0;

Deno.test("a message that can be called off is a draft meanwhile, then it is sent, once", async () => {
  await withWebmail(async (w) => {
    const asked = await w.deliver(message({ id: "1@x", subject: "q" }));
    const b = await w.login();
    const key = crypto.randomUUID();
    const r = await b.call("Send", {
      ...now,
      key,
      undo: 1,
      composition: composition({ subject: "Re: q", inReplyTo: asked, bcc: ["hid@example.org"] }),
    });
    assert.equal(r.sentId, null);
    assert.equal(total(w, "Drafts"), 1);
    assert.equal(w.sent.length, 0);
    await until("it is sent", () => w.sent.length === 1 && total(w, "Drafts") === 0);
    assert.equal(total(w, "Sent"), 1);
    assert.equal(w.sent[0].messageId, `${key}@localhost`);
    assert.deepEqual(w.sent[0].recipients, ["ann@example.org", "hid@example.org"]);
    assert.doesNotMatch(w.sent[0].text, /hid@|X-Mox-Draft/);
    await until("marked", () => (w.account.message(asked)!.flags & Flag.Answered) !== 0);
    assert.match(await refused(b.call("SendCancel", { id: r.waiting!.id }), "conflict"), /sent/);
    // Another window that still has it.
    assert.match(
      await refused(b.call("Send", { ...now, key, composition: composition() }), "user"),
      /another window/,
    );
    const late = await b.call("DraftSave", { draftId: null, key, composition: composition() });
    assert.equal(late.draftId, null);
    assert.equal(total(w, "Drafts"), 0);
  });
});

Deno.test("a message for later is in a mailbox of its own, with its time; it can be changed and called off", async () => {
  await withWebmail(async (w) => {
    const b = await w.login();
    await refused(
      b.call("Send", { ...now, sendAt: Date.now() - 1000, composition: composition() }),
      "user",
    );
    await refused(
      b.call("Send", { ...now, sendAt: Date.now() + 61 * 24 * hour, composition: composition() }),
      "user",
    );
    assert.equal(w.sent.length, 0);
    const sendAt = Date.now() + hour;
    const r = await b.call("Send", {
      ...now,
      sendAt,
      requireTls: true,
      key: crypto.randomUUID(),
      composition: composition({ subject: "tomorrow" }),
    });
    assert.equal(r.waiting!.at, sendAt);
    const box = w.account.mailboxByName("Scheduled")!;
    assert.equal(box.total, 1);
    const e = await b.events(query(box.id));
    await e.expect("start");
    const [[listed]] = (await e.view()).threads;
    assert.equal(listed.received, sendAt);
    assert.equal((await b.call("MessageGet", { id: listed.id })).sendAt, sendAt);
    const { id } = await b.call("SendReschedule", { id: listed.id, sendAt: sendAt + hour });
    assert.equal((await b.call("MessageGet", { id })).sendAt, sendAt + hour);
    await refused(b.call("SendReschedule", { id, sendAt: Date.now() - 1 }), "user");
    const { draftId } = await b.call("SendCancel", { id });
    assert.equal(total(w, "Scheduled"), 0);
    const opened = await b.call("DraftGet", { id: draftId });
    assert.equal(opened.composition.subject, "tomorrow");
    assert.deepEqual(opened.options, { sendAt: sendAt + hour, requireTls: true });
    assert.equal((await b.call("MessageGet", { id: draftId })).sendAt, null);
    assert.equal(w.sent.length, 0);
  });
});

Deno.test("what waits is sent by a server that starts later; a draft that was moved away isn't", async () => {
  await withWebmail(async (w) => {
    const b = await w.login();
    const later = async (subject: string) =>
      (await b.call("Send", {
        ...now,
        sendAt: Date.now() + hour,
        composition: composition({ subject }),
      })).waiting!.id;
    const [kept, moved, half] = [await later("kept"), await later("moved"), await later("half")];
    await b.call("Move", {
      target: { ids: [moved] },
      mailboxId: w.account.mailboxByName("Drafts")!.id,
    });
    // Time passes, and one was cut off after the queue had it.
    const db = new DatabaseSync(join(w.services.config.dataDir, "scheduled.db"));
    db.exec("PRAGMA busy_timeout = 5000");
    db.prepare("UPDATE scheduled SET due = ?").run(Date.now() - 1);
    db.prepare("UPDATE scheduled SET sending = 1 WHERE message = ?").run(half);
    const halfId = db.prepare("SELECT message_id FROM scheduled WHERE message = ?").get(half);
    db.close();
    const next = await openWebmail({
      ...w.services,
      wasSubmitted: (_account, id) => id === halfId!.message_id,
    });
    try {
      await until("both are done", () => total(w, "Scheduled") === 0);
    } finally {
      await next.close();
    }
    assert.deepEqual(w.sent.map((m) => m.subject), ["kept"]);
    assert.equal(w.account.message(kept), undefined);
    assert.equal(total(w, "Drafts"), 1);
  });
});

Deno.test("a message that is refused at its time is a draft again that says why", async () => {
  await withWebmail(async (w) => {
    const b = await w.login();
    const e = await b.events(query(w.account.mailboxByName("Drafts")!.id));
    await e.expect("start");
    await e.view();
    await b.call("Send", { ...now, undo: 1, composition: composition({ subject: "too much" }) });
    const failed = await e.change("sendFailed");
    assert.equal(failed.subject, "too much");
    assert.match(failed.why, /limit of 10/);
    const { failure } = await b.call("DraftGet", { id: failed.draftId });
    assert.match(failure, /limit of 10/);
    assert.equal(total(w, "Drafts"), 1);
  }, { submit: () => Promise.reject(new UserError("limit of 10 messages a day reached")) });
});

Deno.test("two windows that write one message have one draft, and none overwrites the other unasked", async () => {
  await withWebmail(async (w) => {
    const [a, b] = [await w.login(), await w.login()];
    const key = crypto.randomUUID();
    const save = (x: typeof a, draftId: number | null, text: string, force = false) =>
      x.call("DraftSave", { draftId, key, force, composition: composition({ text }) });
    const [first, twin] = await Promise.all([save(a, null, "one"), save(a, null, "one")]);
    assert.equal(total(w, "Drafts"), 1);
    assert.notEqual(first.draftId, twin.draftId);
    const opened = await b.call("DraftGet", { id: twin.draftId! });
    assert.equal(opened.key, key);
    const theirs = await save(b, twin.draftId, "one and two");
    const mine = await save(a, twin.draftId, "one and three");
    assert.deepEqual([mine.conflict, mine.draftId], [true, theirs.draftId]);
    assert.equal(
      (await a.call("DraftGet", { id: mine.draftId! })).composition.text,
      "one and two",
    );
    const forced = await save(a, twin.draftId, "one and three", true);
    assert.equal(forced.conflict, false);
    assert.equal(total(w, "Drafts"), 1);
    await b.call("Send", { ...now, key, draftId: theirs.draftId, composition: composition() });
    assert.equal(total(w, "Drafts"), 0);
  });
});
