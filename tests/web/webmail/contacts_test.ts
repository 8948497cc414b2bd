/** Contacts in the webmail: calls over HTTP, cards that stay as they were where nobody changes them. */
import assert from "node:assert/strict";
import { fc } from "../../support/fast_check.ts";
import { cardObject } from "../../../src/groupware/objects.ts";
import { parseComponents, writeComponent } from "../../../src/mail/contentline/component.ts";
import { cardFields, changeCard } from "../../../src/mail/vcard/edit.ts";
import { mergedCard } from "../../../src/mail/vcard/merge.ts";
import type { Contact, ContactFields } from "../../../webmail/api/mod.ts";
import { message, refused, withWebmail, type World } from "./server.ts";

const encode = (s: string) => new TextEncoder().encode(s);
const decode = (b: Uint8Array | undefined) => new TextDecoder().decode(b);

/** A card as a phone stores it: odd parameters, folds, groups, what nobody knows. */
const phoneCard = [
  "BEGIN:VCARD",
  "VERSION:3.0",
  "PRODID:-//Phone//EN",
  "UID:phone-1",
  "N:Lee;Ann;Maria;Dr.;",
  "FN:Ann Lee",
  "ORG:Boats\\, Ltd.;Sales",
  "item1.EMAIL;type=INTERNET;type=pref:ann@example.org",
  "item1.X-ABLabel:_$!<Boat>!$_",
  "EMAIL;TYPE=INTERNET,HOME:ann@home.example",
  "TEL;type=CELL;type=VOICE:+49 170 1",
  "X-Odd;x=1:kept\\; as",
  "  it is",
  "NOTE:first\\nsecond",
  "PHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQ",
  " SkZJRg==",
  "END:VCARD",
  "",
].join("\r\n");

/** The fields of a contact as its form has them. */
function fieldsOf(c: Contact): ContactFields {
  const { name, given, family, organisation, emails, phones } = c;
  return { name, given, family, organisation, emails, phones };
}

const nobody: ContactFields = {
  name: "",
  given: "",
  family: "",
  organisation: "",
  emails: [],
  phones: [],
};

const email = (value: string) => ({ at: null, kind: "" as const, value });

/** Puts a card into the book, as a phone would. */
async function put(w: World, card: string, name = "phone-1.vcf"): Promise<number> {
  const g = await w.account.groupware();
  const book = g.collection("addressbooks", "default")!;
  return (await g.put(book.id, cardObject(name, encode(card)))).row.id;
}

const stored = async (w: World, id: number) => decode((await w.account.groupware()).content(id));

