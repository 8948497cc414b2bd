/**
 * Metrics of received reports.
 *
 * @module
 */
import { counter } from "../metrics/mod.ts";
import { tlsResultTypes } from "./tlsrpt.ts";

export const dmarcReports = counter(
  "mox_dmarc_reports_received_total",
  "DMARC aggregate reports received about our domains.",
  { result: ["stored", "duplicate"] },
);
export const dmarcMessages = counter(
  "mox_dmarc_report_messages_total",
  "Messages from our domains as told in DMARC aggregate reports, by what was done with them.",
  { disposition: ["none", "quarantine", "reject", "unknown"] },
);
export const dmarcAligned = counter(
  "mox_dmarc_report_aligned_total",
  "Messages from our domains as told in DMARC aggregate reports, by aligned DKIM and SPF result.",
  { dkim: ["pass", "fail", "unknown"], spf: ["pass", "fail", "unknown"] },
);
export const tlsReports = counter(
  "mox_tls_reports_received_total",
  "TLS reports received about our domains and hosts.",
  { result: ["stored", "duplicate"] },
);
export const tlsSessions = counter(
  "mox_tls_report_sessions_total",
  "SMTP sessions to us as told in TLS reports.",
  { result: ["success", "failure"] },
);
export const tlsFailures = counter(
  "mox_tls_report_failures_total",
  "Failed SMTP sessions to us as told in TLS reports, by type of failure.",
  { type: [...tlsResultTypes, "other"] },
);
