/** Mailboxes shared by JMAP (draft-ietf-jmap-mail-sharing), and what is told of rights that IMAP and DAV give. */
import assert from "node:assert/strict";
import { basic, type Client, type Json, password, withJmap, type World } from "./world.ts";

const share = "urn:ietf:params:jmap:mail:share";

async function notes(w: World): Promise<Json[]> {
  return (await w.bob.call("ShareNotification/get")).list;
}

/** Commands of IMAP by ann, each answered with OK. */
async function imap(w: World, ...commands: string[]): Promise<void> {
  using c = await Deno.connect({ hostname: "127.0.0.1", port: w.ports.imap });
  const lines = c.readable.pipeThrough(new TextDecoderStream()).getReader();
  const writer = c.writable.getWriter();
  let text = "";
  const until = async (word: string) => {
    while (!text.includes(word)) {
      const { value, done } = await lines.read();
      if (done) throw new Error(`ended: ${text}`);
      text += value;
    }
  };
  await until("* OK");
  for (const [i, command] of [`LOGIN ann@mox.example "${password}"`, ...commands].entries()) {
    await writer.write(new TextEncoder().encode(`t${i} ${command}\r\n`));
    await until(`t${i} OK`);
  }
  await lines.cancel();
}

Deno.test("a mailbox is shared with other accounts, who hear of it; what IMAP gives is seen", () =>
  withJmap(async (w) => {
    const { ann, bob } = w;
    const made = await ann.call("Mailbox/set", {
      create: { a: { name: "Team", shareWith: { bob: { mayReadItems: true, maySetSeen: true } } } },
    });
    const { id } = made.created.a;
    const get = async () => (await ann.call("Mailbox/get", { ids: [id] })).list[0];
    const { shareWith, myRights } = await get();
    assert.equal(myRights.mayShare, true);
    assert.deepEqual(
      Object.entries(shareWith.bob).filter(([, v]) => v).map(([k]) => k),
      ["mayReadItems", "maySetSeen"],
    );
    const of = (args: Json = {}) => ({ accountId: "ann", ...args });
    const seen = (await bob.call("Mailbox/get", of({ ids: [id] }))).list[0];
    assert.deepEqual([seen.myRights.mayReadItems, seen.myRights.mayAddItems, seen.shareWith], [
      true,
      false,
      null,
    ]);
    const refused = await bob.call("Mailbox/set", of({ update: { [id]: { shareWith: {} } } }));
    assert.equal(refused.notUpdated[id].type, "forbidden");
    let [note, ...more] = await notes(w);
    assert.equal(more.length, 0);
    assert.deepEqual([note.objectType, note.objectAccountId, note.objectId, note.name], [
      "Mailbox",
      "ann",
      id,
      "Team",
    ]);
    assert.deepEqual([note.oldRights, note.newRights.mayReadItems], [null, true]);

    const before = (await ann.call("Mailbox/get", { ids: [] })).state;
    const patched = await ann.call("Mailbox/set", {
      update: { [id]: { "shareWith/bob/mayAddItems": true } },
    });
    assert.deepEqual(patched.updated, { [id]: null });
    assert.deepEqual((await ann.call("Mailbox/changes", { sinceState: before })).updated, [id]);
    assert.equal((await get()).shareWith.bob.mayAddItems, true);
    assert.equal((await notes(w)).length, 2);

    // By IMAP: the same rights, and the same news.
    await imap(w, "SETACL Team bob lrx");
    assert.deepEqual(
      Object.entries((await get()).shareWith.bob).filter(([, v]) => v).map(([k]) => k),
      ["mayReadItems", "mayRename", "mayDelete"],
    );
    note = (await notes(w)).at(-1)!;
    assert.deepEqual([note.oldRights.mayAddItems, note.newRights.mayAddItems], [true, false]);
    assert.equal(note.changedBy.principalId, "ann");

    await ann.call("Mailbox/set", { update: { [id]: { shareWith: null } } });
    assert.equal((await get()).shareWith, null);
    note = (await notes(w)).at(-1)!;
    assert.deepEqual([note.newRights, note.objectId], [null, id]);
    assert.equal((await notes(w)).length, 4);
    assert.deepEqual((await bob.call("Mailbox/get", of({ ids: [id] }))).notFound, [id]);
  }));

Deno.test("sharing a mailbox: what can't be is refused, and who doesn't use it doesn't see it", () =>
  withJmap(async ({ ann }) => {
    const { inbox } = await ann.roles();
    const wrong: Json[] = [
      { nobody: { mayReadItems: true } },
      { ann: { mayReadItems: true } },
      { bob: { mayFly: true } },
      { bob: { mayReadItems: 1 } },
      { bob: true },
      "bob",
    ];
    for (const shareWith of wrong) {
      const r = await ann.call("Mailbox/set", { update: { [inbox]: { shareWith } } });
      assert.deepEqual(
        [r.notUpdated?.[inbox]?.type, r.notUpdated?.[inbox]?.properties],
        ["invalidProperties", ["shareWith"]],
        JSON.stringify(shareWith),
      );
    }
    const half = await ann.call("Mailbox/set", {
      create: { a: { name: "Half", shareWith: { bob: { mayReadItems: true, mayDelete: true } } } },
    });
    assert.match(half.notCreated.a.description, /together/);
    ann.using = ann.using.filter((u) => u !== share);
    const [plain] = (await ann.call("Mailbox/get", { ids: [inbox] })).list;
    assert.equal("shareWith" in plain, false);
    assert.equal("mayShare" in plain.myRights, false);
    assert.equal(
      (await ann.fails("Mailbox/get", { ids: [], properties: ["shareWith"] })).type,
      "invalidArguments",
    );
    const r = await ann.call("Mailbox/set", { update: { [inbox]: { shareWith: null } } });
    assert.equal(r.notUpdated[inbox].type, "invalidProperties");
  }));

