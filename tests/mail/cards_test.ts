/** Cards: vCard to JSContact and back, line by line, and their editing in a form. */
import assert from "node:assert/strict";
import {
  type Component,
  parseComponents,
  writeComponent,
} from "../../src/mail/contentline/component.ts";
import { cardFromVcard } from "../../src/mail/jscontact/from_vcard.ts";
import { cardProblems, type JsonObject } from "../../src/mail/jscontact/schema.ts";
import { vcardOf } from "../../src/mail/jscontact/to_vcard.ts";
import { dateFrom, dateTo, utcFrom } from "../../src/mail/jscontact/values.ts";
import { CardError, cardText, readCard } from "../../src/mail/vcard/card.ts";
import {
  type CardChange,
  cardFields,
  changeCard,
  maxEntries,
  newCard,
} from "../../src/mail/vcard/edit.ts";

function vcard(lines: readonly string[], version = "4.0"): Component {
  const all = ["BEGIN:VCARD", `VERSION:${version}`, ...lines, "END:VCARD"];
  return parseComponents(all.join("\r\n") + "\r\n")[0];
}

/** The lines of a card without those that all have. */
function linesOf(c: Component): string[] {
  return writeComponent(c).replace(/\r\n /g, "").trim().split("\r\n")
    .filter((l) => !/^(?:BEGIN|END|VERSION):/.test(l));
}

/** A part of the card that a vCard makes. */
const part = (name: string, ...lines: string[]) => cardFromVcard(vcard(lines)).card[name];

