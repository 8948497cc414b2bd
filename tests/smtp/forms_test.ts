/** What SMTP says in lines: answers, capabilities, parameters, paths, trace fields, and the dots of messages. */
import assert from "node:assert/strict";
import { Log } from "../../src/log/mod.ts";
import { parseExtensions } from "../../src/smtp/client/extensions.ts";
import { DataEncoder } from "../../src/smtp/client/output.ts";
import {
  asciiDomainAddress,
  mailCommand,
  needsUtf8,
  rcptCommand,
  transactionNeedsUtf8,
  xtext,
} from "../../src/smtp/client/parameters.ts";
import { maxReplyLines, ReplyError, ReplyParser, replyText } from "../../src/smtp/client/reply.ts";
import type { Envelope } from "../../src/smtp/client/types.ts";
import type { SmtpSession, Transaction } from "../../src/smtp/server/backend.ts";
import { DataReader } from "../../src/smtp/server/data_reader.ts";
import {
  formatReply,
  sequenceError,
  SmtpError,
  syntaxError,
} from "../../src/smtp/server/errors.ts";
import { Faults, noFaults } from "../../src/smtp/server/faults.ts";
import {
  isDigits,
  parseDateTime,
  parseNumber,
  parseParameters,
  parseUtf8Xtext,
  parseXtext,
} from "../../src/smtp/server/parameters.ts";
import {
  parseDomain,
  parseDomainOrLiteral,
  parsePath,
  type PathOptions,
} from "../../src/smtp/server/path.ts";
import { receivedHeader, returnPathHeader } from "../../src/smtp/server/trace_headers.ts";

const bytes = (s: string) => new TextEncoder().encode(s);
const text = (b: Uint8Array) => new TextDecoder().decode(b);

/** The value, or code and text of the refusal. */
function result(fn: () => unknown): unknown {
  try {
    return fn();
  } catch (err) {
    if (err instanceof SmtpError && err.name === "SmtpError") {
      return `${err.code} ${err.enhanced} ${err.message}`;
    }
    return (err as Error).message;
  }
}

Deno.test("answers of servers: lines, codes, enhanced codes, and what is none", () => {
  const read = (...lines: string[]) => {
    const p = new ReplyParser();
    try {
      for (const l of lines.slice(0, -1)) assert.equal(p.push(bytes(l)), undefined);
      const r = p.push(bytes(lines.at(-1)!));
      return r && [r.code, r.enhanced, r.lines];
    } catch (err) {
      assert.ok(err instanceof ReplyError, String(err));
      return err.message;
    }
  };
  const cases: [string[], unknown][] = [
    [["250 ok"], [250, "", ["ok"]]],
    [["250"], [250, "", [""]]],
    [["250-a", "250 b"], [250, "", ["a", "b"]]],
    [["250-2.1.0 a", "250 2.1.5 b"], [250, "2.1.0", ["a", "b"]]],
    [["550 5.123.456  x"], [550, "5.123.456", ["x"]]],
    [["550 5.1.1"], [550, "5.1.1", [""]]],
    [["550 4.1.1 x"], [550, "", ["4.1.1 x"]]],
    [["550 5.1234.1 x"], [550, "", ["5.1234.1 x"]]],
    [["550 5.1 x"], [550, "", ["5.1 x"]]],
    [["550 5.1.1x"], [550, "", ["5.1.1x"]]],
    [["350 3.1.1 x"], [350, "", ["3.1.1 x"]]],
    [["250 a\x01\tb\x7f "], [250, "", ["a  b"]]],
    [["599 x"], [599, "", ["x"]]],
    [["200 x"], [200, "", ["x"]]],
    [["199 x"], 'not an SMTP answer: "199 x"'],
    [["600 x"], 'not an SMTP answer: "600 x"'],
    [["25 x"], 'not an SMTP answer: "25 x"'],
    [["2a0 x"], 'not an SMTP answer: "2a0 x"'],
    [["250x"], 'not an SMTP answer: "250x"'],
    [[""], 'not an SMTP answer: ""'],
    [["250-a", "251 b"], "codes 250 and 251 in one SMTP answer"],
  ];
  for (const [lines, want] of cases) assert.deepEqual(read(...lines), want, lines.join());
  const many = (n: number) => read(...Array(n - 1).fill("250-a"), "250 b");
  assert.equal((many(maxReplyLines) as unknown[][])[2].length, 200);
  assert.equal(many(maxReplyLines + 1), "SMTP answer with too many lines");
  const long = read(...Array(20).fill(`250-${"x".repeat(1000)}`), "250 y") as unknown[][];
  assert.equal(long[2].length, 16, "16 KiB of text");
  const p = new ReplyParser();
  p.push(bytes("250-2.0.0 a"));
  p.push(bytes("250 b"));
  assert.deepEqual(
    p.push(bytes("451 c")),
    { code: 451, enhanced: "", lines: ["c"] },
    "ready for the next one",
  );
  assert.equal(replyText({ code: 1, enhanced: "", lines: ["a", "", "b"] }), "a b");
  assert.equal(replyText({ code: 1, enhanced: "", lines: ["x".repeat(3000)] }).length, 2000);
});

