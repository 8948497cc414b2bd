/** Records, tags, macros and header fields of sender authentication, each at its edges. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { canonicalField, hashBody, relaxedField } from "../../src/senderauth/canonical.ts";
import { isDkimKeyRecord, parseDkimKey } from "../../src/senderauth/dkim_key.ts";
import { DkimSignatureError, parseDkimSignature } from "../../src/senderauth/dkim_signature.ts";
import { isDmarcRecord, parseDmarcRecord } from "../../src/senderauth/dmarc_record.ts";
import {
  isOwnResult,
  readAuthservId,
  stripForgedResults,
} from "../../src/senderauth/forged_results.ts";
import { bodyStart, fieldText, scanHeader, unfold } from "../../src/senderauth/header_fields.ts";
import { signedHeader, withoutSignatureValue } from "../../src/senderauth/signed_header.ts";
import { expandMacros, parseDomainSpec, parseMacroString } from "../../src/senderauth/spf_macro.ts";
import { isSpfRecord, parseSpfRecord } from "../../src/senderauth/spf_record.ts";
import { Srs } from "../../src/senderauth/srs.ts";
import {
  decodeBase64,
  parseDigits,
  parseTagList,
  withoutWhiteSpace,
} from "../../src/senderauth/tag_list.ts";

const bytes = (s: string) => Uint8Array.from(Buffer.from(s, "latin1"));
const text = (b: Uint8Array) => Buffer.from(b).toString("latin1");

/** The value, or the message of the error that is thrown. */
function result(fn: () => unknown): unknown {
  try {
    return fn();
  } catch (err) {
    return (err as Error).message;
  }
}

Deno.test("tag lists: white space, empty tags, names, one of each, a hundred", () => {
  const list = (s: string) => result(() => Object.fromEntries(parseTagList(s)));
  const cases: [string, unknown][] = [
    ["", {}],
    ["a=b", { a: "b" }],
    [" a = b c ;\r\n\tb=; ", { a: "b c", b: "" }],
    ["a=b=c;", { a: "b=c" }],
    ["A=1;a=2", { A: "1", a: "2" }],
    ["a_1=x", { a_1: "x" }],
    ["a=1;;b=2", "empty tag"],
    [";", "empty tag"],
    ["a=1; ;", "empty tag"],
    ["a", "tag without value"],
    ["=1", "tag without value"],
    [" =1", "tag without value"],
    ["1a=x", "bad tag name"],
    ["_a=x", "bad tag name"],
    ["a b=x", "bad tag name"],
    ["a-b=x", "bad tag name"],
    ["z=1;Z=2;@=3", "bad tag name"],
    ["[=1", "bad tag name"],
    ["a=1;a=2", "tag a twice"],
    [`${"a".repeat(64)}=1`, { ["a".repeat(64)]: "1" }],
    [`${"a".repeat(65)}=1`, "bad tag name"],
  ];
  for (const [s, want] of cases) assert.deepEqual(list(s), want, s);
  const many = (n: number) => Array.from({ length: n }, (_, i) => `a${i}=1`).join(";");
  assert.equal(parseTagList(many(100)).size, 100);
  assert.equal(parseTagList(`${many(99)};`).size, 99);
  assert.equal(list(many(101)), "too many tags");
  assert.equal(withoutWhiteSpace(" a\t b\r\n c "), "abc");
  assert.equal(withoutWhiteSpace(""), "");
  assert.deepEqual(decodeBase64(" Y W\r\nI= "), bytes("ab"));
  assert.equal(decodeBase64("!"), undefined);
  assert.deepEqual(
    ["0", "007", "123", "1234", "", "1a", "/", ":", "-1"].map((s) => parseDigits(s, 3)),
    [
      0,
      7,
      123,
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
      undefined,
    ],
  );
});

