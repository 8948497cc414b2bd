/**
 * The steps of the analysis, in the order of the decision. Each checks one thing and either gives a verdict or
 * leaves the decision to the next.
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
    /** Don't keep it even in Rejects. */
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
  /** Why a message to a report address was not accepted as a report: headers. */
  reportErrors: [name: string, value: string][];
  reputation: Reputation;
  /** Sender unknown, and its IP address has no matching name. */
  suspiciousIprev: boolean;
  /** The content is close enough to good for a subject pass. */
  moderate: boolean;
  /** The junk filter's score. */
  spamScore: number | undefined;
  /** Enough was trained for the filter to be trusted. */
  significant: boolean;
  blocklisted: boolean;
}

export type Step = (state: AnalysisState) => Verdict | undefined | Promise<Verdict | undefined>;

const accept = (reason: Reason): Verdict => ({ accept: true, reason });
/** The answer reveals nothing: a spammer would learn from it. It is temporary: a good sender tries again. */
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
export const checkRate: Step = (state) => {
  const exceeded = exceededRate(state.c.history, state.facts.networks, state.c.size, state.c.now);
  if (exceeded === undefined) return undefined;
  state.text.push("high delivery rate");
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
export const checkList: Step = (state) => {
  // The user finds it in the message's X-Mox-Reason field.
  state.ruleset = matchingRuleset(state.c, (rule) => {
    state.text.push(`ruleset ${rule} takes too long for this message, rulesets were not applied`);
    rulesTooLong.inc();
  });
  if (!state.ruleset) return undefined;
  if (state.ruleset.Mailbox !== "") state.mailbox = state.ruleset.Mailbox;
  const list = state.ruleset.ListAllowDomain;
  if (list === "" || !fromAllowedList(state.c, list)) return undefined;
  state.text.push("verified message of a configured mailing list");
  state.facts = { ...state.facts, isMailingList: true };
  state.dmarcOverride = "mailing_list";
  return accept("list-allow");
};

/** A forwarded message is not judged by the forwarding server. */
export const noteForward: Step = (state) => {
  if (!state.ruleset?.IsForward) return undefined;
  state.facts = forwardedFacts(state.facts, state.ruleset.VerifiedDomain);
  state.dmarcOverride = "forwarded";
  state.text.push("ruleset says message is forwarded");
  return undefined;
};

/** The policy of the From domain. Forwarding breaks SPF and often DKIM, so it isn't applied then. */
export const checkDmarc: Step = (state) => {
  if (!state.c.dmarc.use || state.facts.isForward) {
    state.text.push("not using any dmarc result");
    return undefined;
  }
  if (!state.c.dmarc.reject) {
    state.text.push("dmarc ok");
    return undefined;
  }
  state.text.push("message does not pass the dmarc policy of its domain, which asks to reject");
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
export const readReports: Step = (state) => {
  if (state.c.destination.dmarcReports) {
    const failed = (why: string) => void state.reportErrors.push(["X-Mox-DMARCReport-Error", why]);
    // RFC 7489 §7.2.1.1: reports must pass DMARC themselves.
    if (!state.c.dmarc.pass) failed("no DMARC pass");
    else {
      try {
        const failure = state.c.failureReport();
        if (failure) {
          if (state.c.isOurDomain(failure.domain)) state.failureReport = failure;
          else failed("failure report for unknown domain");
        } else {
          const report = state.c.dmarcReport();
          if (!state.c.isOurDomain(report.policy.domain)) {
            failed("published policy domain unrecognized");
          } else if (report.end * 1000 > state.c.now + 60_000) {
            failed("report has end date in the future");
          } else state.dmarcReport = report;
        }
      } catch (err) {
        failed(reportFailure(err));
      }
    }
  }
  if (state.c.destination.tlsReports) {
    const failed = (why: string) => void state.reportErrors.push(["X-Mox-TLSReport-Error", why]);
    // RFC 8460 §3: signed by the submitting domain, in full, with a key allowed for it.
    const from = state.facts.msgFromDomain;
    const signed = state.c.signatures.some((result) =>
      result.pass && !result.partial && result.tlsrptAllowed && result.domain !== "" &&
      (result.domain === from ||
        from.endsWith(`.${result.domain}`) &&
          (state.facts.msgFromOrgDomain === result.domain ||
            result.domain.endsWith(`.${state.facts.msgFromOrgDomain}`)))
    );
    if (!signed) failed("no acceptable DKIM signature");
    else {
      try {
        const report = state.c.tlsReport();
        if (!report.policies.some((p) => state.c.isOurDomain(p.policyDomain))) {
          failed("report for unknown domain");
        } else state.tlsReport = report;
      } catch (err) {
        failed(reportFailure(err));
      }
    }
  }
  return undefined;
};

/** The account's own history. */
export const checkReputation: Step = (state) => {
  try {
    const mailboxId = state.c.mailboxId(state.mailbox);
    state.reputation = reputation(state.c.history, state.facts, mailboxId, state.c.now);
  } catch (err) {
    state.text.push("determining reputation failed");
    return temporary("reputation-error", err);
  }
  const r = state.reputation;
  const signal = r.junk === undefined ? "" : r.junk ? "junk, " : "nonjunk, ";
  state.text.push(
    `reputation by ${r.method} (${signal}${
      r.conclusive ? "conclusive" : "inconclusive"
    }, ${r.text})`,
  );
  if (!r.conclusive) return undefined;
  return r.junk ? temporary(r.method) : accept(r.method);
};

/** An authenticated report is accepted unless history speaks against it. */
export const acceptReport: Step = (state) => {
  if (!state.dmarcReport && !state.failureReport && !state.tlsReport) return undefined;
  state.text.push("message has an authenticated report");
  return accept("reporting");
};

/**
 * Whether nothing good is known of the address and domain in From. Inconclusive junk history doesn't count as
 * good.
 */
export function unknownSender(state: AnalysisState): boolean {
  return !state.reputation.method.startsWith("msg") || state.reputation.junk === true;
}

/** SPF fail or softfail of an unknown sender. A forwarder's SPF says nothing about the sender. */
export const checkSpf: Step = (state) => {
  if (state.facts.isForward || !unknownSender(state)) return undefined;
  if (state.c.spf !== "fail" && state.c.spf !== "softfail") return undefined;
  state.text.push(`no history of the sender's domain, and spf is ${state.c.spf}`);
  return temporary("spf-policy");
};

/** An unknown sender with a temporary DNS failure: a later attempt may find a policy. */
export const checkDns: Step = (state) => {
  if (state.facts.isForward || !unknownSender(state)) return undefined;
  const signed = state.c.signatures.some((d) => d.pass);
  const open = state.c.dmarc.temporary || (state.c.spf === "temperror" && !signed);
  if (!open) return undefined;
  state.text.push("no history of the sender's domain, and its policies can't be looked up now");
  return {
    accept: false,
    reason: "dns-temporary",
    code: 451,
    enhancedCode: "4.4.3",
    message: "policies of the sender's domain can't be looked up now, try again later",
    drop: true,
  };
};

/** An unknown sender from an IP address without a matching name; together with mild junk signals. */
export const checkIprev: Step = (state) => {
  state.suspiciousIprev = unknownSender(state) && !state.c.iprevPass;
  if (!state.suspiciousIprev) return undefined;
  state.text.push("suspicious: reverse name of ip does not match");
  if (state.reputation.junk !== true) return undefined;
  state.text.push("mild junk signal in addition");
  return temporary("iprev");
};

/** A valid token in the subject. */
export const checkSubjectPass: Step = (state) => {
  const pass = state.c.subjectPass;
  if (!pass) return undefined;
  const result = verifySubjectPass(
    state.c.subject,
    state.c.from,
    pass.key,
    pass.periodMs,
    state.c.now,
  );
  if (result === "ok") {
    state.text.push("valid subject pass");
    return accept("subjectpass");
  }
  if (result !== "absent") state.text.push(`subject pass is ${result}`);
  return undefined;
};

/** DNS block lists, if the content gave no reason to reject. */
export const checkBlockLists: Step = async (state) => {
  for (const b of state.c.dnsbls) {
    let listed = false;
    try {
      listed = await b.listed();
    } catch {
      // A list that doesn't answer counts as not listing.
      state.text.push(`dnsbl ${b.zone} failed`);
    }
    if (listed) {
      state.blocklisted = true;
      state.text.push(`ip is listed in dnsbl ${b.zone}`);
      return subjectPassOr(state, temporary("dns-blocklisted"));
    }
  }
  if (state.c.dnsbls.length > 0) state.text.push("ip is not in dns block lists");
  return undefined;
};

/**
 * The rejection, or instead the offer of a subject pass: only for otherwise unknown senders with a DMARC pass,
 * so that the answer reaches the address in From.
 */
export function subjectPassOr(state: AnalysisState, verdict: Verdict): Verdict {
  const pass = state.c.subjectPass;
  if (
    !pass || state.c.from === undefined || !state.c.dmarc.pass || state.reputation.method !== "none"
  ) {
    return verdict;
  }
  if (!state.blocklisted && !state.moderate) return verdict;
  state.text.push("asked to send again with a subject pass");
  return {
    accept: false,
    reason: "give-subjectpass",
    code: 550,
    enhancedCode: "5.7.1",
    message: subjectPassExplanation + generateSubjectPass(state.c.from, pass.key, state.c.now),
  };
}

/** Nothing spoke against it. */
export const acceptRest: Step = (state) => {
  state.text.push("no known reputation and no bad signals");
  return accept("no-bad-signals");
};
