/** DMARC and TLS reports: those that came in, and what is to be reported to others. @module */
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
/** Evaluations of a domain, and senders in a summary, that are shown. */
const maxEvaluations = 1000;
const maxSources = 50;
/** Reports that a period's summary reads at most. */
const maxReports = 20_000;
/** Reports in the list below it. */
const maxListed = 500;
/** Failure reports that are shown, the newest. */
const maxFailures = 500;

/** Counts by day of UTC, the days without any included. */
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

const policyShown = (p: TlsPolicyResult) => ({
  type: p.policyType,
  domain: p.policyDomain,
  lines: p.policyString,
  mx: p.mxHost,
  success: p.totalSuccessfulSessionCount,
  failure: p.totalFailureSessionCount,
  failures: p.failures.map((f) => ({
    type: f.resultType,
    count: f.failedSessionCount,
    host: f.receivingMxHostname,
    sendingIp: f.sendingMtaIp,
    receivingIp: f.receivingIp,
    text: [f.additionalInformation, f.failureReasonCode].filter((t) => t !== "").join("; "),
  })),
});

const sessions = (policies: readonly TlsPolicyResult[]) => ({
  success: policies.reduce((n, p) => n + p.totalSuccessfulSessionCount, 0),
  failure: policies.reduce((n, p) => n + p.totalFailureSessionCount, 0),
});

export function reportHandlers(
  o: AdminPageOptions,
): CallHandlers<typeof reportCalls, PageContext> {
  const evaluations = () => {
    if (!o.reports) throw new UserError("this server makes no reports");
    return o.reports.evaluations;
  };
  return {
    DmarcReports({ days, domain }) {
      const now = Date.now();
      // Times of DMARC reports are in seconds. Periods may end a little after now, by others' clocks.
      const begin = Math.floor((now - days * dayMs) / 1000);
      const end = Math.floor((now + dayMs) / 1000);
      const found = o.reports?.dmarc.list(begin, end, domain, maxReports) ?? [];
      const summaries = o.reports?.dmarc.summaries(begin, end) ?? [];
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
        domains: summaries.filter((s) => domain === "" || s.domain === domain).map((s) => ({
          domain: s.domain,
          total: s.total,
          dispositionNone: s.none,
          quarantine: s.quarantine,
          reject: s.reject,
          dkimFail: s.dkimFail,
          spfFail: s.spfFail,
          bothFail: s.bothFail,
        })),
        days: byDay(
          days,
          found.map((s) => ({
            // The middle of what it is about.
            time: (s.report.begin + s.report.end) * 500,
            pass: total(s) - failed(s),
            fail: failed(s),
          })),
        ),
        reports: found.slice(0, maxListed).map((s) => ({
          id: s.id,
          organization: s.report.orgName,
          domain: s.report.policy.domain,
          begin: s.report.begin * 1000,
          end: s.report.end * 1000,
          total: total(s),
          fail: failed(s),
        })),
        sources: [...sources.values()].filter((s) => s.fail > 0)
          .sort((a, b) => b.fail - a.fail).slice(0, maxSources),
      };
    },
    DmarcReport({ id }) {
      const found = o.reports?.dmarc.get(id);
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
        records: report.records.map((r) => ({
          sourceIp: r.sourceIp,
          count: r.count,
          disposition: r.disposition,
          dkim: r.dkim,
          spf: r.spf,
          headerFrom: r.headerFrom,
          envelopeFrom: r.envelopeFrom,
          envelopeTo: r.envelopeTo,
          reasons: r.reasons.map((x) => x.comment === "" ? x.type : `${x.type}: ${x.comment}`),
          dkimResults: r.dkimResults.map((x) => `${x.result} ${x.domain} (${x.selector})`),
          spfResults: r.spfResults.map((x) => `${x.result} ${x.domain}`),
        })),
      };
    },
    DmarcFailures({ days, domain }) {
      const now = Date.now();
      const found =
        o.reports?.failures.list(now - days * dayMs, now + dayMs, domain, maxFailures) ?? [];
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
      enabled: o.reports !== undefined && !o.config.static.NoOutgoingDMARCReports,
      sent: await reportsSent("dmarc"),
      domains: o.reports?.evaluations.pending(Date.now()) ?? [],
      suppressed: o.reports?.evaluations.suppressed() ?? [],
    }),
    DmarcEvaluations({ domain }) {
      const list = evaluations().list(domain, Date.now() + dayMs, maxEvaluations);
      return {
        addresses: list.at(-1)?.addresses.map((a) => a.address) ?? [],
        evaluations: list.map((e) => ({
          time: e.evaluated,
          optional: e.optional,
          sourceIp: e.sourceIp,
          disposition: e.disposition,
          dkim: e.alignedDkimPass,
          spf: e.alignedSpfPass,
          headerFrom: e.headerFrom,
          envelopeFrom: e.envelopeFrom,
          envelopeTo: e.envelopeTo,
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
      const found = o.reports?.tls.list(now - days * dayMs, now + dayMs, domain, maxReports) ?? [];
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
        reports: found.slice(0, maxListed).map((r) => ({
          id: r.id,
          organization: r.report.organizationName,
          domain: r.domain,
          hostReport: r.hostReport,
          begin: r.report.begin,
          end: r.report.end,
          ...sessions(r.report.policies),
        })),
        failures: [...kinds].map(([type, count]) => ({ type, count }))
          .sort((a, b) => b.count - a.count),
      };
    },
    TlsReport({ id }) {
      const found = o.reports?.tls.get(id);
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
      enabled: o.tlsResults !== undefined && !o.config.static.NoOutgoingTLSReports,
      sent: await reportsSent("tls"),
      // Days of eight digits: all that are there.
      results: (o.tlsResults?.before("99999999") ?? []).map((r) => ({
        day: r.day,
        policyDomain: r.policyDomain,
        recipientDomain: r.recipientDomain,
        isHost: r.isHost,
        wanted: r.wanted,
        ...sessions(r.results),
        policies: r.results.map(policyShown),
      })),
    }),
    TlsResultsRemove(which) {
      o.tlsResults?.remove(which);
      return {};
    },
  };
}