const hash = Buffer.alloc(32).toString("base64");
const good = {
  v: "1",
  a: "rsa-sha256",
  d: "Example.com",
  s: "Sel",
  b: "AAAA",
  bh: hash,
  h: "From : Subject",
};

function signature(over: Record<string, string | undefined>): unknown {
  const tags = Object.entries({ ...good, ...over }).filter(([, v]) => v !== undefined);
  try {
    return parseDkimSignature(tags.map(([k, v]) => `${k}=${v}`).join("; "));
  } catch (err) {
    assert.ok(err instanceof DkimSignatureError, String(err));
    return `${err.reason}: ${err.message}`;
  }
}

Deno.test("signature fields: each tag, what it may be and what not", () => {
  assert.deepEqual(signature({}), {
    algorithm: "rsa-sha256",
    signature: new Uint8Array(3),
    bodyHash: new Uint8Array(32),
    headerForm: "simple",
    bodyForm: "simple",
    domain: "example.com",
    headers: ["from", "subject"],
    bodyLength: undefined,
    selector: "sel",
    signedAt: undefined,
    expiresAt: undefined,
    identity: "@example.com",
    identityDomain: "example.com",
  });
  const part = (over: Record<string, string>, key: string) =>
    (signature(over) as Record<string, unknown>)[key];
  assert.equal(part({ c: "relaxed" }, "headerForm"), "relaxed");
  assert.equal(part({ c: "relaxed" }, "bodyForm"), "simple");
  assert.equal(part({ c: "SIMPLE/Relaxed" }, "bodyForm"), "relaxed");
  assert.equal(part({ l: "12" }, "bodyLength"), 12);
  assert.equal(part({ t: "5", x: "5" }, "expiresAt"), 5);
  assert.equal(part({ t: "123456789012" }, "signedAt"), 123456789012);
  assert.equal(part({ x: "123456789012" }, "expiresAt"), 123456789012);
  assert.equal(part({ i: "a b@Sub.example.com" }, "identityDomain"), "sub.example.com");
  assert.equal(part({ a: "ED25519-sha256" }, "algorithm"), "ed25519-sha256");
  assert.equal(part({ q: "x: dns/TXT" }, "domain"), "example.com");
  const cases: [Record<string, string | undefined>, string][] = [
    [{ v: "2" }, "syntax: version is not 1"],
    [{ v: undefined }, "syntax: version is not 1"],
    [{ a: "rsa-sha1" }, "policy: rsa-sha1 proves nothing"],
    [{ a: "x" }, "syntax: unknown algorithm"],
    [{ d: "com" }, "syntax: d= is no domain"],
    [{ d: undefined }, "syntax: d= is no domain"],
    [{ d: "a b!.example" }, "syntax: d= is no domain"],
    [{ s: undefined }, "syntax: s= is no selector"],
    [{ s: "a/b" }, "syntax: s= is no selector"],
    [{ b: "" }, "syntax: b= is no signature"],
    [{ b: "!" }, "syntax: b= is no signature"],
    [{ bh: "AAAA" }, "syntax: bh= is no SHA-256 hash"],
    [{ c: "strict" }, "syntax: unknown canonical form"],
    [{ c: "simple/strict" }, "syntax: unknown canonical form"],
    [{ c: "/simple" }, "syntax: unknown canonical form"],
    [{ h: "subject" }, "syntax: From is not signed"],
    [{ h: "from::to" }, "syntax: h= has an empty name"],
    [{ h: undefined }, "syntax: h= has an empty name"],
    [{ h: `from${":x".repeat(1000)}` }, "syntax: h= has too many names"],
    [{ l: "x" }, "syntax: l= is no number"],
    [{ l: "1234567890123456" }, "syntax: l= is no number"],
    [{ t: "1234567890123" }, "syntax: t= is no number"],
    [{ x: "1234567890123" }, "syntax: x= is no number"],
    [{ t: "6", x: "5" }, "syntax: x= is before t="],
    [{ i: "example.com" }, "syntax: i= is not under d="],
    [{ i: "@example.org" }, "syntax: i= is not under d="],
    [{ i: "@badexample.com" }, "syntax: i= is not under d="],
    [{ q: "dns" }, "syntax: unknown query method"],
    [{ z: "a;a=b" }, "syntax: tag a twice"],
  ];
  for (const [over, want] of cases) assert.equal(signature(over), want, JSON.stringify(over));
  assert.equal(
    (signature({ h: `from${":x".repeat(999)}` }) as { headers: string[] }).headers.length,
    1000,
  );
  assert.equal(signature({ z: "x".repeat(16_384) }), "syntax: signature field too long");
});

