/** Arguments of FETCH, SEARCH and LIST: what is read of each, and where what is wrong is. */
import assert from "node:assert/strict";
import { Cursor, ParseError } from "../../../src/imap/parse/cursor.ts";
import { parseFetchItems, parseSection } from "../../../src/imap/parse/fetch.ts";
import {
  listMatcher,
  parseList,
  parseStatusItems,
  statusItems,
} from "../../../src/imap/parse/list.ts";
import {
  parseSearchKey,
  resolveSearch,
  type SearchContext,
  type SearchKey,
} from "../../../src/imap/parse/search.ts";
import { Flag } from "../../../src/store/types.ts";

/** What a reader gives of a whole text; or where it fails and what it expected there. */
function read<T>(s: string, fn: (c: Cursor) => T): T | string {
  const c = new Cursor(new TextEncoder().encode(s));
  c.lenient = false;
  try {
    const value = fn(c);
    c.end();
    return value;
  } catch (err) {
    if (!(err instanceof ParseError)) throw err;
    return `${err.offset}: ${err.expected}`;
  }
}

Deno.test("FETCH: macros, words, sections", () => {
  const fast = [{ kind: "flags" }, { kind: "internaldate" }, { kind: "size" }];
  const section = (part: number[], text: string, label: string, fields: string[] = []) => ({
    part,
    text,
    fields,
    label,
  });
  const body = (s: ReturnType<typeof section>, over = {}) => [{
    kind: "section",
    section: s,
    peek: false,
    binary: false,
    partial: undefined,
    ...over,
  }];
  const whole = (name: string, text: string, peek: boolean) => [{
    kind: "section",
    section: section([], text, text),
    peek,
    binary: false,
    name,
  }];
  const cases: [string, unknown][] = [
    ["FAST", fast],
    ["all", [...fast, { kind: "envelope" }]],
    ["FULL", [...fast, { kind: "envelope" }, { kind: "body" }]],
    ["(ALL)", "1: known fetch item"],
    ["UID", [{ kind: "uid" }]],
    ["(flags UID)", [{ kind: "flags" }, { kind: "uid" }]],
    ["BODY", [{ kind: "body" }]],
    ["BODYSTRUCTURE", [{ kind: "bodystructure" }]],
    ["RFC822.SIZE", [{ kind: "size" }]],
    ["MODSEQ", [{ kind: "modseq" }]],
    ["SAVEDATE", [{ kind: "savedate" }]],
    ["EMAILID", [{ kind: "emailid" }]],
    ["THREADID", [{ kind: "threadid" }]],
    ["INTERNALDATE", [{ kind: "internaldate" }]],
    ["ENVELOPE", [{ kind: "envelope" }]],
    ["PREVIEW", [{ kind: "preview" }]],
    ["PREVIEW (LAZY)", [{ kind: "preview" }]],
    ["(PREVIEW (LAZY) UID)", [{ kind: "preview" }, { kind: "uid" }]],
    ["(PREVIEW UID)", [{ kind: "preview" }, { kind: "uid" }]],
    ["PREVIEW (EAGER)", "9: LAZY"],
    ["RFC822", whole("RFC822", "", false)],
    ["RFC822.HEADER", whole("RFC822.HEADER", "HEADER", true)],
    ["RFC822.TEXT", whole("RFC822.TEXT", "TEXT", false)],
    ["BODY[]", body(section([], "", ""))],
    ["body.peek[]", body(section([], "", ""), { peek: true })],
    ["BODY[TEXT]<3.7>", body(section([], "TEXT", "TEXT"), { partial: [3, 7] })],
    ["BODY[1.22.3]", body(section([1, 22, 3], "", "1.22.3"))],
    ["BODY[1.mime]", body(section([1], "MIME", "1.MIME"))],
    ["BODY[1.2.HEADER]", body(section([1, 2], "HEADER", "1.2.HEADER"))],
    ["BODY[1.TEXT]", body(section([1], "TEXT", "1.TEXT"))],
    [
      "BODY[HEADER.FIELDS (To x-A)]",
      body(section([], "HEADER.FIELDS", "HEADER.FIELDS (To x-A)", ["To", "x-A"])),
    ],
    [
      'BODY[2.HEADER.FIELDS.NOT ("a b" "c\\"d")]',
      body(
        section([2], "HEADER.FIELDS.NOT", '2.HEADER.FIELDS.NOT ("a b" "c\\"d")', ["a b", 'c"d']),
      ),
    ],
    ["BINARY[1]", body(section([1], "", "1"), { binary: true })],
    [
      "BINARY.PEEK[1.2]<0.1>",
      body(section([1, 2], "", "1.2"), { binary: true, peek: true, partial: [0, 1] }),
    ],
    ["BINARY.SIZE[3]", [{ kind: "binarysize", section: section([3], "", "3") }]],
    ["BINARY.SIZE[]", [{ kind: "binarysize", section: section([], "", "") }]],
    ["BINARY[TEXT]", "6: part numbers only"],
    ["BODY[MIME]", "5: HEADER, TEXT or part number"],
    ["BODY[1.X]", "7: HEADER, TEXT or MIME"],
    ["BODY[0]", "5: part number"],
    ["BODY[1.0]", "7: part number"],
    ["BODY[1.]", "7: HEADER, TEXT or MIME"],
    ["BODY[HEADER.FIELDS ()]", "20: header field name"],
    ["BODY[HEADER.FIELDS]", "18: space"],
    ["BODY[TEXT", '9: "]"'],
    ["BODY[]<0.0>", "9: byte count"],
    ["BODY[]<.1>", "7: first byte"],
    ["BODY[]<1>", '8: "."'],
    ["BODY[]<1.2", '10: ">"'],
    ["NONSENSE", "0: known fetch item"],
    ["()", "1: fetch item"],
    ["(UID", "4: space"],
  ];
  for (const [s, want] of cases) assert.deepEqual(read(s, parseFetchItems), want, s);
});

