/** Each line of an event or a card sets its own property, and no other. */
import assert from "node:assert/strict";
import { Series } from "../../src/mail/calendar/series.ts";
import {
  type Component,
  parseComponents,
  writeComponent,
} from "../../src/mail/contentline/component.ts";
import { eventFromSeries } from "../../src/mail/jscalendar/from_ical.ts";
import { calendarOf } from "../../src/mail/jscalendar/to_ical.ts";
import { cardFromVcard } from "../../src/mail/jscontact/from_vcard.ts";
import { vcardOf } from "../../src/mail/jscontact/to_vcard.ts";
import { hasIso2022Escape } from "../../src/mail/text/iso2022.ts";

type Json = Record<string, unknown>;

/** Properties that one has otherwise than the other. */
function differing(one: Json, base: Json): Json {
  const names = new Set([...Object.keys(one), ...Object.keys(base)]);
  const found: Json = {};
  for (const name of names) {
    if (JSON.stringify(one[name]) !== JSON.stringify(base[name])) found[name] = one[name];
  }
  return found;
}

function event(...lines: string[]): Json {
  const all = ["UID:u", "DTSTAMP:20260101T000000Z", "DTSTART:20260302T100000Z", ...lines];
  const text = [
    "BEGIN:VCALENDAR",
    "VERSION:2.0",
    "BEGIN:VEVENT",
    ...all,
    "END:VEVENT",
    "END:VCALENDAR",
  ];
  return eventFromSeries(new Series(parseComponents(`${text.join("\r\n")}\r\n`)[0]))!;
}

function card(...lines: string[]): Json {
  const text = ["BEGIN:VCARD", "VERSION:4.0", "UID:u", "FN:n", ...lines, "END:VCARD"];
  return cardFromVcard(parseComponents(`${text.join("\r\n")}\r\n`)[0]).card;
}

Deno.test("lines of an event (RFC 8984)", () => {
  const typed = (type: string, more: Json) => ({ "@type": type, ...more });
  const rule = [typed("RecurrenceRule", { frequency: "daily" })];
  const rows: [line: string, wanted: Json][] = [
    ["SUMMARY:x", { title: "x" }],
    ["DESCRIPTION:x", { description: "x" }],
    ["LOCATION:x", { locations: { l1: typed("Location", { name: "x" }) } }],
    ["LOCATION:", {}],
    ["CONFERENCE:https://x", {
      virtualLocations: { v1: typed("VirtualLocation", { uri: "https://x" }) },
    }],
    ["URL:https://x", { links: { u1: typed("Link", { href: "https://x" }) } }],
    ["ATTACH:https://x", { links: { u1: typed("Link", { href: "https://x", rel: "enclosure" }) } }],
    ["ATTACH;ENCODING=BASE64:AAAA", {}],
    ["CATEGORIES:x", { keywords: { x: true } }],
    ["COLOR:red", { color: "red" }],
    ["STATUS:CONFIRMED", { status: "confirmed" }],
    ["TRANSP:TRANSPARENT", { freeBusyStatus: "free" }],
    ["TRANSP:OPAQUE", {}],
    ["CLASS:PRIVATE", { privacy: "private" }],
    ["CLASS:CONFIDENTIAL", { privacy: "secret" }],
    ["ORGANIZER:mailto:a@b", { replyTo: { imip: "mailto:a@b" } }],
    ["ATTENDEE;JSID=me:mailto:a@b", {
      participants: {
        me: typed("Participant", {
          email: "a@b",
          sendTo: { imip: "mailto:a@b" },
          roles: { attendee: true },
        }),
      },
    }],
    ["RELATED-TO:x", { relatedTo: { x: typed("Relation", { relation: { parent: true } }) } }],
    ["SEQUENCE:1", { sequence: 1 }],
    ["SEQUENCE:0", {}],
    ["PRIORITY:5", { priority: 5 }],
    ["PRIORITY:-1", {}],
    ["PRIORITY:1.5", {}],
    ["CREATED:20260101T000000Z", { created: "2026-01-01T00:00:00Z" }],
    ["LAST-MODIFIED:20260101T000000Z", { updated: "2026-01-01T00:00:00Z" }],
    ["DTEND:20260302T110000Z", { duration: "PT1H" }],
    ["DURATION:PT1H", { duration: "PT1H" }],
    ["X-OTHER:1", {}],
    ["COMMENT:1", {}],
    ["RRULE:FREQ=DAILY", { recurrenceRules: rule }],
    ["EXRULE:FREQ=DAILY", { excludedRecurrenceRules: rule }],
    ["EXDATE:20260302T100000Z", {
      recurrenceOverrides: { "2026-03-02T10:00:00": { excluded: true } },
    }],
    ["RDATE:20260303T100000Z", { recurrenceOverrides: { "2026-03-03T10:00:00": {} } }],
  ];
  for (const [line, wanted] of rows) {
    assert.deepEqual(differing(event(line), event()), wanted, line);
  }
});

