import assert from "node:assert/strict";
import { join } from "node:path";
import { type MailboxId, noMailbox } from "../../src/store/ids.ts";
import { smallFile } from "../../src/store/files/recent_messages.ts";
import { Flag, SpecialUse, StoreError, Want } from "../../src/store/types.ts";
import { messageFiles, withStore } from "./setup.ts";

const hello = "From: a@example.org\nTo: b@example.org\nSubject: hello\n\nhi\n";

Deno.test("a delivered message can be read again: prefix, file, envelope, counts", () =>
  withStore(async ({ account, message }) => {
    const m = await message(hello);
    const prefix = new TextEncoder().encode("Received: from x\r\n");
    const got = await account.deliver("Inbox", { ...m, prefix, flags: Flag.Flagged });
    assert.equal(got.uid, 1);
    assert.equal(got.size, prefix.length + m.fileSize);
    const reader = account.openMessage(got.emailId);
    const text = new TextDecoder().decode(reader.read(0, reader.size));
    reader.close();
    assert.equal(text, "Received: from x\r\n" + hello.replaceAll("\n", "\r\n"));
    const inbox = account.mailboxByName("INBOX")!;
    assert.deepEqual(
      [inbox.total, inbox.unseen, inbox.unread, inbox.size, inbox.uidNext],
      [1, 1, 1, got.size, 2],
    );
    let seen = 0;
    account.fetch(
      inbox.id,
      [1],
      Want.Envelope | Want.Body | Want.BodyStructure | Want.Summary | Want.Thread,
      (row) => {
        seen++;
        assert.match(row.envelope, /"hello"/);
        assert.equal(row.summary.from[0].address, "a@example.org");
        assert.equal(row.threadId, got.emailId);
      },
    );
    assert.equal(seen, 1);
  }));

Deno.test("offsets of the stored structure count the prefix", () =>
  withStore(async ({ account, message }) => {
    const m = await message("Content-Type: text/plain\n\nbody");
    const got = await account.deliver("Inbox", {
      ...m,
      prefix: new TextEncoder().encode("X: 1\r\n"),
    });
    account.fetch(got.mailboxId, [1], Want.Content, (row) => {
      const packed = JSON.parse(row.structure);
      assert.deepEqual(packed.slice(0, 3), [0, 6 + 28, 6 + 32]);
    });
  }));

Deno.test("messages are there after the account is closed and opened again", () =>
  withStore(async (s) => {
    await s.account.deliver("Lists/deno", await s.message(hello));
    await s.reopen();
    const box = s.account.mailboxByName("Lists/deno")!;
    assert.equal(box.total, 1);
    assert.equal(s.account.mailboxByName("Lists")!.id, box.parentId);
    assert.deepEqual([...s.account.uids(box.id)], [1]);
  }));

Deno.test("COPY makes no file; the file goes with its last message", () =>
  withStore(async (s) => {
    const { account } = s;
    const got = await account.deliver("Inbox", await s.message(hello));
    const archive = account.mailboxBySpecialUse(SpecialUse.Archive)!;
    const copied = await account.copy(got.mailboxId, [1], archive.id);
    assert.deepEqual([copied.fromUids, copied.toUids], [[1], [1]]);
    assert.equal(messageFiles(s).length, 1);
    await account.expunge(got.mailboxId, [1], undefined, { force: true });
    assert.equal(messageFiles(s).length, 1);
    await account.storeFlags(archive.id, [1], "add", Flag.Deleted, []);
    const gone = await account.expunge(archive.id);
    assert.deepEqual(gone.uids, [1]);
    assert.equal(messageFiles(s).length, 0);
    assert.equal(account.quota().messageSize.used, 0);
  }));

Deno.test("MOVE keeps the message's id and leaves its old uid behind for QRESYNC", () =>
  withStore(async (s) => {
    const { account } = s;
    const got = await account.deliver("Inbox", await s.message(hello));
    const before = account.highestModseq(got.mailboxId);
    const trash = account.mailboxByName("Trash")!;
    await account.move(got.mailboxId, [1], trash.id);
    assert.equal(account.message(got.id)!.mailboxId, trash.id);
    assert.deepEqual(account.expungedSince(got.mailboxId, before), [1]);
    assert.equal(account.uids(got.mailboxId).length, 0);
  }));

Deno.test("a failed delivery leaves no file and no row, and the next one works", async () => {
  let quota: number | undefined = 10;
  await withStore(async (s) => {
    await assert.rejects(
      s.account.deliver("Inbox", await s.message(hello)),
      (e) => e instanceof StoreError && e.code === "overQuota",
    );
    assert.equal(messageFiles(s).length, 0);
    assert.equal(s.account.mailboxByName("Inbox")!.total, 0);
    quota = undefined;
    await s.account.deliver("Inbox", await s.message(hello));
    assert.equal(messageFiles(s).length, 1);
  }, { quotaMessageSize: () => quota });
});