Deno.test("capabilities: each word, its numbers, and what isn't known", () => {
  const e = parseExtensions([
    "mx.example at your service",
    ..."starttls PIPELINING 8BITMIME SMTPUTF8 CHUNKING BINARYMIME DSN REQUIRETLS ENHANCEDSTATUSCODES"
      .split(" "),
    ...[
      "SIZE 1000",
      "FUTURERELEASE 60 x",
      "AUTH PLAIN  login",
      "AUTH=LOGIN CRAM-MD5",
      "X-OTHER",
      "",
    ],
    "LIMITS RCPTMAX=5 MAILMAX=0 RCPTDOMAINMAX=x MAILMAX=7 OTHER=1 RCPTDOMAINMAX",
  ]);
  assert.deepEqual(e, {
    extended: true,
    name: "mx.example",
    starttls: true,
    pipelining: true,
    eightBitMime: true,
    smtpUtf8: true,
    chunking: true,
    binaryMime: true,
    dsn: true,
    requireTls: true,
    enhancedStatusCodes: true,
    size: 1000,
    futureRelease: 60,
    deliverBy: undefined,
    auth: ["PLAIN", "LOGIN", "CRAM-MD5"],
    limits: { rcptMax: 5, mailMax: 7, rcptDomainMax: Infinity },
  });
  const none = parseExtensions([]);
  assert.deepEqual([none.name, none.starttls, none.size, none.futureRelease, none.auth], [
    "",
    false,
    undefined,
    undefined,
    [],
  ]);
  for (const bad of ["SIZE", "SIZE x", "SIZE -1", "SIZE 1234567890123456"]) {
    assert.equal(parseExtensions(["x", bad]).size, 0, bad);
  }
});

