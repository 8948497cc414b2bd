import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createServer } from "node:https";
import { gunzipSync } from "node:zlib";
import { Config } from "../../src/config/mod.ts";
import { scriptedResolver, type Zone } from "../../src/dns/mod.ts";
import { Log, setLevel } from "../../src/log/mod.ts";
import type { Outbound } from "../../src/net/mod.ts";
import { localDeliverer, Queue } from "../../src/queue/mod.ts";
import {
  type DmarcEvaluation,
  DmarcEvaluations,
  parseDmarcXml,
  parseTlsReport,
  reportDay,
  TlsResults,
} from "../../src/reports/mod.ts";
import { sendDmarcReports } from "../../src/serve/reports/dmarc_reports.ts";
import { noteUndeliverable } from "../../src/serve/reports/undeliverable.ts";
import { recordTlsResult } from "../../src/serve/reports/tls_results.ts";
import { sendTlsReports } from "../../src/serve/reports/tls_reports.ts";
import { noPolicy } from "../../src/tlspolicy/opportunistic.ts";
import type { TlsResult } from "../../src/tlspolicy/mod.ts";
import { outboundTo } from "../support/outbound.ts";
import { TestCa } from "../support/test_ca.ts";
import { writeSmallConfig } from "./instance.ts";

setLevel("reports", "error");
setLevel("queue", "error");
const log = new Log("reports");
const ca = new TestCa();
const hour = 3_600_000;
/** 2026-11-23 00:00 UTC. */
const midnight = Date.UTC(2026, 10, 23);

interface World {
  config: Config;
  queue: Queue;
  tempDir: string;
  log: Log;
  evaluations: DmarcEvaluations;
  results: TlsResults;
  /** What left the queue: recipients and the message. */
  sent: { to: string; message: string }[];
  /** Waits until so many have left. */
  delivered(n: number): Promise<void>;
  /** Waits until so many were given up. */
  failed(n: number): Promise<void>;
}

async function withWorld(
  fn: (
    w: World,
    resolver: (
      zone: Zone,
    ) => World & { resolver: ReturnType<typeof scriptedResolver>; outbound: Outbound },
  ) => Promise<void>,
): Promise<void> {
  const dir = await Deno.makeTempDir();
  await writeSmallConfig(dir, { ports: { smtp: 1, imap: 2 } });
  const sent: World["sent"] = [];
  let arrived = () => {};
  let failures = 0;
  const evaluations = await DmarcEvaluations.open(dir);
  const queue = await Queue.open(`${dir}/data`, {
    log: new Log("queue"),
    deliverer: localDeliverer(async (m, item) => {
      if (item.address.startsWith("refused@")) {
        return { kind: "permanent", code: 550, enhanced: "5.1.1", text: "no such user" };
      }
      const text = new TextDecoder("latin1");
      const message = text.decode(m.prefix) + text.decode(await Deno.readFile(m.path));
      sent.push({ to: item.address, message });
      arrived();
      return { kind: "delivered" };
    }),
    onDsn: () => Promise.reject(new Error("no notification is due")),
    onEvent: (e) => {
      noteUndeliverable(evaluations, e, Date.now());
      if (e.kind === "failed") failures++;
      arrived();
      return Promise.resolve();
    },
  });
  const w: World = {
    config: await Config.load(`${dir}/config/mox.conf`),
    queue,
    tempDir: dir,
    log,
    evaluations,
    results: await TlsResults.open(dir),
    sent,
    async delivered(n) {
      while (sent.length < n) await new Promise<void>((resolve) => arrived = resolve);
    },
    async failed(n) {
      while (failures < n) await new Promise<void>((resolve) => arrived = resolve);
    },
  };
  await queue.start();
  try {
    await fn(w, (zone) => ({
      ...w,
      resolver: scriptedResolver(zone),
      outbound: outboundTo([ca.root], zone),
    }));
  } finally {
    await queue.stop();
    await w.evaluations.close();
    await w.results.close();
    await Deno.remove(dir, { recursive: true });
  }
}