Deno.test("rights on calendars that DAV's ACL gives and takes are told", () =>
  withJmap(async (w) => {
    const acl = async (...grants: string[]) => {
      const ace = grants.map((g) =>
        "<D:ace><D:principal><D:href>/dav/principals/bob/</D:href></D:principal>" +
        `<D:grant><D:privilege><D:${g}/></D:privilege></D:grant></D:ace>`
      );
      const r = await fetch(`${w.origin}/dav/calendars/ann/default/`, {
        method: "ACL",
        headers: {
          authorization: basic("ann@mox.example"),
          "content-type": "application/xml",
        },
        body: `<D:acl xmlns:D="DAV:">${ace.join("")}</D:acl>`,
      });
      assert.equal(r.status, 200, await r.text());
    };
    await acl("read");
    await acl("read");
    await acl("read", "write");
    await acl();
    const [calendar] = (await w.ann.call("Calendar/get")).list;
    const list = await notes(w);
    assert.deepEqual(
      list.map((n) => [n.objectId, n.oldRights?.mayWriteAll, n.newRights?.mayWriteAll]),
      [
        [calendar.id, undefined, false],
        [calendar.id, false, true],
        [calendar.id, true, undefined],
      ],
    );
    assert.equal(list[0].objectType, "Calendar");
    assert.equal(list[0].changedBy.email, "ann@mox.example");
  }, { jmap: "\t\tDAVHTTP:\n\t\t\tEnabled: true\n\t\t\tPort: PORT\n" }));

Deno.test("what somebody uploads into a shared account is theirs until it is in a message", () =>
  withJmap(async (w) => {
    const { ann, bob } = w;
    const rights = { mayReadItems: true, mayAddItems: true };
    const made = await ann.call("Mailbox/set", {
      create: { a: { name: "Team", shareWith: { bob: rights } } },
    });
    const team = made.created.a.id;
    const message = "From: a@b.example\r\nSubject: x\r\n\r\nwords of bob\r\n";
    const upload = async () => {
      const r = await bob.raw("upload/ann/", { method: "POST", body: message });
      assert.equal(r.status, 201, r.text);
      return r.json.blobId as string;
    };
    const status = async (c: Client, blobId: string, account = "ann") =>
      (await c.raw(`download/${account}/${blobId}/x`)).status;
    const id = await upload();
    assert.equal(await status(bob, id), 200);
    assert.equal(await status(ann, id), 404);
    assert.equal(await status(bob, id, "bob"), 404);
    // By the methods too.
    const get = { ids: [id], properties: ["data"] };
    assert.deepEqual((await ann.call("Blob/get", get)).notFound, [id]);
    assert.equal((await bob.call("Blob/get", { accountId: "ann", ...get })).list.length, 1);
    assert.deepEqual((await ann.call("Email/parse", { blobIds: [id] })).notFound, [id]);
    const stolen = { e: { blobId: id, mailboxIds: { [team]: true } } };
    assert.equal(
      (await ann.call("Email/import", { emails: stolen })).notCreated.e.type,
      "invalidProperties",
    );
    const piece = await ann.call("Blob/upload", { create: { p: { data: [{ blobId: id }] } } });
    assert.ok(piece.notCreated?.p, JSON.stringify(piece));
    const own = await ann.upload("words of ann");
    assert.equal(await status(ann, own), 200);
    assert.equal(await status(bob, own), 404);
    const parts = await bob.call("Blob/upload", {
      accountId: "ann",
      create: { p: { data: [{ "data:asText": "pieces of bob" }] } },
    });
    assert.equal(await status(bob, parts.created.p.id), 200);
    assert.equal(await status(ann, parts.created.p.id), 404);
    const copied = await bob.call("Blob/copy", {
      fromAccountId: "bob",
      accountId: "ann",
      blobIds: [await bob.upload("copied by bob")],
    });
    const [copy] = Object.values(copied.copied) as string[];
    assert.deepEqual([await status(bob, copy), await status(ann, copy)], [200, 404]);

    // In a message it is for all who may read that.
    const put = await bob.call("Email/import", { accountId: "ann", emails: stolen });
    const { blobId } = put.created.e;
    assert.deepEqual([await status(bob, blobId), await status(ann, blobId)], [200, 200]);

    await w.restart();
    assert.equal(await status(bob, id), 200);
    assert.equal(await status(ann, id), 404);
    assert.equal(await status(ann, own), 200);
    assert.equal(await status(bob, own), 404);
  }));
