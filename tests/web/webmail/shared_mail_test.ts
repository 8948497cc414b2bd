/** Mailboxes of others in the webmail (RFC 4314): what is shown, what rights allow, and what nobody gets at. */
import assert from "node:assert/strict";
import type { Change, Mailbox, MessageItem } from "../../../webmail/api/mod.ts";
import { othersFrom } from "../../../webmail/api/mod.ts";
import type { Account } from "../../../src/store/account/account.ts";
import { changeRights } from "../../../src/store/mailboxes/rights.ts";
import {
  type Browser,
  composition,
  type Events,
  message,
  query,
  refused,
  withWebmail,
  type World,
} from "./server.ts";

interface Shared extends World {
  ann: Account;
  bob: Account;
  /** Puts a message into a mailbox of another; its id there. */
  put(account: Account, mailbox: string, text: string): Promise<number>;
  /** Grants the user rights of a mailbox, "" for none. */
  grant(account: Account, mailbox: string, rights: string): Promise<void>;
  /** Who may share something. */
  owners: string[];
}

/** A webmail whose user is shared mail by ann and by bob, whose ids are the same. */
async function withShared(fn: (w: Shared) => Promise<void>): Promise<void> {
  const owners = ["ann", "bob", "gone"];
  await withWebmail(async (w) => {
    const { Accounts } = w.services.config.dynamic;
    Accounts.set("ann", { ...Accounts.get("mox")!, FullName: "Ann Example" });
    Accounts.set("bob", { ...Accounts.get("mox")!, FullName: "" });
    const ann = await w.accounts.open("ann");
    const bob = await w.accounts.open("bob");
    let n = 0;
    try {
      await fn({
        ...w,
        ann,
        bob,
        owners,
        async put(account, mailbox, text) {
          const file = `${w.dir}/other-${n++}`;
          const bytes = new TextEncoder().encode(text.replace(/\r?\n/g, "\r\n"));
          await Deno.writeFile(file, bytes);
          const m = await account.deliver(mailbox, {
            ...{ file, fileSize: bytes.length, fileSynced: true, prefix: new Uint8Array(0) },
          });
          return m.id;
        },
        async grant(account, mailbox, rights) {
          const { id } = account.mailboxByName(mailbox) ??
            (await account.createMailbox(mailbox)).mailbox;
          await changeRights(account, id, "mox", () => rights);
          w.webmail.sharesChanged("mox");
        },
      });
    } finally {
      ann.close();
      bob.close();
    }
  }, { owners: (user) => user === "mox" ? owners : [] });
}

const inbox = (w: World) => w.account.mailboxByName("Inbox")!.id;

/** The mailboxes of others that a page is told of when it begins, by their names. */
async function sharedAtStart(w: World, b: Browser): Promise<Map<string, Mailbox>> {
  const e = await b.events(query(inbox(w)));
  const start = await e.expect("start");
  e.close();
  return new Map(start.mailboxes.filter((m) => m.shared).map((m) => [m.name, m]));
}

/** A page with a mailbox of others open, and what is in it. */
async function opened(b: Browser, id: number): Promise<{ e: Events; items: MessageItem[] }> {
  const e = await b.events(query(id));
  await e.expect("start");
  const { threads } = await e.view();
  return { e, items: threads.flat() };
}

/** All that a page hears, in its order, however it is put together. */
class Heard {
  readonly all: Change[] = [];
  readonly #e: Events;
  #at = 0;
  #error: string | undefined;

  constructor(e: Events) {
    this.#e = e;
  }

  /** Why the view has ended, whenever that was told. */
  async viewError(): Promise<string> {
    while (this.#error === undefined) await this.#more();
    return this.#error;
  }

  async #more(): Promise<void> {
    const event = await this.#e.next();
    if (event?.kind === "viewError") this.#error = event.message;
    else if (event?.kind === "changes") this.all.push(...event.changes);
    else assert.equal(event?.kind, "alive", JSON.stringify(event));
  }

