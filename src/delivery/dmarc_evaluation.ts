/**
 * What aggregate reports tell other domains about messages in their name (RFC 7489 §7.2).
 *
 * @module
 */
import type {
  DkimReportResult,
  DmarcEvaluation,
  PolicyOverride,
  SpfReportResult,
} from "../reports/mod.ts";
import { intervalHours } from "../reports/mod.ts";
import type { DmarcUri, SenderAuth } from "../senderauth/mod.ts";
import type { Decision } from "./analysis_types.ts";

/** Addresses of a record's rua that reports can be sent to, with their limits of size. */
export function reportAddresses(uris: readonly DmarcUri[]): DmarcEvaluation["addresses"] {
  return uris.flatMap(({ uri, maxSize }) => {
    const m = /^mailto:([^?]{3,300})/i.exec(uri);
    if (!m) return [];
    let address: string;
    try {
      address = decodeURIComponent(m[1]);
    } catch {
      return [];
    }
    return address.includes("@") ? [{ address, maxSize }] : [];
  });
}

/**
 * The evaluation of a message for a recipient; undefined if there is nothing to report, or nobody to report to.
 * Messages refused for reasons other than DMARC are not reported: that would teach spammers.
 */
export function dmarcEvaluation(
  auth: SenderAuth,
  decision: Decision,
  m: {
    remoteIp: string;
    /** Domains of the envelope; "" for the null reverse path. */
    mailFromDomain: string;
    rcptToDomain: string;
    /** Milliseconds. */
    received: number;
    /** The message is itself a report: reporting it could go on forever. */
    isReport: boolean;
  },
): DmarcEvaluation | undefined {
  const { dmarc, spf } = auth;
  const { record } = dmarc;
  // RFC 7489 §7.2: temporary errors are not reported.
  if (!record || dmarc.result === "temperror" || dmarc.fromDomain === undefined) return undefined;
  const accepted = decision.accept && !decision.isReject;
  if (!accepted && decision.reason !== "dmarc-policy") return undefined;
  const addresses = reportAddresses(record.aggregateReports);
  if (addresses.length === 0) return undefined;
  const reasons: { type: PolicyOverride; comment: string }[] = [];
  if (dmarc.sampledOut) {
    reasons.push({
      type: record.percentage < 100 ? "sampled_out" : "policy_test_mode",
      comment: "",
    });
  }
  if (decision.dmarcOverride !== "") reasons.push({ type: decision.dmarcOverride, comment: "" });
  return {
    policyDomain: dmarc.recordDomain ?? dmarc.fromDomain,
    evaluated: m.received,
    optional: m.isReport,
    intervalHours: intervalHours(record.reportInterval),
    addresses,
    policy: {
      domain: dmarc.recordDomain ?? dmarc.fromDomain,
      adkim: record.strictDkim ? "s" : "r",
      aspf: record.strictSpf ? "s" : "r",
      p: record.policy,
      sp: record.subdomainPolicy ?? record.policy,
      pct: record.percentage,
      fo: record.failureOptions.join(":"),
    },
    sourceIp: m.remoteIp,
    disposition: accepted ? "none" : "reject",
    alignedDkimPass: dmarc.alignedDkim.length > 0,
    alignedSpfPass: dmarc.alignedSpf !== undefined,
    reasons,
    envelopeTo: m.rcptToDomain,
    envelopeFrom: m.mailFromDomain,
    headerFrom: dmarc.fromDomain,
    dkimResults: auth.dkim.filter((d) => d.domain !== undefined).map((outcome) => ({
      domain: outcome.domain!,
      selector: outcome.selector ?? "",
      result: outcome.status as DkimReportResult,
      humanResult: outcome.error ?? "",
    })),
    spfResults: [{
      domain: spf.domain,
      scope: spf.identity === "helo" ? "helo" : "mfrom",
      result: spf.result as SpfReportResult,
    }],
  };
}