Deno.test("MAIL and RCPT as a client writes them", () => {
  const all = parseExtensions(["x", "SIZE", "DSN", "SMTPUTF8"]);
  const few = parseExtensions(["x"]);
  const e: Envelope = {
    mailFrom: "a@x.example",
    recipients: [],
    size: 5,
    body: "7bit",
    smtpUtf8: false,
  };
  assert.equal(mailCommand(e, few), "MAIL FROM:<a@x.example>");
  assert.equal(mailCommand({ ...e, ret: "full", envelopeId: "x" }, few), "MAIL FROM:<a@x.example>");
  assert.equal(
    mailCommand({ ...e, body: "8bit", requireTls: true, ret: "hdrs", envelopeId: "a+b =ü" }, all),
    "MAIL FROM:<a@x.example> SIZE=5 BODY=8BITMIME REQUIRETLS RET=HDRS ENVID=a+2Bb+20+3D+C3+BC",
  );
  assert.equal(
    mailCommand({ ...e, body: "binary", smtpUtf8: true }, few),
    "MAIL FROM:<a@x.example> BODY=BINARYMIME SMTPUTF8",
  );
  assert.equal(
    mailCommand({ ...e, mailFrom: "a@bücher.example" }, few),
    "MAIL FROM:<a@xn--bcher-kva.example>",
  );
  assert.equal(
    mailCommand({ ...e, mailFrom: "ü@bücher.example" }, few),
    "MAIL FROM:<ü@bücher.example> SMTPUTF8",
  );
  assert.equal(transactionNeedsUtf8({ ...e, recipients: [{ address: "ü@x" }] }), true);
  assert.equal(transactionNeedsUtf8({ ...e, recipients: [{ address: "a@ü" }] }), false);
  assert.deepEqual(["", "ü", "a@ü", "ü@a"].map(needsUtf8), [false, false, false, true]);
  assert.deepEqual(["", "a@x", "ü@x", "a@ü.x"].map(asciiDomainAddress), [
    "",
    "a@x",
    "ü@x",
    "a@xn--tda.x",
  ]);
  const r = {
    address: "a@ü.x",
    notify: ["success", "delay"] as const,
    originalRecipient: { type: "rfc822", address: "o+1@x" },
  };
  assert.equal(
    rcptCommand(r, false, all),
    "RCPT TO:<a@xn--tda.x> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;o+2B1@x",
  );
  assert.equal(rcptCommand(r, true, few), "RCPT TO:<a@ü.x>");
  assert.equal(rcptCommand({ address: "a@x", notify: [] }, false, all), "RCPT TO:<a@x>");
  assert.equal(
    rcptCommand(
      { address: "a@x", originalRecipient: { type: "utf-8", address: "ü\\ a+=@x" } },
      false,
      all,
    ),
    "RCPT TO:<a@x> ORCPT=utf-8;\\x{FC}\\x{5C}\\x{20}a\\x{2B}\\x{3D}@x",
  );
  assert.equal(xtext("!~ \x7f"), "!~+20+7F");
});