Deno.test("a contact is added, found, changed and deleted; what isn't changed keeps its lines", async () => {
  await withWebmail(async (w) => {
    const b = await w.login();
    const { books } = await b.call("ContactBooks", {});
    assert.equal(books.length, 1);
    const [book] = books;
    assert.equal(book.count, 0);
    const { id } = await b.call("ContactAdd", {
      bookId: book.id,
      fields: {
        ...nobody,
        given: "Bo",
        family: "Åkesson; the elder",
        emails: [{ at: null, kind: "work", value: " bo@example.org " }, email("")],
        phones: [{ at: null, kind: "mobile", value: "+46 70, 1" }],
        note: "a, b;\r\nc\\n",
      },
    });
    const card = await stored(w, id);
    assert.match(card, /\r\nFN:Bo Åkesson\\; the elder\r\n/);
    assert.match(card, /\r\nN:Åkesson\\; the elder;Bo;;;\r\n/);
    assert.match(card, /\r\nEMAIL;TYPE=WORK:bo@example\.org\r\n/);
    assert.match(card, /\r\nTEL;TYPE=CELL:\+46 70\\, 1\r\n/);
    assert.match(card, /\r\nNOTE:a\\, b\\;\\nc\\\\n\r\n/);
    const got = (await b.call("ContactGet", { id })).contact;
    assert.equal(got.note, "a, b;\nc\\n");
    assert.equal(got.family, "Åkesson; the elder");
    assert.deepEqual(got.emails.map((e) => [e.kind, e.value]), [["work", "bo@example.org"]]);

    const phone = await put(w, phoneCard);
    const list = async (search: string, bookId: number | null = null) =>
      (await b.call("ContactList", { bookId, search, limit: 10 })).contacts.map((c) => c.name);
    assert.deepEqual(await list(""), ["Ann Lee", "Bo Åkesson; the elder"]);
    assert.deepEqual(await list("LEE boats", book.id), ["Ann Lee"]);
    assert.deepEqual(await list("åkesson"), ["Bo Åkesson; the elder"]);
    assert.deepEqual(await list("nobody"), []);
    const one = await b.call("ContactList", { bookId: null, search: "", limit: 1 });
    assert.deepEqual([one.contacts.length, one.more], [1, true]);

    const ann = (await b.call("ContactGet", { id: phone })).contact;
    assert.deepEqual(
      [ann.given, ann.family, ann.organisation, ann.note],
      ["Ann", "Lee", "Boats, Ltd.", "first\nsecond"],
    );
    assert.deepEqual(ann.emails.map((e) => e.kind), ["", "home"]);
    assert.deepEqual(ann.phones.map((e) => e.kind), ["mobile"]);
    // Saving the form as it is writes nothing.
    const same = await b.call("ContactChange", {
      id: phone,
      etag: ann.etag,
      fields: fieldsOf(ann),
    });
    assert.equal(same.etag, ann.etag);
    assert.equal(await stored(w, phone), phoneCard);
    const fields = fieldsOf(ann);
    fields.family = "Lee-Kim";
    fields.name = "";
    fields.organisation = "Ships";
    fields.emails = [
      { ...fields.emails[0], value: "ann@new.example" },
      { ...fields.emails[1], kind: "work" },
      email("third@example.org"),
    ];
    const { etag } = await b.call("ContactChange", { id: phone, etag: ann.etag, fields });
    const expected = phoneCard
      .replace("N:Lee;", "N:Lee-Kim;")
      .replace("FN:Ann Lee", "FN:Ann Lee-Kim")
      .replace("ORG:Boats\\, Ltd.;", "ORG:Ships;")
      .replace("type=INTERNET;type=pref:ann@example", "TYPE=INTERNET;TYPE=pref:ann@new.example")
      .replace("ann@new.example.org", "ann@new.example")
      .replace(
        "EMAIL;TYPE=INTERNET,HOME:ann@home.example",
        "EMAIL;TYPE=INTERNET;TYPE=WORK:ann@home.example\r\nEMAIL:third@example.org",
      );
    assert.equal(await stored(w, phone), expected);
    // An address goes with its label.
    const now = (await b.call("ContactGet", { id: phone })).contact;
    assert.equal(now.etag, etag);
    await b.call("ContactChange", {
      id: phone,
      etag,
      fields: { ...fieldsOf(now), emails: now.emails.slice(1), note: "" },
    });
    const left = await stored(w, phone);
    assert.doesNotMatch(left, /item1|NOTE/);
    assert.match(left, /\r\nX-Odd;x=1:kept\\; as\r\n {2}it is\r\n/);
    // The addresses are offered while writing, at once.
    const { addresses } = await b.call("AddressComplete", { text: "third" });
    assert.deepEqual(addresses, [{ name: "Ann Lee-Kim", address: "third@example.org" }]);

    const last = (await b.call("ContactGet", { id: phone })).contact;
    await b.call("ContactDelete", { id: phone, etag: last.etag });
    assert.deepEqual(await list(""), ["Bo Åkesson; the elder"]);
    await refused(b.call("ContactGet", { id: phone }), "missing");
    assert.deepEqual((await b.call("AddressComplete", { text: "third" })).addresses, []);
  });
});

