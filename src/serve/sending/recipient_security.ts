/**
 * How secure delivery to a domain is, according to its DNS: shown to users while they write
 * a message. The queue checks again on delivery.
 *
 * @module
 */
import { DnsError, normalizeName, type Resolver } from "../../dns/mod.ts";
import type { TlsPolicy } from "../../tlspolicy/types.ts";

/** Sources; without TlsPolicy a policy is only detected, not read. */
export interface SecurityServices {
  resolver: Resolver;
  tlsPolicy?: TlsPolicy;
}

type Answer = "yes" | "no" | "unknown" | "error";

/** Result for one domain; see DomainSecurity of the webmail. */
export interface FoundSecurity {
  startTls: "yes" | "no" | "unknown";
  mtaSts: Answer;
  dane: Answer;
  dnssec: Answer;
  requireTls: "yes" | "no" | "unknown";
}

/** Milliseconds for all lookups. */
const patience = 20_000;
/** Hosts of a domain checked for DANE. */
const maxHosts = 5;

/** Runs a lookup; a temporary failure means unknown, a failed validation is an error. */
function failed(err: unknown): Answer {
  if (!(err instanceof DnsError)) throw err;
  if (err.kind === "nxdomain" || err.kind === "nodata") return "no";
  return err.kind === "bogus" ? "error" : "unknown";
}

/** Looks up a domain. */
export async function recipientSecurity(
  services: SecurityServices,
  name: string,
): Promise<FoundSecurity> {
  const found: FoundSecurity = {
    startTls: "unknown",
    mtaSts: "unknown",
    dane: "unknown",
    dnssec: "unknown",
    requireTls: "unknown",
  };
  const domain = normalizeName(name);
  if (domain === undefined) return found;
  const signal = AbortSignal.timeout(patience);
  const [sts, mx] = await Promise.all([
    mtaSts(services, domain, signal),
    hostsOf(services.resolver, domain, signal),
  ]);
  found.mtaSts = sts;
  found.dnssec = mx.dnssec;
  found.dane = mx.dnssec === "yes" ? await dane(services.resolver, mx.hosts, signal) : mx.dnssec;
  // Both promise TLS; without them only a delivery would show it.
  if (found.mtaSts === "yes" || found.dane === "yes") found.startTls = "yes";
  return found;
}

async function hostsOf(
  resolver: Resolver,
  domain: string,
  signal: AbortSignal,
): Promise<{ hosts: string[]; dnssec: Answer }> {
  try {
    const r = await resolver.lookup(domain, "MX", { signal });
    const hosts = r.records.map((m) => m.exchange).filter((h) => h !== "").slice(0, maxHosts);
    return { hosts, dnssec: r.authenticated ? "yes" : "no" };
  } catch (err) {
    // RFC 5321 §5.1: the domain itself, if it certainly has no MX records.
    if (err instanceof DnsError && err.kind === "nodata") {
      return { hosts: [domain], dnssec: err.authenticated ? "yes" : "no" };
    }
    return { hosts: [], dnssec: failed(err) };
  }
}

/** RFC 7672 §2.2: TLSA records that are authenticated, for all hosts. */
async function dane(resolver: Resolver, hosts: string[], signal: AbortSignal): Promise<Answer> {
  if (hosts.length === 0) return "no";
  const answers = await Promise.all(hosts.map(async (host): Promise<Answer> => {
    try {
      const r = await resolver.lookup(`_25._tcp.${host}`, "TLSA", { signal });
      return r.authenticated ? "yes" : "no";
    } catch (err) {
      return failed(err);
    }
  }));
  for (const worst of ["error", "unknown", "no"] as const) {
    if (answers.includes(worst)) return worst;
  }
  return "yes";
}

/** RFC 8461 §3.1: the record says that there is a policy; its mode says whether it protects. */
async function mtaSts(
  services: SecurityServices,
  domain: string,
  signal: AbortSignal,
): Promise<Answer> {
  try {
    const r = await services.resolver.lookup(`_mta-sts.${domain}`, "TXT", { signal });
    if (!r.records.some((t) => /^v=STSv1\s*;/.test(t))) return "no";
  } catch (err) {
    return failed(err);
  }
  if (services.tlsPolicy === undefined) return "yes";
  const policy = await services.tlsPolicy.policyFor(domain, signal);
  if (policy.mode === "none" && policy.failure !== undefined) return "error";
  return policy.mode === "enforce" ? "yes" : "no";
}