Deno.test("parameters as a server reads them", () => {
  const read = (s: string) =>
    result(() => Object.fromEntries(parseParameters(s, ["SIZE", "BODY", "X-1"])));
  const cases: [string, unknown][] = [
    ["", {}],
    [" size=5  BODY=8BITMIME x-1", { SIZE: "5", BODY: "8BITMIME", "X-1": undefined }],
    [" SIZE=a=b", { SIZE: "a=b" }],
    ["SIZE=5", "501 5.2 space expected after address"],
    [" SIZE=", "501 5.4 value of SIZE expected"],
    [" SIZE=1 size=2", "501 5.4 parameter SIZE given twice"],
    [" OTHER=1", "555 5.4 parameter OTHER is not known"],
    [" =1", "501 5.4 parameter name expected"],
    [" -A=1", "501 5.4 parameter name expected"],
    [" A_B", "501 5.4 parameter name expected"],
    [" @", "501 5.4 parameter name expected"],
    [" [", "501 5.4 parameter name expected"],
    [" 9Z", "555 5.4 parameter 9Z is not known"],
    [` ${"A".repeat(60)}`, `555 5.4 parameter ${"A".repeat(50)} is not known`],
  ];
  for (const [s, want] of cases) assert.deepEqual(read(s), want, s);
  const n = (s: string | undefined, max?: number) => result(() => parseNumber(s, "N", max));
  assert.deepEqual(["0", "007", "9007199254740991"].map((s) => n(s)), [0, 7, 9007199254740991]);
  assert.equal(n("9007199254740992"), Infinity);
  assert.equal(n("9".repeat(20)), Infinity);
  for (const bad of [undefined, "", "-1", "1.5", "x", "9".repeat(21), "/", ":"]) {
    assert.equal(n(bad), "501 5.4 number expected for N", bad);
  }
  assert.equal(n("1234", 3), "501 5.4 number expected for N");
  assert.deepEqual(["", "0", "9a"].map(isDigits), [false, true, false]);
  const x = (s: string | undefined, utf8 = false) => result(() => parseXtext(s, "X", utf8));
  assert.equal(x("a+2Bb+20+0A!~"), "a+b \n!~");
  assert.equal(x("+FF"), "\xff");
  for (const bad of ["+2", "+", "+2b", "+GG", "+/0", "+:0", "+@0"]) {
    assert.equal(x(bad), "501 5.4 +hh expected in X", bad);
  }
  for (const bad of ["a b", "a=b", "a\x7f", "ü", "a\u009f"]) {
    assert.equal(x(bad), "501 5.4 characters in X that can't be used", bad);
  }
  assert.equal(x("ü\u00a0", true), "ü\u00a0");
  assert.equal(x("a\u009f", true), "501 5.4 characters in X that can't be used");
  assert.equal(x(undefined), "501 5.4 value of X expected");
  const lenient = (s: string) => result(() => parseXtext(s, "X", false, true));
  assert.equal(lenient("a+2B+2b=+g+1"), "a++=+g+1");
  assert.equal(lenient("a b"), "501 5.4 characters in X that can't be used");
  const u = (s: string) => result(() => parseUtf8Xtext(s, "X"));
  assert.equal(u("a\\x{FC}\\x{1f600}\\y"), "aü😀\\y");
  assert.equal(u("\\x{10FFFF}"), "\u{10ffff}");
  assert.equal(u("\\x{E000}\\x{D7FF}"), "\ue000\ud7ff");
  for (
    const bad of [
      "\\x{}",
      "\\x{110000}",
      "\\x{D800}",
      "\\x{DFFF}",
      "\\x{FC",
      "\\x{0000041}",
      "\\x{G}",
    ]
  ) {
    assert.equal(u(bad), "501 5.4 \\x{hhhh} expected in X", bad);
  }
  const d = (s: string | undefined) => result(() => parseDateTime(s, "D"));
  assert.equal(d("2026-11-23T22:01:23Z"), Date.UTC(2026, 10, 23, 22, 1, 23));
  assert.equal(d("2026-11-23t22:01:23.5+01:30"), Date.UTC(2026, 10, 23, 20, 31, 23, 500));
  for (
    const bad of [
      undefined,
      "",
      "2026-11-23",
      "2026-11-23T22:01:23",
      "2026-13-23T22:01:23Z",
      "2026-11-23T25:01:23Z",
      " 2026-11-23T22:01:23Z",
    ]
  ) {
    assert.equal(d(bad), "501 5.4 date and time expected for D", bad);
  }
});