Deno.test("FETCH: items and levels of parts have bounds", () => {
  const many = (n: number) => read(`(${"UID ".repeat(n - 1)}UID)`, parseFetchItems);
  assert.equal((many(200) as unknown[]).length, 200);
  assert.match(String(many(201)), /at most 200 items/);
  const deep = (n: number) => read(`[${"1.".repeat(n - 1)}1]`, parseSection);
  assert.equal((deep(100) as { part: number[] }).part.length, 100);
  assert.match(String(deep(101)), /at most 100 levels of parts/);
});

const now = Date.UTC(2026, 2, 4, 12);

/** A search key, and what the context was told. */
function search(s: string, suffix = ""): { key: unknown; ctx: SearchContext } {
  const ctx: SearchContext = {
    keys: 0,
    modseq: false,
    sequenceNumbers: false,
    idSuffix: suffix,
    decode: (b) => {
      const t = new TextDecoder().decode(b);
      return t === "undecodable" ? undefined : t;
    },
  };
  const real = Date.now;
  Date.now = () => now;
  try {
    return { key: read(s, (c) => parseSearchKey(c, ctx)), ctx };
  } finally {
    Date.now = real;
  }
}

Deno.test("SEARCH: each key", () => {
  const day = 86_400_000;
  const feb1 = Date.UTC(2026, 1, 1);
  const flag = (bit: number) => ({ op: "flag", bit });
  const not = (key: unknown) => ({ op: "not", key });
  const set = (uid: boolean, ranges: number[][], saved = false) => ({
    op: "set",
    uid,
    set: { saved, ranges },
  });
  const cases: [string, unknown][] = [
    ["ALL", { op: "all" }],
    ["answered", flag(Flag.Answered)],
    ["DELETED", flag(Flag.Deleted)],
    ["DRAFT", flag(Flag.Draft)],
    ["FLAGGED", flag(Flag.Flagged)],
    ["SEEN", flag(Flag.Seen)],
    ["UNANSWERED", not(flag(Flag.Answered))],
    ["UNDELETED", not(flag(Flag.Deleted))],
    ["UNDRAFT", not(flag(Flag.Draft))],
    ["UNFLAGGED", not(flag(Flag.Flagged))],
    ["UNSEEN", not(flag(Flag.Seen))],
    ["NOT UNSEEN", flag(Flag.Seen)],
    ["NEW", { op: "and", keys: [{ op: "recent" }, not(flag(Flag.Seen))] }],
    ["OLD", not({ op: "recent" })],
    ["RECENT", { op: "recent" }],
    ["KEYWORD Blue", { op: "keyword", keyword: "blue" }],
    ["KEYWORD $Junk", flag(Flag.Junk)],
    ["UNKEYWORD $NotJunk", not(flag(Flag.NotJunk))],
    ["UNKEYWORD x", not({ op: "keyword", keyword: "x" })],
    ...["from", "to", "cc", "bcc", "subject"].map((field): [string, unknown] => [
      `${field} "A b"`,
      { op: "summary", field, text: "A b" },
    ]),
    ["BODY x", { op: "body", text: "x" }],
    ["TEXT x", { op: "text", text: "x" }],
    ['HEADER X-A ""', { op: "header", name: "x-a", text: "" }],
    ["BEFORE 1-Feb-2026", { op: "received", before: feb1 }],
    ["ON 1-Feb-2026", { op: "received", from: feb1, before: feb1 + day }],
    ["SINCE 1-Feb-2026", { op: "received", from: feb1 }],
    ["SENTBEFORE 1-Feb-2026", { op: "sent", before: feb1 }],
    ["SENTON 1-Feb-2026", { op: "sent", from: feb1, before: feb1 + day }],
    ["SENTSINCE 1-Feb-2026", { op: "sent", from: feb1 }],
    ["SAVEDBEFORE 1-Feb-2026", { op: "saved", before: feb1 }],
    ["SAVEDON 1-Feb-2026", { op: "saved", from: feb1, before: feb1 + day }],
    ["SAVEDSINCE 1-Feb-2026", { op: "saved", from: feb1 }],
    ["SAVEDATESUPPORTED", { op: "all" }],
    // RFC 5032 §2: OLDER is "before or at", YOUNGER "at or after".
    ["OLDER 60", { op: "received", before: now - 60_000 + 1 }],
    ["YOUNGER 60", { op: "received", from: now - 60_000 }],
    ["OLDER 0", "6: seconds"],
    ["LARGER 5", { op: "larger", size: 5 }],
    ["SMALLER 5", { op: "smaller", size: 5 }],
    ["UID 1:*", set(true, [[1, 0]])],
    ["UID $", set(true, [], true)],
    ["1:3,5", set(false, [[1, 3], [5, 5]])],
    ["*", set(false, [[0, 0]])],
    ["$", set(false, [], true)],
    ["9", set(false, [[9, 9]])],
    ["0", "0: sequence set"],
    ["MODSEQ 7", { op: "modseq", min: 7 }],
    ['MODSEQ "/flags/\\\\draft" all 7', { op: "modseq", min: 7 }],
    ['MODSEQ "/FLAGS/x" priv 7', { op: "modseq", min: 7 }],
    ['MODSEQ "/other/x" all 7', '7: entry name "/flags/..."'],
    ['MODSEQ "/flags/x" some 7', "18: priv, shared or all"],
    ["EMAILID E12", { op: "emailId", id: 12 }],
    ["EMAILID T12", { op: "none" }],
    ["EMAILID E012", { op: "none" }],
    ["EMAILID E", { op: "none" }],
    ["EMAILID E12x", { op: "none" }],
    ["EMAILID E1234567890123456", { op: "emailId", id: 1234567890123456 }],
    ["EMAILID E12345678901234567", { op: "none" }],
    ["THREADID T3", { op: "threadId", id: 3 }],
    ["SUBJECT undecodable", "8: text in the charset given"],
    ["NONSENSE", "0: known search key"],
    ["KEYWORD (", "8: keyword"],
  ];
  for (const [s, want] of cases) assert.deepEqual(search(s).key, want, s);
  assert.deepEqual(search("EMAILID E12-x", "-x").key, { op: "emailId", id: 12 });
  assert.deepEqual(search("EMAILID E12", "-x").key, { op: "none" });
});

