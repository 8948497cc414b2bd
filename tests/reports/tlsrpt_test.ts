/** Reading and making TLS reports. */
import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { fc } from "../support/fast_check.ts";
import {
  findTlsReport,
  mergeTlsResults,
  parseTlsReport,
  reportDay,
  ReportError,
  type TlsFailure,
  type TlsPolicyResult,
  tlsReportAttachment,
  tlsReportHeaders,
  tlsReportJson,
  TlsReports,
  TlsResults,
  unpack,
} from "../../src/reports/mod.ts";
import { seedOf } from "../support/seed.ts";

const seed = seedOf("FC_SEED");
const bytes = (s: string) => new TextEncoder().encode(s);

const sample = {
  "organization-name": "Company-X",
  "date-range": {
    "start-datetime": "2016-04-01T00:00:00Z",
    "end-datetime": "2016-04-01T23:59:59Z",
  },
  "contact-info": "sts-reporting@company-x.example",
  "report-id": "5065427c-23d3-47ca-b6e0-946ea0e8c4be",
  "policies": [{
    "policy": {
      "policy-type": "sts",
      "policy-string": [
        "version: STSv1",
        "mode: testing",
        "mx: *.mail.company-y.example",
        "max_age: 86400",
      ],
      "policy-domain": "company-y.example",
      "mx-host": ["*.mail.company-y.example"],
    },
    "summary": { "total-successful-session-count": 5326, "total-failure-session-count": 303 },
    "failure-details": [{
      "result-type": "certificate-expired",
      "sending-mta-ip": "2001:db8:abcd:0012::1",
      "receiving-mx-hostname": "mx1.mail.company-y.example",
      "failed-session-count": 100,
    }, {
      "result-type": "starttls-not-supported",
      "sending-mta-ip": "2001:db8:abcd:0013::1",
      "receiving-mx-hostname": "mx2.mail.company-y.example",
      "receiving-ip": "203.0.113.56",
      "failed-session-count": "200",
      "additional-information":
        "https://reports.company-x.example/report_info?id=5065427c#StarttlsNotSupported",
    }],
  }],
};

Deno.test("a TLS report is read", () => {
  const r = parseTlsReport(bytes(JSON.stringify(sample)));
  assert.equal(r.organizationName, "Company-X");
  assert.deepEqual([r.begin, r.end], [Date.UTC(2016, 3, 1), Date.UTC(2016, 3, 1, 23, 59, 59)]);
  assert.equal(r.policies[0].policyType, "sts");
  assert.equal(r.policies[0].totalSuccessfulSessionCount, 5326);
  assert.deepEqual(r.policies[0].failures.map((f) => [f.resultType, f.failedSessionCount]), [
    ["certificate-expired", 100],
    ["starttls-not-supported", 200],
  ]);
});

Deno.test("what senders write differently is understood", () => {
  const r = parseTlsReport(bytes(JSON.stringify({
    "date-range": {
      "start-datetime": "2016-04-01 00:00:00",
      "end-datetime": "2016-04-01T23:59:59+0200",
    },
    policies: {
      policy: {
        "policy-type": "STS",
        "policy-domain": "A.Example.",
        "mx-host-pattern": "mx.a.example",
        "policy-string": "one",
      },
      summary: { "total-successful-session-count": -1 },
      "failure-details": { "result-type": "new-kind", "failed-session-count": 2.5 },
    },
  })));
  assert.deepEqual([r.begin, r.end], [Date.UTC(2016, 3, 1), Date.UTC(2016, 3, 1, 21, 59, 59)]);
  const p = r.policies[0];
  assert.deepEqual([p.policyType, p.policyDomain, p.mxHost, p.policyString], ["sts", "a.example", [
    "mx.a.example",
  ], ["one"]]);
  assert.deepEqual([p.totalSuccessfulSessionCount, p.failures[0].failedSessionCount], [0, 2]);
});

Deno.test("what is no TLS report is refused with a reason", () => {
  const cases: [string, string][] = [
    ["", "syntax"],
    ["{", "syntax"],
    ["[".repeat(200_000), "syntax"],
    [`${"[".repeat(200_000)}${"]".repeat(200_000)}`, "content"],
    ["[]", "content"],
    ["null", "content"],
    ["{}", "content"],
    [`{"policies":[]}`, "content"],
    [JSON.stringify({ ...sample, policies: [{}] }), "content"],
    [JSON.stringify({ ...sample, policies: Array(1001).fill(sample.policies[0]) }), "limit"],
    [
      JSON.stringify({
        ...sample,
        "date-range": { "start-datetime": "2016-13-01T00:00:00Z", "end-datetime": "x" },
      }),
      "content",
    ],
  ];
  for (const [json, code] of cases) {
    assert.throws(
      () => parseTlsReport(bytes(json)),
      (e) => e instanceof ReportError && e.code === code,
      json.slice(0, 50),
    );
  }
});

