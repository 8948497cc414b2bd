/** Lookups of IP addresses. @module */
import { parseIp, reverseName } from "./ip.ts";
import { DnsError, type LookupOptions, type Resolver } from "./types.ts";

/** The addresses of a host, IPv6 first, with the result for each family. */
export interface HostAddresses {
  addresses: string[];
  /**
   * True if the answers with addresses are authenticated. Whether the other family has none is of no
   * matter: who can keep its answer away must not thereby get DANE out of the way.
   */
  authenticated: boolean;
  /** The name after CNAMEs, from the answer with records. */
  canonicalName: string;
}

/**
 * The A and AAAA records of a host. Throws a {@link DnsError} if neither family has any: a
 * temporary one if one of them failed, as there may be addresses then.
 */
export async function lookupAddresses(
  resolver: Resolver,
  host: string,
  options?: LookupOptions,
): Promise<HostAddresses> {
  const results = await Promise.allSettled([
    resolver.lookup(host, "AAAA", options),
    resolver.lookup(host, "A", options),
  ]);
  const addresses: string[] = [];
  let authenticated = true;
  let canonicalName = host;
  let failure: DnsError | undefined;
  for (const r of results) {
    if (r.status === "fulfilled") {
      addresses.push(...r.value.records);
      authenticated &&= r.value.authenticated;
      canonicalName = r.value.cnames.at(-1) ?? r.value.name;
    } else {
      const err = r.reason;
      if (!(err instanceof DnsError)) throw err;
      if (!failure || err.temporary) failure = err;
    }
  }
  if (addresses.length === 0) throw failure;
  return { addresses, authenticated, canonicalName };
}

/** The names of an address in the reverse tree, unverified: iprev checks whether they lead back. */
export async function lookupNames(
  resolver: Resolver,
  ip: string,
  options?: LookupOptions,
): Promise<{ names: string[]; authenticated: boolean }> {
  const bytes = parseIp(ip);
  if (!bytes) {
    throw new DnsError("badname", ip.slice(0, 64), "PTR", { detail: "not an IP address" });
  }
  const answer = await resolver.lookup(reverseName(bytes), "PTR", options);
  return { names: answer.records, authenticated: answer.authenticated };
}
