/** Tokens of IMAP's grammar (RFC 9051 §9): what is taken, where reading goes on, and where what is wrong is. */
import assert from "node:assert/strict";
import { Cursor, ParseError } from "../../../src/imap/parse/cursor.ts";
import {
  formatNumSet,
  lowerBound,
  maxRanges,
  normalRanges,
  parseNumSet,
} from "../../../src/imap/parse/numset.ts";
import { parsePartialRange, slicePartial } from "../../../src/imap/parse/partial.ts";

const bytes = (s: string) => Uint8Array.from(s, (c) => c.charCodeAt(0));
const text = (b: Uint8Array) => String.fromCharCode(...b);

/** What a reader gives, and the rest of the text; or where it fails and what it expected there. */
function read(s: string, fn: (c: Cursor) => unknown, lenient = false): unknown {
  const c = new Cursor(bytes(s));
  c.lenient = lenient;
  try {
    const value = fn(c);
    return [value instanceof Uint8Array ? text(value) : value, s.slice(c.pos)];
  } catch (err) {
    if (!(err instanceof ParseError)) throw err;
    return `${err.offset}: ${err.expected}`;
  }
}

function table(fn: (c: Cursor) => unknown, cases: [string, unknown][], lenient = false): void {
  for (const [s, want] of cases) assert.deepEqual(read(s, fn, lenient), want, JSON.stringify(s));
}

Deno.test("atoms, tags, words", () => {
  table((c) => c.atom(), [
    ["a1-_.!#$&'+,/:;<=>?@^`|}~[ x", ["a1-_.!#$&'+,/:;<=>?@^`|}~[", " x"]],
    ...['"', "(", ")", "{", "%", "*", "\\", "]", " ", "\x7f", "\x1f", "\x80"].flatMap(
      (c): [string, unknown][] => [[`a${c}`, ["a", c]], [c, "0: atom"]],
    ),
    ["", "0: atom"],
  ]);
  table((c) => c.tag(), [
    ["a1] x", ["a1]", " x"]],
    ["a+b", ["a", "+b"]],
    ["+", "0: tag"],
    ["a".repeat(255), ["a".repeat(255), ""]],
    ["a".repeat(256), "0: tag of at most 255 characters"],
  ]);
  table((c) => c.word(), [["fetch x", ["FETCH", " x"]]]);
  table((c) => c.oneOf(["ALL", "NONE"], "all or none"), [
    ["all)", ["ALL", ")"]],
    ["none", ["NONE", ""]],
    ["al", "0: all or none"],
    ["allx", "0: all or none"],
  ]);
  table((c) => c.takeWord("NIL"), [
    ["nil", [true, ""]],
    ["NIL)", [true, ")"]],
    ["NIL ", [true, " "]],
    ["NILS", [false, "NILS"]],
    ["NI", [false, "NI"]],
  ]);
  table((c) => c.takeText("Body.9[z"), [
    ["bODY.9[Zx", [true, "x"]],
    ["body.9[z", [true, ""]],
    ["body.9[", [false, "body.9["]],
    ["body.9{z", [false, "body.9{z"]],
    // Only letters have two cases: "{" is 32 above "[".
    ["BODY.9;Z", [false, "BODY.9;Z"]],
  ]);
  table((c) => [c.peek(), c.at("a"), c.atEnd], [
    ["a", [[97, true, false], "a"]],
    ["b", [[98, false, false], "b"]],
    ["", [[-1, false, true], ""]],
    [" ", [[32, false, false], " "]],
  ]);
});

Deno.test("numbers and their bounds", () => {
  table((c) => c.number(), [
    ["0", [0, ""]],
    ["0012x", [12, "x"]],
    ["4294967295", [4294967295, ""]],
    ["4294967296", "0: number of at most 4294967295"],
    ["", "0: number"],
    ["-1", "0: number"],
    ["/", "0: number"],
    [":", "0: number"],
    ["9:", [9, ":"]],
  ]);
  table((c) => c.number("day", 31), [["31", [31, ""]], ["32", "0: day of at most 31"]]);
  table((c) => c.nzNumber(), [["1", [1, ""]], ["0", "0: number above 0"], [
    "00",
    "0: number above 0",
  ]]);
  table((c) => c.number64(), [
    ["9007199254740991", [9007199254740991, ""]],
    ["9007199254740992", "0: number of at most 9007199254740991"],
  ]);
});