Deno.test("reading is total on any JSON and any bytes", () => {
  const keys = [
    "policies",
    "policy",
    "summary",
    "date-range",
    "start-datetime",
    "end-datetime",
    "failure-details",
    "policy-domain",
    "mx-host",
    "__proto__",
  ];
  const json = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 5 },
      fc.constantFrom<unknown>(null, true, 1, -1, 1e300, "", "2016-04-01T00:00:00Z", "a.example"),
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom(...keys), tie("value"), { maxKeys: 5 }),
    ),
  })).value;
  const check = (data: Uint8Array) => {
    try {
      parseTlsReport(unpack(data, 100_000));
    } catch (err) {
      assert.ok(err instanceof ReportError, String(err));
    }
  };
  fc.assert(
    fc.property(json, (v) => check(bytes(JSON.stringify({ ...sample, policies: v })))),
    { seed, numRuns: 500 },
  );
  fc.assert(fc.property(json, (v) => check(bytes(JSON.stringify(v)))), { seed, numRuns: 300 });
  fc.assert(fc.property(fc.uint8Array({ maxLength: 100 }), check), { seed, numRuns: 500 });
});

Deno.test("the report is found in a message, packed or not", () => {
  const json = bytes(JSON.stringify(sample));
  for (
    const [contentType, fileName, data] of [
      ["application/tlsrpt+gzip", "x.json.gz", gzipSync(json)],
      ["application/tlsrpt+json", "", json],
      ["application/octet-stream", "x.json", json],
    ] as const
  ) {
    const text = { contentType: "text/plain", fileName: "", content: () => bytes("hi") };
    const r = findTlsReport([text, { contentType, fileName, content: () => data }]);
    assert.equal(r.policies.length, 1);
  }
});

const failure = (n: number, over: Partial<TlsFailure> = {}): TlsFailure => ({
  resultType: "certificate-expired",
  sendingMtaIp: "192.0.2.1",
  receivingMxHostname: "mx.b.example",
  receivingMxHelo: "",
  receivingIp: "",
  failedSessionCount: n,
  additionalInformation: "",
  failureReasonCode: "",
  ...over,
});
const result = (ok: number, failures: TlsFailure[] = []): TlsPolicyResult => ({
  policyType: "sts",
  policyString: ["version: STSv1"],
  policyDomain: "b.example",
  mxHost: ["mx.b.example"],
  totalSuccessfulSessionCount: ok,
  totalFailureSessionCount: failures.reduce((n, f) => n + f.failedSessionCount, 0),
  failures,
});

Deno.test("results of the same policy are counted together", () => {
  const merged = mergeTlsResults([result(1, [failure(2)])], [
    result(10, [failure(3), failure(1, { receivingIp: "192.0.2.2" })]),
    { ...result(5), policyType: "tlsa" },
  ]);
  assert.equal(merged.length, 2);
  assert.deepEqual([merged[0].totalSuccessfulSessionCount, merged[0].totalFailureSessionCount], [
    11,
    6,
  ]);
  assert.deepEqual(merged[0].failures.map((f) => f.failedSessionCount), [5, 1]);
});

Deno.test("a report that is made reads back, and has the names of RFC 8460", () => {
  const r = {
    organizationName: "Ours",
    begin: Date.UTC(2024, 0, 1),
    end: Date.UTC(2024, 0, 1, 23, 59, 59),
    contactInfo: "tls@ours.example",
    reportId: "20240101.b@ours.example",
    policies: [result(4, [failure(1)]), {
      ...result(2),
      policyType: "no-policy-found" as const,
      policyString: [],
      mxHost: [],
    }],
  };
  const a = tlsReportAttachment(r, "b.example", "ours.example");
  assert.equal(a.fileName, "ours.example!b.example!1704067200!1704153599!20240101.b.json.gz");
  assert.equal(a.contentType, "application/tlsrpt+gzip");
  assert.deepEqual(tlsReportHeaders("b.example", "ours.example"), [
    ["TLS-Report-Domain", "b.example"],
    ["TLS-Report-Submitter", "ours.example"],
  ]);
  assert.deepEqual(parseTlsReport(unpack(a.data)), r);
  assert.match(tlsReportJson(r), /"start-datetime":"2024-01-01T00:00:00Z"/);
});

Deno.test("received reports are stored once, results are merged by day", async () => {
  const dir = await Deno.makeTempDir();
  const reports = await TlsReports.open(dir);
  const results = await TlsResults.open(dir);
  try {
    const report = parseTlsReport(bytes(JSON.stringify(sample)));
    const stored = {
      received: 7,
      domain: "company-y.example",
      fromDomain: "company-x.example",
      mailFrom: "a@company-x.example",
      hostReport: false,
      report,
    };
    assert.equal(await reports.add(stored), true);
    assert.equal(await reports.add(stored), false);
    const [listed] = reports.list(0, Date.UTC(2017, 0, 1));
    assert.deepEqual(listed, { id: listed.id, ...stored });
    assert.deepEqual(reports.get(listed.id), listed);
    assert.equal(reports.removeBefore(Date.UTC(2017, 0, 1)), 1);

    const day = reportDay(Date.UTC(2024, 0, 1, 23, 59));
    assert.equal(day, "20240101");
    const entry = { day, policyDomain: "b.example", recipientDomain: "b.example", isHost: false };
    results.add({ ...entry, wanted: false, results: [result(1)] });
    results.add({ ...entry, wanted: true, results: [result(2, [failure(1)])] });
    assert.deepEqual(results.before("20240101"), []);
    assert.deepEqual(results.before("20240102"), [{
      ...entry,
      wanted: true,
      results: [result(3, [failure(1)])],
    }]);
    assert.equal(results.remove({ day, policyDomain: "b.example", isHost: false }), 1);
  } finally {
    await reports.close();
    await results.close();
    await Deno.remove(dir, { recursive: true });
  }
});