  /** The next of this kind. */
  async next<K extends Change["kind"]>(kind: K): Promise<Extract<Change, { kind: K }>> {
    for (;; this.#at++) {
      while (this.#at === this.all.length) await this.#more();
      const c = this.all[this.#at];
      if (c.kind !== kind) continue;
      this.#at++;
      return c as Extract<Change, { kind: K }>;
    }
  }
}

Deno.test("mailboxes of others are listed with their owners and rights, and no others", async () => {
  await withShared(async (w) => {
    await w.put(w.ann, "Team", message({ subject: "hello" }));
    await w.put(w.ann, "Private", message({}));
    await w.put(w.bob, "Inbox", message({}));
    const b = await w.login();
    assert.equal((await sharedAtStart(w, b)).size, 0);
    await w.grant(w.ann, "Team", "lrs");
    await w.grant(w.ann, "Hidden", "r");
    await w.grant(w.ann, "Seen", "l");
    await w.grant(w.bob, "Inbox", "lrswite");
    const boxes = await sharedAtStart(w, b);
    assert.deepEqual([...boxes.keys()].sort(), [
      "Other Users/ann/Seen",
      "Other Users/ann/Team",
      "Other Users/bob/Inbox",
    ]);
    const team = boxes.get("Other Users/ann/Team")!;
    assert.deepEqual(team.shared, { owner: "Ann Example (ann)", rights: "lrs" });
    assert.deepEqual([team.total, team.unread], [1, 1]);
    // What may not be read is not counted either.
    assert.equal(boxes.get("Other Users/ann/Seen")!.total, 0);
    assert.deepEqual(boxes.get("Other Users/bob/Inbox")!.shared, {
      owner: "bob",
      rights: "lrswite",
    });
    // Ids of different accounts differ, and from the own.
    const ids = [...boxes.values()].map((m) => m.id);
    assert.equal(new Set(ids).size, 3);
    for (const id of ids) assert.ok(id > othersFrom);
  });
});

Deno.test("a shared mailbox is read as one's own: list, threads, search, message, documents", async () => {
  await withShared(async (w) => {
    const own = await w.deliver(message({ subject: "mine" }));
    const first = await w.put(
      w.ann,
      "Team",
      message({
        subject: "plan",
        id: "1@x",
        body: "the giraffe",
        more: "List-Unsubscribe: <https://x.example/>",
      }),
    );
    const second = await w.put(
      w.ann,
      "Team",
      message({ subject: "Re: plan", id: "2@x", references: ["1@x"] }),
    );
    await w.put(
      w.ann,
      "Private",
      message({ subject: "Re: plan", id: "3@x", references: ["1@x", "2@x"], body: "secret" }),
    );
    // Of the other, ids are the same.
    await w.put(w.bob, "Team", message({ subject: "bob's" }));
    await w.grant(w.ann, "Team", "lr");
    await w.grant(w.bob, "Team", "lr");
    assert.equal(own, first);
    const b = await w.login();
    const boxes = await sharedAtStart(w, b);
    const team = boxes.get("Other Users/ann/Team")!;
    const e = await b.events(query(team.id, { threading: "on" }));
    await e.expect("start");
    const [thread, ...rest] = (await e.view()).threads;
    assert.equal(rest.length, 0);
    // Not the answer that is elsewhere.
    assert.deepEqual(thread.map((m) => [m.subject, m.mailboxId, m.level]), [
      ["plan", team.id, 0],
      ["Re: plan", team.id, 1],
    ]);
    assert.deepEqual(thread[1].parentIds, [thread[0].emailId]);
    const [id, answerId] = thread.map((m) => m.id);
    assert.deepEqual([id % othersFrom, answerId % othersFrom], [first, second]);
    const other = await opened(b, boxes.get("Other Users/bob/Team")!.id);
    assert.deepEqual(other.items.map((m) => m.subject), ["bob's"]);
    assert.equal(other.items[0].id % othersFrom, first);
    assert.notEqual(other.items[0].id, id);

    const search = query(team.id, { filter: { words: ["giraffe"] } });
    const found = await b.events(search);
    await found.expect("start");
    assert.deepEqual((await found.view()).threads.flat().map((m) => m.id), [id]);
    assert.equal((await b.call("QueryCount", { query: search })).count, 1);

    const m = await b.call("MessageGet", { id });
    assert.deepEqual([m.item.id, m.item.subject, m.texts[0].text], [id, "plan", "the giraffe"]);
    // Leaving the list is its owner's matter, as are addresses that answer.
    assert.deepEqual([m.listUnsubscribe, m.ownAddresses, m.why], [null, [], null]);
    const conversation = (await b.call("ThreadGet", { id })).items;
    assert.deepEqual(conversation.map((i) => i.id), [id, answerId]);
    const { items } = await b.call("MessageItems", { ids: [answerId, own, id] });
    assert.deepEqual(items.map((i) => i.id), [answerId, own, id]);
    assert.match(await b.text(`message/${id}/raw`), /giraffe/);
    assert.match(await b.text(`message/${id}/headers`), /Subject: plan/);
    assert.match(await b.text(`message/${id}/part/1`), /giraffe/);
    assert.match(await b.text(`message/${id}/print`), /giraffe/);
    assert.match(await b.text(`message/${own}/raw`), /Subject: mine/);
    const zip = await b.get(`export?mailbox=${team.id}&format=mbox`);
    assert.equal(zip.status, 200);
    assert.ok((await zip.bytes()).length > 100);
    // Nothing of it is in what is searched for everywhere.
    assert.equal((await b.call("QueryCount", { query: query(null) })).count, 1);
    const quote = await b.call("MessageQuote", { id, style: false });
    assert.deepEqual(quote, { html: "", pictures: [] });
  });
});

Deno.test("what nobody shares is gone for everybody: ids, documents, threads, rights that are lacking", async () => {
  await withShared(async (w) => {
    const secret = await w.put(w.ann, "Private", message({ subject: "secret" }));
    const shown = await w.put(w.ann, "Team", message({ subject: "shown" }));
    await w.put(w.bob, "Inbox", message({ subject: "bob's" }));
    await w.grant(w.ann, "Team", "lr");
    await w.grant(w.ann, "Listed", "l");
    const listed = await w.put(w.ann, "Listed", message({ subject: "listed" }));
    const b = await w.login();
    const boxes = await sharedAtStart(w, b);
    const team = boxes.get("Other Users/ann/Team")!;
    const base = team.id - w.ann.mailboxByName("Team")!.id;
    const done = { count: 0, undo: null };
    const change = { add: ["seen" as const], remove: [], addKeywords: [], removeKeywords: [] };
    // One of another mailbox, one that may not be read, one of an account that shares nothing, one of nobody.
    const nowhere = [base + secret, base + listed, base + 12345];
    for (const id of [...nowhere, 2 * base + 1, 99_000 * base + 1]) {
      await refused(b.call("MessageGet", { id }), "missing");
      await refused(b.call("SignatureCheck", { id }), "missing");
      await refused(b.call("MessageQuote", { id, style: true }), "missing");
      await refused(b.call("DraftGet", { id }), "missing");
      await refused(b.call("Unsubscribe", { id }), "missing");
      await refused(b.call("InvitationAnswer", { id, answer: "accepted" }), "missing");
      assert.deepEqual((await b.call("MessageItems", { ids: [id] })).items, []);
      for (const kind of ["raw", "headers", "text", "html", "print", "part/1", "attachments.zip"]) {
        const r = await b.get(`message/${id}/${kind}`);
        assert.equal(r.status, 404, `${id} ${kind}`);
        assert.doesNotMatch(await r.text(), /secret|listed|bob's/);
      }
      const attached = composition({ attachments: [{ kind: "message", messageId: id }] });
      await refused(b.call("DraftSave", { draftId: null, composition: attached }), "missing");
    }
    for (const id of nowhere) {
      assert.deepEqual((await b.call("ThreadGet", { id })).items, []);
      assert.deepEqual(await b.call("FlagsSet", { target: { ids: [id] }, ...change }), done);
      assert.deepEqual(await b.call("Delete", { target: { ids: [id] }, forever: true }), done);
      const move = { target: { ids: [id] }, mailboxId: inbox(w) };
      assert.deepEqual(await b.call("Move", move), done);
    }
    assert.equal(w.ann.message(secret)?.flags, 0);
    // Mailboxes likewise.
    const mine = await w.deliver(message({}));
    const hidden = base + w.ann.mailboxByName("Private")!.id;
    for (const mailboxId of [hidden, 2 * base + 1, 99_000 * base + 1]) {
      await refused(b.call("Move", { target: { ids: [mine] }, mailboxId }), "missing");
      await refused(b.call("MailboxEmpty", { id: mailboxId }), "missing");
      await refused(b.call("MailboxDelete", { id: mailboxId }), "missing");
      await refused(b.call("MailboxRename", { id: mailboxId, name: "x" }), "missing");
      const r = await b.get(`export?mailbox=${mailboxId}&format=mbox`);
      assert.equal(r.status, 404);
      await r.body?.cancel();
      const e = await b.events(query(mailboxId));
      await e.expect("start");
      assert.match((await e.expect("viewError")).message, /gone/);
    }
    const e = await b.events(query(boxes.get("Other Users/ann/Listed")!.id));
    await e.expect("start");
    assert.match((await e.expect("viewError")).message, /gone/);
    // Rights that are lacking are named; nothing has changed.
    const target = { ids: [base + shown] };
    assert.match(
      await refused(b.call("FlagsSet", { target, ...change }), "user"),
      /read or unread/,
    );
    const flagged = { ...change, add: ["flagged" as const] };
    assert.match(await refused(b.call("FlagsSet", { target, ...flagged }), "user"), /flags/);
    assert.match(await refused(b.call("Delete", { target }), "user"), /remove messages/);
    await refused(b.call("Move", { target, mailboxId: inbox(w) }), "user");
    const into = b.call("Move", { target: { ids: [mine] }, mailboxId: team.id });
    assert.match(await refused(into, "user"), /put messages/);
    await refused(b.call("MailboxEmpty", { id: team.id }), "user");
    await refused(b.call("MoveTo", { target, specialUse: "archive" }), "user");
    await refused(b.call("Snooze", { target, until: Date.now() + 1e6 }), "user");
    await refused(b.call("ThreadMute", { target, mute: true }), "user");
    await refused(b.call("FlagsSet", { target: { ids: [base + shown, mine] }, ...change }), "user");
    assert.equal(w.ann.message(shown)?.flags, 0);
    assert.equal(w.ann.mailboxByName("Team")!.total, 1);
  });
});

Deno.test("messages are marked, moved in, out and within, and thrown away, as rights allow", async () => {
  await withShared(async (w) => {
    const id = await w.put(w.ann, "Team", message({ subject: "one", id: "one@x" }));
    await w.grant(w.ann, "Team", "lrsw");
    await w.grant(w.ann, "Done", "lri");
    const b = await w.login();
    const boxes = await sharedAtStart(w, b);
    const team = boxes.get("Other Users/ann/Team")!.id;
    const doneBox = boxes.get("Other Users/ann/Done")!.id;
    const base = team - w.ann.mailboxByName("Team")!.id;
    const flags = { add: ["seen" as const, "flagged" as const], remove: [] };
    const changed = await b.call("FlagsSet", {
      target: { ids: [base + id] },
      ...flags,
      addKeywords: ["todo"],
      removeKeywords: [],
    });
    assert.equal(changed.count, 1);
    const { item } = await b.call("MessageGet", { id: base + id });
    assert.deepEqual([item.flags, item.keywords], [["seen", "flagged"], ["todo"]]);
    // Within the account, and back by those who did it.
    const target = { ids: [base + id] };
    await refused(b.call("Move", { target, mailboxId: doneBox }), "user");
    await w.grant(w.ann, "Team", "lrswite");
    const moved = await b.call("Move", { target, mailboxId: doneBox });
    assert.equal(w.ann.mailboxByName("Done")!.total, 1);
    // Out of that nobody may move.
    await refused(b.call("Undo", { undo: moved.undo! }), "user");
    await w.grant(w.ann, "Done", "lrite");
    assert.equal((await b.call("Undo", { undo: moved.undo! })).count, 1);
    assert.equal(w.ann.mailboxByName("Team")!.total, 1);
    // Out of the account: it is the same message, with its flags.
    const { items } = await opened(b, team);
    const out = await b.call("Move", { target: { ids: [items[0].id] }, mailboxId: inbox(w) });
    assert.deepEqual(out, { count: 1, undo: null });
    assert.equal(w.ann.mailboxByName("Team")!.total, 0);
    const own = (await opened(b, inbox(w))).items;
    assert.deepEqual(own.map((m) => [m.subject, m.flags, m.keywords]), [
      ["one", ["seen", "flagged"], ["todo"]],
    ]);
    // Into it: flags that one may not set are left out.
    await w.grant(w.ann, "Done", "lri");
    const back = await b.call("Move", { target: { ids: [own[0].id] }, mailboxId: doneBox });
    assert.equal(back.count, 1);
    const there = (await opened(b, doneBox)).items;
    assert.deepEqual(there.map((m) => [m.subject, m.flags, m.keywords]), [["one", [], []]]);
    assert.equal(w.account.mailboxByName("Inbox")!.total, 0);
    // From one owner to another.
    await w.grant(w.ann, "Done", "lrte");
    await w.grant(w.bob, "Team", "lrite");
    const bobs = (await sharedAtStart(w, b)).get("Other Users/bob/Team")!.id;
    await b.call("Move", { target: { ids: [there[0].id] }, mailboxId: bobs });
    const atBob = (await opened(b, bobs)).items;
    assert.deepEqual(atBob.map((m) => m.subject), ["one"]);
    // Thrown away: it is in the own trash.
    assert.equal((await b.call("Delete", { target: { ids: [atBob[0].id] } })).count, 1);
    assert.equal(w.bob.mailboxByName("Team")!.total, 0);
    assert.equal(w.account.mailboxByName("Trash")!.total, 1);
    assert.equal(w.bob.mailboxByName("Trash")?.total ?? 0, 0);
    // For good, and all at once.
    for (const subject of ["two", "three", "four"]) {
      await w.put(w.bob, "Team", message({ subject }));
    }
    const [one] = (await opened(b, bobs)).items;
    await b.call("Delete", { target: { ids: [one.id] }, forever: true });
    assert.equal((await b.call("MailboxEmpty", { id: bobs })).count, 2);
    // A file from the desktop.
    const r = await b.upload("a.eml", "message/rfc822", new TextEncoder().encode(message({})));
    const { uploadId } = await r.json();
    const imported = await b.call("MessageImport", { uploadId, mailboxId: bobs });
    assert.deepEqual((await opened(b, bobs)).items.map((m) => [m.id, m.flags]), [
      [imported.id, []],
    ]);
  });
});

Deno.test("pages hear of what happens in mailboxes of others, while they may read them", async () => {
  await withShared(async (w) => {
    const id = await w.put(w.ann, "Team", message({ subject: "one", id: "one@x" }));
    await w.grant(w.ann, "Team", "lrs");
    const b = await w.login();
    const team = (await sharedAtStart(w, b)).get("Other Users/ann/Team")!.id;
    const base = team - w.ann.mailboxByName("Team")!.id;
    const { e } = await opened(b, team);
    const heard = new Heard(e);
    const second = await w.put(w.ann, "Team", message({ subject: "two" }));
    const { threads } = await heard.next("threads");
    assert.deepEqual(threads.flat().map((m) => [m.id, m.subject]), [[base + second, "two"]]);
    const box = w.ann.mailboxByName("Team")!;
    await w.ann.storeFlags(box.id, [w.ann.message(id)!.uid], "add", 1, []);
    const { items } = await heard.next("flags");
    assert.deepEqual(items.map((i) => [i.id, i.flags]), [[base + id, ["seen"]]]);
    // What happens elsewhere in the account is not told: the next is of the team again.
    const elsewhere = await w.put(w.ann, "Private", message({ subject: "secret" }));
    await w.ann.expunge(
      w.ann.mailboxByName("Private")!.id,
      [w.ann.message(elsewhere)!.uid],
      undefined,
      { force: true },
    );
    await w.ann.expunge(box.id, [w.ann.message(second)!.uid], undefined, { force: true });
    assert.deepEqual((await heard.next("messagesRemove")).ids, [base + second]);
    const told = heard.all.filter((c) => c.kind === "messagesRemove").flatMap((c) => c.ids);
    assert.deepEqual(told, [base + second]);
    const counted = heard.all.filter((c) => c.kind === "mailboxCounts").map((c) => c.id);
    assert.deepEqual([...new Set(counted)], [team]);
    // More rights, another name, another mailbox.
    await w.grant(w.ann, "Team", "lrsw");
    assert.equal((await heard.next("mailboxAdd")).mailbox.shared?.rights, "lrsw");
    await w.ann.renameMailbox("Team", "Group");
    assert.equal((await heard.next("mailboxAdd")).mailbox.name, "Other Users/ann/Group");
    await w.grant(w.bob, "Lists", "lr");
    assert.equal((await heard.next("mailboxAdd")).mailbox.name, "Other Users/bob/Lists");
    // No rights any more: the view ends, and nothing more is told.
    await w.grant(w.ann, "Group", "");
    assert.deepEqual((await heard.next("mailboxRemove")).id, team);
    assert.match(await heard.viewError(), /gone/);
    await w.put(w.ann, "Group", message({ subject: "three" }));
    await w.deliver(message({ subject: "own" }));
    const next = await heard.next("arrived");
    assert.equal(next.item.subject, "own");
    await refused(b.call("MessageGet", { id: base + id }), "missing");
    // An account that leaves for another node takes its mailboxes along at once.
    const lists = (await sharedAtStart(w, b)).get("Other Users/bob/Lists")!.id;
    w.services.config.leaving.add("bob");
    w.sessions.endAll("bob");
    assert.equal((await heard.next("mailboxRemove")).id, lists);
    await refused(b.call("MailboxEmpty", { id: lists }), "missing");
  });
});

Deno.test("rights that are taken away unheard end a view before more of it is shown", async () => {
  await withShared(async (w) => {
    for (let i = 0; i < 3; i++) await w.put(w.ann, "Team", message({ subject: `m${i}` }));
    await w.grant(w.ann, "Team", "lr");
    const b = await w.login();
    const team = (await sharedAtStart(w, b)).get("Other Users/ann/Team")!.id;
    const e = await b.events(query(team), 1);
    const { sseId } = await e.expect("start");
    const { threads } = await e.view();
    const { id } = w.ann.mailboxByName("Team")!;
    await changeRights(w.ann, id, "mox", () => "");
    const page = { anchor: threads[0][0].id, count: 1 };
    await b.call("ViewMore", { sseId, viewId: 1, page });
    assert.match(await new Heard(e).viewError(), /gone/);
    // A right that was denied counts more than one that was granted.
    await changeRights(w.ann, id, "anyone", () => "lr");
    await b.call("MessageGet", { id: threads[0][0].id });
    await changeRights(w.ann, id, "-mox", () => "r");
    await refused(b.call("MessageGet", { id: threads[0][0].id }), "missing");
  });
});

Deno.test("messages of others are answered and forwarded from the own account", async () => {
  await withShared(async (w) => {
    const text = message({ subject: "plan", id: "1@x", body: "the giraffe" });
    const id = await w.put(w.ann, "Team", text);
    const other = await w.put(w.ann, "Team", message({ subject: "other", id: "2@x" }));
    await w.grant(w.ann, "Team", "lrw");
    const b = await w.login();
    const team = (await sharedAtStart(w, b)).get("Other Users/ann/Team")!.id;
    const base = team - w.ann.mailboxByName("Team")!.id;
    const written = composition({
      inReplyTo: base + id,
      forwards: [base + other],
      attachments: [
        { kind: "message", messageId: base + other },
        { kind: "part", messageId: base + id, path: "1", filename: "a.txt", cid: "" },
      ],
    });
    // A draft is in the own account, with all that it needs.
    const draft = await b.call("DraftSave", { draftId: null, composition: written });
    assert.ok(draft.draftId! < othersFrom);
    for (const a of draft.attachments) {
      assert.ok(a.kind === "part" && a.messageId === draft.draftId, JSON.stringify(a));
    }
    const kept = await b.call("DraftGet", { id: draft.draftId! });
    assert.deepEqual(kept.composition.inReplyTo, base + id);
    await b.call("Send", {
      composition: { ...written, attachments: draft.attachments },
      draftId: draft.draftId,
      ...{ sendAt: null, requireTls: null, archiveThread: true },
    });
    const [sent] = w.sent;
    assert.match(sent.text, /In-Reply-To: <1@x>/);
    assert.match(sent.text, /Content-Type: message\/rfc822/);
    assert.equal(sent.account, "mox");
    const flags = async (i: number) =>
      (await b.call("MessageGet", { id: base + i })).item.flags.join();
    assert.deepEqual([await flags(id), await flags(other)], ["answered", "forwarded"]);
    assert.equal(w.ann.mailboxByName("Team")!.total, 2);
    assert.equal(w.account.mailboxByName("Sent")!.total, 1);
    // Without the right nothing is marked, and it is sent all the same.
    await w.ann.storeFlags(w.ann.mailboxByName("Team")!.id, [1, 2], "remove", -1 >>> 1, []);
    await w.grant(w.ann, "Team", "lr");
    const again = await b.call("Send", {
      composition: composition({ inReplyTo: base + id }),
      ...{ draftId: null, sendAt: null, requireTls: null, archiveThread: false },
    });
    assert.deepEqual(again.warnings, []);
    assert.equal(await flags(id), "");
  });
});

Deno.test("numbers of accounts are kept: an id never comes to mean another account", async () => {
  await withShared(async (w) => {
    await w.grant(w.bob, "Team", "lr");
    await w.put(w.bob, "Team", message({ subject: "bob's" }));
    const b = await w.login();
    const bobs = (await sharedAtStart(w, b)).get("Other Users/bob/Team")!.id;
    // Somebody before it in the order of names.
    await w.grant(w.ann, "Team", "lr");
    await w.put(w.ann, "Team", message({ subject: "ann's" }));
    const both = await sharedAtStart(w, b);
    assert.equal(both.get("Other Users/bob/Team")!.id, bobs);
    assert.notEqual(both.get("Other Users/ann/Team")!.id, bobs);
    w.owners.splice(1, 1);
    const e = await b.events(query(bobs));
    const start = await e.expect("start");
    assert.deepEqual(start.mailboxes.filter((m) => m.shared).map((m) => m.name), [
      "Other Users/ann/Team",
    ]);
    assert.match((await e.expect("viewError")).message, /gone/);
  });
});