Deno.test("key records: which TXT records are some, and what is wrong with others", () => {
  const cases: [string, boolean][] = [
    ["v=DKIM1; p=AAAA", true],
    ["v = DKIM1;p=", true],
    ["p=AAAA", true],
    ["k=rsa; p=AAAA", true],
    ["v=spf1 -all", false],
    ["xp=AAAA", false],
    ["hello", false],
  ];
  for (const [record, is] of cases) assert.equal(isDkimKeyRecord(record), is, record);
  const failing: [string, string][] = [
    ["v=DKIM2; p=AAAA", "key record has another version"],
    ["p=AAAA; v=DKIM1", "key record has another version"],
    ["k=dsa; p=AAAA", "unknown key type"],
    ["v=DKIM1", "key record without key"],
    ["p=", "key was revoked"],
    ["p=!", "key is not base64"],
    ["p=AAAA", "not an RSA key"],
    ["k=ed25519; p=AAAA", "Ed25519 key is not of 32 bytes"],
    ["p=AAAA; p=AAAA", "key record: tag p twice"],
    [`p=${"A".repeat(8200)}`, "key record too long"],
  ];
  for (const [record, why] of failing) {
    assert.equal(result(() => parseDkimKey(record)), why, record);
  }
  const ed = "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=";
  const key = (rest: string) => {
    const { type, bits, hashes, testing, strictIdentity, forMail } = parseDkimKey(
      `k=ed25519; p=${ed}${rest}`,
    );
    return [type, bits, hashes, testing, strictIdentity, forMail];
  };
  assert.deepEqual(key(""), ["ed25519", 256, undefined, false, false, true]);
  assert.deepEqual(key("; t=y:S; h=SHA256 : x; s=email"), [
    "ed25519",
    256,
    ["sha256", "x"],
    true,
    true,
    true,
  ]);
  assert.deepEqual(key("; s=tlsrpt"), ["ed25519", 256, undefined, false, false, false]);
  assert.deepEqual(key("; s=x:*; t=s"), ["ed25519", 256, undefined, false, true, true]);
});