Deno.test("paths: brackets, routes, quotes, dots, literals, lengths", () => {
  const read = (s: string, over: Partial<PathOptions> = {}) =>
    result(() => {
      const { address: a, rest } = parsePath(s, { pedantic: false, utf8: false, ...over });
      return a
        ? `${a.localpart}|${a.domain}${
          a.domain === a.asciiDomain ? "" : `|${a.asciiDomain}`
        }|${rest}`
        : `null|${rest}`;
    });
  const loose: [string, string][] = [
    ["<> X", "null| X"],
    ["<a@X.Example> SIZE=1", "a|x.example| SIZE=1"],
    ["a@x.example SIZE=1", "a|x.example| SIZE=1"],
    ["a@x.example", "a|x.example|"],
    ["<@r1,@r2:a@x>", "a|x|"],
    ["<@r1:a@x", "> expected after address"],
    ["<@r1 a@x>", "source route without end"],
    ["<@r1,r2:a@x>", "domain expected in source route"],
    ["<@-:a@x>", "domain name expected"],
    ['<"a b"@x>', "a b|x|"],
    ['<"a\\"\\\\b"@x>', 'a"\\b|x|'],
    ['<""@x>', "quoted localpart without end, or with control characters"],
    ['<"a@x>', "quoted localpart without end, or with control characters"],
    ['<"a\x7f"@x>', "quoted localpart without end, or with control characters"],
    ['<"a\x1f"@x>', "quoted localpart without end, or with control characters"],
    ["<a..b@x>", "a..b|x|"],
    ["<a.@x>", "a.|x|"],
    ["<.a@x>", "localpart expected"],
    ["<@x>", "source route without end"],
    ["<a>", "@ expected after localpart"],
    ["<a(b@x>", "@ expected after localpart"],
    ["<a@x", "> expected after address"],
    ["<a@>", "domain name expected"],
    ["<a@-x>", "domain name expected"],
    ["<a@x->", "domain name expected"],
    ["<a@x..y>", "domain name expected"],
    ["<a@x_y>", "a|x_y|"],
    ["<a@x-y.0z>", "a|x-y.0z|"],
    ["<a@x!>", "domain name expected"],
    ["<a@x{>", "domain name expected"],
    [`<a@${"x".repeat(63)}>`, `a|${"x".repeat(63)}|`],
    [`<a@${"x".repeat(64)}>`, "domain name expected"],
    [`<a@${"x.".repeat(126)}x>`, `a|${"x.".repeat(126)}x|`],
    [`<a@${"x.".repeat(126)}xx>`, "domain name expected"],
    [`<${"a".repeat(255)}@x>`, `${"a".repeat(255)}|x|`],
    [`<${"a".repeat(256)}@x>`, "localpart too long"],
    ["<a@[192.0.2.1]>", "a|[192.0.2.1]|"],
    ["<a@[IPv6:2001:DB8::1]>", "a|[IPv6:2001:db8::1]|"],
    ["<a@[2001:db8::1]>", "a|[IPv6:2001:db8::1]|"],
    ["<a@[192.0.2]>", "IP address expected in address literal"],
    ["<a@[IPv6:fe80::1%lo]>", "IP address expected in address literal"],
    ["<a@[192.0.2.1>", "] expected after address literal"],
    ["<!#$%&'*+-/=?^_`{|}~09AZaz@x>", "!#$%&'*+-/=?^_`{|}~09AZaz|x|"],
    ["<ü@x>", "localpart with non-ASCII characters needs SMTPUTF8"],
    ["<a@ü>", "domain with non-ASCII characters needs SMTPUTF8"],
    ["<a@xn--bcher-kva.example>", "a|bücher.example|xn--bcher-kva.example|"],
    ["", "address in angle brackets expected"],
    ["a<b@x", "address in angle brackets expected"],
    ["<postmaster>", "@ expected after localpart"],
  ];
  for (const [s, want] of loose) assert.equal(read(s), want, s);
  const utf8: [string, string][] = [
    ["<ü@bücher.example>", "ü|bücher.example|xn--bcher-kva.example|"],
    ["<u\u0308@x>", "ü|x|"],
    ["<a@１.２.３.４>", "domain name expected"],
    [`<${"ü".repeat(127)}@x>`, `${"ü".repeat(127)}|x|`],
    [`<${"ü".repeat(128)}@x>`, "localpart too long"],
  ];
  for (const [s, want] of utf8) assert.equal(read(s, { utf8: true }), want, s);
  const pedantic: [string, string][] = [
    ["a@x", "address in angle brackets expected"],
    ["<a..b@x>", "localpart expected"],
    ["<a.@x>", "localpart expected"],
    ["<a@x_y>", "domain name expected"],
    ["<a@[2001:db8::1]>", "IP address expected in address literal"],
    ["<a@[IPv6:192.0.2.1]>", "IP address expected in address literal"],
    [`<${"a".repeat(64)}@x>`, `${"a".repeat(64)}|x|`],
    [`<${"a".repeat(65)}@x>`, "localpart too long"],
  ];
  for (const [s, want] of pedantic) assert.equal(read(s, { pedantic: true }), want, s);
  assert.equal(
    read("<PostMaster> X", { postmasterDomain: "Ours.example" }),
    "PostMaster|ours.example| X",
  );
  assert.equal(read("<a>", { postmasterDomain: "ours.example" }), "@ expected after localpart");
  assert.equal(read("<a>", { localDomain: "ours.example" }), "a|ours.example|");
  assert.equal(read("<a@x>", { localDomain: "ours.example" }), "a|x|");
  const options = { pedantic: false, utf8: true };
  assert.equal(parseDomainOrLiteral("X", options).domain, "x");
  assert.deepEqual(parseDomain("BÜCHER.example", options), {
    domain: "bücher.example",
    asciiDomain: "xn--bcher-kva.example",
  });
});