Deno.test("entries of a vCard as those of a card, and written again", () => {
  const rows: [lines: string[], map: string, wanted: JsonObject][] = [
    [
      ["EMAIL;TYPE=home,pref:ann@x.example"],
      "emails",
      {
        e1: {
          "@type": "EmailAddress",
          address: "ann@x.example",
          contexts: { private: true },
          pref: 1,
        },
      },
    ],
    [
      ["EMAIL;PROP-ID=z;PREF=100;TYPE=work:a@x.example", "EMAIL;PREF=101:b@x.example"],
      "emails",
      {
        z: { "@type": "EmailAddress", address: "a@x.example", contexts: { work: true }, pref: 100 },
        e1: { "@type": "EmailAddress", address: "b@x.example" },
      },
    ],
    [
      ["TEL;TYPE=cell,voice,work:+1 2", "item1.TEL:3", "item1.X-ABLabel:_$!<Mobile>!$_"],
      "phones",
      {
        p1: {
          "@type": "Phone",
          number: "+1 2",
          contexts: { work: true },
          features: { mobile: true, voice: true },
        },
        p2: { "@type": "Phone", number: "3", label: "Mobile" },
      },
    ],
    [
      ["ORG;SORT-AS=acme:The\\, Acme;Sales;;North"],
      "organizations",
      {
        o1: {
          "@type": "Organization",
          name: "The, Acme",
          units: [{ "@type": "OrgUnit", name: "Sales" }, { "@type": "OrgUnit", name: "North" }],
          sortAs: "acme",
        },
      },
    ],
    [
      ["TITLE:Boss", "ROLE:Driver"],
      "titles",
      {
        t1: { "@type": "Title", name: "Boss", kind: "title" },
        t2: { "@type": "Title", name: "Driver", kind: "role" },
      },
    ],
    [
      ["IMPP:xmpp:a@x.example", "SOCIALPROFILE;SERVICE-TYPE=Mast;VALUE=text:ann"],
      "onlineServices",
      {
        s1: { "@type": "OnlineService", uri: "xmpp:a@x.example", vCardName: "impp" },
        s2: { "@type": "OnlineService", service: "Mast", user: "ann", vCardName: "socialprofile" },
      },
    ],
    [
      ["X-SOCIALPROFILE;TYPE=pref,twit;X-USER=ann:https://t.example/ann"],
      "onlineServices",
      {
        s1: {
          "@type": "OnlineService",
          service: "twit",
          uri: "https://t.example/ann",
          user: "ann",
          pref: 1,
          vCardName: "x-socialprofile",
        },
      },
    ],
    [["LANG;PREF=2:de"], "preferredLanguages", {
      l1: { "@type": "LanguagePref", language: "de", pref: 2 },
    }],
    [
      ["CALURI;MEDIATYPE=text/calendar:https://c.example/", "FBURL:https://f.example/"],
      "calendars",
      {
        c1: {
          "@type": "Calendar",
          kind: "calendar",
          uri: "https://c.example/",
          mediaType: "text/calendar",
        },
        c2: { "@type": "Calendar", kind: "freeBusy", uri: "https://f.example/" },
      },
    ],
    [["CALADRURI:mailto:a@x.example"], "schedulingAddresses", {
      a1: { "@type": "SchedulingAddress", uri: "mailto:a@x.example" },
    }],
    [
      ['ADR;CC=DE;GEO="geo:1,2";TZ=UTC;LABEL=all:Box;Apt;High\\, St 1,back;Town;Reg;123;Land'],
      "addresses",
      {
        a1: {
          "@type": "Address",
          components: [
            { "@type": "AddressComponent", kind: "postOfficeBox", value: "Box" },
            { "@type": "AddressComponent", kind: "apartment", value: "Apt" },
            { "@type": "AddressComponent", kind: "name", value: "High, St 1" },
            { "@type": "AddressComponent", kind: "name", value: "back" },
            { "@type": "AddressComponent", kind: "locality", value: "Town" },
            { "@type": "AddressComponent", kind: "region", value: "Reg" },
            { "@type": "AddressComponent", kind: "postcode", value: "123" },
            { "@type": "AddressComponent", kind: "country", value: "Land" },
          ],
          countryCode: "DE",
          coordinates: "geo:1,2",
          timeZone: "UTC",
          full: "all",
        },
      },
    ],
    [["KEY:https://k.example/"], "cryptoKeys", {
      k1: { "@type": "CryptoKey", uri: "https://k.example/" },
    }],
    [["ORG-DIRECTORY:ldap://d.example", "SOURCE:https://s.example"], "directories", {
      d1: { "@type": "Directory", kind: "directory", uri: "ldap://d.example" },
      d2: { "@type": "Directory", kind: "entry", uri: "https://s.example" },
    }],
    [["URL:https://u.example", "CONTACT-URI:https://w.example"], "links", {
      l1: { "@type": "Link", uri: "https://u.example" },
      l2: { "@type": "Link", kind: "contact", uri: "https://w.example" },
    }],
    [
      ["PHOTO:data:image/png;base64,AA==", "LOGO:https://l.example", "SOUND:https://s.example"],
      "media",
      {
        m1: { "@type": "Media", kind: "photo", uri: "data:image/png;base64,AA==" },
        m2: { "@type": "Media", kind: "logo", uri: "https://l.example" },
        m3: { "@type": "Media", kind: "sound", uri: "https://s.example" },
      },
    ],
    [
      [
        "BDAY:19900203",
        "BIRTHPLACE:Ulm",
        "DEATHDATE:2001",
        "DEATHPLACE;VALUE=uri:geo:1,2",
        "ANNIVERSARY:--0405",
      ],
      "anniversaries",
      {
        k1: {
          "@type": "Anniversary",
          kind: "birth",
          date: { "@type": "PartialDate", year: 1990, month: 2, day: 3 },
          place: { full: "Ulm" },
        },
        k2: {
          "@type": "Anniversary",
          kind: "death",
          date: { "@type": "PartialDate", year: 2001 },
          place: { coordinates: "geo:1,2" },
        },
        k3: {
          "@type": "Anniversary",
          kind: "wedding",
          date: { "@type": "PartialDate", month: 4, day: 5 },
        },
      },
    ],
    [
      ['NOTE;CREATED=20260102T030405Z;AUTHOR="mailto:a@x.example";AUTHOR-NAME=Ann:one\\ntwo'],
      "notes",
      {
        n1: {
          "@type": "Note",
          note: "one\ntwo",
          created: "2026-01-02T03:04:05Z",
          author: { "@type": "Author", name: "Ann", uri: "mailto:a@x.example" },
        },
      },
    ],
    [
      ["EXPERTISE;LEVEL=expert:law", "HOBBY;LEVEL=high:golf", "INTEREST:art"],
      "personalInfo",
      {
        i1: { "@type": "PersonalInfo", kind: "expertise", value: "law", level: "high" },
        i2: { "@type": "PersonalInfo", kind: "hobby", value: "golf", level: "high" },
        i3: { "@type": "PersonalInfo", kind: "interest", value: "art" },
      },
    ],
    [["NICKNAME;TYPE=work:Al,Bo\\,b"], "nicknames", {
      n1: { "@type": "Nickname", name: "Al", contexts: { work: true } },
      n2: { "@type": "Nickname", name: "Bo,b", contexts: { work: true } },
    }],
  ];
  for (const [lines, map, wanted] of rows) {
    const { card } = cardFromVcard(vcard(lines));
    assert.deepEqual(card[map], wanted, lines.join(" "));
    assert.deepEqual(cardProblems(card).filter((p) => p.name !== "uid"), [], lines.join(" "));
    // Written as a new card it says the same.
    const again = cardFromVcard(parseComponents(writeComponent(vcardOf(card)))[0]).card;
    assert.deepEqual(again[map], wanted, lines.join(" "));
    // Unchanged, its lines stay as they are.
    const c = vcard([...lines, "FN:x"]);
    const kept = vcardOf(cardFromVcard(c).card, { component: c, converted: cardFromVcard(c) });
    assert.deepEqual(linesOf(kept), linesOf(c));
  }
});