Deno.test("DMARC records: every tag, its default, and what counts as not given", () => {
  for (
    const [record, is] of [
      ["v=DMARC1", true],
      [" v = DMARC1 ;p=none", true],
      ["v=dmarc1; p=none", false],
      ["v=DMARC12; p=none", false],
      ["p=none; v=DMARC1", false],
    ] as const
  ) assert.equal(isDmarcRecord(record), is, record);
  const defaults = {
    policy: "reject",
    subdomainPolicy: undefined,
    nonexistentPolicy: undefined,
    strictDkim: false,
    strictSpf: false,
    percentage: 100,
    failureOptions: ["0"],
    aggregateReports: [],
    failureReports: [],
    reportInterval: 86400,
    psd: "u",
    testing: false,
  };
  const cases: [string, object | undefined][] = [
    ["p=reject", defaults],
    ["p=Reject; p=none", defaults],
    ["P = reject", defaults],
    ["p=none; sp=quarantine; np=reject", {
      ...defaults,
      policy: "none",
      subdomainPolicy: "quarantine",
      nonexistentPolicy: "reject",
    }],
    ["p=reject; adkim=s; aspf=S", { ...defaults, strictDkim: true, strictSpf: true }],
    ["p=reject; adkim=r; aspf=x", defaults],
    ["p=reject; pct=0", { ...defaults, percentage: 0 }],
    ["p=reject; pct=100", defaults],
    ["p=reject; pct=101", defaults],
    ["p=reject; pct=50", { ...defaults, percentage: 50 }],
    ["p=reject; pct=x", defaults],
    ["p=reject; fo=1:D:x:s", { ...defaults, failureOptions: ["1", "d", "s"] }],
    ["p=reject; ri=3600", { ...defaults, reportInterval: 3600 }],
    ["p=reject; ri=12345678901", defaults],
    ["p=reject; psd=Y; t=Y", { ...defaults, psd: "y", testing: true }],
    ["p=reject; psd=n; t=n", { ...defaults, psd: "n" }],
    ["p=reject; psd=z", defaults],
    ["p=reject; nonsense; x=y", defaults],
    ["p=wrong", undefined],
    ["sp=reject", undefined],
    ["p=wrong; rua=mailto:a@x.example", {
      ...defaults,
      policy: "none",
      aggregateReports: [{ uri: "mailto:a@x.example" }],
    }],
    ["p=reject; rua=mailto:a@x!10k , mailto:b@x!2M,mailto:c@x!3,mailto:d@x!x,:e,f:", {
      ...defaults,
      aggregateReports: [
        { uri: "mailto:a@x", maxSize: 10 * 1024 },
        { uri: "mailto:b@x", maxSize: 2 * 1024 * 1024 },
        { uri: "mailto:c@x", maxSize: 3 },
        { uri: "mailto:d@x" },
      ],
    }],
    ["p=reject; ruf=mailto:a@x", { ...defaults, failureReports: [{ uri: "mailto:a@x" }] }],
  ];
  for (const [record, want] of cases) {
    const made = parseDmarcRecord(`v=DMARC1; ${record}`);
    assert.deepEqual(made, want && { ...want, text: `v=DMARC1; ${record}` }, record);
  }
  const uris = Array.from({ length: 25 }, (_, i) => `mailto:${i}@x`).join();
  assert.equal(parseDmarcRecord(`v=DMARC1; p=none; rua=${uris}`)!.aggregateReports.length, 20);
  const long = (n: number) => parseDmarcRecord("v=DMARC1; p=none; x=".padEnd(n, "y"));
  assert.ok(long(16_384));
  assert.equal(long(16_385), undefined);
});

