/**
 * Rulesets of a destination: which one matches a message, and what list and forward rules mean.
 *
 * @module
 */
import type { DeliveryFacts } from "../store/types.ts";
import type { AnalysisContext, Ruleset } from "./analysis_types.ts";
import { type LinearRegexp, linearRegexp, RegexpError } from "../config/linear_regexp.ts";

/** Characters of a value that an expression is tried on: expressions are the user's own. */
const maxMatched = 2048;
/** Header fields that are looked at. */
const maxHeaders = 1000;

const compiled = new Map<string, LinearRegexp | undefined>();

/** The expression, from a bounded cache; undefined if it is wrong (the configuration's check tells). */
function expression(source: string): LinearRegexp | undefined {
  if (compiled.has(source)) return compiled.get(source);
  let re: LinearRegexp | undefined;
  try {
    re = linearRegexp(source);
  } catch (err) {
    if (!(err instanceof RegexpError)) throw err;
  }
  if (compiled.size >= 1000) compiled.clear();
  compiled.set(source, re);
  return re;
}

function matches(source: string, value: string): boolean {
  return expression(source)?.test(value.slice(0, maxMatched)) ?? false;
}

/** Whether the domain or a subdomain of it passed SPF or DKIM. */
function verifiedDomain(f: DeliveryFacts, domain: string): boolean {
  const within = (d: string) => d === domain || d.endsWith(`.${domain}`);
  return f.ehloValidated && within(f.ehloDomain) ||
    f.mailFromValidated && within(f.mailFromDomain) ||
    f.dkimDomains.some(within);
}

function matchesHeaders(c: AnalysisContext, expressions: Record<string, string>): boolean {
  const wanted = Object.entries(expressions);
  if (wanted.length === 0) return true;
  const fields = c.headers.slice(0, maxHeaders).map(([name, value]) =>
    [name.toLowerCase(), value.slice(0, maxMatched).toLowerCase().trim()] as const
  );
  return wanted.every(([name, value]) =>
    fields.some((f) => matches(name, f[0]) && matches(value, f[1]))
  );
}

/** The first ruleset that matches the message. One without any condition matches nothing. */
export function matchingRuleset(c: AnalysisContext): Ruleset | undefined {
  const f = c.facts;
  return c.destination.rulesets.find((r) => {
    const conditions = r.SMTPMailFromRegexp !== "" || r.MsgFromRegexp !== "" ||
      r.VerifiedDomain !== "" || Object.keys(r.HeadersRegexp).length > 0;
    if (!conditions) return false;
    if (r.SMTPMailFromRegexp !== "") {
      const mailFrom = f.mailFromLocalpart === "" && f.mailFromDomain === ""
        ? ""
        : `${f.mailFromLocalpart}@${f.mailFromDomain}`;
      if (!matches(r.SMTPMailFromRegexp, mailFrom)) return false;
    }
    if (r.MsgFromRegexp !== "") {
      if (f.msgFromDomain === "") return false;
      if (!matches(r.MsgFromRegexp, `${f.msgFromLocalpart}@${f.msgFromDomain}`)) return false;
    }
    if (r.VerifiedDomain !== "" && !verifiedDomain(f, r.VerifiedDomain.toLowerCase())) return false;
    return matchesHeaders(c, r.HeadersRegexp);
  });
}

/** Whether the message is verifiably of the list: exactly this domain passed SPF (MAIL FROM) or DKIM. */
export function fromAllowedList(c: AnalysisContext, listDomain: string): boolean {
  const domain = listDomain.toLowerCase();
  return c.facts.mailFromValidated && c.facts.mailFromDomain === domain ||
    c.signatures.some((s) => s.pass && s.domain === domain);
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
