/** DMARC and TLS reports: received ones, and data for reports to others. @module */
import type { reportCalls } from "../../../webmail/admin/api/reports.ts";
import {
  type DmarcRecord,
  reportsSent,
  type StoredDmarcReport,
  type TlsPolicyResult,
} from "../../reports/mod.ts";
import { type CallHandlers, HttpError, UserError } from "../http/mod.ts";
import type { PageContext } from "../login/mod.ts";
import type { AdminPageOptions } from "./options.ts";

const dayMs = 86_400_000;
/** Evaluations of a domain, and senders in a summary, shown. */
const maxEvaluations = 1000;
const maxSources = 50;
/** Reports read for a period's summary. */
const maxReports = 20_000;
/** Reports in the list below it. */
const maxListed = 500;
/** Failure reports shown, the newest first. */
const maxFailures = 500;

/** Counts by UTC day, including days without any. */
function byDay(days: number, entries: Iterable<{ time: number; pass: number; fail: number }>) {
  const today = Math.floor(Date.now() / dayMs);
  const list = Array.from({ length: days + 1 }, (_, i) => ({
    day: (today - days + i) * dayMs,
    pass: 0,
    fail: 0,
  }));
  for (const e of entries) {
    const at = list[Math.floor(e.time / dayMs) - (today - days)];
    if (at === undefined) continue;
    at.pass += e.pass;
    at.fail += e.fail;
  }
  return list;
}

/** DMARC fails if neither way passes (RFC 7489 §6.6.2). */
const fails = (r: DmarcRecord) => r.dkim === "fail" && r.spf === "fail";
const failed = (s: StoredDmarcReport) =>
  s.report.records.reduce((n, r) => n + (fails(r) ? r.count : 0), 0);
const total = (s: StoredDmarcReport) => s.report.records.reduce((n, r) => n + r.count, 0);

const policyShown = (result: TlsPolicyResult) => ({
  type: result.policyType,
  domain: result.policyDomain,
  lines: result.policyString,
  mx: result.mxHost,
  success: result.totalSuccessfulSessionCount,
  failure: result.totalFailureSessionCount,
  failures: result.failures.map((failure) => ({
    type: failure.resultType,
    count: failure.failedSessionCount,
    host: failure.receivingMxHostname,
    sendingIp: failure.sendingMtaIp,
    receivingIp: failure.receivingIp,
    text: [failure.additionalInformation, failure.failureReasonCode].filter((t) => t !== "").join(
      "; ",
    ),
  })),
});

const sessions = (policies: readonly TlsPolicyResult[]) => ({
  success: policies.reduce((n, p) => n + p.totalSuccessfulSessionCount, 0),
  failure: policies.reduce((n, p) => n + p.totalFailureSessionCount, 0),
});

