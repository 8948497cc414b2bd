/**
 * Building TLS reports for others (RFC 8460): adding up sessions, and the attachment. Pure
 * functions; the queue sends them.
 *
 * @module
 */
import { gzipSync } from "node:zlib";
import type { ReportAttachment } from "./dmarc_build.ts";
import {
  maxFailures,
  type TlsFailure,
  type TlsPolicyResult,
  type TlsReport,
  tlsReportJson,
} from "./tlsrpt.ts";

/**
 * Results of the same policies with their counts added. Failures that differ only in the count are
 * merged; of more than {@link maxFailures} different ones only the count of sessions is kept.
 */
export function mergeTlsResults(
  into: readonly TlsPolicyResult[],
  more: readonly TlsPolicyResult[],
): TlsPolicyResult[] {
  const merged = new Map<string, { result: TlsPolicyResult; failures: Map<string, TlsFailure> }>();
  for (const p of [...into, ...more]) {
    const key = JSON.stringify([p.policyType, p.policyDomain, p.policyString, p.mxHost]);
    let m = merged.get(key);
    if (!m) {
      const result = {
        ...p,
        totalSuccessfulSessionCount: 0,
        totalFailureSessionCount: 0,
        failures: [],
      };
      m = { result, failures: new Map() };
      merged.set(key, m);
    }
    m.result.totalSuccessfulSessionCount += p.totalSuccessfulSessionCount;
    m.result.totalFailureSessionCount += p.totalFailureSessionCount;
    for (const f of p.failures) {
      const failureKey = JSON.stringify({ ...f, failedSessionCount: 0 });
      const same = m.failures.get(failureKey);
      if (same) same.failedSessionCount += f.failedSessionCount;
      else if (m.failures.size < maxFailures) m.failures.set(failureKey, { ...f });
    }
  }
  return [...merged.values()].map((m) => ({ ...m.result, failures: [...m.failures.values()] }));
}

/** Additional header fields of a report's message (RFC 8460 §5.3). */
export function tlsReportHeaders(domain: string, submitter: string): [string, string][] {
  return [["TLS-Report-Domain", domain], ["TLS-Report-Submitter", submitter]];
}

/**
 * The report ready to be attached (RFC 8460 §5.1, §5.3).
 * @param domain the policy domain it is for
 * @param submitter our domain
 */
export function tlsReportAttachment(
  report: TlsReport,
  domain: string,
  submitter: string,
): ReportAttachment {
  const gz = gzipSync(new TextEncoder().encode(tlsReportJson(report)));
  const seconds = (ms: number) => Math.floor(ms / 1000);
  const id = report.reportId.split("@")[0].replace(/[^a-zA-Z0-9.-]/g, "");
  return {
    fileName: `${submitter}!${domain}!${seconds(report.begin)}!${
      seconds(report.end)
    }!${id}.json.gz`,
    contentType: "application/tlsrpt+gzip",
    subject: `Report Domain: ${domain} Submitter: ${submitter} Report-ID: <${report.reportId}>`,
    data: new Uint8Array(gz.buffer, gz.byteOffset, gz.length),
  };
}
