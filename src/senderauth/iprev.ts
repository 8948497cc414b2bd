/** Whether an address has a name that resolves back to it (RFC 8601 §3). @module */
import { DnsError, formatIp, lookupNames, parseIp, type Resolver } from "../dns/mod.ts";
import { IPREV_MAX_NAMES } from "./limits.ts";

export interface IprevOutcome {
  /** `permerror`: the address has no name. */
  result: "pass" | "fail" | "temperror" | "permerror";
  /** The first name that resolves back to the address. */
  name?: string;
  /** Names that the address claims, at most {@link IPREV_MAX_NAMES}. */
  names: string[];
  /** True if the answers were authenticated. */
  authenticated: boolean;
  error?: string;
}

/** Checks an address. Never throws because of the DNS. */
export async function checkIprev(resolver: Resolver, ip: string): Promise<IprevOutcome> {
  const bytes = parseIp(ip);
  const outcome: IprevOutcome = { result: "fail", names: [], authenticated: false };
  if (!bytes) return { ...outcome, result: "permerror", error: "not an IP address" };
  let temporary: string | undefined;
  try {
    const found = await lookupNames(resolver, ip);
    outcome.names = found.names.slice(0, IPREV_MAX_NAMES);
    for (const name of outcome.names) {
      try {
        const answer = await resolver.lookup(name, bytes.length === 4 ? "A" : "AAAA");
        if (answer.records.includes(formatIp(bytes))) {
          const authenticated = found.authenticated && answer.authenticated;
          return { ...outcome, result: "pass", name, authenticated };
        }
      } catch (err) {
        if (!(err instanceof DnsError)) throw err;
        if (err.temporary) temporary ??= err.message;
      }
    }
  } catch (err) {
    if (!(err instanceof DnsError)) throw err;
    const result = err.temporary ? "temperror" : "permerror";
    return { ...outcome, result, error: err.notFound ? "address has no name" : err.message };
  }
  if (temporary !== undefined) return { ...outcome, result: "temperror", error: temporary };
  return { ...outcome, error: "no name leads back to the address" };
}
