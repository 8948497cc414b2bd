/** COPY and MOVE, column by column. */
import { asMailboxId } from "../../src/store/ids.ts";
import assert from "node:assert/strict";
import type { Account } from "../../src/store/account/account.ts";
import { type Change, Flag, SpecialUse } from "../../src/store/types.ts";
import { at, deliveryFacts, rowsOf, type TestStore, withStore } from "./setup.ts";

const received = Date.UTC(2020, 1, 3);
const first = Date.UTC(2026, 0, 1);
const later = Date.UTC(2026, 0, 9);

const columns = "id, email_id, mailbox_id, uid, modseq, createseq, expunged, flags, keywords, " +
  "received, saved, size, trained";

/** All rows of messages, by id. */
function messages(account: Account) {
  return rowsOf(account, `SELECT ${columns} FROM messages ORDER BY id`);
}

function rowOf(account: Account, id: number) {
  return rowsOf(account, `SELECT ${columns} FROM messages WHERE id = ?`, id)[0];
}

/** A message with flags and keywords in Inbox, saved at `first`. */
async function add(s: TestStore, flags = 0, keywords: string[] = [], mailbox = "Inbox") {
  const m = await s.message(`From: a@x.example\nSubject: ${flags}\n\n${keywords.join()}\n`);
  return await at(first, () => s.account.deliver(mailbox, { ...m, flags, keywords, received }));
}

const named = (s: TestStore, name: string) => s.account.mailboxByName(name)!;

Deno.test("COPY: flags, keywords, size and received date are the original's, the saved date is its own", () =>
  withStore(async (s) => {
    const a = await add(s, Flag.Seen | Flag.Flagged, ["blue", "zed"]);
    const b = await add(s, Flag.Deleted);
    const archive = named(s, "Archive").id;
    const before = messages(s.account);
    const r = await at(later, () => s.account.copy(a.mailboxId, [a.uid, b.uid, 99], archive));
    assert.deepEqual(r, {
      fromUids: [1, 2],
      toUids: [1, 2],
      uidValidity: named(s, "Archive").uidValidity,
      trainable: [],
    });
    const after = messages(s.account);
    assert.deepEqual(after.slice(0, 2), before, "the originals stay as they are");
    const modseq = s.account.state();
    assert.equal(modseq, b.modseq + 1, "one change");
    const common = { mailbox_id: archive, modseq, createseq: modseq, expunged: 0, trained: 0 };
    assert.deepEqual(after.slice(2), [
      {
        ...common,
        id: 3,
        email_id: a.emailId,
        uid: 1,
        flags: Flag.Seen | Flag.Flagged,
        keywords: "blue zed",
        received,
        saved: later,
        size: a.size,
      },
      {
        ...common,
        id: 4,
        email_id: b.emailId,
        uid: 2,
        flags: Flag.Deleted,
        keywords: "",
        received,
        saved: later,
        size: b.size,
      },
    ]);
    const { total, deleted, unread, unseen, size, uidNext, keywords } = named(s, "Archive");
    assert.deepEqual(
      { total, deleted, unread, unseen, size, uidNext, keywords },
      {
        total: 2,
        deleted: 1,
        unread: 0,
        unseen: 1,
        size: a.size + b.size,
        uidNext: 3,
        keywords: ["blue", "zed"],
      },
    );
    assert.equal(named(s, "Archive").modseq, modseq);
  }));

Deno.test("COPY and MOVE of nothing change nothing", () =>
  withStore(async (s) => {
    const a = await add(s);
    const archive = named(s, "Archive");
    const before = s.account.state();
    const copied = await s.account.copy(a.mailboxId, [7], archive.id);
    const moved = await s.account.move(a.mailboxId, [7], archive.id);
    assert.deepEqual(copied.toUids, []);
    assert.deepEqual([moved.toUids, moved.modseq], [[], named(s, "Inbox").modseq]);
    assert.equal(copied.uidValidity, archive.uidValidity);
    assert.equal(moved.uidValidity, archive.uidValidity);
    assert.equal(s.account.state(), before);
    assert.equal(named(s, "Archive").uidNext, archive.uidNext);
  }));

Deno.test("COPY into the same mailbox makes twins", () =>
  withStore(async (s) => {
    const a = await add(s, Flag.Seen, ["w"]);
    const r = await s.account.copy(a.mailboxId, [1], a.mailboxId);
    assert.deepEqual([r.fromUids, r.toUids], [[1], [2]]);
    assert.equal(named(s, "Inbox").total, 2);
    assert.equal(s.account.messageByUid(a.mailboxId, 2)!.emailId, a.emailId);
  }));