Deno.test("lines of a card (RFC 9555)", () => {
  const one = (map: string, id: string, type: string, more: Json): Json => ({
    [map]: { [id]: { "@type": type, ...more } },
  });
  const uri = "https://x";
  const media = (kind: string) => one("media", "m1", "Media", { kind, uri });
  const info = (kind: string) => one("personalInfo", "i1", "PersonalInfo", { kind, value: "x" });
  const date = (kind: string, year: number) =>
    one("anniversaries", "k1", "Anniversary", {
      kind,
      date: { "@type": "PartialDate", year, month: 1, day: 1 },
    });
  const part = (kind: string, value: string) => ({ "@type": "AddressComponent", kind, value });
  const rows: [line: string, wanted: Json][] = [
    ["NICKNAME:x", one("nicknames", "n1", "Nickname", { name: "x" })],
    [
      "ORG:a;b",
      one("organizations", "o1", "Organization", {
        name: "a",
        units: [{ "@type": "OrgUnit", name: "b" }],
      }),
    ],
    ["TITLE:t", one("titles", "t1", "Title", { name: "t", kind: "title" })],
    ["ROLE:r", one("titles", "t1", "Title", { name: "r", kind: "role" })],
    ["EMAIL:a@b", one("emails", "e1", "EmailAddress", { address: "a@b" })],
    ["TEL:1", one("phones", "p1", "Phone", { number: "1" })],
    ["NOTE:x", one("notes", "n1", "Note", { note: "x" })],
    ["PRODID:x", { prodId: "x" }],
    ["LANGUAGE:de", { language: "de" }],
    ["GRAMGENDER:MASCULINE", {
      speakToAs: { "@type": "SpeakToAs", grammaticalGender: "masculine" },
    }],
    ["PRONOUNS:they", {
      speakToAs: {
        "@type": "SpeakToAs",
        pronouns: { k1: { "@type": "Pronouns", pronouns: "they" } },
      },
    }],
    ["KIND:org", { kind: "org" }],
    ["REV:20260101T000000Z", { updated: "2026-01-01T00:00:00Z" }],
    ["CREATED:20260101T000000Z", { created: "2026-01-01T00:00:00Z" }],
    ["CATEGORIES:a,b", { keywords: { a: true, b: true } }],
    ["URL:https://x", one("links", "l1", "Link", { uri })],
    ["CONTACT-URI:https://x", one("links", "l1", "Link", { kind: "contact", uri })],
    ["PHOTO:https://x", media("photo")],
    ["LOGO:https://x", media("logo")],
    ["SOUND:https://x", media("sound")],
    ["KEY:https://x", one("cryptoKeys", "k1", "CryptoKey", { uri })],
    ["BDAY:19800101", date("birth", 1980)],
    ["ANNIVERSARY:20000101", date("wedding", 2000)],
    [
      "IMPP:xmpp:a@b",
      one("onlineServices", "s1", "OnlineService", { uri: "xmpp:a@b", vCardName: "impp" }),
    ],
    ["LANG:de", one("preferredLanguages", "l1", "LanguagePref", { language: "de" })],
    ["MEMBER:urn:uuid:1", { members: { "urn:uuid:1": true } }],
    ["RELATED;TYPE=friend:urn:uuid:1", {
      relatedTo: { "urn:uuid:1": { "@type": "Relation", relation: { friend: true } } },
    }],
    ["CALURI:https://x", one("calendars", "c1", "Calendar", { kind: "calendar", uri })],
    ["FBURL:https://x", one("calendars", "c1", "Calendar", { kind: "freeBusy", uri })],
    [
      "CALADRURI:mailto:a@b",
      one("schedulingAddresses", "a1", "SchedulingAddress", { uri: "mailto:a@b" }),
    ],
    ["EXPERTISE:x", info("expertise")],
    ["HOBBY:x", info("hobby")],
    ["INTEREST:x", info("interest")],
    ["SOURCE:https://x", one("directories", "d1", "Directory", { kind: "entry", uri })],
    ["ORG-DIRECTORY:https://x", one("directories", "d1", "Directory", { kind: "directory", uri })],
    [
      "ADR:;;s;c;r;p;d",
      one("addresses", "a1", "Address", {
        components: [
          part("name", "s"),
          part("locality", "c"),
          part("region", "r"),
          part("postcode", "p"),
          part("country", "d"),
        ],
      }),
    ],
    ["X-OTHER;A=b:1", { vCardProps: [["x-other", { a: "b" }, "unknown", "1"]] }],
    ["g.X-OTHER;VALUE=URI;A=b,c:1", {
      vCardProps: [["x-other", { group: "g", a: ["b", "c"] }, "uri", "1"]],
    }],
  ];
  for (const [line, wanted] of rows) assert.deepEqual(differing(card(line), card()), wanted, line);
  // Several pronouns are all kept, with their ids.
  assert.deepEqual(
    card("PRONOUNS:they", "PRONOUNS;PROP-ID=z:she", "GRAMGENDER:FEMININE").speakToAs,
    {
      "@type": "SpeakToAs",
      pronouns: {
        k1: { "@type": "Pronouns", pronouns: "they" },
        z: { "@type": "Pronouns", pronouns: "she" },
      },
      grammaticalGender: "feminine",
    },
  );
});