export function reportHandlers(
  options: AdminPageOptions,
): CallHandlers<typeof reportCalls, PageContext> {
  const evaluations = () => {
    if (!options.reports) throw new UserError("this server makes no reports");
    return options.reports.evaluations;
  };
  return {
    DmarcReports({ days, domain }) {
      const now = Date.now();
      // Times in DMARC reports are in seconds. Periods may end slightly in the future, by others' clocks.
      const begin = Math.floor((now - days * dayMs) / 1000);
      const end = Math.floor((now + dayMs) / 1000);
      const found = options.reports?.dmarc.list(begin, end, domain, maxReports) ?? [];
      const summaries = options.reports?.dmarc.summaries(begin, end) ?? [];
      const sources = new Map<
        string,
        { ip: string; domain: string; total: number; fail: number }
      >();
      for (const { report } of found) {
        for (const r of report.records) {
          const key = `${r.sourceIp} ${report.policy.domain}`;
          const s = sources.get(key) ??
            { ip: r.sourceIp, domain: report.policy.domain, total: 0, fail: 0 };
          s.total += r.count;
          if (fails(r)) s.fail += r.count;
          sources.set(key, s);
        }
      }
      return {
        domains: summaries.filter((s) => domain === "" || s.domain === domain).map((summary) => ({
          domain: summary.domain,
          total: summary.total,
          dispositionNone: summary.none,
          quarantine: summary.quarantine,
          reject: summary.reject,
          dkimFail: summary.dkimFail,
          spfFail: summary.spfFail,
          bothFail: summary.bothFail,
        })),
        days: byDay(
          days,
          found.map((report) => ({
            // The middle of its period.
            time: (report.report.begin + report.report.end) * 500,
            pass: total(report) - failed(report),
            fail: failed(report),
          })),
        ),
        reports: found.slice(0, maxListed).map((report) => ({
          id: report.id,
          organization: report.report.orgName,
          domain: report.report.policy.domain,
          begin: report.report.begin * 1000,
          end: report.report.end * 1000,
          total: total(report),
          fail: failed(report),
        })),
        sources: [...sources.values()].filter((s) => s.fail > 0)
          .sort((a, b) => b.fail - a.fail).slice(0, maxSources),
      };
    },
    DmarcReport({ id }) {
      const found = options.reports?.dmarc.get(id);
      if (found === undefined) throw new HttpError(404, "the report is gone");
      const { report } = found;
      const { policy } = report;
      return {
        organization: report.orgName,
        email: report.email,
        reportId: report.reportId,
        begin: report.begin * 1000,
        end: report.end * 1000,
        domain: policy.domain,
        policy: Object.entries(policy).filter(([k, x]) => k !== "domain" && x !== "")
          .map(([k, x]) => `${k}=${x}`).join(" "),
        errors: report.errors,
        records: report.records.map((record) => ({
          sourceIp: record.sourceIp,
          count: record.count,
          disposition: record.disposition,
          dkim: record.dkim,
          spf: record.spf,
          headerFrom: record.headerFrom,
          envelopeFrom: record.envelopeFrom,
          envelopeTo: record.envelopeTo,
          reasons: record.reasons.map((x) => x.comment === "" ? x.type : `${x.type}: ${x.comment}`),
          dkimResults: record.dkimResults.map((x) => `${x.result} ${x.domain} (${x.selector})`),
          spfResults: record.spfResults.map((x) => `${x.result} ${x.domain}`),
        })),
      };
    },
    DmarcFailures({ days, domain }) {
      const now = Date.now();
      const found =
        options.reports?.failures.list(now - days * dayMs, now + dayMs, domain, maxFailures) ?? [];
      return {
        failures: found.map(({ id, received, fromDomain, report }) => ({
          ...report,
          id,
          received,
          reporter: fromDomain,
        })),
      };
    },
    DmarcToSend: async () => ({
      enabled: options.reports !== undefined && !options.config.static.NoOutgoingDMARCReports,
      sent: await reportsSent("dmarc"),
      domains: options.reports?.evaluations.pending(Date.now()) ?? [],
      suppressed: options.reports?.evaluations.suppressed() ?? [],
    }),
    DmarcEvaluations({ domain }) {
      const list = evaluations().list(domain, Date.now() + dayMs, maxEvaluations);
      return {
        addresses: list.at(-1)?.addresses.map((a) => a.address) ?? [],
        evaluations: list.map((evaluation) => ({
          time: evaluation.evaluated,
          optional: evaluation.optional,
          sourceIp: evaluation.sourceIp,
          disposition: evaluation.disposition,
          dkim: evaluation.alignedDkimPass,
          spf: evaluation.alignedSpfPass,
          headerFrom: evaluation.headerFrom,
          envelopeFrom: evaluation.envelopeFrom,
          envelopeTo: evaluation.envelopeTo,
        })),
      };
    },
    DmarcEvaluationsRemove({ domain }) {
      evaluations().remove(domain, Date.now() + dayMs);
      return {};
    },
    DmarcSuppress({ address, days, comment }) {
      if (!/^[^\s@]+@[^\s@]+$/.test(address)) throw new UserError(`${address} is not an address`);
      if (days === 0) evaluations().unsuppress(address);
      else evaluations().suppress(address, Date.now() + days * dayMs, comment);
      return {};
    },
    TlsReports({ days, domain }) {
      const now = Date.now();
      const found =
        options.reports?.tls.list(now - days * dayMs, now + dayMs, domain, maxReports) ?? [];
      const kinds = new Map<string, number>();
      for (const { report } of found) {
        for (const f of report.policies.flatMap((p) => p.failures)) {
          kinds.set(f.resultType, (kinds.get(f.resultType) ?? 0) + f.failedSessionCount);
        }
      }
      return {
        days: byDay(
          days,
          found.map(({ report }) => {
            const s = sessions(report.policies);
            return { time: (report.begin + report.end) / 2, pass: s.success, fail: s.failure };
          }),
        ),
        reports: found.slice(0, maxListed).map((report) => ({
          id: report.id,
          organization: report.report.organizationName,
          domain: report.domain,
          hostReport: report.hostReport,
          begin: report.report.begin,
          end: report.report.end,
          ...sessions(report.report.policies),
        })),
        failures: [...kinds].map(([type, count]) => ({ type, count }))
          .sort((a, b) => b.count - a.count),
      };
    },
    TlsReport({ id }) {
      const found = options.reports?.tls.get(id);
      if (found === undefined) throw new HttpError(404, "the report is gone");
      const { report } = found;
      return {
        organization: report.organizationName,
        contact: report.contactInfo,
        reportId: report.reportId,
        domain: found.domain,
        begin: report.begin,
        end: report.end,
        policies: report.policies.map(policyShown),
      };
    },
    TlsToSend: async () => ({
      enabled: options.tlsResults !== undefined && !options.config.static.NoOutgoingTLSReports,
      sent: await reportsSent("tls"),
      // Days as eight digits: all that exist.
      results: (options.tlsResults?.before("99999999") ?? []).map((result) => ({
        day: result.day,
        policyDomain: result.policyDomain,
        recipientDomain: result.recipientDomain,
        isHost: result.isHost,
        wanted: result.wanted,
        ...sessions(result.results),
        policies: result.results.map(policyShown),
      })),
    }),
    TlsResultsRemove(which) {
      options.tlsResults?.remove(which);
      return {};
    },
  };
}
