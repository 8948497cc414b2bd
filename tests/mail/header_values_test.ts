/** Values of header fields at their edges: dates, encoded words, subjects, message-ids, addresses, fields. */
import assert from "node:assert/strict";
import { flattenAddresses, parseAddressList } from "../../src/mail/address/address.ts";
import { formatDate, parseDate, parseZonedDate } from "../../src/mail/header/date.ts";
import { encodeWord } from "../../src/mail/header/encode.ts";
import {
  chooseFieldLines,
  chooseFields,
  listedFields,
  listedLines,
} from "../../src/mail/header/filter.ts";
import { headerField, headerText, splitHeader } from "../../src/mail/header/header.ts";
import { normalizeMessageId, parseMessageIds } from "../../src/mail/header/messageid.ts";
import { baseSubject, standardBaseSubject } from "../../src/mail/header/subject.ts";
import { decodeWords } from "../../src/mail/header/words.ts";

const utf8 = (s: string) => new TextEncoder().encode(s);
const text = (b: Uint8Array) => new TextDecoder().decode(b);

Deno.test("years of two digits are 1950 to 2049, of three count from 1900", () => {
  const cases: [string, number | undefined][] = [
    ["1 Jan 00 0:00", 2000],
    ["1 Jan 49 0:00", 2049],
    ["1 Jan 50 0:00", 1950],
    ["1 Jan 99 0:00", 1999],
    ["1 Jan 100 0:00", 2000],
    ["1 Jan 126 0:00", 2026],
    ["1 Jan 1900 0:00", 1900],
    ["1 Jan 1899 0:00", undefined],
    ["1 Jan 9999 0:00", 9999],
    ["1 Jan 10000 0:00", undefined],
    ["1-Jan-49 0:00", 2049],
    ["1-Jan-50 0:00", 1950],
    ["1-Jan-126 0:00", 2026],
    ["1/1/49", 2049],
    ["1/1/50", 1950],
  ];
  for (const [value, year] of cases) assert.equal(parseDate(value)?.getUTCFullYear(), year, value);
});

Deno.test("hours of twelve, am and pm", () => {
  const cases: [string, number][] = [
    ["12:00 AM", 0],
    ["12:30 am", 0],
    ["1:00 AM", 1],
    ["11:59 AM", 11],
    ["12:00 PM", 12],
    ["12:30 pm", 12],
    ["1:00 PM", 13],
    ["11:59 PM", 23],
    ["13:00 PM", 13],
    ["13:00 AM", 13],
    ["0:30 am", 0],
    ["0:30 pm", 12],
  ];
  for (const [time, hour] of cases) {
    const d = parseDate(`11/23/2026 ${time}`)!;
    assert.deepEqual([d.getUTCDate(), d.getUTCHours()], [23, hour], time);
  }
});

Deno.test("zones: names, offsets, and what is none", () => {
  const cases: [string, number][] = [
    ["", 0],
    ["UT", 0],
    ["utc", 0],
    ["GMT", 0],
    ["Z", 0],
    ["EST", -300],
    ["EDT", -240],
    ["CST", -360],
    ["CDT", -300],
    ["MST", -420],
    ["MDT", -360],
    ["PST", -480],
    ["PDT", -420],
    ["CET", 60],
    ["CEST", 120],
    ["BST", 60],
    ["JST", 540],
    ["+0130", 90],
    ["-0130", -90],
    ["+1", 60],
    ["-12", -720],
    ["+05:45", 345],
    ["GMT+2", 120],
    ["UTC-0330", -210],
    ["+2400", 1440],
    ["+2401", 0],
    ["+9999", 0],
    ["XYZ", 0],
    ["A", 0],
    // The last one that is a zone.
    ["+0200 (CEST) EST", -300],
    ["+0200 Paris", 120],
  ];
  for (const [zone, minutes] of cases) {
    const d = parseZonedDate(`Mon, 23 Nov 2026 10:11:12 ${zone}`)!;
    assert.equal(d.zone, minutes, zone);
    assert.equal(d.date.getTime(), Date.UTC(2026, 10, 23, 10, 11, 12) - minutes * 60_000, zone);
  }
  // Before the time a sign says nothing.
  assert.equal(parseZonedDate("+0200 23 Nov 2026 10:11")!.zone, 0);
});

