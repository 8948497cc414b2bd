/** RFC 9610 (JMAP for Contacts) §3 clause by clause, over HTTP: cards. */
import assert from "node:assert/strict";
import type { Client, Json } from "../world.ts";
import { clauses, dav, done, made, refusal } from "./clauses.ts";

const png = Uint8Array.fromBase64(
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mNk+A8AAQUBAScY42YAAAAASUVORK5CYII=",
);

const book = async (c: Client): Promise<string> =>
  (await c.call("AddressBook/get")).list.find((b: Json) => b.isDefault).id;

async function card(c: Client, o: Json = {}): Promise<string> {
  const addressBookIds = { [await book(c)]: true };
  return made(await c.call("ContactCard/set", { create: { e: { addressBookIds, ...o } } })).id;
}
const named = (given: string, surname: string) => ({
  name: { components: [{ kind: "given", value: given }, { kind: "surname", value: surname }] },
});

clauses("RFC 9610 §3: cards", async (clause, w) => {
  const { ann, bob } = w;
  const create = async (o: Json) =>
    await ann.call("ContactCard/set", {
      create: { e: { addressBookIds: { [await book(ann)]: true }, ...o } },
    });
  const get = async (id: string, properties?: string[]) =>
    (await ann.call("ContactCard/get", { ids: [id], properties })).list[0];

  await clause("§3 a card is in one address book at least, with the value true", async () => {
    const id = await book(ann);
    for (const addressBookIds of [{}, { [id]: false }, { A9999: true }, [id], null, undefined]) {
      const r = await ann.call("ContactCard/set", {
        create: { e: { addressBookIds, ...named("A", "B") } },
      });
      assert.deepEqual(refusal(r).properties, ["addressBookIds"], JSON.stringify(addressBookIds));
    }
    const k = await card(ann, named("In", "One"));
    for (
      const patch of [{ addressBookIds: {} }, { [`addressBookIds/${id}`]: null }, {
        addressBookIds: null,
      }]
    ) {
      const r = await ann.call("ContactCard/set", { update: { [k]: patch } });
      assert.deepEqual(refusal(r, "notUpdated").properties, ["addressBookIds"]);
    }
    const other = made(await ann.call("AddressBook/set", { create: { e: { name: "O" } } })).id;
    // Moving by pointers.
    done(
      await ann.call("ContactCard/set", {
        update: { [k]: { [`addressBookIds/${id}`]: null, [`addressBookIds/${other}`]: true } },
      }),
    );
    assert.deepEqual((await get(k)).addressBookIds, { [other]: true });
  });
  await clause("§3 one card of a uid in an account, whichever address book it is in", async () => {
    const uid = "urn:uuid:11111111-2222-3333-4444-555555555555";
    const k = await card(ann, { uid, ...named("First", "One") });
    const again = refusal(await create({ uid, ...named("x", "y") }));
    assert.deepEqual([again.type, again.existingId], ["alreadyExists", k]);
    const other = made(await ann.call("AddressBook/set", { create: { e: { name: "Second" } } })).id;
    const there = refusal(
      await create({ addressBookIds: { [other]: true }, uid, ...named("x", "y") }),
    );
    assert.deepEqual([there.type, there.existingId], ["alreadyExists", k]);
    const k2 = await card(ann, named("Second", "Two"));
    const r = await ann.call("ContactCard/set", { update: { [k2]: { uid } } });
    assert.equal(refusal(r, "notUpdated").type, "invalidProperties", JSON.stringify(r));
  });
  await clause(
    "RFC 9553 §2.1: what the server fills in; version and @type may be left out or given",
    async () => {
      const e = made(await create(named("Jo", "Doe")));
      assert.match(e.uid, /^urn:uuid:/);
      assert.match(e.created, /Z$/);
      const got = await get(e.id);
      assert.deepEqual([got["@type"], got.version, got.uid], ["Card", "1.0", e.uid]);
      made(await create({ "@type": "Card", version: "1.0", ...named("x", "y") }));
      assert.deepEqual(refusal(await create({ "@type": "Group", ...named("x", "y") })).properties, [
        "@type",
      ]);
      // A name isn't needed.
      made(await create({ emails: { a: { address: "no.name@example.org" } } }));
    },
  );
  await clause("§3.5 null of an optional property on create is as if left out", async () => {
    const e = made(await create({ ...named("Null", "Ed"), notes: null, emails: null }));
    const got = await get(e.id);
    assert.equal("notes" in got || "emails" in got, false);
  });
  await clause("§3 id is the server's", async () => {
    assert.deepEqual(refusal(await create({ id: "K1", ...named("x", "y") })).properties, ["id"]);
  });
  await clause("§3 data: of media becomes a blob with its type; blobId is taken", async () => {
    const vcard = [
      "BEGIN:VCARD",
      "VERSION:4.0",
      "UID:urn:uuid:pic",
      "FN:Pic",
      `PHOTO:data:image/png;base64,${png.toBase64()}`,
      "END:VCARD",
      "",
    ].join("\r\n");
    assert.equal(
      (await dav(w, ann, "PUT", "addressbooks/ann/default/pic.vcf", vcard, "text/vcard")).status,
      201,
    );
    const [id] = (await ann.call("ContactCard/query", { filter: { uid: "urn:uuid:pic" } })).ids;
    const [m] = Object.values((await get(id)).media) as Json[];
    assert.deepEqual([m.kind, m.mediaType, m.uri], ["photo", "image/png", undefined]);
    const blob = await ann.raw(`download/ann/${m.blobId}/x?accept=image/png`);
    assert.equal(blob.status, 200);
    const up = await ann.upload(png, "image/png");
    const e = made(
      await create({
        ...named("With", "Photo"),
        media: { p: { kind: "photo", blobId: up, mediaType: "image/png" } },
      }),
    );
    assert.equal((await get(e.id)).media.p.mediaType, "image/png");
    // The type is that of the upload if none is given.
    const f = made(
      await create({ ...named("With", "Photo2"), media: { p: { kind: "photo", blobId: up } } }),
    );
    assert.equal((await get(f.id)).media.p.mediaType, "image/png");
  });
  await clause("§3.5 a photo that is no image is refused", async () => {
    const text = await ann.upload("hello there", "text/plain");
    for (const mediaType of ["text/plain", undefined, "image/png"]) {
      const r = refusal(
        await create({
          ...named("x", "y"),
          media: { p: { kind: "photo", blobId: text, mediaType } },
        }),
      );
      assert.deepEqual([r.type, r.properties], ["invalidProperties", ["media"]], JSON.stringify(r));
    }
    const none = refusal(
      await create({ ...named("x", "y"), media: { p: { kind: "photo", blobId: "B-none" } } }),
    );
    assert.equal(none.type, "blobNotFound");
    // A sound may be one.
    made(
      await create({
        ...named("x", "y"),
        media: { p: { kind: "sound", blobId: text, mediaType: "audio/ogg" } },
      }),
    );
  });
  await clause("§3 members of a group that aren't there are kept", async () => {
    const e = made(
      await create({
        kind: "group",
        name: { full: "Choir" },
        members: { "urn:uuid:nobody": true, "urn:uuid:pic": true },
      }),
    );
    assert.deepEqual((await get(e.id)).members, { "urn:uuid:nobody": true, "urn:uuid:pic": true });
    assert.deepEqual(
      (await ann.call("ContactCard/query", { filter: { hasMember: "urn:uuid:nobody" } })).ids,
      [e.id],
    );
    done(
      await ann.call("ContactCard/set", {
        update: { [e.id]: { "members/urn:uuid:nobody": null } },
      }),
    );
    assert.deepEqual((await get(e.id)).members, { "urn:uuid:pic": true });
  });
  await clause("§3.3.1 each condition of a filter", async () => {
    const other = made(await ann.call("AddressBook/set", { create: { e: { name: "Q" } } })).id;
    const id = made(
      await ann.call("ContactCard/set", {
        create: {
          e: {
            addressBookIds: { [other]: true },
            kind: "org",
            created: "2020-01-01T00:00:00Z",
            name: {
              full: "Zoë Quux Second",
              components: [
                { kind: "given", value: "Zoë" },
                { kind: "surname", value: "Quux" },
                { kind: "surname2", value: "Second" },
              ],
            },
            nicknames: { n: { name: "Zo" } },
            organizations: { o: { name: "Wibble Works", units: [{ name: "Unit 9" }] } },
            emails: { m: { address: "zoe@quux.example", label: "labelled" } },
            phones: { p: { number: "tel:+49-30-1234", label: "desk" } },
            onlineServices: {
              s: {
                service: "Mastodon",
                uri: "https://m.example/@zoe",
                user: "@zoe@m.example",
                label: "toots",
              },
            },
            addresses: {
              a: {
                full: "1 Wobble Way, Ghent",
                components: [{ kind: "locality", value: "Ghent" }],
              },
            },
            notes: { t: { note: "likes turnips" } },
          },
        },
      }),
    ).id;
    const q = async (filter: Json) => (await ann.call("ContactCard/query", { filter })).ids;
    const finds: Json[] = [
      { inAddressBook: other },
      { kind: "org" },
      { name: "zoë" },
      { name: "quux" },
      { "name/given": "zoë" },
      { "name/surname": "quux" },
      { "name/surname2": "second" },
      { nickname: "zo" },
      { organization: "wibble" },
      { email: "ZOE@quux.example" },
      { email: "labelled" },
      { phone: "1234" },
      { phone: "desk" },
      { onlineService: "mastodon" },
      { onlineService: "m.example/@zoe" },
      { onlineService: "toots" },
      { onlineService: "@zoe@m.example" },
      { address: "ghent" },
      { address: "wobble" },
      { note: "turnips" },
      { text: "turnips" },
      { text: "ghent wibble" },
      { createdBefore: "2020-01-01T00:00:01Z", inAddressBook: other },
      { createdAfter: "2020-01-01T00:00:00Z", inAddressBook: other },
      { updatedAfter: "2020-01-02T00:00:00Z", inAddressBook: other },
      { note: '"likes turnips"' },
      { note: "'likes turnips'" },
      { note: "turnips likes" },
      { operator: "NOT", conditions: [{ operator: "NOT", conditions: [{ note: "turnips" }] }] },
    ];
    for (const f of finds) assert.deepEqual(await q(f), [id], JSON.stringify(f));
    const not: Json[] = [
      { note: '"turnips likes"' },
      { note: "turnips potatoes" },
      { "name/given": "quux" },
      { createdBefore: "2020-01-01T00:00:00Z" },
      { inAddressBook: "A99999" },
      { kind: "group", note: "turnips" },
      { uid: "ZOE" },
      { organization: "zoe" },
    ];
    for (const f of not) assert.deepEqual(await q(f), [], JSON.stringify(f));
    const all = (await ann.call("ContactCard/query")).ids.length;
    assert.equal((await q({})).length, all);
    assert.ok(all > 5);
    assert.equal(
      (await ann.fails("ContactCard/query", { filter: { nosuch: "x" } })).type,
      "unsupportedFilter",
    );
    assert.equal(
      (await ann.fails("ContactCard/query", { filter: { kind: 7 } })).type,
      "invalidArguments",
    );
    // \" is a quote within a phrase.
    const quoted =
      made(await create({ ...named("Q", "Q"), notes: { t: { note: 'says "hi there" often' } } }))
        .id;
    assert.deepEqual(await q({ note: '"says \\"hi"' }), [quoted]);
  });
  await clause("§3.3.2 sort by created, updated and the parts of names", async () => {
    const other = made(await ann.call("AddressBook/set", { create: { e: { name: "S" } } })).id;
    const ids: string[] = [];
    for (
      const [given, surname, created] of [["B", "x", "2003"], ["a", "Y", "2001"], [
        "C",
        "w",
        "2002",
      ]]
    ) {
      ids.push(
        made(
          await ann.call("ContactCard/set", {
            create: {
              e: {
                addressBookIds: { [other]: true },
                ...named(given, surname),
                created: `${created}-01-01T00:00:00Z`,
                updated: `${created}-02-01T00:00:00Z`,
              },
            },
          }),
        ).id,
      );
    }
    const by = async (...sort: Json[]) =>
      (await ann.call("ContactCard/query", { filter: { inAddressBook: other }, sort })).ids.map((
        x: string,
      ) => ids.indexOf(x));
    assert.deepEqual(await by({ property: "created" }), [1, 2, 0]);
    assert.deepEqual(await by({ property: "created", isAscending: false }), [0, 2, 1]);
    assert.deepEqual(await by({ property: "name/given" }), [1, 0, 2]);
    assert.deepEqual(await by({ property: "name/surname" }), [2, 0, 1]);
    assert.deepEqual(await by({ property: "name/surname2" }, { property: "created" }), [1, 2, 0]);
    await by({ property: "updated" });
    assert.equal(
      (await ann.fails("ContactCard/query", { sort: [{ property: "nosuch" }] })).type,
      "unsupportedSort",
    );
  });
  await clause("§3.3, §3.4 windows; queryChanges", async () => {
    const q = { sort: [{ property: "created" }], calculateTotal: true };
    const all = await ann.call("ContactCard/query", q);
    assert.equal(all.total, all.ids.length);
    assert.equal(all.canCalculateChanges, true);
    const part = await ann.call("ContactCard/query", {
      ...q,
      anchor: all.ids[2],
      anchorOffset: -1,
      limit: 2,
    });
    assert.deepEqual([part.position, part.ids], [1, all.ids.slice(1, 3)]);
    const end = await ann.call("ContactCard/query", { ...q, position: -2 });
    assert.deepEqual(end.ids, all.ids.slice(-2));
    const fresh = await card(ann, { ...named("Q", "C"), created: "1990-01-01T00:00:00Z" });
    done(await ann.call("ContactCard/set", { destroy: [all.ids[3]] }));
    const c = await ann.call("ContactCard/queryChanges", {
      sort: q.sort,
      sinceQueryState: all.queryState,
      calculateTotal: true,
    });
    assert.deepEqual([c.added, c.removed.includes(all.ids[3]), c.total], [
      [{ id: fresh, index: 0 }],
      true,
      all.total,
    ]);
  });
  await clause("§3.5 patches: below maps, as a whole, what isn't there", async () => {
    const id = await card(ann, {
      ...named("Pat", "Ch"),
      emails: { m: { address: "p@x.example", contexts: { work: true } } },
    });
    done(
      await ann.call("ContactCard/set", {
        update: {
          [id]: {
            "emails/m/pref": 1,
            "emails/n": { address: "n@x.example" },
            "emails/m/contexts/private": true,
            "name/full": "Patty",
          },
        },
      }),
    );
    const got = await get(id);
    assert.deepEqual(got.emails.m.contexts, { work: true, private: true });
    assert.deepEqual([got.emails.m.pref, got.emails.n.address, got.name.full], [
      1,
      "n@x.example",
      "Patty",
    ]);
    const bad = async (patch: Json) =>
      refusal(await ann.call("ContactCard/set", { update: { [id]: patch } }), "notUpdated").type;
    assert.equal(await bad({ "phones/p/number": "1" }), "invalidPatch");
    assert.equal(await bad({ "name/components/0/value": "x" }), "invalidPatch");
    assert.equal(await bad({ emails: {}, "emails/m": null }), "invalidPatch");
    assert.equal(await bad({ "emails/m/address": 7 }), "invalidProperties");
    assert.equal(await bad({ nosuch: 7 }), "invalidProperties");
    assert.equal(await bad({ id: "K2" }), "invalidProperties");
    done(await ann.call("ContactCard/set", { update: { [id]: { emails: null } } }));
    assert.equal("emails" in (await get(id)), false);
  });
  await clause("§3.1, §3.2 get and changes", async () => {
    const id = await card(ann, named("Get", "Me"));
    const got = await ann.call("ContactCard/get", {
      ids: [id, "K999"],
      properties: ["name", "id"],
    });
    assert.deepEqual([Object.keys(got.list[0]).sort(), got.notFound], [["id", "name"], ["K999"]]);
    const { state } = got;
    done(await ann.call("ContactCard/set", { update: { [id]: { notes: { n: { note: "x" } } } } }));
    const c = await ann.call("ContactCard/changes", { sinceState: state });
    assert.deepEqual([c.created, c.updated, c.destroyed], [[], [id], []]);
  });
  await clause("§3.6 copy between accounts, and not within one", async () => {
    const bobs = await book(bob);
    done(
      await bob.call("AddressBook/set", {
        update: { [bobs]: { shareWith: { ann: { mayRead: true, mayWrite: true } } } },
      }),
    );
    const id = await card(ann, { ...named("Co", "Py"), notes: { n: { note: "as it was" } } });
    assert.equal(
      (await ann.fails("ContactCard/copy", { fromAccountId: "ann", create: {} })).type,
      "invalidArguments",
    );
    assert.equal(
      (await ann.fails("ContactCard/copy", { fromAccountId: "carl", accountId: "bob", create: {} }))
        .type,
      "fromAccountNotFound",
    );
    const r = await ann.call("ContactCard/copy", {
      fromAccountId: "ann",
      accountId: "bob",
      create: {
        e: { id, addressBookIds: { [bobs]: true } },
      },
    });
    const there = (await bob.call("ContactCard/get", { ids: [made(r).id] })).list[0];
    assert.equal(there.notes.n.note, "as it was");
    const twice = await ann.call("ContactCard/copy", {
      fromAccountId: "ann",
      accountId: "bob",
      create: {
        e: { id, addressBookIds: { [bobs]: true } },
      },
    });
    assert.equal(refusal(twice).type, "alreadyExists");
  });
});
