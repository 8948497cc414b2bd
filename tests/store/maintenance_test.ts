/** Repairs of an account: broken on purpose, set right, with the checker of consistency as judge. */
import assert from "node:assert/strict";
import { inconsistencies } from "../../src/store/account/consistency.ts";
import {
  AccountInUse,
  bumpUidValidity,
  fixMessageSizes,
  fixUidMeta,
  reassignUids,
  recalculateCounts,
  reparse,
} from "../../src/store/account/maintenance.ts";
import { reassignThreads } from "../../src/store/messages/rethread.ts";
import { type TestStore, withStore } from "./setup.ts";

async function deliver(s: TestStore, count: number, mailbox = "Inbox"): Promise<void> {
  for (let i = 0; i < count; i++) {
    const m = await s.message(
      `From: <a@x.example>\nSubject: ${
        i === 0 ? "" : "Re: "
      }topic\nMessage-ID: <m${i}@x.example>\n` +
        `${i === 0 ? "" : `In-Reply-To: <m${i - 1}@x.example>\n`}\nbody ${i}\n`,
    );
    await s.account.deliver(mailbox, m);
  }
}

const healthy = (s: TestStore) => inconsistencies(s.account.db, s.account.files);

Deno.test("a new UIDVALIDITY is above all that there were", () =>
  withStore(async (s) => {
    const before = new Map(s.account.mailboxes().map((m) => [m.name, m.uidValidity]));
    const one = await bumpUidValidity(s.account, "Inbox");
    assert.deepEqual([...one.keys()], ["Inbox"]);
    assert.ok(one.get("Inbox")! > Math.max(...before.values()));
    const all = await bumpUidValidity(s.account);
    assert.equal(new Set(all.values()).size, before.size);
    assert.ok(Math.min(...all.values()) > one.get("Inbox")!);
    await assert.rejects(bumpUidValidity(s.account, "None"), /no mailbox None/);
  }));

Deno.test("uids are numbered anew in their order, unless a session looks", () =>
  withStore(async (s) => {
    await deliver(s, 5);
    const inbox = s.account.mailboxByName("Inbox")!;
    await s.account.expunge(inbox.id, [2, 4], undefined, { force: true });
    assert.deepEqual([...s.account.uids(inbox.id)], [1, 3, 5]);
    const emails = () =>
      [...s.account.uids(inbox.id)].map((u) => s.account.messageByUid(inbox.id, u)!.emailId);
    const order = emails();

    const session = await s.accounts.open("test");
    await assert.rejects(reassignUids(s.account, "Inbox"), AccountInUse);
    session.close();

    assert.deepEqual([...await reassignUids(s.account, "Inbox")], [["Inbox", 3]]);
    assert.deepEqual([...s.account.uids(inbox.id)], [1, 2, 3]);
    assert.deepEqual(emails(), order);
    const after = s.account.mailboxByName("Inbox")!;
    assert.ok(after.uidValidity > inbox.uidValidity);
    assert.equal(after.uidNext, 4);
    assert.deepEqual(s.account.expungedSince(inbox.id, 0), []);
    assert.deepEqual(healthy(s), []);
  }));

Deno.test("uidnext, counts and sizes that are wrong are set right", () =>
  withStore(async (s) => {
    await deliver(s, 3);
    const inbox = s.account.mailboxByName("Inbox")!;
    const { db } = s.account;
    db.run("UPDATE mailboxes SET uidnext = 2, total = 7, size = 1 WHERE id = ?", inbox.id);
    db.run("UPDATE state SET message_size = 5, uidvalidity = 1");
    const [id] = db.get("SELECT min(id) FROM emails")!;
    db.run("UPDATE emails SET size = size + 10 WHERE id = ?", id);
    assert.notDeepEqual(healthy(s), []);

    const uids = await fixUidMeta(s.account);
    assert.match(uids.join("\n"), /mailbox Inbox: uidnext 2 is 4 now/);
    assert.deepEqual(await fixUidMeta(s.account), []);
    const sizes = await fixMessageSizes(s.account);
    assert.match(sizes.join("\n"), new RegExp(`email ${id}: size`));
    assert.match(sizes.join("\n"), /mailbox Inbox: total 7 is 3 now/);
    assert.match(sizes.join("\n"), /account: 5 bytes are \d+ now/);
    assert.deepEqual(healthy(s), []);
    assert.deepEqual(await recalculateCounts(s.account), []);
    assert.deepEqual(await fixMessageSizes(s.account), []);
  }));

Deno.test("what is kept of a message's content is computed again", () =>
  withStore(async (s) => {
    await deliver(s, 3);
    const { db } = s.account;
    const rows = () =>
      db.all("SELECT envelope, body, bodystructure, structure, summary FROM emails");
    const before = rows();
    db.exec(
      "UPDATE emails SET structure = '', envelope = '' WHERE id = (SELECT max(id) FROM emails)",
    );
    assert.deepEqual(await reparse(s.account, { missing: true }), { done: 1, failed: [] });
    assert.deepEqual(rows(), before);
    db.exec("UPDATE emails SET envelope = 'old', summary = '{}'");
    assert.equal((await reparse(s.account)).done, 3);
    assert.deepEqual(rows(), before);
    const [id] = db.get("SELECT max(id) FROM emails")!;
    const path = s.account.files.path(id);
    await Deno.rename(path, `${path}.gone`);
    const partly = await reparse(s.account);
    assert.equal(partly.done, 2);
    assert.match(partly.failed.join(), new RegExp(`email ${id}: `));
    await Deno.rename(`${path}.gone`, path);
  }));

Deno.test("threads are matched again as at delivery, muted ones stay muted", () =>
  withStore(async (s) => {
    await deliver(s, 6);
    const { db } = s.account;
    db.exec("UPDATE threads SET muted = 1 WHERE email_id = (SELECT max(email_id) FROM threads)");
    const rows = () =>
      db.all(
        "SELECT email_id, thread_id, parent_id, missing_link, muted, collapsed, message_id, subject, " +
          "received, wanted FROM threads ORDER BY email_id",
      );
    const before = rows();
    db.exec("UPDATE threads SET thread_id = email_id, parent_id = 0");
    assert.equal(await reassignThreads(s.account), 6);
    assert.deepEqual(rows(), before);
    assert.deepEqual(healthy(s), []);
  }));