Deno.test("SEARCH: keys in keys, and what is told besides", () => {
  const all = { op: "all" };
  const seen = { op: "flag", bit: Flag.Seen };
  const cases: [string, unknown][] = [
    ["(ALL)", all],
    ["(ALL SEEN)", { op: "and", keys: [all, seen] }],
    ["(ALL (SEEN ALL))", { op: "and", keys: [all, seen, all] }],
    ["OR ALL SEEN", { op: "or", keys: [all, seen] }],
    ["OR ALL OR SEEN ALL", { op: "or", keys: [all, seen, all] }],
    ["OR (ALL SEEN) NOT ALL", {
      op: "or",
      keys: [{ op: "and", keys: [all, seen] }, { op: "not", key: all }],
    }],
    ["NOT NOT SEEN", seen],
    ["NOT (ALL SEEN)", { op: "not", key: { op: "and", keys: [all, seen] } }],
    ["FUZZY ALL", { op: "fuzzy", key: all }],
    ["FUZZY FUZZY ALL", { op: "fuzzy", key: all }],
    ["FUZZY (ALL SEEN)", { op: "fuzzy", key: { op: "and", keys: [all, seen] } }],
    ["OR ALL", "6: space"],
    ["()", "1: search key"],
    ["(ALL", "4: space"],
    ["NOT", "3: space"],
    ["NOTE", "0: known search key"],
  ];
  for (const [s, want] of cases) assert.deepEqual(search(s).key, want, s);
  const told = (s: string) => {
    const { modseq, sequenceNumbers, keys } = search(s).ctx;
    return [modseq, sequenceNumbers, keys];
  };
  assert.deepEqual(told("(1 UID 2)"), [false, true, 2]);
  assert.deepEqual(told("($ UID 2)"), [false, false, 2]);
  assert.deepEqual(told("OR MODSEQ 1 ALL"), [true, false, 2]);
  assert.match(String(search(`(${"ALL ".repeat(1999)}ALL)`).key), /object/);
  assert.match(String(search(`(${"ALL ".repeat(2000)}ALL)`).key), /at most 2000 search keys/);
  assert.match(String(search(`${"(".repeat(30_002)}ALL`).key), /nesting of at most 30000 levels/);
  const deep = (n: number) => String(search(`${"NOT (ALL ".repeat(n)}ALL${")".repeat(n)}`).key);
  assert.match(deep(250), /object/);
  assert.match(deep(251), /conditions of at most 500 levels/);
});