Deno.test("the dots of messages: doubled by the client, taken out by the server", () => {
  const sent = (...pieces: string[]) => {
    const e = new DataEncoder();
    return pieces.map((p) => text(e.encode(bytes(p)))).join("") + e.end();
  };
  const cases: [string[], string][] = [
    [["a\r\nb\r\n"], "a\r\nb\r\n.\r\n"],
    [[""], ".\r\n"],
    [["a"], "a\r\n.\r\n"],
    [[".a\r\n..\r\n"], "..a\r\n...\r\n.\r\n"],
    [["a\r\n", ".\r\n"], "a\r\n..\r\n.\r\n"],
    [["a\r", "\n.b"], "a\r\n..b\r\n.\r\n"],
    [["a\n.\nb"], "a\r\n..\r\nb\r\n.\r\n"],
    [["a\r.\rb"], "a\r\n..\r\nb\r\n.\r\n"],
    [["a\r"], "a\r\n.\r\n"],
    [["a", ".b"], "a.b\r\n.\r\n"],
    [["a\r\n.", "b\r\n"], "a\r\n..b\r\n.\r\n"],
    [["\n"], "\r\n.\r\n"],
    [["a\r\n\r\n", "", ".x"], "a\r\n\r\n..x\r\n.\r\n"],
    [["a\rb\r\n"], "a\r\nb\r\n.\r\n"],
  ];
  for (const [pieces, want] of cases) {
    assert.equal(sent(...pieces), want, JSON.stringify(pieces));
    // What comes out is read as the message, whole or byte by byte.
    for (const size of [1, 2, 100]) {
      let out = "";
      const r = new DataReader((b) => out += text(b));
      const all = bytes(`${want}rest`);
      let end = -1;
      let at = 0;
      for (; at < all.length && end < 0; at += size) end = r.push(all.slice(at, at + size));
      const plain = want.slice(0, -3).replace(/(^|\r\n)\./g, "$1");
      assert.deepEqual([out, r.bareLineEnd, r.repaired], [plain, undefined, false], want);
      assert.equal(at - size + end, want.length, want);
      assert.equal(r.longestLine, Math.max(...plain.split("\r\n").map((l) => l.length)));
    }
  }
  const bare = (s: string, dots = true) => {
    const r = new DataReader(() => {}, dots);
    r.push(bytes(s));
    return r.bareLineEnd;
  };
  for (
    const [s, want] of [
      ["a\nb", "lf"],
      ["a\rb", "cr"],
      [".\rb", "cr"],
      ["a\r\nb", undefined],
      ["\n", "lf"],
      ["a\r\rb", "cr"],
      ["a\r", undefined],
    ] as const
  ) {
    assert.equal(bare(s), want, JSON.stringify(s));
  }
  assert.equal(bare("a\r", false), "cr", "of a last piece that nothing follows");
  let out = "";
  const chunk = new DataReader((b) => out += text(b), false);
  assert.equal(chunk.push(bytes(".a\r\n.\r\nb")), -1);
  assert.deepEqual([out, chunk.longestLine], [".a\r\n.\r\nb", 2]);
});