Deno.test("a size that is not the file's is refused", () =>
  withStore(async (s) => {
    const m = await s.message(hello);
    await assert.rejects(
      s.account.deliver("Inbox", { ...m, fileSize: m.fileSize + 1 }),
      (e) => e instanceof StoreError && e.code === "size",
    );
  }));

Deno.test("files that a crash left without a row are removed at the next start, others are not", () =>
  withStore(async (s) => {
    await s.account.deliver("Inbox", await s.message(hello));
    const [known] = messageFiles(s);
    const stray = join(s.dir, "accounts", "test", "msg", "0", "7");
    await Deno.writeTextFile(stray, "half a message");
    await s.reopen();
    assert.deepEqual(messageFiles(s), [known]);
    const next = await s.account.deliver("Inbox", await s.message(hello));
    assert.equal(next.uid, 2);
  }));

Deno.test("a file in the way of a delivery is stepped around, never written over", () =>
  withStore(async (s) => {
    await s.account.deliver("Inbox", await s.message(hello));
    const stray = join(s.dir, "accounts", "test", "msg", "0", "2");
    await Deno.writeTextFile(stray, "not ours");
    const got = await s.account.deliver("Inbox", await s.message(hello));
    assert.equal(got.emailId, 3);
    assert.equal(await Deno.readTextFile(stray), "not ours");
  }));

Deno.test("deliveries at the same time all arrive, each with its own uid", () =>
  withStore(async (s) => {
    const list = [];
    for (let i = 0; i < 60; i++) list.push(await s.message(hello + i));
    const got = await Promise.all(list.map((m) => s.account.deliver("Inbox", m)));
    assert.deepEqual(
      got.map((m) => m.uid).sort((a, b) => a - b),
      Array.from({ length: 60 }, (_, i) => i + 1),
    );
    assert.equal(new Set(got.map((m) => m.modseq)).size, 60);
  }));

Deno.test("APPEND of several is all or nothing", () =>
  withStore(async (s) => {
    const inbox = s.account.mailboxByName("Inbox")!;
    const a = await s.message(hello);
    const b = { ...await s.message(hello), fileSize: 1 };
    await assert.rejects(s.account.append(inbox.id, [a, b]));
    assert.equal(messageFiles(s).length, 0);
    const ok = await s.account.append(inbox.id, [a, await s.message(hello)]);
    assert.deepEqual(ok.map((m) => m.uid), [1, 2]);
  }));

Deno.test("STORE: unchangedSince refuses what changed since, and unchanged flags keep their modseq", () =>
  withStore(async (s) => {
    const { account } = s;
    const a = await account.deliver("Inbox", await s.message(hello));
    const b = await account.deliver("Inbox", await s.message(hello));
    const box = a.mailboxId;
    const r = await account.storeFlags(box, [1, 2, 9], "add", Flag.Seen, ["Todo"], {
      unchangedSince: a.modseq,
    });
    assert.deepEqual([r.modified, r.missing], [[b.uid], [9]]);
    assert.deepEqual(r.changed[0].keywords, ["todo"]);
    const again = await account.storeFlags(box, [1], "add", Flag.Seen, []);
    assert.equal(again.changed[0].modseq, r.changed[0].modseq);
    assert.deepEqual(account.mailbox(box)!.keywords, ["Todo"]);
    assert.equal(account.mailbox(box)!.unseen, 1);
  }));

Deno.test("keywords have a limit, with a clear error, and nothing is changed by a refusal", () =>
  withStore(async (s) => {
    const a = await s.account.deliver("Inbox", await s.message(hello));
    for (let i = 0; i < 10; i++) {
      const words = Array.from({ length: 100 }, (_, k) => `k${i}-${k}`);
      await s.account.storeFlags(a.mailboxId, [1], "set", 0, words);
    }
    await assert.rejects(
      s.account.storeFlags(a.mailboxId, [1], "set", Flag.Seen, ["one-more"]),
      (e) => e instanceof StoreError && e.code === "tooManyKeywords",
    );
    assert.equal(s.account.messageByUid(a.mailboxId, 1)!.flags, 0);
  }));

Deno.test("mailbox names: normalised, bad ones refused, inbox in any case", () =>
  withStore(async ({ account }) => {
    const { mailbox } = await account.createMailbox("Cafe\u0301/iNbox");
    assert.equal(mailbox.name, "Caf\u00e9/iNbox");
    assert.equal((await account.createMailbox("INBOX/sub")).mailbox.name, "Inbox/sub");
    for (
      const bad of ["", "/a", "a/", "a//b", "a\0b", "#news", "..", "x".repeat(1001)]
    ) {
      await assert.rejects(
        account.createMailbox(bad),
        (e) => e instanceof StoreError && e.code === "mailboxName",
        bad,
      );
    }
    await assert.rejects(
      account.createMailbox("inBOX"),
      (e) => e instanceof StoreError && e.code === "mailboxExists",
    );
  }));

