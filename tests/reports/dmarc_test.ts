/** Reading and making DMARC aggregate reports. */
import assert from "node:assert/strict";
import { deflateRawSync, gzipSync } from "node:zlib";
import { fc } from "../support/fast_check.ts";
import {
  buildDmarcReport,
  type DmarcEvaluation,
  DmarcEvaluations,
  type DmarcReport,
  dmarcReportAttachment,
  DmarcReports,
  dmarcReportXml,
  findDmarcReport,
  intervalHours,
  parseDmarcXml,
  ReportError,
  reportParts,
  unpack,
} from "../../src/reports/mod.ts";
import { parseMessage } from "../../src/mail/structure/structure.ts";
import { XmlReader } from "../../src/reports/xml.ts";
import { zip } from "./zip.ts";
import { seedOf } from "../support/seed.ts";
import { processorMs } from "../support/processor.ts";

const seed = seedOf("FC_SEED");
const bytes = (s: string) => new TextEncoder().encode(s);

const sample = `<?xml version="1.0" encoding="UTF-8" ?>
<feedback xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">
  <!-- a comment with <tags> -->
  <report_metadata>
    <org_name>Big Mail &amp; Co</org_name>
    <email>noreply@big.example</email>
    <report_id>10051505501689795560</report_id>
    <date_range><begin>1596412800</begin><end>1596499199</end></date_range>
    <error>One thing</error>
  </report_metadata>
  <policy_published>
    <domain>Ours.Example.</domain><adkim>R</adkim><aspf>s</aspf><p>reject</p><sp>Quarantine</sp><pct>50</pct><fo>1</fo>
  </policy_published>
  <record>
    <row>
      <source_ip>2001:db8::1</source_ip><count>3</count>
      <policy_evaluated><disposition>none</disposition><dkim>fail</dkim><spf>pass</spf>
        <reason><type>mailing_list</type><comment><![CDATA[a <list>]]></comment></reason>
      </policy_evaluated>
    </row>
    <identifiers><envelope_from>bounce.ours.example</envelope_from><header_from>ours.example</header_from></identifiers>
    <auth_results>
      <dkim><domain>ours.example</domain><selector>s1</selector><result>fail</result><human_result>body hash</human_result></dkim>
      <spf><domain>ours.example</domain><scope>mfrom</scope><result>hardfail</result></spf>
    </auth_results>
  </record>
  <record><row><source_ip>192.0.2.1</source_ip><count>x</count></row></record>
</feedback>
trailing`;

Deno.test("an aggregate report is read, tolerant of case and missing parts", () => {
  const r = parseDmarcXml(bytes(sample));
  assert.equal(r.orgName, "Big Mail & Co");
  assert.deepEqual([r.begin, r.end, r.errors], [1596412800, 1596499199, ["One thing"]]);
  assert.deepEqual(r.policy, {
    domain: "ours.example",
    adkim: "r",
    aspf: "s",
    p: "reject",
    sp: "quarantine",
    pct: 50,
    fo: "1",
  });
  assert.deepEqual(r.records[0], {
    sourceIp: "2001:db8::1",
    count: 3,
    disposition: "none",
    dkim: "fail",
    spf: "pass",
    reasons: [{ type: "mailing_list", comment: "a <list>" }],
    envelopeTo: "",
    envelopeFrom: "bounce.ours.example",
    headerFrom: "ours.example",
    dkimResults: [{
      domain: "ours.example",
      selector: "s1",
      result: "fail",
      humanResult: "body hash",
    }],
    spfResults: [{ domain: "ours.example", scope: "mfrom", result: "fail" }],
  });
  assert.equal(r.records[1].count, 1);
});

Deno.test("namespaced, UTF-16 and Latin-1 reports are read", () => {
  const prefixed = sample.replace(/<(\/?)([a-z_]+)/g, "<$1d:$2");
  assert.equal(parseDmarcXml(bytes(prefixed)).records.length, 2);
  const utf16 = new Uint8Array(2 + 2 * sample.length);
  utf16.set([0xff, 0xfe]);
  for (let i = 0; i < sample.length; i++) utf16[2 + 2 * i] = sample.charCodeAt(i);
  assert.equal(parseDmarcXml(utf16).policy.domain, "ours.example");
  const latin = sample.replace("UTF-8", "iso-8859-1").replace("Big", "Gr\u00f6\u00dfe");
  assert.equal(
    parseDmarcXml(Uint8Array.from(latin, (c) => c.charCodeAt(0))).orgName,
    "Größe Mail & Co",
  );
});