Deno.test("answers of this server: classes, lines, nothing from elsewhere that breaks them", () => {
  assert.equal(formatReply(250, "2.1.0", "ok"), "250 2.1.0 ok\r\n");
  assert.equal(formatReply(220, undefined, "hello"), "220 hello\r\n");
  assert.equal(formatReply(550, "5.7.1", "a\nb\r\x7fc"), "550-5.7.1 a\r\n550 5.7.1 b  c\r\n");
  assert.equal(formatReply(250, undefined, "x".repeat(500)).length, 4 + 400 + 2);
  const e = new SmtpError(451, "3.0", "x");
  assert.deepEqual([e.temporary, e.status, e.close, e.harmless], [true, "4.3.0", false, false]);
  const f = new SmtpError(500, "1.1", "x", { close: true, harmless: true });
  assert.deepEqual([f.temporary, f.status, f.close, f.harmless], [false, "5.1.1", true, true]);
  assert.equal(new SmtpError(499, "", "").temporary, true);
  assert.deepEqual([syntaxError("x").status, sequenceError("x").status], ["5.5.2", "5.5.1"]);
});

/** A session as far as faults and trace fields look at it. */
function session(
  over: Partial<SmtpSession> = {},
): SmtpSession & { paused: number[]; dropped: number } {
  const s = {
    cid: 255,
    log: new Log("smtpserver"),
    remoteIp: "192.0.2.1",
    remotePort: 1,
    localIp: "192.0.2.2",
    localPort: 25,
    submission: false,
    lmtp: false,
    tls: undefined,
    hello: { name: "mx.example", extended: true },
    username: undefined,
    state: undefined,
    suspicious: false,
    end: () => {},
    paused: [] as number[],
    dropped: 0,
    pause(ms: number) {
      s.paused.push(ms);
      return Promise.resolve();
    },
    drop() {
      s.dropped++;
    },
    ...over,
  };
  return s;
}

Deno.test("faults on purpose: chance, latency, greylisting, quota, speed, scenarios", async () => {
  let random = 0.5;
  let now = 0;
  const f = new Faults(() => random, () => now);
  const at = async (...a: Parameters<Faults["at"]>) =>
    await f.at(...a).then(() => "ok", (e: SmtpError) => `${e.code} ${e.enhanced}`);
  const s = session();
  assert.deepEqual(f.settings, noFaults());
  assert.equal(await at("Sender", s), "ok");
  assert.deepEqual(s.paused, []);
  f.set({ Sender: { ErrorCode: 550, Probability: 50 }, LatencyMs: 7 });
  assert.equal(await at("Sender", s), "ok", "not below");
  random = 0.499;
  assert.equal(await at("Sender", s), "550 3.0");
  assert.equal(await at("Recipient", s), "ok");
  assert.deepEqual(s.paused, [7, 7, 7]);
  f.set({ DropProbability: 50 });
  assert.deepEqual([await at("Message", s), s.dropped], ["421 3.2", 1]);
  f.set({ Authentication: { ErrorCode: 535, Probability: 0 } });
  random = 0;
  assert.equal(await at("Authentication", s), "ok");
  const grey = (from = "A@x", to = "b@x") => result(() => f.greylist(from, to)) ?? "ok";
  assert.equal(grey(), "ok");
  f.set({ GreylistSeconds: 10 });
  assert.equal(grey(), "451 7.1 greylisted as asked for, try again later");
  now = 9_999;
  assert.match(String(grey("a@X")), /^451/);
  assert.match(String(grey("a@x", "c@x")), /^451/);
  now = 10_000;
  assert.equal(grey(), "ok");
  assert.match(String(grey("a@x", "c@x")), /^451/);
  f.set({ QuotaBytes: 100, BytesPerSecond: 50 });
  const take = async (size: number) =>
    await f.message(s, size).then(() => "ok", (e: SmtpError) => e.code);
  s.paused.length = 0;
  assert.deepEqual([await take(60), await take(40), await take(1)], ["ok", "ok", 452]);
  assert.deepEqual(s.paused, [1200, 800, 20]);
  f.play([{ Messages: 2, Faults: { LatencyMs: 1 } }, { Messages: 1, Faults: { LatencyMs: 2 } }]);
  const latencies = [];
  for (let i = 0; i < 4; i++) {
    latencies.push(f.settings.LatencyMs);
    await take(1);
  }
  assert.deepEqual(latencies, [1, 1, 2, 0]);
  f.play([{ Messages: 1, Faults: { LatencyMs: 1 } }, { Faults: { LatencyMs: 2 } }]);
  f.set({ LatencyMs: 5 });
  await take(1);
  assert.equal(f.settings.LatencyMs, 5, "the scenario has ended");
  f.stop();
});

