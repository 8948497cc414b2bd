/** A domain's policy for mail in its name (RFC 7489, RFC 9989). @module */
import { DnsError, normalizeName, type Resolver } from "../dns/mod.ts";
import type { AuthorDomain } from "./author.ts";
import type { DkimOutcome } from "./dkim_verify.ts";
import { discoverDmarc, type DmarcMethod, sameOrganization } from "./dmarc_discovery.ts";
import type { DmarcPolicy, DmarcRecord } from "./dmarc_record.ts";
import type { SpfOutcome } from "./spf.ts";

/** Outcome of DMARC. */
export interface DmarcOutcome {
  /** `none`: no record; `permerror`: no usable author. */
  result: "pass" | "fail" | "none" | "temperror" | "permerror";
  /** The domain of From in ASCII. */
  fromDomain?: string;
  organizationalDomain?: string;
  record?: DmarcRecord;
  /** The domain where the record was found. */
  recordDomain?: string;
  /** True if the DNS answer with the record was authenticated. */
  recordAuthenticated: boolean;
  /** The record's policy for this domain (p, sp or np). */
  policy?: DmarcPolicy;
  /** What to do with this message: the policy on fail, weakened by pct and t; else "none". */
  applied: DmarcPolicy;
  /** True if pct or t weakened it: reports say so. */
  sampledOut: boolean;
  /** Domains that pass and are aligned. */
  alignedDkim: string[];
  alignedSpf?: string;
  error?: string;
}

const weaker: Record<DmarcPolicy, DmarcPolicy> = {
  reject: "quarantine",
  quarantine: "none",
  none: "none",
};

/** Evaluates DMARC from the results of SPF and DKIM. Never throws because of the DNS. */
export async function checkDmarc(input: {
  author: AuthorDomain;
  spf: SpfOutcome;
  dkim: readonly DkimOutcome[];
  resolver: Resolver;
  method: DmarcMethod;
  /** A number from 0 up to 1, for pct=. */
  random: () => number;
}): Promise<DmarcOutcome> {
  const outcome: DmarcOutcome = {
    result: "none",
    recordAuthenticated: false,
    applied: "none",
    sampledOut: false,
    alignedDkim: [],
  };
  if ("error" in input.author) {
    const strictest = await ofSeveral(outcome, input.author.domains ?? [], input);
    return strictest
      ? { ...strictest, error: input.author.error }
      : { ...outcome, result: "permerror", error: input.author.error };
  }
  outcome.fromDomain = input.author.domain;
  try {
    return await evaluate(outcome, outcome.fromDomain, input);
  } catch (err) {
    if (!(err instanceof DnsError)) throw err;
    return { ...outcome, result: err.temporary ? "temperror" : "permerror", error: err.message };
  }
}

/**
 * For a message with several authors (RFC 7489 §6.6.1): the strictest policy among those that it fails, so that
 * a second address doesn't disable the policy of the first. Undefined if none applies.
 */
async function ofSeveral(
  outcome: DmarcOutcome,
  domains: readonly string[],
  input: Parameters<typeof checkDmarc>[0],
): Promise<DmarcOutcome | undefined> {
  const strictness: Record<DmarcPolicy, number> = { none: 0, quarantine: 1, reject: 2 };
  let strictest: DmarcOutcome | undefined;
  for (const domain of domains) {
    let one: DmarcOutcome;
    try {
      one = await evaluate({ ...outcome, fromDomain: domain, alignedDkim: [] }, domain, input);
    } catch (err) {
      if (!(err instanceof DnsError)) throw err;
      if (!err.temporary) continue;
      one = { ...outcome, fromDomain: domain, result: "temperror" };
    }
    if (one.result !== "fail" && one.result !== "temperror") continue;
    if (!strictest || strictness[one.applied] > strictness[strictest.applied]) strictest = one;
  }
  return strictest;
}

async function evaluate(
  outcome: DmarcOutcome,
  domain: string,
  input: Parameters<typeof checkDmarc>[0],
): Promise<DmarcOutcome> {
  const { resolver, method } = input;
  const found = await discoverDmarc(resolver, domain, method);
  outcome.organizationalDomain = found.organizationalDomain;
  const { record } = found;
  if (!record) return outcome;
  outcome.record = record;
  outcome.recordDomain = found.recordDomain;
  outcome.recordAuthenticated = found.authenticated;
  outcome.policy = await policyFor(record, domain, found.recordDomain!, resolver);

  const aligned = async (identifier: string, strict: boolean): Promise<boolean> => {
    const name = normalizeName(identifier);
    if (name === undefined) return false;
    if (name === domain) return true;
    return !strict && await sameOrganization(resolver, name, found.organizationalDomain, method);
  };
  // A check that could pass later leaves the question open.
  let temporary: string | undefined;
  for (const sig of input.dkim) {
    if (sig.domain === undefined || !(sig.status === "pass" || sig.status === "temperror")) {
      continue;
    }
    if (outcome.alignedDkim.includes(sig.domain)) continue;
    if (!await aligned(sig.domain, record.strictDkim)) continue;
    if (sig.status === "pass") outcome.alignedDkim.push(sig.domain);
    else temporary ??= sig.error ?? "dkim temperror";
  }
  const { spf } = input;
  if (
    (spf.result === "pass" || spf.result === "temperror") &&
    await aligned(spf.domain, record.strictSpf)
  ) {
    if (spf.result === "pass") outcome.alignedSpf = spf.domain;
    else temporary ??= spf.error ?? "spf temperror";
  }

  if (outcome.alignedDkim.length > 0 || outcome.alignedSpf !== undefined) {
    outcome.result = "pass";
  } else if (temporary !== undefined) {
    outcome.result = "temperror";
    outcome.error = temporary;
  } else {
    outcome.result = "fail";
    apply(outcome, record, outcome.policy, input);
  }
  return outcome;
}

function apply(
  outcome: DmarcOutcome,
  record: DmarcRecord,
  policy: DmarcPolicy,
  input: { method: DmarcMethod; random: () => number },
): void {
  outcome.applied = policy;
  // RFC 7489 §6.6.4: those not chosen get the next weaker policy. RFC 9989 has t= instead.
  const spared = input.method === "psl"
    ? record.percentage < 100 && input.random() * 100 >= record.percentage
    : record.testing;
  if (spared && policy !== "none") {
    outcome.applied = weaker[policy];
    outcome.sampledOut = true;
  }
}

async function policyFor(
  record: DmarcRecord,
  domain: string,
  recordDomain: string,
  resolver: Resolver,
): Promise<DmarcPolicy> {
  if (domain === recordDomain) return record.policy;
  const forSubdomains = record.subdomainPolicy ?? record.policy;
  if (record.nonexistentPolicy === undefined) return forSubdomains;
  return await exists(resolver, domain) ? forSubdomains : record.nonexistentPolicy;
}

/** RFC 9989 §3.2.13: a domain does not exist if the name does not. */
async function exists(resolver: Resolver, domain: string): Promise<boolean> {
  try {
    await resolver.lookup(domain, "A");
    return true;
  } catch (err) {
    if (!(err instanceof DnsError)) throw err;
    if (err.temporary || err.kind === "limit") throw err;
    return err.kind === "nodata";
  }
}