Deno.test("comments in dates, nested ones too, and what closes none", () => {
  const same = Date.UTC(2026, 10, 23, 10, 11, 12);
  const cases = [
    "Mon, 23 Nov 2026 10:11:12 +0000 (GMT)",
    "(a) Mon, (b (c) d) 23 Nov 2026 10:11:12 +0000",
    "Mon, 23 (11) Nov (12) 2026 10:11:12 +0000",
    "Mon, 23 Nov 2026 10:11:12 +0000 (unclosed",
    "Mon, 23 Nov 2026 10:11:12 +0000 (1 Jan 2000 (x) 11:12:13)",
    `(${"x".repeat(500)}) Mon, 23 Nov 2026 10:11:12 +0000`,
    "Mon,(a)23(b)Nov(c)2026(d)10:11:12(e)+0000",
    "(a \\) 1 Jan 2000) Mon, 23 Nov 2026 10:11:12 +0000",
    "(a \\( b) Mon, 23 Nov 2026 10:11:12 +0000",
    ") Mon, 23 Nov 2026 10:11:12 +0000",
  ];
  for (const value of cases) assert.equal(parseDate(value)?.getTime(), same, value);
});

Deno.test("parts of dates at their bounds", () => {
  const iso = (s: string) => parseDate(s)?.toISOString().slice(0, 19);
  const cases: [string, string | undefined][] = [
    ["1 Jan 2026 24:00", "2026-01-02T00:00:00"],
    ["1 Jan 2026 25:00", undefined],
    ["1 Jan 2026 23:59:59", "2026-01-01T23:59:59"],
    ["1 Jan 2026 23:60", undefined],
    ["1 Jan 2026 23:59:60", "2026-01-01T23:59:59"],
    ["1 Jan 2026 23:59:61", undefined],
    ["1 Jan 2026 10.11.12", "2026-01-01T10:11:12"],
    ["1 Jan 2026 10:11:12.345", "2026-01-01T10:11:12"],
    ["1 Jan 2026 10:11:12,345", "2026-01-01T10:11:12"],
    ["1 Jan 2026 1:02", "2026-01-01T01:02:00"],
    ["1 Jan 2026 10:11 12:13", "2026-01-01T10:11:00"],
    ["0 Jan 2026 10:11", undefined],
    ["31 Jan 2026 10:11", "2026-01-31T10:11:00"],
    ["30 Feb 2026 10:11", "2026-03-02T10:11:00"],
    ["Jan 1 10:11 2026", "2026-01-01T10:11:00"],
    ["1 January 2026", "2026-01-01T00:00:00"],
    ["1 Jan. 2026", "2026-01-01T00:00:00"],
    ["1 Jan1 2026", undefined],
    ["1 Foo 2026", undefined],
    ["1-Foo-2026", undefined],
    ["1-January-2026 10:11", "2026-01-01T10:11:00"],
    ["2026-12-31T23:59:59Z", "2026-12-31T23:59:59"],
    ["2026-12-31T23:59:59+01:00", "2026-12-31T22:59:59"],
    ["2026-12-31t10:11", "2026-12-31T10:11:00"],
    ["2026-13-01", undefined],
    ["2026-00-01", undefined],
    ["2026-12-31x", undefined],
    ["12/31/2026", "2026-12-31T00:00:00"],
    ["31/12/2026", "2026-12-31T00:00:00"],
    ["12/12/2026", "2026-12-12T00:00:00"],
    ["13/12/2026", "2026-12-13T00:00:00"],
    ["12/13/2026", "2026-12-13T00:00:00"],
    ["2026/3/4", "2026-03-04T00:00:00"],
    ["126/3/4", "2026-03-04T00:00:00"],
    ["2026/3/2026", undefined],
    ["3/4/5", undefined],
    ["1 Jan", undefined],
    ["Jan 2026", undefined],
    ["1 2026", undefined],
    ["1 Jan 2026 Feb", "2026-01-01T00:00:00"],
    [`${"x ".repeat(20)}1 Jan 2026`, undefined],
    [`${"x ".repeat(17)}1 Jan 2026`, "2026-01-01T00:00:00"],
  ];
  for (const [value, want] of cases) assert.equal(iso(value), want, value);
  assert.equal(
    formatDate(new Date(Date.UTC(2026, 0, 4, 5, 6, 7))),
    "Sun, 4 Jan 2026 05:06:07 +0000",
  );
  assert.equal(formatDate(new Date("0050-12-31T23:59:59Z")), "Sat, 31 Dec 0050 23:59:59 +0000");
});