function evaluation(more: Partial<DmarcEvaluation>): DmarcEvaluation {
  return {
    policyDomain: "sender.example",
    evaluated: midnight - hour,
    optional: false,
    intervalHours: 24,
    addresses: [{ address: "dmarc@sender.example" }],
    policy: {
      domain: "sender.example",
      adkim: "r",
      aspf: "r",
      p: "reject",
      sp: "reject",
      pct: 100,
      fo: "",
    },
    sourceIp: "192.0.2.1",
    disposition: "none",
    alignedDkimPass: true,
    alignedSpfPass: false,
    reasons: [],
    envelopeTo: "mox.example",
    envelopeFrom: "sender.example",
    headerFrom: "sender.example",
    dkimResults: [],
    spfResults: [{ domain: "sender.example", scope: "mfrom", result: "fail" }],
    ...more,
  };
}

/** The attachment of a message: its last part of base64. */
function attachment(message: string): Uint8Array {
  const at = message.lastIndexOf("Content-Transfer-Encoding: base64");
  const [, body] = /\r\n\r\n([A-Za-z0-9+/=\r\n]+)\r\n--/.exec(message.slice(at))!;
  return gunzipSync(Buffer.from(body, "base64"));
}

Deno.test("DMARC: domains are told at the end of their interval, once, what was found", () =>
  withWorld(async (w, at) => {
    for (const ip of ["192.0.2.1", "192.0.2.1", "192.0.2.2"]) {
      w.evaluations.add(evaluation({ sourceIp: ip }));
    }
    w.evaluations.add(evaluation({ policyDomain: "hourly.example", intervalHours: 1 }));
    w.evaluations.add(evaluation({ evaluated: midnight + 1000, sourceIp: "192.0.2.9" }));
    const s = at({});
    // The addresses of hourly.example are another organisation's, which has not agreed.
    assert.deepEqual(await sendDmarcReports(s, midnight - 1), []);
    assert.deepEqual(await sendDmarcReports(s, midnight + 120_000), ["sender.example"]);
    await w.delivered(1);
    const [{ to, message }] = w.sent;
    assert.equal(to, "dmarc@sender.example");
    assert.match(message, /^From: <postmaster@mail\.mox\.example>\r$/m);
    assert.match(
      message,
      /^Subject: Report Domain: sender\.example Submitter: mail\.mox\.example/m,
    );
    assert.match(message, /filename="?mail\.mox\.example!sender\.example!\d+!\d+\.xml\.gz/);
    const report = parseDmarcXml(attachment(message));
    assert.equal(report.begin * 1000, midnight - 24 * hour);
    assert.equal(report.end * 1000, midnight - 1000);
    assert.deepEqual(report.records.map((r) => [r.sourceIp, r.count]), [
      ["192.0.2.1", 2],
      ["192.0.2.2", 1],
    ]);
    assert.deepEqual(await sendDmarcReports(s, midnight + 180_000), []);
    assert.deepEqual(await sendDmarcReports(s, midnight + 24 * hour), ["sender.example"]);
    await w.delivered(2);
  }));

Deno.test("DMARC: others get reports only if they have agreed, and none that is too large for them", () =>
  withWorld(async (w, at) => {
    const addresses = [
      { address: "a@agreed.example" },
      { address: "b@silent.example" },
      { address: "c@sub.sender.example", maxSize: 100 },
      { address: "d@agreed.example" },
    ];
    w.evaluations.add(evaluation({ addresses }));
    w.evaluations.suppress("d@agreed.example", Date.now() + hour, "bounced");
    addresses.push({ address: "e@other.example" });
    w.evaluations.add(evaluation({ addresses }));
    const rua = "mailto:elsewhere@third.example,mailto:f@other.example!10m";
    const s = at({
      "sender.example._report._dmarc.agreed.example": { TXT: ["v=DMARC1"] },
      "sender.example._report._dmarc.other.example": { TXT: [`v=DMARC1; rua=${rua}`] },
    });
    assert.deepEqual(await sendDmarcReports(s, midnight), ["sender.example"]);
    await w.delivered(2);
    assert.deepEqual(w.sent.map((x) => x.to).sort(), ["a@agreed.example", "f@other.example"]);
  }));

Deno.test("an address that refuses reports gets none for a month, of either kind", () =>
  withWorld(async (w, at) => {
    const tls = { dane: { kind: "encrypt" as const, policyString: [] } };
    const fail = (day: number) =>
      recordTlsResult(w.results, result({ ...tls, outcomes: [failure] }), day);
    const s = at({
      "_smtp._tls.to.example": { TXT: ["v=TLSRPTv1; rua=mailto:refused@to.example"] },
    });
    fail(midnight - hour);
    assert.deepEqual(await sendTlsReports(s, midnight + hour), ["to.example"]);
    await w.failed(1);
    assert.deepEqual(w.evaluations.suppressed().map((x) => [x.address, x.comment]), [
      ["refused@to.example", "550 5.1.1 no such user"],
    ]);
    fail(midnight + hour);
    assert.deepEqual(await sendTlsReports(s, midnight + 25 * hour), []);
    assert.deepEqual(w.evaluations.suppressed(Date.now() + 31 * 24 * hour), []);
  }));

Deno.test("DMARC: reports by themselves are no reason for a report, and DNS that fails is tried again", () =>
  withWorld(async (w, at) => {
    w.evaluations.add(evaluation({ policyDomain: "reports.example", optional: true }));
    w.evaluations.add(evaluation({ addresses: [{ address: "x@elsewhere.example" }] }));
    const failing = at(
      { "sender.example._report._dmarc.elsewhere.example": { fail: "servfail" } },
    );
    assert.deepEqual(await sendDmarcReports(failing, midnight), []);
    const s = at({ "sender.example._report._dmarc.elsewhere.example": { TXT: ["v=DMARC1;"] } });
    assert.deepEqual(await sendDmarcReports(s, midnight + 24 * hour), ["sender.example"]);
    await w.delivered(1);
    // Old enough now: forgotten without a report.
    await sendDmarcReports(s, midnight + 72 * hour);
    assert.deepEqual(w.evaluations.pending(midnight + 100 * hour), []);
    assert.equal(w.sent.length, 1);
  }));

function result(more: Partial<TlsResult>): TlsResult {
  return {
    recipientDomain: "to.example",
    policy: noPolicy("to.example"),
    mxHost: "mx.to.example",
    dane: { kind: "none" },
    localIp: "198.51.100.1",
    remoteIp: "192.0.2.1",
    remoteHelo: "mx.to.example",
    isReport: false,
    outcomes: [{ policyType: "no-policy-found", failure: undefined }],
    ...more,
  };
}

const failure = {
  policyType: "sts" as const,
  failure: { resultType: "certificate-expired" as const, reasonCode: "CERT", information: "old" },
};
const sts = {
  ...noPolicy("to.example"),
  mode: "enforce" as const,
  mx: ["mx.to.example"],
  policyString: ["version: STSv1", "mode: enforce"],
};

Deno.test("TLSRPT: failures of a day are told the day after, by mail and HTTPS", () =>
  withWorld(async (w, at) => {
    const day = midnight - hour;
    recordTlsResult(
      w.results,
      result({ policy: sts, outcomes: [{ ...failure, failure: undefined }] }),
      day,
    );
    recordTlsResult(w.results, result({ policy: sts, outcomes: [failure] }), day);
    recordTlsResult(w.results, result({ policy: sts, outcomes: [failure] }), day);
    const posted: { url: string; body: Uint8Array; type: string | undefined }[] = [];
    const receiver = createServer(ca.pair(["reports.to.example"]), async (req, res) => {
      const pieces: Uint8Array[] = [];
      for await (const piece of req) pieces.push(piece);
      const url = `https://${req.headers.host}${req.url}`;
      posted.push({ url, body: Buffer.concat(pieces), type: req.headers["content-type"] });
      res.end();
    });
    await new Promise<void>((resolve) => receiver.listen(0, "127.0.0.1", resolve));
    const { port } = receiver.address() as { port: number };
    const s = at({
      "reports.to.example": { A: ["127.0.0.1"] },
      "_smtp._tls.to.example": {
        TXT: [`v=TLSRPTv1; rua=mailto:tls@to.example,https://reports.to.example:${port}/v1`],
      },
    });
    assert.deepEqual(await sendTlsReports(s, day), []);
    assert.deepEqual(await sendTlsReports(s, midnight + hour), ["to.example"]);
    await w.delivered(1);
    const [{ to, message }] = w.sent;
    assert.equal(to, "tls@to.example");
    assert.match(message, /^TLS-Required: No\r$/m);
    assert.match(message, /^TLS-Report-Domain: to\.example\r$/m);
    assert.match(message, /^TLS-Report-Submitter: mox\.example\r$|^TLS-Report-Submitter: mail\./m);
    assert.match(message, /^Content-Type: multipart\/report;\s+report-type=tlsrpt/m);
    const report = parseTlsReport(attachment(message));
    assert.equal(report.begin, midnight - 24 * hour);
    assert.equal(report.policies.length, 1);
    const [p] = report.policies;
    assert.deepEqual([p.policyType, p.policyDomain, p.mxHost], ["sts", "to.example", [
      "mx.to.example",
    ]]);
    assert.deepEqual([p.totalSuccessfulSessionCount, p.totalFailureSessionCount], [1, 2]);
    assert.deepEqual(p.failures.map((f) => [f.resultType, f.failedSessionCount]), [
      ["certificate-expired", 2],
    ]);
    assert.deepEqual(posted.map((x) => [x.url, x.type]), [
      [`https://reports.to.example:${port}/v1`, "application/tlsrpt+gzip"],
    ]);
    assert.deepEqual(parseTlsReport(gunzipSync(posted[0].body)), report);
    assert.deepEqual(await sendTlsReports(s, midnight + 2 * hour), []);
    receiver.closeAllConnections();
    await new Promise((resolve) => receiver.close(resolve));
  }));

Deno.test("TLSRPT: of DANE the domain and the host are told, an address that both name once; success alone, or reports alone, tell nothing", () =>
  withWorld(async (w, at) => {
    const dane = { kind: "encrypt" as const, policyString: ["3 1 1 00"] };
    const tlsa = { ...failure, policyType: "tlsa" as const };
    recordTlsResult(w.results, result({ dane, outcomes: [tlsa] }), midnight - hour);
    recordTlsResult(w.results, result({ recipientDomain: "fine.example" }), midnight - hour);
    recordTlsResult(
      w.results,
      result({ recipientDomain: "loop.example", policy: sts, outcomes: [failure], isReport: true }),
      midnight - hour,
    );
    recordTlsResult(
      w.results,
      result({
        recipientDomain: "same.example",
        mxHost: "mx.same.example",
        dane,
        outcomes: [tlsa],
      }),
      midnight - hour,
    );
    const TXT = ["v=TLSRPTv1; rua=mailto:tls@host.example"];
    const s = at({
      "_smtp._tls.mx.to.example": { TXT },
      "_smtp._tls.to.example": { TXT: ["v=TLSRPTv1; rua=mailto:tls@to.example"] },
      "_smtp._tls.same.example": { TXT },
      "_smtp._tls.mx.same.example": { TXT },
      "_smtp._tls.fine.example": { TXT },
      "_smtp._tls.loop.example": { TXT },
    });
    assert.deepEqual(await sendTlsReports(s, midnight + hour), [
      "same.example",
      "to.example",
      "mx.to.example",
    ]);
    await w.delivered(3);
    const told = w.sent.map(({ to, message }) => {
      const { policies } = parseTlsReport(attachment(message));
      assert.equal(policies.length, 1, "DANE is not reported as no policy, too");
      return [to, policies[0].policyType, policies[0].policyDomain].join(" ");
    });
    assert.deepEqual(told.sort(), [
      "tls@host.example tlsa mx.same.example",
      "tls@host.example tlsa mx.to.example",
      "tls@to.example tlsa mx.to.example",
    ]);
    assert.deepEqual(w.results.before(reportDay(midnight + 48 * hour)), []);
  }));
