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
export const failureReports = counter(
  "mox_dmarc_failure_reports_received_total",
  "DMARC failure reports (RFC 6591) received about our domains.",
  { result: ["stored", "duplicate"] },
);
/** Named and labelled as in the original's alerting rules. */
export const policyEvaluated = counter(
  "mox_dmarcdb_policy_evaluated_total",
  "Messages from our domains as told in DMARC aggregate reports, by what was done and aligned results.",
  {
    disposition: ["none", "quarantine", "reject", "unknown"],
    dkim: ["pass", "fail", "unknown"],
    spf: ["pass", "fail", "unknown"],
  },
);
export const tlsrptSessions = counter(
  "mox_tlsrptdb_session_total",
  "SMTP sessions to us as told in TLS reports: success, or the type of failure.",
  { type: ["success", ...tlsResultTypes, "other"] },
);
export const dmarcAligned = counter(
  "mox_dmarc_report_aligned_total",
  "Messages from our domains as told in DMARC aggregate reports, by aligned DKIM and SPF result.",
  { dkim: ["pass", "fail", "unknown"], spf: ["pass", "fail", "unknown"] },
);
const outcomes = ["sent", "unwanted", "error"] as const;
export const dmarcReportsSent = counter(
  "mox_dmarc_report_sent_total",
  "DMARC aggregate reports to other domains, by what became of them.",
  { result: outcomes },
);
export const tlsReportsSent = counter(
  "mox_tlsrpt_report_sent_total",
  "TLS reports to other domains and hosts, by what became of them.",
  { result: outcomes },
);

/** Outcomes of reports to others since the start, for display. */
export async function reportsSent(
  kind: "dmarc" | "tls",
): Promise<Record<(typeof outcomes)[number], number>> {
  const counts = { sent: 0, unwanted: 0, error: 0 };
  const { values } = await (kind === "dmarc" ? dmarcReportsSent : tlsReportsSent).get();
  for (const v of values) counts[v.labels.result as keyof typeof counts] = v.value;
  return counts;
}

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
