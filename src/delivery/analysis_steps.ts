/**
 * The steps of the analysis, in the order of the decision. Each looks at one thing and either gives a
 * verdict or leaves the decision to the next.
 *
 * @module
 */
import { counter } from "../metrics/mod.ts";
import { ReportError } from "../reports/mod.ts";
import type { DmarcReport, FailureReport, TlsReport } from "../reports/mod.ts";
import type { DeliveryFacts } from "../store/types.ts";
import { exceededRate } from "./analysis_rates.ts";
import { forwardedFacts, fromAllowedList, matchingRuleset } from "./analysis_rulesets.ts";
import {
  generateSubjectPass,
  subjectPassExplanation,
  verifySubjectPass,
} from "./analysis_subjectpass.ts";
import type { AnalysisContext, Decision, Reason, Ruleset } from "./analysis_types.ts";
import { type Reputation, reputation } from "./reputation.ts";

/** A step's verdict. */
export type Verdict =
  | { accept: true; reason: Reason }
  | {
    accept: false;
    reason: Reason;
    code: number;
    enhancedCode: string;
    message: string;
    error?: unknown;
    /** Not even kept in Rejects. */
    drop?: boolean;
  };

/** What the steps have found so far. */
export interface AnalysisState {
  readonly c: AnalysisContext;
  facts: DeliveryFacts;
  ruleset: Ruleset | undefined;
  mailbox: string;
  text: string[];
  dmarcOverride: Decision["dmarcOverride"];
  dmarcReport: DmarcReport | undefined;
  failureReport: FailureReport | undefined;
  tlsReport: TlsReport | undefined;
  /** Why a message to a report address was not taken for a report: headers. */
  reportErrors: [name: string, value: string][];
  reputation: Reputation;
  /** Sender unknown, and its IP address has no matching name. */
  suspiciousIprev: boolean;
  /** Content is near enough to good for a subject pass. */
  moderate: boolean;
  /** What the junk filter says. */
  spamScore: number | undefined;
  /** Enough was trained for its word to hold. */
  significant: boolean;
  blocklisted: boolean;
}

export type Step = (s: AnalysisState) => Verdict | undefined | Promise<Verdict | undefined>;

const accept = (reason: Reason): Verdict => ({ accept: true, reason });
/** The answer tells nothing: a spammer would learn from it. It is temporary: a good sender tries again. */
export const temporary = (reason: Reason, error?: unknown): Verdict => ({
  accept: false,
  reason,
  code: 451,
  enhancedCode: "4.3.0",
  message: "error processing",
  error,
});

const rulesTooLong = counter(
  "mox_delivery_rulesets_too_long_total",
  "Messages whose rulesets took more steps than one may: none was applied.",
);

/** Rates by message count and size. Such messages don't go to Rejects, which they would flood. */
export const checkRate: Step = (s) => {
  const exceeded = exceededRate(s.c.history, s.facts.networks, s.c.size, s.c.now);
  if (exceeded === undefined) return undefined;
  s.text.push("high delivery rate");
  return {
    accept: false,
    reason: "high-rate",
    code: 452,
    enhancedCode: "4.2.2",
    message: exceeded,
    drop: true,
  };
};

/** Finds the ruleset, and with it the mailbox. Verified messages of a configured list are accepted. */
export const checkList: Step = (s) => {
  // The user finds it in the message's field X-Mox-Reason.
  s.ruleset = matchingRuleset(s.c, (rule) => {
    s.text.push(`ruleset ${rule} takes too long for this message, rulesets were not applied`);
    rulesTooLong.inc();
  });
  if (!s.ruleset) return undefined;
  if (s.ruleset.Mailbox !== "") s.mailbox = s.ruleset.Mailbox;
  const list = s.ruleset.ListAllowDomain;
  if (list === "" || !fromAllowedList(s.c, list)) return undefined;
  s.text.push("verified message of a configured mailing list");
  s.facts = { ...s.facts, isMailingList: true };
  s.dmarcOverride = "mailing_list";
  return accept("list-allow");
};