Deno.test("Received and Return-Path: who, how, when, for whom", () => {
  const address = (localpart: string, domain: string, asciiDomain = domain) => ({
    localpart,
    domain,
    asciiDomain,
  });
  const t: Transaction = {
    mailFrom: address("a b", "bücher.example", "xn--bcher-kva.example"),
    body: "7bit",
    smtpUtf8: false,
    requireTls: false,
    recipients: [],
    handle: undefined,
  };
  const time = Date.UTC(2026, 0, 4, 5, 6, 7);
  const of = (
    s: Partial<SmtpSession>,
    tr: Partial<Transaction> = {},
    to?: Transaction["mailFrom"],
  ) =>
    receivedHeader(session(s), { ...t, ...tr }, "ours.example", time, to).replaceAll("\r\n\t", "|");
  assert.match(
    of({}, {}, address("r", "x.example")),
    /^Received: from mx\.example \(\[192\.0\.2\.1\]\)\|by ours\.example with ESMTP id \S+\|for <r@x\.example>;\|Sun, 4 Jan 2026 05:06:07 \+0000\r\n$/,
  );
  const withOf = (s: Partial<SmtpSession>, tr = {}) => / with (\S+) id/.exec(of(s, tr))![1];
  const tls = { version: "TLSv1.3", cipher: "X" } as NonNullable<SmtpSession["tls"]>;
  assert.deepEqual(
    [
      withOf({ hello: { name: "x", extended: false }, tls }),
      withOf({ tls }),
      withOf({ username: "u" }),
      withOf({ tls, username: "u" }),
      withOf({ tls }, { smtpUtf8: true }),
    ],
    ["SMTP", "ESMTPS", "ESMTPA", "ESMTPSA", "UTF8SMTPS"],
  );
  assert.match(of({ tls }), /\|\(TLS1\.3 X\);\|Sun/);
  assert.match(of({ remoteIp: "2001:db8::1" }), /\(\[IPv6:2001:db8::1\]\)/);
  assert.doesNotMatch(of({ submission: true }), /192\.0\.2\.1/);
  const hello = (name: string, smtpUtf8 = false) =>
    /from (\S+)/.exec(of({ hello: { name, extended: true } }, { smtpUtf8 }))![1];
  assert.deepEqual(["[192.0.2.9]", "Bücher.example", "a b(c"].map((n) => hello(n)), [
    "[192.0.2.9]",
    "xn--bcher-kva.example",
    "a?b?c",
  ]);
  assert.equal(hello("bücher.example", true), "bücher.example");
  assert.equal(returnPathHeader(t), 'Return-Path: <"a b"@xn--bcher-kva.example>\r\n');
  assert.equal(
    returnPathHeader({ ...t, smtpUtf8: true }),
    'Return-Path: <"a b"@bücher.example>\r\n',
  );
  assert.equal(returnPathHeader({ ...t, mailFrom: undefined }), "Return-Path: <>\r\n");
});