/** The lines of a component that begin with one of some names. */
const linesWith = (c: Component, names: RegExp) =>
  writeComponent(c).replace(/\r\n /g, "").split("\r\n").filter((l) => names.test(l));

Deno.test("cards that no vCard was before are written line by line", () => {
  const rows: [card: Json, line: string][] = [
    [{ titles: { t: { name: "x" } } }, "TITLE;PROP-ID=t:x"],
    [{ titles: { t: { name: "x", kind: "role" } } }, "ROLE;PROP-ID=t:x"],
    [{ titles: { t: { name: "x", kind: "title" } } }, "TITLE;PROP-ID=t:x"],
    [{ nicknames: { a: { name: "x" } } }, "NICKNAME;PROP-ID=a:x"],
    [
      { organizations: { a: { name: "x", units: [{ name: "y" }], sortAs: "z" } } },
      "ORG;PROP-ID=a;SORT-AS=z:x;y",
    ],
    [{ emails: { a: { address: "x@y" } } }, "EMAIL;PROP-ID=a:x@y"],
    [{ phones: { a: { number: "1", features: { mobile: true } } } }, "TEL;TYPE=cell;PROP-ID=a:1"],
    [{ notes: { a: { note: "x" } } }, "NOTE;PROP-ID=a:x"],
    [{ links: { a: { uri: "https://x" } } }, "URL;PROP-ID=a:https://x"],
    [{ media: { a: { kind: "photo", uri: "https://x" } } }, "PHOTO;PROP-ID=a:https://x"],
    [{ keywords: { a: true, b: true } }, "CATEGORIES:a,b"],
  ];
  for (const [more, line] of rows) {
    const made = vcardOf({
      "@type": "Card",
      version: "1.0",
      uid: "u",
      name: { full: "n" },
      ...more,
    });
    assert.deepEqual(linesWith(made, /^(?!BEGIN|END|VERSION|UID|FN|$)/), [line]);
  }
});

Deno.test("days of an event of whole days: parts of one count as one", () => {
  const rows: [duration: string | undefined, end: string | undefined][] = [
    [undefined, undefined],
    ["P1D", undefined],
    ["PT24H", "20260303"],
    ["P2D", "20260304"],
    ["PT36H", "20260304"],
    ["P1DT1H", "20260304"],
    ["P1W", "20260309"],
  ];
  for (const [duration, end] of rows) {
    const made = calendarOf({
      "@type": "Event",
      uid: "u",
      start: "2026-03-02T00:00:00",
      showWithoutTime: true,
      ...(duration === undefined ? {} : { duration }),
    }, 0);
    assert.deepEqual(linesWith(made, /^(?:DTSTART|DTEND|DURATION)/), [
      "DTSTART;VALUE=DATE:20260302",
      ...(end === undefined ? [] : [`DTEND;VALUE=DATE:${end}`]),
    ], duration);
  }
});

Deno.test("escapes of ISO 2022 by which Japanese, Korean and Chinese without a charset are known", () => {
  const rows: [text: string, wanted: boolean][] = [
    ["\x1b$@", true],
    ["\x1b$A", true],
    ["\x1b$B", true],
    ["\x1b$?", false],
    ["\x1b$C", false],
    ["\x1b$(@", true],
    ["\x1b$(H", true],
    ["\x1b$)C", true],
    ["\x1b$(?", false],
    ["\x1b$(I", false],
    ["\x1b$*C", false],
    ["\x1b(I", true],
    ["\x1b(J", true],
    ["\x1b(B", false],
    ["\x1b(K", false],
    ["\x1b[0m text \x1b$B", true],
    ["\x1b", false],
    ["\x1b$", false],
    ["$B", false],
    ["", false],
  ];
  for (const [text, wanted] of rows) {
    assert.equal(hasIso2022Escape(new TextEncoder().encode(text)), wanted, JSON.stringify(text));
  }
});
