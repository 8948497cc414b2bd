import assert from "node:assert/strict";
import { fc } from "../support/fast_check.ts";
import { Cursor, ParseError } from "../../src/imap/parse/cursor.ts";
import { formatNumSet, normalRanges, parseNumSet } from "../../src/imap/parse/numset.ts";
import { decodeUtf7, encodeUtf7 } from "../../src/mail/text/utf7.ts";
import { Session } from "../../src/imap/server/session/session.ts";
import { commands } from "../../src/imap/server/table.ts";
import { seedOf } from "../support/seed.ts";

const seed = seedOf("FUZZ_SEED");
console.log(`FUZZ_SEED=${seed}`);
const options = { seed, numRuns: 300 };
const encoder = new TextEncoder();

// Parsers look at what the session has enabled and at nothing else.
const session = { enabled: new Set(), utf8: false, conn: {}, backend: {} } as unknown as Session;

function parse(bytes: Uint8Array): void {
  for (const command of commands) {
    const c = new Cursor(bytes);
    try {
      command.parse(c, session);
      c.end();
    } catch (err) {
      if (!(err instanceof ParseError)) throw err;
      assert.ok(err.offset >= 0 && err.offset <= bytes.length + 1, `offset ${err.offset}`);
      assert.notEqual(err.expected, "");
    }
  }
}

const words = [
  "ALL",
  "BODY",
  "BODY[",
  "]",
  "[",
  "(",
  ")",
  " ",
  "1",
  "1:*",
  "$",
  "*",
  "%",
  '"',
  "\\",
  "{3}\r\nabc",
  "{3+}\r\nab",
  "~{2}\r\n\0x",
  "FLAGS",
  "INBOX",
  "RETURN",
  "NOT",
  "OR",
  "UID",
  "HEADER.FIELDS",
  "<0.5>",
  "NIL",
  "CHARSET",
  "UTF-8",
  "MODSEQ",
  "(QRESYNC",
  "1-Jan-2020",
  '"1-Jan-2020"',
  "\\Seen",
  "+FLAGS",
  ".SILENT",
  "é",
  "&AOk-",
  "PARTIAL",
  "-1:-5",
  "STATUS",
  "SET",
  "SELECTED",
  "MessageNew",
  "18446744073709551616",
  "=",
  "\0",
  "\r\n",
];

Deno.test("any bytes give a value or a ParseError, for every command", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 200 }), (b) => parse(b)), options);
});

Deno.test("words of the grammar in any order give a value or a ParseError", () => {
  const text = fc.array(fc.constantFrom(...words), { maxLength: 30 });
  fc.assert(fc.property(text, (list) => parse(encoder.encode(` ${list.join("")}`))), options);
  fc.assert(fc.property(text, (list) => parse(encoder.encode(` ${list.join(" ")}`))), options);
});

Deno.test("sets of numbers are written so that they read back the same", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.integer({ min: 1, max: 4294967295 }), { maxLength: 100 }),
      (list) => {
        if (list.length === 0) return;
        list.sort((a, b) => a - b);
        const c = new Cursor(encoder.encode(formatNumSet(list)));
        const back: number[] = [];
        for (const [a, b] of normalRanges(parseNumSet(c), 0)) {
          for (let n = a; n <= b; n++) back.push(n);
        }
        assert.deepEqual(back, list);
      },
    ),
    options,
  );
});

Deno.test("modified UTF-7 reads back what was written, and reads anything", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), (s) => assert.equal(decodeUtf7(encodeUtf7(s)), s)),
    options,
  );
  fc.assert(fc.property(fc.string(), (s) => void decodeUtf7(s)), options);
});