Deno.test("strings: quoted, literal, with what may not stand in them", () => {
  table((c) => c.quotedBytes(), [
    ['"" x', ["", " x"]],
    ['"a b"', ["a b", ""]],
    ['"a\\"b\\\\c"d', ['a"b\\c', "d"]],
    ['"a\xff"', ["a\xff", ""]],
    ['"a', "2: closing quote"],
    ['"a\\"', "4: closing quote"],
    ['"a\\x"', '3: " or \\ after \\'],
    ['"a\\', '3: " or \\ after \\'],
    ['"a\rb"', "2: no control character in quotes"],
    ['"a\nb"', "2: no control character in quotes"],
    ['"a\0b"', "2: no control character in quotes"],
    ["a", "0: quoted string"],
  ]);
  const literals: [string, unknown][] = [
    ["{3}\r\nabcd", ["abc", "d"]],
    ["{3+}\r\nabcd", ["abc", "d"]],
    ["{0}\r\n", ["", ""]],
    ["{3}\r\nab", "5: 3 bytes of literal"],
    ["{3}abc", "3: line end after }"],
    ["{3}\rabc", "3: line end after }"],
    ["{3}\nabc", "3: line end after }"],
    ["{3+\r\nabc", '3: "}"'],
    ["{}\r\n", "1: literal size"],
    ["{-1}\r\n", "1: literal size"],
    ["x", '0: "{"'],
  ];
  table((c) => c.literal(), [
    ...literals,
    ["{3}\r\na\0c", "6: no NUL in a literal"],
    ["{3}\r\n\0bc", "5: no NUL in a literal"],
    ["~{3}\r\nabc", "0: literal without ~"],
  ]);
  table((c) => c.literal(true), [
    ...literals,
    ["{3}\r\na\0c", "6: no NUL in a literal"],
    ["~{3}\r\na\0c", ["a\0c", ""]],
  ]);
  table((c) => c.string(), [
    ['"a"', ["a", ""]],
    ["{1}\r\na", ["a", ""]],
    ["a", "0: string"],
    ['"\xc3\xbc"', ["ü", ""]],
    ['"\xc3"', "0: text in UTF-8"],
    ['"\xef\xbb\xbfa"', ["\ufeffa", ""]],
  ]);
  table((c) => c.astring(), [
    ["a]b c", ["a]b", " c"]],
    ["\xc3\xbc(", ["ü", "("]],
    ["\xc3(", "0: text in UTF-8"],
    ["(", "0: string"],
    ["%", "0: string"],
    ['"a b"', ["a b", ""]],
    ["", "0: string"],
  ]);
  table((c) => c.nstring(), [
    ["NIL x", [undefined, " x"]],
    ['"NIL"', ["NIL", ""]],
    ["NILX", "0: string or NIL"],
  ]);
});

Deno.test("names of mailboxes: modified UTF-7, or UTF-8 where that was enabled; patterns", () => {
  table((c) => c.mailbox(), [
    ["INBOX", ["INBOX", ""]],
    ["&AOk- x", ["é", " x"]],
    ['"a &- b"', ["a & b", ""]],
    ["a&b", "0: mailbox name in modified UTF-7"],
    ["{5}\r\n&AOk-", ["é", ""]],
    ["%", "0: mailbox name"],
  ]);
  table((c) => {
    c.utf8Names = true;
    return c.mailbox();
  }, [["&AOk-", ["&AOk-", ""]], ['"\xc3\xa9"', ["é", ""]]]);
  table((c) => c.listMailbox(), [
    ["*%a] x", ["*%a]", " x"]],
    ['"a *"', ["a *", ""]],
    ["&AOk-%", ["é%", ""]],
    ["(", "0: mailbox pattern"],
    ["{1}\r\n*", ["*", ""]],
  ]);
});

Deno.test("flags and lists", () => {
  table((c) => c.flag(), [
    ["\\Seen)", ["\\Seen", ")"]],
    ["\\DELETED", ["\\DELETED", ""]],
    ["$Junk", ["$Junk", ""]],
    ["\\Recent", "0: known system flag"],
    ["\\Seenx", "0: known system flag"],
    ["\\", "1: flag"],
    ["(", "0: flag"],
  ]);
  table((c) => c.flagList(), [
    ["() x", [[], " x"]],
    ["(\\Seen a)", [["\\Seen", "a"], ""]],
    ["(a  b)", "3: flag"],
    ["(a b", "4: space"],
    ["a", '0: "("'],
  ]);
  table((c) => c.list(() => c.number()), [
    ["(1 2)x", [[1, 2], "x"]],
    ["()", "1: number"],
    ["(1,2)", "2: space"],
  ]);
});