Deno.test("MOVE: the message keeps all but its place; its old uid stays behind, empty", () =>
  withStore(async (s) => {
    const a = await add(s, Flag.Answered | Flag.Junk, ["blue", "zed"]);
    const b = await add(s);
    await s.account.writer.write(() => {
      s.account.db.run("UPDATE messages SET trained = 2 WHERE id = ?", a.id);
    });
    const archive = named(s, "Archive").id;
    const r = await at(later, () => s.account.move(a.mailboxId, [1, 5], archive));
    const modseq = s.account.state();
    assert.equal(modseq, b.modseq + 1);
    assert.deepEqual(r, {
      fromUids: [1],
      toUids: [1],
      uidValidity: named(s, "Archive").uidValidity,
      trainable: [],
      modseq,
    });
    assert.deepEqual(rowOf(s.account, a.id), {
      id: a.id,
      email_id: a.emailId,
      mailbox_id: archive,
      uid: 1,
      modseq,
      createseq: modseq,
      expunged: 0,
      flags: Flag.Answered | Flag.Junk,
      keywords: "blue zed",
      received,
      saved: later,
      size: a.size,
      trained: 2,
    });
    const remnant = messages(s.account).filter((m) => m.expunged === 1);
    assert.deepEqual(remnant, [{
      id: 3,
      email_id: a.emailId,
      mailbox_id: a.mailboxId,
      uid: 1,
      modseq,
      createseq: 0,
      expunged: 1,
      flags: 0,
      keywords: "",
      received: 0,
      saved: 0,
      size: 0,
      trained: 0,
    }]);
    const counts = (name: string) => {
      const { total, deleted, unread, unseen, size, keywords } = named(s, name);
      return { total, deleted, unread, unseen, size, keywords };
    };
    assert.deepEqual(counts("Inbox"), {
      total: 1,
      deleted: 0,
      unread: 1,
      unseen: 1,
      size: b.size,
      keywords: ["blue", "zed"],
    });
    assert.deepEqual(counts("Archive"), {
      total: 1,
      deleted: 0,
      unread: 1,
      unseen: 1,
      size: a.size,
      keywords: ["blue", "zed"],
    });
  }));

Deno.test("listeners hear of copies and moves with what the messages have", () =>
  withStore(async (s) => {
    const a = await add(s, Flag.Seen, ["blue"]);
    const archive = named(s, "Archive").id;
    const trash = named(s, "Trash").id;
    const l = s.account.listen();
    await s.account.copy(a.mailboxId, [1], archive);
    const { emailId, threadId, mailboxId } = a;
    const added = (mailboxId: number, messageId: number): Change => ({
      kind: "addMessage",
      mailboxId: asMailboxId(mailboxId),
      uid: 1,
      modseq: s.account.state(),
      flags: Flag.Seen,
      keywords: ["blue"],
      messageId,
      emailId,
      threadId,
    });
    const counts = (mailboxId: number, total: number): Change => ({
      kind: "mailboxCounts",
      mailboxId: asMailboxId(mailboxId),
      counts: { total, deleted: 0, unread: 0, unseen: 0, size: total * a.size },
    });
    const words = (mailboxId: number): Change => ({
      kind: "mailboxKeywords",
      mailboxId: asMailboxId(mailboxId),
      keywords: ["blue"],
    });
    assert.deepEqual(l.take(), [added(archive, 2), words(archive), counts(archive, 1)]);
    await s.account.move(mailboxId, [1], trash);
    assert.deepEqual(l.take(), [
      {
        kind: "removeMessages",
        mailboxId,
        uids: [1],
        messageIds: [a.id],
        modseq: s.account.state(),
      },
      added(trash, a.id),
      words(trash),
      counts(mailboxId, 0),
      counts(trash, 1),
    ]);
    l.close();
  }));

/** Rules as new accounts have them: Junk marks junk, Archive marks what is good, Inbox marks neither. */
const junkRules = {
  junkFlags: ({ name }: { name: string }) =>
    name === "Junk"
      ? Flag.Junk
      : name === "Archive"
      ? Flag.NotJunk
      : name === "Inbox"
      ? 0
      : undefined,
};

/** Ids that the trainer is told of. */
function trainings(s: TestStore): number[][] {
  const told: number[][] = [];
  s.account.onTraining = (ids) => told.push([...ids]);
  return told;
}

