/** Contacts (RFC 9610, RFC 9553, RFC 9555): the same cards by JMAP and by CardDAV. */
import assert from "node:assert/strict";
import { fc } from "../support/fast_check.ts";
import { parseComponents, writeComponent } from "../../src/mail/contentline/component.ts";
import { cardFromVcard } from "../../src/mail/jscontact/from_vcard.ts";
import { vcardOf } from "../../src/mail/jscontact/to_vcard.ts";
import { type Client, type Json, withJmap, type World } from "./world.ts";

/** CardDAV beside JMAP, on the same port. */
async function dav(
  w: World,
  c: Client,
  method: string,
  path: string,
  body?: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; text: string; etag: string | null }> {
  const r = await fetch(`${w.origin}/dav/addressbooks/${path}`, {
    method,
    body,
    headers: { authorization: c.authorization, "content-type": "text/vcard", ...headers },
  });
  return { status: r.status, text: await r.text(), etag: r.headers.get("etag") };
}

const davToo = "\t\tDAVHTTP:\n\t\t\tEnabled: true\n\t\t\tPort: PORT\n";
const withBoth = (fn: (w: World) => Promise<void>) => withJmap(fn, { jmap: davToo });

const lines = (...list: string[]) => list.map((l) => `${l}\r\n`).join("");
const vcard = (uid: string, ...more: string[]) =>
  lines("BEGIN:VCARD", "VERSION:3.0", `UID:${uid}`, ...more, "END:VCARD");

async function theBook(c: Client): Promise<string> {
  return (await c.call("AddressBook/get")).list[0].id;
}

Deno.test("session, address books: made, changed, default, removed; states and changes", () =>
  withBoth(async ({ ann }) => {
    const session = (await ann.raw("session")).json;
    const contacts = "urn:ietf:params:jmap:contacts";
    assert.deepEqual(session.capabilities[contacts], {});
    assert.deepEqual(session.accounts.ann.accountCapabilities[contacts], {
      maxAddressBooksPerCard: 1,
      mayCreateAddressBook: true,
    });
    assert.equal(session.primaryAccounts[contacts], "ann");
    const { list: [first], state } = await ann.call("AddressBook/get");
    assert.equal(first.isDefault, true);
    assert.deepEqual(first.myRights, {
      mayRead: true,
      mayWrite: true,
      mayShare: true,
      mayDelete: true,
    });
    const made = await ann.call("AddressBook/set", {
      create: {
        a: { name: "Friends & <family>", description: "x", sortOrder: 3 },
        b: { name: "" },
        c: { name: "x", myRights: {} },
      },
      onSuccessSetIsDefault: "#a",
    });
    assert.deepEqual(made.notCreated.b.properties, ["name"]);
    assert.deepEqual(made.notCreated.c.properties, ["myRights"]);
    const a = made.created.a.id;
    assert.equal(made.oldState, state);
    const changed = await ann.call("AddressBook/set", {
      update: { [a]: { name: "Family", isSubscribed: false }, [first.id]: { sortOrder: 5 } },
      onSuccessSetIsDefault: a,
    });
    assert.deepEqual(changed.updated[a], { isDefault: true });
    assert.deepEqual(changed.updated[first.id], { isDefault: false });
    const got = await ann.call("AddressBook/get", { ids: [a, "A99"] });
    assert.deepEqual(got.notFound, ["A99"]);
    assert.equal(got.list[0].name, "Family");
    assert.equal(got.list[0].description, "x");
    assert.equal(got.list[0].isSubscribed, false);
    assert.equal(got.state, changed.newState);
    const since = await ann.call("AddressBook/changes", { sinceState: state });
    assert.deepEqual([since.created, since.updated, since.destroyed], [[a], [first.id], []]);
    assert.equal(since.newState, got.state);
    // A card in it: removed only with its contents.
    await ann.call("ContactCard/set", {
      create: { x: { addressBookIds: { [a]: true }, name: { full: "X" } } },
    });
    const kept = await ann.call("AddressBook/set", { destroy: [a] });
    assert.equal(kept.notDestroyed[a].type, "addressBookHasContents");
    const cards = (await ann.call("ContactCard/get")).state;
    const gone = await ann.call("AddressBook/set", { destroy: [a], onDestroyRemoveContents: true });
    assert.deepEqual(gone.destroyed, [a]);
    const after = await ann.call("ContactCard/changes", { sinceState: cards });
    assert.equal(after.destroyed.length, 1);
    assert.equal(
      (await ann.fails("ContactCard/changes", { sinceState: "999" })).type,
      "cannotCalculateChanges",
    );
  }));

