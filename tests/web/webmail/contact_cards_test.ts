/** Contacts in messages: all versions of vCard, and what only looks like one. */
import assert from "node:assert/strict";
import { fc } from "../../support/fast_check.ts";
import { readCards } from "../../../src/web/webmail/reading/contact_cards.ts";

const card = (...lines: string[]) => ["BEGIN:VCARD", ...lines, "END:VCARD", ""].join("\r\n");

Deno.test("a card of version 4 with groups, folded lines and escapes", () => {
  const [c] = readCards(
    card(
      "VERSION:4.0",
      "FN:Ann\\, the one",
      "N:Example;Ann;;;",
      "item1.EMAIL;PREF=1:ann@",
      " example.org",
      'TEL;VALUE=uri;TYPE="voice,home":tel:+1-555',
      "ADR:;;1 Street\\nBack;Town;;123;NL",
      "NOTE:one\\ntwo",
      "BDAY:20010203",
    ),
    "2",
  );
  assert.equal(c.name, "Ann, the one");
  assert.deepEqual(c.emails, ["ann@example.org"]);
  assert.deepEqual(c.phones, ["+1-555"]);
  assert.deepEqual(c.addresses, ["1 Street\nBack, Town, 123, NL"]);
  assert.equal(c.note, "one\ntwo");
  assert.equal(c.path, "2");
});

Deno.test("a card of version 2.1 with quoted-printable over lines", () => {
  const [c] = readCards(
    card(
      "VERSION:2.1",
      "N;CHARSET=ISO-8859-1;ENCODING=QUOTED-PRINTABLE:M=FCller;J=F6rg",
      "NOTE;QUOTED-PRINTABLE:a long=",
      "er one",
    ),
    "1",
  );
  assert.equal(c.name, "Jörg Müller");
  assert.equal(c.note, "a longer one");
});

Deno.test("addresses that would run something are no web addresses; cards without a name are none", () => {
  assert.deepEqual(readCards(card("FN:X", "URL:javascript:alert(1)"), "1")[0].urls, []);
  assert.deepEqual(readCards(card("TEL:1"), "1"), []);
  assert.deepEqual(readCards("BEGIN:VCARD\r\nFN:never ends\r\n", "1"), []);
  assert.equal(readCards(card("FN:a").repeat(100), "1").length, 20);
});

Deno.test("any text gives cards or none", () => {
  const piece = fc.constantFrom(
    "BEGIN:VCARD",
    "END:VCARD",
    "FN:",
    "N:;;",
    ";",
    ":",
    '"',
    "\\",
    "\n",
    " ",
    "=",
  );
  fc.assert(fc.property(fc.array(fc.oneof(piece, fc.string())), (parts) => {
    for (const c of readCards(parts.join(""), "1")) assert.ok(c.name !== "");
  }));
});