Deno.test("SEARCH: keys become conditions", () => {
  const ranges = (set: { ranges: [number, number][] }, uid: boolean): [number, number][] =>
    uid ? set.ranges : [[100, 200]];
  const resolved = (s: string, fuzziness?: "none" | "words" | "stems") =>
    resolveSearch(search(s).key as SearchKey, ranges, { fuzziness });
  const summary = (text: string) => ({ op: "summary", field: "subject", text });
  const cases: [string, unknown][] = [
    ["(UID 3 4)", {
      op: "and",
      nodes: [{ op: "uid", ranges: [[3, 3]] }, { op: "uid", ranges: [[100, 200]] }],
    }],
    ["OR ALL RECENT", { op: "or", nodes: [{ op: "all" }, { op: "none" }] }],
    ["NOT ALL", { op: "not", node: { op: "all" } }],
    ["SUBJECT Meetings", summary("Meetings")],
    ["FUZZY SUBJECT Meetings", summary("meet")],
    ['FUZZY SUBJECT "walked; used,x "', { op: "and", nodes: ["walk", "used", "x"].map(summary) }],
    ["FUZZY BODY houses", { op: "body", text: "hous" }],
    ["FUZZY TEXT bakers", { op: "text", text: "bak" }],
    ["FUZZY HEADER x doing", { op: "header", name: "x", text: "do" }],
    ["FUZZY NOT SUBJECT working", { op: "not", node: summary("work") }],
    ['FUZZY SUBJECT ""', summary("")],
    ["FUZZY SEEN", { op: "flag", bit: Flag.Seen }],
  ];
  for (const [s, want] of cases) assert.deepEqual(resolved(s), want, s);
  assert.deepEqual(resolved("FUZZY SUBJECT Meetings", "none"), summary("Meetings"));
  assert.deepEqual(resolved('FUZZY SUBJECT "Old Meetings"', "words"), {
    op: "and",
    nodes: ["Old", "Meetings"].map(summary),
  });
  const many = resolved(`FUZZY SUBJECT "${"w ".repeat(30)}"`) as { nodes: unknown[] };
  assert.equal(many.nodes.length, 20);
});