/** A forwarded message is not judged by the forwarding server. */
export const noteForward: Step = (s) => {
  if (!s.ruleset?.IsForward) return undefined;
  s.facts = forwardedFacts(s.facts, s.ruleset.VerifiedDomain);
  s.dmarcOverride = "forwarded";
  s.text.push("ruleset says message is forwarded");
  return undefined;
};

/** The policy of the From domain. Forwarding breaks SPF and often DKIM, so it isn't asked then. */
export const checkDmarc: Step = (s) => {
  if (!s.c.dmarc.use || s.facts.isForward) {
    s.text.push("not using any dmarc result");
    return undefined;
  }
  if (!s.c.dmarc.reject) {
    s.text.push("dmarc ok");
    return undefined;
  }
  s.text.push("message does not pass the dmarc policy of its domain, which asks to reject");
  return {
    accept: false,
    reason: "dmarc-policy",
    code: 550,
    enhancedCode: "5.7.26",
    message: "rejecting per dmarc policy",
  };
};

function reportFailure(err: unknown): string {
  if (err instanceof ReportError) return `could not parse report: ${err.message}`;
  throw err;
}

/** Reads reports at report addresses. Only authenticated ones count; reputation still decides. */
export const readReports: Step = (s) => {
  if (s.c.destination.dmarcReports) {
    const failed = (why: string) => void s.reportErrors.push(["X-Mox-DMARCReport-Error", why]);
    // RFC 7489 §7.2.1.1: reports must pass DMARC themselves.
    if (!s.c.dmarc.pass) failed("no DMARC pass");
    else {
      try {
        const failure = s.c.failureReport();
        if (failure) {
          if (s.c.isOurDomain(failure.domain)) s.failureReport = failure;
          else failed("failure report for unknown domain");
        } else {
          const report = s.c.dmarcReport();
          if (!s.c.isOurDomain(report.policy.domain)) {
            failed("published policy domain unrecognized");
          } else if (report.end * 1000 > s.c.now + 60_000) {
            failed("report has end date in the future");
          } else s.dmarcReport = report;
        }
      } catch (err) {
        failed(reportFailure(err));
      }
    }
  }
  if (s.c.destination.tlsReports) {
    const failed = (why: string) => void s.reportErrors.push(["X-Mox-TLSReport-Error", why]);
    // RFC 8460 §3: signed by the submitting domain, wholly, by a key that may be used for it.
    const from = s.facts.msgFromDomain;
    const signed = s.c.signatures.some((d) =>
      d.pass && !d.partial && d.tlsrptAllowed && d.domain !== "" &&
      (d.domain === from ||
        from.endsWith(`.${d.domain}`) &&
          (s.facts.msgFromOrgDomain === d.domain ||
            d.domain.endsWith(`.${s.facts.msgFromOrgDomain}`)))
    );
    if (!signed) failed("no acceptable DKIM signature");
    else {
      try {
        const report = s.c.tlsReport();
        if (!report.policies.some((p) => s.c.isOurDomain(p.policyDomain))) {
          failed("report for unknown domain");
        } else s.tlsReport = report;
      } catch (err) {
        failed(reportFailure(err));
      }
    }
  }
  return undefined;
};

/** The account's own history. */
export const checkReputation: Step = (s) => {
  try {
    const mailboxId = s.c.mailboxId(s.mailbox);
    s.reputation = reputation(s.c.history, s.facts, mailboxId, s.c.now);
  } catch (err) {
    s.text.push("determining reputation failed");
    return temporary("reputation-error", err);
  }
  const r = s.reputation;
  const signal = r.junk === undefined ? "" : r.junk ? "junk, " : "nonjunk, ";
  s.text.push(
    `reputation by ${r.method} (${signal}${
      r.conclusive ? "conclusive" : "inconclusive"
    }, ${r.text})`,
  );
  if (!r.conclusive) return undefined;
  return r.junk ? temporary(r.method) : accept(r.method);
};