Deno.test("SPF records: terms and what is wrong with others", () => {
  for (
    const [record, is] of [
      ["v=spf1", true],
      ["V=SPF1 -all", true],
      ["v=spf10", false],
      ["v=spf1\t-all", false],
      [" v=spf1", false],
    ] as const
  ) assert.equal(isSpfRecord(record), is, record);
  const record = parseSpfRecord(
    "v=spf1  a mx/24 a:x.example/20//64 mx//96 ip4:192.0.2.0/25 ip6:2001:db8::/32 ip4:192.0.2.1 " +
      "include:i.example exists:%{i}.e.example ptr ptr:p.example redirect=r.example exp=e.example x=y%% ~all",
  );
  const { directives } = record;
  assert.deepEqual(directives.map((d) => d.qualifier), [..."++++++++++", "+", "~"]);
  const net = (a: string) => Uint8Array.from(a.split("."), Number);
  assert.deepEqual(directives.slice(0, 5).map((d) => d.mechanism), [
    { name: "a", ip4Bits: 32, ip6Bits: 128 },
    { name: "mx", ip4Bits: 24, ip6Bits: 128 },
    { name: "a", domain: ["x.example"], ip4Bits: 20, ip6Bits: 64 },
    { name: "mx", ip4Bits: 32, ip6Bits: 96 },
    { name: "ip4", network: net("192.0.2.0"), bits: 25 },
  ]);
  assert.deepEqual(directives.slice(6).map((d) => d.mechanism.name), [
    "ip4",
    "include",
    "exists",
    "ptr",
    "ptr",
    "all",
  ]);
  assert.deepEqual([record.redirect, record.explanation], [["r.example"], ["e.example"]]);
  assert.deepEqual(record.other, [{ name: "x", value: "y%%" }]);
  for (const [term, bits] of [["a/0", 0], ["a/32", 32], ["a//0", 32], ["a//128", 32]] as const) {
    const m = parseSpfRecord(`v=spf1 ${term}`).directives[0].mechanism;
    assert.equal("ip4Bits" in m && m.ip4Bits, bits, term);
  }
  for (
    const term of [
      ...[
        "a/33",
        "a//129",
        "a/",
        "a//",
        "a/1000",
        "a/x",
        "a/-1",
        "ax",
        "all:x",
        "all/1",
        "include",
        "include:",
      ],
      ...[
        "include/x",
        "exists",
        "ip4",
        "ip4:",
        "ip4:1.2.3",
        "ip4:1.2.3.4/33",
        "ip4:1.2.3.4/",
        "ip6:::/129",
      ],
      ...[
        "ip6:1.2.3.4",
        "ip4:::",
        "ptr/x",
        "mx/24x",
        "-redirect=x.example",
        "redirect=",
        "redirect=x",
      ],
      ...[
        "1a",
        "-",
        "=x",
        "exp=x.example exp=x.example",
        "redirect=x.example redirect=y.example",
        "a:x",
        "a:%{z}.x",
      ],
    ]
  ) assert.throws(() => parseSpfRecord(`v=spf1 ${term}`), { name: "SpfSyntaxError" }, term);
  assert.throws(() => parseSpfRecord("v=spf1 x=".padEnd(16_385, "y")), /record too long/);
  assert.equal(parseSpfRecord("v=spf1 x=".padEnd(16_384, "y")).other.length, 1);
});

Deno.test("macros of SPF: letters, parts, reversal, delimiters, escapes, length", async () => {
  const values: Record<string, string> = {
    s: "strong-bad@email.example.com",
    l: "strong-bad",
    d: "email.example.com",
    i: "192.0.2.3",
    v: "in-addr",
    c: "a b/ü~.-_",
  };
  const expand = (s: string, explanation = false, max?: number) =>
    expandMacros(parseMacroString(s, explanation), (l) => values[l] ?? l, max);
  const cases: [string, string][] = [
    ["", ""],
    ["a%%b%_c%-d", "a%b c%20d"],
    ["%{s}", "strong-bad@email.example.com"],
    ["%{d4}", "email.example.com"],
    ["%{d2}", "example.com"],
    ["%{d1}", "com"],
    ["%{dr}", "com.example.email"],
    ["%{d2r}", "example.email"],
    ["%{D1R}", "email"],
    ["%{l-}", "strong.bad"],
    ["%{lr-}", "bad.strong"],
    ["%{l1r-}", "strong"],
    ["%{ir}.%{v}._spf", "3.2.0.192.in-addr._spf"],
    ["%{d.-+,/_=}", "email.example.com"],
  ];
  for (const [s, want] of cases) assert.equal(await expand(s), want, s);
  assert.equal(await expand("%{C}", true), "a%20b%2F%C3%BC~.-_");
  assert.equal(await expand("%{c} x", true), "a b/ü~.-_ x");
  for (
    const bad of [
      "%",
      "%x",
      "%{",
      "%{}",
      "%{z}",
      "%{c}",
      "%{d0}",
      "%{dx}",
      "%{d2r!}",
      "%{d2x}",
      "a b",
      "a\x7f",
      "a\tb",
    ]
  ) {
    assert.throws(() => parseMacroString(bad, false), { name: "SpfSyntaxError" }, bad);
  }
  assert.throws(() => parseMacroString("a\x1fb", true), { name: "SpfSyntaxError" });
  // Kept from the right, once it is four times as long as may be.
  assert.equal((await expand("%{s}".repeat(100), false, 100)).length < 500, true);
  assert.equal(await expand("0123456789".repeat(5), false, 10), "0123456789");
  assert.equal(await expand("0123456789".repeat(4), false, 10), "0123456789".repeat(4));
  assert.equal((await expand("x".repeat(8001))).length, 2000);
  for (
    const spec of [
      "x.example",
      "x.example.",
      "%{d}",
      "a.b%{d}",
      "x.a1",
      "a.b-c",
      "a%%",
      "%_",
      "a%-",
    ]
  ) {
    assert.ok(parseDomainSpec(spec).length > 0, spec);
  }
  for (const spec of ["", "x", "x.", "x.123", "x.-a", "x.a-", "x.a_b", "x..", "%{d}x"]) {
    assert.throws(() => parseDomainSpec(spec), { name: "SpfSyntaxError" }, spec);
  }
});