Deno.test("blanks too many are passed over where they separate nothing, unless one is strict", () => {
  const flags = (c: Cursor) => c.flagList();
  const cases: [string, unknown, unknown][] = [
    ["( a b)", "1: flag", [["a", "b"], ""]],
    ["(a  b)", "3: flag", [["a", "b"], ""]],
    ["(a b )", "5: flag", [["a", "b"], ""]],
    ["(  )", "1: flag", [[], ""]],
  ];
  for (const [s, strict, lenient] of cases) {
    assert.deepEqual(read(s, flags), strict, s);
    assert.deepEqual(read(s, flags, true), lenient, s);
  }
  table((c) => c.sp(), [["  a", [undefined, "a"]], ["a", "0: space"]], true);
  table((c) => c.sp(), [["  a", [undefined, " a"]], ["a", "0: space"]]);
  table((c) => c.take(" "), [
    ["  a", [true, "a"]],
    ["  ", [false, "  "]],
    [" )", [false, " )"]],
    ["", [false, ""]],
  ], true);
  table((c) => c.take(" "), [["  a", [true, " a"]], [" ", [true, ""]], [" )", [true, ")"]]]);
  table(
    (c) => c.take(")"),
    [["  )x", [true, "x"]], ["  x", [false, "  x"]], [")", [true, ""]]],
    true,
  );
  table((c) => c.take("x"), [[" x", [false, " x"]], ["x", [true, ""]]], true);
  table((c) => c.end(), [["  ", [undefined, ""]], ["", [undefined, ""]], [
    " x",
    "0: end of command",
  ]], true);
  table((c) => c.end(), [["  ", "0: end of command"], ["", [undefined, ""]]]);
  table((c) => c.expect(" "), [["x", "0: space"]]);
  table((c) => c.expect("xy"), [["XY", [undefined, ""]], ["xz", '0: "xy"']]);
});

Deno.test("dates and times", () => {
  const day = (y: number, m: number, d: number) => Date.UTC(y, m - 1, d);
  table((c) => c.date(), [
    ["1-Feb-2026 x", [day(2026, 2, 1), " x"]],
    ['"01-fEB-2026"', [day(2026, 2, 1), ""]],
    ["31-Dec-1999", [day(1999, 12, 31), ""]],
    ["29-Feb-2024", [day(2024, 2, 29), ""]],
    ["29-Feb-2025", "0: day of the month"],
    ["31-Apr-2025", "0: day of the month"],
    ["0-Jan-2025", "0: day of the month"],
    ["32-Jan-2025", "0: day of at most 31"],
    ["1-Foo-2025", "2: month"],
    ["1-Jan-25", "8: year"],
    ["1 Jan-2025", '1: "-"'],
    ["1-Jan 2025", '5: "-"'],
    ['"1-Jan-2025', '11: "\\""'],
    ["1-Jan-20256", [day(2025, 1, 1), "6"]],
    ["1-Jan-0001", [new Date("0001-01-01T00:00:00Z").getTime(), ""]],
  ]);
  for (const [i, m] of "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ").entries()) {
    assert.deepEqual(read(`2-${m}-2026`, (c) => c.date()), [day(2026, i + 1, 2), ""]);
  }
  const noon = Date.UTC(2026, 1, 3, 12, 34, 56);
  table((c) => c.dateTime(), [
    ['"03-Feb-2026 12:34:56 +0000" x', [noon, " x"]],
    ['" 3-Feb-2026 12:34:56 +0000"', [noon, ""]],
    ['"03-Feb-2026 12:34:56 +0130"', [noon - 90 * 60_000, ""]],
    ['"03-Feb-2026 12:34:56 -1245"', [noon + 765 * 60_000, ""]],
    ['"03-Feb-2026 23:59:60 +0000"', [Date.UTC(2026, 1, 4), ""]],
    ['"03-Feb-2026 23:59:61 +0000"', "13: time of day"],
    ['"03-Feb-2026 24:00:00 +0000"', "13: time of day"],
    ['"03-Feb-2026 23:60:00 +0000"', "13: time of day"],
    ['"3-Feb-2026 12:34:56 +0000"', "2: day"],
    ['"30-Feb-2026 12:34:56 +0000"', "1: day of the month"],
    ['"03-Feb-2026 12:34:56 0000"', "22: + or - of zone"],
    ['"03-Feb-2026 12:34:56 +000"', "26: zone"],
    ['"03-Feb-2026 12:34:56 +0000', '27: "\\""'],
    ['"03-Feb-2026 12-34-56 +0000"', '15: ":"'],
    ["03-Feb-2026", '0: "\\""'],
  ]);
});