Deno.test("what a phone changed meanwhile is not overwritten, and what can't be is refused in words", async () => {
  await withWebmail(async (w) => {
    const b = await w.login();
    const id = await put(w, phoneCard);
    const before = (await b.call("ContactGet", { id })).contact;
    const newer = phoneCard.replace("FN:Ann Lee", "FN:Ann from the phone");
    assert.equal(await put(w, newer), id);
    const change = { id, etag: before.etag, fields: { ...fieldsOf(before), given: "Anna" } };
    assert.match(await refused(b.call("ContactChange", change), "conflict"), /changed elsewhere/);
    await refused(b.call("ContactDelete", { id, etag: before.etag }), "conflict");
    assert.equal(await stored(w, id), newer);

    const { contact } = await b.call("ContactGet", { id });
    const { bookId, etag } = contact;
    const tryFields = (more: Partial<ContactFields>) =>
      b.call("ContactChange", { id, etag, fields: { ...fieldsOf(contact), ...more } });
    assert.match(
      await refused(tryFields({ emails: [email("no address")] }), "user"),
      /no address is not an e-mail address/,
    );
    assert.match(await refused(tryFields({ given: "a\nb" }), "user"), /more than one line/);
    assert.match(await refused(tryFields({ note: "a\u0001" }), "user"), /control character/);
    // Neither another property of the card nor one twice.
    await refused(tryFields({ emails: [{ at: 1, kind: "", value: "x@example.org" }] }), "user");
    const [first] = contact.emails;
    await refused(tryFields({ emails: [first, first] }), "user");
    await refused(tryFields({ emails: [{ ...first, at: 9999 }] }), "user");
    assert.match(
      await refused(b.call("ContactAdd", { bookId, fields: nobody }), "user"),
      /needs a name/,
    );
    await refused(b.call("ContactAdd", { bookId: 9999, fields: nobody }), "missing");
    // A calendar is no address book, nor an event a contact.
    const g = await w.account.groupware();
    const calendar = g.collection("calendars", "default")!;
    await refused(b.call("ContactAdd", { bookId: calendar.id, fields: nobody }), "missing");
    await refused(
      b.call("ContactList", { bookId: calendar.id, search: "", limit: 1 }),
      "missing",
    );
    assert.equal((await b.get(`contacts.vcf?book=${calendar.id}`)).status, 404);
    assert.equal((await b.get("contacts.vcf?book=x")).status, 404);
    const many = Array.from({ length: 201 }, () => email("a@example.org"));
    await refused(b.call("ContactAdd", { bookId, fields: { ...nobody, emails: many } }), "request");
    assert.equal(await stored(w, id), newer);
    // Without a session there is nothing.
    const stranger = await w.login();
    stranger.cookie = "";
    await refused(stranger.call("ContactBooks", {}), "login");
    assert.equal((await stranger.get(`contacts.vcf?book=${bookId}`)).status, 401);
  });
});

Deno.test("files of contacts come in, and a book goes out as one", async () => {
  await withWebmail(async (w) => {
    const b = await w.login();
    const [{ id: bookId }] = (await b.call("ContactBooks", {})).books;
    const take = async (bytes: Uint8Array<ArrayBuffer>) => {
      const { uploadId } = await (await b.upload("people.vcf", "text/vcard", bytes)).json();
      return await b.call("ContactImport", { bookId, uploadId });
    };
    const minimal = "BEGIN:VCARD\nVERSION:4.0\nUID:four\nFN:Cy\nEMAIL:cy@example.org\nEND:VCARD\n";
    assert.deepEqual(await take(encode(phoneCard + minimal)), {
      imported: 2,
      leftOut: 0,
      left: [],
    });
    const r = await b.get(`contacts.vcf?book=${bookId}`);
    assert.equal(r.headers.get("content-type"), "text/vcard; charset=utf-8");
    assert.match(r.headers.get("content-disposition")!, /^attachment; filename="contacts\.vcf"/);
    const file = await r.text();
    assert.ok(file.includes(phoneCard));
    assert.equal(file.match(/^BEGIN:VCARD/gm)!.length, 2);
    // Once more: nobody is there twice.
    assert.equal((await take(encode(file))).imported, 2);
    assert.equal((await b.call("ContactBooks", {})).books[0].count, 2);
    assert.match(
      await refused(take(encode("BEGIN:VCARD\nFN Ann\nEND:VCARD\n")), "user"),
      /can't be read: line 2/,
    );
    assert.match(await refused(take(encode("")), "user"), /no contacts/);
    assert.match(await refused(take(new Uint8Array([0xff, 0xfe])), "user"), /UTF-8/);
    await refused(b.call("ContactImport", { bookId, uploadId: "x" }), "missing");
    assert.equal((await b.call("ContactBooks", {})).books[0].count, 2);
  });
});