Deno.test("renaming takes children and subscriptions along; renaming Inbox moves its messages", () =>
  withStore(async (s) => {
    const { account } = s;
    await account.createMailbox("a/b/c");
    await account.renameMailbox("a", "x/y");
    assert.ok(account.mailboxByName("x/y/b/c"));
    assert.ok(account.subscriptions().includes("x/y/b/c"));
    assert.equal(account.mailboxByName("a"), undefined);
    await account.deliver("Inbox", await s.message(hello));
    await account.renameMailbox("inbox", "Old");
    assert.equal(account.mailboxByName("Inbox")!.total, 0);
    assert.equal(account.mailboxByName("Old")!.total, 1);
  }));

Deno.test("mailboxes get each other's names in one transaction, or keep them all", () =>
  withStore(async ({ account }) => {
    const made = new Map<string, MailboxId>();
    for (const name of ["a", "b", "c", "a/x", "b/y", "~0"]) {
      made.set(name, (await account.createMailbox(name)).mailbox.id);
    }
    const id = (name: string) => made.get(name)!;
    const names = () => [...made].map(([k, v]) => `${k}=${account.mailbox(v)!.name}`).join(" ");
    const top = (from: string, to: string) => ({ id: id(from), parentId: noMailbox, name: to });
    const listener = account.listen();

    await account.renameInCircle([top("a", "b"), top("b", "c"), top("c", "a")]);
    assert.equal(names(), "a=b b=c c=a a/x=b/x b/y=c/y ~0=~0");
    assert.equal(account.mailbox(id("a/x"))!.parentId, id("a"));
    assert.ok(account.subscriptions().includes("c/y"));
    // Whoever follows the changes has a list without doubles after each of them.
    const seen = new Set(["a", "b", "c", "a/x", "b/y", "~0"]);
    for (const c of listener.take()) {
      if (c.kind !== "renameMailbox") continue;
      assert.ok(seen.delete(c.oldName), c.oldName);
      assert.ok(!seen.has(c.newName), c.newName);
      seen.add(c.newName);
    }
    assert.deepEqual([...seen].sort(), ["a", "b", "b/x", "c", "c/y", "~0"]);

    // One gets a name below the other, which has its own by then.
    await account.renameInCircle([
      { id: id("a/x"), parentId: noMailbox, name: "b" },
      { id: id("a"), parentId: id("a/x"), name: "x" },
    ]);
    assert.equal(names(), "a=b/x b=c c=a a/x=b b/y=c/y ~0=~0");

    listener.take();
    const before = names();
    // What is in the way is none of them.
    await assert.rejects(
      account.renameInCircle([top("b", "~0"), top("c", "c")]),
      (e) => e instanceof StoreError && e.code === "mailboxExists",
    );
    assert.equal(names(), before);
    assert.deepEqual(listener.take(), []);
    const inbox = account.mailboxByName("Inbox")!.id;
    await assert.rejects(
      account.renameInCircle([top("b", "Inbox"), { id: inbox, parentId: noMailbox, name: "c" }]),
      (e) => e instanceof StoreError && e.code === "inbox",
    );
    assert.equal(names(), before);

    const { Archive, Junk, Sent } = SpecialUse;
    const [archive, junk] = [Archive, Junk].map((use) => account.mailboxBySpecialUse(use)!.id);
    const uses = () => [archive, junk].map((x) => account.mailbox(x)!.specialUse);
    await account.setSpecialUses([{ id: archive, bits: Junk }, { id: junk, bits: Archive }]);
    assert.deepEqual(uses(), [Junk, Archive]);
    await assert.rejects(
      account.setSpecialUses([{ id: archive, bits: Archive }, { id: junk, bits: Sent }]),
      (e) => e instanceof StoreError && e.code === "specialUse",
    );
    assert.deepEqual(uses(), [Junk, Archive]);
    listener.close();
  }));

Deno.test("a removed mailbox is gone with its messages and files, and its name gets a new uidvalidity", () =>
  withStore(async (s) => {
    const { account } = s;
    await account.deliver("Temp", await s.message(hello));
    const old = account.mailboxByName("Temp")!;
    await account.deleteMailbox("Temp");
    assert.equal(messageFiles(s).length, 0);
    const { mailbox } = await account.createMailbox("Temp");
    assert.ok(mailbox.uidValidity > old.uidValidity);
    assert.notEqual(mailbox.id, old.id);
  }));

Deno.test("a message that is being read can be expunged; its file goes when the reader is closed", () =>
  withStore(async (s) => {
    // A small one is read at once, and its file is not kept open.
    for (const [text, files] of [[hello, 0], [hello + "x".repeat(smallFile), 1]] as const) {
      const got = await s.account.deliver("Inbox", await s.message(text));
      const reader = s.account.openMessage(got.emailId);
      await s.account.expunge(got.mailboxId, [got.uid], undefined, { force: true });
      assert.equal(reader.read(0, 4).length, 4);
      assert.equal(messageFiles(s).length, files);
      reader.close();
      assert.equal(messageFiles(s).length, 0);
    }
  }));
