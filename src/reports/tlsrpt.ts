/**
 * TLS reports: their values, reading and writing them as JSON (RFC 8460 §4).
 *
 * @module
 */
import { ReportError } from "./errors.ts";

/** Type of a policy (RFC 8460 §4.2). */
export type TlsPolicyType = "tlsa" | "sts" | "no-policy-found" | "";

/** The failures of one kind between the same hosts. */
export interface TlsFailure {
  /** RFC 8460 §4.3, or anything else the sender wrote. */
  resultType: string;
  sendingMtaIp: string;
  receivingMxHostname: string;
  receivingMxHelo: string;
  receivingIp: string;
  failedSessionCount: number;
  additionalInformation: string;
  failureReasonCode: string;
}
/** Results under one policy. */
export interface TlsPolicyResult {
  policyType: TlsPolicyType;
  /** Lines of the policy or TLSA records. */
  policyString: string[];
  policyDomain: string;
  mxHost: string[];
  totalSuccessfulSessionCount: number;
  totalFailureSessionCount: number;
  failures: TlsFailure[];
}
export interface TlsReport {
  organizationName: string;
  /** Milliseconds since the epoch. */
  begin: number;
  end: number;
  contactInfo: string;
  reportId: string;
  policies: TlsPolicyResult[];
}

/** Policies in a report, and failures in a policy; with more it is refused. */
export const maxPolicies = 1000;
export const maxFailures = 10_000;

/** Result types of RFC 8460 §4.3. */
export const tlsResultTypes = [
  "starttls-not-supported",
  "certificate-host-mismatch",
  "certificate-expired",
  "certificate-not-trusted",
  "validation-failure",
  "tlsa-invalid",
  "dnssec-invalid",
  "dane-required",
  "sts-policy-fetch-error",
  "sts-policy-invalid",
  "sts-webpki-invalid",
] as const;

/**
 * Reads a report from JSON. Also accepts counts written as text and single values for lists.
 * @throws ReportError
 */
export function parseTlsReport(data: Uint8Array): TlsReport {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder().decode(data));
  } catch (err) {
    throw new ReportError("syntax", "TLS report: not JSON", { cause: err });
  }
  const report = object(json);
  const policies = report && list(report["policies"]);
  if (!report || !policies) throw new ReportError("content", "TLS report: no policies");
  if (policies.length > maxPolicies) {
    throw new ReportError("limit", `TLS report: more than ${maxPolicies} policies`);
  }
  const range = object(report["date-range"]) ?? {};
  const begin = time(range["start-datetime"]), end = time(range["end-datetime"]);
  if (begin === undefined || end === undefined) {
    throw new ReportError("content", "TLS report: no valid date-range");
  }
  return {
    organizationName: text(report["organization-name"]),
    begin,
    end,
    contactInfo: text(report["contact-info"]),
    reportId: text(report["report-id"]),
    policies: policies.map(policyResult),
  };
}

function policyResult(value: unknown): TlsPolicyResult {
  const o = object(value) ?? {};
  const policy = object(o["policy"]) ?? {};
  const summary = object(o["summary"]) ?? {};
  const failures = list(o["failure-details"]) ?? [];
  if (failures.length > maxFailures) {
    throw new ReportError("limit", `TLS report: more than ${maxFailures} failures in a policy`);
  }
  const type = text(policy["policy-type"]).toLowerCase();
  const domain = text(policy["policy-domain"]).toLowerCase();
  if (domain === "") throw new ReportError("content", "TLS report: policy without a domain");
  return {
    policyType: type === "tlsa" || type === "sts" || type === "no-policy-found" ? type : "",
    policyString: texts(policy["policy-string"]),
    policyDomain: domain.endsWith(".") ? domain.slice(0, -1) : domain,
    // The name is mx-host; some senders use mx-host-pattern from the grammar in RFC 8460 §4.4.
    mxHost: texts(policy["mx-host"] ?? policy["mx-host-pattern"]),
    totalSuccessfulSessionCount: count(summary["total-successful-session-count"]),
    totalFailureSessionCount: count(summary["total-failure-session-count"]),
    failures: failures.map((f) => {
      const d = object(f) ?? {};
      return {
        resultType: text(d["result-type"]).slice(0, 100),
        sendingMtaIp: text(d["sending-mta-ip"]).slice(0, 45),
        receivingMxHostname: text(d["receiving-mx-hostname"]),
        receivingMxHelo: text(d["receiving-mx-helo"]),
        receivingIp: text(d["receiving-ip"]).slice(0, 45),
        failedSessionCount: count(d["failed-session-count"]),
        additionalInformation: text(d["additional-information"]),
        failureReasonCode: text(d["failure-reason-code"]),
      };
    }),
  };
}

