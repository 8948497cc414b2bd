/** Parsers of what senders choose: total, and in linear time. Failures print their seed. @module */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { fc } from "../support/fast_check.ts";
import { processorMs } from "../support/processor.ts";
import { scriptedResolver } from "../../src/dns/mod.ts";
import { Log } from "../../src/log/mod.ts";
import { ArcError, collectArcSets, parseArcSeal } from "../../src/senderauth/arc_sets.ts";
import { authorDomain } from "../../src/senderauth/author.ts";
import { relaxedField } from "../../src/senderauth/canonical.ts";
import { DkimKeyError, isDkimKeyRecord, parseDkimKey } from "../../src/senderauth/dkim_key.ts";
import { DkimSignatureError, parseDkimSignature } from "../../src/senderauth/dkim_signature.ts";
import { isDmarcRecord, parseDmarcRecord } from "../../src/senderauth/dmarc_record.ts";
import { readAuthservId, stripForgedResults } from "../../src/senderauth/forged_results.ts";
import { scanHeader } from "../../src/senderauth/header_fields.ts";
import { authenticate, checkSpf } from "../../src/senderauth/mod.ts";
import { withoutSignatureValue } from "../../src/senderauth/signed_header.ts";
import { SpfSyntaxError } from "../../src/senderauth/spf_error.ts";
import { parseMacroString } from "../../src/senderauth/spf_macro.ts";
import { isSpfRecord, parseSpfRecord } from "../../src/senderauth/spf_record.ts";
import { parseTagList, TagListError } from "../../src/senderauth/tag_list.ts";
import { parts } from "../senderauth/messages.ts";

/** Text that is often nearly right: pieces of the grammar with anything between. */
function nearly(...pieces: string[]): fc.Arbitrary<string> {
  return fc.array(
    fc.oneof(
      { weight: 6, arbitrary: fc.constantFrom(...pieces) },
      { weight: 1, arbitrary: fc.string({ maxLength: 8, unit: "binary" }) },
    ),
    { maxLength: 24 },
  ).map((p) => p.join(""));
}

/** Calls the function; an error must be of one of the classes. */
function total(classes: (new (...args: never[]) => Error)[], f: () => unknown): void {
  try {
    f();
  } catch (err) {
    if (!classes.some((c) => err instanceof c)) throw err;
  }
}

const runs = { numRuns: 2000 };

const spfPieces = [
  "v=spf1",
  " ",
  "+",
  "-",
  "~",
  "?",
  "all",
  "include:",
  "a",
  "mx",
  "ptr",
  "ip4:",
  "ip6:",
  "exists:",
  "redirect=",
  "exp=",
  "x=",
  "192.0.2.1",
  "2001:db8::1",
  "/24",
  "//64",
  "/",
  ":",
  "example.com",
  ".",
  "%{i}",
  "%{d2r-}",
  "%{L1R.+,/_=}",
  "%{",
  "}",
  "%%",
  "%_",
  "%-",
  "%",
];

Deno.test("fuzz: SPF records and macros", () => {
  fc.assert(
    fc.property(nearly(...spfPieces), (text) => {
      isSpfRecord(text);
      total([SpfSyntaxError], () => parseSpfRecord(`v=spf1 ${text}`));
      total([SpfSyntaxError], () => parseMacroString(text, true));
    }),
    runs,
  );
});

Deno.test("fuzz: checks of any SPF record end with a result", async () => {
  await fc.assert(
    fc.asyncProperty(
      nearly(...spfPieces),
      nearly("a", "@", "b.example", "%", "."),
      async (r, from) => {
        const outcome = await checkSpf({
          ip: "192.0.2.1",
          helo: from,
          mailFrom: `${from}@example.com`,
          resolver: scriptedResolver({ "example.com": { TXT: [`v=spf1 ${r}`], A: ["192.0.2.2"] } }),
          hostname: "h.example",
          now: new Date(),
        });
        assert.match(outcome.result, /^(none|neutral|pass|fail|softfail|temperror|permerror)$/);
        assert.match(outcome.explanation ?? "", /^[\x20-\x7e]*$/);
      },
    ),
    { numRuns: 500 },
  );
});

const tagPieces = [
  "v=1",
  "v=DKIM1",
  ";",
  " ",
  "\r\n ",
  "a=",
  "rsa-sha256",
  "ed25519-sha256",
  "b=",
  "bh=",
  "c=relaxed/",
  "simple",
  "d=example.com",
  "h=from:to",
  "i=1",
  "i=@example.com",
  "l=5",
  "q=dns/txt",
  "s=sel",
  "t=1",
  "x=2",
  "p=",
  "k=rsa",
  "k=ed25519",
  "cv=none",
  "AAAA",
  "=",
  "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
  "A".repeat(43) + "=",
];

Deno.test("fuzz: tag lists, DKIM signatures, keys and ARC seals", () => {
  fc.assert(
    fc.property(nearly(...tagPieces), (text) => {
      total([TagListError], () => parseTagList(text));
      total([DkimSignatureError], () => parseDkimSignature(text));
      total([DkimSignatureError], () => parseArcSeal(text));
      isDkimKeyRecord(text);
      total([DkimKeyError], () => parseDkimKey(text));
      withoutSignatureValue(Buffer.from(`dkim-signature:${text}\r\n`));
    }),
    runs,
  );
});