Deno.test("names, groups, words and times of a card", () => {
  assert.deepEqual(part("name", "FN:Ann B", "N;SORT-AS=B:B;Ann,Eve;;Dr.;jr."), {
    "@type": "Name",
    full: "Ann B",
    components: [
      { "@type": "NameComponent", kind: "surname", value: "B" },
      { "@type": "NameComponent", kind: "given", value: "Ann" },
      { "@type": "NameComponent", kind: "given", value: "Eve" },
      { "@type": "NameComponent", kind: "title", value: "Dr." },
      { "@type": "NameComponent", kind: "credential", value: "jr." },
    ],
    sortAs: { surname: "B" },
  });
  assert.equal(part("name", "FN;DERIVED=true:made up"), undefined);
  assert.deepEqual(part("keywords", "CATEGORIES:a,b\\,c", "CATEGORIES:d"), {
    a: true,
    "b,c": true,
    d: true,
  });
  assert.equal(part("kind", "X-ADDRESSBOOKSERVER-KIND:GROUP"), "group");
  assert.deepEqual(part("members", "MEMBER:urn:1", "X-ADDRESSBOOKSERVER-MEMBER:urn:2"), {
    "urn:1": true,
    "urn:2": true,
  });
  assert.deepEqual(part("relatedTo", "RELATED;TYPE=friend,co-worker:urn:1"), {
    "urn:1": { "@type": "Relation", relation: { friend: true, "co-worker": true } },
  });
  assert.equal(part("updated", "REV:20260102T030405Z"), "2026-01-02T03:04:05Z");
  assert.equal(part("created", "CREATED:2026-01-02"), "2026-01-02T00:00:00Z");
  assert.equal(part("created", "CREATED:nonsense"), undefined);
  assert.equal(part("prodId", "PRODID:x"), "x");
  assert.equal(part("language", "LANGUAGE:de"), "de");
  assert.equal(part("uid", "UID: u1 "), "u1");
  assert.deepEqual(
    part("speakToAs", "GRAMGENDER:Feminine", "PRONOUNS;PROP-ID=q:she", "PRONOUNS:her"),
    {
      "@type": "SpeakToAs",
      grammaticalGender: "feminine",
      pronouns: {
        q: { "@type": "Pronouns", pronouns: "she" },
        k2: { "@type": "Pronouns", pronouns: "her" },
      },
    },
  );
  assert.deepEqual(part("vCardProps", "FN:a", "FN:b", "g.X-Y;P=1;Q=2,3;VALUE=text:z"), [
    ["fn", {}, "unknown", "b"],
    ["x-y", { group: "g", p: "1", q: ["2", "3"] }, "text", "z"],
  ]);
  const omitted = part("anniversaries", "BDAY;X-APPLE-OMIT-YEAR=1604:1604-05-06") as JsonObject;
  assert.deepEqual((omitted.k1 as JsonObject).date, { "@type": "PartialDate", month: 5, day: 6 });
  const kept = part("anniversaries", "BDAY;X-APPLE-OMIT-YEAR=1604:1990-05-06") as JsonObject;
  assert.equal(((kept.k1 as JsonObject).date as JsonObject).year, 1990);
});