Deno.test("what is no report is refused with a reason", () => {
  const cases: [string, string, RegExp][] = [
    ["", "syntax", /no XML element/],
    ["hello", "syntax", /text before the root/],
    ["<html></html>", "content", /root element is html/],
    ["<feedback></feedback>", "content", /no report_metadata/],
    [sample.replace("1596499199", "soon"), "content", /date_range/],
    [sample.replace("Ours.Example.", ""), "content", /no domain/],
    [sample.replace("</row>", "</raw>"), "syntax", /unexpected end tag/],
    [sample.slice(0, 700), "syntax", /cut off|unfinished/],
  ];
  for (const [xml, code, text] of cases) {
    assert.throws(() => parseDmarcXml(bytes(xml)), (err) => {
      assert.ok(err instanceof ReportError);
      assert.equal(err.code, code, err.message);
      assert.match(err.message, text);
      return true;
    });
  }
});

Deno.test("entity bombs, depth and floods of elements are refused", () => {
  const bomb = `<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>${
    sample.slice(sample.indexOf("<feedback"))
  }`;
  assert.throws(() => parseDmarcXml(bytes(bomb)), /document type declarations are refused/);
  assert.throws(() => parseDmarcXml(bytes(`<feedback>${"<a>".repeat(40)}`)), /deeper than 32/);
  const ms = processorMs(() => {
    assert.throws(
      () => parseDmarcXml(bytes(`<feedback>${"<a/>".repeat(1_100_000)}</feedback>`)),
      /more than 1000000/,
    );
    assert.throws(
      () => parseDmarcXml(bytes(`<feedback>${"<record/>".repeat(60_000)}</feedback>`)),
      /more than 50000 records/,
    );
  });
  assert.ok(ms < 5000, `${ms} ms`);
  // An unknown entity stays as it is.
  const r = parseDmarcXml(bytes(sample.replace("&amp;", "&bogus; &#x41; &#0;")));
  assert.equal(r.orgName, "Big Mail &bogus; A &#0; Co");
});

Deno.test("reports come as XML, gzip or zip, and are found by type, name and content", () => {
  const xml = bytes(sample);
  const part = (contentType: string, fileName: string, content: Uint8Array) => ({
    contentType,
    fileName,
    content: () => content,
  });
  const text = part("text/plain", "", bytes("see the attachment"));
  for (
    const p of [
      part("application/gzip", "x.xml.gz", gzipSync(xml)),
      part("application/zip", "x.zip", zip([["folder/", bytes("")], ["x.xml", xml]])),
      part("Text/XML", "", xml),
      part("application/octet-stream", "big!ours.example!1!2.xml", xml),
      part("application/octet-stream", "", gzipSync(xml)),
      part("application/gzip", "wrong-name.zip", gzipSync(xml)),
    ]
  ) {
    assert.equal(findDmarcReport([text, p]).records.length, 2, `${p.contentType} ${p.fileName}`);
  }
  assert.throws(
    () => findDmarcReport([text]),
    (e) => e instanceof ReportError && e.code === "absent",
  );
  assert.throws(
    () => findDmarcReport([text, part("application/zip", "x.zip", bytes("PK\x03\x04 broken"))]),
    (e) => e instanceof ReportError && e.code === "compression",
  );
});

Deno.test("zip and gzip bombs stop at the limit, whatever size they claim", () => {
  const zeros = new Uint8Array(30_000_000);
  const isLimit = (e: unknown) => e instanceof ReportError && e.code === "limit";
  assert.throws(() => unpack(gzipSync(zeros), 1_000_000), isLimit);
  assert.throws(() => unpack(zip([["a", zeros]]), 1_000_000), isLimit);
  assert.throws(() => unpack(zip([["a", zeros]], { claimedSize: 10 }), 1_000_000), isLimit);
  assert.throws(
    () => unpack(zip(Array.from({ length: 200 }, (_, i) => [`d${i}/`, new Uint8Array()]))),
    isLimit,
  );
  assert.throws(() => unpack(new Uint8Array(11), 10), isLimit);
});