Deno.test("sequence sets: read, brought into order, written", () => {
  const set = (s: string, saved = true) => read(s, (c) => parseNumSet(c, "set", saved));
  const ranges = (s: string) => (set(s) as [{ ranges: unknown }])[0].ranges;
  assert.deepEqual(ranges("1"), [[1, 1]]);
  assert.deepEqual(ranges("1:3,7,*,*:2,9:*"), [[1, 3], [7, 7], [0, 0], [0, 2], [9, 0]]);
  assert.deepEqual(set("$ x"), [{ saved: true, ranges: [] }, " x"]);
  assert.equal(set("$", false), "0: set");
  assert.equal(set("0"), "0: set");
  assert.equal(set("1:0"), "2: set");
  assert.equal(set("1,"), "2: set");
  assert.equal(set("1:"), "2: set");
  assert.equal(set("4294967296"), "0: set of at most 4294967295");
  assert.equal((ranges("1" + ",1".repeat(maxRanges - 1)) as unknown[]).length, 250_000);
  assert.match(String(set("1" + ",1".repeat(maxRanges))), /at most 250000 ranges/);
  const normal = (s: string, highest: number) =>
    normalRanges((set(s) as [Parameters<typeof normalRanges>[0]])[0], highest);
  assert.deepEqual(normal("5,1:3,4", 9), [[1, 5]]);
  assert.deepEqual(normal("5:4,1:2", 9), [[1, 2], [4, 5]]);
  assert.deepEqual(normal("1:9,2:3,5", 9), [[1, 9]]);
  assert.deepEqual(normal("1:3,2:6,6", 9), [[1, 6]]);
  assert.deepEqual(normal("*,1", 9), [[1, 1], [9, 9]]);
  assert.deepEqual(normal("7:9,1:8,30,20:25,11", 9), [[1, 9], [11, 11], [20, 25], [30, 30]]);
  assert.deepEqual(normal("20:*", 9), [[9, 20]]);
  assert.deepEqual(normal("*:3", 9), [[3, 9]]);
  assert.deepEqual(normal("7", 9), [[7, 7]]);
  assert.equal(formatNumSet([1, 2, 3, 7, 9, 10]), "1:3,7,9:10");
  assert.equal(formatNumSet([3, 2, 1, 2, 3]), "3,2,1:3");
  assert.equal(formatNumSet([5]), "5");
  assert.equal(formatNumSet([]), "");
  const sorted = [2, 4, 4, 8];
  assert.deepEqual([1, 2, 3, 4, 5, 8, 9].map((v) => lowerBound(sorted, v)), [0, 0, 1, 1, 3, 3, 4]);
  assert.equal(lowerBound(sorted, 9, 2), 2);
});

Deno.test("PARTIAL ranges, and what is in them", () => {
  const range = (s: string) => read(s, parsePartialRange);
  const made = (fromEnd: boolean, first: number, last: number, label: string) => [
    { fromEnd, first, last, label },
    "",
  ];
  assert.deepEqual(range("1:10"), made(false, 1, 10, "1:10"));
  assert.deepEqual(range("10:1"), made(false, 1, 10, "1:10"));
  assert.deepEqual(range("-1:-10"), made(true, 1, 10, "-1:-10"));
  assert.deepEqual(range("-10:-2"), made(true, 2, 10, "-2:-10"));
  assert.equal(range("0:1"), "0: place in the result");
  assert.equal(range("-1:2"), '3: "-"');
  assert.equal(range("1-2"), '1: ":"');
  const slice = (first: number, last: number, fromEnd = false) =>
    slicePartial([1, 2, 3, 4, 5], { fromEnd, first, last, label: "" });
  assert.deepEqual(slice(1, 2), [1, 2]);
  assert.deepEqual(slice(2, 2), [2]);
  assert.deepEqual(slice(4, 9), [4, 5]);
  assert.deepEqual(slice(6, 9), []);
  assert.deepEqual(slice(1, 2, true), [4, 5]);
  assert.deepEqual(slice(5, 9, true), [1]);
  assert.deepEqual(slice(6, 9, true), []);
  assert.deepEqual(slice(2, 3, true), [3, 4]);
});