Deno.test("blanks between encoded words go, those beside other text stay", () => {
  const cases: [string, string][] = [
    ["=?utf-8?q?a?= =?utf-8?q?b?=", "ab"],
    ["=?utf-8?q?a?=\t  =?utf-8?q?b?=", "ab"],
    ["=?utf-8?q?a?==?utf-8?q?b?=", "ab"],
    ["=?utf-8?q?a?= =?iso-8859-1?q?b?=", "ab"],
    ["=?utf-8?q?a_?= =?utf-8?q?_b?=", "a  b"],
    ["=?utf-8?q?a?= b =?utf-8?q?c?=", "a b c"],
    ["=?utf-8?q?a?=  b", "a  b"],
    [" =?utf-8?q?a?= ", " a "],
    ["x  =?utf-8?q?a?= =?utf-8?q?b?=  y", "x  ab  y"],
    ["=?utf-8?q?a?= =?nope?q?b?=", "a =?nope?q?b?="],
    ["=?utf-8?b?YQ==?= =?utf-8?q?b?= =?utf-8?b?Yw==?=", "abc"],
    // A character, or a group of base64, is cut between words.
    ["=?utf-8?q?=C3?= =?utf-8?q?=BC?=", "ü"],
    ["=?utf-8?b?w?= =?utf-8?b?7w=?=", "ü"],
    ["=?utf-8?q?=C3?= =?iso-8859-1?q?=FC?=", "\ufffdü"],
    ["=?UTF-8?Q?a?= =?utf-8?q?=C3=BC?=", "aü"],
    // Not words.
    ["=??q?a?=", "=??q?a?="],
    ["=?utf-8?qq?a?=", "=?utf-8?qq?a?="],
    ["=?utf-8?q?a", "=?utf-8?q?a"],
    ["=?utf-8?q?a?b?=", "a?b"],
    ["=? =?utf-8?q?a?=", "=? a"],
    ["=?=?utf-8?q?a?=", "=?a"],
    ["?= =?utf-8?q?a?=", "?= a"],
    ["=?utf-8?q??=", ""],
    ["=?utf-8?q?a_b?=", "a b"],
    ["=?utf-8?q?a=5Fb?=", "a_b"],
    ["=?utf-8?q?a b?=", "a b"],
    ["=?utf-8?q?a_?=", "a "],
    [`=?${"x".repeat(90)}?q?a?=`, `=?${"x".repeat(90)}?q?a?=`],
    [`=?utf-8?q?${"a".repeat(9000)}?=`, "a".repeat(9000)],
    [`=?utf-8?q?${"a".repeat(11000)}?=`, `=?utf-8?q?${"a".repeat(11000)}?=`],
  ];
  for (const [value, want] of cases) assert.equal(decodeWords(value), want, value.slice(0, 80));
});

Deno.test("encoded words that are written have 75 characters at most, and no character is cut", () => {
  assert.equal(encodeWord("plain ~!?=\t"), "plain ~!?=\t");
  assert.equal(encodeWord("a", { always: true }), "=?utf-8?b?YQ==?=");
  assert.equal(encodeWord("ü"), "=?utf-8?b?w7w=?=");
  assert.equal(encodeWord("a\x7f"), "=?utf-8?b?YX8=?=");
  const words = (s: string, room?: number) => encodeWord(s, { room }).split(" ");
  const bytes = (w: string) => atob(w.slice(10, -2)).length;
  assert.deepEqual(words("ü".repeat(50)).map(bytes), [44, 44, 12]);
  assert.deepEqual(words("a".repeat(100) + "ü").map(bytes), [45, 45, 12]);
  assert.deepEqual(words("a".repeat(100) + "ü", 40).map(bytes), [21, 45, 36]);
  assert.deepEqual(words("a".repeat(20) + "ü", 1).map(bytes), [6, 16]);
  assert.deepEqual(words("a".repeat(100) + "ü", 500).map(bytes), [45, 45, 12]);
  for (const w of words("😀".repeat(40))) {
    assert.ok(w.length <= 75 && !text(utf8(w)).includes("\ufffd"));
  }
  assert.equal(decodeWords(encodeWord("😀".repeat(40))), "😀".repeat(40));
});