Deno.test("binary values of version 3 are data: URIs, and stay binary where they came from", () => {
  const uri = (line: string, map: string) => {
    const all = cardFromVcard(vcard([line], "3.0")).card[map] as Record<string, JsonObject>;
    return Object.values(all)[0].uri;
  };
  assert.equal(uri("PHOTO;ENCODING=b;TYPE=JPEG:AA==", "media"), "data:image/jpeg;base64,AA==");
  assert.equal(
    uri("PHOTO;ENCODING=BASE64:AA==", "media"),
    "data:application/octet-stream;base64,AA==",
  );
  assert.equal(uri("SOUND;ENCODING=b;TYPE=OGG:AA==", "media"), "data:audio/ogg;base64,AA==");
  assert.equal(
    uri("KEY;ENCODING=b;TYPE=PGP:AA==", "cryptoKeys"),
    "data:application/pgp-keys;base64,AA==",
  );
  assert.equal(
    uri("KEY;ENCODING=b;TYPE=X509:AA==", "cryptoKeys"),
    "data:application/pkix-cert;base64,AA==",
  );
  assert.equal(uri("PHOTO;ENCODING=b;TYPE=image/gif:AA==", "media"), "data:image/gif;base64,AA==");
  const c = vcard(["FN:x", "EMAIL;TYPE=HOME:a@x.example"], "3.0");
  const converted = cardFromVcard(c);
  const more = {
    ...converted.card,
    emails: {
      e1: { "@type": "EmailAddress", address: "b@x.example", contexts: { work: true }, pref: 1 },
    },
    media: { m1: { "@type": "Media", kind: "photo", uri: "data:image/png;base64,AA==" } },
  };
  assert.deepEqual(linesOf(vcardOf(more, { component: c, converted })), [
    "FN:x",
    "EMAIL;TYPE=WORK,PREF;PROP-ID=e1:b@x.example",
    "PHOTO;TYPE=PNG;PROP-ID=m1;ENCODING=b:AA==",
  ]);
});

Deno.test("a card without a name gets one that is derived", () => {
  const derived = (card: JsonObject) =>
    linesOf(vcardOf({ "@type": "Card", version: "1.0", ...card })).find((l) => l.startsWith("FN"));
  const email = { emails: { e: { address: "a@x.example" } } };
  const phone = { phones: { p: { number: "12" } } };
  const organisation = { organizations: { o: { name: "Acme" } } };
  assert.equal(
    derived({ ...email, ...phone }),
    "FN;DERIVED=true:a@x.example",
  );
  assert.equal(derived(phone), "FN;DERIVED=true:12");
  assert.equal(derived({ ...email, ...organisation }), "FN;DERIVED=true:Acme");
  assert.equal(
    derived({ ...organisation, nicknames: { n: { name: "Al" } } }),
    "FN;DERIVED=true:Al",
  );
  assert.equal(derived({}), "FN;DERIVED=true:");
});

Deno.test("dates of vCard, in both directions", () => {
  const date = (o: JsonObject) => ({ "@type": "PartialDate", ...o });
  const rows: [string, JsonObject | undefined, string | undefined][] = [
    ["19900203", date({ year: 1990, month: 2, day: 3 }), "19900203"],
    ["1990-02-03", date({ year: 1990, month: 2, day: 3 }), "19900203"],
    ["1990-02", date({ year: 1990, month: 2 }), "1990-02"],
    ["1990", date({ year: 1990 }), "1990"],
    ["--0203", date({ month: 2, day: 3 }), "--0203"],
    ["--02-03", date({ month: 2, day: 3 }), "--0203"],
    ["--02", date({ month: 2 }), "--02"],
    ["---03", date({ day: 3 }), "---03"],
    ["19900203T10", date({ year: 1990, month: 2, day: 3 }), "19900203"],
    ["19900203T101112Z", { "@type": "Timestamp", utc: "1990-02-03T10:11:12Z" }, "19900203T101112Z"],
    [
      "1990-02-03T10:11:12.5+0130",
      { "@type": "Timestamp", utc: "1990-02-03T08:41:12Z" },
      "19900203T084112Z",
    ],
    [
      "19900203T101112-02",
      { "@type": "Timestamp", utc: "1990-02-03T12:11:12Z" },
      "19900203T121112Z",
    ],
    ["19900203T101112", { "@type": "Timestamp", utc: "1990-02-03T10:11:12Z" }, "19900203T101112Z"],
    ["90", undefined, undefined],
    ["", undefined, undefined],
  ];
  for (const [text, wanted, back] of rows) {
    const got = dateFrom(text);
    assert.deepEqual(got, wanted, text);
    if (got) assert.equal(dateTo(got), back, text);
  }
  assert.equal(dateTo({ year: 5 }), "0005");
  assert.equal(dateTo({ year: 5, month: 6 }), "0005-06");
  assert.equal(dateTo({ year: 5, month: 6, day: 7 }), "00050607");
  for (const odd of [{}, { year: 5, day: 3 }, { year: -1 }, { year: 10_000 }, { utc: "x" }]) {
    assert.equal(dateTo(odd), undefined, JSON.stringify(odd));
  }
  assert.equal(dateTo({ year: 0, month: 1 }), "0000-01");
  assert.equal(dateTo({ year: 9999 }), "9999");
  assert.deepEqual(["1990-02", "x", "00050607"].map(utcFrom), [
    undefined,
    undefined,
    "0005-06-07T00:00:00Z",
  ]);
});

