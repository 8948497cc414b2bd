/** Content lines of iCalendar and vCard: escapes, and what they cost. */
import assert from "node:assert/strict";
import { fc } from "../support/fast_check.ts";
import {
  escapeText,
  newProperty,
  parseComponents,
  parseFile,
  searchedProperties,
  searchedText,
  textStart,
  unescapeText,
  writeProperty,
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

Deno.test("lines as they stand: groups, parameters, quotes, carets, folds, a mark at the beginning", () => {
  const of = (line: string) => parseComponents(`BEGIN:X\r\n${line}\r\nEND:X\r\n`)[0].properties[0];
  const rows: [line: string, group: string, name: string, params: string, value: string][] = [
    ["NOTE:x", "", "NOTE", "", "x"],
    ["item1.note:x:y", "item1", "NOTE", "", "x:y"],
    ["X-A_b1:", "", "X-A_B1", "", ""],
    ["A;B=c:v", "", "A", "B=c", "v"],
    ["A;b=c,d;E=f:v", "", "A", "B=c|d E=f", "v"],
    ['A;B="c:d;e,f",g:v', "", "A", "B=c:d;e,f|g", "v"],
    ["A;B=^n^^^'^x:v", "", "A", 'B=\n^"^x', "v"],
    ["TEL;WORK;VOICE:1", "", "TEL", "TYPE=WORK TYPE=VOICE", "1"],
    ["A;B=:v", "", "A", "B=", "v"],
    ["A:on\r\n e\r\n\t two", "", "A", "", "one two"],
    ["NO\r\n TE:x", "", "NOTE", "", "x"],
  ];
  for (const [line, group, name, params, value] of rows) {
    const p = of(line);
    const shown = p.params.map((x) => `${x.name}=${x.values.join("|")}`).join(" ");
    assert.deepEqual([p.group, p.name, shown, p.value], [group, name, params, value], line);
    assert.equal(p.raw, line, "as it stood");
  }
  assert.equal(parseComponents("\ufeffBEGIN:X\r\nEND:X\r\n").length, 1);
  assert.equal(
    parseComponents("begin:x\nA:b\n\n \nend: X \n")[0].properties.length,
    1,
    "LF, blanks",
  );
});

Deno.test("what is no content line is told with its line", () => {
  const within = (...lines: string[]) => ["BEGIN:X", ...lines, "END:X", ""].join("\r\n");
  const deep = (n: number) => ["BEGIN:X\r\n".repeat(n), "END:X\r\n".repeat(n)].join("");
  const rows: [text: string, message: string][] = [
    [within("A:b", ":c"), "line 3: no property begins like this"],
    [within("A"), 'line 2: ":" is missing after A'],
    [within('A;B="c:d'), "line 2: the parameter B has no closing quote"],
    [within("A;:b"), "line 2: a parameter without a name"],
    [within("A:b\u0001"), "line 2: A has a control character"],
    [within("A:b\rc"), "line 2: A has a control character"],
    ["A:b\r\n", "line 1: A is in no component"],
    ["BEGIN:X\r\nA:b\r\n", "END:X is missing"],
    ["BEGIN:X\r\nEND:Y\r\n", "line 2: END:Y ends X"],
    ["END:X\r\n", "line 1: END:X ends nothing"],
    [deep(9), "line 9: more than 8 levels"],
    [within("A:1", "B:2\r\n 3", "", "C"), 'line 6: ":" is missing after C'],
  ];
  for (const [text, message] of rows) {
    assert.throws(() => parseComponents(text), { name: "FormatError", message });
  }
  parseComponents(deep(8));
  // 10,000 of one object, with BEGIN and END.
  parseComponents(within("A:b\r\n".repeat(9_998).trimEnd()));
  assert.throws(() => parseComponents(within("A:b\r\n".repeat(9_999).trimEnd())), {
    message: "line 10001: more than 10000 lines",
  });
});

Deno.test("lines that are written: folded at 75 bytes, within no character, and read as they were", () => {
  const units = fc.string({
    unit: fc.constantFrom("a", "é", "€", "😀", ",", "\\"),
    maxLength: 300,
  });
  fc.assert(
    fc.property(units, units, (v, w) => {
      const property = newProperty("NOTE", v, { "X-P": w });
      const line = writeProperty(property);
      const pieces = line.split("\r\n");
      for (const piece of pieces) {
        const bytes = new TextEncoder().encode(piece).length;
        assert.ok(bytes <= 75, `${bytes} bytes`);
        if (piece !== pieces.at(-1)) assert.ok(bytes >= 72, "full lines");
        assert.ok(piece.isWellFormed());
      }
      const [back] = parseComponents(`BEGIN:X\r\n${line}\r\nEND:X\r\n`)[0].properties;
      assert.deepEqual({ ...back, raw: undefined }, property);
    }),
    { numRuns: 200 },
  );
  const exact = newProperty("NOTE", "x".repeat(70));
  assert.equal(writeProperty(exact).length, 75);
  assert.equal(writeProperty(newProperty("NOTE", "x".repeat(71))), `NOTE:${"x".repeat(70)}\r\n x`);
});
