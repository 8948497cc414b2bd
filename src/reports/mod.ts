/**
 * Reports between mail servers: DMARC aggregate reports (RFC 7489) and TLS reports (RFC 8460), both
 * received about our domains and made for others; and DMARC failure reports (RFC 6591), only received.
 *
 * Received: {@link findDmarcReport}, {@link findFailureReport} and {@link findTlsReport} read a message
 * that delivery has authenticated; {@link DmarcReports}, {@link FailureReports} and {@link TlsReports} keep
 * what it has for the admin pages.
 * Made: {@link DmarcEvaluations} and {@link TlsResults} collect, {@link buildDmarcReport},
 * {@link dmarcReportAttachment} and {@link tlsReportAttachment} make what the queue sends.
 *
 * May import the store's database wrapper, metrics and what lies below. Called by delivery, the
 * queue, the admin pages and commands.
 *
 * @module
 */
export { ReportError, type ReportErrorCode } from "./errors.ts";
export { maxReportSize, unpack } from "./unpack.ts";
export * from "./dmarc.ts";
export { dmarcReportsSent, reportsSent, tlsReportsSent } from "./metrics.ts";
export {
  buildDmarcReport,
  type DmarcEvaluation,
  dmarcReportAttachment,
  dmarcReportXml,
  intervalHours,
  type ReportAttachment,
  type Reporter,
} from "./dmarc_build.ts";
export { DmarcEvaluations, type PendingEvaluations } from "./dmarc_evaluations.ts";
export {
  type FailureReport,
  FailureReports,
  findFailureReport,
  maxFailureReports,
  type StoredFailureReport,
} from "./failure_reports.ts";
export { DmarcReports, type DmarcSummary, type StoredDmarcReport } from "./dmarc_reports.ts";
export {
  parseTlsReport,
  type TlsFailure,
  type TlsPolicyResult,
  type TlsPolicyType,
  type TlsReport,
  tlsReportJson,
  tlsResultTypes,
} from "./tlsrpt.ts";
export { mergeTlsResults, tlsReportAttachment, tlsReportHeaders } from "./tlsrpt_build.ts";
export { reportDay, type TlsDayResult, TlsResults } from "./tls_results.ts";
export { type StoredTlsReport, TlsReports } from "./tls_reports.ts";
export { findDmarcReport, findTlsReport, type ReportPart, reportParts } from "./recognise.ts";
export {
  isTlsrptRecord,
  lookupReportConsent,
  lookupTlsrpt,
  parseTlsrptRecord,
  type ReportConsent,
  type TlsrptRecord,
  TlsrptRecordError,
} from "./report_records.ts";