Deno.test("what a card has no words for is kept as it was; JSPROP lines are what they say, and not kept beside it", () => {
  const { card } = cardFromVcard(vcard([
    "FN:Ann",
    "item1.X-ODD;TYPE=home,work;VALUE=TEXT:a\\,b",
    'JSPROP;JSPTR=language:"de"',
    "PRONOUNS:they/them",
  ]));
  assert.equal(card.language, "de");
  assert.deepEqual(card.vCardProps, [
    ["x-odd", { group: "item1", type: ["home", "work"] }, "text", "a\\,b"],
  ]);
  assert.deepEqual(cardFromVcard(vcard(["FN:Ann"])).card.vCardProps, undefined);
});

Deno.test("properties that don't exist, are wrong, or are another's", () => {
  const card = { "@type": "Card", version: "1.0", uid: "u" };
  const names = (more: JsonObject) => cardProblems({ ...card, ...more }).map((p) => p.name);
  assert.deepEqual(names({}), []);
  assert.deepEqual(names({ odd: 1 }), ["odd"]);
  assert.deepEqual(names({ "x.example:odd": 1 }), []);
  assert.deepEqual(names({ uid: 3 }), ["uid"]);
  assert.deepEqual(
    names({ media: { a: { "@type": "Media", kind: "photo" } } }).includes("media"),
    true,
  );
  assert.match(
    cardProblems({ ...card, emails: { e: { address: 3 } } })[0].problem,
    /^e\.address: /,
  );
});

const form: CardChange = {
  name: "",
  given: "",
  family: "",
  organisation: "",
  emails: [],
  phones: [],
};

Deno.test("a form has the fields of a card, and changes only the lines that it changes", () => {
  const c = vcard([
    "UID:u",
    "FN:Ann B",
    "N:B;Ann;M;;",
    "ORG:Acme;Sales",
    "REV:20200101T000000Z",
    "EMAIL;TYPE=HOME,INTERNET:a@x.example",
    "item1.TEL;TYPE=CELL:tel:+12",
    "item1.X-ABLabel:mine",
    "NOTE:one\\r\\ntwo",
    "X-OTHER:1",
  ], "3.0");
  const fields = cardFields(c);
  assert.deepEqual(fields, {
    name: "Ann B",
    given: "Ann",
    family: "B",
    organisation: "Acme",
    emails: [{ at: 6, kind: "home", value: "a@x.example" }],
    phones: [{ at: 7, kind: "mobile", value: "+12" }],
    note: fields.note,
  });
  assert.equal(changeCard(c, fields), c);
  const at = new Date("2026-01-02T03:04:05.678Z");
  const changed = changeCard(c, {
    ...fields,
    name: "",
    family: "C;D",
    organisation: "Other",
    emails: [{ ...fields.emails[0], kind: "work" }, {
      at: null,
      kind: "mobile",
      value: "b@x.example",
    }],
    phones: [],
    note: "new",
  }, at);
  assert.deepEqual(linesOf(changed), [
    "UID:u",
    "FN:Ann C\\;D",
    "N:C\\;D;Ann;M;;",
    "ORG:Other;Sales",
    "REV:20260102T030405Z",
    "EMAIL;TYPE=INTERNET;TYPE=WORK:a@x.example",
    "EMAIL;TYPE=CELL:b@x.example",
    "NOTE:new",
    "X-OTHER:1",
  ]);
  // A part that is emptied goes where nothing is left of the line; N stays.
  const emptied = changeCard(vcard(["FN:x", "N:B;;;;", "ORG:Acme"]), { ...form, name: "x" }, at);
  assert.deepEqual(linesOf(emptied), ["FN:x", "N:;;;;"]);
  const made = changeCard(newCard("u9"), { ...form, given: "Ann", note: "" }, at);
  assert.deepEqual(linesOf(made), [
    "PRODID:-//mox//mox for Deno//EN",
    "UID:u9",
    "N:;Ann;;;",
    "FN:Ann",
  ]);
});