function object(v: unknown): Record<string, unknown> | undefined {
  return typeof v === "object" && v !== null && !Array.isArray(v)
    ? v as Record<string, unknown>
    : undefined;
}
function list(v: unknown): unknown[] | undefined {
  return Array.isArray(v) ? v : object(v) ? [v] : undefined;
}
function text(v: unknown): string {
  return typeof v === "string" ? v.slice(0, 1000) : typeof v === "number" ? String(v) : "";
}
function texts(v: unknown): string[] {
  return (Array.isArray(v) ? v.slice(0, 100) : [v]).map(text).filter((s) => s !== "");
}
function count(v: unknown): number {
  const n = typeof v === "string" && /^[0-9]{1,15}$/.test(v) ? Number(v) : v;
  return typeof n === "number" && n >= 0 && n <= Number.MAX_SAFE_INTEGER ? Math.floor(n) : 0;
}
/** RFC 3339, with or without a zone. */
function time(v: unknown): number | undefined {
  const s = text(v);
  if (!/^[0-9]{4}-[0-9]{2}-[0-9]{2}([Tt ][0-9:.]{5,20}([Zz]|[+-][0-9]{2}:?[0-9]{2})?)?$/.test(s)) {
    return undefined;
  }
  const zoned = /[Zz]$|[+-][0-9]{2}:?[0-9]{2}$/.test(s.slice(10)) || s.length === 10;
  const n = Date.parse((zoned ? s : `${s}Z`).replace(" ", "T").toUpperCase());
  return Number.isNaN(n) ? undefined : n;
}

/** The report as JSON (RFC 8460 §4.4). Empty optional fields are left out. */
export function tlsReportJson(report: TlsReport): string {
  const optional = (o: Record<string, unknown>) =>
    Object.fromEntries(
      Object.entries(o).filter(([, v]) => v !== "" && !(Array.isArray(v) && v.length === 0)),
    );
  const iso = (ms: number) => new Date(ms).toISOString().replace(".000Z", "Z");
  return JSON.stringify({
    "organization-name": report.organizationName,
    "date-range": { "start-datetime": iso(report.begin), "end-datetime": iso(report.end) },
    "contact-info": report.contactInfo,
    "report-id": report.reportId,
    policies: report.policies.map((result) =>
      optional({
        policy: optional({
          "policy-type": result.policyType || "no-policy-found",
          "policy-string": result.policyString,
          "policy-domain": result.policyDomain,
          "mx-host": result.mxHost,
        }),
        summary: {
          "total-successful-session-count": result.totalSuccessfulSessionCount,
          "total-failure-session-count": result.totalFailureSessionCount,
        },
        "failure-details": result.failures.map((failure) =>
          optional({
            "result-type": failure.resultType,
            "sending-mta-ip": failure.sendingMtaIp,
            "receiving-mx-hostname": failure.receivingMxHostname,
            "receiving-mx-helo": failure.receivingMxHelo || undefined,
            "receiving-ip": failure.receivingIp,
            "failed-session-count": failure.failedSessionCount,
            "additional-information": failure.additionalInformation,
            "failure-reason-code": failure.failureReasonCode,
          })
        ),
      })
    ),
  });
}
