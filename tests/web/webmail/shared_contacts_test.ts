/** Address books that others share, in the webmail's contacts: read and changed by the rights that DAV has too. */
import assert from "node:assert/strict";
import { cardObject } from "../../../src/groupware/objects.ts";
import type { Groupware } from "../../../src/store/groupware/groupware.ts";
import type { Contact, ContactFields } from "../../../webmail/api/mod.ts";
import { type Browser, refused, withWebmail, type World } from "./server.ts";

const person = (uid: string, name: string) =>
  cardObject(
    `${uid}.vcf`,
    new TextEncoder().encode(
      `BEGIN:VCARD\r\nVERSION:3.0\r\nUID:${uid}\r\nN:;;;;\r\nFN:${name}\r\n` +
        `EMAIL:${uid}@example.org\r\nEND:VCARD\r\n`,
    ),
  );

const nobody: ContactFields = {
  name: "",
  given: "",
  family: "",
  organisation: "",
  emails: [],
  phones: [],
};

function fieldsOf(c: Contact): ContactFields {
  const { name, given, family, organisation, emails, phones } = c;
  return { name, given, family, organisation, emails, phones };
}

/** The books of ann: one that may be written, one that may be read, one that is hers alone. */
interface Shared {
  web: World;
  b: Browser;
  g: Groupware;
  write: number;
  read: number;
  hidden: number;
}

function withShared(fn: (s: Shared) => Promise<void>): Promise<void> {
  return withWebmail(async (web) => {
    const { Accounts } = web.services.config.dynamic;
    Accounts.set("ann", { ...Accounts.get("mox")!, FullName: "Ann" });
    const ann = await web.accounts.open("ann");
    try {
      const g = await ann.groupware();
      const write = (await g.createCollection("addressbook", "team")).id;
      const read = (await g.createCollection("addressbook", "customers")).id;
      const hidden = g.collection("addressbooks", "default")!.id;
      await g.setGrants(write, [{ account: "mox", rights: "write" }]);
      await g.setGrants(read, [{ account: "mox", rights: "read" }]);
      await fn({ web, b: await web.login(), g, write, read, hidden });
    } finally {
      ann.close();
    }
  }, { owners: (user) => user === "mox" ? ["ann", "gone"] : [] });
}

Deno.test("books of others are listed with what may be done with them, and searched with the own ones", () =>
  withShared(async ({ web, b, g, write, read, hidden }) => {
    await g.put(write, person("w", "Writable Wim"));
    await g.put(read, person("r", "Readable Rim"));
    await g.put(hidden, person("h", "Hidden Him"));
    const own = (await web.account.groupware()).collection("addressbooks", "default")!;
    await (await web.account.groupware()).put(own.id, person("o", "Own Oma"));
    const { books } = await b.call("ContactBooks", {});
    assert.deepEqual(books.map((x) => [x.owner, x.name, x.count, x.writable]), [
      ["", "", 1, true],
      ["ann", "team", 1, true],
      ["ann", "customers", 1, false],
    ]);
    const list = async (o: { owner?: string; bookId?: number; search?: string; limit?: number }) =>
      (await b.call("ContactList", {
        owner: o.owner,
        bookId: o.bookId ?? null,
        search: o.search ?? "",
        limit: o.limit ?? 100,
      })).contacts.map((c) => `${c.owner}/${c.name}`);
    assert.deepEqual(await list({}), ["/Own Oma", "ann/Readable Rim", "ann/Writable Wim"]);
    assert.deepEqual(await list({ limit: 1 }), ["/Own Oma"]);
    assert.deepEqual(await list({ search: "example.org rim" }), ["ann/Readable Rim"]);
    assert.deepEqual(await list({ owner: "ann", bookId: read }), ["ann/Readable Rim"]);
    const all = { search: "", limit: 10 };
    await refused(b.call("ContactList", { ...all, owner: "ann", bookId: hidden }), "missing");
    await refused(b.call("ContactList", { ...all, owner: "gone", bookId: read }), "missing");
    await refused(b.call("ContactList", { ...all, owner: "bob", bookId: read }), "missing");
    await refused(b.call("ContactList", { ...all, bookId: 99 }), "missing");

    // Nothing of theirs is found once they don't share it any more.
    await g.setGrants(write, []);
    await g.setGrants(read, []);
    assert.deepEqual(await list({}), ["/Own Oma"]);
    await refused(b.call("ContactList", { ...all, owner: "ann", bookId: read }), "missing");
  }));