Deno.test("headers are cut into fields; more than the bounds is told", () => {
  const header = bytes("A: 1\r\n b\r\njunk\r\n x\r\n: y\r\nB :2\r\n\r\nC: 3\r\n");
  const h = scanHeader(header);
  assert.deepEqual(
    h.fields.map((f) => [f.name, fieldText(h, f), text(h.bytes.subarray(f.start, f.end))]),
    [
      ["a", "1 b", "A: 1\r\n b\r\n"],
      ["b", "2", "B :2\r\n"],
    ],
  );
  assert.equal(h.overflow, false);
  assert.deepEqual(scanHeader(bytes(" A: 1\r\nB: 2")).fields.map((f) => f.name), ["b"]);
  const two = bytes("A: 1\r\nB: 2\r\n");
  assert.deepEqual([scanHeader(two, 2).overflow, scanHeader(two, 1).overflow], [false, true]);
  assert.equal(scanHeader(two, 1).fields.length, 1);
  assert.deepEqual([scanHeader(two, 9, 12).overflow, scanHeader(two, 9, 11).overflow], [
    false,
    true,
  ]);
  const starts: [string, number][] = [
    ["", 0],
    ["\r\nx", 2],
    ["A: 1\r\n\r\nx", 8],
    ["A: 1\n\r\nx", 7],
    ["A: 1\n\nx", 7],
    ["A: 1\r\n", 6],
    ["\rx", 2],
  ];
  for (const [s, at] of starts) assert.equal(bodyStart(bytes(s)), at, JSON.stringify(s));
  assert.equal(unfold(" a\r\n b "), "a b");
});

Deno.test("a signature takes the last fields of each name, and signs that there are no more", () => {
  const h = scanHeader(bytes("A: 1\r\nB: 2\r\nA: 3\r\n"));
  const signed = signedHeader(h);
  const chosen = (...names: string[]) => signed.select(names).map((f) => fieldText(h, f));
  assert.deepEqual(chosen("a", "b", "a", "a", "c"), ["3", "2", "1"]);
  assert.deepEqual(chosen("a"), ["3"]);
  assert.deepEqual([signed.count("a"), signed.count("c")], [2, 0]);
  const first = signed.canonical(h.fields[0], "relaxed");
  assert.equal(text(first), "a:1\r\n");
  assert.equal(signed.canonical(h.fields[0], "relaxed"), first, "made once");
  assert.equal(text(signed.canonical(h.fields[0], "simple")), "A: 1\r\n");
  const without = (s: string) => text(withoutSignatureValue(bytes(s)));
  const cases: [string, string][] = [
    ["D: a=1; b=XY; c=2\r\n", "D: a=1; b=; c=2"],
    ["D: a=1; b=XY\r\n", "D: a=1; b="],
    ["D: b=XY\n", "D: b="],
    ["D: b = X Y ;c\r\n", "D: b =;c"],
    ["D: bh=b;\tb\t=x\r\n", "D: bh=b;\tb\t="],
    ["D: bh=XY\r\n", "D: bh=XY"],
    ["D: a=b=1; c\r\n", "D: a=b=1; c"],
    ["D: b\r\n", "D: b"],
    ["D: b=1", "D: b="],
    ["no colon b=1", "no colon b=1"],
    ["D: b=1; b=2\r\n", "D: b=; b=2"],
    ["\n", "\n"],
  ];
  for (const [s, want] of cases) assert.equal(without(s), want, JSON.stringify(s));
});

