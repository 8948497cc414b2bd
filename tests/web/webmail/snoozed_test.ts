/** Messages that are put away until a time, and messages that come as files. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { Flag } from "../../../src/store/types.ts";
import { openWebmail } from "../../../src/web/webmail/mod.ts";
import { message, query, refused, withWebmail, type World } from "./server.ts";

const total = (w: World, name: string) => w.account.mailboxByName(name)?.total ?? 0;

async function until(what: string, fn: () => boolean): Promise<void> {
  for (let i = 0; i < 400; i++) {
    if (fn()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  assert.fail(what);
}

Deno.test("a message is away until its time, and comes back unread and new, as it was", async () => {
  await withWebmail(async (w) => {
    const prefix = "Authentication-Results: localhost; dkim=pass\r\n";
    const id = await w.deliver(message({ subject: "later", id: "s@x" }), {
      prefix,
      received: Date.UTC(2020, 0, 1),
      flags: Flag.Seen,
      keywords: ["work"],
    });
    await w.deliver(message({ subject: "stays" }));
    const b = await w.login();
    const target = { ids: [id] };
    await refused(b.call("Snooze", { target, until: Date.now() - 1 }), "user");
    const raw = await b.text(`message/${id}/raw`);
    const before = Date.now();
    const done = await b.call("Snooze", { target, until: before + 700 });
    assert.equal(done.count, 1);
    assert.deepEqual([total(w, "Inbox"), total(w, "Snoozed")], [1, 1]);
    await until("it is back", () => total(w, "Inbox") === 2);
    assert.equal(total(w, "Snoozed"), 0);
    const e = await b.events(query(w.account.mailboxByName("Inbox")!.id));
    await e.expect("start");
    const [[first]] = (await e.view()).threads;
    assert.equal(first.subject, "later");
    assert.deepEqual([first.flags.includes("seen"), first.keywords], [false, ["work"]]);
    assert.ok(first.received >= before);
    assert.equal(await b.text(`message/${first.id}/raw`), raw);
    assert.equal((await b.call("MessageGet", { id: first.id })).authentication!.dkim, "pass");
  });
});

Deno.test("one that was taken back, or moved, stays where it is; others come back after a restart", async () => {
  await withWebmail(async (w) => {
    const b = await w.login();
    const put = async (subject: string) => {
      const id = await w.deliver(message({ subject }));
      return {
        id,
        ...await b.call("Snooze", { target: { ids: [id] }, until: Date.now() + 3600_000 }),
      };
    };
    const [undone, moved] = [await put("undone"), await put("moved"), await put("back")];
    await b.call("Undo", { undo: undone.undo! });
    const archive = w.account.mailboxByName("Archive")!.id;
    await b.call("Move", { target: { ids: [moved.id] }, mailboxId: archive });
    const db = new DatabaseSync(join(w.services.config.dataDir, "snoozed.db"));
    db.exec("PRAGMA busy_timeout = 5000");
    db.prepare("UPDATE snoozed SET due = ?").run(Date.now() - 1);
    db.close();
    const next = await openWebmail(w.services);
    try {
      await until("one is back", () => total(w, "Snoozed") === 0);
    } finally {
      await next.close();
    }
    assert.equal(total(w, "Inbox"), 2);
    assert.equal(w.account.message(moved.id)!.mailboxId, archive);
    assert.ok(w.account.message(undone.id));
  });
});

Deno.test("a message comes as a file, with its lines ended as mail has them; what is none is refused", async () => {
  await withWebmail(async (w) => {
    const b = await w.login();
    const mailboxId = w.account.mailboxByName("Archive")!.id;
    const put = async (text: string) => {
      const r = await b.upload("m.eml", "message/rfc822", new TextEncoder().encode(text));
      const { uploadId } = await r.json();
      return await b.call("MessageImport", { uploadId, mailboxId });
    };
    const { id } = await put("Subject: from a file\nFrom: a@b.example\n\nline\r\nline\n");
    assert.equal(
      await b.text(`message/${id}/raw`),
      "Subject: from a file\r\nFrom: a@b.example\r\n\r\nline\r\nline\r\n",
    );
    assert.equal(total(w, "Archive"), 1);
    assert.match(await refused(put("GIF89a no message"), "user"), /is not a message/);
    await refused(b.call("MessageImport", { uploadId: "none", mailboxId }), "missing");
  });
});
