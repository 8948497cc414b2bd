/**
 * Sending TLS reports (RFC 8460): once a day, about the connections of the preceding days, to the domains and
 * hosts whose TLSRPT records request them.
 *
 * @module
 */
import { DnsError, type Resolver } from "../../dns/mod.ts";
import type { Log } from "../../log/mod.ts";
import type { Outbound } from "../../net/mod.ts";
import {
  type DmarcEvaluations,
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
/** Addresses of a record that get reports. */
const maxAddresses = 10;
/** Milliseconds for a report by HTTPS. */
const httpsTimeout = 30_000;

export interface TlsReportServices extends ReportServices {
  results: TlsResults;
  /** Addresses to which reports could not be delivered. */
  evaluations: DmarcEvaluations;
  resolver: Resolver;
  log: Log;
  outbound: Outbound;
}

/**
 * Sends the reports about the days before.
 * @param now milliseconds since the epoch
 * @returns the policy domains that got a report
 */
export async function sendTlsReports(services: TlsReportServices, now: number): Promise<string[]> {
  const groups = new Map<string, TlsDayResult[]>();
  for (const r of services.results.before(reportDay(now))) {
    const key = `${r.day} ${r.policyDomain} ${r.isHost}`;
    groups.set(key, [...groups.get(key) ?? [], r]);
  }
  // A host with the same report address as its domain needs no second report.
  const ordered = [...groups.values()].sort((a, b) => Number(a[0].isHost) - Number(b[0].isHost));
  const logged: Told = new Map();
  const tooOld = reportDay(now - keptDays * 86_400_000);
  const sent: string[] = [];
  for (const list of ordered) {
    const { day, policyDomain } = list[0];
    try {
      const did = await report(services, list, logged);
      reports.inc({ result: did ? "sent" : "unwanted" });
      if (did) sent.push(policyDomain);
      services.results.remove(list[0]);
    } catch (err) {
      reports.inc({ result: "error" });
      if (day < tooOld) services.results.remove(list[0]);
      services.log.error("tls report", { domain: policyDomain, day, err: err as Error });
    }
  }
  return sent;
}

/** Addresses that got the report about a recipient domain, by day and domain. */
type Told = Map<string, readonly string[]>;

async function report(
  services: TlsReportServices,
  all: readonly TlsDayResult[],
  logged: Told,
): Promise<boolean> {
  const { day, policyDomain, isHost } = all[0];
  if (!isWorthwhile(services, all)) return false;
  const addresses = await addressesFor(services, policyDomain);
  const list = all.filter((result) => {
    const others = logged.get(`${day} ${result.recipientDomain}`);
    return !isHost || !others || addresses.some((a) => !others.includes(a));
  });
  if (addresses.length === 0 || !isWorthwhile(services, list)) return false;
  const policies = mergeTlsResults([], list.flatMap((r) => r.results));
  const submitter = hostDomain(services.config);
  const from = `postmaster@${submitter}`;
  const begin = Date.UTC(+day.slice(0, 4), +day.slice(4, 6) - 1, +day.slice(6, 8));
  const made: TlsReport = {
    organizationName: submitter,
    begin,
    end: begin + 86_400_000 - 1000,
    contactInfo: from,
    reportId: `${day}.${crypto.randomUUID()}@${services.config.static.Hostname}`,
    policies,
  };
  const attachment = tlsReportAttachment(made, policyDomain, submitter);
  const suppressed = new Set(services.evaluations.suppressed().map((x) => x.address));
  const mail: string[] = [];
  let done = false;
  for (const uri of addresses.slice(0, maxAddresses)) {
    const m = /^mailto:([^?]+)/i.exec(uri);
    if (m) {
      const address = mailAddress(m[1]);
      if (address !== undefined && !suppressed.has(address.toLowerCase())) mail.push(address);
    } else done = await post(services, uri, attachment.data) || done;
  }
  if (mail.length > 0) {
    await sendReport(services, {
      from,
      recipients: mail,
      attachment,
      multipart: ["report", { "report-type": "tlsrpt" }],
      headers: tlsReportHeaders(policyDomain, submitter),
      tlsOptional: true,
      text:
        `Attached is a report about TLS in connections from ${services.config.static.Hostname} for\n` +
        `${policyDomain}, on ${new Date(begin).toISOString().slice(0, 10)} (UTC).\n`,
    });
    done = true;
  }
  if (done && !isHost) logged.set(`${day} ${policyDomain}`, addresses);
  services.log.info("tls report sent", { domain: policyDomain, day, to: addresses.join(",") });
  return done;
}

/** Reports about reports would never end; reports of success are only sent if configured. */
function isWorthwhile(services: TlsReportServices, list: readonly TlsDayResult[]): boolean {
  const failed = list.some((r) => r.results.some((p) => p.totalFailureSessionCount > 0));
  return list.some((r) => r.wanted) &&
    (failed || services.config.static.OutgoingTLSReportsForAllSuccess);
}

/** Where the reports of a domain go; empty if it wants none. @throws DnsError if that is unknown for now */
async function addressesFor(services: TlsReportServices, domain: string): Promise<string[]> {
  try {
    return (await lookupTlsrpt(services.resolver, domain))?.record.addresses ?? [];
  } catch (err) {
    if (err instanceof DnsError && err.temporary) throw err;
    if (!(err instanceof DnsError) && !(err instanceof TlsrptRecordError)) throw err;
    services.log.info("no usable tlsrpt record", { domain, err });
    return [];
  }
}

/** RFC 6068 §2: percent-encoded; undefined if it isn't an address. */
function mailAddress(text: string): string | undefined {
  try {
    return decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** Reports by HTTPS (RFC 8460 §3, §5.4). The RFC allows invalid certificates, we don't. */
async function post(services: TlsReportServices, url: string, data: Uint8Array): Promise<boolean> {
  try {
    const r = await services.outbound.request({
      url: new URL(url),
      method: "POST",
      headers: { "content-type": "application/tlsrpt+gzip" },
      body: data,
      // The domain reported on chooses the target of its reports.
      rule: services.outbound.forUsers,
      timeout: httpsTimeout,
      cutOff: true,
    });
    if (r.status >= 200 && r.status <= 299) return true;
    services.log.info("tls report was not taken", { url, status: r.status });
  } catch (err) {
    services.log.info("tls report can't be sent", { url, err: err as Error });
  }
  return false;
}
