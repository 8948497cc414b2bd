/** Content lines of iCalendar and vCard: escapes, and what they cost. */
import assert from "node:assert/strict";
import fc from "fast-check";
import {
  escapeText,
  parseComponents,
  parseFile,
  searchedProperties,
  searchedText,
  textStart,
  unescapeText,
} from "../../src/mail/contentline/component.ts";

/** Pieces of values, with what escapes could go wrong at. */
const value = fc.string({
  unit: fc.constantFrom("\\", "n", "N", ";", ",", "a", "é", "😀", "\ufeff"),
  maxLength: 30,
});

Deno.test("escapes are undone as RFC 5545 has them, wherever they stand", () => {
  assert.equal(unescapeText("a\\nb\\N\\,\\;\\\\n\\"), "a\nb\n,;\\n\\");
  fc.assert(
    fc.property(value, (s) => {
      const plain = s.replace(/\\(.)/gs, (_m, c) => c === "n" || c === "N" ? "\n" : c);
      assert.equal(unescapeText(s), plain);
      assert.equal(unescapeText(escapeText(s)), s);
      for (const n of [0, 1, 2, 5, 40]) {
        assert.equal(textStart(s, n), plain.slice(0, n).replace(/[\ud800-\udbff]$/, ""));
      }
    }),
    { numRuns: 2000 },
  );
});

Deno.test("a photo of 5 MB folded as it should be, and a thousand people of six parameters, are read", async () => {
  const photo = "A".repeat(7_000_000).match(/.{1,74}/g)!.join("\r\n ");
  const people = "ATTENDEE;CN=A;ROLE=B;PARTSTAT=C;CUTYPE=D;RSVP=TRUE;X-A=E:mailto:a@b.example\r\n";
  const text = `BEGIN:VCARD\r\nPHOTO:${photo}\r\n${people.repeat(9990)}END:VCARD\r\n`;
  const [card] = parseComponents(text);
  assert.equal(card.properties[0].value.length, 7_000_000);
  assert.equal(card.properties.length, 9991);
  // A file of many has more of each.
  assert.equal((await parseFile(text.repeat(3))).length, 3);
  assert.throws(() => parseComponents(text.repeat(2)), /more than/);
});

Deno.test("queries look at the beginning of long values, and at so many of them", () => {
  assert.equal(searchedText("\\n".repeat(200_000)), "\n".repeat(100_000));
  const lines = `NOTE:${"a".repeat(150_000)}\r\n`.repeat(15);
  const [card] = parseComponents(`BEGIN:VCARD\r\n${lines}END:VCARD\r\n`);
  assert.equal(searchedProperties(card.properties).length, 10);
  assert.equal(searchedProperties(card.properties.slice(0, 3)).length, 3);
});
