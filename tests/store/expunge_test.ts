/** EXPUNGE, and what it frees: rows, files, history, quota. */
import assert from "node:assert/strict";
import type { Account } from "../../src/store/account/account.ts";
import { type Change, Flag } from "../../src/store/types.ts";
import { deliveryFacts, messageFiles, rowsOf, type TestStore, withStore } from "./setup.ts";

const named = (s: TestStore, name: string) => s.account.mailboxByName(name)!;

function rowOf(account: Account, id: number) {
  return rowsOf(
    account,
    "SELECT mailbox_id, email_id, uid, modseq, createseq, expunged, keywords FROM messages WHERE id = ?",
    id,
  )[0];
}

const count = (account: Account, table: string) =>
  account.db.get(`SELECT count(*) FROM ${table}`)![0] as number;

async function add(s: TestStore, flags = 0, over: { isReject?: boolean } = {}) {
  const m = await s.message(`Subject: ${flags}\nMessage-ID: <${crypto.randomUUID()}@x>\n\nx\n`);
  return await s.account.deliver("Inbox", {
    ...m,
    flags,
    keywords: ["word"],
    facts: deliveryFacts(),
    ...over,
  });
}

Deno.test("EXPUNGE takes those with \\Deleted, among the uids if there are any; forced all of them", () =>
  withStore(async (s) => {
    const { Deleted, Seen } = Flag;
    for (const flags of [0, Deleted, Seen, Deleted | Seen, Deleted]) await add(s, flags);
    const inbox = named(s, "Inbox").id;
    const left = () => [...s.account.uids(inbox)];
    const some = await s.account.expunge(inbox, [1, 2, 3, 9]);
    assert.deepEqual([some.uids, left()], [[2], [1, 3, 4, 5]]);
    assert.equal(some.modseq, s.account.state());
    const all = await s.account.expunge(inbox);
    assert.deepEqual([all.uids, left()], [[4, 5], [1, 3]]);
    const before = s.account.state();
    const none = await s.account.expunge(inbox);
    assert.deepEqual(none, { uids: [], modseq: named(s, "Inbox").modseq });
    assert.equal(s.account.state(), before);
    const forced = await s.account.expunge(inbox, undefined, undefined, { force: true });
    assert.deepEqual([forced.uids, left()], [[1, 3], []]);
    const { total, deleted, unread, unseen, size } = named(s, "Inbox");
    assert.deepEqual([total, deleted, unread, unseen, size], [0, 0, 0, 0, 0]);
    assert.deepEqual(messageFiles(s), []);
  }));

Deno.test("what is expunged stays behind with its uid and a new modseq; its email, thread and file go", () =>
  withStore(async (s) => {
    const m = await add(s);
    const l = s.account.listen();
    await s.account.expunge(m.mailboxId, [1], undefined, { force: true });
    const modseq = s.account.state();
    assert.deepEqual(rowOf(s.account, m.id), {
      mailbox_id: m.mailboxId,
      email_id: m.emailId,
      uid: 1,
      modseq,
      createseq: m.createseq,
      expunged: 1,
      keywords: "",
    });
    const changes: Change[] = [
      {
        kind: "removeMessages",
        mailboxId: m.mailboxId,
        uids: [1],
        messageIds: [m.id],
        modseq,
      },
      {
        kind: "mailboxCounts",
        mailboxId: m.mailboxId,
        counts: { total: 0, deleted: 0, unread: 0, unseen: 0, size: 0 },
      },
    ];
    assert.deepEqual(l.take(), changes);
    l.close();
    assert.deepEqual(["emails", "threads"].map((t) => count(s.account, t)), [0, 0]);
    assert.equal(named(s, "Inbox").modseq, modseq);
    assert.deepEqual(rowsOf(s.account, "SELECT email_id, modseq FROM gone_emails"), [
      { email_id: m.emailId, modseq },
    ]);
    // Files are removed after the commit, and then are no more to be removed.
    assert.equal(count(s.account, "erased"), 0);
  }));

Deno.test("the history of a message outlives it, that of a reject doesn't", () =>
  withStore(async (s) => {
    const good = await add(s);
    const reject = await add(s, 0, { isReject: true });
    await s.account.expunge(good.mailboxId, [1, 2], undefined, { force: true });
    assert.deepEqual(
      rowsOf(s.account, "SELECT message_id, msg_from_domain FROM deliveries"),
      [{ message_id: good.id, msg_from_domain: "sender.example" }],
    );
    assert.notEqual(good.id, reject.id);
  }));

Deno.test("the quota is freed with the last copy, not before", () =>
  withStore(async (s) => {
    const used = () => s.account.quota().messageSize.used;
    const m = await add(s);
    const other = await add(s);
    assert.equal(used(), m.size + other.size);
    const archive = named(s, "Archive").id;
    await s.account.copy(m.mailboxId, [1, 2], archive);
    assert.equal(used(), m.size + other.size, "copies are free");
    await s.account.expunge(m.mailboxId, [1, 2], undefined, { force: true });
    assert.equal(used(), m.size + other.size, "copies remain");
    assert.equal(messageFiles(s).length, 2);
    assert.equal(count(s.account, "threads"), 2);
    await s.account.expunge(archive, [2], undefined, { force: true });
    assert.equal(used(), m.size);
    await s.account.move(archive, [1], named(s, "Trash").id);
    assert.equal(used(), m.size, "moves free nothing");
    await s.account.expunge(named(s, "Trash").id, [1], undefined, { force: true });
    assert.equal(used(), 0);
  }));

Deno.test("twins in one mailbox that are expunged together free the quota once", () =>
  withStore(async (s) => {
    const m = await add(s);
    const other = await add(s);
    await s.account.copy(m.mailboxId, [1], m.mailboxId);
    await s.account.expunge(m.mailboxId, [1, 3], undefined, { force: true });
    assert.equal(s.account.quota().messageSize.used, other.size);
    assert.equal(messageFiles(s).length, 1);
  }));

Deno.test("the limit of the quota may be used to its last byte", async () => {
  let limit: number | undefined;
  await withStore(async (s) => {
    const m = await s.message("Subject: x\n\nx\n");
    limit = 3 * m.fileSize;
    for (let i = 0; i < 3; i++) await s.account.deliver("Inbox", m);
    assert.deepEqual(s.account.quota().messageSize, { used: limit, limit });
    const full = { code: "overQuota" };
    await assert.rejects(s.account.deliver("Inbox", m), full);
    assert.equal(s.account.quota().messageSize.used, limit);
    limit++;
    await assert.rejects(s.account.deliver("Inbox", m), full);
    // What was put in front of the message counts too.
    limit = 4 * m.fileSize + 1;
    const prefixed = { ...m, prefix: new Uint8Array([120, 58]) };
    await assert.rejects(s.account.deliver("Inbox", prefixed), full);
    await s.account.deliver("Inbox", { ...m, prefix: new Uint8Array([120]) });
    // COPY takes no space.
    const copied = await s.account.copy(named(s, "Inbox").id, [1], named(s, "Archive").id);
    assert.deepEqual(copied.toUids, [1]);
    limit = undefined;
    await s.account.deliver("Inbox", m);
  }, { quotaMessageSize: () => limit });
});
