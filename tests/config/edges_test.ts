/** Names, durations, patterns and differences of configurations at their edges. */
import assert from "node:assert/strict";
import { isEmptyChange, whatChanged } from "../../src/config/changes.ts";
import {
  asciiDomain,
  isInternational,
  packAddress,
  packLocalpart,
  parseAddress,
  parseDomain,
  parseLocalpart,
} from "../../src/config/names.ts";
import { formatDuration, parseDuration } from "../../src/config/sconf/duration.ts";
import { compileRegExp } from "../../src/config/sconf/regexp.ts";

/** The value, or why there is none. */
function result<T>(fn: () => T): T | string {
  try {
    return fn();
  } catch (err) {
    return (err as Error).message;
  }
}

Deno.test("domains: both forms, and what is none", () => {
  const cases: [string, string][] = [
    ["Example.COM", "example.com example.com"],
    ["bücher.example", "xn--bcher-kva.example bücher.example"],
    ["XN--BCHER-KVA.example", "xn--bcher-kva.example bücher.example"],
    ["localhost", "localhost localhost"],
    ["7", "7 7"],
    ["a.7b", "a.7b a.7b"],
    ["", "is empty"],
    ["a.", "must not end with a dot"],
    [".", "must not end with a dot"],
    [".a", "has an empty label"],
    ["a..b", "has an empty label"],
    ["a_b", "has a character that domains can't have"],
    ["a b", "has a character that domains can't have"],
    ["-a.b", "has a label that starts or ends with a hyphen"],
    ["a-.b", "has a label that starts or ends with a hyphen"],
    ["a.1", "is not a domain: its last label is a number"],
    ["192.0.2.1", "is not a domain: its last label is a number"],
    ["\ud800.example", "is not a valid internationalised domain"],
    [`${"a".repeat(63)}.x`, `${"a".repeat(63)}.x ${"a".repeat(63)}.x`],
    [`${"a".repeat(64)}.x`, "has a label longer than 63 characters"],
    [`${"a.".repeat(126)}b`, `${"a.".repeat(126)}b ${"a.".repeat(126)}b`],
    [`${"a.".repeat(126)}bc`, "is longer than 253 characters"],
  ];
  for (const [name, want] of cases) {
    const d = result(() => parseDomain(name));
    assert.equal(typeof d === "string" ? d : `${d.ascii} ${d.unicode}`, want, name);
  }
  assert.equal(parseDomain("_a.b_c", { underscore: true }).ascii, "_a.b_c");
  assert.deepEqual([asciiDomain("Bücher.example"), asciiDomain("a b")], [
    "xn--bcher-kva.example",
    undefined,
  ]);
});

Deno.test("localparts and addresses: quotes, escapes, lengths", () => {
  const cases: [string, string][] = [
    ["a.b", "a.b"],
    ["u\u0308", "ü"],
    ['"a b"', "a b"],
    ['"a\\"\\\\b"', 'a"\\b'],
    ['""', ""],
    ["", "the part before the @ is empty"],
    ["a..b", '"a..b" can\'t be the part before the @'],
    [".a", '".a" can\'t be the part before the @'],
    ["a b", '"a b" can\'t be the part before the @'],
    ["a@b", '"a@b" can\'t be the part before the @'],
    ["a".repeat(64), "a".repeat(64)],
    ["a".repeat(65), "the part before the @ is longer than 64 bytes"],
    ["ü".repeat(32), "ü".repeat(32)],
    ["ü".repeat(33), "the part before the @ is longer than 64 bytes"],
  ];
  for (const [text, want] of cases) assert.equal(result(() => parseLocalpart(text)), want, text);
  for (const bad of ['"a', '"a"b', '"a\\', '"a\x1f"', '"a\x7f"', '"']) {
    assert.match(
      String(result(() => parseLocalpart(bad))),
      /quotes before the @ are not closed/,
      bad,
    );
  }
  assert.deepEqual(["a.b", "a b", 'a"\\', "", "a..b", "ü"].map(packLocalpart), [
    "a.b",
    '"a b"',
    '"a\\"\\\\"',
    '""',
    '"a..b"',
    "ü",
  ]);
  assert.deepEqual(["a\x7f", "ü", "\x80"].map(isInternational), [false, true, true]);
  const pack = (s: string) => result(() => packAddress(parseAddress(s)));
  assert.equal(pack('"a@b"@Bücher.example'), '"a@b"@bücher.example');
  assert.equal(pack("a"), "has no @");
  assert.equal(pack("@x"), "the part before the @ is empty");
  assert.equal(pack("a@"), "its domain is empty");
});