Deno.test("books have the names that their owners gave, and a message's sender is found by address", async () => {
  await withWebmail(async (w) => {
    const g = await w.account.groupware();
    await g.createCollection("addressbook", "friends", {
      properties: new Map([[
        "{DAV:}displayname",
        "<displayname>Freunde &amp; &#x41;</displayname>",
      ]]),
    });
    await w.deliver(message({}));
    const b = await w.login();
    const { books } = await b.call("ContactBooks", {});
    assert.deepEqual(books.map((x) => x.name), ["", "Freunde & A"]);
    const fields = { ...nobody, emails: [email("ann@example.org")] };
    await b.call("ContactAdd", { bookId: books[1].id, fields });
    await b.call("ContactAdd", { bookId: books[0].id, fields: { ...nobody, given: "Zoe" } });
    const all = await b.call("ContactList", { bookId: null, search: "", limit: 10 });
    assert.deepEqual(all.contacts.map((c) => c.name), ["ann@example.org", "Zoe"]);
    const found = await b.call("ContactList", {
      bookId: null,
      search: "ann@example.org",
      limit: 10,
    });
    assert.deepEqual(found.contacts.map((c) => c.emails), [["ann@example.org"]]);
  });
});

Deno.test("a large book is listed by name, up to the limit, in turns with other work", async () => {
  await withWebmail(async (w) => {
    const g = await w.account.groupware();
    const book = g.collection("addressbooks", "default")!;
    const names = Array.from(
      { length: 1000 },
      (_, i) => `p${String((i * 7) % 1000).padStart(3, "0")}`,
    );
    await g.putAll(
      book.id,
      names.map((name, i) => {
        const lines = ["BEGIN:VCARD", "VERSION:4.0", `UID:${i}`, `FN:${name}`, "END:VCARD", ""];
        return cardObject(`${i}.vcf`, encode(lines.join("\r\n")));
      }),
    );
    names.sort();
    const b = await w.login();
    const list = (search: string, limit: number) =>
      b.call("ContactList", { bookId: book.id, search, limit });
    for (const limit of [1, 10, 999]) {
      const some = await list("", limit);
      assert.deepEqual(some.contacts.map((c) => c.name), names.slice(0, limit));
      assert.equal(some.more, true);
    }
    const all = await list("", 1000);
    assert.deepEqual([all.contacts.length, all.more], [1000, false]);
    const few = await list("P99", 100);
    assert.deepEqual([few.contacts.map((c) => c.name), few.more], [names.slice(990), false]);
    await refused(list("", 2001), "request");
  });
});

Deno.test("any text goes into a card and comes back, and other lines stay", () => {
  const [card] = parseComponents(phoneCard);
  const before = cardFields(card);
  const text = fc.string({ unit: "grapheme", maxLength: 60 })
    // deno-lint-ignore no-control-regex -- refused, as the test above shows
    .map((s) => s.replace(/[\x00-\x1f\x7f]/g, "").trim());
  fc.assert(fc.property(text, text, text, text, (given, family, organisation, note) => {
    const changed = changeCard(card, { ...before, name: "", given, family, organisation, note });
    const [again] = parseComponents(writeComponent(changed));
    const now = cardFields(again);
    assert.deepEqual(
      [now.given, now.family, now.organisation, now.note],
      [given, family, organisation, note],
    );
    const kept = (c: typeof card) =>
      c.properties.filter((p) => !["N", "FN", "ORG", "NOTE"].includes(p.name)).map((p) => p.raw);
    assert.deepEqual(kept(again), kept(card));
  }));
});

