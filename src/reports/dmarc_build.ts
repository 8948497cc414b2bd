/**
 * Building DMARC aggregate reports for others from our evaluations (RFC 7489 §7.2). Pure
 * functions; the queue sends them.
 *
 * @module
 */
import { gzipSync } from "node:zlib";
import type {
  Disposition,
  DkimAuthResult,
  DmarcRecord,
  DmarcReport,
  PolicyOverride,
  PolicyPublished,
  SpfAuthResult,
} from "./dmarc.ts";
import { escapeXml } from "./xml.ts";

/** The evaluation of a received message under a domain's policy. */
export interface DmarcEvaluation {
  /** Domain whose DMARC record applied, lower case. */
  policyDomain: string;
  /** Milliseconds. */
  evaluated: number;
  /**
   * True if it is no reason for a report by itself: e.g. for a report message, to prevent two
   * servers from sending each other reports about reports.
   */
  optional: boolean;
  /** Hours between reports requested by the domain, see {@link intervalHours}. */
  intervalHours: number;
  /** Addresses of rua, with the largest size in bytes if the record limits it. */
  addresses: { address: string; maxSize?: number }[];
  policy: PolicyPublished;
  sourceIp: string;
  disposition: Disposition;
  alignedDkimPass: boolean;
  alignedSpfPass: boolean;
  reasons: { type: PolicyOverride; comment: string }[];
  /** Domain of the recipient. */
  envelopeTo: string;
  /** Domain of MAIL FROM, "" for the null sender. */
  envelopeFrom: string;
  headerFrom: string;
  dkimResults: DkimAuthResult[];
  spfResults: SpfAuthResult[];
}

/**
 * Hours between reports for a record's ri in seconds: a divisor of 24, so that reports end at full
 * hours of a day. At least one hour (RFC 7489 §6.3: MUST support daily, SHOULD support hourly reports).
 */
export function intervalHours(ri: number): number {
  const hours = ri / 3600;
  let best = 1;
  for (const h of [2, 3, 4, 6, 8, 12, 24]) if (h <= hours) best = h;
  return Number.isFinite(hours) ? best : 24;
}

/** Who reports. */
export interface Reporter {
  orgName: string;
  email: string;
  extraContactInfo: string;
  /** Unique for each report. */
  reportId: string;
}

/**
 * One report of the evaluations for a policy domain; equal rows are counted together. The policy is
 * that of the newest evaluation.
 * @param begin seconds, inclusive
 * @param end seconds, inclusive
 */
export function buildDmarcReport(
  reporter: Reporter,
  begin: number,
  end: number,
  evaluations: readonly DmarcEvaluation[],
): DmarcReport {
  if (evaluations.length === 0) throw new RangeError("DMARC report without evaluations");
  const rows = new Map<string, DmarcRecord>();
  let newest = evaluations[0];
  for (const e of evaluations) {
    if (e.evaluated >= newest.evaluated) newest = e;
    const record: DmarcRecord = {
      sourceIp: e.sourceIp,
      count: 1,
      disposition: e.disposition,
      dkim: e.alignedDkimPass ? "pass" : "fail",
      spf: e.alignedSpfPass ? "pass" : "fail",
      reasons: e.reasons,
      envelopeTo: e.envelopeTo,
      envelopeFrom: e.envelopeFrom,
      headerFrom: e.headerFrom,
      dkimResults: e.dkimResults,
      spfResults: e.spfResults,
    };
    const key = JSON.stringify(record);
    const row = rows.get(key);
    if (row) row.count++;
    else rows.set(key, record);
  }
  return {
    version: "1.0",
    ...reporter,
    begin,
    end,
    errors: [],
    policy: newest.policy,
    records: [...rows.values()],
  };
}

/** The report as XML (RFC 7489 appendix C). */
export function dmarcReportXml(report: DmarcReport): string {
  const lines = [`<?xml version="1.0" encoding="UTF-8"?>`];
  let depth = 0;
  const leaf = (name: string, value: string | number, optional = false) => {
    if (optional && value === "") return;
    lines.push(`${"  ".repeat(depth)}<${name}>${escapeXml(String(value))}</${name}>`);
  };
  const block = (name: string, body: () => void) => {
    lines.push(`${"  ".repeat(depth++)}<${name}>`);
    body();
    lines.push(`${"  ".repeat(--depth)}</${name}>`);
  };
  block("feedback", () => {
    leaf("version", report.version || "1.0");
    block("report_metadata", () => {
      leaf("org_name", report.orgName);
      leaf("email", report.email);
      leaf("extra_contact_info", report.extraContactInfo, true);
      leaf("report_id", report.reportId);
      block("date_range", () => {
        leaf("begin", report.begin);
        leaf("end", report.end);
      });
      for (const e of report.errors) leaf("error", e);
    });
    block("policy_published", () => {
      leaf("domain", report.policy.domain);
      leaf("adkim", report.policy.adkim, true);
      leaf("aspf", report.policy.aspf, true);
      leaf("p", report.policy.p || "none");
      leaf("sp", report.policy.sp || report.policy.p || "none");
      leaf("pct", report.policy.pct);
      leaf("fo", report.policy.fo, true);
    });
    for (const x of report.records) {
      block("record", () => {
        block("row", () => {
          leaf("source_ip", x.sourceIp);
          leaf("count", x.count);
          block("policy_evaluated", () => {
            leaf("disposition", x.disposition || "none");
            leaf("dkim", x.dkim || "fail");
            leaf("spf", x.spf || "fail");
            for (const reason of x.reasons) {
              block("reason", () => {
                leaf("type", reason.type || "other");
                leaf("comment", reason.comment, true);
              });
            }
          });
        });
        block("identifiers", () => {
          leaf("envelope_to", x.envelopeTo, true);
          // Present and empty for the null sender.
          leaf("envelope_from", x.envelopeFrom);
          leaf("header_from", x.headerFrom);
        });
        block("auth_results", () => {
          for (const d of x.dkimResults) {
            block("dkim", () => {
              leaf("domain", d.domain);
              leaf("selector", d.selector, true);
              leaf("result", d.result || "none");
              leaf("human_result", d.humanResult, true);
            });
          }
          for (const s of x.spfResults) {
            block("spf", () => {
              leaf("domain", s.domain);
              leaf("scope", s.scope, true);
              leaf("result", s.result || "none");
            });
          }
        });
      });
    }
  });
  return `${lines.join("\n")}\n`;
}

/** An attachment with a report, and the subject of its message. */
export interface ReportAttachment {
  fileName: string;
  contentType: string;
  subject: string;
  data: Uint8Array;
}

/**
 * The report ready to be attached (RFC 7489 §7.2.1.1).
 * @param submitter our domain
 */
export function dmarcReportAttachment(report: DmarcReport, submitter: string): ReportAttachment {
  const gz = gzipSync(new TextEncoder().encode(dmarcReportXml(report)));
  return {
    fileName: `${submitter}!${report.policy.domain}!${report.begin}!${report.end}.xml.gz`,
    contentType: "application/gzip",
    subject:
      `Report Domain: ${report.policy.domain} Submitter: ${submitter} Report-ID: <${report.reportId}>`,
    data: new Uint8Array(gz.buffer, gz.byteOffset, gz.length),
  };
}
