/** Reports received by the Go original, from its databases. @module */
import { join } from "node:path";
import { type BoltRecord, RecordFile } from "../store/bolt/records.ts";
import type { DmarcRecord, DmarcReport } from "./dmarc.ts";
import { DmarcReports } from "./dmarc_reports.ts";
import type { TlsPolicyResult, TlsReport } from "./tlsrpt.ts";
import { TlsReports } from "./tls_reports.ts";

/** Reports that were, or would be, taken over. */
export interface TakenReports {
  dmarc: number;
  tls: number;
}

function recordsOf(path: string, type: string): BoltRecord[] {
  let file: RecordFile;
  try {
    file = RecordFile.open(path);
  } catch (err) {
    if (err instanceof Deno.errors.NotFound) return [];
    throw err;
  }
  let failed = true;
  try {
    const records = [...file.records(type)];
    failed = false;
    return records;
  } finally {
    file.close(failed);
  }
}

/** Takes over reports; without a target folder they are only counted. @throws BoltError */
export async function takeReports(from: string, to: string | undefined): Promise<TakenReports> {
  const dmarc = recordsOf(join(from, "dmarcrpt.db"), "DomainFeedback");
  const tls = recordsOf(join(from, "tlsrpt.db"), "Record");
  if (to !== undefined) {
    const store = await DmarcReports.open(to);
    try {
      for (const r of dmarc) {
        const report = dmarcReport(r);
        await store.add(report, r.text("FromDomain"), report.end * 1000);
      }
    } finally {
      await store.close();
    }
    const tlsStore = await TlsReports.open(to);
    try {
      for (const r of tls) {
        const report = tlsReport(r.record("Report"));
        await tlsStore.add({
          received: report.end,
          domain: r.text("Domain"),
          fromDomain: r.text("FromDomain"),
          mailFrom: r.text("MailFrom"),
          hostReport: r.flag("HostReport"),
          report,
        });
      }
    } finally {
      await tlsStore.close();
    }
  }
  return { dmarc: dmarc.length, tls: tls.length };
}

/** The text if it is a known value, else "". */
function oneOf<T extends string>(text: string, known: readonly T[]): T | "" {
  const lower = text.toLowerCase();
  return known.find((k) => k === lower) ?? "";
}

const dispositions = ["none", "quarantine", "reject"] as const;
const results = ["pass", "fail"] as const;

function dmarcReport(record: BoltRecord): DmarcReport {
  const meta = record.record("ReportMetadata");
  const policy = record.record("PolicyPublished");
  const range = meta.record("DateRange");
  return {
    version: record.text("Version"),
    orgName: meta.text("OrgName"),
    email: meta.text("Email"),
    extraContactInfo: meta.text("ExtraContactInfo"),
    reportId: meta.text("ReportID"),
    begin: range.number("Begin"),
    end: range.number("End"),
    errors: meta.texts("Errors"),
    policy: {
      domain: policy.text("Domain") || record.text("Domain"),
      adkim: oneOf(policy.text("ADKIM"), ["r", "s"]),
      aspf: oneOf(policy.text("ASPF"), ["r", "s"]),
      p: oneOf(policy.text("Policy"), dispositions),
      sp: oneOf(policy.text("SubdomainPolicy"), dispositions),
      pct: policy.number("Percentage"),
      fo: policy.text("ReportingOptions"),
    },
    records: record.records("Records").map(dmarcRecord),
  };
}

function dmarcRecord(record: BoltRecord): DmarcRecord {
  const row = record.record("Row");
  const evaluated = row.record("PolicyEvaluated");
  const ids = record.record("Identifiers");
  const auth = record.record("AuthResults");
  return {
    sourceIp: row.text("SourceIP"),
    count: row.number("Count"),
    disposition: oneOf(evaluated.text("Disposition"), dispositions),
    dkim: oneOf(evaluated.text("DKIM"), results),
    spf: oneOf(evaluated.text("SPF"), results),
    reasons: evaluated.records("Reasons").map((x) => ({
      type: oneOf(x.text("Type"), [
        "forwarded",
        "sampled_out",
        "trusted_forwarder",
        "mailing_list",
        "local_policy",
        "policy_test_mode",
        "other",
      ]),
      comment: x.text("Comment"),
    })),
    envelopeTo: ids.text("EnvelopeTo"),
    envelopeFrom: ids.text("EnvelopeFrom"),
    headerFrom: ids.text("HeaderFrom"),
    dkimResults: auth.records("DKIM").map((x) => ({
      domain: x.text("Domain"),
      selector: x.text("Selector"),
      result: oneOf(x.text("Result"), [
        "none",
        "pass",
        "fail",
        "policy",
        "neutral",
        "temperror",
        "permerror",
      ]),
      humanResult: x.text("HumanResult"),
    })),
    spfResults: auth.records("SPF").map((x) => ({
      domain: x.text("Domain"),
      scope: oneOf(x.text("Scope"), ["mfrom", "helo"]),
      result: oneOf(x.text("Result"), [
        "none",
        "neutral",
        "pass",
        "fail",
        "softfail",
        "temperror",
        "permerror",
      ]),
    })),
  };
}

function tlsReport(record: BoltRecord): TlsReport {
  const range = record.record("DateRange");
  return {
    organizationName: record.text("OrganizationName"),
    begin: range.number("Start"),
    end: range.number("End"),
    contactInfo: record.text("ContactInfo"),
    reportId: record.text("ReportID"),
    policies: record.records("Policies").map(tlsPolicy),
  };
}

function tlsPolicy(record: BoltRecord): TlsPolicyResult {
  const policy = record.record("Policy");
  const summary = record.record("Summary");
  return {
    policyType: oneOf(policy.text("Type"), ["tlsa", "sts", "no-policy-found"]),
    policyString: policy.texts("String"),
    policyDomain: policy.text("Domain"),
    mxHost: policy.texts("MXHost"),
    totalSuccessfulSessionCount: summary.number("TotalSuccessfulSessionCount"),
    totalFailureSessionCount: summary.number("TotalFailureSessionCount"),
    failures: record.records("FailureDetails").map((f) => ({
      resultType: f.text("ResultType"),
      sendingMtaIp: f.text("SendingMTAIP"),
      receivingMxHostname: f.text("ReceivingMXHostname"),
      receivingMxHelo: f.text("ReceivingMXHelo"),
      receivingIp: f.text("ReceivingIP"),
      failedSessionCount: f.number("FailedSessionCount"),
      additionalInformation: f.text("AdditionalInformation"),
      failureReasonCode: f.text("FailureReasonCode"),
    })),
  };
}