Deno.test("marks of replies, forwards and lists, and what only looks like them", () => {
  const cases: [string, string, boolean][] = [
    ["Re(2): x", "x", true],
    ["Re (2): x", "x", true],
    ["Re(12345): x", "Re(12345): x", false],
    ["Re(1234): x", "x", true],
    ["Re(2) x", "Re(2) x", false],
    ["Re(2: x", "Re(2: x", false],
    ["Re[2]: x", "x", true],
    ["Re [list] : x", "x", true],
    ["Re[a][b]: x", "Re[a][b]: x", false],
    ["Re : x", "x", true],
    ["Re:x", "x", true],
    ["Re", "Re", false],
    ["Re:", "", true],
    ["Rex: x", "Rex: x", false],
    ["FW: x", "x", true],
    ["fwd: x", "x", true],
    ["Fw: Re: fwd: x", "x", true],
    ["x (fwd)", "x", true],
    ["x (FWD) (fwd)", "x", true],
    ["(fwd) x", "(fwd) x", false],
    ["[a] [b] Re: x", "x", true],
    ["[a] x", "x", false],
    ["[a][b] x", "x", false],
    ["[a] [b]", "[b]", false],
    ["[a]", "[a]", false],
    ["[a", "[a", false],
    ["[a[b] x", "[a[b] x", false],
    ["[Fwd: x]", "x", true],
    ["[fwd: [list] Re: x]", "x", true],
    ["[Fwd: x] y", "y", false],
    ["Re: [Fwd: x]", "x", true],
    ["  a \t b  ", "a b", false],
    ["Re:\u00a0x", "x", true],
    ["Re: Re", "Re", true],
    ["a: x", "a: x", false],
  ];
  for (const [subject, base, isReply] of cases) {
    assert.deepEqual(standardBaseSubject(subject), { base, isReply }, subject);
    assert.deepEqual(baseSubject(subject), { base, isReply }, subject);
  }
  for (const mark of "aw wg sv vs antw doorst rv enc tr rif odp ynt vl".split(" ")) {
    assert.deepEqual(baseSubject(`${mark.toUpperCase()}: x`), { base: "x", isReply: true }, mark);
    const standard = standardBaseSubject(`${mark}: x`);
    assert.deepEqual(standard, { base: `${mark}: x`, isReply: false }, mark);
  }
  assert.equal(baseSubject(`Re: ${"x".repeat(20_000)}`).base.length, 9996);
});

Deno.test("message-ids of lists: quotes, blanks, missing ends, too long ones, the last hundred", () => {
  const cases: [string, string[]][] = [
    ["", []],
    ["<a@b>", ["a@b"]],
    ["<a@b><c@d>", ["a@b", "c@d"]],
    ["x <a@b> (y) <c@d> z", ["a@b", "c@d"]],
    ["<a @\t b>", ["a@b"]],
    ["<>", []],
    ["<a@b> <a@b>", ["a@b"]],
    ["<a <b@c>", ["b@c"]],
    ["<a@b", []],
    ["a@b>", []],
    ['<"a.b"@c>', ["a.b@c"]],
    ['<"a\\"b"@c>', ['a"b@c']],
    ['<"ab">', ["ab"]],
    ['<"a"b@c>', ['"a"b@c']],
    [`<${"a".repeat(500)}>`, ["a".repeat(500)]],
    [`<${"a".repeat(501)}>`, []],
    [`<${"a".repeat(501)}> <b@c>`, ["b@c"]],
  ];
  for (const [value, want] of cases) assert.deepEqual(parseMessageIds(value), want, value);
  const many = Array.from({ length: 105 }, (_, i) => `${i}@x`);
  assert.deepEqual(parseMessageIds(many.map((id) => `<${id}>`).join(" ")), many.slice(5));
  const single: [string, string][] = [
    ["<a@b>", "a@b"],
    ["a@b", "a@b"],
    ["  a@b c@d", "a@b"],
    ["x <a@b> <c@d>", "a@b"],
    ["", ""],
    ["a".repeat(600), "a".repeat(500)],
  ];
  for (const [value, want] of single) assert.equal(normalizeMessageId(value), want, value);
});

Deno.test("addresses without a name have none, and names keep what is theirs", () => {
  const name = (s: string) => flattenAddresses(parseAddressList(s)).map((a) => a.name);
  assert.deepEqual(name("a@b.example"), [""]);
  assert.deepEqual(name("<a@b.example>"), [""]);
  assert.deepEqual(name('"" <a@b.example>'), [""]);
  assert.deepEqual(name('" " <a@b.example>, A <c@d.example>'), [" ", "A"].map((n) => n.trim()));
  assert.deepEqual(name("() <a@b.example>"), [""]);
  assert.deepEqual(name("a@b.example (), c@d.example (C)"), ["", "C"]);
  assert.deepEqual(name("=?utf-8?q??= <a@b.example>"), [""]);
  assert.deepEqual(name("g: a@b.example, B <b@b.example>;, C <c@c.example>"), ["", "B", "C"]);
});