Deno.test("doubles are found by address and name, and become one: nothing is lost, groups follow", () =>
  withWebmail(async (w) => {
    const b = await w.login();
    const first = await put(w, phoneCard);
    const second = await put(
      w,
      [
        "BEGIN:VCARD",
        "VERSION:4.0",
        "UID:other-1",
        "FN:Lee, Ann",
        "N:Lee;Ann;;;",
        "EMAIL:ANN@example.org",
        "item1.EMAIL:ann@third.example",
        "item1.X-ABLabel:Third",
        "TEL:tel:+49-170-1",
        "TEL:+49 170 2",
        "BDAY:19700101",
        "NOTE:another",
        "END:VCARD",
        "",
      ].join("\r\n"),
      "other-1.vcf",
    );
    const third = await put(
      w,
      "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:third\r\nN:;;;;\r\nFN:ann lee\r\nEND:VCARD\r\n",
      "third.vcf",
    );
    const stranger = await put(
      w,
      "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:bo\r\nN:;;;;\r\nFN:Bo\r\nEMAIL:bo@example.org\r\nEND:VCARD\r\n",
      "bo.vcf",
    );
    const [book] = (await b.call("ContactBooks", {})).books;
    const { id: group } = await b.call("ContactGroupChange", {
      group: { id: null, bookId: book.id, name: "Friends; and, more" },
      add: [second, stranger],
      remove: [],
    });
    const members = async () =>
      (await b.call("ContactGet", { id: group })).contact.members.map((m) => m.id);
    assert.deepEqual(await members(), [second, stranger]);
    assert.deepEqual((await b.call("ContactGroups", {})).groups.map((g) => g.name), [
      "Friends; and, more",
    ]);

    // Offered while writing, by the name, with who is in it now.
    const offered = async (text: string) => (await b.call("AddressComplete", { text })).groups;
    assert.deepEqual(await offered("frie"), [{
      name: "Friends; and, more",
      members: [{ name: "Lee, Ann", address: "ANN@example.org" }, {
        name: "Bo",
        address: "bo@example.org",
      }],
    }]);
    assert.deepEqual((await offered("MORE")).length, 1);
    assert.deepEqual(await offered("choir"), []);

    const { sets, more } = await b.call("ContactDoubles", {});
    assert.deepEqual([sets.map((s) => s.map((c) => c.id).sort()), more], [
      [[first, second, third].sort()],
      false,
    ]);
    await b.call("ContactMerge", { ids: [first, second, third] });
    const { contact } = await b.call("ContactGet", { id: first });
    assert.deepEqual(contact.emails.map((e) => e.value), [
      "ann@example.org",
      "ann@home.example",
      "ann@third.example",
    ]);
    assert.deepEqual(contact.phones.map((e) => e.value), ["+49 170 1", "+49 170 2"]);
    assert.equal(contact.name, "Ann Lee");
    const text = await stored(w, first);
    // What was there stays byte for byte.
    for (const line of phoneCard.split("\r\n").slice(2, -2)) assert.ok(text.includes(line), line);
    assert.match(text, /^m1item1\.X-ABLABEL:Third\r$/m);
    assert.match(text, /^BDAY:19700101\r$/m);
    assert.match(text, /^NOTE:another\r$/m);
    await refused(b.call("ContactGet", { id: second }), "missing");
    assert.deepEqual((await members()).sort(), [first, stranger].sort());
    assert.deepEqual((await b.call("ContactDoubles", {})).sets, []);

    await b.call("ContactGroupChange", { group: { id: group }, add: [], remove: [stranger] });
    assert.deepEqual(await members(), [first]);
    assert.deepEqual((await offered("frie"))[0].members.map((m) => m.address), ["ann@example.org"]);
    await b.call("ContactGroupChange", { group: { id: group }, add: [], remove: [first] });
    assert.deepEqual(await offered("frie"), [], "nobody to write to");
    await b.call("ContactGroupChange", { group: { id: group }, add: [first], remove: [] });
    await refused(b.call("ContactMerge", { ids: [group, first] }), "user");
    await refused(
      b.call("ContactGroupChange", { group: { id: first }, add: [stranger], remove: [] }),
      "user",
    );
    await refused(
      b.call("ContactGroupChange", {
        group: { id: null, bookId: book.id, name: " " },
        add: [],
        remove: [],
      }),
      "user",
    );
  }));