Deno.test("fields in canonical form", () => {
  const relaxed: [string, string][] = [
    ["SUBJect : A  b\t c \r\n", "subject:A b c\r\n"],
    ["A:\r\n", "a:\r\n"],
    ["A: 1\r\n\t2\r\n", "a:1 2\r\n"],
    ["A: 1\n 2", "a:1 2\r\n"],
    ["A: 1\r2\r\n", "a:1\r2\r\n"],
    ["@[Z: x", "@[z:x\r\n"],
    ["A\r\n : x", "a:x\r\n"],
  ];
  for (const [s, want] of relaxed) {
    assert.equal(text(relaxedField(bytes(s))), want, JSON.stringify(s));
  }
  const h = scanHeader(bytes("A:  1 "));
  assert.equal(text(canonicalField(h, h.fields[0], "simple")), "A:  1 \r\n");
});

Deno.test("lengths of bodies: to the byte, with all lines, and what is complete", async () => {
  const of = async (body: string, form: "simple" | "relaxed", length?: number, piece = 1000) => {
    const all = bytes(body);
    const source = {
      size: all.length,
      read: (at: number, n: number) => Promise.resolve(all.subarray(at, at + Math.min(n, piece))),
    };
    const [h] = await hashBody(source, 0, [{ form, length }]);
    return [h.canonicalLength, h.complete];
  };
  for (const piece of [1, 2, 3, 1000]) {
    assert.deepEqual(await of("ab\r\n\r\n", "simple", undefined, piece), [4, true]);
    assert.deepEqual(await of("ab\r\n", "simple", 4, piece), [4, true]);
    assert.deepEqual(await of("ab\r\n", "simple", 3, piece), [4, false]);
    assert.deepEqual(await of("ab\r\n", "simple", 5, piece), [4, true]);
    assert.deepEqual(await of("ab\r\n", "simple", 0, piece), [4, false]);
    assert.deepEqual(await of("a  \t b \r\n\r\n", "relaxed", undefined, piece), [5, true]);
    assert.deepEqual(await of("a\r", "simple", undefined, piece), [4, true]);
    assert.deepEqual(await of("a \r", "relaxed", undefined, piece), [5, true]);
    assert.deepEqual(await of("\r\n\r\n", "relaxed", undefined, piece), [0, true]);
    assert.deepEqual(await of("\r\n\r\na", "relaxed", undefined, piece), [7, true]);
    assert.deepEqual(await of("\r\n\r\n\r\na\r\n", "relaxed", undefined, piece), [9, true]);
    assert.deepEqual(await of("", "simple", undefined, piece), [2, true]);
    assert.deepEqual(await of("", "relaxed", undefined, piece), [0, true]);
  }
  const lines = (n: number) => "\r\n".repeat(n) + "x";
  for (const n of [4095, 4096, 4097, 9000]) {
    for (const form of ["simple", "relaxed"] as const) {
      assert.deepEqual(
        await of(lines(n), form, undefined, 1 << 16),
        [2 * n + 3, true],
        `${form} ${n}`,
      );
    }
  }
});