Deno.test("durations: units, signs, fractions, bounds", () => {
  const cases: [string, number | undefined][] = [
    ["0", 0],
    ["0s", 0],
    ["1h30m", 5_400_000],
    ["1.5h", 5_400_000],
    [".5s", 500],
    ["1.s", 1000],
    ["-10s", -10_000],
    ["+10s", 10_000],
    ["100ms", 100],
    ["1us", 0.001],
    ["1\u00b5s", 0.001],
    ["1\u03bcs", 0.001],
    ["1ns", 0.000001],
    ["2s3s", 5000],
    ["", undefined],
    ["-", undefined],
    ["10", undefined],
    ["s", undefined],
    [".s", undefined],
    ["1x", undefined],
    ["1 s", undefined],
    ["--1s", undefined],
    ["1d", undefined],
    ["2562047h", 9_223_369_200_000],
    ["2562048h", undefined],
    [`${"1".repeat(100)}s`, undefined],
    [`${"0".repeat(98)}1s`, 1000],
    [`${"0".repeat(99)}1s`, undefined],
  ];
  for (const [text, want] of cases) assert.equal(parseDuration(text), want, text);
  const formatted: [number, string][] = [
    [0, "0s"],
    [5_400_000, "1h30m"],
    [-1500, "-1s500ms"],
    [3_661_001, "1h1m1s1ms"],
    [59_999, "59s999ms"],
    [1000, "1s"],
    [60_000, "1m"],
    [7 * 86_400_000, "168h"],
  ];
  for (const [ms, want] of formatted) {
    assert.equal(formatDuration(ms), want);
    assert.equal(parseDuration(want), ms);
  }
});