Deno.test("a card of a phone is changed by JMAP: its other lines stay as they stood, and the other way", () =>
  withBoth(async (w) => {
    const { ann } = w;
    const text = vcard(
      "u-1",
      "FN:Ann Lee",
      "N:Lee;Ann;;;",
      "NICKNAME:An,Annie",
      "item1.EMAIL;type=INTERNET;TYPE=HOME,pref:ann@x.example",
      "item1.X-ABLabel:_$!<Home>!$_",
      "EMAIL;TYPE=work:a.lee@work.example",
      "TEL;TYPE=CELL:+49 1",
      "BDAY;X-APPLE-OMIT-YEAR=1604:1604-02-29",
      "X-SOMETHING;A=b:as it \\, stood",
      "PHOTO;ENCODING=b;TYPE=JPEG:/9j/AAAA",
    );
    assert.equal((await dav(w, ann, "PUT", "ann/default/a.vcf", text)).status, 201);
    const { list: [card], state } = await ann.call("ContactCard/get");
    assert.equal(card.name.full, "Ann Lee");
    assert.deepEqual(card.emails.e1, {
      "@type": "EmailAddress",
      address: "ann@x.example",
      contexts: { private: true },
      pref: 1,
      label: "Home",
    });
    assert.deepEqual(card.anniversaries.k1.date, { "@type": "PartialDate", month: 2, day: 29 });
    assert.deepEqual(card.vCardProps, [["x-something", { a: "b" }, "unknown", "as it \\, stood"]]);
    // The picture is a blob.
    const photo = card.media.m1;
    assert.equal(photo.uri, undefined);
    const r = await fetch(`${w.base}download/ann/${photo.blobId}/p.jpg?accept=image/jpeg`, {
      headers: { authorization: ann.authorization },
    });
    assert.deepEqual(new Uint8Array(await r.arrayBuffer()), Uint8Array.fromBase64("/9j/AAAA"));
    const set = await ann.call("ContactCard/set", {
      update: {
        [card.id]: {
          "emails/e2/address": "new@work.example",
          "phones/p9": { number: "+1", features: { mobile: true }, label: "Boat" },
          "example.com:extra": { deep: [1] },
        },
      },
    });
    assert.equal(set.notUpdated, null, JSON.stringify(set));
    assert.ok(set.updated[card.id].updated);
    const stored = (await dav(w, ann, "GET", "ann/default/a.vcf")).text;
    for (const line of text.split("\r\n").filter((l) => !l.startsWith("EMAIL;TYPE=work"))) {
      assert.ok(stored.includes(line), `${line} is not in ${stored}`);
    }
    assert.match(stored, /EMAIL;TYPE=WORK;PROP-ID=e2:new@work\.example/);
    assert.match(stored, /item2\.X-ABLabel:Boat/);
    const now = (await ann.call("ContactCard/get", { ids: [card.id] })).list[0];
    assert.deepEqual(now["example.com:extra"], { deep: [1] });
    assert.deepEqual(now.media, card.media);
    assert.deepEqual((await ann.call("ContactCard/changes", { sinceState: state })).updated, [
      card.id,
    ]);
    // And the phone changes it.
    const before = (await ann.call("ContactCard/get", { ids: [] })).state;
    await dav(w, ann, "PUT", "ann/default/a.vcf", stored.replace("FN:Ann Lee", "FN:Ann B"));
    const again = await ann.call("ContactCard/get", {
      ids: [card.id],
      properties: ["name", "example.com:extra"],
    });
    assert.deepEqual(Object.keys(again.list[0]).sort(), ["example.com:extra", "id", "name"]);
    assert.equal(again.list[0].name.full, "Ann B");
    assert.notEqual(again.state, before);
    // What JMAP makes, a phone gets; and removes.
    const book = await theBook(ann);
    const made = await ann.call("ContactCard/set", {
      create: {
        k: {
          addressBookIds: { [book]: true },
          name: { full: "Bob" },
          emails: { a: { address: "b@x" } },
        },
      },
    });
    const { id, uid } = made.created.k;
    const report = await dav(
      w,
      ann,
      "REPORT",
      "ann/default/",
      `<A:addressbook-query xmlns:D="DAV:" xmlns:A="urn:ietf:params:xml:ns:carddav"><D:prop><A:address-data/></D:prop>` +
        `<A:filter><A:prop-filter name="UID"><A:text-match>${uid}</A:text-match></A:prop-filter></A:filter></A:addressbook-query>`,
      { Depth: "1", "content-type": "application/xml" },
    );
    assert.match(report.text, /EMAIL;PROP-ID=a:b@x/);
    const path = /<D:href>\/dav\/addressbooks\/([^<]+)<\/D:href>/.exec(report.text)![1];
    const last = (await ann.call("ContactCard/get", { ids: [] })).state;
    assert.equal((await dav(w, ann, "DELETE", path)).status, 204);
    assert.deepEqual((await ann.call("ContactCard/changes", { sinceState: last })).destroyed, [id]);
  }));