Deno.test("unpacking and reading are total on any bytes", () => {
  const whole = [bytes(sample), gzipSync(bytes(sample)), zip([["x.xml", bytes(sample)]])];
  fc.assert(
    fc.property(
      fc.oneof(
        fc.uint8Array({ maxLength: 300 }),
        // A good one with some bytes changed, and cut off.
        fc.tuple(
          fc.constantFrom(...whole),
          fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 8 }),
          fc.nat(),
        ).map(([w, changes, cut]) => {
          const copy = Uint8Array.from(w);
          for (const [at, to] of changes) copy[at % copy.length] = to;
          return cut % 3 === 0 ? copy.subarray(0, cut % copy.length) : copy;
        }),
        fc.array(
          fc.constantFrom(
            "<",
            ">",
            "</",
            "/>",
            "<a",
            "<feedback>",
            "</feedback>",
            "<![CDATA[",
            "]]>",
            "<!--",
            "-->",
            "<?",
            "?>",
            "&#x",
            ";",
            '"',
            "record",
            "<record>",
            "</record>",
            " ",
          ),
          { maxLength: 40 },
        ).map((l) => bytes(l.join(""))),
      ),
      (data) => {
        try {
          parseDmarcXml(unpack(data, 100_000));
        } catch (err) {
          assert.ok(err instanceof ReportError, String(err));
        }
      },
    ),
    { seed, numRuns: 2000 },
  );
});

Deno.test("the XML reader takes linear time", () => {
  for (const hostile of ["<a b='", "<!--", "<![CDATA[", "&", "<a ", "</a", "<?x"]) {
    const ms = processorMs(() => {
      const r = new XmlReader(`<x>${hostile.repeat(500_000)}`);
      assert.throws(() => r.element("x"), ReportError);
    });
    assert.ok(ms < 1000, `${ms} ms for ${hostile}`);
  }
});

const evaluation = (over: Partial<DmarcEvaluation> = {}): DmarcEvaluation => ({
  policyDomain: "sender.example",
  evaluated: 1_700_000_000_000,
  optional: false,
  intervalHours: 24,
  addresses: [{ address: "dmarc@sender.example", maxSize: 10_000_000 }],
  policy: {
    domain: "sender.example",
    adkim: "r",
    aspf: "r",
    p: "reject",
    sp: "",
    pct: 100,
    fo: "",
  },
  sourceIp: "192.0.2.9",
  disposition: "none",
  alignedDkimPass: true,
  alignedSpfPass: false,
  reasons: [],
  envelopeTo: "ours.example",
  envelopeFrom: "sender.example",
  headerFrom: "sender.example",
  dkimResults: [{ domain: "sender.example", selector: "s", result: "pass", humanResult: "" }],
  spfResults: [{ domain: "sender.example", scope: "mfrom", result: "neutral" }],
  ...over,
});
const reporter = {
  orgName: "Ours <&> Co",
  email: "postmaster@ours.example",
  extraContactInfo: "",
  reportId: "20240101.abc@ours.example",
};

Deno.test("evaluations that agree become one row; the report reads back as it was built", () => {
  const built = buildDmarcReport(reporter, 1_700_000_000, 1_700_086_399, [
    evaluation(),
    evaluation({
      evaluated: 1_700_000_000_500,
      policy: { ...evaluation().policy, p: "quarantine", sp: "none" },
    }),
    evaluation({
      disposition: "reject",
      reasons: [{ type: "local_policy", comment: "arc <ok>" }],
      envelopeFrom: "",
    }),
  ]);
  assert.deepEqual(built.records.map((r) => r.count), [2, 1]);
  assert.equal(built.policy.p, "quarantine"); // of the newest
  const attachment = dmarcReportAttachment(built, "ours.example");
  assert.equal(attachment.fileName, "ours.example!sender.example!1700000000!1700086399.xml.gz");
  assert.equal(
    attachment.subject,
    "Report Domain: sender.example Submitter: ours.example Report-ID: <20240101.abc@ours.example>",
  );
  assert.deepEqual(parseDmarcXml(unpack(attachment.data)), built);
});

Deno.test("any built report reads back, whatever characters are in it", () => {
  const text = fc.string({ unit: "binary", maxLength: 20 }).map((s) =>
    // Characters that XML can't have, and white space around, are not kept.
    [...s].filter((c) => c >= " " && !/[\ud800-\udfff\ufffe\uffff]/.test(c)).join("").trim()
  );
  fc.assert(
    fc.property(text, text, fc.nat(1e9), (org, comment, count) => {
      const r: DmarcReport = buildDmarcReport({ ...reporter, orgName: org }, 1, 2, [
        evaluation({
          reasons: [{ type: "other", comment }],
          policy: { ...evaluation().policy, sp: "none" },
        }),
      ]);
      r.records[0].count = count;
      assert.deepEqual(parseDmarcXml(bytes(dmarcReportXml(r))), r);
    }),
    { seed, numRuns: 300 },
  );
});