/** An authenticated report is taken unless history speaks against it. */
export const acceptReport: Step = (s) => {
  if (!s.dmarcReport && !s.failureReport && !s.tlsReport) return undefined;
  s.text.push("message has an authenticated report");
  return accept("reporting");
};

/** Whether nothing good is known of the address and domain in From. Junk that decided nothing is no excuse. */
export function unknownSender(s: AnalysisState): boolean {
  return !s.reputation.method.startsWith("msg") || s.reputation.junk === true;
}

/** SPF fail or softfail of a sender that isn't known. A forwarder's SPF says nothing of the sender. */
export const checkSpf: Step = (s) => {
  if (s.facts.isForward || !unknownSender(s)) return undefined;
  if (s.c.spf !== "fail" && s.c.spf !== "softfail") return undefined;
  s.text.push(`no history of the sender's domain, and spf is ${s.c.spf}`);
  return temporary("spf-policy");
};

/** A sender that isn't known, and about whom the DNS can't be asked now: a later try may find a policy. */
export const checkDns: Step = (s) => {
  if (s.facts.isForward || !unknownSender(s)) return undefined;
  const signed = s.c.signatures.some((d) => d.pass);
  const open = s.c.dmarc.temporary || (s.c.spf === "temperror" && !signed);
  if (!open) return undefined;
  s.text.push("no history of the sender's domain, and its policies can't be looked up now");
  return {
    accept: false,
    reason: "dns-temporary",
    code: 451,
    enhancedCode: "4.4.3",
    message: "policies of the sender's domain can't be looked up now, try again later",
    drop: true,
  };
};

/** A sender that isn't known, from an IP address without matching name; together with mild junk signals. */
export const checkIprev: Step = (s) => {
  s.suspiciousIprev = unknownSender(s) && !s.c.iprevPass;
  if (!s.suspiciousIprev) return undefined;
  s.text.push("suspicious: reverse name of ip does not match");
  if (s.reputation.junk !== true) return undefined;
  s.text.push("mild junk signal in addition");
  return temporary("iprev");
};

/** A valid token in the subject. */
export const checkSubjectPass: Step = (s) => {
  const pass = s.c.subjectPass;
  if (!pass) return undefined;
  const result = verifySubjectPass(s.c.subject, s.c.from, pass.key, pass.periodMs, s.c.now);
  if (result === "ok") {
    s.text.push("valid subject pass");
    return accept("subjectpass");
  }
  if (result !== "absent") s.text.push(`subject pass is ${result}`);
  return undefined;
};

/** DNS block lists, when the content gave no reason to reject. */
export const checkBlockLists: Step = async (s) => {
  for (const b of s.c.dnsbls) {
    let listed = false;
    try {
      listed = await b.listed();
    } catch {
      // A list that doesn't answer lists nothing.
      s.text.push(`dnsbl ${b.zone} failed`);
    }
    if (listed) {
      s.blocklisted = true;
      s.text.push(`ip is listed in dnsbl ${b.zone}`);
      return subjectPassOr(s, temporary("dns-blocklisted"));
    }
  }
  if (s.c.dnsbls.length > 0) s.text.push("ip is not in dns block lists");
  return undefined;
};

/**
 * The rejection, or instead of it the offer of a subject pass: to senders with DMARC pass, so that the
 * answer goes to who is in From, of whom nothing else is known.
 */
export function subjectPassOr(s: AnalysisState, verdict: Verdict): Verdict {
  const pass = s.c.subjectPass;
  if (!pass || s.c.from === undefined || !s.c.dmarc.pass || s.reputation.method !== "none") {
    return verdict;
  }
  if (!s.blocklisted && !s.moderate) return verdict;
  s.text.push("asked to send again with a subject pass");
  return {
    accept: false,
    reason: "give-subjectpass",
    code: 550,
    enhancedCode: "5.7.1",
    message: subjectPassExplanation + generateSubjectPass(s.c.from, pass.key, s.c.now),
  };
}

/** Nothing spoke against it. */
export const acceptRest: Step = (s) => {
  s.text.push("no known reputation and no bad signals");
  return accept("no-bad-signals");
};