Deno.test("a picture goes along into a card of the other version", () => {
  const [three] = parseComponents(phoneCard);
  const four = parseComponents(
    "BEGIN:VCARD\r\nVERSION:4.0\r\nUID:x\r\nFN:Ann Lee\r\nEND:VCARD\r\n",
  )[0];
  const up = writeComponent(mergedCard(four, [three])).replace(/\r\n /g, "");
  assert.match(up, /^PHOTO:data:image\/jpeg;base64,\/9j\/4AAQSkZJRg==\r$/m);
  const [big] = parseComponents(up);
  const small = parseComponents(
    "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:y\r\nN:;;;;\r\nFN:Ann Lee\r\nEND:VCARD\r\n",
  )[0];
  const down = writeComponent(mergedCard(small, [big])).replace(/\r\n /g, "");
  assert.match(down, /^PHOTO;ENCODING=b;TYPE=JPEG:\/9j\/4AAQSkZJRg==\r$/m);
  assert.equal(mergedCard(three, [three]), three);
});

Deno.test("people of address books that others share are offered while writing, those of other books not", async () => {
  await withWebmail(async (web) => {
    const { Accounts } = web.services.config.dynamic;
    Accounts.set("ann", { ...Accounts.get("mox")!, FullName: "Ann" });
    const ann = await web.accounts.open("ann");
    try {
      const g = await ann.groupware();
      const book = g.collection("addressbooks", "default")!;
      const secret = await g.createCollection("addressbook", "secret");
      const person = (uid: string) =>
        cardObject(
          `${uid}.vcf`,
          encode(
            `BEGIN:VCARD\r\nVERSION:3.0\r\nUID:${uid}\r\nN:;;;;\r\nFN:Team ${uid}\r\n` +
              `EMAIL:${uid}@example.org\r\nEND:VCARD\r\n`,
          ),
        );
      await g.put(book.id, person("shared"));
      await g.put(secret.id, person("secret"));
      await put(
        web,
        "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:o\r\nN:;;;;\r\nFN:My Team\r\nEMAIL:o@example.org\r\nEND:VCARD\r\n",
      );
      const b = await web.login();
      const [own] = (await b.call("ContactBooks", {})).books;
      const offered = async () => {
        // A change of the user's own makes the list anew.
        await b.call("ContactAdd", { bookId: own.id, fields: { ...nobody, name: "Nobody" } });
        const { addresses } = await b.call("AddressComplete", { text: "team" });
        return addresses.map((a) => a.address).sort();
      };
      assert.deepEqual(await offered(), ["o@example.org"]);
      await g.setGrants(book.id, [{ account: "mox", rights: "read" }]);
      assert.deepEqual(await offered(), ["o@example.org", "shared@example.org"]);
      await g.setGrants(book.id, []);
      assert.deepEqual(await offered(), ["o@example.org"]);
    } finally {
      ann.close();
    }
  }, { owners: (user) => user === "mox" ? ["ann", "gone"] : [] });
});

Deno.test("a member that a program wrote into a group twice is one, and goes when it is taken out (rcmcarddav 356)", () =>
  withWebmail(async (w) => {
    const b = await w.login();
    const person = await put(
      w,
      "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:p\r\nN:;;;;\r\nFN:Pat\r\nEMAIL:pat@example.org\r\nEND:VCARD\r\n",
      "p.vcf",
    );
    const member = "X-ADDRESSBOOKSERVER-MEMBER:urn:uuid:p\r\n";
    const group = await put(
      w,
      "BEGIN:VCARD\r\nVERSION:3.0\r\nUID:g\r\nN:Duo;;;;\r\nFN:Duo\r\nX-ADDRESSBOOKSERVER-KIND:group\r\n" +
        `${member}${member}END:VCARD\r\n`,
      "g.vcf",
    );
    const { groups } = await b.call("AddressComplete", { text: "duo" });
    assert.deepEqual(groups.map((g) => g.members.map((m) => m.address)), [["pat@example.org"]]);
    await b.call("ContactGroupChange", { group: { id: group }, add: [], remove: [person] });
    assert.deepEqual((await b.call("ContactGet", { id: group })).contact.members, []);
  }));