Deno.test("intervals are divisors of a day", () => {
  const hours = [0, 60, 3600, 7200, 5 * 3600, 7 * 3600, 43200, 86400, 604800, NaN].map(
    intervalHours,
  );
  assert.deepEqual(hours, [1, 1, 1, 2, 4, 6, 12, 24, 24, 24]);
});

Deno.test("received reports are stored once, listed and summed up", async () => {
  const dir = await Deno.makeTempDir();
  const db = await DmarcReports.open(dir);
  try {
    const r = parseDmarcXml(bytes(sample));
    assert.equal(await db.add(r, "big.example", 1000), true);
    assert.equal(await db.add(r, "big.example", 2000), false);
    assert.equal(await db.add({ ...r, reportId: "other" }, "big.example", 3000), true);
    const list = db.list(0, 2e9, "ours.example");
    assert.deepEqual(list.map((s) => s.received), [3000, 1000]);
    assert.deepEqual(db.get(list[1].id), {
      id: list[1].id,
      received: 1000,
      fromDomain: "big.example",
      report: r,
    });
    assert.deepEqual(db.list(0, 2e9, "else.example"), []);
    assert.deepEqual(db.list(0, 1000), []);
    assert.deepEqual(db.summaries(0, 2e9), [{
      domain: "ours.example",
      total: 8,
      none: 6,
      quarantine: 0,
      reject: 0,
      dkimFail: 6,
      spfFail: 0,
      bothFail: 0,
    }]);
    assert.equal(db.removeBefore(2e9), 2);
    assert.equal(db.get(list[0].id), undefined);
  } finally {
    await db.close();
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("evaluations wait per domain, and go when reported", async () => {
  const dir = await Deno.makeTempDir();
  const db = await DmarcEvaluations.open(dir);
  try {
    db.add(evaluation({ optional: true }));
    db.add(evaluation({ policyDomain: "b.example", intervalHours: 6, evaluated: 5 }));
    db.add(
      evaluation({ policyDomain: "b.example", intervalHours: 1, evaluated: 9, optional: true }),
    );
    assert.deepEqual(db.pending(2e12), [
      { domain: "b.example", count: 2, wanted: true, intervalHours: 1 },
      { domain: "sender.example", count: 1, wanted: false, intervalHours: 24 },
    ]);
    assert.deepEqual(db.list("b.example", 9).map((e) => e.evaluated), [5]);
    assert.equal(db.remove("b.example", 9), 1);
    assert.deepEqual(db.list("sender.example", 2e12), [evaluation({ optional: true })]);
    db.suppress("X@sender.example", 1000, "bounced");
    assert.deepEqual(db.suppressed(999), [{
      address: "x@sender.example",
      until: 1000,
      comment: "bounced",
    }]);
    assert.deepEqual(db.suppressed(1000), []);
    db.unsuppress("x@Sender.example");
    assert.deepEqual(db.suppressed(0), []);
  } finally {
    await db.close();
    await Deno.remove(dir, { recursive: true });
  }
});

Deno.test("zip: stored files, and archives with a comment", () => {
  const xml = bytes(sample);
  assert.deepEqual(unpack(zip([["x.xml", xml]], { stored: true })), xml);
  assert.deepEqual(unpack(zip([["x.xml", xml]], { comment: "made by hand" })), xml);
  assert.equal(deflateRawSync(xml).length < xml.length, true);
});

Deno.test("reports as some reporters send them: bytes after the gzip stream, an element of the schema that never ends", async () => {
  const dir = new URL("testdata/", import.meta.url);
  for await (const { name } of Deno.readDir(dir)) {
    const message = await Deno.readFile(new URL(name, dir));
    const { root } = parseMessage(message);
    const report = findDmarcReport(reportParts(root, (from, to) => message.subarray(from, to)));
    assert.deepEqual([report.orgName, report.policy.domain, report.records.length], [
      "r.example",
      "moxa.example",
      1,
    ], name);
  }
  const packed = gzipSync(bytes(sample));
  for (const tail of ["\r\n", "\0\0\0", "garbage behind it", "\x1f\x8b"]) {
    const all = new Uint8Array(packed.length + tail.length);
    all.set(packed);
    all.set(Uint8Array.from(tail, (c) => c.charCodeAt(0)), packed.length);
    assert.equal(parseDmarcXml(unpack(all)).orgName, "Big Mail & Co", JSON.stringify(tail));
  }
  assert.throws(() => parseDmarcXml(bytes("<xs:schema><other/></xs:schema>")), ReportError);
  assert.throws(() => parseDmarcXml(bytes("<!DOCTYPE x><feedback></feedback>")), ReportError);
});