Deno.test("cards move between books and keep their ids; pictures by blob; what can't be is refused", () =>
  withBoth(async (w) => {
    const { ann } = w;
    const book = await theBook(ann);
    const other =
      (await ann.call("AddressBook/set", { create: { o: { name: "Other" } } })).created.o.id;
    const blobId = await ann.upload(
      Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 1),
      "image/png",
    );
    const made = await ann.call("ContactCard/set", {
      create: {
        a: {
          addressBookIds: { [book]: true },
          uid: "same",
          kind: "group",
          members: { "urn:uuid:1": true },
          media: { p: { kind: "photo", blobId, mediaType: "image/png" } },
        },
      },
    });
    const { id } = made.created.a;
    assert.match(made.created.a.media.p.blobId, /^K/);
    const state = (await ann.call("ContactCard/get", { ids: [] })).state;
    const moved = await ann.call("ContactCard/set", {
      update: { [id]: { addressBookIds: { [other]: true }, "name": { full: "Team" } } },
    });
    assert.equal(moved.notUpdated, null, JSON.stringify(moved));
    const card = (await ann.call("ContactCard/get", { ids: [id] })).list[0];
    assert.deepEqual(card.addressBookIds, { [other]: true });
    assert.equal(card.media.p.blobId, made.created.a.media.p.blobId);
    assert.deepEqual((await ann.call("ContactCard/changes", { sinceState: state })).updated, [id]);
    // A uid is there once in the account.
    const again = await ann.call("ContactCard/set", {
      create: { b: { addressBookIds: { [other]: true }, uid: "same" } },
    });
    assert.equal(again.notCreated.b.type, "alreadyExists");
    assert.equal(again.notCreated.b.existingId, id);
    const bad = await ann.call("ContactCard/set", {
      create: {
        none: { name: { full: "x" } },
        two: { addressBookIds: { [book]: true, [other]: true } },
        missing: { addressBookIds: { A999: true } },
        type: { addressBookIds: { [book]: true }, emails: { e: { address: 5 } } },
        unknown: { addressBookIds: { [book]: true }, nosuch: 1 },
        blob: {
          addressBookIds: { [book]: true },
          media: { m: { kind: "photo", blobId: "U00000000000000000000000000000000" } },
        },
      },
      update: { [id]: { uid: "other" }, K999: { name: null } },
    });
    assert.deepEqual(
      Object.fromEntries(
        Object.entries(bad.notCreated as Json).map((
          [k, e],
        ) => [k, (e as Json).properties ?? (e as Json).type]),
      ),
      {
        none: ["addressBookIds"],
        two: ["addressBookIds"],
        missing: ["addressBookIds"],
        type: ["emails"],
        unknown: ["nosuch"],
        blob: "blobNotFound",
      },
    );
    assert.deepEqual(bad.notUpdated[id].properties, ["uid"]);
    assert.equal(bad.notUpdated.K999.type, "notFound");
  }));