Deno.test("named classes and escapes of patterns, at the edges of each", () => {
  const has = (pattern: string, c: string) => compileRegExp(`^(?s:${pattern})$`).test(c);
  const edges: [string, string, string][] = [
    ["[[:alnum:]]", "09AZaz", "/:@[`{"],
    ["[[:alpha:]]", "AZaz", "@[`{09"],
    ["[[:ascii:]]", "\0\x7f", "\x80"],
    ["[[:blank:]]", "\t ", "\n!\x08\x1f"],
    ["[[:cntrl:]]", "\0\x1f\x7f", " ~\x80"],
    ["[[:digit:]]", "09", "/:"],
    ["[[:graph:]]", "!~", " \x7f"],
    ["[[:lower:]]", "az", "`{A"],
    ["[[:print:]]", " ~", "\x1f\x7f"],
    ["[[:punct:]]", "!/:@[`{~", " 09AZaz\x7f"],
    ["[[:space:]]", "\t\n\v\f\r ", "\x08\x0e!"],
    ["[[:upper:]]", "AZ", "@[a"],
    ["[[:word:]]", "09AZ_az", "/:@[^`{"],
    ["[[:xdigit:]]", "09AFaf", "/:@G`g"],
    ["[[:^digit:]]", "/:", "09"],
    ["\\d", "09", "/:"],
    ["\\D", "/:", "09"],
    ["\\w", "09AZ_az", "-"],
    ["\\W", "-", "a_"],
    ["\\s", "\t\n\f\r ", "\vx"],
    ["\\S", "\vx", "\t "],
    ["[\\a\\f\\n\\r\\t\\v]", "\x07\f\n\r\t\v", "afnrtv"],
    ["\\x41", "A", "B"],
    ["\\x{1F600}", "😀", "A"],
    ["\\101", "A", "1"],
    ["[a-c]", "ac", "`d"],
    ["[^a-c]", "`d\n", "ac"],
    [".", "a\n", ""],
    ["\\Q.\\E", ".", "a"],
  ];
  for (const [pattern, yes, no] of edges) {
    for (const c of yes) assert.equal(has(pattern, c), true, `${pattern} ${JSON.stringify(c)}`);
    for (const c of no) assert.equal(has(pattern, c), false, `${pattern} ${JSON.stringify(c)}`);
  }
  assert.equal(compileRegExp("(?P<a>x)(?<b>y)").test("xy"), true);
  assert.equal(compileRegExp("^(?i)aBc$").test("AbC"), true);
  assert.equal(compileRegExp("^a{2,3}$").test("aa"), true);
  assert.equal(compileRegExp("^a{2,3}$").test("aaaa"), false);
  assert.equal(compileRegExp("^a{2,}$").test("a"), false);
  assert.equal(compileRegExp("a{,2}").test("a{,2}"), true, "no count");
  assert.equal(compileRegExp("^x$").test("x\n"), false);
  assert.equal(compileRegExp("(?m)^x$").test("a\nx\nb"), true);
  assert.equal(compileRegExp("\\bx\\b").test("a x!"), true);
  assert.equal(compileRegExp("\\Bx").test(" x"), false);
});

Deno.test("the difference of two configurations", () => {
  type Dynamic = Parameters<typeof whatChanged>[0];
  const make = (over: Record<string, unknown> = {}) => ({
    Domains: new Map<string, unknown>([["a.example", { X: 1, Routes: [] }]]),
    Accounts: new Map<string, unknown>([["ann", { X: 1, Routes: [] }]]),
    Routes: [],
    WebHandlers: [],
    WebDomainRedirects: new Map(),
    MonitorDNSBLs: [],
    ...over,
  } as Partial<Dynamic> as Dynamic);
  const none = { added: [], removed: [], changed: [] };
  const same = { domains: none, accounts: none, web: false, routes: false, monitorDNSBLs: false };
  assert.deepEqual(whatChanged(make(), make()), same);
  assert.equal(isEmptyChange(whatChanged(make(), make())), true);
  const cases: [Record<string, unknown>, object][] = [
    [{ Domains: new Map([["b.example", { X: 1, Routes: [] }]]) }, {
      domains: { added: ["b.example"], removed: ["a.example"], changed: [] },
    }],
    [{ Domains: new Map([["a.example", { X: 2, Routes: [] }]]) }, {
      domains: { ...none, changed: ["a.example"] },
    }],
    [{ Accounts: new Map() }, { accounts: { ...none, removed: ["ann"] } }],
    [{ Accounts: new Map([["ann", { X: 1, Routes: [1] }]]) }, {
      accounts: { ...none, changed: ["ann"] },
      routes: true,
    }],
    [{ Domains: new Map([["a.example", { X: 1, Routes: [1] }]]) }, {
      domains: { ...none, changed: ["a.example"] },
      routes: true,
    }],
    [{ Routes: [1] }, { routes: true }],
    [{ WebHandlers: [1] }, { web: true }],
    [{ WebDomainRedirects: new Map([["a", "b"]]) }, { web: true }],
    [{ MonitorDNSBLs: ["x"] }, { monitorDNSBLs: true }],
  ];
  for (const [over, want] of cases) {
    const c = whatChanged(make(), make(over));
    assert.deepEqual(c, { ...same, ...want }, JSON.stringify(Object.keys(over)));
    assert.equal(isEmptyChange(c), false);
  }
});
