/**
 * Rulesets of a destination: which one matches a message, and what list and forward rules mean.
 *
 * @module
 */
import { compileRegExp, RegExpSyntaxError, type StepBudget } from "../config/sconf/regexp.ts";
import type { DeliveryFacts } from "../store/types.ts";
import type { AnalysisContext, Ruleset } from "./analysis_types.ts";

/** What rulesets look at. */
export type RulesetSubject = Pick<AnalysisContext, "facts" | "headers" | "destination">;

/** Characters of a value that an expression is tried on: expressions are the user's own. */
const maxMatched = 2048;
/** Header fields that are looked at. */
const maxHeaders = 1000;

/**
 * Steps of all expressions of a destination on one message: some 50 ms. Rules as people write them take a
 * hundredth of that.
 */
const maxSteps = 1_000_000;

/** Whether the expression matches. A wrong one matches nothing: the configuration's check tells of it. */
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
function verifiedDomain(f: DeliveryFacts, domain: string): boolean {
  const within = (d: string) => d === domain || d.endsWith(`.${domain}`);
  return f.ehloValidated && within(f.ehloDomain) ||
    f.mailFromValidated && within(f.mailFromDomain) ||
    f.dkimDomains.some(within);
}

function matchesHeaders(
  c: RulesetSubject,
  expressions: Record<string, string>,
  budget: StepBudget,
): boolean {
  const wanted = Object.entries(expressions);
  if (wanted.length === 0) return true;
  const fields = c.headers.slice(0, maxHeaders).map(([name, value]) =>
    [name.toLowerCase(), value.slice(0, maxMatched).toLowerCase().trim()] as const
  );
  return wanted.every(([name, value]) =>
    fields.some((f) => matches(name, f[0], budget) && matches(value, f[1], budget))
  );
}

/**
 * The first ruleset that matches the message. One without any condition matches nothing.
 * @param tooLong is called with the number (from 1) of a rule that took too many steps: no rule matches from it on
 */
export function matchingRuleset(
  c: RulesetSubject,
  tooLong?: (rule: number) => void,
): Ruleset | undefined {
  const f = c.facts;
  const budget: StepBudget = { left: maxSteps };
  const { rulesets } = c.destination;
  for (const [i, r] of rulesets.entries()) {
    const found = rulesetMatches(c, f, r, budget);
    if (budget.left < 0) {
      tooLong?.(i + 1);
      return undefined;
    }
    if (found) return r;
  }
  return undefined;
}

function rulesetMatches(
  c: RulesetSubject,
  f: DeliveryFacts,
  r: Ruleset,
  budget: StepBudget,
): boolean {
  const conditions = r.SMTPMailFromRegexp !== "" || r.MsgFromRegexp !== "" ||
    r.VerifiedDomain !== "" || Object.keys(r.HeadersRegexp).length > 0;
  if (!conditions) return false;
  if (r.SMTPMailFromRegexp !== "") {
    const mailFrom = f.mailFromLocalpart === "" && f.mailFromDomain === ""
      ? ""
      : `${f.mailFromLocalpart}@${f.mailFromDomain}`;
    if (!matches(r.SMTPMailFromRegexp, mailFrom, budget)) return false;
  }
  if (r.MsgFromRegexp !== "") {
    if (f.msgFromDomain === "") return false;
    const from = `${f.msgFromLocalpart}@${f.msgFromDomain}`;
    if (!matches(r.MsgFromRegexp, from, budget)) return false;
  }
  if (r.VerifiedDomain !== "" && !verifiedDomain(f, r.VerifiedDomain.toLowerCase())) return false;
  return matchesHeaders(c, r.HeadersRegexp, budget);
}

/** Whether the message is verifiably of the list: the domain, or one in it, passed SPF or DKIM. */
export function fromAllowedList(c: AnalysisContext, listDomain: string): boolean {
  const domain = listDomain.toLowerCase();
  const within = (d: string) => d === domain || d.endsWith(`.${domain}`);
  return c.facts.mailFromValidated && within(c.facts.mailFromDomain) ||
    c.signatures.some((s) => s.pass && within(s.domain));
}

/**
 * Facts of a forwarded message without those of the forwarding server, which neither profits from nor
 * answers for what it forwards.
 */
export function forwardedFacts(f: DeliveryFacts, forwarder: string): DeliveryFacts {
  return {
    ...f,
    isForward: true,
    networks: ["", "", ""],
    ehloDomain: "",
    mailFromDomain: "",
    dkimDomains: f.dkimDomains.filter((d) => d !== forwarder.toLowerCase()),
  };
}