Deno.test("LIST: what is selected and what is returned", () => {
  const none = {
    reference: "",
    patterns: ["*"],
    basic: false,
    subscribed: false,
    remote: false,
    recursive: false,
    specialUseOnly: false,
    returnSubscribed: false,
    returnChildren: false,
    returnSpecialUse: false,
    returnStatus: [],
    returnRights: false,
    returnMetadata: [],
  };
  const cases: [string, unknown][] = [
    ['"" *', { ...none, basic: true }],
    ["ref %", { ...none, basic: true, reference: "ref", patterns: ["%"] }],
    ['"" (* a%)', { ...none, patterns: ["*", "a%"] }],
    ['() "" *', none],
    ['(SUBSCRIBED) "" *', { ...none, subscribed: true }],
    ['(REMOTE SPECIAL-USE) "" *', { ...none, remote: true, specialUseOnly: true }],
    ['(RECURSIVEMATCH SUBSCRIBED) "" *', { ...none, recursive: true, subscribed: true }],
    ['(RECURSIVEMATCH SPECIAL-USE) "" *', { ...none, recursive: true, specialUseOnly: true }],
    ['(RECURSIVEMATCH REMOTE) "" *', "1: RECURSIVEMATCH together with another selection option"],
    ['(RECURSIVEMATCH) "" *', "1: RECURSIVEMATCH together with another selection option"],
    ['(OTHER) "" *', "1: list selection option"],
    ['"" * RETURN ()', none],
    ['"" * RETURN (SUBSCRIBED)', { ...none, returnSubscribed: true }],
    ['"" * RETURN (CHILDREN SPECIAL-USE)', {
      ...none,
      returnChildren: true,
      returnSpecialUse: true,
    }],
    ['"" * RETURN (MYRIGHTS)', { ...none, returnRights: true }],
    ['"" * RETURN (STATUS (UNSEEN MESSAGES UNSEEN))', {
      ...none,
      returnStatus: ["UNSEEN", "MESSAGES"],
    }],
    ['"" * RETURN (METADATA ("/a" /b))', { ...none, returnMetadata: ["/a", "/b"] }],
    ['"" * RETURN (OTHER)', "13: list return option"],
    ['"" * REPLY ()', "5: RETURN"],
    ['"" * RETURN', "11: space"],
    ['"" ()', "4: mailbox pattern"],
    ['""', "2: space"],
  ];
  for (const [s, want] of cases) assert.deepEqual(read(s, parseList), want, s);
  const patterns = (n: number) => read(`"" (${"a ".repeat(n - 1)}a)`, parseList);
  assert.equal((patterns(100) as { patterns: string[] }).patterns.length, 100);
  assert.match(String(patterns(101)), /at most 100 patterns/);
  assert.deepEqual(read(`(${statusItems.join(" ").toLowerCase()})`, parseStatusItems), [
    ...statusItems,
  ]);
  assert.equal(read("(NONSENSE)", parseStatusItems), "1: status item");
});

Deno.test("patterns match as RFC 9051 §6.3.9 has them", () => {
  const cases: [string, string[], string[]][] = [
    ["*", ["", "a", "a/b"], []],
    ["%", ["", "a"], ["a/b", "/"]],
    ["%%", ["", "a"], ["a/b"]],
    ["%*", ["", "a", "a/b"], []],
    ["*%", ["", "a", "a/b"], []],
    ["a%/*", ["a/", "ab/c/d"], ["a", "b/c"]],
    ["*a*a*", ["aa", "xaya/"], ["a", ""]],
    ["a", ["a"], ["", "aa", "b"]],
    ["a/%", ["a/", "a/b"], ["a", "a/b/c", "b/b"]],
    ["%/b", ["/b", "a/b"], ["b", "a/c/b"]],
    ["ü%", ["ü", "üx"], ["u"]],
    ["😀", ["😀"], ["😁"]],
  ];
  for (const [pattern, yes, no] of cases) {
    for (const n of yes) assert.ok(listMatcher(pattern)(n), `${pattern} ${n}`);
    for (const n of no) assert.ok(!listMatcher(pattern)(n), `${pattern} ${n}`);
  }
});