Deno.test("fuzz: keys of any bytes", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), fc.constantFrom("rsa", "ed25519"), (der, k) => {
      const p = Buffer.from(der).toString("base64");
      total([DkimKeyError], () => parseDkimKey(`v=DKIM1; k=${k}; p=${p}`));
    }),
    { numRuns: 500 },
  );
});

Deno.test("fuzz: DMARC records", () => {
  const pieces = [
    "v=DMARC1",
    ";",
    " ",
    "p=",
    "sp=",
    "np=",
    "none",
    "reject",
    "rua=",
    "mailto:a@b.c",
  ];
  fc.assert(
    fc.property(
      nearly(...pieces, "!10m", ",", "pct=", "50", "fo=1:d", "ri=", "psd=y", "adkim=s", "="),
      (text) => {
        isDmarcRecord(text);
        const record = parseDmarcRecord(`v=DMARC1;${text}`);
        if (record) assert(record.percentage >= 0 && record.percentage <= 100);
      },
    ),
    runs,
  );
});

const headerPieces = [
  "From: a@example.com\r\n",
  "From:",
  "DKIM-Signature: v=1; a=rsa-sha256; d=example.com; s=s; h=from; b=AAAA; bh=",
  "ARC-Seal: i=1; cv=none; a=rsa-sha256; d=example.com; s=s; b=AAAA\r\n",
  "ARC-Message-Signature: i=1; a=rsa-sha256; d=example.com; s=s; h=from; b=AAAA; bh=",
  "ARC-Authentication-Results: i=1; x; none\r\n",
  "Authentication-Results: h.example; spf=pass\r\n",
  "Authentication-Results: (",
  "Received-SPF: pass receiver=h.example\r\n",
  "A".repeat(43) + "=",
  "\r\n",
  "\n",
  "\r",
  " ",
  "\t",
  ":",
  "<",
  ">",
  '"',
  "\\",
  "(",
  ")",
  ",",
  "@",
];

Deno.test("fuzz: headers, their fields and the author", () => {
  fc.assert(
    fc.property(nearly(...headerPieces), (text) => {
      const bytes = Buffer.from(text);
      const header = scanHeader(bytes);
      let last = 0;
      for (const f of header.fields) {
        assert(f.start >= last && f.value > f.start && f.end >= f.value && f.end <= bytes.length);
        last = f.end;
        relaxedField(bytes.subarray(f.start, f.end));
      }
      authorDomain(header);
      total([ArcError], () => collectArcSets(header));
      for (const r of stripForgedResults(bytes, "h.example")) assert(r.start < r.end);
      readAuthservId(text);
    }),
    runs,
  );
});

Deno.test("fuzz: whole messages always get their results", async () => {
  await fc.assert(
    fc.asyncProperty(nearly(...headerPieces), async (text) => {
      const auth = await authenticate({
        ...parts(Buffer.from(text)),
        remoteIp: "192.0.2.1",
        ehlo: "x",
        mailFrom: "a@example.com",
        resolver: scriptedResolver({}),
        log: new Log("test"),
        hostname: "h.example",
        now: new Date(),
      });
      assert(auth.dkim.every((d) => d.status !== "pass"));
      assert.notEqual(auth.arc.result, "pass");
    }),
    { numRuns: 500 },
  );
});

Deno.test("twice the input takes about twice the time, for each parser", () => {
  const parsers: [string, (n: number) => () => unknown][] = [
    ["header of folds", (n) => {
      const b = Buffer.from("a: b\r\n" + " c\r\n".repeat(n));
      return () => scanHeader(b);
    }],
    ["relaxed field", (n) => {
      const b = Buffer.from("a:" + " \t\r\n ".repeat(n));
      return () => relaxedField(b);
    }],
    ["forged results", (n) => {
      const b = Buffer.from("Authentication-Results: " + "(".repeat(n) + "\r\n");
      return () => stripForgedResults(b, "h.example");
    }],
    ["author", (n) => {
      const h = scanHeader(Buffer.from("From: " + '"a" <'.repeat(n / 10) + "\r\n"));
      return () => authorDomain(h);
    }],
    ["dmarc record", (n) => {
      const s = "v=DMARC1;" + "p=;".repeat(Math.min(n, 5000));
      return () => parseDmarcRecord(s);
    }],
    ["b= removal", (n) => {
      const b = Buffer.from("dkim-signature:" + "bh=x;".repeat(n));
      return () => withoutSignatureValue(b);
    }],
  ];
  const work = (f: () => unknown) =>
    processorMs(() => {
      for (let i = 0; i < 9; i++) f();
    });
  for (const [name, make] of parsers) {
    const small = work(make(60_000));
    const large = work(make(480_000));
    // Eight times the input: quadratic would be 64 times the time. Some systems count in steps of 10 ms.
    assert(large < Math.max(150, small * 30), `${name}: ${small} ms, then ${large} ms`);
  }
});