Deno.test("a contact in another's book is changed by who may write there, and by nobody else", () =>
  withShared(async ({ b, g, write, read, hidden }) => {
    const { row: r } = await g.put(read, person("r", "Readable Rim"));
    const { row: h } = await g.put(hidden, person("h", "Hidden Him"));
    const owner = "ann";
    const get = async (id: number) => (await b.call("ContactGet", { owner, id })).contact;

    const { id } = await b.call("ContactAdd", {
      owner,
      bookId: write,
      fields: { ...nobody, name: "New Ned" },
    });
    const added = await get(id);
    assert.deepEqual([added.owner, added.bookId, added.writable], ["ann", write, true]);
    await b.call("ContactChange", {
      owner,
      id,
      etag: added.etag,
      fields: { ...fieldsOf(added), name: "Newer Ned" },
    });
    assert.equal((await get(id)).name, "Newer Ned");
    assert.match(new TextDecoder().decode(g.content(id)), /\r\nFN:Newer Ned\r\n/);
    // Of an own book with the same number there is none.
    await refused(b.call("ContactGet", { id }), "missing");
    await refused(b.call("ContactDelete", { owner, id, etag: added.etag }), "conflict");
    await b.call("ContactDelete", { owner, id, etag: (await get(id)).etag });
    assert.equal(g.count(write), 0);

    const seen = await get(r.id);
    assert.deepEqual([seen.name, seen.writable], ["Readable Rim", false]);
    const { etag } = seen;
    const fields = { ...fieldsOf(seen), name: "Changed" };
    await refused(b.call("ContactChange", { owner, id: r.id, etag, fields }), "user");
    await refused(b.call("ContactDelete", { owner, id: r.id, etag }), "user");
    await refused(b.call("ContactAdd", { owner, bookId: read, fields: nobody }), "user");
    await refused(b.call("ContactGet", { owner, id: h.id }), "missing");
    await refused(b.call("ContactDelete", { owner, id: h.id, etag: h.etag }), "missing");
    await refused(b.call("ContactAdd", { owner, bookId: hidden, fields }), "missing");
    assert.deepEqual([g.count(read), g.count(hidden)], [1, 1]);
  }));

Deno.test("groups and files in books of others", () =>
  withShared(async ({ b, g, write, read, hidden }) => {
    const owner = "ann";
    const { row: w } = await g.put(write, person("w", "Writable Wim"));
    const { row: r } = await g.put(read, person("r", "Readable Rim"));
    const { row: h } = await g.put(hidden, person("h", "Hidden Him"));
    const change = { add: [w.id, r.id], remove: [] };
    const group = { id: null, bookId: write, name: "All" } as const;
    const { id } = await b.call("ContactGroupChange", { owner, group, ...change });
    await refused(
      b.call("ContactGroupChange", { owner, group: { id }, add: [h.id], remove: [] }),
      "missing",
    );
    const { contact } = await b.call("ContactGet", { owner, id });
    assert.deepEqual(contact.members.map((m) => [m.owner, m.name]), [
      ["ann", "Writable Wim"],
      ["ann", "Readable Rim"],
    ]);
    // Whoever was put into it by its owner stays unnamed, where their book isn't shared.
    await g.setGrants(read, []);
    const less = (await b.call("ContactGet", { owner, id })).contact;
    assert.deepEqual(less.members.map((m) => m.name), ["Writable Wim"]);
    assert.deepEqual((await b.call("ContactGroups", { owner })).groups.map((x) => x.name), ["All"]);
    await g.setGrants(write, [{ account: "mox", rights: "read" }]);
    assert.deepEqual((await b.call("ContactGroups", { owner })).groups, []);
    await refused(
      b.call("ContactGroupChange", { owner, group: { id }, add: [], remove: [w.id] }),
      "user",
    );

    const file = await b.get(`contacts.vcf?book=${write}&owner=ann`);
    assert.equal(file.status, 200);
    assert.match(file.headers.get("content-disposition") ?? "", /team\.vcf/);
    assert.match(await file.text(), /FN:Writable Wim/);
    assert.equal((await b.get(`contacts.vcf?book=${hidden}&owner=ann`)).status, 404);
    assert.equal((await b.get(`contacts.vcf?book=${write}&owner=bob`)).status, 404);

    const upload = async () => {
      const r = await b.upload("a.vcf", "text/vcard", new Uint8Array(person("i", "Iris").content));
      return (await r.json()).uploadId as string;
    };
    const into = async (bookId: number) => ({ owner, bookId, uploadId: await upload() });
    await refused(b.call("ContactImport", await into(write)), "user");
    await refused(b.call("ContactImport", await into(hidden)), "missing");
    await g.setGrants(write, [{ account: "mox", rights: "write" }]);
    assert.equal((await b.call("ContactImport", await into(write))).imported, 1);
    assert.notEqual(g.objectByUid(write, "i"), undefined);
  }));
