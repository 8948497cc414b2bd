/**
 * Sending TLS reports (RFC 8460): once a day, about the connections of the days before, to the domains and
 * hosts whose TLSRPT records ask for them.
 *
 * @module
 */
import { DnsError, type Resolver } from "../../dns/mod.ts";
import type { Log } from "../../log/mod.ts";
import {
  lookupTlsrpt,
  mergeTlsResults,
  reportDay,
  type TlsDayResult,
  type TlsReport,
  tlsReportAttachment,
  tlsReportHeaders,
  tlsReportsSent as reports,
  type TlsResults,
  TlsrptRecordError,
} from "../../reports/mod.ts";
import { hostDomain } from "../host_domain.ts";
import { type ReportServices, sendReport } from "./report_mail.ts";

/** Days that results are kept while the record can't be looked up. */
const keptDays = 3;
/** Addresses of a record that are reported to. */
const maxAddresses = 10;
/** Milliseconds for a report by HTTPS. */
const httpsTimeout = 30_000;

export interface TlsReportServices extends ReportServices {
  results: TlsResults;
  resolver: Resolver;
  log: Log;
  /** The runtime's if not given. */
  fetch?: typeof fetch;
}

/**
 * Sends the reports about the days before.
 * @param now milliseconds since the epoch
 * @returns the policy domains that were reported to
 */
export async function sendTlsReports(s: TlsReportServices, now: number): Promise<string[]> {
  const groups = new Map<string, TlsDayResult[]>();
  for (const r of s.results.before(reportDay(now))) {
    const key = `${r.day} ${r.policyDomain}`;
    groups.set(key, [...groups.get(key) ?? [], r]);
  }
  const tooOld = reportDay(now - keptDays * 86_400_000);
  const sent: string[] = [];
  for (const list of groups.values()) {
    const { day, policyDomain } = list[0];
    try {
      const did = await report(s, list);
      reports.inc({ result: did ? "sent" : "unwanted" });
      if (did) sent.push(policyDomain);
      s.results.remove(day, policyDomain);
    } catch (err) {
      reports.inc({ result: "error" });
      if (day < tooOld) s.results.remove(day, policyDomain);
      s.log.error("tls report", { domain: policyDomain, day, err: err as Error });
    }
  }
  return sent;
}

async function report(s: TlsReportServices, list: TlsDayResult[]): Promise<boolean> {
  const { day, policyDomain } = list[0];
  const policies = mergeTlsResults([], list.flatMap((r) => r.results));
  const failed = policies.some((p) => p.totalFailureSessionCount > 0);
  if (!list.some((r) => r.wanted)) return false;
  if (!failed && !s.config.static.OutgoingTLSReportsForAllSuccess) return false;
  let addresses: string[];
  try {
    addresses = (await lookupTlsrpt(s.resolver, policyDomain))?.record.addresses ?? [];
  } catch (err) {
    if (err instanceof DnsError && err.temporary) throw err;
    if (!(err instanceof DnsError) && !(err instanceof TlsrptRecordError)) throw err;
    s.log.info("no usable tlsrpt record", { domain: policyDomain, err });
    return false;
  }
  if (addresses.length === 0) return false;
  const submitter = hostDomain(s.config);
  const from = `postmaster@${submitter}`;
  const begin = Date.UTC(+day.slice(0, 4), +day.slice(4, 6) - 1, +day.slice(6, 8));
  const made: TlsReport = {
    organizationName: submitter,
    begin,
    end: begin + 86_400_000 - 1000,
    contactInfo: from,
    reportId: `${day}.${crypto.randomUUID()}@${s.config.static.Hostname}`,
    policies,
  };
  const attachment = tlsReportAttachment(made, policyDomain, submitter);
  const mail: string[] = [];
  let done = false;
  for (const uri of addresses.slice(0, maxAddresses)) {
    const m = /^mailto:([^?]+)/i.exec(uri);
    if (m) mail.push(decodeURIComponent(m[1]));
    else done = await post(s, uri, attachment.data) || done;
  }
  if (mail.length > 0) {
    await sendReport(s, {
      from,
      recipients: mail,
      attachment,
      multipart: ["report", { "report-type": "tlsrpt" }],
      headers: tlsReportHeaders(policyDomain, submitter),
      tlsOptional: true,
      text: `Attached is a report about TLS in connections from ${s.config.static.Hostname} for\n` +
        `${policyDomain}, on ${new Date(begin).toISOString().slice(0, 10)} (UTC).\n`,
    });
    done = true;
  }
  s.log.info("tls report sent", { domain: policyDomain, day, to: addresses.join(",") });
  return done;
}

/** Reports by HTTPS (RFC 8460 §3, §5.4). Certificates need not verify, but here they do. */
async function post(s: TlsReportServices, url: string, data: Uint8Array): Promise<boolean> {
  try {
    const r = await (s.fetch ?? fetch)(url, {
      method: "POST",
      headers: { "content-type": "application/tlsrpt+gzip" },
      body: data as Uint8Array<ArrayBuffer>,
      redirect: "error",
      signal: AbortSignal.timeout(httpsTimeout),
    });
    await r.body?.cancel();
    if (r.ok) return true;
    s.log.info("tls report was not taken", { url, status: r.status });
  } catch (err) {
    s.log.info("tls report can't be sent", { url, err: err as Error });
  }
  return false;
}
