/**
 * Rulesets of a destination: which one matches a message, and the effect of list and forward rules.
 *
 * @module
 */
import { compileRegExp, RegExpSyntaxError, type StepBudget } from "../config/sconf/regexp.ts";
import type { DeliveryFacts } from "../store/types.ts";
import type { AnalysisContext, Ruleset } from "./analysis_types.ts";

/** What rulesets match against. */
export type RulesetSubject = Pick<AnalysisContext, "facts" | "headers" | "destination">;

/** Most characters of a value that an expression is matched against: users write the expressions. */
const maxMatched = 2048;
/** Most header fields checked. */
const maxHeaders = 1000;

/**
 * Steps of all expressions of a destination on one message: some 50 ms. Typical rules take a hundredth of that.
 */
const maxSteps = 1_000_000;

/** Whether the expression matches. An invalid one matches nothing: the configuration check reports it. */
function matches(source: string, value: string, budget: StepBudget): boolean {
  if (budget.left < 0) return false;
  try {
    return compileRegExp(source).test(value.slice(0, maxMatched), budget);
  } catch (err) {
    if (err instanceof RegExpSyntaxError) return false;
    throw err;
  }
}

/** Whether the domain or a subdomain of it passed SPF or DKIM. */
function verifiedDomain(facts: DeliveryFacts, domain: string): boolean {
  const within = (d: string) => d === domain || d.endsWith(`.${domain}`);
  return facts.ehloValidated && within(facts.ehloDomain) ||
    facts.mailFromValidated && within(facts.mailFromDomain) ||
    facts.dkimDomains.some(within);
}

function matchesHeaders(
  subject: RulesetSubject,
  expressions: Record<string, string>,
  budget: StepBudget,
): boolean {
  const wanted = Object.entries(expressions);
  if (wanted.length === 0) return true;
  const fields = subject.headers.slice(0, maxHeaders).map(([name, value]) =>
    [name.toLowerCase(), value.slice(0, maxMatched).toLowerCase().trim()] as const
  );
  return wanted.every(([name, value]) =>
    fields.some((f) => matches(name, f[0], budget) && matches(value, f[1], budget))
  );
}

/**
 * The first ruleset that matches the message. One without any condition matches nothing.
 * @param tooLong called with the number (from 1) of a rule that took too many steps: no rule matches from there
 * on
 */
export function matchingRuleset(
  subject: RulesetSubject,
  tooLong?: (rule: number) => void,
): Ruleset | undefined {
  const f = subject.facts;
  const budget: StepBudget = { left: maxSteps };
  const { rulesets } = subject.destination;
  for (const [i, r] of rulesets.entries()) {
    const found = rulesetMatches(subject, f, r, budget);
    if (budget.left < 0) {
      tooLong?.(i + 1);
      return undefined;
    }
    if (found) return r;
  }
  return undefined;
}

function rulesetMatches(
  subject: RulesetSubject,
  facts: DeliveryFacts,
  ruleset: Ruleset,
  budget: StepBudget,
): boolean {
  const conditions = ruleset.SMTPMailFromRegexp !== "" || ruleset.MsgFromRegexp !== "" ||
    ruleset.VerifiedDomain !== "" || Object.keys(ruleset.HeadersRegexp).length > 0;
  if (!conditions) return false;
  if (ruleset.SMTPMailFromRegexp !== "") {
    const mailFrom = facts.mailFromLocalpart === "" && facts.mailFromDomain === ""
      ? ""
      : `${facts.mailFromLocalpart}@${facts.mailFromDomain}`;
    if (!matches(ruleset.SMTPMailFromRegexp, mailFrom, budget)) return false;
  }
  if (ruleset.MsgFromRegexp !== "") {
    if (facts.msgFromDomain === "") return false;
    const from = `${facts.msgFromLocalpart}@${facts.msgFromDomain}`;
    if (!matches(ruleset.MsgFromRegexp, from, budget)) return false;
  }
  if (
    ruleset.VerifiedDomain !== "" && !verifiedDomain(facts, ruleset.VerifiedDomain.toLowerCase())
  ) return false;
  return matchesHeaders(subject, ruleset.HeadersRegexp, budget);
}

/** Whether the message is verifiably from the list: the domain or a subdomain passed SPF or DKIM. */
export function fromAllowedList(context: AnalysisContext, listDomain: string): boolean {
  const domain = listDomain.toLowerCase();
  const within = (d: string) => d === domain || d.endsWith(`.${domain}`);
  return context.facts.mailFromValidated && within(context.facts.mailFromDomain) ||
    context.signatures.some((s) => s.pass && within(s.domain));
}

/**
 * Facts of a forwarded message without those of the forwarding server, whose reputation is not affected by what
 * it forwards.
 */
export function forwardedFacts(facts: DeliveryFacts, forwarder: string): DeliveryFacts {
  return {
    ...facts,
    isForward: true,
    networks: ["", "", ""],
    ehloDomain: "",
    mailFromDomain: "",
    dkimDomains: facts.dkimDomains.filter((d) => d !== forwarder.toLowerCase()),
  };
}