Deno.test("what a form must not say", () => {
  const c = vcard(["FN:x", "EMAIL:a@x.example"]);
  const said = (f: Partial<CardChange>) => {
    try {
      changeCard(c, { ...form, ...f });
      return "";
    } catch (err) {
      assert.ok(err instanceof CardError);
      return err.message;
    }
  };
  const email = (value: string, at: number | null = null) => ({
    name: "x",
    emails: [{ at, kind: "" as const, value }],
  });
  assert.equal(said({}), "a contact needs a name, an organisation, an address or a number");
  assert.equal(said({ given: "a\nb" }), "the first name has more than one line");
  assert.equal(said({ family: "a\u0007" }), "the last name has a control character");
  assert.equal(said({ name: "x", note: "a\nb" }), "");
  assert.equal(said({ name: "x", note: "a\u007f" }), "the note has a control character");
  for (const odd of ["a", "a@", "@x", "a@x y", "a b@", "<a@x>", "a@x>"]) {
    assert.equal(said(email(odd)), `${odd} is not an e-mail address`);
  }
  for (const fine of ["a@x", "a b@x.example", '"a@b"@x.example']) {
    assert.equal(said(email(fine)), "");
  }
  assert.equal(said(email("a@x.example", 7)), "the contact has other fields than the form");
  // One that is as it was is not checked; one that is empty is none.
  assert.equal(said(email("a@x.example", 2)), "");
  assert.equal(said(email(" ")), "");
  const many = vcard(["FN:x", ...Array.from({ length: 101 }, (_, i) => `EMAIL:e${i}@x.example`)]);
  assert.equal(cardFields(many).emails.length, maxEntries);
  assert.equal(linesOf(changeCard(many, { ...form, name: "x" })).at(-1), "EMAIL:e100@x.example");
});

Deno.test("a card that is to be stored: one, of version 3 or 4, with UID and FN", () => {
  const text = (...lines: string[]) => ["BEGIN:VCARD", ...lines, "END:VCARD", ""].join("\r\n");
  const rule = (s: string) => {
    try {
      readCard(s);
      return "";
    } catch (err) {
      return err instanceof CardError ? `${err.rule}: ${err.message}` : String(err);
    }
  };
  const good = text(
    "VERSION:3.0",
    "UID:u",
    "FN:Ann",
    "EMAIL:a@x.example",
    "EMAIL:",
    "NOTE:Hi",
    "KIND:Group",
  );
  assert.equal(rule(good), "");
  const card = readCard(new TextEncoder().encode(good));
  assert.deepEqual([card.uid, card.version, card.name, card.emails, card.group], [
    "u",
    "3.0",
    "Ann",
    ["a@x.example"],
    true,
  ]);
  assert.equal(cardText(card), "ann\na@x.example\n\nhi");
  assert.equal(rule(""), "valid-address-data: the text is empty");
  assert.equal(rule(good + good), "valid-address-data: the text is not one VCARD");
  assert.equal(
    rule(text("VERSION:2.1", "UID:u", "FN:x")),
    "supported-address-data: VERSION has to be 3.0 or 4.0, not 2.1",
  );
  assert.equal(
    rule(text("UID:u", "FN:x")),
    "valid-address-data: VERSION has to be 3.0 or 4.0, not missing",
  );
  assert.equal(rule(text("VERSION:4.0", "FN:x")), "valid-address-data: the card has no UID");
  assert.equal(rule(text("VERSION:4.0", "UID:u")), "valid-address-data: the card has no FN");
  const named = (...lines: string[]) => readCard(text("VERSION:4.0", "UID:u", ...lines)).name;
  assert.equal(named("FN:", "N:B;Ann;;;", "ORG:Acme"), "Ann B");
  assert.equal(named("FN:", "ORG:Acme;Sales", "EMAIL:a@x.example"), "Acme");
  assert.equal(named("FN:", "EMAIL:a@x.example"), "a@x.example");
  assert.equal(named("FN:"), "");
});
