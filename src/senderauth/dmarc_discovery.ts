/** Finds the DMARC record for a domain, and its organization. @module */
import { getDomain, getPublicSuffix } from "tldts";
import { DnsError, isUnder, type Resolver } from "../dns/mod.ts";
import { type DmarcRecord, isDmarcRecord, parseDmarcRecord } from "./dmarc_record.ts";

/**
 * How organizational domains are found: `psl` by the public suffix list (RFC 7489 §3.2), `treewalk` by DNS
 * lookups (RFC 9989 §4.10).
 */
export type DmarcMethod = "psl" | "treewalk";

/** The result for an author's domain. */
export interface DmarcDiscovery {
  /** Undefined if there is no record. */
  record?: DmarcRecord;
  /** Where the record is: the domain, its organizational domain, or a public suffix above it. */
  recordDomain?: string;
  organizationalDomain: string;
  authenticated: boolean;
}

/** Most labels of the names that a tree walk looks up after the first (RFC 9989 §4.10). */
const MAX_WALK_LABELS = 7;

/** Finds record and organizational domain. Throws a temporary DnsError if a lookup failed. */
export async function discoverDmarc(
  resolver: Resolver,
  domain: string,
  method: DmarcMethod,
): Promise<DmarcDiscovery> {
  return method === "psl" ? await byList(resolver, domain) : await byWalk(resolver, domain);
}

/** True if two domains belong to one organization (relaxed alignment). */
export async function sameOrganization(
  resolver: Resolver,
  identifier: string,
  organizationalDomain: string,
  method: DmarcMethod,
): Promise<boolean> {
  // No domain outside of it can have it as its organizational domain.
  if (!isUnder(identifier, organizationalDomain)) return false;
  if (identifier === organizationalDomain) return true;
  const own = method === "psl"
    ? listedOrganization(identifier)
    : (await byWalk(resolver, identifier)).organizationalDomain;
  return own === organizationalDomain;
}

/** The registered domain by the public suffix list; the name itself if it is a suffix. */
export function listedOrganization(domain: string): string {
  // With the list's private part: customers of a hosting provider don't speak for each other.
  return getDomain(domain, { allowPrivateDomains: true, validateHostname: false }) ?? domain;
}

async function byList(resolver: Resolver, domain: string): Promise<DmarcDiscovery> {
  const organizationalDomain = listedOrganization(domain);
  const candidates = [domain, organizationalDomain];
  const suffix = getPublicSuffix(domain, { allowPrivateDomains: true, validateHostname: false });
  if (suffix !== null) candidates.push(suffix);
  for (const [i, name] of [...new Set(candidates)].entries()) {
    const found = await recordAt(resolver, name);
    if (!found.record) continue;
    // RFC 9091 §3.3: a suffix's record applies to the domains under it only if it declares itself a suffix.
    if (i > 0 && name === suffix && found.record.psd !== "y") continue;
    return { ...found, recordDomain: name, organizationalDomain };
  }
  return { organizationalDomain, authenticated: false };
}

/** RFC 9989 §4.10. */
async function byWalk(resolver: Resolver, domain: string): Promise<DmarcDiscovery> {
  const found: { name: string; record: DmarcRecord; authenticated: boolean }[] = [];
  let labels = domain.split(".");
  while (labels.length > 0) {
    const name = labels.join(".");
    const { record, authenticated } = await recordAt(resolver, name);
    if (record) found.push({ name, record, authenticated });
    if (record && record.psd !== "u") break;
    labels = labels.slice(Math.max(1, labels.length - MAX_WALK_LABELS));
  }
  let organizationalDomain = domain;
  // §4.10.2: psd=n names it, psd=y above names its child, else it is the one with fewest labels.
  for (const { name, record } of found) {
    if (record.psd === "n") {
      organizationalDomain = name;
      break;
    }
    if (record.psd === "y" && name !== domain) {
      const below = domain.slice(0, domain.length - name.length - 1);
      organizationalDomain = domain.slice(below.lastIndexOf(".") + 1);
      break;
    }
    organizationalDomain = name;
  }
  // §4.10.1: the domain's own record, else the organization's, else the public suffix's.
  const policy = found.find((f) => f.name === domain) ??
    found.find((f) => f.name === organizationalDomain) ??
    found.find((f) => f.record.psd === "y");
  return {
    record: policy?.record,
    recordDomain: policy?.name,
    organizationalDomain,
    authenticated: policy?.authenticated ?? false,
  };
}

/** The record at a name. Several count as none (RFC 7489 §6.6.3 step 5). */
async function recordAt(
  resolver: Resolver,
  name: string,
): Promise<{ record?: DmarcRecord; authenticated: boolean }> {
  try {
    const answer = await resolver.lookup(`_dmarc.${name}`, "TXT");
    const texts = answer.records.filter(isDmarcRecord);
    const record = texts.length === 1 ? parseDmarcRecord(texts[0]) : undefined;
    return { record, authenticated: answer.authenticated };
  } catch (err) {
    if (!(err instanceof DnsError) || err.temporary || err.kind === "limit") throw err;
    return { authenticated: err.authenticated };
  }
}