Deno.test("results that claim to be ours are found, however they are written", () => {
  const ours = "mx.ours.example";
  const found = (field: string) =>
    stripForgedResults(bytes(`X: 1\r\n${field}\r\nY: 2\r\n`), ours).length === 1;
  const cases: [string, boolean][] = [
    ["Authentication-Results: mx.ours.example; spf=pass", true],
    ["authentication-results : MX.Ours.Example.; spf=pass", true],
    ["Authentication-Results: (c (d) \\) e) mx.ours.example 1; x", true],
    ['Authentication-Results: "mx.ours.exampl\\e"; x', true],
    ["Authentication-Results: mx.other.example; mx.ours.example", false],
    ['Authentication-Results: "mx.ours.example', true],
    ["Authentication-Results: (mx.ours.example", true],
    ["Authentication-Results: ;", false],
    ["Received-SPF: pass receiver=mx.ours.example", true],
    ['Received-SPF: pass; Receiver="mx.ours.example";', true],
    ["Received-SPF: pass (x)receiver=mx.ours.example", true],
    ["Received-SPF: receiver=mx.ours.example", true],
    ["Received-SPF: pass receiver=mx.other.example", false],
    ["Received-SPF: pass xreceiver=mx.ours.example receiver=mx.other.example", false],
    ["Received-SPF: pass xreceiver=a receiver=mx.ours.example", true],
    ["Received-SPF: pass for mx.ours.example", true],
    ["Received-SPF: pass", false],
    ["X-Received-SPF: receiver=mx.ours.example", false],
  ];
  for (const [field, is] of cases) assert.equal(found(field), is, field);
  assert.deepEqual(
    stripForgedResults(
      bytes("A: 1\r\nReceived-SPF: x receiver=mx.ours.example\r\n y\r\nB: 2"),
      ours,
    ),
    [
      { start: 6, end: 52 },
    ],
  );
  assert.equal(isOwnResult("mx.OURS.example; x", ours), true);
  assert.equal(isOwnResult("other; mx.ours.example", ours), false);
  assert.equal(isOwnResult('"mx.ours.example', ours), true);
  assert.equal(readAuthservId(" \t(a)x;y"), "x");
  assert.equal(readAuthservId("x(y)"), "x");
  assert.equal(readAuthservId('""'), "");
});

Deno.test("rewritten senders: for three weeks to the day, of 64 characters at most", () => {
  const day = 24 * 3600_000;
  let now = 1000 * day;
  const srs = new Srs(new Uint8Array(32).fill(1), () => now);
  const sender = { localpart: "a=b", domain: "X.example" };
  const made = srs.rewrite(sender)!;
  assert.match(made, /^SRS0=[a-z2-7]{8}=[a-z2-7]{2}=x\.example=a=b$/);
  const age = (days: number) => {
    now = (1000 + days) * day;
    return srs.original(made)?.localpart;
  };
  assert.deepEqual([0, 20, 21].map(age), ["a=b", "a=b", "a=b"]);
  assert.deepEqual([22, 30, 1024 - 2].map(age), [undefined, undefined, undefined]);
  assert.equal(age(-1), "a=b", "a clock that was put back");
  assert.equal(age(-2), undefined);
  now = 1000 * day;
  assert.deepEqual(srs.original(made.toUpperCase().replace("=", "+")), {
    localpart: "A=B",
    domain: "X.EXAMPLE",
  });
  const length = (n: number) =>
    srs.rewrite({ localpart: "l".repeat(n), domain: "x.example" })?.length;
  assert.equal(length(64 - made.length + 3), 64);
  assert.equal(length(64 - made.length + 4), undefined);
  assert.equal(srs.rewrite({ localpart: "ü".repeat(20), domain: "x.example" }), undefined);
  for (
    const bad of [
      "",
      "a",
      "SRS0=",
      "SRS0=aaaaaaaa=",
      made.slice(1),
      made.replace("a=b", "a=c"),
      `${made}x`,
    ]
  ) {
    assert.equal(srs.original(bad), undefined, bad);
  }
});
