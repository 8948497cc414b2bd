/** Addresses as people paste them into a line of recipients. */
import assert from "node:assert/strict";
import { plausible, splitAddresses } from "../../../webmail/mail/compose/address_text.ts";
import { fc } from "../../support/fast_check.ts";

Deno.test("lists from other programs, tables and links become addresses", () => {
  const rows: readonly (readonly [string, readonly string[]])[] = [
    ["", []],
    [" , ;\n", []],
    ["a@x.example", ["a@x.example"]],
    ["a@x.example, b@x.example; c@x.example\nd@x.example", [
      "a@x.example",
      "b@x.example",
      "c@x.example",
      "d@x.example",
    ]],
    ["a@x.example\r\n\r\nb@x.example\r\n", ["a@x.example", "b@x.example"]],
    ["a@x.example b@x.example\tc@x.example", ["a@x.example", "b@x.example", "c@x.example"]],
    ["Zoë Q\tzoe@x.example", ["Zoë Q <zoe@x.example>"]],
    ["J. Doe\tj@x.example", ['"J. Doe" <j@x.example>']],
    ["Zoë Q <zoe@x.example>", ["Zoë Q <zoe@x.example>"]],
    ["Doe, Jane <jane@x.example>; Roe, R. <r@x.example>", [
      '"Doe, Jane" <jane@x.example>',
      '"Roe, R." <r@x.example>',
    ]],
    ['"Doe, Jane" <jane@x.example>, bob@x.example', [
      '"Doe, Jane" <jane@x.example>',
      "bob@x.example",
    ]],
    ['"Four, A" <a4@x.example>\ta5@x.example', ['"Four, A" <a4@x.example>', "a5@x.example"]],
    ["a@x.example, Jane <jane@x.example>", ["a@x.example", "Jane <jane@x.example>"]],
    ["mailto:m@x.example?subject=Hello%20there", ["m@x.example"]],
    ["MAILTO:m@x.example", ["m@x.example"]],
    ['"x y"@x.example', ['"x y"@x.example']],
    ["team", ["team"]],
    ["team, Jane", ["team", "Jane"]],
    ["Zoë Q", ["Zoë Q"]],
    ['"broken\nb@x.example', ['"broken', "b@x.example"]],
    ["see a@x.example and b@x.example", ["see a@x.example and b@x.example"]],
  ];
  for (const [text, want] of rows) assert.deepEqual(splitAddresses(text), want, text);
});

Deno.test("no address is lost, whatever stands around it", () => {
  const word = fc.stringMatching(/^[a-z]{1,8}$/);
  const gap = fc.constantFrom(",", ", ", ";", "; ", "\n", "\r\n", " ", "\t");
  fc.assert(fc.property(fc.array(fc.tuple(word, gap), { minLength: 1, maxLength: 30 }), (list) => {
    const wanted = list.map(([w]) => `${w}@x.example`);
    const text = wanted.map((a, i) => a + list[i][1]).join("");
    assert.deepEqual(splitAddresses(text), wanted);
  }));
  fc.assert(fc.property(fc.string({ maxLength: 300 }), (text) => {
    for (const a of splitAddresses(text)) assert.equal(typeof plausible(a), "boolean");
  }));
});