Deno.test("a header is split into fields: folding, blanks, line ends, what is none", () => {
  const fields = (s: string) => splitHeader(utf8(s)).map((f) => `${f.name}=${f.value}`);
  const cases: [string, string[]][] = [
    ["A: 1\r\nB: 2\r\n\r\nC: 3\r\n", ["a=1", "b=2"]],
    ["A: 1\nB: 2\n\nC: 3\n", ["a=1", "b=2"]],
    ["A: 1", ["a=1"]],
    ["A: 1\r", ["a=1"]],
    ["A: 1\r\n 2\r\n\t3\r\n", ["a=1 2 3"]],
    ["A:1\r\n", ["a=1"]],
    ["A:\r\n", ["a="]],
    ["A :  1  \r\n", ["a=1"]],
    ["A: b: c\r\n", ["a=b: c"]],
    [": 1\r\nB: 2\r\n", ["b=2"]],
    ["junk\r\n more\r\nB: 2\r\n", ["b=2"]],
    ["junk\r\nA: 1\r\n", ["a=1"]],
    [" first\r\nB: 2\r\n", ["b=2"]],
    ["A: 1\r\njunk\r\n 2\r\n", ["a=1"]],
    ["\r\nA: 1\r\n", []],
    ["A: 1\r\n \r\nB: 2\r\n", ["a=1", "b=2"]],
  ];
  for (const [header, want] of cases) {
    assert.deepEqual(fields(header), want, JSON.stringify(header));
  }
  assert.equal(splitHeader(utf8("a:\n".repeat(5_010))).length, 5_000);
  const two = splitHeader(utf8("A: first\nA: second\nB:\n"));
  assert.deepEqual([headerField(two, "a"), headerField(two, "b"), headerField(two, "c")], [
    "first",
    "",
    undefined,
  ]);
  assert.deepEqual([headerText(two, "a"), headerText(two, "b"), headerText(two, "c")], [
    "first",
    undefined,
    undefined,
  ]);
});

Deno.test("fields are chosen byte for byte, with their continued lines, up to the empty line", () => {
  const header =
    "Subject: a\r\n b\r\nX-A : 1\r\n\tc\r\nSUBJECT: d\r\nTo\r\nto: e\r\n\r\nsubject: body\r\n";
  const names = new Set(["subject", "to"]);
  const chosen = (not: boolean) => text(chooseFields(utf8(header), names, not));
  assert.equal(chosen(false), "Subject: a\r\n b\r\nSUBJECT: d\r\nTo\r\nto: e\r\n");
  assert.equal(chosen(true), "X-A : 1\r\n\tc\r\n");
  assert.equal(text(chooseFields(utf8("x-a: 1"), new Set(["x-a"]), false)), "x-a: 1");
  assert.equal(
    text(chooseFields(utf8("a: 1\nb: 2\n\nc: 3"), new Set(["a", "c"]), false)),
    "a: 1\n",
  );
  assert.equal(text(chooseFields(utf8(" cont\na: 1\n"), new Set(["a"]), true)), "");
  assert.equal(chooseFieldLines("A: 1\n b\nB: 2\nx\nA:3", new Set(["a"])), "A: 1\n b\nA:3");
  assert.equal(chooseFieldLines("A : 1\nB: 2\n", new Set(["a", "b"])), "A : 1\nB: 2\n");
  assert.equal(chooseFieldLines("A\nB: 2\n", new Set(["b"])), "B: 2\n");
});

Deno.test("listed fields are kept if they are plain, whole and not too long", () => {
  const lines = (...blocks: string[]) => listedLines(blocks.map(utf8));
  assert.equal(
    lines("X-Prefix: 1\r\n", "Subject: a\r\nX: 2\r\nTo: b\r\n\r\n"),
    "Subject: a\r\nTo: b\r\n",
  );
  assert.equal(lines("Delivered-To: x\r\n", "To: b\r\n"), "Delivered-To: x\r\nTo: b\r\n");
  assert.equal(lines("Subject: ü\r\n"), undefined);
  assert.equal(lines("X: ü\r\nTo: b\r\n"), "To: b\r\n");
  assert.equal(lines("Subject: a\0\r\n"), undefined);
  assert.equal(lines("Subject: \x7f\r\n"), "Subject: \x7f\r\n");
  assert.equal(lines("Subject: a"), undefined);
  const long = (n: number) => `Subject: ${"a".repeat(n - 11)}\r\n`;
  assert.equal(lines(long(8192))?.length, 8192);
  assert.equal(lines(long(8193)), undefined);
  assert.equal(lines(long(8000), long(192))?.length, 8192);
  assert.equal(lines(long(8000), long(193)), undefined);
  for (const name of listedFields) assert.equal(name, name.toLowerCase());
});