Deno.test("MOVE trains those whose $Junk or $NotJunk it changes, and no others", () =>
  withStore(async (s) => {
    const told = trainings(s);
    const plain = await add(s, 0, [], "Other");
    const junk = await add(s, Flag.Junk, [], "Other");
    const ham = await add(s, Flag.NotJunk | Flag.Seen, [], "Other");
    assert.deepEqual(told, [[junk.id], [ham.id]], "as delivered");
    told.length = 0;
    const other = plain.mailboxId;
    const r = await s.account.move(other, [1, 2, 3], named(s, "Junk").id);
    assert.deepEqual(r.trainable, [plain.id, ham.id]);
    assert.deepEqual(told, [[plain.id, ham.id]]);
    for (const m of [plain, junk, ham]) {
      assert.equal(s.account.message(m.id)!.flags & (Flag.Junk | Flag.NotJunk), Flag.Junk);
    }
    told.length = 0;
    // A mailbox without a rule leaves the flags as they are.
    await s.account.move(named(s, "Junk").id, [1, 2, 3], other);
    assert.deepEqual(told, []);
    assert.equal(s.account.message(ham.id)!.flags, Flag.Junk | Flag.Seen);
    await s.account.move(other, [4], named(s, "Inbox").id);
    assert.deepEqual(told, [[plain.id]], "neither junk nor good");
    assert.equal(s.account.message(plain.id)!.flags, 0);
  }, junkRules));

Deno.test("COPY trains the copies that are junk or good", () =>
  withStore(async (s) => {
    const told = trainings(s);
    const m = await add(s, 0, [], "Other");
    const r = await s.account.copy(m.mailboxId, [1], named(s, "Junk").id);
    const copy = s.account.messageByUid(named(s, "Junk").id, 1)!;
    assert.deepEqual([r.trainable, told, copy.flags], [[copy.id], [[copy.id]], Flag.Junk]);
    const back = await s.account.copy(named(s, "Junk").id, [1], named(s, "Inbox").id);
    assert.deepEqual([back.trainable, told.length], [[], 1]);
    assert.equal(s.account.message(m.id)!.flags, 0, "the original is as it was");
  }, junkRules));

function delivery(account: Account, id: number) {
  return rowsOf(
    account,
    "SELECT orig_mailbox_id, destined_mailbox_id, is_reject FROM deliveries WHERE message_id = ?",
    id,
  )[0];
}

Deno.test("a reject that is moved out counts as delivered where it was destined, as good mail; in Trash and Junk not", () =>
  withStore(async (s) => {
    const told = trainings(s);
    const inbox = named(s, "Inbox").id;
    const cases: [to: string, flags: number, destined: number, want: number][] = [
      // Of Inbox this account says that it marks neither: the move out of Rejects marks it all the same.
      ["Inbox", 0, inbox, Flag.NotJunk],
      ["Other", 0, inbox, Flag.NotJunk],
      ["Other", Flag.Seen, 0, Flag.NotJunk | Flag.Seen],
      ["Other", Flag.Junk, inbox, Flag.Junk],
      ["Trash", Flag.Seen, inbox, Flag.Seen],
      ["Junk", 0, inbox, Flag.Junk],
    ];
    await s.account.createMailbox("Other");
    for (const [to, flags, destinedMailboxId, want] of cases) {
      const what = `to ${to}, flags ${flags}, destined ${destinedMailboxId}`;
      const m = await s.account.deliver("Rejects", {
        ...await s.message("Subject: x\n\nx\n"),
        flags,
        facts: deliveryFacts(),
        isReject: true,
        destinedMailboxId: asMailboxId(destinedMailboxId),
      });
      assert.deepEqual(delivery(s.account, m.id), {
        orig_mailbox_id: m.mailboxId,
        destined_mailbox_id: destinedMailboxId,
        is_reject: 1,
      }, what);
      told.length = 0;
      await s.account.move(m.mailboxId, [m.uid], named(s, to).id);
      assert.equal(s.account.message(m.id)!.flags, want, what);
      const changed = ((flags ^ want) & (Flag.Junk | Flag.NotJunk)) !== 0;
      assert.deepEqual(told, changed ? [[m.id]] : [], what);
      assert.deepEqual(delivery(s.account, m.id), {
        orig_mailbox_id: destinedMailboxId === 0 ? m.mailboxId : destinedMailboxId,
        destined_mailbox_id: destinedMailboxId,
        is_reject: 0,
      }, what);
      // Moved on it is a message as any other.
      const at = s.account.message(m.id)!;
      await s.account.move(at.mailboxId, [at.uid], named(s, "Drafts").id);
      assert.equal(s.account.message(m.id)!.flags, want, `${what}, moved on`);
    }
  }, junkRules));