Deno.test("queries: conditions, orders, windows; queryChanges", () =>
  withBoth(async ({ ann }) => {
    const book = await theBook(ann);
    const person = (given: string, surname: string, more: Json = {}) => ({
      addressBookIds: { [book]: true },
      name: { components: [{ kind: "given", value: given }, { kind: "surname", value: surname }] },
      ...more,
    });
    const { created } = await ann.call("ContactCard/set", {
      create: {
        a: person("Ann", "Zeta", {
          emails: { e: { address: "ann@one.example" } },
          created: "2020-01-01T00:00:00Z",
        }),
        b: person("Bea", "Young", { notes: { n: { note: "plays chess" } } }),
        c: person("Cy", "Xu", {
          phones: { p: { number: "+1 555" } },
          kind: "org",
          organizations: { o: { name: "Acme" } },
        }),
      },
    });
    const ids = (keys: string) => [...keys].map((k) => created[k].id);
    const query = async (filter: Json, sort?: Json) =>
      (await ann.call("ContactCard/query", { filter, sort })).ids;
    assert.deepEqual(await query({ email: "ONE.example" }), ids("a"));
    assert.deepEqual(await query({ text: "chess bea" }), ids("b"));
    assert.deepEqual(await query({ "name/surname": "x" }), ids("c"));
    assert.deepEqual(await query({ kind: "org", organization: "acme" }), ids("c"));
    assert.deepEqual(await query({ createdBefore: "2021-01-01T00:00:00Z" }), ids("a"));
    assert.deepEqual(await query({ uid: created.b.uid }), ids("b"));
    assert.deepEqual(await query({ operator: "NOT", conditions: [{ phone: "555" }] }), ids("ab"));
    assert.deepEqual(await query(null, [{ property: "name/surname" }]), ids("cba"));
    assert.equal(
      (await ann.fails("ContactCard/query", { sort: [{ property: "x" }] })).type,
      "unsupportedSort",
    );
    assert.equal(
      (await ann.fails("ContactCard/query", { filter: { x: "y" } })).type,
      "unsupportedFilter",
    );
    const args = { filter: { inAddressBook: book }, sort: [{ property: "name/given" }] };
    const first = await ann.call("ContactCard/query", { ...args, limit: 2, calculateTotal: true });
    assert.deepEqual(first.ids, ids("ab"));
    assert.equal(first.total, 3);
    await ann.call("ContactCard/set", {
      create: { d: person("Abe", "Last") },
      destroy: [created.b.id],
      update: { [created.a.id]: { "name/components": [{ kind: "given", value: "Zoe" }] } },
    });
    const changes = await ann.call("ContactCard/queryChanges", {
      ...args,
      sinceQueryState: first.queryState,
      calculateTotal: true,
    });
    let known = ids("abc").filter((i) => !changes.removed.includes(i));
    for (const { id, index } of changes.added) known = known.toSpliced(index, 0, id);
    const now = await ann.call("ContactCard/query", args);
    assert.deepEqual(known, now.ids);
    assert.equal(changes.newQueryState, now.queryState);
    assert.equal(changes.total, 3);
  }));

Deno.test("shared with another account: to read, to write, copied, and no more", () =>
  withBoth(async (w) => {
    const { ann, bob } = w;
    const book = await theBook(ann);
    const made = await ann.call("ContactCard/set", {
      create: {
        a: { addressBookIds: { [book]: true }, name: { full: "Shared" }, "x.example:y": 1 },
      },
    });
    const share = (rights: Json) =>
      ann.call("AddressBook/set", { update: { [book]: { shareWith: rights } } });
    assert.deepEqual(
      (await share({ bob: { mayRead: true, mayDelete: true } })).notUpdated[book].properties,
      ["shareWith"],
    );
    assert.deepEqual((await share({ nobody: { mayRead: true } })).notUpdated[book].properties, [
      "shareWith",
    ]);
    await share({ bob: { mayRead: true } });
    const session = (await bob.raw("session")).json;
    assert.equal(session.accounts.ann.isPersonal, false);
    const of = (args: Json = {}) => ({ accountId: "ann", ...args });
    const seen = await bob.call("AddressBook/get", of());
    assert.deepEqual(seen.list[0].myRights, {
      mayRead: true,
      mayWrite: false,
      mayShare: false,
      mayDelete: false,
    });
    assert.equal(seen.list[0].shareWith, null);
    const { id } = made.created.a;
    const cards = await bob.call("ContactCard/get", of());
    assert.equal(cards.list[0].name.full, "Shared");
    const refused = await bob.call("ContactCard/set", of({ update: { [id]: { kind: "org" } } }));
    assert.equal(refused.notUpdated[id].type, "forbidden");
    const kept = await bob.call("ContactCard/set", of({ destroy: [id] }));
    assert.equal(kept.notDestroyed[id].type, "forbidden");
    const copy = await bob.call("ContactCard/copy", {
      fromAccountId: "ann",
      create: { c: { id, addressBookIds: { [await theBook(bob)]: true } } },
    });
    const copied = (await bob.call("ContactCard/get", { ids: [copy.created.c.id] })).list[0];
    assert.equal(copied["x.example:y"], 1);
    // RFC 9670 §3: who gets rights, or loses them, is told.
    const [note] = (await bob.call("ShareNotification/get")).list;
    assert.deepEqual([note.objectType, note.objectAccountId, note.objectId, note.oldRights], [
      "AddressBook",
      "ann",
      book,
      null,
    ]);
    assert.equal(note.newRights.mayRead, true);
    assert.equal(note.changedBy.principalId, "ann");
    const found = await bob.call("ShareNotification/query", {
      filter: { objectType: "AddressBook" },
    });
    assert.deepEqual(found.ids, [note.id]);
    const removed = await bob.call("ShareNotification/set", { destroy: [note.id] });
    assert.deepEqual(removed.destroyed, [note.id]);
    const later = await bob.call("ShareNotification/changes", { sinceState: found.queryState });
    assert.deepEqual(later.destroyed, [note.id]);
    const gone = await bob.call("ShareNotification/queryChanges", {
      sinceQueryState: found.queryState,
    });
    assert.deepEqual([gone.removed, gone.added], [[note.id], []]);
    // More rights are another state: what was known is asked for anew.
    await share({ bob: { mayRead: true, mayWrite: true } });
    assert.equal(
      (await bob.fails("ContactCard/changes", of({ sinceState: cards.state }))).type,
      "cannotCalculateChanges",
    );
    const written = await bob.call(
      "ContactCard/set",
      of({ update: { [id]: { name: { full: "Yes" } } } }),
    );
    assert.equal(written.notUpdated, null);
    assert.equal((await dav(w, bob, "PROPFIND", "ann/default/", "", { Depth: "0" })).status, 207);
    await share(null);
    assert.deepEqual((await bob.call("AddressBook/get", of())).list, []);
    assert.deepEqual((await bob.call("ContactCard/get", of({ ids: [id] }))).notFound, [id]);
  }));