Deno.test("a message moved out of an introbox counts as delivered where it was meant to go", () =>
  withStore(async (s) => {
    const inbox = named(s, "Inbox").id;
    const m = await s.account.deliver("Intro", {
      ...await s.message("Subject: x\n\nx\n"),
      facts: deliveryFacts(),
      destinedMailboxId: inbox,
    });
    const plain = await s.account.deliver("Intro", {
      ...await s.message("Subject: y\n\nx\n"),
      facts: deliveryFacts(),
    });
    await s.account.move(m.mailboxId, [m.uid, plain.uid], named(s, "Archive").id);
    assert.deepEqual(delivery(s.account, m.id), {
      orig_mailbox_id: inbox,
      destined_mailbox_id: 0,
      is_reject: 0,
    });
    assert.deepEqual(delivery(s.account, plain.id), {
      orig_mailbox_id: m.mailboxId,
      destined_mailbox_id: 0,
      is_reject: 0,
    });
    // No reject: nobody looked at it and found it good.
    assert.equal(s.account.message(m.id)!.flags, 0);
  }));

Deno.test("many are copied and moved in their order, in slices", () =>
  withStore(async (s) => {
    const n = 850;
    const inbox = named(s, "Inbox").id;
    const m = await s.message("Subject: x\n\nx\n");
    const list = Array.from({ length: 5 }, () => ({ ...m, fileSynced: true }));
    for (let i = 0; i < n / 50; i++) {
      await s.account.append(inbox, Array.from({ length: 10 }, () => list).flat());
    }
    const emails = (id: number) => {
      const found: number[] = [];
      s.account.fetch(asMailboxId(id), s.account.uids(asMailboxId(id)), 0, (row) =>
        void found.push(row.emailId));
      return found;
    };
    const order = emails(inbox);
    assert.equal(order.length, n);
    const archive = named(s, "Archive").id;
    const trash = named(s, "Trash").id;
    const copied = await s.account.copy(inbox, s.account.uids(inbox), archive);
    assert.deepEqual(copied.fromUids, [...s.account.uids(inbox)]);
    assert.deepEqual(copied.toUids, [...s.account.uids(archive)]);
    assert.deepEqual(emails(archive), order);
    const moved = await s.account.move(inbox, s.account.uids(inbox), trash);
    assert.equal(moved.fromUids.length, n);
    assert.deepEqual(emails(trash), order);
    assert.deepEqual(emails(inbox), []);
    assert.equal(moved.modseq, s.account.state());
    assert.deepEqual((await s.account.expunge(trash, undefined, undefined, { force: true })).uids, [
      ...moved.toUids,
    ]);
  }));

Deno.test("a mailbox that is gone, or was used up, takes nothing", () =>
  withStore(async (s) => {
    const m = await add(s);
    const archive = named(s, "Archive").id;
    const code = (e: unknown) => (e as { code?: string }).code;
    for (const op of ["copy", "move"] as const) {
      await assert.rejects(
        s.account[op](m.mailboxId, [1], asMailboxId(999)),
        (e) => code(e) === "mailboxMissing",
      );
      await assert.rejects(s.account[op](asMailboxId(999), [1], archive), (e) =>
        code(e) === "mailboxMissing");
    }
    const uidnext = (n: number) =>
      s.account.writer.write(() => {
        s.account.db.run("UPDATE mailboxes SET uidnext = ? WHERE id = ?", n, archive);
      });
    // RFC 9051 §2.3.1.1: 32 bits, and what follows the last one must fit too.
    await uidnext(0xfffffffd);
    await s.account.copy(m.mailboxId, [1], archive);
    await assert.rejects(
      s.account.copy(m.mailboxId, [1], archive),
      (e) =>
        code(e) === "mailboxName",
    );
    await assert.rejects(
      s.account.move(m.mailboxId, [1], archive),
      (e) => code(e) === "mailboxName",
    );
    assert.equal(named(s, "Inbox").total, 1);
    assert.equal(named(s, "Archive").total, 1);
    assert.equal(named(s, "Archive").specialUse, SpecialUse.Archive);
  }));

Deno.test("renaming Inbox, and adding to several mailboxes, train what becomes junk or good by it", () =>
  withStore(async (s) => {
    const told = trainings(s);
    const m = await add(s);
    const before = named(s, "Archive");
    await s.account.deleteMailbox("Archive");
    await s.account.renameMailbox("Inbox", "Archive");
    assert.notEqual(named(s, "Archive").id, before.id);
    assert.deepEqual([s.account.message(m.id)!.flags, told], [Flag.NotJunk, [[m.id]]]);
    told.length = 0;
    const boxes = ["Inbox", "Junk", "Archive", "Trash"].map((name) => named(s, name).id);
    await s.account.addEmail(boxes, await s.message("Subject: x\n\nx\n"));
    const inJunk = s.account.messageByUid(boxes[1], 1)!;
    const inArchive = s.account.messageByUid(boxes[2], 2)!;
    assert.deepEqual([inJunk.flags, inArchive.flags], [Flag.Junk, Flag.NotJunk]);
    assert.deepEqual(told, [[inJunk.id, inArchive.id]]);
  }, junkRules));