const key = fc.stringMatching(/^[A-Za-z0-9_-]{1,6}$/);
const word = fc.string({ unit: "grapheme", maxLength: 12 }).map((s) => s.replace(/\p{Cc}/gu, ""));
const some = word.filter((s) => s.trim() === s && s !== "");
const map = (value: fc.Arbitrary<Json>) =>
  fc.dictionary(key, value, { minKeys: 1, maxKeys: 3, noNullPrototype: true });
const typed = (type: string, o: Record<string, fc.Arbitrary<Json>>, required: string[]) =>
  fc.record(o, { requiredKeys: required }).map((x) => ({ "@type": type, ...x }));
const contexts = fc.constantFrom({ work: true }, { private: true }, { work: true, private: true }, {
  "odd": true,
});
const arbitraryCard: fc.Arbitrary<Json> = fc.record({
  uid: some.filter((s) => !/[\\;,]/.test(s)),
  kind: fc.constantFrom("individual", "group", "x.example:y"),
  name: typed("Name", {
    full: some,
    components: fc.array(
      typed("NameComponent", { kind: fc.constantFrom("given", "surname", "middle"), value: some }, [
        "kind",
        "value",
      ]),
      { minLength: 1, maxLength: 4 },
    ),
    isOrdered: fc.boolean(),
  }, ["full"]),
  emails: map(typed("EmailAddress", {
    address: some,
    contexts,
    pref: fc.integer({ min: 1, max: 100 }),
    label: some,
    "x.org:z": fc.anything({
      maxDepth: 2,
      withNullPrototype: false,
      values: [fc.boolean(), fc.integer(), word],
    }).map((x) => JSON.parse(JSON.stringify(x) ?? "0")),
  }, ["address"])),
  phones: map(
    typed("Phone", {
      number: some,
      features: fc.constantFrom({ mobile: true }, { fax: true, voice: true }, { "hm": true }),
    }, ["number"]),
  ),
  notes: map(typed("Note", { note: some }, ["note"])),
  nicknames: map(typed("Nickname", { name: some }, ["name"])),
  organizations: map(
    typed("Organization", {
      name: some,
      units: fc.array(typed("OrgUnit", { name: some }, ["name"]), { minLength: 1, maxLength: 2 }),
    }, ["name"]),
  ),
  keywords: fc.dictionary(some, fc.constant(true), {
    minKeys: 1,
    maxKeys: 3,
    noNullPrototype: true,
  }),
  anniversaries: map(
    typed("Anniversary", {
      kind: fc.constantFrom("birth", "wedding", "odd"),
      date: fc.constantFrom({ "@type": "PartialDate", year: 1990 }, {
        "@type": "PartialDate",
        month: 2,
        day: 3,
      }, { "@type": "PartialDate", year: 5, day: 3 }),
    }, ["kind", "date"]),
  ),
}, { requiredKeys: ["uid"] }).map((o) => ({ "@type": "Card", version: "1.0", ...o }));

Deno.test("any card goes into a vCard and comes back; a change of it too", () => {
  const through = (c: Json, before?: Json) => {
    const old = before && parseComponents(writeComponent(vcardOf(before)))[0];
    const made = vcardOf(c, old && { component: old, converted: cardFromVcard(old) });
    return cardFromVcard(parseComponents(writeComponent(made))[0]).card;
  };
  fc.assert(
    fc.property(arbitraryCard, arbitraryCard, (a, b) => {
      const wanted = { ...b, uid: a.uid };
      assert.deepEqual(through(a), a);
      assert.deepEqual(through(wanted, a), wanted);
    }),
    { numRuns: 60 },
  );
});
